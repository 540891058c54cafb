//! Starkiln's scheduler and multi-version memory, built from the crate's own sources with a model checker's locks and atomics.
//!
//! * `cargo test --release`: random blocks on real threads against one after another (proptest);
//! * `cargo test --release --features shuttle`: the whole engine under random and PCT schedules;
//! * `cargo test --release --features loom`: each protocol, and two tasks on the whole engine, under every schedule of up to so many
//!   preemptions.
//!
//! What the tests can tell: without the comparison at the commit and without voiding, everything fails; with either of the two, results
//! stay right, and only the loom models of reading miss the voiding. A load or a commit that wakes nobody is a deadlock that shuttle
//! and loom find.
//!
//! `SCHEDULES=n` sets how many schedules shuttle explores per test.
#![cfg_attr(not(test), allow(dead_code, unused_imports, reason = "the models are tests"))]
#![cfg_attr(test, allow(dead_code, unused_imports, reason = "each model uses a part of the engine"))]

#[path = "../../../src/panic.rs"]
mod panic;
#[path = "../../../src/parallel/mod.rs"]
mod parallel;
#[path = "../../../src/sync.rs"]
mod sync;

#[cfg(test)]
#[cfg_attr(model = "loom", expect(unused_imports, reason = "loom's threads are made by its models"))]
mod workers;
#[cfg(test)]
mod mock;

#[cfg(all(test, not(any(model = "loom", model = "shuttle"))))]
mod equivalence;
#[cfg(all(test, model = "loom"))]
mod loom_models;
#[cfg(all(test, model = "shuttle"))]
mod shuttle_models;
