//! The class hash of a Cairo 0 class.
//!
//! Input: the JSON of a class. Output: its hash, and the length of its ABI. Must not know: the preparation of
//! a class.
//!
//! The hash covers the hash of a text: the complete program without debug information, and the ABI, printed
//! as Python prints JSON with sorted keys. Fields that the first compilers did not write are omitted if they
//! are empty, so that old classes keep their hashes.

use std::fmt::Write;

use serde_json::Value;
use serde_json::value::RawValue;
use starknet_api::abi::abi_utils::starknet_keccak;
use starknet_api::core::ClassHash;
use starknet_types_core::felt::Felt;
use starknet_types_core::hash::{Pedersen, StarkHash};

use super::entry_point::Cairo0EntryPoint;
use super::file::{ProgramFile, RawField, class_file, entry_points_of_file, program_text};
use crate::class::error::ClassError;
use crate::class::felt_text::shown;

/// The version of the hash.
const VERSION: Felt = Felt::ZERO;

/// The prime as Python prints it; reading the file checked that it is this prime.
const PRIME: &str = "0x800000000000011000000000000000000000000000000000000000000000001";

/// The maximum length of a short string.
const SHORT_STRING: usize = 31;

/// Returns the class hash of a Cairo 0 class, from its JSON in any form that
/// [`Cairo0Class::from_json`](super::Cairo0Class::from_json) reads. Expensive: a Pedersen hash over the
/// bytecode.
pub fn cairo0_class_hash(json: impl AsRef<[u8]>) -> Result<ClassHash, ClassError> {
    let file = class_file(json.as_ref())?;
    let text = program_text(file.program)?;
    let program = ProgramFile::of_text(&text)?;
    let entry_points = entry_points_of_file(file.entry_points_by_type, program.data.len())?;
    let list = |entry_points: &[Cairo0EntryPoint]| {
        let felts: Vec<Felt> = entry_points
            .iter()
            .flat_map(|entry_point| [entry_point.selector.0, Felt::from(entry_point.offset)])
            .collect();
        Pedersen::hash_array(&felts)
    };
    let builtins =
        program.builtins.iter().map(|name| short_string(name.as_ref())).collect::<Result<Vec<_>, _>>()?;
    Ok(ClassHash(Pedersen::hash_array(&[
        VERSION,
        list(&entry_points.external),
        list(&entry_points.l1_handler),
        list(&entry_points.constructor),
        Pedersen::hash_array(&builtins),
        starknet_keccak(hinted_text(file.abi, &program)?.as_bytes()),
        Pedersen::hash_array(&program.data),
    ])))
}

/// Returns the length in bytes of the ABI of a Cairo 0 class, printed as Python prints JSON; 0 if there is
/// none. The fee of a declaration depends on it ([C40](crate::rules#c40)).
pub fn cairo0_abi_length(json: impl AsRef<[u8]>) -> Result<u64, ClassError> {
    let Some(abi) = class_file(json.as_ref())?.abi else { return Ok(0) };
    let mut text = PythonJson::default();
    text.field("abi", RawField::Text(abi))?;
    Ok(text.text.len() as u64)
}

fn short_string(name: &str) -> Result<Felt, ClassError> {
    if name.is_ascii() && name.len() <= SHORT_STRING {
        Ok(Felt::from_bytes_be_slice(name.as_bytes()))
    } else {
        Err(ClassError::UnknownProgramBuiltin { name: shown(name) })
    }
}

/// Returns the text that is hashed.
fn hinted_text(abi: Option<&RawValue>, program: &ProgramFile<'_>) -> Result<String, ClassError> {
    let old = program.compiler_version.is_none();
    let mut text = PythonJson::default();
    text.raw("{\"abi\": ");
    match abi {
        Some(abi) => text.field("abi", RawField::Text(abi))?,
        None => text.raw("null"),
    }
    text.raw(", \"program\": {");
    if let Some(attributes) = program.attributes {
        text.attributes(attributes.read("program.attributes")?);
    }
    text.raw("\"builtins\": ");
    text.list(&program.builtins, |text, name| text.string(name.as_ref()));
    if let Some(version) = &program.compiler_version {
        text.raw(", \"compiler_version\": ");
        text.string(version);
    }
    text.raw(", \"data\": ");
    text.list(&program.data, |text, felt| text.string(&format!("{felt:#x}")));
    text.raw(", \"debug_info\": null, \"hints\": {");
    let mut separator = "";
    for (pc, hints) in &program.hints {
        text.raw(separator);
        separator = ", ";
        text.string(&pc.to_string());
        text.raw(": ");
        let hints = hints.iter().map(|hint| hint.read("program.hints")).collect::<Result<Vec<Value>, _>>()?;
        text.value(&Value::Array(hints));
    }
    text.raw("}, \"identifiers\": ");
    text.old_types = old;
    text.field("program.identifiers", program.identifiers)?;
    text.old_types = false;
    text.raw(", \"main_scope\": ");
    text.string(&program.main_scope);
    text.raw(", \"prime\": ");
    text.string(PRIME);
    text.raw(", \"reference_manager\": ");
    text.old_types = old;
    text.field("program.reference_manager", program.reference_manager)?;
    text.raw("}}");
    Ok(text.text)
}

/// A printer of JSON as Python prints it: sorted keys, a space after every comma and colon, ASCII only.
#[derive(Default)]
struct PythonJson {
    text: String,
    /// Print types as compilers before 0.10 did: `(a : felt)` instead of `(a: felt)`. Nodes serve such
    /// classes in both forms.
    old_types: bool,
}

impl PythonJson {
    fn raw(&mut self, text: &str) {
        self.text.push_str(text);
    }

    fn field(&mut self, name: &str, field: RawField<'_>) -> Result<(), ClassError> {
        self.value(&field.read(name)?);
        Ok(())
    }

    /// Prints the attributes, if there are any, without their empty fields.
    fn attributes(&mut self, mut attributes: Vec<Value>) {
        if attributes.is_empty() {
            return;
        }
        for attribute in attributes.iter_mut().filter_map(Value::as_object_mut) {
            if attribute
                .get("accessible_scopes")
                .is_some_and(|scopes| scopes.as_array().is_some_and(Vec::is_empty))
            {
                attribute.remove("accessible_scopes");
            }
            if attribute.get("flow_tracking_data").is_some_and(Value::is_null) {
                attribute.remove("flow_tracking_data");
            }
        }
        self.raw("\"attributes\": ");
        self.value(&Value::Array(attributes));
        self.raw(", ");
    }

    fn list<T>(&mut self, items: &[T], print: impl Fn(&mut Self, &T)) {
        self.text.push('[');
        for (index, item) in items.iter().enumerate() {
            if index > 0 {
                self.raw(", ");
            }
            print(self, item);
        }
        self.text.push(']');
    }

    fn value(&mut self, value: &Value) {
        match value {
            Value::Null => self.raw("null"),
            Value::Bool(value) => self.raw(if *value { "true" } else { "false" }),
            Value::Number(number) => self.raw(&number.to_string()),
            Value::String(text) => self.string(text),
            Value::Array(items) => self.list(items, Self::value),
            Value::Object(fields) => {
                // Sorted here: the map keeps the order of the file if any crate enables serde_json's
                // `preserve_order`.
                let mut fields: Vec<_> = fields.iter().collect();
                fields.sort_unstable_by_key(|(key, _)| *key);
                self.text.push('{');
                for (index, (key, value)) in fields.into_iter().enumerate() {
                    if index > 0 {
                        self.raw(", ");
                    }
                    self.string(key);
                    self.raw(": ");
                    match value {
                        Value::String(text) if self.old_types && (key == "cairo_type" || key == "value") => {
                            self.string(&text.replace(": ", " : ").replace("  :", " :"));
                        }
                        value => self.value(value),
                    }
                }
                self.text.push('}');
            }
        }
    }

    fn string(&mut self, text: &str) {
        self.text.push('"');
        for character in text.chars() {
            match character {
                '"' => self.raw("\\\""),
                '\\' => self.raw("\\\\"),
                '\n' => self.raw("\\n"),
                '\r' => self.raw("\\r"),
                '\t' => self.raw("\\t"),
                '\u{8}' => self.raw("\\b"),
                '\u{c}' => self.raw("\\f"),
                ' '..='~' => self.text.push(character),
                other => {
                    for unit in other.encode_utf16(&mut [0; 2]) {
                        let _ = write!(self.text, "\\u{unit:04x}"); // writing to a string cannot fail
                    }
                }
            }
        }
        self.text.push('"');
    }
}
