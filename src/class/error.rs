//! The errors of loading a class.
//!
//! Output: the typed error of this module, which names the fault and its place. Must not know: the loaders.

use std::fmt;

use starknet_api::contract_class::EntryPointType;
use starknet_api::core::EntryPointSelector;
use thiserror::Error;

/// The kind of a class file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ClassInput {
    /// A compiled class, as the Sierra compiler writes it.
    Casm,
    /// A Sierra class, as the Cairo compiler writes it or a node or gateway serves it.
    Sierra,
    /// A Cairo 0 class, as its compiler writes it or a node or gateway serves it.
    Cairo0,
}

impl fmt::Display for ClassInput {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Casm => "CASM class",
            Self::Sierra => "Sierra class",
            Self::Cairo0 => "Cairo 0 class",
        })
    }
}

/// The reason why a class cannot be loaded: the fault and its place.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ClassError {
    /// The text is not JSON, or ends early.
    #[error("{input}: not JSON: {reason}")]
    NotJson {
        /// The kind of the file.
        input: ClassInput,
        /// The message of the JSON parser, with line and column.
        reason: String,
    },
    /// The text is JSON, but a field is missing or has the wrong type.
    #[error("{input}: {reason}")]
    Shape {
        /// The kind of the file.
        input: ClassInput,
        /// The message of the JSON parser: the field or type, with line and column.
        reason: String,
    },
    /// A value that must be a field element is not `0x` and hexadecimal digits.
    #[error("{place}: {value:?} is not a hexadecimal number that begins with 0x")]
    NotHex {
        /// The place, such as `bytecode[17]`.
        place: String,
        /// The text, truncated to 80 characters.
        value: String,
    },
    /// A value that must be a field element is not below the prime.
    #[error("{place}: {value} is not below the prime")]
    FeltOutOfRange {
        /// The place, such as `bytecode[17]`.
        place: String,
        /// The value, truncated to 80 characters.
        value: String,
    },
    /// The class was compiled for another prime field.
    #[error("prime: {found} is not the Starknet prime")]
    PrimeMismatch {
        /// The prime of the class.
        found: String,
    },
    /// An entry point starts outside the bytecode.
    #[error(
        "entry_points_by_type.{}: entry point {:#x}: offset {offset} is outside the bytecode \
         ({bytecode_len} felts)",
        list_name(*entry_point_type), selector.0
    )]
    EntryPointOutsideBytecode {
        /// The type of the entry point.
        entry_point_type: EntryPointType,
        /// The selector of the entry point.
        selector: EntryPointSelector,
        /// The offset of the entry point.
        offset: usize,
        /// The number of felts in the bytecode.
        bytecode_len: usize,
    },
    /// An entry point uses a builtin that does not exist.
    #[error(
        "entry_points_by_type.{}: entry point {:#x}: unknown builtin {name:?}",
        list_name(*entry_point_type), selector.0
    )]
    UnknownBuiltin {
        /// The type of the entry point.
        entry_point_type: EntryPointType,
        /// The selector of the entry point.
        selector: EntryPointSelector,
        /// The unknown name.
        name: String,
    },
    /// The pc of a hint is outside the bytecode.
    #[error("hints: pc {pc} is outside the bytecode ({bytecode_len} felts)")]
    HintOutsideBytecode {
        /// The pc of the hint.
        pc: usize,
        /// The number of felts in the bytecode.
        bytecode_len: usize,
    },
    /// The sum of the segment lengths is not the length of the bytecode.
    #[error("bytecode_segment_lengths: the sum is not the length of the bytecode ({bytecode_len} felts)")]
    SegmentLengths {
        /// The number of felts in the bytecode.
        bytecode_len: usize,
    },
    /// Segments are nested: no compiler writes them, and the protocol has no price for hashing them
    /// ([C210](crate::rules#c210)).
    #[error("bytecode_segment_lengths: segments are nested more than one level deep")]
    NestedSegments,
    /// The hint table is longer than its index type allows.
    #[error("{what}: {length} exceeds the limit of {limit}")]
    TooLong {
        /// The part that is too long.
        what: &'static str,
        /// The length.
        length: usize,
        /// The maximum length.
        limit: usize,
    },
    /// The first felts of the Sierra program are not a version.
    #[error("sierra_program: no Sierra version in its first felts: {reason}")]
    SierraVersion {
        /// The fault in the first felts.
        reason: String,
    },
    /// The program of a Cairo 0 class uses a builtin that does not exist.
    #[error("program.builtins: unknown builtin {name:?}")]
    UnknownProgramBuiltin {
        /// The unknown name.
        name: String,
    },
    /// The compressed program cannot be decompressed.
    #[error("{field}: not a compressed program (base64 of gzip of JSON): {reason}")]
    Compression {
        /// The field of the class.
        field: &'static str,
        /// The message of the step that failed.
        reason: String,
    },
    /// The felts of the Sierra program cannot be decoded.
    #[error("sierra_program: cannot be decoded: {reason}")]
    SierraDecode {
        /// The message of the compiler.
        reason: String,
    },
    /// The Sierra compiler rejected the program.
    #[error("the Sierra compiler rejected the program: {reason}")]
    SierraCompilation {
        /// The message of the compiler.
        reason: String,
    },
    /// The Sierra compiler panicked. The process is unaffected; the class cannot be used.
    #[error("the Sierra compiler panicked: {message}")]
    SierraCompilerPanicked {
        /// The message of the panic.
        message: String,
    },
    /// The thread of the Sierra compiler cannot be started.
    #[error("cannot start the thread of the Sierra compiler: {reason}")]
    SierraCompilerNotStarted {
        /// The message of the operating system.
        reason: String,
    },
    /// cairo-vm rejected the program.
    #[error("cairo-vm rejected the program: {reason}")]
    VmProgram {
        /// The message of cairo-vm.
        reason: String,
    },
}

impl ClassError {
    /// Classifies an error of the JSON parser: text that is not JSON, or JSON of the wrong shape.
    pub(super) fn of_json(input: ClassInput, error: &serde_json::Error) -> Self {
        let reason = error.to_string();
        match error.classify() {
            serde_json::error::Category::Data => Self::Shape { input, reason },
            _ => Self::NotJson { input, reason },
        }
    }
}

/// Returns the name of the list of one type in class files.
pub(super) fn list_name(entry_point_type: EntryPointType) -> &'static str {
    match entry_point_type {
        EntryPointType::Constructor => "CONSTRUCTOR",
        EntryPointType::External => "EXTERNAL",
        EntryPointType::L1Handler => "L1_HANDLER",
    }
}
