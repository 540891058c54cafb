//! The errors of state accesses.
//!
//! Input: raised by [`Journal`](super::Journal) and [`BlockState`](super::BlockState). Output: `call` and
//! `transaction` decide whether an error reverts (an undeclared class), rejects, or ends the block (a failed
//! read, which never becomes a revert).

use std::error::Error;
use std::fmt;

use serde::{Deserialize, Serialize};
use starknet_api::core::{ClassHash, ContractAddress};
use starknet_api::state::StorageKey;

use super::{ReadError, StateKey};

/// An access to the state that could not be carried out.
///
/// The texts of [`UndeclaredClass`](Self::UndeclaredClass), [`OutOfRangeAddress`](Self::OutOfRangeAddress)
/// and [`UnavailableContractAddress`](Self::UnavailableContractAddress) are consensus data: they enter revert
/// reasons, which receipts commit to ([C174](crate::rules#c174)).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum StateError {
    /// The host's reader failed. Independent of the transaction.
    Read {
        /// The cell that could not be read.
        cell: StateKey,
        /// The reader's own error.
        source: ReadError,
    },
    /// The execution was cancelled. Independent of the transaction.
    Stopped,
    /// The class is not declared ([C37](crate::rules#c37)).
    UndeclaredClass(ClassHash),
    /// The address of a deployment is 0 ([C71](crate::rules#c71)).
    OutOfRangeAddress(ContractAddress),
    /// The address of a deployment has a contract already ([C71](crate::rules#c71)). Raised by deployment,
    /// not by the journal.
    UnavailableContractAddress(ContractAddress),
    /// The nonce is the largest felt and cannot be incremented. blockifier wraps to 0 here.
    NonceOverflow(ContractAddress),
    /// The storage key is the last one, and the next one is needed.
    LastStorageKey(StorageKey),
}

impl fmt::Display for StateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read { cell, .. } => write!(f, "cannot read the {cell}"),
            Self::Stopped => f.write_str("the execution was cancelled"),
            Self::UndeclaredClass(class_hash) => {
                write!(f, "Class with hash {:#066x} is not declared.", **class_hash)
            }
            Self::OutOfRangeAddress(_) => f.write_str("Cannot deploy contract at address 0."),
            Self::UnavailableContractAddress(address) => {
                write!(f, "Deployment failed: contract already deployed at address {:#066x}", ***address)
            }
            Self::NonceOverflow(address) => {
                write!(f, "the nonce of contract {:#x} is the largest felt", ***address)
            }
            Self::LastStorageKey(key) => write!(f, "there is no storage key after {:#x}", ***key),
        }
    }
}

/// The source of a failed read is the host's own error: [`ReadError`] only carries it, and prints the same
/// text.
impl Error for StateError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Read { source, .. } => source.source(),
            _ => None,
        }
    }
}

impl StateError {
    /// Returns `true` if the error is independent of the transaction: the host failed or cancelled.
    pub(crate) fn is_from_outside(&self) -> bool {
        matches!(self, Self::Read { .. } | Self::Stopped)
    }
}

#[cfg(test)]
mod tests {

    use starknet_types_core::felt::Felt;

    use super::*;

    /// The texts are consensus data.
    #[test]
    fn consensus_texts() {
        assert_eq!(
            StateError::UndeclaredClass(ClassHash(Felt::from(0xabc))).to_string(),
            "Class with hash 0x0000000000000000000000000000000000000000000000000000000000000abc is not declared."
        );
        assert_eq!(
            StateError::UnavailableContractAddress(ContractAddress::from(0xabc_u128)).to_string(),
            "Deployment failed: contract already deployed at address \
             0x0000000000000000000000000000000000000000000000000000000000000abc"
        );
        assert_eq!(
            StateError::OutOfRangeAddress(ContractAddress::default()).to_string(),
            "Cannot deploy contract at address 0."
        );
    }

    #[test]
    fn a_failed_read_names_its_cell() {
        let error = StateError::Read {
            cell: StateKey::Nonce(ContractAddress::from(5_u128)),
            source: ReadError::message("disk on fire"),
        };
        assert_eq!(error.to_string(), "cannot read the nonce of contract 0x5");
        assert_eq!(error.source().unwrap().to_string(), "disk on fire");
    }
}
