//! The JSON of a Cairo 0 class.
//!
//! In: bytes. Out: the parts of the file, those that only some readers need left as text. Debug information is passed over
//! without being read. Must not know: how a class is prepared or hashed.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;
use starknet_api::compression_utils::decode_and_decompress_with_size_limit;
use starknet_api::contract_class::EntryPointType;
use starknet_api::core::EntryPointSelector;
use starknet_types_core::felt::Felt;

use super::Cairo0EntryPoint;
use crate::class::error::{ClassError, ClassInput};
use crate::class::felt_text::{felt_from_hex, is_prime_text, shown};
use crate::class::load::{MAX_DECOMPRESSED_PROGRAM, Text, felts};

/// The file.
#[derive(Deserialize)]
pub(super) struct ClassFile<'json> {
    /// An object, or a string: the object compressed.
    #[serde(borrow)]
    pub(super) program: &'json RawValue,
    #[serde(borrow)]
    pub(super) entry_points_by_type: ByType<'json>,
    /// Anything: the network does not verify it. `None` when it is missing or null.
    #[serde(borrow, default)]
    pub(super) abi: Option<&'json RawValue>,
}

/// A type that is missing has no entry points.
#[derive(Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) struct ByType<'json> {
    #[serde(borrow, default)]
    constructor: Vec<FileEntryPoint<'json>>,
    #[serde(borrow, default)]
    external: Vec<FileEntryPoint<'json>>,
    #[serde(borrow, default)]
    l1_handler: Vec<FileEntryPoint<'json>>,
}

#[derive(Deserialize)]
struct FileEntryPoint<'json> {
    #[serde(borrow)]
    selector: Cow<'json, str>,
    #[serde(borrow)]
    offset: Offset<'json>,
}

/// Compilers wrote hexadecimal text before 0.11 and a number since.
#[derive(Deserialize)]
#[serde(untagged)]
enum Offset<'json> {
    Number(usize),
    Text(#[serde(borrow)] Cow<'json, str>),
}

/// The entry points of a class by type, each list in the order of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct EntryPointLists {
    pub(super) constructor: Vec<Cairo0EntryPoint>,
    pub(super) external: Vec<Cairo0EntryPoint>,
    pub(super) l1_handler: Vec<Cairo0EntryPoint>,
}

impl EntryPointLists {
    /// The list of one type.
    pub(super) fn of_type(&self, entry_point_type: EntryPointType) -> &[Cairo0EntryPoint] {
        match entry_point_type {
            EntryPointType::Constructor => &self.constructor,
            EntryPointType::External => &self.external,
            EntryPointType::L1Handler => &self.l1_handler,
        }
    }
}

impl ByType<'_> {
    /// The lists, each entry point inside a bytecode of that many felts: a class where one is not has no class hash, so it cannot
    /// be declared.
    pub(super) fn checked(&self, bytecode_len: usize) -> Result<EntryPointLists, ClassError> {
        let list = |entry_point_type, name: &str, list: &[FileEntryPoint<'_>]| {
            list.iter()
                .enumerate()
                .map(|(index, entry_point)| {
                    let place = |field| format!("entry_points_by_type.{name}[{index}].{field}");
                    let selector =
                        EntryPointSelector(felt_from_hex(&entry_point.selector, || place("selector"))?);
                    let offset = match &entry_point.offset {
                        Offset::Number(offset) => *offset,
                        Offset::Text(text) => {
                            usize::try_from(felt_from_hex(text, || place("offset"))?).unwrap_or(usize::MAX) // outside any bytecode
                        }
                    };
                    if offset >= bytecode_len {
                        return Err(ClassError::EntryPointOutsideBytecode {
                            entry_point_type,
                            selector,
                            offset,
                            bytecode_len,
                        });
                    }
                    Ok(Cairo0EntryPoint { selector, offset })
                })
                .collect::<Result<Vec<_>, ClassError>>()
        };
        Ok(EntryPointLists {
            constructor: list(EntryPointType::Constructor, "CONSTRUCTOR", &self.constructor)?,
            external: list(EntryPointType::External, "EXTERNAL", &self.external)?,
            l1_handler: list(EntryPointType::L1Handler, "L1_HANDLER", &self.l1_handler)?,
        })
    }
}

/// The program of a class.
#[derive(Deserialize)]
struct RawProgram<'json> {
    #[serde(borrow, default)]
    attributes: Option<&'json RawValue>,
    #[serde(borrow)]
    builtins: Vec<Text<'json>>,
    #[serde(borrow, default)]
    compiler_version: Option<Cow<'json, str>>,
    #[serde(borrow)]
    data: Vec<Text<'json>>,
    #[serde(borrow)]
    hints: BTreeMap<usize, Vec<&'json RawValue>>,
    #[serde(borrow)]
    identifiers: &'json RawValue,
    #[serde(borrow)]
    main_scope: Cow<'json, str>,
    #[serde(borrow)]
    prime: Cow<'json, str>,
    #[serde(borrow)]
    reference_manager: &'json RawValue,
}

/// The program of a class: felts read, the prime checked, the rest as text.
pub(super) struct ProgramFile<'json> {
    /// `None` when they are missing or null.
    pub(super) attributes: Option<&'json RawValue>,
    pub(super) builtins: Vec<Text<'json>>,
    /// Compilers have written it since 0.10.
    pub(super) compiler_version: Option<Cow<'json, str>>,
    pub(super) data: Vec<Felt>,
    /// By pc, and so in the order of pc.
    pub(super) hints: BTreeMap<usize, Vec<&'json RawValue>>,
    pub(super) identifiers: &'json RawValue,
    pub(super) main_scope: Cow<'json, str>,
    pub(super) reference_manager: &'json RawValue,
}

/// Reads the outer parts of a class.
pub(super) fn class_file(json: &[u8]) -> Result<ClassFile<'_>, ClassError> {
    serde_json::from_slice(json).map_err(|error| ClassError::of_json(ClassInput::Cairo0, &error))
}

/// The program's text, unpacked if it has to be.
pub(super) fn program_text(program: &RawValue) -> Result<Cow<'_, str>, ClassError> {
    if !program.get().starts_with('"') {
        return Ok(Cow::Borrowed(program.get()));
    }
    let packed: Cow<'_, str> = part("program", program)?;
    let text: Box<RawValue> = decode_and_decompress_with_size_limit(&packed, MAX_DECOMPRESSED_PROGRAM)
        .map_err(|error| ClassError::Compression { field: "program", reason: error.to_string() })?;
    Ok(Cow::Owned(Box::<str>::from(text).into()))
}

/// Reads a program.
pub(super) fn program_file(text: &str) -> Result<ProgramFile<'_>, ClassError> {
    let raw: RawProgram<'_> = serde_json::from_str(text).map_err(|error| shape("program", &error))?;
    if !is_prime_text(&raw.prime) {
        return Err(ClassError::PrimeMismatch { found: shown(&raw.prime) });
    }
    Ok(ProgramFile {
        attributes: raw.attributes,
        builtins: raw.builtins,
        compiler_version: raw.compiler_version,
        data: felts("program.data", &raw.data)?,
        hints: raw.hints,
        identifiers: raw.identifiers,
        main_scope: raw.main_scope,
        reference_manager: raw.reference_manager,
    })
}

/// Reads a part that was left as text.
pub(super) fn part<'json, T: Deserialize<'json>>(
    field: &str,
    text: &'json RawValue,
) -> Result<T, ClassError> {
    serde_json::from_str(text.get()).map_err(|error| shape(field, &error))
}

fn shape(field: &str, error: &serde_json::Error) -> ClassError {
    ClassError::Shape { input: ClassInput::Cairo0, reason: format!("{field}: {error}") }
}
