//! Argon2id hashes as PHC strings: how they are written, read and compared.
//!
//! Source: RFC 9106; the PHC string format; OWASP's least set for argon2id.

use argon2::Algorithm;
use argon2::Argon2;
use argon2::Block;
use argon2::Params;
use argon2::Version;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;

use crate::domain::secret::Secret;

/// Memory of our own hashes, in KiB: 19 MiB, kept by each hashing thread.
const MEMORY_KIB: u32 = 19_456;
/// Passes over the memory of our own hashes.
const PASSES: u32 = 2;
/// Lanes of our own hashes: more give nothing to one thread.
const LANES: u32 = 1;
/// Bytes of salt of our own hashes.
pub const SALT_BYTES: usize = 16;
/// Bytes of our own hashes.
const HASH_BYTES: usize = 32;
/// Most memory of a hash made elsewhere, in KiB: an import must not take the machine's memory.
const FOREIGN_MEMORY_KIB_MAX: u32 = 65_536;
/// Most passes of a hash made elsewhere: an import must not take the threads' time.
const FOREIGN_PASSES_MAX: u32 = 10;
/// Most lanes of a hash made elsewhere.
const FOREIGN_LANES_MAX: u32 = 8;

/// A hash that matches nothing and costs as much as a real one: 32 zero bytes that no secret
/// gives. Compared against where there is no user, so that the answer takes the same time.
pub const DUMMY: &str = "$argon2id$v=19$m=19456,t=2,p=1$c2VsZnByb3YtZHVtbXk$\
                         AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// The memory that a thread computes in, kept between hashes.
#[derive(Default)]
pub struct Memory(Vec<Block>);

impl Memory {
    fn at_least(&mut self, blocks: usize) -> &mut [Block] {
        if self.0.len() < blocks {
            self.0.resize(blocks, Block::default());
        }
        self.0.get_mut(..blocks).unwrap_or_default()
    }

    /// Gives back what a larger foreign hash made it grow to.
    fn shrink(&mut self) {
        let usual = usize::try_from(MEMORY_KIB).unwrap_or(usize::MAX);
        if self.0.len() > usual {
            self.0.truncate(usual);
            self.0.shrink_to_fit();
        }
    }
}

/// The text is not a hash this program can check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a credential's hash is an argon2id PHC string with at most 64 MiB, 10 passes and 8 lanes; set \
     the credential anew"
)]
pub struct UnreadableHash;

/// A hash taken apart.
struct Parsed {
    params: Params,
    salt: Vec<u8>,
    hash: Vec<u8>,
}

fn parse(phc: &str) -> Option<Parsed> {
    let mut fields = phc.strip_prefix("$argon2id$v=19$")?.split('$');
    let (params, salt, hash) = (fields.next()?, fields.next()?, fields.next()?);
    if fields.next().is_some() {
        return None;
    }
    let mut numbers = params.split(',');
    let mut number = |name: &str, most: u32| -> Option<u32> {
        let number = numbers.next()?.strip_prefix(name)?.strip_prefix('=')?;
        number.parse().ok().filter(|number| *number <= most)
    };
    let memory = number("m", FOREIGN_MEMORY_KIB_MAX)?;
    let passes = number("t", FOREIGN_PASSES_MAX)?;
    let lanes = number("p", FOREIGN_LANES_MAX)?;
    let salt = STANDARD_NO_PAD.decode(salt).ok()?;
    let hash = STANDARD_NO_PAD.decode(hash).ok()?;
    let params = Params::new(memory, passes, lanes, Some(hash.len())).ok()?;
    (salt.len() >= argon2::MIN_SALT_LEN).then_some(Parsed { params, salt, hash })
}

fn compute(
    params: Params,
    salt: &[u8],
    secret: &Secret,
    length: usize,
    memory: &mut Memory,
) -> Result<Vec<u8>, UnreadableHash> {
    let mut hash = vec![0; length];
    let blocks = params.block_count();
    let computed = Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into_with_memory(
            secret.reveal().as_bytes(),
            salt,
            &mut hash,
            memory.at_least(blocks),
        );
    memory.shrink();
    computed.map(|()| hash).map_err(|_| UnreadableHash)
}

/// Hashes a secret, as a PHC string.
///
/// # Errors
///
/// [`UnreadableHash`] never in practice: the parameters are ours.
pub fn hash(
    secret: &Secret,
    salt: &[u8; SALT_BYTES],
    memory: &mut Memory,
) -> Result<Box<str>, UnreadableHash> {
    let params =
        Params::new(MEMORY_KIB, PASSES, LANES, Some(HASH_BYTES)).map_err(|_| UnreadableHash)?;
    let hash = compute(params, salt, secret, HASH_BYTES, memory)?;
    let (salt, hash) = (STANDARD_NO_PAD.encode(salt), STANDARD_NO_PAD.encode(hash));
    let phc = format!("$argon2id$v=19$m={MEMORY_KIB},t={PASSES},p={LANES}${salt}${hash}");
    Ok(phc.into_boxed_str())
}

/// Whether a secret is the one that was hashed.
///
/// # Errors
///
/// [`UnreadableHash`] when the text is not a hash this program can check.
pub fn verify(secret: &Secret, phc: &str, memory: &mut Memory) -> Result<bool, UnreadableHash> {
    let Parsed { params, salt, hash } = parse(phc).ok_or(UnreadableHash)?;
    let computed = compute(params, &salt, secret, hash.len(), memory)?;
    // Every byte is looked at, so that the time tells nothing.
    let difference = computed
        .iter()
        .zip(&hash)
        .fold(0, |difference, (left, right)| difference | (left ^ right));
    Ok(difference == 0 && computed.len() == hash.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_knows_its_secret_and_no_other() {
        let mut memory = Memory::default();
        let phc = hash(&Secret::from("8362"), &[7; SALT_BYTES], &mut memory).unwrap();
        assert!(phc.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        assert_eq!(verify(&Secret::from("8362"), &phc, &mut memory), Ok(true));
        assert_eq!(verify(&Secret::from("8363"), &phc, &mut memory), Ok(false));
        assert_eq!(verify(&Secret::from(""), &phc, &mut memory), Ok(false));
    }

    #[test]
    fn the_dummy_is_read_and_matches_nothing() {
        let mut memory = Memory::default();
        for secret in ["", "0000", "8362"] {
            assert_eq!(verify(&Secret::from(secret), DUMMY, &mut memory), Ok(false));
        }
    }

    #[test]
    fn a_hash_made_elsewhere_is_checked_within_limits() {
        // Made by the reference implementation: `echo -n password | argon2 somesalt -id -t 2 -m 16`.
        let reference = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$\
                         CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
        let mut memory = Memory::default();
        let right = verify(&Secret::from("password"), reference, &mut memory);
        assert_eq!(right, Ok(true));
        assert!(memory.0.len() <= 19_456);
        for bad in [
            "",
            "8362",
            "$2y$10$abcdefghijklmnopqrstuv",
            "$argon2i$v=19$m=19456,t=2,p=1$c29tZXNhbHQ$AAAA",
            "$argon2id$v=19$m=1048576,t=2,p=1$c29tZXNhbHQ$AAAAAAAAAAA",
            "$argon2id$v=19$m=19456,t=99,p=1$c29tZXNhbHQ$AAAAAAAAAAA",
            "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQ$AAAAAAAAAAA$x",
        ] {
            let refused = verify(&Secret::from("password"), bad, &mut memory);
            assert!(refused.is_err(), "{bad}");
        }
    }
}
