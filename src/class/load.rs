//! The JSON formats of Sierra classes and compiled classes.
//!
//! Input: bytes. Output: the parts of a compiled class, or a Sierra class. Fields that execution does not
//! need (debug info, Pythonic hints, compiler version) are skipped. Must not know: files, networks, the
//! preparation of a class.

use std::borrow::Cow;
use std::fmt;

use cairo_lang_casm::hints::Hint;
use cairo_lang_starknet_classes::NestedIntList;
use serde::Deserialize;
use serde::de::{Deserializer, Error, SeqAccess, Visitor};
use starknet_api::compression_utils::decode_and_decompress_with_size_limit;
use starknet_api::core::EntryPointSelector;
use starknet_api::rpc_transaction::EntryPointByType;
use starknet_api::state::{EntryPoint as SierraEntryPoint, FunctionIndex, SierraContractClass};
use starknet_types_core::felt::Felt;

use super::abi_text::AbiText;
use super::entry_point::{ByType, RawEntryPoint};
use super::error::{ClassError, ClassInput};
use super::felt_text::{felt_from_hex, is_prime_text, shown};
use super::parts::{CasmParts, MAX_DECOMPRESSED_PROGRAM, Text, felts};

/// Reads a Sierra class in any of the forms in use: as the compiler writes it (the ABI an array, with debug
/// info), as nodes serve it (the ABI a string), and as gateways accept it (the program compressed: base64 of
/// gzip of the JSON array).
///
/// The keys of an ABI array are hashed in the order of the file. JSON that passed through a map with sorted
/// keys, such as `serde_json::Value`, has a different class hash.
pub fn sierra_class_from_json(json: impl AsRef<[u8]>) -> Result<SierraContractClass, ClassError> {
    let file: SierraFile<'_> = serde_json::from_slice(json.as_ref())
        .map_err(|error| ClassError::of_json(ClassInput::Sierra, &error))?;
    let sierra_program = file.sierra_program.felts()?;
    let entry_points = file.entry_points_by_type.try_map(|entry_point, place| {
        Ok(SierraEntryPoint {
            function_idx: FunctionIndex(entry_point.function_idx),
            selector: EntryPointSelector(felt_from_hex(&entry_point.selector, || place.field("selector"))?),
        })
    })?;
    Ok(SierraContractClass {
        sierra_program,
        contract_class_version: file.contract_class_version.into_owned(),
        entry_points_by_type: EntryPointByType {
            constructor: entry_points.constructor,
            external: entry_points.external,
            l1handler: entry_points.l1_handler,
        },
        abi: file.abi.0,
    })
}

/// Reads a compiled class.
pub(super) fn casm_from_json(json: &[u8]) -> Result<CasmParts, ClassError> {
    let file: CasmFile<'_> =
        serde_json::from_slice(json).map_err(|error| ClassError::of_json(ClassInput::Casm, &error))?;
    if !is_prime_text(&file.prime) {
        return Err(ClassError::PrimeMismatch { found: shown(&file.prime) });
    }
    Ok(CasmParts {
        bytecode: felts("bytecode", &file.bytecode)?,
        segment_lengths: file.bytecode_segment_lengths,
        hints: file.hints,
        entry_points: file.entry_points_by_type.try_map(|entry_point, place| {
            Ok(RawEntryPoint {
                selector: felt_from_hex(&entry_point.selector, || place.field("selector"))?,
                offset: entry_point.offset,
                builtins: entry_point.builtins,
            })
        })?,
    })
}

#[derive(Deserialize)]
struct CasmFile<'json> {
    #[serde(borrow)]
    prime: Cow<'json, str>,
    #[serde(borrow)]
    bytecode: Vec<Text<'json>>,
    #[serde(default)]
    bytecode_segment_lengths: Option<NestedIntList>,
    hints: Vec<(usize, Vec<Hint>)>,
    #[serde(borrow)]
    entry_points_by_type: ByType<CasmFileEntryPoint<'json>>,
}

#[derive(Deserialize)]
struct CasmFileEntryPoint<'json> {
    #[serde(borrow)]
    selector: Cow<'json, str>,
    offset: usize,
    builtins: Vec<String>,
}

#[derive(Deserialize)]
struct SierraFile<'json> {
    #[serde(borrow)]
    sierra_program: SierraProgram<'json>,
    #[serde(borrow)]
    contract_class_version: Cow<'json, str>,
    #[serde(borrow)]
    entry_points_by_type: ByType<SierraFileEntryPoint<'json>>,
    #[serde(default)]
    abi: AbiText,
}

#[derive(Deserialize)]
struct SierraFileEntryPoint<'json> {
    #[serde(borrow)]
    selector: Cow<'json, str>,
    function_idx: usize,
}

/// A Sierra program: a list of felts, or the compressed list.
enum SierraProgram<'json> {
    Felts(Vec<Text<'json>>),
    Compressed(String),
}

impl SierraProgram<'_> {
    fn felts(self) -> Result<Vec<Felt>, ClassError> {
        match self {
            Self::Felts(texts) => felts("sierra_program", &texts),
            Self::Compressed(text) => {
                let texts: Vec<String> =
                    decode_and_decompress_with_size_limit(&text, MAX_DECOMPRESSED_PROGRAM).map_err(
                        |error| ClassError::Compression {
                            field: "sierra_program",
                            reason: error.to_string(),
                        },
                    )?;
                felts("sierra_program", &texts)
            }
        }
    }
}

impl<'json, 'de: 'json> Deserialize<'de> for SierraProgram<'json> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = SierraProgram<'de>;
            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a Sierra program: an array of felts or a compressed string")
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(SierraProgram::Compressed(text.to_owned()))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<Self::Value, A::Error> {
                let mut texts = Vec::new();
                while let Some(text) = array.next_element()? {
                    texts.push(text);
                }
                Ok(SierraProgram::Felts(texts))
            }
        }
        deserializer.deserialize_any(Either)
    }
}
