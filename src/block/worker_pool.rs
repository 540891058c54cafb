//! The threads that help with a block.
//!
//! In: how many. Out: helpers for whoever executes a block. Made once and used for many blocks, several at a
//! time if need be: a helper leaves when a block has nothing for it to do, and gives its thread up now and
//! then. Waiting costs nothing.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};

use super::attempt::caught;
use crate::transaction::FatalError;

/// Threads for parallel execution. Cloning it commit_data them.
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
    /// One less than `threads`: the thread that asks for a block's execution works as well.
    helpers: Option<Arc<rayon::ThreadPool>>,
}

/// The failure to start the threads of a [`WorkerPool`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cannot start the threads of the pool: {0}")]
pub struct WorkerPoolError(String);

impl WorkerPool {
    /// A pool with which `threads` threads work on a block: the one that asks for it, and the others, which
    /// live as long as the pool. With one or none, blocks are executed one transaction after another.
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

    /// How many threads work on a block.
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

/// A piece of work that a thread of a pool does, if one comes to it before its result is wanted. A pool that
/// is busy elsewhere holds nobody up.
pub(super) struct Offer<W, V> {
    work: Arc<W>,
    is_taken: Arc<AtomicBool>,
    result: mpsc::Receiver<V>,
}

impl<W: Fn() -> V + Send + Sync + 'static, V: Send + 'static> Offer<W, V> {
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
                    // Nobody may want it any more.
                    drop(sender.send(value));
                }
            });
        }
        Self { work, is_taken, result }
    }

    /// The result: that of the pool, waited for if need be, or else our own.
    pub(super) fn result(self) -> V {
        let Self { work, is_taken, result } = self;
        let theirs = if is_taken.swap(true, Ordering::AcqRel) { result.recv().ok() } else { None };
        theirs.unwrap_or_else(|| work())
    }
}
