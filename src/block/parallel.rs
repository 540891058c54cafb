//! Transactions as tasks of `parallel`: many at once, the same bytes as one after another.
//!
//! In: an open block, transactions, threads. Out: attempts, committed in order through the block's one door. A transaction runs in
//! two parts: its body, and the transfer of its fee (see [`speculation`](super::speculation)). What its validation left is
//! kept: when only the execution goes stale, the signature is not checked again.

mod whole;

use std::sync::Arc;

use starknet_api::core::ContractAddress;
use starknet_types_core::felt::Felt;

pub(super) use self::whole::{Order, Run, execute};
use super::attempt::{Attempt, AttemptOptions, Left, Refusal, caught};
use super::capacity::Load;
use super::list::TransactionList;
use super::speculation::{Credit, Credits, Part, Speculation};
use crate::call::CallInfo;
use crate::parallel::{Executed, Limits, Reads, Settled, Task, View};
use crate::protocol::BlockEnv;
use crate::state::{
    Cell, CellValue, Journal, JournalParts, ReadError, StateDiff, StateReader, StopFlag, SuspendedJournal,
    Term, writes,
};
use crate::transaction::{
    Admitted, Execution, ExecutionFailure, Plan, Rejection, Transaction, admit_and_validate, charge,
    is_charged, run,
};

/// How far ahead of the commits transactions may be executed, and so how many results may be held.
const WINDOW: usize = 256;

/// Locks that the cells are spread over.
const SHARDS: usize = 64;

/// The transactions of a block.
pub(super) struct BlockTask<'b, R> {
    transactions: Arc<TransactionList<'b>>,
    reader: R,
    env: BlockEnv,
    options: AttemptOptions,
    credits: Credits,
    /// How long there is.
    term: Arc<Term>,
}

/// A transaction without its fee.
pub(super) enum Body {
    /// Nothing is to be charged: it is whole.
    Whole(Result<Box<Attempt>, ExecutionFailure>),
    /// It is to be charged.
    Unpaid(Box<Unpaid>),
}

/// A transaction that ran and has not paid.
pub(super) struct Unpaid {
    plan: Plan,
    execution: Box<Execution>,
    /// As it was before the fee; gone when the fee's transfer was the last that is tried.
    journal: Option<SuspendedJournal>,
}

/// What came of a fee's transfer, with what the whole transaction left.
pub(super) struct Payment {
    result: Result<(Option<CallInfo>, Load), Refusal>,
    state_diff: StateDiff,
    parts: JournalParts,
}

/// A validated transaction, for the next run.
pub(super) struct Kept<'b, R: StateReader + Sync> {
    reads: Reads<BlockTask<'b, R>>,
    journal: SuspendedJournal,
    admitted: Admitted,
}

impl<'b, R: StateReader + Sync> Task for BlockTask<'b, R> {
    type Key = Cell;
    type Value = CellValue;
    type Delta = Credit;
    type Body = Body;
    type Tail = Result<Box<Payment>, ExecutionFailure>;
    type Kept = Kept<'b, R>;
    type Error = ReadError;

    fn load(&self, cell: &Cell) -> Result<CellValue, ReadError> {
        CellValue::load(&self.reader, *cell)
    }

    /// Contracts that are deployed and classes that are declared.
    fn changes_seldom(&self, cell: &Cell, value: &CellValue) -> bool {
        match (cell, value) {
            (Cell::Class(_), CellValue::Class(class)) => class.is_some(),
            (Cell::ClassHash(_) | Cell::CompiledClassHash(_), CellValue::Felt(hash)) => *hash != Felt::ZERO,
            _ => false,
        }
    }

    fn follows(&self, index: usize) -> Option<usize> {
        self.transactions.predecessor(index)
    }

    fn is_over(&self) -> bool {
        self.term.is_over()
    }

    fn execute(
        &self,
        index: usize,
        view: &View<'_, Self>,
        kept: &mut Option<Kept<'b, R>>,
    ) -> Option<Executed<Self>> {
        let transaction = self.transactions.at(index)?;
        if view.is_alone() {
            return self.alone(&transaction, view, kept);
        }
        let reader = Speculation::new(view, &self.credits, Part::Body);
        let result = Plan::new(&transaction).map_err(Rejection::from).map(|plan| {
            let (mut journal, admitted) = self.admitted(&plan, &reader, view, kept);
            let ran = admitted.and_then(|admitted| caught(|| run(&plan, admitted, &mut journal, &self.env)));
            (plan, journal, ran)
        });
        if self.is_in_vain(view) {
            return None;
        }
        let (plan, mut journal, ran) = match result {
            Ok(ran) => ran,
            Err(rejection) => return self.whole(Err(rejection), Journal::new(&reader), view),
        };
        let mut execution = match ran {
            Ok(execution) => execution,
            Err(rejection) => return self.whole(Err(rejection), journal, view),
        };
        if !self.options.keeps_reverted_calls {
            execution.reverted_call = None;
        }
        let fee = execution.receipt.fee;
        if !is_charged(&plan, fee) {
            return self.whole(Ok(execution), journal, view);
        }
        let token = self.env.chain.fee_token(plan.info.fee_type());
        let sender = plan.info.sender;
        let amount = if sender == self.env.block.sequencer { 0 } else { fee.0 };
        let balance = journal.balance_key(sender);
        Some(Executed {
            writes: journal.writes(),
            steps: self.steps(&execution),
            delta: Some(Credit { token, amount }),
            unsettled: vec![Cell::Storage(token, balance)],
            broken: false,
            body: Body::Unpaid(Box::new(Unpaid { plan, execution, journal: Some(journal.suspend()) })),
        })
    }

    fn settle(&self, _: usize, body: &mut Body, view: &View<'_, Self>) -> Option<Settled<Self>> {
        let Body::Unpaid(unpaid) = body else { return None };
        let Unpaid { plan, execution, journal } = &mut **unpaid;
        let journal = if view.is_last() { journal.take()? } else { journal.clone()? };
        let token: ContractAddress = self.env.chain.fee_token(plan.info.fee_type());
        let reader = Speculation::new(view, &self.credits, Part::Fee(token));
        let mut journal = journal.resume(&reader, self.stop_flag(view));
        let charged = caught(|| charge(plan, &mut journal, &self.env, execution.receipt.fee));
        if self.is_in_vain(view) {
            return None;
        }
        let payment = match charged {
            Ok(call) => Left::of(execution, call.as_ref(), journal, &self.env, &self.options).map(|left| {
                let Left { load, state_diff, parts } = left;
                match load {
                    Ok(load) => Payment { result: Ok((call, load)), state_diff, parts },
                    Err(refusal) => Payment { result: Err(refusal), state_diff: StateDiff::default(), parts },
                }
            }),
            Err(Rejection::Invalid(error)) => {
                let (state_diff, parts) = (StateDiff::default(), journal.into_parts());
                Ok(Payment { result: Err(Refusal::Invalid(error)), state_diff, parts })
            }
            Err(Rejection::Failure(failure)) => Err(failure),
        };
        if self.is_in_vain(view) {
            return None;
        }
        let writes = match &payment {
            Ok(Payment { result: Ok(_), parts, .. }) => writes(&parts.0, &parts.2, &parts.1),
            _ => Vec::new(),
        };
        Some(Settled { writes, broken: payment.is_err(), tail: payment.map(Box::new) })
    }
}

impl<'b, R: StateReader + Sync> BlockTask<'b, R> {
    pub(super) fn new(
        transactions: Arc<TransactionList<'b>>,
        reader: R,
        env: BlockEnv,
        options: AttemptOptions,
        term: Arc<Term>,
    ) -> Self {
        let credits = Credits::new(&env);
        Self { transactions, reader, env, options, credits, term }
    }

    /// Whether what has just been run is not to be looked at: it may have been stopped.
    fn is_in_vain(&self, view: &View<'_, Self>) -> bool {
        view.is_interrupted() || self.term.is_over()
    }

    fn stop_flag(&self, view: &View<'_, Self>) -> StopFlag {
        StopFlag::new(view.void_flag(), Arc::clone(&self.term))
    }

    /// A transaction that nothing can disturb: in one go, fee included, as one after another.
    fn alone(
        &self,
        transaction: &Transaction,
        view: &View<'_, Self>,
        kept: &mut Option<Kept<'b, R>>,
    ) -> Option<Executed<Self>> {
        let reader = Speculation::new(view, &self.credits, Part::Whole);
        let plan = match Plan::new(transaction) {
            Ok(plan) => plan,
            Err(error) => return self.whole(Err(error.into()), Journal::new(&reader), view),
        };
        let (mut journal, admitted) = self.admitted(&plan, &reader, view, kept);
        let ran = admitted.and_then(|admitted| {
            caught(|| {
                let mut execution = run(&plan, admitted, &mut journal, &self.env)?;
                execution.fee_transfer_call = charge(&plan, &mut journal, &self.env, execution.receipt.fee)?;
                Ok::<_, Rejection>(execution)
            })
        });
        if self.is_in_vain(view) {
            return None;
        }
        let ran = ran.map(|mut execution| {
            if !self.options.keeps_reverted_calls {
                execution.reverted_call = None;
            }
            execution
        });
        self.whole(ran, journal, view)
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

    /// A transaction that ends without a fee; `None` when it was interrupted.
    fn whole(
        &self,
        result: Result<Box<Execution>, Rejection>,
        journal: Journal<'_>,
        view: &View<'_, Self>,
    ) -> Option<Executed<Self>> {
        let attempt = Attempt::of(result, journal, &self.env, &self.options);
        if self.is_in_vain(view) {
            return None;
        }
        let writes = match &attempt {
            Ok(attempt) if attempt.result.is_ok() => {
                writes(&attempt.parts.0, &attempt.parts.2, &attempt.parts.1)
            }
            _ => Vec::new(),
        };
        let steps = match &attempt {
            Ok(Attempt { result: Ok(execution), .. }) => self.steps(execution),
            _ => 0,
        };
        Some(Executed {
            writes,
            steps,
            delta: None,
            unsettled: Vec::new(),
            broken: attempt.is_err(),
            body: Body::Whole(attempt.map(Box::new)),
        })
    }

    /// The journal of an admitted and validated transaction: as an earlier run left it, if what that read is still so.
    fn admitted<'r>(
        &self,
        plan: &Plan,
        reader: &'r dyn StateReader,
        view: &View<'_, Self>,
        kept: &mut Option<Kept<'b, R>>,
    ) -> (Journal<'r>, Result<Admitted, Rejection>) {
        if let Some(earlier) = kept.as_ref() {
            match view.read_again(&earlier.reads) {
                Ok(true) => {
                    let journal = earlier.journal.clone().resume(reader, self.stop_flag(view));
                    return (journal, Ok(earlier.admitted.clone()));
                }
                Ok(false) => *kept = None,
                Err(_) => {
                    let failure = ExecutionFailure::Internal("The run is given up.".to_owned());
                    return (Journal::new(reader), Err(failure.into()));
                }
            }
        }
        let mut journal = Journal::new(reader).stopped_by(self.stop_flag(view));
        let admitted = caught(|| admit_and_validate(plan, &mut journal, &self.env));
        if let Ok(admitted) = &admitted
            && view.may_be_voided()
        {
            *kept = Some(Kept {
                reads: view.reads_so_far(),
                journal: journal.snapshot(),
                admitted: admitted.clone(),
            });
        }
        (journal, admitted)
    }
}

impl Attempt {
    /// Puts a body and its payment together.
    pub(super) fn paid(
        body: Body,
        payment: Option<Result<Box<Payment>, ExecutionFailure>>,
    ) -> Result<Self, ExecutionFailure> {
        let unpaid = match body {
            Body::Whole(attempt) => return attempt.map(|attempt| *attempt),
            Body::Unpaid(unpaid) => unpaid,
        };
        let missing = || ExecutionFailure::Internal("A transaction was committed unpaid.".to_owned());
        let Payment { result, state_diff, parts } = *payment.ok_or_else(missing)??;
        Ok(match result {
            Ok((fee_transfer_call, load)) => {
                let mut execution = unpaid.execution;
                execution.fee_transfer_call = fee_transfer_call;
                Self { result: Ok(execution), load, state_diff, parts }
            }
            Err(refusal) => Self::refused(refusal, parts),
        })
    }
}

/// How much may be under way in a block.
pub(super) fn limits(helpers: usize, has_main: bool) -> Limits {
    Limits { helpers, window: WINDOW, shards: SHARDS, has_main }
}
