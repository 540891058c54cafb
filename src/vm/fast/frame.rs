//! A frame on the fast engine: its run within the budget, and its state for comparison.

use starknet_types_core::felt::Felt;

use super::Bailout;
use super::cell::VmCell;
use super::machine::Machine;
use super::record::SyscallRecord;
use crate::protocol::Builtin;
use crate::syscall::{Language, Pointer, Value};
use crate::vm::frame_setup::FrameSetup;
use crate::vm::interface::{RegisterSnapshot, STEPS_BETWEEN_POLLS, StepBudget, VmExit};

/// One frame of one entry point, running or suspended at a syscall.
#[derive(Debug)]
pub(in crate::vm) struct FastFrame {
    pub(super) setup: FrameSetup,
    pub(super) machine: Machine,
    /// The segments of the entry point's builtins, in the order of its arguments.
    pub(super) builtins: Vec<(Builtin, u64)>,
    /// Segments that the program must not extend, with their lengths.
    pub(super) read_only: Vec<(u64, u64)>,
    /// The segment of the syscalls.
    pub(super) syscalls: u64,
    /// The address of the next syscall's request.
    pub(super) syscall_pointer: Pointer,
    /// Number of arguments on the stack.
    pub(super) arguments: u64,
    /// The changes that syscalls made to the memory.
    pub(super) record: SyscallRecord,
    /// The number of memory cells of the budget that the frame holds.
    pub(super) held_cells: usize,
}

impl FastFrame {
    /// The language of the frame's code.
    pub(in crate::vm) fn language(&self) -> Language {
        match &self.setup {
            FrameSetup::Cairo0(_) => Language::Cairo0,
            FrameSetup::Cairo1(_) => Language::Cairo1,
        }
    }

    /// Runs until the next syscall or the end. After a bailout the frame must fall back, and the caller
    /// restores the steps of `budget`.
    pub(in crate::vm) fn run(
        &mut self,
        budget: &mut StepBudget,
        counts_steps: bool,
    ) -> Result<VmExit, Bailout> {
        self.record.close_response(self.syscall_pointer);
        self.machine.syscall_pointer =
            VmCell::of_value(Value::Pointer(self.syscall_pointer)).unwrap_or_default();
        let memory = &mut self.machine.memory;
        // The cells that syscalls wrote since the last exit are charged now.
        let written = memory.segments.charged().saturating_sub(self.held_cells);
        memory.segments.set_remaining(budget.cells.checked_sub(written).ok_or(Bailout::OutOfMemory)?);
        let exit = match self.run_in_chunks(budget, counts_steps) {
            Err(Bailout::Interrupted) => Ok(VmExit::Interrupted),
            exit => exit,
        };
        let charged = self.machine.memory.segments.charged();
        budget.cells = budget.cells.saturating_sub(charged.saturating_sub(self.held_cells));
        self.held_cells = charged;
        exit
    }

    /// The number of memory cells of the budget that the frame holds.
    pub(in crate::vm) fn held_cells(&self) -> usize {
        self.held_cells
    }

    /// Runs in chunks of steps, and polls the interrupt flag between them.
    fn run_in_chunks(&mut self, budget: &mut StepBudget, counts_steps: bool) -> Result<VmExit, Bailout> {
        self.machine.interrupt_check.stop.get_or_insert_with(|| budget.stop.clone());
        let mut remaining = if counts_steps || budget.remaining == 0 { budget.remaining } else { u64::MAX };
        loop {
            let before = self.machine.steps;
            let exit = self.machine.run(remaining.min(u64::from(STEPS_BETWEEN_POLLS)))?;
            let used = self.machine.steps.saturating_sub(before);
            remaining = remaining.saturating_sub(used);
            if counts_steps {
                budget.remaining = budget.remaining.saturating_sub(used);
            }
            match exit {
                Some(VmExit::Syscall) => {
                    self.record.open_response();
                    return Ok(VmExit::Syscall);
                }
                Some(exit) => return Ok(exit),
                // The text of the error comes from `cairo-vm`.
                None if remaining == 0 => return Err(Bailout::Fault),
                None if budget.stop.is_raised() => return Ok(VmExit::Interrupted),
                None => {}
            }
        }
    }

    /// The registers and the number of steps.
    pub(in crate::vm) fn registers(&self) -> RegisterSnapshot {
        let machine = &self.machine;
        let (segment, offset) = if machine.is_at_end { (machine.end, 0) } else { (0, machine.pc) };
        let size = |number| usize::try_from(number).unwrap_or(usize::MAX);
        RegisterSnapshot {
            pc: Pointer { segment: isize::try_from(segment).unwrap_or(isize::MAX), offset: size(offset) },
            ap: size(machine.ap),
            fp: size(machine.fp),
            steps: size(machine.steps),
        }
    }

    /// The number of cells of each segment.
    pub(in crate::vm) fn segment_sizes(&self) -> Vec<usize> {
        let memory = &self.machine.memory;
        let first = [memory.code_length(), memory.execution_cells().len()];
        let others = (2..memory.segment_count()).map(|segment| memory.cells(segment).len());
        first.into_iter().chain(others).collect()
    }

    /// Returns `true` if accessed cells are marked.
    pub(in crate::vm) fn marks_accesses(&self) -> bool {
        self.machine.marks_accesses
    }

    /// The value of a cell, and `true` if an instruction accessed it.
    pub(in crate::vm) fn cell(&self, at: Pointer) -> (Option<Value>, bool) {
        let (Ok(segment), Ok(offset)) = (u64::try_from(at.segment), u64::try_from(at.offset)) else {
            return (None, false);
        };
        let cell = self.machine.memory.read(segment, offset);
        (cell.to_value(), cell.is_accessed())
    }

    /// The felt in a cell; `None` if it is empty or holds an address.
    pub(super) fn felt_at(&self, segment: u64, offset: u64) -> Option<Felt> {
        self.machine.memory.read(segment, offset).as_felt()
    }
}
