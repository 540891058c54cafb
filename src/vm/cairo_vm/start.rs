//! The start of a Cairo 1 frame: its segments, its arguments, its first instruction (C75-C78).

use std::sync::Arc;

use cairo_vm::types::builtin_name::BuiltinName;
use cairo_vm::types::layout_name::LayoutName;
use cairo_vm::types::relocatable::{MaybeRelocatable, Relocatable};
use cairo_vm::vm::runners::cairo_runner::CairoRunner;
use cairo_vm::vm::vm_core::VirtualMachine;
use starknet_types_core::felt::Felt;

use super::frame::{CairoVmFrame, FrameClass};
use super::memory::pointer;

use crate::protocol::Builtin;
use crate::vm::fault::StartFault;
use crate::vm::frame_setup::{Cairo1FrameSetup, RET};

impl CairoVmFrame {
    /// Sets up a frame of Cairo 1 code.
    pub(in crate::vm) fn start_cairo1(setup: &Cairo1FrameSetup) -> Result<Self, StartFault> {
        let class = &setup.class;
        let program = class.vm_program().map_err(StartFault::vm)?;
        let mut runner = CairoRunner::new(program, LayoutName::starknet, None, false, false, false)
            .map_err(StartFault::vm)?;
        let builtins: Vec<BuiltinName> =
            setup.builtins.iter().filter_map(|builtin| to_builtin_name(*builtin)).collect();
        runner.initialize_function_runner_cairo_1(&builtins).map_err(StartFault::vm)?;

        let mut read_only = Vec::new();
        write_program_extra(&mut runner.vm, class.bytecode_len(), setup, &mut read_only)?;
        let syscall_start = runner.vm.add_memory_segment();

        let mut stack = Vec::new();
        for name in &builtins {
            let builtin = runner.vm.builtin_runners.iter().find(|builtin| builtin.name() == *name);
            let builtin = builtin.ok_or_else(|| StartFault::Vm(format!("Invalid builtin {name}.")))?;
            stack.extend(builtin.initial_stack());
        }
        stack.push(MaybeRelocatable::Int(Felt::from(setup.gas)));
        stack.push(MaybeRelocatable::RelocatableValue(syscall_start));
        let calldata: Vec<MaybeRelocatable> =
            setup.calldata.0.iter().copied().map(MaybeRelocatable::Int).collect();
        let calldata_start = allocate(&mut runner.vm, &calldata, &mut read_only)?;
        let calldata_end = (calldata_start + calldata.len()).map_err(StartFault::vm)?;
        stack.push(MaybeRelocatable::RelocatableValue(calldata_start));
        stack.push(MaybeRelocatable::RelocatableValue(calldata_end));

        let arguments = stack.len();
        let end = runner
            .initialize_function_entrypoint(setup.offset, stack, MaybeRelocatable::Int(Felt::ZERO))
            .map_err(StartFault::vm)?;
        runner.initialize_vm().map_err(StartFault::vm)?;

        Ok(Self {
            class: FrameClass::Cairo1 { class: Arc::clone(class), builtins: setup.builtins.clone() },
            runner,
            end,
            read_only,
            syscall_pointer: pointer(syscall_start),
            arguments,
            next_hint: None,
        })
    }
}

/// Writes what code expects after its bytecode: a `ret`, and a pointer to the builtin prices.
fn write_program_extra(
    vm: &mut VirtualMachine,
    bytecode_len: usize,
    setup: &Cairo1FrameSetup,
    read_only: &mut Vec<(Relocatable, usize)>,
) -> Result<(), StartFault> {
    let prices = setup.prices.map(|price| MaybeRelocatable::from(Felt::from(price)));
    let prices = allocate(vm, &prices, read_only)?;
    let end = (vm.get_pc() + bytecode_len).map_err(StartFault::vm)?;
    vm.load_data(end, &[RET.into(), prices.into()]).map_err(StartFault::vm)?;
    Ok(())
}

/// Allocates a segment with `data`, which the program must not extend.
pub(super) fn allocate(
    vm: &mut VirtualMachine,
    data: &[MaybeRelocatable],
    read_only: &mut Vec<(Relocatable, usize)>,
) -> Result<Relocatable, StartFault> {
    let start = vm.add_memory_segment();
    read_only.push((start, data.len()));
    vm.load_data(start, data).map_err(StartFault::vm)?;
    Ok(start)
}

/// The `cairo-vm` name of a builtin. Blake is an instruction there, not a builtin.
fn to_builtin_name(builtin: Builtin) -> Option<BuiltinName> {
    Some(match builtin {
        Builtin::Output => BuiltinName::output,
        Builtin::Pedersen => BuiltinName::pedersen,
        Builtin::RangeCheck => BuiltinName::range_check,
        Builtin::Ecdsa => BuiltinName::ecdsa,
        Builtin::Bitwise => BuiltinName::bitwise,
        Builtin::EcOp => BuiltinName::ec_op,
        Builtin::Keccak => BuiltinName::keccak,
        Builtin::Poseidon => BuiltinName::poseidon,
        Builtin::SegmentArena => BuiltinName::segment_arena,
        Builtin::RangeCheck96 => BuiltinName::range_check96,
        Builtin::AddMod => BuiltinName::add_mod,
        Builtin::MulMod => BuiltinName::mul_mod,
        Builtin::Blake => return None,
    })
}

/// The builtin of a `cairo-vm` name.
pub(super) fn from_builtin_name(name: BuiltinName) -> Builtin {
    match name {
        BuiltinName::output => Builtin::Output,
        BuiltinName::pedersen => Builtin::Pedersen,
        BuiltinName::range_check => Builtin::RangeCheck,
        BuiltinName::ecdsa => Builtin::Ecdsa,
        BuiltinName::bitwise => Builtin::Bitwise,
        BuiltinName::ec_op => Builtin::EcOp,
        BuiltinName::keccak => Builtin::Keccak,
        BuiltinName::poseidon => Builtin::Poseidon,
        BuiltinName::segment_arena => Builtin::SegmentArena,
        BuiltinName::range_check96 => Builtin::RangeCheck96,
        BuiltinName::add_mod => Builtin::AddMod,
        BuiltinName::mul_mod => Builtin::MulMod,
    }
}
