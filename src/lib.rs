//! Embeddable Starknet block execution.
//!
//! A host hands over an ordered list of transactions and a [`StateReader`]. Each transaction runs on the Cairo
//! VM; out come receipts, call trees and the state diff: bit for bit what the network gives.
//!
//! ```
//! use starkiln::replay::LoadedBlock;
//!
//! // A block file holds everything: the chain, the state, the classes and the transactions.
//! let file = concat!(env!("CARGO_MANIFEST_DIR"), "/resources/blocks/transfer.json");
//! let block = LoadedBlock::read(file)?;
//!
//! // A host brings its own `StateReader` and builds transactions and `BlockEnv` itself.
//! let outcome = block.executor().execute(&block.transactions)?;
//!
//! for transaction in &outcome.transactions {
//!     let execution = transaction.execution().expect("this block has no invalid transaction");
//!     println!("{:#x}: fee {}, {} events", transaction.hash.0, execution.receipt.fee.0, execution.events().len());
//! }
//! assert_eq!(outcome.state_diff.nonces.len(), 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Building blocks
//!
//! A sequencer opens a [`BlockSession`], submits transactions while earlier ones run, takes results as they become final, and ends
//! the block when it likes. Three blocks in a row, each on the state that the one before left:
//!
//! ```
//! use std::time::{Duration, Instant};
//!
//! use starkiln::block::{BlockEnd, BlockSession, Capacity, ExecutionOptions, SessionOptions, WorkerPool};
//! use starkiln::replay::LoadedBlock;
//! use starkiln::starknet_api::transaction::InvokeTransaction;
//! use starkiln::transaction::TransactionBody;
//! use starkiln::{BlockEnv, Felt};
//!
//! # let file = concat!(env!("CARGO_MANIFEST_DIR"), "/resources/blocks/transfer.json");
//! let first = LoadedBlock::read(file)?;
//! let mut state = first.state.clone();
//! let pool = WorkerPool::new(2)?;
//!
//! for nonce in 0..3_u64 {
//!     let mut block = (*first.env.block).clone();
//!     block.number.0 += nonce;
//!     let env = BlockEnv { block: block.into(), ..first.env.clone() };
//!     // From block 10 on also `block_hash_source`, the hash of block N-10.
//!     let options = SessionOptions::from(ExecutionOptions::default().capacity(Capacity::mainnet()))
//!         .deadline(Instant::now() + Duration::from_secs(20));
//!     let session = BlockSession::open(env, state.clone(), &pool, options)?;
//!
//!     // A host has them from its mempool, perhaps with a validation that was made there.
//!     let mut transaction = first.transactions[0].clone();
//!     transaction.hash.0 += Felt::from(nonce);
//!     if let TransactionBody::Invoke(InvokeTransaction::V3(invoke)) = &mut transaction.body {
//!         invoke.nonce.0 = Felt::from(nonce);
//!     }
//!     session.submit([transaction])?;
//!     for outcome in session.results() {
//!         println!("{:#x}: {:?}", outcome.hash.0, outcome.status());
//!     }
//!
//!     // Or `close(n)`, after the first n of them: a block that never saw the others.
//!     let block = session.finish()?;
//!     assert_eq!((block.end, block.usage.weights.transactions), (BlockEnd::Finished, 1));
//!     state.apply(&block.state_diff, block.declared_classes);
//! }
//! let sender = first.transactions[0].sender();
//! assert_eq!(state.nonces[&sender].0, Felt::THREE);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # The way through
//!
//! ```text
//! host ── transactions ─▶ block ─▶ transaction ─▶ call ─▶ vm ⇄ syscall
//!                           │           │           │
//!                           │          fee          │        every arrow points down the page;
//!                           ▼           ▼           ▼        nothing below knows what is above it
//!                          state ─────────────▶ StateReader (the host's)
//!                          class · protocol · crypto         (ground floor)
//! ```
//!
//! Read [`block`] first, then `transaction::execute`, the life of a transaction on one page; then [`call`] and [`syscall`]. Rules
//! of the protocol are cited by number (C1 to C250), from the project's specification of behaviour.
//!
//! # Endings
//!
//! A transaction ends in one of four ways that are never mixed: it is [invalid](transaction::InvalidTransaction); it succeeded;
//! it was [reverted](transaction::RevertReason); or the host's reader or this crate [failed](transaction::FatalError), and
//! then nothing of the block is committed. No input makes this crate panic, recurse without bound or harm its host.
//!
//! # Questions
//!
//! *Why do threads not change a result?* A transaction is committed only while all that it read equals what the committed
//! transactions before it left; everything else that parallel execution does only saves work. See [`BlockExecutor::threads`].
//!
//! *Why must the host say where the hash of the block ten before comes from?* Because it is part of the state that contracts
//! read, and a block opened without it differs from the network's in a way that shows only when somebody asks.
//!
//! *Why is an undeclared class `None` and a broken database an error?* The one reverts a transaction, as the protocol says; the
//! other must never be recorded as a revert.
//!
//! *Why no version comparisons?* Rules go back and forth between versions. Behaviour asks a named
//! [switch](protocol::Switches); what a version is lies in `resources/protocol`.

// What the lints forbid is forbidden to the library; its unit tests may.
#![cfg_attr(
    test,
    allow(
        clippy::arithmetic_side_effects,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::string_slice,
        clippy::unreachable,
        clippy::unwrap_used
    )
)]

pub mod block;
pub mod call;
pub mod class;
#[doc(hidden)]
pub mod crypto;
pub mod documentation;
pub mod fee;
mod panic;
mod parallel;
pub mod protocol;
pub mod replay;
pub mod rules;
pub mod state;
mod sync;
#[doc(hidden)]
pub mod syscall;
pub mod transaction;
mod vm;

pub use block::{BlockExecutor, BlockOutcome, BlockSession, TransactionOutcome, WorkerPool};
pub use protocol::BlockEnv;
pub use state::StateReader;
pub use transaction::Transaction;

/// The types of Starknet's own crate that stand in this crate's face.
pub use starknet_api;
pub use starknet_types_core::felt::Felt;
