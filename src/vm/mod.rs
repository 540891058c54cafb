//! The engine: runs one frame of one entry point.
//!
//! In: a prepared class, an entry point, its arguments. Out: the frame stops at each syscall and at its end; then its return
//! values and what it used. The only room that names `cairo-vm` types (the class holds the prepared program for it). It does not
//! know what a syscall means, and nothing of the call stack above.

mod cairo0;
mod curve_point;
mod fault;
mod finish;
mod frame;
mod memory;
mod start;

pub use self::fault::VmLocation;
pub(crate) use self::fault::{FinishFault, FrameFault, FrameFaultKind, StartFault};
pub(crate) use self::frame::{Frame, StepBudget, Stop};
