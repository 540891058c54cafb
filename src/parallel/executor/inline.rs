//! Tasks that go straight to their commit: those that run when nothing else runs or could, and those whose turn it is when their
//! body has ended.
//!
//! In: a task whose turn it is. Out: its result in the sink and its writes in the memory. Nobody is told of what it reads from here
//! on, and nothing of that need be compared, since nobody else can commit meanwhile.

use std::ops::ControlFlow;

use super::super::schedule::{Job, Schedule, Start};
use super::super::stats::{Counters, Spent, count};
use super::super::task::{Executed, Sink, Straight, Task};
use super::super::versioned_memory::{Location, Run};
use super::super::view::{Interruption, Part, Read, Reads, View};
use super::{Engine, Shift};
use crate::sync::{Moment, Ordering};

/// One of so many goes by the memory all the same, which counts what it asks the host for, and how long that takes.
const COUNTED: usize = 16;

impl<T: Task, S: Sink<T>> Engine<T, S> {
    /// Has the sink run a task that is alone, on the state that is there, if it can. What an earlier run left is of use to a run by
    /// the memory only.
    pub(super) fn run_straight(
        &self,
        start: Start<T>,
        shift: &Shift<T>,
        call: &impl Fn(),
    ) -> ControlFlow<Option<Job<T>>, Start<T>> {
        let is_counted = start.run.index.is_multiple_of(COUNTED);
        if !start.is_alone || start.earlier.is_some() || is_counted {
            return ControlFlow::Continue(start);
        }
        let Start { run, published, .. } = &start;
        let began = Moment::now();
        let ran = self.sink.lock().run_and_take(&self.task, run.index, run.flag());
        if ran.is_some() {
            self.ran_straight.store(true, Ordering::Release);
        }
        let mut counters = Counters { run_nanoseconds: began.nanoseconds(), alone: 1, ..Counters::default() };
        match ran {
            None => ControlFlow::Continue(start),
            Some(Straight::Taken { flow, writes, steps }) => {
                counters.add_steps(steps);
                let voided = self.commit_writes(run, flow, writes, published);
                ControlFlow::Break(self.end_commit(
                    flow,
                    &voided,
                    &counters,
                    shift,
                    call,
                    Schedule::committed_alone,
                ))
            }
            Some(Straight::Stopped) => ControlFlow::Break(self.update_commit(shift, call, |schedule| {
                schedule.counters.add_run(&counters);
                schedule.interrupted(run, Interruption::Void, published.clone(), None);
                None
            })),
        }
    }

    /// The rest of a task whose turn it is when its body has ended, if what that read is what the committed tasks left: as for those
    /// that ran alone. Its writes are made known once, all at the same time, with nothing between this and the next task.
    #[expect(clippy::too_many_arguments, reason = "all that there is of a run")]
    pub(super) fn go_on_at_its_turn(
        &self,
        run: &Run,
        published: Vec<Location>,
        executed: Executed<T>,
        reads: Vec<Read<T>>,
        mut counters: Counters,
        shift: &Shift<T>,
        call: &impl Fn(),
    ) -> Option<Job<T>> {
        let epoch = self.memory.epoch();
        counters.validations = 1;
        if reads.iter().all(|read| read.is_current(&self.memory, epoch)) {
            return self.go_on_alone(run, &published, executed, counters, shift, call);
        }
        let kept = self.task.keep(executed.body, Reads(reads));
        self.update_commit(shift, call, |schedule| {
            schedule.counters.add_run(&counters);
            schedule.counters.add_waste(Spent { steps: executed.steps, ..Spent::on(&counters) });
            count(&mut schedule.counters.validations);
            schedule.stale_at_its_turn(run, published, kept)
        })
    }

    /// The rest of a task, of which the body's reads are what the committed tasks left: its tail and its commit, without telling
    /// anybody in between.
    pub(super) fn go_on_alone(
        &self,
        run: &Run,
        before: &[Location],
        executed: Executed<T>,
        mut counters: Counters,
        shift: &Shift<T>,
        call: &impl Fn(),
    ) -> Option<Job<T>> {
        let Executed { mut body, delta, steps, .. } = executed;
        if delta.is_some() && !self.settle_alone(run, &mut body, &mut counters, shift) {
            // Only a halt can have kept it from that.
            return self.update_commit(shift, call, |schedule| {
                schedule.counters.add_run(&counters);
                schedule.interrupted(run, Interruption::Void, before.to_vec(), None);
                None
            });
        }
        let began = Moment::now();
        let (flow, voided) = self.take(run, body, before);
        counters.commit_nanoseconds = began.nanoseconds();
        counters.add_steps(steps);
        self.end_commit(flow, &voided, &counters, shift, call, Schedule::committed_alone)
    }

    /// Runs the tail of a task, all before it being committed: what it reads cannot change. Says whether it ran to its end.
    pub(super) fn settle_alone(
        &self,
        run: &Run,
        body: &mut T::Body,
        counters: &mut Counters,
        shift: &Shift<T>,
    ) -> bool {
        let view = View::new(self, run, Part::Alone, &shift.steady);
        let settled = self.task.settle(run.index, body, &view);
        let (_, interruption, reads) = view.into_parts();
        counters.add_run(&reads);
        counters.settlements = 1;
        settled.is_some() && interruption.is_none()
    }

    /// Has the sink take a body, and makes known what that wrote; with the runs above that saw something else. `before` is where it
    /// was published, or an earlier run of it.
    pub(super) fn take(&self, run: &Run, body: T::Body, before: &[Location]) -> (ControlFlow<()>, Vec<Run>) {
        let writes = self.task.writes(&body);
        let flow = self.sink.lock().take(run.index, body);
        (flow, self.commit_writes(run, flow, writes, before))
    }

    fn commit_writes(
        &self,
        run: &Run,
        flow: ControlFlow<()>,
        writes: Vec<(T::Key, T::Value)>,
        before: &[Location],
    ) -> Vec<Run> {
        let mut voided = Vec::new();
        if flow.is_continue() {
            // Once it has run tasks straight, the sink knows all that was committed.
            let is_in_sink = self.ran_straight.load(Ordering::Acquire);
            self.memory.commit_writes(run.index, writes, is_in_sink, before, &mut voided);
        }
        voided
    }
}
