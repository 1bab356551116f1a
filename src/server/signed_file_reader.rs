//! Reads a signed file (`.sgn`), ours or another's, and checks its signature: for
//! `selfprov cert verify`.

use crate::domain::trust_list::SignatureDigest;
use crate::domain::trust_list::certificate::PublicKey;
use crate::server::signed_header_reader::Head;
use crate::server::signed_header_reader::ReadError;
use crate::service::keys::x509;

/// Version of the header of a signed file.
const FILE_VERSION: [u8; 2] = [1, 0];

/// A signed file that was read and whose signature is right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadFile {
    /// Name of the file as its header says it.
    pub file_name: String,
    /// When it was made, in seconds since 1970.
    pub made_at_s: u32,
    /// Subject of the signer.
    pub signer: String,
    /// Digest under the signature.
    pub digest: SignatureDigest,
    /// What was signed: the file that the name without `.sgn` has.
    pub contents: Vec<u8>,
}

/// Whether these bytes begin as a signed file does, and not as a list.
pub fn is_one(file: &[u8]) -> bool {
    Head::read(file).is_ok_and(|head| head.version == FILE_VERSION)
}

/// Reads a signed file and checks that one of these certificates (DER) signed it.
///
/// # Errors
///
/// [`ReadError`] says what is wrong with it.
pub fn read(file: &[u8], signers: &[Vec<u8>]) -> Result<ReadFile, ReadError> {
    let head = Head::read(file)?;
    if head.version != FILE_VERSION {
        return Err(ReadError::Damaged(
            "its header is not that of a signed file",
        ));
    }
    let mut certificates = signers.iter().filter_map(|der| x509::read(der).ok());
    let signer = certificates
        .find(|certificate| head.is_by(certificate.subject(), certificate.serial()))
        .ok_or_else(|| ReadError::StrangeSigner(head.signer.clone()))?;
    let PublicKey::Rsa { der: key, .. } = signer.public_key() else {
        return Err(ReadError::StrangeSigner(head.signer));
    };
    if !head.is_signed_with(key, file) {
        return Err(ReadError::Signature);
    }
    Ok(ReadFile {
        contents: file.get(head.length..).unwrap_or_default().to_vec(),
        file_name: head.file_name,
        made_at_s: head.made_at_s,
        signer: head.signer,
        digest: head.digest,
    })
}
