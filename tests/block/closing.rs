//! Closing a block: aliases, the compressed state diff, migrations of compiled class hashes, prover reads.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex};
use std::time::Duration;

use crate::fixture::engine::chosen_engine;
use crate::fixture::reader::Watched;
use crate::fixture::{
    ACCOUNT, FEE_TOKEN, SYSCALLS, World, address, block_hash_source, class, felt, selector,
};
use starkiln::block::{BlockExecutor, BlockHashSource, BlockOutcome, Migration, TransactionStatus};
use starkiln::class::{ContractClass, DeclaredClass};
use starkiln::protocol::{ProtocolVersion, well_known};
use starkiln::state::{MemoryState, ReadError, StateDiff, StateKey};
use starkiln::transaction::{ExecutionFlags, Transaction};
use starknet_api::block::BlockNumber;
use starknet_api::core::{ClassHash, CompiledClassHash};
use starknet_api::state::{StorageKey, ThinStateDiff};
use starknet_api::transaction::fields::{Fee, TransactionSignature};
use starknet_api::transaction::{DeclareTransaction, DeclareTransactionV2, TransactionHash};
use starknet_types_core::felt::Felt;

const NEWEST: ProtocolVersion = ProtocolVersion::NEWEST;
/// A version without class migration.
const WITHOUT_MIGRATION: ProtocolVersion = ProtocolVersion::V0_14_2;
const CALLER: u128 = 0xca11;
const FIRST_ALIAS: Felt = Felt::from_hex_unchecked("0x80");

fn world(version: ProtocolVersion) -> World {
    let mut world = World::new(version);
    world.deploy("syscalls", SYSCALLS);
    world.deploy("caller", CALLER);
    world
}

fn write(world: &World, nonce: u64, key: u128) -> Transaction {
    world.call(nonce, SYSCALLS, "storage_write", &[felt(key), felt(u128::from(nonce) + 1)])
}

/// The keys to which the block allocated aliases, in the order of the aliases, and the counter.
fn aliases(diff: &StateDiff) -> (Vec<(Felt, Felt)>, Option<Felt>) {
    let cells = diff.storage.get(&well_known::ALIAS_CONTRACT).cloned().unwrap_or_default();
    let counter = cells.get(&StorageKey::from(0_u128)).copied();
    let mut given: Vec<_> = cells
        .into_iter()
        .filter(|(key, _)| *key != StorageKey::from(0_u128))
        .map(|(key, alias)| (alias, **key))
        .collect();
    given.sort_unstable();
    (given, counter)
}

/// The order is ascending by address; the keys of a contract precede its address.
#[test]
fn c195_aliases_are_given_in_order_and_go_on_in_the_next_block() {
    let mut world = world(NEWEST);
    let first = world.execute(&[write(&world, 0, 0x900), write(&world, 1, 0x90), write(&world, 2, 5)]);
    let (given, counter) = aliases(&first.state_diff);
    let numbers: Vec<_> = given.iter().map(|(alias, _)| *alias).collect();
    let expected: Vec<_> = (0..given.len()).map(|index| FIRST_ALIAS + Felt::from(index)).collect();
    assert_eq!(numbers, expected);
    assert_eq!(counter, Some(FIRST_ALIAS + Felt::from(given.len())));
    // The fee token 0x57 is below 0x80, its two balances are not; key 5 is its own alias.
    let token: Vec<Felt> = first.state_diff.storage[&address(FEE_TOKEN)].keys().map(|key| ***key).collect();
    let keys: Vec<_> = given.iter().map(|(_, key)| *key).collect();
    assert_eq!(keys, [token[0], token[1], felt(ACCOUNT), felt(0x90), felt(0x900), felt(SYSCALLS)]);

    world.state.apply(&first.state_diff, []);
    let second = world.execute(&[write(&world, 3, 0x900), write(&world, 4, 0x91)]);
    let (given, counter) = aliases(&second.state_diff);
    assert_eq!(given, [(FIRST_ALIAS + Felt::from(6), felt(0x91))]);
    assert_eq!(counter, Some(FIRST_ALIAS + Felt::from(7)));
}

#[test]
fn c196_the_counter_is_written_once_without_any_alias() {
    let mut world = world(NEWEST);
    let mut block = (*world.env.block).clone();
    block.number = BlockNumber(5);
    world.env.block = block.into();
    let executor = BlockExecutor::new(world.env.clone(), &world.state)
        .engine(chosen_engine())
        .block_hash_source(BlockHashSource::None);
    let first = executor.execute(&[]).unwrap();
    assert_eq!(aliases(&first.state_diff), (vec![], Some(FIRST_ALIAS)));
    world.state.apply(&first.state_diff, []);
    let second =
        BlockExecutor::new(world.env.clone(), &world.state).engine(chosen_engine()).execute(&[]).unwrap();
    assert!(second.state_diff.is_empty());
    assert_eq!(second.compressed_state_diff, Some(StateDiff::default()));
}

/// A contract of which only the nonce changed has an alias; the keys of contracts up to 0xf have none.
#[test]
fn c197_c202_what_has_an_alias() {
    let world = world(NEWEST);
    let free = ExecutionFlags { charge_fee: false, ..ExecutionFlags::default() };
    let outcome = world.execute(&[world.call(0, SYSCALLS, "nothing", &[]).with_flags(free)]);
    // Opening the block wrote the hash of block 990 to contract 1, at a key above 0x80.
    let hashes = &outcome.state_diff.storage[&well_known::BLOCK_HASH_CONTRACT];
    assert_eq!(hashes.keys().map(|key| ***key).collect::<Vec<_>>(), [felt(990)]);
    assert_eq!(outcome.state_diff.nonces.keys().collect::<Vec<_>>(), [&address(ACCOUNT)]);
    assert_eq!(aliases(&outcome.state_diff).0, [(FIRST_ALIAS, felt(ACCOUNT))]);
    let compressed = outcome.compressed_state_diff.unwrap();
    assert_eq!(compressed.storage[&well_known::BLOCK_HASH_CONTRACT], *hashes);
    assert_eq!(compressed.nonces.keys().map(|address| ***address).collect::<Vec<_>>(), [FIRST_ALIAS]);
}

/// The compressed diff, decompressed with the aliases of the state after the block, equals the diff.
#[test]
fn c199_the_compressed_diff_says_the_same() {
    let mut world = world(NEWEST);
    let deployed = class("upgradable").0;
    world.declare("upgradable");
    let deploy = [deployed.0, Felt::ONE, Felt::ONE, Felt::ZERO, selector("version"), Felt::ZERO];
    let outcome = world.execute(&[
        write(&world, 0, 0x900),
        write(&world, 1, 5),
        world.call(2, CALLER, "deploy_and_call", &deploy),
    ]);
    assert_eq!(outcome.transactions[2].status(), TransactionStatus::Succeeded);
    let diff = &outcome.state_diff;
    assert_eq!(diff.deployed.len(), 1);
    let compressed = outcome.compressed_state_diff.as_ref().unwrap();
    assert_ne!(compressed, diff);

    let names: BTreeMap<Felt, Felt> = aliases(diff).0.into_iter().collect();
    let back = |alias: Felt| names.get(&alias).copied().unwrap_or(alias);
    let mut restored = StateDiff { declared: compressed.declared.clone(), ..StateDiff::default() };
    for (contract, cells) in &compressed.storage {
        let original = address_of(back(***contract));
        let is_plain = ***contract <= felt(0xf);
        let cells = cells.iter().map(|(key, value)| {
            let key = if is_plain { *key } else { StorageKey::try_from(back(***key)).unwrap() };
            (key, *value)
        });
        restored.storage.entry(original).or_default().extend(cells);
    }
    restored
        .nonces
        .extend(compressed.nonces.iter().map(|(contract, nonce)| (address_of(back(***contract)), *nonce)));
    restored
        .deployed
        .extend(compressed.deployed.iter().map(|(contract, class)| (address_of(back(***contract)), *class)));
    assert_eq!(restored, *diff);
}

fn address_of(value: Felt) -> starknet_api::core::ContractAddress {
    value.try_into().unwrap()
}

#[test]
fn c195_versions_before_stateful_compression_give_no_alias() {
    let world = world(ProtocolVersion::V0_13_3);
    let outcome = world.execute(&[write(&world, 0, 0x900)]);
    assert_eq!(outcome.transactions[0].status(), TransactionStatus::Succeeded);
    assert!(!outcome.state_diff.storage.contains_key(&well_known::ALIAS_CONTRACT));
    assert_eq!(outcome.compressed_state_diff, None);
}

fn hashes(name: &str) -> (ClassHash, CompiledClassHash, CompiledClassHash) {
    let (class_hash, class) = class(name);
    let ContractClass::Cairo1(class) = class else { panic!() };
    (class_hash, class.compiled_class_hash_v1(), class.compiled_class_hash_v2())
}

/// A world whose state has compiled class hashes of the classes.
fn migrating_world(version: ProtocolVersion) -> World {
    let mut world = world(version);
    let (syscalls, v1, _) = hashes("syscalls");
    let (caller, caller_v1, _) = hashes("caller");
    let (token, _, token_v2) = hashes("erc20");
    // The account's class has none, like classes that were declared before compiled class hashes existed.
    world.state = std::mem::take(&mut world.state)
        .with_compiled_class_hash(syscalls, v1)
        .with_compiled_class_hash(caller, caller_v1)
        .with_compiled_class_hash(token, token_v2);
    world
}

#[test]
fn c200_a_class_that_runs_moves_to_the_blake_hash_once() {
    let mut world = migrating_world(NEWEST);
    let (syscalls, v1, v2) = hashes("syscalls");
    let outcome = world.execute(&[write(&world, 0, 1), write(&world, 1, 2)]);
    let migrations: Vec<_> =
        outcome.usage.migrations.iter().map(|(class, migration)| (*class, *migration)).collect();
    assert_eq!(migrations, [(syscalls, Migration { from: v1, to: v2 })]);
    assert_eq!(outcome.state_diff.migrated.iter().collect::<Vec<_>>(), [(&syscalls, &v2)]);
    assert_eq!(outcome.compressed_state_diff.as_ref().unwrap().migrated, outcome.state_diff.migrated);
    // No transaction's state diff contains the migration, but the weights do: two felts with the first, none
    // with the second (C203).
    assert!(outcome.transactions.iter().all(|outcome| outcome.state_diff.migrated.is_empty()));
    let size = |version: ProtocolVersion| {
        let world = migrating_world(version);
        let outcome = world.execute(&[write(&world, 0, 1), write(&world, 1, 2)]);
        outcome.transactions.iter().map(|outcome| outcome.weights.state_diff_size).collect::<Vec<_>>()
    };
    let [with, without] = [NEWEST, WITHOUT_MIGRATION].map(size);
    assert_eq!(with, [without[0] + 2, without[1]]);

    world.state.apply(&outcome.state_diff, []);
    let next = world.execute(&[write(&world, 2, 3)]);
    assert!(next.usage.migrations.is_empty() && next.state_diff.migrated.is_empty());
    // `caller` did not run.
    assert_eq!(world.state.compiled_class_hashes[&hashes("caller").0], hashes("caller").1);
}

#[test]
fn c200_nothing_moves_where_migration_is_off() {
    let world = migrating_world(WITHOUT_MIGRATION);
    let outcome = world.execute(&[write(&world, 0, 1)]);
    assert!(outcome.usage.migrations.is_empty() && outcome.state_diff.migrated.is_empty());
    // Hashing the class is paid for, and its compiled class hash is not read.
    assert!(outcome.usage.executed_classes.contains_key(&hashes("syscalls").0));
    assert!(outcome.initial_reads.compiled_class_hashes.is_empty());
}

#[test]
fn c239_weighing_a_transaction_reads_what_migration_asks_for() {
    let reads = |version| {
        let world = migrating_world(version);
        let outcome = world.execute(&[write(&world, 0, 1)]);
        let executed: Vec<_> = outcome.usage.executed_classes.keys().copied().collect();
        assert!(executed.iter().all(|class_hash| outcome.initial_reads.declared[class_hash]));
        (executed, outcome.initial_reads.compiled_class_hashes)
    };
    let (executed, read) = reads(NEWEST);
    assert!(executed.len() > 1 && executed.iter().all(|class_hash| read.contains_key(class_hash)));
    assert_eq!(read[&hashes("syscalls").0], hashes("syscalls").1);
    assert!(reads(WITHOUT_MIGRATION).1.is_empty());
}

#[test]
fn c201_a_class_that_is_declared_and_runs_in_one_block_moves_too() {
    let world = migrating_world(NEWEST);
    let (class_hash, v1, v2) = hashes("upgradable");
    let declare = DeclareTransaction::V2(DeclareTransactionV2 {
        max_fee: Fee(u128::MAX),
        signature: TransactionSignature::default(),
        nonce: Default::default(),
        class_hash,
        compiled_class_hash: v1,
        sender_address: address(ACCOUNT),
    });
    let (_, class) = class("upgradable");
    let class = DeclaredClass { class, sierra_program_length: 1, abi_length: 1 };
    let free = ExecutionFlags { charge_fee: false, ..ExecutionFlags::default() };
    let declare = Transaction::declare(declare, class, TransactionHash(Felt::TWO)).with_flags(free);
    let deploy = [class_hash.0, Felt::ONE, Felt::ONE, Felt::ZERO, selector("version"), Felt::ZERO];
    let outcome = world.execute(&[declare, world.call(1, CALLER, "deploy_and_call", &deploy)]);
    let statuses: Vec<_> = outcome.transactions.iter().map(|outcome| outcome.status()).collect();
    assert_eq!(statuses, [TransactionStatus::Succeeded; 2], "{:?}", outcome.transactions[0].disposition);
    assert_eq!(outcome.transactions[0].state_diff.declared[&class_hash], v1);
    assert_eq!(outcome.state_diff.declared[&class_hash], v2);
    assert_eq!(outcome.declared_classes.keys().collect::<Vec<_>>(), [&class_hash]);
    // The state diff and the classes are all that the next block needs.
    let mut next = world.state.clone();
    next.apply(&outcome.state_diff, outcome.declared_classes.clone());
    assert_eq!(next.classes[&class_hash], outcome.declared_classes[&class_hash]);
    assert_eq!(outcome.usage.migrations[&class_hash], Migration { from: v1, to: v2 });
}

/// A state of the initial reads alone gives the same block again, closing included.
#[test]
fn the_reads_of_closing_are_in_the_witness() {
    let mut world = migrating_world(NEWEST);
    world.state.apply(&world.execute(&[write(&world, 0, 0x900)]).state_diff, []);
    let transactions = [write(&world, 1, 0x900), write(&world, 2, 0x901)];
    let outcome = world.execute(&transactions);
    let witness = MemoryState::from_witness(&outcome.initial_reads, world.state.classes.clone());
    let again = World { env: world.env.clone(), state: witness }.execute(&transactions);
    assert_eq!(again, outcome);
}

/// The reads of closing are prefetched from a slow host on many threads after the last transaction, each key
/// once. The outcome is the same.
#[test]
fn a_far_host_is_asked_for_what_closing_reads_at_once() {
    let world = migrating_world(NEWEST);
    let transactions: Vec<_> = (0..4).map(|nonce| write(&world, nonce, 0x900 + u128::from(nonce))).collect();
    let asked = Mutex::new(Vec::new());
    // The number of concurrent reads while the block is closed, and its maximum.
    let closing = AtomicBool::new(false);
    let (at_once, changed) = (Mutex::new((0, 0)), Condvar::new());
    let before = |cell: StateKey| {
        asked.lock().unwrap().push((cell, closing.load(Ordering::SeqCst)));
        if !closing.load(Ordering::SeqCst) {
            // Slow enough for prefetching.
            std::thread::sleep(Duration::from_millis(1));
            return Ok(());
        }
        let mut counts = at_once.lock().unwrap();
        counts.0 += 1;
        counts.1 = counts.1.max(counts.0);
        changed.notify_all();
        // No read returns before two are in progress: serial reads would time out.
        while counts.1 < 2 {
            let (waited, timeout) = changed.wait_timeout(counts, Duration::from_secs(60)).unwrap();
            counts = waited;
            assert!(!timeout.timed_out(), "one cell after the other");
        }
        counts.0 -= 1;
        Ok::<_, ReadError>(())
    };
    let reader = Watched { state: &world.state, before };
    let executor = BlockExecutor::new(world.env.clone(), &reader)
        .engine(chosen_engine())
        .block_hash_source(block_hash_source())
        .collect_prover_reads()
        .threads(4)
        .unwrap();
    let mut count = 0;
    let (outcome, _) = executor
        .execute_with_stats(&transactions, |_, _| {
            count += 1;
            closing.store(count == transactions.len(), Ordering::SeqCst);
        })
        .unwrap();
    assert_eq!(outcome, world.executor().collect_prover_reads().execute(&transactions).unwrap());
    assert!(at_once.lock().unwrap().1 >= 2);

    let asked = asked.into_inner().unwrap();
    let cells: BTreeSet<StateKey> = asked.iter().map(|(cell, _)| *cell).collect();
    assert_eq!(cells.len(), asked.len(), "a cell is asked for once");
    // Aliases and the prover's leaves, which no transaction reads.
    let late: BTreeSet<StateKey> = asked.iter().filter(|(_, late)| *late).map(|(cell, _)| *cell).collect();
    let alias = StorageKey::try_from(felt(0x900)).unwrap();
    assert!(late.contains(&StateKey::Storage(well_known::ALIAS_CONTRACT, alias)), "{late:?}");
    assert!(late.contains(&StateKey::Nonce(address(SYSCALLS))), "{late:?}");

    // Serial execution reads the same keys.
    let asked = Mutex::new(BTreeSet::new());
    let before = |cell: StateKey| {
        assert!(asked.lock().unwrap().insert(cell), "{cell} is asked for twice");
        Ok::<_, ReadError>(())
    };
    let reader = Watched { state: &world.state, before };
    let executor = BlockExecutor::new(world.env.clone(), &reader)
        .engine(chosen_engine())
        .block_hash_source(block_hash_source())
        .collect_prover_reads();
    assert_eq!(executor.execute(&transactions).unwrap(), outcome);
    assert_eq!(asked.into_inner().unwrap(), cells);
}

#[test]
fn what_a_prover_reads_is_collected_on_request() {
    let world = migrating_world(NEWEST);
    let transactions = [write(&world, 0, 0x900)];
    assert_eq!(world.execute(&transactions).prover_reads, None);
    let outcome = world.executor().collect_prover_reads().execute(&transactions).unwrap();
    let reads = outcome.prover_reads.unwrap();
    assert!(reads.declared.is_empty());
    assert_eq!(reads.storage, outcome.initial_reads.storage);
    for contract in
        [address(1), well_known::ALIAS_CONTRACT, address(FEE_TOKEN), address(ACCOUNT), address(SYSCALLS)]
    {
        assert!(
            reads.nonces.contains_key(&contract) && reads.class_hashes.contains_key(&contract),
            "{contract:?}"
        );
    }
    let ran = [hashes("syscalls").0, hashes("erc20").0, hashes("account_open").0];
    assert!(ran.iter().all(|class| reads.compiled_class_hashes.contains_key(class)));
}

#[test]
fn a_block_without_finalization_is_its_transactions_only() {
    let world = migrating_world(NEWEST);
    let transactions = [write(&world, 0, 0x900)];
    let closed = world.executor().execute(&transactions).unwrap();
    let open = world.executor().skip_finalization().execute(&transactions).unwrap();
    let results = |outcome: &BlockOutcome| {
        let transactions = outcome.transactions.iter();
        transactions
            .map(|outcome| (outcome.disposition.clone(), outcome.state_diff.clone()))
            .collect::<Vec<_>>()
    };
    assert_eq!(results(&open), results(&closed));
    // Without finalization, migrations have no weight, and compiled class hashes are not read.
    assert!(open.usage.migrations.is_empty());
    assert_eq!(open.usage.executed_classes, closed.usage.executed_classes);
    assert!(open.initial_reads.compiled_class_hashes.is_empty());
    assert_eq!(open.compressed_state_diff, None);
    assert!(open.state_diff.migrated.is_empty());
    assert!(!open.state_diff.storage.contains_key(&well_known::ALIAS_CONTRACT));
    assert!(open.initial_reads.storage.keys().all(|(contract, _)| *contract != well_known::ALIAS_CONTRACT));
}

/// The outcome has the inputs of the block hash in `starknet_api`'s types.
#[test]
fn a_block_builder_can_hash_the_block() {
    let world = migrating_world(NEWEST);
    let outcome: BlockOutcome =
        world.execute(&[write(&world, 0, 0x900), world.call(1, SYSCALLS, "panic_text", &[felt(5)])]);
    let diff = ThinStateDiff::from(&outcome.state_diff);
    assert_eq!(diff.storage_diffs, outcome.state_diff.storage);
    assert_eq!(diff.class_hash_to_compiled_class_hash, outcome.state_diff.migrated);
    assert_eq!(diff.nonces, outcome.state_diff.nonces);
    for transaction in &outcome.transactions {
        let execution = transaction.execution().unwrap();
        let output = execution.output_for_hash().unwrap();
        assert_eq!((output.actual_fee, output.gas_consumed), (execution.receipt.fee, execution.receipt.gas));
        assert_eq!(output.events.len(), execution.events().len());
        assert_eq!(format!("{:?}", output.execution_status).starts_with("Reverted"), execution.is_reverted());
    }
}
