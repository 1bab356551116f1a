//! Credentials and challenges: what is read can be written and read back the same.
#![no_main]

#[path = "../checks/sip_digest.rs"]
mod checks;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| checks::check(bytes));
