//! Transactions with the facts of a client-side proof, from 0.14.2 on, and the bootstrap declarations of a
//! chain without accounts. `tests/differential` generates both at random (`proofs`, `bootstrap`); the tests
//! here show each rule.

use std::sync::Arc;

use crate::fixture::{ACCOUNT, SYSCALLS, World, class, felt};
use starkiln::block::{
    BlockHashSource, BlockSession, ExecutionOptions, TransactionDisposition, TransactionOutcome,
    TransactionStatus, Validation, WorkerPool,
};
use starkiln::class::{ContractClass, DeclaredClass};
use starkiln::fee::FeeError;
use starkiln::protocol::ProtocolVersion;
use starkiln::transaction::{
    Execution, ExecutionFlags, InvalidTransaction, ProofFactsError, Transaction, TransactionBody,
};
use starknet_api::block::{BlockHash, BlockNumber, StarknetVersion};
use starknet_api::core::{ClassHash, CompiledClassHash, OsChainInfo};
use starknet_api::data_availability::DataAvailabilityMode;
use starknet_api::execution_resources::GasAmount;
use starknet_api::transaction::fields::{
    AllResourceBounds, ProofFacts, ProofVersion, ResourceBounds, ValidResourceBounds,
};
use starknet_api::transaction::{
    DeclareTransaction, DeclareTransactionV3, InvokeTransaction, TransactionHash,
};
use starknet_types_core::felt::Felt;

use ProtocolVersion as Version;

/// The versions with proofs.
const VERSIONS: [Version; 3] = [Version::V0_14_2, Version::V0_14_3, Version::V0_14_4];
const NEWEST: Version = Version::NEWEST;
/// Block N-10, whose hash becomes readable when the block is opened.
const OLD_NUMBER: u64 = 990;
const OLD_HASH: u128 = 0xb10c;

// Indices in proof facts.
const VERSION: usize = 0;
const MARKER: usize = 1;
const PROGRAM: usize = 2;
const OUTPUT: usize = 3;
const NUMBER: usize = 4;
const HASH: usize = 5;
const CONFIG: usize = 6;

fn short(text: &str) -> Felt {
    Felt::from_bytes_be_slice(text.as_bytes())
}

fn world(version: Version) -> World {
    let mut world = World::new(version);
    world.deploy("syscalls_new", SYSCALLS);
    world
}

fn config(world: &World) -> Felt {
    let chain = &world.env.chain;
    let info = OsChainInfo { chain_id: chain.chain_id.clone(), strk_fee_token_address: chain.strk_fee_token };
    let version = StarknetVersion::try_from(world.env.constants.version).unwrap();
    info.compute_virtual_os_config_hash(version).unwrap()
}

/// Valid facts.
fn facts(world: &World) -> Vec<Felt> {
    let lists = &world.env.constants.lists;
    let version = lists.proof_versions.first().copied().unwrap_or(short("PROOF0"));
    let program = lists.virtual_os_program_hashes.first().copied().unwrap_or(felt(5));
    let number = Felt::from(OLD_NUMBER);
    vec![
        version,
        short("VIRTUAL_SNOS"),
        program,
        short("VIRTUAL_SNOS0"),
        number,
        felt(OLD_HASH),
        config(world),
    ]
}

fn with_facts(mut transaction: Transaction, facts: Vec<Felt>) -> Transaction {
    let TransactionBody::Invoke(InvokeTransaction::V3(invoke)) = &mut transaction.body else { panic!() };
    invoke.proof_facts = ProofFacts(Arc::new(facts));
    transaction
}

fn asking(world: &World, nonce: u64) -> Transaction {
    world.call(nonce, SYSCALLS, "execution_info_v3", &[])
}

fn execution(outcome: &TransactionOutcome) -> &Execution {
    outcome.execution().unwrap_or_else(|| panic!("{:?}", outcome.disposition))
}

/// The reason why a block of this one transaction rejects it, and validation as well.
fn refusal(world: &World, transaction: Transaction) -> ProofFactsError {
    let facts = |error: &InvalidTransaction| match error {
        InvalidTransaction::ProofFacts(error) => error.clone(),
        other => panic!("{other}"),
    };
    let Validation::Invalid(alone) = world.executor().validate(&transaction).unwrap() else {
        panic!("validation alone accepts it")
    };
    match &world.execute(&[transaction]).transactions[0].disposition {
        TransactionDisposition::Invalid(error) => {
            assert_eq!(**error, *alone);
            assert!(error.to_string().starts_with("Invalid proof facts: "), "{error}");
            facts(error)
        }
        other => panic!("{other:?}"),
    }
}

/// Facts with every proof version and program that the protocol version allows.
#[test]
fn facts_that_hold_are_accepted_paid_for_and_shown() {
    for version in VERSIONS {
        let world = world(version);
        let plain = world.execute(&[asking(&world, 0)]);
        let plain = &execution(&plain.transactions[0]).receipt;
        let lists = &world.env.constants.lists;
        for proof_version in &lists.proof_versions {
            for program in &lists.virtual_os_program_hashes {
                let mut facts = facts(&world);
                (facts[VERSION], facts[PROGRAM]) = (*proof_version, *program);
                // Further felts are left to the account.
                for more in 0..3_usize {
                    facts.extend(vec![Felt::THREE; more]);
                    let proven = with_facts(asking(&world, 0), facts.clone());
                    let outcome = world.execute(&[proven]);
                    let execution = execution(&outcome.transactions[0]);
                    assert!(!execution.is_reverted(), "{version} {:?}", execution.revert_reason);
                    // 75,000,000 L2 gas for the proof; each felt of facts costs as much as a felt of
                    // calldata.
                    let gas = execution.receipt.gas.l2_gas.0 - plain.gas.l2_gas.0;
                    assert!((75_000_000..75_200_000).contains(&gas), "{version}: {gas}");
                    let archival = |receipt: &starkiln::fee::Receipt| {
                        receipt.resources.archival.extended_calldata_length
                    };
                    let felts = u64::try_from(facts.len()).unwrap();
                    assert_eq!(archival(&execution.receipt), archival(plain) + felts);
                    // The called contract sees the facts at the end of the execution info.
                    let answer = &execution.execute_call.as_ref().unwrap().inner_calls[0].retdata;
                    assert!(format!("{answer:?}").contains(&format!("{:?}", facts[CONFIG])), "{answer:?}");
                }
            }
        }
    }
}

#[test]
fn facts_that_do_not_hold_are_refused_by_name() {
    for version in VERSIONS {
        let world = world(version);
        let refused = |place: usize, value: Felt| {
            let mut facts = facts(&world);
            facts[place] = value;
            refusal(&world, with_facts(asking(&world, 0), facts))
        };
        let form = |error: ProofFactsError, text: &str| match error {
            ProofFactsError::Form(said) => assert!(said.contains(text), "{said}"),
            other => panic!("{other}"),
        };
        form(refused(VERSION, short("PROOF9")), "first field");
        form(refused(MARKER, short("VIRTUAL")), "Non-SNOS");
        form(refused(OUTPUT, short("VIRTUAL_SNOS9")), "VIRTUAL_OS_OUTPUT_VERSION");
        form(refused(NUMBER, Felt::MAX), "u64");
        for length in 1..7 {
            let facts = facts(&world)[..length].to_vec();
            form(refusal(&world, with_facts(asking(&world, 0), facts)), "");
        }
        for (text, proof_version) in
            [("PROOF0", ProofVersion::V0), ("PROOF1", ProofVersion::V1), ("PROOF2", ProofVersion::V2)]
        {
            if !world.env.constants.lists.proof_versions.contains(&short(text)) {
                assert_eq!(refused(VERSION, short(text)), ProofFactsError::ProofVersion(proof_version));
            }
        }
        assert_eq!(refused(PROGRAM, felt(5)), ProofFactsError::Program(felt(5)));
        let too_recent = ProofFactsError::TooRecent { number: OLD_NUMBER + 1, youngest: OLD_NUMBER };
        assert_eq!(refused(NUMBER, Felt::from(OLD_NUMBER + 1)), too_recent);
        assert_eq!(refused(HASH, Felt::ZERO), ProofFactsError::ZeroHash { number: OLD_NUMBER });
        let (proven, stored) = (felt(6), felt(OLD_HASH));
        assert_eq!(refused(HASH, proven), ProofFactsError::BlockHash { number: OLD_NUMBER, proven, stored });
        // A block whose hash was never stored.
        let (number, proven, stored) = (OLD_NUMBER - 1, felt(OLD_HASH), Felt::ZERO);
        assert_eq!(
            refused(NUMBER, Felt::from(number)),
            ProofFactsError::BlockHash { number, proven, stored }
        );
        let (proven, expected) = (felt(7), config(&world));
        assert_eq!(refused(CONFIG, proven), ProofFactsError::Config { expected, proven });
    }
}

/// The allowed proofs by version: 0.14.3 withdrew the first ones and has another program, 0.14.4 has two of
/// each.
#[test]
fn each_version_has_its_proofs_and_programs() {
    let lists = |version| {
        let world = World::new(version);
        let lists = &world.env.constants.lists;
        (lists.proof_versions.clone(), lists.virtual_os_program_hashes.clone(), config(&world))
    };
    let [first, second, third] = VERSIONS.map(lists);
    assert_eq!(first.0, [short("PROOF0")]);
    assert_eq!(second.0, [short("PROOF1")]);
    assert_eq!(third.0, [short("PROOF1"), short("PROOF2")]);
    assert_eq!([&first, &second, &third].map(|lists| lists.1.len()), [1, 1, 2]);
    assert!(!second.1.contains(&first.1[0]) && third.1.contains(&second.1[0]));
    // Another hash function from 0.14.3 on.
    assert_ne!(first.2, second.2);
    assert_eq!(second.2, third.2);
    // Earlier versions allow none.
    let world = world(Version::V0_14_1);
    let refused = refusal(&world, with_facts(asking(&world, 0), facts(&world)));
    assert_eq!(refused, ProofFactsError::ProofVersion(ProofVersion::V0));
}

#[test]
fn proofs_are_checked_for_free_transactions_too_and_on_short_chains() {
    let world = world(NEWEST);
    let free = ExecutionFlags { charge_fee: false, ..ExecutionFlags::default() };
    let mut facts = facts(&world);
    let accepted = world.execute(&[with_facts(asking(&world, 0), facts.clone()).with_flags(free)]);
    assert_eq!(accepted.transactions[0].status(), TransactionStatus::Succeeded);
    facts[HASH] = felt(6);
    let refused = refusal(&world, with_facts(asking(&world, 0), facts.clone()).with_flags(free));
    assert!(matches!(refused, ProofFactsError::BlockHash { .. }));

    let mut block = (*world.env.block).clone();
    block.number = BlockNumber(9);
    let young = World { env: world.env.clone(), state: world.state.clone() };
    let mut env = young.env;
    env.block = block.into();
    let executor = starkiln::BlockExecutor::new(env, &young.state);
    let outcome = executor.execute(&[with_facts(asking(&world, 0), facts)]).unwrap();
    let TransactionDisposition::Invalid(error) = &outcome.transactions[0].disposition else { panic!() };
    let short_chain = ProofFactsError::ShortChain { current: BlockNumber(9), buffer: 10 };
    assert_eq!(**error, InvalidTransaction::ProofFacts(short_chain));
}

/// Proofs are priced in L2 gas. Without bounds for it blockifier panics; here the transaction is invalid.
#[test]
fn departure_a_proof_without_bounds_for_l2_gas_is_invalid() {
    let world = world(NEWEST);
    let mut transaction = with_facts(asking(&world, 0), facts(&world));
    let TransactionBody::Invoke(InvokeTransaction::V3(invoke)) = &mut transaction.body else { panic!() };
    let bounds = invoke.resource_bounds;
    invoke.resource_bounds = ValidResourceBounds::L1Gas(bounds.get_l1_bounds());
    let outcome = world.execute(&[transaction]);
    let TransactionDisposition::Invalid(error) = &outcome.transactions[0].disposition else { panic!() };
    assert_eq!(**error, InvalidTransaction::Amount(FeeError::ProofWithoutL2Gas));
}

/// A session gives the outcome of serial execution; a transaction of the same block cannot store a block
/// hash.
#[test]
fn proofs_in_a_session() {
    let world = world(NEWEST);
    let mut wrong = facts(&world);
    wrong[PROGRAM] = felt(5);
    let transactions = [
        with_facts(asking(&world, 0), facts(&world)),
        with_facts(asking(&world, 1), wrong),
        with_facts(world.call(1, SYSCALLS, "no_such_entry_point", &[]), facts(&world)),
    ];
    let mut transactions = Vec::from(transactions);
    transactions.iter_mut().zip(1..).for_each(|(transaction, hash)| transaction.hash.0 = felt(hash));
    let expected = world.executor().execute(&transactions).unwrap();
    let statuses: Vec<_> = expected.transactions.iter().map(TransactionOutcome::status).collect();
    let all = [TransactionStatus::Succeeded, TransactionStatus::Invalid, TransactionStatus::Reverted];
    assert_eq!(statuses, all);
    let block_hash_source = BlockHashSource::Hash(BlockHash(felt(OLD_HASH)));
    let options = ExecutionOptions::default().block_hash_source(block_hash_source);
    let pool = WorkerPool::new(3).unwrap();
    let session = BlockSession::open(world.env.clone(), world.state.clone(), &pool, options.into()).unwrap();
    session.submit(transactions).unwrap();
    assert_eq!(session.finish().unwrap().into_block_outcome([]), expected);
}

// ---- bootstrap

fn declaring(sender: Felt, nonce: u64, compiled_class_hash: CompiledClassHash) -> Transaction {
    let (class_hash, class) = class("upgradable");
    let nothing = ResourceBounds::default();
    let declare = DeclareTransaction::V3(DeclareTransactionV3 {
        resource_bounds: ValidResourceBounds::AllResources(AllResourceBounds {
            l1_gas: nothing,
            l2_gas: ResourceBounds { max_amount: GasAmount(0), ..nothing },
            l1_data_gas: nothing,
        }),
        tip: Default::default(),
        signature: Default::default(),
        nonce: starknet_api::core::Nonce(Felt::from(nonce)),
        class_hash,
        compiled_class_hash,
        sender_address: sender.try_into().unwrap(),
        nonce_data_availability_mode: DataAvailabilityMode::L1,
        fee_data_availability_mode: DataAvailabilityMode::L1,
        paymaster_data: Default::default(),
        account_deployment_data: Default::default(),
    });
    let class = DeclaredClass { class, sierra_program_length: 1, abi_length: 1 };
    let free = ExecutionFlags { charge_fee: false, ..ExecutionFlags::default() };
    Transaction::declare(declare, class, TransactionHash(felt(0xdec))).with_flags(free)
}

fn upgradable() -> (ClassHash, CompiledClassHash, CompiledClassHash) {
    let (class_hash, class) = class("upgradable");
    let ContractClass::Cairo1(class) = class else { panic!() };
    (class_hash, class.compiled_class_hash_v1(), class.compiled_class_hash_v2())
}

/// `BOOTSTRAP` may declare with version 3 and nonce 0 if no fee is charged: no account, no nonce change, no
/// payment.
#[test]
fn a_bootstrap_declaration_needs_no_account() {
    let world = World::new(NEWEST);
    let (class_hash, _, v2) = upgradable();
    let bootstrap = short("BOOTSTRAP");
    for threads in [1, 3] {
        let executor = world.executor().threads(threads).unwrap();
        let outcome = executor.execute(&[declaring(bootstrap, 0, v2)]).unwrap();
        let declared = execution(&outcome.transactions[0]);
        assert_eq!(declared, &Execution::default());
        let diff = &outcome.transactions[0].state_diff;
        assert_eq!(diff.declared.iter().collect::<Vec<_>>(), [(&class_hash, &v2)]);
        assert!(diff.nonces.is_empty() && diff.storage.is_empty());
        assert_eq!(outcome.usage.weights.transactions, 1);

        let rejected = |transaction: Transaction| {
            let outcome = executor.execute(&[transaction]).unwrap();
            match &outcome.transactions[0].disposition {
                TransactionDisposition::Invalid(error) => (**error).clone(),
                other => panic!("{other:?}"),
            }
        };
        // Another sender needs an account, and so does another nonce; a fee cannot be charged without a
        // balance.
        assert!(matches!(
            rejected(declaring(bootstrap + Felt::ONE, 0, v2)),
            InvalidTransaction::Validation(_)
        ));
        assert!(matches!(rejected(declaring(bootstrap, 1, v2)), InvalidTransaction::Nonce { .. }));
        let paying = declaring(bootstrap, 0, v2).with_flags(ExecutionFlags::default());
        assert!(matches!(rejected(paying), InvalidTransaction::Bounds(_)));
        // The class is checked nevertheless.
        assert!(matches!(
            rejected(declaring(bootstrap, 0, CompiledClassHash(Felt::ONE))),
            InvalidTransaction::CompiledClassHash { .. }
        ));
        assert!(matches!(rejected(declaring(felt(ACCOUNT), 1, v2)), InvalidTransaction::Nonce { .. }));
    }
    let known = World {
        env: world.env.clone(),
        state: world.state.clone().with_class(class_hash, class("upgradable").1),
    };
    let outcome = known.execute(&[declaring(bootstrap, 0, v2)]);
    let TransactionDisposition::Invalid(error) = &outcome.transactions[0].disposition else { panic!() };
    assert_eq!(**error, InvalidTransaction::AlreadyDeclared(class_hash));
}
