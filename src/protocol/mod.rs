//! What Starknet fixes per protocol version: limits, switches, prices, OS costs and lists.
//!
//! In: the data files in `resources/protocol/`, one per version, each holding only what that version changed.
//! Out: [`Constants`], shared by everything above. Behaviour asks a named switch or figure here, never a
//! version number. Ground floor: knows nothing of the rest of the crate.

mod constants;
mod counters;
mod env;
mod error;
mod json;
mod load;
mod os;
mod prices;
mod ratio;
mod schema;
mod syscalls;
mod version;
pub mod well_known;

pub use constants::{Constants, GatewayLimits, Limits, Lists, Switches, TransactionKind};
pub use counters::{Builtin, BuiltinCounts, VmResources};
pub use env::{BlockEnv, BlockInfo, BlockPrices, ChainInfo, DataAvailability, TokenPrices};
pub use error::ProtocolError;
pub use os::{OsCost, OsCosts, poseidon_hash_many_resources};
pub use prices::{
    AllocationPrices, ArchivalPrice, ArchivalPrices, GasSchedule, ListedSyscallPrice, VmFeePrices,
};
pub use ratio::Ratio;
pub(crate) use syscalls::SyscallAbi;
pub use syscalls::{SyscallName, SyscallPrice, SyscallUsage};
pub use version::{ProtocolVersion, VersionPolicy};
