//! The data files of all versions: the oldest one is complete, each later one is a patch of the version
//! before it.
//!
//! Input: the text of `resources/protocol/`, compiled in. Output: one [`Constants`] per version, made once
//! per process. A patch is a JSON merge patch: objects are merged key by key, anything else replaces, `null`
//! removes.

use std::sync::{Arc, OnceLock};

use serde_json::Value;

use super::schema::VersionFile;
use super::{Constants, ProtocolError, ProtocolVersion};

/// The data files, oldest version first. Each is merged over the version before it.
const FILES: [(ProtocolVersion, &str); ProtocolVersion::SUPPORTED.len()] = [
    (ProtocolVersion::V0_13_0, include_str!("../../resources/protocol/0.13.0.json")),
    (ProtocolVersion::V0_13_1, include_str!("../../resources/protocol/0.13.1.json")),
    (ProtocolVersion::V0_13_1_1, include_str!("../../resources/protocol/0.13.1.1.json")),
    (ProtocolVersion::V0_13_2, include_str!("../../resources/protocol/0.13.2.json")),
    (ProtocolVersion::V0_13_2_1, include_str!("../../resources/protocol/0.13.2.1.json")),
    (ProtocolVersion::V0_13_3, include_str!("../../resources/protocol/0.13.3.json")),
    (ProtocolVersion::V0_13_4, include_str!("../../resources/protocol/0.13.4.json")),
    (ProtocolVersion::V0_13_5, include_str!("../../resources/protocol/0.13.5.json")),
    (ProtocolVersion::V0_13_6, include_str!("../../resources/protocol/0.13.6.json")),
    (ProtocolVersion::V0_14_0, include_str!("../../resources/protocol/0.14.0.json")),
    (ProtocolVersion::V0_14_1, include_str!("../../resources/protocol/0.14.1.json")),
    (ProtocolVersion::V0_14_2, include_str!("../../resources/protocol/0.14.2.json")),
    (ProtocolVersion::V0_14_3, include_str!("../../resources/protocol/0.14.3.json")),
    (ProtocolVersion::V0_14_4, include_str!("../../resources/protocol/0.14.4.json")),
];

/// The constants of a supported version.
pub(super) fn constants(version: ProtocolVersion) -> Result<Arc<Constants>, ProtocolError> {
    static LOADED: OnceLock<Result<Vec<Arc<Constants>>, ProtocolError>> = OnceLock::new();
    let loaded = LOADED.get_or_init(|| load(&FILES)).as_ref().map_err(ProtocolError::clone)?;
    let found = loaded.iter().find(|constants| constants.version == version);
    found.cloned().ok_or(ProtocolError::Unsupported(version))
}

/// Reads the files in order, each merged over those before it.
fn load(files: &[(ProtocolVersion, &str)]) -> Result<Vec<Arc<Constants>>, ProtocolError> {
    let mut values = Value::Object(serde_json::Map::new());
    let mut loaded = Vec::with_capacity(files.len());
    for (version, text) in files {
        let constants = (|| {
            let patch: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
            merge_patch(&mut values, patch, "")?;
            let file: VersionFile =
                serde_json::from_value(values.clone()).map_err(|error| error.to_string())?;
            file.into_constants(*version)
        })();
        loaded.push(Arc::new(constants.map_err(|reason| ProtocolError::Data { version: *version, reason })?));
    }
    Ok(loaded)
}

/// Applies a patch. A patch that sets a value to itself is an error: it would obscure the changes of a
/// version.
fn merge_patch(values: &mut Value, patch: Value, path: &str) -> Result<(), String> {
    match (values, patch) {
        (Value::Object(values), Value::Object(changes)) => {
            for (key, change) in changes {
                let path = format!("{path}/{key}");
                match (values.get_mut(&key), change) {
                    (Some(_), Value::Null) => {
                        values.remove(&key);
                    }
                    (None, Value::Null) => return Err(format!("{path} is removed but does not exist")),
                    (Some(value), change) => merge_patch(value, change, &path)?,
                    (None, value) => {
                        values.insert(key, value);
                    }
                }
            }
            Ok(())
        }
        (value, change) if *value == change => Err(format!("{path} is set to its old value")),
        (value, change) => {
            *value = change;
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn merged(values: &str, patch: &str) -> Result<Value, String> {
        let mut values = serde_json::from_str(values).unwrap();
        merge_patch(&mut values, serde_json::from_str(patch).unwrap(), "")?;
        Ok(values)
    }

    /// The error of loading the oldest file with one piece of text replaced, then a patch.
    fn reason(from: &str, to: &str, patch: &str) -> String {
        let (version, text) = FILES[0];
        assert!(text.contains(from));
        let damaged = text.replacen(from, to, 1);
        match load(&[(version, damaged.as_str()), (ProtocolVersion::V0_13_1, patch)]) {
            Err(ProtocolError::Data { reason, .. }) => reason,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn every_file_loads_in_order() {
        let loaded = load(&FILES).unwrap();
        assert!(loaded.iter().map(|constants| constants.version).eq(ProtocolVersion::SUPPORTED));
    }

    #[test]
    fn files_that_change_nothing_are_empty() {
        for pair in load(&FILES).unwrap().windows(2) {
            let text = FILES.iter().find(|(version, _)| *version == pair[1].version).unwrap().1;
            let same = Constants { version: pair[1].version, ..Constants::clone(&pair[0]) } == *pair[1];
            assert_eq!(text.trim() == "{}", same, "{}", pair[1].version);
        }
    }

    #[test]
    fn merge_replaces_adds_and_removes() {
        let values = r#"{"a": {"b": 1, "c": 2}, "d": [1, 2], "e": true}"#;
        let patch = r#"{"a": {"b": null, "f": {"g": 3}}, "d": [2], "e": false}"#;
        let expected: Value =
            serde_json::from_str(r#"{"a": {"c": 2, "f": {"g": 3}}, "d": [2], "e": false}"#).unwrap();
        assert_eq!(merged(values, patch), Ok(expected));
        assert_eq!(merged(values, "{}"), Ok(serde_json::from_str(values).unwrap()));
    }

    #[test]
    fn patches_without_effect_are_errors() {
        assert_eq!(
            merged(r#"{"a": {"b": 1}}"#, r#"{"a": {"b": 1}}"#),
            Err("/a/b is set to its old value".to_owned())
        );
        assert_eq!(merged("{}", r#"{"a": null}"#), Err("/a is removed but does not exist".to_owned()));
    }

    #[test]
    fn damaged_files_are_errors() {
        let none = "{}";
        assert!(reason("\"limits\"", "\"limit\"", none).contains("unknown field `limit`"));
        assert!(reason("\"reverts\": false", "\"reverts\": 0", none).contains("expected a boolean"));
        assert!(reason("\"5/1000\"", "\"5/0\"", none).contains("is not a fraction"));
        assert!(reason("\"100.0.0\"", "\"100.0\"", none).contains("three numbers"));
        assert!(reason("\"DelegateCall\"", "\"DelegateCal\"", none).contains("unknown variant"));
        assert!(reason("\"ec_op\"", "\"ecop\"", none).contains("`ecop` is not a builtin"));
        assert!(reason("\"timestamp_rounding\": 1", "\"timestamp_rounding\": 0", none).contains("nonzero"));
        assert!(reason("\"step\": 100", "\"step\": 18446744073709551615", none).contains("do not fit"));
        assert!(
            reason("\"steps\": 510", "\"steps\": 18446744073709551615", none)
                .contains("price of CallContract")
        );
        assert!(reason("{", "", none).contains("line 2"));
        let shared = r#"{"prices": {"listed_syscalls": null}, "os": {"syscalls": {"Deploy": {"scale": 2}}}}"#;
        assert!(reason("{", "{", shared).contains("cannot share"));
        assert!(reason("{", "{", r#"{"switches": {"trip": true}}"#).contains("unknown field `trip`"));
        assert!(
            reason("{", "{", r#"{"os": {"transactions": {"invoke": {"scale": 0}}}}"#).contains("nonzero")
        );
    }
}
