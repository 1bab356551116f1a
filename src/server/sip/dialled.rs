//! Which number an INVITE asks for.

use crate::service::settings::CallSettings;

use super::message::{Scheme, Uri};

/// The number dialled; `None` when the URI names nobody. An emergency service (RFC 5031) is the
/// first of the emergency numbers: where they go the number is known and the service may not be.
pub(super) fn dialled(calls: &CallSettings, uri: &Uri<'_>) -> Option<String> {
    if uri.scheme == Scheme::EmergencyService {
        let number = calls.emergency_numbers.first()?;
        return Some(number.to_string());
    }
    let number = uri.telephone_number();
    // Who dials 1-1-2 calls for help, whatever else such a user part could name.
    let number = number.filter(|number| number.is_said || calls.is_emergency(&number.digits));
    number
        .map(|number| number.digits)
        .or_else(|| uri.user_of_record().ok())
}
