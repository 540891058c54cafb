//! A shard of the versioned memory: a part of the cells behind one lock.
//!
//! Input: keys and locations. Output: their cells while the lock is held; loads, which run without the lock.

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

use super::cell::VersionedCell;
use super::location::Location;
use crate::sync::{Condvar, Mutex, MutexGuard};

/// A part of the cells, and the threads that wait for a load of one of them.
pub(super) struct Shard<K, V> {
    cells: Mutex<Cells<K, V>>,
    /// Notified when a load has ended or a commit has made it superfluous.
    loaded: Condvar,
}

/// The cells of a shard.
pub(super) struct Cells<K, V> {
    /// Cells with the hashes of their keys. Boxed: a growing table moves its entries.
    table: HashTable<(u64, Box<VersionedCell<K, V>>)>,
    /// The number of threads that wait for a load.
    waiting: usize,
}

impl<K, V> Default for Shard<K, V> {
    fn default() -> Self {
        Self { cells: Mutex::new(Cells { table: HashTable::new(), waiting: 0 }), loaded: Condvar::default() }
    }
}

impl<K: Clone + Eq, V: Clone + PartialEq> Cells<K, V> {
    /// Returns the cell of a key with this hash, after creating it if necessary.
    pub(super) fn cell(&mut self, hash: u64, key: &K) -> &mut VersionedCell<K, V> {
        let number = self.table.len();
        let is_it = |(_, cell): &(u64, Box<VersionedCell<K, V>>)| cell.key == *key;
        let (_, cell) = match self.table.entry(hash, is_it, |(hash, _)| *hash) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => {
                entry.insert((hash, Box::new(VersionedCell::new(key.clone(), number)))).into_mut()
            }
        };
        cell
    }

    /// Returns the cell of a key with this hash, if it exists.
    pub(super) fn find(&mut self, hash: u64, key: &K) -> Option<&mut VersionedCell<K, V>> {
        self.table.find_mut(hash, |(_, cell)| cell.key == *key).map(|(_, cell)| &mut **cell)
    }

    /// Returns the cell at a location of this shard.
    pub(super) fn at(&mut self, location: Location) -> Option<&mut VersionedCell<K, V>> {
        self.table
            .find_mut(location.hash(), |(_, cell)| cell.number == location.number())
            .map(|(_, cell)| &mut **cell)
    }
}

impl<K: Clone + Eq, V: Clone + PartialEq> Shard<K, V> {
    pub(super) fn lock(&self) -> MutexGuard<'_, Cells<K, V>> {
        self.cells.lock()
    }

    /// Waits until a load has ended.
    pub(super) fn wait<'a>(&self, mut cells: MutexGuard<'a, Cells<K, V>>) -> MutexGuard<'a, Cells<K, V>> {
        cells.waiting = cells.waiting.saturating_add(1);
        let mut cells = self.loaded.wait(cells);
        cells.waiting = cells.waiting.saturating_sub(1);
        cells
    }

    /// Unlocks and wakes waiting threads. Without one, which is almost always, no system call is made.
    pub(super) fn wake(&self, cells: MutexGuard<'_, Cells<K, V>>) {
        let has_waiting = cells.waiting > 0;
        drop(cells);
        if has_waiting {
            self.loaded.notify_all();
        }
    }

    /// Loads a cell that the caller has marked as loading, and locks again. An error is not stored: the next
    /// reader loads again.
    pub(super) fn load<E>(
        &self,
        location: Location,
        load: impl Fn() -> Result<V, E>,
    ) -> Result<MutexGuard<'_, Cells<K, V>>, E> {
        /// Ends the load without a value if the host's reader fails or panics.
        struct Loading<'a, K: Clone + Eq, V: Clone + PartialEq>(&'a Shard<K, V>, Location, bool);
        impl<K: Clone + Eq, V: Clone + PartialEq> Drop for Loading<'_, K, V> {
            fn drop(&mut self) {
                let Self(shard, location, is_done) = self;
                if !*is_done {
                    drop(shard.end_load(*location, None));
                }
            }
        }
        let mut loading = Loading(self, location, false);
        let value = load()?;
        loading.2 = true;
        Ok(self.end_load(location, Some(value)))
    }

    fn end_load(&self, location: Location, value: Option<V>) -> MutexGuard<'_, Cells<K, V>> {
        let mut cells = self.lock();
        if let Some(cell) = cells.at(location) {
            cell.end_load(value);
        }
        if cells.waiting > 0 {
            self.loaded.notify_all();
        }
        cells
    }
}
