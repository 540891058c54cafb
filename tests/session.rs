//! Sessions: a block from a stream of transactions. Order, back-pressure, the ways to end, what a block closed after n transactions is.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, mpsc};
use std::time::{Duration, Instant};

use crate::fixture::reader::Watched;
use crate::fixture::workload::{self, Maker, Workload};
use crate::fixture::{ACCOUNT, FEE_TOKEN, SEQUENCER, World, address, class, error_chain, felt, selector};
use starkiln::block::{
    BlockEnd, BlockError, BlockHashSource, BlockOutcome, BlockSession, Capacity, CloseError,
    ExecutionOptions, OnInvalid, SessionOptions, SubmitError, TransactionDisposition, TransactionOutcome,
    TransactionStatus, Validation, Weight, Weights, WorkerPool,
};
use starkiln::class::{ContractClass, DeclaredClass};
use starkiln::protocol::ProtocolVersion;
use starkiln::state::{MemoryState, ReadError, StateKey, StateReader};
use starkiln::transaction::{ExecutionFlags, Transaction, TransactionBody};
use starknet_api::block::BlockHash;
use starknet_api::core::{ClassHash, CompiledClassHash, ContractAddress, EntryPointSelector, Nonce};
use starknet_api::transaction::fields::{Calldata, Fee, TransactionSignature, ValidResourceBounds};
use starknet_api::transaction::{
    DeclareTransaction, DeclareTransactionV2, InvokeTransaction, L1HandlerTransaction, TransactionHash,
    TransactionVersion,
};
use starknet_types_core::felt::Felt;

const NEWEST: ProtocolVersion = ProtocolVersion::NEWEST;
const SYSCALLS: u128 = 0x5ca;
const CALLER: u128 = 0xca11;
const SECOND: u128 = 0xacd;
const POOR: u128 = 0xace;

// ---- a block of everything

/// All that can be seen of the end of a block, as bytes: order of maps and sets included.
fn bytes(outcome: &BlockOutcome) -> String {
    let mut text = String::new();
    for transaction in &outcome.transactions {
        writeln!(text, "{:#x} {:?}", transaction.hash.0, transaction.disposition).unwrap();
        writeln!(text, "{}", serde_json::to_string(&transaction.weights).unwrap()).unwrap();
        writeln!(text, "{}", serde_json::to_string(&transaction.state_diff).unwrap()).unwrap();
    }
    writeln!(text, "{:?}", outcome.end).unwrap();
    writeln!(text, "{}", serde_json::to_string(&outcome.usage).unwrap()).unwrap();
    writeln!(text, "{}", serde_json::to_string(&outcome.state_diff).unwrap()).unwrap();
    writeln!(text, "{}", serde_json::to_string(&outcome.compressed_state_diff).unwrap()).unwrap();
    writeln!(text, "{}", serde_json::to_string(&outcome.initial_reads).unwrap()).unwrap();
    writeln!(text, "{}", serde_json::to_string(&outcome.prover_reads).unwrap()).unwrap();
    text
}

/// The block of the same transactions, all of which were delivered.
fn without_transactions(outcome: &BlockOutcome) -> BlockOutcome {
    let mut outcome = outcome.clone();
    outcome.transactions.clear();
    outcome
}

fn ended(mut outcome: BlockOutcome, end: BlockEnd) -> BlockOutcome {
    outcome.end = end;
    outcome
}

fn free() -> ExecutionFlags {
    ExecutionFlags { charge_fee: false, ..ExecutionFlags::default() }
}

fn hashes(name: &str) -> (ClassHash, CompiledClassHash) {
    let (class_hash, class) = class(name);
    let ContractClass::Cairo1(class) = class else { panic!() };
    (class_hash, class.compiled_class_hash_v1())
}

fn declare(nonce: u64, name: &str, hash: Felt) -> Transaction {
    let (class_hash, compiled_class_hash) = hashes(name);
    let declare = DeclareTransaction::V2(DeclareTransactionV2 {
        max_fee: Fee(u128::MAX),
        signature: TransactionSignature::default(),
        nonce: Nonce(Felt::from(nonce)),
        class_hash,
        compiled_class_hash,
        sender_address: address(ACCOUNT),
    });
    let class = DeclaredClass { class: class(name).1, sierra_program_length: 1, abi_length: 1 };
    Transaction::declare(declare, class, TransactionHash(hash)).with_flags(free())
}

fn handler(hash: Felt, entry_point: &str, paid: u128) -> Transaction {
    let transaction = L1HandlerTransaction {
        version: TransactionVersion::ZERO,
        nonce: Nonce::default(),
        contract_address: address(SYSCALLS),
        entry_point_selector: EntryPointSelector(selector(entry_point)),
        calldata: Calldata(Arc::new(vec![felt(0x11), felt(1), felt(2)])),
    };
    Transaction::l1_handler(transaction, Fee(paid), TransactionHash(hash))
}

/// The next transaction of a sender: one call.
struct Author {
    nonces: std::collections::HashMap<u128, u64>,
    count: u64,
}

impl Author {
    fn next(&mut self, sender: u128) -> (u64, Felt) {
        let nonce = self.nonces.entry(sender).or_default();
        *nonce += 1;
        self.count += 1;
        (*nonce - 1, Felt::from(self.count))
    }

    fn call(&mut self, world: &World, sender: u128, to: u128, name: &str, calldata: &[Felt]) -> Transaction {
        let (nonce, hash) = self.next(sender);
        let mut arguments =
            vec![Felt::ONE, felt(to), selector(name), felt(u128::try_from(calldata.len()).unwrap())];
        arguments.extend_from_slice(calldata);
        world.invoke(sender, nonce, arguments, &[], hash)
    }
}

/// Sixty transactions with declares, deployments, migrations, reverts, invalid ones, messages from L1, and some that touch the
/// sequencer's balance, its own among them, where its low half is almost full.
fn everything() -> (World, Vec<Transaction>) {
    let mut world = World::new(NEWEST);
    world.deploy("syscalls", SYSCALLS);
    world.deploy("caller", CALLER);
    let account = world.declare("account_open");
    let mut state = std::mem::take(&mut world.state);
    for name in ["syscalls", "caller", "erc20", "account_open"] {
        let (class_hash, v1) = hashes(name);
        state = state.with_compiled_class_hash(class_hash, v1);
    }
    for sender in [SECOND, POOR, SEQUENCER] {
        state = state.deploy(address(sender), account);
    }
    let token = address(FEE_TOKEN);
    state = state.with_balance(token, address(SECOND), 1 << 100);
    world.state = state.with_balance(token, address(SEQUENCER), u128::MAX - 2_000_000_000_000);

    let declared = ["upgradable", "nft", "upgradable_v2", "circuit", "pool"];
    let mut author = Author { nonces: Default::default(), count: 0 };
    let transactions = (0..60_u128).map(|index| {
        let author = &mut author;
        let round = usize::try_from(index / 12).unwrap();
        let to = |recipient: u128, amount: u128| vec![felt(recipient), felt(amount), Felt::ZERO];
        match index % 12 {
            0 => {
                author.call(&world, ACCOUNT, SYSCALLS, "storage_write", &[felt(900 + index), felt(index + 1)])
            }
            1 => author.call(&world, SECOND, FEE_TOKEN, "transfer", &to(SEQUENCER, 77)),
            2 => {
                let (nonce, hash) = author.next(ACCOUNT);
                declare(nonce, declared[round], hash)
            }
            3 => {
                let class_hash = hashes(if round % 2 == 0 { "upgradable" } else { "upgradable_v2" }).0;
                let deploy =
                    [class_hash.0, felt(index), Felt::ONE, Felt::ZERO, selector("version"), Felt::ZERO];
                author.call(&world, SECOND, CALLER, "deploy_and_call", &deploy)
            }
            4 => author.call(&world, ACCOUNT, SYSCALLS, "panic_text", &[felt(5)]),
            5 if round == 1 => author.call(&world, POOR, SYSCALLS, "nothing", &[]),
            5 => {
                author.count += 1;
                world.call(999, SYSCALLS, "nothing", &[])
            }
            6 => {
                let noisy = [felt(CALLER), selector("noisy_panic"), Felt::ONE, felt(7)];
                author.call(&world, ACCOUNT, CALLER, "noisy_call", &noisy)
            }
            7 => author.call(&world, SECOND, FEE_TOKEN, "transfer", &to(0x9_000_000 + index, 1)),
            8 => author.call(&world, SEQUENCER, FEE_TOKEN, "transfer", &to(SECOND, 9)),
            9 => author.call(&world, ACCOUNT, FEE_TOKEN, "balance_of", &[felt(SEQUENCER)]),
            10 => author.call(
                &world,
                ACCOUNT,
                SYSCALLS,
                "storage_add",
                &[felt(7), felt(u128::from(round % 2 == 0))],
            ),
            _ => {
                author.count += 1;
                let hash = Felt::from(author.count);
                handler(hash, if round % 2 == 0 { "handle" } else { "handle_and_panic" }, 1 << 60)
            }
        }
    });
    let mut transactions: Vec<Transaction> = transactions.collect();
    for (index, transaction) in transactions.iter_mut().enumerate() {
        transaction.hash = TransactionHash(Felt::from(index + 1));
    }
    (world, transactions)
}

fn block_hash_source() -> BlockHashSource {
    BlockHashSource::Hash(BlockHash(felt(0xb10c)))
}

fn options() -> SessionOptions {
    ExecutionOptions::default().block_hash_source(block_hash_source()).into()
}

fn open(world: &World, pool: &WorkerPool, options: SessionOptions) -> BlockSession<MemoryState> {
    BlockSession::open(world.env.clone(), world.state.clone(), pool, options).unwrap()
}

/// What a session must come to: the block of the same transactions, one after another.
fn alone(world: &World, transactions: &[Transaction]) -> BlockOutcome {
    world.executor().keep_reverted_calls().collect_prover_reads().execute(transactions).unwrap()
}

fn complete() -> SessionOptions {
    options().execution.keep_reverted_calls().collect_prover_reads().into()
}

// ---- results

#[test]
fn the_block_of_everything_has_everything() {
    let (world, transactions) = everything();
    let outcome = alone(&world, &transactions);
    let count = |status| outcome.transactions.iter().filter(|outcome| outcome.status() == status).count();
    let counts =
        [TransactionStatus::Succeeded, TransactionStatus::Reverted, TransactionStatus::Invalid].map(count);
    let reverted = |outcome: &TransactionOutcome| {
        let text = outcome.execution()?.revert_reason.as_ref()?.to_string();
        Some(text.lines().last().unwrap_or_default().to_owned())
    };
    let reasons: Vec<_> = outcome.transactions.iter().filter_map(reverted).collect();
    assert_eq!((counts, outcome.state_diff.declared.len()), ([47, 8, 5], 5), "{reasons:#?}");
    // One class is deployed before it is declared, and after it.
    assert_eq!(outcome.state_diff.deployed.len(), 4);
    assert!(outcome.usage.migrations.len() >= 5, "{:?}", outcome.usage.migrations);
}

#[test]
fn a_session_is_the_block_on_any_number_of_threads() {
    for make in workload::TABLE.into_iter().chain([workload::sequencer as Maker]) {
        let Workload { name, world, transactions } = make(60, 1);
        let expected = bytes(&alone(&world, &transactions));
        for threads in [1, 2, 3, 8] {
            for waiting_threads_work in [false, true] {
                let pool = WorkerPool::new(threads).unwrap();
                let session = open(&world, &pool, complete().waiting_threads_work(waiting_threads_work));
                session.submit(transactions.clone()).unwrap();
                assert!(
                    bytes(&session.finish().unwrap().into_block_outcome([])) == expected,
                    "{name} on {threads}"
                );
            }
        }
    }
}

/// Batches from two threads while earlier ones run; results in order as they come.
#[test]
fn results_stream_in_order_while_more_is_submitted() {
    let (world, transactions) = everything();
    let expected = alone(&world, &transactions);
    for threads in [1, 2, 4] {
        let pool = WorkerPool::new(threads).unwrap();
        let session = open(&world, &pool, complete());
        let submitter = session.submitter();
        let (turn, next) = mpsc::channel();
        std::thread::scope(|scope| {
            let transactions = &transactions;
            scope.spawn(move || {
                for batch in transactions[..40].chunks(7) {
                    submitter.submit(batch.to_vec()).unwrap();
                }
                turn.send(submitter).unwrap();
            });
            scope.spawn(move || {
                let submitter = next.recv().unwrap();
                let mut places = Vec::new();
                for transaction in &transactions[40..] {
                    places.extend(submitter.submit([transaction.clone()]).unwrap());
                }
                assert_eq!(places, (40..60).collect::<Vec<_>>());
                submitter.end_input();
            });
            let outcomes: Vec<TransactionOutcome> = session.all_results().collect();
            assert!(outcomes == expected.transactions);
        });
        let progress = session.progress();
        assert_eq!((progress.submitted, progress.committed, progress.delivered), (60, 60, 60));
        assert_eq!((progress.weights, progress.end), (expected.usage.weights, Some(Ok(BlockEnd::Finished))));
        let outcome = session.finish().unwrap().into_block_outcome([]);
        let expected = without_transactions(&expected);
        assert!(bytes(&outcome) == bytes(&expected));
    }
}

#[test]
fn results_end_where_nothing_is_to_wait_for() {
    let (world, transactions) = everything();
    for threads in [1, 3] {
        let pool = WorkerPool::new(threads).unwrap();
        let session = open(&world, &pool, options());
        assert_eq!(session.results().count(), 0);
        for batch in transactions.chunks(25) {
            session.submit(batch.to_vec()).unwrap();
            assert_eq!(session.results().count(), batch.len());
            assert_eq!(session.results().count(), 0);
        }
    }
}

#[test]
fn results_by_callback_in_order() {
    let (world, transactions) = everything();
    let expected = alone(&world, &transactions);
    for threads in [1, 4] {
        let pool = WorkerPool::new(threads).unwrap();
        let (told, results) = mpsc::channel();
        let session = BlockSession::open_with(
            world.env.clone(),
            world.state.clone(),
            &pool,
            complete(),
            move |index, outcome| told.send((index, outcome)).unwrap(),
        )
        .unwrap();
        for batch in transactions.chunks(9) {
            session.submit(batch.to_vec()).unwrap();
        }
        let outcome = session.finish().unwrap().into_block_outcome([]);
        let results: Vec<_> = results.into_iter().collect();
        assert!(results.iter().map(|(index, _)| *index).eq(0..60));
        assert!(results.into_iter().map(|(_, outcome)| outcome).eq(expected.transactions.clone()));
        let expected = without_transactions(&expected);
        assert!(bytes(&outcome) == bytes(&expected));
    }
}

/// While a result is handed over nothing else is committed, however many threads have executed what comes after it.
#[test]
fn c218_one_commit_at_a_time() {
    const HELD: usize = 3;
    let workload = workload::independent(60, 1);
    let world = &workload.world;
    let expected = alone(world, &workload.transactions);
    for threads in [2, 8] {
        let pool = WorkerPool::new(threads).unwrap();
        let (told, results) = mpsc::channel();
        let (open, gate) = mpsc::channel::<()>();
        let is_inside = AtomicUsize::new(0);
        let (env, state) = (world.env.clone(), world.state.clone());
        let session = BlockSession::open_with(env, state, &pool, complete(), move |index, outcome| {
            assert_eq!(is_inside.fetch_add(1, Ordering::SeqCst), 0, "two commits at a time");
            told.send((index, outcome)).unwrap();
            if index == HELD {
                gate.recv().unwrap();
            }
            std::thread::yield_now();
            is_inside.fetch_sub(1, Ordering::SeqCst);
        })
        .unwrap();
        session.submit(workload.transactions.clone()).unwrap();
        let first: Vec<_> = results.iter().take(HELD + 1).collect();
        for _ in 0..50 {
            // It counts as committed before it is handed over.
            assert_eq!(session.progress().committed, HELD + 1, "nobody commits behind it");
            std::thread::sleep(Duration::from_micros(200));
        }
        open.send(()).unwrap();
        session.finish().unwrap().into_block_outcome([]);
        let all: Vec<_> = first.into_iter().chain(results).collect();
        assert!(all.iter().map(|(index, _)| *index).eq(0..60));
        assert!(all.into_iter().map(|(_, outcome)| outcome).eq(expected.transactions.clone()));
    }
}

#[test]
fn a_callback_that_panics_ends_its_session_alone() {
    let workload = workload::independent(20, 1);
    let pool = WorkerPool::new(3).unwrap();
    let world = &workload.world;
    let session =
        BlockSession::open_with(world.env.clone(), world.state.clone(), &pool, options(), |index, _| {
            assert!(index < 7, "the callback panics, as asked")
        })
        .unwrap();
    session.submit(workload.transactions.clone()).unwrap();
    let error = session.finish().unwrap_err();
    assert!(
        matches!(&error, BlockError::Transaction { index: 7, failure, .. }
        if failure.to_string().contains("as asked")),
        "{error:?}"
    );
    assert_eq!(
        world.executor().pool(&pool).execute(&workload.transactions).unwrap(),
        world.executor().execute(&workload.transactions).unwrap()
    );
}

/// Results that nobody takes hold commits up, and no thread is busy with that.
#[test]
fn back_pressure_parks_commits_and_burns_nothing() {
    let workload = workload::independent(60, 1);
    let world = &workload.world;
    let pool = WorkerPool::new(3).unwrap();
    let threads = Threads::default();
    let session = open_watched(world, &pool, options().undelivered(5), {
        let threads = threads.clone();
        move |_| {
            threads.note();
            Ok(())
        }
    });
    session.submit(workload.transactions.clone()).unwrap();
    let mut taken = 0;
    let mut results = session.results();
    loop {
        until(|| session.progress().committed == (taken + 5).min(60));
        // It stays there.
        std::thread::sleep(Duration::from_millis(5));
        assert_eq!(session.progress().committed, (taken + 5).min(60));
        if taken == 20 {
            // All that may run ahead has run by now. A thread that went on looking would use up what passes.
            std::thread::sleep(Duration::from_millis(50));
            let before = threads.processor_time();
            std::thread::sleep(Duration::from_millis(300));
            let used = threads.processor_time() - before;
            assert!(used < Duration::from_millis(50), "{used:?}");
        }
        if results.next().is_none() {
            break;
        }
        taken += 1;
    }
    assert_eq!(taken, 60);
}

/// Waits for something that is bound to come soon.
fn until(condition: impl Fn() -> bool) {
    let began = Instant::now();
    while !condition() {
        assert!(began.elapsed() < Duration::from_secs(60), "it does not come");
        std::thread::sleep(Duration::from_micros(200));
    }
}

/// Over a reader that does something before it answers.
fn open_watched(
    world: &World,
    pool: &WorkerPool,
    options: SessionOptions,
    before: impl Fn(ContractAddress) -> Result<(), ReadError> + Send + Sync + 'static,
) -> BlockSession<impl StateReader + Send + Sync + 'static> {
    let before = move |cell| match cell {
        StateKey::Storage(address, _) | StateKey::Nonce(address) => before(address),
        _ => Ok(()),
    };
    let reader = Watched { state: world.state.clone(), before };
    BlockSession::open(world.env.clone(), reader, pool, options).unwrap()
}

/// The threads that call the reader, as the system names them; none where it has no such names.
#[derive(Clone, Default)]
struct Threads(Arc<Mutex<BTreeSet<PathBuf>>>);

impl Threads {
    fn note(&self) {
        if let Ok(thread) = std::fs::read_link("/proc/thread-self") {
            self.0.lock().unwrap().insert(Path::new("/proc").join(thread));
        }
    }

    fn processor_time(&self) -> Duration {
        let threads = self.0.lock().unwrap();
        let ticks = threads.iter().map(|thread| {
            let stat = std::fs::read_to_string(thread.join("stat")).unwrap_or_default();
            let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
            let ticks = |at: usize| fields.get(at).and_then(|field| field.parse::<u64>().ok()).unwrap_or(0);
            ticks(11) + ticks(12)
        });
        Duration::from_millis(10 * ticks.sum::<u64>())
    }
}

// ---- the ends

/// C228: everything is that of the block of those n, whatever was committed beyond.
#[test]
fn c228_closing_after_n_transactions_is_the_block_of_those_n() {
    let (world, transactions) = everything();
    let pools = [1, 3].map(|threads| WorkerPool::new(threads).unwrap());
    for count in 0..=60 {
        let expected = bytes(&alone(&world, &transactions[..count]));
        // All have run, all have been committed, and none has been taken.
        let session = open(&world, &pools[1], complete());
        session.submit(transactions.clone()).unwrap();
        until(|| session.progress().committed == 60);
        assert!(
            bytes(&session.close(count).unwrap().into_block_outcome([])) == expected,
            "{count} of 60 committed"
        );
        // While they run.
        for pool in &pools {
            let session = open(&world, pool, complete());
            session.submit(transactions.clone()).unwrap();
            assert!(
                bytes(&session.close(count).unwrap().into_block_outcome([])) == expected,
                "{count} of 60"
            );
        }
        // After results were taken.
        let session = open(&world, &pools[1], complete().undelivered(3));
        session.submit(transactions.clone()).unwrap();
        let outcomes: Vec<_> = session.results().take(count).collect();
        let outcome = session.close(count).unwrap();
        assert!(outcome.undelivered.is_empty());
        assert!(bytes(&outcome.into_block_outcome(outcomes)) == expected, "{count} taken");
    }
}

#[test]
fn a_block_cannot_be_closed_after_more_than_there_are() {
    let (world, transactions) = everything();
    let pool = WorkerPool::new(2).unwrap();
    let session = open(&world, &pool, options());
    session.submit(transactions[..10].to_vec()).unwrap();
    assert_eq!(session.close(11), Err(CloseError::TooFew { wanted: 11, there: 10, end: None }));
    let session = open(&world, &pool, options().undelivered(1));
    session.submit(transactions[..10].to_vec()).unwrap();
    until(|| session.progress().committed == 1);
    assert!(session.cancel_handle().cancel());
    let end = Some(Box::new(BlockEnd::Cancelled));
    assert_eq!(session.close(2), Err(CloseError::TooFew { wanted: 2, there: 1, end }));
}

#[test]
fn zero_transactions_are_a_block() {
    let (world, _) = everything();
    let expected = bytes(&alone(&world, &[]));
    for threads in [1, 3] {
        let pool = WorkerPool::new(threads).unwrap();
        let session = open(&world, &pool, complete());
        assert_eq!(session.submit([]), Ok(0..0));
        assert!(bytes(&session.finish().unwrap().into_block_outcome([])) == expected);
        assert!(bytes(&open(&world, &pool, complete()).close(0).unwrap().into_block_outcome([])) == expected);
    }
}

/// Full, and by which limit; the block is that of those before. A transaction that no block holds is only rejected.
#[test]
fn departure_a_full_block_says_what_did_not_fit() {
    let (world, transactions) = everything();
    let whole = alone(&world, &transactions);
    let until_30 = whole.transactions[..30].iter().fold(Weights::ZERO, |sum, it| sum.plus(&it.weights));
    let limits = Weights { sierra_gas: until_30.sierra_gas, ..Weights::UNLIMITED };
    let capacity = Capacity { limits, ..Capacity::unlimited() };
    let expected = world.executor().collect_prover_reads().keep_reverted_calls().capacity(capacity.clone());
    let expected = expected.execute(&transactions).unwrap();
    for threads in [1, 3] {
        let pool = WorkerPool::new(threads).unwrap();
        let session =
            open(&world, &pool, SessionOptions::from(complete().execution.capacity(capacity.clone())));
        session.submit(transactions.clone()).unwrap();
        let results = session.results().count();
        let progress = session.progress();
        assert_eq!((progress.weights, progress.limits), (expected.usage.weights, limits));
        let Some(Ok(BlockEnd::Full { index, hash, reason })) = &progress.end else { panic!("{progress:?}") };
        assert_eq!((*index, *hash), (results, transactions[results].hash));
        assert_eq!(reason.exceeded[0].weight, Weight::SierraGas);
        let late = session.submit([handler(felt(0x1a7e), "handle", 1)]);
        assert_eq!(late, Err(SubmitError::Ended(Box::new(progress.end.clone().unwrap().unwrap()))));
        let outcome = session.finish().unwrap().into_block_outcome([]);
        let expected = without_transactions(&expected);
        assert!(bytes(&outcome) == bytes(&expected));
    }

    // No block has room for so many events; the block goes on.
    let limits = Weights { events: 1, ..Weights::UNLIMITED };
    let capacity = Capacity { limits, ..Capacity::unlimited() };
    let session = open(
        &world,
        &WorkerPool::new(2).unwrap(),
        SessionOptions::from(options().execution.capacity(capacity)),
    );
    session.submit(transactions[..7].to_vec()).unwrap();
    let outcome = session.finish().unwrap().into_block_outcome([]);
    assert!(matches!(outcome.transactions[6].disposition, TransactionDisposition::TooLarge(_)));
    assert_eq!(outcome.end, BlockEnd::Finished);
}

#[test]
fn an_invalid_transaction_may_end_the_block() {
    let (world, transactions) = everything();
    let pool = WorkerPool::new(3).unwrap();
    let expected = world.executor().on_invalid(OnInvalid::Stop).execute(&transactions).unwrap();
    let session = open(&world, &pool, SessionOptions::from(options().execution.on_invalid(OnInvalid::Stop)));
    session.submit(transactions.clone()).unwrap();
    assert_eq!(session.finish().unwrap().into_block_outcome([]), expected);
    assert_eq!(expected.end, BlockEnd::Invalid { index: 5 });
    // The last one of all it may be as well.
    let session = open(&world, &pool, SessionOptions::from(options().execution.on_invalid(OnInvalid::Stop)));
    session.submit(transactions[..6].to_vec()).unwrap();
    assert_eq!(session.finish().unwrap().into_block_outcome([]), expected);
}

/// A world in which a transaction may run for hours, and one that does.
fn endless() -> (World, Vec<Transaction>) {
    let (mut world, mut transactions) = everything();
    let mut constants = (*world.env.constants).clone();
    constants.limits.execute_max_sierra_gas = u64::MAX / 4;
    constants.limits.execute_max_steps = u64::MAX / 4;
    world.env.constants = Arc::new(constants);
    transactions.truncate(10);
    transactions.insert(4, handler(felt(0xe), "handle", 1));
    let mut endless = world.call(2, SYSCALLS, "loop_forever", &[]).with_flags(free());
    if let TransactionBody::Invoke(InvokeTransaction::V3(invoke)) = &mut endless.body
        && let ValidResourceBounds::AllResources(bounds) = &mut invoke.resource_bounds
    {
        bounds.l2_gas.max_amount.0 = u64::MAX / 4;
    }
    endless.hash = TransactionHash(felt(0xe4d));
    transactions[4] = endless;
    (world, transactions)
}

/// Whether the threads of the pool are free: somebody else gets a block done.
fn pool_is_free(pool: &WorkerPool) -> bool {
    let workload = workload::independent(8, 1);
    let executor = workload.world.executor();
    let expected = executor.execute(&workload.transactions).unwrap();
    executor.pool(pool).execute(&workload.transactions).unwrap() == expected
}

/// A running transaction stops within a millisecond; on a machine full of other tests we ask for a good part of a second.
const SOON: Duration = Duration::from_millis(500);

#[test]
fn c229_the_deadline_ends_a_block_in_the_middle_of_a_transaction() {
    let (world, transactions) = endless();
    let expected = alone(&world, &transactions[..4]);
    for threads in [1, 2, 4] {
        let pool = WorkerPool::new(threads).unwrap();
        let deadline = Instant::now() + Duration::from_millis(700);
        let session = open(&world, &pool, complete().deadline(deadline));
        session.submit(transactions.clone()).unwrap();
        let outcomes: Vec<_> = session.results().collect();
        assert!(Instant::now() >= deadline && deadline.elapsed() < SOON, "{:?}", deadline.elapsed());
        assert!(outcomes == expected.transactions);
        assert_eq!(session.progress().end, Some(Ok(BlockEnd::Deadline)));
        let late = session.submit([handler(felt(0x1a7e), "handle", 1)]);
        assert_eq!(late, Err(SubmitError::Ended(Box::new(BlockEnd::Deadline))));
        let outcome = session.finish().unwrap().into_block_outcome([]);
        let expected = ended(without_transactions(&expected), BlockEnd::Deadline);
        assert!(bytes(&outcome) == bytes(&expected));
        assert!(pool_is_free(&pool));
    }
}

#[test]
fn a_deadline_that_has_passed_lets_nothing_in() {
    let (world, transactions) = everything();
    let pool = WorkerPool::new(2).unwrap();
    let session = open(&world, &pool, options().deadline(Instant::now()));
    assert_eq!(session.submit(transactions), Err(SubmitError::Ended(Box::new(BlockEnd::Deadline))));
    let outcome = session.finish().unwrap().into_block_outcome([]);
    assert_eq!((outcome.end, outcome.transactions.len()), (BlockEnd::Deadline, 0));
}

#[test]
fn cancelling_stops_a_running_transaction() {
    let (world, transactions) = endless();
    let expected = alone(&world, &transactions[..4]);
    for threads in [1, 2, 4] {
        let pool = WorkerPool::new(threads).unwrap();
        let session = open(&world, &pool, complete());
        session.submit(transactions.clone()).unwrap();
        let handle = session.cancel_handle();
        let (outcomes, cancelled) = std::thread::scope(|scope| {
            let cancelling = scope.spawn(|| {
                // It runs when the four before it are done.
                until(|| session.progress().committed == 4);
                std::thread::sleep(Duration::from_millis(50));
                let cancelled = Instant::now();
                assert!(handle.cancel());
                assert!(!handle.clone().cancel(), "only the first one ends it");
                cancelled
            });
            (session.results().collect::<Vec<_>>(), cancelling.join().unwrap())
        });
        assert!(cancelled.elapsed() < SOON, "{:?}", cancelled.elapsed());
        assert!(outcomes == expected.transactions);
        let outcome = session.finish().unwrap().into_block_outcome([]);
        let expected = ended(without_transactions(&expected), BlockEnd::Cancelled);
        assert!(bytes(&outcome) == bytes(&expected));
        assert!(pool_is_free(&pool) && cancelled.elapsed() < 4 * SOON);
    }
}

/// Until no thread is in the transaction any more, on an idle machine: `abort` waits for that.
#[test]
fn aborting_an_endless_transaction_takes_a_moment() {
    let (world, transactions) = endless();
    let pool = WorkerPool::new(3).unwrap();
    let mut times: Vec<Duration> = (0..9)
        .map(|_| {
            let session = open(&world, &pool, options());
            session.submit(transactions.clone()).unwrap();
            until(|| session.progress().committed == 4);
            std::thread::sleep(Duration::from_millis(5));
            let began = Instant::now();
            session.abort();
            began.elapsed()
        })
        .collect();
    times.sort_unstable();
    println!("aborting takes {times:?}");
    assert!(times[0] < Duration::from_millis(20) && times[4] < SOON, "{times:?}");
}

#[test]
fn dropping_a_session_leaves_pool_and_reader_as_they_were() {
    let (world, transactions) = endless();
    let pool = WorkerPool::new(2).unwrap();
    let reader = Arc::new(world.state.clone());
    for committed in [0, 4] {
        let session = BlockSession::open(world.env.clone(), Arc::clone(&reader), &pool, options()).unwrap();
        let submitter = session.submitter();
        submitter.submit(transactions.clone()).unwrap();
        until(|| session.progress().committed >= committed);
        drop(session);
        let began = Instant::now();
        assert!(pool_is_free(&pool) && began.elapsed() < 4 * SOON);
        // Nobody holds the reader, and it says what it said.
        until(|| Arc::strong_count(&reader) == 1);
        assert_eq!(*reader, world.state);
        let late = submitter.submit([handler(felt(0x1a7e), "handle", 1)]);
        assert_eq!(late, Err(SubmitError::Ended(Box::new(BlockEnd::Cancelled))));
    }
}

// ---- what is refused

#[test]
fn departure_duplicates_and_late_transactions_are_error_values() {
    let (world, transactions) = everything();
    let pool = WorkerPool::new(2).unwrap();
    let session = open(&world, &pool, options());
    assert_eq!(session.submit(transactions[..5].to_vec()), Ok(0..5));
    let again = vec![transactions[5].clone(), transactions[3].clone()];
    let duplicate = |index: usize| SubmitError::Duplicate { hash: transactions[index].hash, index };
    assert_eq!(session.submit(again), Err(duplicate(3)));
    // Nothing of that batch was taken, so the other one of it is no duplicate now.
    let twice = vec![transactions[5].clone(), transactions[6].clone(), transactions[5].clone()];
    assert_eq!(session.submit(twice), Err(duplicate(5)));
    assert_eq!(session.submit(transactions[5..7].to_vec()), Ok(5..7));
    let submitter = session.submitter();
    submitter.end_input();
    assert_eq!(submitter.submit([transactions[7].clone()]), Err(SubmitError::InputEnded));
    let outcome = session.finish().unwrap().into_block_outcome([]);
    assert_eq!(outcome.transactions.len(), 7);
    let late = submitter.submit([transactions[7].clone()]);
    assert_eq!(late, Err(SubmitError::Ended(Box::new(BlockEnd::Finished))));

    let session = open(&world, &pool, options());
    let submitter = session.submitter();
    session.submit(transactions[..5].to_vec()).unwrap();
    session.close(3).unwrap().into_block_outcome([]);
    let late = submitter.submit([transactions[7].clone()]);
    assert_eq!(late, Err(SubmitError::Ended(Box::new(BlockEnd::Finished))));
}

#[test]
fn a_block_that_cannot_be_opened_is_no_session() {
    let (world, _) = everything();
    let pool = WorkerPool::new(2).unwrap();
    let opened = BlockSession::open(world.env.clone(), world.state.clone(), &pool, SessionOptions::default());
    assert!(matches!(opened.unwrap_err(), BlockError::BlockHashMissing { .. }));
}

// ---- the reader

/// A reader that fails or panics in the middle ends its session with that; what was committed before can still be a block, the
/// pool serves the next.
#[test]
fn a_reader_that_fails_in_the_middle() {
    let workload = workload::independent(40, 1);
    let Workload { world, transactions, .. } = &workload;
    let expected = alone(world, &transactions[..25]);
    let broken = transactions[25].sender();
    for threads in [1, 3] {
        let pool = WorkerPool::new(threads).unwrap();
        for panics in [false, true] {
            let session = || {
                let session = open_watched(world, &pool, complete(), move |address| {
                    assert!(!(panics && address == broken), "the reader panics, as asked");
                    if address == broken { Err(ReadError::message("no answer, as asked")) } else { Ok(()) }
                });
                session.submit(transactions.clone()).unwrap();
                let outcomes: Vec<_> = session.results().collect();
                assert!(outcomes == expected.transactions);
                session
            };
            let failure = session().finish().unwrap_err();
            let BlockError::Transaction { index: 25, hash, failure: why } = &failure else {
                panic!("{failure:?}")
            };
            assert_eq!(*hash, transactions[25].hash);
            assert!(error_chain(why).contains("as asked"), "{why:?}");
            let late = session().submit([handler(felt(0x1a7e), "handle", 1)]);
            assert_eq!(late, Err(SubmitError::Failed(Box::new(failure.clone()))));
            assert_eq!(session().close(26), Err(CloseError::Block(failure)));
            let outcome = session().close(25).unwrap().into_block_outcome([]);
            let expected = without_transactions(&expected);
            assert!(bytes(&outcome) == bytes(&expected));
            assert!(pool_is_free(&pool));
        }
    }
}

/// A reader that hangs holds nothing up but the thread that asked it: results end at the deadline, and dropping does not wait.
#[test]
fn a_reader_that_hangs_does_not_hang_the_host() {
    let workload = workload::independent(10, 1);
    let gate = Arc::new((Mutex::new(false), Condvar::new()));
    let hangs_at = workload.transactions[4].sender();
    let pool = WorkerPool::new(3).unwrap();
    let deadline = Instant::now() + Duration::from_millis(600);
    let options = options().deadline(deadline);
    let session = open_watched(&workload.world, &pool, options, {
        let gate = Arc::clone(&gate);
        move |address| {
            let mut is_open = gate.0.lock().unwrap();
            while address == hangs_at && !*is_open {
                is_open = gate.1.wait(is_open).unwrap();
            }
            Ok(())
        }
    });
    session.submit(workload.transactions.clone()).unwrap();
    assert_eq!(session.results().count(), 4);
    assert!(deadline.elapsed() < SOON);
    let outcome = session.finish().unwrap().into_block_outcome([]);
    assert_eq!(outcome.end, BlockEnd::Deadline);
    *gate.0.lock().unwrap() = true;
    gate.1.notify_all();
    assert!(pool_is_free(&pool));
}

// ---- together

#[test]
fn sessions_share_a_pool() {
    let pool = WorkerPool::new(3).unwrap();
    std::thread::scope(|scope| {
        for make in [workload::mixed as Maker, workload::chain, workload::sequencer, workload::hot_pool] {
            let pool = &pool;
            scope.spawn(move || {
                let Workload { name, world, transactions } = make(60, 3);
                let expected = bytes(&alone(&world, &transactions));
                for round in 0..3 {
                    let session = open(&world, pool, complete().undelivered(4));
                    let mut outcomes = Vec::new();
                    for batch in transactions.chunks(11) {
                        session.submit(batch.to_vec()).unwrap();
                        outcomes.extend(session.results().take(5));
                    }
                    if round == 1 {
                        continue; // dropped in the middle
                    }
                    outcomes.extend(session.results());
                    let mut outcome = session.finish().unwrap().into_block_outcome([]);
                    outcome.transactions = outcomes;
                    assert!(bytes(&outcome) == expected, "{name}");
                }
            });
        }
    });
}

/// A session that is used from a thread of its own pool, all of whose threads may be waiting like that.
#[test]
fn a_thread_of_the_pool_that_waits_works() {
    let workload = workload::independent(30, 1);
    let expected = bytes(&alone(&workload.world, &workload.transactions));
    let pool = WorkerPool::new(2).unwrap();
    let (done, outcome) = mpsc::channel();
    let world = World { env: workload.world.env.clone(), state: workload.world.state.clone() };
    let (inner_pool, transactions) = (pool.clone(), workload.transactions.clone());
    // The callback of one session runs another to its end, on the only thread that the pool has.
    let outer =
        BlockSession::open_with(world.env.clone(), world.state.clone(), &pool, options(), move |index, _| {
            if index == 0 {
                let inner = open(&world, &inner_pool, complete());
                inner.submit(transactions.clone()).unwrap();
                done.send(inner.finish().unwrap().into_block_outcome([])).unwrap();
            }
        })
        .unwrap();
    outer.submit([workload.transactions[0].clone()]).unwrap();
    let outcome = outcome.recv_timeout(Duration::from_secs(60)).unwrap();
    assert!(bytes(&outcome) == expected);
    outer.finish().unwrap().into_block_outcome([]);
}

/// What a callback may do: ask, submit, cancel.
#[test]
fn a_callback_may_use_the_handles() {
    let workload = workload::independent(30, 1);
    let pool = WorkerPool::new(2).unwrap();
    let handles = Arc::new(Mutex::new(None));
    let told = Arc::new(AtomicUsize::new(0));
    let session = {
        let (handles, told, more) =
            (Arc::clone(&handles), Arc::clone(&told), workload.transactions[20..].to_vec());
        BlockSession::open_with(
            workload.world.env.clone(),
            workload.world.state.clone(),
            &pool,
            options(),
            move |index, _| {
                told.fetch_add(1, Ordering::Relaxed);
                let handles = handles.lock().unwrap();
                let Some((submitter, cancel)): &Option<(
                    starkiln::block::Submitter<_>,
                    starkiln::block::CancelHandle,
                )> = &*handles
                else {
                    panic!("the handles are there before the first transaction is")
                };
                match index {
                    3 => assert_eq!(submitter.submit(more.clone()), Ok(20..30)),
                    24 => assert!(cancel.cancel()),
                    _ => {}
                }
            },
        )
        .unwrap()
    };
    *handles.lock().unwrap() = Some((session.submitter(), session.cancel_handle()));
    session.submit(workload.transactions[..20].to_vec()).unwrap();
    assert_eq!(session.all_results().count(), 0, "a callback has taken them");
    let outcome = session.finish().unwrap().into_block_outcome([]);
    assert_eq!((outcome.end, told.load(Ordering::Relaxed)), (BlockEnd::Cancelled, 25));
}

// ---- validations

/// A validation that was carried out before the session is used by it while nothing it read has changed; else carried out again.
#[test]
fn a_signature_is_not_checked_twice() {
    let mut world = World::new(NEWEST);
    world.deploy("syscalls", SYSCALLS);
    // Validation requires cell 3 of the account to hold 0, and adds one.
    let signature = [felt(12), felt(3), Felt::ZERO];
    let transactions = [0, 1].map(|nonce| world.signed_call(nonce, SYSCALLS, "nothing", &[], &signature));
    let later_nonces = ExecutionFlags { strict_nonce: false, ..ExecutionFlags::default() };
    let known = transactions.clone().map(|transaction| {
        let at_any_nonce = transaction.clone().with_flags(later_nonces);
        match world.executor().validate(&at_any_nonce).unwrap() {
            Validation::Valid(Some(validated)) => transaction.with_validation(validated),
            other => panic!("{other:?}"),
        }
    });
    // The account's code accepts nothing any more: only what was validated before can be in the block.
    world.state.classes.insert(class("account_open").0, class("erc20").1);
    for threads in [1, 3] {
        let pool = WorkerPool::new(threads).unwrap();
        let run = |transactions: &[Transaction]| {
            let session = open(&world, &pool, options());
            session.submit(transactions.to_vec()).unwrap();
            session
                .finish()
                .unwrap()
                .into_block_outcome([])
                .transactions
                .iter()
                .map(TransactionOutcome::status)
                .collect::<Vec<_>>()
        };
        assert_eq!(run(&transactions[..1]), [TransactionStatus::Invalid]);
        // The first one changes the cell that the second one's validation read.
        assert_eq!(run(&known), [TransactionStatus::Succeeded, TransactionStatus::Invalid]);
    }
}
