//! The eight weights of a block.
//!
//! Input: amounts. Output: sums, and the limits that they exceed. Does not know transactions and prices.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The weights of a transaction or a block ([C203](crate::rules#c203)), or their limits.
///
/// Sums saturate at [`u64::MAX`], and a limit of [`u64::MAX`] is no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Weights {
    /// L1 gas of messages in the Starknet contract, without that in the verifier.
    pub l1_gas: u64,
    /// Felts of the messages in the block's output, headers included.
    pub message_segment_length: u64,
    /// Events, without those of fee transfers.
    pub events: u64,
    /// Transactions, reverted ones included ([C246](crate::rules#c246)).
    pub transactions: u64,
    /// Felts of the published state diff. A key counts with the first transaction that changes it, and
    /// remains counted if a later one restores it ([C213](crate::rules#c213)).
    pub state_diff_size: u64,
    /// Sierra gas of all computation, with class hashing, storage tries and migrations
    /// ([C204](crate::rules#c204)).
    pub sierra_gas: u64,
    /// Gas of proving the computation, in which each builtin has a price of its own
    /// ([C205](crate::rules#c205)).
    pub proving_gas: u64,
    /// L2 gas of the receipts.
    pub receipt_l2_gas: u64,
}

/// A kind of weight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Weight {
    /// [`Weights::l1_gas`].
    L1Gas,
    /// [`Weights::message_segment_length`].
    MessageSegmentLength,
    /// [`Weights::events`].
    Events,
    /// [`Weights::transactions`].
    Transactions,
    /// [`Weights::state_diff_size`].
    StateDiffSize,
    /// [`Weights::sierra_gas`].
    SierraGas,
    /// [`Weights::proving_gas`].
    ProvingGas,
    /// [`Weights::receipt_l2_gas`].
    ReceiptL2Gas,
}

impl Weight {
    /// All kinds, in the order of [`Weights`].
    pub const ALL: [Self; 8] = [
        Self::L1Gas,
        Self::MessageSegmentLength,
        Self::Events,
        Self::Transactions,
        Self::StateDiffSize,
        Self::SierraGas,
        Self::ProvingGas,
        Self::ReceiptL2Gas,
    ];
}

impl fmt::Display for Weight {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::L1Gas => "L1 gas",
            Self::MessageSegmentLength => "message segment length",
            Self::Events => "events",
            Self::Transactions => "transactions",
            Self::StateDiffSize => "state diff size",
            Self::SierraGas => "Sierra gas",
            Self::ProvingGas => "proving gas",
            Self::ReceiptL2Gas => "L2 gas of receipts",
        })
    }
}

impl Weights {
    /// All weights zero.
    pub const ZERO: Self = Self {
        l1_gas: 0,
        message_segment_length: 0,
        events: 0,
        transactions: 0,
        state_diff_size: 0,
        sierra_gas: 0,
        proving_gas: 0,
        receipt_l2_gas: 0,
    };

    /// Limits that nothing exceeds.
    pub const UNLIMITED: Self = Self {
        l1_gas: u64::MAX,
        message_segment_length: u64::MAX,
        events: u64::MAX,
        transactions: u64::MAX,
        state_diff_size: u64::MAX,
        sierra_gas: u64::MAX,
        proving_gas: u64::MAX,
        receipt_l2_gas: u64::MAX,
    };

    /// Returns the weight of a kind.
    pub fn get(&self, weight: Weight) -> u64 {
        match weight {
            Weight::L1Gas => self.l1_gas,
            Weight::MessageSegmentLength => self.message_segment_length,
            Weight::Events => self.events,
            Weight::Transactions => self.transactions,
            Weight::StateDiffSize => self.state_diff_size,
            Weight::SierraGas => self.sierra_gas,
            Weight::ProvingGas => self.proving_gas,
            Weight::ReceiptL2Gas => self.receipt_l2_gas,
        }
    }

    /// Returns the sum, weight by weight.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        Self {
            l1_gas: self.l1_gas.saturating_add(other.l1_gas),
            message_segment_length: self.message_segment_length.saturating_add(other.message_segment_length),
            events: self.events.saturating_add(other.events),
            transactions: self.transactions.saturating_add(other.transactions),
            state_diff_size: self.state_diff_size.saturating_add(other.state_diff_size),
            sierra_gas: self.sierra_gas.saturating_add(other.sierra_gas),
            proving_gas: self.proving_gas.saturating_add(other.proving_gas),
            receipt_l2_gas: self.receipt_l2_gas.saturating_add(other.receipt_l2_gas),
        }
    }

    /// Returns the weights that exceed `limits`, in the order of [`Weight::ALL`]. A weight that equals its
    /// limit does not exceed it.
    pub fn beyond(&self, limits: &Self) -> Vec<Exceeded> {
        Weight::ALL
            .into_iter()
            .map(|weight| Exceeded { weight, limit: limits.get(weight), needed: self.get(weight) })
            .filter(|exceeded| exceeded.needed > exceeded.limit)
            .collect()
    }
}

/// A weight that exceeds its limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exceeded {
    /// The kind of the weight.
    pub weight: Weight,
    /// The limit.
    pub limit: u64,
    /// The amount that would be needed.
    pub needed: u64,
}

impl fmt::Display for Exceeded {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { weight, limit, needed } = self;
        write!(formatter, "{weight} {needed} of {limit}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_weight_that_equals_its_limit_fits() {
        let limits = Weights { events: 5, sierra_gas: 7, ..Weights::UNLIMITED };
        let used = Weights { events: 5, sierra_gas: 8, ..Weights::ZERO };
        let exceeded = [Exceeded { weight: Weight::SierraGas, limit: 7, needed: 8 }];
        assert_eq!(used.beyond(&limits), exceeded);
        assert_eq!(exceeded[0].to_string(), "Sierra gas 8 of 7");
        assert!(used.beyond(&Weights::UNLIMITED).is_empty());
    }

    #[test]
    fn a_saturated_sum_fits_only_without_limits() {
        let half = Weights { proving_gas: u64::MAX - 1, ..Weights::ZERO };
        let sum = half.plus(&half);
        assert_eq!(sum.proving_gas, u64::MAX);
        assert!(sum.beyond(&Weights::UNLIMITED).is_empty());
        let limits = Weights { proving_gas: u64::MAX - 1, ..Weights::UNLIMITED };
        assert_eq!(sum.beyond(&limits).len(), 1);
    }

    #[test]
    fn each_weight_names_its_own_field() {
        let weights = Weights {
            l1_gas: 0,
            message_segment_length: 1,
            events: 2,
            transactions: 3,
            state_diff_size: 4,
            sierra_gas: 5,
            proving_gas: 6,
            receipt_l2_gas: 7,
        };
        assert_eq!(Weight::ALL.map(|weight| weights.get(weight)), [0, 1, 2, 3, 4, 5, 6, 7]);
        assert_eq!(Weight::ALL.map(|weight| weights.plus(&weights).get(weight)), [0, 2, 4, 6, 8, 10, 12, 14]);
    }
}
