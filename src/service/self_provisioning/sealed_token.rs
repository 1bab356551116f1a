//! The token that carries a login from the confirm screen to *Continue*, and its like for a change
//! of PIN and a release.
//!
//! It names the phone and the user, and a keyed digest binds it to everything that must still hold
//! when it comes back: address, extension shown, credential version, authentication mode. No node
//! keeps anything for it, so it works on every node. Nothing in it is secret; it cannot be made or
//! changed without the key file. Identities are 16 bytes, so that URL and token stay below what a
//! phone takes (256 bytes with host names up to 64).

use std::net::IpAddr;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::Digest as _;
use sha2::Sha256;

use crate::domain::directory_number::DirectoryNumber;
use crate::domain::pkid::Pkid;
use crate::domain::self_provisioning::AuthenticationMode;
use crate::domain::self_provisioning::Proof;
use crate::domain::time::UnixMillis;
use crate::service::keys::Keys;
use crate::service::keys::KeysError;
use crate::service::keys::Purpose;

/// How long a token lives: time to read a screen and press a key.
pub(in crate::service) const LIFETIME: Duration = Duration::from_mins(3);

/// Bytes of the digest over what the token is bound to.
const BOUND_BYTES: usize = 8;
/// Bytes of the keyed digest.
const TAG_BYTES: usize = 16;
/// Bytes of what the keyed digest covers: two identities, a time, a proof, the bound digest.
const BODY_BYTES: usize = 16 + 16 + 6 + 1 + BOUND_BYTES;

/// What a token says by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::service) struct Token {
    /// The device row it was made for.
    pub device: Pkid,
    /// The user who logged in; in a token of an activation, the code.
    pub user: Pkid,
    /// When it ends.
    pub expires_at: UnixMillis,
    /// What the user had shown.
    pub proof: Proof,
    bound: [u8; BOUND_BYTES],
}

/// What must be the same when the token comes back.
#[derive(Debug, Clone, Copy)]
pub(in crate::service) struct Bound<'a> {
    /// The address the phone asks from.
    pub source: IpAddr,
    /// The extension shown, if any.
    pub extension: Option<&'a DirectoryNumber>,
    /// The version of the PIN; 0 where there is none. Of an activation, that of the device.
    pub credential_version: i64,
    /// The authentication mode.
    pub mode: AuthenticationMode,
}

impl Bound<'_> {
    fn digest(&self) -> [u8; BOUND_BYTES] {
        let mut digest = Sha256::new();
        digest.update(self.source.to_canonical().to_string());
        digest.update([0]);
        digest.update(self.extension.map_or("", DirectoryNumber::as_str));
        digest.update([0]);
        digest.update(self.credential_version.to_be_bytes());
        digest.update([self.mode.to_byte()]);
        let full: [u8; 32] = digest.finalize().into();
        full.first_chunk().copied().unwrap_or_default()
    }
}

impl Token {
    /// A token for a login that has just succeeded.
    pub(in crate::service) fn new(
        device: Pkid,
        user: Pkid,
        proof: Proof,
        bound: &Bound,
        now: UnixMillis,
    ) -> Self {
        Self {
            device,
            user,
            expires_at: now.plus(LIFETIME),
            proof,
            bound: bound.digest(),
        }
    }

    /// Whether everything it was bound to is still the same.
    pub(in crate::service) fn is_bound_to(&self, bound: &Bound) -> bool {
        self.bound == bound.digest()
    }

    /// The token as text for a URL.
    ///
    /// # Errors
    ///
    /// [`KeysError`] never in practice.
    pub(in crate::service) fn seal(
        &self,
        keys: &Keys,
        purpose: Purpose,
    ) -> Result<String, KeysError> {
        let expires = self.expires_at.0.to_be_bytes();
        let mut bytes = Vec::with_capacity(BODY_BYTES + TAG_BYTES);
        bytes.extend_from_slice(self.device.as_bytes());
        bytes.extend_from_slice(self.user.as_bytes());
        // Six bytes of milliseconds reach beyond the year 10000.
        bytes.extend(expires.iter().skip(2));
        bytes.push(proof_byte(self.proof));
        bytes.extend_from_slice(&self.bound);
        let tag = keys.sign(purpose, &bytes)?;
        bytes.extend(tag.iter().take(TAG_BYTES));
        Ok(URL_SAFE_NO_PAD.encode(bytes))
    }

    /// Reads a token that [`Token::seal`] gave for the same purpose and that is still alive;
    /// `None` for anything else.
    pub(in crate::service) fn open(
        text: &str,
        keys: &Keys,
        purpose: Purpose,
        now: UnixMillis,
    ) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (body, tag) = bytes.split_at_checked(BODY_BYTES)?;
        if tag.len() != TAG_BYTES || !keys.verify(purpose, body, tag) {
            return None;
        }
        let (device, rest) = body.split_first_chunk::<16>()?;
        let (user, rest) = rest.split_first_chunk::<16>()?;
        let (expires, rest) = rest.split_first_chunk::<6>()?;
        let (proof, rest) = rest.split_first()?;
        let expires = expires
            .iter()
            .fold(0_i64, |value, byte| (value << 8) | i64::from(*byte));
        let token = Self {
            device: Pkid::from_bytes(*device),
            user: Pkid::from_bytes(*user),
            expires_at: UnixMillis(expires),
            proof: proof_of(*proof)?,
            bound: *rest.first_chunk()?,
        };
        (now < token.expires_at).then_some(token)
    }
}

/// A digest of a token's text, under which its result is kept.
pub(in crate::service) fn fingerprint(text: &str) -> Box<str> {
    let digest: [u8; 32] = Sha256::digest(text.as_bytes()).into();
    URL_SAFE_NO_PAD.encode(digest).into_boxed_str()
}

const fn proof_byte(proof: Proof) -> u8 {
    match proof {
        Proof::Nothing => 0,
        Proof::Pin { must_change: false } => 1,
        Proof::Pin { must_change: true } => 2,
        Proof::AuthenticationCode => 3,
    }
}

fn proof_of(byte: u8) -> Option<Proof> {
    [
        Proof::Nothing,
        Proof::Pin { must_change: false },
        Proof::Pin { must_change: true },
        Proof::AuthenticationCode,
    ]
    .into_iter()
    .find(|proof| proof_byte(*proof) == byte)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::environment::fixed;

    const NOW: UnixMillis = UnixMillis(1_795_000_000_000);
    const PURPOSE: Purpose = Purpose::ConfirmToken;

    fn keys(byte: u8) -> Keys {
        Keys::new(&[byte; 32], fixed::environment(5)).unwrap()
    }

    fn bound(extension: &DirectoryNumber) -> Bound<'_> {
        Bound {
            source: "192.0.2.7".parse().unwrap(),
            extension: Some(extension),
            credential_version: 4,
            mode: AuthenticationMode::UsersOnly,
        }
    }

    fn token(proof: Proof) -> Token {
        let extension = "1004".parse().unwrap();
        let (device, user) = (Pkid::from_u128(77), Pkid::from_u128(88));
        Token::new(device, user, proof, &bound(&extension), NOW)
    }

    #[test]
    fn a_token_comes_back_as_it_went() {
        for proof in [
            Proof::Nothing,
            Proof::Pin { must_change: false },
            Proof::Pin { must_change: true },
            Proof::AuthenticationCode,
        ] {
            let token = token(proof);
            let text = token.seal(&keys(1), PURPOSE).unwrap();
            assert_eq!(Token::open(&text, &keys(1), PURPOSE, NOW), Some(token));
        }
    }

    #[test]
    fn it_is_short_enough_for_the_longest_host_name() {
        let text = token(Proof::Nothing).seal(&keys(1), PURPOSE).unwrap();
        let url = format!(
            "https://{}:65535/cucm-uds/private/selfProvision?name=SEP0011AABBCCDD&step=confirm&token={text}",
            "h".repeat(64)
        );
        assert!(url.len() < 256, "{}", url.len());
    }

    #[test]
    fn it_ends_after_three_minutes() {
        let text = token(Proof::Nothing).seal(&keys(1), PURPOSE).unwrap();
        let open = |ms| Token::open(&text, &keys(1), PURPOSE, UnixMillis(NOW.0 + ms));
        assert!(open(179_999).is_some());
        assert!(open(180_000).is_none());
    }

    #[test]
    fn a_changed_cut_or_foreign_token_is_none() {
        let text = token(Proof::Nothing).seal(&keys(1), PURPOSE).unwrap();
        for index in 0..text.len() {
            let mut bytes = text.clone().into_bytes();
            bytes[index] = if bytes[index] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(bytes).unwrap();
            assert_eq!(
                Token::open(&changed, &keys(1), PURPOSE, NOW),
                None,
                "{index}"
            );
            assert_eq!(Token::open(&text[..index], &keys(1), PURPOSE, NOW), None);
        }
        assert_eq!(Token::open(&text, &keys(2), PURPOSE, NOW), None);
        assert_eq!(
            Token::open(&text, &keys(1), Purpose::ChangePinToken, NOW),
            None
        );
    }

    #[test]
    fn it_is_bound_to_address_extension_credential_and_mode() {
        let (extension, other): (DirectoryNumber, DirectoryNumber) =
            ("1004".parse().unwrap(), "1005".parse().unwrap());
        let token = token(Proof::Nothing);
        assert!(token.is_bound_to(&bound(&extension)));
        let mapped = Bound {
            source: "::ffff:192.0.2.7".parse().unwrap(),
            ..bound(&extension)
        };
        assert!(token.is_bound_to(&mapped));
        for changed in [
            bound(&other),
            Bound {
                extension: None,
                ..bound(&extension)
            },
            Bound {
                source: "192.0.2.8".parse().unwrap(),
                ..bound(&extension)
            },
            Bound {
                credential_version: 5,
                ..bound(&extension)
            },
            Bound {
                mode: AuthenticationMode::NotRequired,
                ..bound(&extension)
            },
        ] {
            assert!(!token.is_bound_to(&changed), "{changed:?}");
        }
    }
}
