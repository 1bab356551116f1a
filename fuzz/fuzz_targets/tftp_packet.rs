//! TFTP datagrams and the file names in them.
#![no_main]

#[path = "../checks/tftp_packet.rs"]
mod checks;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| checks::check(bytes));
