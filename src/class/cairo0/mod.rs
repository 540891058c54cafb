//! Classes compiled from Cairo 0, prepared for execution.
//!
//! Input: a Cairo 0 class, from any source. Output: [`Cairo0Class`], which holds all data of the class that
//! its calls share. Must not know: calls.

mod entry_point;
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

pub use self::entry_point::{Cairo0EntryPoint, Cairo0Lookup};
pub use self::hash::{cairo0_abi_length, cairo0_class_hash};
pub(crate) use self::hint::{HintKind, PreparedHint};

use self::file::{ProgramFile, class_file, entry_points_of_class, entry_points_of_file, program_text};
use self::program::{PreparedProgram, prepare};
use super::engine_code::EngineCode;
use super::entry_point::ByType;
use super::error::ClassError;
use super::hint_table::HintTable;
use crate::protocol::Builtin;

/// The builtins that a Cairo 0 program may use. A call to a class whose program uses any other ends the
/// transaction ([C91](crate::rules#c91)).
pub const CAIRO0_BUILTINS: [Builtin; 6] = [
    Builtin::RangeCheck,
    Builtin::Pedersen,
    Builtin::Ecdsa,
    Builtin::Bitwise,
    Builtin::EcOp,
    Builtin::Poseidon,
];

/// A class compiled from Cairo 0, prepared once and shared behind an `Arc`.
pub struct Cairo0Class {
    /// The program for cairo-vm: bytecode, builtins, constants, error messages and their references. It has
    /// no hints, which are run from `hints`.
    pub(crate) vm_program: Program,
    /// The hints by pc; empty if one of them could not be prepared.
    pub(crate) hints: HintTable<PreparedHint>,
    /// The code of the first hint with a reference that the program does not have. cairo-vm rejects such a
    /// program at the start of every run, before the first step: no call to the class succeeds.
    pub(crate) unprepared_hint: Option<String>,
    pub(crate) engine_code: EngineCode,
    entry_points: ByType<Cairo0EntryPoint>,
    builtins: Vec<Builtin>,
    unsupported_builtins: Vec<Builtin>,
}

impl Cairo0Class {
    /// Prepares a class from its JSON: as the compiler writes it, with or without debug information, or as
    /// nodes serve it, with a compressed program (base64 of gzip).
    pub fn from_json(json: impl AsRef<[u8]>) -> Result<Self, ClassError> {
        let file = class_file(json.as_ref())?;
        let text = program_text(file.program)?;
        let program = ProgramFile::of_text(&text)?;
        let entry_points = entry_points_of_file(file.entry_points_by_type, program.data.len())?;
        Self::new(&program, entry_points)
    }

    /// Prepares a class in the representation of `starknet_api`.
    pub fn from_deprecated_class(class: &DeprecatedContractClass) -> Result<Self, ClassError> {
        let program = ProgramFile::of_program(&class.program)?;
        let entry_points = entry_points_of_class(class, program.data.len())?;
        Self::new(&program, entry_points)
    }

    fn new(program: &ProgramFile<'_>, entry_points: ByType<Cairo0EntryPoint>) -> Result<Self, ClassError> {
        // cairo-vm parses references, names and numbers of an untrusted file with unchecked arithmetic, so it
        // may panic. All data that the closure touches is dropped then, so no broken state can be observed.
        let PreparedProgram { vm_program, hints, unprepared_hint, builtins } =
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

    /// Looks up an entry point: the only one with that selector; without one, the first of its type if that
    /// is a default one. The caller checks the selector of a constructor.
    pub fn entry_point(
        &self,
        entry_point_type: EntryPointType,
        selector: EntryPointSelector,
    ) -> Cairo0Lookup {
        self.entry_points.lookup(entry_point_type, selector)
    }

    /// Returns all entry points of one type, in the order of the file.
    pub fn entry_points(&self, entry_point_type: EntryPointType) -> &[Cairo0EntryPoint] {
        self.entry_points.of_type(entry_point_type)
    }

    /// Returns the number of entry points of all types, on which the cost of hashing the class depends
    /// ([C211](crate::rules#c211)).
    pub fn n_entry_points(&self) -> usize {
        let lists = &self.entry_points;
        [&lists.constructor, &lists.external, &lists.l1_handler]
            .into_iter()
            .fold(0, |sum: usize, list| sum.saturating_add(list.len())) // entries that are in memory
    }

    /// Returns the selector of the first constructor entry point, if there is one ([C70](crate::rules#c70)).
    pub fn constructor_selector(&self) -> Option<EntryPointSelector> {
        self.entry_points.constructor.first().map(|entry_point| entry_point.selector)
    }

    /// Returns the builtins of the program, in the order of the arguments of every entry point.
    pub fn builtins(&self) -> &[Builtin] {
        &self.builtins
    }

    /// Returns the number of builtins of the program ([C211](crate::rules#c211)).
    pub fn n_builtins(&self) -> usize {
        self.builtins.len()
    }

    /// Returns the builtins of the program that are not in [`CAIRO0_BUILTINS`], each once. A call to a class
    /// with any ends the transaction ([C91](crate::rules#c91)).
    pub fn unsupported_builtins(&self) -> &[Builtin] {
        &self.unsupported_builtins
    }

    /// Returns the number of felts in the bytecode ([C40](crate::rules#c40)).
    pub fn bytecode_len(&self) -> usize {
        self.vm_program.data_len()
    }

    /// Returns the number of hints and the number of syscalls among them.
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

/// Prints counts only: the bytecode would fill pages.
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
