//! Frames of Cairo 0 code: their setup and the checks at their end.
//!
//! Unlike Cairo 1 code, the code returns its syscall pointer and its builtin pointers, and all of them are
//! checked (C80, C81).

use std::collections::BTreeMap;
use std::sync::Arc;

use cairo_vm::types::layout_name::LayoutName;
use cairo_vm::types::relocatable::{MaybeRelocatable, Relocatable};
use cairo_vm::vm::runners::cairo_runner::CairoRunner;
use cairo_vm::vm::security::verify_secure_runner;
use starknet_types_core::felt::Felt;

use super::frame::{CairoVmFrame, FrameClass};
use super::memory::{pointer, relocatable};
use super::start::allocate;
use crate::protocol::Constants;
use crate::syscall::TrackedResource;
use crate::vm::fault::{FinishFault, StartFault};
use crate::vm::frame_setup::{CAIRO0_ARGUMENTS, Cairo0FrameSetup};
use crate::vm::interface::FrameOutput;

impl CairoVmFrame {
    /// Sets up a frame of Cairo 0 code.
    pub(in crate::vm) fn start_cairo0(setup: &Cairo0FrameSetup) -> Result<Self, StartFault> {
        let class = &setup.class;
        let mut runner = CairoRunner::new(&class.vm_program, LayoutName::starknet, None, false, false, false)
            .map_err(StartFault::vm)?;
        runner.initialize_builtins(false).map_err(StartFault::vm)?;
        runner.initialize_segments(None);
        let vm = &mut runner.vm;
        let syscall_start = vm.add_memory_segment();

        let mut implicit_arguments = vec![MaybeRelocatable::RelocatableValue(syscall_start)];
        implicit_arguments.extend(vm.builtin_runners.iter().flat_map(|builtin| builtin.initial_stack()));
        let mut read_only = Vec::new();
        let calldata: Vec<MaybeRelocatable> =
            setup.calldata.0.iter().copied().map(MaybeRelocatable::Int).collect();
        let calldata_start = allocate(vm, &calldata, &mut read_only)?;
        let implicit_start = vm.add_memory_segment();
        vm.load_data(implicit_start, &implicit_arguments).map_err(StartFault::vm)?;
        let stack = vec![
            MaybeRelocatable::Int(setup.selector),
            MaybeRelocatable::RelocatableValue(implicit_start),
            MaybeRelocatable::from(calldata.len()),
            MaybeRelocatable::RelocatableValue(calldata_start),
        ];
        let end = runner
            .initialize_function_entrypoint(setup.offset, stack, MaybeRelocatable::Int(Felt::ZERO))
            .map_err(StartFault::vm)?;
        runner.initialize_vm().map_err(StartFault::vm)?;

        Ok(Self {
            class: FrameClass::Cairo0 {
                class: Arc::clone(class),
                implicit_arguments,
                hints: BTreeMap::new(),
            },
            runner,
            end,
            read_only,
            syscall_pointer: pointer(syscall_start),
            arguments: CAIRO0_ARGUMENTS,
            next_hint: None,
        })
    }

    /// Checks a Cairo 0 frame that returned, and reads its return data and resource usage.
    pub(super) fn finish_cairo0(&mut self, constants: &Constants) -> Result<FrameOutput, FinishFault> {
        verify_secure_runner(&self.runner, false, None).map_err(|error| FinishFault::vm(&error))?;
        self.mark_arguments_and_segments()?;
        let values = self.runner.vm.get_return_values(2).map_err(FinishFault::protocol)?;
        let [size, start] = values.as_slice() else {
            return Err(FinishFault::internal("cairo-vm returned a wrong number of return values"));
        };
        let (size, start) = (size.clone(), start.clone());
        self.check_pointers()?;
        let resources = self.resources(TrackedResource::CairoSteps, constants)?;
        let retdata = self.read_retdata(&start, size)?;
        Ok(FrameOutput { failed: false, retdata, gas_consumed: 0, resources })
    }

    /// Checks the end pointers of builtins, implicit arguments, syscalls and read-only segments, in this
    /// order (C81).
    fn check_pointers(&mut self) -> Result<(), FinishFault> {
        let invalid = |what: &str| FinishFault::protocol(format!("Validation failed: {what}."));
        let FrameClass::Cairo0 { implicit_arguments, .. } = &self.class else {
            return Err(FinishFault::internal("not a Cairo 0 frame"));
        };
        let implicit_end = (self.runner.vm.get_ap() - 2).map_err(FinishFault::protocol)?;
        let builtins_end = self
            .runner
            .get_builtins_final_stack(implicit_end)
            .map_err(|error| invalid(&error.to_string()))?;
        let implicit_start = (builtins_end - 1).map_err(FinishFault::protocol)?;
        if (implicit_start + implicit_arguments.len()).map_err(FinishFault::protocol)? != implicit_end {
            return Err(invalid("Implicit arguments' segments"));
        }

        let vm = &self.runner.vm;
        let Some(MaybeRelocatable::RelocatableValue(syscall_start)) = implicit_arguments.first() else {
            return Err(FinishFault::internal("the syscall pointer is not a pointer"));
        };
        let syscall_end = vm.get_relocatable(implicit_start).map_err(FinishFault::protocol)?;
        let used = usize::try_from(syscall_start.segment_index)
            .ok()
            .and_then(|segment| vm.get_segment_used_size(segment))
            .ok_or_else(|| FinishFault::internal("the syscall segment is missing"))?;
        if (*syscall_start + used).map_err(FinishFault::protocol)? != syscall_end {
            return Err(invalid("Syscall segment size"));
        }
        if syscall_end != relocatable(self.syscall_pointer) {
            return Err(invalid("Syscall segment end"));
        }
        let has_length = |(start, length): &(Relocatable, usize)| {
            let used =
                usize::try_from(start.segment_index).ok().and_then(|index| vm.get_segment_used_size(index));
            used == Some(*length)
        };
        if !self.read_only.iter().all(has_length) {
            return Err(invalid("Read-only segments"));
        }
        Ok(())
    }
}
