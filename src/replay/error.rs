//! The errors of block files, with the file and the place in it.
//!
//! Input: the faults of reading and loading. Output: [`FileError`], typed, with a text of one paragraph. Must
//! not know: how files are read.

use std::fmt;
use std::path::{Path, PathBuf};

use starknet_api::core::{ClassHash, CompiledClassHash};
use starknet_api::transaction::TransactionHash;
use thiserror::Error;

use crate::class::ClassError;
use crate::protocol::{ProtocolError, ProtocolVersion};

/// An error in reading, loading or writing a block file.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{}: {fault}", FileName(.file.as_deref()))]
pub struct FileError {
    /// The block file; `None` when it was read from memory.
    pub file: Option<PathBuf>,
    /// The fault.
    pub fault: Box<FileFault>,
}

impl FileError {
    /// The same error, with the file's path.
    pub(super) fn in_file(self, file: &Path) -> Self {
        Self { file: Some(file.to_owned()), ..self }
    }
}

impl From<InputError> for FileError {
    fn from(error: InputError) -> Self {
        FileFault::from(error).into()
    }
}

impl From<FileFault> for FileError {
    fn from(fault: FileFault) -> Self {
        Self { file: None, fault: Box::new(fault) }
    }
}

/// A fault of a block file, with its place.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum FileFault {
    /// The file cannot be read or unpacked.
    #[error("cannot be read: {0}")]
    Unreadable(#[from] InputError),
    /// The file cannot be written.
    #[error("cannot be written: {reason}")]
    Unwritable {
        /// The text of the operating system.
        reason: String,
    },
    /// The JSON text ends too early.
    #[error("the file is truncated: it ends at line {line}, column {column}, in `{path}`")]
    CutOff {
        /// The path in the JSON, such as `transactions[3].calldata`.
        path: String,
        /// The last line, from 1.
        line: usize,
        /// The last column, from 1.
        column: usize,
    },
    /// The text is not JSON.
    #[error("the file is not JSON: line {line}, column {column}: {reason}")]
    NotJson {
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
        /// The text of the JSON parser.
        reason: String,
    },
    /// A value is missing, unknown, of another type or out of range.
    #[error("`{path}` (line {line}, column {column}): {reason}")]
    Value {
        /// The path in the JSON, such as `transactions[3].calldata[0]`.
        path: String,
        /// The last line of the value, from 1.
        line: usize,
        /// The last column of the value, from 1.
        column: usize,
        /// The fault of the value.
        reason: String,
    },
    /// The version of the format is not supported.
    #[error("`format`: {0} is not supported (supported: {format})", format = super::BlockFile::FORMAT)]
    Format(u32),
    /// There are no constants for the protocol version.
    #[error("`protocol_version`: {error} (supported: {})", Supported)]
    ProtocolVersion {
        /// The version.
        version: ProtocolVersion,
        /// The reason.
        error: ProtocolError,
    },
    /// A class cannot be used.
    #[error("class {:#x}{}: {fault}", .class_hash.0, In(.file.as_deref()))]
    Class {
        /// The key in `classes`.
        class_hash: ClassHash,
        /// The file of the class; `None` if it is inline in the block file.
        file: Option<PathBuf>,
        /// The fault of the class.
        fault: ClassFault,
    },
    /// The state declares a class that is not among the file's classes.
    #[error("`state.declared`: class {:#x} is not in `classes`", .0.0)]
    DeclaredClassMissing(ClassHash),
    /// A transaction cannot be executed.
    #[error("`transactions[{index}]` ({:#x}): {fault}", .hash.0)]
    Transaction {
        /// The index in the block, from 0.
        index: usize,
        /// The transaction hash.
        hash: TransactionHash,
        /// The fault of the transaction.
        fault: TransactionFault,
    },
}

/// An error in reading a file.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum InputError {
    /// The operating system cannot read it.
    #[error("{reason}")]
    System {
        /// The text of the operating system.
        reason: String,
    },
    /// The file begins like a zstd file, but is damaged or truncated.
    #[error("zstd: {reason}")]
    Compression {
        /// The text of zstd.
        reason: String,
    },
    /// The file exceeds the size limit.
    #[error("the file is longer than {limit} bytes")]
    TooLong {
        /// The greatest length in bytes.
        limit: u64,
    },
}

/// A fault of a class in a block file.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ClassFault {
    /// The file of the class cannot be read or unpacked.
    #[error("cannot be read: {0}")]
    Unreadable(#[from] InputError),
    /// The class does not decode or compile.
    #[error(transparent)]
    Class(#[from] ClassError),
    /// The Sierra version in the block file is malformed.
    #[error("`sierra_version`: {0:?} is not three numbers joined by dots")]
    SierraVersion(String),
    /// The class has another hash.
    #[error("the class hash does not match: the class hashes to {:#x}", .actual.0)]
    Hash {
        /// The hash of the class.
        actual: ClassHash,
    },
    /// The hash of the compiled class differs from the one in the state.
    #[error(
        "the compiled class hash does not match: `state.declared` says {:#x}, the class hashes to {:#x} (v1) and {:#x} (v2)",
        .expected.0, .v1.0, .v2.0
    )]
    CompiledHash {
        /// The compiled class hash in the state.
        expected: CompiledClassHash,
        /// The Poseidon hash of the compiled class.
        v1: CompiledClassHash,
        /// The Blake hash of the compiled class.
        v2: CompiledClassHash,
    },
}

/// A fault of a transaction in a block file.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TransactionFault {
    /// The transaction declares a class that is not among the file's classes.
    #[error("the declared class {:#x} is not in `classes`", .0.0)]
    ClassMissing(ClassHash),
    /// The transaction declares a class without its Sierra: the fee depends on the length of the Sierra
    /// program.
    #[error("the declared class {:#x} is in `classes` without its Sierra, which the fee depends on", .0.0)]
    SierraMissing(ClassHash),
    /// The address of the account cannot be computed.
    #[error("the account has no address: {0}")]
    Address(String),
}

/// The name of a block file in an error text.
struct FileName<'a>(Option<&'a Path>);

impl fmt::Display for FileName<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(file) => file.display().fmt(formatter),
            None => formatter.write_str("block file"),
        }
    }
}

/// The file of a class in an error text.
struct In<'a>(Option<&'a Path>);

impl fmt::Display for In<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |file| write!(formatter, " in {}", file.display()))
    }
}

/// The supported protocol versions.
struct Supported;

impl fmt::Display for Supported {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let versions: Vec<_> = ProtocolVersion::SUPPORTED.iter().map(ToString::to_string).collect();
        formatter.write_str(&versions.join(", "))
    }
}
