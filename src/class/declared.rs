//! A class as a Declare transaction carries it: with what its fee depends on.
//!
//! In: a prepared class and two lengths. Out: its code size. Must not know: prices.

use starknet_api::state::SierraContractClass;

use super::compile::sierra_version;
use super::error::ClassError;
use super::{Cairo1Class, ContractClass};

/// Bytes that a felt counts for in a code size (C40).
const FELT_BYTES: u64 = 32;

/// The class of a Declare transaction, and the lengths that the declaring transaction pays for (C40).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeclaredClass {
    /// The class, ready to run.
    pub class: ContractClass,
    /// Felts in the Sierra program; 0 for a Cairo 0 class.
    pub sierra_program_length: u64,
    /// Bytes in the ABI text.
    pub abi_length: u64,
}

impl DeclaredClass {
    /// Compiles and prepares a Sierra class, and takes its lengths.
    pub fn from_sierra(sierra: &SierraContractClass) -> Result<Self, ClassError> {
        let class =
            Cairo1Class::from_casm(super::compile_sierra(sierra)?, sierra_version(&sierra.sierra_program)?)?;
        Ok(Self {
            class: class.into(),
            sierra_program_length: sierra.sierra_program.len() as u64,
            abi_length: sierra.abi.len() as u64,
        })
    }

    /// The bytes of code that the fee covers: 32 for every felt of bytecode and of Sierra program, and the ABI text (C40).
    ///
    /// Saturates: lengths that do not fit are no class's, and a size of `u64::MAX` fails the fee's own checked arithmetic.
    pub fn code_size(&self) -> u64 {
        (self.class.bytecode_len() as u64)
            .saturating_add(self.sierra_program_length)
            .saturating_mul(FELT_BYTES)
            .saturating_add(self.abi_length)
    }
}
