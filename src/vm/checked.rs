//! Checked mode: every frame runs on `fast` and on `cairo-vm`, and everything observable is compared.
//!
//! Each syscall is executed once, over a memory that applies every access to both frames and compares the
//! results. The result of `cairo-vm` is returned; a difference is an internal error that names it.

use std::cell::RefCell;

use starknet_types_core::felt::Felt;

use super::cairo_vm::CairoVmFrame;
use super::fast::{Bailout, FastFrame};
use super::fault::{FinishFault, FrameFault, VmLocation};
use super::interface::{FrameOutput, StepBudget, VmExit};
use crate::protocol::Constants;
use crate::syscall::{Language, MemoryFault, Pointer, SyscallMemory, TrackedResource, Value};

/// A frame on both back ends.
pub(super) struct CheckedFrame {
    cairo_vm: CairoVmFrame,
    /// `None` after it bailed out.
    fast: Option<Box<FastFrame>>,
    /// The first difference that a memory access showed, until the next call that can return an error.
    difference: RefCell<Option<String>>,
}

/// The text of an internal error.
fn differ(what: impl std::fmt::Display) -> String {
    format!("engines differ: {what}")
}

impl CheckedFrame {
    pub(super) fn new(cairo_vm: CairoVmFrame, fast: Option<Box<FastFrame>>) -> Self {
        Self { cairo_vm, fast, difference: RefCell::new(None) }
    }

    /// The number of memory cells of the budget that the frame holds.
    pub(super) fn held_cells(&self) -> usize {
        self.fast.as_ref().map_or(0, |fast| fast.held_cells())
    }

    /// The language of the frame's code.
    pub(super) fn language(&self) -> Language {
        self.cairo_vm.language()
    }

    /// Runs both frames to the next syscall or the end.
    pub(super) fn run(&mut self, budget: &mut StepBudget, counts_steps: bool) -> Result<VmExit, FrameFault> {
        if let Some(difference) = self.difference.take() {
            return Err(FrameFault::internal(difference));
        }
        let mut fast_budget = budget.clone();
        let fast = self.fast.as_mut().map(|fast| fast.run(&mut fast_budget, counts_steps));
        if fast == Some(Err(Bailout::OutOfMemory)) {
            return Err(FrameFault::out_of_memory());
        }
        let result = self.cairo_vm.run(budget, counts_steps);
        budget.cells = fast_budget.cells;
        match (fast, &result) {
            (None, _) | (_, Ok(VmExit::Interrupted)) => {}
            (Some(Ok(VmExit::Interrupted)), _) => return Ok(VmExit::Interrupted),
            (Some(Err(Bailout::Fault)), Ok(exit)) => {
                return Err(FrameFault::internal(differ(format!("fast fails before {exit:?} of cairo-vm"))));
            }
            (Some(Err(_)), _) => {
                budget.cells = budget.cells.saturating_add(self.held_cells());
                self.fast = None;
            }
            (Some(Ok(exit)), Err(fault)) => {
                return Err(FrameFault::internal(differ(format!("fast {exit:?}, cairo-vm {fault:?}"))));
            }
            (Some(Ok(exit)), Ok(expected)) => {
                let (steps, expected_steps) = (fast_budget.remaining, budget.remaining);
                if (exit, steps) != (*expected, expected_steps) {
                    let text = format!(
                        "fast {exit:?} with {steps} steps remaining, cairo-vm {expected:?} with {expected_steps}"
                    );
                    return Err(FrameFault::internal(differ(text)));
                }
                let expected = self.cairo_vm.registers();
                let registers = self.fast.as_ref().map(|fast| fast.registers());
                if let Some(registers) = registers.filter(|registers| *registers != expected) {
                    let text = format!("fast {registers:?}, cairo-vm {expected:?}");
                    return Err(FrameFault::internal(differ(text)));
                }
            }
        }
        result
    }

    /// Checks and ends both frames.
    pub(super) fn finish(
        self,
        initial_gas: u64,
        tracked: TrackedResource,
        constants: &Constants,
        budget: &StepBudget,
    ) -> Result<FrameOutput, FinishFault> {
        let Self { mut cairo_vm, fast, difference } = self;
        if let Some(difference) = difference.into_inner() {
            return Err(FinishFault::internal(&difference));
        }
        let Some(mut fast) = fast else { return cairo_vm.finish(initial_gas, tracked, constants, budget) };
        if let Some(difference) = compare_memory(&fast, &mut cairo_vm) {
            return Err(FinishFault::internal(&differ(difference)));
        }
        let finished = fast.finish(initial_gas, tracked, constants);
        if finished == Err(Bailout::OutOfMemory) {
            return Err(FinishFault::OutOfMemory);
        }
        let expected = cairo_vm.finish(initial_gas, tracked, constants, budget);
        match (&finished, &expected) {
            (_, Err(FinishFault::Interrupted)) => {}
            (Ok(finished), Ok(expected)) if finished == expected => {}
            (Err(Bailout::Fault), Err(_)) => {}
            (Err(Bailout::Unsupported), _) => {}
            (Err(Bailout::Interrupted), _) => return Err(FinishFault::Interrupted),
            _ => {
                let text = differ(format!("fast {finished:?}, cairo-vm {expected:?}"));
                return Err(FinishFault::Internal(text));
            }
        }
        expected
    }

    /// Gives access to the memory of both frames.
    pub(super) fn with_memory<T>(
        &mut self,
        respond: impl FnOnce(&mut dyn SyscallMemory, &mut Pointer) -> T,
    ) -> T {
        let Self { cairo_vm, fast, difference } = self;
        let Some(fast) = fast else { return cairo_vm.with_memory(respond) };
        cairo_vm.with_memory(|cairo_vm, at| {
            fast.with_memory(|fast, fast_at| {
                let mut both = BothMemories { cairo_vm, fast, difference };
                let result = respond(&mut both, at);
                *fast_at = *at;
                result
            })
        })
    }

    /// The location of the frame, which must be the same on both back ends.
    pub(super) fn location(&self) -> Result<VmLocation, FinishFault> {
        let expected = self.cairo_vm.location();
        match self.fast.as_ref().map(|fast| fast.location()).transpose()? {
            Some(location) if location != expected => {
                let text = differ(format!("fast {location:?}, cairo-vm {expected:?}"));
                Err(FinishFault::Internal(text))
            }
            _ => Ok(expected),
        }
    }

    /// The first difference that a memory access showed.
    pub(super) fn difference(&self) -> Option<String> {
        self.difference.borrow().clone()
    }
}

/// The first cell in which the memories differ: in its value, or in its access mark where accesses count.
fn compare_memory(fast: &FastFrame, cairo_vm: &mut CairoVmFrame) -> Option<String> {
    let sizes = cairo_vm.segment_sizes();
    let fast_sizes: Vec<usize> = fast.segment_sizes();
    if sizes != fast_sizes {
        return Some(format!("fast has segments of {fast_sizes:?} cells, cairo-vm of {sizes:?}"));
    }
    for (segment, size) in (0_isize..).zip(sizes) {
        for offset in 0..size {
            let at = Pointer { segment, offset };
            let (cell, expected) = (fast.cell(at), cairo_vm.cell(at));
            // `cairo-vm` marks the executed instructions of the code segment, which has no memory holes
            // either way.
            let counts_accesses = segment != 0 && fast.marks_accesses();
            if cell.0 != expected.0 || (counts_accesses && cell.1 != expected.1) {
                return Some(format!("fast {cell:?} at {at:?}, cairo-vm {expected:?}"));
            }
        }
    }
    None
}

/// The memories of both frames as one. Reads return what the memory of `cairo-vm` returns.
struct BothMemories<'a> {
    cairo_vm: &'a mut dyn SyscallMemory,
    fast: &'a mut dyn SyscallMemory,
    difference: &'a RefCell<Option<String>>,
}

impl BothMemories<'_> {
    /// Returns the result of `cairo-vm` after comparing it with that of `fast`.
    fn same<T: PartialEq + std::fmt::Debug>(&self, expected: T, fast: T) -> T {
        if expected != fast {
            let text = || differ(format!("a memory access returns {fast:?}, on cairo-vm {expected:?}"));
            self.difference.borrow_mut().get_or_insert_with(text);
        }
        expected
    }
}

impl SyscallMemory for BothMemories<'_> {
    fn value(&self, at: Pointer) -> Option<Value> {
        self.same(self.cairo_vm.value(at), self.fast.value(at))
    }

    fn digits(&self, at: Pointer) -> Option<[u64; 4]> {
        self.same(self.cairo_vm.digits(at), self.fast.digits(at))
    }

    fn felt(&self, at: Pointer) -> Result<Felt, MemoryFault> {
        self.same(self.cairo_vm.felt(at), self.fast.felt(at))
    }

    fn pointer(&self, at: Pointer) -> Result<Pointer, MemoryFault> {
        self.same(self.cairo_vm.pointer(at), self.fast.pointer(at))
    }

    fn felts(&self, start: Pointer, count: usize) -> Result<Vec<Felt>, MemoryFault> {
        self.same(self.cairo_vm.felts(start, count), self.fast.felts(start, count))
    }

    fn write(&mut self, at: Pointer, value: Value) -> Result<(), MemoryFault> {
        let (expected, fast) = (self.cairo_vm.write(at, value), self.fast.write(at, value));
        self.same(expected, fast)
    }

    fn write_small(&mut self, at: Pointer, number: u64) -> Result<(), MemoryFault> {
        let (expected, fast) = (self.cairo_vm.write_small(at, number), self.fast.write_small(at, number));
        self.same(expected, fast)
    }

    fn load(&mut self, at: Pointer, values: &[Value]) -> Result<Pointer, MemoryFault> {
        let (expected, fast) = (self.cairo_vm.load(at, values), self.fast.load(at, values));
        self.same(expected, fast)
    }

    fn new_segment(&mut self) -> Pointer {
        let (expected, fast) = (self.cairo_vm.new_segment(), self.fast.new_segment());
        self.same(expected, fast)
    }

    fn new_read_only_segment(&mut self, values: &[Value]) -> Result<Pointer, MemoryFault> {
        let expected = self.cairo_vm.new_read_only_segment(values);
        let fast = self.fast.new_read_only_segment(values);
        self.same(expected, fast)
    }

    fn add(&self, base: Pointer, cells: usize) -> Result<Pointer, MemoryFault> {
        self.same(self.cairo_vm.add(base, cells), self.fast.add(base, cells))
    }

    fn distance(&self, start: Pointer, end: Pointer) -> Result<usize, MemoryFault> {
        self.same(self.cairo_vm.distance(start, end), self.fast.distance(start, end))
    }
}
