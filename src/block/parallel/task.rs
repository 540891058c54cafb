//! One transaction as a task: execution, fee phase, resumption.
//!
//! Input: an index, a view of the state before the transaction. Output: the transaction's next state, see
//! [`in_flight`](super::in_flight). The phases themselves are those of `transaction`, which sequential
//! execution runs as well.

use std::sync::Arc;

use starknet_types_core::felt::Felt;

use super::super::attempt::{Assessment, Attempt, TransactionId, assess, caught};
use super::super::options::ExecutionOptions;
use super::in_flight::{Charged, ExecutedTransaction, Prefix, Unpaid, ValidatedPrefix};
use super::speculative_reader::{FeeCells, FeeDelta, ReadPhase, SpeculativeReader};
use super::transaction_list::TransactionList;
use crate::fee::payer_balance_key;
use crate::parallel::{Charge, Executed, ReadSet, StateModel, Task, TaskExecution, View};
use crate::protocol::BlockEnv;
use crate::state::{CancellationToken, Journal, ReadError, StateKey, StateReader, StateValue, StopFlag};
use crate::transaction::{
    Admitted, Execution, ExecutionContext, FatalError, Plan, Rejection, admit_and_validate, charge,
    execute_admitted, is_charged, run,
};

/// The transactions of a block, as tasks.
pub(in crate::block) struct BlockTask<'b, R> {
    transactions: Arc<TransactionList<'b>>,
    reader: R,
    env: BlockEnv,
    options: ExecutionOptions,
    fee_cells: FeeCells,
    cancellation: Arc<CancellationToken>,
}

/// The result of admission and validation.
#[expect(clippy::large_enum_variant, reason = "matched where it is made; a box would cost an allocation")]
enum Admission<P> {
    Admitted(Admitted),
    Rejected(Rejection),
    /// The view was interrupted before it was known whether the prefix can be resumed.
    Interrupted(P),
}

impl<R> StateModel for BlockTask<'_, R> {
    type Key = StateKey;
    type Value = StateValue;
    type Delta = FeeDelta;
    type Error = ReadError;
}

impl<'b, R: StateReader + Sync> Task for BlockTask<'b, R> {
    type Unpaid = Unpaid;
    type Charged = Charged;
    type Output = Result<Attempt, FatalError>;
    type Prefix = Box<Prefix<Self>>;

    fn load(&self, key: &StateKey) -> Result<StateValue, ReadError> {
        StateValue::load(&self.reader, *key)
    }

    /// Returns `true` for deployed contracts and declared classes.
    fn is_cacheable(&self, key: &StateKey, value: &StateValue) -> bool {
        match (key, value) {
            (StateKey::Class(_), StateValue::Class(class)) => class.is_some(),
            (StateKey::ClassHash(_) | StateKey::CompiledClassHash(_), StateValue::Felt(hash)) => {
                *hash != Felt::ZERO
            }
            _ => false,
        }
    }

    fn predecessor(&self, index: usize) -> Option<usize> {
        self.transactions.predecessor(index)
    }

    fn is_cancelled(&self) -> bool {
        self.cancellation.is_cancelled()
    }

    fn execute(
        &self,
        index: usize,
        view: &View<'_, Self>,
        prefix: Option<Self::Prefix>,
    ) -> TaskExecution<Self> {
        let Some(transaction) = self.transactions.at(index) else { return TaskExecution::Aborted(prefix) };
        let id = TransactionId::of(&transaction);
        let reader = SpeculativeReader::new(view, &self.fee_cells, ReadPhase::Execution);
        let mut journal = Journal::new(&reader).stopped_by(self.stop_flag(view));
        let plan = match Plan::new(&transaction) {
            Ok(plan) => plan,
            Err(error) => return self.finish(id, Err(error.into()), &mut journal, view),
        };
        let mut admitted = match self.admit(&plan, &mut journal, &reader, view, prefix) {
            Admission::Admitted(admitted) => admitted,
            Admission::Rejected(rejection) => return self.finish(id, Err(rejection), &mut journal, view),
            Admission::Interrupted(prefix) => return TaskExecution::Aborted(Some(prefix)),
        };
        if view.is_serial() {
            let result = caught(|| execute_admitted(&plan, &mut admitted, &mut journal, self.context()));
            return self.finish(id, result, &mut journal, view);
        }
        let (rollback, reads) = (journal.rollback_point(), view.read_count());
        let mut has_panicked = true;
        let mut result = caught(|| {
            let result = run(&plan, &mut admitted, &mut journal, self.context());
            has_panicked = false;
            result
        });
        if self.is_stopped(view) {
            if has_panicked {
                return TaskExecution::Aborted(None);
            }
            if let Ok(execution) = &mut result {
                admitted.restore(&plan, execution);
            }
            let validated = ValidatedPrefix { admitted, rollback, reads };
            let reads = view.take_reads().first(reads);
            let prefix = Prefix { reads, journal: journal.suspend(), validated };
            return TaskExecution::Aborted(Some(Box::new(prefix)));
        }
        let execution = match result {
            Ok(execution) if is_charged(&plan, execution.receipt.fee) => execution,
            result => return self.finish(id, result, &mut journal, view),
        };
        let fee = execution.receipt.fee;
        let token = self.env.chain.fee_token(plan.info.fee_type());
        let sender = plan.info.sender;
        // The sequencer's own fee comes from the cell that it goes to.
        let amount = if sender == self.env.block.sequencer { 0 } else { fee.0 };
        let payer_balance = payer_balance_key(&mut journal, sender);
        let (steps, before_fee) = (self.steps(&execution), journal.rollback_point());
        let validated = ValidatedPrefix { admitted, rollback, reads };
        let transaction = Box::new(ExecutedTransaction { plan, execution, fee, before_fee, validated });
        TaskExecution::Done(Executed::Unpaid {
            unpaid: Unpaid { transaction, journal: journal.suspend() },
            steps,
            delta: FeeDelta { token, amount },
            pending: vec![StateKey::Storage(token, payer_balance)],
        })
    }

    fn charge(&self, _: usize, unpaid: Unpaid, view: &View<'_, Self>) -> Charge<Self> {
        let Unpaid { mut transaction, journal } = unpaid;
        let reader = self.fee_reader(&transaction, view);
        let mut journal = journal.resume(&reader, self.stop_flag(view));
        journal.rollback_to(&transaction.before_fee);
        let mut has_panicked = true;
        let assessment = caught(|| {
            let assessment = self.charge_and_assess(&mut transaction, &mut journal);
            has_panicked = false;
            assessment
        });
        if has_panicked {
            return Charge::Lost;
        }
        let journal = journal.suspend();
        match assessment {
            Ok(Assessment::Accepted(accepted)) if !self.is_stopped(view) => {
                Charge::Charged(Charged { transaction, journal, accepted })
            }
            _ => Charge::Deferred(Unpaid { transaction, journal }),
        }
    }

    fn finalize(&self, _: usize, unpaid: Unpaid, view: &View<'_, Self>) -> Option<Self::Output> {
        let Unpaid { transaction, journal } = unpaid;
        let reader = self.fee_reader(&transaction, view);
        let mut journal = journal.resume(&reader, self.stop_flag(view));
        journal.rollback_to(&transaction.before_fee);
        let id = transaction.id();
        let ExecutedTransaction { plan, mut execution, fee, .. } = *transaction;
        let result = caught(|| {
            execution.fee_transfer_call = charge(&plan, &mut journal, self.context(), fee)?;
            Ok(execution)
        });
        let attempt = Attempt::of(id, result, &mut journal, &self.env, &self.options);
        (!self.is_stopped(view)).then_some(attempt)
    }

    fn uncharge(&self, charged: Charged) -> Unpaid {
        let Charged { transaction, journal, .. } = charged;
        Unpaid { transaction, journal }
    }

    fn confirm(&self, charged: Charged) -> Self::Output {
        let Charged { transaction, accepted, .. } = charged;
        Ok(Attempt::accepted(transaction.id(), transaction.execution, accepted))
    }

    fn unpaid_writes(&self, unpaid: &Unpaid) -> Vec<(StateKey, StateValue)> {
        unpaid.journal.writes()
    }

    fn charged_writes(&self, charged: &Charged) -> Vec<(StateKey, StateValue)> {
        charged.accepted.data.writes()
    }

    fn writes(&self, output: &Self::Output) -> Vec<(StateKey, StateValue)> {
        output.as_ref().map_or_else(|_| Vec::new(), |attempt| attempt.data.writes())
    }

    fn prefix(&self, unpaid: Unpaid, reads: ReadSet<Self>) -> Option<Self::Prefix> {
        let Unpaid { transaction, journal } = unpaid;
        let ExecutedTransaction { plan, mut execution, mut validated, .. } = *transaction;
        validated.admitted.restore(&plan, &mut execution);
        Some(Box::new(Prefix { reads: reads.first(validated.reads), journal, validated }))
    }
}

impl<'b, R: StateReader + Sync> BlockTask<'b, R> {
    pub(in crate::block) fn new(
        transactions: Arc<TransactionList<'b>>,
        reader: R,
        env: BlockEnv,
        options: ExecutionOptions,
        cancellation: Arc<CancellationToken>,
    ) -> Self {
        let fee_cells = FeeCells::new(&env);
        Self { transactions, reader, env, options, fee_cells, cancellation }
    }

    /// Executes a transaction completely, on a state that no other thread changes.
    pub(super) fn attempt(
        &self,
        index: usize,
        state: &dyn StateReader,
        stop: StopFlag,
    ) -> Option<Result<Attempt, FatalError>> {
        let transaction = self.transactions.at(index)?;
        Some(Attempt::run(&transaction, state, stop, &self.env, &self.options))
    }

    /// Returns the cost of an attempt in Cairo steps, Sierra gas by the price of a step; zero for a rejected
    /// one.
    pub(super) fn steps_of(&self, attempt: &Attempt) -> u64 {
        attempt.outcome.execution().map_or(0, |execution| self.steps(execution))
    }

    fn steps(&self, execution: &Execution) -> u64 {
        let computation = &execution.receipt.resources.computation;
        let gas = computation.sierra_gas.saturating_add(computation.reverted_sierra_gas);
        let steps = computation.transaction_vm.steps;
        steps
            .saturating_add(computation.reverted_steps)
            .saturating_add(gas.checked_div(self.env.constants.gas.step).unwrap_or(0))
    }

    /// Returns `true` if the view or the block was stopped: a result obtained up to now must be discarded.
    fn is_stopped(&self, view: &View<'_, Self>) -> bool {
        view.is_interrupted() || self.cancellation.is_cancelled()
    }

    fn context(&self) -> ExecutionContext<'_> {
        self.options.context(&self.env)
    }

    fn stop_flag(&self, view: &View<'_, Self>) -> StopFlag {
        StopFlag::new(view.abort_flag(), Arc::clone(&self.cancellation))
    }

    fn fee_reader<'v, 'a>(
        &'a self,
        transaction: &ExecutedTransaction,
        view: &'a View<'v, Self>,
    ) -> SpeculativeReader<'a, 'v, Self> {
        let token = self.env.chain.fee_token(transaction.plan.info.fee_type());
        SpeculativeReader::new(view, &self.fee_cells, ReadPhase::Fee(token))
    }

    /// Charges the fee and assesses the transaction. The journal stays complete, so the fee phase can be
    /// rolled back.
    fn charge_and_assess(
        &self,
        transaction: &mut ExecutedTransaction,
        journal: &mut Journal<'_>,
    ) -> Result<Assessment, Rejection> {
        let ExecutedTransaction { plan, execution, fee, .. } = transaction;
        execution.fee_transfer_call = charge(plan, journal, self.context(), *fee)?;
        Ok(assess(execution, journal, false, &self.env, &self.options)?)
    }

    /// Ends an execution that has no fee phase.
    fn finish(
        &self,
        id: TransactionId,
        result: Result<Box<Execution>, Rejection>,
        journal: &mut Journal<'_>,
        view: &View<'_, Self>,
    ) -> TaskExecution<Self> {
        let attempt = Attempt::of(id, result, journal, &self.env, &self.options);
        if self.is_stopped(view) {
            return TaskExecution::Aborted(None);
        }
        TaskExecution::Done(Executed::Final {
            steps: attempt.as_ref().map_or(0, |attempt| self.steps_of(attempt)),
            has_failed: attempt.is_err(),
            output: attempt,
        })
    }

    /// Admits and validates a transaction, or resumes from the prefix of an earlier incarnation if its reads
    /// are unchanged.
    fn admit<'r>(
        &self,
        plan: &Plan,
        journal: &mut Journal<'r>,
        reader: &'r dyn StateReader,
        view: &View<'_, Self>,
        prefix: Option<Box<Prefix<Self>>>,
    ) -> Admission<Box<Prefix<Self>>> {
        if let Some(prefix) = prefix {
            let Prefix { reads, journal: suspended, validated } = *prefix;
            match view.read_again(reads) {
                Ok(true) => {
                    *journal = suspended.resume(reader, self.stop_flag(view));
                    journal.rollback_to(&validated.rollback);
                    return Admission::Admitted(validated.admitted);
                }
                Ok(false) => {}
                Err(reads) => {
                    return Admission::Interrupted(Box::new(Prefix { reads, journal: suspended, validated }));
                }
            }
        }
        match caught(|| admit_and_validate(plan, journal, self.context())) {
            Ok(admitted) => Admission::Admitted(admitted),
            Err(rejection) => Admission::Rejected(rejection),
        }
    }
}
