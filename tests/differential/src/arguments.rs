//! What the command line says.

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

/// Which block files, and how.
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
    /// How starkiln executes them.
    #[command(flatten)]
    pub way: WayArguments,
    /// Print at most this many differences for each run.
    #[arg(long, default_value_t = 20)]
    pub show: usize,
}

/// Which demo block.
#[derive(Debug, Args)]
pub struct DemoArguments {
    /// What the random choices depend on.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Where to write it.
    #[arg(long, default_value = "resources/blocks/demo.json")]
    pub out: PathBuf,
    /// How many transactions.
    #[arg(long, default_value_t = 300)]
    pub transactions: usize,
    /// The version.
    #[arg(long, default_value = "0.14.4")]
    pub version: ProtocolVersion,
    /// Which transactions.
    #[arg(long, default_value = "modern")]
    pub era: Era,
}

/// How starkiln executes a block. Results do not depend on it.
#[derive(Clone, Copy, Debug, Args)]
pub struct WayArguments {
    /// On how many threads starkiln executes a block.
    #[arg(long, default_value_t = 1)]
    threads: usize,
    /// Which engine runs starkiln's code; the crate's own choice, unless it is given.
    #[arg(long)]
    engine: Option<EngineName>,
}

impl WayArguments {
    /// As the comparison takes it.
    pub fn way(self) -> Way {
        Way { threads: self.threads, engine: self.engine.map_or_else(Engine::default, Engine::from) }
    }
}

/// Which random blocks.
#[derive(Debug, Args)]
pub struct FuzzArguments {
    /// The version, or `all`.
    #[arg(long, default_value = "all")]
    pub version: Versions,
    /// Which transactions; both eras in turn unless it is given.
    #[arg(long)]
    pub era: Option<Era>,
    /// How many transactions to compare in all.
    #[arg(long, default_value_t = 2000)]
    pub transactions: usize,
    /// What all blocks depend on.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Use only recipes whose names begin so, such as `raw`. Which kinds must occur is not checked then.
    #[arg(long, default_value = "")]
    pub recipes: String,
    /// Give the blocks limits, several to each, and see that both cut them at the same transaction. One block at a time; nothing
    /// is shrunk.
    #[arg(long)]
    pub capacity: bool,
    /// How starkiln executes a block.
    #[command(flatten)]
    pub way: WayArguments,
    /// How many blocks to run at a time. Results do not depend on it.
    #[arg(long, default_value_t = 1)]
    pub jobs: usize,
    /// Print at most this many differences for each block.
    #[arg(long, default_value_t = 20)]
    pub show: usize,
    /// Where to save shrunken blocks in which the two differ.
    #[arg(long, default_value = "target/differences")]
    pub save: PathBuf,
}

/// Which programs.
#[derive(Debug, Args)]
pub struct CodeArguments {
    /// How many.
    #[arg(long, default_value_t = 10_000)]
    pub programs: u64,
    /// What all of them depend on.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// The first one's number.
    #[arg(long, default_value_t = 0)]
    pub first: u64,
    /// How many to run at a time. Results do not depend on it.
    #[arg(long, default_value_t = 1)]
    pub jobs: usize,
    /// Run the transactions of one program of so many through blockifier as well; 0 for none.
    #[arg(long, default_value_t = 0)]
    pub blockifier: u64,
    /// Where to save programs on which the engines differ.
    #[arg(long, default_value = SAVE)]
    pub save: PathBuf,
}

/// What to time.
#[derive(Debug, Args)]
pub struct BenchArguments {
    /// The table.
    #[command(subcommand)]
    pub table: BenchTable,
}

/// The tables.
#[derive(Debug, Subcommand)]
pub enum BenchTable {
    /// One thread: transfers of many kinds, swaps, a loop; and first contact with classes.
    Engine(EngineArguments),
    /// Blocks of the crate's own benchmark by threads, in memory and over a slow reader.
    Parallel(ParallelArguments),
}

/// Which blocks, on how many threads.
#[derive(Debug, Args)]
pub struct ParallelArguments {
    /// How many transactions a block has.
    #[arg(long, default_value_t = 1000)]
    pub transactions: u64,
    /// How often each is run.
    #[arg(long, default_value_t = 5)]
    pub runs: usize,
    /// On how many threads, such as `1,2`; 1, 2 and what else there are cores for, unless it is given.
    #[arg(long, value_delimiter = ',')]
    pub threads: Vec<usize>,
    /// Only workloads whose names have this in them.
    #[arg(long, default_value = "")]
    pub only: String,
}

/// Which blocks.
#[derive(Debug, Args)]
pub struct EngineArguments {
    /// How many transactions a block has.
    #[arg(long, default_value_t = 500)]
    pub transactions: u64,
    /// How often each is run.
    #[arg(long, default_value_t = 5)]
    pub runs: usize,
    /// Only rows whose names have this in them; `first contact` for that table.
    #[arg(long, default_value = "")]
    pub only: String,
}

/// One version or all.
#[derive(Clone, Debug)]
pub enum Versions {
    /// This one.
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
    /// Them all.
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
    /// Them all.
    pub fn list(self) -> Vec<DataAvailability> {
        match self {
            Self::Blob => vec![DataAvailability::Blob],
            Self::Calldata => vec![DataAvailability::Calldata],
            Self::Both => vec![DataAvailability::Blob, DataAvailability::Calldata],
        }
    }
}
