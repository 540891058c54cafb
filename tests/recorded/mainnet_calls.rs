//! Calls of real mainnet transactions, Cairo 0 and Cairo 1, each run alone.
//!
//! A recording holds the values that each call read from storage, but not the cells that they came from. So
//! the reader feeds them back in order: a cell that is asked for gets the next value of the first call that
//! works on its contract and touches its key. Compared: result, failure, events, messages, inner calls, the
//! values read, the keys touched, and where they were recorded gas, resources, builtins, and the class hashes
//! asked for.
//!
//! Not recorded, and so not the same: block number, timestamp, and of the transaction all but its hash. Only
//! validations depend on those: they check the version and a signature. Of them the cells are compared that
//! they read until their signature fails.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, Mutex};

use crate::engine::chosen_engine;
use serde_json::{Value, json};
use starkiln::block::{BlockExecutor, BlockHashSource};
use starkiln::call::CallInfo;
use starkiln::class::{Cairo0Class, Cairo1Class, ContractClass, compile_sierra, sierra_class_from_json};
use starkiln::protocol::{
    BlockEnv, BlockInfo, BlockPrices, ChainInfo, Constants, DataAvailability, ProtocolVersion, VersionPolicy,
};
use starkiln::state::{ReadError, StateReader};
use starkiln::transaction::{CallResult, ContractCall, Execution, ExecutionFlags, Transaction};
use starknet_api::block::{BlockNumber, BlockTimestamp};
use starknet_api::contract_class::{EntryPointType, SierraVersion};
use starknet_api::core::{ChainId, ClassHash, CompiledClassHash, ContractAddress, EntryPointSelector, Nonce};
use starknet_api::state::StorageKey;
use starknet_api::transaction::fields::TransactionSignature;
use starknet_api::transaction::{InvokeTransaction, InvokeTransactionV1, TransactionHash};
use starknet_types_core::felt::Felt;

use super::call_info::{self, accessed, frames};
use super::json::{Differences, address, calldata, felt, felts, list, read, text};

/// The selector of `__execute__`.
const EXECUTE: &str = "0x15d40a3d6ca2ac30f4031e42be28da9b056fef9bb7357ac5e85627ee876e5ad";
const MAX_STEPS: u64 = 10_000_000;
const MAX_SIERRA_GAS: u64 = 10_000_000_000;

#[test]
fn recorded_calls_come_out_exactly() {
    let Some(folder) = super::data("mainnet_calls") else { return };
    let calls = read(&folder.join("calls.json"));
    let classes = Classes::read(&folder.parent().unwrap().join("classes"));

    let mut listed = Vec::new();
    let mut transactions: BTreeMap<(&str, &str), Vec<(usize, &Value)>> = BTreeMap::new();
    for (index, recorded) in list(&calls).iter().enumerate() {
        if recorded["phase"] == "validate_call_info" {
            listed.push((index, recorded));
        } else {
            let transaction = (text(&recorded["source"]), text(&recorded["tx"]));
            transactions.entry(transaction).or_default().push((index, recorded));
        }
    }
    let mut differences = Differences::default();
    let mut versions: BTreeMap<String, usize> = BTreeMap::new();
    let mut compared = 0;
    let mut sources: BTreeMap<&str, usize> = BTreeMap::new();
    for ((source, _), calls) in &transactions {
        *sources.entry(source).or_default() += calls.len();
        let (version, found) = best_version(calls, &classes);
        differences.append(found);
        *versions.entry(version.to_string()).or_default() += calls.len();
        compared += calls.len();
    }
    let mut reads = Vec::new();
    for (index, recorded) in &listed {
        let what = format!("call {index}");
        let mut found = Differences::default();
        compare(&mut found, &what, recorded, &classes, ProtocolVersion::V0_13_3);
        if found.is_empty() {
            differences.note(format!("{what} is said to be beyond comparison, but there is no difference"));
        }
        reads.push(reads_of_validation(&mut differences, &what, recorded, &classes));
    }
    differences.assert_none();
    for (source, count) in sources {
        println!("  {count} calls of {source}");
    }
    println!("mainnet_calls: {compared} calls compared, 0 differences ({} listed)", listed.len());
    for (version, count) in versions {
        println!("  {count} calls in transactions that {version} is the oldest version to fit");
    }
    println!(
        "  listed: validations, for they check the transaction's version and a signature, which are not recorded:"
    );
    for ((index, recorded), (read, touched)) in listed.into_iter().zip(reads) {
        println!(
            "    call {index}, of transaction {}: {read} of {touched} cells compared, those it reads before its signature",
            text(&recorded["tx"])
        );
    }
}

/// The comparable part of a validation without its signature: the cells it reads until that fails. A few
/// forms of signature are tried, for accounts check the form first; none may read a cell that is not
/// recorded. Returns the most cells read, and the recorded number.
fn reads_of_validation(
    differences: &mut Differences,
    what: &str,
    recorded: &Value,
    classes: &Classes,
) -> (usize, usize) {
    let hash = TransactionHash(felt(&recorded["tx"]));
    let recorded = &recorded["call_info"];
    let sender = address(&recorded["call"]["storage_address"]);
    let touched: BTreeSet<Felt> =
        felts(accessed(recorded, "accessed_storage_keys").unwrap()).into_iter().collect();
    let mut most = 0;
    for signature in [&[1, 1][..], &[0, 1, 1], &[1, 0, 1, 1, 1], &[1, 1, 1, 1]] {
        let invoke = InvokeTransactionV1 {
            sender_address: sender,
            calldata: calldata(&recorded["call"]["calldata"]),
            signature: TransactionSignature(Arc::new(
                signature.iter().map(|felt| Felt::from(*felt)).collect(),
            )),
            ..InvokeTransactionV1::default()
        };
        let flags = ExecutionFlags { charge_fee: false, ..ExecutionFlags::default() };
        let transaction = Transaction::invoke(InvokeTransaction::V1(invoke), hash).with_flags(flags);
        let reader = Replay::new(recorded, classes);
        let executor = BlockExecutor::new(env(ProtocolVersion::V0_13_3), &reader)
            .engine(chosen_engine())
            .block_hash_source(BlockHashSource::InState);
        let outcome = executor.execute(&[transaction]).unwrap();
        assert!(outcome.transactions[0].execution().is_none(), "{what}: that was no signature");
        let read = outcome.initial_reads.storage.keys();
        let read: BTreeSet<(ContractAddress, Felt)> =
            read.map(|(address, key)| (*address, *key.0.key())).collect();
        for (address, key) in &read {
            if *address != sender || !touched.contains(key) {
                differences.note(format!("{what}: cell {key:#x} of {:#x} is read", address.0.key()));
            }
        }
        most = most.max(read.len());
    }
    (most, touched.len())
}

/// The oldest version at which all calls of a transaction come out as recorded, or else the one with the
/// fewest differences: the recordings do not tell which it was.
fn best_version(calls: &[(usize, &Value)], classes: &Classes) -> (ProtocolVersion, Differences) {
    let mut best: Option<(ProtocolVersion, Differences)> = None;
    for version in ProtocolVersion::SUPPORTED {
        let mut found = Differences::default();
        for (index, recorded) in calls {
            compare(&mut found, &format!("call {index} at {version}"), recorded, classes, version);
        }
        let is_exact = found.is_empty();
        if best.as_ref().is_none_or(|(_, least)| found.len() < least.len()) {
            best = Some((version, found));
        }
        if is_exact {
            break;
        }
    }
    best.unwrap()
}

fn compare(
    differences: &mut Differences,
    what: &str,
    recorded: &Value,
    classes: &Classes,
    version: ProtocolVersion,
) {
    let is_outermost = list(&recorded["path"]).is_empty();
    let hash = TransactionHash(felt(&recorded["tx"]));
    let recorded = &recorded["call_info"];
    let is_account_call = is_outermost && recorded["call"]["entry_point_selector"] == EXECUTE;
    let reader = Replay::new(recorded, classes);
    let executor = BlockExecutor::new(env(version), &reader)
        .engine(chosen_engine())
        .block_hash_source(BlockHashSource::InState);
    let ran = if is_account_call {
        execute(&executor, &transaction(&recorded["call"], hash))
    } else {
        match executor.call(&call(&recorded["call"])) {
            Ok(CallResult::Finished(call)) => Ok(*call),
            Ok(CallResult::Failed { stack, .. }) => Err(stack.to_string()),
            Err(error) => Err(error.to_string()),
        }
    };
    match ran {
        Ok(call) => {
            let (ours, recorded) = sides(&call, recorded);
            differences.compare(what, &ours, &recorded);
        }
        Err(error) => differences.note(format!("{what}: {error}")),
    }
}

fn execute(executor: &BlockExecutor<&Replay<'_>>, transaction: &Transaction) -> Result<CallInfo, String> {
    let outcome = executor.execute(std::slice::from_ref(transaction)).map_err(|error| error.to_string())?;
    match outcome.transactions[0].execution() {
        Some(Execution { execute_call: Some(call), .. }) => Ok(call.clone()),
        _ => Err(format!("{:?}", outcome.transactions[0].disposition)),
    }
}

/// The classes of the recorded calls.
struct Classes {
    cairo0: BTreeMap<ClassHash, ContractClass>,
    /// Once measured in gas, as in the recording, and once in steps, as below a caller that is.
    cairo1: BTreeMap<ClassHash, (ContractClass, ContractClass)>,
}

impl Classes {
    fn read(folder: &Path) -> Self {
        let files = |kind: &str| {
            let entries = std::fs::read_dir(folder.join(kind)).unwrap().map(|entry| entry.unwrap().path());
            entries.map(|path| {
                let hash = ClassHash(Felt::from_hex(path.file_stem().unwrap().to_str().unwrap()).unwrap());
                (hash, std::fs::read(path).unwrap())
            })
        };
        let cairo0 = files("cairo0").map(|(hash, json)| (hash, Cairo0Class::from_json(json).unwrap().into()));
        // A Sierra version that is new enough to be measured in gas at all versions, even before there was
        // gas; and one that is measured in steps at all versions.
        let (new, old) = (SierraVersion::new(100, 0, 0), SierraVersion::DEPRECATED);
        let mut cairo1 = BTreeMap::new();
        for (hash, json) in files("casm") {
            let class = |version| ContractClass::from(Cairo1Class::from_casm_json(&json, version).unwrap());
            cairo1.insert(hash, (class(new.clone()), class(old.clone())));
        }
        for (hash, json) in files("sierra") {
            cairo1.entry(hash).or_insert_with(|| {
                let casm = compile_sierra(&sierra_class_from_json(&json).unwrap()).unwrap();
                let class =
                    |version| ContractClass::from(Cairo1Class::from_casm(casm.clone(), version).unwrap());
                (class(new.clone()), class(old.clone()))
            });
        }
        Self { cairo0: cairo0.collect(), cairo1 }
    }
}

fn is_in_gas(call: &Value) -> bool {
    match call.get("tracked_resource") {
        Some(tracked) => tracked == "SierraGas",
        // Calls that are not measured in gas use none. Where nothing was recorded it is not compared.
        None => call["execution"].get("gas_consumed").is_none_or(|gas| *gas != json!(0)),
    }
}

/// Feeds the recorded reads back.
struct Replay<'a> {
    classes: &'a Classes,
    in_gas: bool,
    class_hashes: BTreeMap<ContractAddress, ClassHash>,
    frames: Vec<Frame>,
    /// By frame, how many of its values are used.
    used: Mutex<Vec<usize>>,
}

struct Frame {
    address: ContractAddress,
    keys: BTreeSet<Felt>,
    values: Vec<Felt>,
}

impl<'a> Replay<'a> {
    fn new(recorded: &Value, classes: &'a Classes) -> Self {
        let frames = frames(recorded);
        let class_hash = |frame: &&Value| {
            let call = &frame["call"];
            // Cairo 0 delegates to the class of a contract.
            let at = if call["code_address"].is_null() { "storage_address" } else { "code_address" };
            let is_its_class = call["call_type"] == "Call" || at == "code_address";
            is_its_class.then(|| (address(&call[at]), ClassHash(felt(&call["class_hash"]))))
        };
        let class_hashes = frames.iter().filter_map(class_hash).collect();
        let frames: Vec<Frame> = frames
            .into_iter()
            .map(|frame| Frame {
                address: address(&frame["call"]["storage_address"]),
                keys: felts(accessed(frame, "accessed_storage_keys").unwrap()).into_iter().collect(),
                values: felts(accessed(frame, "storage_read_values").unwrap()),
            })
            .collect();
        let used = Mutex::new(vec![0; frames.len()]);
        Self { classes, in_gas: is_in_gas(recorded), class_hashes, frames, used }
    }
}

impl StateReader for Replay<'_> {
    fn storage_at(&self, address: ContractAddress, key: StorageKey) -> Result<Felt, ReadError> {
        let mut used = self.used.lock().unwrap();
        for (frame, used) in self.frames.iter().zip(used.iter_mut()) {
            if frame.address == address
                && frame.keys.contains(key.0.key())
                && let Some(value) = frame.values.get(*used)
            {
                *used += 1;
                return Ok(*value);
            }
        }
        // The cell is written without having been read, so that its old value is unknown.
        Ok(Felt::ZERO)
    }

    fn nonce_at(&self, _: ContractAddress) -> Result<Nonce, ReadError> {
        Ok(Nonce::default())
    }

    fn class_hash_at(&self, address: ContractAddress) -> Result<ClassHash, ReadError> {
        self.class_hashes
            .get(&address)
            .copied()
            .ok_or_else(|| ReadError::message("no such contract was recorded"))
    }

    fn class(&self, class_hash: ClassHash) -> Result<Option<ContractClass>, ReadError> {
        if let Some(class) = self.classes.cairo0.get(&class_hash) {
            return Ok(Some(class.clone()));
        }
        Ok(self
            .classes
            .cairo1
            .get(&class_hash)
            .map(|(gas, steps)| if self.in_gas { gas } else { steps }.clone()))
    }

    fn compiled_class_hash(&self, _: ClassHash) -> Result<CompiledClassHash, ReadError> {
        Err(ReadError::message("no compiled class hash was recorded"))
    }
}

fn env(version: ProtocolVersion) -> BlockEnv {
    let block = BlockInfo {
        number: BlockNumber(742_001),
        timestamp: BlockTimestamp(0),
        sequencer: ContractAddress::default(),
        prices: BlockPrices::default(),
        data_availability: DataAvailability::Blob,
    };
    let chain = ChainInfo {
        chain_id: ChainId::Mainnet,
        strk_fee_token: ContractAddress::default(),
        eth_fee_token: ContractAddress::default(),
        is_l3: false,
    };
    BlockEnv::new(block, chain, Constants::for_version(version, VersionPolicy::Exact).unwrap())
}

fn call(recorded: &Value) -> ContractCall {
    assert_eq!(recorded["call_type"], "Call");
    let selector = EntryPointSelector(felt(&recorded["entry_point_selector"]));
    let call =
        ContractCall::new(address(&recorded["storage_address"]), selector, calldata(&recorded["calldata"]));
    ContractCall {
        entry_point_type: match text(&recorded["entry_point_type"]) {
            "EXTERNAL" => EntryPointType::External,
            "L1_HANDLER" => EntryPointType::L1Handler,
            "CONSTRUCTOR" => EntryPointType::Constructor,
            other => panic!("another type of entry point: {other}"),
        },
        caller: address(&recorded["caller_address"]),
        max_sierra_gas: recorded.get("initial_gas").map_or(MAX_SIERRA_GAS, |gas| gas.as_u64().unwrap()),
        max_steps: MAX_STEPS,
        ..call
    }
}

/// The execution alone of an account's transaction. Which version it had is not recorded, but accounts look
/// at it: not 0.
fn transaction(recorded: &Value, hash: TransactionHash) -> Transaction {
    let invoke = InvokeTransactionV1 {
        sender_address: address(&recorded["storage_address"]),
        calldata: calldata(&recorded["calldata"]),
        ..InvokeTransactionV1::default()
    };
    let flags = ExecutionFlags { charge_fee: false, validate: false, ..ExecutionFlags::default() };
    Transaction::invoke(InvokeTransaction::V1(invoke), hash).with_flags(flags)
}

/// Both sides of a comparison. The callers of the call are not part of the recording.
fn sides(info: &CallInfo, recorded: &Value) -> (Value, Value) {
    let (mut ours, mut theirs) = (call_info::of(info), call_info::comparable(recorded));
    call_info::keep_recorded(&mut ours, &theirs);
    // It may have been called by address, not as here from outside.
    ours["call"]["code_address"] = Value::Null;
    theirs["call"]["code_address"] = Value::Null;
    // Events are counted over the whole transaction, here from the first of this call on.
    let first = call_info::first_event(&theirs);
    call_info::count_events_from(first, &mut theirs);
    (ours, theirs)
}
