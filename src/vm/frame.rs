//! The boundary: a frame, whatever engine runs it.
//!
//! In: a class, a call, the engine to use. Out: the frame runs to its next syscall or its end, lends its memory to who answers the
//! syscall, says where it stands, and at its end what it returned and used. A frame may change its engine on the way; nobody above
//! can tell.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use starknet_types_core::felt::Felt;

use super::cairo_vm::CairoVmFrame;
use super::checked::CheckedFrame;
use super::engine::Engine;
use super::fast::{Bailout, FastFrame};
use super::fault::{FinishFault, FrameFault, FrameFaultKind, StartFault, VmLocation};
use super::frame_setup::{Cairo0FrameSetup, Cairo1FrameSetup};
use crate::class::{Cairo0Class, Cairo1Class};
use crate::protocol::{Constants, VmResources};
use crate::state::StopFlag;
use crate::syscall::{EntryPointCall, Language, Pointer, SyscallMemory, TrackedResource};

/// One frame of one entry point, running or waiting.
pub(crate) struct Frame(Backend);

/// A frame on its engine. Boxed: frames move about, engines are large.
enum Backend {
    CairoVm(Box<CairoVmFrame>),
    Fast(Box<FastFrame>),
    Checked(Box<CheckedFrame>),
}

impl std::fmt::Debug for Frame {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let engine = match &self.0 {
            Backend::CairoVm(_) => "cairo-vm",
            Backend::Fast(_) => "fast",
            Backend::Checked(_) => "checked",
        };
        f.debug_tuple("Frame").field(&engine).finish()
    }
}

/// Why a frame stopped running.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum VmExit {
    /// At a syscall, to be answered in memory.
    Syscall,
    /// At its end.
    Returned,
    /// Anywhere: somebody raised the flag. Nothing of the phase is to be used.
    Interrupted,
}

/// Steps that the frames of a phase share (C52), and memory.
#[derive(Clone, Debug)]
pub(crate) struct StepBudget {
    /// Steps left.
    pub remaining: u64,
    /// SyscallMemory cells that frames may still take.
    pub cells: usize,
    /// Looked at every now and then.
    pub stop: StopFlag,
}

/// Bytes of a memory cell.
pub(crate) const CELL_BYTES: usize = 32;

/// Steps between two looks at the flag.
pub(super) const STEPS_BETWEEN_POLLS: u32 = 1_000;

/// Where a frame's machine stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RegisterSnapshot {
    /// Program counter.
    pub pc: Pointer,
    /// Allocation pointer.
    pub ap: usize,
    /// Frame pointer.
    pub fp: usize,
    /// Steps made.
    pub steps: usize,
}

/// What a frame returned and used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FrameOutput {
    /// Whether the code panicked.
    pub failed: bool,
    /// Return data, or the panic's.
    pub retdata: Vec<Felt>,
    /// Sierra gas used out of the initial gas; 0 in steps mode (C57).
    pub gas_consumed: u64,
    /// Steps, holes and builtins of the frame alone. Holes are counted in steps mode only: nobody looks at them otherwise.
    pub resources: VmResources,
}

impl Frame {
    /// Lays out the frame for `call` in a Cairo 0 class. Refusals come in the network's order: builtins, entry point.
    pub(crate) fn start_cairo0(
        class: &Arc<Cairo0Class>,
        call: &EntryPointCall,
        engine: Engine,
    ) -> Result<Self, StartFault> {
        let setup = || Cairo0FrameSetup::new(class, call);
        Self::start(
            engine,
            || CairoVmFrame::start_cairo0(&setup()?),
            || FastFrame::start_cairo0(setup().ok()?),
        )
    }

    /// Lays out the frame for `call` in a Cairo 1 class. Refusals come in the network's order: entry point, builtins, gas.
    pub(crate) fn start_cairo1(
        class: &Arc<Cairo1Class>,
        call: &EntryPointCall,
        tracked: TrackedResource,
        engine: Engine,
        constants: &Constants,
    ) -> Result<Self, StartFault> {
        let setup = || Cairo1FrameSetup::new(class, call, constants);
        Self::start(
            engine,
            || CairoVmFrame::start_cairo1(&setup()?),
            || FastFrame::start_cairo1(setup().ok()?, tracked == TrackedResource::CairoSteps),
        )
    }

    fn start(
        engine: Engine,
        judge: impl Fn() -> Result<CairoVmFrame, StartFault>,
        fast: impl Fn() -> Option<Box<FastFrame>>,
    ) -> Result<Self, StartFault> {
        let fast = || catch_unwind(AssertUnwindSafe(&fast)).ok().flatten();
        Ok(Self(match engine {
            Engine::CairoVm => Backend::CairoVm(Box::new(judge()?)),
            Engine::Fast => match fast() {
                Some(fast) => Backend::Fast(fast),
                None => Backend::CairoVm(Box::new(judge()?)),
            },
            Engine::Checked => Backend::Checked(Box::new(CheckedFrame::new(judge()?, fast()))),
        }))
    }

    /// Runs until the next syscall or the end. Only frames measured in steps use up `budget`, but a frame of either kind
    /// stops when it is used up (C53).
    pub(crate) fn run(&mut self, budget: &mut StepBudget, counts_steps: bool) -> Result<VmExit, FrameFault> {
        match &mut self.0 {
            Backend::CairoVm(judge) => judge.run(budget, counts_steps),
            Backend::Checked(both) => both.run(budget, counts_steps),
            Backend::Fast(fast) => {
                let before = budget.remaining;
                // A panic would be our mistake: the judge goes on then, too.
                let run = || fast.run(budget, counts_steps);
                match catch_unwind(AssertUnwindSafe(run)).unwrap_or(Err(Bailout::Unsupported)) {
                    Ok(stop) => return Ok(stop),
                    Err(Bailout::OutOfMemory) => return Err(FrameFault::out_of_memory()),
                    Err(Bailout::Interrupted) => return Ok(VmExit::Interrupted),
                    Err(Bailout::Fault | Bailout::Unsupported) => {}
                }
                budget.remaining = before;
                budget.cells = budget.cells.saturating_add(fast.held_cells());
                let Some(judge) = fast.fall_back().map_err(engine_fault)? else {
                    return Ok(VmExit::Interrupted);
                };
                let mut judge = Box::new(judge);
                let result = judge.run(budget, counts_steps);
                self.0 = Backend::CairoVm(judge);
                result
            }
        }
    }

    /// SyscallMemory cells of the budget that the frame holds.
    pub(crate) fn held_cells(&self) -> usize {
        match &self.0 {
            Backend::CairoVm(_) => 0,
            Backend::Fast(fast) => fast.held_cells(),
            Backend::Checked(both) => both.held_cells(),
        }
    }

    /// Ends a frame that returned, within what is left of `budget` without what the frame holds.
    pub(crate) fn finish(
        self,
        initial_gas: u64,
        tracked: TrackedResource,
        constants: &Constants,
        budget: &StepBudget,
    ) -> Result<FrameOutput, FinishFault> {
        match self.0 {
            Backend::CairoVm(judge) => judge.finish(initial_gas, tracked, constants, budget),
            Backend::Checked(both) => both.finish(initial_gas, tracked, constants, budget),
            Backend::Fast(mut fast) => {
                let finish = || fast.finish(initial_gas, tracked, constants);
                match catch_unwind(AssertUnwindSafe(finish)).unwrap_or(Err(Bailout::Unsupported)) {
                    Ok(finished) => return Ok(finished),
                    Err(Bailout::OutOfMemory) => return Err(FinishFault::OutOfMemory),
                    Err(Bailout::Interrupted) => return Err(FinishFault::Interrupted),
                    Err(Bailout::Fault | Bailout::Unsupported) => {}
                }
                let judge = fast.fall_back_at_end()?;
                judge.finish(initial_gas, tracked, constants, budget)
            }
        }
    }

    /// The language of the frame's code.
    pub(crate) fn language(&self) -> Language {
        match &self.0 {
            Backend::CairoVm(judge) => judge.language(),
            Backend::Fast(fast) => fast.language(),
            Backend::Checked(both) => both.language(),
        }
    }

    /// The frame's memory and its syscall pointer, to answer a syscall.
    pub(crate) fn with_memory<T>(
        &mut self,
        answer: impl FnOnce(&mut dyn SyscallMemory, &mut Pointer) -> T,
    ) -> T {
        match &mut self.0 {
            Backend::CairoVm(judge) => judge.with_memory(answer),
            Backend::Fast(fast) => fast.with_memory(answer),
            Backend::Checked(both) => both.with_memory(answer),
        }
    }

    /// Where a frame stands that waits at a syscall; an engine that cannot tell is broken, or was stopped.
    pub(crate) fn location(&self) -> Result<VmLocation, FinishFault> {
        match &self.0 {
            Backend::CairoVm(judge) => Ok(judge.location()),
            Backend::Fast(fast) => fast.location(),
            Backend::Checked(both) => both.location(),
        }
    }

    /// What the engines were seen to differ in, if both run. To be asked before a frame is dropped that has not ended.
    pub(crate) fn difference(&self) -> Option<String> {
        match &self.0 {
            Backend::CairoVm(_) | Backend::Fast(_) => None,
            Backend::Checked(both) => both.difference(),
        }
    }
}

fn engine_fault(text: String) -> FrameFault {
    FrameFault { location: VmLocation::nowhere(), text: Some(text), kind: FrameFaultKind::Engine }
}
