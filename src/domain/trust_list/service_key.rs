//! The keys beside the trust keys: that of TVS and that which signs configuration files.
//!
//! Phones learn them from the list. A lost one can be replaced as long as a trust key can sign a
//! list that names the new one, which is why there is one of each and no rotation.

use super::Role;
use super::certificate::Certificate;
use crate::domain::time::UnixMillis;

/// What a key is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TrustService {
    /// Answers phones whether a certificate is ours.
    TrustVerification,
    /// Signs configuration files.
    ConfigurationFiles,
}

impl TrustService {
    /// Both.
    pub const ALL: [Self; 2] = [Self::TrustVerification, Self::ConfigurationFiles];

    /// The word in listings: the role that lists give its certificate.
    pub const fn as_str(self) -> &'static str {
        self.role().as_str()
    }

    /// The role of its certificate in a list.
    pub const fn role(self) -> Role {
        match self {
            Self::TrustVerification => Role::TrustVerification,
            Self::ConfigurationFiles => Role::FileServer,
        }
    }

    /// How the common name of its certificate begins, by which an export is told apart.
    pub const fn common_name(self) -> &'static str {
        match self {
            Self::TrustVerification => "selfprov TVS",
            Self::ConfigurationFiles => "selfprov configuration files",
        }
    }

    /// Whose certificate this is, by its subject; `None`: neither's, so a trust key's.
    pub fn of_certificate(certificate: &Certificate) -> Option<Self> {
        Self::ALL.into_iter().find(|service| {
            let name = certificate.subject().strip_prefix("CN=");
            let rest = name.and_then(|name| name.strip_prefix(service.common_name()));
            rest.is_some_and(|rest| rest.starts_with(' '))
        })
    }
}

/// A key, without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceKey {
    /// What it is for.
    pub service: TrustService,
    /// Its certificate.
    pub certificate: Certificate,
    /// When it was made or imported.
    pub created_at: UnixMillis,
    /// When it was first exported; an imported one is so from the beginning.
    pub exported_at: Option<UnixMillis>,
    /// When a list first named it: since then phones may know it.
    pub listed_at: Option<UnixMillis>,
}

/// The key of a service that lists may name: it has been exported.
pub fn listable(keys: &[ServiceKey], service: TrustService) -> Option<&ServiceKey> {
    keys.iter()
        .find(|key| key.service == service && key.exported_at.is_some())
}

/// What becomes of a key that stands in an imported file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Import {
    /// There is none of its kind: it is added.
    Add,
    /// It is here already.
    Known,
    /// It takes the place of one that no phone knows.
    Replace,
    /// Phones know another one, which stays.
    Keep,
}

/// Judges a key in an imported file beside the one that is here.
pub fn judge_import(known: Option<&ServiceKey>, imported: &Certificate) -> Import {
    match known {
        None => Import::Add,
        Some(known) if known.certificate == *imported => Import::Known,
        Some(known) if known.listed_at.is_none() => Import::Replace,
        Some(_) => Import::Keep,
    }
}

#[cfg(test)]
mod tests {
    use super::super::certificate::tests::certificate;
    use super::super::certificate::tests::rsa;
    use super::*;

    fn named(common_name: &str) -> Certificate {
        certificate(&format!("CN={common_name},OU=u,O=o"), rsa(2_048))
    }

    #[test]
    fn a_certificate_tells_whose_it_is() {
        let whose = |name| TrustService::of_certificate(&named(name));
        assert_eq!(
            whose("selfprov TVS 01ab"),
            Some(TrustService::TrustVerification)
        );
        assert_eq!(
            whose("selfprov configuration files 01ab"),
            Some(TrustService::ConfigurationFiles)
        );
        for other in [
            "selfprov trust key 01ab",
            "selfprov TVSX",
            "x selfprov TVS 1",
        ] {
            assert_eq!(whose(other), None, "{other}");
        }
    }

    #[test]
    fn a_key_that_phones_may_know_is_never_replaced_by_an_import() {
        let mut key = ServiceKey {
            service: TrustService::TrustVerification,
            certificate: named("selfprov TVS 1"),
            created_at: UnixMillis(1),
            exported_at: None,
            listed_at: None,
        };
        let other = named("selfprov TVS 2");
        assert_eq!(judge_import(None, &other), Import::Add);
        assert_eq!(judge_import(Some(&key), &key.certificate), Import::Known);
        assert_eq!(judge_import(Some(&key), &other), Import::Replace);
        let service = TrustService::TrustVerification;
        assert_eq!(listable(std::slice::from_ref(&key), service), None);
        key.exported_at = Some(UnixMillis(2));
        key.listed_at = Some(UnixMillis(3));
        assert_eq!(judge_import(Some(&key), &other), Import::Keep);
        assert_eq!(listable(std::slice::from_ref(&key), service), Some(&key));
    }
}
