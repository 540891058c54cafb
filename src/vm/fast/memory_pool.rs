//! VmMemory that frames leave behind for those that come after them.
//!
//! In: memory without contents. Out: the same, to the next frame on the thread: it is nearer than fresh memory, and the system need
//! not clear it again. What is kept is bounded, and no value outlives its frame.

use std::cell::RefCell;

use super::cell::VmCell;
use super::segments::{SEGMENT_CELLS, Segment};

/// VmMemory without contents.
#[derive(Debug, Default)]
pub(super) struct PooledMemory {
    pub execution: Vec<VmCell>,
    pub segments: Vec<Segment>,
}

/// Cells for which a thread keeps room: 64 MiB.
const CELLS: usize = 1 << 21;
/// Cells of an execution segment that are kept: of a long run some of its room, rather than none.
const EXECUTION_CELLS: usize = CELLS / 4 * 3;
/// Memories that a thread keeps: calls nest.
const MEMORIES: usize = 64;
/// Segments of a memory that are kept.
const SEGMENTS: usize = 256;

/// What a thread keeps, each with the number of cells that it has room for.
#[derive(Debug, Default)]
struct MemoryPool {
    memories: Vec<(usize, PooledMemory)>,
    cells: usize,
}

thread_local! {
    static POOL: RefCell<MemoryPool> = RefCell::default();
}

impl PooledMemory {
    /// The one kept last, or none.
    pub(super) fn acquire() -> Self {
        let taken = POOL.try_with(|spares| {
            let mut spares = spares.try_borrow_mut().ok()?;
            let (room, spare) = spares.memories.pop()?;
            spares.cells = spares.cells.saturating_sub(room);
            Some(spare)
        });
        taken.ok().flatten().unwrap_or_default()
    }

    /// Keeps it, if there is place.
    pub(super) fn recycle(mut self) {
        self.segments.truncate(SEGMENTS);
        self.execution.shrink_to(EXECUTION_CELLS);
        let room = self.room();
        // Where a thread ends there is nothing to keep it in.
        let _ = POOL.try_with(|spares| {
            if let Ok(mut spares) = spares.try_borrow_mut()
                && spares.memories.len() < MEMORIES
                && spares.cells.saturating_add(room) <= CELLS
            {
                spares.cells = spares.cells.saturating_add(room);
                spares.memories.push((room, self));
            }
        });
    }

    /// For how many cells it has room; a segment itself takes as much as a few of them.
    fn room(&self) -> usize {
        let segments =
            self.segments.iter().map(|segment| segment.cells.capacity().saturating_add(SEGMENT_CELLS));
        segments.fold(self.execution.capacity(), usize::saturating_add)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// On a thread of its own, which keeps nothing yet.
    fn on_a_new_thread(test: impl FnOnce() + Send) {
        std::thread::scope(|scope| scope.spawn(test).join().unwrap());
    }

    #[test]
    fn what_is_kept_comes_back() {
        on_a_new_thread(|| {
            assert_eq!(PooledMemory::acquire().execution.capacity(), 0);
            PooledMemory { execution: Vec::with_capacity(1000), segments: Vec::new() }.recycle();
            assert!(PooledMemory::acquire().execution.capacity() >= 1000);
            assert_eq!(PooledMemory::acquire().execution.capacity(), 0);
        });
    }

    #[test]
    fn what_is_kept_is_bounded() {
        on_a_new_thread(|| {
            PooledMemory { execution: Vec::with_capacity(CELLS + 1), segments: Vec::new() }.recycle();
            let kept = PooledMemory::acquire().execution.capacity();
            assert!((EXECUTION_CELLS..CELLS).contains(&kept), "{kept}");
            let segment = Segment { cells: Vec::with_capacity(CELLS + 1), ..Segment::default() };
            PooledMemory { execution: Vec::new(), segments: vec![segment] }.recycle();
            assert!(PooledMemory::acquire().segments.is_empty());
            for _ in 0..2 * MEMORIES {
                let segments = std::iter::repeat_with(Segment::default).take(2 * SEGMENTS).collect();
                PooledMemory { execution: Vec::with_capacity(CELLS / 4), segments }.recycle();
            }
            POOL.with_borrow(|spares| {
                assert_eq!(spares.memories.len(), 3, "with their segments, four are too many");
                assert!(spares.memories.iter().all(|(_, spare)| spare.segments.len() == SEGMENTS));
            });
        });
    }
}
