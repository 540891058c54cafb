//! The workers: what a job is to do, in which order it is made known, and the commits.
//!
//! In: a task, a sink, threads that lend themselves. Out: results in the sink, in order. The calling thread takes part in the work,
//! so that a pool that is busy elsewhere never stops a block; helpers are called as jobs turn up, and leave when there are none.

mod commit;
mod inline;
mod job;

use std::cell::{Cell, RefCell};

use super::read_cache::Steady;
use super::schedule::{Busy, By, Calls, Next, Schedule};
use super::stats::Counters;
use super::task::{Sink, Task};
use super::versioned_memory::Memory;
use crate::sync::{Apart, AtomicBool, Condvar, Mutex, MutexGuard, Ordering};

/// How many jobs a helper does before it lets others have its thread.
const QUANTUM: usize = 32;

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
    /// Whether tails run as soon as they can, beside each other, rather than at their commits, where they read what is final and
    /// need not be told to anybody. Of use where one thread has not the time to do all of them.
    pub(crate) settles_early: bool,
}

/// Some code of the task, the sink or this room panicked; with what it said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Panicked(pub(crate) String);

/// A thread's time with the engine.
pub(super) struct Shift<T: Task> {
    /// No two threads that are at work have the same.
    number: usize,
    worker: Worker,
    /// What the thread remembers.
    pub(super) steady: RefCell<Steady<T>>,
}

/// Threads that left and may come back.
struct Absent<T: Task> {
    threads: Vec<(usize, Steady<T>)>,
    /// How many numbers were given.
    numbers: usize,
}

/// How long a thread goes from one job to the next before it looks at other things.
enum Worker {
    /// The calling thread, until it is called.
    Main,
    /// A helper, for so many jobs more.
    Helper(Cell<usize>),
}

impl<T: Task> Shift<T> {
    fn goes_on(&self, schedule: &Schedule<T>) -> bool {
        match &self.worker {
            Worker::Main => !schedule.is_main_called(),
            Worker::Helper(jobs) => match jobs.get().checked_sub(1) {
                Some(left) => {
                    jobs.set(left);
                    !schedule.has_too_many_helpers()
                }
                None => false,
            },
        }
    }
}

/// One list of tasks under way.
pub(crate) struct Engine<T: Task, S> {
    pub(super) task: T,
    pub(super) memory: Memory<T::Key, T::Value>,
    pub(super) schedule: Apart<Mutex<Schedule<T>>>,
    /// Taken by the one thread that commits.
    sink: Apart<Mutex<S>>,
    /// Whether the sink may know cells that the memory does not.
    ran_straight: AtomicBool,
    /// The numbers of threads that are not at work, with what they remember.
    absent: Mutex<Absent<T>>,
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
            schedule: Apart(Mutex::new(Schedule::new(limits))),
            sink: Apart(Mutex::new(sink)),
            ran_straight: AtomicBool::new(false),
            absent: Mutex::new(Absent { threads: Vec::new(), numbers: 0 }),
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
        let shift = self.shift(Worker::Main);
        loop {
            let mut schedule = self.schedule.lock();
            if schedule.take_main_call() {
                drop(schedule);
                between();
                continue;
            }
            match self.next(&mut schedule, &shift) {
                Next::Job(job) => {
                    self.release(schedule, By::Worker(Busy::with(Some(&job))), call);
                    self.perform(job, &shift, call);
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
        let shift = self.shift(Worker::Helper(Cell::new(jobs)));
        let mut schedule = self.schedule.lock();
        schedule.looks();
        while shift.goes_on(&schedule) {
            let Next::Job(job) = self.next(&mut schedule, &shift) else { break };
            self.release(schedule, By::Worker(Busy::with(Some(&job))), call);
            self.perform(job, &shift, call);
            schedule = self.schedule.lock();
        }
        schedule.helper_leaves();
        self.release(schedule, By::Other, call);
        self.absent.lock().threads.push((shift.number, shift.steady.into_inner()));
    }

    fn shift(&self, worker: Worker) -> Shift<T> {
        let mut absent = self.absent.lock();
        let (number, steady) = absent.threads.pop().unwrap_or_else(|| {
            let number = absent.numbers;
            absent.numbers = number.saturating_add(1);
            (number, Steady::default())
        });
        Shift { number, worker, steady: RefCell::new(steady) }
    }

    /// The sink, and what was counted; or that something panicked. And what is left over, which takes a while to drop.
    #[expect(clippy::type_complexity, reason = "said here once")]
    pub(crate) fn finish(self) -> (Result<(S, Counters), Panicked>, Memory<T::Key, T::Value>) {
        let result = match self.panicked.into_inner() {
            Some(panicked) => Err(panicked),
            None => Ok((self.sink.0.into_inner(), self.schedule.0.into_inner().counters)),
        };
        (result, self.memory)
    }

    /// The next job; the end if the task says so.
    fn next(&self, schedule: &mut Schedule<T>, shift: &Shift<T>) -> Next<T> {
        if self.task.is_over() {
            schedule.halt();
        }
        schedule.next(shift.number)
    }

    /// What a cell has before the first task that is not committed.
    pub(super) fn load(&self, key: &T::Key) -> Result<T::Value, T::Error> {
        if self.ran_straight.load(Ordering::Acquire)
            && let Some(value) = self.sink.lock().known(key)
        {
            return Ok(value);
        }
        self.task.load(key)
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
        drop(schedule);
        if main {
            self.idle.notify_all();
        }
        for _ in 0..helpers {
            call();
        }
    }
}
