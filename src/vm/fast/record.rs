//! The record of a frame's syscalls: what their responses changed in memory.
//!
//! Input: each change that a syscall makes. Output: the changes by syscall, for a replay (`fallback`). A
//! change is recorded as its address range only: cells are written once, so the values can be read back
//! later.

use crate::syscall::Pointer;

/// The initial capacities, enough for most frames.
const CHANGES: usize = 32;
const RESPONSES: usize = 16;

/// The changes that syscalls made to the memory of a frame.
#[derive(Debug)]
pub(super) struct SyscallRecord {
    pub changes: Vec<MemoryChange>,
    pub responses: Vec<RecordedResponse>,
    /// `true` while the frame is suspended at a syscall.
    is_response_open: bool,
}

/// A change of memory.
#[derive(Clone, Copy, Debug)]
pub(super) enum MemoryChange {
    /// `count` cells were written from `at` on.
    Cells { at: Pointer, count: usize },
    /// A segment was added.
    Segment,
    /// A segment of `count` cells was added, which the program must not extend.
    ReadOnlySegment { start: Pointer, count: usize },
}

/// The response to a syscall.
#[derive(Clone, Copy, Debug)]
pub(super) struct RecordedResponse {
    /// The end of its changes in `SyscallRecord::changes`.
    pub changes_end: usize,
    /// The syscall pointer after it.
    pub syscall_pointer: Pointer,
}

impl SyscallRecord {
    pub(super) fn new() -> Self {
        Self {
            changes: Vec::with_capacity(CHANGES),
            responses: Vec::with_capacity(RESPONSES),
            is_response_open: false,
        }
    }

    /// Opens a response when the frame stops at a syscall.
    pub(super) fn open_response(&mut self) {
        self.is_response_open = true;
    }

    /// Closes the open response, if any, when the frame resumes.
    pub(super) fn close_response(&mut self, syscall_pointer: Pointer) {
        if std::mem::take(&mut self.is_response_open) {
            self.responses.push(RecordedResponse { changes_end: self.changes.len(), syscall_pointer });
        }
    }
}

/// Records a written cell.
#[inline]
pub(super) fn record_cell(changes: &mut Vec<MemoryChange>, at: Pointer) {
    // Responses are written cell after cell, so most cells extend the last change.
    if let Some(MemoryChange::Cells { at: start, count }) = changes.last_mut()
        && start.segment == at.segment
        && start.offset.checked_add(*count) == Some(at.offset)
    {
        *count = count.saturating_add(1);
    } else {
        changes.push(MemoryChange::Cells { at, count: 1 });
    }
}
