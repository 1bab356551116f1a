//! Which number an INVITE asks for.

use crate::service::settings::CallSettings;

use super::message::{Scheme, Uri};

/// What may stand between the digits of a `tel` URI and means nothing. Source: RFC 3966 clause 5.1.1.
const VISUAL_SEPARATORS: [char; 4] = ['-', '.', '(', ')'];

/// The number dialled; `None` when the URI names nobody. An emergency service (RFC 5031) is the
/// first of the emergency numbers: where they go the number is known and the service may not be.
pub(super) fn dialled(calls: &CallSettings, uri: &Uri<'_>) -> Option<String> {
    match uri.scheme {
        Scheme::Sip | Scheme::Sips => uri.user_of_record().ok(),
        Scheme::Tel => {
            let number = std::str::from_utf8(uri.user?).ok()?;
            Some(number.replace(VISUAL_SEPARATORS, ""))
        }
        Scheme::EmergencyService => {
            let number = calls.emergency_numbers.first()?;
            Some(number.to_string())
        }
        Scheme::Other => None,
    }
}
