//! Random blocks through both executors, until the requested number of transactions has been compared.
//!
//! Input: the classes, what to do. Output: whether the two never differed and everything occurred; progress,
//! differences and counts are printed. Blocks run in rounds, one for each version that still needs some, so
//! that the outcome does not depend on how many run at a time.

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use starkiln::protocol::ProtocolVersion;
use starkiln::replay::BlockFile;

use crate::arguments::FuzzArguments;
use crate::compare::{Difference, Report, compare};
use crate::generate::{Era, Library, Purpose, Random, Request, generate};
use crate::input::{Input, Way};
use crate::shrink::{self, shrink};
use crate::tally::Tally;

/// Fewest and most transactions of a block. A short run has small blocks, so that every version has some of
/// each era.
const SIZE: (usize, usize) = (40, 250);

/// Nested calls of blockifier nest on the native stack.
const STACK: usize = 256 << 20;

/// The most differing blocks that are shrunk; more of them rarely add information.
const SHRUNK: usize = 5;

/// The progress of one version.
struct Version {
    version: ProtocolVersion,
    wanted: usize,
    left: usize,
    blocks: u64,
}

/// A block that was run.
struct Ran {
    request: Request,
    file: BlockFile,
    recipes: Vec<String>,
    report: Report,
}

/// Runs blocks until enough has been compared.
pub fn fuzz(library: &Library, arguments: &FuzzArguments) -> Result<bool, String> {
    println!("seed {}", arguments.seed);
    let eras = arguments.era.map_or_else(|| vec![Era::Modern, Era::Past], |era| vec![era]);
    let list = arguments.version.list();
    let share = |at: usize| {
        arguments.transactions / list.len() + usize::from(at < arguments.transactions % list.len())
    };
    let mut versions: Vec<_> = (list.iter().enumerate())
        .map(|(at, version)| Version { version: *version, wanted: share(at), left: share(at), blocks: 0 })
        .collect();
    let mut tally = Tally::new(&list, &eras, &arguments.recipes);
    let mut shrunk = 0;
    let mut shown = 0;
    while versions.iter().any(|version| version.left > 0) {
        let requests = round(&mut versions, &eras, arguments);
        for ran in run_all(library, requests, arguments.jobs.max(1), arguments.way.way()) {
            let ran = ran?;
            tally.add(ran.request.version, &ran.report, &ran.recipes);
            let version = versions.iter_mut().find(|version| version.version == ran.request.version);
            let version = version.ok_or("a version that was not asked for")?;
            version.left = version.left.saturating_sub(ran.report.compared.len());
            if !ran.report.differences.is_empty() {
                show(&ran, arguments.show);
                if shrunk < SHRUNK {
                    shrunk += 1;
                    save(library, &ran, arguments)?;
                }
            }
        }
        // A line for every tenth.
        let tenth = tally.compared() * 10 / arguments.transactions.max(1);
        if tenth > shown {
            shown = tenth;
            println!("{} of {} transactions compared", tally.compared(), arguments.transactions);
        }
    }
    Ok(tally.print())
}

/// The next block of every version that needs one.
fn round(versions: &mut [Version], eras: &[Era], arguments: &FuzzArguments) -> Vec<Request> {
    let wanting = versions.iter_mut().enumerate().filter(|(_, version)| version.left > 0);
    wanting
        .map(|(at, version)| {
            // Versions begin with different eras, so that both occur even when there is only one block each.
            let era = eras[(version.blocks as usize + at) % eras.len()];
            let mut random = Random::new(arguments.seed).branch(at as u64).branch(version.blocks);
            version.blocks += 1;
            let most = (version.wanted / 4).clamp(SIZE.0, SIZE.1);
            let size = random.between(SIZE.0 as u64 / 2, most as u64) as usize;
            Request {
                version: version.version,
                era,
                transactions: size.min(version.left),
                seed: random.number(),
                purpose: Purpose::Fuzz,
                recipes: arguments.recipes.clone(),
            }
        })
        .collect()
}

/// Runs blocks, some at a time; in order.
fn run_all(library: &Library, requests: Vec<Request>, jobs: usize, way: Way) -> Vec<Result<Ran, String>> {
    let next = AtomicUsize::new(0);
    let results: Vec<_> = requests.iter().map(|_| Mutex::new(None)).collect();
    let work = || {
        while let Some(at) = Some(next.fetch_add(1, Ordering::Relaxed)).filter(|at| *at < requests.len()) {
            *results[at].lock().expect("no thread panics while it holds the lock") =
                Some(run(library, &requests[at], way));
        }
    };
    thread::scope(|scope| {
        for _ in 0..jobs {
            thread::Builder::new().stack_size(STACK).spawn_scoped(scope, work).expect("threads can be made");
        }
    });
    let done = |result: Mutex<Option<_>>| {
        result
            .into_inner()
            .expect("no thread panics while it holds the lock")
            .unwrap_or_else(|| Err("a job panicked".to_owned()))
    };
    results.into_iter().map(done).collect()
}

fn run(library: &Library, request: &Request, way: Way) -> Result<Ran, String> {
    let block = generate(library, request)?;
    let mut input = Input::with_classes(&block.file, library.classes.clone())?;
    input.way = way;
    let report = compare(&input, library.blockifier_classes.clone())?;
    Ok(Ran { request: request.clone(), file: block.file, recipes: block.recipes, report })
}

fn show(ran: &Ran, most: usize) {
    let Request { version, era, transactions, seed, .. } = &ran.request;
    println!("{version}, {era:?}, {transactions} transactions, block seed {seed}:");
    for difference in ran.report.differences.iter().take(most) {
        if let Some((index, _)) = difference.transaction {
            println!("recipe: {}", ran.recipes[index]);
        }
        println!("{difference}");
    }
    if ran.report.differences.len() > most {
        println!("... and {} more", ran.report.differences.len() - most);
    }
}

/// Shrinks a block in which the two differ, and saves it.
fn save(library: &Library, ran: &Ran, arguments: &FuzzArguments) -> Result<(), String> {
    let Some(first) = ran.report.differences.first() else { return Ok(()) };
    let again = |input: &Input| {
        compare(&Input { way: arguments.way.way(), ..input.clone() }, library.blockifier_classes.clone())
    };
    let file = thread::scope(|scope| {
        let shrinking = thread::Builder::new().stack_size(STACK);
        let shrinking = shrinking.spawn_scoped(scope, || smallest(library, &ran.file, first, &again));
        shrinking.expect("threads can be made").join().map_err(|_| "shrinking panicked".to_owned())
    })?;
    let Request { version, seed, .. } = &ran.request;
    let path = arguments.save.join(format!("{version}-{seed:016x}.json"));
    write(&path, &shrink::with_classes_inline(file.clone(), Path::new(crate::BLOCKS))?)?;
    println!(
        "shrunk to {} transactions, {} contracts, {} classes; replay it with: block {}",
        file.transactions.len(),
        file.state.contracts.len(),
        file.classes.len(),
        path.display()
    );
    Ok(())
}

/// The smallest block that still shows a difference of the same shape.
fn smallest(
    library: &Library,
    file: &BlockFile,
    difference: &Difference,
    again: &(dyn Fn(&Input) -> Result<Report, String> + Sync),
) -> BlockFile {
    let wanted = difference.shape();
    shrink(file, difference.transaction.as_ref().map(|at| at.0), &|file| {
        let report = Input::with_classes(file, library.classes.clone()).and_then(|input| again(&input));
        report.is_ok_and(|report| report.differences.iter().any(|difference| difference.shape() == wanted))
    })
}

fn write(path: &Path, file: &BlockFile) -> Result<(), String> {
    let named = |error: String| format!("{}: {error}", path.display());
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|error| named(error.to_string()))?;
    }
    let text = serde_json::to_string_pretty(file).map_err(|error| named(error.to_string()))?;
    std::fs::write(path, text + "\n").map_err(|error| named(error.to_string()))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::compare::compare_altered;
    use crate::generate::MoreClasses;
    use crate::reference::blockifier_classes;

    /// A planted bug that shows when the NFT's token 2 is transferred, for which token 1 must have been
    /// minted before.
    fn bug(view: &mut Value) {
        let is_second = |event: &Value| event["from"] == "0x4f7" && event.to_string().contains("\"0x2\"");
        if view["sorted_events"].as_array().is_some_and(|events| events.iter().any(is_second)) {
            view["receipt"]["fee"] = json!("12345");
        }
    }

    #[test]
    fn a_block_with_a_difference_is_shrunk_and_replays() {
        let folder = Path::new("../../resources/blocks");
        let more = MoreClasses::load(&folder.join(crate::CONTRACTS), 4).expect("the packages are there");
        let library = Library::load(folder, Path::new(crate::CONTRACTS), more).expect("our contracts load");
        let version = ProtocolVersion::V0_14_3;
        let request = Request {
            version,
            era: Era::Modern,
            transactions: 120,
            seed: 4,
            purpose: Purpose::Fuzz,
            recipes: String::new(),
        };
        let ran = run(&library, &request, Way::default()).expect("it runs");
        assert!(ran.report.differences.is_empty(), "{:?}", ran.report.differences);

        let buggy = |input: &Input| compare_altered(input, library.blockifier_classes.clone(), &bug);
        let input = Input::with_classes(&ran.file, library.classes.clone()).expect("it is complete");
        let report = buggy(&input).expect("it runs");
        let difference = report.differences.first().expect("many tokens are minted");
        assert_eq!(difference.shape(), "receipt.fee");

        let small = smallest(&library, &ran.file, difference, &buggy);
        assert!(small.transactions.len() <= 3, "{} transactions", small.transactions.len());
        for left_out in 0..small.transactions.len() {
            let mut smaller = small.clone();
            smaller.transactions.remove(left_out);
            let input = Input::with_classes(&smaller, library.classes.clone()).expect("it is complete");
            assert!(buggy(&input).expect("it runs").differences.is_empty(), "{left_out} is not needed");
        }
        // The senders, their fee token, the NFT, and what else the calls need; of some sixty contracts.
        assert!(small.state.contracts.len() <= 6, "{} contracts", small.state.contracts.len());
        assert!(small.classes.len() <= 4, "{} classes", small.classes.len());

        // As a file it needs nothing else, shows the same, and nothing when the bug is gone.
        let small = shrink::with_classes_inline(small, folder).expect("the classes are there");
        let path = std::env::temp_dir().join(format!("starkiln-shrunk-{}.json", std::process::id()));
        write(&path, &small).expect("it can be written");
        let text = std::fs::read_to_string(&path).expect("it was written");
        std::fs::remove_file(&path).expect("it is ours");
        let read: BlockFile = serde_json::from_str(&text).expect("it is a block file");
        let input = Input::new(&read, Path::new("/nowhere")).expect("it is complete");
        let classes = blockifier_classes(&input.classes);
        let again = compare_altered(&input, classes.clone(), &bug).expect("it runs");
        assert!(
            again.differences.iter().any(|found| found.shape() == "receipt.fee" && found.ours == "12345")
        );
        assert!(compare(&input, classes).expect("it runs").differences.is_empty());
    }
}
