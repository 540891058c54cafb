//! Unwinding: from a fault in the innermost frame to the error stack of the phase.
//!
//! Input: the frames on the stack, and the fault. Output: segments from the outermost frame inwards, and the
//! call tree up to the fault.

use super::phase::CallFailure;
use super::revert::{Cairo1RevertHeader, Cairo1RevertSummary, ErrorSegment, FailureCause};
use super::stack::Level;
use super::{CallInfo, EntryPointFrame, FrameKind};
use crate::protocol::{BuiltinCounts, VmResources};
use crate::state::StateError;
use crate::syscall::{SyscallFault, TrackedResource};
use crate::vm::{FinishFault, FrameFault, FrameFaultKind, StartFault};

/// The fault that ended a phase.
#[derive(Clone, Debug)]
pub(super) enum Fault {
    /// The top frame failed while it ran.
    Frame(FrameFault),
    /// A syscall of the top frame failed in a way that no caller can catch.
    Syscall(SyscallFault),
    /// A frame that had returned failed the final checks.
    Finish(FinishFault),
    /// A call could not be entered.
    Entry {
        /// The broad reason.
        cause: FailureCause,
        /// The text, without its line end.
        text: String,
    },
    /// A read of the state failed while a call was entered.
    EntryState(StateError),
    /// A call panicked where no caller may catch it.
    Panicked(Box<CallInfo>),
    /// A bug of this crate.
    Internal(String),
}

impl Fault {
    pub(super) fn entry(cause: FailureCause, text: impl Into<String>) -> Self {
        Self::Entry { cause, text: text.into() }
    }

    pub(super) fn entry_state(error: StateError) -> Self {
        Self::EntryState(error)
    }

    pub(super) fn start(fault: &StartFault) -> Self {
        let cause = match fault {
            StartFault::EntryPointNotFound(_) | StartFault::NoEntryPointOfType(_) => {
                FailureCause::EntryPointNotFound
            }
            StartFault::InsufficientGas => FailureCause::OutOfGas,
            _ => FailureCause::Other,
        };
        Self::entry(cause, fault.to_string())
    }
}

/// Ends all `levels` with the failure that `fault` stands for.
pub(super) fn unwind(levels: Vec<Level>, fault: Fault, strip_vm_frames: bool) -> CallFailure {
    if let Some(difference) = levels.iter().find_map(|level| level.frame.difference()) {
        return CallFailure::Internal(difference);
    }
    let (cause, mut last) = match reason(&levels, fault, strip_vm_frames) {
        Ok(reason) => reason,
        Err(failure) => return failure,
    };
    let mut segments = Vec::new();
    // The outermost frame, which the transaction prints, has depth 0.
    let mut depth = 1_usize;
    for level in &levels {
        let Some(pending) = &level.pending else { continue };
        if let Err(failure) = push_location(&mut segments, level, strip_vm_frames) {
            return failure;
        }
        segments.push(ErrorSegment::EntryPoint(EntryPointFrame { depth, ..pending.frame.clone() }));
        // The body of a constructor counts no deeper than the constructor itself (C176).
        if pending.frame.kind != FrameKind::Constructor {
            depth = depth.saturating_add(1);
        }
    }
    segments.append(&mut last.segments);
    CallFailure::Reverted { segments, cause, tree: tree(levels, last.call).map(Box::new) }
}

/// The innermost part of an error stack.
struct Innermost {
    segments: Vec<ErrorSegment>,
    /// The call that failed, if its frame was finished already.
    call: Option<CallInfo>,
}

fn reason(levels: &[Level], fault: Fault, strip: bool) -> Result<(FailureCause, Innermost), CallFailure> {
    let text =
        |cause, text: String| Ok((cause, Innermost { segments: vec![ErrorSegment::Text(text)], call: None }));
    match fault {
        Fault::Internal(message) => Err(CallFailure::Internal(message)),
        Fault::Frame(fault) => {
            let cause = match fault.kind {
                FrameFaultKind::Internal => {
                    return Err(CallFailure::Internal(fault.text.unwrap_or_default()));
                }
                FrameFaultKind::OutOfMemory => return Err(CallFailure::OutOfMemory),
                FrameFaultKind::OutOfSteps => FailureCause::OutOfSteps,
                FrameFaultKind::Program => FailureCause::Program,
            };
            let mut segments = Vec::new();
            if !levels.last().is_some_and(|level| is_stripped(level, strip)) {
                segments.push(ErrorSegment::Vm(fault.location));
            }
            segments.extend(fault.text.map(ErrorSegment::Text));
            Ok((cause, Innermost { segments, call: None }))
        }
        Fault::Syscall(fault) => {
            if let SyscallFault::State(error) = &fault
                && error.is_from_outside()
            {
                return Err(CallFailure::Reader(error.clone()));
            }
            let cause = match &fault {
                SyscallFault::State(StateError::UndeclaredClass(_)) => FailureCause::ClassNotFound,
                _ => FailureCause::Syscall,
            };
            let mut segments = Vec::new();
            if let Some(level) = levels.last() {
                push_location(&mut segments, level, strip)?;
            }
            segments.push(ErrorSegment::Text(fault.to_string()));
            Ok((cause, Innermost { segments, call: None }))
        }
        Fault::Finish(fault) => match fault {
            FinishFault::Check(sentence) => text(FailureCause::Program, sentence),
            FinishFault::OutOfMemory => Err(CallFailure::OutOfMemory),
            FinishFault::Interrupted => Err(CallFailure::Reader(StateError::Stopped)),
            FinishFault::Internal(message) => Err(CallFailure::Internal(message)),
        },
        Fault::Entry { cause, text: sentence } => text(cause, format!("{sentence}\n")),
        Fault::EntryState(error) if error.is_from_outside() => Err(CallFailure::Reader(error)),
        Fault::EntryState(error) => {
            let cause = match error {
                StateError::UndeclaredClass(_) => FailureCause::ClassNotFound,
                _ => FailureCause::Other,
            };
            text(cause, format!("{error}\n"))
        }
        Fault::Panicked(call) => {
            let summary = Cairo1RevertSummary::of(&call, Cairo1RevertHeader::Execution);
            let segments = vec![ErrorSegment::Cairo1Revert(summary)];
            Ok((FailureCause::Panic, Innermost { segments, call: Some(*call) }))
        }
    }
}

/// From 0.14.3, frames in Sierra gas have no location in the stack: native execution has none (C178).
fn is_stripped(level: &Level, strip: bool) -> bool {
    strip && level.tracked == TrackedResource::SierraGas
}

fn push_location(segments: &mut Vec<ErrorSegment>, level: &Level, strip: bool) -> Result<(), CallFailure> {
    if !is_stripped(level, strip) {
        let location = level.frame.location().map_err(|fault| match fault {
            FinishFault::Interrupted => CallFailure::Reader(StateError::Stopped),
            FinishFault::OutOfMemory => CallFailure::OutOfMemory,
            FinishFault::Check(text) | FinishFault::Internal(text) => CallFailure::Internal(text),
        })?;
        segments.push(ErrorSegment::Vm(location));
    }
    Ok(())
}

/// The calls on the stack as a tree: each has failed, with its effects up to then.
fn tree(levels: Vec<Level>, innermost: Option<CallInfo>) -> Option<CallInfo> {
    let mut inner = innermost;
    for level in levels.into_iter().rev() {
        let mut inner_calls = level.inner_calls;
        inner_calls.extend(inner);
        inner = Some(CallInfo {
            call: level.call,
            retdata: Vec::new(),
            failed: true,
            gas_consumed: 0,
            events: level.record.events,
            messages: level.record.messages,
            inner_calls,
            resources: VmResources::default(),
            tracked: level.tracked,
            accesses: level.record.accesses,
            builtin_counts: BuiltinCounts::default(),
            syscall_usages: level.record.usages,
        });
    }
    inner
}
