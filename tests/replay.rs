//! Block files: round trips, inline classes, readers that fail during execution.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU8, Ordering};

use serde_json::{Value, json};
use starkiln::block::{BlockError, BlockExecutor, BlockOutcome, TransactionStatus};
use starkiln::fee::fee_token_balance_key;
use starkiln::replay::{
    BlockFile, ClassEntry, ClassText, Expected, FileTransaction, FileTransactionBody, LoadedBlock, compare,
};
use starkiln::state::{MemoryState, ReadError, StateDiff, StateError, StateKey};
use starkiln::transaction::FatalError;
use starknet_api::core::{ClassHash, CompiledClassHash, ContractAddress};
use starknet_api::state::StorageKey;
use starknet_api::transaction::TransactionHash;
use starknet_api::transaction::fields::ValidResourceBounds;
use starknet_types_core::felt::Felt;

use crate::fixture::error_chain;
use crate::fixture::reader::Watched;

const TOKEN: u128 = 0x70ce11;

fn blocks() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("resources/blocks")
}

fn transfer() -> BlockFile {
    BlockFile::read(blocks().join("transfer.json")).unwrap()
}

/// The transfer block with a second transfer, to another recipient.
fn two_transfers() -> LoadedBlock {
    let mut file = transfer();
    file.expected = None;
    let mut second = serde_json::to_value(&file.transactions[0]).unwrap();
    second["nonce"] = json!("0x1");
    second["transaction_hash"] = json!("0x2222");
    second["calldata"][4] = json!("0xca21");
    file.transactions.push(serde_json::from_value(second).unwrap());
    file.load(blocks()).unwrap()
}

const WELL: u8 = 0;
const FAILING: u8 = 1;
const PANICKING: u8 = 2;

/// A reader that fails or panics at one cell, while that is switched on.
fn flaky<'a>(
    state: &'a MemoryState,
    at: StateKey,
    mood: &'a AtomicU8,
) -> Watched<&'a MemoryState, impl Fn(StateKey) -> Result<(), ReadError> + 'a> {
    let before = move |cell| match mood.load(Ordering::Relaxed) {
        FAILING if cell == at => Err(ReadError::message("the disk is on fire")),
        PANICKING if cell == at => panic!("the disk has melted"),
        _ => Ok(()),
    };
    Watched { state, before }
}

fn statuses(outcome: &BlockOutcome) -> Vec<TransactionStatus> {
    outcome.transactions.iter().map(starkiln::block::TransactionOutcome::status).collect()
}

#[test]
fn a_reader_that_fails_in_the_middle() {
    let block = two_transfers();
    let token = ContractAddress::from(TOKEN);
    let undisturbed = block.executor().execute(&block.transactions).unwrap();
    assert_eq!(statuses(&undisturbed), [TransactionStatus::Succeeded; 2]);

    let recipient = ContractAddress::from(0xca21_u128);
    let erc20 = block.state.class_hashes[&token];
    let cells = [
        (0, StateKey::Nonce(ContractAddress::from(0xa11ce_u128))),
        (0, StateKey::ClassHash(token)),
        (0, StateKey::Class(erc20)),
        (1, StateKey::Storage(token, fee_token_balance_key(recipient))),
    ];
    for (index, cell) in cells {
        let mood = AtomicU8::new(FAILING);
        let reader = flaky(&block.state, cell, &mood);
        let executor =
            BlockExecutor::new(block.env.clone(), &reader).block_hash_source(block.block_hash_source);
        let mut seen = Vec::new();
        let error = executor
            .execute_with(&block.transactions, |index, outcome| seen.push((index, outcome.clone())))
            .unwrap_err();

        // The error names the transaction, the cell and the cause.
        let BlockError::Transaction { index: failed, hash, failure } = &error else { panic!("{error}") };
        assert_eq!((*failed, *hash), (index, block.transactions[index].hash));
        let expected = StateError::Read { cell, source: ReadError::message("the disk is on fire") };
        assert_eq!(**failure, FatalError::Reader(expected));
        assert_eq!(
            error_chain(&error),
            format!(
                "cannot execute transaction {index} ({:#066x}): cannot read the {cell}: the disk is on fire",
                hash.0
            )
        );
        // Earlier transactions were reported.
        let before: Vec<_> = undisturbed.transactions.iter().take(index).cloned().enumerate().collect();
        assert_eq!(seen, before);
        // A panic of the reader is reported like an error.
        mood.store(PANICKING, Ordering::Relaxed);
        let error = executor.execute(&block.transactions).unwrap_err();
        let expected = FatalError::Internal("the disk has melted".to_owned());
        assert_eq!(error, BlockError::Transaction { index, hash: *hash, failure: expected.into() });
        // The executor remains usable.
        mood.store(WELL, Ordering::Relaxed);
        assert_eq!(executor.execute(&block.transactions).unwrap(), undisturbed);
    }
}

#[test]
fn a_reader_that_fails_while_the_fee_is_transferred() {
    // The sequencer's balance is read only by the fee transfer.
    let block = two_transfers();
    let sequencer = fee_token_balance_key(block.env.block.sequencer);
    let cell = StateKey::Storage(ContractAddress::from(TOKEN), sequencer);
    let mood = AtomicU8::new(FAILING);
    let reader = flaky(&block.state, cell, &mood);
    let executor = BlockExecutor::new(block.env.clone(), &reader);
    let BlockError::Transaction { index: 0, failure, .. } =
        executor.execute(&block.transactions).unwrap_err()
    else {
        panic!()
    };
    assert!(matches!(*failure, FatalError::Reader(StateError::Read { cell: failed, .. }) if failed == cell));
}

#[test]
fn what_is_written_is_read() {
    let file = transfer();
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    for name in ["replay-written.json", "replay-written.json.zst"] {
        let path = folder.join(name);
        file.write(&path).unwrap();
        assert_eq!(BlockFile::read(&path).unwrap(), file);
        assert_eq!(BlockFile::from_slice(&std::fs::read(&path).unwrap()).unwrap(), file);
    }
    let is_packed = |name| std::fs::read(folder.join(name)).unwrap().starts_with(&[0x28, 0xb5, 0x2f, 0xfd]);
    assert!(!is_packed("replay-written.json") && is_packed("replay-written.json.zst"));
}

/// The class hash depends on the order of keys in the ABI: a class that is parsed into a tree of values has
/// another hash.
#[test]
fn classes_may_be_inline() {
    let mut file = transfer();
    let read = |path: &str| ClassText::Inline(std::fs::read_to_string(blocks().join(path)).unwrap());
    for (index, entry) in file.classes.values_mut().enumerate() {
        let ClassEntry::Sierra(ClassText::File(path)) = &entry else { panic!() };
        let path = path.to_str().unwrap();
        let sierra = read(path);
        *entry = if index == 0 {
            ClassEntry::Sierra(sierra)
        } else {
            let casm = read(&path.replace("sierra", "casm"));
            ClassEntry::Casm { casm, sierra_version: "1.7.0".to_owned(), sierra: Some(sierra) }
        };
    }
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("replay-inline.json.zst");
    file.write(&path).unwrap();
    let block = LoadedBlock::read(&path).unwrap();
    let outcome = block.executor().execute(&block.transactions).unwrap();
    assert_eq!(compare(block.expected.as_ref().unwrap(), &outcome), []);
}

fn transaction(value: Value) -> FileTransaction {
    serde_json::from_value(value).unwrap()
}

#[test]
fn transactions_of_all_kinds() {
    let bounds = json!({"l1_gas": {"max_amount": 5, "max_price_per_unit": "7"},
        "l2_gas": {"max_amount": "0x0", "max_price_per_unit": "0x0"}});
    let all = json!({"l1_gas": {"max_amount": 1, "max_price_per_unit": 2},
        "l2_gas": {"max_amount": 3, "max_price_per_unit": "340282366920938463463374607431768211455"},
        "l1_data_gas": {"max_amount": 5, "max_price_per_unit": 6}});
    let invoke = transaction(json!({"type": "INVOKE", "version": "0x100000000000000000000000000000003",
        "transaction_hash": "0x1", "sender_address": "0x2", "calldata": ["0x3"], "nonce": "0x4",
        "resource_bounds": bounds, "charge_fee": false, "fee_data_availability_mode": "L2"}));
    assert!(invoke.flags.query && invoke.flags.validate && !invoke.flags.charge_fee);
    let FileTransactionBody::Invoke(body) = &invoke.body else { panic!() };
    assert!(matches!(body.resource_bounds(), ValidResourceBounds::L1Gas(l1) if l1.max_price_per_unit.0 == 7));
    let declare = transaction(json!({"type": "DECLARE", "version": "0x3", "transaction_hash": "0x1",
        "sender_address": "0x2", "class_hash": "0x3", "compiled_class_hash": "0x4", "nonce": "0x5",
        "resource_bounds": all, "tip": "0x9", "signature": ["0x1", "0x2"]}));
    let FileTransactionBody::Declare(body) = &declare.body else { panic!() };
    let ValidResourceBounds::AllResources(read) = body.resource_bounds() else { panic!() };
    assert_eq!((read.l2_gas.max_price_per_unit.0, body.tip().0), (u128::MAX, 9));
    let declare_v2 = transaction(json!({"type": "DECLARE", "version": "0x2", "transaction_hash": "0x1",
        "sender_address": "0x2", "class_hash": "0x3", "compiled_class_hash": "0x4", "nonce": "0x5",
        "max_fee": "0x9", "strict_nonce": false}));
    assert_eq!(declare_v2.declares(), Some(ClassHash(Felt::THREE)));
    let deploy = transaction(json!({"type": "DEPLOY_ACCOUNT", "version": "0x3", "transaction_hash": "0x1",
        "class_hash": "0x3", "contract_address_salt": "0x4", "constructor_calldata": [], "nonce": "0x0",
        "resource_bounds": all, "validate": false}));
    let handler = transaction(json!({"type": "L1_HANDLER", "version": "0x0", "transaction_hash": "0x1",
        "contract_address": "0x2", "entry_point_selector": "0x3", "calldata": ["0x4"], "nonce": "0x5"}));
    assert!(
        matches!(&handler.body, FileTransactionBody::L1Handler { paid_fee_on_l1, .. } if paid_fee_on_l1.0 == 1)
    );
    for transaction in [invoke, declare, declare_v2, deploy, handler] {
        assert_eq!(transaction.hash, TransactionHash(Felt::ONE));
        let text = serde_json::to_string(&transaction).unwrap();
        assert_eq!(serde_json::from_str::<FileTransaction>(&text).unwrap(), transaction, "{text}");
    }
}

#[test]
fn every_difference_is_found() {
    let block = transfer().load(blocks()).unwrap();
    let outcome = block.executor().execute(&block.transactions).unwrap();
    let truth = Expected::of(&outcome);
    assert_eq!(compare(&truth, &outcome), []);
    let differences = |change: fn(&mut Expected)| {
        let mut expected = truth.clone();
        change(&mut expected);
        compare(&expected, &outcome).iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    let one = |change: fn(&mut Expected), part: &str| {
        let found = differences(change);
        assert!(found.len() == 1 && found[0].contains(part), "{found:?}");
    };
    one(
        |expected| expected.transactions[0].status = TransactionStatus::Reverted,
        "status: expected reverted",
    );
    one(|expected| expected.transactions[0].fee.0 += 1, "fee");
    one(|expected| expected.transactions[0].gas.l1_gas.0 += 1, "gas: L1 gas");
    one(|expected| expected.transactions[0].gas.l2_gas.0 += 1, "gas: L2 gas");
    one(|expected| expected.transactions[0].data_gas.l1_data_gas.0 += 1, "data gas: L1 data gas");
    one(|expected| expected.transactions[0].calls += 1, "calls: expected 5, got 4");
    one(|expected| expected.transactions[0].events += 1, "events");
    one(|expected| expected.transactions[0].messages += 1, "messages");
    one(
        |expected| expected.transactions[0].reason = Some("because".to_owned()),
        "reason: expected \"because\"",
    );
    one(|expected| expected.transactions.clear(), "number of transactions: expected 0, got 1");
    one(
        |expected| expected.state_diff.as_mut().unwrap().nonces.clear(),
        "nonce 0xa11ce: expected nothing, got 0x1",
    );
    one(
        |expected| {
            let diff = expected.state_diff.as_mut().unwrap();
            diff.storage[&ContractAddress::from(TOKEN)].insert(StorageKey::from(1_u128), Felt::TWO);
        },
        "storage 0x70ce11 0x1: expected 0x2, got nothing",
    );
    let classes: [fn(&mut StateDiff); 5] = [
        |diff| {
            diff.deployed.insert(TOKEN.into(), ClassHash::default());
        },
        |diff| {
            diff.replaced.insert(TOKEN.into(), ClassHash::default());
        },
        |diff| {
            diff.declared.insert(ClassHash::default(), CompiledClassHash::default());
        },
        |diff| {
            diff.migrated.insert(ClassHash::default(), CompiledClassHash::default());
        },
        |diff| {
            diff.deprecated_declared.insert(ClassHash::default());
        },
    ];
    for change in classes {
        let mut expected = truth.clone();
        change(expected.state_diff.as_mut().unwrap());
        assert_eq!(compare(&expected, &outcome).len(), 1);
    }
    assert_eq!(differences(|expected| expected.state_diff = None), Vec::<String>::new());
}
