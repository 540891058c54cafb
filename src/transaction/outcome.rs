//! The endings with a receipt: it succeeded, or it was reverted.

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

/// A transaction that is in the block.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Execution {
    /// The call of `__validate__*`; `None` when there was none to run.
    pub validate_call: Option<CallInfo>,
    /// The call of `__execute__`, of the constructor or of the handler; `None` for declares and reverted
    /// transactions.
    pub execute_call: Option<CallInfo>,
    /// The fee transfer; `None` when no fee was charged.
    pub fee_transfer_call: Option<CallInfo>,
    /// Why it was reverted; `None` when it succeeded.
    pub revert_reason: Option<RevertReason>,
    /// What a reverted execution had done, for traces. Not part of the protocol: nothing of it counts.
    pub reverted_call: Option<Box<CallInfo>>,
    /// Whether the constructor ran before validation, so that its events come first (C13).
    pub executes_first: bool,
    /// What it cost.
    pub receipt: Receipt,
}

/// Why an execution was reverted. `Display` is the text that the receipt commitment hashes (C174).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum RevertReason {
    /// It failed.
    Execution {
        /// The trace.
        stack: ErrorStack,
        /// The broad reason.
        cause: FailureCause,
    },
    /// It succeeded, but cost more than its sender allowed or has (C164).
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
    /// Whether it was reverted.
    pub fn is_reverted(&self) -> bool {
        self.revert_reason.is_some()
    }

    /// The outermost calls in the order in which their events are listed (C13).
    pub fn calls(&self) -> impl Iterator<Item = &CallInfo> {
        let (first, second) = if self.executes_first {
            (&self.execute_call, &self.validate_call)
        } else {
            (&self.validate_call, &self.execute_call)
        };
        [first, second, &self.fee_transfer_call].into_iter().flatten()
    }

    /// Its events, in the order of the receipt.
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

    /// Its messages to L1 with their senders, in the order of the receipt.
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

    /// What of it enters the hash of its block. Fails for a message to something that is no Ethereum address,
    /// as there can be on a layer 3 only (C126).
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
