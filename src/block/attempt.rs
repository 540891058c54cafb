//! One attempt at a transaction, over a state that it can only read.
//!
//! In: a transaction, the block's surroundings, a reader of the state before the transaction. Out: an [`Attempt`], which an
//! [`OpenBlock`](super::under_way::OpenBlock) commits or which is thrown away. Runs on any thread; knows nothing of order.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::protocol::BlockEnv;
use crate::state::{Journal, JournalParts, StateDiff, StateReader};
use crate::transaction::{
    Execution, ExecutionFailure, InvalidTransaction, Plan, Rejection, Transaction, execute,
};

/// What a transaction did, or would do, to the state that it ran on.
#[derive(Clone, Debug)]
pub(super) struct Attempt {
    /// How it ended.
    pub(super) result: Result<Box<Execution>, Box<InvalidTransaction>>,
    /// What it changed; nothing when it is invalid.
    pub(super) state_diff: StateDiff,
    /// What it read and changed. Of an invalid transaction only the reads count (C2, C238).
    pub(super) parts: JournalParts,
}

impl Attempt {
    /// Runs a transaction over `reader`.
    pub(super) fn run(
        transaction: &Transaction,
        reader: &dyn StateReader,
        env: &BlockEnv,
        keeps_reverted_calls: bool,
    ) -> Result<Self, ExecutionFailure> {
        let mut journal = Journal::new(reader);
        let ran = Plan::new(transaction)
            .map_err(Rejection::from)
            .and_then(|plan| caught(|| execute(&plan, &mut journal, env)));
        let ran = ran.map(|mut execution| {
            if !keeps_reverted_calls {
                execution.reverted_call = None;
            }
            execution
        });
        Self::of(ran, journal)
    }

    /// What a transaction that ran to one of its ends left in its journal.
    pub(super) fn of(
        ran: Result<Execution, Rejection>,
        journal: Journal<'_>,
    ) -> Result<Self, ExecutionFailure> {
        match ran {
            Ok(execution) => {
                let state_diff = journal.diff();
                Ok(Self { result: Ok(Box::new(execution)), state_diff, parts: journal.into_parts() })
            }
            Err(Rejection::Invalid(error)) => {
                Ok(Self { result: Err(error), state_diff: StateDiff::default(), parts: journal.into_parts() })
            }
            Err(Rejection::Failure(failure)) => Err(failure),
        }
    }
}

/// Turns a panic, the reader's included, into a failure that its caller can name. The journal is dropped then, so nobody sees
/// what a panic may have left half done.
pub(super) fn caught<T, E: From<ExecutionFailure>>(run: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|panic| {
        let message = panic
            .downcast_ref::<&str>()
            .map(|text| (*text).to_owned())
            .or_else(|| panic.downcast_ref::<String>().cloned())
            .unwrap_or_else(|| "a panic without a message".to_owned());
        Err(ExecutionFailure::Internal(message).into())
    })
}
