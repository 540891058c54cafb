//! The minimal gas of a transaction, which its bounds must cover to be admitted.
//!
//! Input: kind and calldata length. Output: a gas vector. Knows no prices.

use starknet_api::execution_resources::GasVector;

use super::error::{FeeError, Sum};
use super::gas::vm_gas;
use super::state_changes::StateChangesCount;
use super::state_gas::{data_availability_gas, state_diff_length};
use crate::protocol::{BlockEnv, TransactionKind, VmResources};
use crate::syscall::TransactionInfo;

/// Returns a lower bound of the transaction's gas ([C167](crate::rules#c167)): the account's nonce and
/// balance, the class of a new account, and the operating system's steps. Those of blob commitments count
/// whether or not blobs are used; builtins, calldata, signature and code do not count.
pub fn minimal_gas(
    env: &BlockEnv,
    info: &TransactionInfo,
    kind: TransactionKind,
    extended_calldata_length: u64,
) -> Result<GasVector, FeeError> {
    let changes = StateChangesCount {
        storage_updates: 1,
        modified_contracts: 1,
        class_hash_updates: u64::from(kind == TransactionKind::DeployAccount),
        // Also 0 for a declaration, by the rule.
        compiled_class_hash_updates: 0,
        allocated_cells: 0,
    };
    let constants = &env.constants;
    let commitment = constants.kzg_os_resources(state_diff_length(&changes)?)?;
    let steps = constants
        .transaction_os_resources(kind, extended_calldata_length)?
        .steps
        .checked_add(commitment.steps)
        .ok_or(FeeError::OutOfRange(Sum::VmResources))?;
    let computation = vm_gas(&VmResources { steps, ..VmResources::ZERO }, 0, constants, &info.gas_mode())?;
    data_availability_gas(&changes, env.block.data_availability)?
        .checked_add(computation)
        .ok_or(FeeError::OutOfRange(Sum::Transaction))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fee::fixture::{env, vector, with_all, with_l1_gas, with_max_fee};
    use crate::protocol::DataAvailability::{Blob, Calldata};

    #[test]
    fn invoke() {
        let all = with_all((0, 0), (0, 0), (0, 0), 0);
        // State diff of 4 felts. Steps: 4779, 11 * 5 / 2 = 28, 113 * 4 and 2 * 18 + 21 for the commitment:
        // 5316, that is 13.29.
        let minimal = minimal_gas(&env("0.14.4", Blob), &all, TransactionKind::Invoke, 5);
        assert_eq!(minimal, Ok(vector(0, 128, 560_000)));
        // The commitment counts with calldata, too. 4 * 551 - 312 - 240 = 1652.
        for info in [with_l1_gas(0, 0), with_max_fee(0)] {
            let minimal = minimal_gas(&env("0.14.4", Calldata), &info, TransactionKind::Invoke, 5);
            assert_eq!(minimal, Ok(vector(1_652 + 14, 0, 0)));
        }
        // 3382 steps at 0.005: no commitment, no calldata factor.
        let minimal = minimal_gas(&env("0.13.0", Calldata), &with_max_fee(0), TransactionKind::Invoke, 1_000);
        assert_eq!(minimal, Ok(vector(1_652 + 17, 0, 0)));
    }

    #[test]
    fn deploy_account_counts_the_class_and_declare_does_not() {
        let all = with_all((0, 0), (0, 0), (0, 0), 0);
        // 5 felts; 4989 + 37 * 3 / 2 -> 56, 113 * 5 and 2 * 18 + 3 + 21: 5670 steps, that is 14.175.
        let deploy = minimal_gas(&env("0.14.4", Blob), &all, TransactionKind::DeployAccount, 3);
        assert_eq!(deploy, Ok(vector(0, 160, 600_000)));
        // 3938 + 509 steps: 11.1175.
        let declare = minimal_gas(&env("0.14.4", Blob), &all, TransactionKind::Declare, 0);
        assert_eq!(declare, Ok(vector(0, 128, 480_000)));
    }
}
