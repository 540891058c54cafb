//! One attempt at a transaction, over a state that it can only read.
//!
//! In: a transaction, the block's surroundings, a reader of the state before the transaction. Out: an [`Attempt`], which an
//! [`OpenBlock`](super::under_way::OpenBlock) commits or which is thrown away. Runs on any thread; knows nothing of order.

use std::panic::{AssertUnwindSafe, catch_unwind};

use starknet_api::core::{ClassHash, CompiledClassHash};

use super::capacity::{ExecutedClass, Load, Migration, executed_classes};
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
    fn of(
        ran: Result<Execution, Rejection>,
        mut journal: Journal<'_>,
        env: &BlockEnv,
        options: AttemptOptions,
    ) -> Result<Self, ExecutionFailure> {
        let ran = ran.and_then(|execution| {
            let classes = caught(|| look_up_classes(&execution, &mut journal, env, options))?;
            Ok((execution, classes))
        });
        match ran {
            Ok((mut execution, classes)) => {
                if !options.keeps_reverted_calls {
                    execution.reverted_call = None;
                }
                let state_diff = journal.diff();
                let parts = journal.into_parts();
                let load = Load::of(&execution, &parts.0, classes, &env.constants)?;
                Ok(Self { result: Ok(Box::new(execution)), load, state_diff, parts })
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

/// The classes that a transaction ran, with what the block will pay for them. What is read for it belongs to what the transaction
/// read (C239).
fn look_up_classes(
    execution: &Execution,
    journal: &mut Journal<'_>,
    env: &BlockEnv,
    options: AttemptOptions,
) -> Result<Vec<ExecutedClass>, Rejection> {
    let finds_migrations = options.finds_migrations && env.constants.switches.casm_hash_migration;
    executed_classes(execution, &env.constants)?
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
