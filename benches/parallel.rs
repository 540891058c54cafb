//! `cargo bench --bench parallel [-- TRANSACTIONS [RUNS]] [ENGINE] [WORKLOAD]`: speedup and cost of parallel
//! execution.
//!
//! ENGINE is `fast` or `cairo-vm`; WORKLOAD is a part of a workload's name, or `cold`.
//!
//! The first table: workloads by threads. Each point is the best of RUNS runs, alternating over all thread
//! counts; statistics and processor time are of that run. The second table: independent transfers over a
//! reader that sleeps 100 µs per read.
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

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use fixture::felt;
use fixture::reader::Watched;
use fixture::workload::{self, Workload};
use starkiln::block::{BlockExecutor, BlockHashSource, Engine, ParallelStats, TransactionStatus, WorkerPool};
use starkiln::state::StateReader;
use starknet_api::block::BlockHash;

/// The allocator that hosts with many threads use.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// The engines by their arguments.
const ENGINES: [(&str, Engine); 2] = [("cairo-vm", Engine::CairoVm), ("fast", Engine::Fast)];

/// The latency of a remote database; counts and times the reads.
#[derive(Default)]
struct SlowHost {
    loads: AtomicU64,
    nanoseconds: AtomicU64,
}

impl SlowHost {
    /// Delays a read.
    fn wait(&self) {
        let began = Instant::now();
        std::thread::sleep(Duration::from_micros(100));
        let nanoseconds = u64::try_from(began.elapsed().as_nanos()).unwrap();
        self.loads.fetch_add(1, Ordering::Relaxed);
        self.nanoseconds.fetch_add(nanoseconds, Ordering::Relaxed);
    }
}

/// Returns the processor time of this process's threads, in seconds.
fn processor_time() -> f64 {
    let tasks = std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let time = |task: std::fs::DirEntry| {
        let text = std::fs::read_to_string(task.path().join("schedstat")).unwrap_or_default();
        text.split_whitespace().next().and_then(|field| field.parse::<f64>().ok()).unwrap_or(0.0)
    };
    tasks.map(time).sum::<f64>() / 1e9
}

#[derive(Clone)]
struct Point {
    seconds: f64,
    /// The part of `seconds` after the outcome of the last transaction.
    closing: f64,
    processor: f64,
    stats: ParallelStats,
    /// The reads that the slow host answered, and the seconds that they took.
    loads: u64,
    loading: f64,
}

fn measure<R: StateReader + Sync>(
    engine: Engine,
    reader: impl Fn(Arc<SlowHost>) -> R,
    workload: &Workload,
    pool: Option<&WorkerPool>,
) -> Point {
    let host = Arc::new(SlowHost::default());
    let executor = BlockExecutor::new(workload.world.env.clone(), reader(Arc::clone(&host)))
        .block_hash_source(BlockHashSource::Hash(BlockHash(felt(0xb10c))));
    let executor = executor.engine(engine);
    let executor = match pool {
        Some(pool) => executor.pool(pool),
        None => executor,
    };
    let (began, processor) = (Instant::now(), processor_time());
    let mut executed = 0.0;
    let observe = |_, _: &_| executed = began.elapsed().as_secs_f64();
    let (outcome, stats) = executor.execute_with_stats(&workload.transactions, observe).unwrap();
    let seconds = began.elapsed().as_secs_f64();
    assert_eq!(outcome.transactions.len(), workload.transactions.len());
    // A failed transaction takes little time, so only the mixed block may contain one.
    let is_mixed = workload.name == "mixed";
    assert!(is_mixed || outcome.transactions.iter().all(|it| it.status() == TransactionStatus::Succeeded));
    Point {
        seconds,
        closing: seconds - executed,
        processor: processor_time() - processor,
        stats,
        loads: host.loads.load(Ordering::Relaxed),
        loading: host.nanoseconds.load(Ordering::Relaxed) as f64 / 1e9,
    }
}

/// Returns the best of `runs` runs without a pool and for each pool.
fn best<R: StateReader + Sync>(
    engine: Engine,
    reader: impl Fn(Arc<SlowHost>) -> R,
    workload: &Workload,
    pools: &[WorkerPool],
    runs: usize,
) -> Vec<Point> {
    let choices: Vec<Option<&WorkerPool>> = std::iter::once(None).chain(pools.iter().map(Some)).collect();
    let mut best: Vec<Option<Point>> = vec![None; choices.len()];
    for _ in 0..runs {
        for (choice, best) in choices.iter().zip(&mut best) {
            let point = measure(engine, &reader, workload, *choice);
            if best.as_ref().is_none_or(|best| point.seconds < best.seconds) {
                *best = Some(point);
            }
        }
    }
    best.into_iter().flatten().collect()
}

fn print(workload: &Workload, threads: &str, point: &Point, sequential: &Point) {
    let count = workload.transactions.len() as f64;
    let Point { seconds, processor, stats, .. } = point;
    let each = |number: u64| number as f64 / count;
    println!(
        "{:<24} {:>7} {:>8.0} {:>7.2} {:>8.2} {:>6.2} {:>6.3} {:>6.3} {:>6.2} {:>6.2} {:>6.2} {:>7.1} {:>7.1}",
        workload.name,
        threads,
        count / seconds,
        sequential.seconds / seconds,
        processor,
        processor / sequential.processor,
        each(stats.executions),
        each(stats.validations),
        each(stats.aborts + stats.early_aborts + stats.commit_aborts),
        each(stats.dependency_waits),
        each(stats.fee_phases),
        100.0 * stats.wasted_reads as f64 / (stats.reads.max(1)) as f64,
        stats.commit_nanoseconds as f64 / 1000.0 / count,
    );
}

fn head(title: &str) {
    println!("\n{title}");
    println!(
        "{:<24} {:>7} {:>8} {:>7} {:>8} {:>6} {:>6} {:>6} {:>6} {:>6} {:>6} {:>7} {:>7}",
        "workload",
        "threads",
        "tx/s",
        "speedup",
        "cpu s",
        "x cpu",
        "exec",
        "valid",
        "abort",
        "wait",
        "fees",
        "waste %",
        "commit"
    );
}

fn main() {
    let numbers: Vec<usize> = std::env::args().filter_map(|argument| argument.parse().ok()).collect();
    let count = numbers.first().copied().unwrap_or(1_000) as u64;
    let runs = numbers.get(1).copied().unwrap_or(5);
    let words: Vec<String> = std::env::args()
        .skip(1)
        .filter(|word| !word.starts_with('-') && word.parse::<usize>().is_err())
        .collect();
    let engine = match words.iter().find_map(|word| ENGINES.iter().find(|(name, _)| name == word)) {
        Some((_, engine)) => *engine,
        None => Engine::default(),
    };
    let wanted = words.iter().find(|word| ENGINES.iter().all(|(name, _)| name != word));
    let is_wanted = |name: &str| wanted.is_none_or(|part| name.contains(part.as_str()));
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let mut threads: Vec<usize> =
        [2, 4, 8, 16].into_iter().filter(|threads| *threads <= cores.max(2)).collect();
    threads.dedup();

    let pools: Vec<WorkerPool> = threads.iter().map(|threads| WorkerPool::new(*threads).unwrap()).collect();
    head(&format!(
        "{engine:?} engine, {count} transactions, {cores} cores, best of {runs}; speedup and cpu against sequential execution; counts per \
         transaction; commit in µs"
    ));
    for make in workload::TABLE.into_iter().chain([workload::signed as workload::Maker]) {
        if !is_wanted(make(1, 1).name) {
            continue;
        }
        let workload = make(count, 1);
        let points = best(engine, |_| &workload.world.state, &workload, &pools, runs);
        print(&workload, "1", &points[0], &points[0]);
        for (point, threads) in points[1..].iter().zip(&threads) {
            print(&workload, &threads.to_string(), point, &points[0]);
        }
    }

    if is_wanted("cold") {
        cold(engine, count.min(400), runs.min(3));
    }
}

/// Measures execution with a slow host, where the number of concurrent reads decides.
fn cold(engine: Engine, count: u64, runs: usize) {
    let threads = [1, 2, 8, 32];
    let pools: Vec<WorkerPool> =
        threads[1..].iter().map(|threads| WorkerPool::new(*threads).unwrap()).collect();
    let workload = workload::independent(count, 1);
    println!("\ncold: {count} independent transfers, a reader that sleeps 100 µs per read; per transaction");
    println!(
        "{:>7} {:>8} {:>7} {:>8} {:>8} {:>10} {:>8} {:>10}",
        "threads", "tx/s", "speedup", "cpu µs", "loads", "µs a load", "at once", "closing µs"
    );
    let reader = |host: Arc<SlowHost>| Watched {
        state: &workload.world.state,
        before: move |_| {
            host.wait();
            Ok(())
        },
    };
    let points = best(engine, reader, &workload, &pools, runs);
    for (point, threads) in points.iter().zip(threads) {
        let each = 1e6 / count as f64;
        println!(
            "{threads:>7} {:>8.0} {:>7.2} {:>8.0} {:>8.1} {:>10.0} {:>8.2} {:>10.0}",
            count as f64 / point.seconds,
            points[0].seconds / point.seconds,
            point.processor * each,
            point.loads as f64 / count as f64,
            1e6 * point.loading / point.loads as f64,
            point.loading / point.seconds,
            point.closing * each,
        );
    }
}
