//! Doing a job: running a body or a tail, and making known what it wrote.
//!
//! In: a job. Out: its results in the memory and the schedule, and perhaps the next job, which its thread had best do itself.

use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::super::schedule::{Busy, By, Done, Earlier, Job, Next, Published, Schedule, Start};
use super::super::stats::{Counters, Spent, count};
use super::super::task::{Executed, Settled, Sink, Task};
use super::super::versioned_memory::{Location, Run};
use super::super::view::{Interruption, Part, Reads, View};
use super::{Engine, Panicked, Shift};
use crate::sync::Moment;

impl<T: Task, S: Sink<T>> Engine<T, S> {
    /// Does a job, and those after it as long as the shift goes on. A panic ends everything, but not its thread.
    pub(super) fn perform(&self, job: Job<T>, shift: &Shift<T>, call: &impl Fn()) {
        let performed = catch_unwind(AssertUnwindSafe(|| {
            let mut next = Some(job);
            while let Some(job) = next {
                next = match job {
                    Job::Execute(start) => self.execute(start, shift, call),
                    Job::Settle(done) => self.settle(done, shift, call),
                    Job::Commit(index, done) => self.commit(index, done, shift, call),
                };
            }
        }));
        if let Err(panic) = performed {
            let message = crate::panic::message(panic.as_ref());
            self.panicked.lock().get_or_insert(Panicked(message));
            self.halt(call);
        }
    }

    fn execute(&self, start: Start<T>, shift: &Shift<T>, call: &impl Fn()) -> Option<Job<T>> {
        let start = match self.run_straight(start, shift, call) {
            ControlFlow::Continue(start) => start,
            ControlFlow::Break(next) => return next,
        };
        let Start { run, published, earlier, at_its_turn, is_alone } = start;
        let kept = earlier.and_then(|earlier| match earlier {
            Earlier::Interrupted(kept) => Some(kept),
            Earlier::Ended(done) => self.task.keep(done.body, Reads(done.reads)),
        });
        let began = Moment::now();
        let part = if is_alone { Part::Alone } else { Part::Body };
        let view = View::new(self, &run, part, &shift.steady);
        let executed = self.task.execute(run.index, &view, kept);
        let (reads, interruption, mut counters) = view.into_parts();
        counters.run_nanoseconds = began.nanoseconds();
        let executed = match (executed, interruption) {
            (Ok(executed), None) if at_its_turn || !executed.broken => executed,
            (executed, interruption) => {
                let (kept, otherwise) = match executed {
                    Ok(executed) => (self.task.keep(executed.body, Reads(reads)), Interruption::UntilItsTurn),
                    Err(kept) => (kept, Interruption::Void),
                };
                let interruption = interruption.unwrap_or(otherwise);
                return self.update_and_go_on(shift, call, |schedule| {
                    schedule.counters.add_run(&counters);
                    schedule.counters.add_waste(Spent::on(&counters));
                    schedule.interrupted(&run, interruption, published, kept);
                    None
                });
            }
        };
        if is_alone {
            counters.alone = 1;
            return self.go_on_alone(&run, &published, executed, counters, shift, call);
        }
        if self.memory.committed() == run.index
            && self.schedule.lock().takes_its_turn(&run, executed.delta.clone())
        {
            return self.go_on_at_its_turn(&run, published, executed, reads, counters, shift, call);
        }
        let Executed { body, steps, delta, unsettled, .. } = executed;
        let writes = self.task.writes(&body);
        let spent = Spent { steps, ..Spent::on(&counters) };
        let has_tail = delta.is_some();
        let mut voided = Vec::new();
        let published = self.publish(&run, &published, None, writes, &unsettled, &mut voided);
        let worker = shift.number;
        let done = Box::new(Done { run, worker, body, reads, spent, has_tail, tail: None, published });
        self.update_and_go_on(shift, call, |schedule| {
            schedule.counters.add_run(&counters);
            schedule.counters.add_steps(steps);
            schedule.executed(done, delta, &voided)
        })
    }

    /// Makes known what became of a job, and takes up the run that it made possible, or whatever comes next.
    fn update_and_go_on(
        &self,
        shift: &Shift<T>,
        call: &impl Fn(),
        change: impl FnOnce(&mut Schedule<T>) -> Option<usize>,
    ) -> Option<Job<T>> {
        let mut schedule = self.schedule.lock();
        let woken = change(&mut schedule);
        let next = if woken.is_some() || shift.goes_on(&schedule) {
            self.next(&mut schedule, shift)
        } else {
            Next::Nothing
        };
        let next = next.job();
        if woken.is_some_and(|woken| matches!(&next, Some(Job::Execute(start)) if start.run.index == woken)) {
            count(&mut schedule.counters.handoffs);
        }
        self.release(schedule, By::Worker(Busy::with(next.as_ref())), call);
        next
    }

    fn settle(&self, mut done: Box<Done<T>>, shift: &Shift<T>, call: &impl Fn()) -> Option<Job<T>> {
        let mut voided = Vec::new();
        let counters = self.run_tail(&mut done, shift, &mut voided);
        self.update_and_go_on(shift, call, |schedule| {
            schedule.counters.add_run(&counters);
            count(&mut schedule.counters.settlements);
            schedule.settled(done, &voided)
        })
    }

    /// Runs the tail and publishes what it wrote. Without a tail afterwards: it was interrupted, or broke off too early.
    fn run_tail(&self, done: &mut Done<T>, shift: &Shift<T>, voided: &mut Vec<Run>) -> Counters {
        done.tail = None;
        let run = done.run.clone();
        let view = View::new(self, &run, Part::Tail, &shift.steady);
        let settled = self.task.settle(run.index, &mut done.body, &view);
        let is_last = view.is_last();
        let (reads, interruption, counters) = view.into_parts();
        if let (Some(Settled { broken }), None) = (settled, interruption)
            && (is_last || !broken)
        {
            let writes = self.task.writes(&done.body);
            let before = &done.published;
            done.published = self.publish(&run, &before.locations, Some(before), writes, &[], voided);
            done.tail = Some(reads);
        }
        counters
    }

    /// Makes writes visible, and takes back what an earlier publication of the task wrote elsewhere. What the same run, `earlier`,
    /// has published already is not touched again.
    fn publish(
        &self,
        run: &Run,
        before: &[Location],
        earlier: Option<&Published<T>>,
        writes: Vec<(T::Key, T::Value)>,
        unsettled: &[T::Key],
        voided: &mut Vec<Run>,
    ) -> Published<T> {
        let mut published = Published::with_room(writes.len().saturating_add(unsettled.len()));
        for key in unsettled {
            let location = self.memory.write(key, run, None, false, voided);
            published.push(key.clone(), None, location);
        }
        for (key, value) in writes {
            if let Some(location) = earlier.and_then(|earlier| earlier.find(&key, &value)) {
                published.push(key, Some(value), location);
                continue;
            }
            let is_settled = !unsettled.contains(&key);
            let written = Some(value.clone());
            let location = self.memory.write(&key, run, written, is_settled, voided);
            if is_settled {
                published.push(key, Some(value), location);
            }
        }
        for location in before {
            if !published.locations.contains(location) {
                self.memory.remove(*location, run.index, voided);
            }
        }
        published
    }
}
