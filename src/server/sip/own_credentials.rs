//! The digest credentials for our realm in a request, as the use cases judge them.

use std::borrow::Cow;

use crate::service::devices::phone_book::SIP_REALM;
use crate::service::registrar::register::Credentials;

use super::message::{DigestCredentials, DigestQop};

/// Credentials whose realm is ours.
pub(super) struct OwnCredentials<'a> {
    credentials: DigestCredentials<'a>,
    /// Bytes that are not UTF-8 are replaced.
    user_name: Cow<'a, str>,
}

impl<'a> OwnCredentials<'a> {
    /// `None` for those of another realm.
    pub(super) fn new(credentials: DigestCredentials<'a>) -> Option<Self> {
        let is_ours = *credentials.realm == *SIP_REALM.as_bytes();
        is_ours.then(|| Self {
            user_name: lossy(credentials.user_name.clone()),
            credentials,
        })
    }

    /// What a request with this method proves by them.
    pub(super) fn of_request<'b>(&'b self, method: &'b [u8]) -> Credentials<'b> {
        let credentials = &self.credentials;
        Credentials {
            user_name: &self.user_name,
            algorithm: credentials.algorithm,
            count: match credentials.qop {
                DigestQop::None => None,
                DigestQop::Auth { count, .. } => Some(count),
            },
            request: credentials.request(method),
            response: credentials.response,
        }
    }
}

/// The value as text; bytes that are not UTF-8 are replaced.
pub(super) fn lossy(value: Cow<'_, [u8]>) -> Cow<'_, str> {
    match value {
        Cow::Borrowed(value) => String::from_utf8_lossy(value),
        Cow::Owned(value) => Cow::Owned(String::from_utf8_lossy(&value).into_owned()),
    }
}
