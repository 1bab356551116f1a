//! Statements of AXL: each is read down to the last name or refused.
#![no_main]

#[path = "../checks/sql_text.rs"]
mod checks;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| checks::check(bytes));
