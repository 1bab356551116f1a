//! From a placeholder to a phone that registers as its line, over real sockets, with clients that
//! are not ours (`curl`, `sipp`), on both databases.

use crate::axl_journey::axl;
use crate::outside;
use crate::outside::clients::Phone;
use crate::outside::clients::element;
use crate::outside::service::Service;
use crate::outside::steps;
use crate::outside::steps::PhoneFile;
use crate::outside::steps::User;
use crate::outside::steps::fetch;

const PLACEHOLDER: &str = "BAT0011AABBCCDD";

const EXTENSION: &str = "1777";

/// Adds the phone of which nobody knows the hardware and gives its activation code.
fn configure(service: &Service) -> String {
    let phone = format!(
        "<phone><name>{PLACEHOLDER}</name><description>Front desk</description>\
         <product>Cisco 7841</product><class>Phone</class><protocol>SIP</protocol>\
         <protocolSide>User</protocolSide><devicePoolName>Default</devicePoolName>\
         <lines><line><index>1</index><label>Front desk</label>\
         <dirn><pattern>{EXTENSION}</pattern></dirn></line></lines>\
         <enableActivationID>true</enableActivationID></phone>"
    );
    axl(service, "addPhone", &phone);
    let code =
        format!("<phoneActivationCode><phoneName>{PLACEHOLDER}</phoneName></phoneActivationCode>");
    axl(service, "addPhoneActivationCode", &code);
    let listed = axl(
        service,
        "listPhoneActivationCode",
        "<searchCriteria><phoneName>BAT%</phoneName></searchCriteria>\
         <returnedTags><activationCode/></returnedTags>",
    );
    element(&listed, "activationCode").unwrap()
}

/// `1234-5678-9012-3456`, as somebody may type it.
fn in_groups(code: &str) -> String {
    let groups: Vec<&str> = (0..16)
        .step_by(4)
        .map(|start| &code[start..start + 4])
        .collect();
    groups.join("-")
}

fn journey(service: &Service) {
    let code = configure(service);
    let placeholder_file = format!("{PLACEHOLDER}.cnf.xml");
    assert_eq!(fetch(service, &placeholder_file).0, 404);
    let mut phone = Phone::new("0011AABBCC07");
    let (_, unknown) = fetch(service, &format!("{}.cnf.xml", phone.name()));
    let auto_name = PhoneFile::read(&unknown).line;
    let own = steps::auto_register(service, &mut phone, &auto_name);

    // Whoever unpacked the phone types the code in place of a user ID, without a PIN.
    let person = User {
        login: in_groups(&code),
        pin: String::new(),
        extension: EXTENSION.to_owned(),
    };
    let continue_url = steps::log_in(service, &phone, &own, &person);
    let done = steps::press_continue(service, &continue_url);
    assert!(done.body.contains(EXTENSION), "{}", done.body);
    assert!(done.body.contains("restart"), "{}", done.body);
    let again = steps::press_continue(service, &continue_url);
    assert_eq!(again.body, done.body);
    let notify = phone.answers_notify();
    assert!(
        notify.contains(&format!("RegisterCallId={{{}}}", phone.call_id())),
        "{notify}"
    );

    // It loads the file of the configured device, with a secret, from where it registered.
    phone.boots();
    let theirs = steps::own_file(service, &phone);
    assert_eq!(theirs.line, EXTENSION);
    assert_eq!(theirs.auth_name, phone.name());
    assert!(!theirs.auth_password.is_empty());
    assert_ne!(theirs.auth_password, own.auth_password);
    assert_eq!(theirs.idle_url, None);
    let register =
        |secret: (&str, &str)| phone.sipp(service, "journey_register.xml", EXTENSION, Some(secret));
    assert!(!register(own.secret()));
    assert!(register(theirs.secret()));

    let name = phone.name();
    let shown = axl(service, "getPhone", &format!("<name>{name}</name>"));
    assert!(shown.contains("<activationIDStatus>Activated</activationIDStatus>"));
    assert!(shown.contains("<description>Front desk</description>"));
    let left = axl(
        service,
        "listPhone",
        "<searchCriteria><name>BAT%</name></searchCriteria><returnedTags><name/></returnedTags>",
    );
    assert_eq!(left, "");
    is_in_no_log(service, &code);
}

/// Nothing that the service wrote holds the code.
fn is_in_no_log(service: &Service, code: &str) {
    let written = [code.to_owned(), in_groups(code)];
    for (path, bytes) in service.everything_written() {
        for code in &written {
            let found = bytes
                .windows(code.len())
                .any(|window| window == code.as_bytes());
            assert!(!found, "the code stands in {}", path.display());
        }
    }
}

#[test]
fn a_phone_becomes_the_one_that_was_configured_before_anybody_knew_it() {
    for database in outside::databases() {
        println!("on {:?}", database.engine);
        let setting = format!("database.url={}", database.url);
        let service = Service::start(database.folder(), &[&setting]);
        journey(&service);
    }
}
