//! Hints of Cairo 1: prepared once per class, run natively.

mod action;
mod circuit;
mod run;
mod scope;

pub(super) use self::action::{Action, CellRef, CompiledHint, compile_hint};
pub(super) use self::circuit::verify_instances;
pub(super) use self::run::HintOutcome;
pub(super) use self::scope::{
    ACCESS_CELLS, ENTRY_CELLS, HintScope, HintState, SQUASH_CELLS, TREE_CELLS, remaining_cells, reversed,
    values_cells,
};
