//! Classes compiled from Sierra, prepared for execution.
//!
//! Input: a compiled class, from any source. Output: [`Cairo1Class`], which holds all data of the class that
//! its calls share. Must not know: calls.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, OnceLock};

use cairo_lang_casm::hints::Hint;
use cairo_lang_starknet_classes::NestedIntList;
use cairo_lang_starknet_classes::casm_contract_class::CasmContractClass;
use cairo_lang_starknet_classes::contract_class::ContractClass as CompilerClass;
use cairo_vm::serde::deserialize_program::ReferenceManager;
use cairo_vm::types::errors::program_errors::ProgramError;
use cairo_vm::types::program::Program;
use cairo_vm::types::relocatable::MaybeRelocatable;
use starknet_api::contract_class::compiled_class_hash::HashVersion;
use starknet_api::contract_class::{EntryPointType, SierraVersion};
use starknet_api::core::{CompiledClassHash, EntryPointSelector};
use starknet_types_core::felt::Felt;

use super::compile::{compile, compile_sierra, sierra_version};
use super::engine_code::EngineCode;
use super::entry_point::{ByType, EntryPoint, RawEntryPoint};
use super::error::ClassError;
use super::felt_text::{felt_from_integer, is_prime, shown};
use super::hash::HashedParts;
use super::hash_cost::HashCosts;
use super::hint_table::HintTable;
use super::load::{casm_from_json, sierra_class_from_json};
use super::parts::CasmParts;
use super::segment::{SegmentSizes, checked_lengths, sizes};
use crate::protocol::Constants;

/// A class compiled from Sierra, prepared once and shared behind an `Arc`.
pub struct Cairo1Class {
    /// The bytecode.
    pub(crate) bytecode: Arc<[Felt]>,
    /// The program for cairo-vm, built when a frame first runs on cairo-vm.
    vm_program: OnceLock<Result<Program, ProgramError>>,
    /// The hints by pc.
    pub(crate) hints: HintTable,
    entry_points: ByType<EntryPoint>,
    sierra_version: SierraVersion,
    /// The sum is the length of the bytecode; nested at most one level.
    segment_lengths: NestedIntList,
    pub(crate) engine_code: EngineCode,
    segment_sizes: OnceLock<SegmentSizes>,
    hash_costs: OnceLock<HashCosts>,
    hash_v1: OnceLock<CompiledClassHash>,
    hash_v2: OnceLock<CompiledClassHash>,
}

impl Cairo1Class {
    /// Prepares a compiled class. `sierra_version` is the version of the Sierra program, which a compiled
    /// class does not contain.
    pub fn from_casm(casm: CasmContractClass, sierra_version: SierraVersion) -> Result<Self, ClassError> {
        if !is_prime(&casm.prime) {
            return Err(ClassError::PrimeMismatch { found: shown(&format!("{:#x}", casm.prime)) });
        }
        let lists = casm.entry_points_by_type;
        let entry_points =
            ByType { constructor: lists.constructor, external: lists.external, l1_handler: lists.l1_handler };
        let parts = CasmParts {
            bytecode: casm
                .bytecode
                .iter()
                .enumerate()
                .map(|(index, integer)| felt_from_integer(&integer.value, || format!("bytecode[{index}]")))
                .collect::<Result<_, _>>()?,
            segment_lengths: casm.bytecode_segment_lengths,
            hints: casm.hints,
            entry_points: entry_points.try_map(|entry_point, place| {
                Ok(RawEntryPoint {
                    selector: felt_from_integer(&entry_point.selector, || place.field("selector"))?,
                    offset: entry_point.offset,
                    builtins: entry_point.builtins,
                })
            })?,
        };
        Self::prepare(parts, sierra_version)
    }

    /// Compiles and prepares a Sierra class in the representation of the compiler's library.
    pub fn from_sierra(class: CompilerClass) -> Result<Self, ClassError> {
        let first = class
            .sierra_program
            .iter()
            .take(3)
            .enumerate()
            .map(|(index, integer)| felt_from_integer(&integer.value, || format!("sierra_program[{index}]")))
            .collect::<Result<Vec<_>, _>>()?;
        let version = sierra_version(&first)?;
        Self::from_casm(compile(class)?, version)
    }

    /// Prepares a compiled class from its JSON. Hints in Python are ignored.
    pub fn from_casm_json(json: impl AsRef<[u8]>, sierra_version: SierraVersion) -> Result<Self, ClassError> {
        Self::prepare(casm_from_json(json.as_ref())?, sierra_version)
    }

    /// Compiles and prepares a Sierra class from its JSON, in any form that [`sierra_class_from_json`] reads.
    pub fn from_sierra_json(json: impl AsRef<[u8]>) -> Result<Self, ClassError> {
        let class = sierra_class_from_json(json)?;
        let version = sierra_version(&class.sierra_program)?;
        Self::from_casm(compile_sierra(&class)?, version)
    }

    /// Computes the data that calls share.
    fn prepare(parts: CasmParts, sierra_version: SierraVersion) -> Result<Self, ClassError> {
        let bytecode_len = parts.bytecode.len();
        Ok(Self {
            segment_lengths: checked_lengths(parts.segment_lengths, bytecode_len)?,
            entry_points: ByType::prepare(parts.entry_points, bytecode_len)?,
            hints: HintTable::new(parts.hints, bytecode_len)?,
            vm_program: OnceLock::new(),
            bytecode: parts.bytecode.into(),
            sierra_version,
            engine_code: EngineCode::default(),
            segment_sizes: OnceLock::new(),
            hash_costs: OnceLock::new(),
            hash_v1: OnceLock::new(),
            hash_v2: OnceLock::new(),
        })
    }

    /// Returns the first entry point of that type and selector. The caller checks [`EntryPoint::repeated`]
    /// and [`EntryPoint::builtins_valid`] before execution, and the selector of a constructor
    /// ([C243](crate::rules#c243)).
    pub fn entry_point(
        &self,
        entry_point_type: EntryPointType,
        selector: EntryPointSelector,
    ) -> Option<&EntryPoint> {
        self.entry_points.find(entry_point_type, selector)
    }

    /// Returns all entry points of one type, in the order of the compiled class.
    pub fn entry_points(&self, entry_point_type: EntryPointType) -> &[EntryPoint] {
        self.entry_points.of_type(entry_point_type)
    }

    /// Returns the selector of the first constructor entry point, if there is one ([C70](crate::rules#c70)).
    pub fn constructor_selector(&self) -> Option<EntryPointSelector> {
        self.entry_points.constructor.first().map(|entry_point| entry_point.selector)
    }

    /// Returns the bytecode.
    pub fn bytecode(&self) -> &[Felt] {
        &self.bytecode
    }

    /// Returns the number of felts in the bytecode ([C40](crate::rules#c40)).
    pub fn bytecode_len(&self) -> usize {
        self.bytecode.len()
    }

    /// Returns the hints to run before the instruction at `pc`, in order; none outside the bytecode.
    pub fn hints_at(&self, pc: usize) -> &[Hint] {
        self.hints.at(pc)
    }

    /// Returns the Sierra version of the class.
    pub fn sierra_version(&self) -> &SierraVersion {
        &self.sierra_version
    }

    /// Returns `true` if a frame of this class is metered in Sierra gas, unless a caller is already metered
    /// in Cairo steps.
    pub fn tracked_by_gas(&self, constants: &Constants) -> bool {
        self.sierra_version >= SierraVersion::from(constants.switches.min_sierra_version_for_gas)
    }

    /// Returns the program for cairo-vm, built on the first call.
    pub(crate) fn vm_program(&self) -> Result<&Program, &ProgramError> {
        self.vm_program.get_or_init(|| build_vm_program(&self.bytecode)).as_ref()
    }

    fn hashed_parts(&self) -> HashedParts<'_> {
        let Self { entry_points, bytecode, segment_lengths, .. } = self;
        HashedParts { entry_points, bytecode, segment_lengths }
    }

    /// Returns the segments of the bytecode: a list of lengths, or one length for a class without segments.
    pub fn segment_lengths(&self) -> &NestedIntList {
        &self.segment_lengths
    }

    /// Returns the numbers of small and large felts by segment, on which the cost of hashing the class
    /// depends ([C209](crate::rules#c209), [C210](crate::rules#c210)). Computed once, on the first call.
    pub fn segment_sizes(&self) -> &SegmentSizes {
        self.segment_sizes.get_or_init(|| sizes(&self.segment_lengths, &self.bytecode))
    }

    /// Returns the OS cost of hashing the class ([C209](crate::rules#c209)). Computed once, on the first
    /// call.
    pub fn hash_costs(&self) -> HashCosts {
        *self.hash_costs.get_or_init(|| HashCosts::of_cairo1(&self.entry_points, self.segment_sizes()))
    }

    /// Returns compiled class hash v1 (Poseidon). Computed once, on the first call: tens to hundreds of
    /// milliseconds.
    pub fn compiled_class_hash_v1(&self) -> CompiledClassHash {
        *self.hash_v1.get_or_init(|| self.hashed_parts().compiled_class_hash(HashVersion::V1))
    }

    /// Returns compiled class hash v2 (Blake). Computed once, on the first call.
    pub fn compiled_class_hash_v2(&self) -> CompiledClassHash {
        *self.hash_v2.get_or_init(|| self.hashed_parts().compiled_class_hash(HashVersion::V2))
    }
}

/// Compares the loaded data, not the lazily computed values.
impl PartialEq for Cairo1Class {
    fn eq(&self, other: &Self) -> bool {
        self.sierra_version == other.sierra_version
            && self.entry_points == other.entry_points
            && self.segment_lengths == other.segment_lengths
            && self.bytecode == other.bytecode
            && self.hints == other.hints
    }
}

impl Eq for Cairo1Class {}

/// Prints counts only: the bytecode would fill pages.
impl fmt::Debug for Cairo1Class {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Cairo1Class")
            .field("sierra_version", &format_args!("{}", self.sierra_version))
            .field("bytecode_len", &self.bytecode.len())
            .field("hints", &self.hints.len())
            .field("constructors", &self.entry_points.constructor.len())
            .field("externals", &self.entry_points.external.len())
            .field("l1_handlers", &self.entry_points.l1_handler.len())
            .finish_non_exhaustive()
    }
}

/// Builds the program for cairo-vm: data and an entry at 0. It has no hints, which are run from
/// [`Cairo1Class::hints`], and no builtins, which depend on the entry point. cairo-vm rejects only programs
/// with faulty hints or constants, so this cannot fail.
fn build_vm_program(bytecode: &[Felt]) -> Result<Program, ProgramError> {
    let data = bytecode.iter().map(|felt| MaybeRelocatable::Int(*felt)).collect();
    let references = ReferenceManager { references: Vec::new() };
    let (hints, identifiers) = (HashMap::new(), HashMap::new());
    Program::new(Vec::new(), data, Some(0), hints, references, identifiers, Vec::new(), None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vm_program_is_the_bytecode_only() {
        let bytecode: Vec<Felt> = [0x208b7fff7fff7ffe_u64, 0, 7].map(Felt::from).to_vec();
        let parts = CasmParts {
            bytecode: bytecode.clone(),
            segment_lengths: None,
            hints: Vec::new(),
            entry_points: ByType { constructor: Vec::new(), external: Vec::new(), l1_handler: Vec::new() },
        };
        let class = Cairo1Class::prepare(parts, SierraVersion::new(1, 7, 0)).unwrap();
        let expected: Vec<_> = bytecode.iter().map(|felt| MaybeRelocatable::Int(*felt)).collect();
        assert!(class.vm_program.get().is_none());
        let program = class.vm_program().unwrap();
        assert_eq!(program.iter_data().cloned().collect::<Vec<_>>(), expected);
        assert_eq!(program.builtins_len(), 0);
        assert_eq!(program.iter_identifiers().count(), 0);
        assert!(program.shared_program_data.hints_collection.hints.is_empty());
        assert_eq!(class.bytecode(), bytecode);
    }

    #[test]
    fn empty_classes_are_valid() {
        let empty = CasmParts {
            bytecode: Vec::new(),
            segment_lengths: Some(NestedIntList::Node(Vec::new())),
            hints: Vec::new(),
            entry_points: ByType { constructor: Vec::new(), external: Vec::new(), l1_handler: Vec::new() },
        };
        let class = Cairo1Class::prepare(empty, SierraVersion::new(1, 7, 0)).unwrap();
        assert_ne!(class.compiled_class_hash_v1(), class.compiled_class_hash_v2());
        assert_eq!(class.constructor_selector(), None);
    }

    #[test]
    fn classes_are_send_and_sync() {
        fn shared<T: Send + Sync + 'static>() {}
        shared::<Cairo1Class>();
    }
}
