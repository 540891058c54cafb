//! What can be said on the command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// The command line.
#[derive(Debug, Parser)]
#[command(name = "starkiln", bin_name = "starkiln", version, about = "Executes Starknet blocks", after_help = EXAMPLES, disable_help_subcommand = true)]
pub(super) struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Execute a block file and print what came out
    ///
    /// Prints a line per transaction (the reason is the innermost line of it; --json writes it whole), the totals, and whether
    /// what came out is what the file expects, if it expects something.
    #[command(after_help = EXAMPLES)]
    Run(Run),
}

#[derive(Debug, Args)]
pub(super) struct Run {
    /// The block file: JSON, plain or compressed with zstd
    pub file: PathBuf,
    /// Write everything that came out to a file: receipts, call trees, events, messages, state diffs, initial reads
    #[arg(long, value_name = "OUT")]
    pub json: Option<PathBuf>,
    /// Stop at the first invalid transaction, as one does who re-executes a block; otherwise it is reported and left out
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
  0  the block was executed, and what came out is what the file expects
  1  something else came out
  2  the block could not be executed: a bad file, class or option";
