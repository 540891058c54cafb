//! `cargo bench --bench parallel [-- TRANSACTIONS [RUNS]]`: what parallel execution gains, and what it costs.
//!
//! The first table: workloads by threads. Each point is the best of RUNS runs, which take turns over all thread counts; counters
//! and processor time are of that run. The second table: independent transfers over a reader that sleeps 100 µs a cell.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

#[path = "../tests/fixture/mod.rs"]
mod fixture;

use std::time::{Duration, Instant};

use fixture::felt;
use fixture::workload::{self, Workload};
use starkiln::block::{BlockExecutor, OldBlock, ParallelCounters, Pool};
use starkiln::class::ContractClass;
use starkiln::state::{MemoryState, ReadError, StateReader};
use starknet_api::block::BlockHash;
use starknet_api::core::{ClassHash, CompiledClassHash, ContractAddress, Nonce};
use starknet_api::state::StorageKey;
use starknet_types_core::felt::Felt;

/// A database far away.
struct Slow<'a>(&'a MemoryState);

impl Slow<'_> {
    fn wait(&self) -> &MemoryState {
        std::thread::sleep(Duration::from_micros(100));
        self.0
    }
}

impl StateReader for Slow<'_> {
    fn storage_at(&self, address: ContractAddress, key: StorageKey) -> Result<Felt, ReadError> {
        self.wait().storage_at(address, key)
    }

    fn nonce_at(&self, address: ContractAddress) -> Result<Nonce, ReadError> {
        self.wait().nonce_at(address)
    }

    fn class_hash_at(&self, address: ContractAddress) -> Result<ClassHash, ReadError> {
        self.wait().class_hash_at(address)
    }

    fn class(&self, class_hash: ClassHash) -> Result<Option<ContractClass>, ReadError> {
        self.wait().class(class_hash)
    }

    fn compiled_class_hash(&self, class_hash: ClassHash) -> Result<CompiledClassHash, ReadError> {
        self.wait().compiled_class_hash(class_hash)
    }
}

/// Processor time of this process, in seconds.
fn processor_time() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> =
        stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |at: usize| fields.get(at).and_then(|field| field.parse::<f64>().ok()).unwrap_or(f64::NAN);
    (ticks(11) + ticks(12)) / 100.0
}

#[derive(Clone)]
struct Point {
    seconds: f64,
    processor: f64,
    counters: ParallelCounters,
}

fn measure<R: StateReader + Sync>(reader: R, workload: &Workload, pool: Option<&Pool>) -> Point {
    let executor = BlockExecutor::new(workload.world.env.clone(), reader)
        .old_block(OldBlock::Hash(BlockHash(felt(0xb10c))));
    let executor = match pool {
        Some(pool) => executor.pool(pool),
        None => executor,
    };
    let (began, processor) = (Instant::now(), processor_time());
    let (outcome, counters) = executor.execute_counted(&workload.transactions, |_, _| {}).unwrap();
    let point = Point {
        seconds: began.elapsed().as_secs_f64(),
        processor: processor_time() - processor,
        counters,
    };
    assert_eq!(outcome.transactions.len(), workload.transactions.len());
    point
}

/// The best of some runs for each pool, and for none.
fn best<R: StateReader + Sync>(
    reader: impl Fn() -> R,
    workload: &Workload,
    pools: &[Pool],
    runs: usize,
) -> Vec<Point> {
    let choices: Vec<Option<&Pool>> = std::iter::once(None).chain(pools.iter().map(Some)).collect();
    let mut best: Vec<Option<Point>> = vec![None; choices.len()];
    for _ in 0..runs {
        for (choice, best) in choices.iter().zip(&mut best) {
            let point = measure(reader(), workload, *choice);
            if best.as_ref().is_none_or(|best| point.seconds < best.seconds) {
                *best = Some(point);
            }
        }
    }
    best.into_iter().flatten().collect()
}

fn print(workload: &Workload, threads: &str, point: &Point, sequential: &Point) {
    let count = workload.transactions.len() as f64;
    let Point { seconds, processor, counters } = point;
    let each = |number: u64| number as f64 / count;
    println!(
        "{:<24} {:>7} {:>8.0} {:>7.2} {:>8.2} {:>6.2} {:>6.3} {:>6.3} {:>6.2} {:>6.2} {:>6.2} {:>7.1} {:>7.1}",
        workload.name,
        threads,
        count / seconds,
        sequential.seconds / seconds,
        processor,
        processor / sequential.processor,
        each(counters.executions),
        each(counters.validations),
        each(counters.aborts + counters.early_aborts + counters.commit_aborts),
        each(counters.waits),
        each(counters.settlements),
        100.0 * counters.wasted_reads as f64 / (counters.reads.max(1)) as f64,
        counters.commit_nanoseconds as f64 / 1000.0 / count,
    );
}

fn head(title: &str) {
    println!("\n{title}");
    println!(
        "{:<24} {:>7} {:>8} {:>7} {:>8} {:>6} {:>6} {:>6} {:>6} {:>6} {:>6} {:>7} {:>7}",
        "workload", "threads", "tx/s", "speedup", "cpu s", "x cpu", "exec", "valid", "abort", "wait", "fees",
        "waste %", "commit"
    );
}

fn main() {
    let numbers: Vec<usize> = std::env::args().filter_map(|argument| argument.parse().ok()).collect();
    let count = numbers.first().copied().unwrap_or(1_000) as u64;
    let runs = numbers.get(1).copied().unwrap_or(5);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let mut threads: Vec<usize> = [2, 4, 8, 16].into_iter().filter(|threads| *threads <= cores.max(2)).collect();
    threads.dedup();

    let pools: Vec<Pool> = threads.iter().map(|threads| Pool::new(*threads).unwrap()).collect();
    head(&format!(
        "{count} transactions, {cores} cores, best of {runs}; speedup and cpu against one after another; counters per \
         transaction; commit in µs"
    ));
    for make in workload::TABLE {
        let workload = make(count, 1);
        let points = best(|| &workload.world.state, &workload, &pools, runs);
        print(&workload, "1", &points[0], &points[0]);
        for (point, threads) in points[1..].iter().zip(&threads) {
            print(&workload, &threads.to_string(), point, &points[0]);
        }
    }

    let pools = [Pool::new(8).unwrap(), Pool::new(32).unwrap()];
    let cold = workload::independent(count.min(400), 1);
    head("cold: a reader that sleeps 100 µs a cell");
    let points = best(|| Slow(&cold.world.state), &cold, &pools, runs.min(3));
    print(&cold, "1", &points[0], &points[0]);
    print(&cold, "8", &points[1], &points[0]);
    print(&cold, "32", &points[2], &points[0]);
}
