//! A versioned cell: the committed value of a key, the versions of tasks in flight, and the registered
//! readers.
//!
//! Input: reads and writes of incarnations. Output: the value that a task reads, and the incarnations that a
//! write aborts. Data only: the shard has the lock and does the loads.

use smallvec::SmallVec;

use super::super::incarnation::Incarnation;
use super::location::Location;

/// The versions of one key.
pub(super) struct VersionedCell<K, V> {
    pub(super) key: K,
    /// The cell's number in its shard; unique there.
    pub(super) number: usize,
    base: Base<V>,
    /// The committed task that wrote `base`.
    writer: Option<usize>,
    /// Versions of tasks that are not committed, ascending by task.
    versions: SmallVec<[Version<V>; 1]>,
    /// The latest registered read of each task, ascending by task.
    readers: SmallVec<[RegisteredRead<V>; 1]>,
    caching: Caching,
}

/// The use of a cell by read caches.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Caching {
    /// The key was not read yet, or is not cacheable.
    Unread,
    /// The key was read once. A second read is taken as a sign of many.
    ReadOnce,
    /// Read caches hold the value.
    Cached,
}

/// The committed value of a cell.
enum Base<V> {
    Unknown,
    /// A thread is loading it.
    Loading,
    Known(V),
}

/// A write of a task in flight.
struct Version<V> {
    incarnation: Incarnation,
    /// `None` while only the existence of the write is known.
    value: Option<V>,
    /// `true` if the task's fee phase can no longer change the value.
    is_final: bool,
}

/// A read that is aborted when its value changes.
struct RegisteredRead<V> {
    incarnation: Incarnation,
    value: V,
}

/// The result of a read.
pub(crate) enum VersionedRead<V> {
    /// A value.
    Value(V, ReadSource),
    /// An estimate: this task will probably write another value when it has executed again.
    AwaitExecution(usize),
    /// An estimate: this task will probably write another value in its fee phase.
    AwaitFeePhase(usize),
}

/// The availability of a cell's value.
pub(super) enum Lookup<T> {
    Found(T),
    /// Another thread is loading it.
    Loading,
    /// The value must be loaded.
    Missing,
}

/// The registration of a read with its cell.
pub(crate) enum Registration<'a> {
    /// The incarnation is aborted when the value changes.
    Reader(&'a Incarnation),
    /// No registration: the read cannot become stale, or is validated at the commit alone.
    None,
    /// No registration, and the value is cacheable.
    Cacheable,
}

/// The origin of a value that was read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReadSource {
    /// The value was in memory.
    Memory,
    /// The read loaded it from the host.
    Load,
    /// The read waited for another thread's load.
    SharedLoad,
    /// The value was in memory, and may be cached for the epoch that was current before the read.
    Cacheable,
}

impl<K, V: Clone + PartialEq> VersionedCell<K, V> {
    pub(super) fn new(key: K, number: usize) -> Self {
        Self {
            key,
            number,
            base: Base::Unknown,
            writer: None,
            versions: SmallVec::new(),
            readers: SmallVec::new(),
            caching: Caching::Unread,
        }
    }

    /// Returns the cell's location, given the hash of its key.
    pub(super) fn location(&self, hash: u64) -> Location {
        Location::new(hash, self.number)
    }

    /// Sets the base.
    pub(super) fn seed(&mut self, value: V) {
        self.base = Base::Known(value);
    }

    /// Reads the cell as task `index` sees it; see [`VersionedMemory::read`](super::VersionedMemory::read).
    /// `source` is the origin of the base, `committed` the number of committed tasks.
    pub(super) fn read<'n>(
        &mut self,
        index: usize,
        register: &impl Fn(&K, &V) -> Registration<'n>,
        source: ReadSource,
        committed: impl Fn() -> usize,
    ) -> Lookup<VersionedRead<V>> {
        let earlier = self.versions_before(index);
        if let Some(version) = earlier.checked_sub(1).and_then(|at| self.versions.get(at)) {
            if version.incarnation.is_aborted() {
                return Lookup::Found(VersionedRead::AwaitExecution(version.incarnation.index));
            }
            let (Some(value), true) = (&version.value, version.is_final) else {
                return Lookup::Found(VersionedRead::AwaitFeePhase(version.incarnation.index));
            };
            let value = value.clone();
            self.register(register(&self.key, &value), &value, committed);
            return Lookup::Found(VersionedRead::Value(value, source));
        }
        match &self.base {
            Base::Known(value) => {
                let value = value.clone();
                let is_cacheable = self.register(register(&self.key, &value), &value, committed);
                let source = if is_cacheable { ReadSource::Cacheable } else { source };
                Lookup::Found(VersionedRead::Value(value, source))
            }
            Base::Loading => Lookup::Loading,
            Base::Unknown => Lookup::Missing,
        }
    }

    /// Returns the newest value before task `index`, estimates included, and the task that wrote it.
    pub(super) fn newest(&self, index: usize) -> Lookup<(V, Option<usize>)> {
        let earlier = self.versions.iter().take(self.versions_before(index)).rev();
        let mut values = earlier.filter_map(|version| {
            version.value.as_ref().map(|value| (value, Some(version.incarnation.index)))
        });
        match (values.next(), &self.base) {
            (Some((value, writer)), _) => Lookup::Found((value.clone(), writer)),
            (None, Base::Known(value)) => Lookup::Found((value.clone(), self.writer)),
            (None, Base::Loading) => Lookup::Loading,
            (None, Base::Unknown) => Lookup::Missing,
        }
    }

    /// Marks the base as being loaded by the caller.
    pub(super) fn begin_load(&mut self) {
        self.base = Base::Loading;
    }

    /// Ends a load, with `None` after a failure. A value that was committed meanwhile takes precedence.
    pub(super) fn end_load(&mut self, value: Option<V>) {
        if matches!(self.base, Base::Loading) {
            self.base = value.map_or(Base::Unknown, Base::Known);
        }
    }

    /// Publishes a write; see [`VersionedMemory::write`](super::VersionedMemory::write). Returns `true` if
    /// the cell was cached.
    pub(super) fn write(
        &mut self,
        incarnation: &Incarnation,
        value: Option<V>,
        is_final: bool,
        stale: &mut Vec<Incarnation>,
    ) -> bool {
        let at = self.versions_before(incarnation.index);
        let version = Version { incarnation: incarnation.clone(), value, is_final };
        match self.versions.get_mut(at) {
            Some(own) if own.incarnation.index == incarnation.index => *own = version,
            _ => self.versions.insert(at, version),
        }
        self.remove_stale_readers(Some(at), stale);
        self.end_caching()
    }

    /// Removes the version of a task whose latest incarnation did not write here.
    pub(super) fn remove(&mut self, index: usize, stale: &mut Vec<Incarnation>) {
        let at = self.versions_before(index);
        if self.versions.get(at).is_some_and(|version| version.incarnation.index == index) {
            self.versions.remove(at);
            self.remove_stale_readers(at.checked_sub(1), stale);
        }
    }

    /// Returns `true` if the committed value is `value`.
    pub(super) fn holds(&self, value: &V) -> bool {
        matches!(&self.base, Base::Known(base) if base == value)
    }

    /// Makes `value` the base, replacing whatever task `index` published before; all earlier tasks are
    /// committed. Returns `true` if the cell was cached.
    pub(super) fn commit_value(&mut self, index: usize, value: V, stale: &mut Vec<Incarnation>) -> bool {
        let next = index.saturating_add(1);
        let end = self.versions_before(next);
        self.versions.drain(..end);
        let last = self.versions.first().map_or(usize::MAX, |version| version.incarnation.index);
        take_stale_readers(&mut self.readers, next, last, Some(&value), stale);
        self.base = Base::Known(value);
        self.writer = Some(index);
        self.end_caching()
    }

    /// Makes the version of task `index` the base; all earlier tasks are committed.
    pub(super) fn commit_version(&mut self, index: usize) {
        let end = self.versions_before(index.saturating_add(1));
        let newest = self.versions.drain(..end).next_back();
        if let Some(Version { incarnation, value: Some(value), .. }) = newest
            && incarnation.index == index
        {
            self.base = Base::Known(value);
            self.writer = Some(index);
        }
    }

    /// Returns the number of versions of tasks before `index`.
    fn versions_before(&self, index: usize) -> usize {
        self.versions.partition_point(|version| version.incarnation.index < index)
    }

    /// Registers a read. Returns `true` if the reader may cache the value.
    fn register(&mut self, registration: Registration<'_>, value: &V, committed: impl Fn() -> usize) -> bool {
        let incarnation = match registration {
            Registration::Reader(incarnation) => incarnation,
            Registration::None => return false,
            Registration::Cacheable => {
                let was_read = self.caching != Caching::Unread;
                self.caching = if was_read { Caching::Cached } else { Caching::ReadOnce };
                // With versions present, tasks read different values.
                return was_read && self.versions.is_empty();
            }
        };
        // The list of a key that is read often and never written would only grow: reads of committed tasks
        // are dropped.
        if self.readers.len() >= 64 && self.readers.len() == self.readers.capacity() {
            let committed = committed();
            self.readers.retain(|reader| reader.incarnation.index >= committed);
        }
        let at = self.readers.partition_point(|reader| reader.incarnation.index < incarnation.index);
        let reader = RegisteredRead { incarnation: incarnation.clone(), value: value.clone() };
        match self.readers.get_mut(at) {
            Some(own) if own.incarnation.index == incarnation.index => *own = reader,
            _ => self.readers.insert(at, reader),
        }
        false
    }

    /// Records that the cell was written. Returns `true` if it was cached.
    fn end_caching(&mut self) -> bool {
        std::mem::replace(&mut self.caching, Caching::ReadOnce) == Caching::Cached
    }

    /// Removes the readers of the version at `at`, or of the base, that have read another value.
    fn remove_stale_readers(&mut self, at: Option<usize>, stale: &mut Vec<Incarnation>) {
        let (first, value, next) = match at {
            Some(at) => {
                let Some(version) = self.versions.get(at) else { return };
                let first = version.incarnation.index.saturating_add(1);
                (first, version.value.as_ref(), at.saturating_add(1))
            }
            None => match &self.base {
                Base::Known(value) => (0, Some(value), 0),
                Base::Unknown | Base::Loading => (0, None, 0),
            },
        };
        // The task of the next version still reads this one.
        let last = self.versions.get(next).map_or(usize::MAX, |version| version.incarnation.index);
        take_stale_readers(&mut self.readers, first, last, value, stale);
    }
}

/// Moves to `stale` the readers of tasks `first` to `last` that have read another value.
fn take_stale_readers<V: PartialEq>(
    readers: &mut SmallVec<[RegisteredRead<V>; 1]>,
    first: usize,
    last: usize,
    value: Option<&V>,
    stale: &mut Vec<Incarnation>,
) {
    let start = readers.partition_point(|reader| reader.incarnation.index < first);
    let end = readers.partition_point(|reader| reader.incarnation.index <= last);
    let mut place = 0_usize;
    if start == end {
        return;
    }
    readers.retain(|reader| {
        let is_between = (start..end).contains(&place);
        place = place.saturating_add(1);
        let is_current = !is_between || value == Some(&reader.value);
        if !is_current && !reader.incarnation.is_aborted() {
            stale.push(reader.incarnation.clone());
        }
        is_current
    });
}
