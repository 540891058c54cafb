//! The memory of a `cairo-vm` frame as syscalls see it.

use cairo_vm::types::relocatable::{MaybeRelocatable, Relocatable};
use cairo_vm::vm::vm_core::VirtualMachine;
use starknet_types_core::felt::Felt;

use crate::syscall::{MemoryFault, Pointer, SyscallMemory, Value};

/// The memory of a frame.
pub(super) struct FrameMemory<'a> {
    pub vm: &'a mut VirtualMachine,
    /// Segments that the program must not extend, with their lengths.
    pub read_only: &'a mut Vec<(Relocatable, usize)>,
}

/// Converts an address to the type of `cairo-vm`.
pub(in crate::vm) fn relocatable(pointer: Pointer) -> Relocatable {
    Relocatable { segment_index: pointer.segment, offset: pointer.offset }
}

/// Converts an address from the type of `cairo-vm`.
pub(in crate::vm) fn pointer(address: Relocatable) -> Pointer {
    Pointer { segment: address.segment_index, offset: address.offset }
}

/// Converts a cell value to the type of `cairo-vm`.
pub(in crate::vm) fn maybe_relocatable(value: Value) -> MaybeRelocatable {
    match value {
        Value::Felt(felt) => MaybeRelocatable::Int(felt),
        Value::Pointer(address) => MaybeRelocatable::RelocatableValue(relocatable(address)),
    }
}

fn fault(error: impl std::fmt::Display) -> MemoryFault {
    MemoryFault(error.to_string())
}

impl SyscallMemory for FrameMemory<'_> {
    fn value(&self, at: Pointer) -> Option<Value> {
        Some(match self.vm.get_maybe(&relocatable(at))? {
            MaybeRelocatable::Int(felt) => Value::Felt(felt),
            MaybeRelocatable::RelocatableValue(address) => Value::Pointer(pointer(address)),
        })
    }

    fn felt(&self, at: Pointer) -> Result<Felt, MemoryFault> {
        Ok(self.vm.get_integer(relocatable(at)).map_err(fault)?.into_owned())
    }

    fn pointer(&self, at: Pointer) -> Result<Pointer, MemoryFault> {
        self.vm.get_relocatable(relocatable(at)).map(pointer).map_err(fault)
    }

    fn felts(&self, start: Pointer, count: usize) -> Result<Vec<Felt>, MemoryFault> {
        // `get_integer_range` checks `count` against the segment first: an arbitrary count must not reserve
        // memory.
        let cells = self.vm.get_integer_range(relocatable(start), count).map_err(fault)?;
        Ok(cells.into_iter().map(std::borrow::Cow::into_owned).collect())
    }

    fn write(&mut self, at: Pointer, value: Value) -> Result<(), MemoryFault> {
        self.vm.insert_value(relocatable(at), maybe_relocatable(value)).map_err(fault)
    }

    fn load(&mut self, at: Pointer, values: &[Value]) -> Result<Pointer, MemoryFault> {
        let cells: Vec<MaybeRelocatable> = values.iter().copied().map(maybe_relocatable).collect();
        self.vm.load_data(relocatable(at), &cells).map(pointer).map_err(fault)
    }

    fn new_segment(&mut self) -> Pointer {
        pointer(self.vm.add_memory_segment())
    }

    fn new_read_only_segment(&mut self, values: &[Value]) -> Result<Pointer, MemoryFault> {
        let start = self.vm.add_memory_segment();
        self.read_only.push((start, values.len()));
        self.load(pointer(start), values)?;
        Ok(pointer(start))
    }

    fn add(&self, base: Pointer, cells: usize) -> Result<Pointer, MemoryFault> {
        (relocatable(base) + cells).map(pointer).map_err(fault)
    }

    fn distance(&self, start: Pointer, end: Pointer) -> Result<usize, MemoryFault> {
        (relocatable(end) - relocatable(start)).map_err(fault)
    }
}
