//! Reads a trust list, ours or another's, and checks its signature: for `selfprov cert verify`.
//!
//! A pure function over bytes that somebody else may have written: bounded, and it never panics.

use crate::domain::trust_list::Role;
use crate::domain::trust_list::SignatureDigest;
use crate::domain::trust_list::certificate::Certificate;
use crate::domain::trust_list::certificate::PublicKey;
use crate::server::signed_header_reader::Head;
use crate::server::signed_header_reader::Items;
pub use crate::server::signed_header_reader::ReadError;
use crate::server::signed_header_reader::text;
use crate::server::signed_header_reader::u16_of;
use crate::server::trust_list_format::record;
use crate::server::trust_list_format::role_number;
use crate::service::keys::x509;

/// Version of the header of a list.
const LIST_VERSION: [u8; 2] = [1, 2];

/// Most records that are read.
const RECORDS_MAX: usize = 256;

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
///
/// [`ReadError`] says what is wrong with it.
pub fn read(file: &[u8]) -> Result<ReadList, ReadError> {
    let head = Head::read(file)?;
    if head.version != LIST_VERSION {
        return Err(ReadError::Damaged("its header is not that of a list"));
    }
    let records = records(file.get(head.length..).unwrap_or_default())?;
    let signer = records
        .iter()
        .find(|record| record.is_security_token && head.is_by(&record.subject, &record.serial))
        .ok_or_else(|| ReadError::NoSigner(head.signer.clone()))?;
    let certificate = x509::read(&signer.certificate);
    let Ok(PublicKey::Rsa { der: key, .. }) = certificate.as_ref().map(Certificate::public_key)
    else {
        return Err(ReadError::Damaged(
            "the signer's certificate cannot be used",
        ));
    };
    if !head.is_signed_with(key, file) {
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
