//! The memory segments other than code and execution: builtins, arguments, arrays.
//!
//! Input: cells with their addresses. Output: write-once cells; range checks are made when a cell is written.
//! Memory is charged against the frame's budget. Emptied segments keep their capacity for the next frame.

use super::Bailout;
use super::cell::VmCell;
use super::number::field::as_u128;
use super::signature::Signatures;
use crate::protocol::Builtin;

/// A segment other than code and execution.
#[derive(Debug, Default)]
pub(super) struct Segment {
    /// The builtin of the segment, if any.
    pub builtin: Option<Builtin>,
    /// The cells up to the last known one.
    pub cells: Vec<VmCell>,
    /// The start of the last computed instance of the builtin, and its outputs.
    pub computed: Option<(u64, [VmCell; 3])>,
    /// The signatures that hints added (ECDSA only).
    pub signatures: Signatures,
}

/// All segments other than code and execution.
#[derive(Debug, Default)]
pub(super) struct Segments {
    /// The first `count` are in use; the others are empty and keep their capacity.
    segments: Vec<Segment>,
    count: usize,
    /// Number of charged cells, including the execution segment; each segment counts as `SEGMENT_CELLS` more.
    charged: usize,
    /// The limit of `charged`.
    limit: usize,
}

impl Segments {
    /// No segments, with empty ones to reuse. Without a memory limit until one is set.
    pub(super) fn new(segments: Vec<Segment>) -> Self {
        Self { segments, count: 0, charged: 0, limit: usize::MAX }
    }

    /// Number of cells charged so far.
    pub(super) fn charged(&self) -> usize {
        self.charged
    }

    /// Limits the number of cells that may be charged from now on.
    pub(super) fn set_remaining(&mut self, cells: usize) {
        self.limit = self.charged.saturating_add(cells);
    }

    /// Number of segments.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// Adds a segment with these cells.
    pub(super) fn add(&mut self, builtin: Option<Builtin>, cells: impl IntoIterator<Item = VmCell>) {
        if self.segments.len() == self.count {
            self.segments.push(Segment::default());
        }
        if let Some(segment) = self.segments.get_mut(self.count) {
            segment.builtin = builtin;
            segment.cells.extend(cells);
            self.charged = self.charged.saturating_add(SEGMENT_CELLS).saturating_add(segment.cells.len());
        }
        self.count = self.count.saturating_add(1);
    }

    /// Empties all segments, for reuse.
    pub(super) fn into_empty(mut self) -> Vec<Segment> {
        for segment in self.segments.iter_mut().take(self.count) {
            segment.cells.clear();
            segment.computed = None;
            segment.signatures = Signatures::default();
            segment.builtin = None;
        }
        self.segments
    }

    /// The segment of this number.
    #[inline]
    pub(super) fn segment(&self, number: u64) -> Option<&Segment> {
        // Unused segments have no cells and no builtin, so they need not be excluded.
        self.segments.get(usize::try_from(number.checked_sub(2)?).ok()?)
    }

    /// The segment of this number, mutable.
    #[inline]
    pub(super) fn segment_mut(&mut self, number: u64) -> Option<&mut Segment> {
        let index = usize::try_from(number.checked_sub(2)?).ok()?;
        self.segments.get_mut(index).filter(|_| index < self.count)
    }

    /// The builtin of a segment.
    #[inline]
    pub(super) fn builtin(&self, number: u64) -> Option<Builtin> {
        self.segment(number)?.builtin
    }

    /// The cached outputs of the builtin instance that starts at `instance`. Code reads the outputs of an
    /// instance one by one.
    pub(super) fn computed(&self, number: u64, instance: u64) -> Option<[VmCell; 3]> {
        let (start, outputs) = self.segment(number)?.computed?;
        (start == instance).then_some(outputs)
    }

    /// Caches the outputs of the last computed builtin instance.
    pub(super) fn cache_computed(&mut self, number: u64, instance: u64, outputs: [VmCell; 3]) {
        if let Some(segment) = self.segment_mut(number) {
            segment.computed = Some((instance, outputs));
        }
    }

    /// The cells of a segment.
    pub(super) fn cells(&self, number: u64) -> &[VmCell] {
        self.segment(number).map_or(&[], |segment| &segment.cells)
    }

    /// The content of a cell; empty if it was not written.
    pub(super) fn read(&self, segment: u64, offset: u64) -> VmCell {
        self.cell(segment, offset).copied().unwrap_or_default()
    }

    /// The cell at an address, if the segment reaches that far.
    #[inline]
    pub(super) fn cell(&self, segment: u64, offset: u64) -> Option<&VmCell> {
        self.segment(segment)?.cells.get(usize::try_from(offset).ok()?)
    }

    /// The cell at an address, mutable, if the segment reaches that far.
    #[inline]
    pub(super) fn cell_mut(&mut self, segment: u64, offset: u64) -> Option<&mut VmCell> {
        self.segment_mut(segment)?.cells.get_mut(usize::try_from(offset).ok()?)
    }

    /// Returns `true` if the builtin of the segment can deduce unknown cells.
    #[inline]
    pub(super) fn deduces_cells(&self, number: u64) -> bool {
        let builtin = self.segment(number).and_then(|segment| segment.builtin);
        matches!(builtin, Some(Builtin::Pedersen | Builtin::Bitwise | Builtin::EcOp | Builtin::Poseidon))
    }

    /// Writes a value that the builtin deduced.
    pub(super) fn write_deduced(&mut self, segment: u64, offset: u64, value: VmCell) -> Result<(), Bailout> {
        let index = usize::try_from(offset).map_err(|_| Bailout::Fault)?;
        self.write(segment, index, &value).ok_or(Bailout::Fault)??;
        if let Some(cell) = self.cell_mut(segment, offset) {
            cell.mark_deduced();
        }
        Ok(())
    }

    /// Writes the value of a cell, without its marks. `None` if the segment does not exist.
    #[inline]
    pub(super) fn write(&mut self, number: u64, index: usize, value: &VmCell) -> Option<Result<(), Bailout>> {
        let Self { segments, count, charged, limit } = self;
        let position = usize::try_from(number.checked_sub(2)?).ok()?;
        let segment = segments.get_mut(position).filter(|_| position < *count)?;
        Some(segment.write(index, value, |cells| charge(charged, *limit, cells)))
    }

    /// Charges cells against the memory limit.
    pub(super) fn charge(&mut self, cells: usize) -> Result<(), Bailout> {
        charge(&mut self.charged, self.limit, cells)
    }
}

/// The memory of a segment itself, in cells.
pub(super) const SEGMENT_CELLS: usize = size_of::<Segment>() / size_of::<VmCell>() + 1;

/// 2^47 bytes in one allocation. No process can allocate them, so `cairo-vm` fails with an error of its own
/// there; the frame must fall back to it.
const IMPOSSIBLE_CELLS: usize = 1 << 42;

#[inline]
fn charge(charged: &mut usize, limit: usize, cells: usize) -> Result<(), Bailout> {
    let Some(sum) = charged.checked_add(cells).filter(|sum| *sum <= limit) else {
        return Err(if cells < IMPOSSIBLE_CELLS { Bailout::OutOfMemory } else { Bailout::Unsupported });
    };
    *charged = sum;
    Ok(())
}

impl Segment {
    #[inline]
    fn write(
        &mut self,
        index: usize,
        value: &VmCell,
        charge: impl FnOnce(usize) -> Result<(), Bailout>,
    ) -> Result<(), Bailout> {
        // Checks run before the write, so every known cell has been checked.
        match self.builtin {
            Some(Builtin::RangeCheck) => check_bits(value, 128)?,
            Some(Builtin::RangeCheck96) => check_bits(value, 96)?,
            Some(Builtin::Ecdsa) => self.signatures.check(&self.cells, index, value)?,
            _ => {}
        }
        if index == self.cells.len() && index < self.cells.capacity() {
            charge(1)?;
            self.cells.push(value.unmarked());
            return Ok(());
        }
        match self.cells.get_mut(index) {
            Some(cell) => write_once(cell, value.unmarked()),
            None => self.grow(index, value.unmarked(), charge),
        }
    }

    /// Writes a cell beyond the current length or capacity.
    #[cold]
    fn grow(
        &mut self,
        index: usize,
        value: VmCell,
        charge: impl FnOnce(usize) -> Result<(), Bailout>,
    ) -> Result<(), Bailout> {
        let missing = index.checked_add(1).ok_or(Bailout::Fault)?.saturating_sub(self.cells.len());
        charge(missing)?;
        reserve(&mut self.cells, missing)?;
        if missing > 1 {
            self.cells.resize(index, VmCell::EMPTY);
        }
        self.cells.push(value);
        Ok(())
    }
}

/// Reserves capacity. A failed allocation is an error of the frame and must not abort the process.
#[inline]
pub(super) fn reserve(cells: &mut Vec<VmCell>, more: usize) -> Result<(), Bailout> {
    cells.try_reserve(more).map_err(|_| Bailout::OutOfMemory)
}

/// Writes a cell, or checks that it holds the same value.
#[inline]
pub(super) fn write_once(cell: &mut VmCell, value: VmCell) -> Result<(), Bailout> {
    if !cell.is_known() {
        *cell = value;
        Ok(())
    } else if cell.same(&value) {
        Ok(())
    } else {
        Err(Bailout::Fault)
    }
}

#[inline]
fn check_bits(value: &VmCell, bits: u32) -> Result<(), Bailout> {
    let number = value.as_number().and_then(|limbs| as_u128(&limbs)).ok_or(Bailout::Fault)?;
    if number.checked_shr(bits).unwrap_or(0) == 0 { Ok(()) } else { Err(Bailout::Fault) }
}
