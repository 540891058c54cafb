//! The program `starkiln`, run as a process: its output, its errors, its exit codes.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

const ERC20: &str = "0x7a7aa11d0fbb8cfc22c489b991534c359a8c22a42ff18bc244a120663f47856";
const ACCOUNT: &str = "0x5a64ddd283c15cc0888ccbedf75364d91589235ad735344d8b7a6df8437c7fc";
const PRIME: &str = "0x800000000000011000000000000000000000000000000000000000000000001";

fn transfer_path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("resources/blocks/transfer.json")
}

/// The transfer block, with absolute paths, so that it can be written anywhere.
fn transfer() -> Value {
    let mut block: Value = serde_json::from_slice(&std::fs::read(transfer_path()).unwrap()).unwrap();
    for class in block["classes"].as_object_mut().unwrap().values_mut() {
        let file = transfer_path().parent().unwrap().join(class["sierra_file"].as_str().unwrap());
        class["sierra_file"] = json!(file);
    }
    block
}

/// A path for a file of a test.
fn scratch(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("cli-{name}"))
}

fn write(name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
    let path = scratch(name);
    std::fs::write(&path, bytes).unwrap();
    path
}

fn command(file: &Path, options: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_starkiln"));
    command.arg("run").arg(file).args(options);
    command
}

fn run(file: &Path, options: &[&str]) -> Output {
    command(file, options).output().unwrap()
}

/// Runs a file that must be executed; returns the standard output.
fn printed(file: &Path, options: &[&str], code: i32) -> String {
    let output = run(file, options);
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(code), "{errors}");
    assert_eq!(errors, "");
    String::from_utf8(output.stdout).unwrap()
}

/// Runs a file that must be refused: exit code 2, and one paragraph with all `parts` and the file's name.
fn refused(file: &Path, parts: &[&str]) {
    let output = run(file, &[]);
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{errors}");
    assert_eq!(errors.lines().count(), 1, "{errors}");
    assert!(errors.starts_with("error: ") && errors.contains(file.to_str().unwrap()), "{errors}");
    for part in parts {
        assert!(errors.contains(part), "{part:?} is not in {errors}");
    }
}

/// Runs a changed transfer block that must be refused.
fn refused_block(name: &str, change: impl FnOnce(&mut Value), parts: &[&str]) {
    let mut block = transfer();
    change(&mut block);
    refused(&write(name, serde_json::to_vec_pretty(&block).unwrap()), parts);
}

#[test]
fn a_block_is_executed_and_reported() {
    let text = printed(&transfer_path(), &[], 0);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "Block 7 of SN_STARKILN, protocol 0.14.4: 1 transaction, 2 classes");
    let row = lines.iter().find(|line| line.starts_with('0')).unwrap();
    for part in ["0x5f8bac..f931", "INVOKE", "succeeded", " fri "] {
        assert!(row.contains(part), "{row}");
    }
    assert!(text.contains("1 succeeded, 0 reverted, 0 invalid"), "{text}");
    for name in ["first run: ", "second run, classes prepared: "] {
        let run = lines.iter().position(|line| line.starts_with(name)).unwrap();
        assert!(lines[run].ends_with(" transactions per second"), "{text}");
        assert!(lines[run + 1].starts_with("  1 succeeded: ") && !lines[run + 2].starts_with(' '), "{text}");
    }
    assert!(
        text.contains("loading (files, compiling classes): ") && text.contains("first use of classes "),
        "{text}"
    );
    assert_eq!(*lines.last().unwrap(), "expected outcomes hold: 1 transaction and the state diff");
    assert!(!text.contains('\x1b'), "colours without a terminal");

    let quiet = printed(&transfer_path(), &["--quiet"], 0);
    assert!(!quiet.contains("INVOKE") && quiet.contains("1 succeeded"), "{quiet}");
}

#[test]
fn everything_is_written_as_json() {
    let path = scratch("outcome.json");
    printed(&transfer_path(), &["--json", path.to_str().unwrap()], 0);
    let outcome: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    let transaction = &outcome["transactions"][0];
    assert_eq!(transaction["status"], "succeeded");
    assert_eq!(transaction["type"], "INVOKE");
    let execution = &transaction["execution"];
    assert_eq!(execution["events"].as_array().unwrap().len(), 2);
    assert_eq!(execution["execute_call"]["inner_calls"].as_array().unwrap().len(), 1);
    assert!(execution["receipt"]["fee"].is_string());
    assert_eq!(outcome["state_diff"]["nonces"], json!({"0xa11ce": "0x1"}));
    assert_eq!(outcome["initial_reads"]["nonces"]["0xa11ce"], "0x0");

    let nowhere = run(&transfer_path(), &["--json", "/nowhere/at/all.json"]);
    assert_eq!(nowhere.status.code(), Some(2));
    assert!(String::from_utf8(nowhere.stderr).unwrap().contains("/nowhere/at/all.json: cannot be written"));
}

#[test]
fn another_outcome_than_expected_is_reported() {
    let mut block = transfer();
    block["expected"]["transactions"][0]["events"] = json!("0x3");
    block["expected"]["state_diff"]["nonces"]["0xa11ce"] = json!("0x2");
    let text = printed(&write("different.json", block.to_string()), &[], 1);
    for part in [
        "expected outcomes do not hold: 2 differences",
        "transaction 0 (0x5f8bac2ccc3f465c60a20a06d695feb262835f35c750ab879e213eb996cf931): events: expected 3, got 2",
        "state diff: nonce 0xa11ce: expected 0x2, got 0x1",
    ] {
        assert!(text.contains(part), "{text}");
    }
}

#[test]
fn invalid_transactions_are_skipped_or_stop_the_block() {
    let mut block = transfer();
    block.as_object_mut().unwrap().remove("expected");
    let mut early = block["transactions"][0].clone();
    early["nonce"] = json!("0x5");
    block["transactions"].as_array_mut().unwrap().insert(0, early);
    let file = write("invalid.json", block.to_string());
    let text = printed(&file, &[], 0);
    assert!(text.contains("1 succeeded, 0 reverted, 1 invalid"), "{text}");
    assert!(text.contains("Invalid transaction nonce"), "{text}");
    let stopped = printed(&file, &["--stop-on-invalid"], 0);
    assert!(stopped.contains("0 succeeded, 0 reverted, 1 invalid"), "{stopped}");
}

#[test]
fn compressed_files_are_known_by_their_content() {
    let packed = zstd::encode_all(transfer().to_string().as_bytes(), 0).unwrap();
    printed(&write("packed.json", &packed), &[], 0);
    refused(&write("packed-cut-off.zst", &packed[..packed.len() / 2]), &["cannot be read: zstd: "]);
}

#[test]
fn a_closed_pipe_is_no_failure() {
    let mut child =
        command(&transfer_path(), &[]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn help_and_version() {
    let say = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_starkiln")).args(arguments).output().unwrap();
        assert!(output.status.success());
        String::from_utf8(output.stdout).unwrap()
    };
    assert!(say(&["--help"]).contains("Examples:"));
    assert!(say(&["run", "--help"]).contains("--stop-on-invalid"));
    assert_eq!(say(&["--version"]), format!("starkiln {}\n", env!("CARGO_PKG_VERSION")));
    let unknown = Command::new(env!("CARGO_BIN_EXE_starkiln")).arg("fly").output().unwrap();
    assert_eq!(unknown.status.code(), Some(2));
}

#[test]
fn a_truncated_file() {
    let text = std::fs::read_to_string(transfer_path()).unwrap();
    let end = text.find("0x83afd3").unwrap() + 20;
    refused(
        &write("cut-off.json", text.get(..end).unwrap()),
        &["truncated", "line 66", "`transactions[0].calldata[2]`"],
    );
    refused(&write("empty.json", ""), &["truncated"]);
    refused(&write("not-json.json", "To whom it may concern"), &["not JSON"]);
    refused(&write("more.json", format!("{} {{}}", transfer())), &["not JSON", "trailing"]);
}

#[test]
fn a_felt_out_of_range() {
    let calldata = |block: &mut Value| block["transactions"][0]["calldata"][4] = json!(PRIME);
    refused_block("felt-range.json", calldata, &["`transactions[0].calldata[4]`", PRIME, "out of range"]);
    let long = format!("0x1{}", "0".repeat(70));
    let storage = |block: &mut Value| block["state"]["contracts"]["0x70ce11"]["storage"]["0x5"] = json!(long);
    refused_block("felt-long.json", storage, &["`state.contracts.0x70ce11.storage.0x5`", "out of range"]);
    let key = |block: &mut Value| block["state"]["contracts"][PRIME] = json!({});
    refused_block("felt-key.json", key, &["`state.contracts", PRIME, "out of range"]);
    let hex = |block: &mut Value| block["transactions"][0]["nonce"] = json!("12");
    refused_block("felt-hex.json", hex, &["`transactions[0].nonce`", "\"12\"", "begins with 0x"]);
    // Below the prime, but no address.
    let address = format!("0x8{}", "0".repeat(62));
    let sender = |block: &mut Value| block["transactions"][0]["sender_address"] = json!(address);
    refused_block(
        "address.json",
        sender,
        &["`transactions[0].sender_address`", &address, "out of the range"],
    );
    let fee = |block: &mut Value| block["expected"]["transactions"][0]["fee"] = json!(-1);
    refused_block("number.json", fee, &["`expected.transactions[0].fee`", "-1"]);
    let expected = |block: &mut Value| block["expected"]["state_diff"]["nonces"]["0xa11ce"] = json!(PRIME);
    refused_block("felt-diff.json", expected, &["`expected.state_diff.nonces.0xa11ce`", "out of range"]);
}

#[test]
fn missing_unknown_and_duplicate_fields() {
    let missing =
        |block: &mut Value| drop(block["transactions"][0].as_object_mut().unwrap().remove("calldata"));
    refused_block("missing.json", missing, &["`transactions[0]`", "missing field `calldata`"]);
    let unknown = |block: &mut Value| block["chain"]["is_l4"] = json!(true);
    refused_block("unknown.json", unknown, &["`chain", "unknown field `is_l4`"]);
    let foreign = |block: &mut Value| block["transactions"][0]["class_hash"] = json!("0x1");
    refused_block("foreign.json", foreign, &["`class_hash` is not a field of INVOKE transactions"]);
    let text =
        transfer().to_string().replace("\"0xa11ce\":{", "\"0xa11ce\":{\"nonce\":\"0x1\"},\"0x0a11ce\":{");
    refused(&write("twice.json", text), &["`state.contracts`", "duplicate key \"0xa11ce\""]);
    let format = |block: &mut Value| block["format"] = json!(2);
    refused_block("format.json", format, &["`format`: 2 is not supported"]);
}

#[test]
fn a_class_that_does_not_decode() {
    let garbage = write("garbage.sierra.json", "{\"sierra_program\": [\"0x1\",");
    let file = |block: &mut Value| block["classes"][ERC20]["sierra_file"] = json!(garbage);
    refused_block("class-cut.json", file, &[ERC20, garbage.to_str().unwrap(), "not JSON", "EOF"]);
    let casm = json!({"casm": {"prime": PRIME, "bytecode": [PRIME], "hints": [],
        "entry_points_by_type": {"CONSTRUCTOR": [], "EXTERNAL": [], "L1_HANDLER": []}}, "sierra_version": "1.7.0"});
    let inline = |block: &mut Value| block["classes"][ERC20] = casm;
    refused_block("class-casm.json", inline, &[ERC20, "bytecode[0]", "not below the prime"]);
    let neither = |block: &mut Value| block["classes"][ERC20] = json!({});
    refused_block("class-none.json", neither, &["`classes", ERC20, "needs one of"]);
    let version = |block: &mut Value| {
        block["classes"][ERC20] = json!({"casm_file": "x", "sierra_version": "one"});
    };
    refused_block("class-version.json", version, &[ERC20, "\"one\" is not three numbers"]);
}

#[test]
fn a_class_with_another_hash() {
    let swap = |block: &mut Value| {
        let other = block["classes"][ACCOUNT].clone();
        block["classes"][ERC20] = other;
    };
    refused_block("class-hash.json", swap, &[ERC20, "does not match", ACCOUNT]);
    let compiled = |block: &mut Value| {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("resources/contracts/account.casm.json");
        block["classes"][ERC20] = json!({"casm_file": file, "sierra_version": "1.7.0"});
    };
    refused_block("class-compiled.json", compiled, &[ERC20, "compiled class hash does not match"]);
}

#[test]
fn a_missing_class() {
    let file = |block: &mut Value| block["classes"][ERC20]["sierra_file"] = json!("nowhere.json");
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("nowhere.json");
    refused_block("class-file.json", file, &[ERC20, path.to_str().unwrap(), "No such file"]);
    let entry = |block: &mut Value| drop(block["classes"].as_object_mut().unwrap().remove(ERC20));
    refused_block("class-entry.json", entry, &["`state.declared`", ERC20, "not in `classes`"]);
}

#[test]
fn an_unknown_version() {
    let future = |block: &mut Value| block["protocol_version"] = json!("0.15.0");
    refused_block("version.json", future, &["`protocol_version`", "0.15.0", "supported: 0.13.0, 0.13.1"]);
    let between = |block: &mut Value| block["protocol_version"] = json!("0.13.7");
    refused_block("version-between.json", between, &["`protocol_version`", "0.13.7"]);
    let none = |block: &mut Value| block["protocol_version"] = json!("newest");
    refused_block("version-none.json", none, &["`protocol_version`", "newest"]);
}

#[test]
fn a_transaction_of_an_unsupported_kind() {
    let kind = |block: &mut Value| block["transactions"][0]["type"] = json!("DISTRIBUTE");
    refused_block("kind.json", kind, &["`transactions[0]`", "\"DISTRIBUTE\"", "supported: INVOKE"]);
    let version = |block: &mut Value| block["transactions"][0]["version"] = json!("0x2");
    refused_block("kind-version.json", version, &["`transactions[0]`", "INVOKE transactions of version 0x2"]);
    let declare = |block: &mut Value| {
        block["transactions"][0] = json!({"type": "DECLARE", "version": "0x2", "transaction_hash": "0x1",
            "sender_address": "0xa11ce", "class_hash": "0xdec", "compiled_class_hash": "0x1", "nonce": "0x0",
            "max_fee": 5});
    };
    refused_block("declare.json", declare, &["`transactions[0]` (0x1)", "0xdec is not in `classes`"]);
}

#[test]
fn a_file_that_cannot_be_read() {
    refused(&scratch("never-written.json"), &["cannot be read", "No such file"]);
    refused(Path::new(env!("CARGO_TARGET_TMPDIR")), &["cannot be read", "directory"]);
    let number = |block: &mut Value| block["block"]["number"] = json!(12);
    let mut block = transfer();
    number(&mut block);
    let output = run(&write("old-block.json", block.to_string()), &[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8(output.stderr).unwrap().contains("block 12 needs the hash of block 2"));
}
