//! The `selfprov` program.

use std::process::ExitCode;

fn main() -> ExitCode {
    selfprov::cli::main()
}
