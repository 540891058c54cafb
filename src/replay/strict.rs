//! Strict deserialisation of values: a value that is out of range, unknown or duplicate is an error, never
//! another value.
//!
//! Input: JSON strings and numbers. Output: `starknet_api`'s types. Their own deserialisation reduces felts
//! modulo the prime, accepts addresses out of range, and accepts only one form of numbers. Must not know: the
//! field of a value.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, Hash};
use std::marker::PhantomData;
use std::sync::Arc;

use indexmap::{IndexMap, IndexSet};
use serde::Serialize;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde_json::Value;
use starknet_api::block::{BlockHash, GasPrice};
use starknet_api::core::{ChainId, ClassHash, CompiledClassHash, ContractAddress, EntryPointSelector, Nonce};
use starknet_api::execution_resources::GasAmount;
use starknet_api::state::StorageKey;
use starknet_api::transaction::TransactionHash;
use starknet_api::transaction::fields::{
    AccountDeploymentData, Calldata, ContractAddressSalt, Fee, PaymasterData, ProofFacts, Tip,
    TransactionSignature,
};
use starknet_types_core::felt::Felt;

/// The prime 2^251 + 17 * 2^192 + 1 in hexadecimal digits.
const PRIME: &str = "800000000000011000000000000000000000000000000000000000000000001";

/// The number of characters of a bad value that an error repeats.
const SHOWN: usize = 80;

/// A value that can be read strictly; for `#[serde(deserialize_with = "Strict::read")]`.
pub(super) trait Strict: Sized {
    /// Deserialises the value.
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error>;
}

/// A [`Strict`] value that implements `Deserialize`, for lists and maps.
struct Item<T>(T);

impl<'de, T: Strict> Deserialize<'de> for Item<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::read(deserializer).map(Self)
    }
}

/// Reads a felt from `0x` and hexadecimal digits.
pub(super) fn felt(text: &str) -> Result<Felt, String> {
    let digits = text
        .strip_prefix("0x")
        .filter(|digits| !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_hexdigit()))
        .ok_or_else(|| format!("{:?} is not a hexadecimal number that begins with 0x", shown(text)))?;
    let significant = digits.trim_start_matches('0').to_ascii_lowercase();
    if (significant.len(), significant.as_str()) >= (PRIME.len(), PRIME) {
        return Err(format!("{} is not below the prime: felt out of range", shown(text)));
    }
    Felt::from_hex(text).map_err(|error| format!("{:?}: {error}", shown(text)))
}

/// The beginning of a text that may be long.
fn shown(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}...", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

impl Strict for Felt {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = Felt;
            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("a felt: a string of 0x and hexadecimal digits")
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Felt, E> {
                felt(text).map_err(E::custom)
            }
        }
        deserializer.deserialize_str(Text)
    }
}

macro_rules! from_felt {
    ($($name:ident),*) => {$(
        impl Strict for $name {
            fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Felt::read(deserializer).map($name)
            }
        }
    )*};
}

from_felt!(
    BlockHash,
    ClassHash,
    CompiledClassHash,
    ContractAddressSalt,
    EntryPointSelector,
    Nonce,
    TransactionHash
);

macro_rules! from_ranged_felt {
    ($($name:ident),*) => {$(
        impl Strict for $name {
            fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let felt = Felt::read(deserializer)?;
                $name::try_from(felt).map_err(|_| D::Error::custom(format!(
                    "{felt:#x} is out of the range of contract addresses and storage keys"
                )))
            }
        }
    )*};
}

from_ranged_felt!(ContractAddress, StorageKey);

macro_rules! from_felts {
    ($($name:ident: $wrap:expr),*) => {$(
        impl Strict for $name {
            fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Vec::read(deserializer).map(|felts| $name($wrap(felts)))
            }
        }
    )*};
}

from_felts!(
    Calldata: Arc::new, TransactionSignature: Arc::new, ProofFacts: Arc::new, PaymasterData: Vec::from,
    AccountDeploymentData: Vec::from
);

/// Unsigned numbers: JSON numbers, or strings, decimal or hexadecimal with 0x.
impl Strict for u128 {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // A `Value`, because the form of a number in a visitor depends on features of `serde_json`.
        let text = match Value::deserialize(deserializer)? {
            Value::String(text) => text,
            Value::Number(number) => number.to_string(),
            _ => return Err(D::Error::custom("expected an integer, or a string of one")),
        };
        // Rust's parser accepts a sign.
        let parsed = match text.strip_prefix("0x") {
            _ if text.contains(['+', '-']) => None,
            Some(digits) => u128::from_str_radix(digits, 16).ok(),
            None => text.parse().ok(),
        };
        parsed.ok_or_else(|| {
            D::Error::custom(format!("{:?} is not an integer of 128 bits, decimal or with 0x", shown(&text)))
        })
    }
}

impl Strict for u64 {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = u128::read(deserializer)?;
        Self::try_from(number).map_err(|_| D::Error::custom(format!("{number} does not fit in 64 bits")))
    }
}

macro_rules! from_number {
    ($($name:ident: $number:ident),*) => {$(
        impl Strict for $name {
            fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                $number::read(deserializer).map($name)
            }
        }
    )*};
}

from_number!(Fee: u128, GasPrice: u128, Tip: u64, GasAmount: u64);

impl Strict for ChainId {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        // Contracts read the chain id as a short string.
        if name.is_empty() || name.len() > 31 || !name.is_ascii() {
            return Err(D::Error::custom(format!("{:?} is not 1 to 31 ASCII characters", shown(&name))));
        }
        Ok(Self::from(name))
    }
}

impl<T: Strict> Strict for Option<T> {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Option::<Item<T>>::deserialize(deserializer)?.map(|item| item.0))
    }
}

impl<T: Strict> Strict for Vec<T> {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Vec::<Item<T>>::deserialize(deserializer)?.into_iter().map(|item| item.0).collect())
    }
}

impl<T: Strict + Hash + Eq, S: BuildHasher + Default> Strict for IndexSet<T, S> {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Vec::read(deserializer)?.into_iter().collect())
    }
}

impl<K: Strict + Ord + Serialize, V: Strict> Strict for BTreeMap<K, V> {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries<K, V>(PhantomData<(K, V)>);
        impl<'de, K: Strict + Ord + Serialize, V: Strict> Visitor<'de> for Entries<K, V> {
            type Value = BTreeMap<K, V>;
            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Self::Value, A::Error> {
                let mut entries = BTreeMap::new();
                while let Some(Item(key)) = object.next_key::<Item<K>>()? {
                    if entries.contains_key(&key) {
                        return Err(A::Error::custom(format!("duplicate key {}", shown_key(&key))));
                    }
                    let Item(value) = object.next_value()?;
                    entries.insert(key, value);
                }
                Ok(entries)
            }
        }
        deserializer.deserialize_map(Entries(PhantomData))
    }
}

/// A key in its JSON form.
fn shown_key(key: &impl Serialize) -> String {
    serde_json::to_string(key).unwrap_or_else(|_| "a key".to_owned())
}

/// In ascending order, as in the state diff.
impl<K, V, S> Strict for IndexMap<K, V, S>
where
    K: Strict + Ord + Hash + Serialize,
    V: Strict,
    S: BuildHasher + Default,
{
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(BTreeMap::read(deserializer)?.into_iter().collect())
    }
}
