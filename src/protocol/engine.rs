//! Which engine runs Cairo code. A choice of the host: it changes how long execution takes, never what comes out.

/// The engine that runs the frames of a block.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Engine {
    /// `cairo-vm`, the network's own.
    CairoVm,
    /// Ours, made for contracts. A frame that ends in an error, or does what this engine does not, is run again on `cairo-vm`.
    #[default]
    Fast,
    /// Both, compared at every syscall and at the end of every frame. A difference is an internal error that names it.
    Checked,
}
