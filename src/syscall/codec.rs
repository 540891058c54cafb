//! How code lays requests and responses out in memory: the two codecs.
//!
//! In: the cells at a pointer, and the language of the code. Out: what requests are made of; responses, written behind them.
//! Cairo 0 and Cairo 1 differ in how they write arrays and in a few cells; [`Reader`] and [`Writer`] know the difference, nobody
//! else does.

use num_bigint::BigUint;
use starknet_api::core::{ClassHash, ContractAddress, EntryPointSelector, felt_to_u128};
use starknet_api::state::StorageKey;
use starknet_api::transaction::fields::Calldata;
use starknet_types_core::felt::Felt;

use super::fault::SyscallFault;
use super::memory::{MemoryFault, Pointer, SyscallMemory, Value};
use super::record::Language;
use crate::protocol::SyscallName;

/// Reads cells one after another.
pub(super) struct Reader<'a> {
    memory: &'a dyn SyscallMemory,
    at: &'a mut Pointer,
    language: Language,
}

impl<'a> Reader<'a> {
    /// Reads from `at` on and moves it along.
    pub(super) fn new(memory: &'a dyn SyscallMemory, at: &'a mut Pointer, language: Language) -> Self {
        Self { memory, at, language }
    }

    fn advance(&mut self, cells: usize) -> Result<(), MemoryFault> {
        *self.at = self.memory.add(*self.at, cells)?;
        Ok(())
    }

    /// The next felt.
    pub(super) fn felt(&mut self) -> Result<Felt, SyscallFault> {
        let felt = self.memory.felt(*self.at)?;
        self.advance(1)?;
        Ok(felt)
    }

    /// What `meaning` makes of the digits of the next felt, or the felt if that is nothing.
    fn number<T>(
        &mut self,
        meaning: impl FnOnce([u64; 4]) -> Option<T>,
    ) -> Result<Result<T, Felt>, SyscallFault> {
        match self.memory.digits(*self.at).and_then(meaning) {
            Some(value) => {
                self.advance(1)?;
                Ok(Ok(value))
            }
            None => Ok(Err(self.felt()?)),
        }
    }

    /// The syscall that the next felt asks for.
    pub(super) fn syscall(&mut self) -> Result<SyscallName, SyscallFault> {
        self.number(SyscallName::from_digits)?.map_err(SyscallFault::InvalidSelector)
    }

    /// The next cell, a pointer.
    pub(super) fn pointer(&mut self) -> Result<Pointer, SyscallFault> {
        let pointer = self.memory.pointer(*self.at)?;
        self.advance(1)?;
        Ok(pointer)
    }

    /// The next felt as a u64.
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

    /// A storage key; Cairo 1 names an address domain before it, of which there is one (C110).
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

    /// An array of Cairo 0: size and start. The start of an empty one is not looked at: it may be a null pointer.
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

    /// A span of Cairo 1: start and end. Two equal cells are an empty span even when they are no pointers, which is how a null
    /// span of an old transaction comes in.
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

/// Writes cells one after another.
pub(super) struct Writer<'a> {
    memory: &'a mut dyn SyscallMemory,
    at: &'a mut Pointer,
    language: Language,
}

impl<'a> Writer<'a> {
    /// Writes from `at` on and moves it along.
    pub(super) fn new(memory: &'a mut dyn SyscallMemory, at: &'a mut Pointer, language: Language) -> Self {
        Self { memory, at, language }
    }

    /// Writes the next cell.
    pub(super) fn value(&mut self, value: impl Into<Value>) -> Result<(), MemoryFault> {
        self.memory.write(*self.at, value.into())?;
        *self.at = self.memory.add(*self.at, 1)?;
        Ok(())
    }

    /// Writes the next cell, a number.
    pub(super) fn small(&mut self, number: u64) -> Result<(), MemoryFault> {
        self.memory.write_small(*self.at, number)?;
        *self.at = self.memory.add(*self.at, 1)?;
        Ok(())
    }

    /// Writes `felts` to a new read-only segment, and to the next two cells where it is: start and end, or size and start.
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

    /// The same with what a constructor returned, which Cairo 0 is never told (C137).
    pub(super) fn constructor_span(&mut self, felts: &[Felt]) -> Result<(), MemoryFault> {
        match self.language {
            Language::Cairo0 => {
                self.small(0)?;
                self.small(0)
            }
            Language::Cairo1 => self.span(felts),
        }
    }

    /// As a span, in a segment that is not read-only: the data of a failure (C107).
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
    /// Reads it; a malformed one is a fault even when the gas would not have sufficed (C105).
    fn read(reader: &mut Reader<'_>) -> Result<Self, SyscallFault>;

    /// The length that the price grows with, in felts.
    fn items(&self) -> usize {
        0
    }
}

/// A response that can be written to memory.
pub(super) trait Response {
    /// Writes it behind the gas and the success flag.
    fn write(&self, writer: &mut Writer<'_>) -> Result<(), MemoryFault>;
}
