//! The state of Starknet as execution sees it: who reads it, who writes it, what changed.
//!
//! ```text
//! host's StateReader ─▶ BlockState (committed writes of the block) ─▶ Journal (one transaction, undo log)
//!                            ▲                                            │
//!                            └── commit ◀─ StateChanges, InitialReads ◀───┘
//! ```
//!
//! In: a host's [`StateReader`]. Out: [`StateChanges`] (what a transaction changed),
//! [`StateDiff`] (the same, classified as nodes print it) and [`InitialReads`] (the witness: every cell that was read, with
//! the value it had). Knows nothing of transactions, fees or the VM.

pub(crate) mod ascending;
mod block;
mod cancellation;
mod cells;
mod changes;
mod contract_address;
mod diff;
mod error;
mod journal;
mod journal_state;
pub(crate) mod kind;
mod memory;
mod reader;
mod reuse;
mod state_value;
mod touched;
mod undo;
mod witness;

pub use block::BlockState;
pub use cells::{BuildStateHasher, StateHasher, StateMap, StateSet};
pub use changes::StateChanges;
pub use contract_address::contract_address;
pub use diff::StateDiff;
pub use error::StateError;
pub use journal::{Journal, JournalClasses, JournalParts};
pub use memory::MemoryState;
pub use reader::{ReadError, StateKey, StateReader};
pub use undo::Checkpoint;
pub use witness::InitialReads;

pub(crate) use cancellation::{CancellationToken, StopFlag};
pub(crate) use contract_address::reduced_to_address_range;
pub(crate) use journal_state::{JournalState, RollbackPoint};
pub(crate) use state_value::StateValue;
