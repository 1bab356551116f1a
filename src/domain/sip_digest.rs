//! The arithmetic of digest authentication, as phones do it over SIP.
//!
//! Source: RFC 7616 clause 3.4 (RFC 2617 for MD5), RFC 8760 for SHA-256 in SIP.

use std::fmt;
use std::hint::black_box;

use md5::Md5;
use sha2::digest::Output;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::domain::secret::Secret;

/// The hash function of a challenge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DigestAlgorithm {
    /// `MD5`, the only one that Cisco phones know.
    Md5,
    /// `SHA-256`.
    Sha256,
}

impl DigestAlgorithm {
    /// The token in challenges and credentials.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Md5 => "MD5",
            Self::Sha256 => "SHA-256",
        }
    }

    /// Reads a token without regard to case; `None` for an algorithm the program does not do.
    pub fn from_token(token: &str) -> Option<Self> {
        [Self::Md5, Self::Sha256]
            .into_iter()
            .find(|algorithm| algorithm.as_str().eq_ignore_ascii_case(token))
    }

    /// The hash of the parts with colons between them, in lower-case hexadecimal.
    fn hash(self, parts: &[&[u8]]) -> Hex {
        match self {
            Self::Md5 => Hex::of(&hash_joined::<Md5>(parts)),
            Self::Sha256 => Hex::of(&hash_joined::<Sha256>(parts)),
        }
    }
}

impl fmt::Display for DigestAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

fn hash_joined<D: Digest>(parts: &[&[u8]]) -> Output<D> {
    let mut hasher = D::new();
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            hasher.update(b":");
        }
        hasher.update(part);
    }
    hasher.finalize()
}

/// A hash in hexadecimal, on the stack: a REGISTER needs three of them.
#[derive(Clone, Copy)]
struct Hex {
    digits: [u8; 64],
    length: usize,
}

impl Hex {
    fn of(hash: &[u8]) -> Self {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut digits = [0; 64];
        let digit = |value: u8| DIGITS.get(usize::from(value)).copied().unwrap_or(b'0');
        for (pair, byte) in digits.chunks_exact_mut(2).zip(hash) {
            pair.copy_from_slice(&[digit(byte >> 4), digit(byte & 15)]);
        }
        Self {
            digits,
            length: hash.len() * 2,
        }
    }

    fn as_bytes(&self) -> &[u8] {
        self.digits.get(..self.length).unwrap_or_default()
    }

    fn text(&self) -> String {
        self.as_bytes().iter().copied().map(char::from).collect()
    }
}

/// H(user:realm:password): what a server needs to verify a digest, and as good as the password
/// within the realm, hence a secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Ha1(Hash);

/// The bytes of a hash. Nearly all are of MD5, and every phone has one: the longer are boxed.
#[derive(Clone, PartialEq, Eq)]
enum Hash {
    Md5(Zeroizing<[u8; 16]>),
    Sha256(Box<Zeroizing<[u8; 32]>>),
}

impl fmt::Debug for Ha1 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Ha1")
            .field(&self.algorithm())
            .finish_non_exhaustive()
    }
}

impl Ha1 {
    /// Computes it from the clear password.
    pub fn compute(algorithm: DigestAlgorithm, user: &str, realm: &str, password: &Secret) -> Self {
        let parts = [
            user.as_bytes(),
            realm.as_bytes(),
            password.reveal().as_bytes(),
        ];
        Self(match algorithm {
            DigestAlgorithm::Md5 => Hash::Md5(Zeroizing::new(hash_joined::<Md5>(&parts).into())),
            DigestAlgorithm::Sha256 => Hash::Sha256(Box::new(Zeroizing::new(
                hash_joined::<Sha256>(&parts).into(),
            ))),
        })
    }

    /// The algorithm.
    pub const fn algorithm(&self) -> DigestAlgorithm {
        match self.0 {
            Hash::Md5(_) => DigestAlgorithm::Md5,
            Hash::Sha256(_) => DigestAlgorithm::Sha256,
        }
    }

    /// The response a holder of the password gives to this challenge, in hexadecimal.
    pub fn response(&self, request: &DigestRequest<'_>) -> String {
        self.compute_response(request).text()
    }

    /// Whether `response` is right. The time does not depend on where it differs.
    pub fn verify(&self, request: &DigestRequest<'_>, response: &[u8]) -> bool {
        let expected = self.compute_response(request);
        let expected = expected.as_bytes();
        if expected.len() != response.len() {
            return false;
        }
        let difference = expected
            .iter()
            .zip(response)
            .fold(0, |difference, (ours, theirs)| {
                black_box(difference | (ours ^ theirs.to_ascii_lowercase()))
            });
        difference == 0
    }

    fn compute_response(&self, request: &DigestRequest<'_>) -> Hex {
        let ha1 = match &self.0 {
            Hash::Md5(hash) => Hex::of(&**hash),
            Hash::Sha256(hash) => Hex::of(&***hash),
        };
        let ha1 = ha1.as_bytes();
        let algorithm = self.algorithm();
        let ha2 = algorithm.hash(&[request.method, request.uri]);
        match request.counted {
            None => algorithm.hash(&[ha1, request.nonce, ha2.as_bytes()]),
            Some(CountedNonce {
                count,
                client_nonce,
            }) => {
                let parts = [
                    ha1,
                    request.nonce,
                    count,
                    client_nonce,
                    b"auth",
                    ha2.as_bytes(),
                ];
                algorithm.hash(&parts)
            }
        }
    }
}

/// What goes into a response beside the password.
#[derive(Debug, Clone, Copy)]
pub struct DigestRequest<'a> {
    /// The request's method.
    pub method: &'a [u8],
    /// The `uri` parameter, which need not be the Request-URI byte for byte.
    pub uri: &'a [u8],
    /// The server's nonce.
    pub nonce: &'a [u8],
    /// Present with `qop=auth`, absent in the form of RFC 2069.
    pub counted: Option<CountedNonce<'a>>,
}

/// What `qop=auth` adds.
#[derive(Debug, Clone, Copy)]
pub struct CountedNonce<'a> {
    /// The `nc` parameter: eight hexadecimal digits, as written.
    pub count: &'a [u8],
    /// The `cnonce` parameter.
    pub client_nonce: &'a [u8],
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 7616 clause 3.9.1.
    fn example<'a>(nonce: &'a [u8], client_nonce: &'a [u8]) -> DigestRequest<'a> {
        let counted = Some(CountedNonce {
            count: b"00000001",
            client_nonce,
        });
        DigestRequest {
            method: b"GET",
            uri: b"/dir/index.html",
            nonce,
            counted,
        }
    }

    #[test]
    fn the_examples_of_rfc_7616_come_out() {
        let nonce = b"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v";
        let cnonce = b"f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";
        let request = example(nonce, cnonce);
        for (algorithm, expected) in [
            (DigestAlgorithm::Md5, "8ca523f5e9506fed4657c9700eebdbec"),
            (
                DigestAlgorithm::Sha256,
                "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1",
            ),
        ] {
            let realm = "http-auth@example.org";
            let ha1 = Ha1::compute(algorithm, "Mufasa", realm, &Secret::from("Circle of Life"));
            assert_eq!(ha1.response(&request), expected);
            assert!(ha1.verify(&request, expected.as_bytes()));
            assert!(ha1.verify(&request, expected.to_uppercase().as_bytes()));
            assert!(!ha1.verify(&request, &expected.as_bytes()[1..]));
            assert!(!ha1.verify(&request, expected.replace('3', "4").as_bytes()));
        }
    }

    #[test]
    fn the_form_without_qop_comes_out() {
        // RFC 2617's example user with the arithmetic of RFC 2069.
        let ha1 = Ha1::compute(
            DigestAlgorithm::Md5,
            "Mufasa",
            "testrealm@host.com",
            &Secret::from("Circle Of Life"),
        );
        let nonce = b"dcd98b7102dd2f0e8b11d0f600bfb0c093";
        let request = DigestRequest {
            counted: None,
            ..example(nonce, b"")
        };
        assert_eq!(ha1.response(&request), "670fd8c2df070c60b045671b8b24ff02");
    }

    /// The definition of RFC 7616 clause 3.4.1 in one line each, over strings.
    fn by_definition(algorithm: DigestAlgorithm, parts: [&str; 8]) -> String {
        let hash = |text: String| {
            let digest = match algorithm {
                DigestAlgorithm::Md5 => Md5::digest(text).to_vec(),
                DigestAlgorithm::Sha256 => Sha256::digest(text).to_vec(),
            };
            let digits = digest.iter().map(|byte| format!("{byte:02x}"));
            digits.collect::<String>()
        };
        let [user, realm, password, method, uri, nonce, count, cnonce] = parts;
        let ha1 = hash(format!("{user}:{realm}:{password}"));
        let ha2 = hash(format!("{method}:{uri}"));
        hash(format!("{ha1}:{nonce}:{count}:{cnonce}:auth:{ha2}"))
    }

    proptest::proptest! {
        #[test]
        fn a_response_is_right_for_its_own_algorithm_and_parts_alone(
            user in "\\PC{0,20}",
            password in "\\PC{0,40}",
            uri in "[!-~]{1,30}",
            nonce in "[!-~]{1,40}",
            other in "\\PC{1,20}",
        ) {
            let realm = "ccmsipline";
            for algorithm in [DigestAlgorithm::Md5, DigestAlgorithm::Sha256] {
                let secret = Secret::from(password.as_str());
                let ha1 = Ha1::compute(algorithm, &user, realm, &secret);
                let counted = Some(CountedNonce { count: b"00000001", client_nonce: b"c1" });
                let (uri, nonce) = (uri.as_bytes(), nonce.as_bytes());
                let request = DigestRequest { method: b"REGISTER", uri, nonce, counted };
                let text = |bytes| std::str::from_utf8(bytes).unwrap();
                let parts = [
                    &user, realm, &password, "REGISTER", text(uri), text(nonce), "00000001", "c1",
                ];
                let expected = by_definition(algorithm, parts);
                proptest::prop_assert_eq!(ha1.response(&request), &*expected);
                proptest::prop_assert!(ha1.verify(&request, expected.as_bytes()));
                let invite = DigestRequest { method: b"INVITE", ..request };
                proptest::prop_assert!(!ha1.verify(&invite, expected.as_bytes()));
                let wrong = Secret::from(format!("{password}{other}").as_str());
                let wrong = Ha1::compute(algorithm, &user, realm, &wrong);
                proptest::prop_assert!(!wrong.verify(&request, expected.as_bytes()));
                let another = match algorithm {
                    DigestAlgorithm::Md5 => DigestAlgorithm::Sha256,
                    DigestAlgorithm::Sha256 => DigestAlgorithm::Md5,
                };
                let another = Ha1::compute(another, &user, realm, &secret);
                proptest::prop_assert!(!another.verify(&request, expected.as_bytes()));
            }
        }
    }

    #[test]
    fn tokens_are_those_of_rfc_8760_and_a_session_variant_is_none() {
        for (token, algorithm) in [
            ("SHA-256", Some(DigestAlgorithm::Sha256)),
            ("sha-256", Some(DigestAlgorithm::Sha256)),
            ("MD5", Some(DigestAlgorithm::Md5)),
            ("MD5-sess", None),
            ("SHA-256-sess", None),
            ("SHA-512-256", None),
            ("SHA256", None),
        ] {
            assert_eq!(DigestAlgorithm::from_token(token), algorithm, "{token}");
        }
    }

    #[test]
    fn every_nonce_count_is_counted_in_hexadecimal() {
        let ha1 = Ha1::compute(DigestAlgorithm::Md5, "u", "r", &Secret::from("p"));
        let response = |count: &[u8]| {
            let counted = Some(CountedNonce {
                count,
                client_nonce: b"c",
            });
            ha1.response(&DigestRequest {
                counted,
                ..example(b"n", b"c")
            })
        };
        assert_ne!(response(b"0000000a"), response(b"00000010"));
    }
}
