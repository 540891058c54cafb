//! The complete executor under random and PCT schedules. Every schedule executes another block.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::mock::{Block, Program, Step};
use crate::parallel::ParallelConfig;
use crate::workers::{config, run, stream};

/// Returns the number of schedules that a test explores.
fn schedules() -> usize {
    std::env::var("SCHEDULES").ok().and_then(|text| text.parse().ok()).unwrap_or(2_000)
}

/// A pseudo-random generator: its seed determines the block.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
        (self.0 >> 33) % end
    }

    fn key(&mut self, keys: u8) -> u8 {
        u8::try_from(self.below(u64::from(keys))).unwrap()
    }

    fn step(&mut self, keys: u8) -> Step {
        match self.below(12) {
            0..3 => Step::Add(self.key(keys), self.below(3)),
            3 => Step::Set(self.key(keys), self.below(3)),
            4 => Step::Blind(self.key(keys), self.below(3)),
            5..7 => Step::ReadAnywhere,
            7..9 => Step::AddAnywhere(self.below(4)),
            9 => Step::FailIf(64),
            10 => Step::ReadAccumulator,
            _ => Step::Read(self.key(keys)),
        }
    }

    fn block(&mut self, most: u64) -> Block {
        let keys = u8::try_from(1 + self.below(6)).unwrap();
        let length = 2 + self.below(most - 1);
        let programs = (0..length)
            .map(|_| Program {
                steps: (0..self.below(5)).map(|_| self.step(keys)).collect(),
                fee: (self.below(3) > 0).then(|| (self.key(keys), 1 + self.below(3))),
                is_odd: self.below(8) == 0,
            })
            .collect();
        let broken_keys = (self.below(6) == 0).then(|| self.key(keys)).into_iter().collect();
        let stop_at = (self.below(5) == 0).then(|| usize::try_from(self.below(length)).unwrap());
        Block {
            keys,
            programs,
            broken_keys,
            stop_at,
            panic_at: None,
            resumes: self.below(2) == 0,
            predecessors: usize::try_from(self.below(4)).unwrap(),
            has_state: self.below(2) == 0,
        }
    }
}

fn check(seed: &AtomicU64, most: u64, helpers: usize, window: usize) {
    let mut numbers = Numbers(seed.fetch_add(1, Ordering::Relaxed));
    let block = numbers.block(most);
    let batch = usize::try_from(1 + numbers.below(8)).unwrap();
    let config = ParallelConfig { speculates_fees: numbers.below(2) == 0, ..config(helpers, window) };
    let (outcome, stats) = run(&block, config, batch).expect("nothing panics");
    assert_eq!(outcome, block.sequentially(), "{block:?}");
    assert!(stats.max_incarnations <= 6, "{stats:?}");
}

#[test]
fn random_schedules() {
    let seed = AtomicU64::new(1);
    shuttle::check_random(move || check(&seed, 12, 3, 256), schedules());
    println!("4 threads: {} random schedules", schedules());
}

#[test]
fn random_schedules_of_many_threads_and_a_narrow_window() {
    let seed = AtomicU64::new(1 << 32);
    shuttle::check_random(move || check(&seed, 24, 7, 5), schedules());
    println!("8 threads, 5 tasks ahead: {} random schedules", schedules());
}

#[test]
fn pct_schedules() {
    let seed = AtomicU64::new(1 << 40);
    shuttle::check_pct(move || check(&seed, 12, 3, 256), schedules(), 3);
    println!("4 threads: {} PCT schedules of depth 3", schedules());
}

/// Explores execution on helpers only, with commits that wait for results to be taken.
fn check_stream(seed: &AtomicU64, most: u64, helpers: usize, window: usize) {
    let mut numbers = Numbers(seed.fetch_add(1, Ordering::Relaxed));
    let block = numbers.block(most);
    let batch = usize::try_from(1 + numbers.below(8)).unwrap();
    let undelivered = usize::try_from(1 + numbers.below(4)).unwrap();
    let speculates_fees = numbers.below(2) == 0;
    let config = ParallelConfig { has_main: false, speculates_fees, ..config(helpers, window) };
    assert_eq!(stream(&block, config, batch, undelivered), block.sequentially(), "{block:?}");
}

#[test]
fn random_schedules_of_a_stream() {
    let seed = AtomicU64::new(1 << 48);
    shuttle::check_random(move || check_stream(&seed, 12, 3, 256), schedules());
}

#[test]
fn pct_schedules_of_a_stream() {
    let seed = AtomicU64::new(1 << 56);
    shuttle::check_pct(move || check_stream(&seed, 12, 2, 4), schedules(), 3);
}
