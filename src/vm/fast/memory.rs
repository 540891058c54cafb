//! The memory of a frame: segments of cells that are written once.
//!
//! Segment 0 is the code, which all frames of a class share and none copies. Segment 1 is where instructions work. The others hold
//! builtins, arguments and whatever the code allocates, under the numbers that `cairo-vm` would give them.

use std::sync::Arc;

use super::Exit;
use super::cell::Cell;
use super::field::as_u128;
use crate::protocol::Builtin;

/// Cells that a frame may hold, 1 GiB. One that needs more is handed over.
const MAX_CELLS: usize = 1 << 25;
/// Cells of the execution segment to begin with.
const FIRST_CELLS: usize = 1 << 8;

/// The execution segment.
pub(super) const EXECUTION: u64 = 1;

/// A segment other than code and execution.
#[derive(Debug, Default)]
struct Segment {
    /// The builtin whose segment it is.
    builtin: Option<Builtin>,
    /// The last one is known.
    cells: Vec<Cell>,
    /// An instance of the builtin and its outputs.
    computed: Option<(u64, [Cell; 3])>,
}

/// The memory of a frame.
#[derive(Debug)]
pub(super) struct Memory {
    /// The code and the `ret` behind it.
    code: Arc<[Cell]>,
    /// The cell behind the code: the address of the price list.
    prices: Cell,
    /// Cells of the execution segment; behind those that were written come empty ones.
    pub execution: Vec<Cell>,
    segments: Vec<Segment>,
    room: usize,
}

impl Memory {
    /// Code and an empty execution segment.
    pub(super) fn new(code: Arc<[Cell]>) -> Self {
        Self {
            code,
            prices: Cell::EMPTY,
            execution: vec![Cell::EMPTY; FIRST_CELLS],
            segments: Vec::with_capacity(16),
            room: MAX_CELLS,
        }
    }

    /// Sets the address of the price list.
    pub(super) fn set_prices(&mut self, prices: Cell) {
        self.prices = prices;
    }

    /// A new segment.
    pub(super) fn add_segment(&mut self, builtin: Option<Builtin>, cells: Vec<Cell>) -> u64 {
        let number = self.segment_count();
        self.segments.push(Segment { builtin, cells, computed: None });
        number
    }

    /// Number of segments.
    pub(super) fn segment_count(&self) -> u64 {
        u64::try_from(self.segments.len()).unwrap_or(u64::MAX).saturating_add(2)
    }

    fn segment(&self, number: u64) -> Option<&Segment> {
        self.segments.get(usize::try_from(number.checked_sub(2)?).ok()?)
    }

    /// The builtin that a segment belongs to.
    pub(super) fn builtin(&self, number: u64) -> Option<Builtin> {
        self.segment(number)?.builtin
    }

    /// Whether unknown cells of the segment may have a value of their own.
    pub(super) fn computes(&self, number: u64) -> bool {
        let computing = [Builtin::Pedersen, Builtin::Bitwise, Builtin::EcOp, Builtin::Poseidon];
        self.builtin(number).is_some_and(|builtin| computing.contains(&builtin))
    }

    /// The outputs of the last instance that a builtin computed, where it has several: code reads them one after another.
    pub(super) fn computed(&self, number: u64, instance: u64) -> Option<[Cell; 3]> {
        let (start, outputs) = self.segment(number)?.computed?;
        (start == instance).then_some(outputs)
    }

    /// Keeps the outputs of an instance.
    pub(super) fn keep_computed(&mut self, number: u64, instance: u64, outputs: [Cell; 3]) {
        let place = number.checked_sub(2).and_then(|place| usize::try_from(place).ok());
        if let Some(segment) = place.and_then(|place| self.segments.get_mut(place)) {
            segment.computed = Some((instance, outputs));
        }
    }

    /// The cells of a segment that is neither code nor execution.
    pub(super) fn cells(&self, number: u64) -> &[Cell] {
        self.segment(number).map_or(&[], |segment| &segment.cells)
    }

    /// The written part of the execution segment.
    pub(super) fn execution_cells(&self) -> &[Cell] {
        let used = self.execution.iter().rposition(Cell::is_known).map_or(0, |last| last.saturating_add(1));
        self.execution.get(..used).unwrap_or_default()
    }

    /// A cell; empty when nothing was written there.
    #[inline]
    pub(super) fn read(&self, segment: u64, offset: u64) -> Cell {
        let Ok(index) = usize::try_from(offset) else { return Cell::EMPTY };
        let cell = match segment {
            EXECUTION => self.execution.get(index),
            0 => self.code.get(index).or((index == self.code.len()).then_some(&self.prices)),
            _ => self.segment(segment).and_then(|segment| segment.cells.get(index)),
        };
        cell.copied().unwrap_or_default()
    }

    /// Writes a cell, which holds its value for ever.
    #[inline]
    pub(super) fn write(&mut self, segment: u64, offset: u64, value: Cell) -> Result<(), Exit> {
        let index = usize::try_from(offset).map_err(|_| Exit::Fault)?;
        if segment == EXECUTION {
            self.reserve_execution(index)?;
            return put(self.execution.get_mut(index).ok_or(Exit::Fault)?, value);
        }
        self.write_beside(segment, index, value)
    }

    fn write_beside(&mut self, number: u64, index: usize, value: Cell) -> Result<(), Exit> {
        let Some(segment) =
            number.checked_sub(2).and_then(|place| self.segments.get_mut(usize::try_from(place).ok()?))
        else {
            // Code: the program must not grow, but the judge finds that out at the end only.
            let present = self.read(number, u64::try_from(index).map_err(|_| Exit::Fault)?);
            let is_code = number == 0 && present.is_known();
            return if !is_code {
                Err(Exit::Unsupported)
            } else if present.same(&value) {
                Ok(())
            } else {
                Err(Exit::Fault)
            };
        };
        // Before the cell is written: a cell that is there has been checked.
        match segment.builtin {
            Some(Builtin::RangeCheck) => check_bits(value, 128)?,
            Some(Builtin::RangeCheck96) => check_bits(value, 96)?,
            _ => {}
        }
        let missing = index.checked_add(1).ok_or(Exit::Fault)?.saturating_sub(segment.cells.len());
        match missing {
            0 => {}
            1 => {
                self.room = self.room.checked_sub(1).ok_or(Exit::Unsupported)?;
                segment.cells.push(Cell::EMPTY);
            }
            _ => {
                self.room = self.room.checked_sub(missing).ok_or(Exit::Unsupported)?;
                segment.cells.resize(index.saturating_add(1), Cell::EMPTY);
            }
        }
        put(segment.cells.get_mut(index).ok_or(Exit::Fault)?, value)
    }

    /// Makes sure that the execution segment has a cell at `index`.
    #[inline]
    fn reserve_execution(&mut self, index: usize) -> Result<(), Exit> {
        if index < self.execution.len() {
            return Ok(());
        }
        let len = self.execution.len().saturating_mul(2).max(index.checked_add(1).ok_or(Exit::Fault)?);
        let more = len.saturating_sub(self.execution.len());
        self.room = self.room.checked_sub(more).ok_or(Exit::Unsupported)?;
        self.execution.resize(len, Cell::EMPTY);
        Ok(())
    }

    /// Writes a number that a builtin computed itself.
    pub(super) fn write_deduced(&mut self, segment: u64, offset: u64, value: Cell) -> Result<(), Exit> {
        self.write(segment, offset, value)?;
        if let Some(cell) = self.cell_mut(segment, offset) {
            cell.mark_deduced();
        }
        Ok(())
    }

    /// Marks a cell as touched by an instruction. Code counts as touched anyway.
    pub(super) fn mark_accessed(&mut self, segment: u64, offset: u64) {
        if let Some(cell) = self.cell_mut(segment, offset) {
            cell.mark_accessed();
        }
    }

    fn cell_mut(&mut self, segment: u64, offset: u64) -> Option<&mut Cell> {
        let index = usize::try_from(offset).ok()?;
        if segment == EXECUTION {
            return self.execution.get_mut(index);
        }
        let place = usize::try_from(segment.checked_sub(2)?).ok()?;
        self.segments.get_mut(place)?.cells.get_mut(index)
    }
}

/// Sets a cell, or checks that it holds the same.
#[inline]
fn put(cell: &mut Cell, value: Cell) -> Result<(), Exit> {
    if !cell.is_known() {
        *cell = value;
        Ok(())
    } else if cell.same(&value) {
        Ok(())
    } else {
        Err(Exit::Fault)
    }
}

#[inline]
fn check_bits(value: Cell, bits: u32) -> Result<(), Exit> {
    let number = value.as_number().and_then(|limbs| as_u128(&limbs)).ok_or(Exit::Fault)?;
    if number.checked_shr(bits).unwrap_or(0) == 0 { Ok(()) } else { Err(Exit::Fault) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn memory() -> Memory {
        let mut memory = Memory::new(vec![Cell::small(7), Cell::small(8)].into());
        memory.set_prices(Cell::pointer(2, 0));
        memory
    }

    #[test]
    fn cells_are_written_once() {
        let mut memory = memory();
        let segment = memory.add_segment(None, Vec::new());
        for segment in [EXECUTION, segment] {
            assert_eq!(memory.write(segment, 5_000, Cell::small(3)), Ok(()));
            assert_eq!(memory.write(segment, 5_000, Cell::small(3)), Ok(()));
            assert_eq!(memory.write(segment, 5_000, Cell::small(4)), Err(Exit::Fault));
            assert!(!memory.read(segment, 4_999).is_known());
            assert!(!memory.read(segment, u64::MAX).is_known());
        }
        assert_eq!(memory.cells(segment).len(), 5_001);
        assert_eq!(memory.execution_cells().len(), 5_001);
        assert_eq!(memory.write(9, 0, Cell::small(3)), Err(Exit::Unsupported));
        assert_eq!(memory.write(segment, 1 << 40, Cell::small(3)), Err(Exit::Unsupported));
        assert_eq!(memory.write(EXECUTION, 1 << 40, Cell::small(3)), Err(Exit::Unsupported));
        assert_eq!(memory.write(EXECUTION, u64::MAX, Cell::small(3)), Err(Exit::Fault));
    }

    #[test]
    fn code_is_read_and_not_extended() {
        let mut memory = memory();
        assert_eq!(memory.read(0, 1).as_u64(), Some(8));
        assert_eq!(memory.read(0, 2).as_pointer(), Some((2, 0)));
        assert!(!memory.read(0, 3).is_known());
        assert_eq!(memory.write(0, 1, Cell::small(8)), Ok(()));
        assert_eq!(memory.write(0, 1, Cell::small(9)), Err(Exit::Fault));
        assert_eq!(memory.write(0, 3, Cell::small(9)), Err(Exit::Unsupported));
    }

    #[test]
    fn range_checks_are_made_when_written() {
        let mut memory = memory();
        let full = memory.add_segment(Some(Builtin::RangeCheck), Vec::new());
        let short = memory.add_segment(Some(Builtin::RangeCheck96), Vec::new());
        let number = |value: u128| Cell::number(super::super::field::wide(value));
        assert_eq!(memory.write(full, 0, number(u128::MAX)), Ok(()));
        assert_eq!(memory.write(full, 1, Cell::number([0, 0, 1, 0])), Err(Exit::Fault));
        assert_eq!(memory.write(full, 2, Cell::pointer(1, 0)), Err(Exit::Fault));
        assert_eq!(memory.write(short, 0, number((1 << 96) - 1)), Ok(()));
        assert_eq!(memory.write(short, 1, number(1 << 96)), Err(Exit::Fault));
    }
}
