//! What can go wrong between execution and the state.
//!
//! In: raised by [`Journal`](super::Journal) and [`BlockState`](super::BlockState). Out: `call` and `transaction` decide
//! whether it reverts (an undeclared class), rejects, or ends the block (a failed read, which never becomes a revert).

use starknet_api::core::{ClassHash, ContractAddress};
use starknet_api::state::StorageKey;

use super::{ReadError, StateKey};

/// An access to the state that could not be carried out.
///
/// The texts of [`UndeclaredClass`](Self::UndeclaredClass), [`OutOfRangeAddress`](Self::OutOfRangeAddress) and
/// [`UnavailableContractAddress`](Self::UnavailableContractAddress) are consensus data: they enter revert reasons, which
/// receipts commit to (C174). They must not change.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StateError {
    /// The host's reader failed. Never a property of the transaction.
    #[error("Reading the {cell} failed: {source}")]
    Read {
        /// What was being read.
        cell: StateKey,
        /// The reader's own error.
        source: ReadError,
    },
    /// Somebody outside had the execution stopped. Never a property of the transaction.
    #[error("The execution was stopped.")]
    Stopped,
    /// The class is not declared (C37).
    #[error("Class with hash {:#066x} is not declared.", **.0)]
    UndeclaredClass(ClassHash),
    /// A contract cannot live at this address, which is 0 (C71).
    #[error("Cannot deploy contract at address 0.")]
    OutOfRangeAddress(ContractAddress),
    /// A contract is already deployed at the address (C71). Raised by deployment, not by the journal.
    #[error("Deployment failed: contract already deployed at address {:#066x}", ***.0)]
    UnavailableContractAddress(ContractAddress),
    /// The nonce is the largest felt and cannot be raised. The published crate wraps to 0 here.
    #[error("The nonce of contract {:#x} cannot be raised any further.", ***.0)]
    NonceOverflow(ContractAddress),
    /// There is no storage key after this one.
    #[error("There is no storage key after {:#x}.", ***.0)]
    LastStorageKey(StorageKey),
}

impl StateError {
    /// Whether it says nothing of the transaction, only that nobody can go on with it here and now.
    pub(crate) fn is_from_outside(&self) -> bool {
        matches!(self, Self::Read { .. } | Self::Stopped)
    }
}

#[cfg(test)]
mod tests {

    use starknet_types_core::felt::Felt;

    use super::*;

    /// Facts of consensus: as the network prints them.
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
        assert_eq!(error.to_string(), "Reading the nonce of contract 0x5 failed: disk on fire");
    }
}
