//! The `selfprov` program.

fn main() {}
