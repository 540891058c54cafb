//! The fast engine: frames on a machine made for them.
//!
//! Code is decoded once per class and shared (`decode`, `hint`); memory is flat (`cell`, `memory`, `segments`) and used again
//! (`spare`); the loop (`run`) has a shortcut (`shortcut`) for each form that compilers emit, and one place knows all the rules
//! (`step`). Builtins compute when they are read (`builtin`) or check what is written (`signature`), hints are native (`hint_run`,
//! `circuit`, for Cairo 0 the files that say so); both use the cryptography of the ground floor (`crate::crypto`).
//!
//! It is exact for frames without a fault, and for them alone. Whatever is refused, whatever is rare, it does not explain: it hands
//! the frame over to the judge, which runs it again from its beginning, with the answers of syscalls from the frame's record, and then
//! goes on by itself (`record`). So every sentence of every error is the judge's own, and a frame costs at worst what it costs there
//! plus what was spent here.

mod builtin;
mod cairo0;
mod cell;
mod decode;
mod fast_path;
mod finish;
mod frame;
mod hint;
mod machine;
mod memory;
mod memory_pool;
mod number;
mod record;
mod run;
mod segments;
mod signature;
mod step;

pub(super) use self::frame::FastFrame;

/// Why the engine does not go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bailout {
    /// The program does what no program may, or its steps are used up: the judge will refuse it too.
    Fault,
    /// The engine does not do this; the judge may.
    Unsupported,
    /// The frame would hold more memory than is allowed.
    OutOfMemory,
    /// Somebody raised the flag in the middle of a step or of the checks at the end.
    Interrupted,
}
