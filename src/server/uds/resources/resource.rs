//! What a path names.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use crate::domain::login_name::UserId;
use crate::domain::pkid::Pkid;

/// Where UDS is.
pub(super) const ROOT: &str = "/cucm-uds";

/// Longest path that is looked at, in bytes: a user ID of 128 characters, each three times four
/// bytes when escaped, and two identities.
const PATH_BYTES_MAX: usize = 2_048;

/// What a segment of a path may keep unescaped. Source: RFC 3986 3.3.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'@');

/// A resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Resource {
    /// The version of the interface.
    Version,
    /// The nodes.
    Servers,
    /// The models of phones.
    Models,
    /// Where a user is at home.
    ClusterUser,
    /// Looking for users.
    Users,
    /// Something of one user.
    Own {
        /// The user ID of the path, as it was written.
        user_id: String,
        /// What of the user.
        own: Own,
    },
}

/// What a user has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Own {
    /// The user.
    User,
    /// The user's phones.
    Devices,
    /// One of them.
    Device(Pkid),
    /// The numbers on one of them.
    DeviceExtensions(Pkid),
    /// A number on one of them: the phone, then the line.
    DeviceExtension(Pkid, Pkid),
    /// The user's numbers.
    Extensions,
    /// One of them.
    Extension(Pkid),
    /// PIN and password.
    Credentials,
    /// What is kept for speed dials of all phones that the user owns.
    SpeedDials,
    /// Those of one of them.
    DeviceSpeedDials(Pkid),
    /// What is kept for services of all phones that the user owns.
    SubscribedServices,
    /// Those of one of them.
    DeviceSubscribedServices(Pkid),
    /// What users have on a CUCM and nobody has here.
    NotKept(NotKept),
}

/// What users have on a CUCM and nobody has here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NotKept {
    /// Other phones that ring with theirs.
    RemoteDestinations,
    /// Conferences of their own.
    Conferencing,
}

impl Resource {
    /// Reads a path; one `/` at its end does no harm.
    pub(super) fn parse(path: &str) -> Option<Self> {
        if path.len() > PATH_BYTES_MAX {
            return None;
        }
        let rest = path.strip_prefix(ROOT)?.strip_prefix('/')?;
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let segments: Vec<&str> = rest.split('/').collect();
        match segments.as_slice() {
            ["version"] => Some(Self::Version),
            ["servers"] => Some(Self::Servers),
            ["options", "models"] => Some(Self::Models),
            ["clusterUser"] => Some(Self::ClusterUser),
            ["users"] => Some(Self::Users),
            ["user", user_id, own @ ..] => Some(Self::Own {
                user_id: user_id_of(user_id)?,
                own: Own::parse(own)?,
            }),
            _ => None,
        }
    }

    /// Something of a user.
    pub(super) fn of(user_id: &UserId, own: Own) -> Self {
        Self::Own {
            user_id: user_id.to_string(),
            own,
        }
    }

    /// The path, with every character escaped that needs it.
    pub(super) fn path(&self) -> String {
        match self {
            Self::Version => format!("{ROOT}/version"),
            Self::Servers => format!("{ROOT}/servers"),
            Self::Models => format!("{ROOT}/options/models"),
            Self::ClusterUser => format!("{ROOT}/clusterUser"),
            Self::Users => format!("{ROOT}/users"),
            Self::Own { user_id, own } => {
                let user_id = utf8_percent_encode(user_id, SEGMENT);
                format!("{ROOT}/user/{user_id}{}", own.path())
            }
        }
    }

    /// Whether it can be written by PUT.
    pub(super) const fn is_writable(&self) -> bool {
        matches!(
            self,
            Self::Own {
                own: Own::User
                    | Own::Credentials
                    | Own::Device(_)
                    | Own::DeviceExtension(..)
                    | Own::Extension(_),
                ..
            }
        )
    }

    /// The value of `Allow`.
    pub(super) const fn methods(&self) -> &'static str {
        if self.is_writable() {
            "GET, HEAD, PUT"
        } else {
            "GET, HEAD"
        }
    }
}

impl NotKept {
    /// What answers call it.
    pub(super) const fn noun(self) -> &'static str {
        match self {
            Self::RemoteDestinations => "remote destinations",
            Self::Conferencing => "conferences of users",
        }
    }
}

impl Own {
    fn parse(segments: &[&str]) -> Option<Self> {
        let pkid = |text: &str| text.parse::<Pkid>().ok();
        Some(match segments {
            [] => Self::User,
            ["devices"] => Self::Devices,
            ["device", device] => Self::Device(pkid(device)?),
            ["device", device, "extensions"] => Self::DeviceExtensions(pkid(device)?),
            ["device", device, "extension", line] => {
                Self::DeviceExtension(pkid(device)?, pkid(line)?)
            }
            ["extensions"] => Self::Extensions,
            ["extension", line] => Self::Extension(pkid(line)?),
            ["credentials"] => Self::Credentials,
            ["speedDials"] => Self::SpeedDials,
            ["device", device, "speedDials"] => Self::DeviceSpeedDials(pkid(device)?),
            ["subscribedServices"] => Self::SubscribedServices,
            ["device", device, "subscribedServices"] => {
                Self::DeviceSubscribedServices(pkid(device)?)
            }
            ["remoteDestinations"] => Self::NotKept(NotKept::RemoteDestinations),
            ["conferencing"] => Self::NotKept(NotKept::Conferencing),
            _ => return None,
        })
    }

    fn path(self) -> String {
        match self {
            Self::User => String::new(),
            Self::Devices => "/devices".to_owned(),
            Self::Device(device) => format!("/device/{device}"),
            Self::DeviceExtensions(device) => format!("/device/{device}/extensions"),
            Self::DeviceExtension(device, line) => format!("/device/{device}/extension/{line}"),
            Self::Extensions => "/extensions".to_owned(),
            Self::Extension(line) => format!("/extension/{line}"),
            Self::Credentials => "/credentials".to_owned(),
            Self::SpeedDials => "/speedDials".to_owned(),
            Self::DeviceSpeedDials(device) => format!("/device/{device}/speedDials"),
            Self::SubscribedServices => "/subscribedServices".to_owned(),
            Self::DeviceSubscribedServices(device) => {
                format!("/device/{device}/subscribedServices")
            }
            Self::NotKept(NotKept::RemoteDestinations) => "/remoteDestinations".to_owned(),
            Self::NotKept(NotKept::Conferencing) => "/conferencing".to_owned(),
        }
    }
}

/// The user ID of a segment; only what can be one.
fn user_id_of(segment: &str) -> Option<String> {
    let decoded = percent_decode_str(segment).decode_utf8().ok()?;
    let user_id: UserId = decoded.parse().ok()?;
    Some(user_id.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEVICE: &str = "2a610c78-6754-4c56-bd4d-5a8d972c7a43";
    const LINE: &str = "0d896090-483e-4472-865b-aa2163fc6efa";

    #[test]
    fn every_resource_leads_back_to_its_path() {
        for path in [
            "/cucm-uds/version".to_owned(),
            "/cucm-uds/servers".to_owned(),
            "/cucm-uds/options/models".to_owned(),
            "/cucm-uds/clusterUser".to_owned(),
            "/cucm-uds/users".to_owned(),
            "/cucm-uds/user/aksethi".to_owned(),
            "/cucm-uds/user/a%20b%25@c.d/devices".to_owned(),
            format!("/cucm-uds/user/x/device/{DEVICE}"),
            format!("/cucm-uds/user/x/device/{DEVICE}/extensions"),
            format!("/cucm-uds/user/x/device/{DEVICE}/extension/{LINE}"),
            "/cucm-uds/user/x/extensions".to_owned(),
            format!("/cucm-uds/user/x/extension/{LINE}"),
            "/cucm-uds/user/x/credentials".to_owned(),
            "/cucm-uds/user/x/speedDials".to_owned(),
            format!("/cucm-uds/user/x/device/{DEVICE}/speedDials"),
            "/cucm-uds/user/x/subscribedServices".to_owned(),
            format!("/cucm-uds/user/x/device/{DEVICE}/subscribedServices"),
            "/cucm-uds/user/x/remoteDestinations".to_owned(),
            "/cucm-uds/user/x/conferencing".to_owned(),
        ] {
            let resource = Resource::parse(&path).unwrap();
            assert_eq!(resource.path(), path);
            assert_eq!(Resource::parse(&format!("{path}/")), Some(resource));
        }
    }

    #[test]
    fn what_names_nothing_is_nothing() {
        let long = format!("/cucm-uds/user/{}", "x".repeat(129));
        let endless = format!("/cucm-uds/user/{}", "%61".repeat(1_000));
        for path in [
            "/cucm-uds",
            "/cucm-uds/",
            "/cucm-uds/Version",
            "/cucm-uds/version//",
            "/cucm-uds/options",
            "/cucm-uds/private/x",
            "/cucm-uds/user",
            "/cucm-uds/user/",
            "/cucm-uds/user//devices",
            "/cucm-uds/user/a%2Fb",
            "/cucm-uds/user/a%00b",
            "/cucm-uds/user/a%0Ab",
            "/cucm-uds/user/%ff",
            "/cucm-uds/user/x/../y",
            "/cucm-uds/user/x/device/1",
            "/cucm-uds/user/x/speedDial",
            &long,
            &endless,
        ] {
            assert_eq!(Resource::parse(path), None, "{path}");
        }
    }
}
