//! The `starkiln` program: executes block files. Everything it does, the library does; here is only the talking.

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main()
}
