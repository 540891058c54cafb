//! The multi-version memory: for each key the committed value, the writes of tasks in flight, and the
//! registered readers.
//!
//! Input: loaded base values, published writes. Output: the value that a task reads, and the incarnations
//! that a write aborts. Cells are spread over shards with a lock each, held for a lookup and a few
//! comparisons; no load and no callback happens under a lock. A cell never leaves its shard, so its
//! [`Location`] stays valid. A location is plain data: a counted reference would be one more memory word that
//! all threads write.

mod cell;
mod location;
mod shard;

use std::hash::{BuildHasher, Hash};

use foldhash::fast::RandomState;
use smallvec::SmallVec;

use self::cell::Lookup;
pub(crate) use self::cell::{ReadSource, Registration, VersionedRead};
pub(crate) use self::location::Location;
use self::shard::Shard;
pub(crate) use super::incarnation::Incarnation;
use crate::sync::{AtomicUsize, CachePadded, Ordering};

/// Versioned cells by key.
pub(crate) struct VersionedMemory<K, V> {
    hasher: RandomState,
    first: CachePadded<Shard<K, V>>,
    /// The shards besides `first`; one less than a power of two.
    others: Box<[CachePadded<Shard<K, V>>]>,
    /// The number of committed tasks.
    committed: CachePadded<AtomicUsize>,
    /// The number of writes to cached cells so far.
    epoch: CachePadded<AtomicUsize>,
}

impl<K: Clone + Eq + Hash, V: Clone + PartialEq> VersionedMemory<K, V> {
    pub(crate) fn new(shards: usize) -> Self {
        Self {
            hasher: RandomState::default(),
            first: CachePadded::default(),
            others: (1..shards.next_power_of_two()).map(|_| CachePadded::default()).collect(),
            committed: CachePadded(AtomicUsize::new(0)),
            epoch: CachePadded(AtomicUsize::new(0)),
        }
    }

    /// Returns the hash of a key, which selects its shard and its place there.
    pub(crate) fn hash(&self, key: &K) -> u64 {
        self.hasher.hash_one(key)
    }

    fn shard(&self, hash: u64) -> &Shard<K, V> {
        let place = usize::try_from(hash >> 32).unwrap_or(0) & self.others.len();
        // The last place is that of `first`.
        self.others.get(place).unwrap_or(&self.first)
    }

    /// Sets the value of a key before the first task.
    pub(crate) fn seed(&self, key: &K, value: V) {
        let hash = self.hash(key);
        self.shard(hash).lock().cell(hash, key).seed(value);
    }

    /// Reads the value of a key with this hash as task `index` sees it. `register` decides from the value how
    /// the read is registered; `load` is called without a lock.
    pub(crate) fn read<'n, E>(
        &self,
        hash: u64,
        key: &K,
        index: usize,
        register: impl Fn(&K, &V) -> Registration<'n>,
        load: impl Fn() -> Result<V, E>,
    ) -> Result<(Location, VersionedRead<V>), E> {
        let shard = self.shard(hash);
        let mut source = ReadSource::Memory;
        let mut cells = shard.lock();
        loop {
            let cell = cells.cell(hash, key);
            let location = cell.location(hash);
            match cell.read(index, &register, source, || self.committed()) {
                Lookup::Found(read) => return Ok((location, read)),
                Lookup::Loading => {
                    source = ReadSource::SharedLoad;
                    cells = shard.wait(cells);
                }
                Lookup::Missing => {
                    source = ReadSource::Load;
                    cell.begin_load();
                    drop(cells);
                    cells = shard.load(location, &load)?;
                }
            }
        }
    }

    /// Reads a cell that was read before. Returns `None` if the value that was read is not in memory any
    /// more.
    pub(crate) fn read_again<'n>(
        &self,
        location: Location,
        index: usize,
        register: impl Fn(&K, &V) -> Registration<'n>,
    ) -> Option<VersionedRead<V>> {
        let mut cells = self.shard(location.hash()).lock();
        match cells.at(location)?.read(index, &register, ReadSource::Memory, || self.committed()) {
            Lookup::Found(read) => Some(read),
            Lookup::Loading | Lookup::Missing => None,
        }
    }

    /// Returns the newest value before task `index`, estimates included, and the task that wrote it.
    /// Registers no reader.
    pub(crate) fn peek<E>(
        &self,
        key: &K,
        index: usize,
        load: impl Fn() -> Result<V, E>,
    ) -> Result<(Location, V, Option<usize>), E> {
        let hash = self.hash(key);
        let shard = self.shard(hash);
        let mut cells = shard.lock();
        loop {
            let cell = cells.cell(hash, key);
            let location = cell.location(hash);
            match cell.newest(index) {
                Lookup::Found((value, writer)) => return Ok((location, value, writer)),
                Lookup::Loading => cells = shard.wait(cells),
                Lookup::Missing => {
                    cell.begin_load();
                    drop(cells);
                    cells = shard.load(location, &load)?;
                }
            }
        }
    }

    /// Publishes a write of an incarnation and returns its location. A value of `None` announces a write of
    /// the fee phase. Adds to `stale` the incarnations of later tasks that have read another value.
    pub(crate) fn write(
        &self,
        key: &K,
        incarnation: &Incarnation,
        value: Option<V>,
        is_final: bool,
        stale: &mut Vec<Incarnation>,
    ) -> Location {
        let hash = self.hash(key);
        let mut cells = self.shard(hash).lock();
        let cell = cells.cell(hash, key);
        if cell.write(incarnation, value, is_final, stale) {
            self.end_epoch();
        }
        cell.location(hash)
    }

    /// Removes the version of a task whose latest incarnation did not write there.
    pub(crate) fn remove(&self, location: Location, index: usize, stale: &mut Vec<Incarnation>) {
        if let Some(cell) = self.shard(location.hash()).lock().at(location) {
            cell.remove(index, stale);
        }
    }

    /// Returns `true` if the committed value of a cell is `value`.
    pub(crate) fn holds(&self, location: Location, value: &V) -> bool {
        self.shard(location.hash()).lock().at(location).is_some_and(|cell| cell.holds(value))
    }

    /// Returns the number of committed tasks.
    pub(crate) fn committed(&self) -> usize {
        self.committed.load(Ordering::Acquire)
    }

    /// Returns the current epoch. While it stays the same, no cached cell was written.
    pub(crate) fn epoch(&self) -> usize {
        self.epoch.load(Ordering::Acquire)
    }

    /// Starts a new epoch after a write to a cached cell. Must be called under the lock of that cell: the
    /// next writer finds the cell not cached, relies on this epoch having ended, and may commit at once.
    fn end_epoch(&self) {
        self.epoch.fetch_add(1, Ordering::AcqRel);
    }

    /// Commits the writes of a task that finished when all earlier tasks were committed. `before` are the
    /// locations that the task had published to. Adds to `stale` the incarnations of later tasks that have
    /// read another value. If `loads_see_commits` is set, a load from now on returns this value, so cells
    /// that were never accessed are not created.
    pub(crate) fn commit_writes(
        &self,
        index: usize,
        writes: Vec<(K, V)>,
        loads_see_commits: bool,
        before: &[Location],
        stale: &mut Vec<Incarnation>,
    ) {
        let mut written: SmallVec<[Location; 8]> = SmallVec::new();
        for (key, value) in writes {
            let hash = self.hash(&key);
            let shard = self.shard(hash);
            let mut cells = shard.lock();
            let cell = if loads_see_commits { cells.find(hash, &key) } else { Some(cells.cell(hash, &key)) };
            if let Some(cell) = cell {
                written.push(cell.location(hash));
                if cell.commit_value(index, value, stale) {
                    self.end_epoch();
                }
                shard.wake(cells);
            }
        }
        for location in before.iter().filter(|location| !written.contains(location)) {
            self.remove(*location, index, stale);
        }
        self.committed.store(index.saturating_add(1), Ordering::Release);
    }

    /// Commits the versions that a task has published.
    pub(crate) fn commit(&self, index: usize, published: &[Location]) {
        for location in published {
            let shard = self.shard(location.hash());
            let mut cells = shard.lock();
            if let Some(cell) = cells.at(*location) {
                cell.commit_version(index);
            }
            // Threads that wait for a load of this cell can read the committed value.
            shard.wake(cells);
        }
        self.committed.store(index.saturating_add(1), Ordering::Release);
    }
}
