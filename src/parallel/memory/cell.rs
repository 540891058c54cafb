//! One cell: what the committed tasks left, what the tasks under way wrote, and who read it.
//!
//! In: reads and writes of runs, loads. Out: what a run is to see, and whose run a write made void. One lock, held for a comparison
//! or two.

use smallvec::SmallVec;

use super::Run;
use crate::sync::{Condvar, Mutex, MutexGuard};

/// One cell.
pub(crate) struct Cell<K, V> {
    pub(in crate::parallel) key: K,
    state: Mutex<State<V>>,
    loaded: Condvar,
}

struct State<V> {
    base: Base<V>,
    /// How many threads wait for it to be loaded.
    waiting: usize,
    /// The committed task that wrote `base`.
    writer: Option<usize>,
    /// Ascending by task; of tasks that are not committed.
    versions: SmallVec<[Version<V>; 1]>,
    /// Ascending by task; the latest read of each.
    readers: SmallVec<[Reader<V>; 1]>,
    sightings: Sightings,
}

/// Who may read a cell without asking it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sightings {
    /// Nobody: it was not read, or it is not of that kind.
    None,
    /// Somebody read it. Who reads it again will read it often.
    One,
    /// Threads remember its value.
    Steady,
}

/// What the committed tasks left in a cell.
enum Base<V> {
    Unknown,
    /// Somebody is loading it.
    Loading,
    Known(V),
}

struct Version<V> {
    run: Run,
    /// `None` when it is only known that there will be one.
    value: Option<V>,
    /// Whether the tail has had its say.
    settled: bool,
}

struct Reader<V> {
    run: Run,
    seen: V,
}

/// What a task is to see.
pub(crate) enum Seen<V> {
    /// A value.
    Value(V, Source),
    /// This task will write another value when it has executed again.
    Unexecuted(usize),
    /// This task will probably write another value when it is settled.
    Unsettled(usize),
}

/// Who wants to know of a read.
pub(crate) enum Note<'a> {
    /// This run wants to be voided when the value changes.
    Run(&'a Run),
    /// Nobody.
    Nobody,
    /// Nobody; and the value may be remembered, since it hardly ever changes.
    Steady,
}

/// What it took to see it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    /// It was there.
    There,
    /// It was loaded.
    Loaded,
    /// Somebody else was loading it.
    Shared,
    /// It was there, and may be remembered for the epoch that was known before the read.
    Steady,
}

impl<K, V> Cell<K, V> {
    /// Waits until something has happened to the base.
    fn wait<'a>(&self, mut state: MutexGuard<'a, State<V>>) -> MutexGuard<'a, State<V>> {
        state.waiting = state.waiting.saturating_add(1);
        let mut state = self.loaded.wait(state);
        state.waiting = state.waiting.saturating_sub(1);
        state
    }

    /// Wakes those who wait for the base. Where nobody does, as almost always, that takes no system call.
    fn wake(&self, state: MutexGuard<'_, State<V>>) {
        let is_awaited = state.waiting > 0;
        drop(state);
        if is_awaited {
            self.loaded.notify_all();
        }
    }
}

impl<K, V: Clone + PartialEq> Cell<K, V> {
    pub(super) fn new(key: K) -> Self {
        let state = State {
            base: Base::Unknown,
            waiting: 0,
            writer: None,
            versions: SmallVec::new(),
            readers: SmallVec::new(),
            sightings: Sightings::None,
        };
        Self { key, state: Mutex::new(state), loaded: Condvar::default() }
    }

    /// Sets the base.
    pub(super) fn seed(&self, value: V) {
        self.state.lock().base = Base::Known(value);
    }

    /// What a task is to see. `note` says of a value who wants to know.
    pub(crate) fn read<'n, E>(
        &self,
        index: usize,
        note: impl Fn(&V) -> Note<'n>,
        committed: usize,
        load: impl Fn() -> Result<V, E>,
    ) -> Result<Seen<V>, E> {
        let mut source = Source::There;
        let mut state = self.state.lock();
        loop {
            let below = state.below(index);
            if let Some(version) = below.checked_sub(1).and_then(|at| state.versions.get(at)) {
                if version.run.is_void() {
                    return Ok(Seen::Unexecuted(version.run.index));
                }
                let (Some(value), true) = (&version.value, version.settled) else {
                    return Ok(Seen::Unsettled(version.run.index));
                };
                let value = value.clone();
                state.note(note(&value), &value, committed);
                return Ok(Seen::Value(value, source));
            }
            match &state.base {
                Base::Known(value) => {
                    let value = value.clone();
                    let is_steady = state.note(note(&value), &value, committed);
                    return Ok(Seen::Value(value, if is_steady { Source::Steady } else { source }));
                }
                Base::Loading => {
                    source = Source::Shared;
                    state = self.wait(state);
                }
                Base::Unknown => {
                    state.base = Base::Loading;
                    drop(state);
                    self.load(&load)?;
                    source = Source::Loaded;
                    state = self.state.lock();
                }
            }
        }
    }

    /// The newest value below a task, be it an estimate, and who wrote it, if a task of this run did. Leaves no note.
    pub(crate) fn peek<E>(
        &self,
        index: usize,
        load: impl Fn() -> Result<V, E>,
    ) -> Result<(V, Option<usize>), E> {
        let mut state = self.state.lock();
        loop {
            let below = state.below(index);
            let newest = state
                .versions
                .iter()
                .take(below)
                .rev()
                .find_map(|version| version.value.clone().map(|value| (value, Some(version.run.index))));
            if let Some(found) = newest {
                return Ok(found);
            }
            match &state.base {
                Base::Known(value) => return Ok((value.clone(), state.writer)),
                Base::Loading => state = self.wait(state),
                Base::Unknown => {
                    state.base = Base::Loading;
                    drop(state);
                    self.load(&load)?;
                    state = self.state.lock();
                }
            }
        }
    }

    /// Loads the base, which is `Loading` by our hand. An error is not kept: who comes next tries again.
    fn load<E>(&self, load: impl Fn() -> Result<V, E>) -> Result<(), E> {
        /// Ends the loading whatever happens, a panic of the host's included.
        struct Loading<'a, K, V>(&'a Cell<K, V>, Option<V>);
        impl<K, V> Drop for Loading<'_, K, V> {
            fn drop(&mut self) {
                let mut state = self.0.state.lock();
                // A commit may have put a value there meanwhile, and that one counts.
                if matches!(state.base, Base::Loading) {
                    state.base = self.1.take().map_or(Base::Unknown, Base::Known);
                }
                self.0.wake(state);
            }
        }
        let mut loading = Loading(self, None);
        loading.1 = Some(load()?);
        Ok(())
    }

    /// Publishes what `run` wrote; `None` if only its tail will write. Whoever above saw something else is added to `voided`.
    /// Answers whether the cell was steady: then the [epoch ends](Memory::end_epoch).
    #[must_use]
    pub(crate) fn write(&self, run: &Run, value: Option<V>, settled: bool, voided: &mut Vec<Run>) -> bool {
        let mut state = self.state.lock();
        let at = state.below(run.index);
        let version = Version { run: run.clone(), value: value.clone(), settled };
        match state.versions.get_mut(at) {
            Some(own) if own.run.index == run.index => *own = version,
            _ => state.versions.insert(at, version),
        }
        state.void_readers(at, value.as_ref(), voided);
        state.is_no_more_steady()
    }

    /// Takes back the version of a task that this time did not write here.
    pub(crate) fn remove(&self, index: usize, voided: &mut Vec<Run>) {
        let mut state = self.state.lock();
        let at = state.below(index);
        if state.versions.get(at).is_none_or(|version| version.run.index != index) {
            return;
        }
        state.versions.remove(at);
        let value = match at.checked_sub(1).and_then(|at| state.versions.get(at)) {
            Some(version) => version.value.clone(),
            None => match &state.base {
                Base::Known(value) => Some(value.clone()),
                Base::Unknown | Base::Loading => None,
            },
        };
        match at.checked_sub(1) {
            Some(below) => state.void_readers(below, value.as_ref(), voided),
            None => state.void_below(0, value.as_ref(), voided),
        }
    }

    /// Whether the tasks below `index`, all of them committed, left this value here.
    pub(crate) fn holds(&self, value: &V) -> bool {
        matches!(&self.state.lock().base, Base::Known(base) if base == value)
    }

    /// All tasks below `index` being committed, its value becomes the base, whatever it published before.
    pub(super) fn put(&self, index: usize, value: V, voided: &mut Vec<Run>) -> bool {
        let mut state = self.state.lock();
        let end = state.below(index.saturating_add(1));
        state.versions.drain(..end);
        state.void_between(index.saturating_add(1), 0, Some(&value), voided);
        state.base = Base::Known(value);
        state.writer = Some(index);
        let was_steady = state.is_no_more_steady();
        self.wake(state);
        was_steady
    }

    /// The version of `index`, all tasks below being committed, becomes the base.
    pub(super) fn promote(&self, index: usize) {
        let mut state = self.state.lock();
        let end = state.below(index.saturating_add(1));
        let newest = state.versions.drain(..end).next_back();
        if let Some(Version { run, value: Some(value), .. }) = newest
            && run.index == index
        {
            state.base = Base::Known(value);
            state.writer = Some(index);
            // Whoever waits for a load has its value now.
            self.wake(state);
        }
    }
}

impl<V: Clone + PartialEq> State<V> {
    /// How many versions are of tasks below `index`.
    fn below(&self, index: usize) -> usize {
        self.versions.partition_point(|version| version.run.index < index)
    }

    /// Notes who read what. Answers whether the reader may remember it.
    fn note(&mut self, note: Note<'_>, seen: &V, committed: usize) -> bool {
        let run = match note {
            Note::Run(run) => run,
            Note::Nobody => return false,
            Note::Steady => {
                let is_seen = self.sightings != Sightings::None;
                self.sightings = if is_seen { Sightings::Steady } else { Sightings::One };
                // What others are to see is not the same for all.
                return is_seen && self.versions.is_empty();
            }
        };
        // Cells that nobody writes are read by everybody: forget the reads of long ago, now and then.
        if self.readers.len() >= 64 && self.readers.len() == self.readers.capacity() {
            self.readers.retain(|reader| reader.run.index >= committed);
        }
        let at = self.readers.partition_point(|reader| reader.run.index < run.index);
        let reader = Reader { run: run.clone(), seen: seen.clone() };
        match self.readers.get_mut(at) {
            Some(own) if own.run.index == run.index => *own = reader,
            _ => self.readers.insert(at, reader),
        }
        false
    }

    /// Somebody wrote here: whoever remembers the value is to ask again.
    fn is_no_more_steady(&mut self) -> bool {
        std::mem::replace(&mut self.sightings, Sightings::One) == Sightings::Steady
    }

    /// Voids the readers of the version at `at` that saw another value.
    fn void_readers(&mut self, at: usize, value: Option<&V>, voided: &mut Vec<Run>) {
        let Some(from) = self.versions.get(at).map(|version| version.run.index.saturating_add(1)) else {
            return;
        };
        self.void_between(from, at.saturating_add(1), value, voided);
    }

    /// Voids the readers of the base that saw another value.
    fn void_below(&mut self, next: usize, value: Option<&V>, voided: &mut Vec<Run>) {
        self.void_between(0, next, value, voided);
    }

    /// Voids the readers from task `from` up to the version at `next`, whose own task still reads what is below it.
    fn void_between(&mut self, from: usize, next: usize, value: Option<&V>, voided: &mut Vec<Run>) {
        let to = self.versions.get(next).map_or(usize::MAX, |version| version.run.index);
        let start = self.readers.partition_point(|reader| reader.run.index < from);
        let end = self.readers.partition_point(|reader| reader.run.index <= to);
        let mut place = 0_usize;
        if start == end {
            return;
        }
        self.readers.retain(|reader| {
            let is_between = (start..end).contains(&place);
            place = place.saturating_add(1);
            let stays = !is_between || value == Some(&reader.seen);
            if !stays && !reader.run.is_void() {
                voided.push(reader.run.clone());
            }
            stays
        });
    }
}
