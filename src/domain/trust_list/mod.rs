//! The trust list as a value: whom a phone is to trust, and who vouches for it.
//!
//! A phone accepts the first list it sees and then only lists that are signed by a security token
//! (SAST) of the list it has. Where a record carries the role TFTP, it reads signed configuration
//! files alone.
//!
//! Source: the phones' rules as published for CUCM's ITL (trust on first use, at most two SAST).

pub mod certificate;
pub mod keys;
pub mod service_key;

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
    /// Signs configuration files; with an elliptic key, is the HTTPS door for files.
    FileServer,
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
            Self::FileServer => "TFTP",
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

/// What a list is to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contents {
    /// The trust key that signs it.
    pub signer: Certificate,
    /// The other trust key, where there is one.
    pub others: Vec<Certificate>,
    /// The HTTPS certificates of the nodes.
    pub servers: Vec<Certificate>,
    /// The key that signs configuration files; `None`: phones read unsigned ones.
    pub file_signer: Option<Certificate>,
    /// The certificates of the nodes' HTTPS doors for files.
    pub file_servers: Vec<Certificate>,
    /// The key of TVS, where it is on.
    pub trust_verification: Option<Certificate>,
    /// When the contents last changed: every node writes the same time.
    pub made_at: UnixMillis,
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
    #[error(
        "no node has a certificate that phones can take, and TVS is not in the list either; see: \
         selfprov cert list"
    )]
    NoServer,
    /// More than phones take.
    #[error("the list would name more than {SERVERS_MAX} server certificates")]
    TooManyServers,
}

impl TrustList {
    /// A list with these contents. Each server's certificate stands in it for HTTPS services and
    /// for SIP over TLS; those of the doors for files only where files are signed.
    ///
    /// # Errors
    ///
    /// [`ListRefused`] when phones would not take it.
    pub fn new(contents: Contents) -> Result<Self, ListRefused> {
        if contents.others.len() >= SECURITY_TOKENS_MAX {
            return Err(ListRefused::TooManyTokens);
        }
        if contents.servers.is_empty() && contents.trust_verification.is_none() {
            return Err(ListRefused::NoServer);
        }
        if contents.servers.len().max(contents.file_servers.len()) > SERVERS_MAX {
            return Err(ListRefused::TooManyServers);
        }
        let mut records = Vec::new();
        let mut add = |role, certificate| records.push(Record { role, certificate });
        for certificate in std::iter::once(contents.signer).chain(contents.others) {
            if !is_rsa_2048(&certificate) {
                return Err(ListRefused::NotRsa2048(certificate.subject().to_owned()));
            }
            add(Role::SecurityToken, certificate);
        }
        for certificate in contents.servers {
            add(Role::ApplicationServer, certificate.clone());
            add(Role::CallManager, certificate);
        }
        if let Some(signer) = contents.file_signer {
            if !is_rsa_2048(&signer) {
                return Err(ListRefused::NotRsa2048(signer.subject().to_owned()));
            }
            add(Role::FileServer, signer);
            // Phones want elliptic keys there.
            let elliptic =
                |one: &Certificate| matches!(one.public_key(), PublicKey::EllipticCurve { .. });
            let servers = contents.file_servers.into_iter().filter(elliptic);
            servers.for_each(|certificate| add(Role::FileServer, certificate));
        }
        if let Some(certificate) = contents.trust_verification {
            add(Role::TrustVerification, certificate);
        }
        Ok(Self {
            records,
            made_at: contents.made_at,
        })
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
    /// no elliptic curves either, and go on reading unsigned files, because files are signed with
    /// SHA-512 alone.
    #[must_use]
    pub fn for_digest(&self, digest: SignatureDigest) -> Self {
        let is_readable = |record: &&Record| {
            let is_rsa = matches!(record.certificate.public_key(), PublicKey::Rsa { .. });
            digest != SignatureDigest::Sha1 || (is_rsa && record.role != Role::FileServer)
        };
        Self {
            records: self.records.iter().filter(is_readable).cloned().collect(),
            made_at: self.made_at,
        }
    }

    /// Whether a record carries this role.
    pub fn has_role(&self, role: Role) -> bool {
        self.records.iter().any(|record| record.role == role)
    }

    /// Whether a phone that has this list accepts the server with this certificate.
    pub fn names_server(&self, der: &[u8]) -> bool {
        self.records
            .iter()
            .any(|record| record.role == Role::ApplicationServer && record.certificate.der() == der)
    }
}

fn is_rsa_2048(certificate: &Certificate) -> bool {
    matches!(certificate.public_key(), PublicKey::Rsa { bits: 2_048, .. })
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

    fn contents(signer: Certificate, servers: Vec<Certificate>) -> Contents {
        Contents {
            signer,
            others: Vec::new(),
            servers,
            file_signer: None,
            file_servers: Vec::new(),
            trust_verification: None,
            made_at: made(),
        }
    }

    fn told(list: &TrustList) -> Vec<(&str, &str)> {
        list.records()
            .iter()
            .map(|record| (record.role.as_str(), record.certificate.subject()))
            .collect()
    }

    #[test]
    fn a_list_has_its_signer_first_and_each_server_in_both_roles_and_no_tftp_by_itself() {
        let web = certificate("CN=web,OU=u,O=o", ec());
        let list = TrustList::new(Contents {
            others: vec![certificate("CN=two,OU=u,O=o", rsa(2_048))],
            file_servers: vec![web.clone()],
            ..contents(certificate("CN=one,OU=u,O=o", rsa(2_048)), vec![web])
        })
        .unwrap();
        assert_eq!(
            told(&list),
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
    fn signed_files_and_tvs_have_records_and_old_phones_none_of_the_former() {
        let of = |name: &str, key| certificate(&format!("CN={name},OU=u,O=o"), key);
        let list = TrustList::new(Contents {
            file_signer: Some(of("files", rsa(2_048))),
            file_servers: vec![of("6971", ec()), of("not elliptic", rsa(2_048))],
            trust_verification: Some(of("tvs", rsa(2_048))),
            ..contents(of("one", rsa(2_048)), Vec::new())
        })
        .unwrap();
        assert_eq!(
            told(&list),
            [
                ("SAST", "CN=one,OU=u,O=o"),
                ("TFTP", "CN=files,OU=u,O=o"),
                ("TFTP", "CN=6971,OU=u,O=o"),
                ("TVS", "CN=tvs,OU=u,O=o"),
            ]
        );
        assert!(list.has_role(Role::TrustVerification));
        let old = list.for_digest(SignatureDigest::Sha1);
        assert!(!old.has_role(Role::FileServer));
        assert!(old.has_role(Role::TrustVerification));
    }

    #[test]
    fn what_phones_would_refuse_is_no_list() {
        let token = || certificate("CN=t,OU=u,O=o", rsa(2_048));
        let server = || certificate("CN=s,OU=u,O=o", rsa(2_048));
        let list = |contents| TrustList::new(contents);
        let tokens = Contents {
            others: vec![token(), token()],
            ..contents(token(), vec![server()])
        };
        assert_eq!(list(tokens), Err(ListRefused::TooManyTokens));
        assert_eq!(list(contents(token(), vec![])), Err(ListRefused::NoServer));
        assert_eq!(
            list(contents(token(), vec![server(); 17])),
            Err(ListRefused::TooManyServers)
        );
        for key in [rsa(1_024), ec()] {
            let weak = certificate("CN=w,OU=u,O=o", key);
            let signed_weakly = Contents {
                file_signer: Some(weak.clone()),
                ..contents(token(), vec![server()])
            };
            for contents in [contents(weak, vec![server()]), signed_weakly] {
                assert!(matches!(list(contents), Err(ListRefused::NotRsa2048(_))));
            }
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
