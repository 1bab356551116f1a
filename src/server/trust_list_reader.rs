//! Reads a trust list, ours or another's, and checks its signature: for `selfprov cert verify`.
//!
//! A pure function over bytes that somebody else may have written: bounded, and it never panics.

use crate::domain::trust_list::Role;
use crate::domain::trust_list::SignatureDigest;
use crate::domain::trust_list::certificate::Certificate;
use crate::domain::trust_list::certificate::PublicKey;
use crate::server::trust_list_format::digest_number;
use crate::server::trust_list_format::header;
use crate::server::trust_list_format::record;
use crate::server::trust_list_format::role_number;
use crate::service::rsa_key;
use crate::service::x509;

/// Longest file that is read, in bytes: far more than a phone can keep.
pub const FILE_BYTES_MAX: usize = 512 << 10;

/// Most records that are read.
const RECORDS_MAX: usize = 256;

/// Most items in a header or record.
const ITEMS_MAX: usize = 64;

/// A file is no trust list, or none that phones would take.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// Longer than any list.
    #[error("the file is longer than {FILE_BYTES_MAX} bytes; no phone could keep such a list")]
    TooLong,
    /// Bytes that are not a list.
    #[error("it is not a trust list: {0}")]
    Damaged(&'static str),
    /// Signed in a way that we cannot check.
    #[error("its signature uses a digest that is none of SHA-1, SHA-256 and SHA-512")]
    UnknownDigest,
    /// The signer is not in it.
    #[error("it is signed by {0}, of which it holds no SAST record; phones would refuse it")]
    NoSigner(String),
    /// The signature is another's, or bytes were changed.
    #[error("its signature is not right: it was changed, or signed with another key")]
    Signature,
}

/// A record that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadRecord {
    /// What for: `SAST`, `CCM`, `APP-SERVER`, `TVS`, another of CUCM's, or the number.
    pub role: String,
    /// Subject of the certificate.
    pub subject: String,
    /// The certificate in DER; empty where the record holds its digest alone.
    pub certificate: Vec<u8>,
    serial: Vec<u8>,
    is_security_token: bool,
}

/// A list that was read and whose signature is right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadList {
    /// Name of the file as its header says it.
    pub file_name: String,
    /// When it was made, in seconds since 1970.
    pub made_at_s: u32,
    /// Subject of the signer.
    pub signer: String,
    /// Digest under the signature.
    pub digest: SignatureDigest,
    /// The records.
    pub records: Vec<ReadRecord>,
}

/// Reads a list and checks that one of its own security tokens signed it.
///
/// # Errors
/// [`ReadError`] says what is wrong with it.
pub fn read(file: &[u8]) -> Result<ReadList, ReadError> {
    if file.len() > FILE_BYTES_MAX {
        return Err(ReadError::TooLong);
    }
    let head = Head::read(file)?;
    let records = records(file.get(head.length..).unwrap_or_default())?;
    let signer = records
        .iter()
        .find(|record| {
            record.is_security_token
                && record.subject == head.signer
                && without_zeros(&record.serial) == without_zeros(head.serial)
        })
        .ok_or_else(|| ReadError::NoSigner(head.signer.clone()))?;
    let certificate = x509::read(&signer.certificate);
    let Ok(PublicKey::Rsa { der: key, .. }) = certificate.as_ref().map(Certificate::public_key)
    else {
        return Err(ReadError::Damaged(
            "the signer's certificate cannot be used",
        ));
    };
    let signed = [
        file.get(..head.signature_item.0).unwrap_or_default(),
        file.get(head.signature_item.1..).unwrap_or_default(),
    ]
    .concat();
    if !rsa_key::verify(key, head.digest, &signed, head.signature) {
        return Err(ReadError::Signature);
    }
    Ok(ReadList {
        file_name: head.file_name,
        made_at_s: head.made_at_s,
        signer: head.signer,
        digest: head.digest,
        records,
    })
}

/// What the header says.
struct Head<'a> {
    length: usize,
    signer: String,
    serial: &'a [u8],
    digest: SignatureDigest,
    signature: &'a [u8],
    /// Where the item of the signature begins and ends.
    signature_item: (usize, usize),
    file_name: String,
    made_at_s: u32,
}

impl<'a> Head<'a> {
    fn read(file: &'a [u8]) -> Result<Self, ReadError> {
        let missing = || ReadError::Damaged("its header is not complete");
        let mut items = Items::new(file);
        let version = items.expect(header::VERSION)?;
        if version.first() != Some(&1) {
            return Err(ReadError::Damaged("its header is of an unknown version"));
        }
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

fn records(mut rest: &[u8]) -> Result<Vec<ReadRecord>, ReadError> {
    let mut records = Vec::new();
    while !rest.is_empty() {
        if records.len() >= RECORDS_MAX {
            return Err(ReadError::Damaged("it has too many records"));
        }
        let length = usize::from(u16_of(Items::new(rest).expect(record::LENGTH)?)?);
        let cut = ReadError::Damaged("a record is not complete");
        let (one, after) = rest.split_at_checked(length).ok_or(cut.clone())?;
        if one.is_empty() {
            return Err(cut);
        }
        records.push(read_record(one)?);
        rest = after;
    }
    Ok(records)
}

fn read_record(bytes: &[u8]) -> Result<ReadRecord, ReadError> {
    let mut items = Items::new(bytes);
    let (mut subject, mut role, mut serial, mut certificate) = (None, None, None, None);
    while let Some((tag, value)) = items.next()? {
        match tag {
            record::SUBJECT => subject = Some(value),
            record::ROLE => role = Some(u16_of(value)?),
            record::SERIAL => serial = Some(value),
            record::CERTIFICATE => certificate = Some(value),
            _ => {}
        }
    }
    let missing = || ReadError::Damaged("a record has no subject, role or serial number");
    let role = role.ok_or_else(missing)?;
    Ok(ReadRecord {
        role: role_name(role),
        subject: text(subject.ok_or_else(missing)?),
        certificate: certificate.unwrap_or_default().to_vec(),
        serial: serial.ok_or_else(missing)?.to_vec(),
        is_security_token: role == role_number(Role::SecurityToken),
    })
}

fn role_name(number: u16) -> String {
    let known = [
        Role::SecurityToken,
        Role::CallManager,
        Role::FileServer,
        Role::ApplicationServer,
        Role::TrustVerification,
    ];
    match known.into_iter().find(|role| role_number(*role) == number) {
        Some(role) => role.as_str().to_owned(),
        // CUCM's, which ours never holds.
        None => match number {
            2 => "CCM+TFTP".to_owned(),
            4 => "CAPF".to_owned(),
            other => format!("role {other}"),
        },
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

fn u16_of(value: &[u8]) -> Result<u16, ReadError> {
    let bytes = value
        .try_into()
        .map_err(|_| ReadError::Damaged("a number does not have two bytes"))?;
    Ok(u16::from_be_bytes(bytes))
}

fn text(value: &[u8]) -> String {
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
struct Items<'a> {
    all: &'a [u8],
    at: usize,
    count: usize,
    /// Where the last item began and ended.
    last: (usize, usize),
}

impl<'a> Items<'a> {
    const fn new(all: &'a [u8]) -> Self {
        Self {
            all,
            at: 0,
            count: 0,
            last: (0, 0),
        }
    }

    /// Tag and value of the next item; `None` at the end. Padding is passed over.
    fn next(&mut self) -> Result<Option<(u8, &'a [u8])>, ReadError> {
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

    fn expect(&mut self, wanted: u8) -> Result<&'a [u8], ReadError> {
        match self.next()? {
            Some((tag, value)) if tag == wanted => Ok(value),
            _ => Err(ReadError::Damaged("it does not begin as one")),
        }
    }
}
