//! Writes a trust list as phones read it: items of tag, length and value, signed.
//!
//! ```text
//! tag u8   length u16   value             all numbers big end first; padding is a lone tag
//!
//! header   version, length of the header, version of the signer, signer, how it is signed,
//!          signature, file name, time, padding
//! record   length of the record, subject, issuer, serial number, role, public key, signature,
//!          certificate; one for each certificate and role
//! ```
//!
//! The signature stands in the header; what is signed is the whole file with that item cut out.

use crate::domain::trust_list::ListName;
use crate::domain::trust_list::Record;
use crate::domain::trust_list::Role;
use crate::domain::trust_list::SignatureDigest;
use crate::domain::trust_list::TrustList;
use crate::domain::trust_list::certificate::Certificate;
use crate::domain::trust_list::certificate::PublicKey;
use crate::service::rsa_key::RsaKeyError;
use crate::service::trust_list::SignList;
use crate::service::trust_list::TrustListForm;

/// Version of the header of a `.tlv` file: 1.2.
const HEADER_VERSION: [u8; 2] = [1, 2];

/// Version of the signer that phones with elliptic curves know: 1.1.
const SIGNER_VERSION: [u8; 2] = [1, 1];

/// Version of the signer for phones before that: 1.0.
const SIGNER_VERSION_LEGACY: [u8; 2] = [1, 0];

/// Lengths of signatures in bytes; a file names one by its place.
pub(crate) const SIGNATURE_LENGTHS: [usize; 4] = [64, 128, 256, 512];

/// The header's length is a multiple of this.
const PADDED_TO: usize = 4;

/// Bytes of an item before its value.
const ITEM_HEAD: usize = 3;

/// Tags of the header.
pub(crate) mod header {
    pub(crate) const VERSION: u8 = 1;
    pub(crate) const LENGTH: u8 = 2;
    pub(crate) const SIGNER: u8 = 3;
    pub(crate) const SIGNER_NAME: u8 = 4;
    pub(crate) const SIGNER_SERIAL: u8 = 5;
    pub(crate) const SIGNER_ISSUER: u8 = 6;
    pub(crate) const SIGNATURE_INFO: u8 = 7;
    pub(crate) const DIGEST: u8 = 8;
    pub(crate) const ALGORITHM_INFO: u8 = 9;
    pub(crate) const ALGORITHM: u8 = 10;
    pub(crate) const MODULUS: u8 = 11;
    pub(crate) const SIGNATURE: u8 = 12;
    pub(crate) const PADDING: u8 = 13;
    pub(crate) const FILE_NAME: u8 = 14;
    pub(crate) const TIME: u8 = 15;
    pub(crate) const SIGNER_VERSION: u8 = 28;
}

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
/// That of `sign`, or a list so long that its lengths do not fit.
pub fn write(
    list: &TrustList,
    name: ListName,
    digest: SignatureDigest,
    sign: SignList<'_>,
) -> Result<Vec<u8>, RsaKeyError> {
    let list = list.for_digest(digest);
    let signer = list.signer().ok_or(RsaKeyError::Sign)?;
    let PublicKey::Rsa { bits, .. } = signer.public_key() else {
        return Err(RsaKeyError::NotUsable);
    };
    let signature_length = usize::try_from(*bits).map_or(0, |bits| bits / 8);
    let parts = Parts::new(&list, signer, name, digest, signature_length)?;
    let signature = sign(digest, &parts.signed())?;
    if signature.len() != signature_length {
        return Err(RsaKeyError::Sign);
    }
    parts.with(&signature)
}

/// A file around the place of its signature.
struct Parts {
    before: Vec<u8>,
    after: Vec<u8>,
}

impl Parts {
    fn new(
        list: &TrustList,
        signer: &Certificate,
        name: ListName,
        digest: SignatureDigest,
        signature_length: usize,
    ) -> Result<Self, RsaKeyError> {
        let mut head = Items::default();
        let version = match digest {
            SignatureDigest::Sha1 => SIGNER_VERSION_LEGACY,
            SignatureDigest::Sha256 | SignatureDigest::Sha512 => SIGNER_VERSION,
        };
        head.item(header::SIGNER_VERSION, &version)?;
        head.item(header::SIGNER, &signer_info(signer)?)?;
        head.item(
            header::SIGNATURE_INFO,
            &signature_info(digest, signature_length)?,
        )?;

        let mut tail = Items::default();
        tail.text(header::FILE_NAME, file_name(name))?;
        // Seconds since 1970; the field ends in 2106.
        let time = u32::try_from(list.made_at().unix_s()).unwrap_or(u32::MAX);
        tail.item(header::TIME, &time.to_be_bytes())?;

        let fixed = 2 * (ITEM_HEAD + 2);
        let item = ITEM_HEAD + signature_length;
        let bare = fixed + head.0.len() + item + tail.0.len();
        let length = bare.next_multiple_of(PADDED_TO);
        tail.0.resize(tail.0.len() + length - bare, header::PADDING);
        let mut before = Items::default();
        before.item(header::VERSION, &HEADER_VERSION)?;
        before.item(header::LENGTH, &length_of(length)?)?;
        before.0.extend(head.0);
        for record in list.records() {
            tail.0.extend(written_record(record)?);
        }
        Ok(Self {
            before: before.0,
            after: tail.0,
        })
    }

    /// What is signed: everything but the item of the signature.
    fn signed(&self) -> Vec<u8> {
        [self.before.as_slice(), &self.after].concat()
    }

    fn with(self, signature: &[u8]) -> Result<Vec<u8>, RsaKeyError> {
        let mut file = Items(self.before);
        file.item(header::SIGNATURE, signature)?;
        file.0.extend(self.after);
        Ok(file.0)
    }
}

/// The name in the file: the general one, since phones get the same list under their own name.
const fn file_name(name: ListName) -> &'static str {
    match name {
        ListName::Ctl => "CTLFile.tlv",
        ListName::Itl => "ITLFile.tlv",
    }
}

fn signer_info(signer: &Certificate) -> Result<Vec<u8>, RsaKeyError> {
    let mut items = Items::default();
    items.text(header::SIGNER_NAME, signer.subject())?;
    items.text(header::SIGNER_ISSUER, signer.issuer())?;
    items.item(header::SIGNER_SERIAL, signer.serial())?;
    Ok(items.0)
}

fn signature_info(digest: SignatureDigest, length: usize) -> Result<Vec<u8>, RsaKeyError> {
    let place = SIGNATURE_LENGTHS.iter().position(|known| *known == length);
    let place = place.and_then(|place| u8::try_from(place).ok());
    let mut algorithm = Items::default();
    algorithm.item(header::ALGORITHM, &[0])?;
    algorithm.item(header::MODULUS, &[place.ok_or(RsaKeyError::NotUsable)?])?;
    let mut items = Items::default();
    items.item(header::DIGEST, &[digest_number(digest)])?;
    items.item(header::ALGORITHM_INFO, &algorithm.0)?;
    Ok(items.0)
}

/// The number of a digest in a file.
pub(crate) const fn digest_number(digest: SignatureDigest) -> u8 {
    match digest {
        SignatureDigest::Sha1 => 1,
        SignatureDigest::Sha256 => 2,
        SignatureDigest::Sha512 => 3,
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

fn length_of(length: usize) -> Result<[u8; 2], RsaKeyError> {
    u16::try_from(length)
        .map(u16::to_be_bytes)
        .map_err(|_| RsaKeyError::Make("a certificate does not fit a trust list".to_owned()))
}

/// Items one after another.
#[derive(Debug, Default)]
struct Items(Vec<u8>);

impl Items {
    fn item(&mut self, tag: u8, value: &[u8]) -> Result<(), RsaKeyError> {
        self.0.push(tag);
        self.0.extend(length_of(value.len())?);
        self.0.extend_from_slice(value);
        Ok(())
    }

    /// A text, ended by a NUL.
    fn text(&mut self, tag: u8, text: &str) -> Result<(), RsaKeyError> {
        self.item(tag, &[text.as_bytes(), b"\0"].concat())
    }
}
