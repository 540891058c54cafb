//! Sepolia blocks 0 to 3 of November 2023 (0.12.3): DECLARE of version 0, DEPLOY_ACCOUNT and INVOKE of
//! version 1 with their real signatures, executed one block after another from an empty state.
//!
//! Compared: each block's state update; each receipt's steps, builtins, messages and events. Receipts of that
//! time count all that is paid for: the code, the syscalls and the transaction's own share of the operating
//! system; memory holes are counted as steps, and as holes they say 0. Fees are zero. The blocks hold no L1
//! handler.

use std::path::Path;

use crate::engine::chosen_engine;
use serde_json::{Map, Value, json};
use starkiln::block::BlockExecutor;
use starkiln::class::{ContractClass, DeclaredClass, cairo0_class_hash};
use starkiln::protocol::{
    BlockEnv, BlockInfo, BlockPrices, ChainInfo, Constants, DataAvailability, ProtocolVersion, TokenPrices,
    VersionPolicy,
};
use starkiln::state::{MemoryState, StateDiff, StateMap};
use starkiln::transaction::{Execution, ExecutionFlags, Transaction};
use starknet_api::block::{BlockNumber, BlockTimestamp, GasPrice};
use starknet_api::core::{ChainId, ClassHash, ContractAddress, Nonce};
use starknet_api::transaction::fields::{ContractAddressSalt, Fee};
use starknet_api::transaction::{
    DeclareTransaction, DeclareTransactionV0V1, DeployAccountTransaction, DeployAccountTransactionV1,
    InvokeTransaction, InvokeTransactionV1, TransactionHash,
};

use super::json::{
    Differences, address, builtins, calldata, events, felt, hex, integer, list, messages, read,
    recorded_builtins, signature, sorted, text,
};

const BLOCKS: u64 = 4;

#[test]
fn the_first_blocks_of_sepolia_come_out_exactly() {
    let Some(folder) = super::data("sepolia_genesis") else { return };
    let mut differences = Differences::default();
    let mut state = MemoryState::default();
    let mut transactions = 0;
    for number in 0..BLOCKS {
        let block = read(&folder.join(format!("block_{number}.json")));
        let update = read(&folder.join(format!("state_update_{number}.json")));
        let env = env(&block);
        let mut classes = Vec::new();
        let inputs: Vec<Transaction> = list(&block["transactions"])
            .iter()
            .map(|recorded| transaction(recorded, &folder, &mut classes))
            .collect();
        let outcome = BlockExecutor::new(env, &state).engine(chosen_engine()).execute(&inputs).unwrap();

        for (index, (outcome, receipt)) in
            outcome.transactions.iter().zip(list(&block["transaction_receipts"])).enumerate()
        {
            let what = format!("block {number}, transaction {index} ({:#x})", outcome.hash.0);
            assert_eq!(outcome.hash.0, felt(&receipt["transaction_hash"]));
            transactions += 1;
            let Some(execution) = outcome.execution() else {
                differences.note(format!("{what}: invalid: {:?}", outcome.disposition));
                continue;
            };
            compare_receipt(&mut differences, &what, execution, receipt);
        }
        let what = format!("block {number}.state_diff");
        let recorded = recorded_state_diff(&update["state_diff"]);
        differences.compare(&what, &state_diff(&outcome.state_diff), &recorded);
        state.apply(&outcome.state_diff, classes);
    }
    differences.assert_none();
    println!(
        "sepolia_genesis: {transactions} transactions compared, 0 differences \
         ({BLOCKS} state diffs, {transactions} receipts)",
    );
}

fn env(block: &Value) -> BlockEnv {
    let price = |gas: &str, unit: &str| GasPrice(integer(&block[gas][unit]));
    let prices = |unit: &str| TokenPrices {
        l1_gas: price("l1_gas_price", unit),
        l1_data_gas: price("l1_data_gas_price", unit),
        l2_gas: GasPrice::default(),
    };
    assert_eq!(block["l1_da_mode"], "CALLDATA");
    let info = BlockInfo {
        number: BlockNumber(block["block_number"].as_u64().unwrap()),
        timestamp: BlockTimestamp(block["timestamp"].as_u64().unwrap()),
        sequencer: address(&block["sequencer_address"]),
        prices: BlockPrices { wei: prices("price_in_wei"), fri: prices("price_in_fri") },
        data_availability: DataAvailability::Calldata,
    };
    // The fee tokens are not touched: no fee is charged.
    let chain = ChainInfo {
        chain_id: ChainId::Sepolia,
        strk_fee_token: ContractAddress::default(),
        eth_fee_token: ContractAddress::default(),
        is_l3: false,
    };
    let version: ProtocolVersion = text(&block["starknet_version"]).parse().unwrap();
    let constants = Constants::for_version(version, VersionPolicy::default()).unwrap();
    assert_eq!(constants.version, ProtocolVersion::V0_13_0);
    BlockEnv::new(info, chain, constants)
}

fn transaction(
    recorded: &Value,
    folder: &Path,
    classes: &mut Vec<(ClassHash, ContractClass)>,
) -> Transaction {
    let hash = TransactionHash(felt(&recorded["transaction_hash"]));
    let max_fee = Fee(integer(&recorded["max_fee"]));
    let signature = signature(&recorded["signature"]);
    let class_hash = || ClassHash(felt(&recorded["class_hash"]));
    let nonce = Nonce(felt(&recorded["nonce"]));
    let transaction = match (text(&recorded["type"]), text(&recorded["version"])) {
        ("DECLARE", "0x0") => {
            let class_hash = class_hash();
            let path = folder.join(format!("class_{}.json", hex(class_hash.0)));
            let json = std::fs::read(path).unwrap();
            assert_eq!(cairo0_class_hash(&json).unwrap(), class_hash);
            let class = DeclaredClass::from_cairo0_json(&json).unwrap();
            classes.push((class_hash, class.class.clone()));
            let sender_address = address(&recorded["sender_address"]);
            let declare = DeclareTransactionV0V1 { max_fee, signature, nonce, class_hash, sender_address };
            Transaction::declare(DeclareTransaction::V0(declare), class, hash)
        }
        ("DEPLOY_ACCOUNT", "0x1") => {
            let deploy = DeployAccountTransactionV1 {
                max_fee,
                signature,
                nonce,
                class_hash: class_hash(),
                contract_address_salt: ContractAddressSalt(felt(&recorded["contract_address_salt"])),
                constructor_calldata: calldata(&recorded["constructor_calldata"]),
            };
            let transaction =
                Transaction::deploy_account(DeployAccountTransaction::V1(deploy), hash).unwrap();
            assert_eq!(transaction.sender(), address(&recorded["contract_address"]));
            transaction
        }
        ("INVOKE_FUNCTION", "0x1") => {
            let invoke = InvokeTransactionV1 {
                max_fee,
                signature,
                nonce,
                sender_address: address(&recorded["sender_address"]),
                calldata: calldata(&recorded["calldata"]),
            };
            Transaction::invoke(InvokeTransaction::V1(invoke), hash)
        }
        other => panic!("a transaction of another type or version: {other:?}"),
    };
    // All bring a `max_fee` of 0, and all fees were 0.
    transaction.with_flags(ExecutionFlags { charge_fee: false, ..ExecutionFlags::default() })
}

fn compare_receipt(differences: &mut Differences, what: &str, execution: &Execution, receipt: &Value) {
    let computation = &execution.receipt.resources.computation;
    let used = computation.transaction_vm.checked_add(&computation.os_vm).unwrap();
    let resources = &receipt["execution_resources"];
    let ours = json!({
        "execution_status": if execution.is_reverted() { "REVERTED" } else { "SUCCEEDED" },
        "n_steps": used.steps + used.memory_holes,
        "builtins": builtins(&used.builtins),
        "events": events(execution),
        "messages": messages(execution),
    });
    assert_eq!((&receipt["actual_fee"], &resources["n_memory_holes"]), (&json!("0x0"), &json!(0)));
    let recorded = json!({
        "execution_status": receipt["execution_status"],
        "n_steps": resources["n_steps"],
        "builtins": recorded_builtins(&resources["builtin_instance_counter"]),
        "events": receipt["events"],
        "messages": receipt["l2_to_l1_messages"],
    });
    differences.compare(&format!("{what}.receipt"), &ours, &recorded);
}

fn state_diff(diff: &StateDiff) -> Value {
    let contracts = |contracts: &StateMap<ContractAddress, ClassHash>| {
        sorted(contracts.iter().map(|(address, class_hash)| {
            json!({"address": hex(*address.0.key()), "class_hash": hex(class_hash.0)})
        }))
    };
    let storage = diff.storage.iter().map(|(address, cells)| {
        let cells = cells.iter().map(|(key, value)| json!({"key": hex(*key.0.key()), "value": hex(*value)}));
        (hex(*address.0.key()), sorted(cells))
    });
    let nonces = diff.nonces.iter().map(|(address, nonce)| (hex(*address.0.key()), json!(hex(nonce.0))));
    let old = diff.deprecated_declared.iter().map(|class_hash| json!(hex(class_hash.0)));
    json!({
        "storage_diffs": storage.collect::<Map<_, _>>(),
        "nonces": nonces.collect::<Map<_, _>>(),
        "deployed_contracts": contracts(&diff.deployed),
        "old_declared_contracts": sorted(old),
        "declared_classes": diff.declared.len() + diff.migrated.len(),
        "replaced_classes": contracts(&diff.replaced),
    })
}

fn recorded_state_diff(diff: &Value) -> Value {
    let in_order = |field: &str| sorted(list(&diff[field]).iter().cloned());
    let storage = diff["storage_diffs"].as_object().unwrap().iter();
    let storage = storage.map(|(address, cells)| (address.clone(), sorted(list(cells).iter().cloned())));
    json!({
        "storage_diffs": storage.collect::<Map<_, _>>(),
        "nonces": diff["nonces"],
        "deployed_contracts": in_order("deployed_contracts"),
        "old_declared_contracts": in_order("old_declared_contracts"),
        "declared_classes": list(&diff["declared_classes"]).len(),
        "replaced_classes": in_order("replaced_classes"),
    })
}
