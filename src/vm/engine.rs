//! The host's choices about running Cairo code: they change time and memory, never results.

use serde::{Deserialize, Serialize};

/// The virtual machine that runs Cairo code. It changes how long execution takes, never the result.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Engine {
    /// `cairo-vm`, the VM that blockifier uses.
    CairoVm,
    /// Starkiln's own VM. A frame that ends in an error, or uses a feature that this VM does not support,
    /// falls back to `cairo-vm`: it is run again there from its beginning.
    #[default]
    Fast,
    /// Both, compared at every syscall and at the end of every frame. A difference is an internal error that
    /// names it.
    Checked,
}

/// The default bound on the VM memory of one transaction: 2 GiB, more than the steps of any transaction fill.
pub(crate) const DEFAULT_MEMORY_LIMIT: usize = 1 << 31;

/// The options with which the frames of a transaction run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct VmOptions {
    /// The VM that runs the frames.
    pub engine: Engine,
    /// The limit of VM memory, in bytes, that the calls of a transaction may hold at a time. Not enforced
    /// inside `cairo-vm`, which has no memory limit.
    pub memory_limit: usize,
}

impl Default for VmOptions {
    fn default() -> Self {
        Self { engine: Engine::default(), memory_limit: DEFAULT_MEMORY_LIMIT }
    }
}
