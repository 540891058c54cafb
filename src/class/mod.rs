//! A contract class made ready to run, once, and shared by all who run it.
//!
//! In: Sierra JSON, CASM JSON, Cairo 0 JSON, or the compiler's own structures. Out: entry points with their builtins checked,
//! hints decoded and found by pc, bytecode, hashes. All work that does not depend on a call is done here, so that a call does
//! none of it.
//!
//! Must not know: state, calls, fees, who declared a class, or where it is stored.

mod abi_text;
mod cairo0;
mod cairo1;
mod compile;
mod declared;
mod engine_code;
mod entry_point;
mod error;
mod felt_text;
mod hash;
mod hash_cost;
mod hint_table;
mod load;
mod segment;

use std::sync::Arc;

use starknet_api::contract_class::SierraVersion;
use starknet_api::core::{CompiledClassHash, EntryPointSelector};

pub use self::cairo0::{
    CAIRO0_BUILTINS, Cairo0Class, Cairo0EntryPoint, Cairo0Lookup, cairo0_abi_length, cairo0_class_hash,
};
pub(crate) use self::cairo0::{HintKind, PreparedHint};
pub use self::cairo1::Cairo1Class;
pub use self::compile::{MAX_BYTECODE_LENGTH, compile_sierra, sierra_version};
pub use self::declared::DeclaredClass;
pub use self::entry_point::{CAIRO1_BUILTIN_ORDER, EntryPoint};
pub use self::error::{ClassError, ClassInput};
pub use self::hash::sierra_class_hash;
pub use self::hash_cost::HashCosts;
pub use self::load::{MAX_DECOMPRESSED_PROGRAM, sierra_class_from_json};
pub use self::segment::{SegmentSize, SegmentSizes};

use crate::protocol::Constants;

/// What stands for the Sierra version of a class that has none.
static NO_SIERRA: SierraVersion = SierraVersion::DEPRECATED;

/// A class that is ready to run. Cloning it copies a pointer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ContractClass {
    /// A class compiled from Cairo 0.
    Cairo0(Arc<Cairo0Class>),
    /// A class compiled from Sierra.
    Cairo1(Arc<Cairo1Class>),
}

impl ContractClass {
    /// Whether the class was compiled from Sierra.
    pub fn is_cairo1(&self) -> bool {
        match self {
            Self::Cairo0(_) => false,
            Self::Cairo1(_) => true,
        }
    }

    /// The Sierra version that the class was written in; 0.0.0 for a Cairo 0 class.
    pub fn sierra_version(&self) -> &SierraVersion {
        match self {
            Self::Cairo0(_) => &NO_SIERRA,
            Self::Cairo1(class) => class.sierra_version(),
        }
    }

    /// The compiled class hash of the second kind, by Blake; `None` for classes that have no compiled class hash.
    pub fn compiled_class_hash_v2(&self) -> Option<CompiledClassHash> {
        match self {
            Self::Cairo0(_) => None,
            Self::Cairo1(class) => Some(class.compiled_class_hash_v2()),
        }
    }

    /// What hashing the class costs the OS (C209, C211). Of a class compiled from Sierra computed once, when first asked.
    pub fn hash_costs(&self) -> HashCosts {
        match self {
            Self::Cairo0(class) => HashCosts::of_cairo0(class),
            Self::Cairo1(class) => class.hash_costs(),
        }
    }

    /// Number of felts in the bytecode (C40).
    pub fn bytecode_len(&self) -> usize {
        match self {
            Self::Cairo0(class) => class.bytecode_len(),
            Self::Cairo1(class) => class.bytecode_len(),
        }
    }

    /// Selector of the first constructor entry point, if there is one (C70).
    pub fn constructor_selector(&self) -> Option<EntryPointSelector> {
        match self {
            Self::Cairo0(class) => class.constructor_selector(),
            Self::Cairo1(class) => class.constructor_selector(),
        }
    }

    /// Whether a frame of this class counts Sierra gas, rather than Cairo steps, when nothing above it on the call stack already
    /// counts steps (1.6).
    pub fn tracked_by_gas(&self, constants: &Constants) -> bool {
        match self {
            Self::Cairo0(_) => false,
            Self::Cairo1(class) => class.tracked_by_gas(constants),
        }
    }
}

impl From<Cairo1Class> for ContractClass {
    fn from(class: Cairo1Class) -> Self {
        Self::Cairo1(Arc::new(class))
    }
}

impl From<Arc<Cairo1Class>> for ContractClass {
    fn from(class: Arc<Cairo1Class>) -> Self {
        Self::Cairo1(class)
    }
}

impl From<Cairo0Class> for ContractClass {
    fn from(class: Cairo0Class) -> Self {
        Self::Cairo0(Arc::new(class))
    }
}

impl From<Arc<Cairo0Class>> for ContractClass {
    fn from(class: Arc<Cairo0Class>) -> Self {
        Self::Cairo0(class)
    }
}
