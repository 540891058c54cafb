//! The syscalls by name, what one costs in Sierra gas, and how much of it was used.

use std::fmt;

use serde::{Deserialize, Serialize};
use starknet_types_core::felt::Felt;

/// Declares the enum, its list and its names from one list.
macro_rules! syscall_names {
    ($($(#[$doc:meta])+ $name:ident,)+) => {
        /// A syscall, of both calling conventions, as price and cost tables name it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[repr(usize)]
        pub enum SyscallName {
            $($(#[$doc])+ $name,)+
        }

        impl SyscallName {
            /// All of them, in the order of their indices (which is that of their names).
            pub const ALL: [Self; Self::COUNT] = [$(Self::$name,)+];

            /// How many there are.
            pub const COUNT: usize = [$(stringify!($name),)+].len();

            /// What contracts ask for them with: their names as short strings.
            const SELECTORS: [[u64; 4]; Self::COUNT] = [$(short_string(stringify!($name).as_bytes()),)+];

            /// The name as the protocol's tables write it: `CallContract`.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($name),)+
                }
            }
        }
    };
}

syscall_names! {
    /// Calls another contract.
    CallContract,
    /// Cairo 0: library call by address.
    DelegateCall,
    /// Cairo 0: library call of an L1 handler, by address.
    DelegateL1Handler,
    /// Deploys a contract.
    Deploy,
    /// Emits an event.
    EmitEvent,
    /// The hash of an older block.
    GetBlockHash,
    /// Cairo 0: the block's number.
    GetBlockNumber,
    /// Cairo 0: the block's time.
    GetBlockTimestamp,
    /// Cairo 0: who called.
    GetCallerAddress,
    /// The class of a contract.
    GetClassHashAt,
    /// Cairo 0: the running contract.
    GetContractAddress,
    /// Block, transaction and call, in one.
    GetExecutionInfo,
    /// Cairo 0: the sequencer's address.
    GetSequencerAddress,
    /// Cairo 0: the transaction.
    GetTxInfo,
    /// Cairo 0: the transaction's signature.
    GetTxSignature,
    /// Keccak: the fixed part of a call. Usage is counted in rounds (C129).
    Keccak,
    /// One round of Keccak; not a syscall of its own, but priced like one.
    KeccakRound,
    /// Runs another class in this contract's place.
    LibraryCall,
    /// Cairo 0: library call of an L1 handler.
    LibraryCallL1Handler,
    /// Runs a version 0 transaction inside another one.
    MetaTxV0,
    /// Replaces the running contract's class.
    ReplaceClass,
    /// Adds two points of secp256k1.
    Secp256k1Add,
    /// The point of secp256k1 with a given x.
    Secp256k1GetPointFromX,
    /// The coordinates of a point of secp256k1.
    Secp256k1GetXy,
    /// Multiplies a point of secp256k1.
    Secp256k1Mul,
    /// The point of secp256k1 with given coordinates.
    Secp256k1New,
    /// Adds two points of secp256r1.
    Secp256r1Add,
    /// The point of secp256r1 with a given x.
    Secp256r1GetPointFromX,
    /// The coordinates of a point of secp256r1.
    Secp256r1GetXy,
    /// Multiplies a point of secp256r1.
    Secp256r1Mul,
    /// The point of secp256r1 with given coordinates.
    Secp256r1New,
    /// Sends a message to L1.
    SendMessageToL1,
    /// One compression of SHA-256.
    Sha256ProcessBlock,
    /// One compression of SHA-512.
    Sha512ProcessBlock,
    /// Reads a storage cell.
    StorageRead,
    /// Writes a storage cell.
    StorageWrite,
}

impl SyscallName {
    /// Its place in tables by syscall.
    pub const fn index(self) -> usize {
        self as usize
    }

    /// The syscall with this [`name`](Self::name).
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|syscall| syscall.name() == name)
    }

    /// The syscall that a contract asks for with this selector: the name as a short string. Nobody can ask for a keccak round.
    pub fn from_selector(selector: Felt) -> Option<Self> {
        Self::from_digits(selector.to_le_digits())
    }

    /// The same of a selector's digits, the least significant first.
    pub(crate) fn from_digits(digits: [u64; 4]) -> Option<Self> {
        // From the end, where storage is: most ask for that.
        let index = Self::SELECTORS.iter().rposition(|selector| *selector == digits)?;
        Self::ALL.get(index).copied().filter(|syscall| *syscall != Self::KeccakRound)
    }

    /// Whether only Cairo 0 classes can ask for it. Such a syscall has OS costs, but no price in Sierra gas.
    pub const fn is_cairo0_only(self) -> bool {
        matches!(
            self,
            Self::DelegateCall
                | Self::DelegateL1Handler
                | Self::GetBlockNumber
                | Self::GetBlockTimestamp
                | Self::GetCallerAddress
                | Self::GetContractAddress
                | Self::GetSequencerAddress
                | Self::GetTxInfo
                | Self::GetTxSignature
                | Self::LibraryCallL1Handler
        )
    }
}

/// The digits of a short string, least significant first.
const fn short_string(mut text: &[u8]) -> [u64; 4] {
    let mut digits = [0; 4];
    while let Some((character, rest)) = text.split_first() {
        let [a, b, c, d] = digits;
        digits = [a << 8 | *character as u64, b << 8 | a >> 56, c << 8 | b >> 56, d << 8 | c >> 56];
        text = rest;
    }
    digits
}

impl fmt::Display for SyscallName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// What a syscall costs in Sierra gas, the part that the compiler charges ahead included (C106). All zero: the version
/// has no such syscall, or it is one of Cairo 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SyscallPrice {
    /// Per call.
    pub base: u64,
    /// Per item: a felt of calldata (deploy, meta transaction) or of message payload (C104).
    pub per_item: u64,
}

impl SyscallPrice {
    /// No price.
    pub const ZERO: Self = Self { base: 0, per_item: 0 };

    /// The gas of one call with so many items; `None` if it does not fit in 64 bits.
    pub fn cost(&self, items: u64) -> Option<u64> {
        self.per_item.checked_mul(items)?.checked_add(self.base)
    }

    /// Whether the version has no price for it.
    pub const fn is_zero(&self) -> bool {
        self.base == 0 && self.per_item == 0
    }
}

/// How much of a syscall was used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SyscallUsage {
    /// Calls; rounds, for Keccak (C129).
    pub calls: u64,
    /// Items over all calls: felts of calldata or of message payload (C104).
    pub linear: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_indices_agree() {
        assert_eq!(SyscallName::COUNT, 36);
        for (index, syscall) in SyscallName::ALL.into_iter().enumerate() {
            assert_eq!(syscall.index(), index);
            assert_eq!(SyscallName::from_name(syscall.name()), Some(syscall));
            let selector = Felt::from_bytes_be_slice(syscall.name().as_bytes());
            let asked_for = Some(syscall).filter(|syscall| *syscall != SyscallName::KeccakRound);
            assert_eq!(SyscallName::from_selector(selector), asked_for);
            assert_eq!(SyscallName::from_selector(selector + Felt::ONE), None);
            assert_eq!(serde_json::to_string(&syscall).unwrap(), format!("\"{syscall}\""));
        }
        assert!(SyscallName::ALL.is_sorted_by_key(|syscall| syscall.name()));
        assert_eq!(SyscallName::ALL.into_iter().filter(|syscall| syscall.is_cairo0_only()).count(), 10);
    }

    #[test]
    fn cost_is_base_plus_items() {
        let price = SyscallPrice { base: 147_120, per_item: 4850 };
        assert_eq!(price.cost(0), Some(147_120));
        assert_eq!(price.cost(3), Some(161_670));
        assert_eq!(price.cost(u64::MAX), None);
        assert_eq!(SyscallPrice { base: 1, per_item: 1 }.cost(u64::MAX), None);
        assert!(SyscallPrice::ZERO.is_zero() && !price.is_zero());
    }
}
