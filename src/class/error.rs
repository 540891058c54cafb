//! What can be wrong with a class that is being loaded.
//!
//! In: nothing. Out: the typed error of this room, which names the fault and its place. Must not know: how the loaders work.

use std::fmt;

use starknet_api::contract_class::EntryPointType;
use starknet_api::core::EntryPointSelector;
use thiserror::Error;

/// Which kind of file was being read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ClassInput {
    /// A compiled class, as the Sierra compiler writes it.
    Casm,
    /// A Sierra class, as the Cairo compiler writes it or a node or gateway serves it.
    Sierra,
}

impl fmt::Display for ClassInput {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Casm => "CASM class",
            Self::Sierra => "Sierra class",
        })
    }
}

/// Why a class could not be loaded: what is wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ClassError {
    /// The text is not JSON at all, or stops in the middle.
    #[error("{input}: not JSON: {reason}")]
    NotJson {
        /// What was being read.
        input: ClassInput,
        /// The JSON reader's text, with line and column.
        reason: String,
    },
    /// The text is JSON, but a field is missing or has another type than it should.
    #[error("{input}: {reason}")]
    Shape {
        /// What was being read.
        input: ClassInput,
        /// The JSON reader's text: the field or type, with line and column.
        reason: String,
    },
    /// A value that must be a field element is not `0x` and hexadecimal digits.
    #[error("{place}: {value:?} is not a hexadecimal number that begins with 0x")]
    NotHex {
        /// Where, such as `bytecode[17]`.
        place: String,
        /// The text as found, cut after 80 characters.
        value: String,
    },
    /// A value that must be a field element is not below the prime.
    #[error("{place}: {value} is not below the prime")]
    FeltOutOfRange {
        /// Where, such as `bytecode[17]`.
        place: String,
        /// The value as found, cut after 80 characters.
        value: String,
    },
    /// The class was compiled for another prime field.
    #[error("prime: {found} is not the Starknet prime")]
    PrimeMismatch {
        /// The prime that the class names.
        found: String,
    },
    /// An entry point begins outside the bytecode.
    #[error("{entry_point_type:?} entry point {:#x}: offset {offset} is outside the bytecode of {bytecode_len} felts", selector.0)]
    EntryPointOutsideBytecode {
        /// In which list.
        entry_point_type: EntryPointType,
        /// Its selector.
        selector: EntryPointSelector,
        /// Where it claims to begin.
        offset: usize,
        /// How long the bytecode is.
        bytecode_len: usize,
    },
    /// An entry point asks for a builtin that does not exist.
    #[error("{entry_point_type:?} entry point {:#x}: unknown builtin {name:?}", selector.0)]
    UnknownBuiltin {
        /// In which list.
        entry_point_type: EntryPointType,
        /// Its selector.
        selector: EntryPointSelector,
        /// The name as found.
        name: String,
    },
    /// A hint belongs to no instruction.
    #[error("hints: pc {pc} is outside the bytecode of {bytecode_len} felts")]
    HintOutsideBytecode {
        /// Where the hint claims to be.
        pc: usize,
        /// How long the bytecode is.
        bytecode_len: usize,
    },
    /// The segments do not add up to the bytecode.
    #[error("bytecode_segment_lengths: the segments do not add up to the bytecode of {bytecode_len} felts")]
    SegmentLengths {
        /// How long the bytecode is.
        bytecode_len: usize,
    },
    /// Segments within segments: no compiler makes them, and the protocol has no price for hashing them (C210).
    #[error("bytecode_segment_lengths: segments are nested more than one level deep")]
    NestedSegments,
    /// The bytecode or the hint table is longer than can be addressed.
    #[error("{what}: {length} is more than {limit}")]
    TooLong {
        /// What is too long.
        what: &'static str,
        /// How long it is.
        length: usize,
        /// How long it may be.
        limit: usize,
    },
    /// The first felts of the Sierra program are not a version.
    #[error("sierra_program: no Sierra version in its first felts: {reason}")]
    SierraVersion {
        /// What is there instead.
        reason: String,
    },
    /// The compressed Sierra program could not be unpacked.
    #[error("sierra_program: not a compressed program (base64 of gzip of JSON): {reason}")]
    Compression {
        /// The text of the failing step.
        reason: String,
    },
    /// The felts of the Sierra program do not decode to a program.
    #[error("sierra_program: does not decode: {reason}")]
    SierraDecode {
        /// The compiler's text.
        reason: String,
    },
    /// The Sierra compiler refused the program.
    #[error("Sierra compiler: {reason}")]
    SierraCompilation {
        /// The compiler's text.
        reason: String,
    },
    /// The Sierra compiler panicked. The process is unharmed; the class cannot be used.
    #[error("the Sierra compiler panicked: {message}")]
    SierraCompilerPanicked {
        /// The panic's text.
        message: String,
    },
    /// The Sierra compiler could not be started.
    #[error("no thread for the Sierra compiler: {reason}")]
    SierraCompilerNotStarted {
        /// The operating system's text.
        reason: String,
    },
    /// The VM refused the program.
    #[error("the VM refuses the program: {reason}")]
    VmProgram {
        /// The VM's text.
        reason: String,
    },
}

impl ClassError {
    /// Sorts the JSON reader's error: text that is not JSON, or JSON of another shape.
    pub(super) fn of_json(input: ClassInput, error: &serde_json::Error) -> Self {
        let reason = error.to_string();
        match error.classify() {
            serde_json::error::Category::Data => Self::Shape { input, reason },
            _ => Self::NotJson { input, reason },
        }
    }
}
