//! What a running task sees of the memory, with a record of it.
//!
//! In: reads of the task. Out: values, or that the run is to be given up; the record that the commit compares. Belongs to one run
//! on one thread.

use std::cell::{Cell as Slot, RefCell};

use super::executor::Engine;
use super::read_cache::{Known, Steady};
use super::stats::Counters;
use super::task::{Sink, Task};
use super::versioned_memory::{Location, Memory, Note, Run, Seen, Source};
use crate::sync::{Arc, AtomicBool, Moment};

/// Of so many loads the time of one is taken.
const TIMED: u64 = 8;

/// The state before a task, as far as it is known.
pub(crate) struct View<'a, T: Task> {
    world: &'a dyn World<T>,
    run: &'a Run,
    part: Part,
    /// How many tasks were committed when it began.
    committed: usize,
    /// What this thread remembers, of the epoch in which the view began.
    steady: &'a RefCell<Steady<T>>,
    reads: RefCell<Vec<Read<T>>>,
    interruption: Slot<Option<Interruption>>,
    counters: RefCell<Counters>,
}

/// Which part of a task runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Body,
    /// What a tail read is compared at the commit alone: it is cheap to run again, and must not take its body with it.
    Tail,
    /// The whole task, when all below are committed and nothing else runs: what it reads cannot change, so nobody need know it.
    Alone,
}

/// What a view needs of the engine, whatever sink that has.
pub(super) trait World<T: Task>: Sync {
    fn memory(&self) -> &Memory<T::Key, T::Value>;
    fn load(&self, key: &T::Key) -> Result<T::Value, T::Error>;
    fn changes_seldom(&self, key: &T::Key, value: &T::Value) -> bool;
    fn deltas(&self, after: Option<usize>, before: usize) -> Vec<T::Delta>;
}

/// A value that a run saw.
pub(super) enum Read<T: Task> {
    InMemory(Location, T::Value),
    Remembered(Arc<Known<T>>),
}

impl<T: Task> Read<T> {
    fn location(&self) -> Location {
        match self {
            Self::InMemory(location, _) => *location,
            Self::Remembered(known) => known.location,
        }
    }

    fn value(&self) -> &T::Value {
        match self {
            Self::InMemory(_, value) => value,
            Self::Remembered(known) => &known.value,
        }
    }

    /// Whether it is what the committed tasks left, in this epoch.
    pub(super) fn is_current(&self, memory: &Memory<T::Key, T::Value>, epoch: usize) -> bool {
        match self {
            Self::Remembered(known) if known.epoch == epoch => true,
            _ => memory.holds(self.location(), self.value()),
        }
    }
}

/// Cells that were read, with what was in them.
pub(crate) struct Reads<T: Task>(pub(super) Vec<Read<T>>);

impl<T: Task> Reads<T> {
    /// The first so many of them.
    pub(crate) fn first(mut self, reads: usize) -> Self {
        self.0.truncate(reads);
        self
    }
}

/// Why a run is given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Interruption {
    /// It is void.
    Void,
    /// It is of no use before that task has executed.
    UntilExecuted(usize),
    /// It is of no use before that task is settled.
    UntilSettled(usize),
    /// It is of no use before all tasks below are committed.
    UntilItsTurn,
}

/// The newest value of a cell that anybody knows of.
pub(crate) struct Peeked<V> {
    location: Location,
    pub(crate) value: V,
    /// Who wrote it, if a task of this run did.
    writer: Option<usize>,
}

/// Why a read gave no value.
#[derive(Debug)]
pub(crate) enum ReadFailure<E> {
    /// The host could not load it.
    Load(E),
    /// The run is to be given up.
    Interrupted,
}

impl<'a, T: Task> View<'a, T> {
    pub(super) fn new(
        world: &'a dyn World<T>,
        run: &'a Run,
        part: Part,
        steady: &'a RefCell<Steady<T>>,
    ) -> Self {
        let memory = world.memory();
        steady.borrow_mut().begin(memory.epoch());
        Self {
            world,
            run,
            part,
            committed: memory.committed(),
            steady,
            reads: RefCell::new(Vec::with_capacity(if part == Part::Alone { 0 } else { 16 })),
            interruption: Slot::new(None),
            counters: RefCell::default(),
        }
    }

    /// What is in a cell.
    pub(crate) fn read(&self, key: &T::Key) -> Result<T::Value, ReadFailure<T::Error>> {
        if self.is_interrupted() {
            return Err(ReadFailure::Interrupted);
        }
        let mut counters = self.counters.borrow_mut();
        counters.reads = counters.reads.saturating_add(1);
        drop(counters);
        let memory = self.world.memory();
        let hash = memory.hash(key);
        if let Some(known) = self.steady.borrow().get(hash, key) {
            self.record(|| Read::Remembered(Arc::clone(known)));
            return Ok(known.value.clone());
        }
        let note = |key: &T::Key, value: &T::Value| self.note(key, value);
        let (location, seen) =
            memory.read(hash, key, self.run.index, note, || self.load(key)).map_err(ReadFailure::Load)?;
        match seen {
            Seen::Value(value, source) => {
                if source == Source::Shared {
                    let mut counters = self.counters.borrow_mut();
                    counters.shared_loads = counters.shared_loads.saturating_add(1);
                }
                if source == Source::Steady {
                    self.steady.borrow_mut().insert(hash, key, location, value.clone());
                }
                self.record(|| Read::InMemory(location, value.clone()));
                Ok(value)
            }
            Seen::Unexecuted(writer) => Err(self.interrupt(Interruption::UntilExecuted(writer))),
            Seen::Unsettled(writer) => Err(self.interrupt(Interruption::UntilSettled(writer))),
        }
    }

    /// Asks the host.
    fn load(&self, key: &T::Key) -> Result<T::Value, T::Error> {
        let loads = self.counters.borrow().loads;
        // To look at the clock takes as long as a near host does.
        let began = loads.is_multiple_of(TIMED).then(Moment::now);
        let loaded = self.world.load(key);
        let mut counters = self.counters.borrow_mut();
        counters.loads = loads.saturating_add(1);
        if let Some(began) = began {
            counters.load_nanoseconds = counters.load_nanoseconds.saturating_add(began.nanoseconds());
        }
        loaded
    }

    /// The newest value of a cell below the task that anybody knows of. Not yet part of what the task saw: say with
    /// [`assume`](Self::assume) what follows.
    pub(crate) fn peek(&self, key: &T::Key) -> Result<Peeked<T::Value>, ReadFailure<T::Error>> {
        let memory = self.world.memory();
        let (location, value, writer) =
            memory.peek(key, self.run.index, || self.load(key)).map_err(ReadFailure::Load)?;
        Ok(Peeked { location, value, writer })
    }

    /// The deltas of the tasks between the one that wrote this and this one.
    pub(crate) fn deltas_after(&self, peeked: &Peeked<T::Value>) -> Vec<T::Delta> {
        if self.may_be_voided() { self.world.deltas(peeked.writer, self.run.index) } else { Vec::new() }
    }

    /// The task goes on as if it had read this value where it peeked.
    pub(crate) fn assume(&self, peeked: &Peeked<T::Value>, value: T::Value) {
        self.record(|| Read::InMemory(peeked.location, value));
    }

    /// Whether all tasks below are committed and nothing else runs. Then a body may do its tail's work as well, and have no tail.
    pub(crate) fn is_alone(&self) -> bool {
        self.part == Part::Alone
    }

    /// Who wants to know of a read.
    fn note(&self, key: &T::Key, value: &T::Value) -> Note<'a> {
        match self.part {
            _ if self.world.changes_seldom(key, value) => Note::Steady,
            Part::Body => Note::Run(self.run),
            Part::Tail | Part::Alone => Note::Nobody,
        }
    }

    /// Keeps what was read, for the comparison at the commit.
    fn record(&self, read: impl FnOnce() -> Read<T>) {
        if self.part != Part::Alone {
            self.reads.borrow_mut().push(read());
        }
    }

    /// Gives the run up, unless all tasks below are committed.
    pub(crate) fn at_its_turn(&self) -> Result<(), ReadFailure<T::Error>> {
        if !self.may_be_voided() {
            return Ok(());
        }
        Err(self.interrupt(Interruption::UntilItsTurn))
    }

    /// Whether the run is to be given up. Cheap: to be asked again and again.
    pub(crate) fn is_interrupted(&self) -> bool {
        if self.interruption.get().is_some() {
            return true;
        }
        if self.run.is_void() {
            self.interruption.set(Some(Interruption::Void));
            return true;
        }
        false
    }

    /// How many reads there were so far.
    pub(crate) fn reads_so_far(&self) -> usize {
        self.reads.borrow().len()
    }

    /// The reads of a run that is given up.
    pub(crate) fn take_reads(&self) -> Reads<T> {
        Reads(self.reads.take())
    }

    /// Reads the same cells again, before any others, and says whether the same is in them. They are handed back when the run is to
    /// be given up.
    pub(crate) fn read_again(&self, reads: Reads<T>) -> Result<bool, Reads<T>> {
        match self.is_as_before(&reads) {
            Ok(true) => {
                if self.part != Part::Alone {
                    self.reads.replace(reads.0);
                }
                Ok(true)
            }
            Ok(false) => Ok(false),
            Err(_) => Err(reads),
        }
    }

    fn is_as_before(&self, reads: &Reads<T>) -> Result<bool, ReadFailure<T::Error>> {
        for read in &reads.0 {
            if self.is_interrupted() {
                return Err(ReadFailure::Interrupted);
            }
            let note = |key: &T::Key, value: &T::Value| self.note(key, value);
            match self.world.memory().read_again(read.location(), self.run.index, note) {
                Some(Seen::Value(now, _)) if now == *read.value() => {}
                // What was read once is known, unless a write was taken back that nobody had read before.
                Some(Seen::Value(..)) | None => return Ok(false),
                Some(Seen::Unexecuted(writer)) => {
                    return Err(self.interrupt(Interruption::UntilExecuted(writer)));
                }
                Some(Seen::Unsettled(writer)) => {
                    return Err(self.interrupt(Interruption::UntilSettled(writer)));
                }
            }
        }
        Ok(true)
    }

    /// Whether all tasks below were committed when the run began: it sees what there is to see, and counts however it ends.
    pub(crate) fn is_last(&self) -> bool {
        self.committed >= self.run.index
    }

    /// Whether a task below may still change what this one reads.
    pub(crate) fn may_be_voided(&self) -> bool {
        self.world.memory().committed() < self.run.index
    }

    /// Set when the run is to be given up because it is void, for those who cannot ask the view.
    pub(crate) fn void_flag(&self) -> Arc<AtomicBool> {
        self.run.flag()
    }

    fn interrupt(&self, interruption: Interruption) -> ReadFailure<T::Error> {
        self.interruption.set(Some(interruption));
        ReadFailure::Interrupted
    }

    pub(super) fn into_parts(self) -> (Vec<Read<T>>, Option<Interruption>, Counters) {
        let mut counters = self.counters.into_inner();
        let timed = counters.loads.div_ceil(TIMED).max(1);
        let all = counters.load_nanoseconds.saturating_mul(counters.loads);
        counters.load_nanoseconds = all.checked_div(timed).unwrap_or(0);
        (self.reads.into_inner(), self.interruption.get(), counters)
    }
}

impl<T: Task, S: Sink<T>> World<T> for Engine<T, S> {
    fn memory(&self) -> &Memory<T::Key, T::Value> {
        &self.memory
    }

    fn load(&self, key: &T::Key) -> Result<T::Value, T::Error> {
        self.load(key)
    }

    fn changes_seldom(&self, key: &T::Key, value: &T::Value) -> bool {
        self.task.changes_seldom(key, value)
    }

    fn deltas(&self, after: Option<usize>, before: usize) -> Vec<T::Delta> {
        self.schedule.lock().deltas(after, before)
    }
}
