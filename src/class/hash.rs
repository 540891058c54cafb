//! The hashes of a class.
//!
//! In: a Sierra class, or a prepared one. Out: class hash; compiled class hash v1 (Poseidon) and v2 (Blake). The sums themselves
//! are `starknet_api`'s. Must not know: which of the two versions a block wants.

use std::borrow::Cow;

use cairo_lang_starknet_classes::NestedIntList;
use starknet_api::contract_class::compiled_class_hash::{
    EntryPointHashable, HashVersion, HashableCompiledClass,
};
use starknet_api::core::{ClassHash, CompiledClassHash};
use starknet_api::state::SierraContractClass;
use starknet_types_core::felt::Felt;

use super::cairo1::Cairo1Class;
use super::entry_point::{EntryPoint, casm_name};

/// The hash that a Sierra class is known by. Costly: a Poseidon hash over the whole program.
pub fn sierra_class_hash(class: &SierraContractClass) -> ClassHash {
    class.calculate_class_hash()
}

/// The hash of a prepared class. Costly for long classes. The segment lengths were checked when the class was prepared, which the
/// hash relies on.
pub(super) fn compiled_class_hash(class: &Cairo1Class, version: HashVersion) -> CompiledClassHash {
    Hashed(class).hash(&version)
}

/// A class as `starknet_api` wants to see it.
struct Hashed<'class>(&'class Cairo1Class);

impl HashableCompiledClass<EntryPoint, NestedIntList> for Hashed<'_> {
    fn get_hashable_l1_entry_points(&self) -> &[EntryPoint] {
        &self.0.entry_points.l1_handler
    }

    fn get_hashable_external_entry_points(&self) -> &[EntryPoint] {
        &self.0.entry_points.external
    }

    fn get_hashable_constructor_entry_points(&self) -> &[EntryPoint] {
        &self.0.entry_points.constructor
    }

    fn get_bytecode(&self) -> Vec<Felt> {
        self.0.bytecode.to_vec()
    }

    fn get_bytecode_segment_lengths(&self) -> Cow<'_, NestedIntList> {
        Cow::Borrowed(&self.0.segment_lengths)
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
