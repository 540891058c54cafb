//! Reading of files, unpacked, and of JSON, with the place of an error.
//!
//! Input: paths and bytes. Output: bytes and typed values. Must not know: the content of the files.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use serde::de::DeserializeOwned;
use serde_json::error::Category;

use super::error::{FileError, FileFault, InputError};

/// The greatest length of a file, in bytes, unpacked: a hundred times that of a block with all classes
/// inline. Without a limit a small compressed file could use all memory.
const MAX_BYTES: u64 = 4 << 30;

/// The first bytes of a zstd file.
const ZSTD_MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// Reads a file, plain or compressed with zstd: its first bytes decide, not its name.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, InputError> {
    let bytes = File::open(path).and_then(read_limited).map_err(|error| system(&error))?;
    unpack(within_limit(bytes)?)
}

/// Unpacks bytes that begin like a zstd file; returns others unchanged.
pub(super) fn unpack(bytes: Vec<u8>) -> Result<Vec<u8>, InputError> {
    if !bytes.starts_with(&ZSTD_MAGIC) {
        return Ok(bytes);
    }
    let unpacked = zstd::Decoder::new(bytes.as_slice())
        .and_then(read_limited)
        .map_err(|error| InputError::Compression { reason: error.to_string() })?;
    within_limit(unpacked)
}

/// Reads at most one byte more than allowed.
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

/// Parses JSON; an error names the path to the value.
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
