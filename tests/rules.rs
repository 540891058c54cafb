//! The rules of the protocol, C1 to C250, and what guards each of them: the table is `rules/table.md`.
//!
//! Every block that these tests execute can be judged by the published crate as well:
//!
//! ```sh
//! mkdir -p target/rule-blocks
//! STARKILN_RULE_BLOCKS=$PWD/target/rule-blocks cargo test --release --test rules
//! cargo run --release --manifest-path tests/differential/Cargo.toml -- block target/rule-blocks/*.json
//! ```
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::string_slice
)]

#[path = "rules/casm.rs"]
mod casm;
#[path = "rules/fees.rs"]
mod fees;
#[path = "rules/flow.rs"]
mod flow;
#[path = "rules/frames.rs"]
mod frames;
#[path = "rules/l1_handlers.rs"]
mod l1_handlers;
#[path = "rules/limits.rs"]
mod limits;
#[path = "rules/reasons.rs"]
mod reasons;
#[path = "rules/reverts.rs"]
mod reverts;
#[path = "rules/states.rs"]
mod states;
#[path = "rules/syscalls.rs"]
mod syscalls;
#[path = "rules/world.rs"]
mod world;
