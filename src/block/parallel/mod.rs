//! Transactions as tasks of `parallel`: many at once, the same bytes as one after another.
//!
//! In: an open block, transactions, threads. Out: attempts, committed in order through the block's one door. A transaction runs in
//! two parts: its body, and the transfer of its fee (see [`speculative_reader`]). What its validation left is
//! kept: when only the execution goes stale, the signature is not checked again.

mod batch;
mod speculative_reader;
mod transaction_list;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use starknet_api::core::ContractAddress;
use starknet_api::transaction::fields::Fee;
use starknet_types_core::felt::Felt;

pub(super) use self::batch::{Order, Run, execute};
use self::speculative_reader::{Credit, Credits, Part, Speculation};
pub(super) use self::transaction_list::{Held, TransactionList};
use super::attempt::{Attempt, CommitData, TransactionId, caught};
use super::options::ExecutionOptions;
use super::outcome::TransactionDisposition;
use crate::fee::payer_balance_key;
use crate::parallel::{Executed, Limits, Reads, Settled, Task, View};
use crate::protocol::BlockEnv;
use crate::state::{
    CancellationToken, Journal, JournalState, ReadError, RollbackPoint, StateKey, StateReader, StateValue,
    StopFlag,
};
use crate::transaction::{
    Admitted, Execution, ExecutionContext, FatalError, Plan, Rejection, Transaction, admit_and_validate,
    charge, is_charged, run,
};

/// How far ahead of the commits transactions may be executed, and so how many results may be held.
const WINDOW: usize = 256;

/// Locks that the cells are spread over.
const SHARDS: usize = 64;

/// So many threads leave the fees' transfers to the commits, which one thread at a time has the time for: they are the smaller part
/// of even the cheapest transaction.
const FEW_THREADS: usize = 4;

/// The transactions of a block.
pub(super) struct BlockTask<'b, R> {
    transactions: Arc<TransactionList<'b>>,
    reader: R,
    env: BlockEnv,
    options: ExecutionOptions,
    credits: Credits,
    /// How long there is.
    term: Arc<CancellationToken>,
}

/// A transaction without its fee.
pub(super) enum Body {
    /// Nothing is to be charged: it is whole.
    Whole(Result<Attempt, FatalError>),
    /// It is to be charged.
    Unpaid(Box<Unpaid>),
}

/// A transaction that ran and has still to pay.
pub(super) struct Unpaid {
    plan: Plan,
    /// `None` while it is part of what came of it.
    execution: Option<Box<Execution>>,
    fee: Fee,
    /// As the fee's transfer left it, if one was tried; gone when that was the last that is tried.
    journal: Option<Box<JournalState>>,
    before_fee: RollbackPoint,
    /// Without the validation, which is part of the execution.
    validated: ValidatedPrefix,
    /// What came of it with its fee's transfer, if one was tried.
    paid: Option<Result<Attempt, FatalError>>,
}

/// The moment after validation, which the next run may begin from.
struct ValidatedPrefix {
    admitted: Admitted,
    journal: RollbackPoint,
    /// How many reads it took.
    reads: usize,
}

/// A validated transaction, for the next run.
pub(super) struct Kept<'b, R: StateReader + Sync> {
    reads: Reads<BlockTask<'b, R>>,
    journal: Box<JournalState>,
    validated: ValidatedPrefix,
}

impl<'b, R: StateReader + Sync> Task for BlockTask<'b, R> {
    type Key = StateKey;
    type Value = StateValue;
    type Delta = Credit;
    type Body = Body;
    type Kept = Box<Kept<'b, R>>;
    type Error = ReadError;

    fn load(&self, cell: &StateKey) -> Result<StateValue, ReadError> {
        StateValue::load(&self.reader, *cell)
    }

    /// Contracts that are deployed and classes that are declared.
    fn changes_seldom(&self, cell: &StateKey, value: &StateValue) -> bool {
        match (cell, value) {
            (StateKey::Class(_), StateValue::Class(class)) => class.is_some(),
            (StateKey::ClassHash(_) | StateKey::CompiledClassHash(_), StateValue::Felt(hash)) => {
                *hash != Felt::ZERO
            }
            _ => false,
        }
    }

    fn follows(&self, index: usize) -> Option<usize> {
        self.transactions.predecessor(index)
    }

    fn is_over(&self) -> bool {
        self.term.is_cancelled()
    }

    fn execute(
        &self,
        index: usize,
        view: &View<'_, Self>,
        kept: Option<Box<Kept<'b, R>>>,
    ) -> Result<Executed<Self>, Option<Box<Kept<'b, R>>>> {
        let Some(transaction) = self.transactions.at(index) else { return Err(kept) };
        let id = TransactionId::of(&transaction);
        let part = if view.is_alone() { Part::Whole } else { Part::Body };
        let reader = Speculation::new(view, &self.credits, part);
        let mut journal = Journal::new(&reader).stopped_by(self.stop_flag(view));
        let plan = match Plan::new(&transaction) {
            Ok(plan) => plan,
            Err(error) => return self.whole(id, Err(error.into()), &mut journal, view).ok_or(None),
        };
        let mut admitted = match self.admitted(&plan, &mut journal, &reader, view, kept)? {
            Ok(admitted) => admitted,
            Err(rejection) => {
                return self.whole(id, Err(rejection), &mut journal, view).ok_or(None);
            }
        };
        if view.is_alone() {
            return self.alone(id, &plan, &mut journal, admitted, view).ok_or(None);
        }
        let (mark, reads) = (journal.rollback_point(), view.reads_so_far());
        let mut has_ended = false;
        let mut ran = caught(|| {
            let ran = run(&plan, &mut admitted, &mut journal, self.context());
            has_ended = true;
            ran
        });
        if self.is_in_vain(view) {
            // What a panic may have left half done is of no use to anybody.
            if !has_ended {
                return Err(None);
            }
            if let Ok(execution) = &mut ran {
                admitted.restore(&plan, execution);
            }
            let validated = ValidatedPrefix { admitted, journal: mark, reads };
            let reads = view.take_reads().first(reads);
            return Err(Some(Box::new(Kept { reads, journal: journal.suspend(), validated })));
        }
        let validated = ValidatedPrefix { admitted, journal: mark, reads };
        let execution = match ran {
            Ok(execution) => execution,
            Err(rejection) => {
                return self.whole(id, Err(rejection), &mut journal, view).ok_or(None);
            }
        };
        let fee = execution.receipt.fee;
        if !is_charged(&plan, fee) {
            return self.whole(id, Ok(execution), &mut journal, view).ok_or(None);
        }
        let token = self.env.chain.fee_token(plan.info.fee_type());
        let sender = plan.info.sender;
        let amount = if sender == self.env.block.sequencer { 0 } else { fee.0 };
        let balance = payer_balance_key(&mut journal, sender);
        let (steps, before_fee) = (self.steps(&execution), journal.rollback_point());
        let (execution, journal) = (Some(execution), Some(journal.suspend()));
        let unpaid = Box::new(Unpaid { plan, execution, fee, journal, before_fee, validated, paid: None });
        Ok(Executed {
            body: Body::Unpaid(unpaid),
            steps,
            delta: Some(Credit { token, amount }),
            unsettled: vec![StateKey::Storage(token, balance)],
            broken: false,
        })
    }

    fn writes(&self, body: &Body) -> Vec<(StateKey, StateValue)> {
        match body {
            Body::Whole(Ok(attempt)) => attempt.writes(),
            Body::Unpaid(unpaid) => match &unpaid.paid {
                Some(Ok(attempt)) => attempt.writes(),
                Some(Err(_)) => Vec::new(),
                None => unpaid.journal.as_ref().map_or_else(Vec::new, |journal| journal.writes()),
            },
            Body::Whole(Err(_)) => Vec::new(),
        }
    }

    fn keep(&self, body: Body, reads: Reads<Self>) -> Option<Box<Kept<'b, R>>> {
        let Body::Unpaid(unpaid) = body else { return None };
        let Unpaid { plan, execution, journal, mut validated, paid, .. } = *unpaid;
        let paid = paid.and_then(Result::ok).and_then(Attempt::into_execution);
        validated.admitted.restore(&plan, &mut *paid.or(execution)?);
        Some(Box::new(Kept { reads: reads.first(validated.reads), journal: journal?, validated }))
    }

    fn settle(&self, _: usize, body: &mut Body, view: &View<'_, Self>) -> Option<Settled> {
        let Body::Unpaid(unpaid) = body else { return None };
        let Unpaid { plan, execution, fee, journal, before_fee, paid, .. } = &mut **unpaid;
        if let Some(earlier) = paid.take().and_then(Result::ok).and_then(Attempt::into_execution) {
            *execution = Some(earlier);
        }
        let id = TransactionId { hash: plan.info.hash, kind: plan.kind };
        let token: ContractAddress = self.env.chain.fee_token(plan.info.fee_type());
        let reader = Speculation::new(view, &self.credits, Part::Fee(token));
        // Gone for good if what comes now panics: then the body runs again.
        let mut unpaid = journal.take()?.resume(&reader, self.stop_flag(view));
        unpaid.rollback_to(before_fee);
        let is_last = view.is_last();
        let mut has_ended = false;
        let charged = caught(|| {
            let charged = charge(plan, &mut unpaid, self.context(), *fee);
            has_ended = true;
            charged
        });
        let came = match charged {
            _ if self.is_in_vain(view) => None,
            Ok(call) => {
                if let Some(execution) = execution {
                    execution.fee_transfer_call = call;
                }
                Some(Attempt::executed(id, execution, &mut unpaid, is_last, &self.env, &self.options))
            }
            Err(Rejection::Invalid(error)) => {
                let result = TransactionDisposition::Invalid(error);
                Some(Ok(Attempt::rejected(id, result, unpaid.snapshot())))
            }
            Err(Rejection::Failure(failure)) => Some(Err(failure)),
        };
        if has_ended && !matches!(came, Some(Err(_))) && !is_last {
            *journal = Some(unpaid.suspend());
        }
        if self.is_in_vain(view) {
            // What a reader that gave up may have let the transaction look like is not to be seen.
            *execution = came.and_then(Result::ok).and_then(Attempt::into_execution).or(execution.take());
            return None;
        }
        let broken = came.as_ref()?.is_err();
        *paid = came;
        Some(Settled { broken })
    }
}

impl<'b, R: StateReader + Sync> BlockTask<'b, R> {
    pub(super) fn new(
        transactions: Arc<TransactionList<'b>>,
        reader: R,
        env: BlockEnv,
        options: ExecutionOptions,
        term: Arc<CancellationToken>,
    ) -> Self {
        let credits = Credits::new(&env);
        Self { transactions, reader, env, options, credits, term }
    }

    /// Whether what has just been run is not to be looked at: it may have been stopped.
    fn is_in_vain(&self, view: &View<'_, Self>) -> bool {
        view.is_interrupted() || self.term.is_cancelled()
    }

    fn context(&self) -> ExecutionContext<'_> {
        self.options.context(&self.env)
    }

    fn stop_flag(&self, view: &View<'_, Self>) -> StopFlag {
        StopFlag::new(view.void_flag(), Arc::clone(&self.term))
    }

    /// A transaction that nothing can disturb: in one go, fee included, as one after another.
    fn alone(
        &self,
        id: TransactionId,
        plan: &Plan,
        journal: &mut Journal<'_>,
        mut admitted: Admitted,
        view: &View<'_, Self>,
    ) -> Option<Executed<Self>> {
        let ran = caught(|| {
            let mut execution = run(plan, &mut admitted, journal, self.context())?;
            execution.fee_transfer_call = charge(plan, journal, self.context(), execution.receipt.fee)?;
            Ok::<_, Rejection>(execution)
        });
        if self.is_in_vain(view) {
            return None;
        }
        self.whole(id, ran, journal, view)
    }

    /// What an execution took, in Cairo steps: gas counts by what a step costs.
    fn steps(&self, execution: &Execution) -> u64 {
        let computation = &execution.receipt.resources.computation;
        let gas = computation.sierra_gas.saturating_add(computation.reverted_sierra_gas);
        let steps = computation.transaction_vm.steps;
        steps
            .saturating_add(computation.reverted_steps)
            .saturating_add(gas.checked_div(self.env.constants.gas.step).unwrap_or(0))
    }

    /// The same of an attempt; none of a rejected one.
    fn steps_of(&self, attempt: &Attempt) -> u64 {
        attempt.outcome.execution().map_or(0, |execution| self.steps(execution))
    }

    /// A transaction on a state that is there, as one after another.
    fn attempt(
        &self,
        transaction: &Transaction,
        state: &dyn StateReader,
        void: Arc<AtomicBool>,
    ) -> Result<Attempt, FatalError> {
        let stop = StopFlag::new(void, Arc::clone(&self.term));
        Attempt::run(transaction, state, stop, &self.env, &self.options)
    }

    /// A transaction that ends without a fee; `None` when it was interrupted.
    fn whole(
        &self,
        id: TransactionId,
        result: Result<Box<Execution>, Rejection>,
        journal: &mut Journal<'_>,
        view: &View<'_, Self>,
    ) -> Option<Executed<Self>> {
        let attempt = Attempt::of(id, result, journal, &self.env, &self.options);
        if self.is_in_vain(view) {
            return None;
        }
        Some(Executed {
            steps: attempt.as_ref().map_or(0, |attempt| self.steps_of(attempt)),
            delta: None,
            unsettled: Vec::new(),
            broken: attempt.is_err(),
            body: Body::Whole(attempt),
        })
    }

    /// Admits and validates: as an earlier run did, if what that read is still so.
    fn admitted<'r>(
        &self,
        plan: &Plan,
        journal: &mut Journal<'r>,
        reader: &'r dyn StateReader,
        view: &View<'_, Self>,
        kept: Option<Box<Kept<'b, R>>>,
    ) -> Result<Result<Admitted, Rejection>, Option<Box<Kept<'b, R>>>> {
        if let Some(kept) = kept {
            let Kept { reads, journal: earlier, validated } = *kept;
            match view.read_again(reads) {
                Ok(true) => {
                    *journal = earlier.resume(reader, self.stop_flag(view));
                    journal.rollback_to(&validated.journal);
                    return Ok(Ok(validated.admitted));
                }
                Ok(false) => {}
                Err(reads) => return Err(Some(Box::new(Kept { reads, journal: earlier, validated }))),
            }
        }
        Ok(caught(|| admit_and_validate(plan, journal, self.context())))
    }
}

impl Attempt {
    /// What the transaction wrote, if it can be in the block.
    pub(super) fn writes(&self) -> Vec<(StateKey, StateValue)> {
        let CommitData { usage, parts } = &*self.data;
        if usage.is_some() { parts.writes() } else { Vec::new() }
    }
}

impl Body {
    /// What came of the transaction.
    pub(super) fn into_attempt(self) -> Result<Attempt, FatalError> {
        let missing = || FatalError::Internal("A transaction was committed unpaid.".to_owned());
        match self {
            Self::Whole(attempt) => attempt,
            Self::Unpaid(unpaid) => unpaid.paid.ok_or_else(missing)?,
        }
    }
}

/// How much may be under way in a block.
pub(super) fn limits(helpers: usize, has_main: bool) -> Limits {
    let threads = helpers.saturating_add(usize::from(has_main));
    Limits { helpers, window: WINDOW, shards: SHARDS, has_main, settles_early: threads > FEW_THREADS }
}
