//! Blocks: execution, validation, capacity, closing, and the same bytes on any number of threads.

mod capacity;
mod closing;
mod determinism;
mod errors;
mod execution;
mod history;
mod json;
mod proofs;
mod validation;
