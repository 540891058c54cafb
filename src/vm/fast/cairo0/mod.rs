//! Hints of Cairo 0, compiled once per class and run natively.
//!
//! Input: a hint of a compiled class. Output: the cells that `cairo-vm`'s hint processor would write, or a
//! bailout. `action` compiles and `run` runs the hints; larger families (`dict`, `keccak`, `list`, `number`,
//! `point`) do both in one file each. `variable` resolves references.

mod action;
mod dict;
mod keccak;
mod list;
mod number;
mod point;
mod run;
mod variable;

pub(super) use self::action::{Cairo0Action, compile_cairo0_hint};
pub(super) use self::dict::{Cairo0Squash, DictManager};
pub(super) use self::list::SortState;
#[cfg(test)]
pub(super) use self::{dict::DictAction, list::ListAction, variable::Variable};
