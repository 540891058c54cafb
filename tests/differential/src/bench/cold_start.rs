//! Cold start of a class: from a file or its parsed form to a runnable class, and to the end of its first
//! call.

use std::sync::Arc;

use blockifier::execution::contract_class::{CompiledClassV0, CompiledClassV1, RunnableCompiledClass};
use blockifier::execution::entry_point::{
    CallEntryPoint, EntryPointExecutionContext, SierraGasRevertTracker,
};
use blockifier::state::cached_state::CachedState;
use starkiln::block::{BlockExecutor, Engine};
use starkiln::class::{Cairo0Class, Cairo1Class, ContractClass};
use starkiln::protocol::ProtocolVersion;
use starkiln::transaction::{CallResult, ContractCall};
use starknet_api::contract_class::{ContractClass as CompiledClass, EntryPointType};
use starknet_api::core::EntryPointSelector;
use starknet_api::execution_resources::GasAmount;
use starknet_types_core::felt::Felt;

use super::block::{Classes, TimedBlock};
use super::clock::{Time, Times, in_turn};
use super::engine::ENGINES;
use super::transfers::Kinds;
use crate::fixture::{ACCOUNT, World, address, selector};
use crate::reference::BlockifierReader;

/// Classes, with an entry point without arguments.
const CLASSES: [(&str, &str); 6] = [
    ("nft", "next_id"),
    ("erc20", "decimals"),
    ("strk", "decimals"),
    ("syscalls", "nothing"),
    ("argent", "get_name"),
    ("cairo0/erc20", "decimals"),
];

/// The address of the contract of the class.
const PLACE: u128 = 0xc1a5;

/// The factor for the number of runs, since each is short.
const MORE_RUNS: usize = 4;

/// Gas for a call.
const GAS: u64 = 10_000_000;

/// Prints the table; returns `true` if all first calls had the same results.
pub fn table(kinds: &Kinds, classes: &Classes, runs: usize, only: &str) -> Result<bool, String> {
    let runs = runs * MORE_RUNS;
    println!("\ncold start of a class: milliseconds, medians of {runs}, ratios of ours to blockifier's");
    println!(
        "{:<14} {:>7} | {:^23} | {:^23} | {:^46}",
        "", "", "from JSON", "from CASM", "from CASM to the end of a first call"
    );
    println!(
        "{:<14} {:>7} | {:>7} {:>7} {:>7} | {:>7} {:>7} {:>7} | {:>7} {:>7} {:>7} {:>7} {:>7}",
        "class",
        "felts",
        "theirs",
        "ours",
        "ratio",
        "theirs",
        "ours",
        "ratio",
        "theirs",
        "cairo-vm",
        "ratio",
        "fast",
        "ratio"
    );
    let mut equal = true;
    for (name, entry_point) in CLASSES {
        if "cold start".contains(only) {
            equal &= row(name, entry_point, kinds, classes, runs)?;
        }
    }
    Ok(equal)
}

/// A class in its source forms.
struct Forms<'c> {
    json: String,
    compiled: &'c CompiledClass,
}

impl Forms<'_> {
    fn ours_from_json(&self) -> ContractClass {
        match self.compiled {
            CompiledClass::V0(_) => Cairo0Class::from_json(&self.json).expect("it loads").into(),
            CompiledClass::V1((_, version)) => {
                Cairo1Class::from_casm_json(&self.json, version.clone()).expect("it loads").into()
            }
        }
    }

    fn theirs_from_json(&self) -> RunnableCompiledClass {
        match self.compiled {
            CompiledClass::V0(_) => RunnableCompiledClass::V0(
                CompiledClassV0::try_from_json_string(&self.json).expect("it loads"),
            ),
            CompiledClass::V1((_, version)) => RunnableCompiledClass::V1(
                CompiledClassV1::try_from_json_string(&self.json, version.clone()).expect("it loads"),
            ),
        }
    }
}

fn ours(compiled: CompiledClass) -> ContractClass {
    match compiled {
        CompiledClass::V0(class) => Cairo0Class::from_deprecated_class(&class).expect("it loads").into(),
        CompiledClass::V1((casm, version)) => Cairo1Class::from_casm(casm, version).expect("it loads").into(),
    }
}

fn row(name: &str, entry_point: &str, kinds: &Kinds, classes: &Classes, runs: usize) -> Result<bool, String> {
    let class_hash = kinds.class_hash(name);
    let compiled = classes.compiled(class_hash).ok_or_else(|| format!("no class {name}"))?;
    let json = match compiled {
        CompiledClass::V0(class) => serde_json::to_string(class),
        CompiledClass::V1((casm, _)) => serde_json::to_string(casm),
    };
    let forms = Forms { json: json.map_err(|error| error.to_string())?, compiled };

    let mut world = World::new(ProtocolVersion::NEWEST);
    world.state.class_hashes.insert(address(PLACE), class_hash);
    let transaction = world.call(0, PLACE, entry_point, &[]);
    let block = TimedBlock::new(world.env.clone(), world.state.clone(), vec![transaction], classes)?;
    let selector = EntryPointSelector(selector(entry_point));

    let from_json = in_turn(
        runs,
        [&mut || Time::of(|| forms.theirs_from_json()).1, &mut || Time::of(|| forms.ours_from_json()).1],
    );
    let mut theirs_prepared = || {
        let compiled = compiled.clone();
        Time::of(|| RunnableCompiledClass::try_from(compiled).expect("it loads")).1
    };
    let mut ours_prepared = || {
        let compiled = compiled.clone();
        Time::of(|| ours(compiled)).1
    };
    let prepared = in_turn(runs, [&mut theirs_prepared, &mut ours_prepared]);

    let mut returned: [Option<Vec<Felt>>; 3] = [None, None, None];
    let [their_result, our_results @ ..] = &mut returned;
    let mut theirs_called = || {
        let compiled = compiled.clone();
        let mut blockifier_classes = (*block.blockifier_classes).clone();
        let mut state = block.input.state.clone();
        // Blockifier's reader asks it for declared classes.
        state.classes.insert(class_hash, ours(compiled.clone()));
        let context = Arc::new(block.blockifier_context.to_tx_context(&block.blockifier_transactions[0]));
        let call = CallEntryPoint {
            class_hash: None,
            code_address: None,
            entry_point_type: EntryPointType::External,
            entry_point_selector: selector,
            storage_address: address(PLACE),
            caller_address: address(ACCOUNT),
            initial_gas: GAS,
            ..Default::default()
        };
        let (info, time) = Time::of(|| {
            let class = RunnableCompiledClass::try_from(compiled).expect("it loads");
            blockifier_classes.insert(class_hash, class);
            let mut state = CachedState::new(BlockifierReader::new(state, Arc::new(blockifier_classes)));
            let tracker = SierraGasRevertTracker::new(GasAmount(GAS));
            let mut context = EntryPointExecutionContext::new_invoke(context, false, tracker);
            let mut gas = GAS;
            (call.execute(&mut state, &mut context, &mut gas), state)
        });
        *their_result = info.0.ok().map(|info| info.execution.retdata.0);
        time
    };
    let call = ContractCall {
        caller: address(ACCOUNT),
        max_sierra_gas: GAS,
        ..ContractCall::new(address(PLACE), selector, Default::default())
    };
    let called = |engine: Engine, result: &mut Option<Vec<Felt>>| {
        let compiled = compiled.clone();
        let mut state = block.input.state.clone();
        let env = block.input.env.clone();
        let (outcome, time) = Time::of(|| {
            state.classes.insert(class_hash, ours(compiled));
            let executor = BlockExecutor::new(env, &state)
                .block_hash_source(block.input.block_hash_source)
                .engine(engine);
            executor.call(&call)
        });
        *result = match outcome {
            Ok(CallResult::Finished(info)) => Some(info.retdata),
            _ => None,
        };
        time
    };
    let [vm_result, fast_result] = our_results;
    let [(_, vm), (_, fast)] = ENGINES;
    let called =
        in_turn(runs, [&mut theirs_called, &mut || called(vm, vm_result), &mut || called(fast, fast_result)]);

    let milliseconds = |times: &Times| format!("{:>7.3}", 1e3 * times.seconds());
    let compared = |[theirs, ours]: &[Times; 2]| {
        let ratio = ours.seconds() / theirs.seconds();
        format!("{} {} {ratio:>7.2}", milliseconds(theirs), milliseconds(ours))
    };
    let [theirs, vm, fast] = called;
    println!(
        "{name:<14} {:>7} | {} | {} | {} {} {:>7.2} {} {:>7.2}",
        ours(compiled.clone()).bytecode_len(),
        compared(&from_json),
        compared(&prepared),
        milliseconds(&theirs),
        milliseconds(&vm),
        vm.seconds() / theirs.seconds(),
        milliseconds(&fast),
        fast.seconds() / theirs.seconds(),
    );
    let equal = returned[0].is_some() && returned.iter().all(|result| *result == returned[0]);
    if !equal {
        println!("{name}: first calls return {returned:?}");
    }
    Ok(equal)
}
