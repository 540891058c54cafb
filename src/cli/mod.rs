//! The command line.
//!
//! Input: arguments. Output: text on standard output, errors on standard error, an exit code. Uses the public
//! interface of the library only.

mod arguments;
mod output;
mod progress;
mod report;
mod run;
mod timing;

use std::process::ExitCode;

use clap::Parser;

use self::arguments::{Arguments, Command};

/// The exit code if the outcome differs from the expected one.
const DIFFERENT: u8 = 1;
/// The exit code if the block cannot be executed.
const BAD_INPUT: u8 = 2;

/// Runs the program.
pub(crate) fn main() -> ExitCode {
    let Arguments { command: Command::Run(run) } = Arguments::parse();
    match run::run(&run) {
        Ok(run::Outcome::Matches) => ExitCode::SUCCESS,
        Ok(run::Outcome::Differs) => ExitCode::from(DIFFERENT),
        Err(error) => {
            output::error(&*error);
            ExitCode::from(BAD_INPUT)
        }
    }
}
