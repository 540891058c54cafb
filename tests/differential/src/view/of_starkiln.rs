//! Starkiln's results as a view. Structures are taken apart field by field, so that a field which appears
//! there cannot be forgotten here.

use serde_json::{Map, Value, json};
use starkiln::block::{
    BlockOutcome, BlockUsage, ClassHashGas, TransactionDisposition, TransactionOutcome, Weights,
};
use starkiln::call::{CallInfo, EntryPointCall, EventSummary, StorageAccesses};
use starkiln::fee::StateChangesCount;
use starkiln::fee::{
    ArchivalResources, ComputationResources, MessageResources, Receipt, TransactionResources,
};
use starkiln::protocol::VmResources;
use starkiln::state::{InitialReads, StateDiff};
use starkiln::transaction::Execution;

use super::{counts, felt, felts, gas, map, pairs, set, storage};

/// The outcome of a transaction.
pub fn outcome(outcome: &TransactionOutcome) -> Value {
    match &outcome.disposition {
        TransactionDisposition::Executed(execution) => {
            executed(execution, state_diff(&outcome.state_diff), outcome.weights)
        }
        TransactionDisposition::Invalid(error) => json!({ "ending": "invalid", "error": error.to_string() }),
        TransactionDisposition::TooLarge(error) => json!({ "ending": "too large", "weights": error.weights }),
    }
}

fn executed(execution: &Execution, state_diff: Value, weights: Weights) -> Value {
    let Execution {
        validate_call,
        execute_call,
        fee_transfer_call,
        revert_reason,
        reverted_call: _,
        executes_first: _,
        receipt: Receipt { fee, gas: all_gas, da_gas, resources, .. },
        ..
    } = execution;
    json!({
        "ending": if execution.is_reverted() { "reverted" } else { "succeeded" },
        "validate": validate_call.as_ref().map(call),
        "execute": execute_call.as_ref().map(call),
        "fee_transfer": fee_transfer_call.as_ref().map(call),
        "revert_reason": revert_reason.as_ref().map(ToString::to_string),
        "receipt": {
            "fee": fee.0.to_string(),
            "gas": gas(all_gas),
            "da_gas": gas(da_gas),
            "resources": transaction_resources(resources),
        },
        "sorted_events": execution.events().iter().map(|event| json!({
            "from": felt(event.from_address),
            "keys": felts(event.content.keys.iter().map(|key| &key.0)),
            "data": felts(&event.content.data.0),
        })).collect::<Value>(),
        "sorted_messages": execution.messages().iter().map(|(from, message)| json!({
            "from": felt(*from),
            "to": format!("{:?}", message.to_address),
            "payload": felts(&message.payload.0),
        })).collect::<Value>(),
        "state_diff": state_diff,
        "weights": weights,
        "output_for_hash": execution.output_for_hash().ok(),
    })
}

/// The outputs of a block for the sequencer and the prover.
pub fn summary(block: &BlockOutcome) -> Value {
    let BlockUsage { weights, executed_classes, migrations } = &block.usage;
    let classes = executed_classes.iter();
    let sum = |of: fn(&ClassHashGas) -> u64| executed_classes.values().map(of).sum::<u64>();
    json!({
        "weights": weights,
        "executed_classes": classes
            .map(|(class_hash, gas)| (super::key(class_hash.0), json!({ "sierra": gas.sierra, "proving": gas.proving })))
            .collect::<Map<_, _>>(),
        "without_classes": {
            "sierra": weights.sierra_gas - sum(|gas| gas.sierra),
            "proving": weights.proving_gas - sum(|gas| gas.proving),
        },
        "migrations": pairs(migrations.values().map(|migration| (migration.from.0, migration.to.0))),
        "compressed_state_diff": block.compressed_state_diff.as_ref().map(|diff| json!({
            "storage": storage(diff.storage.iter().flat_map(|(address, cells)| {
                cells.iter().map(|(key, value)| (*address.0.key(), *key.0.key(), *value))
            })),
            "nonces": map(diff.nonces.iter().map(|(address, nonce)| (*address.0.key(), nonce.0))),
            "class_hashes": map(
                diff.deployed.iter().chain(&diff.replaced).map(|(address, class_hash)| (*address.0.key(), class_hash.0))
            ),
            "compiled_class_hashes": map(
                diff.declared.iter().chain(&diff.migrated).map(|(class_hash, compiled)| (class_hash.0, compiled.0))
            ),
        })),
        "prover_reads": block.prover_reads.as_ref().map(initial_reads),
    })
}

/// A state diff.
pub fn state_diff(diff: &StateDiff) -> Value {
    let StateDiff { storage: cells, nonces, deployed, replaced, declared, deprecated_declared, migrated } =
        diff;
    json!({
        "storage": storage(cells.iter().flat_map(|(address, cells)| {
            cells.iter().map(|(key, value)| (*address.0.key(), *key.0.key(), *value))
        })),
        "nonces": map(nonces.iter().map(|(address, nonce)| (*address.0.key(), nonce.0))),
        "deployed": map(deployed.iter().map(|(address, class_hash)| (*address.0.key(), class_hash.0))),
        "replaced": map(replaced.iter().map(|(address, class_hash)| (*address.0.key(), class_hash.0))),
        "declared": map(declared.iter().map(|(class_hash, compiled)| (class_hash.0, compiled.0))),
        "migrated": map(migrated.iter().map(|(class_hash, compiled)| (class_hash.0, compiled.0))),
        "deprecated_declared": set(deprecated_declared.iter().map(|class_hash| class_hash.0)),
    })
}

/// Initial reads.
pub fn initial_reads(reads: &InitialReads) -> Value {
    let InitialReads { storage: cells, nonces, class_hashes, compiled_class_hashes, declared } = reads;
    json!({
        "storage": storage(cells.iter().map(|((address, key), value)| (*address.0.key(), *key.0.key(), *value))),
        "nonces": map(nonces.iter().map(|(address, nonce)| (*address.0.key(), nonce.0))),
        "class_hashes": map(class_hashes.iter().map(|(address, class_hash)| (*address.0.key(), class_hash.0))),
        "compiled_class_hashes": map(compiled_class_hashes.iter().map(|(class_hash, compiled)| (class_hash.0, compiled.0))),
        "declared": declared
            .iter()
            .map(|(class_hash, declared)| (super::key(class_hash.0), Value::Bool(*declared)))
            .collect::<Map<_, _>>(),
    })
}

fn call(info: &CallInfo) -> Value {
    let CallInfo {
        call,
        retdata,
        failed,
        gas_consumed,
        events,
        messages,
        inner_calls,
        resources,
        tracked,
        accesses,
        builtin_counts,
        syscall_usages,
    } = info;
    let EntryPointCall {
        class_hash,
        code_address,
        entry_point_type,
        selector,
        calldata,
        storage_address,
        caller_address,
        call_type,
        initial_gas,
    } = call;
    let StorageAccesses {
        read_values,
        storage_keys,
        class_hash_values,
        contract_addresses,
        block_hash_values,
        blocks,
    } = accesses;
    json!({
        "call": {
            "class_hash": felt(class_hash.0),
            "code_address": code_address.map(felt),
            "entry_point_type": format!("{entry_point_type:?}"),
            "selector": felt(selector.0),
            "calldata": felts(calldata.0.iter()),
            "storage_address": felt(*storage_address),
            "caller_address": felt(*caller_address),
            "call_type": format!("{call_type:?}"),
            "initial_gas": initial_gas,
        },
        "retdata": felts(retdata),
        "failed": failed,
        "gas_consumed": gas_consumed,
        "events": events.iter().map(|event| json!({
            "order": event.order,
            "keys": felts(event.event.keys.iter().map(|key| &key.0)),
            "data": felts(&event.event.data.0),
        })).collect::<Value>(),
        "messages": messages.iter().map(|message| json!({
            "order": message.order,
            "to": format!("{:?}", message.to_address),
            "payload": felts(&message.payload.0),
        })).collect::<Value>(),
        "inner_calls": inner_calls.iter().map(self::call).collect::<Value>(),
        "resources": vm_resources(resources),
        "tracked": format!("{tracked:?}"),
        "accesses": {
            "read_values": felts(read_values),
            "storage_keys": set(storage_keys.iter().map(|key| *key.0.key())),
            "class_hash_values": felts(class_hash_values.iter().map(|class_hash| &class_hash.0)),
            "contract_addresses": set(contract_addresses.iter().map(|address| *address.0.key())),
            "block_hash_values": felts(block_hash_values.iter().map(|hash| &hash.0)),
            "blocks": blocks.iter().map(|block| block.0).collect::<Vec<_>>(),
        },
        "builtin_counts": counts(builtin_counts.iter().map(|(builtin, count)| (builtin.name(), count))),
        "syscall_usages": syscall_usages
            .iter()
            .map(|(name, usage)| (name.name().to_owned(), json!({ "calls": usage.calls, "linear": usage.linear })))
            .collect::<Map<_, _>>(),
    })
}

fn transaction_resources(resources: &TransactionResources) -> Value {
    let TransactionResources { archival, messages, state, computation } = resources;
    let ArchivalResources { events, extended_calldata_length, signature_length, code_size, proof } = archival;
    let EventSummary { count, keys, data } = events;
    let MessageResources { payload_lengths, segment_length, l1_handler_payload } = messages;
    let StateChangesCount {
        storage_updates,
        class_hash_updates,
        compiled_class_hash_updates,
        modified_contracts,
        allocated_cells,
    } = state;
    let ComputationResources { transaction_vm, os_vm, reverted_steps, sierra_gas, reverted_sierra_gas } =
        computation;
    json!({
        "archival": {
            "events": { "count": count, "keys": keys, "data": data },
            "extended_calldata_length": extended_calldata_length,
            "signature_length": signature_length,
            "code_size": code_size,
            "proof": proof,
        },
        "messages": {
            "payload_lengths": payload_lengths,
            "segment_length": segment_length,
            "l1_handler_payload": l1_handler_payload,
        },
        "state": {
            "storage_updates": storage_updates,
            "class_hash_updates": class_hash_updates,
            "compiled_class_hash_updates": compiled_class_hash_updates,
            "modified_contracts": modified_contracts,
            "allocated_cells": allocated_cells,
        },
        "computation": {
            "transaction_vm": vm_resources(transaction_vm),
            "os_vm": vm_resources(os_vm),
            "reverted_steps": reverted_steps,
            "sierra_gas": sierra_gas,
            "reverted_sierra_gas": reverted_sierra_gas,
        },
    })
}

fn vm_resources(resources: &VmResources) -> Value {
    let VmResources { steps, memory_holes, builtins } = resources;
    json!({
        "steps": steps,
        "memory_holes": memory_holes,
        "builtins": counts(builtins.iter().map(|(builtin, count)| (builtin.name(), count))),
    })
}
