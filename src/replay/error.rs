//! What can be wrong with a block file: which file, where in it, what.
//!
//! In: the faults of reading and loading. Out: [`FileError`], typed, and as one sentence or two for people. Must not know: how
//! files are read.

use std::fmt;
use std::path::{Path, PathBuf};

use starknet_api::core::{ClassHash, CompiledClassHash};
use starknet_api::transaction::TransactionHash;
use thiserror::Error;

use crate::class::ClassError;
use crate::protocol::{ProtocolError, ProtocolVersion};

/// Why a block file cannot be read, loaded or written.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{}: {fault}", FileName(.file.as_deref()))]
pub struct FileError {
    /// The block file; `None` when it was read from memory.
    pub file: Option<PathBuf>,
    /// What is wrong.
    pub fault: Box<FileFault>,
}

impl FileError {
    /// The same error, of this file.
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

/// What is wrong with a block file, and where in it.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum FileFault {
    /// The file cannot be read or unpacked.
    #[error("cannot be read: {0}")]
    Unreadable(#[from] InputError),
    /// The file cannot be written.
    #[error("cannot be written: {reason}")]
    Unwritable {
        /// The operating system's text.
        reason: String,
    },
    /// The text ends in the middle.
    #[error("the file is cut off: it ends at line {line}, column {column}, in `{path}`")]
    CutOff {
        /// Where in the JSON, such as `transactions[3].calldata`.
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
        /// The JSON reader's text.
        reason: String,
    },
    /// A value is missing, unknown, of another type or out of its range.
    #[error("`{path}` (line {line}, column {column}): {reason}")]
    Value {
        /// Where in the JSON, such as `transactions[3].calldata[0]`.
        path: String,
        /// The line that it ends in, from 1.
        line: usize,
        /// The column that it ends in, from 1.
        column: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// The format has another version.
    #[error("`format`: {0} is not known; this crate reads format {format}", format = super::BlockFile::FORMAT)]
    Format(u32),
    /// There are no constants for the protocol version.
    #[error("`protocol_version`: {error}. Supported: {}", Supported)]
    ProtocolVersion {
        /// The version.
        version: ProtocolVersion,
        /// Why there are none.
        error: ProtocolError,
    },
    /// A class cannot be used.
    #[error("class {:#x}{}: {fault}", .class_hash.0, In(.file.as_deref()))]
    Class {
        /// Its key in `classes`.
        class_hash: ClassHash,
        /// The file it is in; `None` when it is in the block file.
        file: Option<PathBuf>,
        /// What is wrong with it.
        fault: ClassFault,
    },
    /// The state declares a class that is not among the file's classes.
    #[error("`state.declared`: class {:#x} is not in `classes`", .0.0)]
    DeclaredClassMissing(ClassHash),
    /// A transaction cannot be executed.
    #[error("`transactions[{index}]` ({:#x}): {fault}", .hash.0)]
    Transaction {
        /// Its place, from 0.
        index: usize,
        /// Its hash.
        hash: TransactionHash,
        /// What is wrong with it.
        fault: TransactionFault,
    },
}

/// Why a file cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum InputError {
    /// The operating system cannot read it.
    #[error("{reason}")]
    System {
        /// Its text.
        reason: String,
    },
    /// It begins like a file of zstd, but is damaged or cut off.
    #[error("zstd: {reason}")]
    Compression {
        /// The text of zstd.
        reason: String,
    },
    /// It is longer than a file may be.
    #[error("it has more than {limit} bytes")]
    TooLong {
        /// How many it may have.
        limit: u64,
    },
}

/// What is wrong with a class.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ClassFault {
    /// Its file cannot be read or unpacked.
    #[error("cannot be read: {0}")]
    Unreadable(#[from] InputError),
    /// It does not decode or compile.
    #[error(transparent)]
    Class(#[from] ClassError),
    /// The Sierra version in the block file is not one.
    #[error("`sierra_version`: {0:?} is not three numbers joined by dots")]
    SierraVersion(String),
    /// The class has another hash.
    #[error("the class hash does not match: the class hashes to {:#x}", .actual.0)]
    Hash {
        /// Its hash.
        actual: ClassHash,
    },
    /// The compiled class has another hash than the state says.
    #[error(
        "the compiled class hash does not match: `state.declared` says {:#x}, the class hashes to {:#x} (v1) and {:#x} (v2)",
        .expected.0, .v1.0, .v2.0
    )]
    CompiledHash {
        /// What the state says.
        expected: CompiledClassHash,
        /// Its hash of the first kind, by Poseidon.
        v1: CompiledClassHash,
        /// Its hash of the second kind, by Blake.
        v2: CompiledClassHash,
    },
}

/// What is wrong with a transaction.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TransactionFault {
    /// It declares a class that is not among the file's classes.
    #[error("the declared class {:#x} is not in `classes`", .0.0)]
    ClassMissing(ClassHash),
    /// It declares a class that is there only compiled: the fee depends on the length of the Sierra program.
    #[error("the declared class {:#x} is in `classes` without its Sierra, which the fee depends on", .0.0)]
    SierraMissing(ClassHash),
    /// The address of the account cannot be computed.
    #[error("the account has no address: {0}")]
    Address(String),
}

/// A block file's name in a sentence.
struct FileName<'a>(Option<&'a Path>);

impl fmt::Display for FileName<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(file) => file.display().fmt(formatter),
            None => formatter.write_str("block file"),
        }
    }
}

/// Where a class is, in a sentence.
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
