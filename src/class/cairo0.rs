//! A class compiled from Cairo 0, ready to run.
//!
//! In: a Cairo 0 class, from any source. Out: [`Cairo0Class`], which holds everything about the class that its calls share. Must
//! not know: calls.

mod file;
mod hash;
mod hint;
mod program;

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use cairo_vm::types::program::Program;
use starknet_api::contract_class::EntryPointType;
use starknet_api::core::EntryPointSelector;
use starknet_api::deprecated_contract_class::ContractClass as DeprecatedContractClass;
use starknet_types_core::felt::Felt;

pub use self::hash::{cairo0_abi_length, cairo0_class_hash};
pub(crate) use self::hint::{HintKind, PreparedHint};

use self::file::{EntryPointLists, ProgramFile, class_file, program_text};
use self::program::{Prepared, prepare};
use super::engine_code::EngineCode;
use super::error::ClassError;
use super::hint_table::HintTable;
use crate::protocol::Builtin;

/// The builtins that a Cairo 0 program may use. A call to a class whose program asks for any other fails hard (C91).
pub const CAIRO0_BUILTINS: [Builtin; 6] = [
    Builtin::RangeCheck,
    Builtin::Pedersen,
    Builtin::Ecdsa,
    Builtin::Bitwise,
    Builtin::EcOp,
    Builtin::Poseidon,
];

/// The selector of a default entry point: what is called when no selector matches (1.3).
const DEFAULT: EntryPointSelector = EntryPointSelector(Felt::ZERO);

/// One function of a Cairo 0 class that can be called from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Cairo0EntryPoint {
    /// The name it is called by, hashed; 0 for a default entry point.
    pub selector: EntryPointSelector,
    /// Index of its first instruction in the bytecode; always inside it.
    pub offset: usize,
}

/// What a Cairo 0 class answers when it is asked for an entry point (C65, 1.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cairo0Lookup {
    /// Run from this offset of the bytecode: the one entry point of that selector, or the default one.
    Found(usize),
    /// The class has entry points of that type, but none of that selector, and its first is not a default one.
    NotFound,
    /// The class has no entry point of that type.
    NoEntryPointOfType,
    /// More than one entry point has that type and selector.
    Repeated,
}

/// A class compiled from Cairo 0, prepared once and shared behind an `Arc`.
pub struct Cairo0Class {
    /// The program as the VM takes it: code, builtins, constants, error messages and the references that they mention. No hints:
    /// they are run from `hints`.
    pub(crate) vm_program: Program,
    /// Hints by pc; empty when one of them could not be prepared.
    pub(crate) hints: HintTable<PreparedHint>,
    /// Code of the first hint that names a reference which the program does not have. The VM finds that out at the start of every
    /// run, before the first step: no call to the class succeeds.
    pub(crate) unprepared_hint: Option<String>,
    pub(crate) engine_code: EngineCode,
    entry_points: EntryPointLists,
    builtins: Vec<Builtin>,
    unsupported_builtins: Vec<Builtin>,
}

impl Cairo0Class {
    /// Prepares a class from its JSON: as the compiler writes it, with or without debug information, or as nodes serve it, with
    /// the program compressed (base64 of gzip).
    pub fn from_json(json: impl AsRef<[u8]>) -> Result<Self, ClassError> {
        let file = class_file(json.as_ref())?;
        let text = program_text(file.program)?;
        let program = ProgramFile::of_text(&text)?;
        let entry_points = EntryPointLists::of_file(&file.entry_points_by_type, program.data.len())?;
        Self::new(&program, entry_points)
    }

    /// Prepares a class as `starknet_api` holds it.
    pub fn from_deprecated_class(class: &DeprecatedContractClass) -> Result<Self, ClassError> {
        let program = ProgramFile::of_program(&class.program)?;
        let entry_points = EntryPointLists::of_class(class, program.data.len())?;
        Self::new(&program, entry_points)
    }

    fn new(program: &ProgramFile<'_>, entry_points: EntryPointLists) -> Result<Self, ClassError> {
        // The engine parses references, names and numbers of a file that anybody may have written; its arithmetic there is not
        // checked. What it panics over is only dropped, so no broken state is seen.
        let Prepared { vm_program, hints, unprepared_hint, builtins } =
            catch_unwind(AssertUnwindSafe(|| prepare(program))).unwrap_or_else(|panic| {
                Err(ClassError::VmProgram { reason: crate::panic::message(panic.as_ref()) })
            })?;
        let mut unsupported_builtins = Vec::new();
        for builtin in &builtins {
            if !CAIRO0_BUILTINS.contains(builtin) && !unsupported_builtins.contains(builtin) {
                unsupported_builtins.push(*builtin);
            }
        }
        let engine_code = EngineCode::default();
        Ok(Self {
            vm_program,
            hints,
            unprepared_hint,
            engine_code,
            entry_points,
            builtins,
            unsupported_builtins,
        })
    }

    /// Where a call of that type and selector begins: at the one entry point of that selector; when there is none, at the first
    /// of its type if that is a default one. A constructor's selector is the caller's to check.
    pub fn entry_point(
        &self,
        entry_point_type: EntryPointType,
        selector: EntryPointSelector,
    ) -> Cairo0Lookup {
        let list = self.entry_points(entry_point_type);
        let mut matching = list.iter().filter(|entry_point| entry_point.selector == selector);
        match (matching.next(), matching.next(), list.first()) {
            (Some(_), Some(_), _) => Cairo0Lookup::Repeated,
            (Some(only), None, _) => Cairo0Lookup::Found(only.offset),
            (None, _, Some(first)) if first.selector == DEFAULT => Cairo0Lookup::Found(first.offset),
            (None, _, Some(_)) => Cairo0Lookup::NotFound,
            (None, _, None) => Cairo0Lookup::NoEntryPointOfType,
        }
    }

    /// All entry points of one type, in the order of the file.
    pub fn entry_points(&self, entry_point_type: EntryPointType) -> &[Cairo0EntryPoint] {
        self.entry_points.of_type(entry_point_type)
    }

    /// Number of entry points of all types: what the cost of hashing the class depends on (C211).
    pub fn n_entry_points(&self) -> usize {
        let lists = &self.entry_points;
        [&lists.constructor, &lists.external, &lists.l1_handler]
            .into_iter()
            .fold(0, |sum: usize, list| sum.saturating_add(list.len())) // entries that are in memory
    }

    /// Selector of the first constructor entry point, if there is one (C70).
    pub fn constructor_selector(&self) -> Option<EntryPointSelector> {
        self.entry_points.constructor.first().map(|entry_point| entry_point.selector)
    }

    /// The builtins of the program, in its order, which is the order of the arguments of every entry point.
    pub fn builtins(&self) -> &[Builtin] {
        &self.builtins
    }

    /// Number of builtins of the program (C211).
    pub fn n_builtins(&self) -> usize {
        self.builtins.len()
    }

    /// The builtins of the program that are not in [`CAIRO0_BUILTINS`], each once. A call to a class that has any fails hard
    /// (C91).
    pub fn unsupported_builtins(&self) -> &[Builtin] {
        &self.unsupported_builtins
    }

    /// Number of felts in the code (C40).
    pub fn bytecode_len(&self) -> usize {
        self.vm_program.data_len()
    }

    /// Number of hints, and how many of them are syscalls.
    pub fn hint_counts(&self) -> (usize, usize) {
        (self.hints.len(), self.hints.iter().filter(|hint| hint.kind == HintKind::Syscall).count())
    }
}

impl PartialEq for Cairo0Class {
    fn eq(&self, other: &Self) -> bool {
        self.entry_points == other.entry_points
            && self.builtins == other.builtins
            && self.vm_program == other.vm_program
            && self.hints == other.hints
            && self.unprepared_hint == other.unprepared_hint
    }
}

impl Eq for Cairo0Class {}

/// Counts, not contents: the code alone would fill pages.
impl fmt::Debug for Cairo0Class {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Cairo0Class")
            .field("bytecode_len", &self.bytecode_len())
            .field("hints", &self.hints.len())
            .field("builtins", &self.builtins)
            .field("constructors", &self.entry_points.constructor.len())
            .field("externals", &self.entry_points.external.len())
            .field("l1_handlers", &self.entry_points.l1_handler.len())
            .finish_non_exhaustive()
    }
}
