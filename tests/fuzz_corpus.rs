//! The fuzz targets as ordinary tests: every file of the corpora, whole, cut off at every length,
//! and with bytes changed. The changes are the same in every run.

use std::fs;
use std::path::Path;

#[path = "../fuzz/checks/axl_envelope.rs"]
mod axl_envelope;
#[path = "../fuzz/checks/handset_request.rs"]
mod handset_request;
#[path = "../fuzz/checks/phone_screen.rs"]
mod phone_screen;
#[path = "../fuzz/checks/sip_digest.rs"]
mod sip_digest;
#[path = "../fuzz/checks/sip_header.rs"]
mod sip_header;
#[path = "../fuzz/checks/sip_message.rs"]
mod sip_message;
#[path = "../fuzz/checks/sip_stream.rs"]
mod sip_stream;
#[path = "../fuzz/checks/sql_text.rs"]
mod sql_text;
#[path = "../fuzz/checks/tftp_packet.rs"]
mod tftp_packet;
#[path = "../fuzz/checks/tvs_message.rs"]
mod tvs_message;

/// Changed copies of each file.
const CHANGED_COPIES: u32 = 300;

/// Bytes that mean something to the parsers.
const TELLING: &[u8] = b"\r\n \t:;,<>\"=%@?&/\0\x7f\xff09aA";

/// Numbers that look random and are the same in every run. Source: Marsaglia's xorshift.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(limit.max(1)).unwrap()).unwrap()
    }

    /// Cuts out, doubles, or overwrites a piece of `bytes`.
    fn change(&mut self, bytes: &mut Vec<u8>) {
        let at = self.below(bytes.len());
        let end = (at + 1 + self.below(16)).min(bytes.len());
        match self.below(4) {
            0 => drop(bytes.drain(at..end)),
            1 => {
                let piece = bytes[at..end].to_vec();
                bytes.splice(at..at, piece);
            }
            _ => {
                let telling = TELLING[self.below(TELLING.len())];
                bytes[at..end].fill(telling);
            }
        }
    }
}

/// Runs `check` on every file of a folder below the repository and on what it is changed to.
fn try_folder(folder: &str, check: impl Fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut files: Vec<_> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    assert!(!files.is_empty(), "{}", folder.display());
    for file in files {
        let bytes = fs::read(&file).unwrap();
        check(&bytes);
        for length in 0..bytes.len() {
            check(&bytes[..length]);
        }
        let mut numbers = Numbers(0x9E37_79B9_7F4A_7C15);
        for _ in 0..CHANGED_COPIES {
            let mut changed = bytes.clone();
            for _ in 0..=numbers.below(4) {
                if !changed.is_empty() {
                    numbers.change(&mut changed);
                }
            }
            check(&changed);
        }
    }
}

#[test]
fn every_sip_message_is_read_or_refused() {
    try_folder("fuzz/corpus/sip_message", sip_message::check);
    try_folder("tests/data/rfc4475", sip_message::check);
}

#[test]
fn every_sip_header_is_read_or_refused() {
    try_folder("fuzz/corpus/sip_header", sip_header::check);
}

#[test]
fn every_digest_is_read_or_refused_and_what_is_read_is_read_back_the_same() {
    try_folder("fuzz/corpus/sip_digest", sip_digest::check);
    // Else the check proves nothing. Credentials have everything that a challenge has.
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/sip_digest");
    let files = fs::read_dir(folder).unwrap();
    let compared = files.map(|file| {
        let bytes = fs::read(file.unwrap().path()).unwrap();
        sip_digest::compared(&bytes)
    });
    let compared: usize = compared.sum();
    assert!(compared >= 3, "{compared}");
}

#[test]
fn frames_of_a_stream_do_not_depend_on_how_the_bytes_arrive() {
    try_folder("fuzz/corpus/sip_stream", sip_stream::check);
}

#[test]
fn every_tftp_packet_is_read_or_refused_and_no_name_leads_out_of_a_folder() {
    try_folder("fuzz/corpus/tftp_packet", tftp_packet::check);
}

#[test]
fn every_request_of_a_handset_is_read_or_refused_without_repeating_it() {
    try_folder("fuzz/corpus/handset_request", handset_request::check);
}

#[test]
fn every_screen_is_read_or_refused_by_the_terminal_handset() {
    try_folder("fuzz/corpus/phone_screen", phone_screen::check);
}

#[test]
fn every_request_of_axl_is_read_or_refused_and_so_is_the_object_in_it() {
    try_folder("fuzz/corpus/axl_envelope", axl_envelope::check);
}

#[test]
fn every_statement_is_read_or_refused_in_a_sentence() {
    try_folder("fuzz/corpus/sql_text", sql_text::check);
}

#[test]
fn every_question_to_tvs_is_read_or_refused() {
    try_folder("fuzz/corpus/tvs_message", tvs_message::check);
}

/// Aliases, names, texts, numbers, functions, places to sort by: wherever a word may stand.
#[test]
fn no_word_of_a_statement_gets_into_the_text_for_the_database() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/sql_text");
    let mut accepted = 0;
    for file in fs::read_dir(folder).unwrap() {
        let text = fs::read_to_string(file.unwrap().path()).unwrap();
        accepted += sql_text::check_every_word(&text);
    }
    // Else the check proves nothing.
    assert!(accepted > 50, "{accepted}");
}
