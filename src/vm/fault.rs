//! The failures of a frame, as data.
//!
//! Input: errors of `cairo-vm` and of our own checks. Output: what callers branch on, and the text that a
//! revert reason prints. Error types of `cairo-vm` do not leave this module.

use cairo_vm::vm::errors::hint_errors::HintError;
use cairo_vm::vm::errors::vm_errors::VirtualMachineError;
use cairo_vm::vm::errors::vm_exception::{get_error_attr_value, get_traceback};
use cairo_vm::vm::runners::cairo_runner::CairoRunner;
use serde::{Deserialize, Serialize};
use starknet_api::contract_class::EntryPointType;
use starknet_api::core::EntryPointSelector;

use crate::protocol::Builtin;

/// The position of a frame in its program, as revert reasons print it ([C177](crate::rules#c177)).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VmLocation {
    /// The segment and offset of the program counter, such as `0:123`.
    pub pc: String,
    /// The error message that the program attaches to this instruction. Cairo 0 only.
    pub error_attribute: Option<String>,
    /// The function calls within the frame that led to this instruction.
    pub traceback: Option<String>,
}

impl VmLocation {
    /// The location of a failure that no instruction caused.
    pub(super) fn none() -> Self {
        Self { pc: String::new(), error_attribute: None, traceback: None }
    }

    /// The current location of a `cairo-vm` frame.
    pub(super) fn of(runner: &CairoRunner) -> Self {
        let pc = runner.vm.get_pc();
        let error_attribute =
            (pc.segment_index == 0).then(|| get_error_attr_value(pc.offset, runner)).flatten();
        Self { pc: pc.to_string(), error_attribute, traceback: get_traceback(runner) }
    }
}

/// The reasons why a call could not be entered. The texts are printed in revert reasons.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum StartFault {
    /// The class has no entry point of this selector. The caller may catch it (C65).
    #[error("Entry point {0:?} not found in contract.")]
    EntryPointNotFound(EntryPointSelector),
    /// The constructor was called under another selector (C243).
    #[error("The constructor entry point must be named 'constructor'.")]
    ConstructorName,
    /// The class has two entry points of this selector. Compilers reject such a class; it can only be made by
    /// hand.
    #[error("Entry point {:#066x} of type {:?} is not unique.", .0.0, .1)]
    Repeated(EntryPointSelector, EntryPointType),
    /// The entry point uses builtins that Cairo 1 does not support, or in another order (C90).
    #[error("Entry point uses unsupported builtins or an invalid builtin order: [{}].", list(.0))]
    Builtins(Vec<Builtin>),
    /// The class has no entry point of this type. The caller may catch it (C65).
    #[error("No entry points of type {0:?} found in contract.")]
    NoEntryPointOfType(EntryPointType),
    /// The class uses builtins that Cairo 0 does not support (C91).
    #[error("Called builtins: {{{}}} are unsupported in a Cairo0 contract", list(.0))]
    Cairo0Builtins(Vec<Builtin>),
    /// The gas of the call is below the initial budget of an entry point. The caller may catch it (C60).
    #[error("Insufficient entry point initial gas, must be greater than the entry point initial budget.")]
    InsufficientGas,
    /// `cairo-vm` could not set up the frame: the text of its error.
    #[error("{0}")]
    Vm(String),
}

impl StartFault {
    pub(super) fn vm(error: impl std::fmt::Display) -> Self {
        Self::Vm(error.to_string())
    }
}

/// The names of builtins as `cairo-vm` prints them.
fn list(builtins: &[Builtin]) -> String {
    let names: Vec<&str> =
        builtins.iter().map(|builtin| builtin.name().trim_end_matches("_builtin")).collect();
    names.join(", ")
}

/// The failure of a running frame. No caller can catch it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FrameFault {
    /// The location of the failure.
    pub location: VmLocation,
    /// The text of the `cairo-vm` error with its line end; `None` where blockifier prints nothing (C179,
    /// C183, C184).
    pub text: Option<String>,
    /// The kind of failure.
    pub kind: FrameFaultKind,
}

/// The kinds of failure that callers distinguish.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FrameFaultKind {
    /// The step limit of the transaction was reached (C52-C54).
    OutOfSteps,
    /// Any other error of the program. A panic of `cairo-vm` counts as one.
    Program,
    /// The transaction needs more memory than the host allows.
    OutOfMemory,
    /// A bug of this crate: the back ends differ, or a fallback failed.
    Internal,
}

impl FrameFault {
    pub(super) fn out_of_memory() -> Self {
        Self { location: VmLocation::none(), text: None, kind: FrameFaultKind::OutOfMemory }
    }

    pub(super) fn internal(text: String) -> Self {
        Self { location: VmLocation::none(), text: Some(text), kind: FrameFaultKind::Internal }
    }

    pub(super) fn program(location: VmLocation, text: String) -> Self {
        Self { location, text: Some(text), kind: FrameFaultKind::Program }
    }

    /// The failure that an error of `cairo-vm` stands for.
    pub(super) fn of(runner: &CairoRunner, error: &VirtualMachineError) -> Self {
        let kind = match error {
            VirtualMachineError::UnfinishedExecution => FrameFaultKind::OutOfSteps,
            _ => FrameFaultKind::Program,
        };
        Self { location: VmLocation::of(runner), text: error_text(error), kind }
    }
}

/// The text that a revert reason prints for a `cairo-vm` error: hint errors without, others with a line end.
fn error_text(error: &VirtualMachineError) -> Option<String> {
    match error {
        VirtualMachineError::Hint(hint) => match &hint.1 {
            HintError::Internal(inner) => error_text(inner),
            other => Some(other.to_string()),
        },
        VirtualMachineError::Other(_) => None,
        other => Some(format!("{other}\n")),
    }
}

/// The failure of a frame that returned, in the checks at its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum FinishFault {
    /// A check failed. The text has a line end where blockifier prints one.
    Check(String),
    /// The checks need more memory than the host allows.
    OutOfMemory,
    /// The execution was interrupted during the checks.
    Interrupted,
    /// A bug of this crate: the back ends differ, or a fallback failed.
    Internal(String),
}

impl FinishFault {
    /// A check of `cairo-vm` failed: printed without a line end.
    pub(super) fn vm(error: &VirtualMachineError) -> Self {
        Self::Check(error.to_string())
    }

    /// A check of the protocol failed: printed with a line end.
    pub(super) fn protocol(text: impl std::fmt::Display) -> Self {
        Self::Check(format!("{text}\n"))
    }

    pub(super) fn internal(text: &str) -> Self {
        Self::Internal(text.to_owned())
    }
}

/// The text of a panic of `cairo-vm`, as a revert reason prints it.
pub(super) fn panic_message(payload: &(dyn std::any::Any + Send)) -> String {
    format!("The engine panicked: {}\n", crate::panic::message(payload))
}
