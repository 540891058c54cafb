//! Call trees as blockifier serializes them, in one form for all its versions.

use serde_json::{Value, json};
use starkiln::call::{CallInfo, CallType, TrackedResource};
use starknet_api::contract_class::EntryPointType;

use super::json::{builtins, hex, hex_list, list, recorded_builtins, sorted};

/// A call and all below it, each before its inner calls.
pub(super) fn frames(call: &Value) -> Vec<&Value> {
    std::iter::once(call).chain(list(&call["inner_calls"]).iter().flat_map(frames)).collect()
}

/// The accesses of a call: newer recordings put them into an object of their own.
pub(super) fn accessed<'a>(call: &'a Value, field: &str) -> Option<&'a Value> {
    call.get("storage_access_tracker").unwrap_or(call).get(field)
}

/// Our call tree in that form.
pub(super) fn of(info: &CallInfo) -> Value {
    let call = &info.call;
    let accesses = &info.accesses;
    let events = info.events.iter().map(|event| {
        let keys = event.event.keys.iter().map(|key| json!(hex(key.0)));
        json!({"order": event.order, "keys": keys.collect::<Value>(), "data": hex_list(&event.event.data.0)})
    });
    // No recording has a message, so their form does not matter.
    let messages = info.messages.iter().map(|message| json!({"order": message.order}));
    let keys = accesses.storage_keys.iter().map(|key| json!(hex(*key.0.key())));
    let contracts = accesses.contract_addresses.iter().map(|address| json!(hex(*address.0.key())));
    let blocks = accesses.blocks.iter().map(|block| json!(block.0));
    json!({
        "call": {
            "class_hash": hex(call.class_hash.0),
            "code_address": call.code_address.map(|address| hex(*address.0.key())),
            "entry_point_type": match call.entry_point_type {
                EntryPointType::External => "EXTERNAL",
                EntryPointType::L1Handler => "L1_HANDLER",
                EntryPointType::Constructor => "CONSTRUCTOR",
            },
            "entry_point_selector": hex(call.selector.0),
            "calldata": hex_list(&*call.calldata.0),
            "storage_address": hex(*call.storage_address.0.key()),
            "caller_address": hex(*call.caller_address.0.key()),
            "call_type": match call.call_type { CallType::Call => "Call", CallType::Delegate => "Delegate" },
            "initial_gas": call.initial_gas,
        },
        "execution": {
            "retdata": hex_list(&info.retdata),
            "events": events.collect::<Value>(),
            "l2_to_l1_messages": messages.collect::<Value>(),
            "failed": info.failed,
            "gas_consumed": info.gas_consumed,
        },
        "inner_calls": info.inner_calls.iter().map(of).collect::<Value>(),
        "resources": {
            "n_steps": info.resources.steps,
            "n_memory_holes": info.resources.memory_holes,
            "builtins": builtins(&info.resources.builtins),
        },
        "builtin_counters": builtins(&info.builtin_counts),
        "tracked_resource": match info.tracked {
            TrackedResource::CairoSteps => "CairoSteps",
            TrackedResource::SierraGas => "SierraGas",
        },
        "storage_read_values": hex_list(&accesses.read_values),
        "accessed_storage_keys": sorted(keys),
        "read_class_hash_values": hex_list(accesses.class_hash_values.iter().map(|hash| &hash.0)),
        "accessed_contract_addresses": sorted(contracts),
        "read_block_hash_values": hex_list(accesses.block_hash_values.iter().map(|hash| &hash.0)),
        "accessed_blocks": sorted(blocks),
    })
}

/// A recorded call tree in that form, with those fields that were recorded.
pub(super) fn comparable(recorded: &Value) -> Value {
    let mut call = json!({
        "call": recorded["call"],
        "execution": recorded["execution"],
        "inner_calls": list(&recorded["inner_calls"]).iter().map(comparable).collect::<Value>(),
    });
    let execution = call["execution"].as_object_mut().unwrap();
    execution.remove("cairo_native");
    for event in execution["events"].as_array_mut().unwrap() {
        let content = event.get("event").unwrap_or(event);
        *event = json!({"order": event["order"], "keys": content["keys"], "data": content["data"]});
    }
    if let Some(resources) = recorded.get("resources") {
        let counts = resources.get("builtins").or_else(|| resources.get("builtin_instance_counter"));
        call["resources"] = json!({
            "n_steps": resources["n_steps"],
            "n_memory_holes": resources["n_memory_holes"],
            "builtins": recorded_builtins(counts.unwrap()),
        });
        call["builtin_counters"] = recorded_builtins(&recorded["builtin_counters"]);
        call["tracked_resource"] = recorded["tracked_resource"].clone();
    }
    for values in ["storage_read_values", "read_class_hash_values", "read_block_hash_values"] {
        if let Some(recorded) = accessed(recorded, values) {
            call[values] = recorded.clone();
        }
    }
    for set in ["accessed_storage_keys", "accessed_contract_addresses", "accessed_blocks"] {
        if let Some(recorded) = accessed(recorded, set) {
            call[set] = sorted(list(recorded).iter().cloned());
        }
    }
    call
}

/// Drops from `ours` what `recorded` does not have.
pub(super) fn keep_recorded(ours: &mut Value, recorded: &Value) {
    for part in ["call", "execution"] {
        ours[part].as_object_mut().unwrap().retain(|field, _| recorded[part].get(field).is_some());
    }
    ours.as_object_mut().unwrap().retain(|field, _| recorded.get(field).is_some());
    let inner = ours["inner_calls"].as_array_mut().unwrap();
    for (ours, recorded) in inner.iter_mut().zip(list(&recorded["inner_calls"])) {
        keep_recorded(ours, recorded);
    }
}

/// The order number of the first event of a call tree.
pub(super) fn first_event(call: &Value) -> u64 {
    let events = frames(call).into_iter().flat_map(|frame| list(&frame["execution"]["events"]));
    events.map(|event| event["order"].as_u64().unwrap()).min().unwrap_or(0)
}

/// Gives the event of number `first` the number 0, and the others accordingly.
pub(super) fn count_events_from(first: u64, call: &mut Value) {
    for event in call["execution"]["events"].as_array_mut().unwrap() {
        event["order"] = json!(event["order"].as_u64().unwrap() - first);
    }
    for inner in call["inner_calls"].as_array_mut().unwrap() {
        count_events_from(first, inner);
    }
}
