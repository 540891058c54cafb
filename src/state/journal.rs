//! The journal of one transaction: its read set, its write set, checkpoints and reverts.
//!
//! Input: a reader of the state before the transaction; reads and writes from `call` and `syscall`. Output:
//! the parts that a block commits. Every cell is read from the reader at most once. Each write puts the
//! replaced value into an undo log, so a checkpoint is a number and a revert costs only the reverted writes.
//! Reads stay recorded after a revert (C101).

use std::fmt;

use starknet_api::core::{ClassHash, CompiledClassHash, ContractAddress, Nonce};
use starknet_api::state::StorageKey;
use starknet_types_core::felt::Felt;

use super::cells::Cells;
use super::journal_state::JournalState;
use super::kind::{Tables, cell, for_each_kind};
use super::touched::{TouchedCells, TouchedKind};
use super::undo::{Checkpoint, Undo};
use super::{
    InitialReads, ReadError, StateChanges, StateDiff, StateError, StateKey, StateMap, StateReader, StopFlag,
};
use crate::class::ContractClass;

/// The number of storage cells that a typical transaction touches.
const STORAGE_CELLS: usize = 14;

/// The contents of a journal: the input of [`BlockState::commit`](super::BlockState::commit).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JournalParts {
    /// The cells with a new value.
    pub changes: StateChanges,
    /// The cells that were read before they were written, with the value they had.
    pub initial_reads: InitialReads,
    /// The classes that were declared or loaded.
    pub classes: JournalClasses,
}

/// The reads and writes of one transaction over the state before it.
pub struct Journal<'r> {
    pub(super) reader: &'r dyn StateReader,
    pub(super) stop: StopFlag,
    pub(super) state: Box<JournalState>,
}

/// The classes that a journal holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JournalClasses {
    /// The classes that the journal declared: those of [`StateChanges::declared`].
    pub declared: StateMap<ClassHash, ContractClass>,
    /// The classes that the journal loaded. A block keeps them, so that they are not loaded again.
    pub loaded: StateMap<ClassHash, ContractClass>,
}

impl<'r> Journal<'r> {
    /// An empty journal over the state before the transaction.
    pub fn new(reader: &'r dyn StateReader) -> Self {
        let touched =
            TouchedCells { storage: Cells::with_capacity(STORAGE_CELLS), ..TouchedCells::default() };
        let state = Box::new(JournalState { touched, ..JournalState::default() });
        Self { reader, stop: StopFlag::default(), state }
    }

    /// The same journal, for an execution that `stop` can interrupt.
    pub(crate) fn stopped_by(self, stop: StopFlag) -> Self {
        Self { stop, ..self }
    }

    /// The flag that interrupts the execution.
    pub(crate) fn stop_flag(&self) -> &StopFlag {
        &self.stop
    }

    /// The value of a storage cell.
    pub fn storage_at(&mut self, address: ContractAddress, key: StorageKey) -> Result<Felt, StateError> {
        self.read::<cell::Storage>((address, key))
    }

    /// The nonce of a contract.
    pub fn nonce_at(&mut self, address: ContractAddress) -> Result<Nonce, StateError> {
        self.read::<cell::Nonce>(address)
    }

    /// The class hash of a contract; zero if nothing is deployed there.
    pub fn class_hash_at(&mut self, address: ContractAddress) -> Result<ClassHash, StateError> {
        self.read::<cell::ClassHash>(address)
    }

    /// The compiled class hash of a class; zero if it is not declared or a Cairo 0 class.
    pub fn compiled_class_hash(&mut self, class_hash: ClassHash) -> Result<CompiledClassHash, StateError> {
        self.read::<cell::CompiledClassHash>(class_hash)
    }

    /// A class that was declared by this journal or before; [`StateError::UndeclaredClass`] if there is none.
    pub fn class(&mut self, class_hash: ClassHash) -> Result<ContractClass, StateError> {
        self.find_class(class_hash)?.ok_or(StateError::UndeclaredClass(class_hash))
    }

    /// A class that was declared by this journal or before; `None` if there is none.
    ///
    /// The first lookup in the reader is recorded as a read. If the class is not declared, so is its compiled
    /// class hash, with the value 0 (C38).
    pub fn find_class(&mut self, class_hash: ClassHash) -> Result<Option<ContractClass>, StateError> {
        if let Some(visible) = self.state.touched.visible_class(class_hash) {
            return Ok(visible.cloned());
        }
        // Not looked up before. An entry may exist nevertheless: a declaration that was reverted.
        let class = self.reader.class(class_hash).map_err(read_error(StateKey::Class(class_hash)))?;
        if class.is_none() {
            self.state.touched.compiled_class_hashes.record_initial(class_hash, CompiledClassHash::default());
        }
        let known = self.state.touched.classes.entry(class_hash).or_default();
        known.initial = Some(class.is_some());
        known.loaded.clone_from(&class);
        Ok(class)
    }

    /// Returns `derive(address)`, cached for the last address: for storage keys that cost a hash and are
    /// asked for repeatedly.
    pub(crate) fn derived_key(
        &mut self,
        address: ContractAddress,
        derive: fn(ContractAddress) -> StorageKey,
    ) -> StorageKey {
        match self.state.derived_key {
            Some((last, key)) if last == address => key,
            _ => {
                let key = derive(address);
                self.state.derived_key = Some((address, key));
                key
            }
        }
    }

    /// Writes a storage cell. If it was never read, its earlier value is read first (C189, C238).
    pub fn set_storage(
        &mut self,
        address: ContractAddress,
        key: StorageKey,
        value: Felt,
    ) -> Result<(), StateError> {
        self.write::<cell::Storage>((address, key), value)
    }

    /// Increments a contract's nonce.
    pub fn increment_nonce(&mut self, address: ContractAddress) -> Result<(), StateError> {
        let (position, old) = self.cell::<cell::Nonce>(address)?;
        #[expect(clippy::arithmetic_side_effects, reason = "wraps in the field, which the next line checks")]
        let new = Nonce(old.0 + Felt::ONE);
        if new == Nonce::default() {
            return Err(StateError::NonceOverflow(address));
        }
        self.write_at::<cell::Nonce>(position, old, new);
        Ok(())
    }

    /// Sets a contract's class hash: deploys it or replaces its class. Address 0 cannot hold a contract
    /// (C71).
    pub fn set_class_hash(
        &mut self,
        address: ContractAddress,
        class_hash: ClassHash,
    ) -> Result<(), StateError> {
        if address == ContractAddress::default() {
            return Err(StateError::OutOfRangeAddress(address));
        }
        self.write::<cell::ClassHash>(address, class_hash)
    }

    /// Sets the compiled class hash of a class.
    pub fn set_compiled_class_hash(
        &mut self,
        class_hash: ClassHash,
        compiled_class_hash: CompiledClassHash,
    ) -> Result<(), StateError> {
        self.write::<cell::CompiledClassHash>(class_hash, compiled_class_hash)
    }

    /// Declares a class, without looking up whether it was declared before: a repeated declaration of Cairo 0
    /// does not read that (C191).
    pub fn declare_class(&mut self, class_hash: ClassHash, class: ContractClass) {
        let entry = self.state.touched.classes.entry(class_hash);
        let position = entry.index();
        let before = entry.or_default().declared.replace(class);
        self.state.log.push(Undo::Class(position, before));
    }

    /// The point that the journal is at, to revert to.
    pub fn checkpoint(&self) -> Checkpoint {
        self.state.log.checkpoint()
    }

    /// Reverts every write made after the checkpoint. Costs those writes. Reads stay recorded (C101).
    pub fn revert_to(&mut self, checkpoint: Checkpoint) {
        while let Some(undo) = self.state.log.pop_since(checkpoint) {
            self.state.touched.revert(undo);
        }
    }

    /// The cells whose value differs from that at the checkpoint. Costs the writes since.
    pub fn changes_since(&self, checkpoint: Checkpoint) -> StateChanges {
        let mut changes = StateChanges::default();
        for_each_kind!(Kind => {
            let changed = self.changed_since::<Kind>(checkpoint);
            Tables::<Kind>::table_mut(&mut changes).extend(changed.map(|(key, _, new)| (key, new)));
        });
        let storage = self.changed_since::<cell::Storage>(checkpoint);
        changes.allocated.extend(storage.filter(|(_, old, _)| *old == Felt::ZERO).map(|(cell, ..)| cell));

        let mut classes = StateMap::default();
        for undo in self.state.log.since(checkpoint) {
            if let Undo::Class(position, declared) = undo {
                classes.entry(*position).or_insert(declared.is_some());
            }
        }
        for (position, was_declared) in classes {
            if let Some((class_hash, known)) = self.state.touched.classes.get_index(position)
                && known.newly_declared()
                && !was_declared
            {
                changes.declared.insert(*class_hash);
            }
        }
        changes
    }

    /// The cells with a new value, compared with the state before the transaction.
    pub fn changes(&self) -> StateChanges {
        self.state.touched.changes()
    }

    /// Every cell that was read before it was written, with its value then. Reverts do not remove any.
    pub fn initial_reads(&self) -> InitialReads {
        self.state.touched.initial_reads()
    }

    /// The changes, classified against the state before the transaction.
    pub fn diff(&self) -> StateDiff {
        self.state.touched.classified(&self.changes())
    }

    /// The changes, the reads and the classes, which a block commits.
    pub fn into_parts(mut self) -> JournalParts {
        self.take_parts()
    }

    /// Takes the [parts](Self::into_parts) and leaves an empty journal.
    pub(crate) fn take_parts(&mut self) -> JournalParts {
        let (changes, classes) = (self.changes(), self.take_classes());
        let touched = std::mem::take(&mut self.state.touched);
        JournalParts { changes, initial_reads: touched.into_initial_reads(), classes }
    }

    /// Copies the [parts](Self::into_parts) of a journal that will be [rolled back](Self::rollback_to).
    /// Loaded classes are moved out of the journal.
    pub(crate) fn snapshot(&mut self) -> JournalParts {
        let (changes, initial_reads) = (self.changes(), self.initial_reads());
        JournalParts { changes, initial_reads, classes: self.take_classes() }
    }

    fn take_classes(&mut self) -> JournalClasses {
        let mut classes = JournalClasses::default();
        for (class_hash, known) in &mut self.state.touched.classes {
            if let Some(class) = &known.declared
                && known.newly_declared()
            {
                classes.declared.insert(*class_hash, class.clone());
            }
            if let Some(class) = known.loaded.take() {
                classes.loaded.insert(*class_hash, class);
            }
        }
        classes
    }

    fn read<K: TouchedKind>(&mut self, key: K::Key) -> Result<K::Value, StateError> {
        self.cell::<K>(key).map(|(_, value)| value)
    }

    /// Writes a cell, after reading it.
    pub(super) fn write<K: TouchedKind>(&mut self, key: K::Key, value: K::Value) -> Result<(), StateError> {
        let (position, old) = self.cell::<K>(key)?;
        self.write_at::<K>(position, old, value);
        Ok(())
    }

    fn write_at<K: TouchedKind>(&mut self, position: usize, old: K::Value, new: K::Value) {
        if old != new {
            K::cells_mut(&mut self.state.touched).set_at(position, new);
            self.state.log.push(K::undo(position, old));
        }
    }

    /// The position and the value of a cell, loaded if it was never read.
    fn cell<K: TouchedKind>(&mut self, key: K::Key) -> Result<(usize, K::Value), StateError> {
        K::cells_mut(&mut self.state.touched)
            .read(key, || K::load(self.reader, key))
            .map_err(read_error(K::state_key(key)))
    }

    /// The cells whose value differs from that at the checkpoint: key, old value, new value.
    fn changed_since<K: TouchedKind>(
        &self,
        checkpoint: Checkpoint,
    ) -> impl Iterator<Item = (K::Key, K::Value, K::Value)> {
        // The first write to a cell after the checkpoint replaced the value at the checkpoint.
        let mut old = StateMap::default();
        for (position, value) in self.state.log.since(checkpoint).filter_map(K::undone) {
            old.entry(position).or_insert(value);
        }
        let cells = K::cells(&self.state.touched);
        old.into_iter()
            .filter_map(|(position, old)| cells.at(position).map(|(key, new)| (key, old, new)))
            .filter(|(_, old, new)| old != new)
    }
}

impl fmt::Debug for Journal<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Journal")
            .field("changes", &self.changes())
            .field("initial_reads", &self.initial_reads())
            .finish_non_exhaustive()
    }
}

/// Adds the cell to the error of a failed read.
pub(super) fn read_error(cell: StateKey) -> impl FnOnce(ReadError) -> StateError {
    move |source| StateError::Read { cell, source }
}
