//! Errors of this module: an unsupported version, damaged data, a number that does not fit.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::ProtocolVersion;

/// The reason why constants are not available or a cost cannot be computed.
#[derive(Clone, Debug, PartialEq, Eq, Error, Serialize, Deserialize)]
#[non_exhaustive]
pub enum ProtocolError {
    /// The text is not a version: three or four numbers below 256, joined by dots.
    #[error("`{0}` is not a Starknet protocol version")]
    NotAVersion(String),
    /// The version is newer than all supported versions, and the policy does not allow newer ones.
    #[error("protocol version {version} is newer than {newest}, the newest supported one")]
    TooNew {
        /// The requested version.
        version: ProtocolVersion,
        /// The newest supported version.
        newest: ProtocolVersion,
    },
    /// This exact version was requested, and it is not in [`ProtocolVersion::SUPPORTED`].
    #[error("protocol version {0} is not supported")]
    Unsupported(ProtocolVersion),
    /// A data file of this crate is damaged. A bug: the crate's tests load every file.
    #[error("the constants of protocol version {version} are damaged: {reason}")]
    Data {
        /// The version whose file is damaged.
        version: ProtocolVersion,
        /// The fault in the file.
        reason: String,
    },
    /// A cost does not fit in 64 bits.
    #[error("{0} does not fit in 64 bits")]
    Overflow(Cow<'static, str>),
}
