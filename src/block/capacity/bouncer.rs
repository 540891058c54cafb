//! The bouncer: the keys and classes that a block has paid for, and the weights of its transactions.
//!
//! Input: the usages of transactions, in commit order. Output: the weights that each adds, or the limits that
//! it exceeds. The work for a transaction depends on that transaction only, not on the length of the block.

use std::collections::HashSet;
use std::hash::Hash;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use starknet_api::core::{ClassHash, ContractAddress};

use super::price::{Marginal, Prices};
use super::transaction_usage::{ExecutedClass, Migration, StorageCell, TransactionUsage};
use super::{BlockFull, Capacity, TooLarge, Weights};
use crate::protocol::GasSchedule;
use crate::state::{BuildStateHasher, StateMap};

/// The weights of a block, and the classes that ran in it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlockUsage {
    /// The sum of the weights of the block's transactions.
    pub weights: Weights,
    /// The gas of hashing each class that ran in the block, ascending by class hash. Part of the weights.
    pub executed_classes: IndexMap<ClassHash, ClassHashGas>,
    /// The classes that migrate to the Blake hash when the block is closed ([C200](crate::rules#c200)),
    /// ascending.
    pub migrations: IndexMap<ClassHash, Migration>,
}

/// An amount of gas in both measures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClassHashGas {
    /// The Sierra gas.
    pub sierra: u64,
    /// The proving gas.
    pub proving: u64,
}

impl BlockUsage {
    /// Returns the gas of everything except hashing classes. Together with
    /// [`executed_classes`](Self::executed_classes) it is the gas of the weights.
    pub fn gas_without_class_hashes(&self) -> ClassHashGas {
        let of_classes = |gas: fn(&ClassHashGas) -> u64| {
            self.executed_classes.values().fold(0, |sum: u64, class| sum.saturating_add(gas(class)))
        };
        ClassHashGas {
            sierra: self.weights.sierra_gas.saturating_sub(of_classes(|gas| gas.sierra)),
            proving: self.weights.proving_gas.saturating_sub(of_classes(|gas| gas.proving)),
        }
    }
}

/// The use of a block's capacity.
#[derive(Clone, Debug)]
pub(in crate::block) struct Bouncer {
    capacity: Capacity,
    weights: Weights,
    visited: Set<StorageCell>,
    storage: Set<StorageCell>,
    class_hashes: Set<ContractAddress>,
    compiled_class_hashes: Set<ClassHash>,
    contracts: Set<ContractAddress>,
    executed_classes: StateMap<ClassHash, ClassHashGas>,
    migrations: StateMap<ClassHash, Migration>,
}

/// A set for membership tests only: its iteration order affects no result.
type Set<K> = HashSet<K, BuildStateHasher>;

impl Capacity {
    /// Checks that a block without other transactions can hold this one, with all its keys and classes
    /// (C214).
    pub(in crate::block) fn holds(
        &self,
        usage: &TransactionUsage,
        schedule: &GasSchedule,
    ) -> Result<(), Box<TooLarge>> {
        let prices = Prices { schedule, proving: &self.proving_prices };
        let weights = prices.weights(usage, &Marginal::all(usage));
        let exceeded = weights.beyond(&self.limits);
        if exceeded.is_empty() { Ok(()) } else { Err(Box::new(TooLarge { weights, exceeded })) }
    }
}

impl Bouncer {
    /// Creates the bouncer of a block without transactions.
    pub(in crate::block) fn new(capacity: Capacity) -> Self {
        Self {
            capacity,
            weights: Weights::ZERO,
            visited: Set::default(),
            storage: Set::default(),
            class_hashes: Set::default(),
            compiled_class_hashes: Set::default(),
            contracts: Set::default(),
            executed_classes: StateMap::default(),
            migrations: StateMap::default(),
        }
    }

    /// Returns the weights of the block.
    pub(in crate::block) fn weights(&self) -> Weights {
        self.weights
    }

    /// Returns the classes that migrate to the Blake hash, in the order in which they first ran.
    pub(in crate::block) fn migrations(&self) -> &StateMap<ClassHash, Migration> {
        &self.migrations
    }

    /// Returns the weights of the block, and the classes that ran in it.
    pub(in crate::block) fn summary(&self) -> BlockUsage {
        BlockUsage {
            weights: self.weights,
            executed_classes: ascending(&self.executed_classes),
            migrations: ascending(&self.migrations),
        }
    }

    /// Adds a transaction that the [capacity holds](Capacity::holds) and returns its marginal weights. A
    /// transaction that exceeds a limit changes nothing.
    pub(in crate::block) fn try_add(
        &mut self,
        usage: &TransactionUsage,
        schedule: &GasSchedule,
    ) -> Result<Weights, Box<BlockFull>> {
        let prices = Prices { schedule, proving: &self.capacity.proving_prices };
        let limits = &self.capacity.limits;
        let added = prices.weights(usage, &self.marginal(usage));
        let weights = self.weights.plus(&added);
        let exceeded = weights.beyond(limits);
        if !exceeded.is_empty() {
            let full = BlockFull { block: self.weights, transaction: added, exceeded };
            return Err(Box::new(full));
        }
        for class in &usage.classes {
            if self.executed_classes.contains_key(&class.class_hash) {
                continue;
            }
            let gas = ClassHashGas {
                sierra: prices.sierra_gas(&class.costs.hash),
                proving: prices.proving_gas(&class.costs.hash),
            };
            self.executed_classes.insert(class.class_hash, gas);
            if let Some(migration) = class.migration {
                self.migrations.insert(class.class_hash, migration);
            }
        }
        self.weights = weights;
        self.visited.extend(&usage.visited);
        self.storage.extend(&usage.changed.storage);
        self.class_hashes.extend(&usage.changed.class_hashes);
        self.compiled_class_hashes.extend(&usage.changed.compiled_class_hashes);
        self.contracts.extend(&usage.changed.contracts);
        Ok(added)
    }

    /// Returns the part of a usage that is new to the block.
    fn marginal(&self, usage: &TransactionUsage) -> Marginal {
        let changed = &usage.changed;
        let classes: Vec<&ExecutedClass> = usage
            .classes
            .iter()
            .filter(|class| !self.executed_classes.contains_key(&class.class_hash))
            .collect();
        let compiled = changed.compiled_class_hashes.iter();
        Marginal {
            visited: new(&usage.visited, &self.visited),
            storage: new(&changed.storage, &self.storage),
            class_hashes: new(&changed.class_hashes, &self.class_hashes),
            contracts: new(&changed.contracts, &self.contracts),
            ..Marginal::of_classes(
                &classes,
                compiled.filter(|class| !self.compiled_class_hashes.contains(*class)),
            )
        }
    }
}

/// Returns the number of `keys` that are not in the set.
fn new<'a, K: Eq + Hash + 'a>(keys: impl IntoIterator<Item = &'a K>, known: &Set<K>) -> u64 {
    super::count(keys.into_iter().filter(|key| !known.contains(*key)).count())
}

fn ascending<K: Copy + Ord + Hash, V: Copy>(map: &StateMap<K, V>) -> IndexMap<K, V> {
    let mut sorted: IndexMap<K, V> = map.iter().map(|(key, value)| (*key, *value)).collect();
    sorted.sort_unstable_keys();
    sorted
}
