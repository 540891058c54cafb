//! The record of a frame's syscalls, and handing the frame over to the judge by it.
//!
//! In: every change that a syscall makes to memory, as places: values stay where they were written, and cells hold theirs for ever.
//! Out: a frame of the judge at the same point. A frame is a function of its opening and of the answers it got, so running it again
//! with the same answers leads to the same state; the judge comes to the fault, or past what this engine does not do, by itself.

use cairo_vm::types::errors::math_errors::MathError;
use cairo_vm::types::relocatable::Relocatable;
use cairo_vm::vm::errors::memory_errors::MemoryError;
use starknet_types_core::felt::Felt;

use super::cell::VmCell;
use super::frame::FastFrame;
use super::memory::VmMemory as Cells;
use crate::syscall::{MemoryFault, Pointer, SyscallMemory, Value};
use crate::vm::cairo_vm::{CairoVmFrame, maybe_relocatable, relocatable};
use crate::vm::fault::{FinishFault, VmLocation};
use crate::vm::frame::{StepBudget, VmExit};
use crate::vm::frame_setup::FrameSetup;

/// Room for what most frames do.
const CHANGES: usize = 32;
const ANSWERS: usize = 16;

/// What syscalls did to a frame's memory.
#[derive(Debug)]
pub(super) struct Record {
    changes: Vec<Change>,
    answers: Vec<Answer>,
    is_open: bool,
}

/// A change of memory.
#[derive(Clone, Copy, Debug)]
enum Change {
    /// `count` cells were written from `at` on.
    Cells { at: Pointer, count: usize },
    /// A segment was added.
    Segment,
    /// A segment was added and filled with `count` cells, which the program may not extend.
    ReadOnlySegment { start: Pointer, count: usize },
}

/// The answer to a syscall: its changes end here, and the next syscall lies there.
#[derive(Clone, Copy, Debug)]
struct Answer {
    changes_end: usize,
    syscall_pointer: Pointer,
}

impl Record {
    /// Nothing so far.
    pub(super) fn new() -> Self {
        Self { changes: Vec::with_capacity(CHANGES), answers: Vec::with_capacity(ANSWERS), is_open: false }
    }

    /// The frame stopped at a syscall.
    pub(super) fn open_answer(&mut self) {
        self.is_open = true;
    }

    /// The frame goes on: the syscall, if it stood at one, has been answered.
    pub(super) fn close_answer(&mut self, syscall_pointer: Pointer) {
        if std::mem::take(&mut self.is_open) {
            self.answers.push(Answer { changes_end: self.changes.len(), syscall_pointer });
        }
    }
}

impl FastFrame {
    /// The judge's frame where this one was last resumed: after all syscalls that were answered. `None` if the flag was raised on
    /// the way.
    pub(in crate::vm) fn fall_back(&self) -> Result<Option<CairoVmFrame>, String> {
        let disagree = |what: &str| format!("The engines differ when a frame is run again: {what}.");
        let judge = match &self.setup {
            FrameSetup::Cairo0(setup) => CairoVmFrame::start_cairo0(setup),
            FrameSetup::Cairo1(setup) => CairoVmFrame::start_cairo1(setup),
        };
        let mut judge = judge.map_err(|fault| fault.to_string())?;
        let mut start = 0;
        for answer in &self.record.answers {
            match judge.run(&mut self.replay_budget(), false) {
                Ok(VmExit::Syscall) => {}
                Ok(VmExit::Interrupted) => return Ok(None),
                Ok(VmExit::Returned) => return Err(disagree("it returned before a syscall")),
                Err(fault) => return Err(disagree(&fault.text.unwrap_or_default())),
            }
            let changes = self.record.changes.get(start..answer.changes_end).unwrap_or_default();
            judge
                .with_memory(|memory, at| {
                    *at = answer.syscall_pointer;
                    changes.iter().try_for_each(|change| self.repeat(*change, memory))
                })
                .map_err(|fault| disagree(&fault.0))?;
            start = answer.changes_end;
        }
        Ok(Some(judge))
    }

    /// The judge's frame at the next stop, which must be this one.
    fn fall_back_at(&self, stop: VmExit) -> Result<CairoVmFrame, FinishFault> {
        let mut judge = self.fall_back().map_err(FinishFault::Internal)?.ok_or(FinishFault::Interrupted)?;
        match judge.run(&mut self.replay_budget(), false) {
            Ok(judged) if judged == stop => Ok(judge),
            Ok(VmExit::Interrupted) => Err(FinishFault::Interrupted),
            _ => Err(FinishFault::Internal(format!(
                "The engines differ about where a frame comes to: {stop:?}."
            ))),
        }
    }

    /// The judge's frame at the end of this one.
    pub(in crate::vm) fn fall_back_at_end(&self) -> Result<CairoVmFrame, FinishFault> {
        self.fall_back_at(VmExit::Returned)
    }

    /// Where the frame stands, at a syscall: the judge says it.
    pub(in crate::vm) fn location(&self) -> Result<VmLocation, FinishFault> {
        self.fall_back_at(VmExit::Syscall).map(|judge| judge.location())
    }

    /// Steps enough for what was run before.
    fn replay_budget(&self) -> StepBudget {
        let stop = self.machine.interrupt_check.stop.clone().unwrap_or_default();
        StepBudget { remaining: u64::MAX, cells: usize::MAX, stop }
    }

    fn repeat(&self, change: Change, memory: &mut dyn SyscallMemory) -> Result<(), MemoryFault> {
        match change {
            Change::Segment => {
                memory.new_segment();
            }
            Change::Cells { at, count } => {
                memory.load(at, &self.values(at, count)?)?;
            }
            Change::ReadOnlySegment { start, count } => {
                memory.new_read_only_segment(&self.values(start, count)?)?;
            }
        }
        Ok(())
    }

    fn values(&self, start: Pointer, count: usize) -> Result<Vec<Value>, MemoryFault> {
        (start.offset..=usize::MAX)
            .take(count)
            .map(|offset| {
                let at = Pointer { offset, ..start };
                value_at(&self.machine.memory, at).ok_or_else(|| unknown(at))
            })
            .collect()
    }

    /// The frame's memory and its syscall pointer, to answer a syscall.
    pub(in crate::vm) fn with_memory<T>(
        &mut self,
        answer: impl FnOnce(&mut dyn SyscallMemory, &mut Pointer) -> T,
    ) -> T {
        // What syscalls write counts when the frame goes on: an answer is no place to run out of memory.
        self.machine.memory.segments.set_remaining(usize::MAX);
        let mut memory = RecordedMemory {
            cells: &mut self.machine.memory,
            changes: &mut self.record.changes,
            read_only: &mut self.read_only,
        };
        answer(&mut memory, &mut self.syscall_pointer)
    }
}

/// A frame's memory as syscalls see it. Faults are worded as the judge words them: by the judge's own types.
struct RecordedMemory<'a> {
    cells: &'a mut Cells,
    changes: &'a mut Vec<Change>,
    read_only: &'a mut Vec<(u64, u64)>,
}

fn address(at: Pointer) -> Option<(u64, u64)> {
    Some((u64::try_from(at.segment).ok()?, u64::try_from(at.offset).ok()?))
}

fn cell_at(cells: &Cells, at: Pointer) -> VmCell {
    address(at).map_or(VmCell::EMPTY, |(segment, offset)| cells.read(segment, offset))
}

fn value_at(cells: &Cells, at: Pointer) -> Option<Value> {
    cell_at(cells, at).to_value()
}

fn fault(error: impl std::fmt::Display) -> MemoryFault {
    MemoryFault(error.to_string())
}

fn unknown(at: Pointer) -> MemoryFault {
    fault(MemoryError::UnknownMemoryCell(Box::new(relocatable(at))))
}

fn moved(base: Pointer, cells: usize) -> Result<Pointer, MemoryFault> {
    if let Some(offset) = base.offset.checked_add(cells) {
        return Ok(Pointer { offset, ..base });
    }
    let moved: Result<Relocatable, MathError> = relocatable(base) + cells;
    moved.map(|address| Pointer { segment: address.segment_index, offset: address.offset }).map_err(fault)
}

impl RecordedMemory<'_> {
    /// Writes a cell; `None` if that is refused.
    fn write_cell(&mut self, at: Pointer, cell: VmCell) -> Option<()> {
        let (segment, offset) = address(at)?;
        self.cells.write(segment, offset, cell).ok()
    }

    fn write_value(&mut self, at: Pointer, value: Value) -> Result<(), MemoryFault> {
        let written = VmCell::of_value(value).and_then(|cell| self.write_cell(at, cell));
        written.ok_or_else(|| self.refused(at, value))
    }

    /// Why a value may not be written.
    #[cold]
    fn refused(&self, at: Pointer, value: Value) -> MemoryFault {
        let present = cell_at(self.cells, at);
        let is_same = VmCell::of_value(value).is_some_and(|cell| present.same(&cell));
        if address(at).is_some() && VmCell::of_value(value).is_some() && (is_same || !present.is_known()) {
            // Syscalls write to segments that check nothing, so there is only one reason.
            return fault(MemoryError::VecCapacityExceeded);
        }
        let present = present.to_value().unwrap_or(value);
        let (present, value) = (maybe_relocatable(present), maybe_relocatable(value));
        fault(MemoryError::InconsistentMemory(Box::new((relocatable(at), present, value))))
    }

    /// Notes that a cell was written.
    fn note(&mut self, at: Pointer) {
        // Answers are written cell after cell.
        if let Some(Change::Cells { at: start, count }) = self.changes.last_mut()
            && start.segment == at.segment
            && start.offset.checked_add(*count) == Some(at.offset)
        {
            *count = count.saturating_add(1);
        } else {
            self.changes.push(Change::Cells { at, count: 1 });
        }
    }

    fn add_segment(&mut self, cells: impl IntoIterator<Item = VmCell>) -> Pointer {
        let segment = self.cells.add_segment(None, cells);
        Pointer { segment: isize::try_from(segment).unwrap_or(isize::MAX), offset: 0 }
    }
}

impl SyscallMemory for RecordedMemory<'_> {
    fn value(&self, at: Pointer) -> Option<Value> {
        value_at(self.cells, at)
    }

    fn digits(&self, at: Pointer) -> Option<[u64; 4]> {
        cell_at(self.cells, at).as_number()
    }

    fn felt(&self, at: Pointer) -> Result<Felt, MemoryFault> {
        let cell = cell_at(self.cells, at);
        match cell.as_felt() {
            Some(felt) => Ok(felt),
            None if cell.is_known() => Err(fault(MemoryError::ExpectedInteger(Box::new(relocatable(at))))),
            None => Err(unknown(at)),
        }
    }

    fn pointer(&self, at: Pointer) -> Result<Pointer, MemoryFault> {
        match self.value(at) {
            Some(Value::Pointer(pointer)) => Ok(pointer),
            Some(Value::Felt(_)) => Err(fault(MemoryError::ExpectedRelocatable(Box::new(relocatable(at))))),
            None => Err(unknown(at)),
        }
    }

    fn felts(&self, start: Pointer, count: usize) -> Result<Vec<Felt>, MemoryFault> {
        // Nothing is reserved for `count` before the cells are seen to be there.
        let there = address(start).map_or(0, |(segment, _)| self.cells.cells(segment).len());
        let mut felts = Vec::with_capacity(count.min(there));
        for index in 0..count {
            felts.push(self.felt(moved(start, index)?)?);
        }
        Ok(felts)
    }

    fn write(&mut self, at: Pointer, value: Value) -> Result<(), MemoryFault> {
        self.write_value(at, value)?;
        self.note(at);
        Ok(())
    }

    fn write_small(&mut self, at: Pointer, number: u64) -> Result<(), MemoryFault> {
        let written = self.write_cell(at, VmCell::small(number));
        written.ok_or_else(|| self.refused(at, Value::Felt(Felt::from(number))))?;
        self.note(at);
        Ok(())
    }

    fn load(&mut self, at: Pointer, values: &[Value]) -> Result<Pointer, MemoryFault> {
        // From the end, as the judge does it: of several refused cells the last one is named.
        for (index, value) in values.iter().enumerate().rev() {
            self.write_value(moved(at, index)?, *value)?;
        }
        self.changes.push(Change::Cells { at, count: values.len() });
        moved(at, values.len())
    }

    fn new_segment(&mut self) -> Pointer {
        self.changes.push(Change::Segment);
        self.add_segment([])
    }

    fn new_read_only_segment(&mut self, values: &[Value]) -> Result<Pointer, MemoryFault> {
        if values.iter().any(|value| matches!(value, Value::Pointer(to) if address(*to).is_none())) {
            return Err(fault(MemoryError::AddressNotRelocatable));
        }
        let start = self.add_segment(values.iter().map(|value| VmCell::of_value(*value).unwrap_or_default()));
        if let Some((segment, _)) = address(start) {
            self.read_only.push((segment, u64::try_from(values.len()).unwrap_or(u64::MAX)));
        }
        self.changes.push(Change::ReadOnlySegment { start, count: values.len() });
        Ok(start)
    }

    fn add(&self, base: Pointer, cells: usize) -> Result<Pointer, MemoryFault> {
        moved(base, cells)
    }

    fn distance(&self, start: Pointer, end: Pointer) -> Result<usize, MemoryFault> {
        (relocatable(end) - relocatable(start)).map_err(fault)
    }
}
