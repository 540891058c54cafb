//! Hints of Cairo 0: prepared once per class, run natively. One file a family.

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
