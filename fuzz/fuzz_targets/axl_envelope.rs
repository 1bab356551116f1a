//! Requests of AXL: an envelope is read or refused, and an object in it decoded or refused.
#![no_main]

#[path = "../checks/axl_envelope.rs"]
mod checks;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| checks::check(bytes));
