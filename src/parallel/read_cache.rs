//! A thread-local cache of values that are read often and hardly ever written.
//!
//! Input: values of cacheable keys that were read before and that no task in flight has written. Output: the
//! same values, without access to the versioned memory, where all threads would write the same locks and
//! reader lists. An entry is valid for one epoch of the memory: a write to any cached key starts a new epoch
//! and empties the cache. A commit validates a cached read like any other, and needs no memory access for it
//! if the epoch is still the same.

use hashbrown::HashTable;

use super::state_model::StateModel;
use super::versioned_memory::Location;
use crate::sync::Arc;

/// The most entries of one thread's cache; at that size it is emptied.
const MAX_ENTRIES: usize = 1_024;

/// The read cache of one thread.
pub(super) struct ReadCache<T: StateModel> {
    epoch: usize,
    /// Entries with the hashes of their keys.
    entries: HashTable<(u64, Arc<CachedRead<T>>)>,
}

/// A cell and its value during an epoch.
pub(super) struct CachedRead<T: StateModel> {
    pub(super) epoch: usize,
    key: T::Key,
    pub(super) location: Location,
    pub(super) value: T::Value,
}

impl<T: StateModel> Default for ReadCache<T> {
    fn default() -> Self {
        Self { epoch: 0, entries: HashTable::new() }
    }
}

impl<T: StateModel> ReadCache<T> {
    /// Drops the entries of every other epoch.
    pub(super) fn begin_epoch(&mut self, epoch: usize) {
        if self.epoch != epoch {
            self.epoch = epoch;
            self.entries.clear();
        }
    }

    pub(super) fn get(&self, hash: u64, key: &T::Key) -> Option<&Arc<CachedRead<T>>> {
        self.entries.find(hash, |(_, entry)| entry.key == *key).map(|(_, entry)| entry)
    }

    /// Adds a value that was read after the epoch began.
    pub(super) fn insert(&mut self, hash: u64, key: &T::Key, location: Location, value: T::Value) {
        if self.entries.len() >= MAX_ENTRIES {
            self.entries.clear();
        }
        let entry = Arc::new(CachedRead { epoch: self.epoch, key: key.clone(), location, value });
        self.entries.insert_unique(hash, (hash, entry), |(hash, _)| *hash);
    }
}
