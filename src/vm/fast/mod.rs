//! The fast engine: an interpreter made for contract code.
//!
//! Input: a frame setup. Output: the frame's exits, its memory, its return data and resources, the same as on
//! `cairo-vm`; or a bailout. Code is decoded once per class and shared (`decode`, `hint`). Memory is flat
//! (`cell`, `memory`, `segments`) and comes from a pool (`memory_pool`). The run loop (`run`) has a fast path
//! for each instruction form that compilers emit (`fast_path`); `step` implements all the rules. Builtins
//! deduce cells that are read (`builtin`) or verify what is written (`signature`). Hints are native (`hint`,
//! `cairo0`).
//!
//! The engine is exact for frames without a fault, and only for them. On a fault, and on anything that it
//! does not support, it bails out; the frame then falls back to `cairo-vm`: it is run again from its
//! beginning, with the recorded responses of its syscalls (`record`, `fallback`). So every text of an error
//! is the text of `cairo-vm`, and a frame costs at most its time there plus the time spent here. Long work
//! polls the interrupt flag (`interrupt`).

mod builtin;
mod builtin_layout;
mod cairo0;
mod cell;
mod decode;
mod fallback;
mod fast_path;
mod finish;
mod frame;
mod hint;
mod interrupt;
mod machine;
mod memory;
mod memory_pool;
mod number;
mod record;
mod run;
mod segments;
mod signature;
mod start;
mod step;
mod syscall_memory;

pub(super) use self::frame::FastFrame;

/// The reasons why the engine cannot continue a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bailout {
    /// The program violates a rule of the VM, or no step remains. `cairo-vm` fails as well, and writes the
    /// error.
    Fault,
    /// The engine does not support what the program does. `cairo-vm` may.
    Unsupported,
    /// The frame would exceed the memory limit.
    OutOfMemory,
    /// The interrupt flag was raised during a step or the checks at the end.
    Interrupted,
}
