//! A Cairo 0 program as the engine takes it.
//!
//! In: the program of a file. Out: the engine's program, the prepared hints and the builtins. Must not know: calls.

use std::collections::HashMap;

use cairo_vm::serde::deserialize_program::{Attribute, HintParams, Identifier, ReferenceManager};
use cairo_vm::types::builtin_name::BuiltinName;
use cairo_vm::types::program::Program;
use cairo_vm::types::relocatable::MaybeRelocatable;

use super::file::{ProgramFile, part};
use super::hint::PreparedHint;
use crate::class::entry_point::{casm_name, from_casm_name};
use crate::class::error::ClassError;
use crate::class::felt_text::shown;
use crate::class::hint_table::HintTable;
use crate::protocol::Builtin;

/// The attributes that the engine prints when code inside them fails.
const ERROR_MESSAGE: &str = "error_message";

/// What a file's program becomes.
pub(super) struct Prepared {
    pub(super) vm_program: Program,
    pub(super) hints: HintTable<PreparedHint>,
    pub(super) unprepared_hint: Option<String>,
    pub(super) builtins: Vec<Builtin>,
}

/// Prepares a program.
pub(super) fn prepare(file: &ProgramFile<'_>) -> Result<Prepared, ClassError> {
    let builtins = file
        .builtins
        .iter()
        .map(|name| {
            from_casm_name(name.as_ref())
                .ok_or_else(|| ClassError::UnknownProgramBuiltin { name: shown(name.as_ref()) })
        })
        .collect::<Result<Vec<_>, _>>()?;
    // Names of functions, types and variables matter to debuggers only; the values of constants to hints.
    let mut identifiers: HashMap<String, Identifier> = part("program.identifiers", file.identifiers)?;
    identifiers.retain(|_, identifier| identifier.type_.as_deref() == Some("const"));
    let mut attributes: Vec<Attribute> = match file.attributes {
        Some(attributes) => part("program.attributes", attributes)?,
        None => Vec::new(),
    };
    attributes.retain(|attribute| attribute.name == ERROR_MESSAGE);
    let references: ReferenceManager = part("program.reference_manager", file.reference_manager)?;
    let vm_program = Program::new(
        builtins.iter().filter_map(|builtin| engine_builtin(*builtin)).collect(),
        file.data.iter().copied().map(MaybeRelocatable::Int).collect(),
        None,
        HashMap::new(),
        references,
        identifiers,
        attributes,
        None,
    )
    .map_err(|error| ClassError::VmProgram { reason: error.to_string() })?;

    let mut unprepared_hint = None;
    let mut lists = Vec::with_capacity(file.hints.len());
    for (pc, hints) in &file.hints {
        let mut list = Vec::with_capacity(hints.len());
        for hint in hints {
            let hint: HintParams = part("program.hints", hint)?;
            let references = &vm_program.shared_program_data.reference_manager;
            match PreparedHint::new(hint, references, &vm_program.constants) {
                Ok(hint) => list.push(hint),
                Err(code) => unprepared_hint = unprepared_hint.or(Some(code)),
            }
        }
        lists.push((*pc, list));
    }
    let mut hints = HintTable::new(lists, file.data.len())?;
    if unprepared_hint.is_some() {
        hints = HintTable::new(Vec::new(), file.data.len())?;
    }
    Ok(Prepared { vm_program, hints, unprepared_hint, builtins })
}

/// The engine's name of a builtin; Blake is an instruction, not a builtin, and no class can name it.
fn engine_builtin(builtin: Builtin) -> Option<BuiltinName> {
    BuiltinName::from_str(casm_name(builtin))
}
