//! The memory of a frame: segments of write-once cells.
//!
//! Segment 0 is the code, which all frames of a class share. Segment 1 is the execution segment. The others
//! hold builtins, arguments and what the code allocates; every segment has the number that `cairo-vm` gives
//! it.

use std::sync::Arc;

use super::Bailout;
use super::cell::VmCell;
use super::memory_pool::PooledMemory;
use super::number::field::Limbs;
use super::segments::{Segments, reserve, write_once};
use super::signature::SIGNATURE_CELLS;
use crate::protocol::Builtin;

/// Number of cells by which the execution segment grows: small enough that they are still in the first-level
/// cache when they are used.
const GROWTH: usize = 256;

/// The source that `grow_execution` copies from.
static EMPTY: [VmCell; GROWTH] = [VmCell::EMPTY; GROWTH];

/// The number of the execution segment.
pub(super) const EXECUTION: u64 = 1;

/// The memory of a frame.
#[derive(Debug)]
pub(super) struct VmMemory {
    /// The code and the `ret` after it.
    code: Arc<[VmCell]>,
    /// The cell after the code: the address of the builtin prices; empty in Cairo 0 frames.
    pub prices: VmCell,
    /// The cells of the execution segment, with empty ones at the end.
    pub execution: Vec<VmCell>,
    /// The other segments.
    pub segments: Segments,
}

impl VmMemory {
    /// A memory of code and an empty execution segment.
    pub(super) fn new(code: Arc<[VmCell]>) -> Self {
        let PooledMemory { execution, segments } = PooledMemory::acquire();
        Self { code, prices: VmCell::EMPTY, execution, segments: Segments::new(segments) }
    }

    /// Adds a segment and returns its number.
    pub(super) fn add_segment(
        &mut self,
        builtin: Option<Builtin>,
        cells: impl IntoIterator<Item = VmCell>,
    ) -> u64 {
        self.segments.add(builtin, cells);
        self.segment_count().saturating_sub(1)
    }

    /// Number of segments.
    pub(super) fn segment_count(&self) -> u64 {
        u64::try_from(self.segments.count()).unwrap_or(u64::MAX).saturating_add(2)
    }

    /// Adds the signature for the public key at this address.
    pub(super) fn add_signature(
        &mut self,
        (segment, offset): (u64, u64),
        signature: [Limbs; 2],
    ) -> Result<(), Bailout> {
        let segment =
            self.segments.segment_mut(segment).filter(|segment| segment.builtin == Some(Builtin::Ecdsa));
        if segment.ok_or(Bailout::Fault)?.signatures.add(offset, signature)? {
            self.segments.charge(SIGNATURE_CELLS)?;
        }
        Ok(())
    }

    /// The cells of a segment that is neither code nor execution.
    pub(super) fn cells(&self, number: u64) -> &[VmCell] {
        self.segments.cells(number)
    }

    /// Number of cells of the code segment.
    pub(super) fn code_length(&self) -> usize {
        self.code.len().saturating_add(usize::from(self.prices.is_known()))
    }

    /// The cells of the execution segment up to the last known one.
    pub(super) fn execution_cells(&self) -> &[VmCell] {
        let used = self.execution.iter().rposition(VmCell::is_known).map_or(0, |last| last.saturating_add(1));
        self.execution.get(..used).unwrap_or_default()
    }

    /// The content of a cell; empty if it was not written.
    #[inline]
    pub(super) fn read(&self, segment: u64, offset: u64) -> VmCell {
        let Ok(index) = usize::try_from(offset) else { return VmCell::EMPTY };
        let cell = match segment {
            EXECUTION => self.execution.get(index),
            0 => self.code.get(index).or((index == self.code.len()).then_some(&self.prices)),
            _ => self.segments.cell(segment, offset),
        };
        cell.copied().unwrap_or_default()
    }

    /// Writes a cell, or checks that it holds the same value.
    #[inline]
    pub(super) fn write(&mut self, segment: u64, offset: u64, value: VmCell) -> Result<(), Bailout> {
        let index = usize::try_from(offset).map_err(|_| Bailout::Fault)?;
        if segment == EXECUTION {
            self.reserve_execution(index)?;
            return write_once(self.execution.get_mut(index).ok_or(Bailout::Fault)?, value);
        }
        match self.segments.write(segment, index, &value) {
            Some(written) => written,
            None => self.write_code(segment, index, value),
        }
    }

    /// A write to the code segment. `cairo-vm` rejects a program that extends its code only at the end of the
    /// frame, so such a frame falls back.
    #[cold]
    fn write_code(&self, number: u64, index: usize, value: VmCell) -> Result<(), Bailout> {
        let present = self.read(number, u64::try_from(index).map_err(|_| Bailout::Fault)?);
        if number != 0 || !present.is_known() {
            Err(Bailout::Unsupported)
        } else if present.same(&value) {
            Ok(())
        } else {
            Err(Bailout::Fault)
        }
    }

    /// Grows the execution segment until it has a cell at `index`.
    #[inline]
    fn reserve_execution(&mut self, index: usize) -> Result<(), Bailout> {
        if index < self.execution.len() { Ok(()) } else { self.grow_execution(index) }
    }

    #[cold]
    fn grow_execution(&mut self, index: usize) -> Result<(), Bailout> {
        let present = self.execution.len();
        let len = present.saturating_add(GROWTH).max(index.checked_add(1).ok_or(Bailout::Fault)?);
        self.segments.charge(len.saturating_sub(present))?;
        reserve(&mut self.execution, len.saturating_sub(present))?;
        // Long copies, which are faster than `resize`: processors do them without reading the destination
        // first.
        let mut missing = len.saturating_sub(present);
        while missing > 0 {
            let chunk = EMPTY.get(..missing).unwrap_or(&EMPTY);
            self.execution.extend_from_slice(chunk);
            missing = missing.saturating_sub(chunk.len());
        }
        Ok(())
    }

    /// Marks a cell as accessed by an instruction. Cells of the code need no mark: all of them count as
    /// accessed.
    pub(super) fn mark_accessed(&mut self, segment: u64, offset: u64) {
        if let Some(cell) = self.cell_mut(segment, offset) {
            cell.mark_accessed();
        }
    }

    fn cell_mut(&mut self, segment: u64, offset: u64) -> Option<&mut VmCell> {
        if segment == EXECUTION {
            return self.execution.get_mut(usize::try_from(offset).ok()?);
        }
        self.segments.cell_mut(segment, offset)
    }
}

impl Drop for VmMemory {
    fn drop(&mut self) {
        let (mut execution, segments) =
            (std::mem::take(&mut self.execution), std::mem::take(&mut self.segments));
        execution.clear();
        PooledMemory { execution, segments: segments.into_empty() }.recycle();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn memory() -> VmMemory {
        let mut memory = VmMemory::new(vec![VmCell::small(7), VmCell::small(8)].into());
        memory.prices = VmCell::pointer(2, 0);
        memory
    }

    #[test]
    fn cells_are_written_once() {
        let mut memory = memory();
        let segment = memory.add_segment(None, []);
        for segment in [EXECUTION, segment] {
            assert_eq!(memory.write(segment, 5_000, VmCell::small(3)), Ok(()));
            assert_eq!(memory.write(segment, 5_000, VmCell::small(3)), Ok(()));
            assert_eq!(memory.write(segment, 5_000, VmCell::small(4)), Err(Bailout::Fault));
            assert!(!memory.read(segment, 4_999).is_known());
            assert!(!memory.read(segment, u64::MAX).is_known());
        }
        assert_eq!(memory.cells(segment).len(), 5_001);
        assert_eq!(memory.execution_cells().len(), 5_001);
        assert_eq!(memory.write(9, 0, VmCell::small(3)), Err(Bailout::Unsupported));
        memory.segments.set_remaining(1_010);
        assert_eq!(memory.write(segment, 6_000, VmCell::small(3)), Ok(()));
        assert_eq!(memory.write(segment, 6_001, VmCell::small(3)), Ok(()));
        assert_eq!(memory.write(segment, 6_100, VmCell::small(3)), Err(Bailout::OutOfMemory));
        assert_eq!(memory.write(segment, 1 << 35, VmCell::small(3)), Err(Bailout::OutOfMemory));
        assert_eq!(memory.write(EXECUTION, 1 << 35, VmCell::small(3)), Err(Bailout::OutOfMemory));
        // `cairo-vm` fails there with an error of its own.
        assert_eq!(memory.write(EXECUTION, 1 << 60, VmCell::small(3)), Err(Bailout::Unsupported));
        assert_eq!(memory.write(EXECUTION, u64::MAX, VmCell::small(3)), Err(Bailout::Fault));
    }

    #[test]
    fn recycled_memory_is_empty() {
        for value in 0..3 {
            let mut memory = memory();
            let segment = memory.add_segment(Some(Builtin::Poseidon), [VmCell::small(value)]);
            memory.segments.cache_computed(segment, 0, [VmCell::small(value); 3]);
            assert!(memory.execution_cells().is_empty() && memory.cells(segment + 1).is_empty());
            assert_eq!(memory.write(EXECUTION, 100, VmCell::small(value)), Ok(()));
            let other = memory.add_segment(None, []);
            assert!(memory.segments.builtin(other).is_none() && memory.segments.computed(other, 0).is_none());
            assert_eq!(memory.write(other, 100, VmCell::small(value)), Ok(()));
        }
    }

    #[test]
    fn code_is_read_and_not_extended() {
        let mut memory = memory();
        assert_eq!(memory.read(0, 1).as_u64(), Some(8));
        assert_eq!(memory.read(0, 2).as_pointer(), Some((2, 0)));
        assert!(!memory.read(0, 3).is_known());
        assert_eq!(memory.write(0, 1, VmCell::small(8)), Ok(()));
        assert_eq!(memory.write(0, 1, VmCell::small(9)), Err(Bailout::Fault));
        assert_eq!(memory.write(0, 3, VmCell::small(9)), Err(Bailout::Unsupported));
    }

    #[test]
    fn range_checks_are_made_on_write() {
        let mut memory = memory();
        let full = memory.add_segment(Some(Builtin::RangeCheck), []);
        let short = memory.add_segment(Some(Builtin::RangeCheck96), []);
        let number = |value: u128| VmCell::number(crate::vm::fast::number::field::from_u128(value));
        assert_eq!(memory.write(full, 0, number(u128::MAX)), Ok(()));
        assert_eq!(memory.write(full, 1, VmCell::number([0, 0, 1, 0])), Err(Bailout::Fault));
        assert_eq!(memory.write(full, 2, VmCell::pointer(1, 0)), Err(Bailout::Fault));
        assert_eq!(memory.write(short, 0, number((1 << 96) - 1)), Ok(()));
        assert_eq!(memory.write(short, 1, number(1 << 96)), Err(Bailout::Fault));
    }
}
