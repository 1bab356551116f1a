//! Two phones whose users logged in on them call each other with what stands in their files.

use std::path::Path;

use crate::outside::clients::Phone;
use crate::outside::service::Service;
use crate::outside::steps;
use crate::outside::steps::PhoneFile;
use crate::outside::steps::User;
use crate::outside::steps::fetch;
use crate::program::done;
use crate::program::json;

/// A second user, who may provision a phone.
fn second_user(data_dir: &Path) -> User {
    done(data_dir, &["user-profile", "set", "--allow", "true"]);
    let added = json(data_dir, &["user", "add", "bsmith", "--extension", "1005"]);
    User {
        login: "bsmith".to_owned(),
        pin: added["user"]["pin"].as_str().unwrap().to_owned(),
        extension: "1005".to_owned(),
    }
}

/// From the first file to the user's own: gives the phone, booted with it, and what it says.
fn provisioned(service: &Service, mac: &str, user: &User) -> (Phone, PhoneFile) {
    let mut phone = Phone::new(mac);
    let (status, first) = fetch(service, &format!("{}.cnf.xml", phone.name()));
    assert_eq!(status, 200);
    let waiting = steps::auto_register(service, &mut phone, &PhoneFile::read(&first).line);
    let continue_url = steps::log_in(service, &phone, &waiting, user);
    let done = steps::press_continue(service, &continue_url);
    assert!(done.body.contains("restart"), "{}", done.body);
    phone.answers_notify();
    phone.boots();
    let file = steps::own_file(service, &phone);
    assert_eq!(file.line, user.extension);
    assert_ne!(file.auth_password, waiting.auth_password);
    (phone, file)
}

/// Both register with their own secrets; one calls, the other answers, the first hangs up.
fn call(service: &Service, caller: &mut (Phone, PhoneFile), callee: &mut (Phone, PhoneFile)) {
    let (phone, file) = callee;
    phone.boots();
    let secret = Some(file.secret());
    assert!(phone.sipp(service, "journey_register.xml", &file.line, secret));
    let answering = phone.plays(service, "answers.xml", &[], None);
    let dialled = file.line.clone();
    let (phone, file) = caller;
    phone.boots();
    let keys = [
        ("name", file.auth_name.as_str()),
        ("number", &file.line),
        ("dialled", &dialled),
    ];
    let calling = phone.plays(service, "phone_calls.xml", &keys, Some(file.secret()));
    assert!(calling.has_passed(), "{} calls {dialled}", file.line);
    assert!(answering.has_passed(), "{dialled} is called");
}

#[test]
fn phones_that_their_users_provisioned_call_each_other_with_the_secrets_of_their_files() {
    for database in crate::outside::databases() {
        println!("on {:?}", database.engine);
        let folder = database.folder();
        let url = format!("database.url={}", database.url);
        let service = Service::start(folder, &[&url]);
        let first = steps::user_of(&service);
        let second = second_user(&folder.join("data"));
        let mut one = provisioned(&service, "0011AABBCC01", &first);
        let mut two = provisioned(&service, "0011AABBCC02", &second);
        assert_ne!(one.1.auth_password, two.1.auth_password);
        call(&service, &mut one, &mut two);
        call(&service, &mut two, &mut one);
    }
}
