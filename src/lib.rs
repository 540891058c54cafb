//! Starkiln: an embeddable Starknet block executor.
pub mod class;
pub mod state;
