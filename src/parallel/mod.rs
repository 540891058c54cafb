//! Optimistic parallel execution of an ordered list of tasks, with the results of sequential execution.
//!
//! Input: a [`Task`] (load, execute, fee phase), a [`Sink`] that takes results in commit order, threads.
//! Output: the results, in order, as soon as they are final; [`ParallelStats`]. Knows keys, values and
//! deltas, not their meaning. The design is that of Block-STM: a multi-version memory, optimistic execution,
//! validation, and re-execution after a conflict.
//!
//! # Definitions
//!
//! * An *incarnation* is one execution of a task. Its *read set* are the values that it has read, its *write
//!   set* those that it has written. *Publishing* puts the write set into the versioned memory as versions of
//!   the task.
//! * A read takes the newest version of an earlier task, or the *base*: the committed value, or the one
//!   loaded from the host.
//! * *Validation* compares a read set with the committed values, by value: a write of an equal value is no
//!   conflict.
//! * An *abort* discards an incarnation. Its published versions become *estimates*: an earlier task will
//!   probably write there.
//! * The *fee phase* is the last phase of a task, with a read set of its own. Fee phases of many tasks add to
//!   the same cell, by an amount that is known after the execution: the *delta*.
//! * *Commit order* is the order of the list. Tasks are committed one at a time.
//!
//! # Invariants
//!
//! *A task is committed only if every value in its read set equals the committed value.* A commit validates
//! the read set, except for reads made while the task was next in commit order, when no other task can commit
//! and the values are final. A task's result is a function of its index and of the values that it reads. By
//! induction over the commits, each result is that of sequential execution. Every other mechanism (registered
//! readers, estimates, aborts, deltas, the order of jobs) saves work and cannot change a result.
//!
//! # Operations
//!
//! * [`versioned_memory`] registers the reads of executions. A published value that differs from the value
//!   that a later task has read *aborts* that task's incarnation: a running one is interrupted, an executed
//!   one becomes an estimate. Base values are loaded without a lock, once per key.
//! * [`schedule`] gives out the lowest runnable task first. A task that reads an estimate waits for the
//!   execution, or the fee phase, of its writer. After two aborts a task waits for the commit of the task
//!   that aborted it, later until it is next in commit order, when nothing can abort it.
//! * [`concurrency_limit`] bounds the number of speculative executions by the share that is wasted.
//! * *Fee phases.* With few threads a fee phase runs at its commit, on final values. With many it runs
//!   speculatively once all earlier tasks have executed: the deltas give the value that the shared cell will
//!   have ([`View::peek`], [`View::assume`]), so fee phases run in parallel. If the commit finds another
//!   value, only the fee phase runs again.
//! * *Inline commits* ([`executor`]). A task that is next in commit order when its execution ends validates
//!   its read set and commits at once: writes are published once, and the scheduler is locked once. If no
//!   other task is runnable either, the task runs *serially*: without a read set and validation, and directly
//!   on the committed state if the sink has it. So a chain of dependent tasks costs what sequential execution
//!   costs.
//! * [`read_cache`]: values that hardly ever change are cached per thread until such a key is written.
//! * *Resumption.* An interrupted incarnation may return a prefix (a validated signature) that the next one
//!   resumes from if the prefix has read the same values.

mod concurrency_limit;
mod config;
mod executor;
mod incarnation;
mod read_cache;
mod schedule;
mod state_model;
mod stats;
mod task;
mod versioned_memory;
mod view;

pub use self::stats::ParallelStats;

pub(crate) use self::config::ParallelConfig;
pub(crate) use self::executor::{Panicked, ParallelExecutor};
pub(crate) use self::state_model::StateModel;
pub(crate) use self::task::{Charge, Executed, Inline, Sink, Task, TaskExecution};
pub(crate) use self::view::{LOADS_PER_SAMPLE, Peeked, ReadFailure, ReadSet, View, estimated_load_time};

/// The parts that loom explores one by one.
#[cfg(model = "loom")]
pub(crate) mod model {
    pub(crate) use super::versioned_memory::{
        Incarnation, ReadSource, Registration, VersionedMemory, VersionedRead,
    };
}
