//! The typed requests and responses of all syscalls.
//!
//! Input: a [`RequestReader`] at the request. Output: a value of the request type; a response, written with a
//! [`ResponseWriter`]. Must not know: the meaning of a request, the language of the code.

use num_bigint::BigUint;
use starknet_api::block::BlockNumber;
use starknet_api::core::{ClassHash, ContractAddress, EntryPointSelector, L1Address};
use starknet_api::state::StorageKey;
use starknet_api::transaction::fields::{Calldata, ContractAddressSalt, TransactionSignature};
use starknet_api::transaction::{EventContent, EventData, EventKey, L2ToL1Payload};
use starknet_types_core::felt::Felt;

use super::codec::{Request, RequestReader, Response, ResponseWriter};
use super::fault::SyscallFault;
use super::memory::{MemoryFault, Pointer};

/// An empty request or response.
pub(super) struct Nothing;

impl Request for Nothing {
    fn read(_: &mut RequestReader<'_>) -> Result<Self, SyscallFault> {
        Ok(Self)
    }
}

impl Response for Nothing {
    fn write(&self, _: &mut ResponseWriter<'_>) -> Result<(), MemoryFault> {
        Ok(())
    }
}

impl Response for Felt {
    fn write(&self, writer: &mut ResponseWriter<'_>) -> Result<(), MemoryFault> {
        writer.value(*self)
    }
}

impl Response for Pointer {
    fn write(&self, writer: &mut ResponseWriter<'_>) -> Result<(), MemoryFault> {
        writer.value(*self)
    }
}

/// Cairo's `Option` of a pointer: variant 0 with the pointer, or variant 1 with an empty cell.
impl Response for Option<Pointer> {
    fn write(&self, writer: &mut ResponseWriter<'_>) -> Result<(), MemoryFault> {
        match self {
            Some(pointer) => {
                writer.small(0)?;
                writer.value(*pointer)
            }
            None => {
                writer.small(1)?;
                writer.small(0)
            }
        }
    }
}

/// A read-only span of felts: the return data of a call.
pub(super) struct Span<'a>(pub &'a [Felt]);

impl Response for Span<'_> {
    fn write(&self, writer: &mut ResponseWriter<'_>) -> Result<(), MemoryFault> {
        writer.span(self.0)
    }
}

pub(super) struct CallContract {
    pub address: ContractAddress,
    pub selector: EntryPointSelector,
    pub calldata: Calldata,
}

impl Request for CallContract {
    fn read(reader: &mut RequestReader<'_>) -> Result<Self, SyscallFault> {
        Ok(Self { address: reader.address()?, selector: reader.selector()?, calldata: reader.calldata()? })
    }
}

pub(super) struct LibraryCall {
    pub class_hash: ClassHash,
    pub selector: EntryPointSelector,
    pub calldata: Calldata,
}

impl Request for LibraryCall {
    fn read(reader: &mut RequestReader<'_>) -> Result<Self, SyscallFault> {
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
    fn read(reader: &mut RequestReader<'_>) -> Result<Self, SyscallFault> {
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

/// The address of a new contract and the return data of its constructor.
pub(super) struct Deployed<'a> {
    pub address: ContractAddress,
    pub retdata: &'a [Felt],
}

impl Response for Deployed<'_> {
    fn write(&self, writer: &mut ResponseWriter<'_>) -> Result<(), MemoryFault> {
        writer.value(*self.address.0.key())?;
        writer.constructor_span(self.retdata)
    }
}

pub(super) struct MetaTxV0 {
    pub address: ContractAddress,
    pub selector: EntryPointSelector,
    pub calldata: Calldata,
    pub signature: TransactionSignature,
}

impl Request for MetaTxV0 {
    fn read(reader: &mut RequestReader<'_>) -> Result<Self, SyscallFault> {
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
    fn read(reader: &mut RequestReader<'_>) -> Result<Self, SyscallFault> {
        let keys = reader.span()?.into_iter().map(EventKey).collect();
        Ok(Self(EventContent { keys, data: EventData(reader.span()?) }))
    }
}

pub(super) struct SendMessageToL1 {
    pub to_address: L1Address,
    pub payload: L2ToL1Payload,
}

impl Request for SendMessageToL1 {
    fn read(reader: &mut RequestReader<'_>) -> Result<Self, SyscallFault> {
        Ok(Self { to_address: reader.felt()?.into(), payload: L2ToL1Payload(reader.span()?) })
    }

    fn items(&self) -> usize {
        self.payload.0.len()
    }
}

pub(super) struct GetBlockHash(pub BlockNumber);

impl Request for GetBlockHash {
    fn read(reader: &mut RequestReader<'_>) -> Result<Self, SyscallFault> {
        Ok(Self(BlockNumber(reader.u64("Block number must fit within 64 bits.")?)))
    }
}

pub(super) struct GetClassHashAt(pub ContractAddress);

impl Request for GetClassHashAt {
    fn read(reader: &mut RequestReader<'_>) -> Result<Self, SyscallFault> {
        Ok(Self(reader.address()?))
    }
}

pub(super) struct ReplaceClass(pub ClassHash);

impl Request for ReplaceClass {
    fn read(reader: &mut RequestReader<'_>) -> Result<Self, SyscallFault> {
        Ok(Self(reader.class_hash()?))
    }
}

pub(super) struct StorageRead(pub StorageKey);

impl Request for StorageRead {
    fn read(reader: &mut RequestReader<'_>) -> Result<Self, SyscallFault> {
        Ok(Self(reader.storage_key()?))
    }
}

pub(super) struct StorageWrite {
    pub key: StorageKey,
    pub value: Felt,
}

impl Request for StorageWrite {
    fn read(reader: &mut RequestReader<'_>) -> Result<Self, SyscallFault> {
        Ok(Self { key: reader.storage_key()?, value: reader.felt()? })
    }
}

pub(super) struct Keccak {
    pub start: Pointer,
    pub end: Pointer,
}

impl Request for Keccak {
    fn read(reader: &mut RequestReader<'_>) -> Result<Self, SyscallFault> {
        Ok(Self { start: reader.pointer()?, end: reader.pointer()? })
    }
}

/// A 256-bit hash as two felts.
pub(super) struct LowHigh {
    pub low: Felt,
    pub high: Felt,
}

impl Response for LowHigh {
    fn write(&self, writer: &mut ResponseWriter<'_>) -> Result<(), MemoryFault> {
        writer.value(self.low)?;
        writer.value(self.high)
    }
}

/// An array of Cairo 0 that is already in memory: its size and start.
pub(super) struct Stored {
    pub count: usize,
    pub start: Pointer,
}

impl Response for Stored {
    fn write(&self, writer: &mut ResponseWriter<'_>) -> Result<(), MemoryFault> {
        writer.value(Felt::from(self.count))?;
        writer.value(self.start)
    }
}

/// The input of a SHA-2 compression: the current state and a block of 16 words.
pub(super) struct ShaBlock {
    pub state: Pointer,
    pub words: Pointer,
}

impl Request for ShaBlock {
    fn read(reader: &mut RequestReader<'_>) -> Result<Self, SyscallFault> {
        Ok(Self { state: reader.pointer()?, words: reader.pointer()? })
    }
}

/// Affine coordinates: the request of `secp_new`, the response of `secp_get_xy`.
pub(super) struct Coordinates {
    pub x: BigUint,
    pub y: BigUint,
}

impl Request for Coordinates {
    fn read(reader: &mut RequestReader<'_>) -> Result<Self, SyscallFault> {
        Ok(Self { x: reader.u256()?, y: reader.u256()? })
    }
}

impl Response for Coordinates {
    fn write(&self, writer: &mut ResponseWriter<'_>) -> Result<(), MemoryFault> {
        writer.u256(&self.x)?;
        writer.u256(&self.y)
    }
}

pub(super) struct SecpAdd {
    pub left: Pointer,
    pub right: Pointer,
}

impl Request for SecpAdd {
    fn read(reader: &mut RequestReader<'_>) -> Result<Self, SyscallFault> {
        Ok(Self { left: reader.pointer()?, right: reader.pointer()? })
    }
}

pub(super) struct SecpMul {
    pub point: Pointer,
    pub scalar: BigUint,
}

impl Request for SecpMul {
    fn read(reader: &mut RequestReader<'_>) -> Result<Self, SyscallFault> {
        Ok(Self { point: reader.pointer()?, scalar: reader.u256()? })
    }
}

pub(super) struct SecpPointFromX {
    pub x: BigUint,
    pub y_is_odd: bool,
}

impl Request for SecpPointFromX {
    fn read(reader: &mut RequestReader<'_>) -> Result<Self, SyscallFault> {
        Ok(Self { x: reader.u256()?, y_is_odd: reader.bool("Invalid y parity")? })
    }
}

pub(super) struct SecpGetXy(pub Pointer);

impl Request for SecpGetXy {
    fn read(reader: &mut RequestReader<'_>) -> Result<Self, SyscallFault> {
        Ok(Self(reader.pointer()?))
    }
}
