//! A mock of transactions: little programs whose every step depends on what they have read so far, so that a stale run goes
//! elsewhere altogether; and the same programs run one after another, as the judge.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use crate::parallel::{Executed, ReadFailure, Reads, Settled, Sink, Straight, Task, View};
use crate::sync::{Arc, AtomicBool, Ordering};

/// Keys from here on are accumulators.
pub(crate) const ACCUMULATOR: u8 = 200;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Read(u8),
    /// Adds to what is there.
    Add(u8, u64),
    /// Writes a constant, which often is what was there.
    Set(u8, u64),
    /// Writes without reading.
    Blind(u8, u64),
    /// Reads a cell that depends on all that was read before.
    ReadAnywhere,
    /// Writes one.
    AddAnywhere(u64),
    /// Reads many cells, if what was read so far looks like it: stale runs do.
    Wander,
    /// Breaks off, if what was read so far looks like it.
    BreakIf(u64),
    /// Reads an accumulator in the body, as few do.
    ReadAccumulator,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Program {
    pub(crate) steps: Vec<Step>,
    /// What the tail adds to the accumulator, and whose cell it takes it from.
    pub(crate) fee: Option<(u8, u64)>,
    /// Whether the tail does more than add: writes a cell that depends on the accumulator.
    pub(crate) is_odd: bool,
}

/// A block of them, over cells that are `key * 1000` at first.
#[derive(Clone, Debug, Default)]
pub(crate) struct Block {
    pub(crate) keys: u8,
    pub(crate) programs: Vec<Program>,
    /// Cells that cannot be loaded.
    pub(crate) broken_cells: BTreeSet<u8>,
    /// The sink takes no more from here on.
    pub(crate) stop_at: Option<usize>,
    /// The sink panics here.
    pub(crate) panic_at: Option<usize>,
    /// Runs keep what they began with.
    pub(crate) keeps: bool,
    /// Every so many tasks one follows the one before.
    pub(crate) following: usize,
    /// The sink has the state, and can run a task that is alone.
    pub(crate) has_state: bool,
}

#[derive(Debug)]
pub(crate) struct Unloadable;

pub(crate) enum Stopped {
    Broken,
    Interrupted,
}

/// What a program runs on.
pub(crate) trait Access {
    fn read(&mut self, key: u8) -> Result<u64, Stopped>;
    fn accumulator(&mut self) -> Result<u64, Stopped>;
    fn write(&mut self, key: u8, value: u64);
}

fn mix(seen: u64, value: u64) -> u64 {
    (seen ^ value).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(23)
}

impl Block {
    fn anywhere(&self, seen: u64) -> u8 {
        u8::try_from(seen % u64::from(self.keys.max(1))).unwrap()
    }

    pub(crate) fn body(&self, index: usize, access: &mut impl Access) -> Result<u64, Stopped> {
        let mut seen = u64::try_from(index).unwrap();
        for step in &self.programs[index].steps {
            match *step {
                Step::Read(key) => seen = mix(seen, access.read(key)?),
                Step::Add(key, amount) => {
                    let value = access.read(key)?;
                    seen = mix(seen, value);
                    access.write(key, value.wrapping_add(amount));
                }
                Step::Set(key, value) => {
                    access.read(key)?;
                    access.write(key, value);
                }
                Step::Blind(key, value) => access.write(key, value),
                Step::ReadAnywhere => seen = mix(seen, access.read(self.anywhere(seen))?),
                Step::AddAnywhere(amount) => {
                    let key = self.anywhere(seen);
                    let value = access.read(key)?;
                    seen = mix(seen, value);
                    access.write(key, value.wrapping_add(amount));
                }
                Step::Wander => {
                    for _ in 0..seen % 7 {
                        seen = mix(seen, access.read(self.anywhere(seen))?);
                    }
                }
                Step::BreakIf(one_in) => {
                    if seen % one_in.max(1) == 0 {
                        return Err(Stopped::Broken);
                    }
                }
                Step::ReadAccumulator => seen = mix(seen, access.accumulator()?),
            }
        }
        Ok(seen)
    }

    pub(crate) fn tail(&self, index: usize, access: &mut impl Access) -> Result<u64, Stopped> {
        let program = &self.programs[index];
        let Some((payer, fee)) = program.fee else { return Ok(0) };
        let purse = access.read(payer)?;
        access.write(payer, purse.wrapping_sub(fee));
        let total = access.accumulator()?;
        access.write(ACCUMULATOR, total.wrapping_add(fee));
        if program.is_odd {
            access.write(self.anywhere(total), total);
            if total % 3 == 0 {
                access.write(ACCUMULATOR, total.wrapping_add(fee).wrapping_mul(3));
            }
        }
        Ok(mix(purse, total))
    }

    pub(crate) fn initial(key: u8) -> u64 {
        u64::from(key) * 1000
    }

    /// One after another.
    pub(crate) fn sequentially(&self) -> Outcome {
        let mut outcome = Outcome::default();
        let mut state = BTreeMap::new();
        for index in 0..self.programs.len() {
            let (body, tail, own) = self.one(index, &state);
            if outcome.take(self, index, body, tail).is_break() {
                break;
            }
            state.extend(own);
        }
        outcome
    }

    /// One of them: what its body saw, what its tail saw, and what it wrote.
    fn one(
        &self,
        index: usize,
        state: &BTreeMap<u8, u64>,
    ) -> (Option<u64>, Option<Option<u64>>, BTreeMap<u8, u64>) {
        let mut access = Sequential { block: self, state, own: BTreeMap::new() };
        let result = self.body(index, &mut access).and_then(|body| {
            let tail = self.programs[index].fee.is_some().then(|| self.tail(index, &mut access));
            Ok((body, tail.transpose()?))
        });
        match result {
            Ok((body, tail)) => (Some(body), tail.map(Some), access.own),
            Err(_) => (None, None, BTreeMap::new()),
        }
    }
}

struct Sequential<'a> {
    block: &'a Block,
    state: &'a BTreeMap<u8, u64>,
    own: BTreeMap<u8, u64>,
}

impl Access for Sequential<'_> {
    fn read(&mut self, key: u8) -> Result<u64, Stopped> {
        if let Some(value) = self.own.get(&key).or_else(|| self.state.get(&key)) {
            return Ok(*value);
        }
        if self.block.broken_cells.contains(&key) { Err(Stopped::Broken) } else { Ok(Block::initial(key)) }
    }

    fn accumulator(&mut self) -> Result<u64, Stopped> {
        self.read(ACCUMULATOR)
    }

    fn write(&mut self, key: u8, value: u64) {
        self.own.insert(key, value);
    }
}

/// What came out, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) results: Vec<(usize, u64, Option<u64>)>,
    pub(crate) broken: Option<usize>,
}

impl Outcome {
    /// `tail` is `Some(None)` for a tail that broke off.
    fn take(
        &mut self,
        block: &Block,
        index: usize,
        body: Option<u64>,
        tail: Option<Option<u64>>,
    ) -> ControlFlow<()> {
        assert_eq!(index, self.results.len(), "out of order");
        assert!(block.panic_at != Some(index), "the sink panics, as asked");
        if block.stop_at == Some(index) {
            return ControlFlow::Break(());
        }
        match (body, tail) {
            (Some(body), None) => self.results.push((index, body, None)),
            (Some(body), Some(Some(tail))) => self.results.push((index, body, Some(tail))),
            (None, _) | (_, Some(None)) => {
                self.broken = Some(index);
                return ControlFlow::Break(());
            }
        }
        ControlFlow::Continue(())
    }
}

pub(crate) struct BlockSink<'a> {
    pub(crate) block: &'a Block,
    pub(crate) outcome: Outcome,
    /// What the results so far left.
    pub(crate) state: BTreeMap<u8, u64>,
}

impl Sink<Block> for BlockSink<'_> {
    fn take(&mut self, index: usize, body: Body) -> ControlFlow<()> {
        let own = match &body.paid {
            Some(Some((_, own))) => own.clone(),
            _ => body.own,
        };
        let tail = body.paid.map(|paid| paid.map(|(seen, _)| seen));
        self.outcome.take(self.block, index, body.seen, tail)?;
        self.state.extend(own);
        ControlFlow::Continue(())
    }

    fn run_and_take(&mut self, _: &Block, index: usize, void: Arc<AtomicBool>) -> Option<Straight<Block>> {
        if !self.block.has_state {
            return None;
        }
        let (body, tail, own) = self.block.one(index, &self.state);
        if void.load(Ordering::Acquire) {
            return Some(Straight::Stopped);
        }
        let flow = self.outcome.take(self.block, index, body, tail);
        if flow.is_continue() {
            self.state.extend(&own);
        }
        let steps = u64::try_from(self.block.programs[index].steps.len()).unwrap();
        Some(Straight::Taken { flow, writes: own.into_iter().collect(), steps })
    }

    fn known(&self, key: &u8) -> Option<u64> {
        self.state.get(key).copied()
    }
}

/// What a tail saw, and what it and its body wrote; nothing if it broke off.
type Paid = Option<(u64, BTreeMap<u8, u64>)>;

/// What a run read, for the next one.
pub(crate) struct Kept {
    reads: Reads<Block>,
    read: Vec<(u8, u64)>,
}

impl Kept {
    /// All that was read, or the first half of it, as validations come before the rest.
    fn some(index: usize, reads: Reads<Block>, mut read: Vec<(u8, u64)>) -> Self {
        read.truncate(read.len() / (1 + index % 2));
        Self { reads: reads.first(read.len()), read }
    }
}

pub(crate) struct Body {
    index: usize,
    seen: Option<u64>,
    own: BTreeMap<u8, u64>,
    read: Vec<(u8, u64)>,
    /// If its tail ran.
    paid: Option<Paid>,
}

struct Parallel<'a, 'v> {
    view: &'a View<'v, Block>,
    own: BTreeMap<u8, u64>,
    /// In order.
    read: Vec<(u8, u64)>,
    is_tail: bool,
}

impl Access for Parallel<'_, '_> {
    fn read(&mut self, key: u8) -> Result<u64, Stopped> {
        let read = self.read.iter().find(|(read, _)| *read == key).map(|(_, value)| value);
        if let Some(value) = self.own.get(&key).or(read) {
            return Ok(*value);
        }
        let value = self.view.read(&key).map_err(|failure| match failure {
            ReadFailure::Load(Unloadable) => Stopped::Broken,
            ReadFailure::Interrupted => Stopped::Interrupted,
        })?;
        self.read.push((key, value));
        Ok(value)
    }

    fn accumulator(&mut self) -> Result<u64, Stopped> {
        if let Some(value) = self.own.get(&ACCUMULATOR) {
            return Ok(*value);
        }
        if !self.is_tail {
            self.view.at_its_turn().map_err(|_| Stopped::Interrupted)?;
            return self.read(ACCUMULATOR);
        }
        let peeked = self.view.peek(&ACCUMULATOR).map_err(|_| Stopped::Broken)?;
        let deltas = self.view.deltas_after(&peeked);
        let value = deltas.into_iter().fold(peeked.value, u64::wrapping_add);
        self.view.assume(&peeked, value);
        Ok(value)
    }

    fn write(&mut self, key: u8, value: u64) {
        self.own.insert(key, value);
    }
}

impl Task for Block {
    type Key = u8;
    type Value = u64;
    type Delta = u64;
    type Body = Body;
    type Kept = Kept;
    type Error = Unloadable;

    fn load(&self, key: &u8) -> Result<u64, Unloadable> {
        if self.broken_cells.contains(key) { Err(Unloadable) } else { Ok(Self::initial(*key)) }
    }

    fn changes_seldom(&self, key: &u8, value: &u64) -> bool {
        *key == 0 && value % 2 == 0
    }

    fn follows(&self, index: usize) -> Option<usize> {
        index.checked_rem(self.following).filter(|rest| *rest == 0).and_then(|_| index.checked_sub(1))
    }

    fn execute(
        &self,
        index: usize,
        view: &View<'_, Self>,
        kept: Option<Kept>,
    ) -> Result<Executed<Self>, Option<Kept>> {
        let mut access = Parallel { view, own: BTreeMap::new(), read: Vec::new(), is_tail: false };
        // As kept validations are: good for as long as their reads are.
        if let Some(Kept { reads, read }) = kept {
            match view.read_again(reads) {
                Ok(true) => access.read = read,
                Ok(false) => {}
                Err(reads) => return Err(Some(Kept { reads, read })),
            }
        }
        let seen = match self.body(index, &mut access) {
            Ok(seen) => Some(seen),
            Err(Stopped::Broken) => None,
            Err(Stopped::Interrupted) => {
                let reads = view.take_reads();
                return Err(self.keeps.then(|| Kept::some(index, reads, access.read)));
            }
        };
        let program = &self.programs[index];
        let fee = program.fee.filter(|_| seen.is_some());
        Ok(Executed {
            body: Body { index, seen, own: access.own, read: access.read, paid: None },
            steps: u64::try_from(program.steps.len()).unwrap(),
            delta: fee.map(|(_, fee)| fee),
            unsettled: fee.map(|(payer, _)| payer).into_iter().collect(),
            broken: seen.is_none(),
        })
    }

    fn writes(&self, body: &Body) -> Vec<(u8, u64)> {
        let own = match &body.paid {
            Some(Some((_, own))) => Some(own),
            Some(None) => None,
            None => body.seen.map(|_| &body.own),
        };
        own.into_iter().flatten().map(|(key, value)| (*key, *value)).collect()
    }

    fn keep(&self, body: Body, reads: Reads<Self>) -> Option<Kept> {
        self.keeps.then(|| Kept::some(body.index, reads, body.read))
    }

    fn settle(&self, index: usize, body: &mut Body, view: &View<'_, Self>) -> Option<Settled> {
        body.paid = None;
        let mut access = Parallel { view, own: body.own.clone(), read: Vec::new(), is_tail: true };
        let tail = match self.tail(index, &mut access) {
            Ok(tail) => Some(tail),
            Err(Stopped::Broken) => None,
            Err(Stopped::Interrupted) => return None,
        };
        let broken = tail.is_none();
        let tail = tail.map(|seen| (seen, access.own));
        body.paid = Some(tail);
        Some(Settled { broken })
    }
}
