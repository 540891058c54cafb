//! The endings with a receipt: the transaction succeeded, or it was reverted.

use std::fmt::{self, Display, Formatter};

use serde::{Deserialize, Serialize};
use starknet_api::StarknetApiError;
use starknet_api::block_hash::block_hash_calculator::TransactionOutputForHash;
use starknet_api::core::{ContractAddress, EthAddress};
use starknet_api::transaction::{
    Event, MessageToL1, RevertedTransactionExecutionStatus, TransactionExecutionStatus,
};

use crate::call::{CallInfo, ErrorStack, FailureCause};
use crate::fee::{FeeCheckError, Receipt};
use crate::syscall::OrderedMessage;

/// The result of a transaction that is in the block.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Execution {
    /// The call of `__validate__*`; `None` if the transaction was not validated.
    pub validate_call: Option<CallInfo>,
    /// The call of `__execute__`, of the constructor or of the handler; `None` for declares and reverted
    /// transactions.
    pub execute_call: Option<CallInfo>,
    /// The fee transfer; `None` if no fee was charged.
    pub fee_transfer_call: Option<CallInfo>,
    /// The reason for the revert; `None` if the transaction succeeded.
    pub revert_reason: Option<RevertReason>,
    /// The call tree of a reverted execution, for traces. It is no part of the protocol: its effects are
    /// reverted.
    pub reverted_call: Option<Box<CallInfo>>,
    /// The constructor ran before validation, so that its events come first ([C13](crate::rules#c13)).
    pub executes_first: bool,
    /// The resources, the gas and the fee.
    pub receipt: Receipt,
}

/// The reason for a revert. `Display` is the text that the receipt commitment hashes
/// ([C174](crate::rules#c174)).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum RevertReason {
    /// The execution failed.
    Execution {
        /// The error stack.
        stack: ErrorStack,
        /// The broad reason.
        cause: FailureCause,
    },
    /// The execution succeeded, but cost more than the sender's bounds or balance
    /// ([C164](crate::rules#c164)).
    Cost(FeeCheckError),
}

impl Display for RevertReason {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Execution { stack, .. } => stack.fmt(f),
            Self::Cost(error) => error.fmt(f),
        }
    }
}

impl Execution {
    /// Returns `true` if the transaction was reverted.
    pub fn is_reverted(&self) -> bool {
        self.revert_reason.is_some()
    }

    /// Returns the outermost calls in the order of their events ([C13](crate::rules#c13)).
    pub fn calls(&self) -> impl Iterator<Item = &CallInfo> {
        let (first, second) = if self.executes_first {
            (&self.execute_call, &self.validate_call)
        } else {
            (&self.validate_call, &self.execute_call)
        };
        [first, second, &self.fee_transfer_call].into_iter().flatten()
    }

    /// Returns the events, in the order of the receipt.
    pub fn events(&self) -> Vec<Event> {
        self.calls()
            .flat_map(|root| {
                let mut events: Vec<_> = root
                    .iter()
                    .flat_map(|call| call.events.iter().map(|event| (event, call.call.storage_address)))
                    .collect();
                events.sort_by_key(|(event, _)| event.order);
                events
            })
            .map(|(event, from_address)| Event { from_address, content: event.event.clone() })
            .collect()
    }

    /// Returns the messages to L1 with their senders, in the order of the receipt.
    pub fn messages(&self) -> Vec<(ContractAddress, OrderedMessage)> {
        self.calls()
            .flat_map(|root| {
                let mut messages: Vec<_> = root
                    .iter()
                    .flat_map(|call| {
                        call.messages.iter().map(|message| (call.call.storage_address, message.clone()))
                    })
                    .collect();
                messages.sort_by_key(|(_, message)| message.order);
                messages
            })
            .collect()
    }

    /// Returns the part of the result that the block hash covers. Fails for a message whose receiver is no
    /// Ethereum address, which only a layer 3 allows ([C126](crate::rules#c126)).
    pub fn output_for_hash(&self) -> Result<TransactionOutputForHash, StarknetApiError> {
        let messages = self.messages().into_iter().map(|(from_address, message)| {
            let to_address = EthAddress::try_from(message.to_address.0)?;
            Ok(MessageToL1 { from_address, to_address, payload: message.payload })
        });
        let execution_status = match &self.revert_reason {
            None => TransactionExecutionStatus::Succeeded,
            Some(reason) => TransactionExecutionStatus::Reverted(RevertedTransactionExecutionStatus {
                revert_reason: reason.to_string(),
            }),
        };
        Ok(TransactionOutputForHash {
            actual_fee: self.receipt.fee,
            events: self.events(),
            execution_status,
            gas_consumed: self.receipt.gas,
            messages_sent: messages.collect::<Result<_, StarknetApiError>>()?,
        })
    }
}
