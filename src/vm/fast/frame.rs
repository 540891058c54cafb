//! A frame on the fast engine: laid out as the judge lays it out, segment for segment.

use std::sync::Arc;

use starknet_api::transaction::fields::Calldata;
use starknet_types_core::felt::Felt;

use super::Bailout;
use super::cell::VmCell;
use super::decode::Program;
use super::machine::Machine;
use super::memory::{EXECUTION, VmMemory};
use super::record::Record;
use crate::protocol::Builtin;
use crate::syscall::{Language, Pointer, Value};
use crate::vm::frame::{RegisterSnapshot, STEPS_BETWEEN_POLLS, StepBudget, VmExit};
use crate::vm::frame_setup::{Cairo0FrameSetup, Cairo1FrameSetup, FrameSetup};

/// Room for the segments that most frames are given.
const READ_ONLY: usize = 16;

/// One frame, running or waiting.
#[derive(Debug)]
pub(in crate::vm) struct FastFrame {
    pub(super) setup: FrameSetup,
    pub(super) machine: Machine,
    /// The segments of the entry point's builtins, in its order.
    pub(super) builtins: Vec<(Builtin, u64)>,
    /// Segments that the program may not extend, with their lengths.
    pub(super) read_only: Vec<(u64, u64)>,
    /// The segment of syscalls.
    pub(super) syscalls: u64,
    /// The next syscall's place.
    pub(super) syscall_pointer: Pointer,
    /// Number of arguments on the stack.
    pub(super) arguments: u64,
    /// What syscalls did to the memory.
    pub(super) record: Record,
    /// VmMemory cells that were taken out of the budget.
    held_cells: usize,
}

impl FastFrame {
    /// Lays out a frame of Cairo 1 code; `None` if the class is not for this engine. `marks_accesses` says whether memory holes will
    /// be counted.
    pub(in crate::vm) fn start_cairo1(setup: Cairo1FrameSetup, marks_accesses: bool) -> Option<Box<Self>> {
        let program = setup.class.engine_code.get_or_make(|| Program::of_cairo1(&setup.class))?;
        let mut memory = VmMemory::new(Arc::clone(&program.code));
        let mut stack = Vec::with_capacity(setup.builtins.len().saturating_add(6));
        let mut builtins = Vec::with_capacity(setup.builtins.len());
        for builtin in &setup.builtins {
            let (segment, start) = if *builtin == Builtin::SegmentArena {
                let infos = memory.add_segment(None, []);
                let counts = [VmCell::pointer(infos, 0), VmCell::small(0), VmCell::small(0)];
                (memory.add_segment(Some(*builtin), counts), 3)
            } else {
                (memory.add_segment(Some(*builtin), []), 0)
            };
            builtins.push((*builtin, segment));
            stack.push(VmCell::pointer(segment, start));
        }
        let prices = memory.add_segment(None, setup.prices.map(VmCell::small));
        memory.prices = VmCell::pointer(prices, 0);
        let syscalls = memory.add_segment(None, []);
        let (calldata, calldata_length) = add_calldata(&mut memory, &setup.calldata)?;
        stack.extend([
            VmCell::small(setup.gas),
            VmCell::pointer(syscalls, 0),
            VmCell::pointer(calldata, 0),
            VmCell::pointer(calldata, calldata_length),
        ]);
        let prices_length = u64::try_from(setup.prices.len()).ok()?;
        let mut read_only = Vec::with_capacity(READ_ONLY);
        read_only.extend([(prices, prices_length), (calldata, calldata_length)]);
        let layout = Layout { program, memory, stack, builtins, read_only, syscalls };
        layout.frame(setup.offset, marks_accesses, FrameSetup::Cairo1(setup))
    }

    /// Lays out a frame of Cairo 0 code; `None` if the class is not for this engine.
    pub(in crate::vm) fn start_cairo0(setup: Cairo0FrameSetup) -> Option<Box<Self>> {
        let class = &setup.class;
        let program = class.engine_code.get_or_make(|| Program::of_cairo0(class))?;
        let mut memory = VmMemory::new(Arc::clone(&program.code));
        let builtins: Vec<(Builtin, u64)> = class
            .builtins()
            .iter()
            .map(|builtin| (*builtin, memory.add_segment(Some(*builtin), [])))
            .collect();
        let syscalls = memory.add_segment(None, []);
        let (calldata, calldata_length) = add_calldata(&mut memory, &setup.calldata)?;
        let pointers = builtins.iter().map(|(_, segment)| VmCell::pointer(*segment, 0));
        let implicit = memory.add_segment(None, [VmCell::pointer(syscalls, 0)].into_iter().chain(pointers));
        let stack = vec![
            VmCell::of_felt(&setup.selector),
            VmCell::pointer(implicit, 0),
            VmCell::small(calldata_length),
            VmCell::pointer(calldata, 0),
        ];
        let read_only = vec![(calldata, calldata_length)];
        let layout = Layout { program, memory, stack, builtins, read_only, syscalls };
        layout.frame(setup.offset, true, FrameSetup::Cairo0(setup))
    }

    /// The language of the frame's code.
    pub(in crate::vm) fn language(&self) -> Language {
        match &self.setup {
            FrameSetup::Cairo0(_) => Language::Cairo0,
            FrameSetup::Cairo1(_) => Language::Cairo1,
        }
    }

    /// Runs until the next syscall or the end. Uses up `budget` only if it gets there; otherwise the frame must be handed over.
    pub(in crate::vm) fn run(
        &mut self,
        budget: &mut StepBudget,
        counts_steps: bool,
    ) -> Result<VmExit, Bailout> {
        self.record.close_answer(self.syscall_pointer);
        self.machine.syscall_pointer =
            VmCell::of_value(Value::Pointer(self.syscall_pointer)).unwrap_or_default();
        let memory = &mut self.machine.memory;
        // What syscalls wrote since counts too.
        let since = memory.segments.charged().saturating_sub(self.held_cells);
        memory.segments.set_remaining(budget.cells.checked_sub(since).ok_or(Bailout::OutOfMemory)?);
        let stopped = match self.run_pieces(budget, counts_steps) {
            Err(Bailout::Interrupted) => Ok(VmExit::Interrupted),
            stopped => stopped,
        };
        let taken = self.machine.memory.segments.charged();
        budget.cells = budget.cells.saturating_sub(taken.saturating_sub(self.held_cells));
        self.held_cells = taken;
        stopped
    }

    /// VmMemory cells that were taken out of the budget.
    pub(in crate::vm) fn held_cells(&self) -> usize {
        self.held_cells
    }

    /// Runs in pieces, between which the flag is looked at.
    fn run_pieces(&mut self, budget: &mut StepBudget, counts_steps: bool) -> Result<VmExit, Bailout> {
        self.machine.interrupt_check.stop.get_or_insert_with(|| budget.stop.clone());
        let mut left = if counts_steps || budget.remaining == 0 { budget.remaining } else { u64::MAX };
        loop {
            let before = self.machine.steps;
            let stopped = self.machine.run(left.min(u64::from(STEPS_BETWEEN_POLLS)))?;
            let used = self.machine.steps.saturating_sub(before);
            left = left.saturating_sub(used);
            if counts_steps {
                budget.remaining = budget.remaining.saturating_sub(used);
            }
            match stopped {
                Some(VmExit::Syscall) => {
                    self.record.open_answer();
                    return Ok(VmExit::Syscall);
                }
                Some(stopped) => return Ok(stopped),
                // The judge says that the steps are used up.
                None if left == 0 => return Err(Bailout::Fault),
                None if budget.stop.is_raised() => return Ok(VmExit::Interrupted),
                None => {}
            }
        }
    }

    /// The registers and the number of steps, to be compared.
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

    /// How many cells each segment has.
    pub(in crate::vm) fn segment_sizes(&self) -> Vec<usize> {
        let memory = &self.machine.memory;
        let first = [memory.code_length(), memory.execution_cells().len()];
        let others = (2..memory.segment_count()).map(|segment| memory.cells(segment).len());
        first.into_iter().chain(others).collect()
    }

    /// Whether touched cells are marked.
    pub(in crate::vm) fn marks_accesses(&self) -> bool {
        self.machine.marks_accesses
    }

    /// A cell, and whether an instruction touched it.
    pub(in crate::vm) fn cell(&self, at: Pointer) -> (Option<Value>, bool) {
        let (Ok(segment), Ok(offset)) = (u64::try_from(at.segment), u64::try_from(at.offset)) else {
            return (None, false);
        };
        let cell = self.machine.memory.read(segment, offset);
        (cell.to_value(), cell.is_accessed())
    }

    /// A cell as syscalls see it.
    pub(super) fn felt_at(&self, segment: u64, offset: u64) -> Option<Felt> {
        self.machine.memory.read(segment, offset).as_felt()
    }
}

/// A frame that is being laid out.
struct Layout {
    program: Arc<Program>,
    memory: VmMemory,
    /// The arguments.
    stack: Vec<VmCell>,
    builtins: Vec<(Builtin, u64)>,
    read_only: Vec<(u64, u64)>,
    syscalls: u64,
}

impl Layout {
    /// Writes the stack, and behind it where the frame returns to.
    fn frame(self, offset: usize, marks_accesses: bool, setup: FrameSetup) -> Option<Box<FastFrame>> {
        let Self { program, mut memory, mut stack, builtins, read_only, syscalls } = self;
        let arguments = u64::try_from(stack.len()).ok()?;
        let end = memory.add_segment(None, []);
        stack.extend([VmCell::small(0), VmCell::pointer(end, 0)]);
        let first_fp = u64::try_from(stack.len()).ok()?;
        for (offset, cell) in (0..first_fp).zip(stack) {
            memory.write(EXECUTION, offset, cell).ok()?;
        }
        if marks_accesses {
            memory.mark_accessed(EXECUTION, first_fp.checked_sub(1)?);
        }
        Some(Box::new(FastFrame {
            machine: Machine {
                program: Some(program),
                memory,
                pc: u64::try_from(offset).ok()?,
                ap: first_fp,
                fp: first_fp,
                first_fp,
                is_at_end: false,
                end,
                marks_accesses,
                steps: 0,
                blakes: 0,
                resume: None,
                scopes: Default::default(),
                interrupt_check: Default::default(),
                syscall_pointer: VmCell::EMPTY,
            },
            builtins,
            read_only,
            syscalls,
            syscall_pointer: Pointer { segment: isize::try_from(syscalls).ok()?, offset: 0 },
            arguments,
            record: Record::new(),
            held_cells: 0,
            setup,
        }))
    }
}

/// A segment with the arguments, and their number.
fn add_calldata(memory: &mut VmMemory, calldata: &Calldata) -> Option<(u64, u64)> {
    let length = u64::try_from(calldata.0.len()).ok()?;
    Some((memory.add_segment(None, calldata.0.iter().map(VmCell::of_felt)), length))
}
