//! The entry points of a Cairo 0 class, and their lookup.
//!
//! Input: selectors and offsets of a file. Output: checked entry points. Must not know: the effect of a
//! failed lookup on a call.

use starknet_api::contract_class::EntryPointType;
use starknet_api::core::EntryPointSelector;

use crate::class::entry_point::ByType;
use crate::class::error::ClassError;
use crate::protocol::well_known;

/// An entry point of a Cairo 0 class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Cairo0EntryPoint {
    /// The selector: the hash of the function's name; 0 for a default entry point.
    pub selector: EntryPointSelector,
    /// The index of the first instruction in the bytecode; always inside it.
    pub offset: usize,
}

/// The result of looking up an entry point of a Cairo 0 class ([C65](crate::rules#c65)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cairo0Lookup {
    /// The offset in the bytecode of the only entry point with that selector, or of the default entry point.
    Found(usize),
    /// The class has entry points of that type, but none with that selector, and the first is not a default
    /// entry point.
    NotFound,
    /// The class has no entry point of that type.
    NoEntryPointOfType,
    /// More than one entry point has that type and selector.
    Repeated,
}

impl Cairo0EntryPoint {
    /// Returns the entry point if it is inside the bytecode. A class with any other entry point has no class
    /// hash, so it cannot be declared.
    pub(super) fn checked(
        self,
        entry_point_type: EntryPointType,
        bytecode_len: usize,
    ) -> Result<Self, ClassError> {
        let Self { selector, offset } = self;
        if offset < bytecode_len {
            return Ok(self);
        }
        Err(ClassError::EntryPointOutsideBytecode { entry_point_type, selector, offset, bytecode_len })
    }
}

impl ByType<Cairo0EntryPoint> {
    /// Looks up an entry point: the only one with that selector; without one, the first of its type if that
    /// is a default one.
    pub(super) fn lookup(
        &self,
        entry_point_type: EntryPointType,
        selector: EntryPointSelector,
    ) -> Cairo0Lookup {
        let list = self.of_type(entry_point_type);
        let mut matching = list.iter().filter(|entry_point| entry_point.selector == selector);
        match (matching.next(), matching.next(), list.first()) {
            (Some(_), Some(_), _) => Cairo0Lookup::Repeated,
            (Some(only), None, _) => Cairo0Lookup::Found(only.offset),
            (None, _, Some(first)) if first.selector == well_known::DEFAULT => {
                Cairo0Lookup::Found(first.offset)
            }
            (None, _, Some(_)) => Cairo0Lookup::NotFound,
            (None, _, None) => Cairo0Lookup::NoEntryPointOfType,
        }
    }
}
