//! The usage of a transaction: its contribution to the weights of a block, independent of the block.
//!
//! Input: an execution, its state changes, the classes that it ran. Output: a [`TransactionUsage`]: amounts,
//! which always count, and sets, of which only what is new to the block counts. A pure function, so that it
//! runs on the thread that executed the transaction. Does not know the block.

use serde::{Deserialize, Serialize};
use starknet_api::core::{ClassHash, CompiledClassHash, ContractAddress};
use starknet_api::state::StorageKey;

use crate::call::CallInfo;
use crate::class::HashCosts;
use crate::fee::FeeError;
use crate::protocol::{Builtin, BuiltinCounts, VmResources};
use crate::state::{StateChanges, StateSet};
use crate::transaction::{Execution, FatalError};

/// The usage of a transaction.
#[derive(Clone, Debug, Default)]
pub(in crate::block) struct TransactionUsage {
    /// L1 gas of the messages in the Starknet contract (C203).
    pub(super) l1_gas: u64,
    /// Felts of the messages.
    pub(super) message_segment_length: u64,
    /// Events, without those of the fee transfer.
    pub(super) events: u64,
    /// L2 gas of the receipt.
    pub(super) receipt_l2_gas: u64,
    /// VM resources of the calls and of the OS, without those of a reverted execution (C204).
    pub(super) vm: VmResources,
    /// Sierra gas of the calls, without that of a reverted execution (C204).
    pub(super) sierra_gas: u64,
    /// Builtins of the OS and of all calls except the fee transfer, which the OS's include (C206).
    pub(super) builtins: BuiltinCounts,
    /// Storage keys that the calls accessed, the fee transfer included (C207).
    pub(super) visited: StateSet<StorageCell>,
    /// The keys of the state changes.
    pub(super) changed: ChangedKeys,
    /// The classes that ran, the fee token's included (C207), ascending.
    pub(super) classes: Vec<ExecutedClass>,
}

/// A storage key of a contract.
pub(super) type StorageCell = (ContractAddress, StorageKey);

/// The keys of state changes, as far as a published state diff contains them.
#[derive(Clone, Debug, Default)]
pub(super) struct ChangedKeys {
    pub(super) storage: Vec<StorageCell>,
    pub(super) class_hashes: Vec<ContractAddress>,
    pub(super) compiled_class_hashes: Vec<ClassHash>,
    /// Contracts with any change.
    pub(super) contracts: Vec<ContractAddress>,
}

/// A class that ran.
#[derive(Clone, Copy, Debug)]
pub(in crate::block) struct ExecutedClass {
    pub(in crate::block) class_hash: ClassHash,
    /// The cost of hashing the class in the OS.
    pub(in crate::block) costs: HashCosts,
    /// The pending migration to the Blake hash.
    pub(in crate::block) migration: Option<Migration>,
}

/// The migration of a class from one compiled class hash to the other, at the end of the first block that
/// runs it while the version migrates ([C200](crate::rules#c200)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Migration {
    /// The hash in the state: the Poseidon hash.
    pub from: CompiledClassHash,
    /// The new hash: the Blake hash.
    pub to: CompiledClassHash,
}

/// Returns all calls of an execution, inner ones included.
fn all_calls(execution: &Execution) -> impl Iterator<Item = &CallInfo> {
    execution.calls().flatten()
}

/// Returns the classes of all calls, the fee token's included (C66, C207), ascending.
pub(in crate::block) fn classes_of(execution: &Execution) -> StateSet<ClassHash> {
    let mut classes: StateSet<_> = all_calls(execution).map(|call| call.call.class_hash).collect();
    // Sorted by cached digits: comparing two felts would compute the digits of both each time.
    classes.sort_by_cached_key(|class_hash| class_hash.0.to_be_digits());
    classes
}

/// Returns every storage key that a call accessed.
fn visited(execution: &Execution) -> StateSet<StorageCell> {
    let mut visited = StateSet::default();
    for call in all_calls(execution) {
        let address = call.call.storage_address;
        visited.extend(call.accesses.storage_keys.iter().map(|key| (address, *key)));
    }
    visited
}

fn overflow() -> FatalError {
    FatalError::Internal("a sum over the calls does not fit in 64 bits".to_owned())
}

impl TransactionUsage {
    /// Computes the usage of a transaction that is part of the block. `classes` are those of [`classes_of`].
    pub(in crate::block) fn of(
        execution: &Execution,
        changes: &StateChanges,
        classes: Vec<ExecutedClass>,
    ) -> Result<Self, FatalError> {
        let amount = |error: FeeError| FatalError::Internal(error.to_string());
        let resources = &execution.receipt.resources;
        let computation = &resources.computation;
        Ok(Self {
            l1_gas: resources.messages.starknet_contract_gas().map_err(amount)?.l1_gas.0,
            message_segment_length: resources.messages.segment_length,
            events: resources.archival.events.count,
            receipt_l2_gas: execution.receipt.gas.l2_gas.0,
            vm: computation.total_vm().map_err(amount)?,
            sierra_gas: computation.sierra_gas,
            builtins: builtins(execution, &computation.os_vm).ok_or_else(overflow)?,
            visited: visited(execution),
            changed: ChangedKeys {
                storage: changes.storage.keys().copied().collect(),
                class_hashes: changes.class_hashes.keys().copied().collect(),
                compiled_class_hashes: changes.compiled_class_hashes.keys().copied().collect(),
                contracts: changes.modified_contracts().into_iter().collect(),
            },
            classes,
        })
    }
}

/// Returns the builtins that the proof pays for one by one (C206). Segment arenas are not proven as such
/// (C145).
fn builtins(execution: &Execution, os: &VmResources) -> Option<BuiltinCounts> {
    let calls = [&execution.validate_call, &execution.execute_call];
    let mut sum = os.builtins;
    for call in calls.into_iter().flatten().flat_map(CallInfo::iter) {
        sum = sum.checked_add(&call.builtin_counts)?;
    }
    sum.set(Builtin::SegmentArena, 0);
    Some(sum)
}
