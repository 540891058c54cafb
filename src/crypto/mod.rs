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
//! | [`square_root`], [`sqrt_or_sqrt_of_triple`] | 0.2 MB |
//! | [`ec_op`], [`verify_signature`] | 0.5 MB |
//! | [`poseidon`] | 4 KB |
//! | [`PedersenCache`] | 96 bytes for each hash that its owner grants |
//! | [`pedersen_cached`] | 3 MiB, such a memo |

mod blinding_point;
mod cache;
mod curve;
mod ec_op;
mod element;
mod field_ops;
mod fixed_base;
mod generator;
mod inverse;
mod lazy;
mod limbs;
mod pedersen;
mod poseidon;
mod scalar_mul;
mod signature;
mod sqrt;
#[cfg(test)]
mod test_values;

pub use blinding_point::blinding_point;
pub use cache::{PedersenCache, pedersen_cached};
pub use curve::Point;
pub use ec_op::{EcOpError, ec_op};
pub use element::Element;
pub use field_ops::{div_mod, mul_mod};
pub use limbs::Limbs;
pub use pedersen::pedersen;
pub use poseidon::poseidon;
pub use signature::verify_signature;
pub use sqrt::{Root, sqrt, sqrt_or_sqrt_of_triple};
