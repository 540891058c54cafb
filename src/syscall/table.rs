//! The table: one row a syscall.
//!
//! In: the selector that a contract wrote. Out: the row that serves it. A new syscall is one row here, one function in the file
//! where it belongs, its request in `request` and its price in `resources/protocol`.

use super::cairo1::Service;
use super::fault::SyscallFault;
use super::{Served, block, calls, class, emit, execution_info, keccak, secp, sha2, storage};
use crate::protocol::{ProtocolVersion, SyscallName};

/// A syscall that Cairo 1 contracts have.
pub(super) struct Row {
    /// Its selector is this name as a short string; its price and its OS resources are listed under the same name.
    pub name: SyscallName,
    /// The first version that prices it; older ones answer with a fault.
    pub since: ProtocolVersion,
    /// Reads the request, charges, runs and answers.
    pub cairo1: fn(Service<'_, '_>) -> Result<Served, SyscallFault>,
}

const V0_13_0: ProtocolVersion = ProtocolVersion::V0_13_0;
const V0_13_2: ProtocolVersion = ProtocolVersion::V0_13_2;
const V0_13_4: ProtocolVersion = ProtocolVersion::V0_13_4;

/// All of them, in the order of their names.
pub(super) static TABLE: [Row; 25] = [
    Row { name: SyscallName::CallContract, since: V0_13_0, cairo1: |s| s.run(calls::call_contract) },
    Row { name: SyscallName::Deploy, since: V0_13_0, cairo1: |s| s.run(calls::deploy) },
    Row { name: SyscallName::EmitEvent, since: V0_13_0, cairo1: |s| s.run(emit::emit_event) },
    Row { name: SyscallName::GetBlockHash, since: V0_13_0, cairo1: |s| s.run(block::block_hash) },
    Row { name: SyscallName::GetClassHashAt, since: V0_13_4, cairo1: |s| s.run(class::class_hash_at) },
    Row {
        name: SyscallName::GetExecutionInfo,
        since: V0_13_0,
        cairo1: |s| s.run(execution_info::execution_info),
    },
    Row { name: SyscallName::Keccak, since: V0_13_0, cairo1: |s| s.run(keccak::keccak) },
    Row { name: SyscallName::LibraryCall, since: V0_13_0, cairo1: |s| s.run(calls::library_call) },
    Row { name: SyscallName::MetaTxV0, since: V0_13_4, cairo1: |s| s.run(calls::meta_tx_v0) },
    Row { name: SyscallName::ReplaceClass, since: V0_13_0, cairo1: |s| s.run(class::replace_class) },
    Row { name: SyscallName::Secp256k1Add, since: V0_13_0, cairo1: |s| s.run(secp::k1_add) },
    Row {
        name: SyscallName::Secp256k1GetPointFromX,
        since: V0_13_0,
        cairo1: |s| s.run(secp::k1_point_from_x),
    },
    Row { name: SyscallName::Secp256k1GetXy, since: V0_13_0, cairo1: |s| s.run(secp::k1_get_xy) },
    Row { name: SyscallName::Secp256k1Mul, since: V0_13_0, cairo1: |s| s.run(secp::k1_mul) },
    Row { name: SyscallName::Secp256k1New, since: V0_13_0, cairo1: |s| s.run(secp::k1_new) },
    Row { name: SyscallName::Secp256r1Add, since: V0_13_0, cairo1: |s| s.run(secp::r1_add) },
    Row {
        name: SyscallName::Secp256r1GetPointFromX,
        since: V0_13_0,
        cairo1: |s| s.run(secp::r1_point_from_x),
    },
    Row { name: SyscallName::Secp256r1GetXy, since: V0_13_0, cairo1: |s| s.run(secp::r1_get_xy) },
    Row { name: SyscallName::Secp256r1Mul, since: V0_13_0, cairo1: |s| s.run(secp::r1_mul) },
    Row { name: SyscallName::Secp256r1New, since: V0_13_0, cairo1: |s| s.run(secp::r1_new) },
    Row { name: SyscallName::SendMessageToL1, since: V0_13_0, cairo1: |s| s.run(emit::send_message_to_l1) },
    Row {
        name: SyscallName::Sha256ProcessBlock,
        since: V0_13_2,
        cairo1: |s| s.run(sha2::sha256_process_block),
    },
    Row {
        name: SyscallName::Sha512ProcessBlock,
        since: V0_13_4,
        cairo1: |s| s.run(sha2::sha512_process_block),
    },
    Row { name: SyscallName::StorageRead, since: V0_13_0, cairo1: |s| s.run(storage::storage_read) },
    Row { name: SyscallName::StorageWrite, since: V0_13_0, cairo1: |s| s.run(storage::storage_write) },
];

/// The row of `name`, if Cairo 1 contracts have that syscall.
pub(super) fn row(name: SyscallName) -> Option<&'static Row> {
    TABLE.iter().find(|row| row.name == name)
}
