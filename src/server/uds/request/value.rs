//! Values of parameters: decoded, limited, each there once.

use std::borrow::Cow;

use percent_encoding::percent_decode;

use super::BadRequest;
use crate::domain::secret::Secret;

/// Longest PIN or authentication code, in characters: that of `domain::credential`.
const PIN_MAX: usize = 128;

/// Reads a value into its place; a second one is refused.
pub(super) fn text(
    slot: &mut Option<String>,
    name: &'static str,
    value: &[u8],
    length_max: usize,
) -> Result<(), BadRequest> {
    let value = decode(value, name, length_max)?;
    match slot.replace(value) {
        Some(_) => Err(BadRequest::Duplicate(name)),
        None => Ok(()),
    }
}

/// Reads a secret into its place; a second one is refused.
pub(super) fn secret(
    slot: &mut Option<Secret>,
    name: &'static str,
    value: &[u8],
) -> Result<(), BadRequest> {
    let value = Secret::new(decode(value, name, PIN_MAX)?);
    match slot.replace(value) {
        Some(_) => Err(BadRequest::Duplicate(name)),
        None => Ok(()),
    }
}

/// Decodes `+` and `%XX`; a `%` without two digits stands for itself.
pub(super) fn decode(
    value: &[u8],
    name: &'static str,
    length_max: usize,
) -> Result<String, BadRequest> {
    // Twelve bytes at most for one character: four times %XX.
    if value.len() > length_max.saturating_mul(12) {
        return Err(BadRequest::TooLong(name));
    }
    let bytes: Vec<u8> = percent_decode(&plus_as_space(value)).collect();
    let text = String::from_utf8(bytes).map_err(|_| BadRequest::NotUtf8(name))?;
    if text.chars().any(char::is_control) {
        return Err(BadRequest::ControlCharacter(name));
    }
    if text.chars().count() > length_max {
        return Err(BadRequest::TooLong(name));
    }
    Ok(text)
}

/// A `+` stands for a blank.
pub(super) fn plus_as_space(value: &[u8]) -> Cow<'_, [u8]> {
    if value.contains(&b'+') {
        value
            .iter()
            .map(|b| if *b == b'+' { b' ' } else { *b })
            .collect::<Vec<_>>()
            .into()
    } else {
        value.into()
    }
}
