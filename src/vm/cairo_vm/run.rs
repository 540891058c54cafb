//! The run loop over `cairo-vm`: our own loop around its single step, with the hints of the class's table.
//!
//! A syscall leaves the loop; the frame is resumed after the response. Therefore inner calls do not nest on
//! the native stack, and a suspended frame is only data.

use std::any::Any;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use cairo_lang_casm::hints::{CoreHint, CoreHintBase, Hint, StarknetHint};
use cairo_lang_runner::casm_run::{cell_ref_to_relocatable, execute_core_hint_base, read_felts};
use cairo_vm::types::exec_scope::ExecutionScopes;
use cairo_vm::types::relocatable::{MaybeRelocatable, Relocatable};
use cairo_vm::vm::errors::hint_errors::HintError;
use cairo_vm::vm::errors::vm_errors::VirtualMachineError;
use cairo_vm::vm::runners::cairo_runner::CairoRunner;
use cairo_vm::vm::vm_core::VirtualMachine;

use super::cairo0::run_cairo0_hint;
use super::memory::{FrameMemory, pointer, relocatable};
use crate::class::{Cairo0Class, Cairo1Class};
use crate::crypto::blinding_point;
use crate::protocol::Builtin;
use crate::syscall::{Language, Pointer, SyscallFault, SyscallMemory, Value};
use crate::vm::fault::{FrameFault, VmLocation, panic_message};
use crate::vm::frame::{RegisterSnapshot, STEPS_BETWEEN_POLLS, StepBudget, VmExit};

/// One frame of one entry point, running or suspended at a syscall.
pub(in crate::vm) struct CairoVmFrame {
    pub(super) runner: CairoRunner,
    pub(super) class: FrameClass,
    /// The return address of the entry point. The frame ends when the program counter reaches it.
    pub(super) end: Relocatable,
    /// Segments that the program must not extend, with their lengths.
    pub(super) read_only: Vec<(Relocatable, usize)>,
    /// The address of the next syscall's request.
    pub(super) syscall_pointer: Pointer,
    /// Number of arguments on the stack.
    pub(super) arguments: usize,
    /// The index of the next hint of a step that a syscall suspended.
    pub(super) next_hint: Option<usize>,
}

/// The class of a frame, with the values that its language needs at the end.
pub(super) enum FrameClass {
    Cairo0 {
        class: Arc<Cairo0Class>,
        /// The initial syscall pointer and builtin pointers, to be checked at the end.
        implicit_arguments: Vec<MaybeRelocatable>,
        /// The hints that have run in this frame, in the form that `cairo-vm` takes.
        hints: BTreeMap<(usize, usize), Box<dyn Any>>,
    },
    Cairo1 {
        class: Arc<Cairo1Class>,
        /// The builtins of the entry point, in the order of its arguments.
        builtins: Vec<Builtin>,
    },
}

impl std::fmt::Debug for CairoVmFrame {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CairoVmFrame").field("pc", &self.runner.vm.get_pc()).finish_non_exhaustive()
    }
}

/// The errors that end the run loop.
pub(super) enum RunError {
    /// An error of `cairo-vm`.
    Vm(VirtualMachineError),
    /// An error of a hint that we implement: its text.
    Hint(String),
}

impl From<VirtualMachineError> for RunError {
    fn from(error: VirtualMachineError) -> Self {
        Self::Vm(error)
    }
}

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

    /// The language of the frame's code.
    pub(in crate::vm) fn language(&self) -> Language {
        match self.class {
            FrameClass::Cairo0 { .. } => Language::Cairo0,
            FrameClass::Cairo1 { .. } => Language::Cairo1,
        }
    }

    /// Gives access to the frame's memory and its syscall pointer, to respond to a syscall.
    pub(in crate::vm) fn with_memory<T>(
        &mut self,
        respond: impl FnOnce(&mut dyn SyscallMemory, &mut Pointer) -> T,
    ) -> T {
        let mut memory = FrameMemory { vm: &mut self.runner.vm, read_only: &mut self.read_only };
        respond(&mut memory, &mut self.syscall_pointer)
    }

    /// The registers and the number of steps.
    pub(in crate::vm) fn registers(&self) -> RegisterSnapshot {
        let vm = &self.runner.vm;
        RegisterSnapshot {
            pc: pointer(vm.get_pc()),
            ap: vm.get_ap().offset,
            fp: vm.get_fp().offset,
            steps: vm.get_current_step(),
        }
    }

    /// The number of cells of each segment of a frame that has returned.
    pub(in crate::vm) fn segment_sizes(&mut self) -> Vec<usize> {
        self.runner.vm.segments.compute_effective_sizes().clone()
    }

    /// The value of a cell, and `true` if an instruction accessed it.
    pub(in crate::vm) fn cell(&self, at: Pointer) -> (Option<Value>, bool) {
        let at = relocatable(at);
        let value = self.runner.vm.get_maybe(&at).map(|value| match value {
            MaybeRelocatable::Int(felt) => Value::Felt(felt),
            MaybeRelocatable::RelocatableValue(address) => Value::Pointer(pointer(address)),
        });
        let is_accessed = value.is_some() && self.runner.vm.is_accessed(&at).unwrap_or(false);
        (value, is_accessed)
    }

    /// The current location of the frame.
    pub(in crate::vm) fn location(&self) -> VmLocation {
        VmLocation::of(&self.runner)
    }
}

/// The outcome of the next hint of a step.
pub(super) enum NextHint {
    /// The hint was executed.
    Executed,
    /// The hint is a syscall.
    Syscall,
    /// The step has no further hint.
    NoneLeft,
}

fn run_cairo1_hint(
    hints: &[Hint],
    index: usize,
    vm: &mut VirtualMachine,
    exec_scopes: &mut ExecutionScopes,
) -> Result<NextHint, RunError> {
    match hints.get(index) {
        None => Ok(NextHint::NoneLeft),
        Some(Hint::Core(CoreHintBase::Core(CoreHint::RandomEcPoint { x, y }))) => {
            let point = blinding_point();
            for (cell, value) in [(x, point.x.to_felt()), (y, point.y.to_felt())] {
                vm.insert_value(cell_ref_to_relocatable(cell, vm), value)
                    .map_err(|error| VirtualMachineError::Hint(Box::new((index, error.into()))))?;
            }
            Ok(NextHint::Executed)
        }
        Some(Hint::Core(CoreHintBase::Core(CoreHint::DebugPrint { start, end }))) => {
            // Nothing is printed: standard output belongs to the host. Unreadable arguments are the error
            // that they are there.
            read_felts(vm, start, end)
                .map_err(|error| VirtualMachineError::Hint(Box::new((index, error))))?;
            Ok(NextHint::Executed)
        }
        Some(Hint::Core(core)) => {
            // `true`: no temporary segments. Only the prover needs the finalization of the segment arena.
            execute_core_hint_base(vm, exec_scopes, core, true)
                .map_err(|error| VirtualMachineError::Hint(Box::new((index, error))))?;
            Ok(NextHint::Executed)
        }
        Some(Hint::Starknet(StarknetHint::SystemCall { .. })) => Ok(NextHint::Syscall),
        Some(Hint::Starknet(_)) => Err(RunError::Hint(SyscallFault::TestHint.to_string())),
        Some(Hint::External(_)) => {
            let error = HintError::CustomHint("External hints are unsupported on starknet.".into());
            Err(VirtualMachineError::Hint(Box::new((index, error))).into())
        }
    }
}
