//! The segments of a frame's memory beside code and execution: builtins, arguments, arrays.
//!
//! In: cells with their places. Out: cells, each written once; range checks made when a cell is written. A segment that is no longer
//! in use keeps its room for the next frame.

use super::Bailout;
use super::cell::VmCell;
use super::number::field::as_u128;
use super::signature::Signatures;
use crate::protocol::Builtin;

/// A segment other than code and execution.
#[derive(Debug, Default)]
pub(super) struct Segment {
    /// The builtin whose segment it is.
    pub builtin: Option<Builtin>,
    /// The last one is known.
    pub cells: Vec<VmCell>,
    /// An instance of the builtin and its outputs.
    pub computed: Option<(u64, [VmCell; 3])>,
    /// The signatures that hints announced.
    pub signatures: Signatures,
}

/// The segments beside code and execution.
#[derive(Debug, Default)]
pub(super) struct Segments {
    /// The first `count` are in use; those behind are empty and have room.
    segments: Vec<Segment>,
    count: usize,
    /// Cells that the memory has charged, the execution segment's among them; a segment itself counts as a few.
    charged: usize,
    /// How many it may take.
    allowed: usize,
}

impl Segments {
    /// No segments, with place for some. Without a bound until one is set.
    pub(super) fn new(segments: Vec<Segment>) -> Self {
        Self { segments, count: 0, charged: 0, allowed: usize::MAX }
    }

    /// Cells charged so far.
    pub(super) fn charged(&self) -> usize {
        self.charged
    }

    /// Bounds what may be charged from now on.
    pub(super) fn set_remaining(&mut self, cells: usize) {
        self.allowed = self.charged.saturating_add(cells);
    }

    /// Number of segments.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// Adds one.
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

    /// The segments without contents.
    pub(super) fn into_empty(mut self) -> Vec<Segment> {
        for segment in self.segments.iter_mut().take(self.count) {
            segment.cells.clear();
            segment.computed = None;
            segment.signatures = Signatures::default();
            segment.builtin = None;
        }
        self.segments
    }

    /// A segment.
    #[inline]
    pub(super) fn segment(&self, number: u64) -> Option<&Segment> {
        // Those not in use have no cells and no builtin.
        self.segments.get(usize::try_from(number.checked_sub(2)?).ok()?)
    }

    /// A segment.
    #[inline]
    pub(super) fn segment_mut(&mut self, number: u64) -> Option<&mut Segment> {
        let place = usize::try_from(number.checked_sub(2)?).ok()?;
        self.segments.get_mut(place).filter(|_| place < self.count)
    }

    /// The builtin that a segment belongs to.
    #[inline]
    pub(super) fn builtin(&self, number: u64) -> Option<Builtin> {
        self.segment(number)?.builtin
    }

    /// The outputs of the last instance that a builtin computed, where it has several: code reads them one after another.
    pub(super) fn computed(&self, number: u64, instance: u64) -> Option<[VmCell; 3]> {
        let (start, outputs) = self.segment(number)?.computed?;
        (start == instance).then_some(outputs)
    }

    /// Keeps the outputs of an instance.
    pub(super) fn keep_computed(&mut self, number: u64, instance: u64, outputs: [VmCell; 3]) {
        if let Some(segment) = self.segment_mut(number) {
            segment.computed = Some((instance, outputs));
        }
    }

    /// The cells of a segment.
    pub(super) fn cells(&self, number: u64) -> &[VmCell] {
        self.segment(number).map_or(&[], |segment| &segment.cells)
    }

    /// What is in a cell.
    pub(super) fn read(&self, segment: u64, offset: u64) -> VmCell {
        self.cell(segment, offset).copied().unwrap_or_default()
    }

    /// A cell, if there is one so far.
    #[inline]
    pub(super) fn cell(&self, segment: u64, offset: u64) -> Option<&VmCell> {
        self.segment(segment)?.cells.get(usize::try_from(offset).ok()?)
    }

    /// A cell, if there is one so far.
    #[inline]
    pub(super) fn cell_mut(&mut self, segment: u64, offset: u64) -> Option<&mut VmCell> {
        self.segment_mut(segment)?.cells.get_mut(usize::try_from(offset).ok()?)
    }

    /// Whether unknown cells of the segment may have a value of their own.
    #[inline]
    pub(super) fn computes(&self, number: u64) -> bool {
        let builtin = self.segment(number).and_then(|segment| segment.builtin);
        matches!(builtin, Some(Builtin::Pedersen | Builtin::Bitwise | Builtin::EcOp | Builtin::Poseidon))
    }

    /// Writes a number that a builtin computed itself.
    pub(super) fn write_deduced(&mut self, segment: u64, offset: u64, value: VmCell) -> Result<(), Bailout> {
        let index = usize::try_from(offset).map_err(|_| Bailout::Fault)?;
        self.write(segment, index, &value).ok_or(Bailout::Fault)??;
        if let Some(cell) = self.cell_mut(segment, offset) {
            cell.mark_deduced();
        }
        Ok(())
    }

    /// Writes what a cell holds, without its marks; `None` if there is no such segment here.
    #[inline]
    pub(super) fn write(&mut self, number: u64, index: usize, value: &VmCell) -> Option<Result<(), Bailout>> {
        let Self { segments, count, charged, allowed } = self;
        let place = usize::try_from(number.checked_sub(2)?).ok()?;
        let segment = segments.get_mut(place).filter(|_| place < *count)?;
        Some(segment.write(index, value, |cells| charge(charged, *allowed, cells)))
    }

    /// Takes cells.
    pub(super) fn charge(&mut self, cells: usize) -> Result<(), Bailout> {
        charge(&mut self.charged, self.allowed, cells)
    }
}

/// What a segment counts as, in cells.
pub(super) const SEGMENT_CELLS: usize = size_of::<Segment>() / size_of::<VmCell>() + 1;

/// 2^47 bytes at once: no process has room for them, so the judge's program fails there, as it does on the network.
const ABSURD: usize = 1 << 42;

#[inline]
fn charge(charged: &mut usize, allowed: usize, cells: usize) -> Result<(), Bailout> {
    let Some(sum) = charged.checked_add(cells).filter(|sum| *sum <= allowed) else {
        return Err(if cells < ABSURD { Bailout::OutOfMemory } else { Bailout::Unsupported });
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
        // Before the cell is written: a cell that is there has been checked.
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
            Some(cell) => put(cell, value.unmarked()),
            None => self.grow(index, value.unmarked(), charge),
        }
    }

    /// Writes a cell that there was no room for.
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

/// Makes room for more cells; a machine that has none left is no reason to end the process.
#[inline]
pub(super) fn reserve(cells: &mut Vec<VmCell>, more: usize) -> Result<(), Bailout> {
    cells.try_reserve(more).map_err(|_| Bailout::OutOfMemory)
}

/// Sets a cell, or checks that it holds the same.
#[inline]
pub(super) fn put(cell: &mut VmCell, value: VmCell) -> Result<(), Bailout> {
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
