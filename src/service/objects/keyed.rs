//! Objects that go by several elements and are there without a row: the defaults of credentials and of
//! devices.

use super::credential_policy_default;
use super::device_defaults;
use crate::domain::catalogue::Catalogue;
use crate::domain::pkid::Pkid;
use crate::domain::schema::ObjectKind;

/// What an object goes by: elements with their values.
pub(super) type Key = Vec<(&'static str, String)>;

/// Identity and key of every object of such a kind.
fn all(catalogue: &Catalogue, kind: ObjectKind) -> Vec<(Pkid, Key)> {
    match kind {
        ObjectKind::CredentialPolicyDefault => credential_policy_default::keys(catalogue),
        ObjectKind::DeviceDefaults => device_defaults::keys(),
        _ => Vec::new(),
    }
}

/// The object whose key these values are. Case and blanks around them do not count.
pub(super) fn find(
    catalogue: &Catalogue,
    kind: ObjectKind,
    values: &[(&'static str, String)],
) -> Option<Pkid> {
    let is_said = |(element, value): &(&str, String)| {
        let mut said = values.iter().filter(|(name, _)| name == element);
        said.any(|(_, said)| said.trim().to_lowercase() == value.to_lowercase())
    };
    let mut all = all(catalogue, kind).into_iter();
    let (pkid, _) = all.find(|(_, key)| key.iter().all(is_said))?;
    Some(pkid)
}

/// What an object goes by, as one name.
pub(super) fn name_of(catalogue: &Catalogue, kind: ObjectKind, pkid: Pkid) -> Option<String> {
    let mut all = all(catalogue, kind).into_iter();
    let (_, key) = all.find(|(known, _)| *known == pkid)?;
    let values: Vec<String> = key.into_iter().map(|(_, value)| value).collect();
    Some(values.join(" "))
}
