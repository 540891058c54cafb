//! The notations of the data files in `resources/protocol/` that a derived `Deserialize` cannot read.
//!
//! Input: JSON values. Output: tables, numbers and felts. A name that a table does not mention counts as 0.

use std::collections::BTreeMap;
use std::num::NonZeroU64;

use serde::{Deserialize, Deserializer, de};
use starknet_api::execution_resources::{GasAmount, GasVector};
use starknet_api::transaction::fields::Tip;
use starknet_types_core::felt::Felt;

use super::counters::{Builtin, BuiltinCounts, VmResources};
use super::syscalls::SyscallName;

/// A builtin by its short name.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct ShortName(Builtin);

impl<'de> Deserialize<'de> for ShortName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        let builtin = Builtin::from_short_name(&name);
        builtin.map(Self).ok_or_else(|| de::Error::custom(format!("`{name}` is not a builtin")))
    }
}

/// Reads a table by builtin, from short names; a missing builtin gets the default.
pub(super) fn by_builtin<'de, D, T>(deserializer: D) -> Result<[T; Builtin::COUNT], D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    let mut named = BTreeMap::<ShortName, T>::deserialize(deserializer)?;
    Ok(Builtin::ALL.map(|builtin| named.remove(&ShortName(builtin)).unwrap_or_default()))
}

/// Reads a table by syscall; a missing syscall gets the default.
pub(super) fn by_syscall<'de, D, T>(deserializer: D) -> Result<[T; SyscallName::COUNT], D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    let mut named = BTreeMap::<SyscallName, T>::deserialize(deserializer)?;
    Ok(SyscallName::ALL.map(|syscall| named.remove(&syscall).unwrap_or_default()))
}

/// Reads builtin counts, from short names.
pub(super) fn builtin_counts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BuiltinCounts, D::Error> {
    let counts = BTreeMap::<ShortName, u64>::deserialize(deserializer)?;
    Ok(counts.into_iter().map(|(ShortName(builtin), count)| (builtin, count)).collect())
}

/// Reads VM resources, with the short names of builtins.
pub(super) fn resources<'de, D: Deserializer<'de>>(deserializer: D) -> Result<VmResources, D::Error> {
    #[derive(Deserialize, Default)]
    #[serde(deny_unknown_fields, default)]
    struct Resources {
        steps: u64,
        memory_holes: u64,
        #[serde(deserialize_with = "builtin_counts")]
        builtins: BuiltinCounts,
    }
    let Resources { steps, memory_holes, builtins } = Resources::deserialize(deserializer)?;
    Ok(VmResources { steps, memory_holes, builtins })
}

/// Reads a gas vector; all three gases are required, and no other field is allowed.
pub(super) fn gas_vector<'de, D: Deserializer<'de>>(deserializer: D) -> Result<GasVector, D::Error> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Gases {
        l1_gas: GasAmount,
        l1_data_gas: GasAmount,
        l2_gas: GasAmount,
    }
    let Gases { l1_gas, l1_data_gas, l2_gas } = Gases::deserialize(deserializer)?;
    Ok(GasVector { l1_gas, l1_data_gas, l2_gas })
}

/// Reads a number above 0.
pub(super) fn nonzero<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    NonZeroU64::deserialize(deserializer).map(NonZeroU64::get)
}

/// Reads a tip from a number.
pub(super) fn tip<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Tip, D::Error> {
    u64::deserialize(deserializer).map(Tip)
}

/// Reads felts from short strings.
pub(super) fn short_strings<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Felt>, D::Error> {
    let felt = |text: String| {
        if !text.is_ascii() || text.len() > 31 {
            return Err(de::Error::custom(format!("`{text}` is not a short string")));
        }
        Ok(Felt::from_bytes_be_slice(text.as_bytes()))
    };
    Vec::<String>::deserialize(deserializer)?.into_iter().map(felt).collect()
}

/// Reads three numbers joined by dots.
pub(super) fn dotted<'de, D: Deserializer<'de>>(deserializer: D) -> Result<(u64, u64, u64), D::Error> {
    let text = String::deserialize(deserializer)?;
    let numbers: Result<Vec<u64>, _> = text.split('.').map(str::parse).collect();
    match numbers.as_deref() {
        Ok([major, minor, patch]) => Ok((*major, *minor, *patch)),
        _ => Err(de::Error::custom(format!("`{text}` is not three numbers joined by dots"))),
    }
}
