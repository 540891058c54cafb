//! The state of a block in the making: the host's state below, the committed transactions above it.
//!
//! In: the host's reader; the parts of each transaction's journal, in block order. Out: the state that the next transaction
//! reads, the block's diff and the block's initial reads. Reading takes `&self` and no lock, so many journals can run over one
//! block; what they read from the host is remembered when their reads are handed in.

use std::fmt;
use std::hash::Hash;

use starknet_api::core::{ClassHash, CompiledClassHash, ContractAddress, Nonce};
use starknet_api::state::StorageKey;
use starknet_types_core::felt::Felt;

use super::cells::Cells;
use super::journal::read_error;
use super::touched::Touched;
use super::{
    InitialReads, JournalClasses, JournalParts, ReadError, StateChanges, StateDiff, StateError, StateKey,
    StateMap, StateReader, StateValue,
};
use crate::class::ContractClass;

/// The host's state with the committed transactions of one block on top.
#[derive(Clone)]
pub struct BlockState<R> {
    reader: R,
    touched: Touched,
    /// Values of the host's that somebody may read before long. Not read as yet: no part of the initial reads.
    prefetched: StateMap<StateKey, StateValue>,
}

impl<R: StateReader> BlockState<R> {
    /// A block before its first transaction, over the state before the block.
    pub fn new(reader: R) -> Self {
        Self { reader, touched: Touched::default(), prefetched: StateMap::default() }
    }

    /// The host's reader: the state before the block.
    pub fn reader(&self) -> &R {
        &self.reader
    }

    /// Gives the host's reader back.
    pub fn into_reader(self) -> R {
        self.reader
    }

    /// Takes over what a journal read and changed. The journal must have run over this block as it stands now.
    ///
    /// Asks the host only for cells that are changed without ever having been read, which no [`Journal`](super::Journal) does
    /// (C189). If that fails, nothing of the journal has been taken over.
    pub fn commit(&mut self, parts: JournalParts) -> Result<(), StateError> {
        let JournalParts { changes, initial_reads: mut reads, classes } = parts;
        reads.merge(self.unread(&changes, &reads)?);
        self.absorb_reads(reads);
        self.absorb_classes(classes.loaded);

        for (cell, value) in changes.storage {
            self.touched.storage.set(&cell, value);
        }
        for (address, nonce) in changes.nonces {
            self.touched.nonces.set(&address, nonce);
        }
        for (address, class_hash) in changes.class_hashes {
            self.touched.class_hashes.set(&address, class_hash);
        }
        for (class_hash, compiled) in changes.compiled_class_hashes {
            self.touched.compiled_class_hashes.set(&class_hash, compiled);
        }
        for (class_hash, class) in classes.declared {
            self.touched.classes.entry(class_hash).or_default().declared = Some(class);
        }
        Ok(())
    }

    /// Takes over what a rejected transaction read: its writes are dropped, but its reads belong to the block (C238).
    ///
    /// The first read of a cell wins. A cell that an earlier transaction of the block wrote has been read before that, so what
    /// later ones read there is not an initial value and is passed over.
    pub fn absorb_reads(&mut self, reads: InitialReads) {
        for (cell, value) in reads.storage {
            self.touched.storage.record_initial(cell, value);
        }
        for (address, nonce) in reads.nonces {
            self.touched.nonces.record_initial(address, nonce);
        }
        for (address, class_hash) in reads.class_hashes {
            self.touched.class_hashes.record_initial(address, class_hash);
        }
        for (class_hash, compiled) in reads.compiled_class_hashes {
            self.touched.compiled_class_hashes.record_initial(class_hash, compiled);
        }
        for (class_hash, declared) in reads.declared {
            let known = self.touched.classes.entry(class_hash).or_default();
            if known.declared.is_none() {
                known.initial.get_or_insert(declared);
            }
        }
    }

    /// Keeps classes that a journal loaded, so that the host is not asked for them again. Changes no result.
    pub fn absorb_classes(&mut self, loaded: StateMap<ClassHash, ContractClass>) {
        for (class_hash, class) in loaded {
            // A class that the block itself declared is not the host's.
            if let Some(known) = self.touched.classes.get_mut(&class_hash)
                && known.initial == Some(true)
            {
                known.loaded.get_or_insert(class);
            }
        }
    }

    /// Keeps values of the host's that were loaded before anybody asked, so that the host is not asked again. Changes no result.
    pub(crate) fn insert_prefetched(&mut self, values: impl IntoIterator<Item = (StateKey, StateValue)>) {
        self.prefetched.extend(values);
    }

    /// Whether reading the cell would ask the host.
    pub(crate) fn is_unknown(&self, cell: StateKey) -> bool {
        let is_known = match cell {
            StateKey::Storage(address, key) => self.touched.storage.current(&(address, key)).is_some(),
            StateKey::Nonce(address) => self.touched.nonces.current(&address).is_some(),
            StateKey::ClassHash(address) => self.touched.class_hashes.current(&address).is_some(),
            StateKey::CompiledClassHash(class_hash) => {
                self.touched.compiled_class_hashes.current(&class_hash).is_some()
            }
            StateKey::Class(class_hash) => {
                self.touched.classes.get(&class_hash).is_some_and(|known| known.visible().is_some())
            }
        };
        !is_known && !self.prefetched.contains_key(&cell)
    }

    /// What is in a cell, if the host need not be asked for it.
    pub(crate) fn known(&self, cell: StateKey) -> Option<StateValue> {
        let felt = match cell {
            StateKey::Storage(address, key) => self.touched.storage.current(&(address, key)),
            StateKey::Nonce(address) => self.touched.nonces.current(&address).map(|nonce| nonce.0),
            StateKey::ClassHash(address) => {
                self.touched.class_hashes.current(&address).map(|class_hash| class_hash.0)
            }
            StateKey::CompiledClassHash(class_hash) => {
                self.touched.compiled_class_hashes.current(&class_hash).map(|compiled| compiled.0)
            }
            StateKey::Class(class_hash) => {
                let visible = self.touched.classes.get(&class_hash).and_then(|known| known.visible());
                return visible.map(|class| StateValue::Class(class.cloned()));
            }
        };
        felt.map(StateValue::Felt)
    }

    /// What the host has in a cell of one felt.
    fn host(&self, cell: StateKey) -> Result<Felt, ReadError> {
        match self.prefetched.get(&cell) {
            Some(value) => Ok(value.felt()),
            None => StateValue::load(&self.reader, cell).map(|value| value.felt()),
        }
    }

    /// The storage cells that are different from the state before the block (C194).
    pub(crate) fn changed_storage(&self) -> impl Iterator<Item = ((ContractAddress, StorageKey), Felt)> {
        self.touched.storage.changed().map(|(cell, _, now)| (cell, now))
    }

    /// The nonces that are.
    pub(crate) fn changed_nonces(&self) -> impl Iterator<Item = (ContractAddress, Nonce)> {
        self.touched.nonces.changed().map(|(address, _, now)| (address, now))
    }

    /// The contracts whose class hash is, with the old one and the new one.
    pub(crate) fn changed_class_hashes(
        &self,
    ) -> impl Iterator<Item = (ContractAddress, ClassHash, ClassHash)> {
        self.touched.class_hashes.changed()
    }

    /// That part of the block's state diff that is about classes.
    pub(crate) fn diff_of_classes(&self) -> StateDiff {
        let changes = StateChanges {
            compiled_class_hashes: self.touched.compiled_class_hashes.changed_to(),
            declared: self.touched.newly_declared(),
            ..StateChanges::default()
        };
        self.touched.classified(&changes)
    }

    /// So many more storage cells will soon be touched.
    pub(crate) fn expect_storage(&mut self, cells: usize) {
        self.touched.storage.reserve(cells);
    }

    /// Reads a storage cell for the block itself, and writes it if `update` says what. Answers with what is there then.
    pub(crate) fn update_storage(
        &mut self,
        address: ContractAddress,
        key: StorageKey,
        update: impl FnOnce(Felt) -> Option<Felt>,
    ) -> Result<Felt, StateError> {
        let cell = StateKey::Storage(address, key);
        let load = || match self.prefetched.get(&cell) {
            Some(value) => Ok(value.felt()),
            None => self.reader.storage_at(address, key),
        };
        let (position, value) = self.touched.storage.read((address, key), load).map_err(read_error(cell))?;
        Ok(match update(value) {
            Some(value) => {
                self.touched.storage.set_at(position, value);
                value
            }
            None => value,
        })
    }

    /// What is different from the state before the block. A cell that went A -> B -> A is not part of it (C194).
    pub fn changes(&self) -> StateChanges {
        self.touched.changes()
    }

    /// The changes as writes to cells.
    pub(crate) fn writes(&self) -> Vec<(StateKey, StateValue)> {
        self.touched.writes()
    }

    /// The block's state diff, classified, against the state before the block (C193, C194).
    pub fn diff(&self) -> StateDiff {
        self.touched.classified(&self.changes())
    }

    /// Every cell that the block read, with its value before the block.
    pub fn initial_reads(&self) -> InitialReads {
        self.touched.initial_reads()
    }

    /// As [`initial_reads`](Self::initial_reads), at the end of the block.
    pub fn into_initial_reads(self) -> InitialReads {
        self.touched.into_initial_reads()
    }

    /// The classes of the block: those that it declared, and those that it loaded.
    pub fn classes(&self) -> JournalClasses {
        let mut classes = JournalClasses::default();
        for (class_hash, known) in &self.touched.classes {
            if let Some(class) = &known.declared
                && known.newly_declared()
            {
                classes.declared.insert(*class_hash, class.clone());
            }
            if let Some(class) = &known.loaded {
                classes.loaded.insert(*class_hash, class.clone());
            }
        }
        classes
    }

    /// The initial values of changed cells that neither the block nor the transaction ever read.
    fn unread(&self, changes: &StateChanges, reads: &InitialReads) -> Result<InitialReads, StateError> {
        let mut missing = InitialReads::default();
        for &(address, key) in unknown(&changes.storage, &self.touched.storage, &reads.storage) {
            let value =
                self.reader.storage_at(address, key).map_err(read_error(StateKey::Storage(address, key)))?;
            missing.storage.insert((address, key), value);
        }
        for &address in unknown(&changes.nonces, &self.touched.nonces, &reads.nonces) {
            let nonce = self.reader.nonce_at(address).map_err(read_error(StateKey::Nonce(address)))?;
            missing.nonces.insert(address, nonce);
        }
        for &address in unknown(&changes.class_hashes, &self.touched.class_hashes, &reads.class_hashes) {
            let class_hash =
                self.reader.class_hash_at(address).map_err(read_error(StateKey::ClassHash(address)))?;
            missing.class_hashes.insert(address, class_hash);
        }
        for &class_hash in unknown(
            &changes.compiled_class_hashes,
            &self.touched.compiled_class_hashes,
            &reads.compiled_class_hashes,
        ) {
            let compiled = self
                .reader
                .compiled_class_hash(class_hash)
                .map_err(read_error(StateKey::CompiledClassHash(class_hash)))?;
            missing.compiled_class_hashes.insert(class_hash, compiled);
        }
        Ok(missing)
    }
}

/// What the next transaction of the block sees.
impl<R: StateReader> StateReader for BlockState<R> {
    fn storage_at(&self, address: ContractAddress, key: StorageKey) -> Result<Felt, ReadError> {
        let known = self.touched.storage.current(&(address, key));
        known.map_or_else(|| self.host(StateKey::Storage(address, key)), Ok)
    }

    fn nonce_at(&self, address: ContractAddress) -> Result<Nonce, ReadError> {
        let known = self.touched.nonces.current(&address);
        known.map_or_else(|| self.host(StateKey::Nonce(address)).map(Nonce), Ok)
    }

    fn class_hash_at(&self, address: ContractAddress) -> Result<ClassHash, ReadError> {
        let known = self.touched.class_hashes.current(&address);
        known.map_or_else(|| self.host(StateKey::ClassHash(address)).map(ClassHash), Ok)
    }

    fn class(&self, class_hash: ClassHash) -> Result<Option<ContractClass>, ReadError> {
        match self.touched.classes.get(&class_hash).and_then(|known| known.visible()) {
            Some(visible) => Ok(visible.cloned()),
            None => self.reader.class(class_hash),
        }
    }

    fn compiled_class_hash(&self, class_hash: ClassHash) -> Result<CompiledClassHash, ReadError> {
        let known = self.touched.compiled_class_hashes.current(&class_hash);
        known.map_or_else(|| self.host(StateKey::CompiledClassHash(class_hash)).map(CompiledClassHash), Ok)
    }
}

/// Without the reader, which need not be printable.
impl<R: StateReader> fmt::Debug for BlockState<R> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("BlockState")
            .field("changes", &self.changes())
            .field("initial_reads", &self.initial_reads())
            .finish_non_exhaustive()
    }
}

/// The keys of `changed` that are in neither table of initial values.
fn unknown<'a, K: Copy + Eq + Hash, V: Copy + PartialEq>(
    changed: &'a StateMap<K, V>,
    known: &'a Cells<K, V>,
    read: &'a StateMap<K, V>,
) -> impl Iterator<Item = &'a K> {
    // Nearly all were read, and that table is the nearer one.
    changed.keys().filter(|key| !read.contains_key(*key) && known.current(key).is_none())
}
