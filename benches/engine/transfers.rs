//! Complete transactions: an account without signature check calls `transfer` and pays the fee, in Cairo 1
//! and in Cairo 0. Measured: the time and the allocations of one transaction.

use starkiln::block::Engine;
use starkiln::protocol::ProtocolVersion;
use starkiln::transaction::Transaction;
use starknet_types_core::felt::Felt;

use super::allocations::count_allocations;
use super::clock::{Unit, count, line, on_engines, rate, section};
use super::fixture::{ACCOUNT, FEE_TOKEN, World, address, felt, selector};
use super::is_selected;

/// Number of transactions in a block.
const BLOCK: u64 = 500;

pub(crate) fn table() {
    section("complete transactions, in blocks of 500");
    cairo1();
    cairo0();
}

fn cairo1() {
    let world = World::new(ProtocolVersion::NEWEST);
    let transfer = |nonce| world.call(nonce, FEE_TOKEN, "transfer", &arguments(nonce));
    blocks(&world, "a transfer", &(0..BLOCK).map(transfer).collect::<Vec<_>>());
}

fn cairo0() {
    let mut world = World::bare(ProtocolVersion::NEWEST);
    world.deploy("cairo0/erc20", FEE_TOKEN);
    world.deploy("cairo0/account_open", ACCOUNT);
    world.state =
        std::mem::take(&mut world.state).with_balance(address(FEE_TOKEN), address(ACCOUNT), u128::MAX);
    // An array of one call: address, selector, offset and number of its arguments; then the arguments of all
    // calls.
    let transfer = |nonce| {
        let call = [Felt::ONE, felt(FEE_TOKEN), selector("transfer"), Felt::ZERO, felt(3), felt(3)];
        let calldata = [&call[..], &arguments(nonce)].concat();
        world.invoke(ACCOUNT, nonce, calldata, &[], Felt::from(nonce + 1))
    };
    blocks(&world, "a transfer in Cairo 0", &(0..BLOCK).map(transfer).collect::<Vec<_>>());
}

/// A transfer of one token to one of a hundred recipients.
fn arguments(nonce: u64) -> [Felt; 3] {
    [felt(0x1000 + u128::from(nonce % 100)), Felt::ONE, Felt::ZERO]
}

/// Measures the execution of a block.
fn blocks(world: &World, what: &str, transactions: &[Transaction]) {
    if !is_selected(what) {
        return;
    }
    let execute = |engine: Engine, transactions: &[Transaction]| {
        let outcome = world.executor().engine(engine).execute(transactions).unwrap();
        for transaction in &outcome.transactions {
            assert!(transaction.execution().is_some_and(|execution| !execution.is_reverted()));
        }
    };
    let per_block = on_engines(|engine| execute(engine, transactions));
    let each: Vec<_> = per_block.into_iter().map(|time| time.per(BLOCK)).collect();
    line(what, Unit::Microseconds, &each);
    rate("  per second", "tx", &each);
    // Of the second half of a block, which excludes what is allocated once per block.
    let half = transactions.len() / 2;
    let allocated = |engine, which: usize| {
        let [all, first] = [transactions, &transactions[..half]]
            .map(|part| count_allocations(|| execute(engine, part))[which]);
        (all - first) / (transactions.len() - half) as u64
    };
    count("  allocations per transaction", "", |engine| allocated(engine, 0));
    count("  allocated bytes per transaction", "", |engine| allocated(engine, 1));
}
