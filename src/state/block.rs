//! The state of a block in progress: the committed transactions over the host's state.
//!
//! Input: the host's reader; the parts of each transaction's journal, in block order. Output: the state that
//! the next transaction reads, the block's diff and the block's initial reads. Reading takes `&self` and no
//! lock, so that several journals can run over one block; values that they read from the host are recorded
//! when their reads are absorbed.

use std::fmt;

use starknet_api::core::{ClassHash, CompiledClassHash, ContractAddress, Nonce};
use starknet_api::state::StorageKey;
use starknet_types_core::felt::Felt;

use super::journal::read_error;
use super::kind::{FeltKind, FeltValue, Tables, for_each_kind, match_kind, reader_methods};
use super::touched::{TouchedCells, TouchedKind};
use super::{
    InitialReads, JournalClasses, JournalParts, ReadError, StateChanges, StateDiff, StateError, StateKey,
    StateMap, StateReader, StateValue,
};
use crate::class::ContractClass;

/// The host's state with the committed transactions of one block on top.
#[derive(Clone)]
pub struct BlockState<R> {
    reader: R,
    touched: TouchedCells,
    /// Values of the host's that will probably be read. They count as initial reads only once they are.
    prefetched: StateMap<StateKey, StateValue>,
}

impl<R: StateReader> BlockState<R> {
    /// A block without transactions, over the state before the block.
    pub fn new(reader: R) -> Self {
        Self { reader, touched: TouchedCells::default(), prefetched: StateMap::default() }
    }

    /// The host's reader: the state before the block.
    pub fn reader(&self) -> &R {
        &self.reader
    }

    /// Commits a journal, which must have run over the present state of this block.
    ///
    /// Reads from the host only the cells that are changed without having been read, which no
    /// [`Journal`](super::Journal) does (C189). If that fails, nothing is committed.
    pub fn commit(&mut self, parts: JournalParts) -> Result<(), StateError> {
        let JournalParts { changes, initial_reads, classes } = parts;
        let unread = self.unread(&changes, &initial_reads)?;
        self.absorb_reads(initial_reads);
        self.absorb_reads(unread);
        self.absorb_classes(classes.loaded);
        for_each_kind!(Kind => {
            let cells = Kind::cells_mut(&mut self.touched);
            Tables::<Kind>::table(&changes).iter().for_each(|(key, value)| cells.set(key, *value));
        });
        for (class_hash, class) in classes.declared {
            self.touched.classes.entry(class_hash).or_default().declared = Some(class);
        }
        Ok(())
    }

    /// Absorbs the reads of a rejected transaction: its writes are dropped, its reads belong to the block
    /// (C238).
    ///
    /// The first read of a cell wins. A cell that an earlier transaction of the block wrote was read before
    /// that, so a later value is not an initial value and is ignored.
    pub fn absorb_reads(&mut self, reads: InitialReads) {
        self.touched.record_reads(&reads);
    }

    /// Keeps classes that a journal loaded, so that they are not read from the host again. Changes no result.
    pub fn absorb_classes(&mut self, loaded: StateMap<ClassHash, ContractClass>) {
        self.touched.record_loaded(loaded);
    }

    /// Keeps prefetched values, so that they are not read from the host again. Changes no result.
    pub(crate) fn insert_prefetched(&mut self, values: impl IntoIterator<Item = (StateKey, StateValue)>) {
        self.prefetched.extend(values);
    }

    /// Returns `true` if a read of the cell would be a read from the host.
    pub(crate) fn is_unknown(&self, cell: StateKey) -> bool {
        self.known(cell).is_none() && !self.prefetched.contains_key(&cell)
    }

    /// The value of a cell that the block has touched.
    pub(crate) fn known(&self, cell: StateKey) -> Option<StateValue> {
        match_kind!(cell,
            Kind(key) => Kind::cells(&self.touched).current(&key).map(|value| StateValue::Felt(value.felt())),
            Class(class_hash) => {
                self.touched.visible_class(class_hash).map(|class| StateValue::Class(class.cloned()))
            }
        )
    }

    /// The value of a cell, read from the host unless it is known.
    fn value<K: TouchedKind>(&self, key: K::Key) -> Result<K::Value, ReadError> {
        K::cells(&self.touched).current(&key).map_or_else(|| self.host_value::<K>(key), Ok)
    }

    /// The value of a cell in the host's state.
    fn host_value<K: FeltKind>(&self, key: K::Key) -> Result<K::Value, ReadError> {
        match self.prefetched.get(&K::state_key(key)) {
            Some(value) => Ok(K::Value::from_felt(value.felt())),
            None => K::load(&self.reader, key),
        }
    }

    /// The storage cells that differ from the state before the block (C194).
    pub(crate) fn changed_storage(&self) -> impl Iterator<Item = ((ContractAddress, StorageKey), Felt)> {
        self.touched.storage.changed().map(|(cell, _, now)| (cell, now))
    }

    /// The nonces that differ from the state before the block.
    pub(crate) fn changed_nonces(&self) -> impl Iterator<Item = (ContractAddress, Nonce)> {
        self.touched.nonces.changed().map(|(address, _, now)| (address, now))
    }

    /// The contracts whose class hash differs from the state before the block, with the old and the new one.
    pub(crate) fn changed_class_hashes(
        &self,
    ) -> impl Iterator<Item = (ContractAddress, ClassHash, ClassHash)> {
        self.touched.class_hashes.changed()
    }

    /// The classes in the block's state diff.
    pub(crate) fn diff_of_classes(&self) -> StateDiff {
        let changes = StateChanges {
            compiled_class_hashes: self.touched.compiled_class_hashes.changed_to(),
            declared: self.touched.newly_declared(),
            ..StateChanges::default()
        };
        self.touched.classified(&changes)
    }

    /// Reserves memory for `n` more storage cells.
    pub(crate) fn reserve_storage(&mut self, n: usize) {
        self.touched.storage.reserve(n);
    }

    /// Reads a storage cell for the block itself, and writes it if `update` returns a value. Returns the
    /// value after that.
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

    /// The cells that differ from the state before the block. A cell that went A -> B -> A is not among them
    /// (C194).
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

    /// The [initial reads](Self::initial_reads), without copying.
    pub fn into_initial_reads(self) -> InitialReads {
        self.touched.into_initial_reads()
    }

    /// The classes that the block declared and those that it loaded.
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

    /// The initial values of changed cells that neither the block nor the transaction has read.
    fn unread(&self, changes: &StateChanges, reads: &InitialReads) -> Result<InitialReads, StateError> {
        let mut unread = InitialReads::default();
        for_each_kind!(Kind => {
            let (read, known) = (Tables::<Kind>::table(reads), Kind::cells(&self.touched));
            for &key in Tables::<Kind>::table(changes).keys() {
                // Nearly all were read by the transaction, and that table is the smaller one.
                if !read.contains_key(&key) && known.current(&key).is_none() {
                    let value =
                        Kind::load(&self.reader, key).map_err(read_error(Kind::state_key(key)))?;
                    Tables::<Kind>::table_mut(&mut unread).insert(key, value);
                }
            }
        });
        Ok(unread)
    }
}

/// The state that the next transaction of the block reads.
impl<R: StateReader> StateReader for BlockState<R> {
    reader_methods! { self,
        Kind(key) => self.value::<Kind>(key),
        Class(class_hash) => match self.touched.visible_class(class_hash) {
            Some(visible) => Ok(visible.cloned()),
            None => self.reader.class(class_hash),
        }
    }
}

/// Without the reader, which need not implement `Debug`.
impl<R: StateReader> fmt::Debug for BlockState<R> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("BlockState")
            .field("changes", &self.changes())
            .field("initial_reads", &self.initial_reads())
            .finish_non_exhaustive()
    }
}
