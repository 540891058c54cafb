//! Starkiln: embeddable Starknet block execution. Ordered transactions and a state reader in; receipts, call trees and
//! state diffs out.

pub mod class;
pub mod fee;
pub mod protocol;
pub mod state;
