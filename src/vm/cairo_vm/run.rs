//! Running a frame on `cairo-vm`: our own loop over the engine's single step, with hints from the class's table.
//!
//! A syscall leaves the loop; whoever answers it resumes the frame where it stopped. So inner calls do not nest on the native
//! stack, and a frame that waits is only data.

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
use crate::crypto::secret_point;
use crate::protocol::Builtin;
use crate::syscall::{Language, Pointer, SyscallFault, SyscallMemory, Value};
use crate::vm::fault::{FrameFault, FrameFaultKind, VmLocation, panic_message};
use crate::vm::frame::{RegisterSnapshot, STEPS_BETWEEN_POLLS, StepBudget, VmExit};

/// One frame of one entry point, running or waiting.
pub(in crate::vm) struct CairoVmFrame {
    pub(super) runner: CairoRunner,
    pub(super) code: Code,
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

/// The class of a frame, with what its language needs to know until the end.
pub(super) enum Code {
    Cairo0 {
        class: Arc<Cairo0Class>,
        /// Syscall pointer and builtin pointers as they were at the start, to be checked at the end.
        implicit_arguments: Vec<MaybeRelocatable>,
        /// The class's hints, in the form in which the engine takes them, once they have run in this frame.
        hints: BTreeMap<(usize, usize), Box<dyn Any>>,
    },
    Cairo1 {
        class: Arc<Cairo1Class>,
        /// The entry point's builtins, in its order.
        builtins: Vec<Builtin>,
    },
}

impl std::fmt::Debug for CairoVmFrame {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CairoVmFrame").field("pc", &self.runner.vm.get_pc()).finish_non_exhaustive()
    }
}

/// Why the loop ended early.
pub(super) enum Break {
    /// The engine says so.
    Vm(VirtualMachineError),
    /// A hint of ours says so.
    Hint(String),
}

impl From<VirtualMachineError> for Break {
    fn from(error: VirtualMachineError) -> Self {
        Self::Vm(error)
    }
}

impl CairoVmFrame {
    /// Runs until the next syscall or the end. Only frames measured in steps use up `budget`, but a frame of either kind
    /// stops when it is used up (C53).
    pub(in crate::vm) fn run(
        &mut self,
        budget: &mut StepBudget,
        counts_steps: bool,
    ) -> Result<VmExit, FrameFault> {
        // The engine and the hints are other people's code over input that anybody may craft: a panic in them must not take the
        // host down, nor end a block for the others in it. It is the program's fault: the engine is told nothing else.
        let result = catch_unwind(AssertUnwindSafe(|| self.run_loop(budget, counts_steps)));
        match result {
            Ok(Ok(stop)) => Ok(stop),
            Ok(Err(Break::Vm(error))) => Err(FrameFault::of(&self.runner, &error)),
            Ok(Err(Break::Hint(text))) => Err(FrameFault {
                location: VmLocation::of(&self.runner),
                text: Some(text),
                kind: FrameFaultKind::Program,
            }),
            Err(panic) => Err(FrameFault {
                location: catch_unwind(AssertUnwindSafe(|| VmLocation::of(&self.runner)))
                    .unwrap_or_else(|_| VmLocation::nowhere()),
                text: Some(panic_message(panic.as_ref())),
                kind: FrameFaultKind::Program,
            }),
        }
    }

    fn run_loop(&mut self, budget: &mut StepBudget, counts_steps: bool) -> Result<VmExit, Break> {
        let Self { runner, code, end, next_hint, syscall_pointer, .. } = self;
        let CairoRunner { vm, exec_scopes, .. } = runner;
        if let Code::Cairo0 { class, .. } = code
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
            // Hints are found by the offset alone, whatever the segment, as the engine does it.
            let pc = vm.get_pc().offset;
            let mut index = next_hint.unwrap_or(0);
            loop {
                let ran = match code {
                    Code::Cairo0 { class, hints, .. } => {
                        run_cairo0_hint(class, hints, (pc, index), vm, exec_scopes, *syscall_pointer)?
                    }
                    Code::Cairo1 { class, .. } => {
                        run_cairo1_hint(class.hints_at(pc), index, vm, exec_scopes)?
                    }
                };
                index = index.saturating_add(1);
                match ran {
                    Hinted::Ran => {}
                    Hinted::Syscall => {
                        *next_hint = Some(index);
                        return Ok(VmExit::Syscall);
                    }
                    Hinted::None => break,
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
        match self.code {
            Code::Cairo0 { .. } => Language::Cairo0,
            Code::Cairo1 { .. } => Language::Cairo1,
        }
    }

    /// The frame's memory and its syscall pointer, to answer a syscall.
    pub(in crate::vm) fn with_memory<T>(
        &mut self,
        answer: impl FnOnce(&mut dyn SyscallMemory, &mut Pointer) -> T,
    ) -> T {
        let mut memory = FrameMemory { vm: &mut self.runner.vm, read_only: &mut self.read_only };
        answer(&mut memory, &mut self.syscall_pointer)
    }

    /// The registers and the number of steps, to be compared.
    pub(in crate::vm) fn registers(&self) -> RegisterSnapshot {
        let vm = &self.runner.vm;
        RegisterSnapshot {
            pc: pointer(vm.get_pc()),
            ap: vm.get_ap().offset,
            fp: vm.get_fp().offset,
            steps: vm.get_current_step(),
        }
    }

    /// How many cells each segment has; of a frame that has returned.
    pub(in crate::vm) fn segment_sizes(&mut self) -> Vec<usize> {
        self.runner.vm.segments.compute_effective_sizes().clone()
    }

    /// A cell, and whether an instruction touched it.
    pub(in crate::vm) fn cell(&self, at: Pointer) -> (Option<Value>, bool) {
        let at = relocatable(at);
        let value = self.runner.vm.get_maybe(&at).map(|value| match value {
            MaybeRelocatable::Int(felt) => Value::Felt(felt),
            MaybeRelocatable::RelocatableValue(address) => Value::Pointer(pointer(address)),
        });
        let is_accessed = value.is_some() && self.runner.vm.is_accessed(&at).unwrap_or(false);
        (value, is_accessed)
    }

    /// Where the frame stands.
    pub(in crate::vm) fn location(&self) -> VmLocation {
        VmLocation::of(&self.runner)
    }
}

/// What became of the next hint of a step.
pub(super) enum Hinted {
    /// It ran.
    Ran,
    /// It is a syscall.
    Syscall,
    /// There is none left.
    None,
}

fn run_cairo1_hint(
    hints: &[Hint],
    index: usize,
    vm: &mut VirtualMachine,
    exec_scopes: &mut ExecutionScopes,
) -> Result<Hinted, Break> {
    match hints.get(index) {
        None => Ok(Hinted::None),
        Some(Hint::Core(CoreHintBase::Core(CoreHint::RandomEcPoint { x, y }))) => {
            let point = secret_point();
            for (cell, value) in [(x, point.x.to_felt()), (y, point.y.to_felt())] {
                vm.insert_value(cell_ref_to_relocatable(cell, vm), value)
                    .map_err(|error| VirtualMachineError::Hint(Box::new((index, error.into()))))?;
            }
            Ok(Hinted::Ran)
        }
        Some(Hint::Core(CoreHintBase::Core(CoreHint::DebugPrint { start, end }))) => {
            // Standard output is the host's. What could not be printed is the error that it was.
            read_felts(vm, start, end)
                .map_err(|error| VirtualMachineError::Hint(Box::new((index, error))))?;
            Ok(Hinted::Ran)
        }
        Some(Hint::Core(core)) => {
            // Segment arena finalization matters to the prover only: no temporary segments.
            execute_core_hint_base(vm, exec_scopes, core, true)
                .map_err(|error| VirtualMachineError::Hint(Box::new((index, error))))?;
            Ok(Hinted::Ran)
        }
        Some(Hint::Starknet(StarknetHint::SystemCall { .. })) => Ok(Hinted::Syscall),
        Some(Hint::Starknet(_)) => Err(Break::Hint(SyscallFault::TestHint.to_string())),
        Some(Hint::External(_)) => {
            let error = HintError::CustomHint("External hints are unsupported on starknet.".into());
            Err(VirtualMachineError::Hint(Box::new((index, error))).into())
        }
    }
}
