//! The seam to the host: five reads, and the error that a read may fail with.
//!
//! In: implemented by hosts (databases, JSON-RPC clients, [`MemoryState`](super::MemoryState)) and by
//! [`BlockState`](super::BlockState). Out: called by [`Journal`](super::Journal), once per cell. Knows nothing of who asks.

use std::error::Error;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use starknet_api::core::{ClassHash, CompiledClassHash, ContractAddress, Nonce};
use starknet_api::state::StorageKey;
use starknet_types_core::felt::Felt;

use crate::class::ContractClass;

/// Reads the state before the block.
///
/// What was never written is zero (C188); a class that was never declared is `None`. An error means that the host could not
/// answer: it ends the execution and is never taken for an answer.
///
/// Works as `dyn StateReader`, and behind `&T`, `Box<T>` and `Arc<T>`.
pub trait StateReader {
    /// The value of a storage cell; zero if it was never written.
    fn storage_at(&self, address: ContractAddress, key: StorageKey) -> Result<Felt, ReadError>;

    /// The nonce of a contract; zero if it was never raised.
    fn nonce_at(&self, address: ContractAddress) -> Result<Nonce, ReadError>;

    /// The class hash of a contract; zero if nothing is deployed there.
    fn class_hash_at(&self, address: ContractAddress) -> Result<ClassHash, ReadError>;

    /// A declared class, ready to run; `None` if it is not declared.
    fn class(&self, class_hash: ClassHash) -> Result<Option<ContractClass>, ReadError>;

    /// The compiled class hash that the state holds for a class; zero if it is not declared or a Cairo 0 class.
    fn compiled_class_hash(&self, class_hash: ClassHash) -> Result<CompiledClassHash, ReadError>;
}

// A reader must be usable as a trait object; this line stops compiling when it no longer is.
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

/// Why a host's reader could not answer. Wraps the host's own error, which can be taken out again with
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

/// Equal if it is the same error or reads the same: the wrapped error need not be comparable.
impl PartialEq for ReadError {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0.to_string() == other.0.to_string()
    }
}

impl Eq for ReadError {}

/// Writes the text of the host's error.
impl Serialize for ReadError {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Reads an error that is only a [text](ReadError::message).
impl<'de> Deserialize<'de> for ReadError {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::message)
    }
}

/// One cell of the state: what a single read answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum StateKey {
    /// A storage cell of a contract.
    Storage(ContractAddress, StorageKey),
    /// The nonce of a contract.
    Nonce(ContractAddress),
    /// The class hash of a contract.
    ClassHash(ContractAddress),
    /// A class, or that it is not declared.
    Class(ClassHash),
    /// The compiled class hash of a class.
    CompiledClassHash(ClassHash),
}

/// Two digits at a time: as arrays they would be hashed byte by byte, each with its length.
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
    fn the_hosts_error_comes_back_out() {
        let error = ReadError::new(DatabaseGone(7));
        assert_eq!(error.to_string(), "database gone (7)");
        assert_eq!(error.downcast_ref::<DatabaseGone>(), Some(&DatabaseGone(7)));
        assert_eq!(error.source().and_then(|source| source.downcast_ref()), Some(&DatabaseGone(7)));
        assert_eq!(error.clone(), error);
        assert_ne!(error, ReadError::message("timeout"));
        assert_eq!(ReadError::message("timeout").to_string(), "timeout");
    }

    #[test]
    fn cells_name_themselves() {
        let address = ContractAddress::from(0x10_u128);
        let key = StorageKey::from(0x20_u128);
        assert_eq!(StateKey::Storage(address, key).to_string(), "storage 0x20 of contract 0x10");
        assert_eq!(StateKey::Class(ClassHash(Felt::from(0x30))).to_string(), "class 0x30");
    }
}
