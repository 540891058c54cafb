//! The program of a Cairo 0 class in the representation of cairo-vm.
//!
//! Input: the program of a file. Output: cairo-vm's program, the prepared hints and the builtins. Must not
//! know: calls.

use std::collections::HashMap;

use cairo_vm::serde::deserialize_program::{Attribute, HintParams, Identifier, ReferenceManager};
use cairo_vm::types::builtin_name::BuiltinName;
use cairo_vm::types::program::Program;
use cairo_vm::types::relocatable::MaybeRelocatable;

use super::file::ProgramFile;
use super::hint::PreparedHint;
use crate::class::entry_point::{casm_name, from_casm_name};
use crate::class::error::ClassError;
use crate::class::felt_text::shown;
use crate::class::hint_table::HintTable;
use crate::protocol::Builtin;

/// The name of the attributes that cairo-vm prints when code inside them fails.
const ERROR_MESSAGE: &str = "error_message";

/// A prepared program.
pub(super) struct PreparedProgram {
    pub(super) vm_program: Program,
    pub(super) hints: HintTable<PreparedHint>,
    pub(super) unprepared_hint: Option<String>,
    pub(super) builtins: Vec<Builtin>,
}

/// Prepares a program.
pub(super) fn prepare(file: &ProgramFile<'_>) -> Result<PreparedProgram, ClassError> {
    let builtins = file
        .builtins
        .iter()
        .map(|name| {
            from_casm_name(name.as_ref())
                .ok_or_else(|| ClassError::UnknownProgramBuiltin { name: shown(name.as_ref()) })
        })
        .collect::<Result<Vec<_>, _>>()?;
    // Hints use the values of constants; all other identifiers are for debuggers only.
    let mut identifiers: HashMap<String, Identifier> = file.identifiers.read("program.identifiers")?;
    identifiers.retain(|_, identifier| identifier.type_.as_deref() == Some("const"));
    let mut attributes: Vec<Attribute> = match file.attributes {
        Some(attributes) => attributes.read("program.attributes")?,
        None => Vec::new(),
    };
    attributes.retain(|attribute| attribute.name == ERROR_MESSAGE);
    let references: ReferenceManager = file.reference_manager.read("program.reference_manager")?;
    let vm_program = Program::new(
        builtins.iter().filter_map(|builtin| vm_builtin(*builtin)).collect(),
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
            let hint: HintParams = hint.read("program.hints")?;
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
    Ok(PreparedProgram { vm_program, hints, unprepared_hint, builtins })
}

/// Returns cairo-vm's name of a builtin. Blake has none: it is an instruction, and no class can name it.
fn vm_builtin(builtin: Builtin) -> Option<BuiltinName> {
    BuiltinName::from_str(casm_name(builtin))
}

#[cfg(test)]
mod tests {
    use super::super::Cairo0Class;
    use super::*;

    fn file(value_of_reference: &str, reference_of_hint: usize) -> String {
        let hint = |code: &str, id: usize| {
            serde_json::json!({"code": code, "accessible_scopes": [], "flow_tracking_data": {
                "ap_tracking": {"group": 0, "offset": 0}, "reference_ids": {"m.x": id}}})
        };
        serde_json::json!({
            "entry_points_by_type": {},
            "program": {
                "attributes": [
                    {"name": "error_message", "value": "no", "start_pc": 0, "end_pc": 1, "accessible_scopes": []},
                    {"name": "other", "value": "", "start_pc": 0, "end_pc": 1, "accessible_scopes": []},
                ],
                "builtins": ["pedersen", "range_check"],
                "data": ["0x208b7fff7fff7ffe", "0x7"],
                "hints": {"0": [hint("first", 0), hint("second", reference_of_hint)], "1": [hint("third", 9)]},
                "identifiers": {
                    "m.C": {"type": "const", "value": 7},
                    "m.f": {"type": "function", "pc": 0, "decorators": []},
                },
                "main_scope": "__main__",
                "prime": "0x800000000000011000000000000000000000000000000000000000000000001",
                "reference_manager": {"references": [
                    {"pc": 0, "value": value_of_reference, "ap_tracking_data": {"group": 0, "offset": 0}}
                ]},
            },
        })
        .to_string()
    }

    /// cairo-vm's own loader gives the same bytecode, builtins, constants, references and error messages.
    #[test]
    fn program_equals_that_of_the_loader_of_cairo_vm() {
        let text = file("[cast(fp + (-3), felt*)]", 0).replace("\"m.x\":9", "\"m.x\":0");
        let class = Cairo0Class::from_json(&text).unwrap();
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        let theirs = Program::from_bytes(value["program"].to_string().as_bytes(), None).unwrap();
        let ours = &class.vm_program;
        assert!(ours.iter_data().eq(theirs.iter_data()));
        assert!(ours.iter_builtins().eq(theirs.iter_builtins()));
        assert_eq!(ours.constants, theirs.constants);
        let (ours, theirs) = (&ours.shared_program_data, &theirs.shared_program_data);
        assert_eq!(ours.reference_manager, theirs.reference_manager);
        let messages = |program: &dyn std::fmt::Debug| {
            let text = format!("{program:?}");
            let start = text.find("error_message_attributes").unwrap();
            text[start..start + text[start..].find(']').unwrap()].to_owned()
        };
        assert_eq!(messages(ours), messages(theirs));
        assert!(ours.hints_collection.hints.is_empty());
        assert_eq!(class.hints.at(0).len(), 2);
        assert_eq!(class.hints.at(0)[1].data.code, "second");
        assert_eq!(class.hints.at(1)[0].data.code, "third");
        assert_eq!(class.unprepared_hint, None);
    }

    #[test]
    fn first_hint_without_its_reference_is_kept() {
        let class = Cairo0Class::from_json(file("[cast(fp + (-3), felt*)]", 1)).unwrap();
        assert_eq!(class.unprepared_hint.as_deref(), Some("second"));
        assert!(class.hints.at(0).is_empty());
    }

    /// References that cairo-vm cannot parse are legal until a hint uses one. Some make its arithmetic
    /// overflow.
    #[test]
    fn loading_does_not_panic_on_any_reference() {
        for value in [
            "",
            "cast",
            "[cast(fp - (-2147483648), felt*)]",
            "cast(ap - (-2147483648), felt)",
            "\\",
            "[[[[",
            "cast((",
            "cast(é, felt)",
        ] {
            match Cairo0Class::from_json(file(value, 0)) {
                Ok(_) | Err(ClassError::VmProgram { .. }) => {}
                Err(other) => panic!("{value}: {other}"),
            }
        }
    }

    #[test]
    fn classes_are_send_and_sync() {
        fn shared<T: Send + Sync + 'static>() {}
        shared::<Cairo0Class>();
    }
}
