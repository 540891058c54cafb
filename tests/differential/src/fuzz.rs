//! Random blocks through both executors, until so many transactions have been compared.
//!
//! In: the classes, what to do. Out: whether the two never differed and everything occurred; progress, differences and counts are
//! printed. Blocks run in rounds, one for each version that still needs some, so that the outcome does not depend on how many
//! run at a time.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use starkiln::protocol::ProtocolVersion;
use starkiln::replay::BlockFile;

use crate::arguments::FuzzArguments;
use crate::compare::{Report, compare};
use crate::generate::{Era, Library, Purpose, Random, Request, generate};
use crate::input::Input;
use crate::shrink::{self, shrink};
use crate::tally::Tally;

/// Fewest and most transactions of a block. A short run has small blocks, so that every version has some of each era.
const SIZE: (usize, usize) = (40, 250);

/// Nested calls of blockifier nest on the native stack.
const STACK: usize = 256 << 20;

/// So many differing blocks are shrunk; more of them would hardly tell more.
const SHRUNK: usize = 5;

/// How far a version has come.
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
    let mut tally = Tally::new(&list, &eras);
    let mut shrunk = 0;
    let mut shown = 0;
    while versions.iter().any(|version| version.left > 0) {
        let requests = round(&mut versions, &eras, arguments.seed);
        for ran in run_all(library, requests, arguments.jobs.max(1)) {
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
fn round(versions: &mut [Version], eras: &[Era], seed: u64) -> Vec<Request> {
    let wanting = versions.iter_mut().enumerate().filter(|(_, version)| version.left > 0);
    wanting
        .map(|(at, version)| {
            // Versions begin with different eras, so that both occur even when there is only one block each.
            let era = eras[(version.blocks as usize + at) % eras.len()];
            let mut random = Random::new(seed).branch(at as u64).branch(version.blocks);
            version.blocks += 1;
            let most = (version.wanted / 4).clamp(SIZE.0, SIZE.1);
            let size = random.between(SIZE.0 as u64 / 2, most as u64) as usize;
            Request {
                version: version.version,
                era,
                transactions: size.min(version.left),
                seed: random.number(),
                purpose: Purpose::Fuzz,
            }
        })
        .collect()
}

/// Runs blocks, some at a time; in order.
fn run_all(library: &Library, requests: Vec<Request>, jobs: usize) -> Vec<Result<Ran, String>> {
    let next = AtomicUsize::new(0);
    let results: Vec<_> = requests.iter().map(|_| Mutex::new(None)).collect();
    let work = || {
        while let Some(at) = Some(next.fetch_add(1, Ordering::Relaxed)).filter(|at| *at < requests.len()) {
            *results[at].lock().expect("nobody panics with it") = Some(run(library, &requests[at]));
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
            .expect("nobody panics with it")
            .unwrap_or_else(|| Err("a job panicked".to_owned()))
    };
    results.into_iter().map(done).collect()
}

fn run(library: &Library, request: &Request) -> Result<Ran, String> {
    let block = generate(library, request)?;
    let input = Input::with_classes(&block.file, library.classes.clone())?;
    let report = compare(&input, library.peer_classes.clone())?;
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
    let wanted = first.shape();
    let differs = |file: &BlockFile| {
        let input = Input::with_classes(file, library.classes.clone());
        let report = input.and_then(|input| compare(&input, library.peer_classes.clone()));
        report.is_ok_and(|report| report.differences.iter().any(|difference| difference.shape() == wanted))
    };
    let shrunken = thread::scope(|scope| {
        let shrinking = thread::Builder::new().stack_size(STACK);
        let shrinking = shrinking
            .spawn_scoped(scope, || shrink(&ran.file, first.transaction.as_ref().map(|at| at.0), &differs));
        shrinking.expect("threads can be made").join().map_err(|_| "shrinking panicked".to_owned())
    })?;
    let Request { version, seed, .. } = &ran.request;
    let path = arguments.save.join(format!("{version}-{seed:016x}.json"));
    let file = shrink::with_classes_inline(shrunken, Path::new(crate::BLOCKS))?;
    write(&path, &file)?;
    let contracts = file.state.contracts.len();
    println!(
        "shrunk to {} transactions, {contracts} contracts, {} classes; replay it with: block {}",
        file.transactions.len(),
        file.classes.len(),
        path.display()
    );
    Ok(())
}

fn write(path: &PathBuf, file: &BlockFile) -> Result<(), String> {
    let named = |error: String| format!("{}: {error}", path.display());
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|error| named(error.to_string()))?;
    }
    let text = serde_json::to_string_pretty(file).map_err(|error| named(error.to_string()))?;
    std::fs::write(path, text + "\n").map_err(|error| named(error.to_string()))
}
