//! The version that a client asks for. Pure.
//!
//! The header decides; where it says nothing usable, the namespace of the operation does, unless
//! the body is in the old dialect. Source: AXL Developer Guide, "AXL Versioning Support".

use crate::domain::schema::SchemaVersion;

use super::envelope::Call;

/// The namespace of the operations, before the version.
const NAMESPACE: &str = "http://www.cisco.com/AXL/API/";

/// What a version is asked for with in the header.
const HEADER_FORM: &str = "CUCM:DB ver=";

/// Versions before the oldest that we have, which CUCM answers in its oldest schema.
const OLDER: [&str; 6] = ["1.0", "6.0", "6.1", "7.0", "5.1", "5.0"];

/// No schema of the version asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionRefused(pub String);

/// The version of a call.
///
/// # Errors
///
/// [`VersionRefused`] when header or namespace ask for one that there is not.
pub fn version(header: Option<&str>, call: &Call) -> Result<SchemaVersion, VersionRefused> {
    if let Some(asked) = header.and_then(asked_for) {
        return known(asked);
    }
    if call.is_old_dialect() {
        return Ok(SchemaVersion::OLDEST);
    }
    match call.namespace().strip_prefix(NAMESPACE) {
        Some(asked) => known(asked.trim_end_matches('/')),
        None => Ok(SchemaVersion::OLDEST),
    }
}

/// The namespace of operations and answers of a version.
pub fn namespace(version: SchemaVersion) -> String {
    format!("{NAMESPACE}{version}")
}

fn known(asked: &str) -> Result<SchemaVersion, VersionRefused> {
    if OLDER.contains(&asked) {
        return Ok(SchemaVersion::OLDEST);
    }
    asked
        .parse()
        .map_err(|_| VersionRefused(asked.chars().take(20).collect()))
}

/// The number in a header of the form `CUCM:DB ver=14.0 addPhone`, quoted or not.
fn asked_for(header: &str) -> Option<&str> {
    let header = header.trim_matches(|c: char| c == '"' || c == '\'' || c.is_whitespace());
    let said = header.strip_prefix(HEADER_FORM)?.trim_start();
    let end = said
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(said.len());
    let number = said.get(..end)?;
    let (major, minor) = number.split_once('.')?;
    (!major.is_empty() && !minor.is_empty()).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::axl::envelope;

    fn call(namespace: &str, inner: &str) -> Call {
        let text = format!(
            r#"<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><n:addPhone xmlns:n="{namespace}">{inner}</n:addPhone></s:Body></s:Envelope>"#
        );
        envelope::read(text.as_bytes()).unwrap()
    }

    #[test]
    fn every_form_of_the_header_that_clients_send_is_understood() {
        let call = call("http://www.cisco.com/AXL/API/11.5", "<phone/>");
        for header in [
            "\"CUCM:DB ver=14.0 addPhone\"",
            "CUCM:DB ver=14.0 addPhone",
            "CUCM:DB ver=14.0",
            "CUCM:DB ver=14.0 \"getCCMVersion\"",
            "  'CUCM:DB ver=14.0 x'",
        ] {
            assert_eq!(version(Some(header), &call), Ok(SchemaVersion::V14_0));
        }
        let refused = VersionRefused("13.0".to_owned());
        assert_eq!(version(Some("CUCM:DB ver=13.0"), &call), Err(refused));
    }

    #[test]
    fn without_a_usable_header_the_namespace_decides_and_the_old_dialect_before_it() {
        let new = call("http://www.cisco.com/AXL/API/8.5", "<phone/>");
        let old = call("http://www.cisco.com/AXL/API/8.5", "<newPhone/>");
        let bare = call("", "<phone/>");
        let one = call("http://www.cisco.com/AXL/API/1.0", "<phone/>");
        for header in [
            None,
            Some("\"\""),
            Some("addPhone"),
            Some("http://www.cisco.com/AXL/API/8.5#addPhone"),
            Some("CUCM:DB ver="),
            Some("CUCM:DB ver=8"),
        ] {
            assert_eq!(version(header, &new), Ok(SchemaVersion::V8_5), "{header:?}");
            assert_eq!(version(header, &old), Ok(SchemaVersion::V7_1), "{header:?}");
            assert_eq!(
                version(header, &bare),
                Ok(SchemaVersion::V7_1),
                "{header:?}"
            );
            assert_eq!(version(header, &one), Ok(SchemaVersion::V7_1), "{header:?}");
        }
        let thirteen = call("http://www.cisco.com/AXL/API/13.0", "<phone/>");
        assert!(version(None, &thirteen).is_err());
    }
}
