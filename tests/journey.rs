//! The main job, over real sockets, with clients that are not ours, on both databases and under
//! both policies for unknown phones.

use std::path::Path;

use crate::outside::clients::Phone;
use crate::outside::clients::element;
use crate::outside::clients::tftp;
use crate::outside::service::Service;
use crate::outside::steps;
use crate::outside::steps::PhoneFile;
use crate::outside::steps::fetch;

/// From the first file to the registration as the user's line.
fn journey(service: &Service, scratch: &Path, mac: &str, unknown_gets_a_file: bool) {
    let mut phone = Phone::new(mac);
    let user = steps::user_of(service);
    let file_name = format!("{}.cnf.xml", phone.name());

    // A factory-fresh phone asks for its file and registers; it gets a number of the range.
    let auto_name = first_file(service, scratch, &file_name, unknown_gets_a_file);
    let own = steps::auto_register(service, &mut phone, &auto_name);
    let number: u32 = own.line.parse().unwrap();
    assert!((1000..=1999).contains(&number), "{number}");

    // The user logs in and presses Continue, twice: the same answer, and the phone restarts.
    let continue_url = steps::log_in(service, &phone, &own, &user);
    let done = steps::press_continue(service, &continue_url);
    assert!(done.body.contains("restart"), "{}", done.body);
    assert_eq!(
        steps::press_continue(service, &continue_url).body,
        done.body
    );
    let notify = phone.answers_notify();
    assert!(
        notify.contains(&format!("RegisterCallId={{{}}}", phone.call_id())),
        "{notify}"
    );

    // Its new file is the user's; the old secret is gone, the idle URL too.
    phone.boots();
    let (status, text) = fetch(service, &file_name);
    assert_eq!(status, 200);
    let theirs = PhoneFile::read(&text);
    assert_eq!(theirs.line, user.extension);
    assert_eq!(
        theirs.idle_url, None,
        "a provisioned phone has no idle URL of ours"
    );
    assert_ne!(theirs.auth_password, own.auth_password);
    assert_eq!(
        tftp(service, &file_name, scratch).as_deref(),
        Some(text.as_str())
    );

    // It registers as the user's line, and with nothing else.
    assert!(!phone.sipp(
        service,
        "journey_register.xml",
        &user.extension,
        Some(own.secret())
    ));
    assert!(!phone.sipp(service, "journey_auto_register.xml", &user.extension, None));
    assert!(phone.sipp(
        service,
        "journey_register.xml",
        &user.extension,
        Some(theirs.secret())
    ));
}

/// The name that the phone registers with before it has a file of its own.
fn first_file(service: &Service, scratch: &Path, file_name: &str, gets_a_file: bool) -> String {
    let (status, text) = fetch(service, file_name);
    let by_tftp = tftp(service, file_name, scratch);
    if gets_a_file {
        assert_eq!(status, 200);
        assert_eq!(by_tftp.as_deref(), Some(text.as_str()));
        let file = PhoneFile::read(&text);
        assert_eq!(file.auth_password, "", "no secret for an unknown phone");
        return file.line;
    }
    assert_eq!((status, by_tftp), (404, None));
    let (status, text) = fetch(service, "XMLDefault.cnf.xml");
    assert_eq!(status, 200);
    assert!(!text.contains("authPassword"));
    element(&text, "autoRegistrationName").unwrap()
}

/// Nothing that the service wrote holds the PIN, but the report that is asked for it.
fn no_pin_in_any_log(service: &Service) {
    let pin = steps::user_of(service).pin;
    for (path, bytes) in service.everything_written() {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        // Databases hold random numbers that may contain a few digits by chance; logs are text.
        if name.starts_with("report") || name.contains("sqlite") || name.contains(".db") {
            continue;
        }
        let found = bytes
            .windows(pin.len())
            .any(|window| window == pin.as_bytes());
        assert!(!found, "the PIN stands in {}", path.display());
    }
}

#[test]
fn a_phone_that_nobody_configured_becomes_its_users_phone() {
    for (policy, gets_a_file) in [("auto_registration_file", true), ("not_found", false)] {
        for database in crate::outside::databases() {
            println!("on {:?} with {policy}", database.engine);
            let settings = [
                format!("database.url={}", database.url),
                format!("phones.unknown_phones={policy}"),
            ];
            let folder = database.folder();
            let service = Service::start(folder, &[&settings[0], &settings[1]]);
            journey(&service, folder, "0011AABBCC01", gets_a_file);
            no_pin_in_any_log(&service);
        }
    }
}
