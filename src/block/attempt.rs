//! One attempt at a transaction, over a state that it can only read.
//!
//! In: a transaction, the block's surroundings, a reader of the state before the transaction. Out: an
//! [`Attempt`], which an [`OpenBlock`](super::open_block::OpenBlock) commits or which is thrown away. Runs on
//! any thread; knows nothing of order.

use std::panic::{AssertUnwindSafe, catch_unwind};

use starknet_api::core::{ClassHash, CompiledClassHash};
use starknet_api::transaction::TransactionHash;

use super::capacity::{ExecutedClass, Migration, TransactionUsage, Weights, classes_of};
use super::options::ExecutionOptions;
use super::outcome::{TransactionDisposition, TransactionOutcome};
use crate::protocol::{BlockEnv, TransactionKind};
use crate::state::{Journal, JournalParts, StateDiff, StateReader, StopFlag};
use crate::transaction::{Execution, FatalError, Plan, Rejection, Transaction, execute};

/// What a transaction did, or would do, to the state that it ran on.
#[derive(Clone, Debug)]
pub(super) struct Attempt {
    /// What will be said of it. What it adds to the block's weights is for the block to find.
    pub(super) outcome: Box<TransactionOutcome>,
    /// What it leaves in its block.
    pub(super) data: Box<CommitData>,
}

/// What a transaction that had its turn leaves in its block.
#[derive(Clone, Debug)]
pub(super) struct CommitData {
    /// What it brought; `None` if it was rejected.
    pub(super) usage: Option<TransactionUsage>,
    /// What it read and changed. Of a rejected transaction only the reads count (C2, C238).
    pub(super) parts: JournalParts,
}

/// Which transaction it is.
#[derive(Clone, Copy, Debug)]
pub(super) struct TransactionId {
    /// Its hash.
    pub(super) hash: TransactionHash,
    /// Its kind.
    pub(super) kind: TransactionKind,
}

impl TransactionId {
    pub(super) fn of(transaction: &Transaction) -> Self {
        Self { hash: transaction.hash, kind: transaction.kind() }
    }
}

impl Attempt {
    /// Runs a transaction over `reader`.
    pub(super) fn run(
        transaction: &Transaction,
        reader: &dyn StateReader,
        stop: StopFlag,
        env: &BlockEnv,
        options: &ExecutionOptions,
    ) -> Result<Self, FatalError> {
        let mut journal = Journal::new(reader).stopped_by(stop);
        let ran = Plan::new(transaction)
            .map_err(Rejection::from)
            .and_then(|plan| caught(|| execute(&plan, &mut journal, options.context(env))));
        Self::of(TransactionId::of(transaction), ran, &mut journal, env, options)
    }

    /// What a transaction that ran to one of its ends left in its journal, which is empty afterwards.
    pub(super) fn of(
        id: TransactionId,
        ran: Result<Box<Execution>, Rejection>,
        journal: &mut Journal<'_>,
        env: &BlockEnv,
        options: &ExecutionOptions,
    ) -> Result<Self, FatalError> {
        match ran {
            Ok(execution) => Self::executed(id, &mut Some(execution), journal, true, env, options),
            Err(Rejection::Invalid(error)) => {
                let disposition = TransactionDisposition::Invalid(error);
                Ok(Self::rejected(id, disposition, journal.take_parts()))
            }
            Err(Rejection::Failure(failure)) => Err(failure),
        }
    }

    /// A transaction that ran to its end and is paid. Takes its execution if it can be in the block.
    /// `is_last` says that nobody needs the journal afterwards.
    pub(super) fn executed(
        id: TransactionId,
        executed: &mut Option<Box<Execution>>,
        journal: &mut Journal<'_>,
        is_last: bool,
        env: &BlockEnv,
        options: &ExecutionOptions,
    ) -> Result<Self, FatalError> {
        let missing = || FatalError::Internal("An execution was asked for twice.".to_owned());
        let mut execution = executed.take().ok_or_else(missing)?;
        if !options.keep_reverted_calls {
            execution.reverted_call = None;
        }
        let classes = caught(|| look_up_classes(&execution, journal, env, options));
        let parts = if is_last { journal.take_parts() } else { journal.snapshot() };
        let disposition = match classes {
            Ok(classes) => {
                let usage = TransactionUsage::of(&execution, &parts.changes, classes)?;
                match options.capacity.holds(&usage, &env.constants.gas) {
                    Ok(()) => {
                        let state_diff = StateDiff::new(&parts.changes, &parts.initial_reads);
                        let disposition = TransactionDisposition::Executed(execution);
                        let outcome = Box::new(Self::outcome(id, disposition, state_diff));
                        return Ok(Self {
                            outcome,
                            data: Box::new(CommitData { usage: Some(usage), parts }),
                        });
                    }
                    Err(too_large) => TransactionDisposition::TooLarge(too_large),
                }
            }
            Err(Rejection::Invalid(error)) => TransactionDisposition::Invalid(error),
            Err(Rejection::Failure(failure)) => return Err(failure),
        };
        *executed = Some(execution);
        Ok(Self::rejected(id, disposition, parts))
    }

    /// A transaction that will not be in the block.
    pub(super) fn rejected(
        id: TransactionId,
        disposition: TransactionDisposition,
        parts: JournalParts,
    ) -> Self {
        let outcome = Self::outcome(id, disposition, StateDiff::default());
        Self { outcome: Box::new(outcome), data: Box::new(CommitData { usage: None, parts }) }
    }

    fn outcome(
        id: TransactionId,
        disposition: TransactionDisposition,
        state_diff: StateDiff,
    ) -> TransactionOutcome {
        let TransactionId { hash, kind } = id;
        TransactionOutcome { hash, kind, disposition, weights: Weights::ZERO, state_diff }
    }

    /// Takes the execution back, if it can be in the block.
    pub(super) fn into_execution(self) -> Option<Box<Execution>> {
        match self.outcome.disposition {
            TransactionDisposition::Executed(execution) => Some(execution),
            TransactionDisposition::Invalid(_) | TransactionDisposition::TooLarge(_) => None,
        }
    }
}

/// The classes that a transaction ran, with what the block will pay for them. What is read for it belongs to
/// what the transaction read (C239).
fn look_up_classes(
    execution: &Execution,
    journal: &mut Journal<'_>,
    env: &BlockEnv,
    options: &ExecutionOptions,
) -> Result<Vec<ExecutedClass>, Rejection> {
    let finds_migrations = options.finalize && env.constants.switches.casm_hash_migration;
    classes_of(execution)
        .into_iter()
        .map(|class_hash| {
            let costs = journal.class(class_hash)?.hash_costs();
            let migration = if finds_migrations { migration(class_hash, journal)? } else { None };
            Ok(ExecutedClass { class_hash, costs, migration })
        })
        .collect()
}

/// The move to the Blake hash that a class has before it, if the state knows it by another (C200, C201).
fn migration(class_hash: ClassHash, journal: &mut Journal<'_>) -> Result<Option<Migration>, Rejection> {
    let from = journal.compiled_class_hash(class_hash)?;
    if from == CompiledClassHash::default() {
        return Ok(None);
    }
    let to = journal.class(class_hash)?.compiled_class_hash_v2();
    Ok(to.filter(|to| *to != from).map(|to| Migration { from, to }))
}

/// Turns a panic, the reader's included, into a failure that its caller can id. The journal is dropped then,
/// so nobody sees what a panic may have left half done.
pub(super) fn caught<T, E: From<FatalError>>(run: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|panic| {
        let message = crate::panic::message(panic.as_ref());
        Err(FatalError::Internal(message).into())
    })
}
