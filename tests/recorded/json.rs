//! Reading recorded JSON, and comparing results with it.

use std::path::Path;
use std::sync::Arc;

use serde_json::{Map, Value, json};
use starkiln::call::CallInfo;
use starkiln::protocol::{Builtin, BuiltinCounts, Constants, VmResources};
use starkiln::transaction::Execution;
use starknet_api::core::ContractAddress;
use starknet_api::transaction::fields::{Calldata, TransactionSignature};
use starknet_types_core::felt::Felt;

pub(super) fn read(path: &Path) -> Value {
    let text = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_slice(&text).unwrap()
}

pub(super) fn felt(value: &Value) -> Felt {
    Felt::from_hex(value.as_str().unwrap()).unwrap()
}

/// A number, or a number as a hexadecimal string.
pub(super) fn integer(value: &Value) -> u128 {
    match value {
        Value::Number(number) => number.to_string().parse().unwrap(),
        value => u128::from_str_radix(value.as_str().unwrap().trim_start_matches("0x"), 16).unwrap(),
    }
}

pub(super) fn address(value: &Value) -> ContractAddress {
    ContractAddress::try_from(felt(value)).unwrap()
}

pub(super) fn felts(value: &Value) -> Vec<Felt> {
    list(value).iter().map(felt).collect()
}

pub(super) fn calldata(value: &Value) -> Calldata {
    Calldata(Arc::new(felts(value)))
}

pub(super) fn signature(value: &Value) -> TransactionSignature {
    TransactionSignature(Arc::new(felts(value)))
}

pub(super) fn list(value: &Value) -> &[Value] {
    value.as_array().unwrap()
}

pub(super) fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

pub(super) fn hex(felt: Felt) -> String {
    format!("{felt:#x}")
}

pub(super) fn hex_list<'a>(felts: impl IntoIterator<Item = &'a Felt>) -> Value {
    felts.into_iter().map(|felt| json!(hex(*felt))).collect()
}

/// Hexadecimal strings in canonical form: no leading zeros, lower case.
pub(super) fn normal_hex(value: &Value) -> Value {
    json!(hex(felt(value)))
}

/// A transaction's messages as receipts print them.
pub(super) fn messages(execution: &Execution) -> Value {
    let messages = execution.messages();
    let messages = messages.iter().map(|(from, message)| {
        json!({
            "from_address": hex(*from.0.key()),
            "to_address": hex(message.to_address.into()),
            "payload": hex_list(&message.payload.0),
        })
    });
    messages.collect()
}

/// A transaction's events as receipts print them.
pub(super) fn events(execution: &Execution) -> Value {
    let events = execution.events();
    let events = events.iter().map(|event| {
        json!({
            "from_address": hex(*event.from_address.0.key()),
            "keys": hex_list(event.content.keys.iter().map(|key| &key.0)),
            "data": hex_list(&event.content.data.0),
        })
    });
    events.collect()
}

/// A list in an order that both sides agree on, where the recording's own means nothing.
pub(super) fn sorted(value: impl IntoIterator<Item = Value>) -> Value {
    let mut entries: Vec<Value> = value.into_iter().collect();
    entries.sort_by_key(Value::to_string);
    Value::Array(entries)
}

/// Builtins that were used, by the names of traces (`pedersen_builtin`).
pub(super) fn builtins(counts: &BuiltinCounts) -> Value {
    serde_json::to_value(counts).unwrap()
}

/// Recorded builtins in that form: short names become long ones, unused builtins vanish.
pub(super) fn recorded_builtins(counts: &Value) -> Value {
    let counts = counts.as_object().unwrap().iter().filter(|(_, count)| **count != json!(0));
    let long = |name: &str| match Builtin::ALL.into_iter().find(|builtin| builtin.short_name() == name) {
        Some(builtin) => builtin.name().to_owned(),
        None => name.to_owned(),
    };
    counts.map(|(name, count)| (long(name), count.clone())).collect::<Map<String, Value>>().into()
}

/// The resources of the entry point, inner calls included, without what the OS adds for their syscalls.
pub(super) fn without_syscalls(call: &CallInfo, constants: &Constants) -> VmResources {
    let mut own = call.resources;
    for call in call.iter() {
        let usages = call.syscall_usages.iter().map(|(name, usage)| (*name, *usage));
        let syscalls = constants.syscall_os_resources(usages).unwrap();
        own.steps -= syscalls.steps;
        own.memory_holes -= syscalls.memory_holes;
        for (builtin, count) in syscalls.builtins.iter() {
            own.builtins.set(builtin, own.builtins.get(builtin) - count);
        }
    }
    own
}

/// A known difference: the recording follows no rule of the versions that we execute.
pub(super) struct Known {
    /// The transaction and the field.
    pub(super) what: &'static str,
    /// Our result, as JSON.
    pub(super) ours: &'static str,
    /// The recorded value, as JSON.
    pub(super) recorded: &'static str,
    /// The reason.
    pub(super) reason: &'static str,
}

/// The differences between our results and the recording.
#[derive(Default)]
pub(super) struct Differences {
    found: Vec<String>,
    known: &'static [Known],
    known_seen: usize,
}

impl Differences {
    /// Expects exactly the known ones.
    pub(super) fn knowing(known: &'static [Known]) -> Self {
        Self { known, ..Self::default() }
    }

    /// Notes every place where `ours` is not `recorded`; `what` names the transaction and the field.
    pub(super) fn compare(&mut self, what: &str, ours: &Value, recorded: &Value) {
        match (ours, recorded) {
            (Value::Object(ours), Value::Object(recorded)) => {
                let missing = recorded.keys().filter(|key| !ours.contains_key(*key));
                for key in ours.keys().chain(missing) {
                    let side = |side: &Map<String, Value>| side.get(key).cloned().unwrap_or_default();
                    self.compare(&format!("{what}.{key}"), &side(ours), &side(recorded));
                }
            }
            (Value::Array(ours), Value::Array(recorded)) if ours.len() == recorded.len() => {
                for (index, (ours, recorded)) in ours.iter().zip(recorded).enumerate() {
                    self.compare(&format!("{what}[{index}]"), ours, recorded);
                }
            }
            _ if ours == recorded => {}
            _ => {
                let (ours, recorded) = (ours.to_string(), recorded.to_string());
                let is_known =
                    |known: &Known| known.what == what && known.ours == ours && known.recorded == recorded;
                if self.known.iter().any(is_known) {
                    self.known_seen += 1;
                } else {
                    self.note(format!("{what}: {ours} here, {recorded} recorded"));
                }
            }
        }
    }

    /// Adds the differences of another comparison.
    pub(super) fn append(&mut self, mut other: Self) {
        self.found.append(&mut other.found);
    }

    pub(super) fn len(&self) -> usize {
        self.found.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// Notes something that has no two sides.
    pub(super) fn note(&mut self, what: String) {
        self.found.push(what);
    }

    /// Fails if there was any, or if one that is known did not show up.
    pub(super) fn assert_none(&self) {
        assert!(self.found.is_empty(), "{} differences\n{}", self.found.len(), self.found.join("\n"));
        assert_eq!(self.known_seen, self.known.len(), "a known difference is gone");
    }

    /// Names those that are known.
    pub(super) fn print_known(&self) {
        for Known { what, ours, recorded, reason } in self.known {
            println!("  known: {what}: {ours} here, {recorded} recorded: {reason}");
        }
    }
}
