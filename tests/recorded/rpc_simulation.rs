//! One simulated INVOKE v3 on integration-sepolia (0.14.4): a node's answer with all initial reads and the
//! full trace.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::engine::chosen_engine;
use serde_json::{Value, json};
use starkiln::block::{BlockExecutor, BlockHashSource};
use starkiln::call::{CallInfo, CallType};
use starkiln::class::{Cairo1Class, ContractClass, sierra_class_from_json, sierra_class_hash};
use starkiln::fee::call_gas;
use starkiln::fee::fee_of;
use starkiln::protocol::{
    BlockEnv, BlockInfo, BlockPrices, ChainInfo, Constants, DataAvailability, ProtocolVersion, TokenPrices,
    VersionPolicy,
};
use starkiln::state::{ReadError, StateDiff, StateReader};
use starkiln::transaction::{ExecutionFlags, Transaction};
use starknet_api::block::{BlockNumber, BlockTimestamp, GasPrice};
use starknet_api::contract_class::EntryPointType;
use starknet_api::core::{ChainId, ClassHash, CompiledClassHash, ContractAddress, Nonce};
use starknet_api::data_availability::DataAvailabilityMode;
use starknet_api::execution_resources::{GasAmount, GasVector};
use starknet_api::state::StorageKey;
use starknet_api::transaction::fields::{
    AllResourceBounds, Calldata, GasVectorComputationMode, ResourceBounds, Tip, TransactionSignature,
    ValidResourceBounds,
};
use starknet_api::transaction::{InvokeTransaction, InvokeTransactionV3, TransactionHash};
use starknet_types_core::felt::Felt;

use super::json::{address, felt, hex, integer};

#[test]
fn a_recorded_simulation_comes_out_exactly() {
    let Some(folder) = super::data("rpc_simulation") else { return };
    let record: Value = serde_json::from_slice(&std::fs::read(folder.join("record.json")).unwrap()).unwrap();
    let answers: Vec<(&str, &Value)> = record["interactions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| (entry["method"].as_str().unwrap(), &entry["response"]["result"]))
        .collect();
    let answer = |method: &str| answers.iter().find(|(name, _)| *name == method).unwrap().1;
    let header = answer("starknet_getBlockWithTxHashes");
    let simulation = answer("starknet_simulateTransactions");
    let request = &record["interactions"][1]["sorted_params"]["transactions"][0];
    let recorded = &simulation["simulated_transactions"][0];
    let trace = &recorded["transaction_trace"];

    let classes = answers.iter().filter(|(name, _)| *name == "starknet_getClass").map(|(_, class)| {
        let text = serde_json::to_vec(class).unwrap();
        let sierra = sierra_class_from_json(&text).unwrap();
        let class = ContractClass::from(Cairo1Class::from_sierra_json(&text).unwrap());
        (sierra_class_hash(&sierra), class)
    });
    let reader = Recording { reads: simulation["initial_reads"].clone(), classes: classes.collect() };
    let env = env(header);
    let transaction = transaction(request, trace);

    let outcome = BlockExecutor::new(env.clone(), &reader)
        .engine(chosen_engine())
        .skip_finalization()
        .block_hash_source(BlockHashSource::InState)
        .execute(&[transaction])
        .unwrap();
    let outcome = &outcome.transactions[0];
    let execution = outcome.execution().unwrap_or_else(|| panic!("invalid: {:?}", outcome.disposition));
    assert_eq!(execution.revert_reason, None);

    let call = execution.execute_call.as_ref().unwrap();
    assert_eq!(invocation(call, &env.constants), trace["execute_invocation"]);
    let gas = execution.receipt.gas;
    let resources = json!({"l1_data_gas": gas.l1_data_gas.0, "l1_gas": gas.l1_gas.0, "l2_gas": gas.l2_gas.0});
    assert_eq!(resources, trace["execution_resources"]);
    assert_eq!(state_diff(&outcome.state_diff), trace["state_diff"]);

    // The node estimates a tenth more L2 gas than was used, and prices that.
    let estimate = &recorded["fee_estimation"];
    let amount = |key: &str| GasAmount(u64::try_from(integer(&estimate[key])).unwrap());
    let estimated = GasVector {
        l1_gas: amount("l1_gas_consumed"),
        l1_data_gas: amount("l1_data_gas_consumed"),
        l2_gas: amount("l2_gas_consumed"),
    };
    assert_eq!(estimated.l2_gas.0, gas.l2_gas.0 + gas.l2_gas.0 / 10);
    assert_eq!((estimated.l1_gas, estimated.l1_data_gas), (gas.l1_gas, gas.l1_data_gas));
    let fee = |gas: &GasVector| fee_of(gas, &env.block.prices.fri, Tip::ZERO).unwrap();
    assert_eq!(fee(&estimated).0, integer(&estimate["overall_fee"]));
    assert_eq!(execution.receipt.fee, fee(&gas));
    println!("rpc_simulation: 1 transaction compared, 0 differences (trace, gas, fee, state diff)");
}

/// A reader of the recorded cells, which fails on any other.
struct Recording {
    reads: Value,
    classes: BTreeMap<ClassHash, ContractClass>,
}

impl Recording {
    fn find(&self, list: &str, fits: impl Fn(&Value) -> bool, value: &str) -> Result<Felt, ReadError> {
        let entries = self.reads[list].as_array().unwrap();
        let entry = entries.iter().find(|entry| fits(entry));
        entry
            .map(|entry| felt(&entry[value]))
            .ok_or_else(|| ReadError::message(format!("not recorded in {list}")))
    }
}

impl StateReader for Recording {
    fn storage_at(&self, address: ContractAddress, key: StorageKey) -> Result<Felt, ReadError> {
        let fits = |entry: &Value| {
            felt(&entry["contract_address"]) == *address.0.key() && felt(&entry["key"]) == *key.0.key()
        };
        self.find("storage", fits, "value")
    }

    fn nonce_at(&self, address: ContractAddress) -> Result<Nonce, ReadError> {
        let fits = |entry: &Value| felt(&entry["contract_address"]) == *address.0.key();
        self.find("nonces", fits, "nonce").map(Nonce)
    }

    fn class_hash_at(&self, address: ContractAddress) -> Result<ClassHash, ReadError> {
        let fits = |entry: &Value| felt(&entry["contract_address"]) == *address.0.key();
        self.find("class_hashes", fits, "class_hash").map(ClassHash)
    }

    fn class(&self, class_hash: ClassHash) -> Result<Option<ContractClass>, ReadError> {
        Ok(self.classes.get(&class_hash).cloned())
    }

    fn compiled_class_hash(&self, _: ClassHash) -> Result<CompiledClassHash, ReadError> {
        Err(ReadError::message("no compiled class hash was recorded"))
    }
}

fn env(header: &Value) -> BlockEnv {
    let price = |gas: &str, unit: &str| GasPrice(integer(&header[gas][unit]));
    let prices = |unit: &str| TokenPrices {
        l1_gas: price("l1_gas_price", unit),
        l1_data_gas: price("l1_data_gas_price", unit),
        l2_gas: price("l2_gas_price", unit),
    };
    assert_eq!(header["l1_da_mode"], "BLOB");
    let block = BlockInfo {
        number: BlockNumber(header["block_number"].as_u64().unwrap()),
        timestamp: BlockTimestamp(header["timestamp"].as_u64().unwrap()),
        sequencer: address(&header["sequencer_address"]),
        prices: BlockPrices { wei: prices("price_in_wei"), fri: prices("price_in_fri") },
        data_availability: DataAvailability::Blob,
    };
    // The fee tokens are not touched: no fee is charged.
    let chain = ChainInfo {
        chain_id: ChainId::Other("SN_INTEGRATION_SEPOLIA".to_owned()),
        strk_fee_token: ContractAddress::default(),
        eth_fee_token: ContractAddress::default(),
        is_l3: false,
    };
    // The header says 0.14.4, but the node that answered knew no constants newer than those of 0.14.1: its
    // gas is that of 0.14.0 and 0.14.1 to the unit, and of no other version (storage reads alone would cost
    // 28,140 more).
    assert_eq!(header["starknet_version"], "0.14.4");
    let version = ProtocolVersion::V0_14_1;
    BlockEnv::new(block, chain, Constants::for_version(version, VersionPolicy::Exact).unwrap())
}

fn transaction(request: &Value, trace: &Value) -> Transaction {
    let bound = |resource: &str| ResourceBounds {
        max_amount: GasAmount(
            u64::try_from(integer(&request["resource_bounds"][resource]["max_amount"])).unwrap(),
        ),
        max_price_per_unit: GasPrice(integer(&request["resource_bounds"][resource]["max_price_per_unit"])),
    };
    // Arrays inside the recorded request are sorted: the order of the calldata is that of the trace.
    let calldata: Vec<Felt> =
        trace["execute_invocation"]["calldata"].as_array().unwrap().iter().map(felt).collect();
    let invoke = InvokeTransactionV3 {
        resource_bounds: ValidResourceBounds::AllResources(AllResourceBounds {
            l1_gas: bound("l1_gas"),
            l2_gas: bound("l2_gas"),
            l1_data_gas: bound("l1_data_gas"),
        }),
        tip: Tip::ZERO,
        signature: TransactionSignature::default(),
        nonce: Nonce(felt(&request["nonce"])),
        sender_address: address(&request["sender_address"]),
        calldata: Calldata(Arc::new(calldata)),
        nonce_data_availability_mode: DataAvailabilityMode::L1,
        fee_data_availability_mode: DataAvailabilityMode::L1,
        paymaster_data: Default::default(),
        account_deployment_data: Default::default(),
        proof_facts: Default::default(),
    };
    let flags = ExecutionFlags { charge_fee: false, validate: false, ..ExecutionFlags::default() };
    Transaction::invoke(InvokeTransaction::V3(invoke), TransactionHash::default()).with_flags(flags)
}

/// A call as JSON-RPC prints it.
fn invocation(call: &CallInfo, constants: &Constants) -> Value {
    let gas = call_gas(call, constants, &GasVectorComputationMode::All).unwrap();
    let felts = |felts: &[Felt]| felts.iter().map(|felt| json!(hex(*felt))).collect::<Vec<_>>();
    assert!(call.events.is_empty() && call.messages.is_empty(), "this recording has neither");
    json!({
        "call_type": match call.call.call_type { CallType::Call => "CALL", CallType::Delegate => "DELEGATE" },
        "calldata": felts(&call.call.calldata.0),
        "caller_address": hex(*call.call.caller_address.0.key()),
        "calls": call.inner_calls.iter().map(|inner| invocation(inner, constants)).collect::<Vec<_>>(),
        "class_hash": hex(call.call.class_hash.0),
        "contract_address": hex(*call.call.storage_address.0.key()),
        "entry_point_selector": hex(call.call.selector.0),
        "entry_point_type": match call.call.entry_point_type {
            EntryPointType::External => "EXTERNAL",
            EntryPointType::L1Handler => "L1_HANDLER",
            EntryPointType::Constructor => "CONSTRUCTOR",
        },
        "events": [],
        "execution_resources": {"l1_gas": gas.l1_gas.0, "l2_gas": gas.l2_gas.0},
        "is_reverted": call.failed,
        "messages": [],
        "result": felts(&call.retdata),
    })
}

fn state_diff(diff: &StateDiff) -> Value {
    let nonces: Vec<Value> = diff
        .nonces
        .iter()
        .map(|(address, nonce)| json!({"contract_address": hex(*address.0.key()), "nonce": hex(nonce.0)}))
        .collect();
    let others = [
        diff.storage.len(),
        diff.deployed.len(),
        diff.replaced.len(),
        diff.declared.len(),
        diff.deprecated_declared.len(),
        diff.migrated.len(),
    ];
    assert_eq!(others, [0; 6], "this recording changes nonces only");
    json!({
        "declared_classes": [], "deployed_contracts": [], "deprecated_declared_classes": [],
        "migrated_compiled_classes": [], "nonces": nonces, "replaced_classes": [], "storage_diffs": [],
    })
}
