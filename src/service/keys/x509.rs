//! Reads of a certificate what a record of a trust list holds.

use std::fmt::Write as _;

use super::der::SEQUENCE;
use super::der::element;
use super::der::expect;
use crate::domain::trust_list::certificate::Certificate;
use crate::domain::trust_list::certificate::CertificateParts;
use crate::domain::trust_list::certificate::Curve;
use crate::domain::trust_list::certificate::PublicKey;
use crate::domain::trust_list::certificate::Unsuitable;

const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const OBJECT_IDENTIFIER: u8 = 0x06;
const UTF8_STRING: u8 = 0x0C;
const PRINTABLE_STRING: u8 = 0x13;
const TELETEX_STRING: u8 = 0x14;
const IA5_STRING: u8 = 0x16;
const BMP_STRING: u8 = 0x1E;
const SET: u8 = 0x31;
/// Explicit tag of `version`, which a version 1 certificate does not have.
const VERSION: u8 = 0xA0;

/// `rsaEncryption`. Source: RFC 8017 A.1.
const RSA_ENCRYPTION: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x01];
/// `id-ecPublicKey`. Source: RFC 5480 2.1.1.
const EC_PUBLIC_KEY: &[u8] = &[0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01];
/// Curves with their object identifiers and the bytes of an uncompressed point. Source: RFC 5480.
const CURVES: [(Curve, &[u8], usize); 3] = [
    (
        Curve::P256,
        &[0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07],
        65,
    ),
    (Curve::P384, &[0x2B, 0x81, 0x04, 0x00, 0x22], 97),
    (Curve::P521, &[0x2B, 0x81, 0x04, 0x00, 0x23], 133),
];

/// Short names of the attributes of a name. Source: RFC 4514 clause 3.
const ATTRIBUTES: [(&[u8], &str); 9] = [
    (&[0x55, 0x04, 0x03], "CN"),
    (&[0x55, 0x04, 0x07], "L"),
    (&[0x55, 0x04, 0x08], "ST"),
    (&[0x55, 0x04, 0x0A], "O"),
    (&[0x55, 0x04, 0x0B], "OU"),
    (&[0x55, 0x04, 0x06], "C"),
    (&[0x55, 0x04, 0x09], "STREET"),
    (
        &[0x09, 0x92, 0x26, 0x89, 0x93, 0xF2, 0x2C, 0x64, 0x01, 0x19],
        "DC",
    ),
    (
        &[0x09, 0x92, 0x26, 0x89, 0x93, 0xF2, 0x2C, 0x64, 0x01, 0x01],
        "UID",
    ),
];

/// Why a certificate cannot stand in a trust list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum X509Error {
    /// It is no X.509 certificate.
    #[error("it is not an X.509 certificate")]
    NotACertificate,
    /// A kind of key that phones do not know.
    #[error("its key is neither RSA nor EC on P-256, P-384 or P-521; phones know no other")]
    UnknownKey,
    /// Phones would not take it.
    #[error(transparent)]
    Unsuitable(#[from] Unsuitable),
}

/// Reads a certificate in DER and judges whether phones take it.
///
/// Source: RFC 5280 4.1 (`Certificate`, `TBSCertificate`).
///
/// # Errors
///
/// [`X509Error`] says what is wrong with it.
pub fn read(der: &[u8]) -> Result<Certificate, X509Error> {
    let not_one = X509Error::NotACertificate;
    let fields = fields(der).ok_or_else(|| not_one.clone())?;
    let (subject, subject_attributes) = name(fields.subject).ok_or_else(|| not_one.clone())?;
    let (issuer, _) = name(fields.issuer).ok_or_else(|| not_one.clone())?;
    let public_key = public_key(fields.public_key_info).ok_or(X509Error::UnknownKey)?;
    Ok(Certificate::new(CertificateParts {
        der: der.to_vec(),
        subject,
        subject_attributes,
        issuer,
        serial: without_zeros(fields.serial).to_vec(),
        public_key,
        signature: fields.signature.to_vec(),
    })?)
}

/// The parts of a certificate, each the contents of its element.
struct Fields<'a> {
    serial: &'a [u8],
    issuer: &'a [u8],
    subject: &'a [u8],
    public_key_info: &'a [u8],
    signature: &'a [u8],
}

fn fields(der: &[u8]) -> Option<Fields<'_>> {
    let (certificate, after) = expect(SEQUENCE, der)?;
    let (to_be_signed, rest) = expect(SEQUENCE, certificate)?;
    let (_algorithm, rest) = expect(SEQUENCE, rest)?;
    let (signature, end) = expect(BIT_STRING, rest)?;
    if !after.is_empty() || !end.is_empty() {
        return None;
    }
    let mut rest = to_be_signed;
    if rest.first() == Some(&VERSION) {
        rest = element(rest)?.2;
    }
    let (serial, rest) = expect(INTEGER, rest)?;
    let (_algorithm, rest) = expect(SEQUENCE, rest)?;
    let (issuer, rest) = expect(SEQUENCE, rest)?;
    let (_validity, rest) = expect(SEQUENCE, rest)?;
    let (subject, rest) = expect(SEQUENCE, rest)?;
    let (public_key_info, _) = expect(SEQUENCE, rest)?;
    Some(Fields {
        serial,
        issuer,
        subject,
        public_key_info,
        signature: whole_bytes(signature)?,
    })
}

/// A positive integer without the zeros in front.
fn without_zeros(integer: &[u8]) -> &[u8] {
    let first = integer.iter().position(|byte| *byte != 0);
    first
        .and_then(|first| integer.get(first..))
        .unwrap_or(integer)
}

/// The bytes of a bit string without odd bits.
fn whole_bytes(bit_string: &[u8]) -> Option<&[u8]> {
    let (unused_bits, bytes) = bit_string.split_first()?;
    (*unused_bits == 0).then_some(bytes)
}

fn public_key(info: &[u8]) -> Option<PublicKey> {
    let (algorithm, rest) = expect(SEQUENCE, info)?;
    let (bit_string, _) = expect(BIT_STRING, rest)?;
    let key = whole_bytes(bit_string)?;
    let (algorithm, parameters) = expect(OBJECT_IDENTIFIER, algorithm)?;
    if algorithm == RSA_ENCRYPTION {
        return Some(PublicKey::Rsa {
            bits: modulus_bits(key)?,
            der: key.to_vec(),
        });
    }
    if algorithm != EC_PUBLIC_KEY {
        return None;
    }
    let (named, _) = expect(OBJECT_IDENTIFIER, parameters)?;
    let (curve, _, length) = CURVES.iter().find(|(_, oid, _)| *oid == named)?;
    let is_uncompressed = key.len() == *length && key.first() == Some(&4);
    is_uncompressed.then(|| PublicKey::EllipticCurve {
        curve: *curve,
        point: key.to_vec(),
    })
}

/// Length in bits of the modulus of an `RSAPublicKey`.
fn modulus_bits(der: &[u8]) -> Option<u32> {
    let (key, _) = expect(SEQUENCE, der)?;
    let (modulus, _) = expect(INTEGER, key)?;
    let modulus = without_zeros(modulus);
    let bits = u32::try_from(modulus.len()).ok()?.checked_mul(8)?;
    Some(bits - modulus.first()?.leading_zeros())
}

/// A name as RFC 4514 writes it (last part first), and the names of its attributes.
fn name(mut der: &[u8]) -> Option<(String, Vec<String>)> {
    let mut parts = Vec::new();
    let mut attributes = Vec::new();
    while !der.is_empty() {
        let (set, rest) = expect(SET, der)?;
        der = rest;
        let mut pairs = Vec::new();
        let mut set = set;
        while !set.is_empty() {
            let (pair, rest) = expect(SEQUENCE, set)?;
            set = rest;
            let (oid, value) = expect(OBJECT_IDENTIFIER, pair)?;
            let attribute = attribute(oid)?;
            pairs.push(format!("{attribute}={}", value_text(value)?));
            attributes.push(attribute);
        }
        parts.push(pairs.join("+"));
    }
    parts.reverse();
    Some((parts.join(","), attributes))
}

fn attribute(oid: &[u8]) -> Option<String> {
    let known = ATTRIBUTES.iter().find(|(known, _)| *known == oid);
    match known {
        Some((_, name)) => Some((*name).to_owned()),
        None => dotted(oid),
    }
}

/// An object identifier in dotted numbers. Source: X.690 clause 8.19.
fn dotted(oid: &[u8]) -> Option<String> {
    let mut numbers: Vec<u64> = Vec::new();
    let mut number = 0_u64;
    for byte in oid {
        number = number
            .checked_mul(128)?
            .checked_add(u64::from(byte & 0x7F))?;
        if byte & 0x80 == 0 {
            numbers.push(number);
            number = 0;
        }
    }
    let (first, rest) = numbers.split_first()?;
    let top = (first / 40).min(2);
    let mut text = format!("{top}.{}", first - 40 * top);
    for number in rest {
        let _ = write!(text, ".{number}");
    }
    Some(text)
}

/// A value, escaped. Source: RFC 4514 2.4.
fn value_text(der: &[u8]) -> Option<String> {
    let (tag, contents, _) = element(der)?;
    let text = match tag {
        UTF8_STRING | PRINTABLE_STRING | IA5_STRING => {
            std::str::from_utf8(contents).ok()?.to_owned()
        }
        TELETEX_STRING => contents.iter().map(|byte| char::from(*byte)).collect(),
        BMP_STRING => {
            let units = contents
                .chunks_exact(2)
                .map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
            char::decode_utf16(units).collect::<Result<_, _>>().ok()?
        }
        _ => return Some(format!("#{}", hex(der))),
    };
    Some(escaped(&text))
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    let last = text.chars().count().saturating_sub(1);
    for (at, character) in text.chars().enumerate() {
        let is_edge_space = character == ' ' && (at == 0 || at == last);
        match character {
            '\0' => escaped.push_str("\\00"),
            '"' | '+' | ',' | ';' | '<' | '>' | '\\' => escaped.extend(['\\', character]),
            '#' if at == 0 => escaped.push_str("\\#"),
            _ if is_edge_space => escaped.push_str("\\ "),
            _ => escaped.push(character),
        }
    }
    escaped
}

/// SHA-256 of a certificate, in hexadecimal digits.
pub fn fingerprint(der: &[u8]) -> String {
    hex(ring::digest::digest(&ring::digest::SHA256, der).as_ref())
}

/// Bytes as lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use rcgen::CertificateParams;
    use rcgen::DistinguishedName;
    use rcgen::DnType;
    use rcgen::KeyPair;
    use rcgen::SignatureAlgorithm;

    use super::*;

    fn made(names: &[(DnType, &str)], algorithm: &'static SignatureAlgorithm) -> Vec<u8> {
        let key = KeyPair::generate_for(algorithm).unwrap();
        let mut params = CertificateParams::new(vec!["voice.example".to_owned()]).unwrap();
        let mut subject = DistinguishedName::new();
        for (kind, value) in names {
            subject.push(kind.clone(), *value);
        }
        params.distinguished_name = subject;
        params.serial_number = Some(vec![0xF2, 0x34].into());
        params.self_signed(&key).unwrap().der().to_vec()
    }

    fn three_names() -> Vec<(DnType, &'static str)> {
        vec![
            (DnType::CountryName, "DE"),
            (DnType::OrganizationName, "Müller, Söhne"),
            (DnType::OrganizationalUnitName, "#1"),
            (DnType::CommonName, " voice+"),
        ]
    }

    #[test]
    fn a_certificate_is_read_with_its_names_the_last_part_first() {
        let der = made(&three_names(), &rcgen::PKCS_ECDSA_P256_SHA256);
        let certificate = read(&der).unwrap();
        assert_eq!(
            certificate.subject(),
            "CN=\\ voice\\+,OU=\\#1,O=Müller\\, Söhne,C=DE"
        );
        assert_eq!(certificate.issuer(), certificate.subject());
        assert_eq!(certificate.serial(), [0xF2, 0x34]);
        assert_eq!(certificate.der(), der);
        let PublicKey::EllipticCurve { curve, point } = certificate.public_key() else {
            panic!("not an EC key");
        };
        assert_eq!((*curve, point.len()), (Curve::P256, 65));
        assert!(certificate.signature().starts_with(&[0x30]));
    }

    #[test]
    fn a_certificate_that_phones_cannot_use_says_why() {
        let without_unit: Vec<_> = three_names()
            .into_iter()
            .filter(|(kind, _)| *kind != DnType::OrganizationalUnitName)
            .collect();
        let der = made(&without_unit, &rcgen::PKCS_ECDSA_P384_SHA384);
        assert!(read(&der).unwrap_err().to_string().contains("no OU"));
        let der = made(&three_names(), &rcgen::PKCS_ED25519);
        assert_eq!(read(&der), Err(X509Error::UnknownKey));
        assert_eq!(read(b"-----BEGIN"), Err(X509Error::NotACertificate));
    }

    #[test]
    fn cut_or_changed_bytes_never_panic() {
        let der = made(&three_names(), &rcgen::PKCS_ECDSA_P256_SHA256);
        for end in 0..der.len() {
            assert!(read(&der[..end]).is_err(), "{end}");
        }
        for at in 0..der.len() {
            for flip in [0xFF, 0x80, 0x01] {
                let mut changed = der.clone();
                changed[at] ^= flip;
                let _ = read(&changed);
            }
        }
    }

    #[test]
    fn unknown_attributes_are_dotted_numbers() {
        assert_eq!(attribute(&[0x55, 0x04, 0x0A]).unwrap(), "O");
        assert_eq!(attribute(&[0x2A, 0x86, 0x48, 0x01]).unwrap(), "1.2.840.1");
        assert_eq!(attribute(&[0x88, 0x37, 0x03]).unwrap(), "2.999.3");
    }
}
