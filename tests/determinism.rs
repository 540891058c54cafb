//! The same bytes on any number of threads: every workload, threads far beyond the machine's, against one after another.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

mod fixture;

use std::fmt::Write as _;

use fixture::workload::{self, Maker, Workload};
use fixture::{ACCOUNT, World, address, felt, selector};
use starkiln::block::{
    BlockError, BlockExecutor, BlockOutcome, OldBlock, OnInvalid, Pool, TransactionOutcome, TransactionStatus,
};
use starkiln::class::{ContractClass, DeclaredClass};
use starkiln::protocol::{Engine, ProtocolVersion};
use starkiln::state::{MemoryState, ReadError, StateReader};
use starkiln::transaction::{ExecutionFlags, Transaction};
use starknet_api::block::BlockHash;
use starknet_api::core::{ClassHash, CompiledClassHash, ContractAddress, Nonce};
use starknet_api::state::StorageKey;
use starknet_api::transaction::fields::{Fee, TransactionSignature};
use starknet_api::transaction::{DeclareTransaction, DeclareTransactionV2, TransactionHash};
use starknet_types_core::felt::Felt;

/// All that can be seen of a block, as text: order of maps and sets included.
fn bytes(outcome: &BlockOutcome) -> String {
    let mut text = String::new();
    for transaction in &outcome.transactions {
        writeln!(text, "{} {:?}", transaction.hash.0, transaction.result).unwrap();
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
        let (outcome, counters) = executor()
            .threads(threads)
            .execute_counted(transactions, |index, outcome| {
                assert_eq!((index, outcome), (seen, &expected.transactions[index]), "{name} on {threads}");
                seen += 1;
            })
            .unwrap();
        assert_eq!(seen, transactions.len(), "{name} on {threads}");
        assert!(outcome == expected, "{name} on {threads} threads: another outcome");
        assert_eq!(bytes(&outcome), expected_bytes, "{name} on {threads} threads: other bytes");
        if threads > 1 {
            assert_eq!(counters.commits, transactions.len() as u64);
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

/// Whatever contract the fee token is: Cairo 0, behind a proxy, measured in steps, or one whose every transfer depends on the
/// balance of the sequencer.
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

/// A reader that fails for some cells, or panics.
struct Broken<'a> {
    state: &'a MemoryState,
    nonce_of: ContractAddress,
    panics: bool,
}

impl StateReader for Broken<'_> {
    fn storage_at(&self, address: ContractAddress, key: StorageKey) -> Result<Felt, ReadError> {
        self.state.storage_at(address, key)
    }

    fn nonce_at(&self, address: ContractAddress) -> Result<Nonce, ReadError> {
        if address == self.nonce_of {
            assert!(!self.panics, "the reader panics, as asked");
            return Err(ReadError::message("no answer, as asked"));
        }
        self.state.nonce_at(address)
    }

    fn class_hash_at(&self, address: ContractAddress) -> Result<ClassHash, ReadError> {
        self.state.class_hash_at(address)
    }

    fn class(&self, class_hash: ClassHash) -> Result<Option<ContractClass>, ReadError> {
        self.state.class(class_hash)
    }

    fn compiled_class_hash(&self, class_hash: ClassHash) -> Result<CompiledClassHash, ReadError> {
        self.state.compiled_class_hash(class_hash)
    }
}

/// An error or a panic of the reader is the same error of the block on any number of threads, and the pool goes on with the next.
#[test]
fn a_broken_reader_breaks_its_block_and_not_the_pool() {
    let workload = workload::independent(40, 1);
    let pool = Pool::new(4).unwrap();
    for panics in [false, true] {
        let state = &workload.world.state;
        let reader = Broken { state, nonce_of: workload.transactions[25].sender(), panics };
        let executor = BlockExecutor::new(workload.world.env.clone(), &reader)
            .old_block(OldBlock::Hash(BlockHash(Felt::ONE)));
        let expected = executor.execute(&workload.transactions);
        assert!(matches!(&expected, Err(BlockError::Transaction { index: 25, .. })), "{expected:?}");
        for _ in 0..5 {
            assert_eq!(executor.clone().pool(&pool).execute(&workload.transactions), expected);
        }
    }
    let expected = workload.world.executor().execute(&workload.transactions);
    assert_eq!(workload.world.executor().pool(&pool).execute(&workload.transactions), expected);
}

/// Two blocks at a time on one pool, again and again.
#[test]
fn blocks_share_a_pool() {
    let pool = Pool::new(3).unwrap();
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

/// A block that stops at an invalid transaction stops at the same one, and has the same state.
#[test]
fn stopping_at_an_invalid_transaction() {
    let mut workload = workload::mixed(60, 5);
    let transaction = workload.transactions[20].clone();
    workload.transactions.insert(40, transaction);
    let executor = || workload.world.executor().on_invalid(OnInvalid::Stop);
    let expected = executor().execute(&workload.transactions).unwrap();
    assert_eq!(expected.transactions.len(), 41);
    for threads in [2, 8] {
        assert_eq!(executor().threads(threads).execute(&workload.transactions).unwrap(), expected);
    }
}

/// `cargo test --release --test determinism -- --ignored --nocapture`: 20 seeds and every number of threads from 1 to 32, on the
/// fast engine; with cairo-vm as the engine, which takes ten times as long, some of them.
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
    println!("{blocks} blocks, {transactions} transactions: the bytes of one after another each time");
}

/// A reader that contradicts itself: it has no such class, and a compiled class hash for it. That hash counts for nothing, on one
/// thread and on many, even after the block has declared the class with a hash of 0.
#[test]
fn a_compiled_class_hash_of_an_undeclared_class_is_zero() {
    let mut world = World::new(ProtocolVersion::NEWEST);
    world.deploy("caller", 0xca11);
    let (class_hash, class) = fixture::class("upgradable");
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
    assert!(succeeded.count() >= 2, "{:?}", expected.transactions[0].result);
    assert!(expected.usage.executed_classes.contains_key(&class_hash));
    assert!(expected.usage.migrations.is_empty(), "{:?}", expected.usage.migrations);
    for threads in [2, 3, 8] {
        let outcome = world.executor().keep_reverted_calls().threads(threads).execute(&transactions).unwrap();
        assert!(outcome == expected, "{:?}", outcome.usage.migrations);
    }
}
