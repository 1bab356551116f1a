//! Writes a trust list as phones read it: items of tag, length and value, signed.
//!
//! ```text
//! header   see signed_header.rs
//! record   length of the record, subject, issuer, serial number, role, public key, signature,
//!          certificate; one for each certificate and role
//! ```

use crate::domain::trust_list::ListName;
use crate::domain::trust_list::Record;
use crate::domain::trust_list::Role;
use crate::domain::trust_list::SignatureDigest;
use crate::domain::trust_list::TrustList;
use crate::domain::trust_list::certificate::PublicKey;
use crate::server::signed_header::Header;
use crate::server::signed_header::ITEM_HEAD;
use crate::server::signed_header::Items;
use crate::server::signed_header::Parts;
use crate::server::signed_header::length_of;
use crate::service::keys::rsa_key::RsaKeyError;
use crate::service::trust_list::SignList;
use crate::service::trust_list::TrustListForm;

/// Version of the header of a `.tlv` file: 1.2.
const HEADER_VERSION: [u8; 2] = [1, 2];

/// Version of the signer that phones with elliptic curves know: 1.1.
const SIGNER_VERSION: [u8; 2] = [1, 1];

/// Version of the signer for phones before that: 1.0.
const SIGNER_VERSION_LEGACY: [u8; 2] = [1, 0];

/// Tags of a record.
pub(crate) mod record {
    pub(crate) const LENGTH: u8 = 1;
    pub(crate) const SUBJECT: u8 = 3;
    pub(crate) const ROLE: u8 = 4;
    pub(crate) const ISSUER: u8 = 5;
    pub(crate) const SERIAL: u8 = 6;
    pub(crate) const PUBLIC_KEY: u8 = 7;
    pub(crate) const SIGNATURE: u8 = 8;
    pub(crate) const CERTIFICATE: u8 = 9;
}

/// The form that phones read, for the use cases that make lists.
#[derive(Debug, Clone, Copy, Default)]
pub struct PhoneForm;

impl TrustListForm for PhoneForm {
    fn write(
        &self,
        list: &TrustList,
        name: ListName,
        digest: SignatureDigest,
        sign: SignList<'_>,
    ) -> Result<Vec<u8>, RsaKeyError> {
        write(list, name, digest, sign)
    }
}

/// Writes a list. `sign` gets the digest and the bytes to be signed.
///
/// # Errors
///
/// That of `sign`, or a list so long that its lengths do not fit.
pub fn write(
    list: &TrustList,
    name: ListName,
    digest: SignatureDigest,
    sign: SignList<'_>,
) -> Result<Vec<u8>, RsaKeyError> {
    let list = list.for_digest(digest);
    let signer = list.signer().ok_or(RsaKeyError::Sign)?;
    let mut records = Vec::new();
    for record in list.records() {
        records.extend(written_record(record)?);
    }
    let header = Header {
        version: HEADER_VERSION,
        signer_version: Some(match digest {
            SignatureDigest::Sha1 => SIGNER_VERSION_LEGACY,
            SignatureDigest::Sha256 | SignatureDigest::Sha512 => SIGNER_VERSION,
        }),
        signer,
        digest,
        file_name: file_name(name),
        made_at_s: list.made_at().unix_s(),
    };
    let parts = Parts::new(&header, &records)?;
    let signature = sign(digest, &parts.signed())?;
    parts.with(&signature)
}

/// The name in the file: the general one, since phones get the same list under their own name.
const fn file_name(name: ListName) -> &'static str {
    match name {
        ListName::Ctl => "CTLFile.tlv",
        ListName::Itl => "ITLFile.tlv",
    }
}

/// The number of a role in a file.
pub(crate) const fn role_number(role: Role) -> u16 {
    match role {
        Role::SecurityToken => 0,
        Role::CallManager => 1,
        Role::FileServer => 3,
        Role::ApplicationServer => 7,
        Role::TrustVerification => 21,
    }
}

fn written_record(written: &Record) -> Result<Vec<u8>, RsaKeyError> {
    let certificate = &written.certificate;
    let mut items = Items::default();
    items.text(record::SUBJECT, certificate.subject())?;
    items.text(record::ISSUER, certificate.issuer())?;
    items.item(record::SERIAL, certificate.serial())?;
    items.item(record::ROLE, &role_number(written.role).to_be_bytes())?;
    let key = match certificate.public_key() {
        PublicKey::Rsa { der, .. } => der,
        PublicKey::EllipticCurve { point, .. } => point,
    };
    items.item(record::PUBLIC_KEY, key)?;
    items.item(record::SIGNATURE, certificate.signature())?;
    items.item(record::CERTIFICATE, certificate.der())?;
    let mut whole = Items::default();
    let length = ITEM_HEAD + 2 + items.0.len();
    whole.item(record::LENGTH, &length_of(length)?)?;
    whole.0.extend(items.0);
    Ok(whole.0)
}
