//! Frames on `cairo-vm`, the VM that blockifier uses: the reference, correct by definition.
//!
//! It runs frames of Cairo 0 and Cairo 1 when the host selects `Engine::CairoVm`, when a class or a frame
//! falls back from `fast`, and as the reference of checked mode.
//!
//! Input: a frame setup. Output: the frame's exits, its memory, its return data and resources, and every text
//! of an error that a revert reason prints. It must not know the other back ends.

mod cairo0;
mod finish;
mod frame;
mod hint;
mod memory;
mod run;
mod start;

pub(super) use self::frame::CairoVmFrame;
pub(super) use self::memory::{maybe_relocatable, relocatable};
