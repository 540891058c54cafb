//! The time of a step, a call, each builtin, each syscall, a class and a transaction, on both engines in one
//! run.
//!
//! `cargo bench --bench engine -- <filter> fast`: both arguments are optional. Only lines that contain the
//! filter are measured; `fast` excludes `cairo-vm` (for a profiler). Every line has the medians of the fast
//! engine and of `cairo-vm`, their ratio, and the ratio of the minima, which other load on the machine
//! disturbs less. Calls use the public API, so the time of a call includes state, journal and entry point on
//! either engine. The times of field, curve and hashes alone are the table of `cargo bench --bench crypto`.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_precision_loss
)]

mod allocations;
mod builtins;
mod classes;
mod clock;
#[path = "../../tests/fixture/mod.rs"]
mod fixture;
mod probe;
mod syscalls;
mod transfers;

use std::cell::Cell;

use starkiln::block::Engine;
use starkiln::call::CallInfo;
use starkiln::class::Cairo1Class;
use starkiln::protocol::ProtocolVersion;
use starkiln::transaction::{CallResult, ContractCall};
use starknet_api::contract_class::SierraVersion;
use starknet_api::core::EntryPointSelector;
use starknet_api::transaction::fields::Calldata;
use starknet_types_core::felt::Felt;

use self::clock::{Unit, difference, heading, line, on_engines, section};
use self::fixture::{ACCOUNT, FEE_TOKEN, World, address, contracts, felt, selector};
use self::probe::{Language, Round};

const CONTRACT: u128 = 0xbe;

/// The address and the class hash of the probe contract.
const PROBE: u128 = 0x940be;

fn main() {
    heading();
    calls();
    steps();
    builtins::table();
    syscalls::tables();
    arithmetic();
    classes::table();
    transfers::table();
}

/// The command line arguments, without the options that cargo adds.
fn arguments() -> Vec<String> {
    std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect()
}

/// Returns `true` if the line passes the filter of the command line.
fn is_selected(line: &str) -> bool {
    arguments().first().is_none_or(|filter| line.contains(filter.as_str()))
}

fn calls() {
    section("calls");
    let world = with_contract();
    let probe = |language| {
        let mut world = World::bare(ProtocolVersion::NEWEST);
        world.put(Round::empty(language, None).class(), PROBE);
        world
    };
    let empty = contract_call(PROBE, "run", &[Felt::ZERO, Felt::ZERO]);
    whole_call(&probe(Language::Cairo1), "an empty call", &empty);
    whole_call(&probe(Language::Cairo0), "an empty call, in Cairo 0", &empty);
    whole_call(&world, "an empty call, in a class of 30,000 felts", &contract_call(CONTRACT, "nothing", &[]));
    let balance = contract_call(FEE_TOKEN, "balance_of", &[felt(ACCOUNT)]);
    whole_call(&world, "balance_of: storage, one Pedersen", &balance);
}

fn steps() {
    section("steps");
    let world = with_contract();
    // The memory of a short loop fits into the first-level cache, that of a long one does not.
    for (what, name, rounds) in [
        ("a step of a short loop", "loop_n", [10, 1_010]),
        ("a step of a loop", "loop_n", [1_000, 101_000]),
        ("a step of a recursion", "recurse_n", [1_000, 101_000]),
    ] {
        let [few, many] = rounds.map(|rounds| contract_call(CONTRACT, name, &[felt(rounds)]));
        if is_selected(what) {
            let steps = steps_of(&many) - steps_of(&few);
            per_round(&world, what, Unit::Nanoseconds, [&many, &few], steps);
        }
    }
    let mut world = World::bare(ProtocolVersion::NEWEST);
    world.deploy("syscalls_new", CONTRACT);
    let blake = |count: u128| {
        let state = [&[felt(8)][..], &[Felt::ONE; 8]].concat();
        let message = [&[felt(16)][..], &[Felt::TWO; 16]].concat();
        contract_call(CONTRACT, "blake2s_many", &[&state[..], &message, &[felt(count)]].concat())
    };
    per_round(&world, "a Blake2s compression", Unit::Nanoseconds, [&blake(1001), &blake(1)], 1000);
}

/// Calls of library functions, which consist of hints, range checks and steps.
fn arithmetic() {
    section("arithmetic of 256 bits, including the call");
    let world = with_contract();
    let call = |what: &str, name: &str, numbers: &[Felt]| {
        whole_call(&world, what, &contract_call(CONTRACT, name, numbers));
    };
    let wide = [felt(u128::MAX), felt(u128::MAX / 3), felt(12345), felt(u128::MAX / 7)];
    call("a division", "u256_div", &wide);
    call("a square root", "u256_root", &wide[..2]);
    let modulus = [felt(u128::MAX), felt(u128::MAX), wide[0], wide[1], wide[2], wide[3]];
    call("a product modulo 256 bits", "u256_mul_mod", &modulus);
    call("an inverse modulo 256 bits", "u256_inverse", &[wide[2], wide[3], felt(u128::MAX), felt(u128::MAX)]);
}

fn with_contract() -> World {
    let mut world = World::new(ProtocolVersion::NEWEST);
    world.deploy("syscalls", CONTRACT);
    world
}

fn contract_call(to: u128, name: &str, calldata: &[Felt]) -> ContractCall {
    let selector = EntryPointSelector(selector(name));
    ContractCall {
        max_sierra_gas: 10_000_000_000,
        max_steps: 100_000_000,
        ..ContractCall::new(address(to), selector, Calldata(calldata.to_vec().into()))
    }
}

fn run(world: &World, engine: Engine, call: &ContractCall) -> CallInfo {
    match world.executor().engine(engine).call(call).expect("no engine fails") {
        CallResult::Finished(info) => {
            assert!(!info.failed, "{:?}", info.retdata);
            *info
        }
        CallResult::Failed { stack, .. } => panic!("{stack}"),
    }
}

/// The number of steps of a call, measured with the same code in a class that is charged for steps.
fn steps_of(call: &ContractCall) -> u64 {
    let json = std::fs::read(contracts().join("syscalls.casm.json")).unwrap();
    let class = Cairo1Class::from_casm_json(json, SierraVersion::new(1, 6, 0)).unwrap();
    let mut world = World::bare(ProtocolVersion::NEWEST);
    world.put(class, CONTRACT);
    run(&world, Engine::Fast, call).resources.steps
}

/// Measures a complete call.
fn whole_call(world: &World, what: &str, call: &ContractCall) {
    if is_selected(what) {
        line(what, Unit::Microseconds, &on_engines(|engine| drop(run(world, engine, call))));
    }
}

/// Measures a round: the time difference of two calls, divided by the difference of their numbers of rounds.
fn per_round(world: &World, what: &str, unit: Unit, [many, few]: [&ContractCall; 2], rounds: u64) {
    if is_selected(what) {
        let of = |call| move |engine| drop(run(world, engine, call));
        let times = difference([&mut of(many), &mut of(few)]);
        line(what, unit, &times.into_iter().map(|time| time.per(rounds)).collect::<Vec<_>>());
    }
}

/// The measurement of an operation: the time difference of a class whose rounds contain it and one whose
/// rounds do not.
struct Probe<'a> {
    what: &'a str,
    unit: Unit,
    round: Round,
    baseline: Round,
    rounds: u64,
    /// The calldata after the number of rounds and the first value.
    calldata: Vec<Felt>,
}

impl Probe<'_> {
    fn measure(self) {
        if !is_selected(self.what) {
            return;
        }
        // Every call uses new values, so that no call can use results that an earlier one cached.
        let value = Cell::new(0);
        let call = || {
            value.set(value.get() + 2 * u128::from(self.rounds));
            contract_call(
                PROBE,
                "run",
                &[&[Felt::from(self.rounds), felt(value.get())], &self.calldata[..]].concat(),
            )
        };
        let [mut many, mut few] = [&self.round, &self.baseline].map(|round| {
            let mut world = World::bare(ProtocolVersion::NEWEST);
            world.put(round.class(), PROBE);
            let call = &call;
            move |engine| drop(run(&world, engine, &call()))
        });
        let times = difference([&mut many, &mut few]);
        let each: Vec<_> = times.into_iter().map(|time| time.per(self.rounds)).collect();
        line(self.what, self.unit, &each);
    }
}
