//! Elements of DER, as certificates and keys are written in it.
//!
//! Source: X.690 clause 8.1 (identifier, length, contents).

/// Tag of a sequence.
pub const SEQUENCE: u8 = 0x30;

/// Bytes that a length may take: four hold any length that memory has.
const LENGTH_BYTES_MAX: usize = 4;

/// Tag, contents and what follows the first element of `der`.
pub fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = der.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = if first < 0x80 {
        (usize::from(first), rest)
    } else {
        let (bytes, rest) = rest.split_at_checked(usize::from(first & 0x7F))?;
        if bytes.len() > LENGTH_BYTES_MAX {
            return None;
        }
        let length = bytes
            .iter()
            .fold(0_usize, |sum, byte| (sum << 8) | usize::from(*byte));
        (length, rest)
    };
    let (contents, rest) = rest.split_at_checked(length)?;
    Some((tag, contents, rest))
}

/// Contents and what follows the first element of `der`, which must have this tag.
pub fn expect(tag: u8, der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (found, contents, rest) = element(der)?;
    (found == tag).then_some((contents, rest))
}
