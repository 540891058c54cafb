//! The outcome of a block, with the accessors of the rule tests.

use starkiln::block::{BlockOutcome, TransactionDisposition, TransactionOutcome, TransactionStatus};
use starkiln::call::{CallInfo, FailureCause};
use starkiln::transaction::{Execution, InvalidTransaction, RevertReason};
use starknet_api::state::StorageKey;
use starknet_types_core::felt::Felt;

use super::values::address;

/// The outcome of a block.
pub(crate) struct Ran(pub(crate) BlockOutcome);

impl Ran {
    pub(crate) fn at(&self, index: usize) -> &TransactionOutcome {
        &self.0.transactions[index]
    }

    pub(crate) fn statuses(&self) -> Vec<TransactionStatus> {
        self.0.transactions.iter().map(TransactionOutcome::status).collect()
    }

    pub(crate) fn execution(&self, index: usize) -> &Execution {
        self.at(index).execution().unwrap_or_else(|| panic!("invalid: {}", self.invalid(index)))
    }

    pub(crate) fn invalid(&self, index: usize) -> &InvalidTransaction {
        match &self.at(index).disposition {
            TransactionDisposition::Invalid(error) => error,
            TransactionDisposition::Executed(execution) => {
                panic!("not invalid: {:?}", execution.revert_reason)
            }
            TransactionDisposition::TooLarge(error) => panic!("too large: {error:?}"),
        }
    }

    /// The complete revert reason of a transaction.
    pub(crate) fn reason(&self, index: usize) -> String {
        self.execution(index).revert_reason.as_ref().expect("it was not reverted").to_string()
    }

    pub(crate) fn cause(&self, index: usize) -> FailureCause {
        match self.execution(index).revert_reason.as_ref().expect("it was not reverted") {
            RevertReason::Execution { cause, .. } => *cause,
            RevertReason::Cost(error) => panic!("{error}"),
        }
    }

    /// `__execute__` of a transaction that succeeded.
    pub(crate) fn root(&self, index: usize) -> &CallInfo {
        let execution = self.execution(index);
        assert!(!execution.is_reverted(), "{}", self.reason(index));
        execution.execute_call.as_ref().unwrap()
    }

    /// The first call that the account made.
    pub(crate) fn inner(&self, index: usize) -> &CallInfo {
        &self.root(index).inner_calls[0]
    }

    /// `__execute__` of a transaction that was reverted.
    pub(crate) fn reverted(&self, index: usize) -> &CallInfo {
        self.execution(index).reverted_call.as_ref().expect("a call tree")
    }

    /// The value of a cell after the block, if the block changed it.
    pub(crate) fn stored(&self, at: u128, key: StorageKey) -> Option<Felt> {
        self.0.state_diff.storage.get(&address(at)).and_then(|cells| cells.get(&key)).copied()
    }
}
