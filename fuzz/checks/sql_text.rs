//! Statements of AXL: each is read down to the last name or refused in a sentence that can be read,
//! and what is read stays the same with a semicolon behind it.

use selfprov::service::sql;

/// Longest refusal in bytes: a sentence of ours with a hundred characters of the statement.
const REFUSAL_BYTES_MAX: usize = 1_000;

/// Panics when the property does not hold.
pub(crate) fn check(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    match sql::check(text) {
        // A comment would hide the semicolon, and one in a CDATA section stands behind it.
        Ok(()) if !text.contains("--") && !text.trim().ends_with("]]>") => {
            let again = sql::check(&format!("{text};"));
            assert!(again.is_ok() || text.len() > 60_000 || text.trim().ends_with(';'));
        }
        Ok(()) => {}
        Err(error) => {
            assert!(error.number() < 0);
            assert!(error.to_string().len() <= REFUSAL_BYTES_MAX, "{error}");
        }
    }
}
