//! The data of a block file.
//!
//! Input: JSON text. Output: [`BlockFile`], plain data that is read strictly and written back. Must not know:
//! the effect of a class or a transaction, the paths of files.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use starknet_api::core::{ClassHash, CompiledClassHash, ContractAddress, Nonce};
use starknet_api::execution_resources::GasVector;
use starknet_api::state::StorageKey;
use starknet_api::transaction::fields::Fee;
use starknet_types_core::felt::Felt;

use super::strict::Strict;
use super::transaction::FileTransaction;
use crate::block::{BlockHashSource, TransactionStatus};
use crate::protocol::{BlockInfo, ChainInfo, ProtocolVersion};
use crate::state::StateDiff;

/// A block with all data that its execution needs. The [module](super) describes the format.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BlockFile {
    /// The version of the format: [`BlockFile::FORMAT`].
    #[serde(default = "current_format")]
    pub format: u32,
    /// The chain.
    #[serde(deserialize_with = "Strict::read")]
    pub chain: ChainInfo,
    /// The protocol version, one of [`ProtocolVersion::SUPPORTED`].
    pub protocol_version: ProtocolVersion,
    /// The block's header values.
    #[serde(deserialize_with = "Strict::read")]
    pub block: BlockInfo,
    /// The source of the hash of block N-10.
    #[serde(rename = "old_block", default, deserialize_with = "Strict::read")]
    pub block_hash_source: BlockHashSource,
    /// The classes that the block needs: those of contracts, and those that its transactions declare.
    #[serde(default, deserialize_with = "Strict::read")]
    pub classes: BTreeMap<ClassHash, ClassEntry>,
    /// The state before the block.
    #[serde(default)]
    pub state: InitialState,
    /// The transactions, in order.
    pub transactions: Vec<FileTransaction>,
    /// The expected outcome.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<Expected>,
}

impl BlockFile {
    /// The only version of the format.
    pub const FORMAT: u32 = 1;
}

fn current_format() -> u32 {
    BlockFile::FORMAT
}

/// The source of a class.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "ClassFields", into = "ClassFields")]
pub enum ClassEntry {
    /// A Sierra class, which is compiled when it is loaded. Its class hash must be the entry's key.
    Sierra(ClassText),
    /// A Cairo 0 class, which is compiled already. Its class hash must be the entry's key.
    Cairo0(ClassText),
    /// A compiled Cairo 1 class.
    Casm {
        /// The compiled class. If the state declares the class, its hash, of either kind, must be the
        /// compiled class hash there.
        casm: ClassText,
        /// The version in the first felts of the Sierra program, such as `1.7.0`: it decides whether steps or
        /// gas are counted.
        sierra_version: String,
        /// The Sierra class, for its class hash and for declarations. Without it the key is trusted.
        sierra: Option<ClassText>,
    },
}

/// The JSON text of a class.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClassText {
    /// The path of a file, relative to the block file's folder. The file may be compressed with zstd.
    File(PathBuf),
    /// The text in the block file. Kept as text, because the class hash depends on the order of keys in the
    /// ABI.
    Inline(String),
}

/// The state before the block. Cells that are not in it are zero.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InitialState {
    /// The contracts, by address.
    #[serde(default, deserialize_with = "Strict::read")]
    pub contracts: BTreeMap<ContractAddress, ContractState>,
    /// Classes that were declared before the block, with their compiled class hashes (0 for Cairo 0). A class
    /// that is only among [`BlockFile::classes`] is not declared yet.
    #[serde(default, deserialize_with = "Strict::read")]
    pub declared: BTreeMap<ClassHash, CompiledClassHash>,
}

/// A contract before the block.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContractState {
    /// The class hash; 0 if nothing is deployed there.
    #[serde(default, deserialize_with = "Strict::read")]
    pub class_hash: ClassHash,
    /// The nonce.
    #[serde(default, deserialize_with = "Strict::read")]
    pub nonce: Nonce,
    /// The storage cells that are not zero.
    #[serde(default, deserialize_with = "Strict::read")]
    pub storage: BTreeMap<StorageKey, Felt>,
}

/// The expected outcome of a block.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expected {
    /// The expected outcome of each transaction.
    pub transactions: Vec<ExpectedTransaction>,
    /// The block's state diff, with the changes of opening and closing the block; not compared if omitted.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "Strict::read")]
    pub state_diff: Option<StateDiff>,
}

/// The expected outcome of a transaction. All numbers of an invalid transaction are 0.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpectedTransaction {
    /// The ending.
    pub status: TransactionStatus,
    /// The fee, in wei or fri.
    #[serde(default, deserialize_with = "Strict::read")]
    pub fee: Fee,
    /// All gas.
    #[serde(default, deserialize_with = "Strict::read")]
    pub gas: GasVector,
    /// The part of the gas that publishes state changes.
    #[serde(default, deserialize_with = "Strict::read")]
    pub data_gas: GasVector,
    /// The number of calls in all call trees, with the fee transfer.
    #[serde(default, deserialize_with = "Strict::read")]
    pub calls: u64,
    /// The number of events.
    #[serde(default, deserialize_with = "Strict::read")]
    pub events: u64,
    /// The number of messages to L1.
    #[serde(default, deserialize_with = "Strict::read")]
    pub messages: u64,
    /// The text of the revert reason or of the rejection; not compared if omitted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// The JSON form of a [`ClassEntry`]. A serde enum would buffer the class and lose the order of its keys.
#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ClassFields {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cairo0_file: Option<PathBuf>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cairo0: Option<Box<RawValue>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sierra_file: Option<PathBuf>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sierra: Option<Box<RawValue>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    casm_file: Option<PathBuf>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    casm: Option<Box<RawValue>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sierra_version: Option<String>,
}

impl TryFrom<ClassFields> for ClassEntry {
    type Error = String;

    fn try_from(fields: ClassFields) -> Result<Self, String> {
        if let Some(cairo0) = ClassText::from_fields("cairo0", fields.cairo0_file, fields.cairo0)? {
            let is_only = fields.sierra_file.is_none()
                && fields.sierra.is_none()
                && fields.casm_file.is_none()
                && fields.casm.is_none()
                && fields.sierra_version.is_none();
            return if is_only {
                Ok(Self::Cairo0(cairo0))
            } else {
                Err("a Cairo 0 class has no other form".to_owned())
            };
        }
        let sierra = ClassText::from_fields("sierra", fields.sierra_file, fields.sierra)?;
        let casm = ClassText::from_fields("casm", fields.casm_file, fields.casm)?;
        match (sierra, casm, fields.sierra_version) {
            (sierra, Some(casm), Some(sierra_version)) => Ok(Self::Casm { casm, sierra_version, sierra }),
            (_, Some(_), None) => Err("a compiled class needs its `sierra_version`".to_owned()),
            (Some(sierra), None, None) => Ok(Self::Sierra(sierra)),
            (Some(_), None, Some(_)) => Err("`sierra_version` goes with a compiled class only".to_owned()),
            (None, None, _) => Err(
                "a class needs one of `sierra_file`, `sierra`, `casm_file`, `casm`, `cairo0_file`, `cairo0`"
                    .to_owned(),
            ),
        }
    }
}

impl From<ClassEntry> for ClassFields {
    fn from(entry: ClassEntry) -> Self {
        let (sierra, casm, sierra_version) = match entry {
            ClassEntry::Cairo0(text) => {
                let (cairo0_file, cairo0) = text.into_fields();
                return Self { cairo0_file, cairo0, ..Self::default() };
            }
            ClassEntry::Sierra(sierra) => (Some(sierra), None, None),
            ClassEntry::Casm { casm, sierra_version, sierra } => (sierra, Some(casm), Some(sierra_version)),
        };
        let (sierra_file, sierra) = sierra.map(ClassText::into_fields).unwrap_or_default();
        let (casm_file, casm) = casm.map(ClassText::into_fields).unwrap_or_default();
        Self { sierra_file, sierra, casm_file, casm, sierra_version, ..Self::default() }
    }
}

impl ClassText {
    fn from_fields(
        name: &str,
        file: Option<PathBuf>,
        inline: Option<Box<RawValue>>,
    ) -> Result<Option<Self>, String> {
        match (file, inline) {
            (Some(_), Some(_)) => Err(format!("`{name}_file` and `{name}` exclude each other")),
            (Some(file), None) => Ok(Some(Self::File(file))),
            (None, Some(inline)) => Ok(Some(Self::Inline(String::from(Box::<str>::from(inline))))),
            (None, None) => Ok(None),
        }
    }

    fn into_fields(self) -> (Option<PathBuf>, Option<Box<RawValue>>) {
        match self {
            Self::File(file) => (Some(file), None),
            // Text that is not JSON cannot be written; loading the class would have failed with a better
            // error.
            Self::Inline(text) => {
                (None, Some(RawValue::from_string(text).unwrap_or_else(|_| RawValue::NULL.to_owned())))
            }
        }
    }
}

impl Strict for ClassEntry {
    fn read<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::deserialize(deserializer)
    }
}

impl Strict for ContractState {
    fn read<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::deserialize(deserializer)
    }
}
