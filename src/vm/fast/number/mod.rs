//! Arithmetic on the numbers of cells: field elements, integers of hints, 384-bit integers of circuits.
//!
//! Input: limbs. Output: limbs. Knows nothing of memory or hints.

pub(super) mod field;
pub(super) mod integer;
pub(super) mod modular;
