//! Determinism: every workload gives the bytes of sequential execution on any number of threads, far more
//! than the machine has.

use std::fmt::Write as _;

use crate::fixture::engine::chosen_engine;
use crate::fixture::reader::Watched;
use crate::fixture::workload::{self, Maker, Workload};
use crate::fixture::{ACCOUNT, FEE_TOKEN, SEQUENCER, World, address, felt, selector};
use starkiln::block::{
    BlockError, BlockExecutor, BlockHashSource, BlockOutcome, Engine, OnInvalid, TransactionOutcome,
    TransactionStatus, WorkerPool,
};
use starkiln::class::DeclaredClass;
use starkiln::fee::fee_token_balance_key;
use starkiln::protocol::ProtocolVersion;
use starkiln::state::{ReadError, StateKey};
use starkiln::transaction::{ExecutionFlags, Transaction};
use starknet_api::block::BlockHash;
use starknet_api::core::{CompiledClassHash, Nonce};
use starknet_api::transaction::fields::{Fee, TransactionSignature};
use starknet_api::transaction::{DeclareTransaction, DeclareTransactionV2, TransactionHash};
use starknet_types_core::felt::Felt;

/// Every observable of a block, as text: the order of maps and sets included.
fn bytes(outcome: &BlockOutcome) -> String {
    let mut text = String::new();
    for transaction in &outcome.transactions {
        writeln!(text, "{} {:?}", transaction.hash.0, transaction.disposition).unwrap();
        writeln!(text, "{}", serde_json::to_string(&transaction.state_diff).unwrap()).unwrap();
        if let Some(execution) = transaction.execution() {
            writeln!(text, "{}", serde_json::to_string(execution).unwrap()).unwrap();
        }
    }
    writeln!(text, "{}", serde_json::to_string(&outcome.state_diff).unwrap()).unwrap();
    writeln!(text, "{}", serde_json::to_string(&outcome.initial_reads).unwrap()).unwrap();
    text
}

fn check(workload: &Workload, threads: impl IntoIterator<Item = usize>) {
    check_on(Engine::default(), workload, threads);
}

fn check_on(engine: Engine, workload: &Workload, threads: impl IntoIterator<Item = usize>) {
    let Workload { name, world, transactions } = workload;
    let executor = || world.executor().engine(engine).keep_reverted_calls();
    let expected = executor().execute(transactions).unwrap();
    let expected_bytes = bytes(&expected);
    for threads in threads {
        let mut seen = 0;
        let (outcome, stats) = executor()
            .threads(threads)
            .unwrap()
            .execute_with_stats(transactions, |index, outcome| {
                assert_eq!((index, outcome), (seen, &expected.transactions[index]), "{name} on {threads}");
                seen += 1;
            })
            .unwrap();
        assert_eq!(seen, transactions.len(), "{name} on {threads}");
        assert!(outcome == expected, "{name} on {threads} threads: another outcome");
        assert_eq!(bytes(&outcome), expected_bytes, "{name} on {threads} threads: other bytes");
        if threads > 1 {
            assert_eq!(stats.commits, transactions.len() as u64);
        }
    }
}

fn all() -> impl Iterator<Item = Maker> {
    workload::TABLE.into_iter().chain([workload::sequencer as Maker])
}

#[test]
fn every_workload_on_any_number_of_threads() {
    for make in all() {
        check(&make(60, 1), [1, 2, 3, 8, 32]);
        check_on(Engine::Fast, &make(60, 2), [1, 2, 4, 32]);
    }
}

/// Fee tokens of every kind: a Cairo 0 contract, one behind a proxy, one measured in steps, and one whose
/// every transfer depends on the balance of the sequencer.
#[test]
fn every_fee_token() {
    for class in ["erc20_steps", "cairo0/erc20", "proxy", "erc20_odd"] {
        let workload = workload::with_fee_token(class, 60);
        check(&workload, [2, 8, 32]);
        let fees = workload.world.execute(&workload.transactions);
        let paid = |outcome: &TransactionOutcome| {
            outcome.execution().is_some_and(|execution| execution.fee_transfer_call.is_some())
        };
        assert!(fees.transactions.iter().filter(|outcome| paid(outcome)).count() > 40, "{class}");
    }
}

/// Fees that are not an amount added to the sequencer's balance: the sequencer pays itself, so its balance
/// is read and written like any other; and transactions without a fee.
#[test]
fn c222_when_the_whole_transfer_is_run() {
    const OTHER: u128 = 0xacd;
    let mut world = World::new(ProtocolVersion::NEWEST);
    let class = world.declare("account_open");
    let token = address(FEE_TOKEN);
    world.state = std::mem::take(&mut world.state)
        .deploy(address(SEQUENCER), class)
        .deploy(address(OTHER), class)
        .with_balance(token, address(SEQUENCER), 1 << 100);
    let pay = |to: u128, amount: u128| {
        vec![Felt::ONE, felt(FEE_TOKEN), selector("transfer"), felt(3), felt(to), felt(amount), Felt::ZERO]
    };
    let free = ExecutionFlags { charge_fee: false, ..ExecutionFlags::default() };
    let transactions = [
        world.invoke(ACCOUNT, 0, pay(OTHER, 5), &[], felt(1)),
        world.invoke(SEQUENCER, 0, pay(OTHER, 1 << 90), &[], felt(2)),
        world.invoke(OTHER, 0, pay(SEQUENCER, 3), &[], felt(3)).with_flags(free),
        world.invoke(SEQUENCER, 1, pay(SEQUENCER, 9), &[], felt(4)),
        world.invoke(ACCOUNT, 1, pay(SEQUENCER, 7), &[], felt(5)),
    ];
    let expected_outcome = world.execute(&transactions);
    let executions: Vec<_> =
        expected_outcome.transactions.iter().map(|outcome| outcome.execution().unwrap()).collect();
    assert!(executions.iter().all(|execution| !execution.is_reverted()));
    let fees: Vec<u128> = executions.iter().map(|execution| execution.receipt.fee.0).collect();
    let is_paid = |index: usize| executions[index].fee_transfer_call.is_some();
    assert!([0, 1, 3, 4].into_iter().all(|index| is_paid(index) && fees[index] > 0));
    assert!(!is_paid(2));

    // The balance of the sequencer grows by the fees of others and by transfers to it. Its own fees return to
    // it.
    let key = fee_token_balance_key(address(SEQUENCER));
    let balance =
        |index: usize| expected_outcome.transactions[index].state_diff.storage[&token].get(&key).copied();
    let mut expected = (1_u128 << 100) + fees[0];
    assert_eq!(balance(0), Some(felt(expected)));
    expected -= 1 << 90;
    assert_eq!(balance(1), Some(felt(expected)));
    expected += 3;
    assert_eq!(balance(2), Some(felt(expected)));
    // It transfers to itself and pays the fee to itself: its balance does not change.
    assert!(
        !expected_outcome.transactions[3]
            .state_diff
            .storage
            .get(&token)
            .is_some_and(|cells| cells.contains_key(&key))
    );
    expected += 7 + fees[4];
    assert_eq!(balance(4), Some(felt(expected)));

    for threads in [1, 2, 3, 8] {
        for _ in 0..10 {
            let outcome =
                world.executor().keep_reverted_calls().threads(threads).unwrap().execute(&transactions);
            assert_eq!(outcome.unwrap(), expected_outcome, "{threads} threads");
        }
    }
    // The transfers of the sequencer to itself read the real balance, not a placeholder.
    let calls = executions[3].fee_transfer_call.iter().flat_map(|call| call.iter());
    let seen: Vec<Felt> = calls.flat_map(|call| call.accesses.read_values.clone()).collect();
    assert!(seen.contains(&felt(expected - 7 - fees[4])), "{seen:?}");
}

/// An error or a panic of the reader gives the same block error on any number of threads, and the pool stays
/// usable.
#[test]
fn a_broken_reader_breaks_its_block_and_not_the_pool() {
    let workload = workload::independent(40, 1);
    let pool = WorkerPool::new(4).unwrap();
    for panics in [false, true] {
        let broken = StateKey::Nonce(workload.transactions[25].sender());
        let reader = Watched {
            state: &workload.world.state,
            before: |cell| {
                assert!(!(panics && cell == broken), "the reader panics, as asked");
                if cell == broken { Err(ReadError::message("no answer, as asked")) } else { Ok(()) }
            },
        };
        let executor = BlockExecutor::new(workload.world.env.clone(), &reader)
            .engine(chosen_engine())
            .block_hash_source(BlockHashSource::Hash(BlockHash(Felt::ONE)));
        let expected = executor.execute(&workload.transactions);
        assert!(matches!(&expected, Err(BlockError::Transaction { index: 25, .. })), "{expected:?}");
        for _ in 0..5 {
            assert_eq!(executor.clone().pool(&pool).execute(&workload.transactions), expected);
        }
    }
    let expected = workload.world.executor().execute(&workload.transactions);
    assert_eq!(workload.world.executor().pool(&pool).execute(&workload.transactions), expected);
}

/// Two blocks are executed on one pool at the same time, repeatedly.
#[test]
fn blocks_share_a_pool() {
    let pool = WorkerPool::new(3).unwrap();
    std::thread::scope(|scope| {
        for make in [workload::mixed as Maker, workload::chain] {
            let pool = &pool;
            scope.spawn(move || {
                let workload = make(60, 3);
                let expected = workload.world.executor().execute(&workload.transactions);
                for _ in 0..3 {
                    let executor = workload.world.executor().pool(pool);
                    assert_eq!(executor.execute(&workload.transactions), expected);
                }
            });
        }
    });
}

/// A block that ends at an invalid transaction ends at the same one on any number of threads.
#[test]
fn stopping_at_an_invalid_transaction() {
    let mut workload = workload::mixed(60, 5);
    let transaction = workload.transactions[20].clone();
    workload.transactions.insert(40, transaction);
    let executor = || workload.world.executor().on_invalid(OnInvalid::Stop);
    let expected = executor().execute(&workload.transactions).unwrap();
    assert_eq!(expected.transactions.len(), 41);
    for threads in [2, 8] {
        assert_eq!(executor().threads(threads).unwrap().execute(&workload.transactions).unwrap(), expected);
    }
}

/// `cargo test --release --test main -- --ignored --nocapture every_workload_with_twenty_seeds`: 20 seeds on
/// every number of threads from 1 to 32 with the fast engine; a part of them with cairo-vm, which takes ten
/// times as long.
#[test]
#[ignore = "takes minutes"]
fn every_workload_with_twenty_seeds() {
    let (mut blocks, mut transactions) = (0, 0);
    for make in all() {
        let began = std::time::Instant::now();
        let mut name = "";
        for seed in 0..20 {
            let workload = make(100, seed);
            name = workload.name;
            check_on(Engine::Fast, &workload, 1..=32);
            blocks += 32;
            transactions += 32 * workload.transactions.len();
            if seed < 4 {
                let threads = [2, 7, 32];
                check_on(Engine::CairoVm, &workload, threads);
                blocks += threads.len();
                transactions += threads.len() * workload.transactions.len();
            }
        }
        println!("{name}: 20 seeds, {:.0} s", began.elapsed().as_secs_f64());
    }
    println!("{blocks} blocks, {transactions} transactions: the bytes of sequential execution each time");
}

/// An inconsistent reader has a compiled class hash for a class that it does not have. The hash is ignored,
/// on one thread and on many, even after the block has declared the class with a hash of 0.
#[test]
fn a_compiled_class_hash_of_an_undeclared_class_is_zero() {
    let mut world = World::new(ProtocolVersion::NEWEST);
    world.deploy("caller", 0xca11);
    let (class_hash, class) = crate::fixture::class("upgradable");
    world.state =
        std::mem::take(&mut world.state).with_compiled_class_hash(class_hash, CompiledClassHash(Felt::THREE));
    let declare = DeclareTransaction::V2(DeclareTransactionV2 {
        max_fee: Fee(u128::MAX),
        signature: TransactionSignature::default(),
        nonce: Nonce::default(),
        class_hash,
        compiled_class_hash: CompiledClassHash::default(),
        sender_address: address(ACCOUNT),
    });
    let class = DeclaredClass { class, sierra_program_length: 1, abi_length: 1 };
    let free = ExecutionFlags { charge_fee: false, ..ExecutionFlags::default() };
    let declare = Transaction::declare(declare, class, TransactionHash(felt(0xdec))).with_flags(free);
    let deploy = [class_hash.0, Felt::ONE, Felt::ONE, Felt::ZERO, selector("version"), Felt::ZERO];
    let transactions = [
        declare,
        world.call(1, 0xca11, "deploy_and_call", &deploy),
        world.call(2, 0xca11, "deploy_and_call", &deploy),
    ];

    let expected = world.execute(&transactions);
    let succeeded = expected.transactions.iter().filter(|it| it.status() == TransactionStatus::Succeeded);
    assert!(succeeded.count() >= 2, "{:?}", expected.transactions[0].disposition);
    assert!(expected.usage.executed_classes.contains_key(&class_hash));
    assert!(expected.usage.migrations.is_empty(), "{:?}", expected.usage.migrations);
    for threads in [2, 3, 8] {
        let outcome =
            world.executor().keep_reverted_calls().threads(threads).unwrap().execute(&transactions).unwrap();
        assert!(outcome == expected, "{:?}", outcome.usage.migrations);
    }
}
