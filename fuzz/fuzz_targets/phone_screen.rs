//! Screens as the terminal handset reads them.
#![no_main]

#[path = "../checks/phone_screen.rs"]
mod checks;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| checks::check(bytes));
