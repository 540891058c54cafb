//! The command line.

use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, Parser, Subcommand, ValueEnum};
use starkiln::block::Engine;
use starkiln::protocol::{DataAvailability, ProtocolError, ProtocolVersion};

use crate::adversarial::SAVE;
use crate::generate::Era;
use crate::input::Way;

/// The command line.
#[derive(Debug, Parser)]
#[command(about, version)]
pub struct Arguments {
    /// The command.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Runs block files through both.
    Block(BlockArguments),
    /// Makes the demo block: transactions with outcomes that blockifier expects.
    Demo(DemoArguments),
    /// Runs random blocks through both; a block in which they differ is shrunk and saved.
    Fuzz(FuzzArguments),
    /// Runs code that no compiler made on both engines.
    FuzzCode(CodeArguments),
    /// Times both, side by side.
    Bench(BenchArguments),
}

/// Arguments of `block`.
#[derive(Debug, Args)]
pub struct BlockArguments {
    /// The block files.
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
    /// Run under the constants of this version instead of the file's; `all` for every version there is.
    #[arg(long)]
    pub version: Option<Versions>,
    /// Publish state diffs in this way instead of the file's.
    #[arg(long)]
    pub data_availability: Option<Publication>,
    /// Options of starkiln's executor.
    #[command(flatten)]
    pub way: WayArguments,
    /// Print at most this many differences for each run.
    #[arg(long, default_value_t = 20)]
    pub show: usize,
}

/// Arguments of `demo`.
#[derive(Debug, Args)]
pub struct DemoArguments {
    /// The seed of the random choices.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// The file to write.
    #[arg(long, default_value = "resources/blocks/demo.json")]
    pub out: PathBuf,
    /// The number of transactions.
    #[arg(long, default_value_t = 300)]
    pub transactions: usize,
    /// The version.
    #[arg(long, default_value = "0.14.4")]
    pub version: ProtocolVersion,
    /// The era of the transactions.
    #[arg(long, default_value = "modern")]
    pub era: Era,
}

/// Options of starkiln's executor. Results do not depend on them.
#[derive(Clone, Copy, Debug, Args)]
pub struct WayArguments {
    /// The number of threads of starkiln's executor.
    #[arg(long, default_value_t = 1)]
    threads: usize,
    /// The engine of starkiln's executor; the crate's default unless given.
    #[arg(long)]
    engine: Option<EngineName>,
}

impl WayArguments {
    /// The options in the form of the comparison.
    pub fn way(self) -> Way {
        Way { threads: self.threads, engine: self.engine.map_or_else(Engine::default, Engine::from) }
    }
}

/// Arguments of `fuzz`.
#[derive(Debug, Args)]
pub struct FuzzArguments {
    /// The version, or `all`.
    #[arg(long, default_value = "all")]
    pub version: Versions,
    /// The era of the transactions; both, alternating, unless given.
    #[arg(long)]
    pub era: Option<Era>,
    /// The number of transactions to compare in all.
    #[arg(long, default_value_t = 2000)]
    pub transactions: usize,
    /// The seed of all blocks.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Use only recipes whose names begin so, such as `raw`. Which kinds must occur is not checked then.
    #[arg(long, default_value = "")]
    pub recipes: String,
    /// Give the blocks limits, several to each, and see that both cut them at the same transaction. One block
    /// at a time; nothing is shrunk.
    #[arg(long)]
    pub capacity: bool,
    /// Options of starkiln's executor.
    #[command(flatten)]
    pub way: WayArguments,
    /// The number of blocks to run at a time. Results do not depend on it.
    #[arg(long, default_value_t = 1)]
    pub jobs: usize,
    /// Print at most this many differences for each block.
    #[arg(long, default_value_t = 20)]
    pub show: usize,
    /// The folder for shrunken blocks in which the two differ.
    #[arg(long, default_value = "target/differences")]
    pub save: PathBuf,
}

/// Arguments of `fuzz-code`.
#[derive(Debug, Args)]
pub struct CodeArguments {
    /// The number of programs.
    #[arg(long, default_value_t = 10_000)]
    pub programs: u64,
    /// The seed of all programs.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// The number of the first program.
    #[arg(long, default_value_t = 0)]
    pub first: u64,
    /// The number of programs to run at a time. Results do not depend on it.
    #[arg(long, default_value_t = 1)]
    pub jobs: usize,
    /// Run the transactions of one program in this many through blockifier as well; 0 for none.
    #[arg(long, default_value_t = 0)]
    pub blockifier: u64,
    /// The folder for programs on which the engines differ.
    #[arg(long, default_value = SAVE)]
    pub save: PathBuf,
}

/// Arguments of `bench`.
#[derive(Debug, Args)]
pub struct BenchArguments {
    /// The table.
    #[command(subcommand)]
    pub table: BenchTable,
}

/// The tables.
#[derive(Debug, Subcommand)]
pub enum BenchTable {
    /// One thread: transfers of many kinds, swaps, a loop; and cold starts of classes.
    Engine(EngineArguments),
    /// Blocks of the crate's own benchmark by threads, in memory and over a slow reader.
    Parallel(ParallelArguments),
}

/// Arguments of `bench parallel`.
#[derive(Debug, Args)]
pub struct ParallelArguments {
    /// The number of transactions of a block.
    #[arg(long, default_value_t = 1000)]
    pub transactions: u64,
    /// The number of runs of each row.
    #[arg(long, default_value_t = 5)]
    pub runs: usize,
    /// The numbers of threads, such as `1,2`; 1, 2 and the number of cores unless given.
    #[arg(long, value_delimiter = ',')]
    pub threads: Vec<usize>,
    /// Only workloads whose names contain this.
    #[arg(long, default_value = "")]
    pub only: String,
}

/// Arguments of `bench engine`.
#[derive(Debug, Args)]
pub struct EngineArguments {
    /// The number of transactions of a block.
    #[arg(long, default_value_t = 500)]
    pub transactions: u64,
    /// The number of runs of each row.
    #[arg(long, default_value_t = 5)]
    pub runs: usize,
    /// Only rows whose names contain this; `cold start` for that table.
    #[arg(long, default_value = "")]
    pub only: String,
}

/// One version or all.
#[derive(Clone, Debug)]
pub enum Versions {
    /// One version.
    One(ProtocolVersion),
    /// Every version there is.
    All,
}

impl FromStr for Versions {
    type Err = ProtocolError;

    fn from_str(text: &str) -> Result<Self, ProtocolError> {
        if text == "all" { Ok(Self::All) } else { text.parse().map(Self::One) }
    }
}

impl Versions {
    /// All values.
    pub fn list(&self) -> Vec<ProtocolVersion> {
        match self {
            Self::One(version) => vec![*version],
            Self::All => ProtocolVersion::SUPPORTED.to_vec(),
        }
    }
}

/// Our engines.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum EngineName {
    /// `cairo-vm`.
    CairoVm,
    /// Our own.
    Fast,
    /// Both at once, compared at every syscall.
    Checked,
}

impl From<EngineName> for Engine {
    fn from(name: EngineName) -> Self {
        match name {
            EngineName::CairoVm => Self::CairoVm,
            EngineName::Fast => Self::Fast,
            EngineName::Checked => Self::Checked,
        }
    }
}

/// Ways to publish state diffs.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Publication {
    /// As blobs.
    Blob,
    /// As calldata.
    Calldata,
    /// One after the other.
    Both,
}

impl Publication {
    /// All values.
    pub fn list(self) -> Vec<DataAvailability> {
        match self {
            Self::Blob => vec![DataAvailability::Blob],
            Self::Calldata => vec![DataAvailability::Calldata],
            Self::Both => vec![DataAvailability::Blob, DataAvailability::Calldata],
        }
    }
}
