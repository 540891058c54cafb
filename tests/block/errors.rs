//! The chain of sources from the error of a block to the host's own error, for each call that can fail in the
//! host's reader.

use std::error::Error;
use std::fmt;

use crate::fixture::reader::Watched;
use crate::fixture::{ACCOUNT, World, address, block_hash_source, error_chain, felt};
use starkiln::BlockSession;
use starkiln::block::{BlockError, BlockExecutor, ExecutionOptions, SubmitError, WorkerPool};
use starkiln::protocol::{ProtocolVersion, well_known};
use starkiln::state::{MemoryState, ReadError, StateKey};
use starkiln::transaction::{ContractCall, Transaction};
use starknet_api::state::StorageKey;
use starknet_api::transaction::fields::Calldata;

/// The host's own error.
#[derive(Debug, PartialEq)]
struct DiskError {
    sector: u64,
}

impl fmt::Display for DiskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sector {} is unreadable", self.sector)
    }
}

impl Error for DiskError {}

const FAILURE: DiskError = DiskError { sector: 17 };

fn world() -> World {
    World::new(ProtocolVersion::NEWEST)
}

fn transaction(world: &World) -> Transaction {
    world.call(0, ACCOUNT, "__validate__", &[felt(0)])
}

/// A state whose host fails to read one key.
fn failing<S>(
    state: S,
    at: StateKey,
) -> Watched<S, impl Fn(StateKey) -> Result<(), ReadError> + Clone + Send + Sync + use<S>> {
    let before = move |key| if key == at { Err(ReadError::new(DiskError { ..FAILURE })) } else { Ok(()) };
    Watched { state, before }
}

fn executor(
    world: &World,
    at: StateKey,
) -> BlockExecutor<Watched<&MemoryState, impl Fn(StateKey) -> Result<(), ReadError> + Clone + Send + Sync>> {
    BlockExecutor::new(world.env.clone(), failing(&world.state, at)).block_hash_source(block_hash_source())
}

fn session(
    world: &World,
    at: StateKey,
) -> BlockSession<
    Watched<MemoryState, impl Fn(StateKey) -> Result<(), ReadError> + Clone + Send + Sync + use<>>,
> {
    let options = ExecutionOptions::default().block_hash_source(block_hash_source());
    let pool = WorkerPool::new(2).unwrap();
    let session =
        BlockSession::open(world.env.clone(), failing(world.state.clone(), at), &pool, options.into());
    session.unwrap()
}

/// The host's error is in the chain, with its own type, and each text of the chain appears once.
fn assert_chain(error: &(dyn Error + 'static), key: StateKey) {
    let levels: Vec<_> = std::iter::successors(Some(error), |error| (*error).source()).collect();
    let found = levels.iter().find_map(|level| level.downcast_ref::<DiskError>());
    assert_eq!(found, Some(&FAILURE), "{levels:?}");
    let text = error_chain(error);
    for part in levels.iter().map(|level| level.to_string()).chain([format!("cannot read the {key}")]) {
        assert_eq!(text.matches(&part).count(), 1, "`{part}` in `{text}`");
    }
}

fn nonce() -> StateKey {
    StateKey::Nonce(address(ACCOUNT))
}

#[test]
fn opening_a_block() {
    let key = StorageKey::try_from(felt(990)).unwrap();
    let cell = StateKey::Storage(address(1), key);
    let world = world();
    let error = executor(&world, cell).execute(&[]).unwrap_err();
    assert!(matches!(error, BlockError::State(_)), "{error:?}");
    assert_chain(&error, cell);
}

#[test]
fn executing_a_transaction() {
    let world = world();
    for n in [1, 3] {
        let executor = executor(&world, nonce()).threads(n).unwrap();
        let error = executor.execute(&[transaction(&world)]).unwrap_err();
        assert!(matches!(error, BlockError::Transaction { index: 0, .. }), "{error:?}");
        assert_chain(&error, nonce());
    }
}

#[test]
fn executing_a_transaction_in_a_session() {
    let world = world();
    let failed = session(&world, nonce());
    failed.submit([transaction(&world)]).unwrap();
    assert_eq!(failed.results().count(), 0);
    let refused = failed.submit([transaction(&world)]).unwrap_err();
    assert!(matches!(refused, SubmitError::Failed(_)), "{refused:?}");
    assert_chain(&refused, nonce());
    assert_chain(&failed.finish().unwrap_err(), nonce());

    let failed = session(&world, nonce());
    failed.submit([transaction(&world)]).unwrap();
    assert_chain(&failed.close(1).unwrap_err(), nonce());
}

#[test]
fn calling_a_contract() {
    let cell = StateKey::ClassHash(address(ACCOUNT));
    let call = ContractCall::new(address(ACCOUNT), well_known::VALIDATE, Calldata::default());
    let world = world();
    let error = executor(&world, cell).call(&call).unwrap_err();
    assert!(matches!(error, BlockError::Call(_)), "{error:?}");
    assert_chain(&error, cell);
}

#[test]
fn validating_a_transaction() {
    let world = world();
    assert_chain(&executor(&world, nonce()).validate(&transaction(&world)).unwrap_err(), nonce());
}

#[test]
fn closing_a_block() {
    let cell = StateKey::Storage(address(2), StorageKey::default());
    let world = world();
    let error = executor(&world, cell).execute(&[]).unwrap_err();
    assert!(matches!(error, BlockError::State(_)), "{error:?}");
    assert_chain(&error, cell);
    assert_chain(&session(&world, cell).close(0).unwrap_err(), cell);
}
