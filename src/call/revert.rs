//! Why an execution failed: typed for code, and as the sentence that the receipt commitment hashes (C174-C184).
//!
//! In: segments, gathered by `unwind` from the outermost frame inwards. Out: `Display`, byte for byte as the network prints it.

use std::fmt::{self, Display, Formatter};
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};
use starknet_api::core::{ClassHash, ContractAddress, EntryPointSelector};
use starknet_api::execution_utils::format_panic_data;
use starknet_types_core::felt::Felt;

use super::CallInfo;
use crate::protocol::well_known;
use crate::vm::VmLocation;

/// Longest trace printed, in bytes (C180).
const TRACE_CAP: usize = 15_000;
/// A trace may pass the cap by this much before it is cut.
const TRACE_SLACK: usize = 100;

/// What failed, outermost first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorStack {
    /// Which part of the transaction failed.
    pub header: ErrorStackHeader,
    /// Frames from the outermost call inwards, then the reason.
    pub segments: Vec<ErrorSegment>,
}

/// Which part of a transaction failed (C175).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum ErrorStackHeader {
    /// The constructor of a deploy-account transaction.
    Constructor,
    /// Execution.
    Execution,
    /// Validation.
    Validation,
    /// The reason stands alone.
    #[default]
    None,
}

/// One part of an error stack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ErrorSegment {
    /// A call that did not come back.
    EntryPoint(EntryPointFrame),
    /// Where in its code a call stood.
    Vm(VmLocation),
    /// A panic of Cairo 1 code, with the calls that passed it on.
    Cairo1Revert(Cairo1RevertSummary),
    /// The reason in words.
    Text(String),
}

/// How a call in an error stack was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FrameKind {
    /// By address.
    CallContract,
    /// By class.
    LibraryCall,
    /// By deploying.
    Constructor,
}

/// A call in an error stack (C176).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntryPointFrame {
    /// 0 for the outermost.
    pub depth: usize,
    /// How it was called.
    pub kind: FrameKind,
    /// Whose storage it worked on.
    pub storage_address: ContractAddress,
    /// The class at that address when it was called.
    pub class_hash: ClassHash,
    /// The entry point; `None` when a deploy failed before its constructor was known.
    pub selector: Option<EntryPointSelector>,
}

/// The broad reason of a failure, for code that wants to branch on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum FailureCause {
    /// The code panicked; the panic data is in the segments.
    Panic,
    /// Sierra gas ran out.
    OutOfGas,
    /// The transaction's steps ran out.
    OutOfSteps,
    /// More calls inside each other than allowed.
    CallDepth,
    /// No contract at the called address.
    ContractNotFound,
    /// No such entry point.
    EntryPointNotFound,
    /// No such class.
    ClassNotFound,
    /// A syscall was refused for good.
    Syscall,
    /// The program broke a rule of the VM.
    Program,
    /// Anything else.
    Other,
}

/// A panic of Cairo 1 code (C181).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cairo1RevertSummary {
    /// Validation or execution.
    pub header: Cairo1RevertHeader,
    /// The calls that passed the panic on, outermost first; empty when it cannot be told (C182).
    pub frames: Vec<Cairo1RevertFrame>,
    /// The panic data of the innermost of them.
    pub panic_data: Vec<Felt>,
}

/// The first line of a panic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Cairo1RevertHeader {
    /// In `__execute__` or an inner constructor or handler.
    Execution,
    /// In `__validate__*`.
    Validation,
}

/// A call that passed a panic on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cairo1RevertFrame {
    /// Whose storage it worked on.
    pub contract_address: ContractAddress,
    /// Its class.
    pub class_hash: ClassHash,
    /// Its entry point.
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
        // Too long: the beginning and the end, cut where characters end (C180).
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

/// Length of a printed frame with its line end: all have the same.
static FRAME_LENGTH: LazyLock<usize> = LazyLock::new(|| {
    let frame = Cairo1RevertFrame {
        contract_address: ContractAddress::default(),
        class_hash: ClassHash::default(),
        selector: EntryPointSelector::default(),
    };
    frame.to_string().len().saturating_add(1)
});

/// Stands where something was cut out of a panic's trace.
const CUT: &str = "\n...";

impl Display for Cairo1RevertSummary {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let reason = format_panic_data(&self.panic_data);
        f.write_str(&self.print(&reason))
    }
}

impl Cairo1RevertSummary {
    /// The trace that leads from `root` to the panic, as far as it can be told: each failed call names the next one by handing
    /// its data on with one felt more; where several inner calls would fit, none is named (C182).
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
            let Some((last, handed_on)) = call.retdata.split_last() else { break };
            if *last != well_known::ENTRYPOINT_FAILED {
                break;
            }
            let mut sources =
                call.inner_calls.iter().filter(|inner| inner.failed && inner.retdata.as_slice() == handed_on);
            call = match (sources.next(), sources.next()) {
                (Some(source), None) => source,
                _ => return unknown(),
            };
        }
        Self { header, panic_data: panic_data.clone(), frames }
    }

    /// The reason matters more than the frames: those are left out first when the whole is too long.
    fn print(&self, reason: &str) -> String {
        let header = self.header.to_string();
        let tail = ".\n";
        let least_frames = FRAME_LENGTH.saturating_mul(2).saturating_add(CUT.len());
        // Three lines: here alone the full stop stands on a line of its own.
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

/// Cuts by characters, as the network does, though it measures in bytes.
fn cut(text: &str) -> String {
    text.chars().take(TRACE_CAP.saturating_sub(CUT.len())).chain(CUT.chars()).collect()
}
