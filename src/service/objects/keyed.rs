//! Objects that go by several elements and are there without a row: the defaults of credentials and of
//! devices.

use crate::domain::pkid::Pkid;

/// What an object goes by: elements with their values.
pub(super) type Key = Vec<(&'static str, String)>;

/// The object whose key these values are. Case and blanks around them do not count.
pub(super) fn find(keys: Vec<(Pkid, Key)>, values: &[(&'static str, String)]) -> Option<Pkid> {
    let is_said = |(element, value): &(&str, String)| {
        let mut said = values.iter().filter(|(name, _)| name == element);
        said.any(|(_, said)| said.trim().to_lowercase() == value.to_lowercase())
    };
    let mut keys = keys.into_iter();
    let (pkid, _) = keys.find(|(_, key)| key.iter().all(is_said))?;
    Some(pkid)
}

/// What an object goes by, as one name.
pub(super) fn name_of(keys: Vec<(Pkid, Key)>, pkid: Pkid) -> Option<String> {
    let mut keys = keys.into_iter();
    let (_, key) = keys.find(|(known, _)| *known == pkid)?;
    let values: Vec<String> = key.into_iter().map(|(_, value)| value).collect();
    Some(values.join(" "))
}
