//! Block files: reading, loading, executing, comparing.
//!
//! Input: JSON, plain or compressed with zstd (detected by content). Output: [`BlockFile`], the data;
//! [`LoadedBlock`], loaded for the executor; [`compare`], the differences from the outcome that the file
//! expects; [`write_outcome`], the complete outcome. Must not know: how a transaction is executed.
//!
//! # The format
//!
//! One JSON object. Felts, addresses and hashes are strings of `0x` and hexadecimal digits, below the prime
//! (addresses and storage keys below 2^251). Other numbers are JSON numbers or strings, decimal or with `0x`.
//! Unknown fields and duplicate keys are errors.
//!
//! | field | content | default |
//! |---|---|---|
//! | `format` | 1 | 1 |
//! | `chain` | `chain_id`, `strk_fee_token`, `eth_fee_token`, `is_l3` (`false`) | error |
//! | `protocol_version` | one of [`ProtocolVersion::SUPPORTED`] | error |
//! | `block` | `number`, `timestamp`, `sequencer`, `prices` (`wei` and `fri`, each `l1_gas`, `l1_data_gas`, `l2_gas`), `data_availability` (`"blob"` or `"calldata"`) | error |
//! | `old_block` | the hash of block N-10: `"none"`, `{"hash": "0x.."}` or `"in_state"`; see [`BlockHashSource`] | `"none"` |
//! | `classes` | by class hash: `sierra_file` or `sierra` (inline); `cairo0_file` or `cairo0`; or `casm_file` or `casm` with `sierra_version`, with Sierra as well if it is checked or declared | none |
//! | `state.contracts` | by address: `class_hash`, `nonce`, `storage` | none |
//! | `state.declared` | compiled class hashes, by class hash, of the classes that are declared before the block; 0 for Cairo 0 | none |
//! | `transactions` | in order; see below | error |
//! | `expected` | the expected outcome: `transactions` ([`ExpectedTransaction`]) and `state_diff` ([`StateDiff`]) | not compared |
//!
//! Paths of class files are relative to the block file's folder. The class hash of a Sierra class must be its
//! key; the hash of a compiled class, of either kind, must be its compiled class hash in `state.declared`.
//!
//! A transaction has the field names of JSON-RPC 0.8: `type`, `version`, `transaction_hash`, and by type
//!
//! | `type`, `version` | required | optional |
//! |---|---|---|
//! | `INVOKE` 0 | `contract_address`, `entry_point_selector`, `calldata`, `max_fee` | `signature` |
//! | `INVOKE` 1 | `sender_address`, `calldata`, `nonce`, `max_fee` | `signature` |
//! | `INVOKE` 3 | `sender_address`, `calldata`, `nonce`, `resource_bounds` | `signature`, `tip`, `paymaster_data`, `account_deployment_data`, `proof_facts`, `nonce_data_availability_mode`, `fee_data_availability_mode` |
//! | `DECLARE` 3 | `sender_address`, `class_hash`, `compiled_class_hash`, `nonce`, `resource_bounds` | the same but `proof_facts` |
//! | `DECLARE` 2 | `sender_address`, `class_hash`, `compiled_class_hash`, `nonce`, `max_fee` | `signature` |
//! | `DECLARE` 0, 1 | `sender_address`, `class_hash`, `max_fee`, with 1 `nonce` | `signature` |
//! | `DEPLOY` 0, 1 | `class_hash`, `contract_address_salt`, `constructor_calldata` | |
//! | `DEPLOY_ACCOUNT` 1 | `class_hash`, `contract_address_salt`, `constructor_calldata`, `nonce`, `max_fee` | `signature` |
//! | `DEPLOY_ACCOUNT` 3 | `class_hash`, `contract_address_salt`, `constructor_calldata`, `nonce`, `resource_bounds` | `signature`, `tip`, `paymaster_data`, the modes |
//! | `L1_HANDLER` 0 | `contract_address`, `entry_point_selector`, `calldata`, `nonce` | `paid_fee_on_l1` (1) |
//!
//! Hashes of transactions are trusted. `resource_bounds` without `l1_data_gas` are of the older form, in
//! which only L1 gas is bounded. Any transaction may have the flags of [`ExecutionFlags`]: `query` (`false`;
//! a version with the query bit sets it too), `charge_fee`, `validate` and `strict_nonce` (`true`).
//!
//! # Example
//!
//! ```
//! use starkiln::replay::BlockFile;
//!
//! let file = BlockFile::from_slice(
//!     br#"{
//!         "format": 1,
//!         "chain": {"chain_id": "SN_TEST", "strk_fee_token": "0x57", "eth_fee_token": "0xe7"},
//!         "protocol_version": "0.14.4",
//!         "block": {
//!             "number": 7,
//!             "timestamp": 1700000000,
//!             "sequencer": "0x5e9",
//!             "prices": {
//!                 "wei": {"l1_gas": "0x1", "l1_data_gas": "0x1", "l2_gas": "0x1"},
//!                 "fri": {"l1_gas": 1000, "l1_data_gas": 300, "l2_gas": 20}
//!             }
//!         },
//!         "state": {"contracts": {"0x57": {"storage": {"0x1": "0x2"}}}},
//!         "transactions": [{
//!             "type": "INVOKE",
//!             "version": "0x3",
//!             "transaction_hash": "0xabc",
//!             "sender_address": "0x1234",
//!             "calldata": ["0x0"],
//!             "nonce": "0x0",
//!             "resource_bounds": {
//!                 "l1_gas": {"max_amount": "0x0", "max_price_per_unit": "0x3e8"},
//!                 "l2_gas": {"max_amount": "0x5f5e100", "max_price_per_unit": "0x14"},
//!                 "l1_data_gas": {"max_amount": "0x3e8", "max_price_per_unit": "0x12c"}
//!             }
//!         }]
//!     }"#,
//! )?;
//! let block = file.load(".")?;
//! let outcome = block.executor().execute(&block.transactions)?;
//! // There is no account at 0x1234.
//! assert!(outcome.transactions.iter().all(|transaction| transaction.execution().is_none()));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`ProtocolVersion::SUPPORTED`]: crate::protocol::ProtocolVersion::SUPPORTED
//! [`BlockHashSource`]: crate::block::BlockHashSource
//! [`StateDiff`]: crate::state::StateDiff
//! [`ExecutionFlags`]: crate::transaction::ExecutionFlags

mod class;
mod compare;
mod error;
mod fields;
mod file;
mod input;
mod json;
mod load;
mod shape;
mod strict;
mod transaction;

pub use self::compare::{Difference, DifferencePlace, compare};
pub use self::error::{ClassFault, FileError, FileFault, InputError, TransactionFault};
pub use self::file::{
    BlockFile, ClassEntry, ClassText, ContractState, Expected, ExpectedTransaction, InitialState,
};
/// Used by tests and benches.
#[doc(hidden)]
pub use self::json::kind_name;
pub use self::json::write_outcome;
pub use self::load::LoadedBlock;
pub use self::transaction::{FileTransaction, FileTransactionBody};
