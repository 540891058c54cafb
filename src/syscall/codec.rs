//! The two codecs of requests and responses.
//!
//! Input: the cells at a pointer, and the language of the code. Output: the values of requests; responses,
//! written after them. Cairo 0 and Cairo 1 differ in the layout of arrays and in a few cells; only
//! [`RequestReader`] and [`ResponseWriter`] know the difference.

use num_bigint::BigUint;
use starknet_api::core::{ClassHash, ContractAddress, EntryPointSelector, felt_to_u128};
use starknet_api::state::StorageKey;
use starknet_api::transaction::fields::Calldata;
use starknet_types_core::felt::Felt;

use super::fault::SyscallFault;
use super::memory::{MemoryFault, Pointer, SyscallMemory, Value};
use crate::protocol::SyscallName;

/// The language of a class, which determines the calling convention of its syscalls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Language {
    /// Cairo 0, compiled to CASM by its authors.
    Cairo0,
    /// Cairo 1, declared as Sierra.
    Cairo1,
}

/// A reader of consecutive cells.
pub(super) struct RequestReader<'a> {
    memory: &'a dyn SyscallMemory,
    at: &'a mut Pointer,
    language: Language,
}

impl<'a> RequestReader<'a> {
    /// Creates a reader at `at`, which it advances.
    pub(super) fn new(memory: &'a dyn SyscallMemory, at: &'a mut Pointer, language: Language) -> Self {
        Self { memory, at, language }
    }

    fn advance(&mut self, cells: usize) -> Result<(), MemoryFault> {
        *self.at = self.memory.add(*self.at, cells)?;
        Ok(())
    }

    /// Reads a felt.
    pub(super) fn felt(&mut self) -> Result<Felt, SyscallFault> {
        let felt = self.memory.felt(*self.at)?;
        self.advance(1)?;
        Ok(felt)
    }

    /// Reads a felt and converts its digits, or returns the felt if `convert` rejects them.
    fn number<T>(
        &mut self,
        convert: impl FnOnce([u64; 4]) -> Option<T>,
    ) -> Result<Result<T, Felt>, SyscallFault> {
        match self.memory.digits(*self.at).and_then(convert) {
            Some(value) => {
                self.advance(1)?;
                Ok(Ok(value))
            }
            None => Ok(Err(self.felt()?)),
        }
    }

    /// Reads a selector.
    pub(super) fn syscall(&mut self) -> Result<SyscallName, SyscallFault> {
        self.number(SyscallName::from_digits)?.map_err(SyscallFault::InvalidSelector)
    }

    /// Reads a pointer.
    pub(super) fn pointer(&mut self) -> Result<Pointer, SyscallFault> {
        let pointer = self.memory.pointer(*self.at)?;
        self.advance(1)?;
        Ok(pointer)
    }

    /// Reads a 64-bit number.
    pub(super) fn u64(&mut self, info: &str) -> Result<u64, SyscallFault> {
        let number = self.number(|digits| match digits {
            [number, 0, 0, 0] => Some(number),
            _ => None,
        })?;
        number.map_err(|input| SyscallFault::InvalidInput { input, info: info.to_owned() })
    }

    pub(super) fn bool(&mut self, info: &str) -> Result<bool, SyscallFault> {
        let flag = self.number(|digits| match digits {
            [0, 0, 0, 0] => Some(false),
            [1, 0, 0, 0] => Some(true),
            _ => None,
        })?;
        flag.map_err(|input| SyscallFault::InvalidInput { input, info: info.to_owned() })
    }

    pub(super) fn u256(&mut self) -> Result<BigUint, SyscallFault> {
        let low = felt_to_u128(&self.felt()?)?;
        let high = felt_to_u128(&self.felt()?)?;
        Ok((BigUint::from(high) << 128_u32) | BigUint::from(low))
    }

    pub(super) fn address(&mut self) -> Result<ContractAddress, SyscallFault> {
        Ok(ContractAddress::try_from(self.felt()?)?)
    }

    /// Reads a storage key. In Cairo 1 an address domain precedes it, which must be 0 (C110).
    pub(super) fn storage_key(&mut self) -> Result<StorageKey, SyscallFault> {
        if self.language == Language::Cairo1 {
            let address_domain = self.number(|digits| (digits == [0; 4]).then_some(()))?;
            address_domain.map_err(SyscallFault::InvalidAddressDomain)?;
        }
        Ok(StorageKey::try_from(self.felt()?)?)
    }

    pub(super) fn span(&mut self) -> Result<Vec<Felt>, SyscallFault> {
        match self.language {
            Language::Cairo0 => self.sized_array(),
            Language::Cairo1 => self.start_and_end(),
        }
    }

    /// Reads an array of Cairo 0: size and start. The start of an empty array is ignored: it may be a null
    /// pointer.
    pub(super) fn sized_array(&mut self) -> Result<Vec<Felt>, SyscallFault> {
        let size = self.felt()?;
        if size == Felt::ZERO {
            self.advance(1)?;
            return Ok(Vec::new());
        }
        let start = self.pointer()?;
        let count =
            usize::try_from(size.to_biguint()).map_err(|error| SyscallFault::Value(error.to_string()))?;
        Ok(self.memory.felts(start, count)?)
    }

    /// Reads a span of Cairo 1: start and end. Two equal cells are an empty span even if they are not
    /// pointers: execution info of old transactions contains null spans.
    pub(super) fn start_and_end(&mut self) -> Result<Vec<Felt>, SyscallFault> {
        let start = self.memory.value(*self.at);
        if start.is_some() && start == self.memory.value(self.memory.add(*self.at, 1)?) {
            self.advance(2)?;
            return Ok(Vec::new());
        }
        let start = self.pointer()?;
        let end = self.pointer()?;
        let count = self.memory.distance(start, end)?;
        Ok(self.memory.felts(start, count)?)
    }

    pub(super) fn calldata(&mut self) -> Result<Calldata, SyscallFault> {
        Ok(Calldata(self.span()?.into()))
    }

    pub(super) fn selector(&mut self) -> Result<EntryPointSelector, SyscallFault> {
        Ok(EntryPointSelector(self.felt()?))
    }

    pub(super) fn class_hash(&mut self) -> Result<ClassHash, SyscallFault> {
        Ok(ClassHash(self.felt()?))
    }
}

/// A writer of consecutive cells.
pub(super) struct ResponseWriter<'a> {
    memory: &'a mut dyn SyscallMemory,
    at: &'a mut Pointer,
    language: Language,
}

impl<'a> ResponseWriter<'a> {
    /// Creates a writer at `at`, which it advances.
    pub(super) fn new(memory: &'a mut dyn SyscallMemory, at: &'a mut Pointer, language: Language) -> Self {
        Self { memory, at, language }
    }

    /// Writes a felt or a pointer.
    pub(super) fn value(&mut self, value: impl Into<Value>) -> Result<(), MemoryFault> {
        self.memory.write(*self.at, value.into())?;
        *self.at = self.memory.add(*self.at, 1)?;
        Ok(())
    }

    /// Writes a number.
    pub(super) fn small(&mut self, number: u64) -> Result<(), MemoryFault> {
        self.memory.write_small(*self.at, number)?;
        *self.at = self.memory.add(*self.at, 1)?;
        Ok(())
    }

    /// Writes `felts` to a new read-only segment, and its start and end (Cairo 1) or its size and start
    /// (Cairo 0) to the next two cells.
    pub(super) fn span(&mut self, felts: &[Felt]) -> Result<(), MemoryFault> {
        let values: Vec<Value> = felts.iter().copied().map(Value::Felt).collect();
        let start = self.memory.new_read_only_segment(&values)?;
        match self.language {
            Language::Cairo0 => {
                self.value(Felt::from(values.len()))?;
                self.value(start)
            }
            Language::Cairo1 => {
                let end = self.memory.add(start, values.len())?;
                self.value(start)?;
                self.value(end)
            }
        }
    }

    /// Writes the return data of a constructor like a span; in Cairo 0 it is always empty (C137).
    pub(super) fn constructor_span(&mut self, felts: &[Felt]) -> Result<(), MemoryFault> {
        match self.language {
            Language::Cairo0 => {
                self.small(0)?;
                self.small(0)
            }
            Language::Cairo1 => self.span(felts),
        }
    }

    /// Writes the data of a failure like a span, but to a segment that is not read-only (C107).
    pub(super) fn failure_span(&mut self, felts: &[Felt]) -> Result<(), MemoryFault> {
        let values: Vec<Value> = felts.iter().copied().map(Value::Felt).collect();
        let start = self.memory.new_segment();
        let end = self.memory.load(start, &values)?;
        self.value(start)?;
        self.value(end)
    }

    pub(super) fn u256(&mut self, value: &BigUint) -> Result<(), MemoryFault> {
        self.value(Felt::from(value & BigUint::from(u128::MAX)))?;
        self.value(Felt::from(value >> 128_u32))
    }
}

/// A request that can be read from memory.
pub(super) trait Request: Sized {
    /// Reads the request. A malformed request is a fault even if the gas is insufficient (C105).
    fn read(reader: &mut RequestReader<'_>) -> Result<Self, SyscallFault>;

    /// Returns the number of felts that the linear part of the price depends on.
    fn items(&self) -> usize {
        0
    }
}

/// A response that can be written to memory.
pub(super) trait Response {
    /// Writes the response, after the gas and the success flag.
    fn write(&self, writer: &mut ResponseWriter<'_>) -> Result<(), MemoryFault>;
}
