//! Syscall faults, which end the phase. Failures that the calling contract can catch are not faults.
//!
//! Output: the call stack ends the phase with the fault. The texts are consensus data where a fault reverts a
//! transaction (C174), so they are exactly those of the network.

use starknet_api::StarknetApiError;
use starknet_api::core::ClassHash;
use starknet_types_core::felt::Felt;

use super::memory::MemoryFault;
use crate::protocol::{ProtocolVersion, SyscallName};
use crate::state::StateError;

/// The kind of phase that runs; validation is restricted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ExecutionMode {
    /// `__execute__`, L1 handlers, fee transfers.
    Execute,
    /// `__validate__*` and the constructor of a deploy-account transaction ([C12](crate::rules#c12)).
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

/// A fault of a syscall. It ends the phase; no contract can catch it.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SyscallFault {
    /// A cell of the request is unset or has the wrong kind.
    #[error(transparent)]
    Memory(#[from] MemoryFault),
    /// The state failed, for example with an error of the host's reader.
    #[error(transparent)]
    State(#[from] StateError),
    /// A felt is not valid as an address, a key or a similar value.
    #[error("{0}")]
    Value(String),
    /// The selector is not that of a syscall.
    #[error("Invalid syscall selector: {0:?}.")]
    InvalidSelector(Felt),
    /// The syscall does not exist in the language of the contract.
    #[error("Unknown Hint: Unsupported syscall selector {0:?}.")]
    Unsupported(SyscallName),
    /// The version of the block does not have the syscall. A departure: blockifier panics.
    #[error("Syscall {name:?} does not exist before version {since}.")]
    NotYet {
        /// The syscall.
        name: SyscallName,
        /// The first version that has the syscall.
        since: ProtocolVersion,
    },
    /// An argument is out of range.
    #[error("Invalid syscall input: {input:?}; {info}")]
    InvalidInput {
        /// The argument.
        input: Felt,
        /// The text that describes the fault.
        info: String,
    },
    /// The address domain is not 0, the only one ([C110](crate::rules#c110)).
    #[error("Invalid address domain: {0}.")]
    InvalidAddressDomain(Felt),
    /// The syscall is not allowed during validation ([C134](crate::rules#c134)).
    #[error("Unauthorized syscall {name} in execution mode {mode}.")]
    Unauthorized {
        /// The name of the syscall in the text.
        name: &'static str,
        /// The mode.
        mode: ExecutionMode,
    },
    /// Cairo 0 code called `__execute__` of a contract ([C113](crate::rules#c113)). For Cairo 1 code this is
    /// a failure that can be caught.
    #[error("Calling `__execute__` directly is not allowed.")]
    DirectExecute,
    /// A limit on events was exceeded ([C125](crate::rules#c125)).
    #[error(transparent)]
    Event(#[from] EventFault),
    /// The new class of a Cairo 1 contract is a Cairo 0 class ([C127](crate::rules#c127)).
    #[error("Cannot replace V1 class hash with V0 class hash: {0}.")]
    ForbiddenClassReplacement(ClassHash),
    /// The code contains a cheatcode hint.
    #[error("Test functions are unsupported on starknet.")]
    TestHint,
    /// A counter overflowed, which the limits of real blocks exclude.
    #[error("Syscall {0:?}: a counter overflowed.")]
    Overflow(SyscallName),
}

/// The limit on events that was exceeded ([C125](crate::rules#c125)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EventFault {
    /// The event has too many keys.
    #[error("Exceeded the maximum keys length, keys length: {length}, max keys length: {max}.")]
    Keys {
        /// The number of keys.
        length: u64,
        /// The limit.
        max: u64,
    },
    /// The event has too much data.
    #[error("Exceeded the maximum data length, data length: {length}, max data length: {max}.")]
    Data {
        /// The number of data felts.
        length: u64,
        /// The limit.
        max: u64,
    },
    /// The phase has too many events.
    #[error("Exceeded the maximum number of events, number events: {count}, max number events: {max}.")]
    Count {
        /// The number of events, including this one.
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
