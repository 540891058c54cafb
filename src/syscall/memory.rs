//! The VM memory as syscalls see it: cells that hold a felt or a pointer.
//!
//! In: an engine implements [`SyscallMemory`] over its own memory. Out: the codecs and the few syscalls whose arguments lie behind
//! pointers (keccak, SHA-2, secp) read and write through it. Knows no engine: the trait is the seam behind which the second
//! engine comes, and the text of a fault is the engine's own, because it can end up in a revert reason.

use starknet_types_core::felt::Felt;

/// An address in VM memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pointer {
    /// The segment; negative for temporary segments.
    pub segment: isize,
    /// The cell within the segment.
    pub offset: usize,
}

/// What a memory cell holds.
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

/// A cell could not be read or written as asked. Holds the engine's sentence, which consensus may hash.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct MemoryFault(pub String);

/// SyscallMemory of one running frame. Implemented by each engine.
pub trait SyscallMemory {
    /// The cell's value, or `None` when nothing was written there.
    fn value(&self, at: Pointer) -> Option<Value>;

    /// The number at `at` as digits, the least significant first; `None` where there is no felt. What is compared or small need not
    /// become a felt first.
    fn digits(&self, at: Pointer) -> Option<[u64; 4]> {
        match self.value(at)? {
            Value::Felt(felt) => Some(felt.to_le_digits()),
            Value::Pointer(_) => None,
        }
    }

    /// The felt at `at`.
    fn felt(&self, at: Pointer) -> Result<Felt, MemoryFault>;

    /// The pointer at `at`.
    fn pointer(&self, at: Pointer) -> Result<Pointer, MemoryFault>;

    /// The `count` felts from `start` on.
    fn felts(&self, start: Pointer, count: usize) -> Result<Vec<Felt>, MemoryFault>;

    /// Writes one cell; a cell holds the same value for ever.
    fn write(&mut self, at: Pointer, value: Value) -> Result<(), MemoryFault>;

    /// The same of a number that needs not become a felt first.
    fn write_small(&mut self, at: Pointer, number: u64) -> Result<(), MemoryFault> {
        self.write(at, Value::Felt(Felt::from(number)))
    }

    /// Writes `values` from `at` on and returns the pointer behind them.
    fn load(&mut self, at: Pointer, values: &[Value]) -> Result<Pointer, MemoryFault>;

    /// A new, empty segment.
    fn new_segment(&mut self) -> Pointer;

    /// A new segment with `values` that the program may not extend, and that counts as accessed (C82).
    fn new_read_only_segment(&mut self, values: &[Value]) -> Result<Pointer, MemoryFault>;

    /// `pointer + cells`.
    fn add(&self, pointer: Pointer, cells: usize) -> Result<Pointer, MemoryFault>;

    /// `end - start`, in cells.
    fn distance(&self, start: Pointer, end: Pointer) -> Result<usize, MemoryFault>;
}
