//! Why a syscall could not be served at all, as opposed to a failure that the calling contract can catch.
//!
//! Out: the call stack turns a fault into the end of the phase. The sentences are consensus data where a fault reverts a
//! transaction (C174): they are the network's, not ours to improve.

use starknet_api::StarknetApiError;
use starknet_api::core::ClassHash;
use starknet_types_core::felt::Felt;

use super::memory::MemoryFault;
use crate::protocol::{ProtocolVersion, SyscallName};
use crate::state::StateError;

/// Whether validation code or execution code runs: validation may do less.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ExecutionMode {
    /// `__execute__`, L1 handlers, fee transfers.
    Execute,
    /// `__validate__*` and the constructor of a deploy-account transaction (C12).
    Validate,
}

impl std::fmt::Display for ExecutionMode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Execute => "Execute",
            Self::Validate => "Validate",
        })
    }
}

/// A syscall that cannot be served: ends the whole phase, nobody can catch it.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SyscallFault {
    /// A cell of the request is missing or of the wrong kind.
    #[error(transparent)]
    SyscallMemory(#[from] MemoryFault),
    /// The state could not answer; a reader's error among them.
    #[error(transparent)]
    State(#[from] StateError),
    /// A felt that is no address, key or such.
    #[error("{0}")]
    Value(String),
    /// The selector names no syscall.
    #[error("Invalid syscall selector: {0:?}.")]
    InvalidSelector(Felt),
    /// The selector names a syscall that Cairo 1 contracts do not have.
    #[error("Unknown Hint: Unsupported syscall selector {0:?}.")]
    Unsupported(SyscallName),
    /// The block's version is older than the syscall (a departure: the peer aborts the process).
    #[error("Syscall {name:?} does not exist before version {since}.")]
    NotYet {
        /// Which syscall.
        name: SyscallName,
        /// The first version that has it.
        since: ProtocolVersion,
    },
    /// An argument out of range.
    #[error("Invalid syscall input: {input:?}; {info}")]
    InvalidInput {
        /// The felt.
        input: Felt,
        /// What it should have been.
        info: String,
    },
    /// Storage has one address domain, 0 (C110).
    #[error("Invalid address domain: {0}.")]
    InvalidAddressDomain(Felt),
    /// Not allowed while validating (C134).
    #[error("Unauthorized syscall {name} in execution mode {mode}.")]
    Unauthorized {
        /// The syscall as the network names it here.
        name: &'static str,
        /// The mode.
        mode: ExecutionMode,
    },
    /// Cairo 0 code called somebody's `__execute__` (C113). Cairo 1 code can catch this.
    #[error("Calling `__execute__` directly is not allowed.")]
    DirectExecute,
    /// A limit on events was passed (C125).
    #[error(transparent)]
    Event(#[from] EventFault),
    /// A Cairo 1 contract cannot become a Cairo 0 contract (C127).
    #[error("Cannot replace V1 class hash with V0 class hash: {0}.")]
    ForbiddenClassReplacement(ClassHash),
    /// A cheatcode hint in a deployed class.
    #[error("Test functions are unsupported on starknet.")]
    TestHint,
    /// A sum overflowed; no real block comes near.
    #[error("Syscall {0:?}: a counter overflowed.")]
    Overflow(SyscallName),
}

/// Which limit on events was passed, and by how much (C125).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EventFault {
    /// Too many keys.
    #[error("Exceeded the maximum keys length, keys length: {length}, max keys length: {max}.")]
    Keys {
        /// Keys of the event.
        length: u64,
        /// The limit.
        max: u64,
    },
    /// Too much data.
    #[error("Exceeded the maximum data length, data length: {length}, max data length: {max}.")]
    Data {
        /// Data felts of the event.
        length: u64,
        /// The limit.
        max: u64,
    },
    /// Too many events in the phase.
    #[error("Exceeded the maximum number of events, number events: {count}, max number events: {max}.")]
    Count {
        /// Events with this one.
        count: u64,
        /// The limit.
        max: u64,
    },
}

impl From<StarknetApiError> for SyscallFault {
    fn from(error: StarknetApiError) -> Self {
        Self::Value(error.to_string())
    }
}
