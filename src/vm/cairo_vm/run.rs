//! The run loop over `cairo-vm`: our own loop around its single step, with the hints of the class's table.
//!
//! A syscall leaves the loop; the frame is resumed after the response. Therefore inner calls do not nest on
//! the native stack, and a suspended frame is only data.

use std::panic::{AssertUnwindSafe, catch_unwind};

use cairo_vm::vm::errors::vm_errors::VirtualMachineError;
use cairo_vm::vm::runners::cairo_runner::CairoRunner;

use super::frame::{CairoVmFrame, FrameClass};
use super::hint::{NextHint, RunError, run_cairo0_hint, run_cairo1_hint};
use crate::vm::fault::{FrameFault, VmLocation, panic_message};
use crate::vm::interface::{STEPS_BETWEEN_POLLS, StepBudget, VmExit};

impl CairoVmFrame {
    /// Runs until the next syscall or the end. Only frames measured in steps consume steps of `budget`, but a
    /// frame of either kind fails when no step remains (C53).
    pub(in crate::vm) fn run(
        &mut self,
        budget: &mut StepBudget,
        counts_steps: bool,
    ) -> Result<VmExit, FrameFault> {
        // `cairo-vm` and its hints process adversarial input. A panic in them must neither take the host down
        // nor end the block; it counts as an error of the program.
        let result = catch_unwind(AssertUnwindSafe(|| self.run_loop(budget, counts_steps)));
        match result {
            Ok(Ok(exit)) => Ok(exit),
            Ok(Err(RunError::Vm(error))) => Err(FrameFault::of(&self.runner, &error)),
            Ok(Err(RunError::Hint(text))) => Err(FrameFault::program(VmLocation::of(&self.runner), text)),
            Err(panic) => {
                let location = catch_unwind(AssertUnwindSafe(|| VmLocation::of(&self.runner)));
                let location = location.unwrap_or_else(|_| VmLocation::none());
                Err(FrameFault::program(location, panic_message(panic.as_ref())))
            }
        }
    }

    fn run_loop(&mut self, budget: &mut StepBudget, counts_steps: bool) -> Result<VmExit, RunError> {
        let Self { runner, class, end, next_hint, syscall_pointer, .. } = self;
        let CairoRunner { vm, exec_scopes, .. } = runner;
        if let FrameClass::Cairo0 { class, .. } = class
            && let Some(hint) = &class.unprepared_hint
        {
            return Err(VirtualMachineError::CompileHintFail(hint.clone().into()).into());
        }
        let mut steps_to_poll = STEPS_BETWEEN_POLLS;
        loop {
            steps_to_poll = steps_to_poll.saturating_sub(1);
            if steps_to_poll == 0 {
                steps_to_poll = STEPS_BETWEEN_POLLS;
                if budget.stop.is_raised() {
                    return Ok(VmExit::Interrupted);
                }
            }
            if next_hint.is_none() {
                if vm.get_pc() == *end {
                    return Ok(VmExit::Returned);
                }
                if budget.remaining == 0 {
                    return Err(VirtualMachineError::UnfinishedExecution.into());
                }
            }
            // Like `cairo-vm`, hints are looked up by the offset alone, in any segment.
            let pc = vm.get_pc().offset;
            let mut index = next_hint.unwrap_or(0);
            loop {
                let hint = match class {
                    FrameClass::Cairo0 { class, hints, .. } => {
                        run_cairo0_hint(class, hints, (pc, index), vm, exec_scopes, *syscall_pointer)?
                    }
                    FrameClass::Cairo1 { class, .. } => {
                        run_cairo1_hint(class.hints_at(pc), index, vm, exec_scopes)?
                    }
                };
                index = index.saturating_add(1);
                match hint {
                    NextHint::Executed => {}
                    NextHint::Syscall => {
                        *next_hint = Some(index);
                        return Ok(VmExit::Syscall);
                    }
                    NextHint::NoneLeft => break,
                }
            }
            *next_hint = None;
            vm.step_instruction()?;
            if counts_steps {
                budget.remaining = budget.remaining.saturating_sub(1);
            }
        }
    }
}
