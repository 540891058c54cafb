//! The typed requests and responses of all syscalls, and how Cairo 1 code lays them out in memory.
//!
//! In: a [`Reader`] at the request. Out: a value of the request type; a response written behind it. Knows layouts only, not what
//! a request means.

use num_bigint::BigUint;
use num_traits::ToPrimitive;
use starknet_api::block::BlockNumber;
use starknet_api::core::{ClassHash, ContractAddress, EntryPointSelector, L1Address, felt_to_u128};
use starknet_api::state::StorageKey;
use starknet_api::transaction::fields::{Calldata, ContractAddressSalt, TransactionSignature};
use starknet_api::transaction::{EventContent, EventData, EventKey, L2ToL1Payload};
use starknet_types_core::felt::Felt;

use super::fault::SyscallFault;
use super::memory::{Memory, MemoryFault, Pointer, Value};

/// Reads cells one after another.
pub(super) struct Reader<'a> {
    memory: &'a dyn Memory,
    at: &'a mut Pointer,
}

impl<'a> Reader<'a> {
    /// Reads from `at` on and moves it along.
    pub(super) fn new(memory: &'a dyn Memory, at: &'a mut Pointer) -> Self {
        Self { memory, at }
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

    /// The next cell, a pointer.
    pub(super) fn pointer(&mut self) -> Result<Pointer, SyscallFault> {
        let pointer = self.memory.pointer(*self.at)?;
        self.advance(1)?;
        Ok(pointer)
    }

    /// The next felt as a u64.
    pub(super) fn u64(&mut self, info: &str) -> Result<u64, SyscallFault> {
        let input = self.felt()?;
        input.to_u64().ok_or_else(|| SyscallFault::InvalidInput { input, info: info.to_owned() })
    }

    fn bool(&mut self, info: &str) -> Result<bool, SyscallFault> {
        let input = self.felt()?;
        if input == Felt::ZERO {
            Ok(false)
        } else if input == Felt::ONE {
            Ok(true)
        } else {
            Err(SyscallFault::InvalidInput { input, info: info.to_owned() })
        }
    }

    fn u256(&mut self) -> Result<BigUint, SyscallFault> {
        let low = felt_to_u128(&self.felt()?)?;
        let high = felt_to_u128(&self.felt()?)?;
        Ok((BigUint::from(high) << 128_u32) | BigUint::from(low))
    }

    fn address(&mut self) -> Result<ContractAddress, SyscallFault> {
        Ok(ContractAddress::try_from(self.felt()?)?)
    }

    fn storage_key(&mut self) -> Result<StorageKey, SyscallFault> {
        let address_domain = self.felt()?;
        if address_domain != Felt::ZERO {
            return Err(SyscallFault::InvalidAddressDomain(address_domain));
        }
        Ok(StorageKey::try_from(self.felt()?)?)
    }

    /// A span: start and end. Two equal cells are an empty span even when they are no pointers, which is how a null span of
    /// an old transaction comes in.
    fn span(&mut self) -> Result<Vec<Felt>, SyscallFault> {
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

    fn calldata(&mut self) -> Result<Calldata, SyscallFault> {
        Ok(Calldata(self.span()?.into()))
    }

    fn selector(&mut self) -> Result<EntryPointSelector, SyscallFault> {
        Ok(EntryPointSelector(self.felt()?))
    }

    fn class_hash(&mut self) -> Result<ClassHash, SyscallFault> {
        Ok(ClassHash(self.felt()?))
    }
}

/// Writes cells one after another.
pub(super) struct Writer<'a> {
    memory: &'a mut dyn Memory,
    at: &'a mut Pointer,
}

impl<'a> Writer<'a> {
    /// Writes from `at` on and moves it along.
    pub(super) fn new(memory: &'a mut dyn Memory, at: &'a mut Pointer) -> Self {
        Self { memory, at }
    }

    /// Writes the next cell.
    pub(super) fn value(&mut self, value: impl Into<Value>) -> Result<(), MemoryFault> {
        self.memory.write(*self.at, value.into())?;
        *self.at = self.memory.add(*self.at, 1)?;
        Ok(())
    }

    /// Writes `felts` to a new read-only segment and its start and end to the next two cells.
    pub(super) fn span(&mut self, felts: &[Felt]) -> Result<(), MemoryFault> {
        let values: Vec<Value> = felts.iter().copied().map(Value::Felt).collect();
        let start = self.memory.new_read_only_segment(&values)?;
        let end = self.memory.add(start, values.len())?;
        self.value(start)?;
        self.value(end)
    }

    /// The same in a segment that is not read-only: the data of a failure (C107).
    pub(super) fn failure_span(&mut self, felts: &[Felt]) -> Result<(), MemoryFault> {
        let values: Vec<Value> = felts.iter().copied().map(Value::Felt).collect();
        let start = self.memory.new_segment();
        let end = self.memory.load(start, &values)?;
        self.value(start)?;
        self.value(end)
    }

    fn u256(&mut self, value: &BigUint) -> Result<(), MemoryFault> {
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

/// Nothing: the request of `get_execution_info`, the response of syscalls that only do.
pub(super) struct Nothing;

impl Request for Nothing {
    fn read(_: &mut Reader<'_>) -> Result<Self, SyscallFault> {
        Ok(Self)
    }
}

impl Response for Nothing {
    fn write(&self, _: &mut Writer<'_>) -> Result<(), MemoryFault> {
        Ok(())
    }
}

impl Response for Felt {
    fn write(&self, writer: &mut Writer<'_>) -> Result<(), MemoryFault> {
        writer.value(*self)
    }
}

impl Response for Pointer {
    fn write(&self, writer: &mut Writer<'_>) -> Result<(), MemoryFault> {
        writer.value(*self)
    }
}

/// An `Option` of a pointer: variant 0 with the pointer, or variant 1 and an empty cell.
impl Response for Option<Pointer> {
    fn write(&self, writer: &mut Writer<'_>) -> Result<(), MemoryFault> {
        match self {
            Some(pointer) => {
                writer.value(Felt::ZERO)?;
                writer.value(*pointer)
            }
            None => {
                writer.value(Felt::ONE)?;
                writer.value(Felt::ZERO)
            }
        }
    }
}

/// A read-only span of felts: what a call returned.
pub(super) struct Span(pub Vec<Felt>);

impl Response for Span {
    fn write(&self, writer: &mut Writer<'_>) -> Result<(), MemoryFault> {
        writer.span(&self.0)
    }
}

pub(super) struct CallContract {
    pub address: ContractAddress,
    pub selector: EntryPointSelector,
    pub calldata: Calldata,
}

impl Request for CallContract {
    fn read(reader: &mut Reader<'_>) -> Result<Self, SyscallFault> {
        Ok(Self { address: reader.address()?, selector: reader.selector()?, calldata: reader.calldata()? })
    }
}

pub(super) struct LibraryCall {
    pub class_hash: ClassHash,
    pub selector: EntryPointSelector,
    pub calldata: Calldata,
}

impl Request for LibraryCall {
    fn read(reader: &mut Reader<'_>) -> Result<Self, SyscallFault> {
        Ok(Self {
            class_hash: reader.class_hash()?,
            selector: reader.selector()?,
            calldata: reader.calldata()?,
        })
    }
}

pub(super) struct Deploy {
    pub class_hash: ClassHash,
    pub salt: ContractAddressSalt,
    pub calldata: Calldata,
    pub from_zero: bool,
}

impl Request for Deploy {
    fn read(reader: &mut Reader<'_>) -> Result<Self, SyscallFault> {
        Ok(Self {
            class_hash: reader.class_hash()?,
            salt: ContractAddressSalt(reader.felt()?),
            calldata: reader.calldata()?,
            from_zero: reader.bool("The deploy_from_zero field in the deploy system call must be 0 or 1.")?,
        })
    }

    fn items(&self) -> usize {
        self.calldata.0.len()
    }
}

/// The new contract's address and what its constructor returned.
pub(super) struct Deployed {
    pub address: ContractAddress,
    pub retdata: Vec<Felt>,
}

impl Response for Deployed {
    fn write(&self, writer: &mut Writer<'_>) -> Result<(), MemoryFault> {
        writer.value(*self.address.0.key())?;
        writer.span(&self.retdata)
    }
}

pub(super) struct MetaTxV0 {
    pub address: ContractAddress,
    pub selector: EntryPointSelector,
    pub calldata: Calldata,
    pub signature: TransactionSignature,
}

impl Request for MetaTxV0 {
    fn read(reader: &mut Reader<'_>) -> Result<Self, SyscallFault> {
        Ok(Self {
            address: reader.address()?,
            selector: reader.selector()?,
            calldata: reader.calldata()?,
            signature: TransactionSignature(reader.span()?.into()),
        })
    }

    fn items(&self) -> usize {
        self.calldata.0.len()
    }
}

pub(super) struct EmitEvent(pub EventContent);

impl Request for EmitEvent {
    fn read(reader: &mut Reader<'_>) -> Result<Self, SyscallFault> {
        let keys = reader.span()?.into_iter().map(EventKey).collect();
        Ok(Self(EventContent { keys, data: EventData(reader.span()?) }))
    }
}

pub(super) struct SendMessageToL1 {
    pub to_address: L1Address,
    pub payload: L2ToL1Payload,
}

impl Request for SendMessageToL1 {
    fn read(reader: &mut Reader<'_>) -> Result<Self, SyscallFault> {
        Ok(Self { to_address: reader.felt()?.into(), payload: L2ToL1Payload(reader.span()?) })
    }

    fn items(&self) -> usize {
        self.payload.0.len()
    }
}

pub(super) struct GetBlockHash(pub BlockNumber);

impl Request for GetBlockHash {
    fn read(reader: &mut Reader<'_>) -> Result<Self, SyscallFault> {
        Ok(Self(BlockNumber(reader.u64("Block number must fit within 64 bits.")?)))
    }
}

pub(super) struct GetClassHashAt(pub ContractAddress);

impl Request for GetClassHashAt {
    fn read(reader: &mut Reader<'_>) -> Result<Self, SyscallFault> {
        Ok(Self(reader.address()?))
    }
}

pub(super) struct ReplaceClass(pub ClassHash);

impl Request for ReplaceClass {
    fn read(reader: &mut Reader<'_>) -> Result<Self, SyscallFault> {
        Ok(Self(reader.class_hash()?))
    }
}

pub(super) struct StorageRead(pub StorageKey);

impl Request for StorageRead {
    fn read(reader: &mut Reader<'_>) -> Result<Self, SyscallFault> {
        Ok(Self(reader.storage_key()?))
    }
}

pub(super) struct StorageWrite {
    pub key: StorageKey,
    pub value: Felt,
}

impl Request for StorageWrite {
    fn read(reader: &mut Reader<'_>) -> Result<Self, SyscallFault> {
        Ok(Self { key: reader.storage_key()?, value: reader.felt()? })
    }
}

pub(super) struct Keccak {
    pub start: Pointer,
    pub end: Pointer,
}

impl Request for Keccak {
    fn read(reader: &mut Reader<'_>) -> Result<Self, SyscallFault> {
        Ok(Self { start: reader.pointer()?, end: reader.pointer()? })
    }
}

/// A 256-bit hash as two felts.
pub(super) struct LowHigh {
    pub low: Felt,
    pub high: Felt,
}

impl Response for LowHigh {
    fn write(&self, writer: &mut Writer<'_>) -> Result<(), MemoryFault> {
        writer.value(self.low)?;
        writer.value(self.high)
    }
}

/// One block for a SHA-2 compression: the state so far and 16 words.
pub(super) struct ShaBlock {
    pub state: Pointer,
    pub words: Pointer,
}

impl Request for ShaBlock {
    fn read(reader: &mut Reader<'_>) -> Result<Self, SyscallFault> {
        Ok(Self { state: reader.pointer()?, words: reader.pointer()? })
    }
}

/// Affine coordinates: the request of `secp_new`, the response of `secp_get_xy`.
pub(super) struct Coordinates {
    pub x: BigUint,
    pub y: BigUint,
}

impl Request for Coordinates {
    fn read(reader: &mut Reader<'_>) -> Result<Self, SyscallFault> {
        Ok(Self { x: reader.u256()?, y: reader.u256()? })
    }
}

impl Response for Coordinates {
    fn write(&self, writer: &mut Writer<'_>) -> Result<(), MemoryFault> {
        writer.u256(&self.x)?;
        writer.u256(&self.y)
    }
}

pub(super) struct SecpAdd {
    pub left: Pointer,
    pub right: Pointer,
}

impl Request for SecpAdd {
    fn read(reader: &mut Reader<'_>) -> Result<Self, SyscallFault> {
        Ok(Self { left: reader.pointer()?, right: reader.pointer()? })
    }
}

pub(super) struct SecpMul {
    pub point: Pointer,
    pub scalar: BigUint,
}

impl Request for SecpMul {
    fn read(reader: &mut Reader<'_>) -> Result<Self, SyscallFault> {
        Ok(Self { point: reader.pointer()?, scalar: reader.u256()? })
    }
}

pub(super) struct SecpPointFromX {
    pub x: BigUint,
    pub y_is_odd: bool,
}

impl Request for SecpPointFromX {
    fn read(reader: &mut Reader<'_>) -> Result<Self, SyscallFault> {
        Ok(Self { x: reader.u256()?, y_is_odd: reader.bool("Invalid y parity")? })
    }
}

pub(super) struct SecpGetXy(pub Pointer);

impl Request for SecpGetXy {
    fn read(reader: &mut Reader<'_>) -> Result<Self, SyscallFault> {
        Ok(Self(reader.pointer()?))
    }
}
