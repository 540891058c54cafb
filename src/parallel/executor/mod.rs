//! The executor: worker threads that execute tasks, run fee phases, publish writes and commit.
//!
//! Input: a task family, a sink, threads. Output: results in the sink, in commit order. The calling thread
//! takes part in the work, so a thread pool that is busy elsewhere never blocks a block; helpers are
//! requested as jobs become available, and leave when there are none.

mod commit;
mod context;
mod inline;
mod job;

use std::cell::{Cell, RefCell};

use super::config::ParallelConfig;
use super::read_cache::ReadCache;
use super::schedule::{Busy, Caller, NextJob, Schedule, Wakeups};
use super::stats::ParallelStats;
use super::task::{Sink, Task};
use super::versioned_memory::VersionedMemory;
use crate::sync::{AtomicBool, CachePadded, Condvar, Mutex, MutexGuard, Ordering};

/// The number of jobs after which a helper returns its thread to the pool.
const JOBS_PER_HELP: usize = 32;

/// The message of a panic in the task, in the sink or in this module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Panicked(pub(crate) String);

/// A thread while it works for the executor.
pub(super) struct Worker<T: Task> {
    /// The worker's number; unique among the workers that are active.
    id: usize,
    role: Role,
    pub(super) cache: RefCell<ReadCache<T>>,
}

/// The ids and read caches of workers that are not active.
struct InactiveWorkers<T: Task> {
    workers: Vec<(usize, ReadCache<T>)>,
    /// The number of ids in use, active ones included.
    ids: usize,
}

/// The condition under which a worker stops taking jobs.
enum Role {
    /// The main thread works until it is notified.
    Main,
    /// A helper works for this many further jobs.
    Helper(Cell<usize>),
}

impl<T: Task> Worker<T> {
    fn takes_next_job(&self, schedule: &Schedule<T>) -> bool {
        match &self.role {
            Role::Main => !schedule.is_main_notified(),
            Role::Helper(jobs) => match jobs.get().checked_sub(1) {
                Some(remaining) => {
                    jobs.set(remaining);
                    !schedule.has_too_many_helpers()
                }
                None => false,
            },
        }
    }
}

/// The parallel execution of one ordered list of tasks.
pub(crate) struct ParallelExecutor<T: Task, S> {
    pub(super) task: T,
    pub(super) memory: VersionedMemory<T::Key, T::Value>,
    pub(super) schedule: CachePadded<Mutex<Schedule<T>>>,
    /// Locked by the thread that commits.
    sink: CachePadded<Mutex<S>>,
    /// `true` if the sink may know committed values that the memory does not have.
    has_executed_inline: AtomicBool,
    inactive: Mutex<InactiveWorkers<T>>,
    /// The main thread waits here while there is nothing to do.
    main_parked: Condvar,
    panicked: Mutex<Option<Panicked>>,
}

impl<T: Task, S: Sink<T>> ParallelExecutor<T, S> {
    /// Creates an executor without tasks.
    pub(crate) fn new(task: T, sink: S, config: ParallelConfig) -> Self {
        Self {
            task,
            memory: VersionedMemory::new(config.shards),
            schedule: CachePadded(Mutex::new(Schedule::new(config))),
            sink: CachePadded(Mutex::new(sink)),
            has_executed_inline: AtomicBool::new(false),
            inactive: Mutex::new(InactiveWorkers { workers: Vec::new(), ids: 0 }),
            main_parked: Condvar::default(),
            panicked: Mutex::new(None),
        }
    }

    /// Locks the sink; waits for a commit that is in progress.
    pub(crate) fn sink(&self) -> MutexGuard<'_, S> {
        self.sink.lock()
    }

    /// Returns the first panic, if there was one.
    pub(crate) fn panicked(&self) -> Option<Panicked> {
        self.panicked.lock().clone()
    }

    /// Sets the value of a key before the first task, where it differs from the loaded one.
    pub(crate) fn seed(&self, key: &T::Key, value: T::Value) {
        self.memory.seed(key, value);
    }

    /// Appends `n` tasks. `request_helper` must arrange for a thread to call [`help`](Self::help), here and
    /// below.
    pub(crate) fn add(&self, n: usize, request_helper: &impl Fn()) {
        self.update(Caller::Other, request_helper, |schedule| {
            for _ in 0..n {
                let predecessor = self.task.predecessor(schedule.end());
                schedule.add(predecessor);
            }
        });
    }

    /// Declares that no more tasks will be added: the executor finishes when all are committed.
    pub(crate) fn close(&self, request_helper: &impl Fn()) {
        self.update(Caller::Other, request_helper, Schedule::close);
    }

    /// Allows the first `n` tasks to be committed; without a call, all of them.
    pub(crate) fn limit_commits(&self, n: usize, request_helper: &impl Fn()) {
        self.update(Caller::Other, request_helper, |schedule| schedule.limit_commits(n));
    }

    /// Stops all work. Tasks that are not committed never will be.
    pub(crate) fn halt(&self, request_helper: &impl Fn()) {
        self.update(Caller::Other, request_helper, Schedule::halt);
    }

    /// Works on the calling thread until all tasks are committed or the executor is halted. `on_commits` is
    /// called between jobs, at least once after each commit.
    pub(crate) fn run(&self, request_helper: &impl Fn(), on_commits: &mut dyn FnMut()) {
        /// Halts the executor if `on_commits` panics: no result would be delivered any more.
        struct HaltOnPanic<'a>(&'a dyn Fn());
        impl Drop for HaltOnPanic<'_> {
            fn drop(&mut self) {
                if std::thread::panicking() {
                    (self.0)();
                }
            }
        }
        let halt = || self.halt(request_helper);
        let _guard = HaltOnPanic(&halt);
        let worker = self.worker(Role::Main);
        loop {
            let mut schedule = self.schedule.lock();
            if schedule.take_main_notification() {
                drop(schedule);
                on_commits();
                continue;
            }
            match self.next_job(&mut schedule, &worker) {
                NextJob::Job(job) => {
                    self.release(schedule, Caller::Worker(Busy::with(Some(&job))), request_helper);
                    self.perform(job, &worker, request_helper);
                }
                NextJob::Finished => {
                    self.release(schedule, Caller::Other, request_helper);
                    on_commits();
                    return;
                }
                NextJob::Nothing => {
                    schedule.park_main();
                    while schedule.is_main_parked() {
                        schedule = self.main_parked.wait(schedule);
                    }
                    schedule.begin_search();
                }
            }
        }
    }

    /// Works as a helper while there are jobs.
    pub(crate) fn help(&self, request_helper: &impl Fn()) {
        self.help_for(JOBS_PER_HELP, request_helper);
    }

    /// Works as a helper for at most `jobs` jobs and the commits that follow from them at once. Either this
    /// or [`help`](Self::help) must be called once for each request.
    pub(crate) fn help_for(&self, jobs: usize, request_helper: &impl Fn()) {
        let worker = self.worker(Role::Helper(Cell::new(jobs)));
        let mut schedule = self.schedule.lock();
        schedule.begin_search();
        while worker.takes_next_job(&schedule) {
            let NextJob::Job(job) = self.next_job(&mut schedule, &worker) else { break };
            self.release(schedule, Caller::Worker(Busy::with(Some(&job))), request_helper);
            self.perform(job, &worker, request_helper);
            schedule = self.schedule.lock();
        }
        schedule.helper_leaves();
        self.release(schedule, Caller::Other, request_helper);
        self.inactive.lock().workers.push((worker.id, worker.cache.into_inner()));
    }

    fn worker(&self, role: Role) -> Worker<T> {
        let mut inactive = self.inactive.lock();
        let (id, cache) = inactive.workers.pop().unwrap_or_else(|| {
            let id = inactive.ids;
            inactive.ids = id.saturating_add(1);
            (id, ReadCache::default())
        });
        Worker { id, role, cache: RefCell::new(cache) }
    }

    /// Returns the sink and the statistics, or the panic that ended the execution; and the memory, which
    /// takes long to drop.
    #[expect(clippy::type_complexity, reason = "used in one place")]
    pub(crate) fn finish(self) -> (Result<(S, ParallelStats), Panicked>, VersionedMemory<T::Key, T::Value>) {
        let result = match self.panicked.into_inner() {
            Some(panicked) => Err(panicked),
            None => Ok((self.sink.0.into_inner(), self.schedule.0.into_inner().stats)),
        };
        (result, self.memory)
    }

    /// Returns the next job, after halting the executor if the task is cancelled.
    fn next_job(&self, schedule: &mut Schedule<T>, worker: &Worker<T>) -> NextJob<T> {
        if self.task.is_cancelled() {
            schedule.halt();
        }
        schedule.next(worker.id)
    }

    /// Loads a value that is not in memory: the committed one if the sink knows it, otherwise the host's.
    pub(super) fn load(&self, key: &T::Key) -> Result<T::Value, T::Error> {
        if self.has_executed_inline.load(Ordering::Acquire)
            && let Some(value) = self.sink.lock().committed_value(key)
        {
            return Ok(value);
        }
        self.task.load(key)
    }

    fn update<R>(
        &self,
        caller: Caller,
        request_helper: &impl Fn(),
        change: impl FnOnce(&mut Schedule<T>) -> R,
    ) -> R {
        let mut schedule = self.schedule.lock();
        let result = change(&mut schedule);
        self.release(schedule, caller, request_helper);
        result
    }

    /// Unlocks the schedule and wakes the threads that it has jobs for.
    fn release(&self, mut schedule: MutexGuard<'_, Schedule<T>>, caller: Caller, request_helper: &impl Fn()) {
        let Wakeups { main, helpers } = schedule.wakeups(caller);
        drop(schedule);
        if main {
            self.main_parked.notify_all();
        }
        for _ in 0..helpers {
            request_helper();
        }
    }
}
