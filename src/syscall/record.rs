//! Calls, and the record of a frame while it runs.
//!
//! Input: the call stack creates a record per frame, syscalls write to it. Output: the call stack builds the
//! call tree from it. Must not know engines and other frames.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use starknet_api::block::{BlockHash, BlockNumber};
use starknet_api::contract_class::EntryPointType;
use starknet_api::core::{ClassHash, ContractAddress, EntryPointSelector, L1Address};
use starknet_api::state::StorageKey;
use starknet_api::transaction::fields::Calldata;
use starknet_api::transaction::{EventContent, L2ToL1Payload};
use starknet_types_core::felt::Felt;

use super::memory::Pointer;
use super::secp_points::SecpPoints;
use crate::protocol::{SyscallName, SyscallUsage};
use crate::state::{StateSet, ascending};

/// The kind of a call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum CallType {
    /// A call of a contract, on its own storage.
    #[default]
    Call,
    /// A library call: the code of another class, on the storage of the caller.
    Delegate,
}

/// The resource in which a call is metered and charged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum TrackedResource {
    /// Cairo steps, builtins and memory holes, priced afterwards. All inner calls of such a call are metered
    /// in steps too.
    #[default]
    CairoSteps,
    /// Sierra gas, which the compiled code counts down.
    SierraGas,
}

/// A call of an entry point.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntryPointCall {
    /// The class whose code runs.
    pub class_hash: ClassHash,
    /// The called contract, if a contract called it by address; `None` for outermost calls and library calls
    /// ([C242](crate::rules#c242)).
    pub code_address: Option<ContractAddress>,
    /// External, L1 handler or constructor.
    pub entry_point_type: EntryPointType,
    /// The selector of the entry point.
    pub selector: EntryPointSelector,
    /// The arguments.
    pub calldata: Calldata,
    /// The contract whose storage the code reads and writes.
    pub storage_address: ContractAddress,
    /// The caller; 0 for the transaction itself.
    pub caller_address: ContractAddress,
    /// Call or library call.
    pub call_type: CallType,
    /// The Sierra gas that the call starts with, before the entry point's initial charge; 10^10 for calls
    /// metered in steps ([C58](crate::rules#c58)).
    pub initial_gas: u64,
}

/// An event with its index among the events of the phase.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderedEvent {
    /// The index, from 0, over the complete phase (validate, execute or fee transfer); reused after a caught
    /// revert ([C95](crate::rules#c95)).
    pub order: u64,
    /// The keys and the data.
    pub event: EventContent,
}

/// A message to L1 with its index among the messages of the phase.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderedMessage {
    /// The index, from 0, over the complete phase; reused after a caught revert ([C95](crate::rules#c95)).
    pub order: u64,
    /// The receiver: an Ethereum address, or any felt on a layer 3 ([C126](crate::rules#c126)).
    pub to_address: L1Address,
    /// The payload.
    pub payload: L2ToL1Payload,
}

/// The state accesses of a frame; those of reverted calls are included ([C101](crate::rules#c101)). Sets are
/// serialised in ascending order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StorageAccesses {
    /// The responses of `storage_read`, in order.
    pub read_values: Vec<Felt>,
    /// The storage keys that were read or written.
    #[serde(serialize_with = "ascending::set")]
    pub storage_keys: StateSet<StorageKey>,
    /// The responses of `get_class_hash_at`, in order.
    pub class_hash_values: Vec<ClassHash>,
    /// The addresses in requests of `get_class_hash_at`.
    #[serde(serialize_with = "ascending::set")]
    pub contract_addresses: StateSet<ContractAddress>,
    /// The responses of `get_block_hash`, in order.
    pub block_hash_values: Vec<BlockHash>,
    /// The block numbers in requests of `get_block_hash`.
    pub blocks: BTreeSet<BlockNumber>,
}

/// The usage of syscalls. A map, because an entry with count 0 still has a cost ([C129](crate::rules#c129)).
pub type SyscallUsages = BTreeMap<SyscallName, SyscallUsage>;

/// The record of a frame, without its inner calls.
#[derive(Clone, Debug, Default)]
pub struct FrameRecord {
    /// The events of the frame.
    pub events: Vec<OrderedEvent>,
    /// The messages of the frame.
    pub messages: Vec<OrderedMessage>,
    /// The state accesses of the frame.
    pub accesses: StorageAccesses,
    /// The syscalls of the frame.
    pub usages: SyscallUsages,
    /// The memory that syscalls of the frame share.
    pub handles: Handles,
}

/// The memory that syscalls allocate once per frame and reuse.
#[derive(Clone, Debug, Default)]
pub struct Handles {
    /// The execution info, allocated once per frame ([C119](crate::rules#c119)).
    pub execution_info: Option<Pointer>,
    /// The transaction info of Cairo 0 ([C138](crate::rules#c138)).
    pub transaction_info: Option<Pointer>,
    /// The signature, for Cairo 0.
    pub signature: Option<Pointer>,
    /// The end of the last SHA-256 state.
    pub sha256_end: Option<Pointer>,
    /// The end of the last SHA-512 state.
    pub sha512_end: Option<Pointer>,
    /// The secp points of the frame ([C85](crate::rules#c85)).
    pub secp: SecpPoints,
}

impl FrameRecord {
    /// Adds calls of `name`. Saturates at `u64::MAX`.
    pub fn count(&mut self, name: SyscallName, calls: u64) {
        let usage = self.usages.entry(name).or_default();
        usage.calls = usage.calls.saturating_add(calls);
    }

    /// Adds items of `name`: calldata or payload felts ([C104](crate::rules#c104)). Saturates at `u64::MAX`.
    pub fn count_items(&mut self, name: SyscallName, items: u64) {
        let usage = self.usages.entry(name).or_default();
        usage.linear = usage.linear.saturating_add(items);
    }
}

/// The numbers of events and messages of a phase so far, which are the indices of the next ones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PhaseCounters {
    /// The number of events.
    pub events: u64,
    /// The number of messages.
    pub messages: u64,
}

/// The Sierra gas of a phase, from which the consumption of a failed phase is charged
/// ([C21](crate::rules#c21), [C108](crate::rules#c108), [C109](crate::rules#c109)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GasTracker {
    initial: u64,
    last_recorded: u64,
}

impl GasTracker {
    /// Creates the tracker of a phase that starts with `initial` gas.
    pub fn new(initial: u64) -> Self {
        Self { initial, last_recorded: initial }
    }

    /// Records the gas that is left, if the reporting frame is metered in gas.
    pub fn record(&mut self, tracked: TrackedResource, left: u64) {
        if tracked == TrackedResource::SierraGas {
            self.last_recorded = left;
        }
    }

    /// Returns the gas consumed up to the last record; `None` if that record exceeds the initial gas.
    pub fn consumed(&self) -> Option<u64> {
        self.initial.checked_sub(self.last_recorded)
    }
}
