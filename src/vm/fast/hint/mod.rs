//! Hints of Cairo 1, compiled once per class and run natively.
//!
//! Input: a hint of a compiled class. Output: the cells that `cairo-vm`'s hint processor would write, or a
//! bailout. `action` compiles, `run` runs; `scope` is the state that hints keep between them; `circuit` has
//! modular circuits.

mod action;
mod circuit;
mod run;
mod scope;

pub(super) use self::action::{CompiledHint, compile_cairo0_hint, compile_hint};
pub(super) use self::circuit::verify_instances;
pub(super) use self::run::HintOutcome;
pub(super) use self::scope::{
    ACCESS_CELLS, ENTRY_CELLS, HintScope, HintState, SQUASH_CELLS, TREE_CELLS, remaining_cells, reversed,
    values_cells,
};
