//! Which idle URL a phone's file carries: exactly one, and never a login on a claimed phone.

use std::borrow::Cow;

use super::FileWarning;
use super::text::DoorUrl;
use super::text::PhoneUrl;
use crate::domain::device::DeviceName;
use crate::domain::device::DeviceState;
use crate::domain::phone_model::PhoneModel;

/// Path of the login that an idle URL opens.
pub const SELF_PROVISION_PATH: &str = "/cucm-uds/private/selfProvision";

/// Where phones reach the login, and whether they will trust it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SelfProvisionDoors {
    /// Scheme, host and port of the HTTPS door: `https://voice.example.net:8443`.
    pub https: DoorUrl,
    /// Scheme, host and port of the plain HTTP door, when that is on.
    pub plain: Option<DoorUrl>,
    /// Whether phones trust the HTTPS door: a trust list is served, or the installation says so.
    pub phones_trust_https: bool,
}

/// The idle URL of a file: one element at most.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IdleUrl<'a> {
    /// None: the phone's idle screen stays.
    None,
    /// `idleURL`.
    Plain(PhoneUrl<'a>),
    /// `secureIdleURL`.
    Secure(PhoneUrl<'a>),
}

/// What the templates and the system want as idle URL, before the choice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WantedIdleUrl<'a> {
    /// `idle` of the template (*Override*) or of the system (*Default*); empty: none.
    pub idle: &'a str,
    /// `secureIdleUrl` likewise.
    pub secure_idle: &'a str,
}

/// Chooses the one idle URL of a phone's file.
///
/// A URL that leads elsewhere is kept. One that leads to our login is left out of the file of a
/// provisioned phone (it would ask for a login for ever) and else becomes, for this phone: the
/// HTTPS door where phones trust it and the model speaks TLS 1.2; else the plain door, if that is
/// on; else the HTTPS door with a warning, because the phone will show *Host not found*.
pub fn choose_idle_url<'a>(
    wanted: WantedIdleUrl<'a>,
    state: DeviceState,
    model: Option<&PhoneModel>,
    doors: &SelfProvisionDoors,
    device: &DeviceName,
) -> (IdleUrl<'a>, Option<FileWarning>) {
    let speaks_tls = model.is_some_and(PhoneModel::speaks_tls_1_2);
    let text = if wanted.idle.is_empty() || (speaks_tls && !wanted.secure_idle.is_empty()) {
        wanted.secure_idle
    } else {
        wanted.idle
    };
    if text.is_empty() {
        return (IdleUrl::None, None);
    }
    if !points_at_self_provision(text) {
        return by_scheme(text, None);
    }
    if state == DeviceState::Provisioned {
        return (IdleUrl::None, Some(FileWarning::LoginLeftOut));
    }
    if doors.phones_trust_https && speaks_tls {
        return by_scheme(secure_login(text, doors, device), None);
    }
    match &doors.plain {
        Some(plain) => by_scheme(login_at(plain.as_str(), device), None),
        None => by_scheme(
            secure_login(text, doors, device),
            Some(FileWarning::IdleUrlNotTrusted),
        ),
    }
}

/// Whether a URL, on whatever host, is the self-provisioning login.
///
/// Percent-encoding, letter case and doubled slashes do not hide it.
pub fn points_at_self_provision(url: &str) -> bool {
    let without_scheme = url.split_once("://").map_or(url, |(_, rest)| rest);
    let path = without_scheme
        .find('/')
        .and_then(|at| without_scheme.get(at..))
        .unwrap_or_default();
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let decoded = percent_encoding::percent_decode_str(path).decode_utf8_lossy();
    let mut ours = segments(SELF_PROVISION_PATH);
    segments(&decoded).all(|segment| {
        ours.next()
            .is_some_and(|ours| segment.eq_ignore_ascii_case(ours))
    }) && ours.next().is_none()
}

fn segments(path: &str) -> impl Iterator<Item = &str> {
    path.split('/')
        .filter(|segment| !segment.is_empty() && *segment != ".")
}

/// The login over HTTPS: at the host that the administrator wrote into the template, or at our
/// own door when the template names our host (whatever port it had when it was written) or none.
fn secure_login(text: &str, doors: &SelfProvisionDoors, device: &DeviceName) -> String {
    let ours = doors.https.as_str();
    let base = text
        .split_once("/cucm-uds/")
        .map(|(base, _)| base)
        .filter(|base| base.starts_with("https://") && !host_of(base).is_empty())
        .filter(|base| !host_of(base).eq_ignore_ascii_case(host_of(ours)));
    login_at(base.unwrap_or(ours), device)
}

/// The host of a URL without a path.
fn host_of(base: &str) -> &str {
    let authority = base.split_once("://").map_or(base, |(_, rest)| rest);
    match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => host,
        _ => authority,
    }
}

/// The login on this door with the device's own name: no phone needs to expand `#DEVICENAME#`.
fn login_at(base: &str, device: &DeviceName) -> String {
    of_device(base.trim_end_matches('/'), SELF_PROVISION_PATH, device)
}

/// A page of ours with the device's own name.
pub(super) fn of_device(base: &str, path: &str, device: &DeviceName) -> String {
    [base, path, "?name=", device.as_str()].concat()
}

fn by_scheme<'a>(
    text: impl Into<Cow<'a, str>>,
    warning: Option<FileWarning>,
) -> (IdleUrl<'a>, Option<FileWarning>) {
    match PhoneUrl::new(text) {
        Ok(url) if url.is_https() => (IdleUrl::Secure(url), warning),
        Ok(url) => (IdleUrl::Plain(url), warning),
        Err(_) => (IdleUrl::None, Some(FileWarning::UrlUnusable("idleURL"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::phone_model::by_number;

    const OURS: &str = "https://cm/cucm-uds/private/selfProvision";

    fn doors(plain: bool, trusted: bool) -> SelfProvisionDoors {
        SelfProvisionDoors {
            https: "https://us:8443".parse().unwrap(),
            plain: plain.then(|| "http://us:8080".parse().unwrap()),
            phones_trust_https: trusted,
        }
    }

    fn choose<'a>(
        idle: &'a str,
        state: DeviceState,
        model: u32,
        doors: &SelfProvisionDoors,
    ) -> (IdleUrl<'a>, Option<FileWarning>) {
        let wanted = WantedIdleUrl {
            idle,
            secure_idle: "",
        };
        let device = "SEP0011AABBCCDD".parse().unwrap();
        choose_idle_url(wanted, state, by_number(model), doors, &device)
    }

    fn plain(text: &str) -> IdleUrl<'_> {
        IdleUrl::Plain(PhoneUrl::new(text).unwrap())
    }

    fn secure(text: &str) -> IdleUrl<'_> {
        IdleUrl::Secure(PhoneUrl::new(text).unwrap())
    }

    #[test]
    fn the_choice_follows_trust_then_the_plain_door_then_warns() {
        let waiting = DeviceState::AutoRegistered;
        let name = "/cucm-uds/private/selfProvision?name=SEP0011AABBCCDD";
        let at = |base: &str| format!("{base}{name}");
        assert_eq!(
            choose(OURS, waiting, 622, &doors(true, true)),
            (secure(&at("https://cm")), None)
        );
        assert_eq!(
            choose(OURS, waiting, 437, &doors(true, true)),
            (plain(&at("http://us:8080")), None)
        );
        assert_eq!(
            choose(OURS, waiting, 622, &doors(true, false)),
            (plain(&at("http://us:8080")), None)
        );
        for model in [622, 437] {
            let trusted = model == 437;
            assert_eq!(
                choose(OURS, waiting, model, &doors(false, trusted)),
                (
                    secure(&at("https://cm")),
                    Some(FileWarning::IdleUrlNotTrusted)
                ),
                "{model}"
            );
        }
        // A path alone, and our own host at a port it had once, mean our own door.
        for url in [
            SELF_PROVISION_PATH,
            "https://US:443/cucm-uds/private/selfProvision",
        ] {
            assert_eq!(
                choose(url, waiting, 622, &doors(false, true)),
                (secure(&at("https://us:8443")), None)
            );
        }
    }

    #[test]
    fn a_provisioned_phone_never_gets_a_login_as_idle_url() {
        for url in [
            OURS,
            SELF_PROVISION_PATH,
            "http://us:8080/cucm-uds/private/selfProvision?name=#DEVICENAME#",
            "https://10.0.0.1:8443//CUCM-UDS/private/./selfprovision/",
            "https://cm/cucm-uds/private/self%50rovision",
        ] {
            assert_eq!(
                choose(url, DeviceState::Provisioned, 622, &doors(true, true)),
                (IdleUrl::None, Some(FileWarning::LoginLeftOut)),
                "{url}"
            );
        }
        let other = "http://intranet/idle.xml";
        assert_eq!(
            choose(other, DeviceState::Provisioned, 622, &doors(true, true)),
            (plain(other), None)
        );
        assert_eq!(
            choose("", DeviceState::AutoRegistered, 622, &doors(true, true)),
            (IdleUrl::None, None)
        );
    }

    #[test]
    fn of_two_wanted_urls_the_secure_one_is_for_models_that_can_fetch_it() {
        let wanted = WantedIdleUrl {
            idle: "http://x/i",
            secure_idle: "https://x/i",
        };
        let device = "SEP0011AABBCCDD".parse().unwrap();
        let choose = |model| {
            choose_idle_url(
                wanted,
                DeviceState::Provisioned,
                by_number(model),
                &doors(true, true),
                &device,
            )
            .0
        };
        assert_eq!(choose(622), secure("https://x/i"));
        assert_eq!(choose(437), plain("http://x/i"));
    }

    #[test]
    fn a_url_too_long_for_the_phone_is_left_out_with_a_warning() {
        let long = format!("http://h/{}", "x".repeat(300));
        assert_eq!(
            choose(&long, DeviceState::Provisioned, 622, &doors(true, true)),
            (IdleUrl::None, Some(FileWarning::UrlUnusable("idleURL")))
        );
    }
}
