//! The end of a frame: blockifier's checks, return data, resource usage (C77-C92).
//!
//! A failed check is a `Bailout::Fault`; its text comes from `cairo-vm` after the fallback.

use std::ops::Range;

use num_traits::ToPrimitive;
use starknet_types_core::felt::Felt;

use super::Bailout;
use super::builtin::verify;
use super::builtin_layout::{used_instance_cells, used_instances};
use super::cell::VmCell;
use super::frame::FastFrame;
use super::hint::verify_instances;
use super::machine::Machine;
use super::memory::EXECUTION;
use crate::protocol::{Builtin, Constants, VmResources};
use crate::syscall::{Language, Pointer, TrackedResource};
use crate::vm::interface::FrameOutput;

/// Number of return values of a Cairo 1 entry point: gas, syscall pointer, failure flag, start and end of the
/// return data. The builtin pointers precede them.
const RETURN_VALUES: u64 = 5;
/// Number of return values of a Cairo 0 entry point: size and start of the return data. The builtin pointers
/// precede them.
const CAIRO0_RETURN_VALUES: u64 = 2;

impl FastFrame {
    /// Checks and ends a frame that returned.
    pub(in crate::vm) fn finish(
        &mut self,
        initial_gas: u64,
        tracked: TrackedResource,
        constants: &Constants,
    ) -> Result<FrameOutput, Bailout> {
        for (builtin, segment) in &self.builtins {
            // Verified below, once its gaps are filled.
            if *builtin != Builtin::RangeCheck96 {
                let Machine { memory, interrupt_check, .. } = &mut self.machine;
                verify(&mut memory.segments, interrupt_check, *segment, *builtin)?;
            }
        }
        let range_check96 = match self.language() {
            Language::Cairo0 => None,
            Language::Cairo1 => self.fill_range_check96()?,
        };
        for (builtin, segment) in &self.builtins {
            // Verified last: values may be in gaps of range_check96 that were filled.
            if matches!(builtin, Builtin::AddMod | Builtin::MulMod) {
                let Machine { memory, interrupt_check, .. } = &mut self.machine;
                verify_instances(memory, interrupt_check, *segment, *builtin)?;
            }
        }
        // The entry point returns to the frame pointer 0 that the setup wrote.
        if self.machine.fp != 0 || !self.machine.hint_state.all_scopes_exited() {
            return Err(Bailout::Fault);
        }
        let (failed, retdata, remaining_gas) = match self.language() {
            Language::Cairo0 => {
                self.check_pointers()?;
                (false, self.cairo0_return_values()?, initial_gas)
            }
            Language::Cairo1 => self.return_values(initial_gas)?,
        };
        let gas_consumed = match tracked {
            TrackedResource::CairoSteps => 0,
            TrackedResource::SierraGas => initial_gas.saturating_sub(remaining_gas),
        };

        let mut resources = VmResources::ZERO;
        for (builtin, segment) in &self.builtins {
            let used = match (builtin, range_check96) {
                (Builtin::RangeCheck96, Some(used)) => used,
                _ => u64::try_from(self.machine.memory.cells(*segment).len()).map_err(|_| Bailout::Fault)?,
            };
            let scale = match builtin {
                Builtin::SegmentArena if constants.switches.segment_arena_cells => 3,
                _ => 1,
            };
            resources.builtins.add(*builtin, used_instances(*builtin, used).saturating_mul(scale));
        }
        resources.builtins.add(Builtin::Blake, self.machine.blakes);
        if tracked == TrackedResource::CairoSteps {
            resources.steps = self.machine.steps;
            resources.memory_holes = self.memory_holes()?;
        }
        Ok(FrameOutput { failed, retdata, gas_consumed, resources })
    }

    /// Fills the gaps that the modular builtins leave in the range_check96 segment (C79). Returns the number
    /// of used cells.
    fn fill_range_check96(&mut self) -> Result<Option<u64>, Bailout> {
        let from_end = self.builtins.iter().rev().position(|(builtin, _)| *builtin == Builtin::RangeCheck96);
        let Some(from_end) = from_end else { return Ok(None) };
        let (builtin, segment) = *self.builtins.iter().rev().nth(from_end).ok_or(Bailout::Fault)?;
        let distance = u64::try_from(from_end).map_err(|_| Bailout::Fault)?.saturating_add(RETURN_VALUES + 1);
        let stop = self.machine.ap.checked_sub(distance).ok_or(Bailout::Fault)?;
        let stop = self.machine.memory.read(EXECUTION, stop).as_pointer().ok_or(Bailout::Fault)?;
        if stop.0 != segment {
            return Err(Bailout::Fault);
        }
        for offset in 0..stop.1 {
            self.machine.interrupt_check.advance(1)?;
            if !self.machine.memory.read(segment, offset).is_known() {
                self.machine.memory.write(segment, offset, VmCell::small(0))?;
            }
        }
        let Machine { memory, interrupt_check, .. } = &mut self.machine;
        verify(&mut memory.segments, interrupt_check, segment, builtin)?;
        Ok(Some(stop.1))
    }

    /// The failure flag, the return data and the remaining gas (C61, C92).
    fn return_values(&self, initial_gas: u64) -> Result<(bool, Vec<Felt>, u64), Bailout> {
        let first = self.machine.ap.checked_sub(RETURN_VALUES).ok_or(Bailout::Fault)?;
        let value = |index: u64| {
            self.machine.memory.read(EXECUTION, first.saturating_add(index)).value().ok_or(Bailout::Fault)
        };
        let remaining_gas = value(0)?.as_u64().filter(|gas| *gas <= initial_gas).ok_or(Bailout::Fault)?;
        value(1)?;
        let failed = match value(2)?.as_u64() {
            Some(0) => false,
            Some(1) => true,
            _ => return Err(Bailout::Fault),
        };
        let (segment, start) = value(3)?.as_pointer().ok_or(Bailout::Fault)?;
        let (end_segment, end) = value(4)?.as_pointer().ok_or(Bailout::Fault)?;
        if segment != end_segment || end < start {
            return Err(Bailout::Fault);
        }
        Ok((failed, self.felts(segment, start..end)?, remaining_gas))
    }

    /// The return data of a Cairo 0 entry point.
    fn cairo0_return_values(&self) -> Result<Vec<Felt>, Bailout> {
        let before_ap = |cells| {
            let at = self.machine.ap.checked_sub(cells).ok_or(Bailout::Fault)?;
            self.machine.memory.read(EXECUTION, at).value().ok_or(Bailout::Fault)
        };
        let size = before_ap(CAIRO0_RETURN_VALUES)?.as_u64().ok_or(Bailout::Fault)?;
        let (segment, start) = before_ap(1)?.as_pointer().ok_or(Bailout::Fault)?;
        self.felts(segment, start..start.checked_add(size).ok_or(Bailout::Fault)?)
    }

    fn felts(&self, segment: u64, offsets: Range<u64>) -> Result<Vec<Felt>, Bailout> {
        // An arbitrary size must not reserve memory: the capacity is bounded by the size of the segment.
        let available = self.machine.memory.cells(segment).len();
        let count = offsets.end.saturating_sub(offsets.start).to_usize().unwrap_or(available);
        let mut felts = Vec::with_capacity(count.min(available));
        for offset in offsets {
            felts.push(self.felt_at(segment, offset).ok_or(Bailout::Fault)?);
        }
        Ok(felts)
    }

    /// Checks the pointers that a Cairo 0 entry point returns: its syscall pointer, then its builtin
    /// pointers. Each must be at the end of its segment (C81).
    fn check_pointers(&self) -> Result<(), Bailout> {
        let memory = &self.machine.memory;
        let used = |segment| u64::try_from(memory.cells(segment).len()).map_err(|_| Bailout::Fault);
        let mut at = self.machine.ap.checked_sub(CAIRO0_RETURN_VALUES).ok_or(Bailout::Fault)?;
        let mut previous_pointer = || {
            at = at.checked_sub(1).ok_or(Bailout::Fault)?;
            memory.read(EXECUTION, at).as_pointer().ok_or(Bailout::Fault)
        };
        let mut holds = true;
        for (builtin, segment) in self.builtins.iter().rev() {
            holds &= previous_pointer()? == (*segment, used_instance_cells(*builtin, used(*segment)?));
        }
        let syscalls_end = previous_pointer()?;
        holds &= syscalls_end == (self.syscalls, used(self.syscalls)?);
        let Pointer { segment, offset } = self.syscall_pointer;
        holds &= (u64::try_from(segment), u64::try_from(offset)) == (Ok(syscalls_end.0), Ok(syscalls_end.1));
        for (segment, length) in &self.read_only {
            holds &= used(*segment)? == *length;
        }
        if holds { Ok(()) } else { Err(Bailout::Fault) }
    }

    /// The number of cells without an access, in segments with at least one access, builtins excepted. The
    /// operating system accesses the arguments and the segments that the program must not extend (C82, C83).
    /// All cells of the code count as accessed.
    fn memory_holes(&mut self) -> Result<u64, Bailout> {
        let memory = &mut self.machine.memory;
        let arguments = (0..self.arguments).map(|offset| (EXECUTION, offset));
        let read_only =
            self.read_only.iter().flat_map(|(segment, length)| (0..*length).map(|offset| (*segment, offset)));
        for (segment, offset) in arguments.chain(read_only) {
            memory.mark_accessed(segment, offset);
        }
        let memory = &self.machine.memory;
        let holes = |cells: &[VmCell]| {
            let accessed = cells.iter().filter(|cell| cell.is_accessed()).count();
            if accessed == 0 { 0 } else { cells.len().saturating_sub(accessed) }
        };
        let others = (2..memory.segment_count())
            .filter(|segment| memory.segments.builtin(*segment).is_none())
            .map(|segment| holes(memory.cells(segment)));
        let total = others.fold(holes(memory.execution_cells()), usize::saturating_add);
        total.to_u64().ok_or(Bailout::Fault)
    }
}
