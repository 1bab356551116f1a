//! Questions to TVS.
#![no_main]

#[path = "../checks/tvs_message.rs"]
mod checks;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| checks::check(bytes));
