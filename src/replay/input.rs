//! Bytes of files, unpacked; and JSON read with the place of what is wrong.
//!
//! In: paths and bytes. Out: bytes and typed values. Must not know: what is in the files.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use serde::de::DeserializeOwned;
use serde_json::error::Category;

use super::error::{FileError, FileFault, InputError};

/// The longest file, in bytes, unpacked. A block with all its classes inline has a hundredth of it; without a limit a small
/// compressed file could claim all memory.
const MAX_BYTES: u64 = 4 << 30;

/// How a zstd file begins.
const ZSTD_MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// Reads a file, plain or compressed with zstd: told apart by how it begins, not by its name.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, InputError> {
    let bytes = File::open(path).and_then(read_limited).map_err(|error| system(&error))?;
    unpack(within_limit(bytes)?)
}

/// Unpacks bytes that begin like a zstd file; others stay as they are.
pub(super) fn unpack(bytes: Vec<u8>) -> Result<Vec<u8>, InputError> {
    if !bytes.starts_with(&ZSTD_MAGIC) {
        return Ok(bytes);
    }
    let unpacked = zstd::Decoder::new(bytes.as_slice())
        .and_then(read_limited)
        .map_err(|error| InputError::Compression { reason: error.to_string() })?;
    within_limit(unpacked)
}

/// Reads one byte more than allowed, at most.
fn read_limited(from: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(MAX_BYTES.saturating_add(1)).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn within_limit(bytes: Vec<u8>) -> Result<Vec<u8>, InputError> {
    if u64::try_from(bytes.len()).is_ok_and(|length| length <= MAX_BYTES) {
        Ok(bytes)
    } else {
        Err(InputError::TooLong { limit: MAX_BYTES })
    }
}

fn system(error: &io::Error) -> InputError {
    InputError::System { reason: error.to_string() }
}

/// Reads JSON; an error names the path to the value that it is about.
pub(super) fn from_json<T: DeserializeOwned>(json: &[u8]) -> Result<T, FileError> {
    let mut reader = serde_json::Deserializer::from_slice(json);
    let value = serde_path_to_error::deserialize(&mut reader)
        .map_err(|error| fault(error.path().to_string(), error.inner()))?;
    reader.end().map_err(|error| fault(".".to_owned(), &error))?;
    Ok(value)
}

fn fault(path: String, error: &serde_json::Error) -> FileError {
    let (line, column) = (error.line(), error.column());
    let text = error.to_string();
    let reason = text.strip_suffix(&format!(" at line {line} column {column}")).unwrap_or(&text).to_owned();
    let fault = match error.classify() {
        Category::Eof => FileFault::CutOff { path, line, column },
        Category::Data => FileFault::Value { path, line, column, reason },
        Category::Syntax | Category::Io => FileFault::NotJson { line, column, reason },
    };
    fault.into()
}
