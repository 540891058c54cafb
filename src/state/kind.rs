//! The kinds of state cells: one list, from which the tables of every kind and the loops over them are
//! generated.
//!
//! Input: one row per kind whose value is a felt. Output: [`FeltKind`], the structs with a table per kind,
//! and macros that repeat code for each kind with static types. Classes are not felts and are handled beside
//! these loops.
//!
//! To add a kind: a row here, a read and a [`StateKey`] in `reader`, its accessors in `journal`, and its
//! place in `diff`.

use std::hash::Hash;

use starknet_api::core::{ClassHash, CompiledClassHash, ContractAddress, Nonce};
use starknet_api::state::StorageKey;
use starknet_types_core::felt::Felt;

use super::{ReadError, StateKey, StateReader};

/// Calls a macro with its own input and one row per kind: documentation, `serde` attribute, variant of
/// `StateKey`, key in the tables, value, field of the tables, method of `StateReader`.
macro_rules! felt_kinds {
    ([$($callback:tt)+] $($input:tt)*) => {
        $($callback)+! { ($($input)*)
            {
                #[doc = "Storage cells."] #[serde(with = "ascending::storage")]
                Storage(address: ContractAddress, key: StorageKey) = (address, key): (ContractAddress, StorageKey)
                    => Felt, storage, storage_at
            }
            {
                #[doc = "Nonces by contract."] #[serde(serialize_with = "ascending::map")]
                Nonce(address: ContractAddress) = address: ContractAddress
                    => Nonce, nonces, nonce_at
            }
            {
                #[doc = "Class hashes by contract."] #[serde(serialize_with = "ascending::map")]
                ClassHash(address: ContractAddress) = address: ContractAddress
                    => ClassHash, class_hashes, class_hash_at
            }
            {
                #[doc = "Compiled class hashes by class."] #[serde(serialize_with = "ascending::map")]
                CompiledClassHash(class_hash: ClassHash) = class_hash: ClassHash
                    => CompiledClassHash, compiled_class_hashes, compiled_class_hash
            }
        }
    };
}

/// Defines a serialised struct with a public [`StateMap`] per kind, and further fields.
macro_rules! serialized_tables {
    (($(#[$meta:meta])* pub struct $name:ident { $($more:tt)* })
        $({ #[$doc:meta] #[$serde:meta] $kind:ident($($part:ident: $type:ty),*) = $key:tt: $key_type:ty
            => $value:ty, $field:ident, $read:ident })*
    ) => {
        $(#[$meta])*
        pub struct $name {
            $(#[$doc] #[$serde] pub $field: StateMap<$key_type, $value>,)*
            $($more)*
        }

        $(impl $crate::state::kind::Tables<$crate::state::kind::cell::$kind> for $name {
            type Table = StateMap<$key_type, $value>;

            fn table(&self) -> &Self::Table {
                &self.$field
            }

            fn table_mut(&mut self) -> &mut Self::Table {
                &mut self.$field
            }
        })*
    };
}

/// Defines a struct with a table per kind, and further fields.
macro_rules! plain_tables {
    (($(#[$meta:meta])* $vis:vis struct $name:ident: $table:ident { $($more:tt)* })
        $({ #[$doc:meta] #[$serde:meta] $kind:ident($($part:ident: $type:ty),*) = $key:tt: $key_type:ty
            => $value:ty, $field:ident, $read:ident })*
    ) => {
        $(#[$meta])*
        $vis struct $name {
            $(#[$doc] $vis $field: $table<$key_type, $value>,)*
            $($more)*
        }

        $(impl $crate::state::kind::Tables<$crate::state::kind::cell::$kind> for $name {
            type Table = $table<$key_type, $value>;

            fn table(&self) -> &Self::Table {
                &self.$field
            }

            fn table_mut(&mut self) -> &mut Self::Table {
                &mut self.$field
            }
        })*
    };
}

/// `for_each_kind!(Kind => { .. })`: the block once per kind, with `Kind` as its [`FeltKind`].
macro_rules! for_each_kind {
    ($kind:ident => $body:block) => {
        $crate::state::kind::felt_kinds! { [$crate::state::kind::for_each_row] $kind $body }
    };
}

macro_rules! for_each_row {
    (($alias:ident $body:block)
        $({ #[$doc:meta] #[$serde:meta] $kind:ident($($part:ident: $type:ty),*) = $key:tt: $key_type:ty
            => $value:ty, $field:ident, $read:ident })*
    ) => {
        $({
            type $alias = $crate::state::kind::cell::$kind;
            $body
        })*
    };
}

/// `match_kind!(state_key, Kind(key) => .., Class(class_hash) => ..)`: the first expression with the kind of
/// `state_key` as `Kind` and the key in its table as `key`; the second for a class.
macro_rules! match_kind {
    ($state_key:expr, $kind:ident($key:ident) => $felt:expr, Class($class_hash:ident) => $class:expr) => {
        $crate::state::kind::felt_kinds! {
            [$crate::state::kind::match_rows] $state_key, $kind, $key, $felt, $class_hash, $class
        }
    };
}

macro_rules! match_rows {
    (($state_key:expr, $alias:ident, $bound:ident, $felt:expr, $class_hash:ident, $class:expr)
        $({ #[$doc:meta] #[$serde:meta] $kind:ident($($part:ident: $type:ty),*) = $key:tt: $key_type:ty
            => $value:ty, $field:ident, $read:ident })*
    ) => {
        match $state_key {
            $($crate::state::StateKey::$kind($($part),*) => {
                type $alias = $crate::state::kind::cell::$kind;
                let $bound = $key;
                $felt
            })*
            $crate::state::StateKey::Class($class_hash) => $class,
        }
    };
}

/// `reader_methods!(self, Kind(key) => .., Class(class_hash) => ..)`: the methods of a [`StateReader`], from
/// one expression for all kinds and one for classes.
macro_rules! reader_methods {
    ($this:ident, $kind:ident($key:ident) => $felt:expr, Class($class_hash:ident) => $class:expr) => {
        fn class(
            &$this,
            $class_hash: starknet_api::core::ClassHash,
        ) -> Result<Option<$crate::class::ContractClass>, $crate::state::ReadError> {
            $class
        }

        $crate::state::kind::felt_kinds! { [$crate::state::kind::reader_rows] $this, $kind, $key, $felt }
    };
}

macro_rules! reader_rows {
    (($this:ident, $alias:ident, $bound:ident, $felt:expr)
        $({ #[$doc:meta] #[$serde:meta] $kind:ident($($part:ident: $type:ty),*) = $key:tt: $key_type:ty
            => $value:ty, $field:ident, $read:ident })*
    ) => {
        $(fn $read(&$this, $($part: $type),*) -> Result<$value, $crate::state::ReadError> {
            type $alias = $crate::state::kind::cell::$kind;
            let $bound = $key;
            $felt
        })*
    };
}

pub(crate) use {
    felt_kinds, for_each_kind, for_each_row, match_kind, match_rows, plain_tables, reader_methods,
    reader_rows, serialized_tables,
};

/// A kind of state cell whose value is a felt.
pub(crate) trait FeltKind {
    type Key: Copy + Eq + Hash + 'static;
    type Value: FeltValue;

    fn state_key(key: Self::Key) -> StateKey;

    /// Reads a cell from `reader`.
    fn load(reader: &(impl StateReader + ?Sized), key: Self::Key) -> Result<Self::Value, ReadError>;
}

/// A struct with a table per kind.
pub(crate) trait Tables<K: FeltKind> {
    type Table;
    fn table(&self) -> &Self::Table;
    fn table_mut(&mut self) -> &mut Self::Table;
}

macro_rules! implement_kinds {
    (()
        $({ #[$doc:meta] #[$serde:meta] $kind:ident($($part:ident: $type:ty),*) = $key:tt: $key_type:ty
            => $value:ty, $field:ident, $read:ident })*
    ) => {
        /// The [kinds](FeltKind), by the variant of [`StateKey`].
        pub(crate) mod cell {
            $(#[$doc] pub(crate) struct $kind;)*
        }

        $(
        impl FeltKind for cell::$kind {
            type Key = $key_type;
            type Value = $value;

            fn state_key($key: Self::Key) -> StateKey {
                StateKey::$kind($($part),*)
            }

            fn load(
                reader: &(impl StateReader + ?Sized),
                $key: Self::Key,
            ) -> Result<Self::Value, ReadError> {
                reader.$read($($part),*)
            }
        }
        )*
    };
}

felt_kinds! { [implement_kinds] }

/// The value of a cell that is a felt.
pub(crate) trait FeltValue: Copy + Default + PartialEq + 'static {
    fn felt(self) -> Felt;
    fn from_felt(felt: Felt) -> Self;
}

impl FeltValue for Felt {
    fn felt(self) -> Felt {
        self
    }

    fn from_felt(felt: Felt) -> Self {
        felt
    }
}

macro_rules! felt_values {
    ($($value:ident),*) => {$(
        impl FeltValue for $value {
            fn felt(self) -> Felt {
                self.0
            }

            fn from_felt(felt: Felt) -> Self {
                $value(felt)
            }
        }
    )*};
}

felt_values!(Nonce, ClassHash, CompiledClassHash);
