//! The ECDSA builtin: a hint adds a signature, then the program writes the public key and the message.
//!
//! The signature is verified when the second of these two cells is written.

use std::collections::BTreeMap;

use super::Bailout;
use super::builtin_layout::instance_cells;
use super::cell::VmCell;
use super::number::field::Limbs;
use crate::crypto::verify_signature;
use crate::protocol::Builtin;

/// The signatures `(r, s)` by the offset of their public key.
#[derive(Debug, Default)]
pub(super) struct Signatures(BTreeMap<usize, [Limbs; 2]>);

/// The memory of a signature, in cells.
pub(super) const SIGNATURE_CELLS: usize = 6;

impl Signatures {
    /// Adds a signature at the offset of a public key. Returns `true` if there was none at that offset; the
    /// first one is kept.
    pub(super) fn add(&mut self, offset: u64, signature: [Limbs; 2]) -> Result<bool, Bailout> {
        if offset.checked_rem(instance_cells(Builtin::Ecdsa).0) != Some(0) {
            return Err(Bailout::Fault);
        }
        let offset = usize::try_from(offset).map_err(|_| Bailout::Fault)?;
        let before = self.0.len();
        self.0.entry(offset).or_insert(signature);
        Ok(self.0.len() > before)
    }

    /// Checks `value` before it is written to the cell at `index`.
    #[cold]
    pub(super) fn check(&self, cells: &[VmCell], index: usize, value: &VmCell) -> Result<(), Bailout> {
        if cells.get(index).is_some_and(VmCell::is_known) {
            return Ok(()); // checked already, or a conflicting write, which fails
        }
        // The error of `cairo-vm` for an address here depends on which of the two cells is written first.
        let value = value.as_number().ok_or(Bailout::Unsupported)?;
        let (key_index, other) = (index & !1, cells.get(index ^ 1).copied().unwrap_or_default());
        if !other.is_known() {
            return Ok(());
        }
        let other = other.as_number().ok_or(Bailout::Unsupported)?;
        let [r, s] = self.0.get(&key_index).ok_or(Bailout::Fault)?;
        let (public_key, message) = if index == key_index { (value, other) } else { (other, value) };
        match verify_signature(&public_key, &message, r, s) {
            Some(true) => Ok(()),
            Some(false) => Err(Bailout::Fault),
            None => Err(Bailout::Unsupported),
        }
    }
}
