//! The multi-version memory: for each cell what was there before, what the tasks under way wrote, and who read it.
//!
//! In: loads of the host's values, published writes. Out: what a task is to see, and whose run a write made void. Each cell has
//! its own lock, held for a comparison or two; nothing is loaded and nobody is called under it.

mod cell;

use std::hash::{BuildHasher, Hash};

use foldhash::fast::RandomState;
use hashbrown::HashTable;

pub(crate) use self::cell::{Cell, Note, Seen, Source};
pub(crate) use super::run::Run;
use crate::sync::{Apart, Arc, AtomicUsize, Mutex, Ordering};

/// Cells by key.
pub(crate) struct Memory<K, V> {
    hasher: RandomState,
    first: Shard<K, V>,
    /// One less than a power of two.
    others: Box<[Shard<K, V>]>,
    /// How many tasks are committed: notes of their reads are of no use any more.
    committed: Apart<AtomicUsize>,
    /// How often something was published to a cell that was thought to be steady.
    epoch: Apart<AtomicUsize>,
}

/// Cells with the hashes of their keys: a key is hashed once, for its shard and its place there, and never again.
type Shard<K, V> = Apart<Mutex<HashTable<(u64, Arc<Cell<K, V>>)>>>;

impl<K: Clone + Eq + Hash, V: Clone + PartialEq> Memory<K, V> {
    pub(crate) fn new(shards: usize) -> Self {
        let shard = || Apart(Mutex::new(HashTable::new()));
        Self {
            hasher: RandomState::default(),
            first: shard(),
            others: (1..shards.next_power_of_two()).map(|_| shard()).collect(),
            committed: Apart(AtomicUsize::new(0)),
            epoch: Apart(AtomicUsize::new(0)),
        }
    }

    pub(crate) fn cell(&self, key: &K) -> Arc<Cell<K, V>> {
        self.cell_at(self.hash(key), key)
    }

    pub(crate) fn hash(&self, key: &K) -> u64 {
        self.hasher.hash_one(key)
    }

    /// The cell of a key with this hash.
    pub(crate) fn cell_at(&self, hash: u64, key: &K) -> Arc<Cell<K, V>> {
        let place = usize::try_from(hash >> 32).unwrap_or(0) & self.others.len();
        // One shard is `first`, so that there is always one.
        let shard = self.others.get(place).unwrap_or(&self.first);
        let mut cells = shard.lock();
        let found = cells.entry(hash, |(_, cell)| cell.key == *key, |(hash, _)| *hash);
        let (_, cell) = found.or_insert_with(|| (hash, Arc::new(Cell::new(key.clone())))).into_mut();
        Arc::clone(cell)
    }

    /// Sets what is in a cell before the first task.
    pub(crate) fn seed(&self, key: &K, value: V) {
        self.cell(key).seed(value);
    }

    pub(crate) fn committed(&self) -> usize {
        self.committed.load(Ordering::Acquire)
    }

    /// As long as this stays the same, nothing was published to any steady cell.
    pub(crate) fn epoch(&self) -> usize {
        self.epoch.load(Ordering::Acquire)
    }

    /// Something was published to a steady cell, which is to be said before the publishing task can be committed.
    pub(crate) fn end_epoch(&self) {
        self.epoch.fetch_add(1, Ordering::AcqRel);
    }

    /// What a task wrote that ran when all tasks below were committed becomes what is there. `before` is where an earlier run of it
    /// published. Whoever above saw something else is added to `voided`.
    pub(crate) fn commit_writes(
        &self,
        index: usize,
        writes: Vec<(K, V)>,
        before: &[Arc<Cell<K, V>>],
        voided: &mut Vec<Run>,
    ) {
        let mut was_steady = false;
        for (key, value) in writes {
            was_steady |= self.cell(&key).put(index, value, voided);
        }
        for cell in before {
            cell.remove(index, voided);
        }
        if was_steady {
            self.end_epoch();
        }
        self.committed.store(index.saturating_add(1), Ordering::Release);
    }

    /// The task's versions become what is there.
    pub(crate) fn commit(&self, index: usize, published: &[Arc<Cell<K, V>>]) {
        for cell in published {
            cell.promote(index);
        }
        self.committed.store(index.saturating_add(1), Ordering::Release);
    }
}
