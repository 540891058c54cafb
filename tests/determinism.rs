//! The same bytes on any number of threads: every workload, threads far beyond the machine's, against one after another.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::arithmetic_side_effects)]

mod fixture;

use std::fmt::Write as _;

use fixture::workload::{self, Maker, Workload};
use starkiln::block::BlockOutcome;

/// All that can be seen of a block, as text: order of maps and sets included.
fn bytes(outcome: &BlockOutcome) -> String {
    let mut text = String::new();
    for transaction in &outcome.transactions {
        writeln!(text, "{} {:?}", transaction.hash.0, transaction.result).unwrap();
        writeln!(text, "{}", serde_json::to_string(&transaction.state_diff).unwrap()).unwrap();
        if let Some(execution) = transaction.execution() {
            writeln!(text, "{}", serde_json::to_string(execution).unwrap()).unwrap();
        }
    }
    writeln!(text, "{}", serde_json::to_string(&outcome.state_diff).unwrap()).unwrap();
    writeln!(text, "{}", serde_json::to_string(&outcome.initial_reads).unwrap()).unwrap();
    text
}

fn check(workload: &Workload, threads: &[usize]) {
    let Workload { name, world, transactions } = workload;
    let executor = || world.executor().keep_reverted_calls();
    let expected = executor().execute(transactions).unwrap();
    let expected_bytes = bytes(&expected);
    for &threads in threads {
        let mut seen = 0;
        let (outcome, counters) = executor()
            .threads(threads)
            .execute_counted(transactions, |index, outcome| {
                assert_eq!((index, outcome), (seen, &expected.transactions[index]), "{name} on {threads}");
                seen += 1;
            })
            .unwrap();
        assert_eq!(seen, transactions.len(), "{name} on {threads}");
        assert!(outcome == expected, "{name} on {threads} threads: another outcome");
        assert_eq!(bytes(&outcome), expected_bytes, "{name} on {threads} threads: other bytes");
        if threads > 1 {
            assert_eq!(counters.commits, transactions.len() as u64);
        }
    }
}

fn all() -> impl Iterator<Item = Maker> {
    workload::TABLE.into_iter().chain([workload::sequencer as Maker])
}

#[test]
fn every_workload_on_any_number_of_threads() {
    for make in all() {
        check(&make(60, 1), &[1, 2, 3, 8, 32]);
    }
}

/// `cargo test --release --test determinism -- --ignored`: 20 seeds, every number of threads that is a power of two, and odd ones.
#[test]
#[ignore = "long"]
fn every_workload_with_twenty_seeds() {
    for make in all() {
        for seed in 0..20 {
            check(&make(120, seed), &[2, 3, 4, 7, 8, 16, 32]);
        }
    }
}
