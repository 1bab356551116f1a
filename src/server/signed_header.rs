//! The header that signed files of phones begin with: trust lists, and configuration files.
//!
//! ```text
//! tag u8   length u16   value             all numbers big end first; padding is a lone tag
//!
//! header   version, length of the header, version of the signer (trust lists alone), signer, how
//!          it is signed, signature, file name, time, padding
//! ```
//!
//! The signature stands in the header; what is signed is the whole file with that item cut out.

use crate::domain::trust_list::SignatureDigest;
use crate::domain::trust_list::certificate::Certificate;
use crate::domain::trust_list::certificate::PublicKey;
use crate::service::keys::rsa_key::RsaKeyError;

/// Lengths of signatures in bytes; a file names one by its place.
pub(crate) const SIGNATURE_LENGTHS: [usize; 4] = [64, 128, 256, 512];

/// The header's length is a multiple of this.
const PADDED_TO: usize = 4;

/// Bytes of an item before its value.
pub(crate) const ITEM_HEAD: usize = 3;

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

/// What a header says.
pub(crate) struct Header<'a> {
    /// Version of the kind of file.
    pub(crate) version: [u8; 2],
    /// What the signer can do; only in trust lists.
    pub(crate) signer_version: Option<[u8; 2]>,
    /// Whose key signs: RSA.
    pub(crate) signer: &'a Certificate,
    /// Digest under the signature.
    pub(crate) digest: SignatureDigest,
    /// The file's name.
    pub(crate) file_name: &'a str,
    /// When it was made, in seconds since 1970. The field ends in 2106.
    pub(crate) made_at_s: i64,
}

/// A file around the place of its signature.
pub(crate) struct Parts {
    before: Vec<u8>,
    after: Vec<u8>,
    signature_length: usize,
}

impl Parts {
    /// A file of this header and what follows it.
    ///
    /// # Errors
    ///
    /// A key that phones do not verify with, or a text so long that its length does not fit.
    pub(crate) fn new(header: &Header<'_>, body: &[u8]) -> Result<Self, RsaKeyError> {
        let PublicKey::Rsa { bits, .. } = header.signer.public_key() else {
            return Err(RsaKeyError::NotUsable);
        };
        let signature_length = usize::try_from(*bits).map_or(0, |bits| bits / 8);
        let mut head = Items::default();
        if let Some(version) = header.signer_version {
            head.item(header::SIGNER_VERSION, &version)?;
        }
        head.item(header::SIGNER, &signer_info(header.signer)?)?;
        head.item(
            header::SIGNATURE_INFO,
            &signature_info(header.digest, signature_length)?,
        )?;

        let mut tail = Items::default();
        tail.text(header::FILE_NAME, header.file_name)?;
        let time = u32::try_from(header.made_at_s).unwrap_or(u32::MAX);
        tail.item(header::TIME, &time.to_be_bytes())?;

        let fixed = 2 * (ITEM_HEAD + 2);
        let item = ITEM_HEAD + signature_length;
        let bare = fixed + head.0.len() + item + tail.0.len();
        let length = bare.next_multiple_of(PADDED_TO);
        tail.0.resize(tail.0.len() + length - bare, header::PADDING);
        let mut before = Items::default();
        before.item(header::VERSION, &header.version)?;
        before.item(header::LENGTH, &length_of(length)?)?;
        before.0.extend(head.0);
        tail.0.extend_from_slice(body);
        Ok(Self {
            before: before.0,
            after: tail.0,
            signature_length,
        })
    }

    /// What is signed: everything but the item of the signature.
    pub(crate) fn signed(&self) -> Vec<u8> {
        [self.before.as_slice(), &self.after].concat()
    }

    /// The file with its signature.
    ///
    /// # Errors
    ///
    /// The signature has not the length that the header says.
    pub(crate) fn with(self, signature: &[u8]) -> Result<Vec<u8>, RsaKeyError> {
        if signature.len() != self.signature_length {
            return Err(RsaKeyError::Sign);
        }
        let mut file = Items(self.before);
        file.item(header::SIGNATURE, signature)?;
        file.0.extend(self.after);
        Ok(file.0)
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

pub(crate) fn length_of(length: usize) -> Result<[u8; 2], RsaKeyError> {
    u16::try_from(length).map(u16::to_be_bytes).map_err(|_| {
        RsaKeyError::Make("a certificate or name does not fit a file of phones".to_owned())
    })
}

/// Items one after another.
#[derive(Debug, Default)]
pub(crate) struct Items(pub(crate) Vec<u8>);

impl Items {
    pub(crate) fn item(&mut self, tag: u8, value: &[u8]) -> Result<(), RsaKeyError> {
        self.0.push(tag);
        self.0.extend(length_of(value.len())?);
        self.0.extend_from_slice(value);
        Ok(())
    }

    /// A text, ended by a NUL.
    pub(crate) fn text(&mut self, tag: u8, text: &str) -> Result<(), RsaKeyError> {
        self.item(tag, &[text.as_bytes(), b"\0"].concat())
    }
}
