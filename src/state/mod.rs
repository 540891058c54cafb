//! The state of Starknet as execution sees it: readers, the journal of a transaction, the state of a block,
//! changes and diffs.
//!
//! ```text
//! host's StateReader ─▶ BlockState (committed writes of the block) ─▶ Journal (one transaction, undo log)
//!                            ▲                                            │
//!                            └── commit ◀─ StateChanges, InitialReads ◀───┘
//! ```
//!
//! Input: a host's [`StateReader`]. Output: [`StateChanges`] (the cells that a transaction changed),
//! [`StateDiff`] (the same, classified as nodes serve it) and [`InitialReads`] (the witness: every cell that
//! was read, with the value it had). Must not know transactions, fees or the VM. The kinds of cells are
//! listed once, in `kind`.

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

pub use cells::{StateMap, StateSet};
pub use contract_address::contract_address;
pub use diff::StateDiff;
pub use error::StateError;
pub use memory::MemoryState;
pub use reader::{ReadError, StateKey, StateReader};
pub use witness::InitialReads;

// Used by tests and benches.
#[doc(hidden)]
pub use {
    block::BlockState,
    cells::{BuildStateHasher, StateHasher},
    changes::StateChanges,
    journal::{Journal, JournalClasses, JournalParts},
    undo::Checkpoint,
};

pub(crate) use cancellation::{CancellationToken, StopFlag};
pub(crate) use contract_address::reduced_to_address_range;
pub(crate) use journal_state::{JournalState, RollbackPoint};
pub(crate) use state_value::StateValue;
