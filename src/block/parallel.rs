//! Transactions as tasks of `parallel`: many at once, the same bytes as one after another.
//!
//! In: an open block, transactions, threads. Out: attempts, committed in order through the block's one door. A transaction runs in
//! two parts: its body, and the transfer of its fee (see [`speculation`](super::speculation)). What its validation left is
//! kept: when only the execution goes stale, the signature is not checked again.

use std::ops::ControlFlow;
use std::sync::{Mutex, PoisonError};

use starknet_api::core::ContractAddress;

use super::attempt::{Attempt, caught};
use super::executor::OnInvalid;
use super::outcome::{BlockError, TransactionOutcome};
use super::speculation::{Credit, Credits, Part, Speculation};
use super::under_way::OpenBlock;
use crate::call::CallInfo;
use crate::parallel::{Counters, Engine, Executed, Limits, Panicked, Reads, Settled, Sink, Task, View};
use crate::protocol::BlockEnv;
use crate::state::{
    Cell, CellValue, Journal, JournalParts, ReadError, StateDiff, StateReader, StopFlag, SuspendedJournal,
    fee_token_balance_key, writes,
};
use crate::transaction::{
    Admitted, Execution, ExecutionFailure, InvalidTransaction, Plan, Rejection, Transaction,
    admit_and_validate, charge, is_charged, run,
};

/// How far ahead of the commits transactions may be executed, and so how many results may be held.
const WINDOW: usize = 256;

/// Locks that the cells are spread over.
const SHARDS: usize = 64;

/// The transactions of a block.
pub(super) struct BlockTask<'b, R> {
    pub(super) transactions: &'b [Transaction],
    pub(super) reader: &'b R,
    pub(super) env: &'b BlockEnv,
    pub(super) keeps_reverted_calls: bool,
    credits: Credits,
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
    execution: Execution,
    journal: SuspendedJournal,
}

/// What came of a fee's transfer, with what the whole transaction left.
pub(super) struct Payment {
    result: Result<Option<CallInfo>, Box<InvalidTransaction>>,
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
        CellValue::load(self.reader, *cell)
    }

    fn execute(
        &self,
        index: usize,
        view: &View<'_, Self>,
        kept: &mut Option<Kept<'b, R>>,
    ) -> Option<Executed<Self>> {
        let transaction = self.transactions.get(index)?;
        let reader = Speculation::new(view, &self.credits, Part::Body);
        let result = Plan::new(transaction).map_err(Rejection::from).map(|plan| {
            let (mut journal, admitted) = self.admitted(&plan, &reader, view, kept);
            let ran = admitted
                .and_then(|admitted| caught(|| run(&plan, admitted, &mut journal, self.env)));
            (plan, journal, ran)
        });
        if view.is_interrupted() {
            return None;
        }
        let (plan, journal, ran) = match result {
            Ok(ran) => ran,
            Err(rejection) => return Some(whole(Err(rejection), Journal::new(&reader))),
        };
        let mut execution = match ran {
            Ok(execution) => execution,
            Err(rejection) => return Some(whole(Err(rejection), journal)),
        };
        if !self.keeps_reverted_calls {
            execution.reverted_call = None;
        }
        let fee = execution.receipt.fee;
        if !is_charged(&plan, fee) {
            return Some(whole(Ok(execution), journal));
        }
        let token = self.env.chain.fee_token(plan.info.fee_type());
        let sender = plan.info.sender;
        let amount = if sender == self.env.block.sequencer { 0 } else { fee.0 };
        Some(Executed {
            writes: writes(&journal.changes(), &journal.declared()),
            delta: Some(Credit { token, amount }),
            unsettled: vec![Cell::Storage(token, fee_token_balance_key(sender))],
            broken: false,
            body: Body::Unpaid(Box::new(Unpaid { plan, execution, journal: journal.suspend() })),
        })
    }

    fn settle(&self, _: usize, body: &Body, view: &View<'_, Self>) -> Option<Settled<Self>> {
        let Body::Unpaid(unpaid) = body else { return None };
        let Unpaid { plan, execution, journal } = &**unpaid;
        let token: ContractAddress = self.env.chain.fee_token(plan.info.fee_type());
        let reader = Speculation::new(view, &self.credits, Part::Fee(token));
        let mut journal = journal.clone().resume(&reader, StopFlag::new(view.void_flag()));
        let charged = caught(|| charge(plan, &mut journal, self.env, execution.receipt.fee));
        if view.is_interrupted() {
            return None;
        }
        let (result, state_diff) = match charged {
            Ok(call) => (Ok(call), journal.diff()),
            Err(Rejection::Invalid(error)) => (Err(error), StateDiff::default()),
            Err(Rejection::Failure(failure)) => {
                return Some(Settled { tail: Err(failure), writes: Vec::new(), broken: true });
            }
        };
        let parts = journal.into_parts();
        let writes = if result.is_ok() { writes(&parts.0, &parts.2) } else { Vec::new() };
        Some(Settled { tail: Ok(Box::new(Payment { result, state_diff, parts })), writes, broken: false })
    }
}

impl<'b, R: StateReader + Sync> BlockTask<'b, R> {
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
                    let journal = earlier.journal.clone().resume(reader, StopFlag::new(view.void_flag()));
                    return (journal, Ok(earlier.admitted.clone()));
                }
                Ok(false) => *kept = None,
                Err(_) => {
                    let failure = ExecutionFailure::Internal("The run is given up.".to_owned());
                    return (Journal::new(reader), Err(failure.into()));
                }
            }
        }
        let mut journal = Journal::new(reader).stopped_by(StopFlag::new(view.void_flag()));
        let admitted = caught(|| admit_and_validate(plan, &mut journal, self.env));
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

/// A transaction that ends without a fee.
fn whole<'b, R: StateReader + Sync>(
    result: Result<Execution, Rejection>,
    journal: Journal<'_>,
) -> Executed<BlockTask<'b, R>> {
    let attempt = Attempt::of(result, journal);
    let writes = match &attempt {
        Ok(attempt) if attempt.result.is_ok() => writes(&attempt.parts.0, &attempt.parts.2),
        _ => Vec::new(),
    };
    Executed {
        writes,
        delta: None,
        unsettled: Vec::new(),
        broken: attempt.is_err(),
        body: Body::Whole(attempt.map(Box::new)),
    }
}

impl Attempt {
    /// Puts a body and its payment together.
    fn paid(body: Body, payment: Option<Result<Box<Payment>, ExecutionFailure>>) -> Result<Self, ExecutionFailure> {
        let unpaid = match body {
            Body::Whole(attempt) => return attempt.map(|attempt| *attempt),
            Body::Unpaid(unpaid) => unpaid,
        };
        let missing = || ExecutionFailure::Internal("A transaction was committed unpaid.".to_owned());
        let Payment { result, state_diff, parts } = *payment.ok_or_else(missing)??;
        let result = result.map(|fee_transfer_call| {
            Box::new(Execution { fee_transfer_call, ..unpaid.execution })
        });
        Ok(Self { result, state_diff, parts })
    }
}

/// Outcomes on their way to the calling thread.
type Outbox = Mutex<Vec<TransactionOutcome>>;

/// Commits attempts to the block.
struct Committer<'b, 'o, R> {
    block: OpenBlock<&'b R>,
    transactions: &'b [Transaction],
    on_invalid: OnInvalid,
    outbox: &'o Outbox,
    error: Option<BlockError>,
}

impl<'b, R: StateReader + Sync> Sink<BlockTask<'b, R>> for Committer<'b, '_, R> {
    fn take(
        &mut self,
        index: usize,
        body: Body,
        tail: Option<Result<Box<Payment>, ExecutionFailure>>,
    ) -> ControlFlow<()> {
        let Some(transaction) = self.transactions.get(index) else { return ControlFlow::Break(()) };
        let committed = Attempt::paid(body, tail)
            .map_err(|failure| BlockError::Transaction {
                index,
                hash: transaction.hash,
                failure: Box::new(failure),
            })
            .and_then(|attempt| self.block.commit(transaction, attempt));
        match committed {
            Ok(outcome) => {
                let is_last = outcome.execution().is_none() && self.on_invalid == OnInvalid::Stop;
                self.outbox.lock().unwrap_or_else(PoisonError::into_inner).push(outcome);
                if is_last { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            }
            Err(error) => {
                self.error = Some(error);
                ControlFlow::Break(())
            }
        }
    }
}

/// How a block is to be executed.
pub(super) struct Order<'b, R> {
    pub(super) env: &'b BlockEnv,
    pub(super) reader: &'b R,
    pub(super) on_invalid: OnInvalid,
    pub(super) keeps_reverted_calls: bool,
    pub(super) pool: &'b rayon::ThreadPool,
}

/// Executes transactions on an open block. The calling thread takes part, and sees the outcomes in order.
pub(super) fn execute<'b, R: StateReader + Sync>(
    order: &Order<'b, R>,
    block: OpenBlock<&'b R>,
    transactions: &'b [Transaction],
    observe: &mut dyn FnMut(usize, &TransactionOutcome),
) -> Result<(OpenBlock<&'b R>, Vec<TransactionOutcome>, Counters), BlockError> {
    let Order { env, reader, on_invalid, keeps_reverted_calls, pool } = *order;
    let task = BlockTask { transactions, reader, env, keeps_reverted_calls, credits: Credits::new(env) };
    let opening = (block.state().changes(), block.state().classes());
    let outbox = Outbox::default();
    let committer = Committer { block, transactions, on_invalid, outbox: &outbox, error: None };
    let helpers = pool.current_num_threads();
    let engine = Engine::new(&task, committer, Limits { helpers, window: WINDOW, shards: SHARDS });
    for (cell, value) in writes(&opening.0, &opening.1) {
        engine.seed(&cell, value);
    }
    let mut outcomes: Vec<TransactionOutcome> = Vec::with_capacity(transactions.len());
    let mut deliver = || {
        let arrived = std::mem::take(&mut *outbox.lock().unwrap_or_else(PoisonError::into_inner));
        for outcome in arrived {
            observe(outcomes.len(), &outcome);
            outcomes.push(outcome);
        }
    };
    pool.in_place_scope_fifo(|scope| {
        let call = || bring_helper(scope, &engine);
        engine.add(transactions.len(), &call);
        engine.close(&call);
        engine.run(&call, &mut deliver);
    });
    let (committer, counters) = engine.finish().map_err(|Panicked(message)| {
        let index = outcomes.len();
        BlockError::Transaction {
            index,
            hash: transactions.get(index).map(|transaction| transaction.hash).unwrap_or_default(),
            failure: Box::new(ExecutionFailure::Internal(message)),
        }
    })?;
    match committer.error {
        Some(error) => Err(error),
        None => Ok((committer.block, outcomes, counters)),
    }
}

/// Has a thread of the pool help, when one is free.
fn bring_helper<'s, 'b: 's, R: StateReader + Sync>(
    scope: &rayon::ScopeFifo<'s>,
    engine: &'s Engine<'_, BlockTask<'b, R>, Committer<'b, '_, R>>,
) {
    scope.spawn_fifo(move |scope| engine.help(&|| bring_helper(scope, engine)));
}
