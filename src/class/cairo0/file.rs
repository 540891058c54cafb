//! The parts of a Cairo 0 class.
//!
//! In: JSON, or what `starknet_api` makes of it. Out: the parts of the file, those that only some readers need left in the form
//! that they came in. Debug information is passed over without being read. Must not know: how a class is prepared or hashed.

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

/// A part of a class in the form that it came in.
#[derive(Clone, Copy)]
pub(super) enum Part<'class> {
    Text(&'class RawValue),
    Tree(&'class Value),
}

impl<'class> Part<'class> {
    /// Reads the part; `field` is its name.
    pub(super) fn read<T: Deserialize<'class>>(self, field: &str) -> Result<T, ClassError> {
        match self {
            Self::Text(text) => serde_json::from_str(text.get()),
            Self::Tree(tree) => T::deserialize(tree),
        }
        .map_err(|error| shape(field, &error))
    }

    /// The part, unless it is null.
    fn unless_null(tree: &'class Value) -> Option<Self> {
        (!tree.is_null()).then_some(Self::Tree(tree))
    }
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

impl EntryPointLists {
    /// The entry points of a file over a bytecode of that many felts.
    pub(super) fn of_file(lists: &ByType<'_>, bytecode_len: usize) -> Result<Self, ClassError> {
        let list = |entry_point_type, name: &str, list: &[FileEntryPoint<'_>]| {
            let read = list.iter().enumerate().map(|(index, entry_point)| {
                let place = |field| format!("entry_points_by_type.{name}[{index}].{field}");
                let selector =
                    EntryPointSelector(felt_from_hex(&entry_point.selector, || place("selector"))?);
                let offset = match &entry_point.offset {
                    Offset::Number(offset) => *offset,
                    Offset::Text(text) => {
                        usize::try_from(felt_from_hex(text, || place("offset"))?).unwrap_or(usize::MAX) // outside any bytecode
                    }
                };
                Cairo0EntryPoint { selector, offset }.checked(entry_point_type, bytecode_len)
            });
            read.collect::<Result<Vec<_>, ClassError>>()
        };
        Ok(Self {
            constructor: list(EntryPointType::Constructor, "CONSTRUCTOR", &lists.constructor)?,
            external: list(EntryPointType::External, "EXTERNAL", &lists.external)?,
            l1_handler: list(EntryPointType::L1Handler, "L1_HANDLER", &lists.l1_handler)?,
        })
    }

    /// The same of a class as `starknet_api` holds it.
    pub(super) fn of_class(class: &DeprecatedContractClass, bytecode_len: usize) -> Result<Self, ClassError> {
        let list = |entry_point_type| {
            let list = class.entry_points_by_type.get(&entry_point_type).into_iter().flatten();
            let entry_points = list.map(|entry_point| {
                let (selector, offset) = (entry_point.selector, entry_point.offset.0);
                Cairo0EntryPoint { selector, offset }.checked(entry_point_type, bytecode_len)
            });
            entry_points.collect::<Result<Vec<_>, ClassError>>()
        };
        Ok(Self {
            constructor: list(EntryPointType::Constructor)?,
            external: list(EntryPointType::External)?,
            l1_handler: list(EntryPointType::L1Handler)?,
        })
    }
}

impl Cairo0EntryPoint {
    /// The entry point, which must be inside the bytecode: a class where one is not has no class hash, so it cannot be declared.
    fn checked(self, entry_point_type: EntryPointType, bytecode_len: usize) -> Result<Self, ClassError> {
        let Self { selector, offset } = self;
        if offset < bytecode_len {
            return Ok(self);
        }
        Err(ClassError::EntryPointOutsideBytecode { entry_point_type, selector, offset, bytecode_len })
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

/// The program of a class: felts read, the prime checked, the rest as it came.
pub(super) struct ProgramFile<'class> {
    /// `None` when they are missing or null.
    pub(super) attributes: Option<Part<'class>>,
    pub(super) builtins: Vec<Text<'class>>,
    /// Compilers have written it since 0.10.
    pub(super) compiler_version: Option<Cow<'class, str>>,
    pub(super) data: Vec<Felt>,
    /// By pc, and so in the order of pc.
    pub(super) hints: BTreeMap<usize, Vec<Part<'class>>>,
    pub(super) identifiers: Part<'class>,
    pub(super) main_scope: Cow<'class, str>,
    pub(super) reference_manager: Part<'class>,
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
    let packed: Text<'_> = Part::Text(program).read("program")?;
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
        let parts = |hints: Vec<&'class RawValue>| hints.into_iter().map(Part::Text).collect();
        Ok(Self {
            attributes: raw.attributes.map(Part::Text),
            builtins: raw.builtins,
            compiler_version: raw.compiler_version,
            data: felts("program.data", &raw.data)?,
            hints: raw.hints.into_iter().map(|(pc, hints)| (pc, parts(hints))).collect(),
            identifiers: Part::Text(raw.identifiers),
            main_scope: raw.main_scope,
            reference_manager: Part::Text(raw.reference_manager),
        })
    }

    /// Takes a program as `starknet_api` holds it.
    pub(super) fn of_program(program: &'class Program) -> Result<Self, ClassError> {
        check_prime(Part::Tree(&program.prime).read::<Text<'_>>("program.prime")?.as_ref())?;
        let data: Vec<Text<'_>> = Part::Tree(&program.data).read("program.data")?;
        Ok(Self {
            attributes: Part::unless_null(&program.attributes),
            builtins: Part::Tree(&program.builtins).read("program.builtins")?,
            compiler_version: Part::Tree(&program.compiler_version).read("program.compiler_version")?,
            data: felts("program.data", &data)?,
            hints: hints_of(&program.hints)?,
            identifiers: Part::Tree(&program.identifiers),
            main_scope: Part::Tree(&program.main_scope).read("program.main_scope")?,
            reference_manager: Part::Tree(&program.reference_manager),
        })
    }
}

/// Hints by pc.
fn hints_of(tree: &Value) -> Result<BTreeMap<usize, Vec<Part<'_>>>, ClassError> {
    let wrong = || ClassError::Shape {
        input: ClassInput::Cairo0,
        reason: "program.hints: not lists by numbers".to_owned(),
    };
    let mut by_pc = BTreeMap::new();
    for (pc, hints) in tree.as_object().ok_or_else(wrong)? {
        let hints = hints.as_array().ok_or_else(wrong)?;
        by_pc.insert(pc.parse().map_err(|_| wrong())?, hints.iter().map(Part::Tree).collect());
    }
    Ok(by_pc)
}

fn check_prime(text: &str) -> Result<(), ClassError> {
    if is_prime_text(text) { Ok(()) } else { Err(ClassError::PrimeMismatch { found: shown(text) }) }
}

fn shape(field: &str, error: &serde_json::Error) -> ClassError {
    ClassError::Shape { input: ClassInput::Cairo0, reason: format!("{field}: {error}") }
}
