//! The hints of a step, in both languages.
//!
//! Input: the hints of the class's table. Output: executed hints; syscalls are left to the caller. Most hints
//! run in `cairo-vm` and `cairo-lang-runner`; only those of Starknet, and those that would be unsafe, are our
//! own.

use std::any::Any;
use std::collections::BTreeMap;

use cairo_lang_casm::hints::{CoreHint, CoreHintBase, Hint, StarknetHint};
use cairo_lang_runner::casm_run::{cell_ref_to_relocatable, execute_core_hint_base, read_felts};
use cairo_vm::hint_processor::builtin_hint_processor::builtin_hint_processor_definition::{
    BuiltinHintProcessor, HintProcessorData,
};
use cairo_vm::hint_processor::builtin_hint_processor::hint_code;
use cairo_vm::hint_processor::builtin_hint_processor::hint_utils::{
    get_integer_from_var_name, get_ptr_from_var_name, insert_value_from_var_name,
};
use cairo_vm::hint_processor::hint_processor_definition::HintProcessorLogic;
use cairo_vm::types::exec_scope::ExecutionScopes;
use cairo_vm::vm::errors::hint_errors::HintError;
use cairo_vm::vm::errors::vm_errors::VirtualMachineError;
use cairo_vm::vm::vm_core::VirtualMachine;
use num_bigint::BigUint;
use starknet_types_core::felt::Felt;

use super::memory::relocatable;
use crate::class::{Cairo0Class, HintKind};
use crate::crypto::blinding_point;
use crate::syscall::{Pointer, SyscallFault};

/// The outcome of the next hint of a step.
pub(super) enum NextHint {
    /// The hint was executed.
    Executed,
    /// The hint is a syscall.
    Syscall,
    /// The step has no further hint.
    NoneLeft,
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

/// Runs hint number `index` of a step, out of the `hints` of the step.
pub(super) fn run_cairo1_hint(
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
            // Nothing is printed, because standard output belongs to the host. Unreadable arguments still
            // fail.
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
