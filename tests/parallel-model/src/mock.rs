//! Mock transactions: small programs whose every step depends on the values read so far, so that a stale
//! incarnation takes another path; and the sequential execution of the same programs, which gives the
//! expected outcome.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use crate::parallel::{
    Charge, Executed, Inline, ReadFailure, ReadSet, Sink, StateModel, Task, TaskExecution, View,
};
use crate::sync::{Arc, AtomicBool, Ordering};

/// The key that every fee phase adds to.
pub(crate) const ACCUMULATOR: u8 = 200;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Read(u8),
    /// Adds to the value of a key.
    Add(u8, u64),
    /// Writes a constant, which is often the value that is there.
    Set(u8, u64),
    /// Writes without reading.
    Blind(u8, u64),
    /// Reads a key that depends on all values read before.
    ReadAnywhere,
    /// Adds to such a key.
    AddAnywhere(u64),
    /// Reads a number of keys that depends on the values read before, so that stale incarnations read other
    /// keys.
    Wander,
    /// Fails for one in this many of the values read before.
    FailIf(u64),
    /// Reads the accumulator before the fee phase.
    ReadAccumulator,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Program {
    pub(crate) steps: Vec<Step>,
    /// The key that pays the fee, and the amount that is added to the accumulator.
    pub(crate) fee: Option<(u8, u64)>,
    /// `true` if the fee phase does more than add: it writes a key that depends on the accumulator.
    pub(crate) is_odd: bool,
}

/// A block of programs over keys whose initial values are `key * 1000`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Block {
    pub(crate) keys: u8,
    pub(crate) programs: Vec<Program>,
    /// Keys that cannot be loaded.
    pub(crate) broken_keys: BTreeSet<u8>,
    /// The index at which the sink stops.
    pub(crate) stop_at: Option<usize>,
    /// The index at which the sink panics.
    pub(crate) panic_at: Option<usize>,
    /// `true` if incarnations return a prefix.
    pub(crate) resumes: bool,
    /// Every task with an index divisible by this has the one before it as its predecessor.
    pub(crate) predecessors: usize,
    /// `true` if the sink has the committed state, and executes serial tasks inline.
    pub(crate) has_state: bool,
}

#[derive(Debug)]
pub(crate) struct LoadFailure;

pub(crate) enum Stopped {
    Failed,
    Interrupted,
}

/// The state that a program runs on.
pub(crate) trait Access {
    fn read(&mut self, key: u8) -> std::result::Result<u64, Stopped>;
    fn accumulator(&mut self) -> std::result::Result<u64, Stopped>;
    fn write(&mut self, key: u8, value: u64);
}

fn mix(seen: u64, value: u64) -> u64 {
    (seen ^ value).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(23)
}

impl Block {
    fn anywhere(&self, seen: u64) -> u8 {
        u8::try_from(seen % u64::from(self.keys.max(1))).unwrap()
    }

    /// Runs a program before its fee phase. Returns a digest of the values read.
    pub(crate) fn run(&self, index: usize, access: &mut impl Access) -> std::result::Result<u64, Stopped> {
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
                Step::FailIf(one_in) => {
                    if seen % one_in.max(1) == 0 {
                        return Err(Stopped::Failed);
                    }
                }
                Step::ReadAccumulator => seen = mix(seen, access.accumulator()?),
            }
        }
        Ok(seen)
    }

    /// Runs a fee phase. Returns a digest of the values read.
    pub(crate) fn fee_phase(
        &self,
        index: usize,
        access: &mut impl Access,
    ) -> std::result::Result<u64, Stopped> {
        let program = &self.programs[index];
        let Some((payer, fee)) = program.fee else { return Ok(0) };
        let balance = access.read(payer)?;
        access.write(payer, balance.wrapping_sub(fee));
        let total = access.accumulator()?;
        access.write(ACCUMULATOR, total.wrapping_add(fee));
        if program.is_odd {
            access.write(self.anywhere(total), total);
            if total % 3 == 0 {
                access.write(ACCUMULATOR, total.wrapping_add(fee).wrapping_mul(3));
            }
        }
        Ok(mix(balance, total))
    }

    /// Runs a program and its fee phase on a state that cannot change.
    fn run_completely(
        &self,
        index: usize,
        access: &mut impl Access,
    ) -> std::result::Result<(u64, Option<u64>), Stopped> {
        let execution = self.run(index, access)?;
        let fee = self.programs[index].fee.is_some().then(|| self.fee_phase(index, access));
        Ok((execution, fee.transpose()?))
    }

    pub(crate) fn initial(key: u8) -> u64 {
        u64::from(key) * 1000
    }

    /// Executes the block sequentially.
    pub(crate) fn sequentially(&self) -> Outcome {
        let mut outcome = Outcome::default();
        let mut state = BTreeMap::new();
        for index in 0..self.programs.len() {
            let result = self.execute_on(index, &state);
            if outcome.push(self, index, &result).is_break() {
                break;
            }
            state.extend(result.into_iter().flat_map(|finished| finished.writes));
        }
        outcome
    }

    /// Executes one program on a committed state.
    fn execute_on(&self, index: usize, state: &BTreeMap<u8, u64>) -> Result {
        let mut access = Sequential { block: self, state, writes: BTreeMap::new() };
        let (execution, fee) = self.run_completely(index, &mut access).map_err(|_| Failed)?;
        Ok(Finished { execution, fee, writes: access.writes })
    }
}

struct Sequential<'a> {
    block: &'a Block,
    state: &'a BTreeMap<u8, u64>,
    writes: BTreeMap<u8, u64>,
}

impl Access for Sequential<'_> {
    fn read(&mut self, key: u8) -> std::result::Result<u64, Stopped> {
        if let Some(value) = self.writes.get(&key).or_else(|| self.state.get(&key)) {
            return Ok(*value);
        }
        if self.block.broken_keys.contains(&key) { Err(Stopped::Failed) } else { Ok(Block::initial(key)) }
    }

    fn accumulator(&mut self) -> std::result::Result<u64, Stopped> {
        self.read(ACCUMULATOR)
    }

    fn write(&mut self, key: u8, value: u64) {
        self.writes.insert(key, value);
    }
}

/// The results in order: index, digest of the execution, digest of the fee phase.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) results: Vec<(usize, u64, Option<u64>)>,
    pub(crate) failed: Option<usize>,
}

impl Outcome {
    fn push(&mut self, block: &Block, index: usize, result: &Result) -> ControlFlow<()> {
        assert_eq!(index, self.results.len(), "out of order");
        assert!(block.panic_at != Some(index), "the sink panics, as asked");
        if block.stop_at == Some(index) {
            return ControlFlow::Break(());
        }
        match result {
            Ok(Finished { execution, fee, .. }) => self.results.push((index, *execution, *fee)),
            Err(Failed) => {
                self.failed = Some(index);
                return ControlFlow::Break(());
            }
        }
        ControlFlow::Continue(())
    }
}

pub(crate) struct BlockSink<'a> {
    pub(crate) block: &'a Block,
    pub(crate) outcome: Outcome,
    /// The committed state.
    pub(crate) state: BTreeMap<u8, u64>,
}

impl Sink<Block> for BlockSink<'_> {
    fn commit(&mut self, index: usize, result: Result) -> ControlFlow<()> {
        self.outcome.push(self.block, index, &result)?;
        self.state.extend(result.into_iter().flat_map(|finished| finished.writes));
        ControlFlow::Continue(())
    }

    fn execute_inline(
        &mut self,
        block: &Block,
        index: usize,
        abort: Arc<AtomicBool>,
    ) -> Option<Inline<Block>> {
        if !block.has_state {
            return None;
        }
        let result = block.execute_on(index, &self.state);
        if abort.load(Ordering::Acquire) {
            return Some(Inline::Interrupted);
        }
        let writes = block.writes(&result);
        let steps = u64::try_from(block.programs[index].steps.len()).unwrap();
        Some(Inline::Committed { flow: self.commit(index, result), writes, steps })
    }

    fn committed_value(&self, key: &u8) -> Option<u64> {
        self.state.get(key).copied()
    }
}

/// A finished program.
pub(crate) struct Finished {
    execution: u64,
    fee: Option<u64>,
    writes: BTreeMap<u8, u64>,
}

/// The failure of a program.
pub(crate) struct Failed;

pub(crate) type Result = std::result::Result<Finished, Failed>;

/// A program whose fee phase has still to run.
pub(crate) struct Unpaid {
    index: usize,
    execution: u64,
    writes: BTreeMap<u8, u64>,
    reads: Vec<(u8, u64)>,
}

/// A program whose fee phase ran speculatively.
pub(crate) struct Charged {
    unpaid: Unpaid,
    fee: u64,
    writes: BTreeMap<u8, u64>,
}

/// The first reads of an incarnation, with their values.
pub(crate) struct Prefix {
    reads: ReadSet<Block>,
    values: Vec<(u8, u64)>,
}

impl Prefix {
    /// Keeps all reads, or the first half of them, as a validation comes before the rest of a transaction.
    fn new(index: usize, reads: ReadSet<Block>, mut values: Vec<(u8, u64)>) -> Self {
        values.truncate(values.len() / (1 + index % 2));
        Self { reads: reads.first(values.len()), values }
    }
}

struct Speculative<'a, 'v> {
    view: &'a View<'v, Block>,
    writes: BTreeMap<u8, u64>,
    /// The reads, in order.
    reads: Vec<(u8, u64)>,
    is_fee_phase: bool,
}

impl<'a, 'v> Speculative<'a, 'v> {
    fn fee_phase(view: &'a View<'v, Block>, writes: BTreeMap<u8, u64>) -> Self {
        Self { view, writes, reads: Vec::new(), is_fee_phase: true }
    }
}

impl Access for Speculative<'_, '_> {
    fn read(&mut self, key: u8) -> std::result::Result<u64, Stopped> {
        let read = self.reads.iter().find(|(read, _)| *read == key).map(|(_, value)| value);
        if let Some(value) = self.writes.get(&key).or(read) {
            return Ok(*value);
        }
        let value = self.view.read(&key).map_err(|failure| match failure {
            ReadFailure::Load(LoadFailure) => Stopped::Failed,
            ReadFailure::Interrupted => Stopped::Interrupted,
        })?;
        self.reads.push((key, value));
        Ok(value)
    }

    fn accumulator(&mut self) -> std::result::Result<u64, Stopped> {
        if let Some(value) = self.writes.get(&ACCUMULATOR) {
            return Ok(*value);
        }
        if !self.is_fee_phase {
            self.view.require_commit_order().map_err(|_| Stopped::Interrupted)?;
            return self.read(ACCUMULATOR);
        }
        let peeked = self.view.peek(&ACCUMULATOR).map_err(|_| Stopped::Failed)?;
        let deltas = self.view.deltas_after(&peeked);
        let value = deltas.into_iter().fold(peeked.value, u64::wrapping_add);
        self.view.assume(&peeked, value);
        Ok(value)
    }

    fn write(&mut self, key: u8, value: u64) {
        self.writes.insert(key, value);
    }
}

impl StateModel for Block {
    type Key = u8;
    type Value = u64;
    type Delta = u64;
    type Error = LoadFailure;
}

impl Task for Block {
    type Unpaid = Unpaid;
    type Charged = Charged;
    type Output = Result;
    type Prefix = Prefix;

    fn load(&self, key: &u8) -> std::result::Result<u64, LoadFailure> {
        if self.broken_keys.contains(key) { Err(LoadFailure) } else { Ok(Self::initial(*key)) }
    }

    fn is_cacheable(&self, key: &u8, value: &u64) -> bool {
        *key == 0 && value % 2 == 0
    }

    fn predecessor(&self, index: usize) -> Option<usize> {
        let remainder = index.checked_rem(self.predecessors)?;
        if remainder == 0 { index.checked_sub(1) } else { None }
    }

    fn execute(&self, index: usize, view: &View<'_, Self>, prefix: Option<Prefix>) -> TaskExecution<Self> {
        let mut access =
            Speculative { view, writes: BTreeMap::new(), reads: Vec::new(), is_fee_phase: false };
        if let Some(Prefix { reads, values }) = prefix {
            match view.read_again(reads) {
                Ok(true) => access.reads = values,
                Ok(false) => {}
                Err(reads) => return TaskExecution::Aborted(Some(Prefix { reads, values })),
            }
        }
        let program = &self.programs[index];
        // A serial task may include its fee phase, or leave it to the executor.
        let is_complete = program.fee.is_none() || (view.is_serial() && index % 2 == 0);
        let result = if is_complete {
            self.run_completely(index, &mut access)
        } else {
            self.run(index, &mut access).map(|execution| (execution, None))
        };
        let steps = u64::try_from(program.steps.len()).unwrap();
        match (result, program.fee) {
            (Err(Stopped::Interrupted), _) => {
                let prefix = self.resumes.then(|| Prefix::new(index, view.take_reads(), access.reads));
                TaskExecution::Aborted(prefix)
            }
            (Ok((execution, _)), Some((payer, delta))) if !is_complete => {
                let Speculative { writes, reads, .. } = access;
                let unpaid = Unpaid { index, execution, writes, reads };
                TaskExecution::Done(Executed::Unpaid { unpaid, steps, delta, pending: vec![payer] })
            }
            (result, _) => {
                let writes = access.writes;
                let output =
                    result.map(|(execution, fee)| Finished { execution, fee, writes }).map_err(|_| Failed);
                TaskExecution::Done(Executed::Final { has_failed: output.is_err(), output, steps })
            }
        }
    }

    fn charge(&self, index: usize, unpaid: Unpaid, view: &View<'_, Self>) -> Charge<Self> {
        let mut access = Speculative::fee_phase(view, unpaid.writes.clone());
        match self.fee_phase(index, &mut access) {
            Ok(fee) => Charge::Charged(Charged { unpaid, fee, writes: access.writes }),
            // Some failures destroy the state, as a panic does.
            Err(Stopped::Failed) if index % 2 == 0 => Charge::Lost,
            Err(_) => Charge::Deferred(unpaid),
        }
    }

    fn finalize(&self, index: usize, unpaid: Unpaid, view: &View<'_, Self>) -> Option<Result> {
        let mut access = Speculative::fee_phase(view, unpaid.writes);
        match self.fee_phase(index, &mut access) {
            Ok(fee) => {
                let fee = Some(fee);
                Some(Ok(Finished { execution: unpaid.execution, fee, writes: access.writes }))
            }
            Err(Stopped::Failed) => Some(Err(Failed)),
            Err(Stopped::Interrupted) => None,
        }
    }

    fn uncharge(&self, charged: Charged) -> Unpaid {
        charged.unpaid
    }

    fn confirm(&self, charged: Charged) -> Result {
        let Charged { unpaid, fee, writes } = charged;
        Ok(Finished { execution: unpaid.execution, fee: Some(fee), writes })
    }

    fn unpaid_writes(&self, unpaid: &Unpaid) -> Vec<(u8, u64)> {
        unpaid.writes.iter().map(|(key, value)| (*key, *value)).collect()
    }

    fn charged_writes(&self, charged: &Charged) -> Vec<(u8, u64)> {
        charged.writes.iter().map(|(key, value)| (*key, *value)).collect()
    }

    fn writes(&self, result: &Result) -> Vec<(u8, u64)> {
        let writes = result.iter().flat_map(|finished| &finished.writes);
        writes.map(|(key, value)| (*key, *value)).collect()
    }

    fn prefix(&self, unpaid: Unpaid, reads: ReadSet<Self>) -> Option<Prefix> {
        self.resumes.then(|| Prefix::new(unpaid.index, reads, unpaid.reads))
    }
}
