//! Transactions as tasks of `parallel`: many at once, the same bytes as one after another.
//!
//! In: an open block, transactions, threads. Out: attempts, committed in order through the block's one door. A transaction runs in
//! two parts: its body, and the transfer of its fee (see [`speculation`](super::speculation)). What its validation left is
//! kept: when only the execution goes stale, the signature is not checked again.

mod whole;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use starknet_api::core::ContractAddress;
use starknet_types_core::felt::Felt;

pub(super) use self::whole::{Order, Run, execute};
use super::attempt::{Attempt, AttemptOptions, Left, Refusal, caught};
use super::list::TransactionList;
use super::speculation::{Credit, Credits, Part, Speculation};
use crate::call::CallInfo;
use crate::parallel::{Executed, Limits, Reads, Settled, Task, View};
use crate::protocol::BlockEnv;
use crate::state::{
    Cell, CellValue, Journal, JournalParts, Mark, JournalState, ReadError, StateReader, StopFlag, Term,
    writes,
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
    /// As the fee's transfer left it, if one was tried; gone when that was the last that is tried.
    journal: Option<Box<JournalState>>,
    before_fee: Mark,
    validated: Option<Validated>,
}

/// What came of a fee's transfer, with what the whole transaction left.
pub(super) struct Payment {
    call: Option<CallInfo>,
    left: Box<Left>,
}

/// The moment after validation, which the next run may begin from.
struct Validated {
    admitted: Admitted,
    journal: Mark,
    /// How many reads it took.
    reads: usize,
}

/// A validated transaction, for the next run.
pub(super) struct Kept<'b, R: StateReader + Sync> {
    reads: Reads<BlockTask<'b, R>>,
    journal: Box<JournalState>,
    validated: Validated,
}

impl<'b, R: StateReader + Sync> Task for BlockTask<'b, R> {
    type Key = Cell;
    type Value = CellValue;
    type Delta = Credit;
    type Body = Body;
    type Tail = Result<Payment, ExecutionFailure>;
    type Kept = Box<Kept<'b, R>>;
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
        kept: Option<Box<Kept<'b, R>>>,
    ) -> Result<Executed<Self>, Option<Box<Kept<'b, R>>>> {
        let Some(transaction) = self.transactions.at(index) else { return Err(kept) };
        let part = if view.is_alone() { Part::Whole } else { Part::Body };
        let reader = Speculation::new(view, &self.credits, part);
        let mut journal = Journal::new(&reader).stopped_by(self.stop_flag(view));
        let plan = match Plan::new(&transaction) {
            Ok(plan) => plan,
            Err(error) => return self.whole(Err(error.into()), &mut journal, view).ok_or(None),
        };
        let admitted = self.admitted(&plan, &mut journal, &reader, view, kept)?;
        if view.is_alone() {
            return self.alone(&plan, &mut journal, admitted, view).ok_or(None);
        }
        let validated = admitted.as_ref().ok().filter(|_| view.may_be_voided()).map(|admitted| Validated {
            admitted: admitted.clone(),
            journal: journal.mark(),
            reads: view.reads_so_far(),
        });
        let mut has_ended = false;
        let ran = admitted.and_then(|admitted| {
            caught(|| {
                let ran = run(&plan, admitted, &mut journal, &self.env);
                has_ended = true;
                ran
            })
        });
        if self.is_in_vain(view) {
            // What a panic may have left half done is of no use to anybody.
            let validated = validated.filter(|_| has_ended);
            return Err(validated.map(|validated| {
                let reads = view.take_reads().first(validated.reads);
                Box::new(Kept { reads, journal: journal.suspend(), validated })
            }));
        }
        let mut execution = match ran {
            Ok(execution) => execution,
            Err(rejection) => return self.whole(Err(rejection), &mut journal, view).ok_or(None),
        };
        if !self.options.keeps_reverted_calls {
            execution.reverted_call = None;
        }
        let fee = execution.receipt.fee;
        if !is_charged(&plan, fee) {
            return self.whole(Ok(execution), &mut journal, view).ok_or(None);
        }
        let token = self.env.chain.fee_token(plan.info.fee_type());
        let sender = plan.info.sender;
        let amount = if sender == self.env.block.sequencer { 0 } else { fee.0 };
        let balance = journal.balance_key(sender);
        let (steps, writes, before_fee) = (self.steps(&execution), journal.writes(), journal.mark());
        let journal = Some(journal.suspend());
        let unpaid = Box::new(Unpaid { plan, execution, journal, before_fee, validated });
        Ok(Executed {
            body: Body::Unpaid(unpaid),
            writes,
            steps,
            delta: Some(Credit { token, amount }),
            unsettled: vec![Cell::Storage(token, balance)],
            broken: false,
        })
    }

    fn keep(&self, body: Body, reads: Reads<Self>) -> Option<Box<Kept<'b, R>>> {
        let Body::Unpaid(unpaid) = body else { return None };
        let Unpaid { journal, validated, .. } = *unpaid;
        let (journal, validated) = (journal?, validated?);
        Some(Box::new(Kept { reads: reads.first(validated.reads), journal, validated }))
    }

    fn settle(&self, _: usize, body: &mut Body, view: &View<'_, Self>) -> Option<Settled<Self>> {
        let Body::Unpaid(unpaid) = body else { return None };
        let Unpaid { plan, execution, journal, before_fee, .. } = &mut **unpaid;
        let token: ContractAddress = self.env.chain.fee_token(plan.info.fee_type());
        let reader = Speculation::new(view, &self.credits, Part::Fee(token));
        // Gone for good if what comes now panics: then the body runs again.
        let unpaid = journal.take()?;
        let mut unpaid = unpaid.resume(&reader, self.stop_flag(view));
        unpaid.take_back(before_fee);
        let is_last = view.is_last();
        let mut has_ended = false;
        let charged = caught(|| {
            let charged = charge(plan, &mut unpaid, &self.env, execution.receipt.fee);
            has_ended = true;
            charged
        });
        let payment = match charged {
            _ if self.is_in_vain(view) => None,
            Ok(call) => Some(
                Left::of(execution, call.as_ref(), &mut unpaid, is_last, &self.env, &self.options)
                    .map(|left| Payment { call, left: Box::new(left) }),
            ),
            Err(Rejection::Invalid(error)) => {
                let left = Left::refused(Refusal::Invalid(error), unpaid.copy_parts());
                Some(Ok(Payment { call: None, left: Box::new(left) }))
            }
            Err(Rejection::Failure(failure)) => Some(Err(failure)),
        };
        if has_ended && !matches!(payment, Some(Err(_))) && !is_last {
            *journal = Some(unpaid.suspend());
        }
        if self.is_in_vain(view) {
            return None;
        }
        let payment = payment?;
        let writes = payment.as_ref().map_or_else(|_| Vec::new(), |payment| payment.left.writes());
        Some(Settled { writes, broken: payment.is_err(), tail: payment })
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
        plan: &Plan,
        journal: &mut Journal<'_>,
        admitted: Result<Admitted, Rejection>,
        view: &View<'_, Self>,
    ) -> Option<Executed<Self>> {
        let ran = admitted.and_then(|admitted| {
            caught(|| {
                let mut execution = run(plan, admitted, journal, &self.env)?;
                execution.fee_transfer_call = charge(plan, journal, &self.env, execution.receipt.fee)?;
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

    /// What an attempt wrote, and the steps that it took.
    fn came_of(&self, attempt: &Attempt) -> (Vec<(Cell, CellValue)>, u64) {
        match &attempt.result {
            Ok(execution) => (written(&attempt.parts), self.steps(execution)),
            Err(_) => (Vec::new(), 0),
        }
    }

    /// A transaction on a state that is there, as one after another.
    fn attempt(
        &self,
        transaction: &Transaction,
        state: &dyn StateReader,
        void: Arc<AtomicBool>,
    ) -> Result<Attempt, ExecutionFailure> {
        let stop = StopFlag::new(void, Arc::clone(&self.term));
        Attempt::run(transaction, state, stop, &self.env, &self.options)
    }

    /// A transaction that ends without a fee; `None` when it was interrupted.
    fn whole(
        &self,
        result: Result<Box<Execution>, Rejection>,
        journal: &mut Journal<'_>,
        view: &View<'_, Self>,
    ) -> Option<Executed<Self>> {
        let attempt = Attempt::of(result, journal, &self.env, &self.options);
        if self.is_in_vain(view) {
            return None;
        }
        let (writes, steps) = attempt.as_ref().map_or_else(|_| Default::default(), |it| self.came_of(it));
        Some(Executed {
            writes,
            steps,
            delta: None,
            unsettled: Vec::new(),
            broken: attempt.is_err(),
            body: Body::Whole(attempt.map(Box::new)),
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
                    journal.take_back(&validated.journal);
                    return Ok(Ok(validated.admitted));
                }
                Ok(false) => {}
                Err(reads) => return Err(Some(Box::new(Kept { reads, journal: earlier, validated }))),
            }
        }
        Ok(caught(|| admit_and_validate(plan, journal, &self.env)))
    }
}

/// What a transaction wrote.
fn written((changes, reads, classes): &JournalParts) -> Vec<(Cell, CellValue)> {
    writes(changes, classes, reads)
}

impl Left {
    /// What the transaction wrote, if it is not refused.
    fn writes(&self) -> Vec<(Cell, CellValue)> {
        if self.load.is_ok() { written(&self.parts) } else { Vec::new() }
    }
}

impl Attempt {
    /// Puts a body and its payment together.
    pub(super) fn paid(
        body: Body,
        payment: Option<Result<Payment, ExecutionFailure>>,
    ) -> Result<Self, ExecutionFailure> {
        let unpaid = match body {
            Body::Whole(attempt) => return attempt.map(|attempt| *attempt),
            Body::Unpaid(unpaid) => unpaid,
        };
        let missing = || ExecutionFailure::Internal("A transaction was committed unpaid.".to_owned());
        let Payment { call, left } = payment.ok_or_else(missing)??;
        let mut execution = unpaid.execution;
        execution.fee_transfer_call = call;
        Ok(Self::with(execution, *left))
    }
}

/// How much may be under way in a block.
pub(super) fn limits(helpers: usize, has_main: bool) -> Limits {
    Limits { helpers, window: WINDOW, shards: SHARDS, has_main }
}
