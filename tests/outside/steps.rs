//! The steps of the journey, each as the phone and its user make it.

use super::clients::Page;
use super::clients::Phone;
use super::clients::curl;
use super::clients::element;
use super::service::Service;

/// The header by which a phone names its model.
const MODEL: [&str; 2] = ["-H", "x-CiscoIPPhoneModelName: CP-7841"];

/// The demo's user (the seed's sample).
pub(crate) struct User {
    pub(crate) login: String,
    pub(crate) pin: String,
    pub(crate) extension: String,
}

/// The first user of the service's report.
pub(crate) fn user_of(service: &Service) -> User {
    let user = &service.report["users"][0];
    let text = |key: &str| user[key].as_str().unwrap().to_owned();
    User {
        login: text("user_id"),
        pin: text("pin"),
        extension: text("extension"),
    }
}

/// What a phone reads in its file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PhoneFile {
    pub(crate) line: String,
    pub(crate) auth_name: String,
    pub(crate) auth_password: String,
    pub(crate) idle_url: Option<String>,
}

impl PhoneFile {
    /// Reads the parts that the journey needs.
    pub(crate) fn read(file: &str) -> Self {
        // The line's name is not the first `name` of the file.
        let line = &file[file.find("<line ").expect("the file has a line")..];
        let idle_url = ["secureIdleURL", "idleURL"]
            .iter()
            .find_map(|name| element(file, name));
        Self {
            line: element(line, "name").unwrap(),
            auth_name: element(line, "authName").unwrap_or_default(),
            auth_password: element(line, "authPassword").unwrap_or_default(),
            idle_url: idle_url.filter(|url| !url.is_empty()),
        }
    }

    /// The credentials as `sipp` takes them.
    pub(crate) fn secret(&self) -> (&str, &str) {
        (&self.auth_name, &self.auth_password)
    }
}

/// Fetches a file over HTTP.
pub(crate) fn fetch(service: &Service, name: &str) -> (u16, String) {
    let page = curl(
        service,
        &[],
        &format!("{}/{name}", service.text("config_http")),
    );
    (page.status, page.body)
}

/// The phone's own file; it must be there.
pub(crate) fn own_file(service: &Service, phone: &Phone) -> PhoneFile {
    let (status, text) = fetch(service, &format!("{}.cnf.xml", phone.name()));
    assert_eq!(status, 200);
    PhoneFile::read(&text)
}

/// A new phone registers, is told to restart, loads its own file and registers with its secret.
pub(crate) fn auto_register(service: &Service, phone: &mut Phone, auto_name: &str) -> PhoneFile {
    assert!(phone.sipp(service, "journey_auto_register.xml", auto_name, None));
    let notify = phone.answers_notify();
    assert!(notify.contains("Event: service-control"), "{notify}");
    assert!(
        notify.contains(&format!("RegisterCallId={{{}}}", phone.call_id())),
        "{notify}"
    );
    phone.boots();
    let file = own_file(service, phone);
    assert!(!file.auth_password.is_empty());
    assert!(phone.sipp(
        service,
        "journey_register.xml",
        &file.line,
        Some(file.secret())
    ));
    file
}

/// The user logs in on the idle URL; gives what *Continue* would open.
pub(crate) fn log_in(service: &Service, phone: &Phone, file: &PhoneFile, user: &User) -> String {
    let idle_url = file
        .idle_url
        .as_ref()
        .expect("the auto-registered phone has an idle URL");
    let idle_url = idle_url.replace("#DEVICENAME#", &phone.name());
    let login = curl(service, &MODEL, &idle_url);
    let headers = &login.headers;
    assert!(
        headers.contains("content-type: text/xml; charset=utf-8"),
        "{headers}"
    );
    assert!(
        login.body.contains("Log in to provision this device."),
        "{}",
        login.body
    );
    let form = url_in(&login.body, "<CiscoIPPhoneInput");
    let user_id = format!("userid={}", user.login);
    let pin = format!("pin={}", user.pin);
    let fields = ["--data-urlencode", &user_id, "--data-urlencode", &pin];
    let confirm = curl(service, &[&MODEL[..], &fields[..]].concat(), &form);
    assert!(confirm.body.contains(&user.extension), "{}", confirm.body);
    assert!(
        confirm.body.contains("<Name>Continue</Name>"),
        "{}",
        confirm.body
    );
    url_in(&confirm.body, "<Name>Continue</Name>")
}

/// The user presses *Continue*.
pub(crate) fn press_continue(service: &Service, continue_url: &str) -> Page {
    curl(service, &MODEL, continue_url)
}

/// The URL of the soft key or form that `marker` begins, as the phone would open it.
fn url_in(screen: &str, marker: &str) -> String {
    let from = screen
        .find(marker)
        .unwrap_or_else(|| panic!("no {marker} in {screen}"));
    let rest = &screen[from..];
    let start = rest.find("<URL").unwrap();
    let start = start + rest[start..].find('>').unwrap() + 1;
    let end = start + rest[start..].find("</URL>").unwrap();
    rest[start..end].replace("&amp;", "&")
}
