//! The fast engine before its judge: frames run on both engines, and whatever can be observed is compared.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

use std::path::Path;

use starkiln::block::BlockOutcome;
use starkiln::protocol::Engine;
use starkiln::replay::LoadedBlock;

fn block(name: &str) -> LoadedBlock {
    LoadedBlock::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("resources/blocks").join(name)).unwrap()
}

fn execute(block: &LoadedBlock, engine: Engine) -> BlockOutcome {
    let executor = block.executor().keep_reverted_calls().engine(engine);
    executor.execute(&block.transactions).unwrap_or_else(|error| panic!("{engine:?}: {error}"))
}

/// The demonstration block has a transaction for nearly every rule: syscalls, builtins, reverts, both languages.
#[test]
fn the_engines_agree_about_the_demonstration_block() {
    let block = block("demo.json");
    let judged = execute(&block, Engine::CairoVm);
    assert_eq!(execute(&block, Engine::Checked), judged);
    assert_eq!(execute(&block, Engine::Fast), judged);
}
