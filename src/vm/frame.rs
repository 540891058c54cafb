//! The boundary of this module: a frame on any of the back ends.
//!
//! Input: a class, a call, the engine to use. Output: the frame runs to its next syscall or until it returns;
//! it gives access to its memory for the response to a syscall, and reports its location; at its end it
//! yields its return data and resource usage. A frame may fall back from `fast` to `cairo_vm` at any time,
//! which callers cannot observe.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use super::cairo_vm::CairoVmFrame;
use super::checked::CheckedFrame;
use super::engine::Engine;
use super::fast::{Bailout, FastFrame};
use super::fault::{FinishFault, FrameFault, StartFault, VmLocation};
use super::frame_setup::{Cairo0FrameSetup, Cairo1FrameSetup};
use super::interface::{FrameOutput, StepBudget, VmExit};
use crate::class::{Cairo0Class, Cairo1Class};
use crate::protocol::Constants;
use crate::syscall::{EntryPointCall, Language, Pointer, SyscallMemory, TrackedResource};

/// One frame of one entry point, running or suspended at a syscall.
pub(crate) struct Frame(Backend);

/// A frame on its back end. Boxed, because frames are moved and back ends are large.
enum Backend {
    CairoVm(Box<CairoVmFrame>),
    Fast(Box<FastFrame>),
    Checked(Box<CheckedFrame>),
}

impl std::fmt::Debug for Frame {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let name = match &self.0 {
            Backend::CairoVm(_) => "cairo-vm",
            Backend::Fast(_) => "fast",
            Backend::Checked(_) => "checked",
        };
        f.debug_tuple("Frame").field(&name).finish()
    }
}

impl Frame {
    /// Sets up the frame of `call` in a Cairo 0 class. The checks run in blockifier's order: builtins, entry
    /// point.
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

    /// Sets up the frame of `call` in a Cairo 1 class. The checks run in blockifier's order: entry point,
    /// builtins, gas.
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
        cairo_vm: impl Fn() -> Result<CairoVmFrame, StartFault>,
        fast: impl Fn() -> Option<Box<FastFrame>>,
    ) -> Result<Self, StartFault> {
        let fast = || catch_unwind(AssertUnwindSafe(&fast)).ok().flatten();
        Ok(Self(match engine {
            Engine::CairoVm => Backend::CairoVm(Box::new(cairo_vm()?)),
            Engine::Fast => match fast() {
                Some(fast) => Backend::Fast(fast),
                None => Backend::CairoVm(Box::new(cairo_vm()?)),
            },
            Engine::Checked => Backend::Checked(Box::new(CheckedFrame::new(cairo_vm()?, fast()))),
        }))
    }

    /// Runs until the next syscall or the end. Only frames measured in steps consume steps of `budget`, but a
    /// frame of either kind fails when no step remains (C53).
    pub(crate) fn run(&mut self, budget: &mut StepBudget, counts_steps: bool) -> Result<VmExit, FrameFault> {
        match &mut self.0 {
            Backend::CairoVm(frame) => frame.run(budget, counts_steps),
            Backend::Checked(frame) => frame.run(budget, counts_steps),
            Backend::Fast(fast) => {
                let before = budget.remaining;
                // A panic here is a bug of this crate. The frame falls back to `cairo-vm` then, too.
                let run = || fast.run(budget, counts_steps);
                match catch_unwind(AssertUnwindSafe(run)).unwrap_or(Err(Bailout::Unsupported)) {
                    Ok(exit) => return Ok(exit),
                    Err(Bailout::OutOfMemory) => return Err(FrameFault::out_of_memory()),
                    Err(Bailout::Interrupted) => return Ok(VmExit::Interrupted),
                    Err(Bailout::Fault | Bailout::Unsupported) => {}
                }
                budget.remaining = before;
                budget.cells = budget.cells.saturating_add(fast.held_cells());
                let Some(frame) = fast.fall_back().map_err(FrameFault::internal)? else {
                    return Ok(VmExit::Interrupted);
                };
                let mut frame = Box::new(frame);
                let result = frame.run(budget, counts_steps);
                self.0 = Backend::CairoVm(frame);
                result
            }
        }
    }

    /// The number of memory cells of the budget that the frame holds.
    pub(crate) fn held_cells(&self) -> usize {
        match &self.0 {
            Backend::CairoVm(_) => 0,
            Backend::Fast(fast) => fast.held_cells(),
            Backend::Checked(frame) => frame.held_cells(),
        }
    }

    /// Checks and ends a frame that returned. `budget` is the remaining budget, without the cells that the
    /// frame holds.
    pub(crate) fn finish(
        self,
        initial_gas: u64,
        tracked: TrackedResource,
        constants: &Constants,
        budget: &StepBudget,
    ) -> Result<FrameOutput, FinishFault> {
        match self.0 {
            Backend::CairoVm(frame) => frame.finish(initial_gas, tracked, constants, budget),
            Backend::Checked(frame) => frame.finish(initial_gas, tracked, constants, budget),
            Backend::Fast(mut fast) => {
                let finish = || fast.finish(initial_gas, tracked, constants);
                match catch_unwind(AssertUnwindSafe(finish)).unwrap_or(Err(Bailout::Unsupported)) {
                    Ok(finished) => return Ok(finished),
                    Err(Bailout::OutOfMemory) => return Err(FinishFault::OutOfMemory),
                    Err(Bailout::Interrupted) => return Err(FinishFault::Interrupted),
                    Err(Bailout::Fault | Bailout::Unsupported) => {}
                }
                let frame = fast.fall_back_at_end()?;
                frame.finish(initial_gas, tracked, constants, budget)
            }
        }
    }

    /// The language of the frame's code.
    pub(crate) fn language(&self) -> Language {
        match &self.0 {
            Backend::CairoVm(frame) => frame.language(),
            Backend::Fast(frame) => frame.language(),
            Backend::Checked(frame) => frame.language(),
        }
    }

    /// Gives access to the frame's memory and its syscall pointer, to respond to a syscall.
    pub(crate) fn with_memory<T>(
        &mut self,
        respond: impl FnOnce(&mut dyn SyscallMemory, &mut Pointer) -> T,
    ) -> T {
        match &mut self.0 {
            Backend::CairoVm(frame) => frame.with_memory(respond),
            Backend::Fast(frame) => frame.with_memory(respond),
            Backend::Checked(frame) => frame.with_memory(respond),
        }
    }

    /// The location of a frame that is suspended at a syscall. Fails only if the execution is interrupted, or
    /// on a bug.
    pub(crate) fn location(&self) -> Result<VmLocation, FinishFault> {
        match &self.0 {
            Backend::CairoVm(frame) => Ok(frame.location()),
            Backend::Fast(frame) => frame.location(),
            Backend::Checked(frame) => frame.location(),
        }
    }

    /// The first difference between the back ends, in checked mode. To be checked before an unfinished frame
    /// is dropped.
    pub(crate) fn difference(&self) -> Option<String> {
        match &self.0 {
            Backend::CairoVm(_) | Backend::Fast(_) => None,
            Backend::Checked(frame) => frame.difference(),
        }
    }
}
