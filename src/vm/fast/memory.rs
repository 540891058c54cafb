//! The memory of a frame: segments of cells that are written once.
//!
//! Segment 0 is the code, which all frames of a class share and none copies. Segment 1 is where instructions work. The others hold
//! builtins, arguments and whatever the code allocates, under the numbers that `cairo-vm` would give them.

use std::sync::Arc;

use super::Bailout;
use super::cell::VmCell;
use super::memory_pool::PooledMemory;
use super::number::field::Limbs;
use super::segments::{Segments, put, reserve};
use super::signature::SIGNATURE_CELLS;
use crate::protocol::Builtin;

/// By how many cells the execution segment grows: few, so that they are emptied right before they are used, and are still near then.
const GROWTH: usize = 256;

/// What it grows by.
static EMPTY: [VmCell; GROWTH] = [VmCell::EMPTY; GROWTH];

/// The execution segment.
pub(super) const EXECUTION: u64 = 1;

/// The memory of a frame.
#[derive(Debug)]
pub(super) struct VmMemory {
    /// The code and the `ret` behind it.
    code: Arc<[VmCell]>,
    /// The cell behind the code: the address of the price list.
    pub prices: VmCell,
    /// Cells of the execution segment; behind those that were written come empty ones.
    pub execution: Vec<VmCell>,
    /// The others.
    pub segments: Segments,
}

impl VmMemory {
    /// Code and an empty execution segment.
    pub(super) fn new(code: Arc<[VmCell]>) -> Self {
        let PooledMemory { execution, segments } = PooledMemory::acquire();
        Self { code, prices: VmCell::EMPTY, execution, segments: Segments::new(segments) }
    }

    /// A new segment.
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

    /// Announces the signature for a public key that will be written there.
    pub(super) fn add_signature(
        &mut self,
        (segment, offset): (u64, u64),
        signature: [Limbs; 2],
    ) -> Result<(), Bailout> {
        let segment =
            self.segments.segment_mut(segment).filter(|segment| segment.builtin == Some(Builtin::Ecdsa));
        if segment.ok_or(Bailout::Fault)?.signatures.announce(offset, signature)? {
            self.segments.charge(SIGNATURE_CELLS)?;
        }
        Ok(())
    }

    /// The cells of a segment that is neither code nor execution.
    pub(super) fn cells(&self, number: u64) -> &[VmCell] {
        self.segments.cells(number)
    }

    /// Cells of the code, with what stands behind it.
    pub(super) fn code_length(&self) -> usize {
        self.code.len().saturating_add(usize::from(self.prices.is_known()))
    }

    /// The written part of the execution segment.
    pub(super) fn execution_cells(&self) -> &[VmCell] {
        let used = self.execution.iter().rposition(VmCell::is_known).map_or(0, |last| last.saturating_add(1));
        self.execution.get(..used).unwrap_or_default()
    }

    /// A cell; empty when nothing was written there.
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

    /// Writes a cell, which holds its value for ever.
    #[inline]
    pub(super) fn write(&mut self, segment: u64, offset: u64, value: VmCell) -> Result<(), Bailout> {
        let index = usize::try_from(offset).map_err(|_| Bailout::Fault)?;
        if segment == EXECUTION {
            self.reserve_execution(index)?;
            return put(self.execution.get_mut(index).ok_or(Bailout::Fault)?, value);
        }
        match self.segments.write(segment, index, &value) {
            Some(written) => written,
            None => self.write_code(segment, index, value),
        }
    }

    /// Code: the program must not grow, but the judge finds that out at the end only.
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

    /// Makes sure that the execution segment has a cell at `index`.
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
        // Copied in, not resized to: processors fill memory by long copies without reading what was there.
        let mut missing = len.saturating_sub(present);
        while missing > 0 {
            let some = EMPTY.get(..missing).unwrap_or(&EMPTY);
            self.execution.extend_from_slice(some);
            missing = missing.saturating_sub(some.len());
        }
        Ok(())
    }

    /// Marks a cell as touched by an instruction. Code counts as touched anyway.
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
        // The judge finds that out as well.
        assert_eq!(memory.write(EXECUTION, 1 << 60, VmCell::small(3)), Err(Bailout::Unsupported));
        assert_eq!(memory.write(EXECUTION, u64::MAX, VmCell::small(3)), Err(Bailout::Fault));
    }

    #[test]
    fn memory_is_empty_when_it_is_used_again() {
        for value in 0..3 {
            let mut memory = memory();
            let segment = memory.add_segment(Some(Builtin::Poseidon), [VmCell::small(value)]);
            memory.segments.keep_computed(segment, 0, [VmCell::small(value); 3]);
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
    fn range_checks_are_made_when_written() {
        let mut memory = memory();
        let full = memory.add_segment(Some(Builtin::RangeCheck), []);
        let short = memory.add_segment(Some(Builtin::RangeCheck96), []);
        let number = |value: u128| VmCell::number(super::super::number::field::wide(value));
        assert_eq!(memory.write(full, 0, number(u128::MAX)), Ok(()));
        assert_eq!(memory.write(full, 1, VmCell::number([0, 0, 1, 0])), Err(Bailout::Fault));
        assert_eq!(memory.write(full, 2, VmCell::pointer(1, 0)), Err(Bailout::Fault));
        assert_eq!(memory.write(short, 0, number((1 << 96) - 1)), Ok(()));
        assert_eq!(memory.write(short, 1, number(1 << 96)), Err(Bailout::Fault));
    }
}
