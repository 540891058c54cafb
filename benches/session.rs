//! `cargo bench --bench session [-- RUNS]`: latency of a session, and cost of the capacity check.
//!
//! The first table: time from the submission to the first result, between results, and from the last result
//! to the closed block; p50 and p99 over all results of RUNS sessions. The second table: time of the commits
//! with all limits, per transaction, at block lengths 100, 1,000 and 10,000, and the total time. The cost of
//! a commit must not grow with the block.
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
use fixture::workload::{self, Maker, Workload};
use starkiln::block::{
    BlockHashSource, BlockSession, Capacity, ExecutionOptions, SessionOptions, Weights, WorkerPool,
};
use starknet_api::block::BlockHash;

fn options() -> SessionOptions {
    // No transaction exceeds them, but each is checked against all of them.
    let limits = Weights { transactions: u64::MAX / 2, sierra_gas: u64::MAX / 2, ..Weights::UNLIMITED };
    ExecutionOptions::default()
        .block_hash_source(BlockHashSource::Hash(BlockHash(felt(0xb10c))))
        .capacity(Capacity { limits, ..Capacity::mainnet() })
        .into()
}

/// The durations of the parts of sessions.
#[derive(Default)]
struct Times {
    first: Vec<Duration>,
    between: Vec<Duration>,
    closing: Vec<Duration>,
    total: Vec<Duration>,
}

fn measure(workload: &Workload, pool: &WorkerPool, times: &mut Times) {
    let (env, state) = (workload.world.env.clone(), workload.world.state.clone());
    let transactions = workload.transactions.clone();
    let session = BlockSession::open(env, state, pool, options()).unwrap();
    let began = Instant::now();
    session.submit(transactions).unwrap();
    let mut last = began;
    for (place, outcome) in session.results().enumerate() {
        let now = Instant::now();
        assert!(outcome.execution().is_some());
        if place == 0 {
            times.first.push(now - began)
        } else {
            times.between.push(now - last)
        }
        last = now;
    }
    let outcome = session.finish().unwrap();
    times.closing.push(last.elapsed());
    times.total.push(began.elapsed());
    assert_eq!(outcome.usage.weights.transactions, workload.transactions.len() as u64);
}

/// Returns a percentile, in microseconds.
fn percentile(times: &mut [Duration], percent: usize) -> f64 {
    times.sort_unstable();
    let place = (times.len() * percent).div_ceil(100).max(1) - 1;
    times.get(place).map_or(f64::NAN, |time| time.as_secs_f64() * 1e6)
}

fn latencies(runs: usize, threads: &[usize]) {
    println!("600 transactions a session, {runs} sessions; microseconds");
    println!(
        "{:<24} {:>7} {:>9} {:>9} {:>9} {:>9} {:>10} {:>10} {:>8}",
        "workload",
        "threads",
        "first p50",
        "first p99",
        "each p50",
        "each p99",
        "close p50",
        "close p99",
        "tx/s"
    );
    for make in [workload::independent as Maker, workload::mixed, workload::hot_pool, workload::chain] {
        let workload = make(600, 1);
        for &threads in threads {
            let pool = WorkerPool::new(threads).unwrap();
            let mut times = Times::default();
            (0..runs).for_each(|_| measure(&workload, &pool, &mut times));
            let total: Duration = times.total.iter().sum();
            println!(
                "{:<24} {:>7} {:>9.0} {:>9.0} {:>9.1} {:>9.0} {:>10.0} {:>10.0} {:>8.0}",
                workload.name,
                threads,
                percentile(&mut times.first, 50),
                percentile(&mut times.first, 99),
                percentile(&mut times.between, 50),
                percentile(&mut times.between, 99),
                percentile(&mut times.closing, 50),
                percentile(&mut times.closing, 99),
                (600 * runs) as f64 / total.as_secs_f64(),
            );
        }
    }
}

/// The block lengths of the second table.
const LENGTHS: [u64; 3] = [100, 1_000, 10_000];

/// Measures commits: validation, commit decision, publication. Execution is not included.
fn capacity(runs: usize) {
    println!(
        "\ncommits with all limits, random transfers among 1,000 accounts, best of {runs}; microseconds per transaction"
    );
    println!("{:>12} {:>16} {:>16}", "block length", "commit", "total");
    for length in LENGTHS {
        let workload = workload::random_1k(length, 1);
        let pool = WorkerPool::new(2).unwrap();
        let executor =
            workload.world.executor().capacity(options().execution.capacity).skip_finalization().pool(&pool);
        let best = (0..runs)
            .map(|_| {
                let began = Instant::now();
                let (_, stats) = executor.execute_with_stats(&workload.transactions, |_, _| {}).unwrap();
                (stats.commit_nanoseconds, began.elapsed())
            })
            .min()
            .unwrap();
        let each = |nanoseconds: f64| nanoseconds / 1e3 / length as f64;
        println!("{length:>12} {:>16.2} {:>16.1}", each(best.0 as f64), each(best.1.as_secs_f64() * 1e9));
    }
}

fn main() {
    let runs = std::env::args().find_map(|argument| argument.parse().ok()).unwrap_or(20);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let mut threads = vec![1, 2, cores.max(2) + 1];
    threads.dedup();
    latencies(runs, &threads);
    capacity(runs.min(5));
}
