//! Embeddable Starknet block execution.
//!
//! A host gives an ordered list of transactions and a [`StateReader`]. Each transaction runs on the
//! Cairo VM, many at once; the results are receipts, call trees and the state diff: bit for bit those of
//! sequential execution, and those of the network.
//!
//! * **Sequencers** build blocks with a [`BlockSession`]: transactions are submitted while earlier ones run,
//!   and the block is closed after any number of them.
//! * **Full nodes** re-execute, trace and call with a [`BlockExecutor`], validate for their mempool with
//!   [`BlockExecutor::validate`].
//! * **Test frameworks** execute on a [`MemoryState`](state::MemoryState).
//!
//! # A host's own reader
//!
//! ```
//! use std::collections::HashMap;
//!
//! use starkiln::class::ContractClass;
//! use starkiln::replay::LoadedBlock;
//! use starkiln::starknet_api::core::{ClassHash, CompiledClassHash, ContractAddress, Nonce};
//! use starkiln::starknet_api::state::StorageKey;
//! use starkiln::state::ReadError;
//! use starkiln::{BlockExecutor, Felt, StateReader};
//!
//! struct Database {
//!     storage: HashMap<(ContractAddress, StorageKey), Felt>,
//!     nonces: HashMap<ContractAddress, Nonce>,
//!     contracts: HashMap<ContractAddress, ClassHash>,
//!     classes: HashMap<ClassHash, ContractClass>,
//! }
//!
//! impl StateReader for Database {
//!     fn storage_at(&self, address: ContractAddress, key: StorageKey) -> Result<Felt, ReadError> {
//!         Ok(self.storage.get(&(address, key)).copied().unwrap_or_default())
//!     }
//!     fn nonce_at(&self, address: ContractAddress) -> Result<Nonce, ReadError> {
//!         Ok(self.nonces.get(&address).copied().unwrap_or_default())
//!     }
//!     fn class_hash_at(&self, address: ContractAddress) -> Result<ClassHash, ReadError> {
//!         Ok(self.contracts.get(&address).copied().unwrap_or_default())
//!     }
//!     fn class(&self, class_hash: ClassHash) -> Result<Option<ContractClass>, ReadError> {
//!         Ok(self.classes.get(&class_hash).cloned())
//!     }
//!     fn compiled_class_hash(&self, class_hash: ClassHash) -> Result<CompiledClassHash, ReadError> {
//!         let class = self.classes.get(&class_hash);
//!         Ok(class.and_then(ContractClass::compiled_class_hash_v2).unwrap_or_default())
//!     }
//! }
//!
//! // The example takes its data from a block file; a host makes a `BlockEnv` and its transactions itself.
//! let block = LoadedBlock::read(concat!(env!("CARGO_MANIFEST_DIR"), "/resources/blocks/transfer.json"))?;
//! let database = Database {
//!     storage: block.state.storage.into_iter().collect(),
//!     nonces: block.state.nonces.into_iter().collect(),
//!     contracts: block.state.class_hashes.into_iter().collect(),
//!     classes: block.state.classes.into_iter().collect(),
//! };
//!
//! let outcome = BlockExecutor::new(block.env, &database).execute(&block.transactions)?;
//! for transaction in &outcome.transactions {
//!     let execution = transaction.execution().expect("this block has no invalid transaction");
//!     println!("{:#x}: fee {}", transaction.hash.0, execution.receipt.fee.0);
//! }
//! assert_eq!(outcome.state_diff.nonces.len(), 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`BlockEnv::new`], [`Transaction::invoke`] and the constructors of the other kinds have examples of their
//! own.
//!
//! # Building blocks
//!
//! Three blocks in a row, each on the state that the previous one left:
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
//!     // A host takes transactions from its mempool, perhaps with a validation that was made there.
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
//!     // `close(n)` instead ends the block after its first n transactions.
//!     let block = session.finish()?;
//!     assert_eq!((block.end, block.usage.weights.transactions), (BlockEnd::Finished, 1));
//!     state.apply(&block.state_diff, block.declared_classes);
//! }
//! let sender = first.transactions[0].sender();
//! assert_eq!(state.nonces[&sender].0, Felt::THREE);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Endings
//!
//! A transaction ends in one of four ways:
//!
//! | ending | part of the block | type |
//! |---|---|---|
//! | succeeded | yes, with a receipt | [`Execution`](transaction::Execution) |
//! | reverted | yes, with a receipt | [`RevertReason`](transaction::RevertReason) |
//! | invalid, or too large for any block | no | [`InvalidTransaction`](transaction::InvalidTransaction), [`TooLarge`](block::TooLarge) |
//! | failed: the host's reader or this crate | the block has no outcome | [`BlockError`](block::BlockError), [`FatalError`](transaction::FatalError) |
//!
//! They are never mixed. The host's own error is in the chain of [`source`](std::error::Error::source)s of
//! the error that this crate returns. No input makes this crate panic, recurse without bound or harm its
//! host.
//!
//! # Architecture
//!
//! ```text
//! host ── transactions ─▶ block ─▶ transaction ─▶ call ─▶ vm ⇄ syscall
//!                           │           │           │
//!                           │          fee          │        imports point down the page only:
//!                           ▼           ▼           ▼        no module knows those above it
//!                          state ─────────────▶ StateReader (the host's)
//!                   class · parallel · protocol · crypto      (base layer)
//! ```
//!
//! [`block`] is the place to start reading; then `transaction::execute`, the phases of a transaction on one
//! page; then [`call`] and `syscall`. The rules of the protocol are cited by number and listed in [`rules`].
//!
//! # Glossary
//!
//! | term | meaning |
//! |---|---|
//! | read set | The state keys that an execution read, each with the version or value that it saw. |
//! | write set | The state keys that an execution changed, with their new values. |
//! | validation | In parallel execution: the check that every value of the read set is still the committed one. In the protocol: the account's `__validate__`. |
//! | abort | The end of an execution whose read set is invalid, or was invalidated while it ran. Its results are dropped. |
//! | incarnation | One execution of a transaction in parallel execution; after an abort the next one follows. |
//! | speculative | Executed before the preceding transactions are committed, on what is known of their writes. |
//! | commit order | The order of the transactions in the block. Commits happen in it, executions in any order. |
//! | conflict | A read of a key that a preceding transaction wrote after the read. |
//! | fallback | The execution of a frame on `cairo-vm` after Starkiln's own VM met something that it does not support. |
//! | frame | One call of one entry point: its code, its memory, its gas. |
//! | journal | The changes of a transaction, with checkpoints to which they can be reverted. |
//! | initial reads, witness | The state keys that a block read, with their values before it. |
//! | bouncer weights | The [`Weights`](block::Weights) of a block: what it uses of its [`Capacity`](block::Capacity). |
//! | finalization | The end of a block: alias allocation (stateful compression) and migration of compiled class hashes. |
//! | block N-10 | The block whose hash becomes readable to contracts when block N is opened. |
//!
//! # Features
//!
//! * `cli`: the `starkiln` binary with its argument parser and progress bar. Off by default; the library is
//!   the same without it.
//!
//! # Questions
//!
//! *Why do threads not change a result?* A transaction is committed only if every value of its read set
//! equals what the transactions before it committed. Everything else in parallel execution only saves work.
//! See [`BlockExecutor::pool`].
//!
//! *Why must the host provide the hash of block N-10?* It is part of the state that contracts read. A block
//! opened without it would differ from the network's, and the difference would show only once a contract
//! reads it.
//!
//! *Why is an undeclared class `None` and a broken database an error?* An undeclared class reverts a
//! transaction, as the protocol says; a broken database must never be recorded as a revert.
//!
//! *Why are there no version comparisons in the code?* Rules were introduced, withdrawn and introduced again.
//! Behaviour depends on a named [switch](protocol::Switches); the data of each version stands in
//! `resources/protocol`.
//!
//! *How does it compare with blockifier?* See [Coming from
//! blockifier](documentation::coming_from_blockifier).

// The lints of `Cargo.toml` hold for the library; its unit tests may unwrap, index and panic.
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

/// Sierra and CASM classes as the compiler writes them.
pub use cairo_lang_starknet_classes;
/// The map type of state diffs and block usage.
pub use indexmap;
/// Starknet's own types: addresses, hashes, transactions.
pub use starknet_api;
/// The field element of Starknet.
pub use starknet_types_core::felt::Felt;
