//! The builtin of signatures: a hint announces one, then the program writes the public key and the message that it must fit.
//!
//! It is checked when the second of the two is written.

use std::collections::BTreeMap;

use super::Bailout;
use super::builtin::instance_cells;
use super::cell::VmCell;
use super::number::field::Limbs;
use crate::crypto::verify_signature;
use crate::protocol::Builtin;

/// Signatures `(r, s)` by the place of their public key.
#[derive(Debug, Default)]
pub(super) struct Signatures(BTreeMap<usize, [Limbs; 2]>);

/// What one of them counts as, in cells.
pub(super) const SIGNATURE_CELLS: usize = 6;

impl Signatures {
    /// Announces a signature, which must be at the place of a public key. The first one there counts; whether it is this one.
    pub(super) fn announce(&mut self, place: u64, signature: [Limbs; 2]) -> Result<bool, Bailout> {
        if place.checked_rem(instance_cells(Builtin::Ecdsa).0) != Some(0) {
            return Err(Bailout::Fault);
        }
        let place = usize::try_from(place).map_err(|_| Bailout::Fault)?;
        let before = self.0.len();
        self.0.entry(place).or_insert(signature);
        Ok(self.0.len() > before)
    }

    /// Checks a cell that is to be written among the cells.
    #[cold]
    pub(super) fn check(&self, cells: &[VmCell], index: usize, value: &VmCell) -> Result<(), Bailout> {
        if cells.get(index).is_some_and(VmCell::is_known) {
            return Ok(()); // it was checked, or it is refused
        }
        // What the judge makes of an address here depends on what is written first.
        let value = value.as_number().ok_or(Bailout::Unsupported)?;
        let (place, other) = (index & !1, cells.get(index ^ 1).copied().unwrap_or_default());
        if !other.is_known() {
            return Ok(());
        }
        let other = other.as_number().ok_or(Bailout::Unsupported)?;
        let [r, s] = self.0.get(&place).ok_or(Bailout::Fault)?;
        let (public_key, message) = if index == place { (value, other) } else { (other, value) };
        match verify_signature(&public_key, &message, r, s) {
            Some(true) => Ok(()),
            Some(false) => Err(Bailout::Fault),
            None => Err(Bailout::Unsupported),
        }
    }
}
