//! The syscalls: names, calling conventions, prices in Sierra gas, usage.
//!
//! Input: one list, in this file. Output: the enum and its tables. Must not know: the meaning of a syscall.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::ProtocolVersion;

/// The calling conventions that offer a syscall.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SyscallAbi {
    /// Only Cairo 0 classes can request it. Such a syscall has an OS cost, but no price in Sierra gas.
    Cairo0,
    /// Only Cairo 1 classes can request it.
    Cairo1,
    /// All classes can request it.
    Both,
    /// No class can request it: it exists in cost tables only.
    Internal,
}

/// Declares the enum, its list, its names, its calling conventions and its first versions from one list.
macro_rules! syscall_names {
    ($($(#[$doc:meta])+ $name:ident: $abi:ident, $since:ident;)+) => {
        /// A syscall of either calling convention, under its name in price and cost tables.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[repr(usize)]
        pub enum SyscallName {
            $($(#[$doc])+ $name,)+
        }

        impl SyscallName {
            /// All syscalls, in the order of their indices, which is that of their names.
            pub const ALL: [Self; Self::COUNT] = [$(Self::$name,)+];

            /// The number of syscalls.
            pub const COUNT: usize = [$(stringify!($name),)+].len();

            /// The selectors that contracts write: the names as short strings.
            const SELECTORS: [[u64; 4]; Self::COUNT] = [$(short_string(stringify!($name).as_bytes()),)+];

            /// Returns the name as the protocol's tables write it: `CallContract`.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($name),)+
                }
            }

            /// Returns the calling conventions that offer the syscall.
            pub(crate) const fn abi(self) -> SyscallAbi {
                match self {
                    $(Self::$name => SyscallAbi::$abi,)+
                }
            }

            /// Returns the first version that has the syscall.
            pub(crate) const fn since(self) -> ProtocolVersion {
                match self {
                    $(Self::$name => ProtocolVersion::$since,)+
                }
            }
        }
    };
}

syscall_names! {
    /// Calls another contract.
    CallContract: Both, V0_13_0;
    /// Cairo 0: library call by address.
    DelegateCall: Cairo0, V0_13_0;
    /// Cairo 0: library call of an L1 handler, by address.
    DelegateL1Handler: Cairo0, V0_13_0;
    /// Deploys a contract.
    Deploy: Both, V0_13_0;
    /// Emits an event.
    EmitEvent: Both, V0_13_0;
    /// The hash of an older block.
    GetBlockHash: Cairo1, V0_13_0;
    /// Cairo 0: the block's number.
    GetBlockNumber: Cairo0, V0_13_0;
    /// Cairo 0: the block's timestamp.
    GetBlockTimestamp: Cairo0, V0_13_0;
    /// Cairo 0: the caller's address.
    GetCallerAddress: Cairo0, V0_13_0;
    /// The class of a contract.
    GetClassHashAt: Cairo1, V0_13_4;
    /// Cairo 0: the running contract's address.
    GetContractAddress: Cairo0, V0_13_0;
    /// Block, transaction and call information.
    GetExecutionInfo: Cairo1, V0_13_0;
    /// Cairo 0: the sequencer's address.
    GetSequencerAddress: Cairo0, V0_13_0;
    /// Cairo 0: the transaction's fields.
    GetTxInfo: Cairo0, V0_13_0;
    /// Cairo 0: the transaction's signature.
    GetTxSignature: Cairo0, V0_13_0;
    /// Keccak: the constant part of a call. Usage is counted in rounds (C129).
    Keccak: Cairo1, V0_13_0;
    /// One round of Keccak; not a syscall, but priced like one.
    KeccakRound: Internal, V0_13_0;
    /// Runs the code of another class on the storage of this contract.
    LibraryCall: Both, V0_13_0;
    /// Cairo 0: library call of an L1 handler.
    LibraryCallL1Handler: Cairo0, V0_13_0;
    /// Runs a version 0 transaction inside another one.
    MetaTxV0: Cairo1, V0_13_4;
    /// Replaces the running contract's class.
    ReplaceClass: Both, V0_13_0;
    /// Adds two points of secp256k1.
    Secp256k1Add: Cairo1, V0_13_0;
    /// The point of secp256k1 with a given x.
    Secp256k1GetPointFromX: Cairo1, V0_13_0;
    /// The coordinates of a point of secp256k1.
    Secp256k1GetXy: Cairo1, V0_13_0;
    /// Multiplies a point of secp256k1.
    Secp256k1Mul: Cairo1, V0_13_0;
    /// The point of secp256k1 with given coordinates.
    Secp256k1New: Cairo1, V0_13_0;
    /// Adds two points of secp256r1.
    Secp256r1Add: Cairo1, V0_13_0;
    /// The point of secp256r1 with a given x.
    Secp256r1GetPointFromX: Cairo1, V0_13_0;
    /// The coordinates of a point of secp256r1.
    Secp256r1GetXy: Cairo1, V0_13_0;
    /// Multiplies a point of secp256r1.
    Secp256r1Mul: Cairo1, V0_13_0;
    /// The point of secp256r1 with given coordinates.
    Secp256r1New: Cairo1, V0_13_0;
    /// Sends a message to L1.
    SendMessageToL1: Both, V0_13_0;
    /// One compression of SHA-256.
    Sha256ProcessBlock: Cairo1, V0_13_2;
    /// One compression of SHA-512.
    Sha512ProcessBlock: Cairo1, V0_13_4;
    /// Reads a storage cell.
    StorageRead: Both, V0_13_0;
    /// Writes a storage cell.
    StorageWrite: Both, V0_13_0;
}

impl SyscallName {
    /// Returns the index in tables by syscall.
    pub const fn index(self) -> usize {
        self as usize
    }

    /// Returns the syscall with this [`name`](Self::name).
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|syscall| syscall.name() == name)
    }

    /// Returns the syscall that contracts request with this selector, given as digits, the least significant
    /// first.
    pub(crate) fn from_digits(digits: [u64; 4]) -> Option<Self> {
        // From the end of the list, where the storage syscalls are: they are the most frequent.
        let index = Self::SELECTORS.iter().rposition(|selector| *selector == digits)?;
        Self::ALL.get(index).copied().filter(|syscall| syscall.abi() != SyscallAbi::Internal)
    }

    /// Returns `true` if only Cairo 0 classes can request it. Such a syscall has an OS cost, but no price in
    /// Sierra gas.
    pub const fn is_cairo0_only(self) -> bool {
        matches!(self.abi(), SyscallAbi::Cairo0)
    }
}

/// The digits of a short string, least significant first.
const fn short_string(mut text: &[u8]) -> [u64; 4] {
    let mut digits = [0; 4];
    while let Some((character, remainder)) = text.split_first() {
        let [a, b, c, d] = digits;
        digits = [a << 8 | *character as u64, b << 8 | a >> 56, c << 8 | b >> 56, d << 8 | c >> 56];
        text = remainder;
    }
    digits
}

impl fmt::Display for SyscallName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// The price of a syscall in Sierra gas, including the part that compiled code charges in advance
/// ([C106](crate::rules#c106)). All zero if the version has no such syscall, or if only Cairo 0 has it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SyscallPrice {
    /// Per call.
    pub base: u64,
    /// Per item: a felt of calldata (deploy, meta transaction) or of message payload
    /// ([C104](crate::rules#c104)).
    pub per_item: u64,
}

impl SyscallPrice {
    /// No price.
    pub const ZERO: Self = Self { base: 0, per_item: 0 };

    /// Returns the gas of one call with that many items; `None` if it does not fit in 64 bits.
    pub fn cost(&self, items: u64) -> Option<u64> {
        self.per_item.checked_mul(items)?.checked_add(self.base)
    }

    /// Returns `true` if there is no price.
    pub const fn is_zero(&self) -> bool {
        self.base == 0 && self.per_item == 0
    }
}

/// The usage of a syscall.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SyscallUsage {
    /// The number of calls; for Keccak, of rounds ([C129](crate::rules#c129)).
    pub calls: u64,
    /// The number of items over all calls: felts of calldata or of message payload
    /// ([C104](crate::rules#c104)).
    pub linear: u64,
}

#[cfg(test)]
mod tests {
    use starknet_types_core::felt::Felt;

    use super::*;

    #[test]
    fn names_and_indices_agree() {
        assert_eq!(SyscallName::COUNT, 36);
        for (index, syscall) in SyscallName::ALL.into_iter().enumerate() {
            assert_eq!(syscall.index(), index);
            assert_eq!(SyscallName::from_name(syscall.name()), Some(syscall));
            let selector = Felt::from_bytes_be_slice(syscall.name().as_bytes());
            let callable = Some(syscall).filter(|syscall| *syscall != SyscallName::KeccakRound);
            assert_eq!(SyscallName::from_digits(selector.to_le_digits()), callable);
            assert_eq!(SyscallName::from_digits((selector + Felt::ONE).to_le_digits()), None);
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
