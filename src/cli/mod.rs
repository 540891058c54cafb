//! The command line.
//!
//! In: arguments. Out: text on standard output, errors on standard error, an exit code. Knows the library by its public face
//! only.

mod arguments;
mod output;
mod progress;
mod report;
mod run;

use std::process::ExitCode;

use clap::Parser;

use self::arguments::{Arguments, Command};

/// Exit codes. 0 is that all is well.
const DIFFERENT: u8 = 1;
/// See [`DIFFERENT`].
const BAD_INPUT: u8 = 2;

/// Runs the program.
pub(crate) fn main() -> ExitCode {
    let Arguments { command: Command::Run(run) } = Arguments::parse();
    match run::run(&run) {
        Ok(run::Verdict::Well) => ExitCode::SUCCESS,
        Ok(run::Verdict::Different) => ExitCode::from(DIFFERENT),
        Err(error) => {
            output::error(&*error);
            ExitCode::from(BAD_INPUT)
        }
    }
}
