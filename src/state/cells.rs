//! The tables of journals and blocks: the initial and the current value of each cell.
//!
//! Input: values that were read, values that are written. Output: current values, initial values, changes.
//! Cells are only removed from the end of a table and keep their position, so an undo log can refer to them
//! by position. Does not know the kinds of cells.

use std::hash::{BuildHasher, Hash, Hasher};

use foldhash::SharedSeed;
use foldhash::fast::{FoldHasher, SeedableRandomState};
use indexmap::map::Entry;
use indexmap::{IndexMap, IndexSet};

use crate::class::ContractClass;

/// A map in insertion order, so that results do not depend on the hash seed.
pub type StateMap<K, V> = IndexMap<K, V, BuildStateHasher>;

/// A set in insertion order.
pub type StateSet<K> = IndexSet<K, BuildStateHasher>;

/// The hash builder of [`StateMap`]: much cheaper than the standard one, and seeded, because contracts choose
/// their storage keys. The seed is drawn once per process: a seed per map would need a counter that all
/// threads write.
#[derive(Clone, Debug)]
pub struct BuildStateHasher(SeedableRandomState);

impl Default for BuildStateHasher {
    fn default() -> Self {
        Self(SeedableRandomState::with_seed(0, SharedSeed::global_random()))
    }
}

impl BuildHasher for BuildStateHasher {
    type Hasher = StateHasher;

    fn build_hasher(&self) -> StateHasher {
        StateHasher(self.0.build_hasher())
    }
}

/// The hasher of cell keys. A felt is hashed as four words, which takes a fraction of the time of 32 bytes.
#[derive(Clone)]
pub struct StateHasher(FoldHasher<'static>);

impl Hasher for StateHasher {
    fn write(&mut self, bytes: &[u8]) {
        match bytes.as_chunks() {
            (words @ [_, _, _, _], []) => {
                words.iter().for_each(|word| self.0.write_u64(u64::from_ne_bytes(*word)));
            }
            _ => self.0.write(bytes),
        }
    }

    fn write_u8(&mut self, number: u8) {
        self.0.write_u8(number);
    }

    fn write_u64(&mut self, number: u64) {
        self.0.write_u64(number);
    }

    fn write_usize(&mut self, number: usize) {
        self.0.write_usize(number);
    }

    fn finish(&self) -> u64 {
        self.0.finish()
    }
}

impl std::fmt::Debug for StateHasher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StateHasher").finish_non_exhaustive()
    }
}

/// The touched cells of one kind, with the value before the first write and the current value. Initial values
/// are a map of their own, which becomes the read set without being copied.
#[derive(Clone, Debug)]
pub(crate) struct Cells<K, V> {
    initial: StateMap<K, V>,
    /// The current values by position; of the same length as `initial`.
    current: Vec<V>,
}

impl<K, V> Default for Cells<K, V> {
    fn default() -> Self {
        Self { initial: StateMap::default(), current: Vec::new() }
    }
}

impl<K: Copy + Eq + Hash, V: Copy + PartialEq> Cells<K, V> {
    /// An empty table with capacity for `cells` cells.
    pub(super) fn with_capacity(cells: usize) -> Self {
        let initial = StateMap::with_capacity_and_hasher(cells, BuildStateHasher::default());
        Self { initial, current: Vec::with_capacity(cells) }
    }

    /// Reserves memory for `cells` more cells.
    pub(super) fn reserve(&mut self, cells: usize) {
        self.initial.reserve(cells);
        self.current.reserve(cells);
    }

    /// The cell's position and current value; calls `load` for the initial value if the cell was never
    /// touched.
    pub(super) fn read<E>(&mut self, key: K, load: impl FnOnce() -> Result<V, E>) -> Result<(usize, V), E> {
        match self.initial.entry(key) {
            Entry::Occupied(entry) => {
                let position = entry.index();
                Ok((position, self.current.get(position).copied().unwrap_or(*entry.get())))
            }
            Entry::Vacant(entry) => {
                let initial = load()?;
                let position = entry.index();
                entry.insert(initial);
                self.current.push(initial);
                Ok((position, initial))
            }
        }
    }

    /// The current value, if the cell was ever touched.
    pub(super) fn current(&self, key: &K) -> Option<V> {
        self.initial.get_index_of(key).and_then(|position| self.current.get(position)).copied()
    }

    /// Records an initial value; a cell that was touched before keeps the first one.
    pub(super) fn record_initial(&mut self, key: K, initial: V) {
        if let Entry::Vacant(entry) = self.initial.entry(key) {
            entry.insert(initial);
            self.current.push(initial);
        }
    }

    /// Sets the current value of the cell at a position that [`read`](Self::read) returned.
    pub(super) fn set_at(&mut self, position: usize, value: V) {
        if let Some(current) = self.current.get_mut(position) {
            *current = value;
        }
    }

    /// Sets the current value of a cell that was touched before.
    pub(super) fn set(&mut self, key: &K, value: V) {
        if let Some(position) = self.initial.get_index_of(key) {
            self.set_at(position, value);
        }
    }

    /// Key and current value of the cell at a position that [`read`](Self::read) returned.
    pub(super) fn at(&self, position: usize) -> Option<(K, V)> {
        let (key, _) = self.initial.get_index(position)?;
        Some((*key, *self.current.get(position)?))
    }

    /// The initial and the current value, if the cell was ever touched.
    pub(super) fn versions_of(&self, key: &K) -> Option<(V, V)> {
        let (position, _, initial) = self.initial.get_full(key)?;
        Some((*initial, *self.current.get(position)?))
    }

    /// The initial value, if the cell was ever touched.
    pub(super) fn initial_of(&self, key: &K) -> Option<V> {
        self.initial.get(key).copied()
    }

    /// The number of touched cells.
    pub(super) fn len(&self) -> usize {
        self.initial.len()
    }

    /// Removes all cells but the first `length`.
    pub(super) fn truncate(&mut self, length: usize) {
        self.initial.truncate(length);
        self.current.truncate(length);
    }

    /// The cells whose value is no longer the initial one: key, initial value, current value.
    pub(super) fn changed(&self) -> impl Iterator<Item = (K, V, V)> + '_ {
        let cells = self.initial.iter().zip(&self.current);
        cells
            .filter(|((_, initial), current)| initial != current)
            .map(|((key, initial), current)| (*key, *initial, *current))
    }

    /// The changed cells with their current values.
    pub(super) fn changed_to(&self) -> StateMap<K, V> {
        let mut changed =
            StateMap::with_capacity_and_hasher(self.changed().count(), BuildStateHasher::default());
        changed.extend(self.changed().map(|(key, _, current)| (key, current)));
        changed
    }

    /// The initial values of all touched cells.
    pub(super) fn initial(&self) -> &StateMap<K, V> {
        &self.initial
    }

    /// The [initial values](Self::initial), without copying.
    pub(super) fn into_initial(self) -> StateMap<K, V> {
        self.initial
    }
}

/// A touched class.
#[derive(Clone, Debug, Default)]
pub(crate) struct KnownClass {
    /// `Some(true)` if the class was declared before; `None` if it was not looked up.
    pub(super) initial: Option<bool>,
    /// The class, if it was loaded from the reader.
    pub(super) loaded: Option<ContractClass>,
    /// The class, if it was declared here.
    pub(super) declared: Option<ContractClass>,
}

impl KnownClass {
    /// The class as it is now, `None` if it is not declared; the outer `None` if it must be looked up.
    pub(super) fn visible(&self) -> Option<Option<&ContractClass>> {
        match (&self.declared, &self.loaded, self.initial) {
            (Some(class), _, _) | (None, Some(class), _) => Some(Some(class)),
            (None, None, Some(false)) => Some(None),
            (None, None, _) => None,
        }
    }

    /// Returns `true` if the class was declared here and not before. A class that was not looked up before
    /// counts as new (C191).
    pub(super) fn newly_declared(&self) -> bool {
        self.declared.is_some() && self.initial != Some(true)
    }
}
