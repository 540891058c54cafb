//! Frames on `cairo-vm`: the engine that the network runs, so it is right by definition.
//!
//! It runs Cairo 0 frames always, and Cairo 1 frames when it is asked to, or when the fast engine hands one over.

mod cairo0;
mod finish;
mod memory;
mod run;
mod start;

pub(super) use self::memory::{maybe_relocatable, relocatable};
pub(super) use self::run::CairoVmFrame;
