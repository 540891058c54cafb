//! The integration tests, in one binary: one link of the compiler crates, one world of fixtures.
//!
//! `cargo test --release --test main session::` runs one topic. The command line and the recorded data of
//! real chains have binaries of their own (`cli`, `recorded`).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::string_slice
)]

mod block;
mod class;
mod documentation;
mod engine;
mod fixture;
mod layers;
mod protocol;
mod replay;
mod rules;
mod session;
mod state;
mod vocabulary;
