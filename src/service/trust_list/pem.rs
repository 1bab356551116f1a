//! PEM: the blocks of a file that holds a key and its certificate.
//!
//! Source: RFC 7468.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

/// Longest file that is read, in bytes: a key and its certificate have 4,000.
pub(super) const FILE_BYTES_MAX: usize = 64 << 10;

/// Most blocks in a file.
const BLOCKS_MAX: usize = 16;

/// Characters in a line of base64.
const LINE_LENGTH: usize = 64;

/// A block: what stands after `BEGIN`, and its contents.
pub(super) struct Block {
    pub(super) label: String,
    pub(super) der: Zeroizing<Vec<u8>>,
}

/// Writes a block.
pub(super) fn write(label: &str, der: &[u8]) -> String {
    let encoded = Zeroizing::new(STANDARD.encode(der));
    let mut text = format!("-----BEGIN {label}-----\n");
    let mut rest = encoded.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(LINE_LENGTH));
        text.push_str(line);
        text.push('\n');
        rest = after;
    }
    let _ = writeln!(text, "-----END {label}-----");
    text
}

/// The blocks of a file, or nothing when one is damaged or there are too many. Text around them is
/// passed over.
pub(super) fn read(text: &str) -> Option<Vec<Block>> {
    if text.len() > FILE_BYTES_MAX {
        return None;
    }
    let mut blocks = Vec::new();
    let mut rest = text;
    while let Some((_, begun)) = rest.split_once("-----BEGIN ") {
        let (label, body) = begun.split_once("-----")?;
        let (body, after) = body.split_once(&format!("-----END {label}-----"))?;
        let encoded: Zeroizing<String> = Zeroizing::new(body.split_whitespace().collect());
        let der = Zeroizing::new(STANDARD.decode(encoded.as_bytes()).ok()?);
        blocks.push(Block {
            label: label.to_owned(),
            der,
        });
        if blocks.len() > BLOCKS_MAX {
            return None;
        }
        rest = after;
    }
    Some(blocks)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_read_as_they_were_written_and_damage_is_seen() {
        let one = vec![7; 100];
        let text = format!("note\n{}\n{}", write("A B", &one), write("C", b"x"));
        assert!(text.lines().all(|line| line.len() <= 64));
        let blocks = read(&text).unwrap();
        let found: Vec<(&str, &[u8])> = blocks
            .iter()
            .map(|block| (block.label.as_str(), block.der.as_slice()))
            .collect();
        assert_eq!(found, [("A B", one.as_slice()), ("C", b"x")]);
        assert!(read("nothing").unwrap().is_empty());
        for damaged in [
            text.replace("-----END C-----", ""),
            text.replace("-----BEGIN A B-----", "-----BEGIN A B"),
            text.replace("Bw", "B*"),
            write("A", b"x").repeat(17),
            "x".repeat(FILE_BYTES_MAX + 1),
        ] {
            assert!(read(&damaged).is_none(), "{damaged:.80}");
        }
    }
}
