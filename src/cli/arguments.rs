//! The arguments of the command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// The command line.
#[derive(Debug, Parser)]
#[command(name = "starkiln", bin_name = "starkiln", version, about = "Executes Starknet blocks", after_help = EXAMPLES, disable_help_subcommand = true)]
pub(super) struct Arguments {
    /// The command.
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Execute a block file and print its outcome
    ///
    /// Prints a line per transaction (with the innermost line of its reason; --json writes the complete one),
    /// the totals, the times of two executions (classes are prepared when they are first used, so the second
    /// one is faster), and the differences from the outcome that the file expects, if it expects one.
    #[command(after_help = EXAMPLES)]
    Run(Run),
}

#[derive(Debug, Args)]
pub(super) struct Run {
    /// The block file: JSON, plain or compressed with zstd
    pub file: PathBuf,
    /// Write the complete outcome to a file: receipts, call trees, events, messages, state diffs, initial
    /// reads
    #[arg(long, value_name = "OUT")]
    pub json: Option<PathBuf>,
    /// Stop at the first invalid transaction, as for the re-execution of a block; otherwise it is reported
    /// and skipped
    #[arg(long)]
    pub stop_on_invalid: bool,
    /// Print no line per transaction, only the totals
    #[arg(long, short)]
    pub quiet: bool,
}

const EXAMPLES: &str = "\
Examples:
  starkiln run resources/blocks/transfer.json
  starkiln run block.json.zst --quiet --json outcome.json

Exit codes:
  0  the block was executed, and the outcome is the one that the file expects
  1  the outcome differs from the expected one
  2  the block could not be executed: a bad file, class or option";
