//! The memory of a frame as syscalls see it.
//!
//! Input: the reads and writes of syscalls. Output: values, or faults with the texts of `cairo-vm`, which its
//! own error types print; and the record of all changes.

use cairo_vm::types::errors::math_errors::MathError;
use cairo_vm::types::relocatable::Relocatable;
use cairo_vm::vm::errors::memory_errors::MemoryError;
use starknet_types_core::felt::Felt;

use super::cell::VmCell;
use super::frame::FastFrame;
use super::memory::VmMemory;
use super::record::{MemoryChange, record_cell};
use crate::syscall::{MemoryFault, Pointer, SyscallMemory, Value};
use crate::vm::cairo_vm::{maybe_relocatable, relocatable};

impl FastFrame {
    /// Gives access to the frame's memory and its syscall pointer, to respond to a syscall.
    pub(in crate::vm) fn with_memory<T>(
        &mut self,
        respond: impl FnOnce(&mut dyn SyscallMemory, &mut Pointer) -> T,
    ) -> T {
        // The cells of a response are charged when the frame resumes, because a syscall must not fail for
        // lack of memory.
        self.machine.memory.segments.set_remaining(usize::MAX);
        let mut memory = RecordingMemory {
            cells: &mut self.machine.memory,
            changes: &mut self.record.changes,
            read_only: &mut self.read_only,
        };
        respond(&mut memory, &mut self.syscall_pointer)
    }
}

/// A frame's memory, whose changes are recorded.
struct RecordingMemory<'a> {
    cells: &'a mut VmMemory,
    changes: &'a mut Vec<MemoryChange>,
    read_only: &'a mut Vec<(u64, u64)>,
}

fn address(at: Pointer) -> Option<(u64, u64)> {
    Some((u64::try_from(at.segment).ok()?, u64::try_from(at.offset).ok()?))
}

fn cell_at(cells: &VmMemory, at: Pointer) -> VmCell {
    address(at).map_or(VmCell::EMPTY, |(segment, offset)| cells.read(segment, offset))
}

pub(super) fn value_at(cells: &VmMemory, at: Pointer) -> Option<Value> {
    cell_at(cells, at).to_value()
}

fn fault(error: impl std::fmt::Display) -> MemoryFault {
    MemoryFault(error.to_string())
}

pub(super) fn unknown(at: Pointer) -> MemoryFault {
    fault(MemoryError::UnknownMemoryCell(Box::new(relocatable(at))))
}

fn moved(base: Pointer, cells: usize) -> Result<Pointer, MemoryFault> {
    if let Some(offset) = base.offset.checked_add(cells) {
        return Ok(Pointer { offset, ..base });
    }
    let moved: Result<Relocatable, MathError> = relocatable(base) + cells;
    moved.map(|address| Pointer { segment: address.segment_index, offset: address.offset }).map_err(fault)
}

impl RecordingMemory<'_> {
    /// Writes a cell; `None` if the memory rejects it.
    fn write_cell(&mut self, at: Pointer, cell: VmCell) -> Option<()> {
        let (segment, offset) = address(at)?;
        self.cells.write(segment, offset, cell).ok()
    }

    fn write_value(&mut self, at: Pointer, value: Value) -> Result<(), MemoryFault> {
        let written = VmCell::of_value(value).and_then(|cell| self.write_cell(at, cell));
        written.ok_or_else(|| self.write_fault(at, value))
    }

    /// The fault of a value that the memory rejected.
    #[cold]
    fn write_fault(&self, at: Pointer, value: Value) -> MemoryFault {
        let present = cell_at(self.cells, at);
        let is_same = VmCell::of_value(value).is_some_and(|cell| present.same(&cell));
        if address(at).is_some() && VmCell::of_value(value).is_some() && (is_same || !present.is_known()) {
            // Syscalls write to segments without checks, so only the capacity is left as a reason.
            return fault(MemoryError::VecCapacityExceeded);
        }
        let present = present.to_value().unwrap_or(value);
        let (present, value) = (maybe_relocatable(present), maybe_relocatable(value));
        fault(MemoryError::InconsistentMemory(Box::new((relocatable(at), present, value))))
    }

    fn add_segment(&mut self, cells: impl IntoIterator<Item = VmCell>) -> Pointer {
        let segment = self.cells.add_segment(None, cells);
        Pointer { segment: isize::try_from(segment).unwrap_or(isize::MAX), offset: 0 }
    }
}

impl SyscallMemory for RecordingMemory<'_> {
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
        // An arbitrary `count` must not reserve memory: the capacity is bounded by the size of the segment.
        let available = address(start).map_or(0, |(segment, _)| self.cells.cells(segment).len());
        let mut felts = Vec::with_capacity(count.min(available));
        for index in 0..count {
            felts.push(self.felt(moved(start, index)?)?);
        }
        Ok(felts)
    }

    fn write(&mut self, at: Pointer, value: Value) -> Result<(), MemoryFault> {
        self.write_value(at, value)?;
        record_cell(self.changes, at);
        Ok(())
    }

    fn write_small(&mut self, at: Pointer, number: u64) -> Result<(), MemoryFault> {
        let written = self.write_cell(at, VmCell::small(number));
        written.ok_or_else(|| self.write_fault(at, Value::Felt(Felt::from(number))))?;
        record_cell(self.changes, at);
        Ok(())
    }

    fn load(&mut self, at: Pointer, values: &[Value]) -> Result<Pointer, MemoryFault> {
        // From the end, like `cairo-vm`: of several rejected cells, the fault names the last one.
        for (index, value) in values.iter().enumerate().rev() {
            self.write_value(moved(at, index)?, *value)?;
        }
        self.changes.push(MemoryChange::Cells { at, count: values.len() });
        moved(at, values.len())
    }

    fn new_segment(&mut self) -> Pointer {
        self.changes.push(MemoryChange::Segment);
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
        self.changes.push(MemoryChange::ReadOnlySegment { start, count: values.len() });
        Ok(start)
    }

    fn add(&self, base: Pointer, cells: usize) -> Result<Pointer, MemoryFault> {
        moved(base, cells)
    }

    fn distance(&self, start: Pointer, end: Pointer) -> Result<usize, MemoryFault> {
        (relocatable(end) - relocatable(start)).map_err(fault)
    }
}
