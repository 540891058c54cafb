//! Optimistic parallel execution of an ordered list of tasks, with the same result as one after another.
//!
//! In: a [`Task`] (how to load, to execute, to settle), a [`Sink`] that takes results in order, threads. Out: the results, in
//! order, as soon as they are final; [`Counters`]. Knows keys, values and deltas, and nothing of what they mean.
//!
//! # Why the result is that of one after another
//!
//! *A task's result is committed only while every value that it read equals what the committed tasks before it left*: commits compare,
//! value by value, in order, one task at a time; what a task reads when all before it are committed and it alone may be committed
//! next (its tail, or all of it) is that value, and needs no comparison. A task is a function of its index and of what it reads. So, by
//! induction over the commits, each result is the one it would have had after those before it, and nothing else in this room can
//! change a result: neither what others read in between, nor who was told to stop, nor what anybody guessed. All of that only
//! saves work.
//!
//! # What saves work
//!
//! * [`versioned_memory`]: every cell has versions by task. A read takes the newest version below the reader, and leaves a note; a
//!   published value that differs from what a reader above saw *voids* that reader's run, which stops it in mid-execution, or marks
//!   what it had published as an estimate. Values are compared: who wrote the same again disturbs nobody. Host's values are loaded
//!   outside every lock, once each.
//! * [`schedule`]: lowest index first. A task that reads an estimate is put down until its writer has executed, or settled. A task
//!   that was voided twice waits for the commit of the one that voided it, later for its own turn, when nothing can void it.
//! * [`concurrency_limit`]: how many tasks may run ahead, by how much of that was in vain.
//! * *Bodies and tails.* What almost every task does to one cell (a fee credited to one balance) would make all of them depend on
//!   each other. So a task may have a tail. Among few threads that runs at its commit, on what is final. Among many it runs after
//!   its body, when the bodies before it are done: what they will add to such a cell is known then, so the tail reads the value
//!   that will be there (`View::peek`, `View::assume`), in parallel with other tails. It is a guess like any other: if the commit
//!   finds another value, the tail alone is run again.
//! * *Turns.* A task whose turn it is when its body has ended is compared and goes on to its tail and its commit at once: what it
//!   wrote is told once, and nobody is asked in between. A task whose turn it is when nothing else runs or could is told of nothing
//!   and compared with nothing; if the sink has the state that the results so far left, it runs on that. Where each depends on the
//!   one before, that is all that happens, and costs what one after another costs.
//! * *Steady cells* ([`read_cache`]) are remembered by each thread, for as long as nobody writes such a cell.
//! * What an interrupted run hands back in `kept` (validated signatures) may be used by the next run.

mod concurrency_limit;
mod executor;
mod incarnation;
mod read_cache;
mod schedule;
mod stats;
mod task;
mod versioned_memory;
mod view;

pub(crate) use self::executor::{Engine, Limits, Panicked};
pub use self::stats::Counters;
pub(crate) use self::task::{Executed, Settled, Sink, Straight, Task};
pub(crate) use self::view::{Peeked, ReadFailure, Reads, View};

/// The parts that loom explores one by one.
#[cfg(model = "loom")]
pub(crate) mod model {
    pub(crate) use super::versioned_memory::{Memory, Note, Run, Seen, Source};
}
