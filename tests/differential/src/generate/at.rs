//! The addresses of contracts.

/// STRK.
pub const STRK: u128 = 0x57ec_0001;
/// ETH.
pub const ETH: u128 = 0x57ec_0002;
/// Another token.
pub const TOKEN: u128 = 0x57ec_0003;
/// The pool of STRK and the other token.
pub const POOL: u128 = 0x9001;
/// The NFT.
pub const NFT: u128 = 0x4f7;
/// Every syscall.
pub const SYSCALLS: u128 = 0x5ca1;
/// The younger ones.
pub const SYSCALLS_NEW: u128 = 0x5ca2;
/// Nested calls, in gas.
pub const CALLER: u128 = 0xca11_0001;
/// Nested calls, in steps.
pub const CALLER_STEPS: u128 = 0xca11_0002;
/// Contracts that replace their class.
pub const UPGRADABLE: [u128; 3] = [0x0b9_0001, 0x0b9_0002, 0x0b9_0003];
/// Every syscall of Cairo 0.
pub const OLD_SYSCALLS: u128 = 0x01d_5ca1;
/// Nested calls of Cairo 0.
pub const OLD_CALLER: u128 = 0x01d_ca11;
/// A Cairo 0 token.
pub const OLD_TOKEN: u128 = 0x01d_57ec;
/// A proxy of every syscall.
pub const OLD_PROXY: u128 = 0x01d_9409;
/// The library of Cairo 0.
pub const OLD_LIBRARY: u128 = 0x01d_11b4;
/// Its larger hashes.
pub const OLD_HASHES: u128 = 0x01d_4a54;
/// A class that may not run.
pub const OLD_FORBIDDEN: u128 = 0x01d_f08b;
/// The sequencer.
pub const SEQUENCER: u128 = 0x5e9_0e4c;
