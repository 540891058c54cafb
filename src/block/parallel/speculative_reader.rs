//! The reader of a speculative transaction: the state before it, from the versioned memory.
//!
//! Input: the view of one incarnation. Output: a [`StateReader`] for its journal. The cells that every fee is
//! credited to are predicted: see [`FeeCells`].

use std::cell::RefCell;

use starknet_api::core::{ClassHash, CompiledClassHash, ContractAddress, Nonce};
use starknet_api::state::StorageKey;
use starknet_types_core::felt::Felt;

use crate::fee::fee_token_balance_key;
use crate::parallel::{Peeked, ReadFailure, StateModel, View};
use crate::protocol::BlockEnv;
use crate::state::kind::{FeltKind, FeltValue, reader_methods};
use crate::state::{ReadError, StateKey, StateReader, StateValue};

/// The cells that fees are credited to: the sequencer's balance in each fee token.
///
/// Every transaction writes them, so as ordinary cells they would make each transaction depend on the one
/// before. Instead the fee transfer is a phase of its own. It begins when the fees of all earlier
/// transactions are known, and predicts that each of them has raised the balance by its fee. The prediction
/// is no assumption about the token's contract: the transfer runs in the VM on the predicted balance, and the
/// commit validates it. For a token that keeps something else in these cells (it burns a part, another
/// contract holds its balances, an allowance was pulled) validation fails, and the transfer alone runs again
/// on the committed values. So no token has to be known here.
///
/// A transaction that reads these cells before its fee phase (it sends to the sequencer, is the sequencer, or
/// asks for its balance) is executed in commit order.
#[derive(Clone, Debug)]
pub(super) struct FeeCells {
    strk: ContractAddress,
    eth: ContractAddress,
    low: StorageKey,
    high: Option<StorageKey>,
}

/// The fee that a transaction credits to a fee cell.
#[derive(Clone, Copy, Debug)]
pub(in crate::block) struct FeeDelta {
    pub(super) token: ContractAddress,
    pub(super) amount: u128,
}

impl FeeCells {
    pub(super) fn new(env: &BlockEnv) -> Self {
        let low = fee_token_balance_key(env.block.sequencer);
        let high = low.next_storage_key().ok();
        Self { strk: env.chain.strk_fee_token, eth: env.chain.eth_fee_token, low, high }
    }

    fn contains(&self, address: ContractAddress, key: StorageKey) -> bool {
        (address == self.strk || address == self.eth) && (key == self.low || Some(key) == self.high)
    }
}

/// The phase of a transaction that reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ReadPhase {
    /// Everything before the fee transfer.
    Execution,
    /// The fee transfer in this token.
    Fee(ContractAddress),
}

/// The state model of a block.
pub(super) trait StarknetState:
    StateModel<Key = StateKey, Value = StateValue, Delta = FeeDelta, Error = ReadError>
{
}

impl<T> StarknetState for T where
    T: StateModel<Key = StateKey, Value = StateValue, Delta = FeeDelta, Error = ReadError>
{
}

/// The reader of one phase of an incarnation.
pub(super) struct SpeculativeReader<'a, 'v, T: StateModel> {
    view: &'a View<'v, T>,
    fee_cells: &'a FeeCells,
    phase: ReadPhase,
    predicted: RefCell<Option<PredictedBalance>>,
}

/// The balance of the sequencer that the fee phase works with: for each half the peeked value and the
/// predicted one.
struct PredictedBalance {
    low: (Peeked<StateValue>, Felt),
    high: (Peeked<StateValue>, Felt),
}

impl<'a, 'v, T: StarknetState> SpeculativeReader<'a, 'v, T> {
    pub(super) fn new(view: &'a View<'v, T>, fee_cells: &'a FeeCells, phase: ReadPhase) -> Self {
        Self { view, fee_cells, phase, predicted: RefCell::new(None) }
    }

    fn value<K: FeltKind>(&self, key: K::Key) -> Result<K::Value, ReadError> {
        let key = K::state_key(key);
        let value = match key {
            StateKey::Storage(address, storage_key) if self.fee_cells.contains(address, storage_key) => {
                self.fee_cell(address, storage_key)?
            }
            _ => self.read(key)?.felt(),
        };
        Ok(K::Value::from_felt(value))
    }

    fn fee_cell(&self, address: ContractAddress, key: StorageKey) -> Result<Felt, ReadError> {
        match self.phase {
            ReadPhase::Fee(token) if token == address => return self.predicted_balance(token, key),
            ReadPhase::Fee(_) => {}
            ReadPhase::Execution => self.view.require_commit_order().map_err(read_error)?,
        }
        self.read(StateKey::Storage(address, key)).map(|value| value.felt())
    }

    fn read(&self, key: StateKey) -> Result<StateValue, ReadError> {
        self.view.read(&key).map_err(read_error)
    }

    /// Returns one half of the balance that the sequencer will have after the fees of all earlier
    /// transactions.
    fn predicted_balance(&self, token: ContractAddress, key: StorageKey) -> Result<Felt, ReadError> {
        let Some(high_key) = self.fee_cells.high else {
            return self.read(StateKey::Storage(token, key)).map(|value| value.felt());
        };
        let mut predicted = self.predicted.borrow_mut();
        let PredictedBalance { low, high } = match &mut *predicted {
            Some(predicted) => predicted,
            none => {
                let low =
                    self.view.peek(&StateKey::Storage(token, self.fee_cells.low)).map_err(read_error)?;
                let high = self.view.peek(&StateKey::Storage(token, high_key)).map_err(read_error)?;
                let deltas = self.view.deltas_after(&low);
                let amounts = deltas.iter().filter(|delta| delta.token == token).map(|delta| delta.amount);
                let (low_sum, high_sum) = credited(low.value.felt(), high.value.felt(), amounts);
                none.insert(PredictedBalance { low: (low, low_sum), high: (high, high_sum) })
            }
        };
        let (peeked, felt) = if key == self.fee_cells.low { low } else { high };
        self.view.assume(peeked, StateValue::Felt(*felt));
        Ok(*felt)
    }
}

/// Returns a balance, in two halves of 128 bits, after some credits.
fn credited(low: Felt, high: Felt, amounts: impl Iterator<Item = u128>) -> (Felt, Felt) {
    // A low half beyond 128 bits is no balance: nothing can be predicted.
    let Ok(mut sum) = u128::try_from(low) else { return (low, high) };
    let mut carries = 0_u64;
    for amount in amounts {
        let (next, has_carry) = sum.overflowing_add(amount);
        sum = next;
        carries = carries.saturating_add(u64::from(has_carry));
    }
    #[expect(clippy::arithmetic_side_effects, reason = "felts wrap, and this is a prediction")]
    let high = high + Felt::from(carries);
    (Felt::from(sum), high)
}

fn read_error(failure: ReadFailure<ReadError>) -> ReadError {
    match failure {
        ReadFailure::Load(error) => error,
        // Discarded: the task polls the view before it looks at a result.
        ReadFailure::Interrupted => ReadError::message("the execution was interrupted"),
    }
}

impl<T: StarknetState> StateReader for SpeculativeReader<'_, '_, T> {
    reader_methods! { self,
        Kind(key) => self.value::<Kind>(key),
        Class(class_hash) => self.read(StateKey::Class(class_hash)).map(StateValue::class)
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
