//! The Stark field, the Stark curve and the hashes on them.
//!
//! Input: numbers. Output: numbers. Knows nothing of memory, classes or state. A number is passed as
//! [`Limbs`]: below the prime, four limbs of 64 bits, least significant first
//! ([`Felt::to_le_digits`](crate::Felt::to_le_digits)). Longer computations use [`Element`], the Montgomery
//! form, which a felt has too. Every result equals that of `starknet-types-core` and `starknet-crypto` for
//! all inputs; the tests compare. Only operations that are clearly faster here are implemented here
//! (`cargo bench --bench crypto`); keccak, SHA-256 and the secp curves come from their crates.
//!
//! Precomputed tables are built on first use, once per process, and never change:
//!
//! | function | memory |
//! |---|---|
//! | `pedersen` | 0.9 MB |
//! | `sqrt`, `sqrt_or_sqrt_of_triple` | 0.2 MB |
//! | `ec_op`, `verify_signature` | 0.5 MB |
//! | `poseidon` | 4 KB |
//! | [`PedersenCache`] | 96 bytes per hash of its capacity |
//! | `pedersen_cached` | 3 MiB, one such cache |

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
