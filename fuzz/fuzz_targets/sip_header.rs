//! Single header values. The first byte chooses the reader.
#![no_main]

#[path = "../checks/sip_header.rs"]
mod checks;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| checks::check(bytes));
