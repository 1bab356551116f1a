//! Whole messages: nothing panics, and every request that is accepted gets an answer that reads.
#![no_main]

#[path = "../checks/sip_message.rs"]
mod checks;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| checks::check(bytes));
