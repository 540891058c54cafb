//! Frames of Cairo 0 code: their setup, their hints, the checks at their end.
//!
//! Unlike Cairo 1 code, the code returns its syscall pointer and its builtin pointers, and all of them are
//! checked (C80, C81).

use std::any::Any;
use std::collections::BTreeMap;
use std::sync::Arc;

use cairo_vm::hint_processor::builtin_hint_processor::builtin_hint_processor_definition::{
    BuiltinHintProcessor, HintProcessorData,
};
use cairo_vm::hint_processor::builtin_hint_processor::hint_code;
use cairo_vm::hint_processor::builtin_hint_processor::hint_utils::{
    get_integer_from_var_name, get_ptr_from_var_name, insert_value_from_var_name,
};
use cairo_vm::hint_processor::hint_processor_definition::HintProcessorLogic;
use cairo_vm::types::exec_scope::ExecutionScopes;
use cairo_vm::types::layout_name::LayoutName;
use cairo_vm::types::relocatable::{MaybeRelocatable, Relocatable};
use cairo_vm::vm::errors::hint_errors::HintError;
use cairo_vm::vm::errors::vm_errors::VirtualMachineError;
use cairo_vm::vm::runners::cairo_runner::CairoRunner;
use cairo_vm::vm::security::verify_secure_runner;
use cairo_vm::vm::vm_core::VirtualMachine;
use num_bigint::BigUint;
use starknet_types_core::felt::Felt;

use super::memory::{pointer, relocatable};
use super::run::{CairoVmFrame, FrameClass, NextHint, RunError};
use super::start::allocate;
use crate::class::{Cairo0Class, HintKind};
use crate::protocol::Constants;
use crate::syscall::{Pointer, TrackedResource};
use crate::vm::fault::{FinishFault, StartFault};
use crate::vm::frame::FrameOutput;
use crate::vm::frame_setup::{CAIRO0_ARGUMENTS, Cairo0FrameSetup};

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

/// Runs hint number `at.1` of the step at `at.0`. The request of a syscall must begin where the last response
/// ended.
pub(super) fn run_cairo0_hint(
    class: &Cairo0Class,
    boxed_hints: &mut BTreeMap<(usize, usize), Box<dyn Any>>,
    at: (usize, usize),
    vm: &mut VirtualMachine,
    exec_scopes: &mut ExecutionScopes,
    syscall_pointer: Pointer,
) -> Result<NextHint, RunError> {
    let (pc, index) = at;
    let Some(hint) = class.hints.at(pc).get(index) else { return Ok(NextHint::NoneLeft) };
    let data = &hint.data;
    let result = match hint.kind {
        HintKind::Syscall => {
            let actual = get_ptr_from_var_name("syscall_ptr", vm, &data.ids_data, &data.ap_tracking)
                .map_err(|error| RunError::Hint(error.to_string()))?;
            let expected = relocatable(syscall_pointer);
            if actual != expected {
                let text = format!("Bad syscall_ptr; expected: {expected:?}, got: {actual:?}.");
                return Err(RunError::Hint(text));
            }
            return Ok(NextHint::Syscall);
        }
        HintKind::AddressIsSmall => address_is_small(vm, data),
        HintKind::AddressIs250 => address_is_250(vm, data),
        HintKind::Library if pads_zero_blocks(data) => {
            Err(HintError::CustomHint("Expected the block size to be above 0.".into()))
        }
        HintKind::Library => {
            let boxed = boxed_hints.entry(at).or_insert_with(|| hint.boxed());
            BuiltinHintProcessor::new_empty().execute_hint(vm, exec_scopes, boxed)
        }
    };
    result.map_err(|error| VirtualMachineError::Hint(Box::new((index, error))))?;
    Ok(NextHint::Executed)
}

/// Returns `true` if the hint pads the input of Keccak with a block size of zero. `cairo-vm` would pad until
/// the process is out of memory.
fn pads_zero_blocks(data: &HintProcessorData) -> bool {
    const BLOCK_SIZE: &str = "starkware.cairo.common.cairo_keccak.packed_keccak.BLOCK_SIZE";
    let pads = [hint_code::CAIRO_KECCAK_FINALIZE_V1, hint_code::CAIRO_KECCAK_FINALIZE_V2];
    pads.contains(&data.code.as_str()) && data.constants.get(BLOCK_SIZE) == Some(&Felt::ZERO)
}

/// A hint of Starknet: writes whether an address is below the bound of addresses.
fn address_is_small(vm: &mut VirtualMachine, data: &HintProcessorData) -> Result<(), HintError> {
    const BOUND: &str = "starkware.starknet.common.storage.ADDR_BOUND";
    let bound = data.constants.get(BOUND).ok_or_else(|| HintError::MissingConstant("ADDR_BOUND".into()))?;
    let bound = bound.to_biguint();
    let address = get_integer_from_var_name("addr", vm, &data.ids_data, &data.ap_tracking)?.to_biguint();
    let two_to_250 = BigUint::from(1_u8) << 250_u32;
    let double = &bound << 1_u32;
    let is_usable = bound > two_to_250
        && bound <= &two_to_250 << 1_u32
        && &two_to_250 << 1_u32 < Felt::prime()
        && double > Felt::prime();
    if !is_usable {
        let text = format!(
            "assert (2**250 < {bound} <= 2**251) and (2 * 2**250 < PRIME) and ({bound} * 2 > PRIME); \
             normalize_address() cannot be used with the current constants.",
        );
        return Err(HintError::AssertionFailed(text.into()));
    }
    let is_small = Felt::from(u8::from(address < bound));
    insert_value_from_var_name("is_small", is_small, vm, &data.ids_data, &data.ap_tracking)
}

/// A hint of Starknet: writes whether an address is below 2^250.
fn address_is_250(vm: &mut VirtualMachine, data: &HintProcessorData) -> Result<(), HintError> {
    let address = get_integer_from_var_name("addr", vm, &data.ids_data, &data.ap_tracking)?;
    let is_250 = Felt::from(u8::from(address.to_biguint() < BigUint::from(1_u8) << 250_u32));
    insert_value_from_var_name("is_250", is_250, vm, &data.ids_data, &data.ap_tracking)
}
