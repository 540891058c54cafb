//! The table: one row a syscall.
//!
//! In: the selector that a contract wrote. Out: the row that serves it. A new syscall is one row here, one function in the file
//! where it belongs, its request in `request` and its price in `resources/protocol`.

use super::dispatch::SyscallCall;
use super::fault::SyscallFault;
use super::record::Language;
use super::{Dispatched, block, calls, class, emit, execution_info, keccak, secp, sha2, storage};
use crate::protocol::{ProtocolVersion, SyscallName};

/// Who has a syscall.
pub(super) enum SyscallAbi {
    Cairo0,
    Cairo1,
    Both,
}

/// A syscall.
pub(super) struct Row {
    /// Its selector is this name as a short string; its price and its OS resources are listed under the same name.
    pub name: SyscallName,
    /// The first version that prices it; older ones answer with a fault.
    pub since: ProtocolVersion,
    /// Who has it.
    pub speakers: SyscallAbi,
    /// Reads the request, charges, runs and answers.
    pub run: fn(SyscallCall<'_, '_>) -> Result<Dispatched, SyscallFault>,
}

const V0_13_0: ProtocolVersion = ProtocolVersion::V0_13_0;
const V0_13_2: ProtocolVersion = ProtocolVersion::V0_13_2;
const V0_13_4: ProtocolVersion = ProtocolVersion::V0_13_4;

const CAIRO_0: SyscallAbi = SyscallAbi::Cairo0;
const CAIRO_1: SyscallAbi = SyscallAbi::Cairo1;
const BOTH: SyscallAbi = SyscallAbi::Both;

/// All of them, in the order of their names.
#[rustfmt::skip]
pub(super) static TABLE: [Row; 35] = [
    Row { name: SyscallName::CallContract, since: V0_13_0, speakers: BOTH, run: |s| s.run(calls::call_contract) },
    Row { name: SyscallName::DelegateCall, since: V0_13_0, speakers: CAIRO_0, run: |s| s.run(calls::delegate_call) },
    Row { name: SyscallName::DelegateL1Handler, since: V0_13_0, speakers: CAIRO_0, run: |s| s.run(calls::delegate_l1_handler) },
    Row { name: SyscallName::Deploy, since: V0_13_0, speakers: BOTH, run: |s| s.run(calls::deploy) },
    Row { name: SyscallName::EmitEvent, since: V0_13_0, speakers: BOTH, run: |s| s.run(emit::emit_event) },
    Row { name: SyscallName::GetBlockHash, since: V0_13_0, speakers: CAIRO_1, run: |s| s.run(block::block_hash) },
    Row { name: SyscallName::GetBlockNumber, since: V0_13_0, speakers: CAIRO_0, run: |s| s.run(block::block_number) },
    Row { name: SyscallName::GetBlockTimestamp, since: V0_13_0, speakers: CAIRO_0, run: |s| s.run(block::block_timestamp) },
    Row { name: SyscallName::GetCallerAddress, since: V0_13_0, speakers: CAIRO_0, run: |s| s.run(execution_info::caller_address) },
    Row { name: SyscallName::GetClassHashAt, since: V0_13_4, speakers: CAIRO_1, run: |s| s.run(class::class_hash_at) },
    Row { name: SyscallName::GetContractAddress, since: V0_13_0, speakers: CAIRO_0, run: |s| s.run(execution_info::contract_address) },
    Row { name: SyscallName::GetExecutionInfo, since: V0_13_0, speakers: CAIRO_1, run: |s| s.run(execution_info::execution_info) },
    Row { name: SyscallName::GetSequencerAddress, since: V0_13_0, speakers: CAIRO_0, run: |s| s.run(block::sequencer_address) },
    Row { name: SyscallName::GetTxInfo, since: V0_13_0, speakers: CAIRO_0, run: |s| s.run(execution_info::transaction_info) },
    Row { name: SyscallName::GetTxSignature, since: V0_13_0, speakers: CAIRO_0, run: |s| s.run(execution_info::signature) },
    Row { name: SyscallName::Keccak, since: V0_13_0, speakers: CAIRO_1, run: |s| s.run(keccak::keccak) },
    Row { name: SyscallName::LibraryCall, since: V0_13_0, speakers: BOTH, run: |s| s.run(calls::library_call) },
    Row { name: SyscallName::LibraryCallL1Handler, since: V0_13_0, speakers: CAIRO_0, run: |s| s.run(calls::library_call_l1_handler) },
    Row { name: SyscallName::MetaTxV0, since: V0_13_4, speakers: CAIRO_1, run: |s| s.run(calls::meta_tx_v0) },
    Row { name: SyscallName::ReplaceClass, since: V0_13_0, speakers: BOTH, run: |s| s.run(class::replace_class) },
    Row { name: SyscallName::Secp256k1Add, since: V0_13_0, speakers: CAIRO_1, run: |s| s.run(secp::k1_add) },
    Row { name: SyscallName::Secp256k1GetPointFromX, since: V0_13_0, speakers: CAIRO_1, run: |s| s.run(secp::k1_point_from_x) },
    Row { name: SyscallName::Secp256k1GetXy, since: V0_13_0, speakers: CAIRO_1, run: |s| s.run(secp::k1_get_xy) },
    Row { name: SyscallName::Secp256k1Mul, since: V0_13_0, speakers: CAIRO_1, run: |s| s.run(secp::k1_mul) },
    Row { name: SyscallName::Secp256k1New, since: V0_13_0, speakers: CAIRO_1, run: |s| s.run(secp::k1_new) },
    Row { name: SyscallName::Secp256r1Add, since: V0_13_0, speakers: CAIRO_1, run: |s| s.run(secp::r1_add) },
    Row { name: SyscallName::Secp256r1GetPointFromX, since: V0_13_0, speakers: CAIRO_1, run: |s| s.run(secp::r1_point_from_x) },
    Row { name: SyscallName::Secp256r1GetXy, since: V0_13_0, speakers: CAIRO_1, run: |s| s.run(secp::r1_get_xy) },
    Row { name: SyscallName::Secp256r1Mul, since: V0_13_0, speakers: CAIRO_1, run: |s| s.run(secp::r1_mul) },
    Row { name: SyscallName::Secp256r1New, since: V0_13_0, speakers: CAIRO_1, run: |s| s.run(secp::r1_new) },
    Row { name: SyscallName::SendMessageToL1, since: V0_13_0, speakers: BOTH, run: |s| s.run(emit::send_message_to_l1) },
    Row { name: SyscallName::Sha256ProcessBlock, since: V0_13_2, speakers: CAIRO_1, run: |s| s.run(sha2::sha256_process_block) },
    Row { name: SyscallName::Sha512ProcessBlock, since: V0_13_4, speakers: CAIRO_1, run: |s| s.run(sha2::sha512_process_block) },
    Row { name: SyscallName::StorageRead, since: V0_13_0, speakers: BOTH, run: |s| s.run(storage::storage_read) },
    Row { name: SyscallName::StorageWrite, since: V0_13_0, speakers: BOTH, run: |s| s.run(storage::storage_write) },
];

/// The row of `name`, if code of that language has the syscall.
pub(super) fn row(name: SyscallName, language: Language) -> Option<&'static Row> {
    let index = TABLE.binary_search_by_key(&name, |row| row.name).ok()?;
    TABLE.get(index).filter(|row| match row.speakers {
        SyscallAbi::Both => true,
        SyscallAbi::Cairo0 => language == Language::Cairo0,
        SyscallAbi::Cairo1 => language == Language::Cairo1,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_syscall_has_its_row() {
        assert!(TABLE.is_sorted_by_key(|row| row.name));
        for name in SyscallName::ALL {
            let rows = [Language::Cairo0, Language::Cairo1].map(|language| row(name, language));
            assert!(rows.iter().flatten().all(|row| row.name == name));
            // Nobody asks for a round; what is not of Cairo 0 alone is at least of Cairo 1.
            let has_rows = rows.map(|row| row.is_some());
            assert_eq!(has_rows[1], !name.is_cairo0_only() && name != SyscallName::KeccakRound, "{name}");
            assert!(has_rows[0] || has_rows[1] || name == SyscallName::KeccakRound, "{name}");
        }
    }
}
