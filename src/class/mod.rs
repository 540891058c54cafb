//! Contract classes, prepared for execution once and shared by all calls.
//!
//! Input: Sierra JSON, CASM JSON, Cairo 0 JSON, or the structures of the compiler's library. Output: entry
//! points with checked builtins, hints decoded and indexed by pc, bytecode, hashes. All work that does not
//! depend on a call is done here, so that calls do not repeat it.
//!
//! Must not know: state, calls, fees, the declaration of a class, or its storage.

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
mod parts;
mod segment;

use std::sync::Arc;

use starknet_api::contract_class::SierraVersion;
use starknet_api::core::{CompiledClassHash, EntryPointSelector};

pub use self::cairo0::{Cairo0Class, cairo0_class_hash};
pub use self::cairo1::Cairo1Class;
pub use self::compile::compile_sierra;
pub use self::declared::DeclaredClass;
pub use self::error::{ClassError, ClassInput};
pub use self::hash::sierra_class_hash;
pub use self::load::sierra_class_from_json;

// Used by tests and benches.
#[doc(hidden)]
pub use self::cairo0::{CAIRO0_BUILTINS, Cairo0EntryPoint, Cairo0Lookup, cairo0_abi_length};
#[doc(hidden)]
pub use self::compile::sierra_version;
#[doc(hidden)]
pub use self::entry_point::EntryPoint;
#[doc(hidden)]
pub use self::hash_cost::HashCosts;
#[doc(hidden)]
pub use self::segment::{SegmentSize, SegmentSizes};

pub(crate) use self::cairo0::{HintKind, PreparedHint};

use crate::protocol::Constants;

/// The Sierra version that is reported for Cairo 0 classes.
static NO_SIERRA: SierraVersion = SierraVersion::DEPRECATED;

/// A class that is prepared for execution. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ContractClass {
    /// A class compiled from Cairo 0.
    Cairo0(Arc<Cairo0Class>),
    /// A class compiled from Sierra.
    Cairo1(Arc<Cairo1Class>),
}

impl ContractClass {
    /// Returns `true` if the class was compiled from Sierra.
    pub fn is_cairo1(&self) -> bool {
        match self {
            Self::Cairo0(_) => false,
            Self::Cairo1(_) => true,
        }
    }

    /// Returns the Sierra version of the class; 0.0.0 for a Cairo 0 class.
    pub fn sierra_version(&self) -> &SierraVersion {
        match self {
            Self::Cairo0(_) => &NO_SIERRA,
            Self::Cairo1(class) => class.sierra_version(),
        }
    }

    /// Returns compiled class hash v2 (Blake); `None` for a Cairo 0 class, which has no compiled class hash.
    pub fn compiled_class_hash_v2(&self) -> Option<CompiledClassHash> {
        match self {
            Self::Cairo0(_) => None,
            Self::Cairo1(class) => Some(class.compiled_class_hash_v2()),
        }
    }

    /// Returns the OS cost of hashing the class ([C209](crate::rules#c209), [C211](crate::rules#c211)). For a
    /// class compiled from Sierra it is computed once, on the first call.
    pub fn hash_costs(&self) -> HashCosts {
        match self {
            Self::Cairo0(class) => {
                HashCosts::of_cairo0(class.n_entry_points(), class.n_builtins(), class.bytecode_len())
            }
            Self::Cairo1(class) => class.hash_costs(),
        }
    }

    /// Returns the number of felts in the bytecode ([C40](crate::rules#c40)).
    pub fn bytecode_len(&self) -> usize {
        match self {
            Self::Cairo0(class) => class.bytecode_len(),
            Self::Cairo1(class) => class.bytecode_len(),
        }
    }

    /// Returns the selector of the first constructor entry point, if there is one ([C70](crate::rules#c70)).
    pub fn constructor_selector(&self) -> Option<EntryPointSelector> {
        match self {
            Self::Cairo0(class) => class.constructor_selector(),
            Self::Cairo1(class) => class.constructor_selector(),
        }
    }

    /// Returns `true` if a frame of this class is metered in Sierra gas, unless a caller is already metered
    /// in Cairo steps.
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
