//! A certificate as a record of a trust list needs it: read by others, judged here.

/// Longest certificate in bytes. Those of 2048-bit keys have 800 to 1,800.
pub const CERTIFICATE_BYTES_MAX: usize = 8 << 10;

/// Longest RSA key that phones verify with, in bits. Source: the phones' rules for trust lists.
const RSA_BITS_MAX: u32 = 2_048;

/// Shortest RSA key that is any protection, in bits.
const RSA_BITS_MIN: u32 = 1_024;

/// An elliptic curve that phones know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Curve {
    /// P-256.
    P256,
    /// P-384.
    P384,
    /// P-521.
    P521,
}

/// A public key, in the form of a list's record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PublicKey {
    /// RSA.
    Rsa {
        /// Length of the modulus in bits.
        bits: u32,
        /// `RSAPublicKey` in DER. Source: RFC 8017 A.1.1.
        der: Vec<u8>,
    },
    /// Elliptic curve.
    EllipticCurve {
        /// The curve.
        curve: Curve,
        /// The point, uncompressed: 4, x, y. Source: SEC 1 2.3.3.
        point: Vec<u8>,
    },
}

/// What was read of a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateParts {
    /// The certificate in DER.
    pub der: Vec<u8>,
    /// Subject as RFC 4514 writes it: `CN=…,OU=…,O=…`.
    pub subject: String,
    /// Names of the attributes of the subject: `CN`, `O`, `OU`; others may be dotted numbers.
    pub subject_attributes: Vec<String>,
    /// Issuer as RFC 4514 writes it.
    pub issuer: String,
    /// Serial number as an unsigned number, big end first, without zeros in front.
    pub serial: Vec<u8>,
    /// Public key.
    pub public_key: PublicKey,
    /// Signature of the issuer.
    pub signature: Vec<u8>,
}

/// A certificate that phones take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate(CertificateParts);

/// Why phones would not take a certificate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unsuitable {
    /// A part of the name is missing.
    #[error("its subject has no {0}; phones want CN, O and OU in it")]
    NoAttribute(&'static str),
    /// An RSA key that is too long or too short.
    #[error("its RSA key has {0} bits; phones take 1024 to 2048")]
    RsaBits(u32),
    /// Longer than phones take.
    #[error("it is longer than {CERTIFICATE_BYTES_MAX} bytes")]
    TooLong,
}

impl Certificate {
    /// Judges what was read.
    ///
    /// # Errors
    ///
    /// [`Unsuitable`] says what phones would not like.
    pub fn new(parts: CertificateParts) -> Result<Self, Unsuitable> {
        for attribute in ["CN", "O", "OU"] {
            if !parts.subject_attributes.iter().any(|has| has == attribute) {
                return Err(Unsuitable::NoAttribute(attribute));
            }
        }
        if let PublicKey::Rsa { bits, .. } = parts.public_key
            && !(RSA_BITS_MIN..=RSA_BITS_MAX).contains(&bits)
        {
            return Err(Unsuitable::RsaBits(bits));
        }
        if parts.der.len() > CERTIFICATE_BYTES_MAX {
            return Err(Unsuitable::TooLong);
        }
        Ok(Self(parts))
    }

    /// The certificate in DER.
    pub fn der(&self) -> &[u8] {
        &self.0.der
    }

    /// Subject as RFC 4514 writes it.
    pub fn subject(&self) -> &str {
        &self.0.subject
    }

    /// Issuer as RFC 4514 writes it.
    pub fn issuer(&self) -> &str {
        &self.0.issuer
    }

    /// Serial number as an unsigned number, big end first, without zeros in front.
    pub fn serial(&self) -> &[u8] {
        &self.0.serial
    }

    /// Public key.
    pub const fn public_key(&self) -> &PublicKey {
        &self.0.public_key
    }

    /// Signature of the issuer.
    pub fn signature(&self) -> &[u8] {
        &self.0.signature
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in super::super) fn rsa(bits: u32) -> PublicKey {
        PublicKey::Rsa {
            bits,
            der: vec![1; 20],
        }
    }

    pub(in super::super) fn ec() -> PublicKey {
        PublicKey::EllipticCurve {
            curve: Curve::P256,
            point: vec![4; 65],
        }
    }

    fn parts(subject: &str, public_key: PublicKey) -> CertificateParts {
        let attributes = subject.split(',').filter_map(|part| part.split('=').next());
        CertificateParts {
            der: format!("der of {subject}").into_bytes(),
            subject: subject.to_owned(),
            subject_attributes: attributes.map(str::to_owned).collect(),
            issuer: subject.to_owned(),
            serial: vec![1],
            public_key,
            signature: vec![2; 256],
        }
    }

    pub(in super::super) fn certificate(subject: &str, public_key: PublicKey) -> Certificate {
        Certificate::new(parts(subject, public_key)).unwrap()
    }

    #[test]
    fn a_certificate_needs_three_names_and_a_key_that_phones_can_use() {
        let judge = |subject, key| Certificate::new(parts(subject, key)).map(|_| ());
        assert_eq!(judge("CN=a,OU=b,O=c", rsa(2_048)), Ok(()));
        assert_eq!(judge("CN=a,OU=b,O=c", ec()), Ok(()));
        assert_eq!(judge("CN=a", ec()), Err(Unsuitable::NoAttribute("O")));
        assert_eq!(judge("OU=a,O=c", ec()), Err(Unsuitable::NoAttribute("CN")));
        assert_eq!(judge("CN=a,O=c", ec()), Err(Unsuitable::NoAttribute("OU")));
        for bits in [512, 4_096] {
            let judged = judge("CN=a,OU=b,O=c", rsa(bits));
            assert_eq!(judged, Err(Unsuitable::RsaBits(bits)));
        }
        let mut long = parts("CN=a,OU=b,O=c", ec());
        long.der = vec![0; CERTIFICATE_BYTES_MAX + 1];
        assert_eq!(Certificate::new(long), Err(Unsuitable::TooLong));
    }
}
