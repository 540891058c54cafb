//! The states of a transaction between its execution and its commit, each a type.
//!
//! Input: an executed transaction. Output: the parts that the fee phase, a re-execution or the commit needs.
//! Data only.

use starknet_api::transaction::fields::Fee;

use super::super::attempt::{Accepted, TransactionId};
use crate::parallel::{ReadSet, StateModel};
use crate::state::{JournalState, RollbackPoint};
use crate::transaction::{Admitted, Execution, Plan};

/// An executed transaction whose fee is not charged.
pub(in crate::block) struct Unpaid {
    pub(super) transaction: Box<ExecutedTransaction>,
    /// The reads and writes of the transaction, those of a deferred or undone fee phase included.
    pub(super) journal: Box<JournalState>,
}

/// A transaction whose fee was charged speculatively and that fits into a block.
pub(in crate::block) struct Charged {
    pub(super) transaction: Box<ExecutedTransaction>,
    pub(super) journal: Box<JournalState>,
    pub(super) accepted: Accepted,
}

/// A transaction after validation and execution.
pub(super) struct ExecutedTransaction {
    pub(super) plan: Plan,
    pub(super) execution: Box<Execution>,
    pub(super) fee: Fee,
    /// The point in the journal to which a fee phase is rolled back.
    pub(super) before_fee: RollbackPoint,
    pub(super) validated: ValidatedPrefix,
}

impl ExecutedTransaction {
    pub(super) fn id(&self) -> TransactionId {
        TransactionId { hash: self.plan.info.hash, kind: self.plan.kind }
    }
}

/// The state of an incarnation after admission and validation. While there is an [`Execution`], it holds the
/// validation call.
pub(super) struct ValidatedPrefix {
    pub(super) admitted: Admitted,
    /// The point in the journal after validation.
    pub(super) rollback: RollbackPoint,
    /// The number of reads up to there.
    pub(super) reads: usize,
}

/// A validated prefix with its reads, from which the next incarnation resumes if they are unchanged.
pub(in crate::block) struct Prefix<T: StateModel> {
    pub(super) reads: ReadSet<T>,
    pub(super) journal: Box<JournalState>,
    pub(super) validated: ValidatedPrefix,
}
