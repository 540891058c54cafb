//! Hints of Cairo 0: prepared once per class, run natively. One file a family.

mod action;
mod dict;
mod keccak;
mod list;
mod number;
mod point;
mod run;
mod variable;

pub(super) use self::action::{Cairo0Action, compile_cairo0};
pub(super) use self::dict::{Manager, Squashing};
pub(super) use self::list::Sorted;
#[cfg(test)]
pub(super) use self::{dict::DictAction, list::ListAction, variable::Variable};
