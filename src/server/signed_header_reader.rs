//! Reads the header of a file that phones verify, and checks its signature: pure functions over
//! bytes that somebody else may have written; bounded, and they never panic.

use crate::domain::trust_list::SignatureDigest;
use crate::server::signed_header::digest_number;
use crate::server::signed_header::header;
use crate::service::keys::rsa_key;

/// Longest file that is read, in bytes: far more than a phone can keep.
pub const FILE_BYTES_MAX: usize = 512 << 10;

/// Most items in a header or record.
const ITEMS_MAX: usize = 64;

/// A file is none that phones would take.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// Longer than any list.
    #[error("the file is longer than {FILE_BYTES_MAX} bytes; no phone could keep it")]
    TooLong,
    /// Bytes that are neither a list nor a signed file.
    #[error("it is neither a trust list nor a signed file: {0}")]
    Damaged(&'static str),
    /// Signed in a way that we cannot check.
    #[error("its signature uses a digest that is none of SHA-1, SHA-256 and SHA-512")]
    UnknownDigest,
    /// The signer is not in it.
    #[error("it is signed by {0}, of which it holds no SAST record; phones would refuse it")]
    NoSigner(String),
    /// The signer of a signed file is none of those that phones know.
    #[error(
        "it is signed by {0}, which the trust list does not name in the role TFTP; phones would refuse it"
    )]
    StrangeSigner(String),
    /// The signature is another's, or bytes were changed.
    #[error("its signature is not right: it was changed, or signed with another key")]
    Signature,
}

/// What the header says.
pub(crate) struct Head<'a> {
    /// Version of the kind of file: 1.2 trust lists, 1.0 signed files.
    pub(crate) version: [u8; 2],
    pub(crate) length: usize,
    pub(crate) signer: String,
    pub(crate) serial: &'a [u8],
    pub(crate) digest: SignatureDigest,
    pub(crate) signature: &'a [u8],
    /// Where the item of the signature begins and ends.
    pub(crate) signature_item: (usize, usize),
    pub(crate) file_name: String,
    pub(crate) made_at_s: u32,
}

impl<'a> Head<'a> {
    /// Reads the header of a file.
    pub(crate) fn read(file: &'a [u8]) -> Result<Self, ReadError> {
        if file.len() > FILE_BYTES_MAX {
            return Err(ReadError::TooLong);
        }
        let missing = || ReadError::Damaged("its header is not complete");
        let mut items = Items::new(file);
        let version = items.expect(header::VERSION)?;
        let version: Option<[u8; 2]> = version.try_into().ok();
        let version = version
            .filter(|version| version[0] == 1)
            .ok_or(ReadError::Damaged(
                "its header is of an unknown version (2.0: it is encrypted)",
            ))?;
        let length = usize::from(u16_of(items.expect(header::LENGTH)?)?);
        let head = file.get(..length).ok_or_else(missing)?;
        let mut read = Found::default();
        let mut items = Items { all: head, ..items };
        while let Some((tag, value)) = items.next()? {
            read.take(tag, value, items.last)?;
        }
        let time = read.time.and_then(|time| time.try_into().ok());
        let (signature, signature_item) = read.signature.ok_or_else(missing)?;
        Ok(Self {
            version,
            length,
            signer: text(read.signer.ok_or_else(missing)?),
            serial: read.serial.ok_or_else(missing)?,
            digest: digest_of(read.digest.ok_or_else(missing)?)?,
            signature,
            signature_item,
            file_name: read.file_name.map(text).unwrap_or_default(),
            made_at_s: u32::from_be_bytes(time.ok_or_else(missing)?),
        })
    }
}

impl Head<'_> {
    /// Whether a certificate with this subject and serial number is the signer's.
    pub(crate) fn is_by(&self, subject: &str, serial: &[u8]) -> bool {
        subject == self.signer && without_zeros(serial) == without_zeros(self.serial)
    }

    /// Whether the signature of the file, which this header was read of, was made with the key of
    /// this `RSAPublicKey`.
    pub(crate) fn is_signed_with(&self, key: &[u8], file: &[u8]) -> bool {
        let (begin, end) = self.signature_item;
        let signed = [
            file.get(..begin).unwrap_or_default(),
            file.get(end..).unwrap_or_default(),
        ];
        rsa_key::verify(key, self.digest, &signed.concat(), self.signature)
    }
}

/// Items of a header as they were found.
#[derive(Default)]
struct Found<'a> {
    signer: Option<&'a [u8]>,
    serial: Option<&'a [u8]>,
    digest: Option<&'a [u8]>,
    signature: Option<(&'a [u8], (usize, usize))>,
    file_name: Option<&'a [u8]>,
    time: Option<&'a [u8]>,
}

impl<'a> Found<'a> {
    fn take(&mut self, tag: u8, value: &'a [u8], place: (usize, usize)) -> Result<(), ReadError> {
        match tag {
            header::SIGNER | header::SIGNATURE_INFO => {
                let mut inner = Items::new(value);
                while let Some((tag, value)) = inner.next()? {
                    match tag {
                        header::SIGNER_NAME => self.signer = Some(value),
                        header::SIGNER_SERIAL => self.serial = Some(value),
                        header::DIGEST => self.digest = Some(value),
                        _ => {}
                    }
                }
            }
            header::SIGNATURE if self.signature.is_none() => self.signature = Some((value, place)),
            header::SIGNATURE => return Err(ReadError::Damaged("it has two signatures")),
            header::FILE_NAME => self.file_name = Some(value),
            header::TIME => self.time = Some(value),
            _ => {}
        }
        Ok(())
    }
}

fn digest_of(value: &[u8]) -> Result<SignatureDigest, ReadError> {
    [
        SignatureDigest::Sha1,
        SignatureDigest::Sha256,
        SignatureDigest::Sha512,
    ]
    .into_iter()
    .find(|digest| value == [digest_number(*digest)])
    .ok_or(ReadError::UnknownDigest)
}

pub(crate) fn u16_of(value: &[u8]) -> Result<u16, ReadError> {
    let bytes = value
        .try_into()
        .map_err(|_| ReadError::Damaged("a number does not have two bytes"))?;
    Ok(u16::from_be_bytes(bytes))
}

pub(crate) fn text(value: &[u8]) -> String {
    let value = value.strip_suffix(b"\0").unwrap_or(value);
    String::from_utf8_lossy(value).into_owned()
}

fn without_zeros(number: &[u8]) -> &[u8] {
    let first = number.iter().position(|byte| *byte != 0);
    first
        .and_then(|first| number.get(first..))
        .unwrap_or_default()
}

/// Items one after another.
pub(crate) struct Items<'a> {
    all: &'a [u8],
    at: usize,
    count: usize,
    /// Where the last item began and ended.
    last: (usize, usize),
}

impl<'a> Items<'a> {
    pub(crate) const fn new(all: &'a [u8]) -> Self {
        Self {
            all,
            at: 0,
            count: 0,
            last: (0, 0),
        }
    }

    /// Tag and value of the next item; `None` at the end. Padding is passed over.
    pub(crate) fn next(&mut self) -> Result<Option<(u8, &'a [u8])>, ReadError> {
        while self.all.get(self.at) == Some(&header::PADDING) {
            self.at += 1;
        }
        let Some(&tag) = self.all.get(self.at) else {
            return Ok(None);
        };
        self.count += 1;
        if self.count > ITEMS_MAX {
            return Err(ReadError::Damaged("it has too many items"));
        }
        let cut = ReadError::Damaged("an item is not complete");
        let begin = self.at + 3;
        let length = self.all.get(self.at + 1..begin).ok_or(cut.clone())?;
        let end = begin + usize::from(u16_of(length)?);
        let value = self.all.get(begin..end).ok_or(cut)?;
        self.last = (self.at, end);
        self.at = end;
        Ok(Some((tag, value)))
    }

    pub(crate) fn expect(&mut self, wanted: u8) -> Result<&'a [u8], ReadError> {
        match self.next()? {
            Some((tag, value)) if tag == wanted => Ok(value),
            _ => Err(ReadError::Damaged("it does not begin as one")),
        }
    }
}
