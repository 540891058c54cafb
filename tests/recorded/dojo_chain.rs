//! A development chain (Dojo's Katana, on blockifier 0.16): its transactions, declares, deploys and
//! multicalls, executed one block after another from its genesis state, as it did it: validate and execute,
//! no fee transfer.
//!
//! Compared: each transaction's call trees, events, messages, gas, fee and all resources they come from; each
//! block's state diff. Not compared: the aliases in it. They are taken over from the recording.

use std::path::Path;

use crate::engine::chosen_engine;
use indexmap::IndexMap;
use serde_json::{Map, Value, json};
use starkiln::block::{BlockExecutor, BlockHashSource};
use starkiln::class::{
    Cairo0Class, DeclaredClass, cairo0_class_hash, sierra_class_from_json, sierra_class_hash,
};
use starkiln::protocol::{
    BlockEnv, BlockInfo, BlockPrices, ChainInfo, Constants, DataAvailability, ProtocolVersion, TokenPrices,
    VersionPolicy, VmResources,
};
use starkiln::state::{MemoryState, StateDiff};
use starkiln::transaction::{Execution, ExecutionFlags, Transaction};
use starknet_api::block::{BlockHash, BlockNumber, BlockTimestamp, GasPrice};
use starknet_api::core::{ChainId, ClassHash, CompiledClassHash, Nonce};
use starknet_api::data_availability::DataAvailabilityMode;
use starknet_api::execution_resources::{GasAmount, GasVector};
use starknet_api::state::StorageKey;
use starknet_api::transaction::fields::{AllResourceBounds, ResourceBounds, Tip, ValidResourceBounds};
use starknet_api::transaction::{
    DeclareTransaction, DeclareTransactionV3, InvokeTransaction, InvokeTransactionV3, TransactionHash,
};

use super::call_info;
use super::json::{
    Differences, address, builtins, calldata, events, felt, hex, integer, list, messages, read,
    recorded_builtins, signature, text,
};

/// The version whose constants the chain was run with.
const VERSION: ProtocolVersion = ProtocolVersion::V0_13_4;

#[test]
fn a_development_chain_comes_out_exactly() {
    let Some(folder) = super::data("dojo_chain") else { return };
    let chain = read(&folder.join("chain.json"));
    let classes = classes(&folder.join("classes"));
    // The headers say 0.13.1.1 in the first block and 0.13.4 later, but only one version's constants fit all
    // of them.
    let others = ProtocolVersion::SUPPORTED.into_iter().filter(|version| *version != VERSION);
    for version in others {
        let (_, differences) = execute(list(&chain), &classes, version);
        assert!(!differences.is_empty(), "{version} fits as well as {VERSION}");
    }
    let (transactions, differences) = execute(list(&chain), &classes, VERSION);
    differences.assert_none();
    println!(
        "dojo_chain: {transactions} transactions compared, 0 differences \
         (call trees, receipts, {} state diffs; constants of {VERSION})",
        list(&chain).len() - 1,
    );
}

/// Executes the chain block by block; returns the number of its transactions.
fn execute(
    chain: &[Value],
    classes: &IndexMap<ClassHash, DeclaredClass>,
    version: ProtocolVersion,
) -> (usize, Differences) {
    let mut differences = Differences::default();
    let mut state = MemoryState::default();
    let (genesis, blocks) = chain.split_first().unwrap();
    apply(&mut state, &genesis["state_diff"], classes);
    let mut transactions = 0;
    for block in blocks {
        let number = usize::try_from(block["block_number"].as_u64().unwrap()).unwrap();
        let env = env(&block["header"], version);
        let recorded = list(&block["transactions"]);
        let inputs: Vec<Transaction> =
            recorded.iter().map(|recorded| transaction(recorded, classes)).collect();
        let block_hash_source = number.checked_sub(10).map_or(BlockHashSource::None, |source_number| {
            BlockHashSource::Hash(BlockHash(felt(&chain[source_number]["block_hash"])))
        });
        let outcome = BlockExecutor::new(env, &state)
            .engine(chosen_engine())
            .block_hash_source(block_hash_source)
            .execute(&inputs)
            .unwrap();
        for (index, (outcome, recorded)) in outcome.transactions.iter().zip(recorded).enumerate() {
            let what = format!("block {number}, transaction {index} ({:#x})", outcome.hash.0);
            transactions += 1;
            match outcome.execution() {
                Some(execution) => compare(&mut differences, &what, execution, recorded),
                None => differences.note(format!("{what}: invalid: {:?}", outcome.disposition)),
            }
        }
        let what = format!("block {number}.state_diff");
        differences.compare(&what, &state_diff(&outcome.state_diff), &block["state_diff"]);
        apply(&mut state, &block["state_diff"], classes);
    }
    (transactions, differences)
}

/// The classes by their hashes, as declared.
fn classes(folder: &Path) -> IndexMap<ClassHash, DeclaredClass> {
    let mut classes = IndexMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let json = std::fs::read(&path).unwrap();
        let (class_hash, class) = if path.to_str().unwrap().ends_with(".legacy.json") {
            let class = DeclaredClass::from_cairo0(Cairo0Class::from_json(&json).unwrap(), 0);
            (cairo0_class_hash(&json).unwrap(), class)
        } else {
            let sierra = sierra_class_from_json(&json).unwrap();
            (sierra_class_hash(&sierra), DeclaredClass::from_sierra(&sierra).unwrap())
        };
        assert!(path.file_name().unwrap().to_str().unwrap().starts_with(&hex(class_hash.0)));
        classes.insert(class_hash, class);
    }
    classes
}

/// Applies a recorded state diff, the writes of closing the block included.
fn apply(state: &mut MemoryState, diff: &Value, classes: &IndexMap<ClassHash, DeclaredClass>) {
    for (contract, cells) in diff["storage"].as_object().unwrap() {
        for (key, value) in cells.as_object().unwrap() {
            let cell = (address(&json!(contract)), StorageKey::try_from(felt(&json!(key))).unwrap());
            state.storage.insert(cell, felt(value));
        }
    }
    for (contract, nonce) in diff["nonces"].as_object().unwrap() {
        state.nonces.insert(address(&json!(contract)), Nonce(felt(nonce)));
    }
    for (contract, class_hash) in diff["class_hashes"].as_object().unwrap() {
        state.class_hashes.insert(address(&json!(contract)), ClassHash(felt(class_hash)));
    }
    for (class_hash, compiled) in diff["declared"].as_object().unwrap() {
        let class_hash = ClassHash(felt(&json!(class_hash)));
        state.classes.insert(class_hash, classes[&class_hash].class.clone());
        if !compiled.is_null() {
            state.compiled_class_hashes.insert(class_hash, CompiledClassHash(felt(compiled)));
        }
    }
}

fn env(header: &Value, version: ProtocolVersion) -> BlockEnv {
    let price = |gas: &str, unit: &str| GasPrice(integer(&header[gas][unit]));
    let prices = |unit: &str| TokenPrices {
        l1_gas: price("l1_gas_prices", unit),
        l1_data_gas: price("l1_data_gas_prices", unit),
        l2_gas: price("l2_gas_prices", unit),
    };
    let block = BlockInfo {
        number: BlockNumber(header["number"].as_u64().unwrap()),
        timestamp: BlockTimestamp(header["timestamp"].as_u64().unwrap()),
        sequencer: address(&header["sequencer_address"]),
        prices: BlockPrices { wei: prices("price_in_wei"), fri: prices("price_in_fri") },
        data_availability: DataAvailability::Calldata,
    };
    let chain = ChainInfo {
        chain_id: ChainId::Sepolia,
        strk_fee_token: address(&json!("0x4718f5a0fc34cc1af16a1cdee98ffb20c31f5cd61d6ab07201858f4287c938d")),
        eth_fee_token: address(&json!("0x49d36570d4e46f48e99674bd3fcc84644ddd6b96f7c741b1562b82f9e004dc7")),
        is_l3: false,
    };
    BlockEnv::new(block, chain, Constants::for_version(version, VersionPolicy::Exact).unwrap())
}

fn transaction(recorded: &Value, classes: &IndexMap<ClassHash, DeclaredClass>) -> Transaction {
    let hash = TransactionHash(felt(&recorded["hash"]));
    let recorded = &recorded["tx"];
    assert_eq!((&recorded["version"], &recorded["tip"]), (&json!(3), &json!(0)));
    let bound = |resource: &str| ResourceBounds {
        max_amount: GasAmount(
            u64::try_from(integer(&recorded["resource_bounds"][resource]["max_amount"])).unwrap(),
        ),
        max_price_per_unit: GasPrice(integer(&recorded["resource_bounds"][resource]["max_price_per_unit"])),
    };
    let resource_bounds = ValidResourceBounds::AllResources(AllResourceBounds {
        l1_gas: bound("L1_GAS"),
        l2_gas: bound("L2_GAS"),
        l1_data_gas: bound("L1_DATA_GAS"),
    });
    let nonce = Nonce(felt(&recorded["nonce"]));
    let sender_address = address(&recorded["sender_address"]);
    let signature = signature(&recorded["signature"]);
    let transaction = match text(&recorded["type"]) {
        "DECLARE" => {
            let class_hash = ClassHash(felt(&recorded["class_hash"]));
            let declare = DeclareTransactionV3 {
                resource_bounds,
                tip: Tip::ZERO,
                signature,
                nonce,
                class_hash,
                compiled_class_hash: CompiledClassHash(felt(&recorded["compiled_class_hash"])),
                sender_address,
                nonce_data_availability_mode: DataAvailabilityMode::L1,
                fee_data_availability_mode: DataAvailabilityMode::L1,
                paymaster_data: Default::default(),
                account_deployment_data: Default::default(),
            };
            Transaction::declare(DeclareTransaction::V3(declare), classes[&class_hash].clone(), hash)
        }
        "INVOKE" => {
            let invoke = InvokeTransactionV3 {
                resource_bounds,
                tip: Tip::ZERO,
                signature,
                nonce,
                sender_address,
                calldata: calldata(&recorded["calldata"]),
                nonce_data_availability_mode: DataAvailabilityMode::L1,
                fee_data_availability_mode: DataAvailabilityMode::L1,
                paymaster_data: Default::default(),
                account_deployment_data: Default::default(),
                proof_facts: Default::default(),
            };
            Transaction::invoke(InvokeTransaction::V3(invoke), hash)
        }
        other => panic!("a transaction of another type: {other}"),
    };
    transaction.with_flags(ExecutionFlags { charge_fee: false, ..ExecutionFlags::default() })
}

fn compare(differences: &mut Differences, what: &str, execution: &Execution, recorded: &Value) {
    let info = &recorded["execution_info"];
    let calls = [
        ("validate_call_info", &execution.validate_call),
        ("execute_call_info", &execution.execute_call),
        ("fee_transfer_call_info", &execution.fee_transfer_call),
    ];
    for (field, ours) in calls {
        let ours = ours.as_ref().map_or(Value::Null, call_info::of);
        let recorded = if info[field].is_null() { Value::Null } else { call_info::comparable(&info[field]) };
        differences.compare(&format!("{what}.{field}"), &ours, &recorded);
    }
    assert!(info["revert_error"].is_null());
    if let Some(reason) = &execution.revert_reason {
        differences.note(format!("{what}: reverted: {reason}"));
    }

    let receipt = &execution.receipt;
    let resources = &receipt.resources;
    let vm = |used: &VmResources| json!({"n_steps": used.steps, "n_memory_holes": used.memory_holes, "builtins": builtins(&used.builtins)});
    let gas = |gas: &GasVector| json!({"l1_gas": gas.l1_gas.0, "l1_data_gas": gas.l1_data_gas.0, "l2_gas": gas.l2_gas.0});
    let (archival, sent, state) = (&resources.archival, &resources.messages, &resources.state);
    let ours = json!({
        "fee": hex(receipt.fee.0.into()),
        "gas": gas(&receipt.gas),
        "da_gas": gas(&receipt.da_gas),
        "resources": {
            "starknet_resources": {
                "archival_data": {
                    "event_summary": {
                        "n_events": archival.events.count,
                        "total_event_keys": archival.events.keys,
                        "total_event_data_size": archival.events.data,
                    },
                    "calldata_length": archival.extended_calldata_length,
                    "signature_length": archival.signature_length,
                    "code_size": archival.code_size,
                },
                "messages": {
                    "l2_to_l1_payload_lengths": sent.payload_lengths,
                    "message_segment_length": sent.segment_length,
                    "l1_handler_payload_size": sent.l1_handler_payload,
                },
                "state": {
                    "n_storage_updates": state.storage_updates,
                    "n_class_hash_updates": state.class_hash_updates,
                    "n_compiled_class_hash_updates": state.compiled_class_hash_updates,
                    "n_modified_contracts": state.modified_contracts,
                    "n_allocated_keys": state.allocated_cells,
                },
            },
            "computation": {
                "tx_vm_resources": vm(&resources.computation.transaction_vm),
                "os_vm_resources": vm(&resources.computation.os_vm),
                "n_reverted_steps": resources.computation.reverted_steps,
                "sierra_gas": resources.computation.sierra_gas,
                "reverted_sierra_gas": resources.computation.reverted_sierra_gas,
            },
        },
    });
    let mut theirs = info["receipt"].clone();
    for used in ["tx_vm_resources", "os_vm_resources"] {
        let counts = &mut theirs["resources"]["computation"][used]["builtins"];
        *counts = recorded_builtins(counts);
    }
    differences.compare(&format!("{what}.receipt"), &ours, &theirs);

    let receipt = &recorded["receipt"];
    differences.compare(&format!("{what}.events"), &events(execution), &receipt["events"]);
    differences.compare(&format!("{what}.messages"), &messages(execution), &receipt["messages_sent"]);
}

fn state_diff(diff: &StateDiff) -> Value {
    let storage = diff.storage.iter().map(|(address, cells)| {
        let cells = cells.iter().map(|(key, value)| (hex(*key.0.key()), json!(hex(*value))));
        (hex(*address.0.key()), cells.collect::<Map<_, _>>().into())
    });
    let nonces = diff.nonces.iter().map(|(address, nonce)| (hex(*address.0.key()), json!(hex(nonce.0))));
    let class_hashes = diff.deployed.iter().chain(&diff.replaced);
    let class_hashes = class_hashes.map(|(address, class)| (hex(*address.0.key()), json!(hex(class.0))));
    let declared = diff.declared.iter().map(|(class, compiled)| (hex(class.0), json!(hex(compiled.0))));
    let deprecated = diff.deprecated_declared.iter().map(|class| (hex(class.0), Value::Null));
    json!({
        "storage": storage.collect::<Map<_, _>>(),
        "nonces": nonces.collect::<Map<_, _>>(),
        "class_hashes": class_hashes.collect::<Map<_, _>>(),
        "declared": declared.chain(deprecated).collect::<Map<_, _>>(),
    })
}
