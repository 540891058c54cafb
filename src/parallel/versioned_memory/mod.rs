//! The multi-version memory: for each cell what was there before, what the tasks under way wrote, and who read it.
//!
//! In: loads of the host's values, published writes. Out: what a task is to see, and whose run a write made void. Cells are spread
//! over shards with a lock each, held for a look-up and a comparison or two; nothing is loaded and nobody is called under it. A cell
//! never leaves its shard, so whoever has found it can come back by its [`Location`], which costs nothing to keep: counted
//! references would be one more thing that all threads write.

mod cell;
mod shard;

use std::hash::{BuildHasher, Hash};

use foldhash::fast::RandomState;
use smallvec::SmallVec;

use self::cell::Answer;
pub(crate) use self::cell::{Note, Seen, Source};
pub(crate) use self::shard::Location;
use self::shard::Shard;
pub(crate) use super::incarnation::Run;
use crate::sync::{Apart, AtomicUsize, Ordering};

/// Cells by key.
pub(crate) struct Memory<K, V> {
    hasher: RandomState,
    first: Apart<Shard<K, V>>,
    /// One less than a power of two.
    others: Box<[Apart<Shard<K, V>>]>,
    /// How many tasks are committed: notes of their reads are of no use any more.
    committed: Apart<AtomicUsize>,
    /// How often something was published to a cell that was thought to be steady.
    epoch: Apart<AtomicUsize>,
}

impl<K: Clone + Eq + Hash, V: Clone + PartialEq> Memory<K, V> {
    pub(crate) fn new(shards: usize) -> Self {
        Self {
            hasher: RandomState::default(),
            first: Apart::default(),
            others: (1..shards.next_power_of_two()).map(|_| Apart::default()).collect(),
            committed: Apart(AtomicUsize::new(0)),
            epoch: Apart(AtomicUsize::new(0)),
        }
    }

    /// The hash of a key, for its shard and its place there.
    pub(crate) fn hash(&self, key: &K) -> u64 {
        self.hasher.hash_one(key)
    }

    fn shard(&self, hash: u64) -> &Shard<K, V> {
        let place = usize::try_from(hash >> 32).unwrap_or(0) & self.others.len();
        // One shard is `first`, so that there is always one.
        self.others.get(place).unwrap_or(&self.first)
    }

    /// Sets what is in a cell before the first task.
    pub(crate) fn seed(&self, key: &K, value: V) {
        let hash = self.hash(key);
        self.shard(hash).lock().cell(hash, key).seed(value);
    }

    /// What a task is to see in the cell of a key with this hash. `note` says of a value who wants to know.
    pub(crate) fn read<'n, E>(
        &self,
        hash: u64,
        key: &K,
        index: usize,
        note: impl Fn(&K, &V) -> Note<'n>,
        load: impl Fn() -> Result<V, E>,
    ) -> Result<(Location, Seen<V>), E> {
        let shard = self.shard(hash);
        let mut source = Source::There;
        let mut cells = shard.lock();
        loop {
            let cell = cells.cell(hash, key);
            let location = cell.location(hash);
            match cell.seen(index, &note, source, || self.committed()) {
                Answer::Found(seen) => return Ok((location, seen)),
                Answer::Loading => {
                    source = Source::Shared;
                    cells = shard.wait(cells);
                }
                Answer::Unknown => {
                    source = Source::Loaded;
                    cell.begin_load();
                    drop(cells);
                    cells = shard.load(location, &load)?;
                }
            }
        }
    }

    /// As [`read`](Self::read), of a cell that was read before; `None` if what was there is not there any more.
    pub(crate) fn read_again<'n>(
        &self,
        location: Location,
        index: usize,
        note: impl Fn(&K, &V) -> Note<'n>,
    ) -> Option<Seen<V>> {
        let mut cells = self.shard(location.hash()).lock();
        match cells.at(location)?.seen(index, &note, Source::There, || self.committed()) {
            Answer::Found(seen) => Some(seen),
            Answer::Loading | Answer::Unknown => None,
        }
    }

    /// The newest value below a task, be it an estimate, and who wrote it, if a task of this run did. Leaves no note.
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
                Answer::Found((value, writer)) => return Ok((location, value, writer)),
                Answer::Loading => cells = shard.wait(cells),
                Answer::Unknown => {
                    cell.begin_load();
                    drop(cells);
                    cells = shard.load(location, &load)?;
                }
            }
        }
    }

    /// Publishes what `run` wrote; `None` if only its tail will write. Whoever above saw something else is added to `voided`.
    /// Says where.
    pub(crate) fn write(
        &self,
        key: &K,
        run: &Run,
        value: Option<V>,
        settled: bool,
        voided: &mut Vec<Run>,
    ) -> Location {
        let hash = self.hash(key);
        let mut cells = self.shard(hash).lock();
        let cell = cells.cell(hash, key);
        if cell.write(run, value, settled, voided) {
            self.end_epoch();
        }
        cell.location(hash)
    }

    /// Takes back the version of a task that this time did not write here.
    pub(crate) fn remove(&self, location: Location, index: usize, voided: &mut Vec<Run>) {
        if let Some(cell) = self.shard(location.hash()).lock().at(location) {
            cell.remove(index, voided);
        }
    }

    /// Whether the committed tasks left this value there.
    pub(crate) fn holds(&self, location: Location, value: &V) -> bool {
        self.shard(location.hash()).lock().at(location).is_some_and(|cell| cell.holds(value))
    }

    pub(crate) fn committed(&self) -> usize {
        self.committed.load(Ordering::Acquire)
    }

    /// As long as this stays the same, nothing was published to any steady cell.
    pub(crate) fn epoch(&self) -> usize {
        self.epoch.load(Ordering::Acquire)
    }

    /// Something was published to a steady cell. To be said while the cell is locked: who writes there next takes it as said, and
    /// may commit at once.
    fn end_epoch(&self) {
        self.epoch.fetch_add(1, Ordering::AcqRel);
    }

    /// What a task wrote that ran when all tasks below were committed becomes what is there. `before` is where an earlier run of it
    /// published. Whoever above saw something else is added to `voided`. `is_known_to_load` says that whoever loads a
    /// cell from now on is given this value: then cells that nobody has asked for yet need not be told.
    pub(crate) fn commit_writes(
        &self,
        index: usize,
        writes: Vec<(K, V)>,
        is_known_to_load: bool,
        before: &[Location],
        voided: &mut Vec<Run>,
    ) {
        let mut written: SmallVec<[Location; 8]> = SmallVec::new();
        for (key, value) in writes {
            let hash = self.hash(&key);
            let shard = self.shard(hash);
            let mut cells = shard.lock();
            let cell = if is_known_to_load { cells.find(hash, &key) } else { Some(cells.cell(hash, &key)) };
            if let Some(cell) = cell {
                written.push(cell.location(hash));
                if cell.put(index, value, voided) {
                    self.end_epoch();
                }
                shard.wake(cells);
            }
        }
        for location in before.iter().filter(|location| !written.contains(location)) {
            self.remove(*location, index, voided);
        }
        self.committed.store(index.saturating_add(1), Ordering::Release);
    }

    /// The task's versions become what is there.
    pub(crate) fn commit(&self, index: usize, published: &[Location]) {
        for location in published {
            let shard = self.shard(location.hash());
            let mut cells = shard.lock();
            if let Some(cell) = cells.at(*location) {
                cell.promote(index);
            }
            // Whoever waits for a load has its value now.
            shard.wake(cells);
        }
        self.committed.store(index.saturating_add(1), Ordering::Release);
    }
}
