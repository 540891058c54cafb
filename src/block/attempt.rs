//! One attempt at a transaction, over a state that it can only read.
//!
//! In: a transaction, the block's surroundings, a reader of the state before the transaction. Out: an [`Attempt`], which an
//! [`OpenBlock`](super::under_way::OpenBlock) commits or which is thrown away. Runs on any thread; knows nothing of order.

use std::panic::{AssertUnwindSafe, catch_unwind};

use starknet_api::core::{ClassHash, CompiledClassHash};

use super::capacity::{ExecutedClass, Load, Migration};
use crate::call::{CallInfo, ExecutionSummary};
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
    /// What it brings to the block; nothing when it is invalid.
    pub(super) load: Load,
    /// What it changed; nothing when it is invalid.
    pub(super) state_diff: StateDiff,
    /// What it read and changed. Of an invalid transaction only the reads count (C2, C238).
    pub(super) parts: JournalParts,
}

/// What an attempt does besides running the transaction.
#[derive(Clone, Copy, Debug)]
pub(super) struct AttemptOptions {
    /// Keep the call tree of a reverted execution.
    pub(super) keeps_reverted_calls: bool,
    /// Look whether the classes that ran have to move to the Blake hash, if the version has it. Nobody asks in a block that will
    /// not be closed.
    pub(super) finds_migrations: bool,
}

impl Attempt {
    /// Runs a transaction over `reader`.
    pub(super) fn run(
        transaction: &Transaction,
        reader: &dyn StateReader,
        env: &BlockEnv,
        options: AttemptOptions,
    ) -> Result<Self, ExecutionFailure> {
        let mut journal = Journal::new(reader);
        let ran = Plan::new(transaction)
            .map_err(Rejection::from)
            .and_then(|plan| caught(|| execute(&plan, &mut journal, env)));
        Self::of(ran, journal, env, options)
    }

    /// What a transaction that ran to one of its ends left in its journal.
    pub(super) fn of(
        ran: Result<Execution, Rejection>,
        mut journal: Journal<'_>,
        env: &BlockEnv,
        options: AttemptOptions,
    ) -> Result<Self, ExecutionFailure> {
        let ran = ran.and_then(|execution| {
            let load = caught(|| weigh(&execution, None, &mut journal, env, options))?;
            Ok((execution, load))
        });
        match ran {
            Ok((mut execution, load)) => {
                if !options.keeps_reverted_calls {
                    execution.reverted_call = None;
                }
                let state_diff = journal.diff();
                Ok(Self { result: Ok(Box::new(execution)), load, state_diff, parts: journal.into_parts() })
            }
            Err(Rejection::Invalid(error)) => Ok(Self {
                result: Err(error),
                load: Load::default(),
                state_diff: StateDiff::default(),
                parts: journal.into_parts(),
            }),
            Err(Rejection::Failure(failure)) => Err(failure),
        }
    }
}

/// What an executed transaction brings to the block; `fee` is the transfer of its fee, where the execution does not have that yet.
/// What is read for it belongs to what the transaction read (C239).
pub(super) fn weigh(
    execution: &Execution,
    fee: Option<&CallInfo>,
    journal: &mut Journal<'_>,
    env: &BlockEnv,
    options: AttemptOptions,
) -> Result<Load, Rejection> {
    let overflow = || ExecutionFailure::Internal("A sum over the calls overflowed.".to_owned());
    let calls = execution.calls().chain(fee);
    let summary = ExecutionSummary::of(calls, &env.constants).ok_or_else(overflow)?;
    let finds_migrations = options.finds_migrations && env.constants.switches.casm_hash_migration;
    let classes = summary.executed_classes.iter().map(|&class_hash| {
        let costs = journal.class(class_hash)?.hash_costs();
        let migration = if finds_migrations { migration(class_hash, journal)? } else { None };
        Ok(ExecutedClass { class_hash, costs, migration })
    });
    let classes = classes.collect::<Result<_, Rejection>>()?;
    Ok(Load::of(execution, summary.visited_storage, &journal.changes(), classes)?)
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
