//! Runs the same block through starkiln and through the published blockifier, and shows every difference.
//!
//! Test code: it may panic where a panic means that the test itself is broken.

mod adversarial;
mod arguments;
mod bench;
mod capacity;
mod compare;
#[cfg(test)]
mod departures;
#[path = "../../fixture/mod.rs"]
mod fixture;
mod fuzz;
mod generate;
mod input;
mod limits;
mod reference;
mod shrink;
mod tally;
mod view;

use std::path::Path;
use std::process::ExitCode;

use clap::Parser;
use starkiln::protocol::{DataAvailability, ProtocolVersion};
use starkiln::replay::BlockFile;

use crate::arguments::{
    Arguments, BlockArguments, Command, DemoArguments, FuzzArguments, Publication, Versions,
};
use crate::compare::{Report, compare};
use crate::generate::{Library, MoreClasses, Purpose, Request, generate};
use crate::input::Input;
use crate::reference::{Ending, blockifier_classes};

/// The folder of our contracts, relative to a folder of block files.
const CONTRACTS: &str = "../contracts";

/// The folder of our block files.
const BLOCKS: &str = "resources/blocks";

/// The allocator of blockifier's own node, for both executors.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    // Panics are caught and reported where they belong; they need not be shouted as well.
    std::panic::set_hook(Box::new(|_| {}));
    let result = match Arguments::parse().command {
        Command::Block(arguments) => blocks(&arguments),
        Command::Demo(arguments) => demo(&arguments),
        Command::Fuzz(arguments) => fuzz(&arguments),
        Command::FuzzCode(arguments) => adversarial::fuzz(&arguments),
        Command::Bench(arguments) => bench::bench(&arguments),
    };
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(2)
        }
    }
}

/// Runs block files; returns `true` if there was no difference.
fn blocks(arguments: &BlockArguments) -> Result<bool, String> {
    let mut equal = true;
    for path in &arguments.files {
        let named = |error: String| format!("{}: {error}", path.display());
        let text = std::fs::read_to_string(path).map_err(|error| named(error.to_string()))?;
        let file: BlockFile = serde_json::from_str(&text).map_err(|error| named(error.to_string()))?;
        let input = Input::new(&file, path.parent().unwrap_or(Path::new("")))?;
        let classes = blockifier_classes(&input.classes);
        let version = input.env.constants.version;
        let publication = input.env.block.data_availability;
        for version in arguments.version.as_ref().map_or_else(|| vec![version], Versions::list) {
            for publication in
                arguments.data_availability.map_or_else(|| vec![publication], Publication::list)
            {
                let mut input = input.clone().at_version(version)?;
                let mut block = (*input.env.block).clone();
                block.data_availability = publication;
                input.env.block = block.into();
                input.way = arguments.way.way();
                let report = compare(&input, classes.clone())?;
                print(&report, version, publication, arguments.show);
                equal &= report.differences.is_empty();
            }
        }
    }
    Ok(equal)
}

/// Makes the demo block.
fn demo(arguments: &DemoArguments) -> Result<bool, String> {
    let &DemoArguments { seed, ref out, transactions, version, era } = arguments;
    println!("seed {seed}");
    let folder = out.parent().unwrap_or(Path::new(""));
    std::fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let library = Library::load(folder, Path::new(CONTRACTS), MoreClasses::default())?;
    let request =
        Request { version, era, transactions, seed, purpose: Purpose::Demo, recipes: String::new() };
    let block = generate(&library, &request)?;
    let text = serde_json::to_string_pretty(&block.file).map_err(|error| error.to_string())?;
    std::fs::write(out, text + "\n").map_err(|error| format!("{}: {error}", out.display()))?;
    for ((kind, ending), count) in &block.counts {
        println!("{count:4} {kind} {ending}");
    }
    println!("{}", out.display());
    Ok(true)
}

/// Runs random blocks; returns `true` if there was no difference and every expected kind occurred.
fn fuzz(arguments: &FuzzArguments) -> Result<bool, String> {
    let blocks = Path::new(BLOCKS);
    let more = MoreClasses::load(&blocks.join(CONTRACTS), arguments.seed)?;
    let library = Library::load(blocks, Path::new(CONTRACTS), more)?;
    if arguments.capacity { capacity::fuzz(&library, arguments) } else { fuzz::fuzz(&library, arguments) }
}

/// Prints a report.
fn print(report: &Report, version: ProtocolVersion, publication: DataAvailability, show: usize) {
    for difference in report.differences.iter().take(show) {
        println!("{difference}");
    }
    if report.differences.len() > show {
        println!("... and {} more", report.differences.len() - show);
    }
    for departure in report.departures.iter().take(show) {
        println!("{departure}");
    }
    let count = |ending| report.compared.iter().filter(|compared| compared.ending == ending).count();
    let [succeeded, reverted, invalid] = Ending::ALL.map(count);
    println!("{version}, {publication:?}: {succeeded} succeeded, {reverted} reverted, {invalid} invalid");
    if !report.departures.is_empty() {
        println!("{} departures: transactions that blockifier cannot execute", report.departures.len());
    }
    println!("{} transactions compared, {} differences", report.compared.len(), report.differences.len());
}
