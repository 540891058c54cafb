//! The workers: what a job is to do, in which order it is made known, and the commits.
//!
//! In: a task, a sink, threads that lend themselves. Out: results in the sink, in order. The calling thread takes part in the work,
//! so that a pool that is busy elsewhere never stops a block; helpers are called as jobs turn up, and leave when there are none.

use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::counters::{Counters, Spent, count};
use super::memory::{Memory, Run};
use super::schedule::{Busy, By, Calls, Done, Job, Next, Schedule, Start};
use super::task::{CellOf, Executed, Settled, Sink, Task};
use super::view::{Interruption, Part, Read, View};
use crate::sync::{Arc, Condvar, Moment, Mutex, MutexGuard};

/// How many jobs a helper does before it lets others have its thread.
const QUANTUM: usize = 32;

/// How many reads are few.
const FEW_READS: usize = 32;

/// How much may be under way.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Helpers at a time, besides the calling thread.
    pub(crate) helpers: usize,
    /// Tasks from the last commit on.
    pub(crate) window: usize,
    /// Parts of the memory with a lock each.
    pub(crate) shards: usize,
    /// Whether there is a calling thread that works to the end ([`Engine::run`]). Otherwise helpers do everything.
    pub(crate) has_main: bool,
}

/// Some code of the task, the sink or this room panicked; with what it said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Panicked(pub(crate) String);

/// One list of tasks under way.
pub(crate) struct Engine<T: Task, S> {
    pub(super) task: T,
    pub(super) memory: Memory<T::Key, T::Value>,
    pub(super) schedule: Mutex<Schedule<T>>,
    /// Taken by the one thread that commits.
    sink: Mutex<S>,
    /// Where the calling thread waits when there is nothing to do.
    idle: Condvar,
    panicked: Mutex<Option<Panicked>>,
}

impl<T: Task, S: Sink<T>> Engine<T, S> {
    /// An engine without tasks.
    pub(crate) fn new(task: T, sink: S, limits: Limits) -> Self {
        Self {
            task,
            memory: Memory::new(limits.shards),
            schedule: Mutex::new(Schedule::new(limits)),
            sink: Mutex::new(sink),
            idle: Condvar::default(),
            panicked: Mutex::new(None),
        }
    }

    /// Who takes the results, when nobody gives it any: waits for the commit that is under way.
    pub(crate) fn sink(&self) -> MutexGuard<'_, S> {
        self.sink.lock()
    }

    /// What panicked, if something did.
    pub(crate) fn panicked(&self) -> Option<Panicked> {
        self.panicked.lock().clone()
    }

    /// Sets what is in a cell before the first task, where that is not what `load` would say.
    pub(crate) fn seed(&self, key: &T::Key, value: T::Value) {
        self.memory.seed(key, value);
    }

    /// Adds tasks behind those that there are.
    pub(crate) fn add(&self, tasks: usize, call: &impl Fn()) {
        self.update(By::Other, call, |schedule| {
            for _ in 0..tasks {
                let follows = self.task.follows(schedule.end());
                schedule.add(follows);
            }
        });
    }

    /// No more tasks will be added: when all are committed, that is the end.
    pub(crate) fn close(&self, call: &impl Fn()) {
        self.update(By::Other, call, Schedule::close);
    }

    /// Commits that many tasks and no more for now. Without a word from here, all that there are.
    pub(crate) fn allow_commits(&self, tasks: usize, call: &impl Fn()) {
        self.update(By::Other, call, |schedule| schedule.allow_commits(tasks));
    }

    /// Ends everything now; what is not committed never will be.
    pub(crate) fn halt(&self, call: &impl Fn()) {
        self.update(By::Other, call, Schedule::halt);
    }

    /// The calling thread's part: works until all is committed, or a halt. `call` is to bring a helper, who calls
    /// [`help`](Self::help); `between` is called now and then, at least once after each commit.
    pub(crate) fn run(&self, call: &impl Fn(), between: &mut dyn FnMut()) {
        /// Ends the block when `between` panics: helpers are not to go on for nobody.
        struct OnPanic<'a>(&'a dyn Fn());
        impl Drop for OnPanic<'_> {
            fn drop(&mut self) {
                if std::thread::panicking() {
                    (self.0)();
                }
            }
        }
        let halt = || self.halt(call);
        let _guard = OnPanic(&halt);
        loop {
            let mut schedule = self.schedule.lock();
            if schedule.take_main_call() {
                drop(schedule);
                between();
                continue;
            }
            match self.next(&mut schedule) {
                Next::Job(job) => {
                    self.release(schedule, By::Worker(Busy::with(Some(&job))), call);
                    self.perform(job, call);
                }
                Next::Finished => {
                    self.release(schedule, By::Other, call);
                    between();
                    return;
                }
                Next::Nothing => {
                    schedule.park_main();
                    while schedule.is_main_parked() {
                        schedule = self.idle.wait(schedule);
                    }
                    schedule.looks();
                }
            }
        }
    }

    /// A helper's part: works while there is something to do.
    pub(crate) fn help(&self, call: &impl Fn()) {
        self.help_with(QUANTUM, call);
    }

    /// The part of a helper that has other things to do: it works, if there is something to do, on so many jobs and what follows
    /// from them at once. To be called as often as `call` was, as by [`help`](Self::help).
    pub(crate) fn help_with(&self, jobs: usize, call: &impl Fn()) {
        let mut schedule = self.schedule.lock();
        schedule.looks();
        for _ in 0..jobs {
            if schedule.has_too_many_helpers() {
                break;
            }
            let Next::Job(job) = self.next(&mut schedule) else { break };
            self.release(schedule, By::Worker(Busy::with(Some(&job))), call);
            self.perform(job, call);
            schedule = self.schedule.lock();
        }
        schedule.helper_leaves();
        self.release(schedule, By::Other, call);
    }

    /// The sink, and what was counted; or that something panicked.
    pub(crate) fn finish(self) -> Result<(S, Counters), Panicked> {
        match self.panicked.into_inner() {
            Some(panicked) => Err(panicked),
            None => Ok((self.sink.into_inner(), self.schedule.into_inner().counters)),
        }
    }

    /// The next job; the end if the task says so.
    fn next(&self, schedule: &mut Schedule<T>) -> Next<T> {
        if self.task.is_over() {
            schedule.halt();
        }
        schedule.next()
    }

    // ---- the lock

    fn update<R>(&self, by: By, call: &impl Fn(), change: impl FnOnce(&mut Schedule<T>) -> R) -> R {
        let mut schedule = self.schedule.lock();
        let result = change(&mut schedule);
        self.release(schedule, by, call);
        result
    }

    /// Unlocks the schedule, and calls those for whom it has jobs.
    fn release(&self, mut schedule: MutexGuard<'_, Schedule<T>>, by: By, call: &impl Fn()) {
        let Calls { main, helpers } = schedule.calls(by);
        let garbage = schedule.take_garbage();
        drop(schedule);
        drop(garbage);
        if main {
            self.idle.notify_all();
        }
        for _ in 0..helpers {
            call();
        }
    }

    // ---- jobs

    /// Does a job, and those that follow from it at once. A panic ends everything, but not its thread.
    fn perform(&self, job: Job<T>, call: &impl Fn()) {
        let performed = catch_unwind(AssertUnwindSafe(|| {
            let mut next = Some(job);
            while let Some(job) = next {
                next = match job {
                    Job::Execute(start) => self.execute(start, call),
                    Job::Settle(done) => self.settle(done, call),
                    Job::Commit(index, done) => self.commit(index, done, call),
                };
            }
        }));
        if let Err(panic) = performed {
            let message = panic
                .downcast_ref::<&str>()
                .map(|text| (*text).to_owned())
                .or_else(|| panic.downcast_ref::<String>().cloned())
                .unwrap_or_else(|| "a panic without a message".to_owned());
            self.panicked.lock().get_or_insert(Panicked(message));
            self.halt(call);
        }
    }

    fn execute(&self, start: Start<T>, call: &impl Fn()) -> Option<Job<T>> {
        let Start { run, published, mut kept, at_its_turn, is_alone } = start;
        let began = Moment::now();
        let part = if is_alone { Part::Alone } else { Part::Body };
        let view = View::new(self, &run, part);
        let executed = self.task.execute(run.index, &view, &mut kept);
        let (reads, interruption, mut counters) = view.into_parts();
        counters.run_nanoseconds = began.nanoseconds();
        let executed = match (executed, interruption) {
            (Some(executed), None) if at_its_turn || !executed.broken => executed,
            (executed, interruption) => {
                let otherwise =
                    if executed.is_some() { Interruption::UntilItsTurn } else { Interruption::Void };
                let interruption = interruption.unwrap_or(otherwise);
                return self.update_and_go_on(call, |schedule| {
                    schedule.counters.add_run(&counters);
                    schedule.counters.add_waste(Spent::on(&counters));
                    schedule.interrupted(&run, interruption, published, kept);
                    None
                });
            }
        };
        if is_alone {
            return self.go_on_alone(&run, &published, executed, counters, call);
        }
        let Executed { body, writes, steps, delta, unsettled, .. } = executed;
        let spent = Spent { steps, ..Spent::on(&counters) };
        let has_tail = delta.is_some();
        let mut voided = Vec::new();
        let published = self.publish(&run, &published, writes, &unsettled, [&reads, &[]], &mut voided);
        let done = Box::new(Done { run, body, reads, spent, has_tail, tail: None, published });
        self.update_and_go_on(call, |schedule| {
            schedule.counters.add_run(&counters);
            schedule.counters.add_steps(steps);
            schedule.executed(done, delta, kept, &voided)
        })
    }

    /// The rest of a task whose body ran when nothing else could: its tail and its commit, without telling anybody in between. What
    /// it read is what the committed tasks left, since nobody else could commit meanwhile.
    fn go_on_alone(
        &self,
        run: &Run,
        before: &[CellOf<T>],
        executed: Executed<T>,
        mut counters: Counters,
        call: &impl Fn(),
    ) -> Option<Job<T>> {
        let Executed { mut body, mut writes, delta, steps, .. } = executed;
        let mut tail = None;
        if delta.is_some() {
            let view = View::new(self, run, Part::Alone);
            let settled = self.task.settle(run.index, &mut body, &view);
            let (_, interruption, reads) = view.into_parts();
            counters.add_run(&reads);
            counters.settlements = 1;
            let (Some(settled), None) = (settled, interruption) else {
                // Only a halt can have kept it from that.
                return self.update_commit(call, |schedule| {
                    schedule.counters.add_run(&counters);
                    schedule.interrupted(run, Interruption::Void, before.to_vec(), None);
                    None
                });
            };
            writes = settled.writes;
            tail = Some(settled.tail);
        }
        let began = Moment::now();
        let mut voided = Vec::new();
        let taken = self.sink.lock().take(run.index, body, tail);
        if taken.is_continue() {
            self.memory.commit_writes(run.index, writes, before, &mut voided);
        }
        counters.alone = 1;
        counters.add_steps(steps);
        self.update_commit(call, |schedule| {
            counters.commit_nanoseconds = began.nanoseconds();
            schedule.counters.add_commit(&counters);
            schedule.call_main();
            match taken {
                ControlFlow::Continue(()) => schedule.committed_alone(&voided),
                ControlFlow::Break(()) => {
                    schedule.halt();
                    None
                }
            }
        })
    }

    /// Makes known what became of a job, and takes up the run that it made possible, if that is what comes next.
    fn update_and_go_on(
        &self,
        call: &impl Fn(),
        change: impl FnOnce(&mut Schedule<T>) -> Option<usize>,
    ) -> Option<Job<T>> {
        let mut schedule = self.schedule.lock();
        let woken = change(&mut schedule);
        let next = match woken {
            Some(woken) => match schedule.next() {
                Next::Job(job) => {
                    if matches!(&job, Job::Execute(start) if start.run.index == woken) {
                        count(&mut schedule.counters.handoffs);
                    }
                    Some(job)
                }
                Next::Nothing | Next::Finished => None,
            },
            None => None,
        };
        self.release(schedule, By::Worker(Busy::with(next.as_ref())), call);
        next
    }

    fn settle(&self, mut done: Box<Done<T>>, call: &impl Fn()) -> Option<Job<T>> {
        let mut voided = Vec::new();
        let counters = self.run_tail(&mut done, &mut voided);
        self.update_and_go_on(call, |schedule| {
            schedule.counters.add_run(&counters);
            count(&mut schedule.counters.settlements);
            schedule.settled(done, &voided)
        })
    }

    /// Runs the tail and publishes what it wrote. Without a tail afterwards: it was interrupted, or broke off too early.
    fn run_tail(&self, done: &mut Done<T>, voided: &mut Vec<Run>) -> Counters {
        done.tail = None;
        let run = done.run.clone();
        let view = View::new(self, &run, Part::Tail);
        let settled = self.task.settle(run.index, &mut done.body, &view);
        let is_last = view.is_last();
        let (reads, interruption, counters) = view.into_parts();
        if let (Some(Settled { tail, writes, broken }), None) = (settled, interruption)
            && (is_last || !broken)
        {
            done.published = self.publish(&run, &done.published, writes, &[], [&done.reads, &reads], voided);
            done.tail = Some((tail, reads));
        }
        counters
    }

    /// Makes writes visible, and takes back what an earlier publication of the task wrote elsewhere.
    fn publish(
        &self,
        run: &Run,
        before: &[CellOf<T>],
        writes: Vec<(T::Key, T::Value)>,
        unsettled: &[T::Key],
        reads: [&[Read<T>]; 2],
        voided: &mut Vec<Run>,
    ) -> Vec<CellOf<T>> {
        let mut published = Vec::with_capacity(writes.len().saturating_add(unsettled.len()));
        for key in unsettled {
            let cell = self.cell_of(key, reads);
            cell.write(run, None, false, voided);
            published.push(cell);
        }
        for (key, value) in writes {
            let cell = self.cell_of(&key, reads);
            if unsettled.contains(&key) {
                cell.write(run, Some(value), false, voided);
                continue;
            }
            cell.write(run, Some(value), true, voided);
            published.push(cell);
        }
        for cell in before {
            if !published.iter().any(|written| Arc::ptr_eq(written, cell)) {
                cell.remove(run.index, voided);
            }
        }
        published
    }

    /// A cell: most that are written were read before, and of few reads the right one is found sooner than in the memory.
    fn cell_of(&self, key: &T::Key, reads: [&[Read<T>]; 2]) -> CellOf<T> {
        let few = reads.into_iter().filter(|reads| reads.len() <= FEW_READS).flatten();
        match few.into_iter().find(|read| read.cell.key == *key) {
            Some(read) => Arc::clone(&read.cell),
            None => self.memory.cell(key),
        }
    }

    // ---- commits

    /// Commits a task if what it read is what the committed tasks left. One thread at a time is here.
    fn commit(&self, index: usize, mut done: Box<Done<T>>, call: &impl Fn()) -> Option<Job<T>> {
        let began = Moment::now();
        let mut voided = Vec::new();
        let is_current = |reads: &[Read<T>]| reads.iter().all(Read::is_current);

        if !is_current(&done.reads) {
            return self.update_commit(call, |schedule| {
                count(&mut schedule.counters.validations);
                schedule.stale_at_commit(done)
            });
        }
        let mut counters = Counters { validations: 1, ..Counters::default() };
        let is_settled = !done.has_tail || done.tail.as_ref().is_some_and(|(_, reads)| is_current(reads));
        if !is_settled {
            counters.settlements = 1;
            counters.resettlements = u64::from(done.tail.is_some());
            counters.add_run(&self.run_tail(&mut done, &mut voided));
            if !done.tail.as_ref().is_some_and(|(_, reads)| is_current(reads)) {
                // All tasks before it are committed, so only a halt can have kept it from that.
                return self.update_commit(call, |schedule| {
                    if schedule.is_halted() { None } else { schedule.stale_at_commit(done) }
                });
            }
        }
        let Done { body, tail, published, .. } = *done;
        let taken = self.sink.lock().take(index, body, tail.map(|(tail, _)| tail));
        if taken.is_continue() {
            self.memory.commit(index, &published);
        }
        self.update_commit(call, |schedule| {
            counters.commit_nanoseconds = began.nanoseconds();
            schedule.counters.add_commit(&counters);
            schedule.call_main();
            match taken {
                ControlFlow::Continue(()) => schedule.committed(&voided),
                ControlFlow::Break(()) => {
                    schedule.halt();
                    None
                }
            }
        })
    }

    fn update_commit(
        &self,
        call: &impl Fn(),
        change: impl FnOnce(&mut Schedule<T>) -> Option<Job<T>>,
    ) -> Option<Job<T>> {
        let mut schedule = self.schedule.lock();
        let next = change(&mut schedule);
        self.release(schedule, By::Worker(Busy::with(next.as_ref())), call);
        next
    }
}
