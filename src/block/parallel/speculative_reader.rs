//! A transaction on a state that is still in the making: the reader that its journal stands on.
//!
//! In: a view of the multi-version memory. Out: a [`StateReader`]. The cells that every fee goes to, the sequencer's balance of the
//! fee tokens, are special: see [`Credits`].

use std::cell::RefCell;

use starknet_api::core::{ClassHash, CompiledClassHash, ContractAddress, Nonce};
use starknet_api::state::StorageKey;
use starknet_types_core::felt::Felt;

use super::BlockTask;
use crate::fee::fee_token_balance_key;
use crate::parallel::{Peeked, ReadFailure, View};
use crate::protocol::BlockEnv;
use crate::state::{ReadError, StateKey, StateReader, StateValue};

/// The cells that fees are credited to.
///
/// All transactions pay into them, so read like any others they would make each transaction wait for the one before. Instead a
/// fee is transferred in a part of its own (`Task::settle`), which begins when the fees of the transactions before it are known, and
/// which takes for granted that each of them raised the balance by its fee. This is a guess about the token, whatever contract
/// that is, and treated as one: the transfer's code runs on it, in the VM, and what it was told to be the balance is compared with the
/// balance when its turn comes. Where a token keeps something else in these cells (it burns a part, another contract
/// holds its balances, an allowance was pulled), the guess is wrong, and the transfer alone runs again on the real values. So no
/// kind of token needs to be known here.
///
/// A transaction that touches these cells before its fee (it sends to the sequencer, is the sequencer, or asks for its balance) is
/// executed when all before it are committed.
#[derive(Clone, Debug)]
pub(in crate::block) struct Credits {
    strk: ContractAddress,
    eth: ContractAddress,
    low: StorageKey,
    high: Option<StorageKey>,
}

/// A fee.
#[derive(Clone, Copy, Debug)]
pub(in crate::block) struct Credit {
    pub(in crate::block) token: ContractAddress,
    pub(in crate::block) amount: u128,
}

impl Credits {
    pub(in crate::block) fn new(env: &BlockEnv) -> Self {
        let low = fee_token_balance_key(env.block.sequencer);
        let high = low.next_storage_key().ok();
        Self { strk: env.chain.strk_fee_token, eth: env.chain.eth_fee_token, low, high }
    }

    fn has(&self, address: ContractAddress, key: StorageKey) -> bool {
        (address == self.strk || address == self.eth) && (key == self.low || Some(key) == self.high)
    }
}

/// Which part of a transaction reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::block) enum Part {
    /// All but the fee.
    Body,
    /// The fee's transfer in this token.
    Fee(ContractAddress),
    /// All of it, when all transactions before it are committed.
    Whole,
}

/// The reader of one run.
pub(in crate::block) struct Speculation<'a, 'v, 'b, R: StateReader + Sync> {
    view: &'a View<'v, BlockTask<'b, R>>,
    credits: &'a Credits,
    part: Part,
    told: RefCell<Option<Told>>,
}

/// The balance that the fee's transfer was told.
struct Told {
    low: (Peeked<StateValue>, Felt),
    high: (Peeked<StateValue>, Felt),
}

impl<'a, 'v, 'b, R: StateReader + Sync> Speculation<'a, 'v, 'b, R> {
    pub(in crate::block) fn new(
        view: &'a View<'v, BlockTask<'b, R>>,
        credits: &'a Credits,
        part: Part,
    ) -> Self {
        Self { view, credits, part, told: RefCell::new(None) }
    }

    fn read(&self, cell: StateKey) -> Result<StateValue, ReadError> {
        self.view.read(&cell).map_err(read_error)
    }

    /// One half of the balance that the sequencer will have when the fees before are in.
    fn balance(&self, token: ContractAddress, key: StorageKey) -> Result<Felt, ReadError> {
        let Some(high_key) = self.credits.high else {
            return self.read(StateKey::Storage(token, key)).map(|value| value.felt());
        };
        let mut told = self.told.borrow_mut();
        let Told { low, high } = match &mut *told {
            Some(told) => told,
            none => {
                let low = self.view.peek(&StateKey::Storage(token, self.credits.low)).map_err(read_error)?;
                let high = self.view.peek(&StateKey::Storage(token, high_key)).map_err(read_error)?;
                let credits = self.view.deltas_after(&low);
                let amounts =
                    credits.iter().filter(|credit| credit.token == token).map(|credit| credit.amount);
                let (low_told, high_told) = credited(low.value.felt(), high.value.felt(), amounts);
                none.insert(Told { low: (low, low_told), high: (high, high_told) })
            }
        };
        let (peeked, felt) = if key == self.credits.low { low } else { high };
        self.view.assume(peeked, StateValue::Felt(*felt));
        Ok(*felt)
    }
}

/// A balance in two halves of 128 bits, after some credits.
fn credited(low: Felt, high: Felt, amounts: impl Iterator<Item = u128>) -> (Felt, Felt) {
    // What is no 128 bits is no balance: nothing can be said of it.
    let Ok(mut sum) = u128::try_from(low) else { return (low, high) };
    let mut carries = 0_u64;
    for amount in amounts {
        let (next, carried) = sum.overflowing_add(amount);
        sum = next;
        carries = carries.saturating_add(u64::from(carried));
    }
    #[expect(clippy::arithmetic_side_effects, reason = "felts wrap; and it is a guess")]
    let high = high + Felt::from(carries);
    (Felt::from(sum), high)
}

fn read_error(failure: ReadFailure<ReadError>) -> ReadError {
    match failure {
        ReadFailure::Load(error) => error,
        // Whoever runs the transaction asks the view, and takes no notice of this.
        ReadFailure::Interrupted => ReadError::message("the run is given up"),
    }
}

impl<R: StateReader + Sync> StateReader for Speculation<'_, '_, '_, R> {
    fn storage_at(&self, address: ContractAddress, key: StorageKey) -> Result<Felt, ReadError> {
        if self.credits.has(address, key) {
            match self.part {
                Part::Fee(token) if token == address => return self.balance(token, key),
                Part::Fee(_) | Part::Whole => {}
                Part::Body => self.view.at_its_turn().map_err(read_error)?,
            }
        }
        self.read(StateKey::Storage(address, key)).map(|value| value.felt())
    }

    fn nonce_at(&self, address: ContractAddress) -> Result<Nonce, ReadError> {
        self.read(StateKey::Nonce(address)).map(|value| Nonce(value.felt()))
    }

    fn class_hash_at(&self, address: ContractAddress) -> Result<ClassHash, ReadError> {
        self.read(StateKey::ClassHash(address)).map(|value| ClassHash(value.felt()))
    }

    fn class(&self, class_hash: ClassHash) -> Result<Option<crate::class::ContractClass>, ReadError> {
        self.read(StateKey::Class(class_hash)).map(StateValue::class)
    }

    fn compiled_class_hash(&self, class_hash: ClassHash) -> Result<CompiledClassHash, ReadError> {
        self.read(StateKey::CompiledClassHash(class_hash)).map(|value| CompiledClassHash(value.felt()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credits_carry_into_the_high_half() {
        let max = Felt::from(u128::MAX);
        assert_eq!(credited(max, Felt::TWO, [1, 5].into_iter()), (Felt::from(5), Felt::THREE));
        assert_eq!(credited(Felt::ONE, Felt::ZERO, [].into_iter()), (Felt::ONE, Felt::ZERO));
        assert_eq!(credited(Felt::MAX, Felt::ZERO, [1].into_iter()), (Felt::MAX, Felt::ZERO));
    }
}
