//! The class of a declare transaction, with the lengths that its fee depends on.
//!
//! Input: a prepared class and two lengths. Output: its code size. Must not know: prices.

use std::sync::Arc;

use starknet_api::state::SierraContractClass;

use super::cairo0::cairo0_abi_length;
use super::compile::sierra_version;
use super::error::ClassError;
use super::{Cairo0Class, Cairo1Class, ContractClass};

/// The number of bytes that a felt counts as in a code size (C40).
const FELT_BYTES: u64 = 32;

/// The class of a declare transaction, and the lengths that its fee depends on ([C40](crate::rules#c40)).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeclaredClass {
    /// The prepared class.
    pub class: ContractClass,
    /// The number of felts in the Sierra program; 0 for a Cairo 0 class.
    pub sierra_program_length: u64,
    /// The number of bytes in the ABI text. For a Cairo 0 class that text is the ABI printed as Python prints
    /// JSON; 0 without an ABI.
    pub abi_length: u64,
}

impl DeclaredClass {
    /// Compiles and prepares a Sierra class, and measures its lengths.
    pub fn from_sierra(sierra: &SierraContractClass) -> Result<Self, ClassError> {
        let class =
            Cairo1Class::from_casm(super::compile_sierra(sierra)?, sierra_version(&sierra.sierra_program)?)?;
        Ok(Self {
            class: class.into(),
            sierra_program_length: sierra.sierra_program.len() as u64,
            abi_length: sierra.abi.len() as u64,
        })
    }

    /// Combines a Cairo 0 class and the length of its ABI. It has no Sierra program.
    pub fn from_cairo0(class: impl Into<Arc<Cairo0Class>>, abi_length: u64) -> Self {
        Self { class: ContractClass::Cairo0(class.into()), sierra_program_length: 0, abi_length }
    }

    /// Prepares a Cairo 0 class from its JSON, and measures its ABI.
    pub fn from_cairo0_json(json: impl AsRef<[u8]>) -> Result<Self, ClassError> {
        let json = json.as_ref();
        Ok(Self::from_cairo0(Cairo0Class::from_json(json)?, cairo0_abi_length(json)?))
    }

    /// Returns the number of bytes that the fee covers: 32 for every felt of bytecode and of Sierra program,
    /// and the ABI text ([C40](crate::rules#c40)).
    ///
    /// Saturates at `u64::MAX`, which no class in memory reaches and which the checked arithmetic of the fee
    /// rejects.
    pub fn code_size(&self) -> u64 {
        (self.class.bytecode_len() as u64)
            .saturating_add(self.sierra_program_length)
            .saturating_mul(FELT_BYTES)
            .saturating_add(self.abi_length)
    }
}
