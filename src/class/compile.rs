//! Compilation of Sierra to CASM by the compiler's library, isolated from the host.
//!
//! Input: a Sierra class. Output: a compiled class, or the error of the compiler. Must not know: the
//! preparation of a compiled class.

use cairo_lang_starknet_classes::casm_contract_class::CasmContractClass;
use cairo_lang_starknet_classes::contract_class::{
    ContractClass as CompilerClass, ContractEntryPoint, ContractEntryPoints,
};
use cairo_lang_utils::bigint::BigUintAsHex;
use starknet_api::contract_class::SierraVersion;
use starknet_api::state::{EntryPoint as SierraEntryPoint, SierraContractClass};
use starknet_types_core::felt::Felt;

use super::error::ClassError;

/// The maximum length, in felts, of the bytecode that a Sierra class may compile to. Far above the limits of
/// all networks; it bounds the memory that an adversarial program can allocate.
const MAX_BYTECODE_LENGTH: usize = 1 << 20;

/// The stack size of the compiler's thread, in bytes. Parts of the compiler recurse over types and
/// statements, and the stack of a host's thread may be small.
const STACK: usize = 256 << 20;

/// Returns the Sierra version in the first felts of a Sierra program. The oldest programs have the short
/// string `0.1.0`; all later ones have three numbers.
pub fn sierra_version(sierra_program: &[Felt]) -> Result<SierraVersion, ClassError> {
    match sierra_program {
        [first, ..] if *first == Felt::from_bytes_be_slice(b"0.1.0") => Ok(SierraVersion::new(0, 1, 0)),
        [major, minor, patch, ..] => {
            let number = |name: &str, felt: &Felt| {
                u64::try_from(*felt)
                    .map_err(|_| ClassError::SierraVersion { reason: format!("{name} is {felt:#x}") })
            };
            Ok(SierraVersion::new(number("major", major)?, number("minor", minor)?, number("patch", patch)?))
        }
        _ => Err(ClassError::SierraVersion {
            reason: format!("the program has {} felts", sierra_program.len()),
        }),
    }
}

/// Compiles a Sierra class of version 1 to CASM. Takes about a tenth of a second for 5,000 felts of bytecode,
/// more for longer classes.
///
/// The libfunc allow-lists of public networks are not applied: they are a policy of gateways, not a rule of
/// execution.
pub fn compile_sierra(class: &SierraContractClass) -> Result<CasmContractClass, ClassError> {
    let list = |entry_points: &[SierraEntryPoint]| {
        entry_points
            .iter()
            .map(|entry_point| ContractEntryPoint {
                selector: entry_point.selector.0.to_biguint(),
                function_idx: entry_point.function_idx.0,
            })
            .collect()
    };
    compile(CompilerClass {
        sierra_program: class
            .sierra_program
            .iter()
            .map(|felt| BigUintAsHex::from(felt.to_biguint()))
            .collect(),
        sierra_program_debug_info: None, // names for debuggers; execution does not depend on them
        contract_class_version: class.contract_class_version.clone(),
        entry_points_by_type: ContractEntryPoints {
            external: list(&class.entry_points_by_type.external),
            l1_handler: list(&class.entry_points_by_type.l1handler),
            constructor: list(&class.entry_points_by_type.constructor),
        },
        abi: None,
    })
}

/// Runs the compiler on a separate thread.
///
/// The compiler assumes well-formed programs: on adversarial ones it may panic or recurse deeply. The thread
/// has a large stack, and joining it turns a panic into an error. It owns its input and shares nothing, so a
/// panic leaves no broken state. With `panic = "abort"` the process ends: hosts that compile untrusted Sierra
/// must not use it.
pub(super) fn compile(class: CompilerClass) -> Result<CasmContractClass, ClassError> {
    let compiler =
        std::thread::Builder::new().name("sierra-compiler".to_owned()).stack_size(STACK).spawn(move || {
            let program = class
                .extract_sierra_program(false)
                .map_err(|error| ClassError::SierraDecode { reason: error.to_string() })?;
            CasmContractClass::from_contract_class(class, program, false, MAX_BYTECODE_LENGTH)
                .map_err(|error| ClassError::SierraCompilation { reason: error.to_string() })
        });
    match compiler {
        Ok(thread) => thread.join().unwrap_or_else(|panic| {
            Err(ClassError::SierraCompilerPanicked { message: crate::panic::message(panic.as_ref()) })
        }),
        Err(error) => Err(ClassError::SierraCompilerNotStarted { reason: error.to_string() }),
    }
}
