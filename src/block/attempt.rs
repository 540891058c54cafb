//! One attempt at a transaction, over a state that it can only read.
//!
//! In: a transaction, the block's surroundings, a reader of the state before the transaction. Out: an [`Attempt`], which an
//! [`OpenBlock`](super::under_way::OpenBlock) commits or which is thrown away. Runs on any thread; knows nothing of order.

use std::panic::{AssertUnwindSafe, catch_unwind};

use starknet_api::core::{ClassHash, CompiledClassHash};

use super::capacity::{Calls, Capacity, ExecutedClass, Load, Migration, TooLarge};
use crate::call::CallInfo;
use crate::protocol::BlockEnv;
use crate::state::{Journal, JournalParts, StateDiff, StateReader, StopFlag};
use crate::transaction::{
    Execution, ExecutionFailure, InvalidTransaction, Plan, Rejection, Transaction, execute,
};

/// What a transaction did, or would do, to the state that it ran on.
#[derive(Clone, Debug)]
pub(super) struct Attempt {
    /// How it ended.
    pub(super) result: Result<Box<Execution>, Refusal>,
    /// What it brings to the block; nothing when it is refused.
    pub(super) load: Load,
    /// What it changed; nothing when it is refused.
    pub(super) state_diff: StateDiff,
    /// What it read and changed. Of a refused transaction only the reads count (C2, C238).
    pub(super) parts: JournalParts,
}

/// Why a transaction will not be in the block, whatever is in it already.
#[derive(Clone, Debug)]
pub(super) enum Refusal {
    /// It is invalid.
    Invalid(Box<InvalidTransaction>),
    /// No block has room for it (C214).
    TooLarge(Box<TooLarge>),
}

/// What an attempt does besides running the transaction.
#[derive(Clone, Debug)]
pub(super) struct AttemptOptions {
    /// Keep the call tree of a reverted execution.
    pub(super) keeps_reverted_calls: bool,
    /// Look whether the classes that ran have to move to the Blake hash, if the version has it. Nobody asks in a block that will
    /// not be closed.
    pub(super) finds_migrations: bool,
    /// How much a block holds.
    pub(super) capacity: Capacity,
}

impl Attempt {
    /// Runs a transaction over `reader`.
    pub(super) fn run(
        transaction: &Transaction,
        reader: &dyn StateReader,
        stop: StopFlag,
        env: &BlockEnv,
        options: &AttemptOptions,
    ) -> Result<Self, ExecutionFailure> {
        let mut journal = Journal::new(reader).stopped_by(stop);
        let ran = Plan::new(transaction)
            .map_err(Rejection::from)
            .and_then(|plan| caught(|| execute(&plan, &mut journal, env)));
        let ran = ran.map(|mut execution| {
            if !options.keeps_reverted_calls {
                execution.reverted_call = None;
            }
            execution
        });
        Self::of(ran, &mut journal, env, options)
    }

    /// What a transaction that ran to one of its ends left in its journal.
    pub(super) fn of(
        ran: Result<Box<Execution>, Rejection>,
        journal: &mut Journal<'_>,
        env: &BlockEnv,
        options: &AttemptOptions,
    ) -> Result<Self, ExecutionFailure> {
        match ran {
            Ok(execution) => {
                let left = Left::of(&execution, None, journal, true, env, options)?;
                Ok(Self::with(execution, left))
            }
            Err(Rejection::Invalid(error)) => {
                Ok(Self::refused(Refusal::Invalid(error), journal.take_parts()))
            }
            Err(Rejection::Failure(failure)) => Err(failure),
        }
    }

    /// A transaction that ran to its end.
    pub(super) fn with(execution: Box<Execution>, left: Left) -> Self {
        let Left { load, state_diff, parts } = left;
        match load {
            Ok(load) => Self { result: Ok(execution), load, state_diff, parts },
            Err(refusal) => Self::refused(refusal, parts),
        }
    }

    /// A transaction that will not be in the block.
    fn refused(refusal: Refusal, parts: JournalParts) -> Self {
        Self { result: Err(refusal), load: Load::default(), state_diff: StateDiff::default(), parts }
    }
}

/// What a transaction that can be in a block leaves in its journal.
pub(super) struct Left {
    /// What it brings to the block, if any block has room for it.
    pub(super) load: Result<Load, Refusal>,
    /// What it changed.
    pub(super) state_diff: StateDiff,
    /// What it read and changed.
    pub(super) parts: JournalParts,
}

impl Left {
    /// `fee_transfer` is given where it is not part of `execution`. `is_last` says that nobody needs the journal afterwards.
    pub(super) fn of(
        execution: &Execution,
        fee_transfer: Option<&CallInfo>,
        journal: &mut Journal<'_>,
        is_last: bool,
        env: &BlockEnv,
        options: &AttemptOptions,
    ) -> Result<Self, ExecutionFailure> {
        let calls = Calls { execution, fee_transfer };
        let classes = caught(|| look_up_classes(calls, journal, env, options));
        let parts = if is_last { journal.take_parts() } else { journal.copy_parts() };
        let state_diff = StateDiff::new(&parts.0, &parts.1);
        let load = match classes {
            Ok(classes) => {
                let load = Load::of(calls, &parts.0, classes)?;
                match options.capacity.holds(&load, &env.constants.gas) {
                    Ok(()) => Ok(load),
                    Err(too_large) => Err(Refusal::TooLarge(too_large)),
                }
            }
            Err(Rejection::Invalid(error)) => Err(Refusal::Invalid(error)),
            Err(Rejection::Failure(failure)) => return Err(failure),
        };
        Ok(Self { load, state_diff, parts })
    }

    /// Of a transaction that will not be in the block, whatever it changed.
    pub(super) fn refused(refusal: Refusal, parts: JournalParts) -> Self {
        Self { load: Err(refusal), state_diff: StateDiff::default(), parts }
    }
}

/// The classes that a transaction ran, with what the block will pay for them. What is read for it belongs to what the transaction
/// read (C239).
fn look_up_classes(
    calls: Calls<'_>,
    journal: &mut Journal<'_>,
    env: &BlockEnv,
    options: &AttemptOptions,
) -> Result<Vec<ExecutedClass>, Rejection> {
    let finds_migrations = options.finds_migrations && env.constants.switches.casm_hash_migration;
    calls
        .classes()
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
