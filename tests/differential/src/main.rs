//! Runs the same block through starkiln and through the published blockifier, and shows every difference.
//!
//! Test code: it may panic where a panic means that the test itself is broken.

mod compare;
mod demo;
#[cfg(test)]
mod departures;
mod input;
mod peer;
mod view;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};
use starkiln::protocol::{DataAvailability, ProtocolVersion};
use starkiln::replay::BlockFile;

use crate::compare::{Report, compare};
use crate::demo::{Era, Library, Panics, generate};
use crate::input::{ClassSources, Input};
use crate::peer::{PeerClasses, peer_classes};

#[derive(Parser)]
#[command(about, version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Runs block files through both.
    Block {
        /// The block files.
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// Run under the constants of this version instead of the file's; `all` for every version there is.
        #[arg(long)]
        version: Option<Versions>,
        /// Publish state diffs in this way instead of the file's.
        #[arg(long)]
        data_availability: Option<Publication>,
        /// Print at most this many differences for each run.
        #[arg(long, default_value_t = 20)]
        show: usize,
    },
    /// Makes the demo block: 300 transactions with outcomes that blockifier expects.
    Demo {
        /// What the random choices depend on.
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// Where to write it.
        #[arg(long, default_value = "resources/blocks/demo.json")]
        out: PathBuf,
        /// How many transactions.
        #[arg(long, default_value_t = 300)]
        transactions: usize,
        /// The version.
        #[arg(long, default_value = "0.14.4")]
        version: ProtocolVersion,
        /// Which transactions.
        #[arg(long, default_value = "modern")]
        era: Era,
    },
    /// Runs random blocks through both.
    Fuzz {
        /// The version, or `all`.
        #[arg(long, default_value = "all")]
        version: Versions,
        /// Which transactions.
        #[arg(long, default_value = "modern")]
        era: Era,
        /// How many transactions in a block.
        #[arg(long, default_value_t = 300)]
        transactions: usize,
        /// The seed of the first block.
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// How many blocks for each version.
        #[arg(long, default_value_t = 1)]
        blocks: u64,
        /// Print at most this many differences for each run.
        #[arg(long, default_value_t = 20)]
        show: usize,
    },
}

/// Where our contracts are, seen from a folder of block files.
const CONTRACTS: &str = "../contracts";

/// One version or all.
#[derive(Clone, Debug)]
enum Versions {
    One(ProtocolVersion),
    All,
}

impl std::str::FromStr for Versions {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "all" {
            return Ok(Self::All);
        }
        text.parse().map(Self::One).map_err(|error: starkiln::protocol::ProtocolError| error.to_string())
    }
}

impl Versions {
    fn list(&self) -> Vec<ProtocolVersion> {
        match self {
            Self::One(version) => vec![*version],
            Self::All => ProtocolVersion::SUPPORTED.to_vec(),
        }
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Publication {
    Blob,
    Calldata,
    Both,
}

impl Publication {
    fn list(self) -> Vec<DataAvailability> {
        match self {
            Self::Blob => vec![DataAvailability::Blob],
            Self::Calldata => vec![DataAvailability::Calldata],
            Self::Both => vec![DataAvailability::Blob, DataAvailability::Calldata],
        }
    }
}

fn main() -> ExitCode {
    // Panics are caught and reported where they belong; they need not be shouted as well.
    std::panic::set_hook(Box::new(|_| {}));
    match run(Arguments::parse().command) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(2)
        }
    }
}

/// Whether there was no difference.
fn run(command: Command) -> Result<bool, String> {
    match command {
        Command::Block { files, version, data_availability, show } => {
            let mut equal = true;
            for file in &files {
                let (input, classes) = load(file)?;
                equal &= run_block(&input, &classes, version.as_ref(), data_availability, show)?;
            }
            Ok(equal)
        }
        Command::Demo { seed, out, transactions, version, era } => {
            println!("seed {seed}");
            let folder = out.parent().unwrap_or(Path::new(""));
            std::fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
            let block = generate(
                &Library::load(folder, Path::new(CONTRACTS))?,
                version,
                era,
                transactions,
                seed,
                Panics::LeaveOut,
            )?;
            let text = serde_json::to_string_pretty(&block.file).map_err(|error| error.to_string())?;
            std::fs::write(&out, text + "\n").map_err(|error| format!("{}: {error}", out.display()))?;
            for ((kind, ending), count) in &block.counts {
                println!("{count:4} {kind} {ending}");
            }
            println!("{}", out.display());
            Ok(true)
        }
        Command::Fuzz { version, era, transactions, seed, blocks, show } => {
            let library = Library::load(Path::new("resources/blocks"), Path::new(CONTRACTS))?;
            let mut equal = true;
            for version in version.list() {
                for seed in seed..seed.saturating_add(blocks) {
                    println!("seed {seed}");
                    let block = generate(&library, version, era, transactions, seed, Panics::Keep)?;
                    let input = Input::with_classes(&block.file, library.classes.clone())?;
                    let report = compare(&input, library.peer_classes.clone())?;
                    equal &= print(&report, version, input.env.block.data_availability, show);
                }
            }
            Ok(equal)
        }
    }
}

fn load(path: &Path) -> Result<(Input, PeerClasses), String> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let file: BlockFile =
        serde_json::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))?;
    let input = Input::new(&file, path.parent().unwrap_or(Path::new("")))?;
    let classes = prepared(&input.classes);
    Ok((input, classes))
}

fn prepared(classes: &ClassSources) -> PeerClasses {
    peer_classes(classes)
}

fn run_block(
    input: &Input,
    classes: &PeerClasses,
    versions: Option<&Versions>,
    publication: Option<Publication>,
    show: usize,
) -> Result<bool, String> {
    let versions = versions.map_or_else(|| vec![input.env.constants.version], Versions::list);
    let publications = publication.map_or_else(|| vec![input.env.block.data_availability], Publication::list);
    let mut equal = true;
    for version in versions {
        for &publication in &publications {
            let mut input = input.clone().at_version(version)?;
            let mut block = (*input.env.block).clone();
            block.data_availability = publication;
            input.env.block = block.into();
            let report = compare(&input, classes.clone())?;
            equal &= print(&report, version, publication, show);
        }
    }
    Ok(equal)
}

/// Prints a report; whether there was no difference.
fn print(report: &Report, version: ProtocolVersion, publication: DataAvailability, show: usize) -> bool {
    for difference in report.differences.iter().take(show) {
        println!("{difference}");
    }
    if report.differences.len() > show {
        println!("... and {} more", report.differences.len() - show);
    }
    for departure in report.departures.iter().take(show) {
        println!("{departure}");
    }
    let [succeeded, reverted, invalid] = report.endings;
    println!("{version}, {publication:?}: {succeeded} succeeded, {reverted} reverted, {invalid} invalid");
    if !report.departures.is_empty() {
        println!("{} departures: transactions that blockifier cannot execute", report.departures.len());
    }
    println!("{} transactions compared, {} differences", report.compared, report.differences.len());
    report.differences.is_empty()
}
