//! One execution of a transaction over a state that it only reads.
//!
//! Input: a transaction, the block environment, a reader of the state before the transaction. Output: an
//! [`Attempt`], which an [`OpenBlock`](super::open_block::OpenBlock) commits or drops. Runs on any thread;
//! does not know the commit order.

use std::panic::{AssertUnwindSafe, catch_unwind};

use starknet_api::core::{ClassHash, CompiledClassHash};
use starknet_api::transaction::TransactionHash;

use super::capacity::{ExecutedClass, Migration, TransactionUsage, Weights, classes_of};
use super::options::ExecutionOptions;
use super::outcome::{TransactionDisposition, TransactionOutcome};
use crate::protocol::{BlockEnv, TransactionKind};
use crate::state::{Journal, JournalParts, StateDiff, StateKey, StateReader, StateValue, StopFlag};
use crate::transaction::{Execution, FatalError, Plan, Rejection, Transaction, execute};

/// The result of one execution of a transaction, before it is committed.
#[derive(Clone, Debug)]
pub(super) struct Attempt {
    /// The outcome for the host. Its weights are zero until the block computes the marginal ones.
    pub(super) outcome: Box<TransactionOutcome>,
    /// The data that a commit adds to the block.
    pub(super) data: Box<CommitData>,
}

/// The state changes and resource usage that a committed transaction contributes to its block.
#[derive(Clone, Debug)]
pub(super) struct CommitData {
    /// The resource usage; `None` if the transaction was rejected.
    pub(super) usage: Option<TransactionUsage>,
    /// The read set and write set. Only the reads of a rejected transaction are used (C2, C238).
    pub(super) parts: JournalParts,
}

/// The identity of a transaction in its outcome.
#[derive(Clone, Copy, Debug)]
pub(super) struct TransactionId {
    /// The transaction's hash.
    pub(super) hash: TransactionHash,
    /// The transaction's kind.
    pub(super) kind: TransactionKind,
}

impl TransactionId {
    pub(super) fn of(transaction: &Transaction) -> Self {
        Self { hash: transaction.hash, kind: transaction.kind() }
    }
}

impl Attempt {
    /// Executes a transaction over `reader`.
    pub(super) fn run(
        transaction: &Transaction,
        reader: &dyn StateReader,
        stop: StopFlag,
        env: &BlockEnv,
        options: &ExecutionOptions,
    ) -> Result<Self, FatalError> {
        let mut journal = Journal::new(reader).stopped_by(stop);
        let executed = Plan::new(transaction)
            .map_err(Rejection::from)
            .and_then(|plan| caught(|| execute(&plan, &mut journal, options.context(env))));
        Self::of(TransactionId::of(transaction), executed, &mut journal, env, options)
    }

    /// Creates the attempt of an ended execution from its journal, which is empty afterwards.
    pub(super) fn of(
        id: TransactionId,
        executed: Result<Box<Execution>, Rejection>,
        journal: &mut Journal<'_>,
        env: &BlockEnv,
        options: &ExecutionOptions,
    ) -> Result<Self, FatalError> {
        match executed {
            Ok(mut execution) => match caught(|| assess(&mut execution, journal, true, env, options))? {
                Assessment::Accepted(accepted) => Ok(Self::accepted(id, execution, accepted)),
                Assessment::Rejected(disposition, parts) => Ok(Self::rejected(id, disposition, parts)),
            },
            Err(Rejection::Invalid(error)) => {
                let disposition = TransactionDisposition::Invalid(error);
                Ok(Self::rejected(id, disposition, journal.take_parts()))
            }
            Err(Rejection::Failure(failure)) => Err(failure),
        }
    }

    /// Creates the attempt of an executed transaction that fits into a block.
    pub(super) fn accepted(id: TransactionId, execution: Box<Execution>, accepted: Accepted) -> Self {
        let Accepted { data, state_diff } = accepted;
        let outcome = Self::outcome(id, TransactionDisposition::Executed(execution), state_diff);
        Self { outcome: Box::new(outcome), data }
    }

    /// Creates the attempt of a transaction that will not be part of the block.
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
}

/// The assessment of an executed transaction whose fee is charged.
#[expect(clippy::large_enum_variant, reason = "moved once; a box would cost each transaction an allocation")]
pub(super) enum Assessment {
    /// The transaction fits into a block of its own.
    Accepted(Accepted),
    /// The transaction is invalid, or too large for any block.
    Rejected(TransactionDisposition, JournalParts),
}

/// The contribution of an executed transaction to its block.
pub(super) struct Accepted {
    pub(super) data: Box<CommitData>,
    state_diff: StateDiff,
}

/// Computes the resource usage of an executed transaction and compares it with the capacity of an empty
/// block. Empties the journal if `is_final`; otherwise the journal can be rolled back.
pub(super) fn assess(
    execution: &mut Execution,
    journal: &mut Journal<'_>,
    is_final: bool,
    env: &BlockEnv,
    options: &ExecutionOptions,
) -> Result<Assessment, FatalError> {
    if !options.keep_reverted_calls {
        execution.reverted_call = None;
    }
    let classes = look_up_classes(execution, journal, env, options);
    let parts = if is_final { journal.take_parts() } else { journal.snapshot() };
    let disposition = match classes {
        Ok(classes) => {
            let usage = TransactionUsage::of(execution, &parts.changes, classes)?;
            match options.capacity.holds(&usage, &env.constants.gas) {
                Ok(()) => {
                    let state_diff = StateDiff::new(&parts.changes, &parts.initial_reads);
                    let data = Box::new(CommitData { usage: Some(usage), parts });
                    return Ok(Assessment::Accepted(Accepted { data, state_diff }));
                }
                Err(too_large) => TransactionDisposition::TooLarge(too_large),
            }
        }
        Err(Rejection::Invalid(error)) => TransactionDisposition::Invalid(error),
        Err(Rejection::Failure(failure)) => return Err(failure),
    };
    Ok(Assessment::Rejected(disposition, parts))
}

impl CommitData {
    /// Returns the writes of the transaction; none if it was rejected.
    pub(super) fn writes(&self) -> Vec<(StateKey, StateValue)> {
        if self.usage.is_some() { self.parts.writes() } else { Vec::new() }
    }
}

/// Returns the classes that a transaction ran, with the costs of hashing and migrating them. The reads belong
/// to the transaction's read set (C239).
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

/// Returns the pending migration of a class to its Blake hash, if the state has another hash (C200, C201).
fn migration(class_hash: ClassHash, journal: &mut Journal<'_>) -> Result<Option<Migration>, Rejection> {
    let from = journal.compiled_class_hash(class_hash)?;
    if from == CompiledClassHash::default() {
        return Ok(None);
    }
    let to = journal.class(class_hash)?.compiled_class_hash_v2();
    Ok(to.filter(|to| *to != from).map(|to| Migration { from, to }))
}

/// Runs a function and converts a panic, also one of the host's reader, into an error. The caller must then
/// drop the journal: the panic may have left it inconsistent.
pub(super) fn caught<T, E: From<FatalError>>(run: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|panic| {
        let message = crate::panic::message(panic.as_ref());
        Err(FatalError::Internal(message).into())
    })
}
