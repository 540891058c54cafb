//! What a transaction used, by what will be charged for it.
//!
//! In: counts that the layers above collected (`ReceiptInput`). Out: plain data for `gas` to price, for
//! receipts to show and for block capacity to weigh. Knows no prices.

use serde::{Deserialize, Serialize};

use super::error::{FeeError, Sum};
use super::ethereum;
use super::state_changes::StateChangesCount;
use crate::call::EventSummary;
use crate::protocol::VmResources;

/// Everything a transaction used.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransactionResources {
    /// Data that must be kept but is not part of the state.
    pub archival: ArchivalResources,
    /// Messages between L1 and L2.
    pub messages: MessageResources,
    /// Changes of the state, with the fee payer's balance and without the fee transfer's other effects
    /// (C155).
    pub state: StateChangesCount,
    /// Computation.
    pub computation: ComputationResources,
}

/// Data that must be kept but is not part of the state (C142).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArchivalResources {
    /// Events of validation and execution; those of the fee transfer are not charged (C171).
    pub events: EventSummary,
    /// Calldata and proof facts, in felts (C150); of an L1 handler its payload (C47).
    pub extended_calldata_length: u64,
    /// Signature, in felts.
    pub signature_length: u64,
    /// Declared code, in bytes (C40).
    pub code_size: u64,
    /// Whether the transaction carries a client-side proof.
    pub proof: bool,
}

/// Messages between L1 and L2 (C160).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageResources {
    /// Payload length of each message to L1, in felts.
    pub payload_lengths: Vec<u64>,
    /// Words that all messages, the consumed one included, take in the block's output.
    pub segment_length: u64,
    /// Payload length of the message from L1 that the transaction consumes, in felts; `None` unless it is an
    /// L1 handler.
    pub l1_handler_payload: Option<u64>,
}

impl MessageResources {
    /// The resources of the given messages, with the length of their segment.
    pub fn new(payload_lengths: Vec<u64>, l1_handler_payload: Option<u64>) -> Result<Self, FeeError> {
        let segment_length = payload_lengths
            .iter()
            .map(|length| ethereum::MESSAGE_TO_L1_HEADER.checked_add(*length))
            .chain(l1_handler_payload.map(|length| ethereum::MESSAGE_TO_L2_HEADER.checked_add(length)))
            .try_fold(0_u64, |total, length| total.checked_add(length?))
            .ok_or(FeeError::OutOfRange(Sum::MessageSegment))?;
        Ok(Self { payload_lengths, segment_length, l1_handler_payload })
    }
}

/// Computation: of the transaction itself and of the operating system around it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ComputationResources {
    /// Of the calls that ran in Cairo steps, with their syscalls.
    pub transaction_vm: VmResources,
    /// The operating system's part, always in virtual machine resources (C149, C150).
    pub os_vm: VmResources,
    /// Steps of an execution that was reverted (C21).
    pub reverted_steps: u64,
    /// Sierra gas of the calls that ran in Sierra gas.
    pub sierra_gas: u64,
    /// Sierra gas of an execution that was reverted (C21).
    pub reverted_sierra_gas: u64,
}

impl ComputationResources {
    /// The virtual machine resources of transaction and operating system together.
    pub fn total_vm(&self) -> Result<VmResources, FeeError> {
        self.transaction_vm.checked_add(&self.os_vm).ok_or(FeeError::OutOfRange(Sum::VmResources))
    }

    /// All Sierra gas, the reverted part included.
    pub fn total_sierra_gas(&self) -> Result<u64, FeeError> {
        self.sierra_gas.checked_add(self.reverted_sierra_gas).ok_or(FeeError::OutOfRange(Sum::SierraGas))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn message_segment_counts_headers_and_payloads() {
        assert_eq!(MessageResources::new(vec![], None).unwrap().segment_length, 0);
        assert_eq!(MessageResources::new(vec![0, 2, 7], None).unwrap().segment_length, 3 + 5 + 10);
        assert_eq!(MessageResources::new(vec![4], Some(6)).unwrap().segment_length, 7 + 11);
    }

    #[test]
    fn sums_out_of_range_are_named() {
        let too_long = MessageResources::new(vec![u64::MAX], None);
        assert_eq!(too_long, Err(FeeError::OutOfRange(Sum::MessageSegment)));
        let consumed = MessageResources::new(vec![u64::MAX - 5], Some(0));
        assert_eq!(consumed, Err(FeeError::OutOfRange(Sum::MessageSegment)));
        let computation =
            ComputationResources { sierra_gas: u64::MAX, reverted_sierra_gas: 1, ..Default::default() };
        assert_eq!(computation.total_sierra_gas(), Err(FeeError::OutOfRange(Sum::SierraGas)));
    }
}
