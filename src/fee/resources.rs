//! The resources of a transaction, grouped as they are charged.
//!
//! Input: counts that the layers above collected (`ReceiptInput`). Output: plain data for `gas` to price, for
//! receipts, and for block capacity. Knows no prices.

use serde::{Deserialize, Serialize};

use super::error::{FeeError, Sum};
use super::ethereum;
use super::state_changes::StateChangesCount;
use crate::call::EventSummary;
use crate::protocol::VmResources;

/// The resources of a transaction.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransactionResources {
    /// Data that must be published but is not part of the state.
    pub archival: ArchivalResources,
    /// Messages between L1 and L2.
    pub messages: MessageResources,
    /// State changes, with the payer's balance and without the other effects of the fee transfer
    /// ([C155](crate::rules#c155)).
    pub state: StateChangesCount,
    /// Computation.
    pub computation: ComputationResources,
}

/// Data that must be published but is not part of the state ([C142](crate::rules#c142)).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArchivalResources {
    /// Events of validation and execution; those of the fee transfer are not charged
    /// ([C171](crate::rules#c171)).
    pub events: EventSummary,
    /// The length of calldata and proof facts, in felts ([C150](crate::rules#c150)); of an L1 handler, its
    /// payload ([C47](crate::rules#c47)).
    pub extended_calldata_length: u64,
    /// The length of the signature, in felts.
    pub signature_length: u64,
    /// The size of the declared code, in bytes ([C40](crate::rules#c40)).
    pub code_size: u64,
    /// The transaction has a client-side proof.
    pub proof: bool,
}

/// Messages between L1 and L2 ([C160](crate::rules#c160)).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageResources {
    /// The payload length of each message to L1, in felts.
    pub payload_lengths: Vec<u64>,
    /// The number of words of all messages in the block's output, the consumed one included.
    pub segment_length: u64,
    /// The payload length of the message from L1 that is consumed, in felts; `None` unless the transaction is
    /// an L1 handler.
    pub l1_handler_payload: Option<u64>,
}

impl MessageResources {
    /// Makes the resources of the given messages; computes the length of their segment.
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

/// Computation: of the transaction, and of the operating system for the transaction.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ComputationResources {
    /// The VM resources of the calls that are measured in steps, with their syscalls.
    pub transaction_vm: VmResources,
    /// The VM resources of the operating system ([C149](crate::rules#c149), [C150](crate::rules#c150)).
    pub os_vm: VmResources,
    /// The steps of a reverted execution ([C21](crate::rules#c21)).
    pub reverted_steps: u64,
    /// The Sierra gas of the calls that are measured in Sierra gas.
    pub sierra_gas: u64,
    /// The Sierra gas of a reverted execution ([C21](crate::rules#c21)).
    pub reverted_sierra_gas: u64,
}

impl ComputationResources {
    /// Returns the sum of the VM resources of the transaction and of the operating system.
    pub fn total_vm(&self) -> Result<VmResources, FeeError> {
        self.transaction_vm.checked_add(&self.os_vm).ok_or(FeeError::OutOfRange(Sum::VmResources))
    }

    /// Returns the total Sierra gas, the reverted part included.
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
