//! Sessions: a block from a stream of transactions. Shared here: a block with every kind of transaction, and
//! helpers.

mod cached_validation;
mod endings;
mod host_reader;
mod refusals;
mod results;
mod sharing;

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::fixture::reader::Watched;
use crate::fixture::{ACCOUNT, FEE_TOKEN, SEQUENCER, World, address, class, felt, selector, workload};
use starkiln::block::{
    BlockEnd, BlockHashSource, BlockOutcome, BlockSession, ExecutionOptions, SessionOptions, WorkerPool,
};
use starkiln::class::{ContractClass, DeclaredClass};
use starkiln::protocol::ProtocolVersion;
use starkiln::state::{MemoryState, ReadError, StateKey, StateReader};
use starkiln::transaction::{ExecutionFlags, Transaction};
use starknet_api::block::BlockHash;
use starknet_api::core::{ClassHash, CompiledClassHash, ContractAddress, EntryPointSelector, Nonce};
use starknet_api::transaction::fields::{Calldata, Fee, TransactionSignature};
use starknet_api::transaction::{
    DeclareTransaction, DeclareTransactionV2, L1HandlerTransaction, TransactionHash, TransactionVersion,
};
use starknet_types_core::felt::Felt;

const NEWEST: ProtocolVersion = ProtocolVersion::NEWEST;
const SYSCALLS: u128 = 0x5ca;
const CALLER: u128 = 0xca11;
const SECOND: u128 = 0xacd;
const POOR: u128 = 0xace;

/// Every observable of a block, as bytes: the order of maps and sets included.
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

/// The outcome of a session whose results were all delivered.
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

/// Creates transactions with consecutive nonces for each sender.
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

/// Sixty transactions: declares, deployments, migrations, reverts, invalid ones, L1 handlers, and some that
/// read or write the balance of the sequencer, its own among them. The low half of that balance is about to
/// overflow.
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

/// Returns the outcome that a session must have: that of sequential execution.
fn sequential(world: &World, transactions: &[Transaction]) -> BlockOutcome {
    world.executor().keep_reverted_calls().collect_prover_reads().execute(transactions).unwrap()
}

fn complete() -> SessionOptions {
    options().execution.keep_reverted_calls().collect_prover_reads().into()
}

/// Waits until a condition holds.
fn until(condition: impl Fn() -> bool) {
    let began = Instant::now();
    while !condition() {
        assert!(began.elapsed() < Duration::from_secs(60), "the condition does not hold within a minute");
        std::thread::sleep(Duration::from_micros(200));
    }
}

/// Opens a session over a reader that calls `before` with the address of each storage and nonce read.
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

/// Returns `true` if another block can be executed with the pool.
fn pool_is_free(pool: &WorkerPool) -> bool {
    let workload = workload::independent(8, 1);
    let executor = workload.world.executor();
    let expected = executor.execute(&workload.transactions).unwrap();
    executor.pool(pool).execute(&workload.transactions).unwrap() == expected
}

/// The time in which a running transaction must stop. It takes a millisecond, more on a machine that is busy
/// with other tests.
const SOON: Duration = Duration::from_millis(500);
