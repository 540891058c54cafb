//! The witness: every cell that was read before it was written, with the value it had.
//!
//! In: filled by [`Journal`](super::Journal) and [`BlockState`](super::BlockState). Out: the read set that parallel execution
//! validates, the initial reads that provers and `starknet_traceBlockTransactions` ask for.

use serde::{Deserialize, Serialize};
use starknet_api::core::{ClassHash, CompiledClassHash, ContractAddress, Nonce};
use starknet_api::state::StorageKey;
use starknet_types_core::felt::Felt;

use super::{StateMap, ascending};

/// Every cell that was read before it was written, with its value (C238). Serialised with ascending keys.
///
/// Every written cell is in here too: a journal reads before it writes (C189). The one exception is the declaration of a class
/// that nobody asked for before (C191).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct InitialReads {
    /// Storage cells.
    #[serde(with = "ascending::storage")]
    pub storage: StateMap<(ContractAddress, StorageKey), Felt>,
    /// Nonces by contract.
    #[serde(serialize_with = "ascending::map")]
    pub nonces: StateMap<ContractAddress, Nonce>,
    /// Class hashes by contract.
    #[serde(serialize_with = "ascending::map")]
    pub class_hashes: StateMap<ContractAddress, ClassHash>,
    /// Compiled class hashes by class. A class that was found undeclared is here with 0 (C38).
    #[serde(serialize_with = "ascending::map")]
    pub compiled_class_hashes: StateMap<ClassHash, CompiledClassHash>,
    /// Whether a class was declared.
    #[serde(serialize_with = "ascending::map")]
    pub declared: StateMap<ClassHash, bool>,
}

impl InitialReads {
    /// Adds reads that came later; of a cell that is in both, the earlier value stays.
    pub fn merge(&mut self, later: InitialReads) {
        for (cell, value) in later.storage {
            self.storage.entry(cell).or_insert(value);
        }
        for (address, nonce) in later.nonces {
            self.nonces.entry(address).or_insert(nonce);
        }
        for (address, class_hash) in later.class_hashes {
            self.class_hashes.entry(address).or_insert(class_hash);
        }
        for (class_hash, compiled) in later.compiled_class_hashes {
            self.compiled_class_hashes.entry(class_hash).or_insert(compiled);
        }
        for (class_hash, declared) in later.declared {
            self.declared.entry(class_hash).or_insert(declared);
        }
    }

    /// The number of cells.
    pub fn len(&self) -> usize {
        self.storage
            .len()
            .saturating_add(self.nonces.len())
            .saturating_add(self.class_hashes.len())
            .saturating_add(self.compiled_class_hashes.len())
            .saturating_add(self.declared.len())
    }

    /// Whether nothing was read.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
