//! The endings without a receipt: the transaction is invalid, or the host or we failed. Never one for the
//! other.

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

/// Why a transaction is invalid: it is not in the block, has no receipt, and changes nothing.
#[derive(Clone, Debug, PartialEq, thiserror::Error, Serialize, Deserialize)]
#[non_exhaustive]
pub enum InvalidTransaction {
    /// Versions 0 and 1 declare Cairo 0 classes, later ones Cairo 1 classes.
    #[error("A declare transaction of version {} cannot carry a class of that language.", .version.0)]
    ClassLanguage {
        /// The transaction's version.
        version: TransactionVersion,
    },
    /// The nonce is not the account's next one (C4).
    #[error(
        "Invalid transaction nonce of contract at address {:#066x}. Account nonce: {:#066x}; got: {:#066x}.",
        .address.0.key(), .account_nonce.0, .nonce.0
    )]
    Nonce {
        /// The account.
        address: ContractAddress,
        /// Its next nonce.
        account_nonce: Nonce,
        /// What the transaction carries.
        nonce: Nonce,
    },
    /// The bounds do not cover the least that the transaction needs (C168, C169).
    #[error(transparent)]
    Bounds(InsufficientBounds),
    /// The sender does not have what its bounds commit it to (C166).
    #[error(transparent)]
    Balance(BalanceCheckError),
    /// The facts of a client-side proof do not hold.
    #[error("Invalid proof facts: {0}")]
    ProofFacts(ProofFactsError),
    /// `__validate__*` failed where nobody could catch it.
    #[error("{0}")]
    Validation(ErrorStack),
    /// `__validate__*` panicked (C17).
    #[error("{0}")]
    ValidationPanic(Cairo1RevertSummary),
    /// `__validate__*` returned something other than `VALID` (C17).
    #[error("The `validate` entry point should return `VALID`. Got Retdata({0:?}).")]
    ValidationAnswer(Vec<Felt>),
    /// The validation entry point of a Cairo 0 account is missing (C17).
    #[error("Cairo0 validate error with retdata: Retdata({0:?})")]
    ValidationCairo0(Vec<Felt>),
    /// The execution failed, and this kind cannot be reverted (C11).
    #[error("{0}")]
    Execution(ErrorStack),
    /// The cost was above the bounds or the balance, and this kind cannot be reverted (C11).
    #[error(transparent)]
    Cost(FeeCheckError),
    /// The class exists already (C36, C37).
    #[error("Class with hash {:#066x} is already declared.", .0.0)]
    AlreadyDeclared(ClassHash),
    /// The declared compiled class hash is not that of the class (C39).
    #[error(
        "Mismatch compiled class hash for class with hash {:#064x}. Actual: {:#064x}, Expected: {:#064x}",
        .class_hash.0, .actual.0, .expected.0
    )]
    CompiledClassHash {
        /// The class.
        class_hash: ClassHash,
        /// What the transaction declares.
        actual: CompiledClassHash,
        /// Its hash.
        expected: CompiledClassHash,
    },
    /// Nothing was paid on L1 (C46).
    #[error(transparent)]
    PaidOnL1(PaidFeeError),
    /// The fee token refused the transfer for good.
    #[error("{}", Unwrapped(.0))]
    FeeTransfer(ErrorStack),
    /// The state refused: an undeclared class, an address out of range.
    #[error(transparent)]
    State(StateError),
    /// An amount overflowed: no transaction of a real network comes near.
    #[error(transparent)]
    Amount(FeeError),
    /// A field is out of its range.
    #[error("{0}")]
    Field(String),
}

/// Why the facts of a proof do not hold (1.13).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[non_exhaustive]
pub enum ProofFactsError {
    /// They are not written as such facts are.
    #[error("{0}")]
    Form(String),
    /// No proofs of this version at this version of the protocol.
    #[error("Proof version {0} is not allowed under this protocol version.")]
    ProofVersion(#[serde(with = "proof_version")] ProofVersion),
    /// No proofs of this program.
    #[error("Virtual OS program hash {0} is not allowed")]
    Program(Felt),
    /// The chain is too short for any block to be old enough.
    #[error(
        "The current block number {current} is below the required block-hash retention buffer: {buffer}."
    )]
    ShortChain {
        /// This block.
        current: BlockNumber,
        /// How much older the proof's block has to be.
        buffer: u64,
    },
    /// The block that the proof builds on is too young to have a stored hash.
    #[error("The proof block number {number} is too recent. The maximum allowed block number is {youngest}.")]
    TooRecent {
        /// The proof's block.
        number: u64,
        /// The youngest that will do.
        youngest: u64,
    },
    /// The proof says that its block has no hash.
    #[error("Proof block hash is zero for block {number}.")]
    ZeroHash {
        /// The proof's block.
        number: u64,
    },
    /// The block that the proof builds on has another hash.
    #[error(
        "Block hash mismatch for block {number}. Proof block hash: {proven}, stored block hash: {stored}."
    )]
    BlockHash {
        /// The proof's block.
        number: u64,
        /// Its hash as the proof has it.
        proven: Felt,
        /// Its hash.
        stored: Felt,
    },
    /// The proof was made for another chain, fee token or version.
    #[error(
        "Virtual OS config hash mismatch. Computed virtual OS config hash: {expected}, expected virtual OS config \
         hash: {proven}."
    )]
    Config {
        /// The hash of this chain's configuration.
        expected: Felt,
        /// What the proof has.
        proven: Felt,
    },
    /// This chain's configuration has no hash: its name is too long, or Starknet never had this version.
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

/// An error of the fee token's own frame, which no frame around it prints: the engine's sentence stands
/// before its traceback.
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

/// Why nothing can be said of a transaction: the host's reader failed, or we are broken. Nothing of it is
/// committed.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum FatalError {
    /// The host's reader failed, or somebody stopped the execution.
    #[error(transparent)]
    Reader(StateError),
    /// The transaction needs more memory than the host allows
    /// ([`BlockExecutor::memory_limit`](crate::block::BlockExecutor::memory_limit)).
    #[error("The transaction needs more memory than is allowed.")]
    OutOfMemory,
    /// A bug of ours, or of the engine.
    #[error("Internal error: {0}")]
    Internal(String),
}

/// How a transaction ends without a receipt.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Rejection {
    /// It is invalid.
    Invalid(Box<InvalidTransaction>),
    /// Nothing can be said of it.
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
