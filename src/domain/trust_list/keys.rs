//! The life of the keys that sign trust lists: made, exported, in the list, signing, retired.
//!
//! A key that is lost cannot be replaced: phones would refuse every list from then on, until
//! somebody erases theirs by hand. So no list names a key before it has been exported once.

use super::SECURITY_TOKENS_MAX;
use super::certificate::Certificate;
use crate::domain::time::UnixMillis;

/// A key that signs trust lists, without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustKey {
    /// 1, 2, 3 … in the order in which they came.
    pub number: u32,
    /// Its certificate.
    pub certificate: Certificate,
    /// When it was made or imported.
    pub created_at: UnixMillis,
    /// When it was first exported; an imported one is so from the beginning.
    pub exported_at: Option<UnixMillis>,
    /// When it was retired: in no list any more, its secret wiped.
    pub retired_at: Option<UnixMillis>,
}

impl TrustKey {
    /// Whether lists name it.
    pub const fn is_listed(&self) -> bool {
        self.exported_at.is_some() && self.retired_at.is_none()
    }
}

/// Why a key cannot be made, imported, rotated or retired.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyRefused {
    /// There is one already.
    #[error(
        "there is a trust key already; to replace it while phones go on trusting you: \
         selfprov cert rotate"
    )]
    Exists,
    /// There is none yet.
    #[error("there is no trust key yet; make one: selfprov cert create-trust-key")]
    None,
    /// The one key has not been exported.
    #[error(
        "trust key {0} has not been exported yet, so no phone knows it; export it: \
         selfprov cert export --out FILE"
    )]
    NotExported(u32),
    /// There are two already.
    #[error(
        "there are two trust keys already, which is what phones take; retire one first: \
         selfprov cert retire NUMBER"
    )]
    TwoAlready,
    /// No such key, or retired.
    #[error("there is no trust key {0} in use; selfprov cert list names them")]
    Unknown(u32),
    /// Nothing would sign lists any more.
    #[error(
        "trust key {0} is the only one that phones know; without it they would refuse every list. \
         Rotate first: selfprov cert rotate"
    )]
    OnlyOne(u32),
    /// Phones still know nothing of the other key.
    #[error(
        "{0} phones have not fetched the list that names the other trust key and would refuse \
         every list after this. Restart them (selfprov device restart NAME), look again with \
         selfprov cert show, or retire it nevertheless with --force and erase the trust list on \
         each of them by hand"
    )]
    PhonesBehind(usize),
    /// The keys beside the trust keys are all there.
    #[error(
        "the keys of TVS and of configuration files are here already; selfprov cert list shows them"
    )]
    NoneMissing,
    /// The same key again.
    #[error("this is trust key {0}, which is here already")]
    Known(u32),
}

/// The keys that are not retired, in the order of their numbers.
fn in_use(keys: &[TrustKey]) -> impl Iterator<Item = &TrustKey> {
    keys.iter().filter(|key| key.retired_at.is_none())
}

/// The keys that lists name, the signer first: the oldest, which the most phones know.
pub fn listed(keys: &[TrustKey]) -> Vec<&TrustKey> {
    let mut listed: Vec<&TrustKey> = keys.iter().filter(|key| key.is_listed()).collect();
    listed.sort_by_key(|key| key.number);
    listed
}

/// The number of the next key.
pub fn next_number(keys: &[TrustKey]) -> u32 {
    let last = keys.iter().map(|key| key.number).max();
    last.unwrap_or(0).saturating_add(1)
}

/// Whether a first key may be made.
///
/// # Errors
///
/// [`KeyRefused::Exists`].
pub fn may_create(keys: &[TrustKey]) -> Result<(), KeyRefused> {
    if in_use(keys).next().is_some() {
        return Err(KeyRefused::Exists);
    }
    Ok(())
}

/// Whether a second key may be made beside the first.
///
/// # Errors
///
/// There is none, there are two, or the first is known to no phone.
pub fn may_rotate(keys: &[TrustKey]) -> Result<(), KeyRefused> {
    let mut all = in_use(keys);
    let Some(first) = all.next() else {
        return Err(KeyRefused::None);
    };
    if all.next().is_some() {
        return Err(KeyRefused::TwoAlready);
    }
    match first.exported_at {
        Some(_) => Ok(()),
        None => Err(KeyRefused::NotExported(first.number)),
    }
}

/// Whether a key with this certificate may be imported.
///
/// # Errors
///
/// It is here already, or there are two.
pub fn may_import(keys: &[TrustKey], certificate: &Certificate) -> Result<(), KeyRefused> {
    let same = in_use(keys).find(|key| key.certificate == *certificate);
    if let Some(known) = same {
        return Err(KeyRefused::Known(known.number));
    }
    if in_use(keys).count() >= SECURITY_TOKENS_MAX {
        return Err(KeyRefused::TwoAlready);
    }
    Ok(())
}

/// When a key may go that phones know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetireWhen {
    /// Every phone knows the other key.
    PhonesKnowTheOther,
    /// Now: the lists of phones that do not are erased by hand.
    Now,
}

/// Whether a key may be retired, `phones_behind` being how many phones do not know the other one.
/// The only key never may.
///
/// # Errors
///
/// Phones would be lost.
pub fn may_retire(
    keys: &[TrustKey],
    number: u32,
    phones_behind: usize,
    when: RetireWhen,
) -> Result<(), KeyRefused> {
    let Some(key) = in_use(keys).find(|key| key.number == number) else {
        return Err(KeyRefused::Unknown(number));
    };
    // No phone knows it: it may go at any time.
    if key.exported_at.is_none() {
        return Ok(());
    }
    match in_use(keys).find(|other| other.number != number) {
        None => Err(KeyRefused::OnlyOne(number)),
        Some(other) if other.exported_at.is_none() => Err(KeyRefused::NotExported(other.number)),
        Some(_) if phones_behind > 0 && when == RetireWhen::PhonesKnowTheOther => {
            Err(KeyRefused::PhonesBehind(phones_behind))
        }
        Some(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::certificate::tests::certificate;
    use super::super::certificate::tests::rsa;
    use super::*;

    fn key(number: u32, exported: bool, retired: bool) -> TrustKey {
        let at = UnixMillis(1);
        TrustKey {
            number,
            certificate: certificate(&format!("CN={number},OU=u,O=o"), rsa(2_048)),
            created_at: at,
            exported_at: exported.then_some(at),
            retired_at: retired.then_some(at),
        }
    }

    #[test]
    fn only_exported_keys_are_listed_and_the_oldest_signs() {
        let keys = [
            key(3, true, false),
            key(2, true, false),
            key(1, true, true),
            key(4, false, false),
        ];
        let numbers: Vec<u32> = listed(&keys).iter().map(|key| key.number).collect();
        assert_eq!(numbers, [2, 3]);
        assert_eq!(next_number(&keys), 5);
        assert_eq!(next_number(&[]), 1);
    }

    #[test]
    fn a_key_is_made_once_and_then_rotated_from_an_exported_one_to_a_second() {
        assert_eq!(may_create(&[]), Ok(()));
        assert_eq!(may_create(&[key(1, true, true)]), Ok(()));
        assert_eq!(may_create(&[key(1, false, false)]), Err(KeyRefused::Exists));
        assert_eq!(may_rotate(&[]), Err(KeyRefused::None));
        assert_eq!(
            may_rotate(&[key(1, false, false)]),
            Err(KeyRefused::NotExported(1))
        );
        assert_eq!(may_rotate(&[key(1, true, false)]), Ok(()));
        let two = [key(1, true, false), key(2, false, false)];
        assert_eq!(may_rotate(&two), Err(KeyRefused::TwoAlready));
    }

    #[test]
    fn a_key_is_retired_only_when_phones_know_another() {
        let one = [key(1, true, false)];
        assert_eq!(
            may_retire(&one, 1, 0, RetireWhen::Now),
            Err(KeyRefused::OnlyOne(1))
        );
        assert_eq!(
            may_retire(&one, 7, 0, RetireWhen::Now),
            Err(KeyRefused::Unknown(7))
        );
        let young = [key(1, true, false), key(2, false, false)];
        assert_eq!(
            may_retire(&young, 1, 0, RetireWhen::Now),
            Err(KeyRefused::NotExported(2))
        );
        assert_eq!(
            may_retire(&young, 2, 9, RetireWhen::PhonesKnowTheOther),
            Ok(()),
            "nobody knows it"
        );
        let two = [key(1, true, false), key(2, true, false)];
        assert_eq!(
            may_retire(&two, 1, 3, RetireWhen::PhonesKnowTheOther),
            Err(KeyRefused::PhonesBehind(3))
        );
        assert_eq!(may_retire(&two, 1, 3, RetireWhen::Now), Ok(()));
        assert_eq!(
            may_retire(&two, 1, 0, RetireWhen::PhonesKnowTheOther),
            Ok(())
        );
    }

    #[test]
    fn a_key_is_imported_beside_one_other_and_never_twice() {
        let new = certificate("CN=9,OU=u,O=o", rsa(2_048));
        assert_eq!(may_import(&[], &new), Ok(()));
        let one = [key(1, true, false)];
        assert_eq!(may_import(&one, &new), Ok(()));
        assert_eq!(
            may_import(&one, &one[0].certificate),
            Err(KeyRefused::Known(1))
        );
        let two = [key(1, true, false), key(2, true, false)];
        assert_eq!(may_import(&two, &new), Err(KeyRefused::TwoAlready));
    }
}
