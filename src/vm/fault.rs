//! How a frame can fail, as data: the engine's own error types do not leave this room.

use cairo_vm::vm::errors::hint_errors::HintError;
use cairo_vm::vm::errors::vm_errors::VirtualMachineError;
use cairo_vm::vm::errors::vm_exception::{get_error_attr_value, get_traceback};
use cairo_vm::vm::runners::cairo_runner::CairoRunner;
use serde::{Deserialize, Serialize};
use starknet_api::contract_class::EntryPointType;
use starknet_api::core::EntryPointSelector;

use crate::protocol::Builtin;

/// Where in its program a frame stands, as revert reasons print it (C177).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VmLocation {
    /// Segment and offset of the program counter, `0:123`.
    pub pc: String,
    /// The error message that the program attaches to this place; Cairo 0 only.
    pub error_attribute: Option<String>,
    /// The calls within the frame that led here.
    pub traceback: Option<String>,
}

impl VmLocation {
    /// No place: the engine is broken.
    pub(super) fn nowhere() -> Self {
        Self { pc: String::new(), error_attribute: None, traceback: None }
    }

    pub(super) fn of(runner: &CairoRunner) -> Self {
        let pc = runner.vm.get_pc();
        let error_attribute =
            (pc.segment_index == 0).then(|| get_error_attr_value(pc.offset, runner)).flatten();
        Self { pc: pc.to_string(), error_attribute, traceback: get_traceback(runner) }
    }
}

/// A frame could not be started.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum StartFault {
    /// The class has no such entry point: the caller may catch it (C65).
    #[error("Entry point {0:?} not found in contract.")]
    EntryPointNotFound(EntryPointSelector),
    /// A constructor under another name (C243).
    #[error("The constructor entry point must be named 'constructor'.")]
    ConstructorName,
    /// Two entry points of one selector: such a class cannot be compiled, only made by hand.
    #[error("Entry point {:#066x} of type {:?} is not unique.", .0.0, .1)]
    Repeated(EntryPointSelector, EntryPointType),
    /// Builtins that Cairo 1 does not have, or in another order (C90). Printed as the engine's names.
    #[error("Entry point uses unsupported builtins or an invalid builtin order: [{}].", list(.0))]
    Builtins(Vec<Builtin>),
    /// The class has no entry point of that type at all: the caller may catch it (C65).
    #[error("No entry points of type {0:?} found in contract.")]
    NoEntryPointOfType(EntryPointType),
    /// Builtins that Cairo 0 does not have (C91).
    #[error("Called builtins: {{{}}} are unsupported in a Cairo0 contract", list(.0))]
    Cairo0Builtins(Vec<Builtin>),
    /// Not even the entry point's own charge could be paid: the caller may catch it (C60).
    #[error("Insufficient entry point initial gas, must be greater than the entry point initial budget.")]
    InsufficientGas,
    /// The engine could not lay out the frame; its own sentence.
    #[error("{0}")]
    Engine(String),
}

fn list(builtins: &[Builtin]) -> String {
    let names: Vec<&str> =
        builtins.iter().map(|builtin| builtin.name().trim_end_matches("_builtin")).collect();
    names.join(", ")
}

/// A frame failed while it ran: nobody can catch it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FrameFault {
    /// Where.
    pub location: VmLocation,
    /// The engine's sentence with its line end, or nothing where the network prints nothing (C179, C183, C184).
    pub text: Option<String>,
    /// What it was, as far as code above needs to tell.
    pub kind: FrameFaultKind,
}

/// The kinds of failure that code above tells apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FrameFaultKind {
    /// The steps of the transaction are used up (C52-C54).
    OutOfSteps,
    /// Anything else that the program did wrong, a panic of the engine over it included.
    Program,
    /// The transaction needs more memory than the host allows.
    OutOfMemory,
    /// The engines differ, or one of them cannot go on.
    Engine,
}

impl FrameFault {
    pub(super) fn out_of_memory() -> Self {
        Self { location: VmLocation::nowhere(), text: None, kind: FrameFaultKind::OutOfMemory }
    }

    pub(super) fn of(runner: &CairoRunner, error: &VirtualMachineError) -> Self {
        let kind = match error {
            VirtualMachineError::UnfinishedExecution => FrameFaultKind::OutOfSteps,
            _ => FrameFaultKind::Program,
        };
        Self { location: VmLocation::of(runner), text: sentence(error), kind }
    }
}

/// What a revert reason prints of an engine error: hint errors bare, others with a line end.
fn sentence(error: &VirtualMachineError) -> Option<String> {
    match error {
        VirtualMachineError::Hint(hint) => match &hint.1 {
            HintError::Internal(inner) => sentence(inner),
            other => Some(other.to_string()),
        },
        VirtualMachineError::Other(_) => None,
        other => Some(format!("{other}\n")),
    }
}

/// A frame ran to its end, and could not be ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum FinishFault {
    /// A check failed: the sentence, with a line end where the network prints one.
    Check(String),
    /// It needs more memory than the host allows.
    OutOfMemory,
    /// Somebody raised the flag on the way.
    Interrupted,
    /// The engine itself broke.
    Engine(String),
}

impl FinishFault {
    /// A check of the engine failed: printed bare.
    pub(super) fn run(error: &VirtualMachineError) -> Self {
        Self::Check(error.to_string())
    }

    /// A check of the protocol failed: printed with a line end.
    pub(super) fn post(sentence: impl std::fmt::Display) -> Self {
        Self::Check(format!("{sentence}\n"))
    }

    pub(super) fn engine(sentence: &str) -> Self {
        Self::Engine(sentence.to_owned())
    }
}

/// The text of a panic of the VM as it stands in a fault.
pub(super) fn panic_message(payload: &(dyn std::any::Any + Send)) -> String {
    format!("The engine panicked: {}\n", crate::panic::message(payload))
}
