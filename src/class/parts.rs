//! The parts of class files that several readers share.
//!
//! Input: strings of a file. Output: felts, and the checked felts and lists of a compiled class. Must not
//! know: file formats.

use std::borrow::Cow;

use cairo_lang_casm::hints::Hint;
use cairo_lang_starknet_classes::NestedIntList;
use serde::Deserialize;
use starknet_types_core::felt::Felt;

use super::entry_point::{ByType, RawEntryPoint};
use super::error::ClassError;
use super::felt_text::felt_from_hex;

/// The maximum size, in bytes, of the decompressed text of a compressed program. A Sierra program of a
/// million felts is smaller; so are Cairo 0 programs, which consist mostly of hints and names.
pub(super) const MAX_DECOMPRESSED_PROGRAM: usize = 64 << 20;

/// The parts of a compiled class that execution needs. Felts are checked, everything else is not.
pub(super) struct CasmParts {
    pub(super) bytecode: Vec<Felt>,
    pub(super) segment_lengths: Option<NestedIntList>,
    pub(super) hints: Vec<(usize, Vec<Hint>)>,
    pub(super) entry_points: ByType<RawEntryPoint>,
}

/// A string that is borrowed from the file unless it has escapes, also inside a list.
#[derive(Deserialize)]
#[serde(transparent)]
pub(super) struct Text<'json>(#[serde(borrow)] Cow<'json, str>);

impl AsRef<str> for Text<'_> {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

/// Reads a list of felts, which must be below the prime.
pub(super) fn felts(field: &str, texts: &[impl AsRef<str>]) -> Result<Vec<Felt>, ClassError> {
    texts
        .iter()
        .enumerate()
        .map(|(index, text)| felt_from_hex(text.as_ref(), || format!("{field}[{index}]")))
        .collect()
}
