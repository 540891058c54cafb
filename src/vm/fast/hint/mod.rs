//! Hints of Cairo 1: prepared once per class, run natively.

mod action;
mod circuit;
mod run;
mod scope;

pub(super) use self::action::{Action, Hint, Place, compile};
pub(super) use self::circuit::verify_instances;
pub(super) use self::run::Hinted;
pub(super) use self::scope::{
    ENTRY_CELLS, SQUASH_CELLS, Scope, Scopes, TREE_CELLS, left_cells, reversed, values_cells,
};
