//! What a call is, and what its frame gathers while it runs.
//!
//! In: the call stack opens a record per frame, syscalls write to it. Out: the call stack makes the call tree from it.
//! Knows nothing of engines and of other frames.

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
use super::secp::SecpPoints;
use crate::protocol::{SyscallName, SyscallUsage};
use crate::state::{StateSet, ascending};

/// How a call reached its code.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum CallType {
    /// The code of the called contract, on its own storage.
    #[default]
    Call,
    /// Another class's code on the caller's storage: a library call.
    Delegate,
}

/// The language that a class was compiled from: it fixes how its code asks for syscalls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Language {
    /// Programs of the first language, compiled to CASM by their authors.
    Cairo0,
    /// Programs that come as Sierra.
    Cairo1,
}

/// What a call's work is measured and charged in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum TrackedResource {
    /// Cairo steps, builtins and memory holes, priced after the fact. Once a call runs in steps, so do all its inner calls.
    #[default]
    CairoSteps,
    /// Sierra gas, counted down by the code itself.
    SierraGas,
}

/// One call of an entry point, resolved: its class is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntryPointCall {
    /// The class whose code runs.
    pub class_hash: ClassHash,
    /// The called contract, when a contract called it by address; `None` for outermost and library calls (C242).
    pub code_address: Option<ContractAddress>,
    /// External, L1 handler or constructor.
    pub entry_point_type: EntryPointType,
    /// Which entry point.
    pub selector: EntryPointSelector,
    /// The arguments.
    pub calldata: Calldata,
    /// Whose storage the code works on.
    pub storage_address: ContractAddress,
    /// Who called; 0 for the transaction itself.
    pub caller_address: ContractAddress,
    /// Call or library call.
    pub call_type: CallType,
    /// Sierra gas handed over, before the entry point's own charge; 10^10 in steps mode (C58).
    pub initial_gas: u64,
}

/// An event with its place among the events of the phase.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderedEvent {
    /// Counts from 0 over the whole phase (validate, execute or fee transfer); reused after a caught revert (C95).
    pub order: u64,
    /// Keys and data.
    pub event: EventContent,
}

/// A message to L1 with its place among the messages of the phase.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderedMessage {
    /// Counts from 0 over the whole phase; reused after a caught revert (C95).
    pub order: u64,
    /// The receiver: an Ethereum address, or any felt on a layer 3 (C126).
    pub to_address: L1Address,
    /// The payload.
    pub payload: L2ToL1Payload,
}

/// What a frame touched of the state, reads of reverted calls included (C101). Sets are serialised ascending.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StorageAccesses {
    /// The values that `storage_read` returned, in order.
    pub read_values: Vec<Felt>,
    /// The storage keys read or written.
    #[serde(serialize_with = "ascending::set")]
    pub storage_keys: StateSet<StorageKey>,
    /// The answers of `get_class_hash_at`, in order.
    pub class_hash_values: Vec<ClassHash>,
    /// The addresses it was asked about.
    #[serde(serialize_with = "ascending::set")]
    pub contract_addresses: StateSet<ContractAddress>,
    /// The answers of `get_block_hash`, in order.
    pub block_hash_values: Vec<BlockHash>,
    /// The blocks it was asked about.
    pub blocks: BTreeSet<BlockNumber>,
}

/// How often each syscall was used. A map, because an entry that counts zero still costs (C129).
pub type SyscallUsages = BTreeMap<SyscallName, SyscallUsage>;

/// What one frame has done so far.
#[derive(Clone, Debug, Default)]
pub struct FrameRecord {
    /// Events of this frame alone.
    pub events: Vec<OrderedEvent>,
    /// Messages of this frame alone.
    pub messages: Vec<OrderedMessage>,
    /// State accesses of this frame alone.
    pub accesses: StorageAccesses,
    /// Syscalls of this frame alone.
    pub usages: SyscallUsages,
    /// Where syscalls keep what outlives one of them.
    pub handles: Handles,
}

/// SyscallMemory that syscalls allocated in this frame and come back to.
#[derive(Clone, Debug, Default)]
pub struct Handles {
    /// The execution info, allocated once per frame (C119).
    pub execution_info: Option<Pointer>,
    /// The transaction info of Cairo 0.
    pub transaction_info: Option<Pointer>,
    /// The signature as Cairo 0 asks for it.
    pub signature: Option<Pointer>,
    /// Behind the last SHA-256 state.
    pub sha256_end: Option<Pointer>,
    /// Behind the last SHA-512 state.
    pub sha512_end: Option<Pointer>,
    /// The secp points of this frame (C85).
    pub secp: SecpPoints,
}

impl FrameRecord {
    /// Counts `calls` more uses of `name`.
    pub fn count(&mut self, name: SyscallName, calls: u64) {
        let usage = self.usages.entry(name).or_default();
        usage.calls = usage.calls.saturating_add(calls);
    }

    /// Counts `items` more of what `name` is priced by besides the call: calldata or payload felts (C104).
    pub fn count_items(&mut self, name: SyscallName, items: u64) {
        let usage = self.usages.entry(name).or_default();
        usage.linear = usage.linear.saturating_add(items);
    }
}

/// Events and messages of a phase so far: the next one's order number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PhaseCounters {
    /// Events emitted.
    pub events: u64,
    /// Messages sent.
    pub messages: u64,
}

/// Follows the Sierra gas of a phase, so that one that dies can be charged for what it burnt (C21, C108, C109).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GasTracker {
    initial: u64,
    last_seen: u64,
}

impl GasTracker {
    /// A phase that starts with `initial` gas.
    pub fn new(initial: u64) -> Self {
        Self { initial, last_seen: initial }
    }

    /// Notes the gas that is left, if the frame that reports it is measured in gas.
    pub fn see(&mut self, tracked: TrackedResource, left: u64) {
        if tracked == TrackedResource::SierraGas {
            self.last_seen = left;
        }
    }

    /// Gas burnt up to the last report; `None` when a report was above the start.
    pub fn consumed(&self) -> Option<u64> {
        self.initial.checked_sub(self.last_seen)
    }
}
