//! Running a frame: our own loop over the engine's single step, with hints from the class's table.
//!
//! A syscall leaves the loop; whoever answers it resumes the frame where it stopped. So inner calls do not nest on the native
//! stack, and a frame that waits is only data.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use cairo_lang_casm::hints::{Hint, StarknetHint};
use cairo_lang_runner::casm_run::execute_core_hint_base;
use cairo_vm::types::relocatable::Relocatable;
use cairo_vm::vm::errors::hint_errors::HintError;
use cairo_vm::vm::errors::vm_errors::VirtualMachineError;
use cairo_vm::vm::runners::cairo_runner::CairoRunner;

use super::fault::{FrameFault, FrameFaultKind, VmLocation};
use super::memory::FrameMemory;
use crate::class::Cairo1Class;
use crate::protocol::Builtin;
use crate::syscall::{Memory, Pointer};

/// One frame of one entry point, running or waiting.
pub(crate) struct Frame {
    pub(super) runner: CairoRunner,
    pub(super) class: Arc<Cairo1Class>,
    /// The entry point's builtins, in its order.
    pub(super) builtins: Vec<Builtin>,
    /// Where the program returns to: reaching it is the end.
    pub(super) end: Relocatable,
    /// Segments that the program may not extend, with their lengths.
    pub(super) read_only: Vec<(Relocatable, usize)>,
    /// The next syscall's place.
    pub(super) syscall_pointer: Pointer,
    /// Number of arguments on the stack.
    pub(super) arguments: usize,
    /// Set while a step is under way: which of its hints comes next.
    pub(super) next_hint: Option<usize>,
}

impl std::fmt::Debug for Frame {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Frame").field("pc", &self.runner.vm.get_pc()).finish_non_exhaustive()
    }
}

/// Why a frame stopped running.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// At a syscall, to be answered in memory.
    Syscall,
    /// At its end.
    Returned,
}

/// Steps that the frames of a phase share (C52).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StepBudget {
    /// Steps left.
    pub remaining: u64,
}

/// Why the loop ended early.
enum Break {
    Vm(VirtualMachineError),
    TestHint,
}

impl From<VirtualMachineError> for Break {
    fn from(error: VirtualMachineError) -> Self {
        Self::Vm(error)
    }
}

impl Frame {
    /// Runs until the next syscall or the end. Only frames measured in steps use up `budget`, but a frame of either kind
    /// stops when it is used up (C53).
    pub(crate) fn run(&mut self, budget: &mut StepBudget, counts_steps: bool) -> Result<Stop, FrameFault> {
        // The engine and the hints are other people's code over input that anybody may craft: a panic in them must not take the
        // host down. After one the frame is only dropped, so no broken state is seen.
        let result = catch_unwind(AssertUnwindSafe(|| self.run_loop(budget, counts_steps)));
        match result {
            Ok(Ok(stop)) => Ok(stop),
            Ok(Err(Break::Vm(error))) => Err(FrameFault::of(&self.runner, &error)),
            Ok(Err(Break::TestHint)) => Err(FrameFault {
                location: VmLocation::of(&self.runner),
                text: Some(crate::syscall::SyscallFault::TestHint.to_string()),
                kind: FrameFaultKind::Program,
            }),
            Err(panic) => Err(FrameFault {
                location: VmLocation { pc: String::new(), error_attribute: None, traceback: None },
                text: Some(panic_message(panic.as_ref())),
                kind: FrameFaultKind::Engine,
            }),
        }
    }

    fn run_loop(&mut self, budget: &mut StepBudget, counts_steps: bool) -> Result<Stop, Break> {
        let Self { runner, class, end, next_hint, .. } = self;
        let CairoRunner { vm, exec_scopes, .. } = runner;
        loop {
            if next_hint.is_none() {
                if vm.get_pc() == *end {
                    return Ok(Stop::Returned);
                }
                if budget.remaining == 0 {
                    return Err(VirtualMachineError::UnfinishedExecution.into());
                }
            }
            let mut index = next_hint.unwrap_or(0);
            // Hints are found by the offset alone, whatever the segment, as the engine does it.
            let hints = class.hints_at(vm.get_pc().offset);
            while let Some(hint) = hints.get(index) {
                let this = index;
                index = index.saturating_add(1);
                match hint {
                    Hint::Core(core) => {
                        // Segment arena finalization matters to the prover only: no temporary segments.
                        execute_core_hint_base(vm, exec_scopes, core, true)
                            .map_err(|error| VirtualMachineError::Hint(Box::new((this, error))))?;
                    }
                    Hint::Starknet(StarknetHint::SystemCall { .. }) => {
                        *next_hint = Some(index);
                        return Ok(Stop::Syscall);
                    }
                    Hint::Starknet(_) => return Err(Break::TestHint),
                    Hint::External(_) => {
                        let error =
                            HintError::CustomHint("External hints are unsupported on starknet.".into());
                        return Err(VirtualMachineError::Hint(Box::new((this, error))).into());
                    }
                }
            }
            *next_hint = None;
            vm.step_instruction()?;
            if counts_steps {
                budget.remaining = budget.remaining.saturating_sub(1);
            }
        }
    }

    /// The frame's memory and its syscall pointer, to answer a syscall.
    pub(crate) fn with_memory<T>(&mut self, answer: impl FnOnce(&mut dyn Memory, &mut Pointer) -> T) -> T {
        let mut memory = FrameMemory { vm: &mut self.runner.vm, read_only: &mut self.read_only };
        answer(&mut memory, &mut self.syscall_pointer)
    }

    /// Where the frame stands.
    pub(crate) fn location(&self) -> VmLocation {
        VmLocation::of(&self.runner)
    }
}

/// What a panic said.
pub(super) fn panic_message(panic: &(dyn std::any::Any + Send)) -> String {
    let message = panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no message".to_owned());
    format!("The engine panicked: {message}")
}
