//! A thread-local pool of frame memories.
//!
//! Input: the emptied memory of a frame that ended. Output: the same allocation, for the next frame on the
//! thread: it is still in the processor's cache, and the system need not zero it again. The size of the pool
//! is bounded, and no value outlives its frame.

use std::cell::RefCell;

use super::cell::VmCell;
use super::segments::{SEGMENT_CELLS, Segment};

/// An empty frame memory whose allocations are reused.
#[derive(Debug, Default)]
pub(super) struct PooledMemory {
    pub execution: Vec<VmCell>,
    pub segments: Vec<Segment>,
}

/// The capacity of a thread's pool in cells: 64 MiB.
const MAX_CELLS: usize = 1 << 21;
/// The capacity in cells to which an execution segment is shrunk, so that a long run does not exceed the
/// whole pool.
const MAX_EXECUTION_CELLS: usize = MAX_CELLS / 4 * 3;
/// Number of memories in a pool: calls nest.
const MAX_MEMORIES: usize = 64;
/// Number of segments of a pooled memory.
const MAX_SEGMENTS: usize = 256;

/// The memories of a thread.
#[derive(Debug, Default)]
struct MemoryPool {
    /// Each memory with its capacity in cells.
    memories: Vec<(usize, PooledMemory)>,
    /// The sum of these capacities.
    cells: usize,
}

thread_local! {
    static POOL: RefCell<MemoryPool> = RefCell::default();
}

impl PooledMemory {
    /// Takes the most recently recycled memory from the pool; a new one if the pool is empty.
    pub(super) fn acquire() -> Self {
        let acquired = POOL.try_with(|pool| {
            let mut pool = pool.try_borrow_mut().ok()?;
            let (capacity, memory) = pool.memories.pop()?;
            pool.cells = pool.cells.saturating_sub(capacity);
            Some(memory)
        });
        acquired.ok().flatten().unwrap_or_default()
    }

    /// Returns the memory, which must be empty, to the pool, unless the pool is full.
    pub(super) fn recycle(mut self) {
        self.segments.truncate(MAX_SEGMENTS);
        self.execution.shrink_to(MAX_EXECUTION_CELLS);
        let capacity = self.capacity();
        // The access fails only while the thread ends, when there is no pool any more.
        let _ = POOL.try_with(|pool| {
            if let Ok(mut pool) = pool.try_borrow_mut()
                && pool.memories.len() < MAX_MEMORIES
                && pool.cells.saturating_add(capacity) <= MAX_CELLS
            {
                pool.cells = pool.cells.saturating_add(capacity);
                pool.memories.push((capacity, self));
            }
        });
    }

    /// The capacity in cells. Each segment counts as `SEGMENT_CELLS` more.
    fn capacity(&self) -> usize {
        let segments =
            self.segments.iter().map(|segment| segment.cells.capacity().saturating_add(SEGMENT_CELLS));
        segments.fold(self.execution.capacity(), usize::saturating_add)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs on a new thread, whose pool is empty.
    fn on_a_new_thread(test: impl FnOnce() + Send) {
        std::thread::scope(|scope| scope.spawn(test).join().unwrap());
    }

    #[test]
    fn recycled_memory_is_reused() {
        on_a_new_thread(|| {
            assert_eq!(PooledMemory::acquire().execution.capacity(), 0);
            PooledMemory { execution: Vec::with_capacity(1000), segments: Vec::new() }.recycle();
            assert!(PooledMemory::acquire().execution.capacity() >= 1000);
            assert_eq!(PooledMemory::acquire().execution.capacity(), 0);
        });
    }

    #[test]
    fn the_pool_is_bounded() {
        on_a_new_thread(|| {
            PooledMemory { execution: Vec::with_capacity(MAX_CELLS + 1), segments: Vec::new() }.recycle();
            let capacity = PooledMemory::acquire().execution.capacity();
            assert!((MAX_EXECUTION_CELLS..MAX_CELLS).contains(&capacity), "{capacity}");
            let segment = Segment { cells: Vec::with_capacity(MAX_CELLS + 1), ..Segment::default() };
            PooledMemory { execution: Vec::new(), segments: vec![segment] }.recycle();
            assert!(PooledMemory::acquire().segments.is_empty());
            for _ in 0..2 * MAX_MEMORIES {
                let segments = std::iter::repeat_with(Segment::default).take(2 * MAX_SEGMENTS).collect();
                PooledMemory { execution: Vec::with_capacity(MAX_CELLS / 4), segments }.recycle();
            }
            POOL.with_borrow(|pool| {
                assert_eq!(pool.memories.len(), 3, "with their segments, four are too many");
                assert!(pool.memories.iter().all(|(_, memory)| memory.segments.len() == MAX_SEGMENTS));
            });
        });
    }
}
