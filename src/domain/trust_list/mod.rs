//! The trust list as a value: whom a phone is to trust, and who vouches for it.
//!
//! A phone accepts the first list it sees and then only lists that are signed by a security token
//! (SAST) of the list it has. No record carries the TFTP role, so phones go on reading unsigned
//! configuration files.
//!
//! Source: the phones' rules as published for CUCM's ITL (trust on first use, at most two SAST).

pub mod certificate;
pub mod keys;

use certificate::Certificate;
use certificate::PublicKey;

use super::phone_model::ModelFamily;
use super::phone_model::PhoneModel;
use super::time::UnixMillis;

/// Security tokens a phone takes in one list.
pub const SECURITY_TOKENS_MAX: usize = 2;

/// Server certificates in one list. A phone keeps it in little memory: three nodes and as many
/// again that are about to replace them are more than any file names.
pub const SERVERS_MAX: usize = 16;

/// What a record's certificate is trusted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// System Administrator Security Token: signs trust lists.
    SecurityToken,
    /// SIP over TLS.
    CallManager,
    /// HTTPS services: the login, directories, authentication.
    ApplicationServer,
    /// Trust Verification Service.
    TrustVerification,
}

impl Role {
    /// The word in listings: CUCM's.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SecurityToken => "SAST",
            Self::CallManager => "CCM",
            Self::ApplicationServer => "APP-SERVER",
            Self::TrustVerification => "TVS",
        }
    }
}

/// One certificate and what it is trusted for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// What for.
    pub role: Role,
    /// The certificate.
    pub certificate: Certificate,
}

/// Digest under a list's signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SignatureDigest {
    /// SHA-1, for phones that know no better.
    Sha1,
    /// SHA-256: never in our lists, but in those of others that are looked at.
    Sha256,
    /// SHA-512.
    Sha512,
}

impl SignatureDigest {
    /// The word in listings.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sha1 => "SHA-1",
            Self::Sha256 => "SHA-256",
            Self::Sha512 => "SHA-512",
        }
    }
}

/// Which phones get a list whose signature uses SHA-1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sha1For {
    /// None.
    #[default]
    NoPhone,
    /// The 7900 series, known by the model of the device.
    Series7900,
    /// Every phone.
    EveryPhone,
}

/// The two names under which a phone asks for a list; its content is the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ListName {
    /// `CTLSEP<MAC>.tlv`, `CTLFile.tlv`.
    Ctl,
    /// `ITLSEP<MAC>.tlv`, `ITLFile.tlv`.
    Itl,
}

/// The digest of the list for a phone; `None`: its model is not known.
pub fn digest_for(setting: Sha1For, model: Option<&PhoneModel>) -> SignatureDigest {
    let is_7900 = model.is_some_and(|model| {
        matches!(
            model.family,
            ModelFamily::Cisco7900 | ModelFamily::Cisco7940
        )
    });
    match setting {
        Sha1For::EveryPhone => SignatureDigest::Sha1,
        Sha1For::Series7900 if is_7900 => SignatureDigest::Sha1,
        Sha1For::Series7900 | Sha1For::NoPhone => SignatureDigest::Sha512,
    }
}

/// A list, complete but for its signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustList {
    records: Vec<Record>,
    made_at: UnixMillis,
}

/// Why there is no such list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ListRefused {
    /// Lists are signed with RSA alone.
    #[error("the key {0} is not RSA of 2048 bits; trust lists are signed with such a key")]
    NotRsa2048(String),
    /// Two keys at most.
    #[error("phones take at most two trust keys in a list; retire one first")]
    TooManyTokens,
    /// A list without a server is of no use.
    #[error("no node has a certificate that phones can take; see: selfprov cert list")]
    NoServer,
    /// More than phones take.
    #[error("the list would name more than {SERVERS_MAX} server certificates")]
    TooManyServers,
}

impl TrustList {
    /// A list signed by `signer`, which names the other security token as well, where there is
    /// one, and the certificates of the servers, each for HTTPS services and for SIP over TLS.
    ///
    /// `made_at` is when its content last changed: every node writes the same time.
    ///
    /// # Errors
    /// [`ListRefused`] when phones would not take it.
    pub fn new(
        signer: Certificate,
        others: Vec<Certificate>,
        servers: Vec<Certificate>,
        made_at: UnixMillis,
    ) -> Result<Self, ListRefused> {
        if others.len() >= SECURITY_TOKENS_MAX {
            return Err(ListRefused::TooManyTokens);
        }
        if servers.is_empty() {
            return Err(ListRefused::NoServer);
        }
        if servers.len() > SERVERS_MAX {
            return Err(ListRefused::TooManyServers);
        }
        let mut records = Vec::new();
        for certificate in std::iter::once(signer).chain(others) {
            if !matches!(certificate.public_key(), PublicKey::Rsa { bits: 2_048, .. }) {
                return Err(ListRefused::NotRsa2048(certificate.subject().to_owned()));
            }
            records.push(Record {
                role: Role::SecurityToken,
                certificate,
            });
        }
        for certificate in servers {
            for role in [Role::ApplicationServer, Role::CallManager] {
                let certificate = certificate.clone();
                records.push(Record { role, certificate });
            }
        }
        Ok(Self { records, made_at })
    }

    /// Who signs it: the certificate of the first record.
    pub fn signer(&self) -> Option<&Certificate> {
        self.records.first().map(|record| &record.certificate)
    }

    /// Its records, security tokens first, the signer's before the other's.
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// When its content last changed.
    pub const fn made_at(&self) -> UnixMillis {
        self.made_at
    }

    /// The list as phones that verify with `digest` can read it: those that know SHA-1 alone know
    /// no elliptic curves either.
    #[must_use]
    pub fn for_digest(&self, digest: SignatureDigest) -> Self {
        let is_readable = |record: &&Record| {
            digest != SignatureDigest::Sha1
                || matches!(record.certificate.public_key(), PublicKey::Rsa { .. })
        };
        Self {
            records: self.records.iter().filter(is_readable).cloned().collect(),
            made_at: self.made_at,
        }
    }

    /// Whether a phone that has this list accepts the server with this certificate.
    pub fn names_server(&self, der: &[u8]) -> bool {
        self.records
            .iter()
            .any(|record| record.role == Role::ApplicationServer && record.certificate.der() == der)
    }
}

#[cfg(test)]
mod tests {
    use super::certificate::tests::certificate;
    use super::certificate::tests::ec;
    use super::certificate::tests::rsa;
    use super::*;
    use crate::domain::phone_model::by_number;

    fn made() -> UnixMillis {
        UnixMillis(1_000)
    }

    #[test]
    fn a_list_has_its_signer_first_and_each_server_in_both_roles_and_never_tftp() {
        let list = TrustList::new(
            certificate("CN=one,OU=u,O=o", rsa(2_048)),
            vec![certificate("CN=two,OU=u,O=o", rsa(2_048))],
            vec![certificate("CN=web,OU=u,O=o", ec())],
            made(),
        )
        .unwrap();
        let told: Vec<(&str, &str)> = list
            .records()
            .iter()
            .map(|record| (record.role.as_str(), record.certificate.subject()))
            .collect();
        assert_eq!(
            told,
            [
                ("SAST", "CN=one,OU=u,O=o"),
                ("SAST", "CN=two,OU=u,O=o"),
                ("APP-SERVER", "CN=web,OU=u,O=o"),
                ("CCM", "CN=web,OU=u,O=o"),
            ]
        );
        assert_eq!(list.signer().unwrap().subject(), "CN=one,OU=u,O=o");
        assert!(list.names_server(b"der of CN=web,OU=u,O=o"));
        assert!(!list.names_server(b"der of CN=one,OU=u,O=o"));
        let old = list.for_digest(SignatureDigest::Sha1);
        assert_eq!(old.records().len(), 2, "no elliptic curve for old phones");
        assert_eq!(list.for_digest(SignatureDigest::Sha512), list);
    }

    #[test]
    fn what_phones_would_refuse_is_no_list() {
        let token = || certificate("CN=t,OU=u,O=o", rsa(2_048));
        let server = || certificate("CN=s,OU=u,O=o", rsa(2_048));
        let list = |signer, others, servers| TrustList::new(signer, others, servers, made());
        assert_eq!(
            list(token(), vec![token(), token()], vec![server()]),
            Err(ListRefused::TooManyTokens)
        );
        assert_eq!(list(token(), vec![], vec![]), Err(ListRefused::NoServer));
        assert_eq!(
            list(token(), vec![], vec![server(); 17]),
            Err(ListRefused::TooManyServers)
        );
        for key in [rsa(1_024), ec()] {
            let weak = certificate("CN=w,OU=u,O=o", key);
            assert!(matches!(
                list(weak, vec![], vec![server()]),
                Err(ListRefused::NotRsa2048(_))
            ));
        }
    }

    #[test]
    fn sha_1_is_for_the_phones_that_the_setting_names() {
        let digest = |setting, number| digest_for(setting, by_number(number));
        for (setting, of_7975, of_7841) in [
            (
                Sha1For::NoPhone,
                SignatureDigest::Sha512,
                SignatureDigest::Sha512,
            ),
            (
                Sha1For::Series7900,
                SignatureDigest::Sha1,
                SignatureDigest::Sha512,
            ),
            (
                Sha1For::EveryPhone,
                SignatureDigest::Sha1,
                SignatureDigest::Sha1,
            ),
        ] {
            assert_eq!(digest(setting, 437), of_7975, "{setting:?}");
            assert_eq!(digest(setting, 622), of_7841, "{setting:?}");
        }
        assert_eq!(
            digest_for(Sha1For::Series7900, None),
            SignatureDigest::Sha512
        );
    }
}
