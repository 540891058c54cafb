//! The program `starkiln`: executes block files with the library and reports the outcome.

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main()
}
