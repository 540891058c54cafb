//! The JSON format of Cairo 0 classes.
//!
//! Input: JSON, or the representation of `starknet_api`. Output: the fields of the file; those that only some
//! readers need stay unparsed. Debug information is skipped. Must not know: the preparation and the hash of a
//! class.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use starknet_api::compression_utils::decode_and_decompress_with_size_limit;
use starknet_api::contract_class::EntryPointType;
use starknet_api::core::EntryPointSelector;
use starknet_api::deprecated_contract_class::{ContractClass as DeprecatedContractClass, Program};
use starknet_types_core::felt::Felt;

use super::entry_point::Cairo0EntryPoint;
use crate::class::entry_point::ByType;
use crate::class::error::{ClassError, ClassInput};
use crate::class::felt_text::{felt_from_hex, is_prime_text, shown};
use crate::class::parts::{MAX_DECOMPRESSED_PROGRAM, Text, felts};

/// The outer fields of the file.
#[derive(Deserialize)]
pub(super) struct ClassFile<'json> {
    /// An object, or a string that holds the compressed object.
    #[serde(borrow)]
    pub(super) program: &'json RawValue,
    #[serde(borrow)]
    pub(super) entry_points_by_type: FileEntryPoints<'json>,
    /// Any JSON: the network does not verify it. `None` if it is missing or null.
    #[serde(borrow, default)]
    pub(super) abi: Option<&'json RawValue>,
}

/// The lists of entry points; a missing list is empty.
#[derive(Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) struct FileEntryPoints<'json> {
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

/// An offset: hexadecimal text before compiler 0.11, a number since.
#[derive(Deserialize)]
#[serde(untagged)]
enum Offset<'json> {
    Number(usize),
    Text(#[serde(borrow)] Cow<'json, str>),
}

/// An unparsed field of a class.
#[derive(Clone, Copy)]
pub(super) enum RawField<'class> {
    Text(&'class RawValue),
    Tree(&'class Value),
}

impl<'class> RawField<'class> {
    /// Parses the field; `field` is its name, for errors.
    pub(super) fn read<T: Deserialize<'class>>(self, field: &str) -> Result<T, ClassError> {
        match self {
            Self::Text(text) => serde_json::from_str(text.get()),
            Self::Tree(tree) => T::deserialize(tree),
        }
        .map_err(|error| shape(field, &error))
    }

    /// Returns the field unless it is null.
    fn unless_null(tree: &'class Value) -> Option<Self> {
        (!tree.is_null()).then_some(Self::Tree(tree))
    }
}

/// Reads the entry points of a file over a bytecode of that many felts.
pub(super) fn entry_points_of_file(
    lists: FileEntryPoints<'_>,
    bytecode_len: usize,
) -> Result<ByType<Cairo0EntryPoint>, ClassError> {
    let FileEntryPoints { constructor, external, l1_handler } = lists;
    ByType { constructor, external, l1_handler }.try_map(|entry_point, place| {
        let selector = EntryPointSelector(felt_from_hex(&entry_point.selector, || place.field("selector"))?);
        let offset = match &entry_point.offset {
            Offset::Number(offset) => *offset,
            Offset::Text(text) => {
                let offset = felt_from_hex(text, || place.field("offset"))?;
                usize::try_from(offset).unwrap_or(usize::MAX) // outside any bytecode
            }
        };
        Cairo0EntryPoint { selector, offset }.checked(place.entry_point_type, bytecode_len)
    })
}

/// Reads the entry points of a class in the representation of `starknet_api`.
pub(super) fn entry_points_of_class(
    class: &DeprecatedContractClass,
    bytecode_len: usize,
) -> Result<ByType<Cairo0EntryPoint>, ClassError> {
    let list = |entry_point_type| -> Vec<_> {
        class.entry_points_by_type.get(&entry_point_type).into_iter().flatten().collect()
    };
    let lists = ByType {
        constructor: list(EntryPointType::Constructor),
        external: list(EntryPointType::External),
        l1_handler: list(EntryPointType::L1Handler),
    };
    lists.try_map(|entry_point, place| {
        let (selector, offset) = (entry_point.selector, entry_point.offset.0);
        Cairo0EntryPoint { selector, offset }.checked(place.entry_point_type, bytecode_len)
    })
}

/// The program of a class, unparsed.
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

/// The program of a class: felts parsed, the prime checked, all other fields unparsed.
pub(super) struct ProgramFile<'class> {
    /// `None` if they are missing or null.
    pub(super) attributes: Option<RawField<'class>>,
    pub(super) builtins: Vec<Text<'class>>,
    /// Present since compiler 0.10.
    pub(super) compiler_version: Option<Cow<'class, str>>,
    pub(super) data: Vec<Felt>,
    /// The hints by pc, in ascending order.
    pub(super) hints: BTreeMap<usize, Vec<RawField<'class>>>,
    pub(super) identifiers: RawField<'class>,
    pub(super) main_scope: Cow<'class, str>,
    pub(super) reference_manager: RawField<'class>,
}

/// Reads the outer fields of a class.
pub(super) fn class_file(json: &[u8]) -> Result<ClassFile<'_>, ClassError> {
    serde_json::from_slice(json).map_err(|error| ClassError::of_json(ClassInput::Cairo0, &error))
}

/// Returns the text of the program, decompressed if necessary.
pub(super) fn program_text(program: &RawValue) -> Result<Cow<'_, str>, ClassError> {
    if !program.get().starts_with('"') {
        return Ok(Cow::Borrowed(program.get()));
    }
    let packed: Text<'_> = RawField::Text(program).read("program")?;
    let text: Box<RawValue> =
        decode_and_decompress_with_size_limit(packed.as_ref(), MAX_DECOMPRESSED_PROGRAM)
            .map_err(|error| ClassError::Compression { field: "program", reason: error.to_string() })?;
    Ok(Cow::Owned(Box::<str>::from(text).into()))
}

impl<'class> ProgramFile<'class> {
    /// Reads a program.
    pub(super) fn of_text(text: &'class str) -> Result<Self, ClassError> {
        let raw: RawProgram<'_> = serde_json::from_str(text).map_err(|error| shape("program", &error))?;
        check_prime(&raw.prime)?;
        let parts = |hints: Vec<&'class RawValue>| hints.into_iter().map(RawField::Text).collect();
        Ok(Self {
            attributes: raw.attributes.map(RawField::Text),
            builtins: raw.builtins,
            compiler_version: raw.compiler_version,
            data: felts("program.data", &raw.data)?,
            hints: raw.hints.into_iter().map(|(pc, hints)| (pc, parts(hints))).collect(),
            identifiers: RawField::Text(raw.identifiers),
            main_scope: raw.main_scope,
            reference_manager: RawField::Text(raw.reference_manager),
        })
    }

    /// Reads a program in the representation of `starknet_api`.
    pub(super) fn of_program(program: &'class Program) -> Result<Self, ClassError> {
        check_prime(RawField::Tree(&program.prime).read::<Text<'_>>("program.prime")?.as_ref())?;
        let data: Vec<Text<'_>> = RawField::Tree(&program.data).read("program.data")?;
        Ok(Self {
            attributes: RawField::unless_null(&program.attributes),
            builtins: RawField::Tree(&program.builtins).read("program.builtins")?,
            compiler_version: RawField::Tree(&program.compiler_version).read("program.compiler_version")?,
            data: felts("program.data", &data)?,
            hints: hints_of(&program.hints)?,
            identifiers: RawField::Tree(&program.identifiers),
            main_scope: RawField::Tree(&program.main_scope).read("program.main_scope")?,
            reference_manager: RawField::Tree(&program.reference_manager),
        })
    }
}

/// Reads the hints by pc.
fn hints_of(tree: &Value) -> Result<BTreeMap<usize, Vec<RawField<'_>>>, ClassError> {
    let wrong = || ClassError::Shape {
        input: ClassInput::Cairo0,
        reason: "program.hints: not an object of lists with numbers as keys".to_owned(),
    };
    let mut by_pc = BTreeMap::new();
    for (pc, hints) in tree.as_object().ok_or_else(wrong)? {
        let hints = hints.as_array().ok_or_else(wrong)?;
        by_pc.insert(pc.parse().map_err(|_| wrong())?, hints.iter().map(RawField::Tree).collect());
    }
    Ok(by_pc)
}

fn check_prime(text: &str) -> Result<(), ClassError> {
    if is_prime_text(text) { Ok(()) } else { Err(ClassError::PrimeMismatch { found: shown(text) }) }
}

fn shape(field: &str, error: &serde_json::Error) -> ClassError {
    ClassError::Shape { input: ClassInput::Cairo0, reason: format!("{field}: {error}") }
}
