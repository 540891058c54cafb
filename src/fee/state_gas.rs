//! The gas of state changes: publishing them on L1, and allocating storage cells.
//!
//! Input: counts of changes. Output: gas vectors. Does not know the changed cells.

use starknet_api::execution_resources::{GasAmount, GasVector};

use super::error::{FeeError, Sum};
use super::ethereum;
use super::state_changes::StateChangesCount;
use crate::protocol::{Constants, DataAvailability};

/// Returns the number of felts that the changes add to the published state diff (C153): two per contract
/// (address; class flag, update count and nonce), one per class, two per storage cell, two per declared
/// class.
pub(super) fn state_diff_length(changes: &StateChangesCount) -> Result<u64, FeeError> {
    let pairs = [changes.modified_contracts, changes.storage_updates, changes.compiled_class_hash_updates];
    pairs
        .into_iter()
        .try_fold(0_u64, u64::checked_add)
        .and_then(|pairs| pairs.checked_mul(2)?.checked_add(changes.class_hash_updates))
        .ok_or(FeeError::OutOfRange(Sum::StateDiffLength))
}

/// Returns the gas of publishing the changes on L1 (C154).
pub(super) fn data_availability_gas(
    changes: &StateChangesCount,
    data_availability: DataAvailability,
) -> Result<GasVector, FeeError> {
    let out_of_range = FeeError::OutOfRange(Sum::DataAvailability);
    let length = state_diff_length(changes)?;
    match data_availability {
        DataAvailability::Blob => length
            .checked_mul(ethereum::BLOB_FELT)
            .map(|gas| GasVector::from_l1_data_gas(GasAmount(gas)))
            .ok_or(out_of_range),
        DataAvailability::Calldata => {
            let full = length.checked_mul(ethereum::STATE_DIFF_WORD);
            let discount = changes
                .modified_contracts
                .checked_mul(ethereum::CONTRACT_DISCOUNT)
                .and_then(|discount| discount.checked_add(ethereum::FEE_BALANCE_DISCOUNT));
            match (full, discount) {
                // Saturates at 0, by the rule.
                (Some(full), Some(discount)) => {
                    Ok(GasVector::from_l1_gas(GasAmount(full.saturating_sub(discount))))
                }
                _ => Err(out_of_range),
            }
        }
    }
}

/// Returns the gas of the changes: publishing them, and the newly allocated cells (C157). The L2 gas of the
/// allocation is L2 gas in both modes.
pub(super) fn state_gas(
    changes: &StateChangesCount,
    constants: &Constants,
    data_availability: DataAvailability,
) -> Result<GasVector, FeeError> {
    let allocation = constants
        .allocation
        .of(data_availability)
        .checked_scalar_mul(changes.allocated_cells)
        .ok_or(FeeError::OutOfRange(Sum::Allocation))?;
    allocation
        .checked_add(data_availability_gas(changes, data_availability)?)
        .ok_or(FeeError::OutOfRange(Sum::State))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fee::fixture::{changes, constants, vector};

    const NOW: &str = "0.14.4";

    #[test]
    fn state_diff_in_blobs_and_in_calldata() {
        // 2 * 2 + 1 + 2 * 3 + 2 * 1
        assert_eq!(state_diff_length(&changes()), Ok(13));
        assert_eq!(data_availability_gas(&changes(), DataAvailability::Blob), Ok(vector(0, 416, 0)));
        // 13 * 551 - (2 * 312 + 240)
        assert_eq!(data_availability_gas(&changes(), DataAvailability::Calldata), Ok(vector(6_299, 0, 0)));
    }

    #[test]
    fn calldata_discount_never_makes_gas_negative() {
        let none = StateChangesCount::default();
        assert_eq!(data_availability_gas(&none, DataAvailability::Calldata), Ok(GasVector::ZERO));
        let class = StateChangesCount { class_hash_updates: 1, ..none };
        assert_eq!(data_availability_gas(&class, DataAvailability::Calldata), Ok(vector(551 - 240, 0, 0)));
    }

    #[test]
    fn allocation_by_version() {
        let blob = |version| state_gas(&changes(), &constants(version), DataAvailability::Blob);
        let calldata = |version| state_gas(&changes(), &constants(version), DataAvailability::Calldata);
        assert_eq!((blob("0.13.3"), calldata("0.13.3")), (Ok(vector(0, 416, 0)), Ok(vector(6_299, 0, 0))));
        assert_eq!((blob("0.13.4"), calldata("0.13.4")), (Ok(vector(0, 480, 0)), Ok(vector(7_401, 0, 0))));
        assert_eq!((blob(NOW), calldata(NOW)), (Ok(vector(0, 480, 804_000)), Ok(vector(7_401, 0, 804_000))));
    }
}
