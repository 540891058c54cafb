//! The witness: every cell that was read before it was written, with the value it had.
//!
//! Input: filled by [`Journal`](super::Journal) and [`BlockState`](super::BlockState). Output: the read set
//! that parallel execution validates, the initial reads that provers and `starknet_traceBlockTransactions`
//! ask for.

use serde::{Deserialize, Serialize};
use starknet_api::core::{ClassHash, CompiledClassHash, ContractAddress, Nonce};
use starknet_api::state::StorageKey;
use starknet_types_core::felt::Felt;

use super::kind::{Tables, felt_kinds, for_each_kind, serialized_tables};
use super::{StateMap, ascending};

felt_kinds! { [serialized_tables]
    /// Every cell that was read before it was written, with its value ([C238](crate::rules#c238)). Serialised
    /// with ascending keys.
    ///
    /// Every written cell is in here too: a journal reads before it writes ([C189](crate::rules#c189)). The
    /// one exception is the declaration of a class that was not looked up before ([C191](crate::rules#c191)).
    /// A class that was found undeclared has the compiled class hash 0 ([C38](crate::rules#c38)).
    #[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
    pub struct InitialReads {
        /// The classes that were looked up: `true` if the class was declared.
        #[serde(serialize_with = "ascending::map")]
        pub declared: StateMap<ClassHash, bool>,
    }
}

impl InitialReads {
    /// Adds later reads; of a cell that is in both, the earlier value stays.
    pub fn merge(&mut self, later: InitialReads) {
        for_each_kind!(Kind => {
            let reads = Tables::<Kind>::table_mut(self);
            Tables::<Kind>::table(&later).iter().for_each(|(key, value)| {
                reads.entry(*key).or_insert(*value);
            });
        });
        for (class_hash, declared) in later.declared {
            self.declared.entry(class_hash).or_insert(declared);
        }
    }

    /// The number of cells.
    pub fn len(&self) -> usize {
        let mut length = self.declared.len();
        for_each_kind!(Kind => { length = length.saturating_add(Tables::<Kind>::table(self).len()); });
        length
    }

    /// Returns `true` if no cell was read.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
