//! The values that Starknet fixes per protocol version: limits, switches, prices, OS costs and lists.
//!
//! Input: the data files in `resources/protocol/`, one per version, each with only the changes of that
//! version. Output: [`Constants`], shared by all other modules. They depend on a named switch or value, never
//! on a version number. Base layer: must not know any other module of the crate, nor the options of the host.

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

pub use constants::{Constants, GatewayLimits, Limits, Lists, Switches, TransactionKind};
pub use counters::{Builtin, BuiltinCounts, VmResources};
pub use env::{BlockEnv, BlockInfo, BlockPrices, ChainInfo, DataAvailability, TokenPrices};
pub use error::ProtocolError;
pub use os::{OsCost, OsCosts};
pub use prices::{
    AllocationPrices, ArchivalPrice, ArchivalPrices, GasSchedule, ListedSyscallPrice, VmFeePrices,
};
pub use ratio::Ratio;
pub use syscalls::{SyscallName, SyscallPrice, SyscallUsage};
pub use version::{ProtocolVersion, VersionPolicy};

// Used by tests and benches.
#[doc(hidden)]
pub mod well_known;

pub(crate) use os::poseidon_hash_many_resources;
pub(crate) use syscalls::SyscallAbi;
