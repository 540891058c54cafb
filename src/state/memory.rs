//! A state that lives in memory: for tests, test frameworks and small tools.
//!
//! In: values set by hand, state diffs of executed blocks, or a witness. Out: a [`StateReader`] that never fails.

use starknet_api::core::{ClassHash, CompiledClassHash, ContractAddress, Nonce};
use starknet_api::state::StorageKey;
use starknet_types_core::felt::Felt;

use super::{InitialReads, ReadError, StateDiff, StateMap, StateReader};
use crate::class::ContractClass;

/// A whole state in memory. What is not in it is zero, or not declared.
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
pub struct MemoryState {
    /// Storage cells.
    pub storage: StateMap<(ContractAddress, StorageKey), Felt>,
    /// Nonces by contract.
    pub nonces: StateMap<ContractAddress, Nonce>,
    /// Class hashes by contract.
    pub class_hashes: StateMap<ContractAddress, ClassHash>,
    /// Compiled class hashes by class; none for Cairo 0.
    pub compiled_class_hashes: StateMap<ClassHash, CompiledClassHash>,
    /// The declared classes.
    pub classes: StateMap<ClassHash, ContractClass>,
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

    /// Puts a contract of the class at the address; runs no constructor.
    #[must_use]
    pub fn deploy(mut self, address: ContractAddress, class_hash: ClassHash) -> Self {
        self.class_hashes.insert(address, class_hash);
        self
    }

    /// The state that a witness describes, with the classes it names: enough to run the same transactions again.
    pub fn from_witness(
        reads: &InitialReads,
        classes: impl IntoIterator<Item = (ClassHash, ContractClass)>,
    ) -> Self {
        Self {
            storage: reads.storage.clone(),
            nonces: reads.nonces.clone(),
            class_hashes: reads.class_hashes.clone(),
            compiled_class_hashes: reads.compiled_class_hashes.clone(),
            classes: classes.into_iter().collect(),
        }
    }

    /// Takes over the diff of an executed block and the classes that it declared, so that the next block can be built on it.
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
    fn storage_at(&self, address: ContractAddress, key: StorageKey) -> Result<Felt, ReadError> {
        Ok(self.storage.get(&(address, key)).copied().unwrap_or_default())
    }

    fn nonce_at(&self, address: ContractAddress) -> Result<Nonce, ReadError> {
        Ok(self.nonces.get(&address).copied().unwrap_or_default())
    }

    fn class_hash_at(&self, address: ContractAddress) -> Result<ClassHash, ReadError> {
        Ok(self.class_hashes.get(&address).copied().unwrap_or_default())
    }

    fn class(&self, class_hash: ClassHash) -> Result<Option<ContractClass>, ReadError> {
        Ok(self.classes.get(&class_hash).cloned())
    }

    fn compiled_class_hash(&self, class_hash: ClassHash) -> Result<CompiledClassHash, ReadError> {
        Ok(self.compiled_class_hashes.get(&class_hash).copied().unwrap_or_default())
    }
}
