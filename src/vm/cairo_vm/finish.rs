//! The end of a frame: blockifier's checks, in its order, then return data and resource usage (C77-C92).

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use cairo_vm::hint_processor::hint_processor_definition::HintProcessorLogic;
use cairo_vm::types::exec_scope::ExecutionScopes;
use cairo_vm::types::relocatable::{MaybeRelocatable, Relocatable};
use cairo_vm::vm::errors::hint_errors::HintError;
use cairo_vm::vm::errors::vm_errors::VirtualMachineError;
use cairo_vm::vm::runners::builtin_runner::BuiltinRunner;
use cairo_vm::vm::runners::cairo_runner::ResourceTracker;
use cairo_vm::vm::security::verify_secure_runner;
use cairo_vm::vm::vm_core::VirtualMachine;
use num_traits::ToPrimitive;
use starknet_types_core::felt::Felt;

use super::frame::{CairoVmFrame, FrameClass};
use super::memory::{FrameMemory, pointer};

use super::start::from_builtin_name;
use crate::protocol::{Builtin, Constants, VmResources};
use crate::syscall::{SyscallMemory, TrackedResource};
use crate::vm::fault::{FinishFault, panic_message};
use crate::vm::frame_setup::PROGRAM_EXTRA;
use crate::vm::interface::{FrameOutput, StepBudget};

/// Number of return values of a Cairo 1 entry point: gas, syscall pointer, failure flag, start and end of the
/// return data.
const RETURN_VALUES: usize = 5;

/// Number of cells that are filled between two polls of the interrupt flag.
const CELLS_BETWEEN_POLLS: usize = 1_000;

impl CairoVmFrame {
    /// Checks and ends a frame that returned.
    pub(in crate::vm) fn finish(
        mut self,
        initial_gas: u64,
        tracked: TrackedResource,
        constants: &Constants,
        budget: &StepBudget,
    ) -> Result<FrameOutput, FinishFault> {
        // As in `run`, a panic of `cairo-vm` counts as an error of the program.
        catch_unwind(AssertUnwindSafe(|| self.checked_finish(initial_gas, tracked, constants, budget)))
            .unwrap_or_else(|panic| Err(FinishFault::Check(panic_message(panic.as_ref()))))
    }

    fn checked_finish(
        &mut self,
        initial_gas: u64,
        tracked: TrackedResource,
        constants: &Constants,
        budget: &StepBudget,
    ) -> Result<FrameOutput, FinishFault> {
        self.runner.end_run(true, false, &mut NoHints, false).map_err(|error| FinishFault::vm(&error))?;
        let (program_size, builtins) = match &self.class {
            FrameClass::Cairo0 { .. } => return self.finish_cairo0(constants),
            FrameClass::Cairo1 { class, builtins } => {
                (class.bytecode_len().saturating_add(PROGRAM_EXTRA), builtins.clone())
            }
        };
        self.fill_range_check96(&builtins, budget)?;
        verify_secure_runner(&self.runner, false, Some(program_size))
            .map_err(|error| FinishFault::vm(&error))?;
        let (failed, retdata, remaining_gas) = self.return_values(initial_gas)?;
        let gas_consumed = match tracked {
            TrackedResource::CairoSteps => 0,
            TrackedResource::SierraGas => initial_gas.saturating_sub(remaining_gas),
        };
        if tracked == TrackedResource::CairoSteps {
            let extra = Relocatable { segment_index: 0, offset: program_size.saturating_sub(PROGRAM_EXTRA) };
            self.runner
                .vm
                .mark_address_range_as_accessed(extra, PROGRAM_EXTRA)
                .map_err(FinishFault::protocol)?;
            self.mark_arguments_and_segments()?;
        }
        let resources = self.resources(tracked, constants)?;
        Ok(FrameOutput { failed, retdata, gas_consumed, resources })
    }

    /// Fills the gaps that the modular builtins leave in the range_check96 segment (C79). The end is a
    /// pointer that the program returned, and no gas pays for the cells: their number is bounded by the
    /// memory budget, and the loop polls the interrupt flag.
    fn fill_range_check96(&mut self, builtins: &[Builtin], budget: &StepBudget) -> Result<(), FinishFault> {
        let Some(from_end) = builtins.iter().rev().position(|builtin| *builtin == Builtin::RangeCheck96)
        else {
            return Ok(());
        };
        let vm = &mut self.runner.vm;
        let base = vm.builtin_runners.iter().find_map(|builtin| match builtin {
            BuiltinRunner::RangeCheck96(runner) => Some(runner.base()),
            _ => None,
        });
        let base = base.ok_or_else(|| FinishFault::internal("the range_check96 builtin has no segment"))?;
        // The builtin pointers precede the return values, in the order of the builtins.
        let distance = RETURN_VALUES.saturating_add(1).saturating_add(from_end);
        let stop_cell = (vm.get_ap() - distance).map_err(|error| FinishFault::vm(&error.into()))?;
        let stop = vm.get_relocatable(stop_cell).map_err(|error| FinishFault::vm(&error.into()))?;
        if usize::try_from(stop.segment_index) != Ok(base) {
            return Err(FinishFault::internal("the range_check96 stop pointer is outside its segment"));
        }
        if let Some(used) = vm.segments.segment_used_sizes.as_mut().and_then(|sizes| sizes.get_mut(base)) {
            if stop.offset.saturating_sub(*used) > budget.cells {
                return Err(FinishFault::OutOfMemory);
            }
            *used = stop.offset;
        }
        for offset in 0..stop.offset {
            if offset.is_multiple_of(CELLS_BETWEEN_POLLS) && budget.stop.is_raised() {
                return Err(FinishFault::Interrupted);
            }
            let at = Relocatable { segment_index: stop.segment_index, offset };
            if vm.get_maybe(&at).is_none() {
                vm.insert_value(at, Felt::ZERO).map_err(|error| FinishFault::vm(&error.into()))?;
            }
        }
        Ok(())
    }

    /// The failure flag, the return data and the remaining gas (C61, C92).
    fn return_values(&mut self, initial_gas: u64) -> Result<(bool, Vec<Felt>, u64), FinishFault> {
        let malformed = |message: &str| FinishFault::protocol(format!("Malformed return data : {message}."));
        let values = self.runner.vm.get_return_values(RETURN_VALUES).map_err(FinishFault::protocol)?;
        let [gas, _, flag, start, end] = values.as_slice() else {
            return Err(FinishFault::internal("cairo-vm returned a wrong number of return values"));
        };
        let failed = match flag {
            MaybeRelocatable::Int(flag) if *flag == Felt::ZERO => false,
            MaybeRelocatable::Int(flag) if *flag == Felt::ONE => true,
            _ => return Err(malformed("Failure flag expected to be either 0 or 1.")),
        };
        let size = end.sub(start).map_err(FinishFault::protocol)?;
        let MaybeRelocatable::Int(gas) = gas else {
            return Err(malformed("Error extracting return data."));
        };
        let unexpected = || malformed(&format!("Unexpected remaining gas: {gas}."));
        let remaining_gas = gas.to_u64().filter(|gas| *gas <= initial_gas).ok_or_else(unexpected)?;
        let retdata = self.read_retdata(start, size)?;
        Ok((failed, retdata, remaining_gas))
    }

    /// Reads `size` felts of return data.
    pub(super) fn read_retdata(
        &mut self,
        start: &MaybeRelocatable,
        size: MaybeRelocatable,
    ) -> Result<Vec<Felt>, FinishFault> {
        let count = match size {
            MaybeRelocatable::Int(size) => {
                usize::try_from(size.to_bigint()).map_err(FinishFault::protocol)?
            }
            other => {
                let error = VirtualMachineError::ExpectedIntAtRange(Box::new(Some(other)));
                return Err(FinishFault::protocol(error));
            }
        };
        let start = Relocatable::try_from(start).map_err(FinishFault::protocol)?;
        let memory = FrameMemory { vm: &mut self.runner.vm, read_only: &mut self.read_only };
        memory.felts(pointer(start), count).map_err(FinishFault::protocol)
    }

    /// The resource usage of the frame. In steps mode, the cells that the operating system accesses must be
    /// marked before (C82, C83).
    pub(super) fn resources(
        &mut self,
        tracked: TrackedResource,
        constants: &Constants,
    ) -> Result<VmResources, FinishFault> {
        let mut used = VmResources::ZERO;
        for builtin in &self.runner.vm.builtin_runners {
            let count = builtin.get_used_instances(&self.runner.vm.segments);
            let count = count.map_err(|error| FinishFault::protocol(VirtualMachineError::from(error)))?;
            let scale = if constants.switches.segment_arena_cells
                && matches!(builtin, BuiltinRunner::SegmentArena(_))
            {
                3
            } else {
                1
            };
            used.builtins.add(from_builtin_name(builtin.name()), wide(count).saturating_mul(scale));
        }
        for count in self.runner.get_extended_execution_resources().values() {
            used.builtins.add(Builtin::Blake, u64::from(*count));
        }
        if tracked == TrackedResource::CairoSteps {
            used.steps = wide(self.runner.vm.get_current_step());
            let holes = self.runner.get_memory_holes();
            used.memory_holes =
                wide(holes.map_err(|error| FinishFault::protocol(VirtualMachineError::from(error)))?);
        }
        Ok(used)
    }

    /// Marks the cells that the operating system accesses: the arguments and the segments that the program
    /// must not extend (C82).
    pub(super) fn mark_arguments_and_segments(&mut self) -> Result<(), FinishFault> {
        if let Some(initial_fp) = self.runner.get_initial_fp() {
            // Before the frame pointer: the arguments, then the return frame pointer and the return address.
            let arguments = (initial_fp - self.arguments.saturating_add(2)).map_err(FinishFault::protocol)?;
            let vm = &mut self.runner.vm;
            vm.mark_address_range_as_accessed(arguments, self.arguments).map_err(FinishFault::protocol)?;
        }
        for (start, length) in &self.read_only {
            let vm = &mut self.runner.vm;
            vm.mark_address_range_as_accessed(*start, *length).map_err(FinishFault::protocol)?;
        }
        Ok(())
    }
}

fn wide(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

/// The hint processor that `CairoRunner::end_run` requires, and uses in proof mode only.
struct NoHints;

impl HintProcessorLogic for NoHints {
    fn execute_hint(
        &mut self,
        _: &mut VirtualMachine,
        _: &mut ExecutionScopes,
        _: &Box<dyn Any>,
    ) -> Result<(), HintError> {
        Err(HintError::WrongHintData)
    }
}

impl ResourceTracker for NoHints {}
