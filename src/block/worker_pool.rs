//! The threads of parallel execution.
//!
//! Input: a number of threads. Output: workers for any number of blocks, several at a time. A worker leaves a
//! block that has no work for it, and yields its thread from time to time. Idle workers sleep.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};

use super::attempt::caught;
use crate::transaction::FatalError;

/// A pool of threads for parallel execution. Clones share the threads.
///
/// ```
/// use starkiln::block::WorkerPool;
/// use starkiln::replay::LoadedBlock;
///
/// let pool = WorkerPool::new(4)?;
/// let block = LoadedBlock::read(concat!(env!("CARGO_MANIFEST_DIR"), "/resources/blocks/transfer.json"))?;
/// let outcome = block.executor().pool(&pool).execute(&block.transactions)?;
/// assert_eq!(outcome, block.executor().execute(&block.transactions)?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct WorkerPool {
    threads: usize,
    /// One thread fewer than `threads`: the thread that executes the block works too.
    helpers: Option<Arc<rayon::ThreadPool>>,
}

/// The failure to start the threads of a [`WorkerPool`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cannot start the threads of the pool: {0}")]
pub struct WorkerPoolError(String);

impl WorkerPool {
    /// Starts a pool with which `threads` threads execute a block: the calling thread and those of the pool,
    /// which live as long as the pool and its clones. With 0 or 1, blocks are executed serially.
    pub fn new(threads: usize) -> Result<Self, WorkerPoolError> {
        let helpers = match threads.saturating_sub(1) {
            0 => None,
            helpers => {
                let pool = rayon::ThreadPoolBuilder::new()
                    .num_threads(helpers)
                    .thread_name(|index| format!("starkiln-{index}"))
                    .build()
                    .map_err(|error| WorkerPoolError(error.to_string()))?;
                Some(Arc::new(pool))
            }
        };
        Ok(Self { threads: threads.max(1), helpers })
    }

    /// Returns the number of threads that execute a block.
    pub fn threads(&self) -> usize {
        self.threads
    }

    pub(super) fn helpers(&self) -> Option<&rayon::ThreadPool> {
        self.helpers.as_deref()
    }
}

impl fmt::Debug for WorkerPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WorkerPool").field("threads", &self.threads).finish_non_exhaustive()
    }
}

/// A task that a free thread of a pool runs, or else the thread that needs its result. A busy pool delays
/// nothing.
pub(super) struct StealableTask<W, V> {
    work: Arc<W>,
    is_taken: Arc<AtomicBool>,
    result: mpsc::Receiver<V>,
}

impl<W: Fn() -> V + Send + Sync + 'static, V: Send + 'static> StealableTask<W, V> {
    pub(super) fn new(pool: Option<&rayon::ThreadPool>, work: W) -> Self {
        let (sender, result) = mpsc::channel();
        let (work, is_taken) = (Arc::new(work), Arc::new(AtomicBool::new(false)));
        if let Some(pool) = pool {
            let (work, is_taken) = (Arc::clone(&work), Arc::clone(&is_taken));
            pool.spawn(move || {
                if is_taken.swap(true, Ordering::AcqRel) {
                    return;
                }
                if let Ok(value) = caught(|| Ok::<V, FatalError>(work())) {
                    // The receiver may be gone.
                    drop(sender.send(value));
                }
            });
        }
        Self { work, is_taken, result }
    }

    /// Returns the result: from the pool if a thread of it took the task, else by running the task here.
    pub(super) fn result(self) -> V {
        let Self { work, is_taken, result } = self;
        let stolen = if is_taken.swap(true, Ordering::AcqRel) { result.recv().ok() } else { None };
        stolen.unwrap_or_else(|| work())
    }
}
