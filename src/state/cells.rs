//! The tables that journals and blocks keep their cells in: for each cell the value it began with and the value it has.
//!
//! In: values read from below, values written from above. Out: current values, initial values, what changed. A cell never
//! leaves its table and never changes its position, so an undo log can refer to cells by position. Knows no cell kind.

use std::hash::{BuildHasher, Hash, Hasher};

use foldhash::SharedSeed;
use foldhash::fast::{FoldHasher, SeedableRandomState};
use indexmap::map::Entry;
use indexmap::{IndexMap, IndexSet};
use starknet_api::core::ClassHash;

use crate::class::ContractClass;

/// A map that keeps the order in which its keys came in, so that no hash seed reaches a result.
pub type CellMap<K, V> = IndexMap<K, V, CellHash>;

/// A set that keeps the order in which its members came in.
pub type CellSet<K> = IndexSet<K, CellHash>;

/// The hash of cell keys: much cheaper than the standard one, and seeded, because contracts choose their storage keys. The seed is
/// drawn once per process: one for each map would be counted in memory that all threads write.
#[derive(Clone, Debug)]
pub struct CellHash(SeedableRandomState);

impl Default for CellHash {
    fn default() -> Self {
        Self(SeedableRandomState::with_seed(0, SharedSeed::global_random()))
    }
}

impl BuildHasher for CellHash {
    type Hasher = CellHasher;

    fn build_hasher(&self) -> CellHasher {
        CellHasher(self.0.build_hasher())
    }
}

/// Hashes a cell key. Keys are felts, and those come as 32 bytes: four words, which take a fraction of the time that bytes of any
/// length take.
#[derive(Clone)]
pub struct CellHasher(FoldHasher<'static>);

impl Hasher for CellHasher {
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

impl std::fmt::Debug for CellHasher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CellHasher").finish_non_exhaustive()
    }
}

/// One cell: the value before the first write, and the value now.
#[derive(Clone, Copy, Debug)]
pub(super) struct Versions<V> {
    pub(super) initial: V,
    pub(super) current: V,
}

/// All cells of one kind that were touched.
#[derive(Clone, Debug)]
pub(super) struct Cells<K, V>(CellMap<K, Versions<V>>);

impl<K, V> Default for Cells<K, V> {
    fn default() -> Self {
        Self(CellMap::default())
    }
}

impl<K: Copy + Eq + Hash, V: Copy + PartialEq> Cells<K, V> {
    /// An empty table with room for so many cells.
    pub(super) fn with_room(cells: usize) -> Self {
        Self(CellMap::with_capacity_and_hasher(cells, CellHash::default()))
    }

    /// The cell's position and current value; `load` is asked for the initial value if the cell was never touched.
    pub(super) fn read<E>(&mut self, key: K, load: impl FnOnce() -> Result<V, E>) -> Result<(usize, V), E> {
        match self.0.entry(key) {
            Entry::Occupied(entry) => Ok((entry.index(), entry.get().current)),
            Entry::Vacant(entry) => {
                let initial = load()?;
                let position = entry.index();
                entry.insert(Versions { initial, current: initial });
                Ok((position, initial))
            }
        }
    }

    /// The current value, if the cell was ever touched.
    pub(super) fn current(&self, key: &K) -> Option<V> {
        self.0.get(key).map(|cell| cell.current)
    }

    /// Notes an initial value; of a cell that was touched before, the first one stays.
    pub(super) fn note_initial(&mut self, key: K, initial: V) {
        self.0.entry(key).or_insert(Versions { initial, current: initial });
    }

    /// Sets the current value of the cell at a position that [`read`](Self::read) returned.
    pub(super) fn set_at(&mut self, position: usize, value: V) {
        if let Some((_, cell)) = self.0.get_index_mut(position) {
            cell.current = value;
        }
    }

    /// Sets the current value of a cell that was touched before.
    pub(super) fn set(&mut self, key: &K, value: V) {
        if let Some(cell) = self.0.get_mut(key) {
            cell.current = value;
        }
    }

    /// Key and current value of the cell at a position that [`read`](Self::read) returned.
    pub(super) fn at(&self, position: usize) -> Option<(K, V)> {
        self.0.get_index(position).map(|(key, cell)| (*key, cell.current))
    }

    /// The initial and the current value, if the cell was ever touched.
    pub(super) fn versions_of(&self, key: &K) -> Option<(V, V)> {
        self.0.get(key).map(|cell| (cell.initial, cell.current))
    }

    /// The initial value, if the cell was ever touched.
    pub(super) fn initial_of(&self, key: &K) -> Option<V> {
        self.0.get(key).map(|cell| cell.initial)
    }

    /// How many were touched.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Forgets all but the first so many.
    pub(super) fn truncate(&mut self, length: usize) {
        self.0.truncate(length);
    }

    /// The cells whose value is no longer the initial one.
    pub(super) fn changed(&self) -> impl Iterator<Item = (K, Versions<V>)> + '_ {
        self.0.iter().filter(|(_, cell)| cell.initial != cell.current).map(|(key, cell)| (*key, *cell))
    }

    /// The same cells with their current values.
    pub(super) fn changed_to(&self) -> CellMap<K, V> {
        let mut changed = CellMap::with_capacity_and_hasher(self.changed().count(), CellHash::default());
        changed.extend(self.changed().map(|(key, cell)| (key, cell.current)));
        changed
    }

    /// The initial values of all touched cells.
    pub(super) fn initial(&self) -> CellMap<K, V> {
        self.0.iter().map(|(key, cell)| (*key, cell.initial)).collect()
    }
}

/// What is known of one class.
#[derive(Clone, Debug, Default)]
pub(super) struct KnownClass {
    /// Whether it was declared before; `None` if that was never asked.
    pub(super) initial: Option<bool>,
    /// The class as it was read.
    pub(super) loaded: Option<ContractClass>,
    /// The class as it was declared since.
    pub(super) declared: Option<ContractClass>,
}

impl KnownClass {
    /// The class as it stands now, or `None` if it is not declared; the outer `None` if that must be asked.
    pub(super) fn visible(&self) -> Option<Option<&ContractClass>> {
        match (&self.declared, &self.loaded, self.initial) {
            (Some(class), _, _) | (None, Some(class), _) => Some(Some(class)),
            (None, None, Some(false)) => Some(None),
            (None, None, _) => None,
        }
    }

    /// Whether it was declared since and had not been before. A class whose past was never asked for counts as new (C191).
    pub(super) fn newly_declared(&self) -> bool {
        self.declared.is_some() && self.initial != Some(true)
    }
}

/// All classes that were touched.
pub(super) type KnownClasses = CellMap<ClassHash, KnownClass>;

/// The answers to "was it declared?" that were given from below.
pub(super) fn initially_declared(classes: &KnownClasses) -> CellMap<ClassHash, bool> {
    classes.iter().filter_map(|(class_hash, known)| Some((*class_hash, known.initial?))).collect()
}
