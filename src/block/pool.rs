//! The threads that help with a block.
//!
//! In: how many. Out: helpers for whoever executes a block. Made once and used for many blocks, several at a time if need be: a
//! helper leaves when a block has nothing for it to do, and gives its thread up now and then. Waiting costs nothing.

use std::fmt;
use std::sync::Arc;

/// Threads for parallel execution. Cloning it shares them.
///
/// ```
/// use starkiln::block::Pool;
/// use starkiln::replay::LoadedBlock;
///
/// let pool = Pool::new(4)?;
/// let block = LoadedBlock::read(concat!(env!("CARGO_MANIFEST_DIR"), "/resources/blocks/transfer.json"))?;
/// let outcome = block.executor().pool(&pool).execute(&block.transactions)?;
/// assert_eq!(outcome, block.executor().execute(&block.transactions)?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Pool {
    threads: usize,
    /// One less than `threads`: the thread that asks for a block's execution works as well.
    helpers: Option<Arc<rayon::ThreadPool>>,
}

/// The system has no more threads.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("The threads of the pool could not be started: {0}")]
pub struct PoolError(String);

impl Pool {
    /// A pool with which `threads` threads work on a block: the one that asks for it, and the others, which live as long as the
    /// pool. With one or none, blocks are executed one transaction after another.
    pub fn new(threads: usize) -> Result<Self, PoolError> {
        let helpers = match threads.saturating_sub(1) {
            0 => None,
            helpers => {
                let pool = rayon::ThreadPoolBuilder::new()
                    .num_threads(helpers)
                    .thread_name(|index| format!("starkiln-{index}"))
                    .build()
                    .map_err(|error| PoolError(error.to_string()))?;
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

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("threads", &self.threads).finish_non_exhaustive()
    }
}
