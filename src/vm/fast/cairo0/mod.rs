//! Hints of Cairo 0, compiled once per class and run natively.
//!
//! Input: a hint of a compiled class. Output: the cells that `cairo-vm`'s hint processor would write, or a
//! bailout. `action` compiles and `run` runs the hints; larger families (`dict`, `keccak`, `list`, `number`,
//! `point`) do both in one file each. `state` is what they keep in a scope; `variable` resolves references.

mod action;
mod dict;
mod keccak;
mod list;
mod number;
mod point;
mod run;
mod state;
mod variable;

pub(super) use self::action::Cairo0Action;
pub(super) use self::state::{Cairo0Squash, DictManager, SortState};
#[cfg(test)]
pub(super) use self::{dict::DictAction, list::ListAction, variable::Variable};
