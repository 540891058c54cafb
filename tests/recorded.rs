//! Recorded data of real chains, executed again: the results must equal the recording.
//!
//! The data is outside the repository, in the folder `STARKILN_DATA`. Without it every test here prints that
//! it was skipped.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

use std::path::PathBuf;

#[path = "recorded/call_info.rs"]
mod call_info;
#[path = "recorded/dojo_chain.rs"]
mod dojo_chain;
#[path = "fixture/engine.rs"]
mod engine;
#[path = "recorded/json.rs"]
mod json;
#[path = "recorded/mainnet_calls.rs"]
mod mainnet_calls;
#[path = "recorded/mainnet_genesis.rs"]
mod mainnet_genesis;
#[path = "recorded/rpc_simulation.rs"]
mod rpc_simulation;
#[path = "recorded/sepolia_genesis.rs"]
mod sepolia_genesis;

/// The folder of the recorded data; `None`, with a printed reason, if the test is skipped.
fn data(folder: &str) -> Option<PathBuf> {
    let Some(root) = std::env::var_os("STARKILN_DATA") else {
        println!("skipped: STARKILN_DATA is not set, so there is no {folder} to compare with");
        return None;
    };
    let path = PathBuf::from(root).join(folder);
    assert!(path.is_dir(), "STARKILN_DATA has no folder {}", path.display());
    Some(path)
}
