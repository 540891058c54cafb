//! The classes of a block file, prepared for execution.
//!
//! Input: an entry and the folder of its relative paths. Output: the class, with its lengths if it can be
//! declared, and with its hashes checked where that is possible. Must not know: contracts, transactions.

use std::borrow::Cow;
use std::path::Path;

use starknet_api::contract_class::SierraVersion;
use starknet_api::core::{ClassHash, CompiledClassHash};
use starknet_api::state::SierraContractClass;

use super::error::{ClassFault, FileError, FileFault};
use super::file::{ClassEntry, ClassText};
use super::input;
use crate::class::{
    Cairo1Class, ContractClass, DeclaredClass, cairo0_class_hash, sierra_class_from_json, sierra_class_hash,
};

/// A class, prepared for execution.
#[derive(Clone, Debug)]
pub(super) struct LoadedClass {
    /// The class.
    pub class: ContractClass,
    /// The class with the lengths that a declaration pays for; `None` without its Sierra.
    pub declared: Option<DeclaredClass>,
}

/// Loads a class. `compiled` is its compiled class hash in the state.
pub(super) fn load(
    class_hash: ClassHash,
    entry: &ClassEntry,
    compiled: Option<CompiledClassHash>,
    base_dir: &Path,
) -> Result<LoadedClass, FileError> {
    // Errors name the file of the class.
    let at = |text: &ClassText| {
        let file = match text {
            ClassText::File(file) => Some(base_dir.join(file)),
            ClassText::Inline(_) => None,
        };
        move |fault| FileError::from(FileFault::Class { class_hash, file, fault })
    };
    match entry {
        ClassEntry::Cairo0(text) => {
            let declared = load_cairo0(class_hash, text, base_dir).map_err(at(text))?;
            Ok(LoadedClass { class: declared.class.clone(), declared: Some(declared) })
        }
        ClassEntry::Sierra(sierra) => {
            let declared = load_sierra(class_hash, sierra, base_dir).map_err(at(sierra))?;
            Ok(LoadedClass { class: declared.class.clone(), declared: Some(declared) })
        }
        ClassEntry::Casm { casm, sierra_version, sierra } => {
            let class = load_casm(casm, sierra_version, compiled, base_dir).map_err(at(casm))?;
            let declared = match sierra {
                Some(text) => {
                    let sierra = read_sierra(class_hash, text, base_dir).map_err(at(text))?;
                    Some(DeclaredClass {
                        class: class.clone(),
                        sierra_program_length: sierra.sierra_program.len() as u64,
                        abi_length: sierra.abi.len() as u64,
                    })
                }
                None => None,
            };
            Ok(LoadedClass { class, declared })
        }
    }
}

fn load_sierra(
    class_hash: ClassHash,
    text: &ClassText,
    base_dir: &Path,
) -> Result<DeclaredClass, ClassFault> {
    Ok(DeclaredClass::from_sierra(&read_sierra(class_hash, text, base_dir)?)?)
}

/// Reads a Cairo 0 class and checks its hash.
fn load_cairo0(
    class_hash: ClassHash,
    text: &ClassText,
    base_dir: &Path,
) -> Result<DeclaredClass, ClassFault> {
    let json = json(text, base_dir)?;
    match cairo0_class_hash(&json)? {
        actual if actual == class_hash => Ok(DeclaredClass::from_cairo0_json(&json)?),
        actual => Err(ClassFault::Hash { actual }),
    }
}

/// Reads a Sierra class and checks its hash.
fn read_sierra(
    class_hash: ClassHash,
    text: &ClassText,
    base_dir: &Path,
) -> Result<SierraContractClass, ClassFault> {
    let sierra = sierra_class_from_json(json(text, base_dir)?)?;
    match sierra_class_hash(&sierra) {
        actual if actual == class_hash => Ok(sierra),
        actual => Err(ClassFault::Hash { actual }),
    }
}

/// Reads a compiled class and checks its hash, if it is known. (A class compiled from Sierra here is not
/// checked: the code depends on the version of the compiler.)
fn load_casm(
    text: &ClassText,
    sierra_version: &str,
    compiled: Option<CompiledClassHash>,
    base_dir: &Path,
) -> Result<ContractClass, ClassFault> {
    let version =
        parse_version(sierra_version).ok_or_else(|| ClassFault::SierraVersion(sierra_version.to_owned()))?;
    let class = Cairo1Class::from_casm_json(json(text, base_dir)?, version)?;
    if let Some(expected) = compiled {
        let (v1, v2) = (class.compiled_class_hash_v1(), class.compiled_class_hash_v2());
        if expected != v1 && expected != v2 {
            return Err(ClassFault::CompiledHash { expected, v1, v2 });
        }
    }
    Ok(class.into())
}

fn json<'text>(text: &'text ClassText, base_dir: &Path) -> Result<Cow<'text, [u8]>, ClassFault> {
    match text {
        ClassText::File(file) => Ok(Cow::Owned(input::read(&base_dir.join(file))?)),
        ClassText::Inline(text) => Ok(Cow::Borrowed(text.as_bytes())),
    }
}

fn parse_version(text: &str) -> Option<SierraVersion> {
    let mut numbers = text.split('.').map(|number| {
        Some(number).filter(|number| number.bytes().all(|byte| byte.is_ascii_digit()))?.parse().ok()
    });
    let version = SierraVersion::new(numbers.next()??, numbers.next()??, numbers.next()??);
    numbers.next().is_none().then_some(version)
}
