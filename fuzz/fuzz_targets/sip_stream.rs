//! Streams: the frames do not depend on how the bytes arrive. The first byte is where to split.
#![no_main]

#[path = "../checks/sip_stream.rs"]
mod checks;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| checks::check(bytes));
