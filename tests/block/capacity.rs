//! Capacity: the weights of transactions, full blocks, transactions that are too large for any block.
//! `tests/differential -- fuzz --capacity` compares every weight with blockifier; the tests here show each
//! rule with numbers that can be followed by hand.

use std::collections::BTreeSet;

use crate::fixture::{FEE_TOKEN, SEQUENCER, SYSCALLS, World, address, felt, selector};
use starkiln::block::{
    BlockEnd, BlockOutcome, Capacity, OnInvalid, ProvingPrices, TransactionDisposition, TransactionOutcome,
    TransactionStatus, Weight, Weights,
};
use starkiln::fee::fee_token_balance_key;
use starkiln::protocol::{Builtin, Constants, ProtocolVersion, VmResources};
use starkiln::transaction::{Execution, Transaction};
use starknet_types_core::felt::Felt;

const NEWEST: ProtocolVersion = ProtocolVersion::NEWEST;
const CALLER: u128 = 0xca11;

fn world() -> World {
    let mut world = World::new(NEWEST);
    world.deploy("caller", CALLER);
    world.deploy("syscalls", SYSCALLS);
    world
}

fn execution(outcome: &TransactionOutcome) -> &Execution {
    outcome.execution().unwrap_or_else(|| panic!("not in the block: {:?}", outcome.disposition))
}

fn limited(world: &World, limits: Weights, transactions: &[Transaction]) -> BlockOutcome {
    let capacity = Capacity { limits, ..Capacity::unlimited() };
    world.executor().capacity(capacity).execute(transactions).unwrap()
}

/// Transactions that share classes and storage keys, change new ones, send messages and fail.
fn mixed(world: &World) -> Vec<Transaction> {
    vec![
        world.call(0, SYSCALLS, "storage_add", &[felt(7), felt(1)]),
        world.call(1, CALLER, "noisy_call", &[felt(CALLER), selector("noisy_panic"), Felt::ONE, felt(7)]),
        world.call(9, SYSCALLS, "nothing", &[]),
        world.call(2, SYSCALLS, "storage_add", &[felt(7), felt(1)]),
        world.call(3, SYSCALLS, "panic_text", &[felt(5)]),
        world.call(4, SYSCALLS, "storage_write_many", &[felt(100), felt(20), felt(1)]),
        world.call(5, SYSCALLS, "loop_n", &[felt(100)]),
    ]
}

/// The storage keys that the calls of a transaction accessed, the fee transfer included (C207).
fn visited(execution: &Execution) -> BTreeSet<(Felt, Felt)> {
    let calls = execution.calls().flat_map(|root| root.iter());
    calls
        .flat_map(|call| {
            call.accesses.storage_keys.iter().map(|key| (*call.call.storage_address.0.key(), *key.0.key()))
        })
        .collect()
}

/// The storage keys that a transaction changed.
fn changed(outcome: &TransactionOutcome) -> BTreeSet<(Felt, Felt)> {
    let contracts = outcome.state_diff.storage.iter();
    contracts.flat_map(|(address, cells)| cells.keys().map(|key| (*address.0.key(), *key.0.key()))).collect()
}

/// The cost of one walk down a storage trie (C208).
fn walk(constants: &Constants) -> u64 {
    24 * (16 * constants.gas.step + constants.gas.builtin(Builtin::Pedersen))
}

#[test]
fn c203_messages_events_and_receipts_weigh_as_they_are_billed() {
    let world = world();
    let outcome = world.execute(&mixed(&world));
    for outcome in outcome.transactions.iter().filter(|outcome| outcome.execution().is_some()) {
        let receipt = &execution(outcome).receipt;
        let messages = &receipt.resources.messages;
        assert_eq!(outcome.weights.l1_gas, messages.starknet_contract_gas().unwrap().l1_gas.0);
        assert_eq!(outcome.weights.message_segment_length, messages.segment_length);
        assert_eq!(outcome.weights.events, receipt.resources.archival.events.count);
        assert_eq!(outcome.weights.receipt_l2_gas, receipt.gas.l2_gas.0);
    }
    // Two messages, to 0xb and to 0xa: three felts of header and the payload each.
    let noisy = &outcome.transactions[1].weights;
    assert!(noisy.message_segment_length >= 6 && noisy.l1_gas > 40_000 && noisy.events == 2, "{noisy:?}");
}

#[test]
fn c204_c205_a_blocks_weights_are_the_sum_of_its_transactions() {
    let world = world();
    let outcome = world.execute(&mixed(&world));
    let sum = outcome.transactions.iter().fold(Weights::ZERO, |sum, outcome| sum.plus(&outcome.weights));
    assert_eq!(outcome.usage.weights, sum);
    assert!(Weight::ALL.iter().all(|weight| sum.get(*weight) > 0), "{sum:?}");
    let classes = outcome.usage.executed_classes.values();
    let of_classes: u64 = classes.map(|gas| gas.sierra).sum();
    assert!(of_classes < sum.sierra_gas);
    assert_eq!(outcome.usage.gas_without_class_hashes().sierra + of_classes, sum.sierra_gas);
    // The classes of account, fee token, caller and syscalls, once each.
    assert_eq!(outcome.usage.executed_classes.len(), 4);
}

/// All weights of one transaction in an empty block, computed by hand.
#[test]
fn c204_to_c209_the_gas_of_one_transaction_by_hand() {
    let world = world();
    let outcome = world.execute(&[world.call(0, SYSCALLS, "storage_add", &[felt(7), felt(1)])]);
    let transaction = &outcome.transactions[0];
    let constants = &world.env.constants;
    let computation = &execution(transaction).receipt.resources.computation;

    let walks = u64::try_from(visited(execution(transaction)).len() + changed(transaction).len()).unwrap();
    let steps = |resources: &VmResources| {
        let arenas = resources.builtins.get(Builtin::SegmentArena);
        constants.gas.step * (resources.steps + 10 * arenas)
            + constants.gas.memory_hole * resources.memory_holes
    };
    let os = computation.os_vm;
    assert_eq!(computation.transaction_vm, VmResources::ZERO, "all classes are measured in gas");
    let os_builtins: u64 =
        os.builtins.iter().map(|(builtin, count)| count * constants.gas.builtin(builtin)).sum();
    let execution_gas = steps(&os) + os_builtins + walks * walk(constants) + computation.sierra_gas;
    let usage = &outcome.usage;
    let classes: u64 = usage.executed_classes.values().map(|gas| gas.sierra).sum();
    assert_eq!(transaction.weights.sierra_gas, execution_gas + classes);

    // Builtins of validation, execution and OS have proving prices; those of the fee transfer count with the
    // OS (C206).
    let mut builtins = os.builtins;
    builtins.add(Builtin::Pedersen, 24 * walks);
    let info = execution(transaction);
    for call in [&info.validate_call, &info.execute_call].into_iter().flatten().flat_map(|root| root.iter()) {
        builtins = builtins.checked_add(&call.builtin_counts).unwrap();
    }
    let prices = ProvingPrices::mainnet();
    let (mut in_sierra, mut in_proving) = (0, 0);
    for (builtin, count) in builtins.iter() {
        in_sierra += count * constants.gas.builtin(builtin);
        in_proving += count * prices.of(builtin);
    }
    let classes: u64 = usage.executed_classes.values().map(|gas| gas.proving).sum();
    assert_eq!(transaction.weights.proving_gas, execution_gas - in_sierra + in_proving + classes);
}

/// C208, C209: the second of two equal transactions pays neither for classes nor for trie walks.
#[test]
fn c208_what_an_earlier_transaction_brought_is_paid_for() {
    let world = world();
    // The first of three allocates storage keys, which costs the OS more; the other two are equal.
    let calls: Vec<_> =
        (0..3).map(|nonce| world.call(nonce, SYSCALLS, "storage_add", &[felt(7), felt(1)])).collect();
    let both = world.execute(&calls);
    let mut late = world;
    late.state.apply(&late.execute(&calls[..1]).state_diff, []);
    let alone = late.execute(&calls[1..2]);
    let (alone, third) = (&alone.transactions[0], &both.transactions[2]);
    let resources = |outcome: &TransactionOutcome| execution(outcome).receipt.resources.clone();
    assert_eq!(resources(alone), resources(third));
    assert_eq!(third.weights.state_diff_size, 0);
    // Changes: the account's nonce, the token's two balances, the counter; contracts: account, token,
    // syscalls.
    assert_eq!(changed(alone).len(), 3);
    assert_eq!(alone.weights.state_diff_size, 2 * (3 + 3));
    let walks = u64::try_from(visited(execution(alone)).len() + changed(alone).len()).unwrap();
    let classes: u64 = both.usage.executed_classes.values().map(|gas| gas.sierra).sum();
    let saved = walks * walk(&late.env.constants) + classes;
    assert_eq!(alone.weights.sierra_gas - third.weights.sierra_gas, saved);
}

#[test]
fn c211_a_cairo0_class_is_hashed_felt_by_felt() {
    let (_, class) = crate::fixture::class("cairo0/erc20");
    let starkiln::class::ContractClass::Cairo0(inner) = &class else { panic!() };
    let felts = 2 * inner.n_entry_points() + inner.n_builtins() + inner.bytecode_len() + 1;
    let felts = u64::try_from(felts).unwrap();
    let costs = class.hash_costs();
    assert_eq!((costs.hash.steps, costs.hash.builtins.get(Builtin::Pedersen)), (8 * felts, felts));
    assert_eq!(costs.migration, None);
}

/// The sequencer's balance counts as changed by the first fee transfer of a block, on any number of threads;
/// its upper half counts once the addition carries into it.
#[test]
fn c212_the_sequencers_balance_weighs_once() {
    let mut world = world();
    let low = fee_token_balance_key(address(SEQUENCER));
    let high = low.next_storage_key().unwrap();
    for (balance, carries) in [(felt(7), false), (felt(u128::MAX), true)] {
        world.state = std::mem::take(&mut world.state).with_storage(address(FEE_TOKEN), low, balance);
        let transactions: Vec<_> = (0..3).map(|nonce| world.call(nonce, SYSCALLS, "nothing", &[])).collect();
        let alone = world.execute(&transactions);
        let cells = |outcome: &TransactionOutcome| {
            let changed = changed(outcome);
            [low, high].map(|key| changed.contains(&(felt(FEE_TOKEN), *key.0.key())))
        };
        assert_eq!(cells(&alone.transactions[0]), [true, carries]);
        assert_eq!(cells(&alone.transactions[1]), [true, false]);
        // The balances of payer and sequencer; the contracts account and token. The second transaction adds
        // nothing new.
        let sizes: Vec<_> =
            alone.transactions.iter().map(|outcome| outcome.weights.state_diff_size).collect();
        assert_eq!(sizes, [2 * (2 + u64::from(carries) + 2), 0, 0]);
        for threads in [2, 4] {
            let outcome =
                world.executor().keep_reverted_calls().threads(threads).unwrap().execute(&transactions);
            assert_eq!(outcome.unwrap(), alone);
        }
    }
}

#[test]
fn c213_a_cell_that_is_set_back_stays_counted() {
    let world = world();
    let outcome = world.execute(&[
        world.call(0, SYSCALLS, "storage_write", &[felt(7), felt(5)]),
        world.call(1, SYSCALLS, "storage_write", &[felt(7), felt(0)]),
    ]);
    assert!(!outcome.state_diff.storage.contains_key(&crate::fixture::address(SYSCALLS)));
    // Account, token and syscalls; two balances and the storage key.
    assert_eq!(outcome.usage.weights.state_diff_size, 2 * (3 + 3));
}

#[test]
fn c214_a_transaction_too_large_for_any_block_is_rejected_and_the_block_goes_on() {
    let world = world();
    let limits = Weights { state_diff_size: 20, ..Weights::UNLIMITED };
    let large = world.call(1, SYSCALLS, "storage_write_many", &[felt(100), felt(20), felt(1)]);
    let small = |nonce| world.call(nonce, SYSCALLS, "nothing", &[]);
    let transactions = [small(0), large, small(1)];
    let outcome = limited(&world, limits, &transactions);
    let statuses: Vec<_> = outcome.transactions.iter().map(TransactionOutcome::status).collect();
    assert_eq!(
        statuses,
        [TransactionStatus::Succeeded, TransactionStatus::Invalid, TransactionStatus::Succeeded]
    );
    let TransactionDisposition::TooLarge(error) = &outcome.transactions[1].disposition else { panic!() };
    // In a block of its own: 20 storage keys and two balances; account, token and syscalls.
    assert_eq!(error.weights.state_diff_size, 2 * (22 + 3));
    assert_eq!(error.exceeded.len(), 1);
    assert_eq!(error.to_string(), "the transaction is too large for any block: state diff size 50 of 20");
    assert!(outcome.transactions[1].state_diff.is_empty());
    assert_eq!(outcome.transactions[1].weights, Weights::ZERO);
    assert_eq!((outcome.end, outcome.usage.weights.transactions), (BlockEnd::Finished, 2));

    let capacity = Capacity { limits, ..Capacity::unlimited() };
    let executor = world.executor().capacity(capacity).on_invalid(OnInvalid::Stop);
    let stopped = executor.execute(&transactions).unwrap();
    assert_eq!((stopped.end, stopped.transactions.len()), (BlockEnd::Invalid { index: 1 }, 2));
}

/// C215, at every index: a full block equals the block of the preceding transactions, and nothing in it shows
/// the one that did not fit.
#[test]
fn c215_a_full_block_is_the_block_of_those_before() {
    let world = world();
    let transactions = mixed(&world);
    let whole = world.executor().collect_prover_reads().execute(&transactions).unwrap();
    let mut cuts = 0;
    let mut until = Weights::ZERO;
    for index in 0..transactions.len() {
        until = until.plus(&whole.transactions[index].weights);
        for weight in [Weight::Events, Weight::Transactions, Weight::SierraGas, Weight::ProvingGas] {
            let mut limits = Weights::UNLIMITED;
            match weight {
                Weight::Events => limits.events = until.events,
                Weight::Transactions => limits.transactions = until.transactions,
                Weight::SierraGas => limits.sierra_gas = until.sierra_gas,
                _ => limits.proving_gas = until.proving_gas,
            }
            let capacity = Capacity { limits, ..Capacity::unlimited() };
            let executor = world.executor().collect_prover_reads().capacity(capacity);
            let mut cut = executor.execute(&transactions).unwrap();
            assert!(cut.usage.weights.beyond(&limits).is_empty());
            if let BlockEnd::Full { index: full, hash, reason } = &cut.end {
                cuts += 1;
                assert!(*full > index && *full == cut.transactions.len(), "what reaches a limit fits");
                assert_eq!(*hash, transactions[*full].hash);
                assert_eq!(reason.block, cut.usage.weights);
                assert_eq!(
                    reason.exceeded.iter().map(|exceeded| exceeded.weight).collect::<Vec<_>>(),
                    [weight]
                );
                let needed = reason.block.plus(&reason.transaction).get(weight);
                assert_eq!(
                    (reason.exceeded[0].needed, reason.exceeded[0].limit),
                    (needed, limits.get(weight))
                );
                let before = world.executor().collect_prover_reads().execute(&transactions[..*full]).unwrap();
                cut.end = BlockEnd::Finished;
                assert_eq!(cut, before);
            }
        }
    }
    assert!(cuts >= 12, "{cuts} blocks were cut");
}

#[test]
fn c246_reverted_transactions_count_and_invalid_ones_do_not() {
    let world = world();
    let outcome = world.execute(&mixed(&world));
    let statuses: Vec<_> = outcome.transactions.iter().map(TransactionOutcome::status).collect();
    assert_eq!(statuses[2], TransactionStatus::Invalid);
    assert_eq!(statuses[4], TransactionStatus::Reverted);
    let counts: Vec<_> = outcome.transactions.iter().map(|outcome| outcome.weights.transactions).collect();
    assert_eq!(counts, [1, 1, 0, 1, 1, 1, 1]);
    assert_eq!(outcome.transactions[2].weights, Weights::ZERO);
}

/// The end of a full block, and the transactions that are too large, do not depend on the number of threads.
#[test]
fn c214_c215_limits_cut_alike_on_many_threads() {
    let world = world();
    let transactions = mixed(&world);
    let whole = world.execute(&transactions);
    for weight in [Weight::Events, Weight::StateDiffSize, Weight::SierraGas, Weight::Transactions] {
        for outcome in &whole.transactions {
            // The limit is the weight of one of them: heavier ones are too large, and the block is full
            // before the end.
            let limit = outcome.weights.get(weight);
            let mut limits = Weights::UNLIMITED;
            match weight {
                Weight::Events => limits.events = limit,
                Weight::StateDiffSize => limits.state_diff_size = limit,
                Weight::SierraGas => limits.sierra_gas = limit,
                _ => limits.transactions = limit,
            }
            let capacity = Capacity { limits, ..Capacity::unlimited() };
            let executor = world.executor().collect_prover_reads().capacity(capacity);
            let alone = executor.clone().execute(&transactions).unwrap();
            assert_eq!(
                executor.threads(4).unwrap().execute(&transactions).unwrap(),
                alone,
                "{weight} {limit}"
            );
        }
    }
}

/// An unlimited capacity is never full, whatever the prices.
#[test]
fn departure_unlimited_capacity_is_unlimited() {
    let world = world();
    let proving_prices =
        ProvingPrices::from_instances(u64::MAX, [(Builtin::Pedersen, 1), (Builtin::RangeCheck, 1)]);
    let capacity = Capacity { proving_prices, ..Capacity::unlimited() };
    let outcome = world.executor().capacity(capacity).execute(&mixed(&world)).unwrap();
    assert_eq!((outcome.end, outcome.usage.weights.proving_gas), (BlockEnd::Finished, u64::MAX));
}
