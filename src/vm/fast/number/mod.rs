//! Numbers of hints and cells: the field in canonical form, integers, numbers of 384 bits.

pub(super) mod field;
pub(super) mod integer;
pub(super) mod modular;
