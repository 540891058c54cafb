//! Starkiln's scheduler and multi-version memory, built from the crate's own sources with the locks and
//! atomics of a model checker.
//!
//! * `cargo test --release`: random blocks on real threads against sequential execution (proptest);
//! * `cargo test --release --features shuttle`: the complete executor under random and PCT schedules;
//! * `cargo test --release --features loom`: each protocol, and two or three tasks on the complete executor,
//!   under every schedule with a bounded number of preemptions.
//!
//! The tests notice these mutations: without validation at the commit and without aborts, all of them fail.
//! With only one of the two missing, results stay right, and only the loom models of reading notice missing
//! aborts. A load or a commit that does not wake waiting threads is a deadlock, which shuttle and loom find.
//!
//! `SCHEDULES=n` sets how many schedules shuttle explores per test.
#![cfg_attr(not(test), allow(dead_code, unused_imports, reason = "the models are tests"))]
#![cfg_attr(test, allow(dead_code, unused_imports, reason = "each model uses a part of the executor"))]

#[path = "../../../src/panic.rs"]
mod panic;
#[path = "../../../src/parallel/mod.rs"]
mod parallel;
#[path = "../../../src/sync.rs"]
mod sync;

#[cfg(test)]
mod mock;
#[cfg(test)]
#[cfg_attr(model = "loom", expect(unused_imports, reason = "loom's threads are made by its models"))]
mod workers;

#[cfg(all(test, not(any(model = "loom", model = "shuttle"))))]
mod equivalence;
#[cfg(all(test, model = "loom"))]
mod loom_models;
#[cfg(all(test, model = "shuttle"))]
mod shuttle_models;
