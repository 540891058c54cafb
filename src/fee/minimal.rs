//! The least gas that a transaction can use: what its bounds must cover to be admitted.
//!
//! In: kind and calldata length. Out: a gas vector. Knows no prices.

use starknet_api::execution_resources::GasVector;

use super::error::{FeeError, Sum};
use super::gas::{data_availability_gas, state_diff_length, vm_gas};
use crate::protocol::{BlockEnv, TransactionKind, VmResources};
use crate::state::StateChangesCount;
use crate::syscall::TransactionInfo;

/// A lower bound of the transaction's gas (C167): the account's nonce and balance, the class of a new account, and the operating system's
/// steps. Those of blob commitments count whether or not blobs are used; builtins, calldata, signature and code do not count.
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
        // Not even of a Declare, by the rule.
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
