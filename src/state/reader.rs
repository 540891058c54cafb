//! The interface to the host's state: five reads, and the error of a failed read.
//!
//! Input: implemented by hosts (databases, JSON-RPC clients, [`MemoryState`](super::MemoryState)) and by
//! [`BlockState`](super::BlockState). Output: called by [`Journal`](super::Journal), once per cell.

use std::error::Error;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use starknet_api::core::{ClassHash, CompiledClassHash, ContractAddress, Nonce};
use starknet_api::state::StorageKey;
use starknet_types_core::felt::Felt;

use crate::class::ContractClass;

/// The state before the block, as the host provides it.
///
/// A cell that was never written is zero ([C188](crate::rules#c188)); a class that was never declared is
/// `None`. An error means that the host cannot answer: the execution ends with
/// [`StateError::Read`](super::StateError::Read), and nothing is committed.
///
/// Readers may be slow and may block: each cell is read once per block, and never under a lock. The trait is
/// usable as `dyn StateReader`, and is implemented for `&T`, `Box<T>` and `Arc<T>`.
///
/// ```
/// use std::collections::HashMap;
///
/// use starkiln::class::ContractClass;
/// use starkiln::starknet_api::core::{ClassHash, CompiledClassHash, ContractAddress, Nonce};
/// use starkiln::starknet_api::state::StorageKey;
/// use starkiln::state::{ReadError, StateReader};
/// use starkiln::Felt;
///
/// #[derive(Default)]
/// struct Database {
///     storage: HashMap<(ContractAddress, StorageKey), Felt>,
///     nonces: HashMap<ContractAddress, Nonce>,
///     class_hashes: HashMap<ContractAddress, ClassHash>,
///     classes: HashMap<ClassHash, (ContractClass, CompiledClassHash)>,
/// }
///
/// impl StateReader for Database {
///     fn storage_at(&self, address: ContractAddress, key: StorageKey) -> Result<Felt, ReadError> {
///         Ok(self.storage.get(&(address, key)).copied().unwrap_or_default())
///     }
///     fn nonce_at(&self, address: ContractAddress) -> Result<Nonce, ReadError> {
///         Ok(self.nonces.get(&address).copied().unwrap_or_default())
///     }
///     fn class_hash_at(&self, address: ContractAddress) -> Result<ClassHash, ReadError> {
///         Ok(self.class_hashes.get(&address).copied().unwrap_or_default())
///     }
///     fn class(&self, class_hash: ClassHash) -> Result<Option<ContractClass>, ReadError> {
///         Ok(self.classes.get(&class_hash).map(|(class, _)| class.clone()))
///     }
///     fn compiled_class_hash(&self, class_hash: ClassHash) -> Result<CompiledClassHash, ReadError> {
///         Ok(self.classes.get(&class_hash).map(|(_, compiled)| *compiled).unwrap_or_default())
///     }
/// }
///
/// let reader: &dyn StateReader = &Database::default();
/// assert_eq!(reader.nonce_at(ContractAddress::from(1_u128)).unwrap(), Nonce::default());
/// ```
pub trait StateReader {
    /// The value of a storage cell; zero if it was never written.
    fn storage_at(&self, address: ContractAddress, key: StorageKey) -> Result<Felt, ReadError>;

    /// The nonce of a contract; zero if it was never incremented.
    fn nonce_at(&self, address: ContractAddress) -> Result<Nonce, ReadError>;

    /// The class hash of a contract; zero if nothing is deployed there.
    fn class_hash_at(&self, address: ContractAddress) -> Result<ClassHash, ReadError>;

    /// A class; `None` if it is not declared.
    fn class(&self, class_hash: ClassHash) -> Result<Option<ContractClass>, ReadError>;

    /// The compiled class hash that the state holds for a class; zero if it is not declared or a Cairo 0
    /// class.
    fn compiled_class_hash(&self, class_hash: ClassHash) -> Result<CompiledClassHash, ReadError>;
}

// Does not compile unless the trait is object-safe.
const _: fn(&dyn StateReader) = |_| {};

macro_rules! forward_reader {
    ($($pointer:ty),*) => {$(
        impl<T: StateReader + ?Sized> StateReader for $pointer {
            fn storage_at(&self, address: ContractAddress, key: StorageKey) -> Result<Felt, ReadError> {
                (**self).storage_at(address, key)
            }

            fn nonce_at(&self, address: ContractAddress) -> Result<Nonce, ReadError> {
                (**self).nonce_at(address)
            }

            fn class_hash_at(&self, address: ContractAddress) -> Result<ClassHash, ReadError> {
                (**self).class_hash_at(address)
            }

            fn class(&self, class_hash: ClassHash) -> Result<Option<ContractClass>, ReadError> {
                (**self).class(class_hash)
            }

            fn compiled_class_hash(&self, class_hash: ClassHash) -> Result<CompiledClassHash, ReadError> {
                (**self).compiled_class_hash(class_hash)
            }
        }
    )*};
}

forward_reader!(&T, Box<T>, Arc<T>);

/// The error of a host's reader. Wraps the host's own error, which is available through
/// [`downcast_ref`](Self::downcast_ref) or through [`source`](Error::source).
#[derive(Clone, Debug)]
pub struct ReadError(Arc<dyn Error + Send + Sync>);

impl ReadError {
    /// Wraps the host's error.
    pub fn new(error: impl Error + Send + Sync + 'static) -> Self {
        Self(Arc::new(error))
    }

    /// An error that is only a text.
    pub fn message(text: impl Into<String>) -> Self {
        Self(Arc::from(Box::<dyn Error + Send + Sync>::from(text.into())))
    }

    /// The host's error, if it is an `E`.
    pub fn downcast_ref<E: Error + 'static>(&self) -> Option<&E> {
        self.0.downcast_ref()
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, formatter)
    }
}

impl Error for ReadError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.0)
    }
}

/// Equal if it is the same error or has the same text: the wrapped error need not be comparable.
impl PartialEq for ReadError {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0.to_string() == other.0.to_string()
    }
}

impl Eq for ReadError {}

/// Serialises the text of the host's error.
impl Serialize for ReadError {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Deserialises an error that is only a [text](ReadError::message).
impl<'de> Deserialize<'de> for ReadError {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::message)
    }
}

/// The key of one cell of the state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum StateKey {
    /// A storage cell of a contract.
    Storage(ContractAddress, StorageKey),
    /// The nonce of a contract.
    Nonce(ContractAddress),
    /// The class hash of a contract.
    ClassHash(ContractAddress),
    /// A class, declared or not.
    Class(ClassHash),
    /// The compiled class hash of a class.
    CompiledClassHash(ClassHash),
}

/// Hashes two words at a time. Derived code would hash felts as arrays: byte by byte, with their lengths.
impl Hash for StateKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let (kind, name, key) = match self {
            Self::Storage(address, key) => (0, address.0, Some(key.0)),
            Self::Nonce(address) => (1, address.0, None),
            Self::ClassHash(address) => (2, address.0, None),
            Self::Class(class_hash) => return hash_felt(3, &class_hash.0, state),
            Self::CompiledClassHash(class_hash) => return hash_felt(4, &class_hash.0, state),
        };
        hash_felt(kind, name.key(), state);
        if let Some(key) = key {
            hash_felt(kind, key.key(), state);
        }
    }
}

fn hash_felt<H: Hasher>(kind: u8, felt: &Felt, state: &mut H) {
    let [first, second, third, fourth] = felt.to_raw().map(u128::from);
    state.write_u128(first << 64 | second);
    state.write_u128(third << 64 | fourth ^ u128::from(kind));
}

impl fmt::Display for StateKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Storage(address, key) => {
                write!(formatter, "storage {:#x} of contract {:#x}", ***key, ***address)
            }
            Self::Nonce(address) => write!(formatter, "nonce of contract {:#x}", ***address),
            Self::ClassHash(address) => {
                write!(formatter, "class hash of contract {:#x}", ***address)
            }
            Self::Class(class_hash) => write!(formatter, "class {:#x}", **class_hash),
            Self::CompiledClassHash(class_hash) => {
                write!(formatter, "compiled class hash of class {:#x}", **class_hash)
            }
        }
    }
}

#[cfg(test)]
mod tests {

    use super::*;

    #[derive(Debug, PartialEq, Eq)]
    struct DatabaseGone(u32);

    impl fmt::Display for DatabaseGone {
        fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(formatter, "database gone ({})", self.0)
        }
    }

    impl Error for DatabaseGone {}

    #[test]
    fn the_hosts_error_is_available() {
        let error = ReadError::new(DatabaseGone(7));
        assert_eq!(error.to_string(), "database gone (7)");
        assert_eq!(error.downcast_ref::<DatabaseGone>(), Some(&DatabaseGone(7)));
        assert_eq!(error.source().and_then(|source| source.downcast_ref()), Some(&DatabaseGone(7)));
        assert_eq!(error.clone(), error);
        assert_ne!(error, ReadError::message("timeout"));
        assert_eq!(ReadError::message("timeout").to_string(), "timeout");
    }

    #[test]
    fn state_keys_print_their_kind_and_address() {
        let address = ContractAddress::from(0x10_u128);
        let key = StorageKey::from(0x20_u128);
        assert_eq!(StateKey::Storage(address, key).to_string(), "storage 0x20 of contract 0x10");
        assert_eq!(StateKey::Class(ClassHash(Felt::from(0x30))).to_string(), "class 0x30");
    }
}
