//! The class hash and the compiled class hashes of a class.
//!
//! Input: a Sierra class, or the parts of a prepared class. Output: class hash; compiled class hash v1
//! (Poseidon) and v2 (Blake), both computed by `starknet_api`. Must not know: the version that a block uses.

use std::borrow::Cow;

use cairo_lang_starknet_classes::NestedIntList;
use starknet_api::contract_class::compiled_class_hash::{
    EntryPointHashable, HashVersion, HashableCompiledClass,
};
use starknet_api::core::{ClassHash, CompiledClassHash};
use starknet_api::state::SierraContractClass;
use starknet_types_core::felt::Felt;

use super::entry_point::{ByType, EntryPoint, casm_name};

/// Returns the class hash of a Sierra class. Expensive: a Poseidon hash over the complete program.
pub fn sierra_class_hash(class: &SierraContractClass) -> ClassHash {
    class.calculate_class_hash()
}

/// The parts of a prepared class that its compiled class hash covers.
pub(super) struct HashedParts<'class> {
    pub(super) entry_points: &'class ByType<EntryPoint>,
    pub(super) bytecode: &'class [Felt],
    /// Checked when the class was prepared, which the hash relies on.
    pub(super) segment_lengths: &'class NestedIntList,
}

impl HashedParts<'_> {
    /// Returns the compiled class hash. Expensive for long classes.
    pub(super) fn compiled_class_hash(&self, version: HashVersion) -> CompiledClassHash {
        self.hash(&version)
    }
}

impl HashableCompiledClass<EntryPoint, NestedIntList> for HashedParts<'_> {
    fn get_hashable_l1_entry_points(&self) -> &[EntryPoint] {
        &self.entry_points.l1_handler
    }

    fn get_hashable_external_entry_points(&self) -> &[EntryPoint] {
        &self.entry_points.external
    }

    fn get_hashable_constructor_entry_points(&self) -> &[EntryPoint] {
        &self.entry_points.constructor
    }

    fn get_bytecode(&self) -> Vec<Felt> {
        self.bytecode.to_vec()
    }

    fn get_bytecode_segment_lengths(&self) -> Cow<'_, NestedIntList> {
        Cow::Borrowed(self.segment_lengths)
    }
}

impl EntryPointHashable for EntryPoint {
    fn get_selector(&self) -> Felt {
        self.selector.0
    }

    fn get_offset(&self) -> Felt {
        Felt::from(self.offset)
    }

    fn get_builtins(&self) -> Vec<Felt> {
        self.builtins
            .iter()
            .map(|builtin| Felt::from_bytes_be_slice(casm_name(*builtin).as_bytes()))
            .collect()
    }
}
