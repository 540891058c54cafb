//! The interface of VM memory that syscalls use: cells that hold a felt or a pointer.
//!
//! Input: an engine implements [`SyscallMemory`] over its own memory. Output: the codecs, and the syscalls
//! whose arguments are behind pointers (Keccak, SHA-2, secp), read and write through it. Must not know
//! engines: the text of a fault is the engine's own, because it can be part of a revert reason.

use starknet_types_core::felt::Felt;

/// An address in VM memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pointer {
    /// The segment index; negative for temporary segments.
    pub segment: isize,
    /// The index of the cell in the segment.
    pub offset: usize,
}

/// The value of a memory cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value {
    /// A field element.
    Felt(Felt),
    /// An address.
    Pointer(Pointer),
}

impl From<Felt> for Value {
    fn from(felt: Felt) -> Self {
        Self::Felt(felt)
    }
}

impl From<Pointer> for Value {
    fn from(pointer: Pointer) -> Self {
        Self::Pointer(pointer)
    }
}

/// The error of reading or writing a cell. Its text is the engine's and can be part of a revert reason, which
/// is hashed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct MemoryFault(pub String);

/// The memory of a running frame. Implemented by each engine.
pub trait SyscallMemory {
    /// Returns the value of a cell, or `None` if it is unset.
    fn value(&self, at: Pointer) -> Option<Value>;

    /// Returns the felt at `at` as digits, the least significant first; `None` if there is no felt. Avoids
    /// conversions of values that are only compared or small.
    fn digits(&self, at: Pointer) -> Option<[u64; 4]> {
        match self.value(at)? {
            Value::Felt(felt) => Some(felt.to_le_digits()),
            Value::Pointer(_) => None,
        }
    }

    /// Returns the felt at `at`.
    fn felt(&self, at: Pointer) -> Result<Felt, MemoryFault>;

    /// Returns the pointer at `at`.
    fn pointer(&self, at: Pointer) -> Result<Pointer, MemoryFault>;

    /// Returns the `count` felts from `start` on.
    fn felts(&self, start: Pointer, count: usize) -> Result<Vec<Felt>, MemoryFault>;

    /// Writes a cell. A cell that is set cannot change its value.
    fn write(&mut self, at: Pointer, value: Value) -> Result<(), MemoryFault>;

    /// Writes a number, without converting it to a felt first.
    fn write_small(&mut self, at: Pointer, number: u64) -> Result<(), MemoryFault> {
        self.write(at, Value::Felt(Felt::from(number)))
    }

    /// Writes `values` from `at` on and returns the pointer after them.
    fn load(&mut self, at: Pointer, values: &[Value]) -> Result<Pointer, MemoryFault>;

    /// Allocates an empty segment.
    fn new_segment(&mut self) -> Pointer;

    /// Allocates a segment with `values` that the program may not extend and that counts as accessed
    /// ([C82](crate::rules#c82)).
    fn new_read_only_segment(&mut self, values: &[Value]) -> Result<Pointer, MemoryFault>;

    /// Returns `pointer + cells`.
    fn add(&self, pointer: Pointer, cells: usize) -> Result<Pointer, MemoryFault>;

    /// Returns `end - start`, in cells.
    fn distance(&self, start: Pointer, end: Pointer) -> Result<usize, MemoryFault>;
}
