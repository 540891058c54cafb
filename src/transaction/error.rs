//! The endings without a receipt: the transaction is invalid, or the host's reader or this crate failed.
//!
//! The two are never mixed. The texts of [`InvalidTransaction`] are blockifier's; those of [`FatalError`] are
//! this crate's own.

use std::fmt::{self, Display, Formatter};

use serde::{Deserialize, Serialize};
use starknet_api::StarknetApiError;
use starknet_api::block::BlockNumber;
use starknet_api::core::{ClassHash, CompiledClassHash, ContractAddress, Nonce};
use starknet_api::transaction::TransactionVersion;
use starknet_api::transaction::fields::ProofVersion;
use starknet_types_core::felt::Felt;

use crate::call::{Cairo1RevertSummary, ErrorSegment, ErrorStack};
use crate::fee::{
    BalanceCheckError, FeeCheckError, FeeError, InsufficientBounds, PaidFeeError, PostCheckError,
};
use crate::state::StateError;

/// The reason why a transaction is invalid: it is not in the block, has no receipt, and changes nothing.
#[derive(Clone, Debug, PartialEq, thiserror::Error, Serialize, Deserialize)]
#[non_exhaustive]
pub enum InvalidTransaction {
    /// The class does not fit the transaction's version: versions 0 and 1 declare Cairo 0 classes, later
    /// versions Cairo 1 classes.
    #[error("A declare transaction of version {} cannot carry a class of that language.", .version.0)]
    ClassLanguage {
        /// The transaction's version.
        version: TransactionVersion,
    },
    /// The nonce is not the account's next one ([C4](crate::rules#c4)).
    #[error(
        "Invalid transaction nonce of contract at address {:#066x}. Account nonce: {:#066x}; got: {:#066x}.",
        .address.0.key(), .account_nonce.0, .nonce.0
    )]
    Nonce {
        /// The address of the account.
        address: ContractAddress,
        /// The next nonce of the account.
        account_nonce: Nonce,
        /// The nonce of the transaction.
        nonce: Nonce,
    },
    /// The bounds do not cover the minimal gas of the transaction ([C168](crate::rules#c168),
    /// [C169](crate::rules#c169)).
    #[error(transparent)]
    Bounds(InsufficientBounds),
    /// The balance of the sender does not cover its bounds ([C166](crate::rules#c166)).
    #[error(transparent)]
    Balance(BalanceCheckError),
    /// The proof facts of a client-side proof are invalid.
    #[error("Invalid proof facts: {0}")]
    ProofFacts(ProofFactsError),
    /// `__validate__*` failed in a way that no caller can catch.
    #[error("{0}")]
    Validation(ErrorStack),
    /// `__validate__*` panicked ([C17](crate::rules#c17)).
    #[error("{0}")]
    ValidationPanic(Cairo1RevertSummary),
    /// `__validate__*` did not return `VALID` ([C17](crate::rules#c17)).
    #[error("The `validate` entry point should return `VALID`. Got Retdata({0:?}).")]
    ValidationAnswer(Vec<Felt>),
    /// The validation entry point of a Cairo 0 account is missing ([C17](crate::rules#c17)).
    #[error("Cairo0 validate error with retdata: Retdata({0:?})")]
    ValidationCairo0(Vec<Felt>),
    /// The execution failed, and this kind of transaction cannot be reverted ([C11](crate::rules#c11)).
    #[error("{0}")]
    Execution(ErrorStack),
    /// The cost exceeded the bounds or the balance, and this kind of transaction cannot be reverted
    /// ([C11](crate::rules#c11)).
    #[error(transparent)]
    Cost(FeeCheckError),
    /// The class is declared already ([C36](crate::rules#c36), [C37](crate::rules#c37)).
    #[error("Class with hash {:#066x} is already declared.", .0.0)]
    AlreadyDeclared(ClassHash),
    /// The compiled class hash of the transaction is not that of the class ([C39](crate::rules#c39)).
    #[error(
        "Mismatch compiled class hash for class with hash {:#064x}. Actual: {:#064x}, Expected: {:#064x}",
        .class_hash.0, .actual.0, .expected.0
    )]
    CompiledClassHash {
        /// The class hash of the declared class.
        class_hash: ClassHash,
        /// The compiled class hash that the transaction declares.
        actual: CompiledClassHash,
        /// The compiled class hash of the class.
        expected: CompiledClassHash,
    },
    /// The message was not paid for on L1 ([C46](crate::rules#c46)).
    #[error(transparent)]
    PaidOnL1(PaidFeeError),
    /// The fee transfer failed in a way that no caller can catch.
    #[error("{}", Unwrapped(.0))]
    FeeTransfer(ErrorStack),
    /// The state does not allow it: an undeclared class, an address out of range.
    #[error(transparent)]
    State(StateError),
    /// An amount overflowed. No transaction of a real network comes near that.
    #[error(transparent)]
    Amount(FeeError),
    /// A field is out of range.
    #[error("{0}")]
    Field(String),
}

/// The reason why the proof facts of a client-side proof are invalid.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[non_exhaustive]
pub enum ProofFactsError {
    /// The facts are malformed.
    #[error("{0}")]
    Form(String),
    /// The proof version is not allowed at this protocol version.
    #[error("Proof version {0} is not allowed under this protocol version.")]
    ProofVersion(#[serde(with = "proof_version")] ProofVersion),
    /// The proven program is not allowed at this protocol version.
    #[error("Virtual OS program hash {0} is not allowed")]
    Program(Felt),
    /// The chain is too short for any block to be old enough.
    #[error(
        "The current block number {current} is below the required block-hash retention buffer: {buffer}."
    )]
    ShortChain {
        /// The number of the block that is being executed.
        current: BlockNumber,
        /// The age in blocks that the proof's block must have.
        buffer: u64,
    },
    /// The block that the proof builds on is too young to have a stored hash.
    #[error("The proof block number {number} is too recent. The maximum allowed block number is {youngest}.")]
    TooRecent {
        /// The number of the proof's block.
        number: u64,
        /// The number of the youngest block that is allowed.
        youngest: u64,
    },
    /// The block hash in the proof facts is zero.
    #[error("Proof block hash is zero for block {number}.")]
    ZeroHash {
        /// The number of the proof's block.
        number: u64,
    },
    /// The block that the proof builds on has another hash.
    #[error(
        "Block hash mismatch for block {number}. Proof block hash: {proven}, stored block hash: {stored}."
    )]
    BlockHash {
        /// The number of the proof's block.
        number: u64,
        /// The block hash in the proof facts.
        proven: Felt,
        /// The block hash of the chain.
        stored: Felt,
    },
    /// The proof was made for another chain, fee token or version.
    #[error(
        "Virtual OS config hash mismatch. Computed virtual OS config hash: {expected}, expected virtual OS config \
         hash: {proven}."
    )]
    Config {
        /// The configuration hash of this chain.
        expected: Felt,
        /// The configuration hash in the proof facts.
        proven: Felt,
    },
    /// The configuration of this chain has no hash: its name is too long, or Starknet never had this version.
    #[error("{0}")]
    NoConfig(String),
}

/// Proof versions in JSON, as the felt that stands in proof facts.
mod proof_version {
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use starknet_api::transaction::fields::ProofVersion;
    use starknet_types_core::felt::Felt;

    pub(super) fn serialize<S: Serializer>(version: &ProofVersion, serializer: S) -> Result<S::Ok, S::Error> {
        version.as_felt().serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<ProofVersion, D::Error> {
        let felt = Felt::deserialize(deserializer)?;
        ProofVersion::try_from(felt)
            .map_err(|()| D::Error::custom(format!("{felt:#x} is not a proof version")))
    }
}

/// The failure of the fee token's own frame, which has no frame around it: the text of the VM error precedes
/// its traceback.
struct Unwrapped<'a>(&'a ErrorStack);

impl Display for Unwrapped<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.0.segments.as_slice() {
            [ErrorSegment::Vm(location), ErrorSegment::Text(sentence)] if sentence.ends_with('\n') => {
                let attribute = location.error_attribute.as_deref().unwrap_or_default();
                let traceback = location.traceback.as_deref().unwrap_or_default();
                write!(f, "{attribute}Error at pc={}:\n{sentence}{traceback}", location.pc)
            }
            _ => self.0.fmt(f),
        }
    }
}

impl From<StarknetApiError> for InvalidTransaction {
    fn from(error: StarknetApiError) -> Self {
        Self::Field(error.to_string())
    }
}

/// The reason why a transaction has no result: the host's reader or this crate failed. Nothing of it is
/// committed.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum FatalError {
    /// The host's reader failed, or the execution was cancelled.
    #[error(transparent)]
    Reader(StateError),
    /// The transaction needs more memory than the host allows
    /// ([`BlockExecutor::memory_limit`](crate::block::BlockExecutor::memory_limit)).
    #[error("the transaction needs more memory than the memory limit allows")]
    OutOfMemory,
    /// A bug of this crate or of `cairo-vm`.
    #[error("internal error: {0}")]
    Internal(String),
}

/// The ending of a transaction without a receipt.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Rejection {
    /// The transaction is invalid.
    Invalid(Box<InvalidTransaction>),
    /// The host's reader or this crate failed.
    Failure(FatalError),
}

impl From<InvalidTransaction> for Rejection {
    fn from(error: InvalidTransaction) -> Self {
        match error {
            InvalidTransaction::State(error) if error.is_from_outside() => {
                Self::Failure(FatalError::Reader(error))
            }
            error => Self::Invalid(Box::new(error)),
        }
    }
}

impl From<FatalError> for Rejection {
    fn from(failure: FatalError) -> Self {
        Self::Failure(failure)
    }
}

impl From<StateError> for Rejection {
    fn from(error: StateError) -> Self {
        InvalidTransaction::State(error).into()
    }
}

impl From<FeeError> for Rejection {
    fn from(error: FeeError) -> Self {
        InvalidTransaction::Amount(error).into()
    }
}

impl From<PostCheckError> for Rejection {
    fn from(error: PostCheckError) -> Self {
        match error {
            PostCheckError::State(error) => error.into(),
            PostCheckError::Fee(error) => error.into(),
        }
    }
}
