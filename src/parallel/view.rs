//! The view: the state before a task as one incarnation sees it, with a record of the values that it reads.
//!
//! Input: reads of the task. Output: values, or an interruption; the read set that the commit validates. A
//! view belongs to one incarnation on one thread.

use std::cell::{Cell, RefCell};

use super::read_cache::{CachedRead, ReadCache};
use super::state_model::StateModel;
use super::stats::ParallelStats;
use super::versioned_memory::{
    Incarnation, Location, ReadSource, Registration, VersionedMemory, VersionedRead,
};
use crate::sync::{Arc, AtomicBool, Instant};

/// One of this many loads from the host is timed: reading the clock takes as long as a load from local
/// memory.
pub(crate) const LOADS_PER_SAMPLE: u64 = 8;

/// The state before a task.
pub(crate) struct View<'a, T: StateModel> {
    context: &'a dyn ViewContext<T>,
    incarnation: &'a Incarnation,
    mode: Mode,
    /// The number of committed tasks when the view was made.
    committed: usize,
    /// The cache of this thread, in the epoch in which the view was made.
    cache: &'a RefCell<ReadCache<T>>,
    reads: RefCell<Vec<Read<T>>>,
    interruption: Cell<Option<Interruption>>,
    stats: RefCell<ParallelStats>,
}

/// The treatment of reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// Reads of a speculative execution: recorded, and registered so that a conflicting write aborts the
    /// incarnation.
    Execution,
    /// Reads of a speculative fee phase: recorded only. A fee phase is cheap to run again, so a conflict is
    /// found at the commit and does not abort the execution.
    FeePhase,
    /// Reads of a task that is next in commit order and cannot be overtaken: neither recorded nor registered,
    /// since the values cannot change.
    Serial,
}

/// The services of the executor that a view uses, independent of the type of the sink.
pub(super) trait ViewContext<T: StateModel>: Sync {
    fn memory(&self) -> &VersionedMemory<T::Key, T::Value>;
    fn load(&self, key: &T::Key) -> Result<T::Value, T::Error>;
    fn is_cacheable(&self, key: &T::Key, value: &T::Value) -> bool;
    fn deltas(&self, after: Option<usize>, before: usize) -> Vec<T::Delta>;
}

/// A recorded read.
pub(super) enum Read<T: StateModel> {
    Memory(Location, T::Value),
    Cache(Arc<CachedRead<T>>),
}

impl<T: StateModel> Read<T> {
    fn location(&self) -> Location {
        match self {
            Self::Memory(location, _) => *location,
            Self::Cache(cached) => cached.location,
        }
    }

    fn value(&self) -> &T::Value {
        match self {
            Self::Memory(_, value) => value,
            Self::Cache(cached) => &cached.value,
        }
    }

    /// Returns `true` if the value is the committed one.
    fn is_current(&self, memory: &VersionedMemory<T::Key, T::Value>, epoch: usize) -> bool {
        match self {
            Self::Cache(cached) if cached.epoch == epoch => true,
            _ => memory.holds(self.location(), self.value()),
        }
    }
}

/// The values that an incarnation or its fee phase has read, in order.
pub(crate) struct ReadSet<T: StateModel>(Vec<Read<T>>);

impl<T: StateModel> ReadSet<T> {
    /// Returns the first `n` reads.
    pub(crate) fn first(mut self, n: usize) -> Self {
        self.0.truncate(n);
        self
    }

    /// Validates the read set: returns `true` if every value is the committed one. `epoch` must have been
    /// read when the task was already next in commit order.
    pub(super) fn is_current(&self, memory: &VersionedMemory<T::Key, T::Value>, epoch: usize) -> bool {
        self.0.iter().all(|read| read.is_current(memory, epoch))
    }
}

/// The reason for which an incarnation stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Interruption {
    /// The incarnation was aborted.
    Aborted,
    /// The incarnation cannot continue before this task has executed.
    AwaitExecution(usize),
    /// The incarnation cannot continue before the fee phase of this task has run.
    AwaitFeePhase(usize),
    /// The incarnation cannot continue before its task is next in commit order.
    AwaitCommitOrder,
}

/// The newest value of a key before a task, estimates included.
pub(crate) struct Peeked<V> {
    location: Location,
    pub(crate) value: V,
    /// The task that wrote the value, if a task did.
    writer: Option<usize>,
}

/// The reason for which a read gives no value.
#[derive(Debug)]
pub(crate) enum ReadFailure<E> {
    /// The load failed.
    Load(E),
    /// The incarnation must stop.
    Interrupted,
}

impl<'a, T: StateModel> View<'a, T> {
    pub(super) fn new(
        context: &'a dyn ViewContext<T>,
        incarnation: &'a Incarnation,
        mode: Mode,
        cache: &'a RefCell<ReadCache<T>>,
    ) -> Self {
        let memory = context.memory();
        cache.borrow_mut().begin_epoch(memory.epoch());
        Self {
            context,
            incarnation,
            mode,
            committed: memory.committed(),
            cache,
            reads: RefCell::new(Vec::with_capacity(if mode == Mode::Serial { 0 } else { 16 })),
            interruption: Cell::new(None),
            stats: RefCell::default(),
        }
    }

    /// Reads the value of a key.
    pub(crate) fn read(&self, key: &T::Key) -> Result<T::Value, ReadFailure<T::Error>> {
        if self.is_interrupted() {
            return Err(ReadFailure::Interrupted);
        }
        let mut stats = self.stats.borrow_mut();
        stats.reads = stats.reads.saturating_add(1);
        drop(stats);
        let memory = self.context.memory();
        let hash = memory.hash(key);
        if let Some(cached) = self.cache.borrow().get(hash, key) {
            self.record(|| Read::Cache(Arc::clone(cached)));
            return Ok(cached.value.clone());
        }
        let register = |key: &T::Key, value: &T::Value| self.registration(key, value);
        let (location, read) = memory
            .read(hash, key, self.incarnation.index, register, || self.load(key))
            .map_err(ReadFailure::Load)?;
        match read {
            VersionedRead::Value(value, source) => {
                if source == ReadSource::SharedLoad {
                    let mut stats = self.stats.borrow_mut();
                    stats.shared_loads = stats.shared_loads.saturating_add(1);
                }
                if source == ReadSource::Cacheable {
                    self.cache.borrow_mut().insert(hash, key, location, value.clone());
                }
                self.record(|| Read::Memory(location, value.clone()));
                Ok(value)
            }
            VersionedRead::AwaitExecution(task) => Err(self.interrupt(Interruption::AwaitExecution(task))),
            VersionedRead::AwaitFeePhase(task) => Err(self.interrupt(Interruption::AwaitFeePhase(task))),
        }
    }

    /// Loads a value from the host, and times a sample of the loads.
    fn load(&self, key: &T::Key) -> Result<T::Value, T::Error> {
        let loads = self.stats.borrow().loads;
        let start = loads.is_multiple_of(LOADS_PER_SAMPLE).then(Instant::now);
        let loaded = self.context.load(key);
        self.stats.borrow_mut().add_loads(1, start.map_or(0, Instant::elapsed_nanoseconds));
        loaded
    }

    /// Returns the newest value of a key before the task, estimates included. The read is recorded only by
    /// [`assume`](Self::assume).
    pub(crate) fn peek(&self, key: &T::Key) -> Result<Peeked<T::Value>, ReadFailure<T::Error>> {
        let memory = self.context.memory();
        let (location, value, writer) =
            memory.peek(key, self.incarnation.index, || self.load(key)).map_err(ReadFailure::Load)?;
        Ok(Peeked { location, value, writer })
    }

    /// Returns the deltas of the tasks between the writer of a peeked value and this task.
    pub(crate) fn deltas_after(&self, peeked: &Peeked<T::Value>) -> Vec<T::Delta> {
        if self.is_speculative() {
            self.context.deltas(peeked.writer, self.incarnation.index)
        } else {
            Vec::new()
        }
    }

    /// Records `value` as the value read from a peeked key. The commit validates it like any other read.
    pub(crate) fn assume(&self, peeked: &Peeked<T::Value>, value: T::Value) {
        self.record(|| Read::Memory(peeked.location, value));
    }

    /// Returns `true` if the task runs non-speculatively up to its commit: its execution must include the fee
    /// phase.
    pub(crate) fn is_serial(&self) -> bool {
        self.mode == Mode::Serial
    }

    /// Returns `true` if all earlier tasks were committed when the view was made. The values read then are
    /// final.
    pub(super) fn is_next_to_commit(&self) -> bool {
        self.committed >= self.incarnation.index
    }

    /// Returns `true` if an earlier task may still change a value that this task reads.
    fn is_speculative(&self) -> bool {
        self.context.memory().committed() < self.incarnation.index
    }

    fn registration(&self, key: &T::Key, value: &T::Value) -> Registration<'a> {
        match self.mode {
            _ if self.context.is_cacheable(key, value) => Registration::Cacheable,
            Mode::Execution => Registration::Reader(self.incarnation),
            Mode::FeePhase | Mode::Serial => Registration::None,
        }
    }

    fn record(&self, read: impl FnOnce() -> Read<T>) {
        if self.mode != Mode::Serial {
            self.reads.borrow_mut().push(read());
        }
    }

    /// Interrupts the incarnation unless it is next in commit order.
    pub(crate) fn require_commit_order(&self) -> Result<(), ReadFailure<T::Error>> {
        if self.is_speculative() { Err(self.interrupt(Interruption::AwaitCommitOrder)) } else { Ok(()) }
    }

    /// Returns `true` if the incarnation must stop. Cheap enough to be polled.
    pub(crate) fn is_interrupted(&self) -> bool {
        if self.interruption.get().is_some() {
            return true;
        }
        if self.incarnation.is_aborted() {
            self.interruption.set(Some(Interruption::Aborted));
            return true;
        }
        false
    }

    /// Returns the number of reads recorded so far.
    pub(crate) fn read_count(&self) -> usize {
        self.reads.borrow().len()
    }

    /// Takes the recorded reads of an incarnation that stops.
    pub(crate) fn take_reads(&self) -> ReadSet<T> {
        ReadSet(self.reads.take())
    }

    /// Reads the keys of an earlier incarnation's read set again, and returns `true` if the values are the
    /// same. Must precede every other read. If the view is interrupted, the read set is returned as the
    /// error.
    pub(crate) fn read_again(&self, reads: ReadSet<T>) -> Result<bool, ReadSet<T>> {
        match self.is_unchanged(&reads) {
            Ok(true) => {
                if self.mode != Mode::Serial {
                    self.reads.replace(reads.0);
                }
                Ok(true)
            }
            Ok(false) => Ok(false),
            Err(_) => Err(reads),
        }
    }

    fn is_unchanged(&self, reads: &ReadSet<T>) -> Result<bool, ReadFailure<T::Error>> {
        for read in &reads.0 {
            if self.is_interrupted() {
                return Err(ReadFailure::Interrupted);
            }
            let register = |key: &T::Key, value: &T::Value| self.registration(key, value);
            match self.context.memory().read_again(read.location(), self.incarnation.index, register) {
                Some(VersionedRead::Value(value, _)) if value == *read.value() => {}
                // `None`: the value that was read came from a version that was removed, and the base was
                // never loaded.
                Some(VersionedRead::Value(..)) | None => return Ok(false),
                Some(VersionedRead::AwaitExecution(task)) => {
                    return Err(self.interrupt(Interruption::AwaitExecution(task)));
                }
                Some(VersionedRead::AwaitFeePhase(task)) => {
                    return Err(self.interrupt(Interruption::AwaitFeePhase(task)));
                }
            }
        }
        Ok(true)
    }

    /// Returns the flag that is set when the incarnation is aborted, for code that cannot poll the view.
    pub(crate) fn abort_flag(&self) -> Arc<AtomicBool> {
        self.incarnation.abort_flag()
    }

    fn interrupt(&self, interruption: Interruption) -> ReadFailure<T::Error> {
        self.interruption.set(Some(interruption));
        ReadFailure::Interrupted
    }

    pub(super) fn into_parts(self) -> (ReadSet<T>, Option<Interruption>, ParallelStats) {
        let mut stats = self.stats.into_inner();
        stats.load_nanoseconds = estimated_load_time(stats.loads, stats.load_nanoseconds);
        (ReadSet(self.reads.into_inner()), self.interruption.get(), stats)
    }
}

/// Estimates the nanoseconds of all loads from those of the timed ones.
pub(crate) fn estimated_load_time(loads: u64, timed_nanoseconds: u64) -> u64 {
    let timed = loads.div_ceil(LOADS_PER_SAMPLE).max(1);
    timed_nanoseconds.saturating_mul(loads).checked_div(timed).unwrap_or(0)
}
