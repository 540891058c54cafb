//! A frame on `cairo-vm`, and the access to its state.

use std::any::Any;
use std::collections::BTreeMap;
use std::sync::Arc;

use cairo_vm::types::relocatable::{MaybeRelocatable, Relocatable};
use cairo_vm::vm::runners::cairo_runner::CairoRunner;

use super::memory::{FrameMemory, pointer, relocatable};
use crate::class::{Cairo0Class, Cairo1Class};
use crate::protocol::Builtin;
use crate::syscall::{Language, Pointer, SyscallMemory, Value};
use crate::vm::fault::VmLocation;
use crate::vm::interface::RegisterSnapshot;

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

impl CairoVmFrame {
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
