//! Mainnet blocks 0 to 4 of November 2021: DEPLOY and INVOKE of version 0, executed one block after another
//! from an empty state.
//!
//! Compared: each block's state diff; each receipt's steps, builtins, messages and events; the call trees of
//! blocks 0 and 2. The resources that were published then are those of the code alone, inner calls included,
//! without what the operating system adds for syscalls and for the transaction. Memory holes are in the call
//! trees only: receipts say 0 for all. Fees are zero.

use std::path::Path;
use std::process::Command;

use crate::engine::chosen_engine;
use serde_json::{Map, Value, json};
use starkiln::block::{BlockExecutor, BlockHashSource};
use starkiln::call::CallInfo;
use starkiln::class::{Cairo0Class, cairo0_class_hash};
use starkiln::protocol::{
    BlockEnv, BlockInfo, BlockPrices, ChainInfo, Constants, DataAvailability, ProtocolVersion, VersionPolicy,
};
use starkiln::replay::{
    BlockFile, ClassEntry, ClassText, FileTransaction, FileTransactionBody, InitialState,
};
use starkiln::state::{MemoryState, StateDiff};
use starkiln::transaction::{Execution, ExecutionFlags, Transaction};
use starknet_api::block::{BlockNumber, BlockTimestamp};
use starknet_api::core::{ChainId, ClassHash, CompiledClassHash, ContractAddress, EntryPointSelector};
use starknet_api::transaction::fields::{ContractAddressSalt, Fee};
use starknet_api::transaction::{
    DeployTransaction, InvokeTransaction, InvokeTransactionV0, TransactionHash, TransactionVersion,
};

use super::json::{
    Differences, Known, address, builtins, calldata, events, felt, hex, hex_list, integer, list, messages,
    normal_hex, read, recorded_builtins, signature, sorted, text, without_syscalls,
};

const CLASS: &str = "0x10455c752b86932ce552f2b0fe81a880746649b9aee7e0d842bf3f52378f9f8";
const BLOCKS: u64 = 5;
const TRACED_BLOCKS: [u64; 2] = [0, 2];

/// Memory holes were counted otherwise in 2021: cells of the calldata that only an inner call reads were
/// holes in the frame of its caller. All later versions count them as touched (C82). One published call hands
/// on calldata unread.
const KNOWN: [Known; 1] = [Known {
    what: "block 0, transaction 5 (0x5c71675616b49fb9d16cac8beaaa65f62dc5a532e92785055c15c825166dbbf).trace.n_memory_holes",
    ours: "20",
    recorded: "24",
    reason: "4 felts of calldata that only the inner call reads were holes then",
}];

#[test]
fn the_first_blocks_of_mainnet_come_out_exactly() {
    let Some(folder) = super::data("mainnet_genesis") else { return };
    let mut differences = Differences::knowing(&KNOWN);
    let mut state = state(&folder);
    let (mut transactions, mut traces) = (0, 0);
    for number in 0..BLOCKS {
        let block = read(&folder.join(format!("block_{number}.json")));
        let env = env(&block["header"]);
        assert_eq!(block["header"]["event_count"], 0);
        let inputs: Vec<Transaction> = list(&block["transactions"]).iter().map(transaction).collect();
        let outcome =
            BlockExecutor::new(env.clone(), &state).engine(chosen_engine()).execute(&inputs).unwrap();
        let trace = TRACED_BLOCKS
            .contains(&number)
            .then(|| read(&folder.join(format!("traces_block_{number}.json"))));

        for (index, (outcome, receipt)) in
            outcome.transactions.iter().zip(list(&block["receipts"])).enumerate()
        {
            let what = format!("block {number}, transaction {index} ({:#x})", outcome.hash.0);
            assert_eq!(outcome.hash.0, felt(&receipt["transaction_hash"]));
            transactions += 1;
            let Some(execution) = outcome.execution() else {
                differences.note(format!("{what}: invalid: {:?}", outcome.disposition));
                continue;
            };
            compare_receipt(&mut differences, &what, execution, receipt, &env.constants);
            if let (Some(trace), Some(call)) = (&trace, &execution.execute_call) {
                let recorded = &trace["traces"][index];
                assert_eq!(outcome.hash.0, felt(&recorded["transaction_hash"]));
                let recorded = recorded_invocation(&recorded["function_invocation"]);
                let mut ours = invocation(call, &env.constants);
                ours["messages"] = all_messages(execution);
                differences.compare(&format!("{what}.trace"), &ours, &recorded);
                traces += 1;
            }
        }
        let recorded = recorded_state_diff(&block["state_diff"]);
        differences.compare(
            &format!("block {number}.state_diff"),
            &state_diff(&outcome.state_diff),
            &recorded,
        );
        state.apply(&outcome.state_diff, []);
    }
    differences.assert_none();
    println!(
        "mainnet_genesis: {transactions} transactions compared, 0 differences \
         ({BLOCKS} state diffs, {transactions} receipts, {traces} call trees)",
    );
    differences.print_known();
}

#[test]
fn mainnets_block_0_runs_from_a_block_file() {
    let Some(folder) = super::data("mainnet_genesis") else { return };
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("mainnet_block_0.json");
    let block = block_file(&folder, &read(&folder.join("block_0.json")));
    block.write(&path).unwrap();
    assert_eq!(BlockFile::read(&path).unwrap(), block);

    let output = Command::new(env!("CARGO_BIN_EXE_starkiln")).arg("run").arg(&path).output().unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let count = |kind: &str| printed.lines().filter(|line| line.contains(kind)).count();
    assert_eq!((block.transactions.len(), count(" DEPLOY "), count(" INVOKE ")), (18, 5, 13));
    assert!(printed.contains("18 succeeded, 0 reverted, 0 invalid"), "{printed}");
    println!("mainnet_genesis: block 0 as a block file: {}", path.display());
}

/// A block on an empty state but for its class.
fn block_file(folder: &Path, block: &Value) -> BlockFile {
    let class_hash = ClassHash(felt(&json!(CLASS)));
    let class = std::fs::canonicalize(folder.join(format!("class_{CLASS}.json"))).unwrap();
    let BlockEnv { block: info, chain, constants, .. } = env(&block["header"]);
    let transactions = list(&block["transactions"]).iter().map(|recorded| {
        let hash = TransactionHash(felt(&recorded["transaction_hash"]));
        FileTransaction { hash, body: body(recorded), flags: free() }
    });
    BlockFile {
        format: BlockFile::FORMAT,
        chain: (*chain).clone(),
        protocol_version: constants.version,
        block: (*info).clone(),
        block_hash_source: BlockHashSource::None,
        classes: [(class_hash, ClassEntry::Cairo0(ClassText::File(class)))].into(),
        state: InitialState {
            declared: [(class_hash, CompiledClassHash::default())].into(),
            ..InitialState::default()
        },
        transactions: transactions.collect(),
        expected: None,
    }
}

/// Before there was a DECLARE, every DEPLOY brought its class along: to us it is there from the start.
fn state(folder: &Path) -> MemoryState {
    let json = std::fs::read(folder.join(format!("class_{CLASS}.json"))).unwrap();
    let class_hash = ClassHash(felt(&json!(CLASS)));
    assert_eq!(cairo0_class_hash(&json).unwrap(), class_hash);
    MemoryState::default().with_class(class_hash, Cairo0Class::from_json(&json).unwrap().into())
}

fn env(header: &Value) -> BlockEnv {
    let block = BlockInfo {
        number: BlockNumber(header["block_number"].as_u64().unwrap()),
        timestamp: BlockTimestamp(header["timestamp"].as_u64().unwrap()),
        sequencer: address(&header["sequencer_address"]),
        prices: BlockPrices::default(),
        data_availability: DataAvailability::Calldata,
    };
    let chain = ChainInfo {
        chain_id: ChainId::Mainnet,
        strk_fee_token: ContractAddress::default(),
        eth_fee_token: ContractAddress::default(),
        is_l3: false,
    };
    // The header of that time names no version: it is older than all that we have constants for.
    let unnamed: ProtocolVersion = "0.0.0".parse().unwrap();
    let constants = Constants::for_version(unnamed, VersionPolicy::default()).unwrap();
    assert_eq!(constants.version, ProtocolVersion::V0_13_0);
    BlockEnv::new(block, chain, constants)
}

fn transaction(recorded: &Value) -> Transaction {
    let hash = TransactionHash(felt(&recorded["transaction_hash"]));
    let transaction = match body(recorded) {
        FileTransactionBody::Deploy(deploy) => {
            let transaction = Transaction::deploy(deploy, hash).unwrap();
            assert_eq!(transaction.sender(), address(&recorded["contract_address"]));
            transaction
        }
        FileTransactionBody::Invoke(invoke) => Transaction::invoke(invoke, hash),
        other => panic!("a transaction of another type: {other:?}"),
    };
    transaction.with_flags(free())
}

fn body(recorded: &Value) -> FileTransactionBody {
    match text(&recorded["type"]) {
        "DEPLOY" => FileTransactionBody::Deploy(DeployTransaction {
            version: TransactionVersion(felt(&recorded["version"])),
            class_hash: ClassHash(felt(&recorded["class_hash"])),
            contract_address_salt: ContractAddressSalt(felt(&recorded["contract_address_salt"])),
            constructor_calldata: calldata(&recorded["constructor_calldata"]),
        }),
        "INVOKE_FUNCTION" => FileTransactionBody::Invoke(InvokeTransaction::V0(InvokeTransactionV0 {
            max_fee: Fee(integer(&recorded["max_fee"])),
            signature: signature(&recorded["signature"]),
            contract_address: address(&recorded["contract_address"]),
            entry_point_selector: EntryPointSelector(felt(&recorded["entry_point_selector"])),
            calldata: calldata(&recorded["calldata"]),
        })),
        other => panic!("a transaction of another type: {other}"),
    }
}

/// Nothing was charged then.
fn free() -> ExecutionFlags {
    ExecutionFlags { charge_fee: false, ..ExecutionFlags::default() }
}

fn compare_receipt(
    differences: &mut Differences,
    what: &str,
    execution: &Execution,
    receipt: &Value,
    constants: &Constants,
) {
    let call = execution.execute_call.as_ref().unwrap();
    let used = without_syscalls(call, constants);
    let resources = &receipt["execution_resources"];
    let ours = json!({
        "execution_status": if execution.is_reverted() { "REVERTED" } else { "SUCCEEDED" },
        "n_steps": used.steps,
        "builtins": builtins(&used.builtins),
        "messages": messages(execution),
        "events": events(execution),
    });
    let recorded = json!({
        "execution_status": receipt["execution_status"],
        "n_steps": resources["n_steps"],
        "builtins": recorded_builtins(&resources["builtins"]),
        "messages": receipt["l2_to_l1_messages"],
        // Receipts without events have no list of them.
        "events": receipt.get("events").cloned().unwrap_or_else(|| json!([])),
    });
    assert_eq!(receipt["actual_fee"], "0x0");
    differences.compare(&format!("{what}.receipt"), &ours, &recorded);
}

/// A call as it was published then.
fn invocation(call: &CallInfo, constants: &Constants) -> Value {
    let used = without_syscalls(call, constants);
    json!({
        "caller_address": hex(*call.call.caller_address.0.key()),
        "contract_address": hex(*call.call.storage_address.0.key()),
        "calldata": hex_list(&*call.call.calldata.0),
        "result": hex_list(&call.retdata),
        "n_steps": used.steps,
        "builtins": builtins(&used.builtins),
        "n_memory_holes": used.memory_holes,
        "internal_calls": call.inner_calls.iter().map(|call| invocation(call, constants)).collect::<Value>(),
        "events": call.events.len(),
        "messages": [],
    })
}

/// The messages of the whole transaction: they were published with the outermost call, whichever call had
/// sent them.
fn all_messages(execution: &Execution) -> Value {
    let messages = execution.messages();
    let messages = messages.iter().map(|(_, message)| {
        json!({
            "order": message.order,
            "to_address": hex(message.to_address.into()),
            "payload": hex_list(&message.payload.0),
        })
    });
    messages.collect()
}

fn recorded_invocation(call: &Value) -> Value {
    let resources = &call["execution_resources"];
    let messages = list(&call["messages"]).iter().map(|message| {
        json!({
            "order": message["order"],
            "to_address": normal_hex(&message["to_address"]),
            "payload": message["payload"],
        })
    });
    json!({
        "caller_address": call["caller_address"],
        "contract_address": call["contract_address"],
        "calldata": call["calldata"],
        "result": call["result"],
        "n_steps": resources["n_steps"],
        "builtins": recorded_builtins(&resources["builtin_instance_counter"]),
        "n_memory_holes": resources["n_memory_holes"],
        "internal_calls": list(&call["internal_calls"]).iter().map(recorded_invocation).collect::<Value>(),
        "events": list(&call["events"]).len(),
        "messages": messages.collect::<Value>(),
    })
}

fn state_diff(diff: &StateDiff) -> Value {
    let deployed = diff.deployed.iter().map(
        |(address, class_hash)| json!({"address": hex(*address.0.key()), "class_hash": hex(class_hash.0)}),
    );
    let storage = diff.storage.iter().map(|(address, cells)| {
        let cells = cells.iter().map(|(key, value)| (hex(*key.0.key()), json!(hex(*value))));
        (hex(*address.0.key()), cells.collect::<Map<_, _>>().into())
    });
    json!({
        "deployed_contracts": sorted(deployed),
        "storage_diffs": storage.collect::<Map<_, _>>(),
        "nonces": diff.nonces.len(),
        "declared": diff.declared.len() + diff.deprecated_declared.len() + diff.migrated.len(),
        "replaced": diff.replaced.len(),
    })
}

fn recorded_state_diff(diff: &Value) -> Value {
    json!({
        "deployed_contracts": sorted(list(&diff["deployed_contracts"]).iter().cloned()),
        "storage_diffs": diff["storage_diffs"],
        // Nothing else can change in blocks of that time, and the recording has no place for it.
        "nonces": 0,
        "declared": 0,
        "replaced": 0,
    })
}
