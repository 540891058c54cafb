//! One thread: blockifier, and each of our engines.

use std::cell::RefCell;

use starkiln::block::{BlockOutcome, Engine};
use starkiln::class::{Cairo1Class, ContractClass};
use starkiln::protocol::ProtocolVersion;
use starkiln::state::MemoryState;
use starkiln::transaction::{CallResult, ContractCall, Execution};
use starknet_api::contract_class::{ContractClass as CompiledClass, SierraVersion};
use starknet_api::core::{ClassHash, EntryPointSelector};
use starknet_api::transaction::fields::Calldata;
use starknet_types_core::felt::Felt;

use super::block::{Classes, TimedBlock};
use super::blockifier_run;
use super::clock::{Time, Times, in_turn};
use super::cold_start;
use super::transfers::{Accounts, Kinds};
use crate::arguments::EngineArguments;
use crate::fixture::workload::{self, Workload};
use crate::fixture::{self, ACCOUNT, World, address, felt, selector};

/// Our engines, in the order of the columns.
pub const ENGINES: [(&str, Engine); 2] = [("cairo-vm", Engine::CairoVm), ("fast", Engine::Fast)];

/// Steps of the loop, at least.
const STEPS: u64 = 1_000_000;

/// How many transactions of such a loop the block has.
const LOOPS: u64 = 3;

/// The address of the contract with the loop.
const LOOP: u128 = 0x100b;

/// The work of a block.
#[derive(Clone, Copy)]
enum Work {
    /// Transfers of our token between our accounts that check nothing.
    Transfers,
    /// Transfers of a token, which is the fee token too, between such accounts.
    Accounts(Accounts, &'static str),
    /// Swaps in one pool.
    Swaps,
    /// A loop.
    Loops,
}

/// The rows: name, the goal for the fast engine's ratio, work.
const WORKS: [(&str, u32, Work); 9] = [
    ("transfers, our token", 15, Work::Transfers),
    ("transfers, STRK", 15, Work::Accounts(Accounts::Open, "strk")),
    ("signed transfers, our account, our token", 8, Work::Accounts(Accounts::Ours, "erc20")),
    ("signed transfers, OpenZeppelin 1.0, STRK", 8, Work::Accounts(Accounts::OpenZeppelin, "strk")),
    ("signed transfers, Argent 0.4, STRK", 8, Work::Accounts(Accounts::Argent, "strk")),
    ("Cairo 0 transfers", 6, Work::Accounts(Accounts::OpenCairo0, "cairo0/erc20")),
    (
        "signed Cairo 0 transfers, OpenZeppelin",
        6,
        Work::Accounts(Accounts::OpenZeppelinCairo0, "cairo0/erc20"),
    ),
    ("swaps", 10, Work::Swaps),
    ("a loop of a million steps", 12, Work::Loops),
];

/// Prints the tables; returns `true` if all agreed on every block.
pub fn bench(arguments: &EngineArguments) -> Result<bool, String> {
    let &EngineArguments { transactions, runs, ref only } = arguments;
    let kinds = Kinds::load()?;
    let classes = Classes::load(kinds.entries())?;
    println!(
        "{transactions} transactions a block, one thread, medians of {runs} runs that take turns; ratios to blockifier"
    );
    println!(
        "\n{:<40} {:>5} | {:>8} {:>5} | {:>8} {:>5} {:>6} {:>6} | {:>8} {:>5} {:>6} {:>6}",
        "workload",
        "goal",
        "theirs/s",
        "±%",
        "cairo-vm",
        "±%",
        "ratio",
        "in cpu",
        "fast",
        "±%",
        "ratio",
        "in cpu"
    );
    let mut equal = true;
    let iterations = iterations_for(STEPS, &classes)?;
    for (name, goal, work) in WORKS.iter().filter(|(name, ..)| name.contains(only.as_str())) {
        let Workload { world, transactions, .. } = match *work {
            Work::Transfers => workload::random_10k(transactions, 1),
            Work::Swaps => workload::hot_pool(transactions, 1),
            Work::Loops => loops(iterations),
            Work::Accounts(accounts, token) => {
                kinds.transfers(accounts, token, transactions, &|class_hash| classes.ours(class_hash))?
            }
        };
        let mut block = TimedBlock::new(world.env, world.state, transactions, &classes)?;
        for (_, engine) in ENGINES {
            block.input.way.engine = engine;
            if let Some(difference) = block.difference()? {
                println!("{name}, {engine:?}: {difference}");
                equal = false;
            }
        }
        row(name, *goal, &block, runs)?;
    }
    equal &= cold_start::table(&kinds, &classes, runs, only)?;
    Ok(equal)
}

/// Times a block.
fn row(name: &str, goal: u32, block: &TimedBlock, runs: usize) -> Result<(), String> {
    let mut failed = Ok(());
    let mut all_succeed = true;
    let mut theirs = || match blockifier_run::run(block, block.blockifier_reader.clone(), 1, None) {
        Ok((_, time)) => time,
        Err(error) => {
            failed = Err(error);
            Time::default()
        }
    };
    let mut of = |engine| {
        let executor = block.executor(&block.input.state).engine(engine);
        let (outcome, time) = Time::of(|| block.execute(&executor));
        all_succeed &= succeeds(&outcome);
        time
    };
    // Two closures cannot borrow it at a time, and need not: they take turns.
    let of = RefCell::new(&mut of);
    let [theirs, vm, fast] = in_turn(
        runs,
        [&mut theirs, &mut || of.borrow_mut()(ENGINES[0].1), &mut || of.borrow_mut()(ENGINES[1].1)],
    );
    failed?;
    if !all_succeed {
        return Err(format!("{name}: a transaction did not succeed"));
    }
    let count = block.input.transactions.len() as f64;
    let part = |times: &Times| format!("{:>8.1} {:>5.1}", count / times.seconds(), times.spread());
    let ratios = |times: &Times| {
        let in_processor_time = theirs.processor() / times.processor();
        format!("{} {:>6.2} {in_processor_time:>6.2}", part(times), theirs.seconds() / times.seconds())
    };
    println!("{name:<40} {goal:>4}x | {} | {} | {}", part(&theirs), ratios(&vm), ratios(&fast));
    Ok(())
}

fn succeeds(outcome: &BlockOutcome) -> bool {
    let succeeded = |execution: &Execution| !execution.is_reverted();
    outcome.transactions.iter().all(|transaction| transaction.execution().is_some_and(succeeded))
}

/// A block of long loops.
fn loops(iterations: u64) -> Workload {
    let mut world = World::new(ProtocolVersion::NEWEST);
    world.deploy("syscalls", LOOP);
    let transactions =
        (0..LOOPS).map(|nonce| world.call(nonce, LOOP, "loop_n", &[iterations.into()])).collect();
    Workload { name: "loop", world, transactions }
}

/// The iterations of `loop_n` for a number of steps. Measured, in a class that counts steps.
fn iterations_for(steps: u64, classes: &Classes) -> Result<u64, String> {
    let Some(CompiledClass::V1((casm, _))) = classes.compiled(fixture::class("syscalls").0) else {
        return Err("a class of ours has no CASM".to_owned());
    };
    let class = Cairo1Class::from_casm(casm.clone(), SierraVersion::new(1, 6, 0));
    let class = ContractClass::from(class.map_err(|error| error.to_string())?);
    let mut world = World::new(ProtocolVersion::NEWEST);
    let state: MemoryState = std::mem::take(&mut world.state);
    world.state = state.with_class(ClassHash(Felt::TWO), class).deploy(address(LOOP), ClassHash(Felt::TWO));
    let count = |times: u64| {
        let call = ContractCall {
            caller: address(ACCOUNT),
            ..ContractCall::new(
                address(LOOP),
                EntryPointSelector(selector("loop_n")),
                Calldata(vec![felt(times.into())].into()),
            )
        };
        match world.executor().call(&call) {
            Ok(CallResult::Finished(info)) => Ok(info.resources.steps),
            other => Err(format!("the loop cannot be measured: {other:?}")),
        }
    };
    let each = (count(2_000)? - count(1_000)?) / 1_000;
    Ok(steps.div_ceil(each))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_timed_has_the_same_results_on_every_engine() {
        let arguments = EngineArguments { transactions: 4, runs: 1, only: String::new() };
        assert_eq!(bench(&arguments), Ok(true));
    }
}
