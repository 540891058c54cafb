//! A class compiled from Sierra, ready to run.
//!
//! In: a compiled class, from any source. Out: [`Cairo1Class`], which holds everything about the class that its calls share. Must
//! not know: calls.

use std::fmt;
use std::sync::{Arc, OnceLock};

use cairo_lang_casm::hints::Hint;
use cairo_lang_starknet_classes::NestedIntList;
use cairo_lang_starknet_classes::casm_contract_class::{CasmContractClass, CasmContractEntryPoint};
use cairo_lang_starknet_classes::contract_class::ContractClass as CompilerClass;
use cairo_vm::serde::deserialize_program::ReferenceManager;
use cairo_vm::types::program::Program;
use cairo_vm::types::relocatable::MaybeRelocatable;
use starknet_api::contract_class::compiled_class_hash::HashVersion;
use starknet_api::contract_class::{EntryPointType, SierraVersion};
use starknet_api::core::{CompiledClassHash, EntryPointSelector};
use starknet_types_core::felt::Felt;

use super::compile::{compile, compile_sierra, sierra_version};
use super::engine_code::EngineCode;
use super::entry_point::{EntryPoint, EntryPoints, RawEntryPoint, prepare_list};
use super::error::ClassError;
use super::felt_text::{felt_from_integer, is_prime, shown};
use super::hash::compiled_class_hash;
use super::hash_cost::HashCosts;
use super::hint_table::HintTable;
use super::load::{casm_from_json, sierra_class_from_json};
use super::segment::{SegmentSizes, checked_lengths, sizes};
use crate::protocol::Constants;

/// A class compiled from Sierra, prepared once and shared behind an `Arc`.
pub struct Cairo1Class {
    /// The code, every felt of it.
    pub(crate) bytecode: Arc<[Felt]>,
    /// The same code as the VM takes it: no hints (they are run from `hints`), no builtins (they are the entry point's), entry at
    /// 0.
    pub(crate) vm_program: Program,
    /// Hints by pc.
    pub(crate) hints: HintTable,
    pub(super) entry_points: EntryPoints,
    sierra_version: SierraVersion,
    /// Adds up to the bytecode, and nests at most one level.
    pub(super) segment_lengths: NestedIntList,
    pub(crate) engine_code: EngineCode,
    segment_sizes: OnceLock<SegmentSizes>,
    hash_costs: OnceLock<HashCosts>,
    hash_v1: OnceLock<CompiledClassHash>,
    hash_v2: OnceLock<CompiledClassHash>,
}

impl Cairo1Class {
    /// Prepares a compiled class. `sierra_version` is that of the Sierra program it was compiled from, which the compiled class
    /// does not tell.
    pub fn from_casm(casm: CasmContractClass, sierra_version: SierraVersion) -> Result<Self, ClassError> {
        if !is_prime(&casm.prime) {
            return Err(ClassError::PrimeMismatch { found: shown(&format!("{:#x}", casm.prime)) });
        }
        let entry_points = |kind: &str, list: Vec<CasmContractEntryPoint>| {
            list.into_iter()
                .enumerate()
                .map(|(index, entry_point)| {
                    Ok(RawEntryPoint {
                        selector: felt_from_integer(&entry_point.selector, || {
                            format!("entry_points_by_type.{kind}[{index}].selector")
                        })?,
                        offset: entry_point.offset,
                        builtins: entry_point.builtins,
                    })
                })
                .collect::<Result<Vec<_>, ClassError>>()
        };
        let parts = CasmParts {
            bytecode: casm
                .bytecode
                .iter()
                .enumerate()
                .map(|(index, integer)| felt_from_integer(&integer.value, || format!("bytecode[{index}]")))
                .collect::<Result<_, _>>()?,
            segment_lengths: casm.bytecode_segment_lengths,
            hints: casm.hints,
            constructor: entry_points("CONSTRUCTOR", casm.entry_points_by_type.constructor)?,
            external: entry_points("EXTERNAL", casm.entry_points_by_type.external)?,
            l1_handler: entry_points("L1_HANDLER", casm.entry_points_by_type.l1_handler)?,
        };
        Self::prepare(parts, sierra_version)
    }

    /// Compiles and prepares a class as the compiler's library holds it.
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

    /// All that calls share, computed once.
    fn prepare(parts: CasmParts, sierra_version: SierraVersion) -> Result<Self, ClassError> {
        let bytecode_len = parts.bytecode.len();
        Ok(Self {
            segment_lengths: checked_lengths(parts.segment_lengths, bytecode_len)?,
            entry_points: EntryPoints {
                constructor: prepare_list(EntryPointType::Constructor, parts.constructor, bytecode_len)?,
                external: prepare_list(EntryPointType::External, parts.external, bytecode_len)?,
                l1_handler: prepare_list(EntryPointType::L1Handler, parts.l1_handler, bytecode_len)?,
            },
            hints: HintTable::new(parts.hints, bytecode_len)?,
            vm_program: vm_program(&parts.bytecode)?,
            bytecode: parts.bytecode.into(),
            sierra_version,
            engine_code: EngineCode::default(),
            segment_sizes: OnceLock::new(),
            hash_costs: OnceLock::new(),
            hash_v1: OnceLock::new(),
            hash_v2: OnceLock::new(),
        })
    }

    /// The first entry point of that type and selector. Look at [`EntryPoint::repeated`] and [`EntryPoint::builtins_valid`]
    /// before running it; a constructor's selector is the caller's to check (C243).
    pub fn entry_point(
        &self,
        entry_point_type: EntryPointType,
        selector: EntryPointSelector,
    ) -> Option<&EntryPoint> {
        self.entry_points.find(entry_point_type, selector)
    }

    /// All entry points of one type, in the order of the compiled class.
    pub fn entry_points(&self, entry_point_type: EntryPointType) -> &[EntryPoint] {
        self.entry_points.of_type(entry_point_type)
    }

    /// Selector of the first constructor entry point, if there is one (C70).
    pub fn constructor_selector(&self) -> Option<EntryPointSelector> {
        self.entry_points.constructor.first().map(|entry_point| entry_point.selector)
    }

    /// The code.
    pub fn bytecode(&self) -> &[Felt] {
        &self.bytecode
    }

    /// Number of felts in the code (C40).
    pub fn bytecode_len(&self) -> usize {
        self.bytecode.len()
    }

    /// The hints to run before the instruction at `pc`, in order; none outside the code.
    pub fn hints_at(&self, pc: usize) -> &[Hint] {
        self.hints.at(pc)
    }

    /// The Sierra version that the class was written in.
    pub fn sierra_version(&self) -> &SierraVersion {
        &self.sierra_version
    }

    /// Whether a frame of this class counts Sierra gas, rather than Cairo steps, when nothing above it on the call stack already
    /// counts steps (1.6).
    pub fn tracked_by_gas(&self, constants: &Constants) -> bool {
        self.sierra_version >= SierraVersion::from(constants.switches.min_sierra_version_for_gas)
    }

    /// How the compiler cut the code into segments: a list of lengths, or one length for a class that is not cut.
    pub fn segment_lengths(&self) -> &NestedIntList {
        &self.segment_lengths
    }

    /// Small and large felts by segment: what hashing the class costs depends on it (C209, C210). Counted once, when first asked.
    pub fn segment_sizes(&self) -> &SegmentSizes {
        self.segment_sizes.get_or_init(|| sizes(&self.segment_lengths, &self.bytecode))
    }

    /// What hashing the class costs the OS (C209). Computed once, when first asked.
    pub fn hash_costs(&self) -> HashCosts {
        *self.hash_costs.get_or_init(|| HashCosts::of_cairo1(self))
    }

    /// The compiled class hash by Poseidon. Computed once, when first asked: tens to hundreds of milliseconds.
    pub fn compiled_class_hash_v1(&self) -> CompiledClassHash {
        *self.hash_v1.get_or_init(|| compiled_class_hash(self, HashVersion::V1))
    }

    /// The compiled class hash by Blake. Computed once, when first asked.
    pub fn compiled_class_hash_v2(&self) -> CompiledClassHash {
        *self.hash_v2.get_or_init(|| compiled_class_hash(self, HashVersion::V2))
    }
}

/// What was loaded, whatever was computed since.
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

/// Counts, not contents: the code alone would fill pages.
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

/// The parts of a compiled class that running needs, felts checked, the rest not.
pub(super) struct CasmParts {
    pub(super) bytecode: Vec<Felt>,
    pub(super) segment_lengths: Option<NestedIntList>,
    pub(super) hints: Vec<(usize, Vec<Hint>)>,
    pub(super) constructor: Vec<RawEntryPoint>,
    pub(super) external: Vec<RawEntryPoint>,
    pub(super) l1_handler: Vec<RawEntryPoint>,
}

/// The program as the VM takes it: data, an entry at 0 and nothing else.
fn vm_program(bytecode: &[Felt]) -> Result<Program, ClassError> {
    let data = bytecode.iter().map(|felt| MaybeRelocatable::Int(*felt)).collect();
    let references = ReferenceManager { references: Vec::new() };
    Program::new(
        Vec::new(),
        data,
        Some(0),
        Default::default(),
        references,
        Default::default(),
        Vec::new(),
        None,
    )
    .map_err(|error| ClassError::VmProgram { reason: error.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vm_program_is_the_bytecode_and_nothing_else() {
        let bytecode: Vec<Felt> = [0x208b7fff7fff7ffe_u64, 0, 7].map(Felt::from).to_vec();
        let parts = CasmParts {
            bytecode: bytecode.clone(),
            segment_lengths: None,
            hints: Vec::new(),
            constructor: Vec::new(),
            external: Vec::new(),
            l1_handler: Vec::new(),
        };
        let class = Cairo1Class::prepare(parts, SierraVersion::new(1, 7, 0)).unwrap();
        let expected: Vec<_> = bytecode.iter().map(|felt| MaybeRelocatable::Int(*felt)).collect();
        let program = &class.vm_program;
        assert_eq!(program.iter_data().cloned().collect::<Vec<_>>(), expected);
        assert_eq!(program.builtins_len(), 0);
        assert_eq!(program.iter_identifiers().count(), 0);
        assert!(program.shared_program_data.hints_collection.hints.is_empty());
        assert_eq!(class.bytecode(), bytecode);
    }

    #[test]
    fn an_empty_class_is_a_class() {
        let empty = CasmParts {
            bytecode: Vec::new(),
            segment_lengths: Some(NestedIntList::Node(Vec::new())),
            hints: Vec::new(),
            constructor: Vec::new(),
            external: Vec::new(),
            l1_handler: Vec::new(),
        };
        let class = Cairo1Class::prepare(empty, SierraVersion::new(1, 7, 0)).unwrap();
        assert_ne!(class.compiled_class_hash_v1(), class.compiled_class_hash_v2());
        assert_eq!(class.constructor_selector(), None);
    }

    #[test]
    fn classes_can_be_shared_between_threads() {
        fn shared<T: Send + Sync + 'static>() {}
        shared::<Cairo1Class>();
    }
}
