//! The effect of a syscall as data: a response, a failure, or a call that must be made first.
//!
//! Input: returned by the syscall functions. Output: `abi` writes responses and failures; the call stack
//! makes the calls.

use starknet_api::contract_class::EntryPointType;
use starknet_api::core::{ClassHash, ContractAddress, EntryPointSelector};
use starknet_api::transaction::fields::Calldata;
use starknet_types_core::felt::Felt;

use super::fault::SyscallFault;
use super::record::CallType;
use super::transaction_info::TransactionInfo;

/// The effect of a syscall.
pub(crate) enum Effect<R> {
    /// The syscall succeeds with this response.
    Respond(R),
    /// The syscall fails with this data, which the calling contract may catch.
    Fail(Vec<Felt>),
    /// The call must be made first; its result is the response.
    Call(Box<InnerCall>),
}

/// The result of a syscall function.
pub(crate) type Outcome<R> = Result<Effect<R>, SyscallFault>;

/// A call that a syscall requests.
#[derive(Clone, Debug)]
pub(crate) enum InnerCall {
    /// Call a contract.
    Contract {
        /// The call.
        call: UnresolvedCall,
        /// The class at the address, read before the call: part of the error trace.
        class_hash: ClassHash,
    },
    /// Run the code of another class on the storage of the caller.
    Library {
        /// The call.
        call: UnresolvedCall,
        /// The class.
        class_hash: ClassHash,
    },
    /// Deploy a contract and run its constructor.
    Deploy {
        /// The class of the new contract.
        class_hash: ClassHash,
        /// The address of the new contract.
        address: ContractAddress,
        /// The deployer, which is the constructor's caller.
        deployer: ContractAddress,
        /// The arguments of the constructor.
        calldata: Calldata,
    },
    /// Call an account as a version 0 transaction does.
    Meta {
        /// The call.
        call: UnresolvedCall,
        /// The class at the address, read before the call.
        class_hash: ClassHash,
        /// The transaction that the callee sees.
        transaction: Box<TransactionInfo>,
    },
}

/// A call whose class may have to be looked up at its address.
#[derive(Clone, Debug)]
pub(crate) struct UnresolvedCall {
    /// The class, if the caller specifies it.
    pub class_hash: Option<ClassHash>,
    /// The called contract: see [`EntryPointCall::code_address`](super::EntryPointCall::code_address).
    pub code_address: Option<ContractAddress>,
    /// External, L1 handler or constructor.
    pub entry_point_type: EntryPointType,
    /// The selector of the entry point.
    pub selector: EntryPointSelector,
    /// The arguments.
    pub calldata: Calldata,
    /// The contract whose storage the code reads and writes.
    pub storage_address: ContractAddress,
    /// The caller.
    pub caller_address: ContractAddress,
    /// Call or library call.
    pub call_type: CallType,
    /// The Sierra gas that the call starts with.
    pub initial_gas: u64,
}
