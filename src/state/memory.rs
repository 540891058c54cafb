//! A state in memory: for tests, test frameworks and small tools.
//!
//! Input: values set by hand, state diffs of executed blocks, or a witness. Output: a [`StateReader`] that
//! never fails.

use starknet_api::core::{ClassHash, CompiledClassHash, ContractAddress, Nonce};
use starknet_api::state::StorageKey;
use starknet_types_core::felt::Felt;

use super::kind::{Tables, felt_kinds, for_each_kind, plain_tables, reader_methods};
use super::{InitialReads, StateDiff, StateMap, StateReader};
use crate::class::ContractClass;

felt_kinds! { [plain_tables]
    /// A complete state in memory. A cell that is not in it is zero; a class that is not in it is not
    /// declared.
    ///
    /// ```
    /// use starkiln::state::{MemoryState, StateReader};
    /// use starknet_api::core::{ClassHash, ContractAddress};
    /// use starknet_types_core::felt::Felt;
    ///
    /// let address = ContractAddress::from(0x100_u128);
    /// let state = MemoryState::default()
    ///     .deploy(address, ClassHash(Felt::from(0x200)))
    ///     .with_storage(address, 1_u128.into(), Felt::TWO);
    /// assert_eq!(state.storage_at(address, 1_u128.into()), Ok(Felt::TWO));
    /// ```
    #[derive(Clone, Debug, Default, PartialEq, Eq)]
    pub struct MemoryState: StateMap {
        /// The declared classes.
        pub classes: StateMap<ClassHash, ContractClass>,
    }
}

impl MemoryState {
    /// Sets a storage cell.
    #[must_use]
    pub fn with_storage(mut self, address: ContractAddress, key: StorageKey, value: Felt) -> Self {
        self.storage.insert((address, key), value);
        self
    }

    /// Sets a contract's nonce.
    #[must_use]
    pub fn with_nonce(mut self, address: ContractAddress, nonce: Nonce) -> Self {
        self.nonces.insert(address, nonce);
        self
    }

    /// Declares a class without a compiled class hash, as Cairo 0 classes are; see
    /// [`with_compiled_class_hash`](Self::with_compiled_class_hash).
    #[must_use]
    pub fn with_class(mut self, class_hash: ClassHash, class: ContractClass) -> Self {
        self.classes.insert(class_hash, class);
        self
    }

    /// Sets the compiled class hash of a class.
    #[must_use]
    pub fn with_compiled_class_hash(mut self, class_hash: ClassHash, compiled: CompiledClassHash) -> Self {
        self.compiled_class_hashes.insert(class_hash, compiled);
        self
    }

    /// Deploys a contract of the class at the address, without running a constructor.
    #[must_use]
    pub fn deploy(mut self, address: ContractAddress, class_hash: ClassHash) -> Self {
        self.class_hashes.insert(address, class_hash);
        self
    }

    /// The state that a witness describes, with its classes: enough to execute the same transactions again.
    pub fn from_witness(
        reads: &InitialReads,
        classes: impl IntoIterator<Item = (ClassHash, ContractClass)>,
    ) -> Self {
        let mut state = Self { classes: classes.into_iter().collect(), ..Self::default() };
        for_each_kind!(Kind => {
            Tables::<Kind>::table_mut(&mut state).clone_from(Tables::<Kind>::table(reads));
        });
        state
    }

    /// Applies the state diff of an executed block and the classes that it declared.
    pub fn apply(
        &mut self,
        diff: &StateDiff,
        declared: impl IntoIterator<Item = (ClassHash, ContractClass)>,
    ) {
        for (address, cells) in &diff.storage {
            self.storage.extend(cells.iter().map(|(key, value)| ((*address, *key), *value)));
        }
        self.nonces.extend(&diff.nonces);
        self.class_hashes.extend(&diff.deployed);
        self.class_hashes.extend(&diff.replaced);
        self.compiled_class_hashes.extend(&diff.declared);
        self.compiled_class_hashes.extend(&diff.migrated);
        self.classes.extend(declared);
    }
}

impl StateReader for MemoryState {
    reader_methods! { self,
        Kind(key) => Ok(Tables::<Kind>::table(self).get(&key).copied().unwrap_or_default()),
        Class(class_hash) => Ok(self.classes.get(&class_hash).cloned())
    }
}
