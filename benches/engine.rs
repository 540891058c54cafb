//! The engines side by side: what a step costs, a call, a hint, a builtin; in the same run, on the same machine.
//!
//! `cargo bench --bench engine`, with a word behind `--` for the lines that contain it, and `fast` as a second word to leave `cairo-vm`
//! out (for a profiler). Every line has the medians of the fast engine and of `cairo-vm`, their ratio, and the ratio of the shortest
//! times, which other work on the machine disturbs less. Calls go in by the front door, so that what surrounds a frame (state, journal,
//! entry) is part of what "a call" costs on either engine.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_precision_loss
)]

#[path = "../tests/fixture/mod.rs"]
mod fixture;

use std::time::{Duration, Instant};

use fixture::{ACCOUNT, FEE_TOKEN, World, address, felt, selector};
use starkiln::call::CallInfo;
use starkiln::protocol::{Engine, ProtocolVersion};
use starkiln::transaction::{CallResult, ContractCall, Transaction};
use starknet_api::core::EntryPointSelector;
use starknet_api::transaction::fields::Calldata;
use starknet_types_core::felt::Felt;

const CONTRACT: u128 = 0xbe;
const CIRCUIT: u128 = 0xc1;
const ENGINES: [Engine; 2] = [Engine::Fast, Engine::CairoVm];

/// The words on the command line, without what cargo adds.
fn words() -> Vec<String> {
    std::env::args().skip(1).filter(|word| !word.starts_with("--")).collect()
}

fn is_wanted(what: &str) -> bool {
    words().first().is_none_or(|word| what.contains(word.as_str()))
}

/// What `measure` says of each engine; nothing of an engine that is left out.
fn on_engines(mut measure: impl FnMut(Engine) -> [f64; 2]) -> [[f64; 2]; 2] {
    let only_fast = words().get(1).is_some_and(|word| word == "fast");
    ENGINES.map(|engine| if only_fast && engine == Engine::CairoVm { [f64::NAN; 2] } else { measure(engine) })
}

/// The median and the shortest time of `work`, repeated for a while.
fn times(mut work: impl FnMut()) -> [f64; 2] {
    let mut times = Vec::new();
    let start = Instant::now();
    while times.len() < 5 || (start.elapsed() < Duration::from_millis(700) && times.len() < 5_000) {
        let before = Instant::now();
        work();
        times.push(before.elapsed());
    }
    times.sort();
    [times[times.len() / 2], times[0]].map(|time| time.as_secs_f64() * 1e9)
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
    match world.executor().engine(engine).call(call).expect("no engine is broken") {
        CallResult::Finished(info) => {
            assert!(!info.failed, "{:?}", info.retdata);
            *info
        }
        CallResult::Failed { stack, .. } => panic!("{stack}"),
    }
}

fn print(what: &str, unit: &str, scale: f64, [fast, judge]: [[f64; 2]; 2]) {
    let [median, least] = [0, 1].map(|which| judge[which] / fast[which]);
    let (fast, judge) = (fast[0] / scale, judge[0] / scale);
    println!("{what:<44} {fast:>12.1} {judge:>12.1} {unit:<4} {median:>8.1}x {least:>8.1}x");
}

/// A call as a whole.
fn whole_call(world: &World, what: &str, call: &ContractCall) {
    if !is_wanted(what) {
        return;
    }
    print(what, "us", 1e3, on_engines(|engine| times(|| drop(run(world, engine, call)))));
}

/// What `count` more rounds of something cost, each, beyond the call around it.
fn per_round(world: &World, what: &str, unit: &str, scale: f64, calls: [&ContractCall; 2], count: u64) {
    if !is_wanted(what) {
        return;
    }
    let measured = on_engines(|engine| {
        let [none, many] = calls.map(|call| times(|| drop(run(world, engine, call))));
        [0, 1].map(|which| (many[which] - none[which]) / (count as f64))
    });
    print(what, unit, scale, measured);
}

fn main() {
    let mut world = World::new(ProtocolVersion::NEWEST);
    world.deploy("syscalls", CONTRACT);
    world.deploy("circuit", CIRCUIT);
    println!(
        "{:<44} {:>12} {:>12} {:<4} {:>9} {:>9}",
        "medians", "fast", "cairo-vm", "", "ratio", "of minima"
    );

    let call = |name: &str, calldata: &[Felt]| contract_call(CONTRACT, name, calldata);
    whole_call(&world, "a call that does nothing (30,000 felts)", &call("nothing", &[]));
    let balance = contract_call(FEE_TOKEN, "balance_of", &[felt(ACCOUNT)]);
    whole_call(&world, "balance_of: storage, one Pedersen", &balance);

    // Steps are counted in classes that pay for them: the same code as such a class says how many there are.
    for (what, name) in [("a step, of a loop", "loop_n"), ("a step, of a recursion", "recurse_n")] {
        if is_wanted(what) {
            let calls = [call(name, &[felt(1_000)]), call(name, &[felt(101_000)])];
            let steps = steps_of(&calls[1]) - steps_of(&calls[0]);
            per_round(&world, what, "ns", 1.0, [&calls[0], &calls[1]], steps);
        }
    }

    let dictionaries = |count: u128| call("dictionaries", &[Felt::ONE, felt(count)]);
    per_round(
        &world,
        "a dictionary entry, squashed",
        "ns",
        1.0,
        [&dictionaries(1), &dictionaries(1001)],
        1000,
    );
    let reads = |count: u128| call("storage_read_many", &[Felt::ZERO, felt(count)]);
    per_round(&world, "a storage read", "ns", 1.0, [&reads(1), &reads(1001)], 1000);
    let writes = |count: u128| call("storage_write_many", &[Felt::ZERO, felt(count), Felt::ONE]);
    per_round(&world, "a storage write", "ns", 1.0, [&writes(1), &writes(1001)], 1000);
    let events =
        |count: u128| call("emit_events", &[felt(count), Felt::ONE, Felt::ONE, Felt::ONE, Felt::TWO]);
    per_round(&world, "an event", "ns", 1.0, [&events(1), &events(501)], 500);
    let hashes = |count: usize| {
        let mut calldata = vec![Felt::from(count)];
        calldata.extend((0..count).map(Felt::from));
        call("poseidon_many", &calldata)
    };
    per_round(&world, "half a Poseidon permutation", "ns", 1.0, [&hashes(2), &hashes(1002)], 1000);

    let full = Felt::MAX * felt(u128::MAX / 3);
    whole_call(&world, "a call with one Pedersen", &call("pedersen", &[full, -full]));
    let wide = [felt(u128::MAX), felt(u128::MAX / 3), felt(12345), felt(u128::MAX / 7)];
    whole_call(&world, "a call with a division of 256 bits", &call("u256_div", &wide));
    let modulus = [felt(u128::MAX), felt(u128::MAX), wide[0], wide[1], wide[2], wide[3]];
    whole_call(&world, "a call with a product modulo 256 bits", &call("u256_mul_mod", &modulus));
    let generator = [
        Felt::from_hex_unchecked("0x1ef15c18599971b7beced415a40f0c7deacfd9b0d1819e03d723d8bc943cfca"),
        Felt::from_hex_unchecked("0x5668060aa49730b7be4801df46ec62de53ecd11abe43a32873000c36e8dc1f"),
    ];
    let scalar = felt(u128::MAX) * felt(u128::MAX / 5);
    whole_call(&world, "a call with ec_mul", &call("ec_mul", &[generator[0], generator[1], scalar]));
    let limbs = |n: u128| [felt(n), felt(n + 1), felt(n + 2), felt(n + 3)];
    // 2^255 - 19.
    let prime = [felt((1 << 96) - 19), felt((1 << 96) - 1), felt((1 << 63) - 1), Felt::ZERO];
    let circuit = |times: u128| {
        let mut calldata = [limbs(5), limbs(8), prime].concat();
        calldata.push(felt(times));
        contract_call(CIRCUIT, "repeat", &calldata)
    };
    per_round(&world, "a circuit of five gates", "us", 1e3, [&circuit(1), &circuit(11)], 10);

    prepared_class(&call("nothing", &[]));
    transfers(&world);
}

/// First contact with a class of 30,000 felts: loading it, which is the same for both engines, and its first call, in which each makes
/// ready what it needs.
fn prepared_class(call: &ContractCall) {
    if !is_wanted("a class") {
        return;
    }
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/resources/contracts/syscalls.casm.json");
    let json = std::fs::read(path).unwrap();
    let version = starknet_api::contract_class::SierraVersion::new(1, 7, 0);
    let load = || starkiln::class::Cairo1Class::from_casm_json(&json, version.clone()).unwrap();
    let loading = times(|| drop(load()));
    print("a class loaded from compiled JSON", "us", 1e3, [loading, loading]);
    let class_hash = starknet_api::core::ClassHash(felt(0x57e5));
    let measured = on_engines(|engine| {
        let mut calls: Vec<f64> = (0..40)
            .map(|_| {
                let mut world = World::bare(ProtocolVersion::NEWEST);
                world.state = std::mem::take(&mut world.state)
                    .with_class(class_hash, load().into())
                    .deploy(address(CONTRACT), class_hash);
                let before = Instant::now();
                drop(run(&world, engine, call));
                before.elapsed().as_secs_f64() * 1e9
            })
            .collect();
        calls.sort_by(f64::total_cmp);
        [calls[calls.len() / 2], calls[0]]
    });
    print("its first call", "us", 1e3, measured);
}

/// The steps of a call: the same code, tracked in steps.
fn steps_of(call: &ContractCall) -> u64 {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/resources/contracts/syscalls.casm.json");
    let version = starknet_api::contract_class::SierraVersion::new(1, 6, 0);
    let class = starkiln::class::Cairo1Class::from_casm_json(std::fs::read(path).unwrap(), version).unwrap();
    let mut world = World::new(ProtocolVersion::NEWEST);
    let class_hash = starknet_api::core::ClassHash(felt(0x57e5));
    world.state = std::mem::take(&mut world.state)
        .with_class(class_hash, class.into())
        .deploy(address(CONTRACT), class_hash);
    run(&world, Engine::CairoVm, call).resources.steps
}

/// Whole transactions: an account without signature check calls `transfer` and pays; then one with a signature check, and one whose
/// account and token are Cairo 0.
fn transfers(world: &World) {
    const COUNT: u64 = 500;
    let recipient = |nonce: u64| felt(0x1000 + u128::from(nonce % 100));
    let arguments = |nonce| [recipient(nonce), Felt::ONE, Felt::ZERO];
    let open = |nonce| world.call(nonce, FEE_TOKEN, "transfer", &arguments(nonce));
    blocks(world, "a transfer, all of it", &(0..COUNT).map(open).collect::<Vec<_>>());

    let mut old = World::bare(ProtocolVersion::NEWEST);
    old.deploy("cairo0/erc20", FEE_TOKEN);
    old.deploy("cairo0/account_open", ACCOUNT);
    old.state = std::mem::take(&mut old.state).with_balance(address(FEE_TOKEN), address(ACCOUNT), u128::MAX);
    // One call: its address, its selector, where its arguments begin among all, how many they are; then all arguments.
    let cairo0 = |nonce| {
        let call = [Felt::ONE, felt(FEE_TOKEN), selector("transfer"), Felt::ZERO, felt(3), felt(3)];
        let calldata = [&call[..], &arguments(nonce)].concat();
        old.invoke(ACCOUNT, nonce, calldata, &[], Felt::from(nonce + 1))
    };
    let transactions: Vec<Transaction> = (0..COUNT).map(cairo0).collect();
    blocks(&old, "a transfer in Cairo 0, all of it", &transactions);
}

/// Executes a block again and again, and prints the time of each of its transactions.
fn blocks(world: &World, what: &str, transactions: &[Transaction]) {
    if !is_wanted(what) {
        return;
    }
    let measured = on_engines(|engine| {
        let whole = times(|| {
            let outcome = world.executor().engine(engine).execute(transactions).unwrap();
            for transaction in &outcome.transactions {
                assert!(transaction.execution().is_some_and(|execution| !execution.is_reverted()));
            }
        });
        whole.map(|time| time / (transactions.len() as f64))
    });
    print(what, "us", 1e3, measured);
    let [fast, judge] = measured.map(|[median, _]| 1e9 / median);
    println!("{:<44} {fast:>12.0} {judge:>12.0} tx/s", "  a second");
}
