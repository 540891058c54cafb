//! The reason why an execution failed: typed, and as the text that the receipt commitment hashes (C174-C184).
//!
//! Input: segments, collected by `unwind` from the outermost frame inwards. Output: `Display`, byte for byte
//! as blockifier prints it.

use std::fmt::{self, Display, Formatter};
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};
use starknet_api::core::{ClassHash, ContractAddress, EntryPointSelector};
use starknet_api::execution_utils::format_panic_data;
use starknet_types_core::felt::Felt;

use super::CallInfo;
use crate::protocol::well_known;
use crate::vm::VmLocation;

/// The length to which a trace is cut, in bytes (C180).
const TRACE_CAP: usize = 15_000;
/// The excess over the cap up to which a trace is not cut, in bytes.
const TRACE_SLACK: usize = 100;

/// The failed calls, outermost first, and the reason.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorStack {
    /// The part of the transaction that failed.
    pub header: ErrorStackHeader,
    /// The frames from the outermost call inwards, then the reason.
    pub segments: Vec<ErrorSegment>,
}

/// The part of a transaction that failed ([C175](crate::rules#c175)).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum ErrorStackHeader {
    /// The constructor of a deploy-account transaction.
    Constructor,
    /// The execution.
    Execution,
    /// The validation.
    Validation,
    /// No part is named: the text is only the reason.
    #[default]
    None,
}

/// One part of an error stack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ErrorSegment {
    /// A call that did not return.
    EntryPoint(EntryPointFrame),
    /// The position of a call in its program.
    Vm(VmLocation),
    /// A panic of Cairo 1 code, with the calls that propagated it.
    Cairo1Revert(Cairo1RevertSummary),
    /// The reason as text.
    Text(String),
}

/// The kind of a call in an error stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FrameKind {
    /// A call by address.
    CallContract,
    /// A library call.
    LibraryCall,
    /// A constructor.
    Constructor,
}

/// A call in an error stack ([C176](crate::rules#c176)).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntryPointFrame {
    /// The depth of the call; 0 for the outermost.
    pub depth: usize,
    /// The kind of the call.
    pub kind: FrameKind,
    /// The address of the contract whose storage the call used.
    pub storage_address: ContractAddress,
    /// The class at that address when the call began.
    pub class_hash: ClassHash,
    /// The entry point; `None` if a deployment failed before its constructor was known.
    pub selector: Option<EntryPointSelector>,
}

/// The broad reason of a failure, for code that branches on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum FailureCause {
    /// The code panicked; the panic data is in the segments.
    Panic,
    /// The Sierra gas ran out.
    OutOfGas,
    /// The steps of the transaction ran out.
    OutOfSteps,
    /// The limit on nested calls was exceeded.
    CallDepth,
    /// No contract is deployed at the called address.
    ContractNotFound,
    /// The class has no such entry point.
    EntryPointNotFound,
    /// The class is not declared.
    ClassNotFound,
    /// A syscall failed in a way that no caller can catch.
    Syscall,
    /// The program broke a rule of the VM.
    Program,
    /// Any other reason.
    Other,
}

/// A panic of Cairo 1 code ([C181](crate::rules#c181)).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cairo1RevertSummary {
    /// The phase that panicked.
    pub header: Cairo1RevertHeader,
    /// The calls that propagated the panic, outermost first; empty if they are ambiguous
    /// ([C182](crate::rules#c182)).
    pub frames: Vec<Cairo1RevertFrame>,
    /// The panic data of the innermost call.
    pub panic_data: Vec<Felt>,
}

/// The first line of a panic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Cairo1RevertHeader {
    /// A panic of `__execute__`, a constructor or an L1 handler.
    Execution,
    /// A panic of `__validate__*`.
    Validation,
}

/// A call that propagated a panic.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cairo1RevertFrame {
    /// The address of the contract whose storage the call used.
    pub contract_address: ContractAddress,
    /// The class hash of the callee.
    pub class_hash: ClassHash,
    /// The selector of the entry point.
    pub selector: EntryPointSelector,
}

impl Display for ErrorStackHeader {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Constructor => "Contract constructor execution has failed:\n",
            Self::Execution => "Transaction execution has failed:\n",
            Self::Validation => "Transaction validation has failed:\n",
            Self::None => "",
        })
    }
}

impl Display for EntryPointFrame {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let how = match self.kind {
            FrameKind::CallContract => "Error in the called contract",
            FrameKind::LibraryCall => "Error in a library call",
            FrameKind::Constructor => "Error in the contract class constructor",
        };
        let (depth, address, class_hash) = (self.depth, self.storage_address.0.key(), self.class_hash.0);
        write!(
            f,
            "{depth}: {how} (contract address: {address:#066x}, class hash: {class_hash:#066x}, selector: "
        )?;
        match self.selector {
            Some(selector) => write!(f, "{:#066x}):", selector.0),
            None => f.write_str("UNKNOWN):"),
        }
    }
}

impl Display for ErrorSegment {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::EntryPoint(frame) => frame.fmt(f),
            Self::Vm(location) => {
                let attribute = location.error_attribute.as_deref().unwrap_or_default();
                write!(f, "{attribute}Error at pc={}:", location.pc)?;
                location.traceback.as_ref().map_or(Ok(()), |traceback| write!(f, "\n{traceback}"))
            }
            Self::Cairo1Revert(summary) => summary.fmt(f),
            Self::Text(text) => f.write_str(text),
        }
    }
}

impl Display for ErrorStack {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let text = self.segments.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
        self.header.fmt(f)?;
        if text.len() <= TRACE_CAP.saturating_add(TRACE_SLACK) {
            return f.write_str(&text);
        }
        // Too long: the beginning and the end, cut at character boundaries (C180).
        let half = TRACE_CAP / 2;
        let head = text.floor_char_boundary(half);
        let tail = text.ceil_char_boundary(text.len().saturating_sub(half));
        let (head, tail) = (text.get(..head).unwrap_or_default(), text.get(tail..).unwrap_or_default());
        write!(f, "{head}\n\n...\n\n{tail}")
    }
}

impl Display for Cairo1RevertHeader {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Execution => "Execution failed. Failure reason:",
            Self::Validation => "The `validate` entry point panicked with:",
        })
    }
}

impl Display for Cairo1RevertFrame {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Error in contract (contract address: {:#066x}, class hash: {:#066x}, selector: {:#066x}):",
            self.contract_address.0.key(),
            self.class_hash.0,
            self.selector.0,
        )
    }
}

/// The length of a printed frame with its line end: the same for all frames.
static FRAME_LENGTH: LazyLock<usize> = LazyLock::new(|| {
    let frame = Cairo1RevertFrame {
        contract_address: ContractAddress::default(),
        class_hash: ClassHash::default(),
        selector: EntryPointSelector::default(),
    };
    frame.to_string().len().saturating_add(1)
});

/// The mark of a cut in the trace of a panic.
const CUT: &str = "\n...";

impl Display for Cairo1RevertSummary {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let reason = format_panic_data(&self.panic_data);
        f.write_str(&self.print(&reason))
    }
}

impl Cairo1RevertSummary {
    /// The path from `root` to the panic: each failed call returns the panic data of an inner call with one
    /// felt appended. If several inner calls match, the path is ambiguous and has no frames (C182).
    pub(crate) fn of(root: &CallInfo, header: Cairo1RevertHeader) -> Self {
        let unknown = || Self { header, frames: Vec::new(), panic_data: root.retdata.clone() };
        let mut frames = Vec::new();
        let mut panic_data = &root.retdata;
        let mut call = root;
        while call.failed {
            frames.push(Cairo1RevertFrame {
                contract_address: call.call.storage_address,
                class_hash: call.call.class_hash,
                selector: call.call.selector,
            });
            panic_data = &call.retdata;
            let Some((last, propagated)) = call.retdata.split_last() else { break };
            if *last != well_known::ENTRYPOINT_FAILED {
                break;
            }
            let mut sources = call
                .inner_calls
                .iter()
                .filter(|inner| inner.failed && inner.retdata.as_slice() == propagated);
            call = match (sources.next(), sources.next()) {
                (Some(source), None) => source,
                _ => return unknown(),
            };
        }
        Self { header, panic_data: panic_data.clone(), frames }
    }

    /// Prints the panic; if the text is too long, frames are dropped before the reason is cut.
    fn print(&self, reason: &str) -> String {
        let header = self.header.to_string();
        let tail = ".\n";
        let least_frames = FRAME_LENGTH.saturating_mul(2).saturating_add(CUT.len());
        // Three lines: only in this form is the full stop on a line of its own.
        let bare = [header.as_str(), reason, tail].join("\n");
        if bare.len() >= TRACE_CAP.saturating_sub(least_frames).saturating_sub(1) {
            return if bare.len() <= TRACE_CAP { bare } else { cut(&bare) };
        }

        let frames: Vec<String> = self.frames.iter().map(ToString::to_string).collect();
        let whole = lines(&header, &frames, reason, tail);
        let Some(excess) = whole.len().checked_sub(TRACE_CAP).filter(|excess| *excess > 0) else {
            return whole;
        };
        let dropped = excess.saturating_add(CUT.len()).div_ceil(*FRAME_LENGTH);
        let kept = frames.len().checked_sub(dropped).and_then(|kept| kept.checked_sub(1));
        let text = match (kept.and_then(|kept| frames.get(..kept)), frames.last()) {
            (Some(first), Some(last)) => {
                let mut frames = first.to_vec();
                frames.extend([CUT.to_owned(), last.clone()]);
                let text = lines(&header, &frames, reason, tail);
                if text.len() <= TRACE_CAP { text } else { cut(&text) }
            }
            _ => reason.to_owned(),
        };
        text.chars().take(TRACE_CAP).collect()
    }
}

fn lines(header: &str, frames: &[String], reason: &str, tail: &str) -> String {
    let mut parts = vec![header];
    parts.extend(frames.iter().map(String::as_str));
    parts.push(reason);
    parts.join("\n") + tail
}

/// Cuts by characters, as blockifier does, although the limit is measured in bytes.
fn cut(text: &str) -> String {
    text.chars().take(TRACE_CAP.saturating_sub(CUT.len())).chain(CUT.chars()).collect()
}
