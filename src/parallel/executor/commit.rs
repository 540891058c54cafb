//! Commits: where a result is compared with what there is, and becomes final.
//!
//! In: a task that has run, all before it being committed. Out: its result in the sink and its writes in the memory; or it runs
//! again. One thread at a time is here.

use std::ops::ControlFlow;

use super::super::schedule::{Busy, By, Done, Job, Schedule};
use super::super::stats::{Counters, count};
use super::super::task::{Sink, Task};
use super::super::versioned_memory::Run;
use super::super::view::Read;
use super::{Engine, Shift};
use crate::sync::Moment;

impl<T: Task, S: Sink<T>> Engine<T, S> {
    /// Commits a task if what it read is what the committed tasks left. One thread at a time is here.
    pub(super) fn commit(
        &self,
        index: usize,
        mut done: Box<Done<T>>,
        shift: &Shift<T>,
        call: &impl Fn(),
    ) -> Option<Job<T>> {
        let began = Moment::now();
        let epoch = self.memory.epoch();
        let is_current = |reads: &[Read<T>]| reads.iter().all(|read| read.is_current(&self.memory, epoch));

        if !is_current(&done.reads) {
            return self.update_commit(shift, call, |schedule| {
                count(&mut schedule.counters.validations);
                schedule.stale_at_commit(done)
            });
        }
        let mut counters = Counters { validations: 1, ..Counters::default() };
        let is_settled = !done.has_tail || done.tail.as_ref().is_some_and(|reads| is_current(reads));
        let (flow, voided) = if is_settled {
            let Done { body, published, .. } = *done;
            let flow = self.sink.lock().take(index, body);
            if flow.is_continue() {
                self.memory.commit(index, &published.locations);
            }
            (flow, Vec::new())
        } else {
            counters.resettlements = u64::from(done.tail.take().is_some());
            let run = done.run.clone();
            if !self.settle_alone(&run, &mut done.body, &mut counters, shift) {
                // There was a halt, or the body has to run again.
                return self.update_commit(shift, call, |schedule| {
                    if schedule.is_halted() { None } else { schedule.stale_at_commit(done) }
                });
            }
            let Done { body, published, .. } = *done;
            self.take(&run, body, &published.locations)
        };
        counters.commit_nanoseconds = began.nanoseconds();
        self.end_commit(flow, &voided, &counters, shift, call, Schedule::committed)
    }

    /// Makes known that a task is committed: by `committed`, unless there is an end.
    pub(super) fn end_commit(
        &self,
        flow: ControlFlow<()>,
        voided: &[Run],
        counters: &Counters,
        shift: &Shift<T>,
        call: &impl Fn(),
        committed: fn(&mut Schedule<T>, &[Run]) -> Option<Job<T>>,
    ) -> Option<Job<T>> {
        self.update_commit(shift, call, |schedule| {
            schedule.counters.add_commit(counters);
            schedule.call_main();
            match flow {
                ControlFlow::Continue(()) => committed(schedule, voided),
                ControlFlow::Break(()) => {
                    schedule.halt();
                    None
                }
            }
        })
    }

    /// Makes known what became of a commit, and takes up what follows from it, or whatever comes next.
    pub(super) fn update_commit(
        &self,
        shift: &Shift<T>,
        call: &impl Fn(),
        change: impl FnOnce(&mut Schedule<T>) -> Option<Job<T>>,
    ) -> Option<Job<T>> {
        let mut schedule = self.schedule.lock();
        let mut next = change(&mut schedule);
        if next.is_none() && shift.goes_on(&schedule) {
            next = self.next(&mut schedule, shift).job();
        }
        self.release(schedule, By::Worker(Busy::with(next.as_ref())), call);
        next
    }
}
