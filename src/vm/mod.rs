//! The engines: they run one frame of one entry point.
//!
//! In: a prepared class, an entry point, its arguments, which engine. Out: the frame stops at each syscall and at its end; then
//! its return values and what it used. `frame` is the boundary and the only thing that rooms above see. Behind it `judge` runs
//! frames on `cairo-vm`, whose behaviour is the measure of all; `fast` runs them on an engine of our own, and hands a frame over
//! to the judge where it cannot go on; `checked` runs both and compares.
//!
//! The only room that names `cairo-vm` types (the class holds the prepared program for it). It does not know what a syscall
//! means, and nothing of the call stack above.

mod cairo_vm;
mod checked;
mod engine;
mod fast;
mod fault;
mod frame;
mod frame_setup;

pub use self::engine::Engine;
pub(crate) use self::engine::VmOptions;
pub use self::fault::VmLocation;
pub(crate) use self::fault::{FinishFault, FrameFault, FrameFaultKind, StartFault};
pub(crate) use self::frame::{CELL_BYTES, Frame, StepBudget, VmExit};
