//! One cell: what the committed tasks left, what the tasks under way wrote, and who read it.
//!
//! In: reads and writes of runs. Out: what a run is to see, and whose run a write made void. Data only: locks and loads are the
//! shard's.

use smallvec::SmallVec;

use super::{Location, Run};

/// One cell.
pub(super) struct Cell<K, V> {
    pub(super) key: K,
    /// No other cell of its shard has it.
    pub(super) number: usize,
    base: Base<V>,
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

/// What there is to be had of a cell.
pub(super) enum Answer<T> {
    Found(T),
    /// Somebody is loading it.
    Loading,
    /// It is to be loaded.
    Unknown,
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

impl<K, V: Clone + PartialEq> Cell<K, V> {
    pub(super) fn new(key: K, number: usize) -> Self {
        Self {
            key,
            number,
            base: Base::Unknown,
            writer: None,
            versions: SmallVec::new(),
            readers: SmallVec::new(),
            sightings: Sightings::None,
        }
    }

    /// Where it is, its key having this hash.
    pub(super) fn location(&self, hash: u64) -> Location {
        Location::new(hash, self.number)
    }

    /// Sets the base.
    pub(super) fn seed(&mut self, value: V) {
        self.base = Base::Known(value);
    }

    /// What a task is to see. `note` says of a value who wants to know, `committed` how many tasks are, `source` how it came here.
    pub(super) fn seen<'n>(
        &mut self,
        index: usize,
        note: &impl Fn(&K, &V) -> Note<'n>,
        source: Source,
        committed: impl Fn() -> usize,
    ) -> Answer<Seen<V>> {
        let below = self.below(index);
        if let Some(version) = below.checked_sub(1).and_then(|at| self.versions.get(at)) {
            if version.run.is_void() {
                return Answer::Found(Seen::Unexecuted(version.run.index));
            }
            let (Some(value), true) = (&version.value, version.settled) else {
                return Answer::Found(Seen::Unsettled(version.run.index));
            };
            let value = value.clone();
            self.note(note(&self.key, &value), &value, committed);
            return Answer::Found(Seen::Value(value, source));
        }
        match &self.base {
            Base::Known(value) => {
                let value = value.clone();
                let is_steady = self.note(note(&self.key, &value), &value, committed);
                Answer::Found(Seen::Value(value, if is_steady { Source::Steady } else { source }))
            }
            Base::Loading => Answer::Loading,
            Base::Unknown => Answer::Unknown,
        }
    }

    /// The newest value below a task, be it an estimate, and who wrote it, if a task of this run did.
    pub(super) fn newest(&self, index: usize) -> Answer<(V, Option<usize>)> {
        let below = self.versions.iter().take(self.below(index)).rev();
        let mut values =
            below.filter_map(|version| version.value.as_ref().map(|value| (value, Some(version.run.index))));
        match (values.next(), &self.base) {
            (Some((value, writer)), _) => Answer::Found((value.clone(), writer)),
            (None, Base::Known(value)) => Answer::Found((value.clone(), self.writer)),
            (None, Base::Loading) => Answer::Loading,
            (None, Base::Unknown) => Answer::Unknown,
        }
    }

    /// The caller is going to load the base.
    pub(super) fn begin_load(&mut self) {
        self.base = Base::Loading;
    }

    /// The base was loaded, or could not be. A commit may have put a value there meanwhile, and that one counts.
    pub(super) fn end_load(&mut self, value: Option<V>) {
        if matches!(self.base, Base::Loading) {
            self.base = value.map_or(Base::Unknown, Base::Known);
        }
    }

    /// Publishes what `run` wrote: see [`Memory::write`](super::Memory::write). Says whether the cell was steady.
    pub(super) fn write(
        &mut self,
        run: &Run,
        value: Option<V>,
        settled: bool,
        voided: &mut Vec<Run>,
    ) -> bool {
        let at = self.below(run.index);
        let version = Version { run: run.clone(), value, settled };
        match self.versions.get_mut(at) {
            Some(own) if own.run.index == run.index => *own = version,
            _ => self.versions.insert(at, version),
        }
        self.void_readers(Some(at), voided);
        self.is_no_more_steady()
    }

    /// Takes back the version of a task that this time did not write here.
    pub(super) fn remove(&mut self, index: usize, voided: &mut Vec<Run>) {
        let at = self.below(index);
        if self.versions.get(at).is_some_and(|version| version.run.index == index) {
            self.versions.remove(at);
            self.void_readers(at.checked_sub(1), voided);
        }
    }

    /// Whether the committed tasks left this value here.
    pub(super) fn holds(&self, value: &V) -> bool {
        matches!(&self.base, Base::Known(base) if base == value)
    }

    /// All tasks below `index` being committed, its value becomes the base, whatever it published before. Says whether the
    /// cell was steady.
    pub(super) fn put(&mut self, index: usize, value: V, voided: &mut Vec<Run>) -> bool {
        let above = index.saturating_add(1);
        let end = self.below(above);
        self.versions.drain(..end);
        let to = self.versions.first().map_or(usize::MAX, |version| version.run.index);
        void(&mut self.readers, above, to, Some(&value), voided);
        self.base = Base::Known(value);
        self.writer = Some(index);
        self.is_no_more_steady()
    }

    /// The version of `index`, all tasks below being committed, becomes the base.
    pub(super) fn promote(&mut self, index: usize) {
        let end = self.below(index.saturating_add(1));
        let newest = self.versions.drain(..end).next_back();
        if let Some(Version { run, value: Some(value), .. }) = newest
            && run.index == index
        {
            self.base = Base::Known(value);
            self.writer = Some(index);
        }
    }

    /// How many versions are of tasks below `index`.
    fn below(&self, index: usize) -> usize {
        self.versions.partition_point(|version| version.run.index < index)
    }

    /// Notes who read what. Answers whether the reader may remember it.
    fn note(&mut self, note: Note<'_>, seen: &V, committed: impl Fn() -> usize) -> bool {
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
            let committed = committed();
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

    /// Voids the readers of the version at `at`, or of the base, that saw another value.
    fn void_readers(&mut self, at: Option<usize>, voided: &mut Vec<Run>) {
        let (from, value, next) = match at {
            Some(at) => {
                let Some(version) = self.versions.get(at) else { return };
                (version.run.index.saturating_add(1), version.value.as_ref(), at.saturating_add(1))
            }
            None => match &self.base {
                Base::Known(value) => (0, Some(value), 0),
                Base::Unknown | Base::Loading => (0, None, 0),
            },
        };
        // The next version's own task still reads what is below it.
        let to = self.versions.get(next).map_or(usize::MAX, |version| version.run.index);
        void(&mut self.readers, from, to, value, voided);
    }
}

/// Voids those of tasks `from` to `to` that saw another value.
fn void<V: PartialEq>(
    readers: &mut SmallVec<[Reader<V>; 1]>,
    from: usize,
    to: usize,
    value: Option<&V>,
    voided: &mut Vec<Run>,
) {
    let start = readers.partition_point(|reader| reader.run.index < from);
    let end = readers.partition_point(|reader| reader.run.index <= to);
    let mut place = 0_usize;
    if start == end {
        return;
    }
    readers.retain(|reader| {
        let is_between = (start..end).contains(&place);
        place = place.saturating_add(1);
        let stays = !is_between || value == Some(&reader.seen);
        if !stays && !reader.run.is_void() {
            voided.push(reader.run.clone());
        }
        stays
    });
}
