//! The VM back ends. They run one frame: the execution of one entry point of one class.
//!
//! Input: a prepared class, a call of one of its entry points, and the [`Engine`] to use. Output: the frame
//! stops at each syscall and when it returns; then its return data and the resources it used. `frame` is the
//! boundary, and all that callers see. Three back ends implement it: `cairo_vm` runs frames on `cairo-vm`,
//! the reference; `fast` is an interpreter of our own, which falls back to `cairo-vm` where it cannot
//! continue; `checked` runs both and compares them.
//!
//! Apart from `class`, which holds the prepared `cairo-vm` program, this is the only module that uses
//! `cairo-vm` types. It must not know what a syscall means, nor the call stack above it.

mod cairo_vm;
mod checked;
mod engine;
mod fast;
mod fault;
mod frame;
mod frame_setup;
mod interface;

pub use self::engine::Engine;
pub(crate) use self::engine::VmOptions;
pub use self::fault::VmLocation;
pub(crate) use self::fault::{FinishFault, FrameFault, FrameFaultKind, StartFault};
pub(crate) use self::frame::Frame;
pub(crate) use self::interface::{CELL_BYTES, StepBudget, VmExit};
