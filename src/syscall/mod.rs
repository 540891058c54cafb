//! Syscalls: what a contract may ask of the network, and what each request means.
//!
//! In: a frame stopped at a syscall (its memory and syscall pointer), the scope it runs in. Out: an answer in the frame's
//! memory, or a call that the call stack must carry out first, or a fault that ends the phase.
//!
//! `table` has one row a syscall; `request` the typed requests and how the two languages lay them out; `dispatch` the protocols of
//! the two languages, gas among them; the remaining files the meaning, written once. No type of an engine appears here, and
//! nothing here knows what a frame or a call stack is.

mod block;
mod calls;
mod class;
mod codec;
mod dispatch;
mod emit;
mod execution_info;
mod fault;
mod keccak;
mod memory;
mod record;
mod request;
mod secp;
mod sha2;
mod storage;
mod table;
mod transaction_info;

use starknet_api::contract_class::EntryPointType;
use starknet_api::core::{ClassHash, ContractAddress, EntryPointSelector};
use starknet_api::transaction::fields::Calldata;
use starknet_types_core::felt::Felt;

pub use self::fault::{EventFault, ExecutionMode, SyscallFault};
pub use self::memory::{MemoryFault, Pointer, SyscallMemory, Value};
pub use self::record::{
    CallType, EntryPointCall, FrameRecord, GasTracker, Language, OrderedEvent, OrderedMessage, PhaseCounters,
    StorageAccesses, SyscallUsages, TrackedResource,
};
pub use self::transaction_info::{BoundTerms, FeeTerms, TransactionInfo};

pub(crate) use self::dispatch::{CallOutcome, Dispatched, PendingCall, dispatch, resume_with};

use crate::protocol::BlockEnv;
use crate::state::Journal;

/// What a syscall works on besides the frame's memory.
pub(crate) struct SyscallContext<'a, 'r> {
    /// Block, chain and constants.
    pub env: &'a BlockEnv,
    /// The running transaction, or what `meta_tx_v0` made of it.
    pub transaction: &'a TransactionInfo,
    /// Validation or execution.
    pub mode: ExecutionMode,
    /// The state of the transaction.
    pub state: &'a mut Journal<'r>,
    /// Events and messages of the phase.
    pub counters: &'a mut PhaseCounters,
    /// The call that asks.
    pub call: &'a EntryPointCall,
    /// The language of its code.
    pub language: Language,
    /// What its frame gathers.
    pub record: &'a mut FrameRecord,
    /// What the frame is measured in.
    pub tracked: TrackedResource,
    /// What a transaction that dies in this phase has burnt.
    pub gas_tracker: &'a mut GasTracker,
    /// Sierra gas left to the frame after the syscall's price; hand-over to inner calls and extra charges come out of it.
    pub gas: u64,
}

impl SyscallContext<'_, '_> {
    /// The fault for a syscall that validation may not use (C134).
    fn reject_in_validate(&self, name: &'static str) -> Result<(), SyscallFault> {
        match self.mode {
            ExecutionMode::Validate => Err(SyscallFault::Unauthorized { name, mode: self.mode }),
            ExecutionMode::Execute => Ok(()),
        }
    }
}

/// The answer of a syscall function.
pub(crate) enum Effect<R> {
    /// Succeed with this response.
    Respond(R),
    /// Fail with this data, which the calling contract may catch.
    Fail(Vec<Felt>),
    /// First carry out this call; its result is the response.
    Call(Box<InnerCall>),
}

/// What a syscall function returns.
pub(crate) type Outcome<R> = Result<Effect<R>, SyscallFault>;

/// A call that a syscall asks for.
#[derive(Clone, Debug)]
pub(crate) enum InnerCall {
    /// Call a contract.
    Contract {
        /// The call.
        call: UnresolvedCall,
        /// The class at the address as it was read before the call: part of the error trace.
        class_hash: ClassHash,
    },
    /// Run another class's code on the caller's storage.
    Library {
        /// The call.
        call: UnresolvedCall,
        /// The class.
        class_hash: ClassHash,
    },
    /// Deploy a contract and run its constructor.
    Deploy {
        /// The new contract's class.
        class_hash: ClassHash,
        /// Its address.
        address: ContractAddress,
        /// Who deploys it, as its constructor sees it.
        deployer: ContractAddress,
        /// The constructor's arguments.
        calldata: Calldata,
    },
    /// Call an account as a version 0 transaction would.
    Meta {
        /// The call.
        call: UnresolvedCall,
        /// The class at the address as it was read before the call.
        class_hash: ClassHash,
        /// The transaction that the callee sees.
        transaction: Box<TransactionInfo>,
    },
}

/// A call whose class may still have to be looked up at its address.
#[derive(Clone, Debug)]
pub(crate) struct UnresolvedCall {
    /// The class, when the caller names it.
    pub class_hash: Option<ClassHash>,
    /// See [`EntryPointCall::code_address`].
    pub code_address: Option<ContractAddress>,
    /// External, L1 handler or constructor.
    pub entry_point_type: EntryPointType,
    /// Which entry point.
    pub selector: EntryPointSelector,
    /// The arguments.
    pub calldata: Calldata,
    /// Whose storage the code works on.
    pub storage_address: ContractAddress,
    /// Who calls.
    pub caller_address: ContractAddress,
    /// Call or library call.
    pub call_type: CallType,
    /// Sierra gas handed over.
    pub initial_gas: u64,
}
