//! The field, the curve and the hashes of Stark, as fast as code that runs contracts needs them.
//!
//! Ground floor: numbers in, numbers out. Nothing here knows of memory, classes or state. Numbers come as [`Limbs`], below the
//! prime, least significant limb first, as cells hold them ([`Felt::to_le_digits`](crate::Felt::to_le_digits)); arithmetic that
//! goes on for longer uses [`Element`], the Montgomery form that a felt has too. What is computed equals what the published
//! crates compute, for all inputs; the tests compare. Own code stands only where it is worth its lines (`cargo bench --bench
//! crypto`); keccak, SHA and the secp curves stay with their crates.
//!
//! Tables are made when first needed, once per process, and never change:
//!
//! | what | memory |
//! |---|---|
//! | [`pedersen`] | 0.9 MB |
//! | [`square_root`], [`root_of_it_or_its_triple`] | 0.2 MB |
//! | [`ec_op`], [`is_signature`] | 0.5 MB |
//! | [`poseidon`] | 4 KB |
//! | [`PedersenMemo`] | 96 bytes for each hash that its owner grants |
//! | [`remembered_pedersen`] | 3 MiB, such a memo |

mod curve;
mod ec_op;
mod element;
mod generator;
mod inverse;
mod lazy;
mod limbs;
mod memo;
mod multiple;
mod number;
mod pedersen;
mod poseidon;
#[cfg(test)]
mod samples;
mod secret_point;
mod signature;
mod square_root;
mod table;

pub use curve::Point;
pub use ec_op::{EcOpError, ec_op};
pub use element::Element;
pub use limbs::Limbs;
pub use memo::{PedersenMemo, remembered_pedersen};
pub use number::{product, quotient};
pub use pedersen::pedersen;
pub use poseidon::poseidon;
pub use secret_point::secret_point;
pub use signature::is_signature;
pub use square_root::{Root, root_of_it_or_its_triple, square_root};
