//! Failed calls as the transaction sees them: a revert, or an ending without a receipt.
//!
//! Input: the failure of a phase, and the outermost frame. Output: a [`RevertReason`] with its call tree, or
//! a [`Rejection`].

use super::error::{FatalError, InvalidTransaction, Rejection};
use super::outcome::RevertReason;
use crate::call::{CallFailure, CallInfo, EntryPointFrame, ErrorSegment, ErrorStack, ErrorStackHeader};

/// An execution that must be reverted.
pub(super) struct Reverted {
    pub(super) reason: RevertReason,
    /// The calls up to the failure, for traces.
    pub(super) tree: Option<Box<CallInfo>>,
}

impl Reverted {
    /// The same failure of a transaction that cannot be reverted (C11).
    pub(super) fn into_invalid(self) -> InvalidTransaction {
        match self.reason {
            RevertReason::Execution { stack, .. } => InvalidTransaction::Execution(stack),
            RevertReason::Cost(error) => InvalidTransaction::Cost(error),
        }
    }
}

/// An ending of a transaction's work without a result.
pub(super) enum WorkFailure {
    Reverted(Reverted),
    Rejected(Rejection),
}

impl WorkFailure {
    /// The failure of a call, with the outermost frame added to its error stack.
    pub(super) fn of(failure: CallFailure, header: ErrorStackHeader, frame: EntryPointFrame) -> Self {
        match failure {
            CallFailure::Reverted { segments, cause, tree } => {
                let stack = error_stack(header, frame, segments);
                Self::Reverted(Reverted { reason: RevertReason::Execution { stack, cause }, tree })
            }
            failure => Self::Rejected(fatal(failure)),
        }
    }
}

impl From<Rejection> for WorkFailure {
    fn from(rejection: Rejection) -> Self {
        Self::Rejected(rejection)
    }
}

/// An error stack with its outermost frame.
pub(super) fn error_stack(
    header: ErrorStackHeader,
    frame: EntryPointFrame,
    inner: Vec<ErrorSegment>,
) -> ErrorStack {
    let mut segments = vec![ErrorSegment::EntryPoint(frame)];
    segments.extend(inner);
    ErrorStack { header, segments }
}

/// The rejection for a call that failed without reverting: the host's reader or this crate failed.
pub(super) fn fatal(failure: CallFailure) -> Rejection {
    Rejection::Failure(match failure {
        CallFailure::Reader(error) => FatalError::Reader(error),
        CallFailure::OutOfMemory => FatalError::OutOfMemory,
        CallFailure::Internal(message) => FatalError::Internal(message),
        CallFailure::Reverted { .. } => {
            FatalError::Internal("a reverted call was treated as a fatal error".to_owned())
        }
    })
}
