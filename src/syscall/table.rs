//! The table of syscalls: one row per syscall.
//!
//! Input: a name. Output: its row. A new syscall is a name in `protocol::syscalls`, a row here, a function in
//! the file of its topic, a request in `request` and a price in `resources/protocol`.

use super::abi::{Dispatched, SyscallCall};
use super::codec::Language;
use super::fault::SyscallFault;
use super::secp_points::{K1, R1};
use super::{block, calls, class, emit, execution_info, keccak, secp, sha2, storage};
use crate::protocol::{SyscallAbi, SyscallName};

/// A syscall and its function.
pub(super) struct Row {
    /// The name; its calling conventions, price and OS cost are listed under the same name.
    pub name: SyscallName,
    /// Reads the request, charges the price, runs the syscall and writes the response.
    pub run: fn(SyscallCall<'_, '_>) -> Result<Dispatched, SyscallFault>,
}

/// All syscalls, in the order of their names.
#[rustfmt::skip]
pub(super) static TABLE: [Row; 35] = [
    Row { name: SyscallName::CallContract, run: |s| s.run(calls::call_contract) },
    Row { name: SyscallName::DelegateCall, run: |s| s.run(calls::delegate_call) },
    Row { name: SyscallName::DelegateL1Handler, run: |s| s.run(calls::delegate_l1_handler) },
    Row { name: SyscallName::Deploy, run: |s| s.run(calls::deploy) },
    Row { name: SyscallName::EmitEvent, run: |s| s.run(emit::emit_event) },
    Row { name: SyscallName::GetBlockHash, run: |s| s.run(block::block_hash) },
    Row { name: SyscallName::GetBlockNumber, run: |s| s.run(block::block_number) },
    Row { name: SyscallName::GetBlockTimestamp, run: |s| s.run(block::block_timestamp) },
    Row { name: SyscallName::GetCallerAddress, run: |s| s.run(execution_info::caller_address) },
    Row { name: SyscallName::GetClassHashAt, run: |s| s.run(class::class_hash_at) },
    Row { name: SyscallName::GetContractAddress, run: |s| s.run(execution_info::contract_address) },
    Row { name: SyscallName::GetExecutionInfo, run: |s| s.run(execution_info::execution_info) },
    Row { name: SyscallName::GetSequencerAddress, run: |s| s.run(block::sequencer_address) },
    Row { name: SyscallName::GetTxInfo, run: |s| s.run(execution_info::transaction_info) },
    Row { name: SyscallName::GetTxSignature, run: |s| s.run(execution_info::signature) },
    Row { name: SyscallName::Keccak, run: |s| s.run(keccak::keccak) },
    Row { name: SyscallName::LibraryCall, run: |s| s.run(calls::library_call) },
    Row { name: SyscallName::LibraryCallL1Handler, run: |s| s.run(calls::library_call_l1_handler) },
    Row { name: SyscallName::MetaTxV0, run: |s| s.run(calls::meta_tx_v0) },
    Row { name: SyscallName::ReplaceClass, run: |s| s.run(class::replace_class) },
    Row { name: SyscallName::Secp256k1Add, run: |s| s.run(secp::add::<K1>) },
    Row { name: SyscallName::Secp256k1GetPointFromX, run: |s| s.run(secp::point_from_x::<K1>) },
    Row { name: SyscallName::Secp256k1GetXy, run: |s| s.run(secp::get_xy::<K1>) },
    Row { name: SyscallName::Secp256k1Mul, run: |s| s.run(secp::mul::<K1>) },
    Row { name: SyscallName::Secp256k1New, run: |s| s.run(secp::new::<K1>) },
    Row { name: SyscallName::Secp256r1Add, run: |s| s.run(secp::add::<R1>) },
    Row { name: SyscallName::Secp256r1GetPointFromX, run: |s| s.run(secp::point_from_x::<R1>) },
    Row { name: SyscallName::Secp256r1GetXy, run: |s| s.run(secp::get_xy::<R1>) },
    Row { name: SyscallName::Secp256r1Mul, run: |s| s.run(secp::mul::<R1>) },
    Row { name: SyscallName::Secp256r1New, run: |s| s.run(secp::new::<R1>) },
    Row { name: SyscallName::SendMessageToL1, run: |s| s.run(emit::send_message_to_l1) },
    Row { name: SyscallName::Sha256ProcessBlock, run: |s| s.run(sha2::sha256_process_block) },
    Row { name: SyscallName::Sha512ProcessBlock, run: |s| s.run(sha2::sha512_process_block) },
    Row { name: SyscallName::StorageRead, run: |s| s.run(storage::storage_read) },
    Row { name: SyscallName::StorageWrite, run: |s| s.run(storage::storage_write) },
];

/// Returns the row of `name`, if code of that language can request the syscall.
pub(super) fn row(name: SyscallName, language: Language) -> Option<&'static Row> {
    let is_offered = match name.abi() {
        SyscallAbi::Both => true,
        SyscallAbi::Cairo0 => language == Language::Cairo0,
        SyscallAbi::Cairo1 => language == Language::Cairo1,
        SyscallAbi::Internal => false,
    };
    let index = TABLE.binary_search_by_key(&name, |row| row.name).ok()?;
    TABLE.get(index).filter(|_| is_offered)
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
            // Only a Keccak round cannot be requested; any other syscall is offered to Cairo 0, to Cairo 1 or
            // to both.
            let has_rows = rows.map(|row| row.is_some());
            assert_eq!(has_rows[1], !name.is_cairo0_only() && name != SyscallName::KeccakRound, "{name}");
            assert!(has_rows[0] || has_rows[1] || name == SyscallName::KeccakRound, "{name}");
        }
    }
}
