//! The weights of a transaction, given the parts of its usage that count.
//!
//! Input: a usage and its marginal part. Output: weights. All prices are linear: the weights of a block are
//! the sum of the weights of its transactions.

use std::collections::BTreeSet;

use starknet_api::core::ClassHash;

use super::transaction_usage::{ExecutedClass, TransactionUsage};
use super::{ProvingPrices, Weights, count};
use crate::fee::STEPS_PER_SEGMENT_ARENA;
use crate::protocol::{Builtin, BuiltinCounts, GasSchedule, VmResources};

/// The height of a storage trie with as many leaves as the largest one (C208).
const TRIE_HEIGHT: u64 = 24;
/// Steps for each node on the path to a leaf (C208).
const STEPS_PER_NODE: u64 = 16;
/// Pedersen hashes for each node on the path to a leaf (C208).
const PEDERSENS_PER_NODE: u64 = 1;

/// The part of a usage that is new to the block.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Marginal {
    /// Storage keys that are accessed for the first time.
    pub(super) visited: u64,
    /// Storage keys that are changed for the first time.
    pub(super) storage: u64,
    /// Contracts whose class is changed for the first time.
    pub(super) class_hashes: u64,
    /// Classes whose compiled class hash is changed for the first time, migrated ones included.
    pub(super) compiled_class_hashes: u64,
    /// Contracts that are changed for the first time.
    pub(super) contracts: u64,
    /// Resources of hashing the classes that run for the first time.
    pub(super) hashing: VmResources,
    /// Resources of migrating those of them that have a pending migration.
    pub(super) migration: VmResources,
}

impl Marginal {
    /// The complete usage: that of the first transaction of a block.
    pub(super) fn all(usage: &TransactionUsage) -> Self {
        let changed = &usage.changed;
        let classes: Vec<&ExecutedClass> = usage.classes.iter().collect();
        Self {
            visited: count(usage.visited.len()),
            storage: count(changed.storage.len()),
            class_hashes: count(changed.class_hashes.len()),
            contracts: count(changed.contracts.len()),
            ..Self::of_classes(&classes, changed.compiled_class_hashes.iter())
        }
    }

    /// The classes that run, and those that are declared, for the first time.
    pub(super) fn of_classes<'a>(
        classes: &[&ExecutedClass],
        declared: impl Iterator<Item = &'a ClassHash>,
    ) -> Self {
        let mut marginal = Self::default();
        let mut compiled: BTreeSet<ClassHash> = declared.copied().collect();
        for class in classes {
            add(&mut marginal.hashing, &class.costs.hash);
            if class.migration.is_some() {
                compiled.insert(class.class_hash);
                add(&mut marginal.migration, &class.costs.migration.unwrap_or(VmResources::ZERO));
            }
        }
        marginal.compiled_class_hashes = count(compiled.len());
        marginal
    }

    /// Resources of walking the storage tries: once for each accessed key, once more for each changed one
    /// (C208).
    fn trie_walks(&self) -> VmResources {
        let nodes = self.visited.saturating_add(self.storage).saturating_mul(TRIE_HEIGHT);
        VmResources {
            steps: nodes.saturating_mul(STEPS_PER_NODE),
            memory_holes: 0,
            builtins: [(Builtin::Pedersen, nodes.saturating_mul(PEDERSENS_PER_NODE))].into_iter().collect(),
        }
    }

    /// Felts of the published state diff (C203): two for each contract, storage key and declared class, one
    /// for each changed class of a contract.
    fn state_diff_size(&self) -> u64 {
        let pairs = self.contracts.saturating_add(self.storage).saturating_add(self.compiled_class_hashes);
        pairs.saturating_mul(2).saturating_add(self.class_hashes)
    }
}

/// Adds `more` to `sum`, saturating at 64 bits.
fn add(sum: &mut VmResources, more: &VmResources) {
    sum.steps = sum.steps.saturating_add(more.steps);
    sum.memory_holes = sum.memory_holes.saturating_add(more.memory_holes);
    more.builtins.iter().for_each(|(builtin, count)| sum.builtins.add(builtin, count));
}

/// The two price lists of computation.
#[derive(Clone, Copy, Debug)]
pub(super) struct Prices<'a> {
    /// The protocol's prices in Sierra gas.
    pub(super) schedule: &'a GasSchedule,
    /// The block builder's prices of builtins in proving gas; steps have the same price in both.
    pub(super) proving: &'a ProvingPrices,
}

impl Prices<'_> {
    /// Returns the weights of a transaction (C203-C208).
    pub(super) fn weights(&self, usage: &TransactionUsage, marginal: &Marginal) -> Weights {
        let walks = marginal.trie_walks();
        let mut vm = usage.vm;
        add(&mut vm, &walks);
        let execution = self.sierra_gas(&vm).saturating_add(usage.sierra_gas);
        let mut builtins = usage.builtins;
        walks.builtins.iter().for_each(|(builtin, count)| builtins.add(builtin, count));
        // The gas that is not for builtins is for steps, whose price is the same in both (C205).
        let steps = execution.saturating_sub(self.sierra_gas_of(&builtins));
        let proving = steps.saturating_add(self.proving_gas_of(&builtins));

        let classes = [&marginal.migration, &marginal.hashing];
        let sum = |gas: u64, resources| gas.saturating_add(resources);
        Weights {
            l1_gas: usage.l1_gas,
            message_segment_length: usage.message_segment_length,
            events: usage.events,
            transactions: 1,
            state_diff_size: marginal.state_diff_size(),
            sierra_gas: classes.iter().map(|class| self.sierra_gas(class)).fold(execution, sum),
            proving_gas: classes.iter().map(|class| self.proving_gas(class)).fold(proving, sum),
            receipt_l2_gas: usage.receipt_l2_gas,
        }
    }

    /// Returns the Sierra gas of resources.
    pub(super) fn sierra_gas(&self, resources: &VmResources) -> u64 {
        self.steps_gas(resources).saturating_add(self.sierra_gas_of(&resources.builtins))
    }

    /// Returns the proving gas of resources.
    pub(super) fn proving_gas(&self, resources: &VmResources) -> u64 {
        self.steps_gas(resources).saturating_add(self.proving_gas_of(&resources.builtins))
    }

    /// Returns the Sierra gas of steps, of segment arenas as steps (C145), and of memory holes.
    fn steps_gas(&self, resources: &VmResources) -> u64 {
        let arenas = resources.builtins.get(Builtin::SegmentArena);
        let steps = resources.steps.saturating_add(arenas.saturating_mul(STEPS_PER_SEGMENT_ARENA));
        let holes = resources.memory_holes.saturating_mul(self.schedule.memory_hole);
        steps.saturating_mul(self.schedule.step).saturating_add(holes)
    }

    fn sierra_gas_of(&self, builtins: &BuiltinCounts) -> u64 {
        cost(builtins, |builtin| self.schedule.builtin(builtin))
    }

    fn proving_gas_of(&self, builtins: &BuiltinCounts) -> u64 {
        cost(builtins, |builtin| self.proving.of(builtin))
    }
}

fn cost(builtins: &BuiltinCounts, price: impl Fn(Builtin) -> u64) -> u64 {
    builtins
        .iter()
        .fold(0, |sum: u64, (builtin, count)| sum.saturating_add(count.saturating_mul(price(builtin))))
}
