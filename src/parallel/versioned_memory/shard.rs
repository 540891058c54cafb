//! A part of the memory: some cells behind one lock.
//!
//! In: keys and locations. Out: their cells, for as long as the lock is held; loads, which happen without it.

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

use super::cell::Cell;
use crate::sync::{Condvar, Mutex, MutexGuard};

/// Some cells.
pub(super) struct Shard<K, V> {
    cells: Mutex<Cells<K, V>>,
    /// Something that was being loaded is there, or will not come.
    loaded: Condvar,
}

/// What is behind the lock.
pub(super) struct Cells<K, V> {
    /// With the hashes of their keys. In boxes: a table that grows moves what is in it.
    table: HashTable<(u64, Box<Cell<K, V>>)>,
    /// How many threads wait for something to be loaded.
    waiting: usize,
}

/// Where a cell is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Location {
    hash: u64,
    /// Which of the shard's cells.
    number: usize,
}

impl Location {
    pub(super) fn new(hash: u64, number: usize) -> Self {
        Self { hash, number }
    }

    pub(super) fn hash(self) -> u64 {
        self.hash
    }
}

impl<K, V> Default for Shard<K, V> {
    fn default() -> Self {
        Self { cells: Mutex::new(Cells { table: HashTable::new(), waiting: 0 }), loaded: Condvar::default() }
    }
}

impl<K: Clone + Eq, V: Clone + PartialEq> Cells<K, V> {
    /// The cell of a key with this hash.
    pub(super) fn cell(&mut self, hash: u64, key: &K) -> &mut Cell<K, V> {
        let number = self.table.len();
        let is_it = |(_, cell): &(u64, Box<Cell<K, V>>)| cell.key == *key;
        let (_, cell) = match self.table.entry(hash, is_it, |(hash, _)| *hash) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => entry.insert((hash, Box::new(Cell::new(key.clone(), number)))).into_mut(),
        };
        cell
    }

    /// The same, if there is one.
    pub(super) fn find(&mut self, hash: u64, key: &K) -> Option<&mut Cell<K, V>> {
        self.table.find_mut(hash, |(_, cell)| cell.key == *key).map(|(_, cell)| &mut **cell)
    }

    /// The cell at a location of this shard.
    pub(super) fn at(&mut self, location: Location) -> Option<&mut Cell<K, V>> {
        let Location { hash, number } = location;
        self.table.find_mut(hash, |(_, cell)| cell.number == number).map(|(_, cell)| &mut **cell)
    }
}

impl<K: Clone + Eq, V: Clone + PartialEq> Shard<K, V> {
    pub(super) fn lock(&self) -> MutexGuard<'_, Cells<K, V>> {
        self.cells.lock()
    }

    /// Waits until something is loaded.
    pub(super) fn wait<'a>(&self, mut cells: MutexGuard<'a, Cells<K, V>>) -> MutexGuard<'a, Cells<K, V>> {
        cells.waiting = cells.waiting.saturating_add(1);
        let mut cells = self.loaded.wait(cells);
        cells.waiting = cells.waiting.saturating_sub(1);
        cells
    }

    /// Wakes those who wait. Where nobody does, as almost always, that takes no system call.
    pub(super) fn wake(&self, cells: MutexGuard<'_, Cells<K, V>>) {
        let is_awaited = cells.waiting > 0;
        drop(cells);
        if is_awaited {
            self.loaded.notify_all();
        }
    }

    /// Loads a cell, which is being loaded by our hand, and locks again. An error is not kept: who comes next tries again.
    pub(super) fn load<E>(
        &self,
        location: Location,
        load: impl Fn() -> Result<V, E>,
    ) -> Result<MutexGuard<'_, Cells<K, V>>, E> {
        /// Ends the loading if no value comes of it, because of an error or a panic of the host's.
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
