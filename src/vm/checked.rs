//! Both engines at once: every frame runs on both, and whatever can be observed is compared.
//!
//! Syscalls are answered once, in a memory that does everything twice and compares what it sees. The judge's result is the one that
//! counts; a difference is an internal error that says where.

use std::cell::RefCell;

use starknet_types_core::felt::Felt;

use super::cairo_vm::CairoVmFrame;
use super::fast::{Bailout, FastFrame};
use super::fault::{FinishFault, FrameFault, FrameFaultKind, VmLocation};
use super::frame::{FrameOutput, StepBudget, VmExit};
use crate::protocol::Constants;
use crate::syscall::{Language, MemoryFault, Pointer, SyscallMemory, TrackedResource, Value};

/// A frame on both engines.
pub(super) struct CheckedFrame {
    judge: CairoVmFrame,
    /// Gone once it handed over.
    fast: Option<Box<FastFrame>>,
    /// The first difference, where nobody could be told at once.
    difference: RefCell<Option<String>>,
}

fn differ(what: impl std::fmt::Display) -> String {
    format!("The engines differ: {what}")
}

fn frame_fault(text: String) -> FrameFault {
    FrameFault { location: VmLocation::nowhere(), text: Some(text), kind: FrameFaultKind::Engine }
}

impl CheckedFrame {
    pub(super) fn new(judge: CairoVmFrame, fast: Option<Box<FastFrame>>) -> Self {
        Self { judge, fast, difference: RefCell::new(None) }
    }

    /// SyscallMemory cells of the budget that the frame holds.
    pub(super) fn held_cells(&self) -> usize {
        self.fast.as_ref().map_or(0, |fast| fast.held_cells())
    }

    /// The language of the frame's code.
    pub(super) fn language(&self) -> Language {
        self.judge.language()
    }

    /// Runs both to the next syscall or the end.
    pub(super) fn run(&mut self, budget: &mut StepBudget, counts_steps: bool) -> Result<VmExit, FrameFault> {
        if let Some(difference) = self.difference.take() {
            return Err(frame_fault(difference));
        }
        let mut fast_budget = budget.clone();
        let fast = self.fast.as_mut().map(|fast| fast.run(&mut fast_budget, counts_steps));
        if fast == Some(Err(Bailout::OutOfMemory)) {
            return Err(FrameFault::out_of_memory());
        }
        let judged = self.judge.run(budget, counts_steps);
        budget.cells = fast_budget.cells;
        match (fast, &judged) {
            (None, _) | (_, Ok(VmExit::Interrupted)) => {}
            (Some(Ok(VmExit::Interrupted)), _) => return Ok(VmExit::Interrupted),
            (Some(Err(Bailout::Fault)), Ok(stop)) => {
                return Err(frame_fault(differ(format!("the fast one finds a fault before {stop:?}"))));
            }
            (Some(Err(_)), _) => {
                budget.cells = budget.cells.saturating_add(self.held_cells());
                self.fast = None;
            }
            (Some(Ok(stop)), Err(fault)) => {
                return Err(frame_fault(differ(format!("the fast one comes to {stop:?}, not to {fault:?}"))));
            }
            (Some(Ok(stop)), Ok(judged)) => {
                let (left, judged_left) = (fast_budget.remaining, budget.remaining);
                if (stop, left) != (*judged, judged_left) {
                    let text = format!("{stop:?} with {left} steps left, {judged:?} with {judged_left}");
                    return Err(frame_fault(differ(text)));
                }
                let (fast, judge) = (self.fast.as_ref().map(|fast| fast.registers()), self.judge.registers());
                if fast.is_some_and(|fast| fast != judge) {
                    return Err(frame_fault(differ(format!("{fast:?}, not {judge:?}"))));
                }
            }
        }
        judged
    }

    /// Ends both.
    pub(super) fn finish(
        self,
        initial_gas: u64,
        tracked: TrackedResource,
        constants: &Constants,
        budget: &StepBudget,
    ) -> Result<FrameOutput, FinishFault> {
        let Self { mut judge, fast, difference } = self;
        if let Some(difference) = difference.into_inner() {
            return Err(FinishFault::engine(&difference));
        }
        let Some(mut fast) = fast else { return judge.finish(initial_gas, tracked, constants, budget) };
        if let Some(difference) = compare_memory(&fast, &mut judge) {
            return Err(FinishFault::engine(&differ(difference)));
        }
        let finished = fast.finish(initial_gas, tracked, constants);
        if finished == Err(Bailout::OutOfMemory) {
            return Err(FinishFault::OutOfMemory);
        }
        let judged = judge.finish(initial_gas, tracked, constants, budget);
        match (&finished, &judged) {
            (_, Err(FinishFault::Interrupted)) => {}
            (Ok(finished), Ok(judged)) if finished == judged => {}
            (Err(Bailout::Fault), Err(_)) => {}
            (Err(Bailout::Unsupported), _) => {}
            (Err(Bailout::Interrupted), _) => return Err(FinishFault::Interrupted),
            _ => return Err(FinishFault::engine(&differ(format!("{finished:?}, not {judged:?}")))),
        }
        judged
    }

    /// The memory of both.
    pub(super) fn with_memory<T>(
        &mut self,
        answer: impl FnOnce(&mut dyn SyscallMemory, &mut Pointer) -> T,
    ) -> T {
        let Self { judge, fast, difference } = self;
        let Some(fast) = fast else { return judge.with_memory(answer) };
        judge.with_memory(|judge, at| {
            fast.with_memory(|fast, fast_at| {
                let mut both = BothMemories { judge, fast, difference };
                let answered = answer(&mut both, at);
                *fast_at = *at;
                answered
            })
        })
    }

    /// Where the frame stands, if both say the same.
    pub(super) fn location(&self) -> Result<VmLocation, FinishFault> {
        let location = self.judge.location();
        match self.fast.as_ref().map(|fast| fast.location()).transpose()? {
            Some(other) if other != location => {
                Err(FinishFault::Engine(differ(format!("{other:?}, not {location:?}"))))
            }
            _ => Ok(location),
        }
    }

    /// What syscalls saw differ.
    pub(super) fn difference(&self) -> Option<String> {
        self.difference.borrow().clone()
    }
}

/// The first cell in which two memories differ, or whose touch differs where that is observed.
fn compare_memory(fast: &FastFrame, judge: &mut CairoVmFrame) -> Option<String> {
    let sizes = judge.segment_sizes();
    let fast_sizes: Vec<usize> = fast.segment_sizes();
    if sizes != fast_sizes {
        return Some(format!("segments of {fast_sizes:?} cells, not {sizes:?}"));
    }
    for (segment, size) in (0_isize..).zip(sizes) {
        for offset in 0..size {
            let at = Pointer { segment, offset };
            let (own, judged) = (fast.cell(at), judge.cell(at));
            // Behind the code the judge marks what ran; it does not count either way.
            let touches_count = segment != 0 && fast.marks_accesses();
            if own.0 != judged.0 || (touches_count && own.1 != judged.1) {
                return Some(format!("{own:?} at {at:?}, not {judged:?}"));
            }
        }
    }
    None
}

/// Two memories as one. What the judge's says is returned.
struct BothMemories<'a> {
    judge: &'a mut dyn SyscallMemory,
    fast: &'a mut dyn SyscallMemory,
    difference: &'a RefCell<Option<String>>,
}

impl BothMemories<'_> {
    fn same<T: PartialEq + std::fmt::Debug>(&self, judged: T, fast: T) -> T {
        if judged != fast {
            let text = || differ(format!("a syscall sees {fast:?}, not {judged:?}"));
            self.difference.borrow_mut().get_or_insert_with(text);
        }
        judged
    }
}

impl SyscallMemory for BothMemories<'_> {
    fn value(&self, at: Pointer) -> Option<Value> {
        self.same(self.judge.value(at), self.fast.value(at))
    }

    fn digits(&self, at: Pointer) -> Option<[u64; 4]> {
        self.same(self.judge.digits(at), self.fast.digits(at))
    }

    fn felt(&self, at: Pointer) -> Result<Felt, MemoryFault> {
        self.same(self.judge.felt(at), self.fast.felt(at))
    }

    fn pointer(&self, at: Pointer) -> Result<Pointer, MemoryFault> {
        self.same(self.judge.pointer(at), self.fast.pointer(at))
    }

    fn felts(&self, start: Pointer, count: usize) -> Result<Vec<Felt>, MemoryFault> {
        self.same(self.judge.felts(start, count), self.fast.felts(start, count))
    }

    fn write(&mut self, at: Pointer, value: Value) -> Result<(), MemoryFault> {
        let (judged, fast) = (self.judge.write(at, value), self.fast.write(at, value));
        self.same(judged, fast)
    }

    fn write_small(&mut self, at: Pointer, number: u64) -> Result<(), MemoryFault> {
        let (judged, fast) = (self.judge.write_small(at, number), self.fast.write_small(at, number));
        self.same(judged, fast)
    }

    fn load(&mut self, at: Pointer, values: &[Value]) -> Result<Pointer, MemoryFault> {
        let (judged, fast) = (self.judge.load(at, values), self.fast.load(at, values));
        self.same(judged, fast)
    }

    fn new_segment(&mut self) -> Pointer {
        let (judged, fast) = (self.judge.new_segment(), self.fast.new_segment());
        self.same(judged, fast)
    }

    fn new_read_only_segment(&mut self, values: &[Value]) -> Result<Pointer, MemoryFault> {
        let judged = self.judge.new_read_only_segment(values);
        let fast = self.fast.new_read_only_segment(values);
        self.same(judged, fast)
    }

    fn add(&self, base: Pointer, cells: usize) -> Result<Pointer, MemoryFault> {
        self.same(self.judge.add(base, cells), self.fast.add(base, cells))
    }

    fn distance(&self, start: Pointer, end: Pointer) -> Result<usize, MemoryFault> {
        self.same(self.judge.distance(start, end), self.fast.distance(start, end))
    }
}
