//! The balance of an account in its fee token, as fee checks read it.
//!
//! Input: the journal. Output: two halves of a number. Reads state, never writes it.

use num_bigint::BigUint;
use starknet_api::transaction::fields::Fee;
use starknet_types_core::felt::Felt;

use super::balance_key::payer_balance;
use crate::protocol::BlockEnv;
use crate::state::{Journal, StateError};
use crate::syscall::TransactionInfo;

/// The balance of an account in its fee token.
pub(super) struct Balance {
    /// The low 128 bits.
    pub(super) low: Felt,
    /// The high 128 bits.
    pub(super) high: Felt,
}

impl Balance {
    /// Reads both cells (C237). Always both: they belong to the read set of the transaction (C238).
    pub(super) fn read(
        journal: &mut Journal<'_>,
        env: &BlockEnv,
        info: &TransactionInfo,
    ) -> Result<Self, StateError> {
        let token = env.chain.fee_token(info.fee_type());
        let (low, high) = payer_balance(journal, token, info.sender)?;
        Ok(Self { low, high })
    }

    /// Returns `true` if the balance covers `fee`. Fees have 128 bits, so a high half other than 0 covers
    /// every fee (C166).
    pub(super) fn covers(&self, fee: Fee) -> bool {
        self.high != Felt::ZERO || self.low >= Felt::from(fee.0)
    }

    /// Returns both halves as one number.
    pub(super) fn amount(&self) -> BigUint {
        (self.high.to_biguint() << 128_u32) + self.low.to_biguint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_halves_of_the_balance_are_one_number() {
        let balance = Balance { low: Felt::from(5), high: Felt::from(2) };
        assert_eq!(balance.amount(), (BigUint::from(2_u8) << 128_u32) + 5_u8);
    }
}
