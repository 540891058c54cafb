//! What can go wrong on the ground floor: an unsupported version, damaged data, a number that does not fit.

use thiserror::Error;

use super::ProtocolVersion;

/// Why constants could not be had, or a cost not be computed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ProtocolError {
    /// The text is not a version: three or four numbers below 256, joined by dots.
    #[error("`{0}` is not a Starknet protocol version")]
    NotAVersion(String),
    /// The version is newer than every version this crate knows, and the policy does not allow to go on
    /// without it.
    #[error("protocol version {version} is newer than {newest}, the newest supported one")]
    TooNew {
        /// The version asked for.
        version: ProtocolVersion,
        /// The newest supported version.
        newest: ProtocolVersion,
    },
    /// Exactly this version was asked for, and it is not in [`ProtocolVersion::SUPPORTED`].
    #[error("protocol version {0} is not supported")]
    Unsupported(ProtocolVersion),
    /// A data file of this crate is damaged. A bug: the crate's tests load every file.
    #[error("the constants of protocol version {version} are damaged: {reason}")]
    Data {
        /// The version whose file is damaged.
        version: ProtocolVersion,
        /// What is wrong with it.
        reason: String,
    },
    /// A cost does not fit in 64 bits.
    #[error("{0} does not fit in 64 bits")]
    Overflow(&'static str),
}
