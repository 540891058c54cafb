//! The fallback of a frame to `cairo-vm`: deoptimisation by replay.
//!
//! Input: a frame's setup and the record of its syscalls. Output: a `cairo-vm` frame in the same state. A
//! frame is a function of its setup and of the responses to its syscalls, so running it again from its
//! beginning with the recorded responses reproduces its state. `cairo-vm` then reaches the fault itself, and
//! writes its text, or continues past what `fast` does not support.

use super::frame::FastFrame;
use super::record::MemoryChange;
use super::syscall_memory::{unknown, value_at};
use crate::syscall::{MemoryFault, Pointer, SyscallMemory, Value};
use crate::vm::cairo_vm::CairoVmFrame;
use crate::vm::fault::{FinishFault, VmLocation};
use crate::vm::frame_setup::FrameSetup;
use crate::vm::interface::{StepBudget, VmExit};

impl FastFrame {
    /// The `cairo-vm` frame at the point where this frame last resumed: after the responses to all its
    /// syscalls. `None` if the execution was interrupted during the replay. An error is a bug of this crate.
    pub(in crate::vm) fn fall_back(&self) -> Result<Option<CairoVmFrame>, String> {
        let differ = |what: &str| format!("engines differ when a frame falls back: {what}");
        let frame = match &self.setup {
            FrameSetup::Cairo0(setup) => CairoVmFrame::start_cairo0(setup),
            FrameSetup::Cairo1(setup) => CairoVmFrame::start_cairo1(setup),
        };
        let mut frame = frame.map_err(|fault| fault.to_string())?;
        let mut start = 0;
        for response in &self.record.responses {
            match frame.run(&mut self.replay_budget(), false) {
                Ok(VmExit::Syscall) => {}
                Ok(VmExit::Interrupted) => return Ok(None),
                Ok(VmExit::Returned) => return Err(differ("cairo-vm returned before a recorded syscall")),
                Err(fault) => return Err(differ(&fault.text.unwrap_or_default())),
            }
            let changes = self.record.changes.get(start..response.changes_end).unwrap_or_default();
            frame
                .with_memory(|memory, at| {
                    *at = response.syscall_pointer;
                    changes.iter().try_for_each(|change| self.replay(*change, memory))
                })
                .map_err(|fault| differ(&fault.0))?;
            start = response.changes_end;
        }
        Ok(Some(frame))
    }

    /// The `cairo-vm` frame at its next exit, which must be `exit`, that of this frame.
    fn fall_back_at(&self, exit: VmExit) -> Result<CairoVmFrame, FinishFault> {
        let mut frame = self.fall_back().map_err(FinishFault::Internal)?.ok_or(FinishFault::Interrupted)?;
        match frame.run(&mut self.replay_budget(), false) {
            Ok(replayed) if replayed == exit => Ok(frame),
            Ok(VmExit::Interrupted) => Err(FinishFault::Interrupted),
            _ => {
                let text =
                    format!("engines differ when a frame falls back: cairo-vm does not reach {exit:?}");
                Err(FinishFault::Internal(text))
            }
        }
    }

    /// The `cairo-vm` frame at the end of this frame.
    pub(in crate::vm) fn fall_back_at_end(&self) -> Result<CairoVmFrame, FinishFault> {
        self.fall_back_at(VmExit::Returned)
    }

    /// The location of a frame that is suspended at a syscall. Only `cairo-vm` can print it, so the frame is
    /// replayed there.
    pub(in crate::vm) fn location(&self) -> Result<VmLocation, FinishFault> {
        self.fall_back_at(VmExit::Syscall).map(|frame| frame.location())
    }

    /// An unlimited budget, since the original run stayed within its own.
    fn replay_budget(&self) -> StepBudget {
        let stop = self.machine.interrupt_check.stop.clone().unwrap_or_default();
        StepBudget { remaining: u64::MAX, cells: usize::MAX, stop }
    }

    /// Repeats a change in the memory of a `cairo-vm` frame.
    fn replay(&self, change: MemoryChange, memory: &mut dyn SyscallMemory) -> Result<(), MemoryFault> {
        match change {
            MemoryChange::Segment => {
                memory.new_segment();
            }
            MemoryChange::Cells { at, count } => {
                memory.load(at, &self.values(at, count)?)?;
            }
            MemoryChange::ReadOnlySegment { start, count } => {
                memory.new_read_only_segment(&self.values(start, count)?)?;
            }
        }
        Ok(())
    }

    fn values(&self, start: Pointer, count: usize) -> Result<Vec<Value>, MemoryFault> {
        (start.offset..=usize::MAX)
            .take(count)
            .map(|offset| {
                let at = Pointer { offset, ..start };
                value_at(&self.machine.memory, at).ok_or_else(|| unknown(at))
            })
            .collect()
    }
}
