//! Deliberate departures from blockifier: each with the results of both executors for one case.
//!
//! Blocks are made by the `World` of the rule tests. Not here, because they are not of one transaction: what
//! ends, fills and cancels a block, and parallel fee transfers.

#[allow(dead_code, reason = "the rule tests use the rest")]
#[path = "../../rules/world/mod.rs"]
mod world;

use std::path::Path;

use blockifier::execution::contract_class::RunnableCompiledClass;
use blockifier::state::cached_state::{CachedState, TransactionalState};
use blockifier::state::errors::StateError as BlockifierError;
use blockifier::state::state_api::{StateReader as BlockifierStateReader, StateResult};
use blockifier::transaction::account_transaction::{AccountTransaction, ExecutionFlags};
use blockifier::transaction::objects::TransactionExecutionInfo;
use blockifier::transaction::transactions::ExecutableTransaction;
use serde_json::{Value, json};
use starkiln::block::{BlockError, BlockExecutor, TransactionStatus};
use starkiln::call::FailureCause;
use starkiln::class::ContractClass;
use starkiln::fee::FeeError;
use starkiln::fee::fee_token_balance_key;
use starkiln::protocol::ProtocolVersion;
use starkiln::state::{MemoryState, ReadError, StateReader};
use starkiln::transaction::{FatalError, InvalidTransaction, Transaction, TransactionBody};
use starknet_api::block::{GasPrice, NonzeroGasPrice};
use starknet_api::core::{ClassHash, CompiledClassHash, ContractAddress, Nonce};
use starknet_api::executable_transaction::{AccountTransaction as ApiAccountTransaction, InvokeTransaction};
use starknet_api::state::StorageKey;
use starknet_types_core::felt::Felt;

use self::world::*;
use crate::fixture::casm::{self, Program};
use crate::input::Input;
use crate::reference::{
    Blockifier, BlockifierClasses, BlockifierOutcome, Ending, block_context, blockifier_classes,
};

/// Both executors' inputs.
fn input(world: &World, transactions: &[Tx]) -> (Input, BlockifierClasses) {
    let input = Input::new(&world.block(transactions), Path::new("")).unwrap();
    let classes = blockifier_classes(&input.classes);
    (input, classes)
}

/// Blockifier's results of a block. Its panics are caught.
fn theirs(world: &World, transactions: &[Tx]) -> Vec<BlockifierOutcome> {
    let (input, classes) = input(world, transactions);
    let mut blockifier = Blockifier::new(&input, classes).unwrap();
    input.transactions.iter().map(|transaction| blockifier.execute(transaction)).collect()
}

fn panicked(outcome: &BlockifierOutcome) -> &str {
    outcome.panic.as_deref().unwrap_or_else(|| panic!("it did not panic: {}", outcome.view))
}

/// A reader that cannot read one cell.
struct Broken {
    state: MemoryState,
    classes: BlockifierClasses,
    cell: (ContractAddress, StorageKey),
}

impl StateReader for Broken {
    fn storage_at(&self, address: ContractAddress, key: StorageKey) -> Result<Felt, ReadError> {
        if (address, key) == self.cell {
            Err(ReadError::message("no such page"))
        } else {
            self.state.storage_at(address, key)
        }
    }

    fn nonce_at(&self, address: ContractAddress) -> Result<Nonce, ReadError> {
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

/// The same for blockifier.
struct BrokenForThem(Broken);

fn refused(error: ReadError) -> BlockifierError {
    BlockifierError::StateReadError(error.to_string())
}

impl BlockifierStateReader for BrokenForThem {
    fn get_storage_at(&self, address: ContractAddress, key: StorageKey) -> StateResult<Felt> {
        self.0.storage_at(address, key).map_err(refused)
    }

    fn get_nonce_at(&self, address: ContractAddress) -> StateResult<Nonce> {
        self.0.nonce_at(address).map_err(refused)
    }

    fn get_class_hash_at(&self, address: ContractAddress) -> StateResult<ClassHash> {
        self.0.class_hash_at(address).map_err(refused)
    }

    fn get_compiled_class(&self, class_hash: ClassHash) -> StateResult<RunnableCompiledClass> {
        self.0.classes.get(&class_hash).cloned().ok_or(BlockifierError::UndeclaredClassHash(class_hash))
    }

    fn get_compiled_class_hash(&self, class_hash: ClassHash) -> StateResult<CompiledClassHash> {
        self.0.compiled_class_hash(class_hash).map_err(refused)
    }
}

/// Blockifier's result of an invocation: its execution info, or its error.
fn their_info<R: BlockifierStateReader>(
    input: &Input,
    reader: R,
    transaction: &Transaction,
) -> Result<TransactionExecutionInfo, String> {
    let TransactionBody::Invoke(invoke) = &transaction.body else { panic!("only invocations") };
    let transaction = AccountTransaction {
        tx: ApiAccountTransaction::Invoke(InvokeTransaction {
            tx: invoke.clone(),
            tx_hash: transaction.hash,
        }),
        execution_flags: ExecutionFlags::default(),
    };
    let mut state = CachedState::new(reader);
    let mut state = TransactionalState::create_transactional(&mut state);
    let context = block_context(&input.env, input.limits.theirs()).unwrap();
    transaction.execute_raw(&mut state, &context, false).map_err(|error| error.to_string())
}

#[test]
fn a_readers_failure_is_the_hosts_error_and_a_revert_there() {
    let world = World::furnished(ProtocolVersion::NEWEST);
    let (input, classes) = input(&world, &[invoke(SYSCALLS, "storage_read", felts(&[5]))]);
    let broken = |cell| Broken { state: input.state.clone(), classes: classes.clone(), cell };
    let ours = |cell| {
        let reader = broken(cell);
        BlockExecutor::new(input.env.clone(), &reader)
            .block_hash_source(input.block_hash_source)
            .execute(&input.transactions)
            .unwrap_err()
    };
    // While it executes: they blame the transaction, and charge it.
    let cell = (address(SYSCALLS), key(5));
    let info = their_info(&input, BrokenForThem(broken(cell)), &input.transactions[0]).unwrap();
    assert!(info.is_reverted() && info.receipt.fee.0 > 0);
    let BlockError::Transaction { failure, .. } = ours(cell) else { panic!() };
    assert!(matches!(*failure, FatalError::Reader(_)), "{failure}");
    // Before it executes: they call it invalid.
    let cell = (address(STRK), fee_token_balance_key(address(ACCOUNT)));
    let error = their_info(&input, BrokenForThem(broken(cell)), &input.transactions[0]).unwrap_err();
    assert!(error.contains("no such page"), "{error}");
    let BlockError::Transaction { failure, .. } = ours(cell) else { panic!() };
    assert!(matches!(*failure, FatalError::Reader(_)), "{failure}");
}

#[test]
fn a_fee_above_all_that_was_promised_is_an_error_and_a_panic_there() {
    let mut world = World::furnished(ProtocolVersion::NEWEST);
    // New cells cost L2 gas also where only L1 gas is bounded, and it is dear here: the comparison in L1 gas
    // does not see that.
    world.file.block.prices.fri.l2_gas = GasPrice(1_000_000);
    let write = |amount| invoke(SYSCALLS, "storage_write_many", felts(&[1, 20, 7])).bounds(l1_bounds(amount));
    let gas = world.run_without_blockifier(&[write(1_000_000_000)]).execution(0).receipt.gas;
    let in_l1_gas = gas.l1_gas.0 + gas.l1_data_gas.0.div_ceil(1_000) + gas.l2_gas.0.div_ceil(40_000);
    let tight = write(in_l1_gas);
    let ours = world.run_without_blockifier(std::slice::from_ref(&tight));
    assert!(
        matches!(ours.invalid(0), InvalidTransaction::Amount(FeeError::AboveMaxPossible { .. })),
        "{}",
        ours.invalid(0)
    );
    let theirs = &theirs(&world, &[tight])[0];
    assert!(panicked(theirs).contains("Actual fee"), "{}", panicked(theirs));
}

#[test]
fn huge_bounds_are_many_steps_and_wrap_around_there() {
    let world = World::furnished(ProtocolVersion::NEWEST);
    // 400 steps for one L1 gas: 2^64 and 384. Where overflow is checked they panic; here they go on with 384
    // steps.
    let huge = u64::MAX / 400 + 1;
    let tx = invoke(SYSCALLS, "nothing", vec![]).bounds(l1_bounds(huge));
    let ours = world.run_without_blockifier(std::slice::from_ref(&tx));
    assert_eq!(ours.statuses(), [TransactionStatus::Succeeded]);
    let theirs = &theirs(&world, &[tx])[0];
    let wrapped = theirs.ending == Ending::Reverted
        && theirs.view["revert_reason"].as_str().unwrap().contains("RunResources has no remaining steps");
    assert!(wrapped || theirs.panic.is_some(), "{}", theirs.view);
}

#[test]
fn the_last_nonce_is_an_error_and_zero_again_there() {
    let mut world = World::furnished(ProtocolVersion::NEWEST);
    world.file.state.contracts.get_mut(&address(SYSCALLS)).unwrap().nonce = Nonce(Felt::MAX);
    world.file.state.contracts.get_mut(&address(ACCOUNT)).unwrap().nonce = Nonce(Felt::MAX);
    let mut block = world.block(&[]);
    let mut calling = World::furnished(ProtocolVersion::NEWEST)
        .block(&[invoke(SYSCALLS, "nothing", vec![])])
        .transactions
        .remove(0);
    if let starkiln::replay::FileTransactionBody::Invoke(starknet_api::transaction::InvokeTransaction::V3(
        invoke,
    )) = &mut calling.body
    {
        invoke.nonce = Nonce(Felt::MAX);
    }
    block.transactions.push(calling);
    let input = Input::new(&block, Path::new("")).unwrap();
    let ours = BlockExecutor::new(input.env.clone(), &input.state)
        .block_hash_source(input.block_hash_source)
        .execute(&input.transactions)
        .unwrap();
    assert_eq!(ours.transactions[0].status(), TransactionStatus::Invalid);
    let mut blockifier = Blockifier::new(&input, blockifier_classes(&input.classes)).unwrap();
    let theirs = blockifier.execute(&input.transactions[0]);
    assert!(theirs.ending != Ending::Invalid, "{}", theirs.view);
    assert_eq!(blockifier.nonce_at(address(ACCOUNT)), Nonce(Felt::ZERO));
}

#[test]
fn free_gas_is_free_and_cannot_be_said_there() {
    assert!(NonzeroGasPrice::new(GasPrice(0)).is_err());
    let mut world = World::furnished(ProtocolVersion::NEWEST);
    world.file.block.prices = Default::default();
    let ours = world.run_without_blockifier(&[
        invoke(SYSCALLS, "storage_write", felts(&[1, 2])),
        invoke_v1(0, SYSCALLS, "nothing", vec![]),
    ]);
    assert_eq!(ours.statuses(), [TransactionStatus::Succeeded; 2]);
    assert!((0..2).all(|index| ours.execution(index).receipt.fee.0 == 0));
    assert!(ours.execution(0).receipt.gas.l2_gas.0 > 0);
    assert!(ours.execution(0).fee_transfer_call.is_none());
}

#[test]
fn a_reverted_execution_keeps_its_calls_on_request_and_loses_them_there() {
    let world = World::furnished(ProtocolVersion::NEWEST);
    let tx = invoke(CALLER, "call", target(SYSCALLS, "panic_with", &span(&felts(&[7]))));
    let (input, classes) = input(&world, std::slice::from_ref(&tx));
    let reader =
        BrokenForThem(Broken { state: input.state.clone(), classes, cell: (address(0xbad), key(0)) });
    let info = their_info(&input, reader, &input.transactions[0]).unwrap();
    assert!(info.is_reverted() && info.execute_call_info.is_none());
    let ours = world.run_without_blockifier(&[tx]);
    assert_eq!(ours.reverted(0).iter().count(), 3);
    assert_eq!(ours.reverted(0).inner_calls[0].inner_calls[0].retdata, felts(&[7]));
}

#[test]
fn every_call_knows_its_class_where_theirs_may_have_none() {
    let mut world = World::furnished(ProtocolVersion::NEWEST);
    let class_hash = world.declare("nft");
    let tx = invoke(SYSCALLS, "deploy", join(&[&[class_hash.0, felt(1)], &span(&[]), &felts(&[0])]));
    let (input, classes) = input(&world, std::slice::from_ref(&tx));
    let reader =
        BrokenForThem(Broken { state: input.state.clone(), classes, cell: (address(0xbad), key(0)) });
    let info = their_info(&input, reader, &input.transactions[0]).unwrap();
    let theirs = &info.execute_call_info.as_ref().unwrap().inner_calls[0].inner_calls[0];
    let ours = world.run_without_blockifier(&[tx]);
    // Starkiln's type always holds a class hash; blockifier's holds an `Option` that every reader must
    // handle.
    let ours: ClassHash = ours.inner(0).inner_calls[0].call.class_hash;
    let theirs: Option<ClassHash> = theirs.call.class_hash;
    assert_eq!((ours, theirs), (class_hash, Some(class_hash)));
}

#[test]
fn a_syscall_younger_than_the_version_is_a_typed_fault_and_a_panic_there() {
    for version in [ProtocolVersion::OLDEST, ProtocolVersion::V0_13_3] {
        let world = World::furnished(version);
        let tx = invoke(SYSCALLS_NEW, "class_hash_at", felts(&[1]));
        let ours = world.run_without_blockifier(std::slice::from_ref(&tx));
        assert_eq!(ours.cause(0), FailureCause::Syscall);
        let text = ours.reason(0);
        assert!(text.contains("Syscall GetClassHashAt does not exist before version 0.13.4."), "{text}");
        panicked(&theirs(&world, &[tx])[0]);
    }
}

#[test]
fn a_word_too_long_for_sha_is_a_typed_fault_and_a_panic_there() {
    let mut world = World::furnished(ProtocolVersion::NEWEST);
    let mut program = Program::new();
    for word in 0..24 {
        program = program.request(40 + word, 1_u128 << 32);
    }
    let program = program
        .request(0, short("Sha256ProcessBlock"))
        .request(1, 1_000_000_u64)
        .push_fp_plus(casm::SYSCALLS, 40_u64)
        .store_fp(casm::SYSCALLS, 2)
        .push_fp_plus(casm::SYSCALLS, 48_u64)
        .store_fp(casm::SYSCALLS, 3)
        .syscall(0)
        .answer(7, 4, 6);
    let class_hash = world.make(MADE, &casm::class(&program, &[]), "1.7.0");
    world.place(class_hash, MADE);
    let tx = invoke(MADE, "run", vec![]);
    let ours = world.run_without_blockifier(std::slice::from_ref(&tx));
    assert_eq!(ours.cause(0), FailureCause::Syscall, "{}", ours.reason(0));
    panicked(&theirs(&world, &[tx])[0]);
}

/// A class that shows the point that a hint draws, as no class does that was compiled: they take it away
/// again from every sum.
fn showing_the_point(world: &mut World) {
    let hint = json!([0, [{"RandomEcPoint": {"x": {"register": "FP", "offset": 20}, "y": {"register": "FP", "offset": 21}}}]]);
    let program = Program::new()
        .push_fp(20)
        .store_fp(casm::SYSCALLS, 0)
        .push_fp(21)
        .store_fp(casm::SYSCALLS, 1)
        .answer(0, 0, 2);
    let mut class: Value = casm::class(&program, &[]);
    class["hints"] = json!([hint]);
    let class_hash = world.make(MADE, &class, "1.7.0");
    world.place(class_hash, MADE);
}

#[test]
fn a_drawn_point_is_the_same_in_a_process_and_another_each_time_there() {
    let mut world = World::furnished(ProtocolVersion::NEWEST);
    showing_the_point(&mut world);
    let txs = [invoke(MADE, "run", vec![]), invoke(MADE, "run", vec![])];
    let ours = world.run_without_blockifier(&txs);
    assert_eq!(ours.inner(0).retdata, ours.inner(1).retdata);
    assert_eq!(ours.inner(0).retdata.len(), 2);
    let theirs = theirs(&world, &txs);
    let point = |index: usize| {
        let call = &theirs[index].view["execute"]["inner_calls"][0];
        assert!(!call.is_null(), "{}", theirs[index].view);
        call["retdata"].clone()
    };
    assert_ne!(point(0), point(1));
    // Results of compiled code that use a point are the same at both, and the same in every run.
    let x = Felt::from_hex_unchecked("0x1ef15c18599971b7beced415a40f0c7deacfd9b0d1819e03d723d8bc943cfca");
    let y = Felt::from_hex_unchecked("0x5668060aa49730b7be4801df46ec62de53ecd11abe43a32873000c36e8dc1f");
    let sums =
        [invoke(SYSCALLS, "ec_mul", vec![x, y, felt(5)]), invoke(SYSCALLS, "ec_mul", vec![x, y, felt(5)])];
    let ours = world.run_without_blockifier(&sums);
    assert_eq!(ours.inner(0).retdata, ours.inner(1).retdata);
}

/// The owner of a key can make such a signature; blockifier panics in the thread that executes the block.
#[test]
fn a_signature_with_a_sum_at_infinity_is_refused_and_a_panic_there() {
    let mut world = World::furnished(ProtocolVersion::NEWEST);
    world.deploy("cairo0/library", MADE);
    let key = Felt::from_hex_unchecked("0x3df94c805edd64cd42c6404d5ecca70b2db9b4b89432a2f01c0c4f54eeecaaa");
    let r = Felt::from_hex_unchecked("0x9f959c427e56725d1745d1745d1745cbce36a17d866af9ee6f853ba8438dad");
    let tx = invoke(MADE, "ecdsa", vec![felt(0x0123_4567_89ab_cdef), key, r, felt(1)]);
    let ours = world.run_without_blockifier(std::slice::from_ref(&tx));
    assert_eq!(ours.cause(0), FailureCause::Program, "{}", ours.reason(0));
    panicked(&theirs(&world, &[tx])[0]);
}
