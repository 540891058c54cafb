//! Cells that hardly ever change, as one thread knows them.
//!
//! In: values of cells that somebody has read before and that no task under way has written. Out: the same, without a look at the
//! memory, where all threads would write their locks and counts next to each other. Good for one epoch of the memory: when any
//! such cell is written, all is forgotten. A commit compares what was seen here as it compares everything that a run saw: at a
//! glance, if the epoch is still the same.

use hashbrown::HashTable;

use super::task::Task;
use super::versioned_memory::Location;
use crate::sync::Arc;

/// As many cells as a thread remembers; then it begins anew.
const MOST: usize = 1_024;

/// What one thread remembers.
pub(super) struct Steady<T: Task> {
    epoch: usize,
    /// With the hashes of the keys.
    known: HashTable<(u64, Arc<Known<T>>)>,
}

/// A cell that was read, and its value during an epoch.
pub(super) struct Known<T: Task> {
    pub(super) epoch: usize,
    key: T::Key,
    pub(super) location: Location,
    pub(super) value: T::Value,
}

impl<T: Task> Default for Steady<T> {
    fn default() -> Self {
        Self { epoch: 0, known: HashTable::new() }
    }
}

impl<T: Task> Steady<T> {
    /// Forgets what is of another epoch.
    pub(super) fn begin(&mut self, epoch: usize) {
        if self.epoch != epoch {
            self.epoch = epoch;
            self.known.clear();
        }
    }

    pub(super) fn get(&self, hash: u64, key: &T::Key) -> Option<&Arc<Known<T>>> {
        self.known.find(hash, |(_, known)| known.key == *key).map(|(_, known)| known)
    }

    /// Remembers a value that was read after the epoch began.
    pub(super) fn insert(&mut self, hash: u64, key: &T::Key, location: Location, value: T::Value) {
        if self.known.len() >= MOST {
            self.known.clear();
        }
        let known = Arc::new(Known { epoch: self.epoch, key: key.clone(), location, value });
        self.known.insert_unique(hash, (hash, known), |(hash, _)| *hash);
    }
}
