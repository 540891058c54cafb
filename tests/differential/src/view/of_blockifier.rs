//! Blockifier's results as a view. Structures are taken apart field by field, so that a field which appears
//! there cannot be forgotten here.

use std::panic::catch_unwind;

use blockifier::blockifier::transaction_executor::BlockExecutionSummary;
use blockifier::execution::call_info::{
    CairoPrimitiveName, CallExecution, CallInfo, ExtendedExecutionResources, StorageAccessTracker,
};
use blockifier::execution::entry_point::CallEntryPoint;
use blockifier::fee::receipt::TransactionReceipt;
use blockifier::fee::resources::{
    ArchivalDataResources, ComputationResources, MessageResources, StarknetResources, StateResources,
    TransactionResources,
};
use blockifier::state::cached_state::{StateChangesCount, StateChangesCountForFee, StateMaps};
use blockifier::transaction::errors::TransactionExecutionError;
use blockifier::transaction::objects::TransactionExecutionInfo;
use cairo_vm::vm::runners::cairo_runner::ExecutionResources;
use serde_json::{Map, Value, json};
use starkiln::block::Weights;
use starknet_api::transaction::Event;

use super::{counts, felt, felts, gas, map, pairs, set, storage};

/// A transaction that is in the block.
pub fn executed(info: &TransactionExecutionInfo, state_diff: Value, weights: Weights) -> Value {
    let TransactionExecutionInfo {
        validate_call_info,
        execute_call_info,
        fee_transfer_call_info,
        revert_error,
        receipt: TransactionReceipt { fee, gas: all_gas, da_gas, resources },
    } = info;
    json!({
        "ending": if info.is_reverted() { "reverted" } else { "succeeded" },
        "validate": validate_call_info.as_ref().map(call),
        "execute": execute_call_info.as_ref().map(call),
        "fee_transfer": fee_transfer_call_info.as_ref().map(call),
        "revert_reason": revert_error.as_ref().map(ToString::to_string),
        "receipt": {
            "fee": fee.0.to_string(),
            "gas": gas(all_gas),
            "da_gas": gas(da_gas),
            "resources": transaction_resources(resources),
        },
        "sorted_events": info.accumulated_sorted_events().iter().map(event).collect::<Value>(),
        "sorted_messages": sorted_messages(info),
        "state_diff": state_diff,
        "weights": weights,
        // Blockifier panics when a receiver is no Ethereum address.
        "output_for_hash": catch_unwind(|| json!(info.output_for_hashing())).ok(),
    })
}

/// A transaction that is not in the block.
pub fn invalid(error: &TransactionExecutionError) -> Value {
    if let TransactionExecutionError::TransactionTooLarge { tx_size, .. } = error {
        return json!({ "ending": "too large", "weights": crate::limits::weights(tx_size) });
    }
    json!({ "ending": "invalid", "error": error.to_string() })
}

/// A transaction on which blockifier panicked.
pub fn panicked(text: &str) -> Value {
    json!({ "ending": "panicked", "panic": text })
}

/// Changes, classified by the values from before.
pub fn state_diff(changes: &StateMaps, before: &StateMaps) -> Value {
    let StateMaps { nonces, class_hashes, storage: cells, compiled_class_hashes, declared_contracts } =
        changes;
    let had_class =
        |address| before.class_hashes.get(address).is_some_and(|class_hash| felt_is_set(class_hash.0));
    let had_compiled = |class_hash| {
        before.compiled_class_hashes.get(class_hash).is_some_and(|compiled| felt_is_set(compiled.0))
    };
    json!({
        "storage": storage(cells.iter().map(|((address, key), value)| (*address.0.key(), *key.0.key(), *value))),
        "nonces": map(nonces.iter().map(|(address, nonce)| (*address.0.key(), nonce.0))),
        "deployed": map(class_hashes.iter().filter(|(address, _)| !had_class(address)).map(|(a, c)| (*a.0.key(), c.0))),
        "replaced": map(class_hashes.iter().filter(|(address, _)| had_class(address)).map(|(a, c)| (*a.0.key(), c.0))),
        "declared": map(compiled_class_hashes.iter().filter(|(class, _)| !had_compiled(class)).map(|(a, c)| (a.0, c.0))),
        "migrated": map(compiled_class_hashes.iter().filter(|(class, _)| had_compiled(class)).map(|(a, c)| (a.0, c.0))),
        "deprecated_declared": set(
            declared_contracts
                .iter()
                .filter(|(class, declared)| **declared && !compiled_class_hashes.contains_key(class) && !had_compiled(class))
                .map(|(class, _)| class.0)
        ),
    })
}

/// The outputs of a block for the sequencer and the prover.
pub fn summary(summary: &BlockExecutionSummary) -> Value {
    let BlockExecutionSummary {
        // Seen before it loses what is not committed to.
        state_diff: _,
        compressed_state_diff,
        initial_reads: reads,
        bouncer_weights,
        casm_hash_computation_data_sierra_gas: sierra,
        casm_hash_computation_data_proving_gas: proving,
        compiled_class_hashes_for_migration,
        // The input.
        block_info: _,
    } = summary;
    let classes = sierra.class_hash_to_casm_hash_computation_gas.iter().map(|(class_hash, gas)| {
        let proving = proving.class_hash_to_casm_hash_computation_gas.get(class_hash).map(|gas| gas.0);
        (super::key(class_hash.0), json!({ "sierra": gas.0, "proving": proving }))
    });
    let migrations = compiled_class_hashes_for_migration.iter().map(|(v2, v1)| (v1.0, v2.0));
    json!({
        "weights": crate::limits::weights(bouncer_weights),
        "executed_classes": classes.collect::<Map<_, _>>(),
        "without_classes": {
            "sierra": sierra.gas_without_casm_hash_computation.0,
            "proving": proving.gas_without_casm_hash_computation.0,
        },
        "migrations": pairs(migrations),
        "compressed_state_diff": compressed_state_diff.as_ref().map(|diff| json!({
            "storage": storage(diff.storage_updates.iter().flat_map(|(address, cells)| {
                cells.iter().map(|(key, value)| (*address.0.key(), *key.0.key(), *value))
            })),
            "nonces": map(diff.address_to_nonce.iter().map(|(address, nonce)| (*address.0.key(), nonce.0))),
            "class_hashes": map(diff.address_to_class_hash.iter().map(|(a, class_hash)| (*a.0.key(), class_hash.0))),
            "compiled_class_hashes": map(
                diff.class_hash_to_compiled_class_hash.iter().map(|(class_hash, compiled)| (class_hash.0, compiled.0))
            ),
        })),
        "prover_reads": initial_reads(reads),
    })
}

fn felt_is_set(value: starknet_types_core::felt::Felt) -> bool {
    value != starknet_types_core::felt::Felt::ZERO
}

/// Initial reads.
pub fn initial_reads(reads: &StateMaps) -> Value {
    let StateMaps { nonces, class_hashes, storage: cells, compiled_class_hashes, declared_contracts } = reads;
    json!({
        "storage": storage(cells.iter().map(|((address, key), value)| (*address.0.key(), *key.0.key(), *value))),
        "nonces": map(nonces.iter().map(|(address, nonce)| (*address.0.key(), nonce.0))),
        "class_hashes": map(class_hashes.iter().map(|(address, class_hash)| (*address.0.key(), class_hash.0))),
        "compiled_class_hashes": map(compiled_class_hashes.iter().map(|(class_hash, compiled)| (class_hash.0, compiled.0))),
        "declared": declared_contracts
            .iter()
            .map(|(class_hash, declared)| (super::key(class_hash.0), Value::Bool(*declared)))
            .collect::<Map<_, _>>(),
    })
}

fn event(event: &Event) -> Value {
    json!({
        "from": felt(event.from_address),
        "keys": felts(event.content.keys.iter().map(|key| &key.0)),
        "data": felts(&event.content.data.0),
    })
}

/// Not blockifier's own list, which panics when a receiver is no Ethereum address.
fn sorted_messages(info: &TransactionExecutionInfo) -> Value {
    info.non_optional_call_infos()
        .flat_map(|root| {
            let mut messages: Vec<_> = root
                .iter()
                .flat_map(|call| {
                    call.execution
                        .l2_to_l1_messages
                        .iter()
                        .map(|message| (call.call.storage_address, message))
                })
                .collect();
            messages.sort_by_key(|(_, message)| message.order);
            messages
        })
        .map(|(from, message)| {
            json!({
                "from": felt(from),
                "to": format!("{:?}", message.message.to_address),
                "payload": felts(&message.message.payload.0),
            })
        })
        .collect()
}

fn call(info: &CallInfo) -> Value {
    let CallInfo {
        call,
        execution: CallExecution { retdata, events, l2_to_l1_messages, cairo_native: _, failed, gas_consumed },
        inner_calls,
        resources,
        tracked_resource,
        storage_access_tracker,
        builtin_counters,
        syscalls_usage,
    } = info;
    let CallEntryPoint {
        class_hash,
        code_address,
        entry_point_type,
        entry_point_selector,
        calldata,
        storage_address,
        caller_address,
        call_type,
        initial_gas,
    } = call;
    let StorageAccessTracker {
        storage_read_values,
        accessed_storage_keys,
        read_class_hash_values,
        accessed_contract_addresses,
        read_block_hash_values,
        accessed_blocks,
    } = storage_access_tracker;
    let mut blocks: Vec<u64> = accessed_blocks.iter().map(|block| block.0).collect();
    blocks.sort_unstable();
    let primitive = |name: &CairoPrimitiveName| match name {
        CairoPrimitiveName::Builtin(name) => name.to_str_with_suffix(),
        CairoPrimitiveName::Opcode(name) => name.to_str_with_suffix(),
    };
    json!({
        "call": {
            "class_hash": class_hash.map(|class_hash| felt(class_hash.0)),
            "code_address": code_address.map(felt),
            "entry_point_type": format!("{entry_point_type:?}"),
            "selector": felt(entry_point_selector.0),
            "calldata": felts(calldata.0.iter()),
            "storage_address": felt(*storage_address),
            "caller_address": felt(*caller_address),
            "call_type": format!("{call_type:?}"),
            "initial_gas": initial_gas,
        },
        "retdata": felts(&retdata.0),
        "failed": failed,
        "gas_consumed": gas_consumed,
        "events": events.iter().map(|event| json!({
            "order": event.order,
            "keys": felts(event.event.keys.iter().map(|key| &key.0)),
            "data": felts(&event.event.data.0),
        })).collect::<Value>(),
        "messages": l2_to_l1_messages.iter().map(|message| json!({
            "order": message.order,
            "to": format!("{:?}", message.message.to_address),
            "payload": felts(&message.message.payload.0),
        })).collect::<Value>(),
        "inner_calls": inner_calls.iter().map(self::call).collect::<Value>(),
        "resources": extended(resources),
        "tracked": format!("{tracked_resource:?}"),
        "accesses": {
            "read_values": felts(storage_read_values),
            "storage_keys": set(accessed_storage_keys.iter().map(|key| *key.0.key())),
            "class_hash_values": felts(read_class_hash_values.iter().map(|class_hash| &class_hash.0)),
            "contract_addresses": set(accessed_contract_addresses.iter().map(|address| *address.0.key())),
            "block_hash_values": felts(read_block_hash_values.iter().map(|hash| &hash.0)),
            "blocks": blocks,
        },
        "builtin_counts": counts(builtin_counters.iter().map(|(name, count)| (primitive(name), *count as u64))),
        "syscall_usages": syscalls_usage
            .iter()
            .map(|(name, usage)| (format!("{name:?}"), json!({ "calls": usage.call_count, "linear": usage.linear_factor })))
            .collect::<Map<_, _>>(),
    })
}

fn transaction_resources(resources: &TransactionResources) -> Value {
    let TransactionResources {
        starknet_resources: StarknetResources { archival_data, messages, state },
        computation:
            ComputationResources {
                tx_extended_vm_resources,
                os_vm_resources,
                n_reverted_steps,
                sierra_gas,
                reverted_sierra_gas,
            },
    } = resources;
    let ArchivalDataResources {
        event_summary,
        extended_calldata_length,
        signature_length,
        code_size,
        has_client_side_proof,
    } = archival_data;
    let MessageResources { l2_to_l1_payload_lengths, message_segment_length, l1_handler_payload_size } =
        messages;
    let StateResources {
        state_changes_for_fee:
            StateChangesCountForFee {
                state_changes_count:
                    StateChangesCount {
                        n_storage_updates,
                        n_class_hash_updates,
                        n_compiled_class_hash_updates,
                        n_modified_contracts,
                    },
                n_allocated_keys,
            },
    } = state;
    json!({
        "archival": {
            "events": {
                "count": event_summary.n_events,
                "keys": event_summary.total_event_keys,
                "data": event_summary.total_event_data_size,
            },
            "extended_calldata_length": extended_calldata_length,
            "signature_length": signature_length,
            "code_size": code_size,
            "proof": has_client_side_proof,
        },
        "messages": {
            "payload_lengths": l2_to_l1_payload_lengths,
            "segment_length": message_segment_length,
            "l1_handler_payload": l1_handler_payload_size,
        },
        "state": {
            "storage_updates": n_storage_updates,
            "class_hash_updates": n_class_hash_updates,
            "compiled_class_hash_updates": n_compiled_class_hash_updates,
            "modified_contracts": n_modified_contracts,
            "allocated_cells": n_allocated_keys,
        },
        "computation": {
            "transaction_vm": extended(tx_extended_vm_resources),
            "os_vm": extended(&ExtendedExecutionResources {
                vm_resources: os_vm_resources.clone(),
                ..Default::default()
            }),
            "reverted_steps": n_reverted_steps,
            "sierra_gas": sierra_gas.0,
            "reverted_sierra_gas": reverted_sierra_gas.0,
        },
    })
}

fn extended(resources: &ExtendedExecutionResources) -> Value {
    let ExtendedExecutionResources {
        vm_resources: ExecutionResources { n_steps, n_memory_holes, builtin_instance_counter },
        opcode_instance_counter,
    } = resources;
    let builtins =
        builtin_instance_counter.iter().map(|(name, count)| (name.to_str_with_suffix(), *count as u64));
    let opcodes =
        opcode_instance_counter.iter().map(|(name, count)| (name.to_str_with_suffix(), *count as u64));
    json!({ "steps": n_steps, "memory_holes": n_memory_holes, "builtins": counts(builtins.chain(opcodes)) })
}
