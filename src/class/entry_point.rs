//! Entry points: the offset at which a call starts and the builtins that it uses.
//!
//! Input: the lists of a compiled class. Output: the same lists, with typed builtins and with the results of
//! the checks that each call would otherwise repeat. Must not know: the effect of a failed lookup on a call.

use serde::Deserialize;
use starknet_api::contract_class::EntryPointType;
use starknet_api::core::EntryPointSelector;
use starknet_types_core::felt::Felt;

use super::error::{ClassError, list_name};
use super::felt_text::shown;
use crate::protocol::Builtin;

/// The builtins that a Cairo 1 entry point may use, in the order that its list must have
/// ([C90](crate::rules#c90)).
const CAIRO1_BUILTIN_ORDER: [Builtin; 9] = [
    Builtin::Pedersen,
    Builtin::RangeCheck,
    Builtin::Bitwise,
    Builtin::EcOp,
    Builtin::Poseidon,
    Builtin::SegmentArena,
    Builtin::RangeCheck96,
    Builtin::AddMod,
    Builtin::MulMod,
];

/// The names of builtins in compiled classes. They include builtins that no Cairo 1 entry point may use: such
/// a class loads, and fails when it is called (C90).
const CASM_NAMES: [(&str, Builtin); 12] = [
    ("pedersen", Builtin::Pedersen),
    ("range_check", Builtin::RangeCheck),
    ("bitwise", Builtin::Bitwise),
    ("ec_op", Builtin::EcOp),
    ("poseidon", Builtin::Poseidon),
    ("segment_arena", Builtin::SegmentArena),
    ("range_check96", Builtin::RangeCheck96),
    ("add_mod", Builtin::AddMod),
    ("mul_mod", Builtin::MulMod),
    ("output", Builtin::Output),
    ("ecdsa", Builtin::Ecdsa),
    ("keccak", Builtin::Keccak),
];

/// An entry point of a class compiled from Sierra.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct EntryPoint {
    /// The selector: the hash of the function's name.
    pub selector: EntryPointSelector,
    /// The index of the first instruction in the bytecode; always inside it.
    pub offset: usize,
    /// The builtins that the entry point uses, in the order of its arguments.
    pub builtins: Vec<Builtin>,
    /// `true` if `builtins` is an ordered subsequence of the Cairo 1 builtins. A call to an entry point
    /// where it is not ends the transaction ([C90](crate::rules#c90)).
    pub builtins_valid: bool,
    /// `true` if another entry point of the same type has the same selector. The gateway's compiler rejects
    /// such a class; a call to either entry point ends the transaction.
    pub repeated: bool,
}

/// An entry point of a compiled class before it is checked.
pub(super) struct RawEntryPoint {
    pub(super) selector: Felt,
    pub(super) offset: usize,
    pub(super) builtins: Vec<String>,
}

/// The entry points of a class by type, each list in the order of the file, which is the order that is
/// hashed.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) struct ByType<E> {
    pub(super) constructor: Vec<E>,
    pub(super) external: Vec<E>,
    pub(super) l1_handler: Vec<E>,
}

/// The place of an entry point in a class file.
#[derive(Clone, Copy)]
pub(super) struct Place {
    pub(super) entry_point_type: EntryPointType,
    index: usize,
}

impl Place {
    /// Returns the path of a field: `entry_points_by_type.EXTERNAL[2].selector`.
    pub(super) fn field(self, name: &str) -> String {
        let Self { entry_point_type, index } = self;
        format!("entry_points_by_type.{}[{index}].{name}", list_name(entry_point_type))
    }
}

impl<E> ByType<E> {
    /// Returns the list of one type.
    pub(super) fn of_type(&self, entry_point_type: EntryPointType) -> &[E] {
        match entry_point_type {
            EntryPointType::Constructor => &self.constructor,
            EntryPointType::External => &self.external,
            EntryPointType::L1Handler => &self.l1_handler,
        }
    }

    /// Converts every entry point. `convert` also gets its place, for errors.
    pub(super) fn try_map<T>(
        self,
        convert: impl Fn(E, Place) -> Result<T, ClassError>,
    ) -> Result<ByType<T>, ClassError> {
        let list = |entry_point_type, list: Vec<E>| {
            let places = (0..).map(|index| Place { entry_point_type, index });
            list.into_iter()
                .zip(places)
                .map(|(entry_point, place)| convert(entry_point, place))
                .collect::<Result<Vec<T>, _>>()
        };
        Ok(ByType {
            constructor: list(EntryPointType::Constructor, self.constructor)?,
            external: list(EntryPointType::External, self.external)?,
            l1_handler: list(EntryPointType::L1Handler, self.l1_handler)?,
        })
    }
}

impl ByType<EntryPoint> {
    /// Checks the entry points of a compiled class.
    pub(super) fn prepare(lists: ByType<RawEntryPoint>, bytecode_len: usize) -> Result<Self, ClassError> {
        Ok(Self {
            constructor: prepare_list(EntryPointType::Constructor, lists.constructor, bytecode_len)?,
            external: prepare_list(EntryPointType::External, lists.external, bytecode_len)?,
            l1_handler: prepare_list(EntryPointType::L1Handler, lists.l1_handler, bytecode_len)?,
        })
    }

    /// Returns the first entry point of that type and selector.
    ///
    /// Lists have some tens of entries. Felts are compared for equality in Montgomery form but must be
    /// converted to be ordered, so a linear search is faster than a binary one.
    pub(super) fn find(
        &self,
        entry_point_type: EntryPointType,
        selector: EntryPointSelector,
    ) -> Option<&EntryPoint> {
        self.of_type(entry_point_type).iter().find(|entry_point| entry_point.selector == selector)
    }
}

/// Checks one list of a compiled class.
fn prepare_list(
    entry_point_type: EntryPointType,
    list: Vec<RawEntryPoint>,
    bytecode_len: usize,
) -> Result<Vec<EntryPoint>, ClassError> {
    let mut selectors = std::collections::BTreeMap::new();
    for raw in &list {
        let count: &mut usize = selectors.entry(raw.selector).or_default();
        *count = count.saturating_add(1); // entries that are in memory
    }
    list.into_iter()
        .map(|raw| {
            let selector = EntryPointSelector(raw.selector);
            if raw.offset >= bytecode_len {
                return Err(ClassError::EntryPointOutsideBytecode {
                    entry_point_type,
                    selector,
                    offset: raw.offset,
                    bytecode_len,
                });
            }
            let builtins = raw
                .builtins
                .iter()
                .map(|name| {
                    from_casm_name(name).ok_or_else(|| ClassError::UnknownBuiltin {
                        entry_point_type,
                        selector,
                        name: shown(name),
                    })
                })
                .collect::<Result<Vec<_>, _>>()?;
            Ok(EntryPoint {
                selector,
                offset: raw.offset,
                builtins_valid: in_canonical_order(&builtins),
                builtins,
                repeated: selectors.get(&raw.selector).is_some_and(|count| *count > 1),
            })
        })
        .collect()
}

/// Returns `true` if the list is an ordered subsequence of the canonical order (C90).
fn in_canonical_order(builtins: &[Builtin]) -> bool {
    let mut order = CAIRO1_BUILTIN_ORDER.iter();
    builtins.iter().all(|builtin| order.any(|allowed| allowed == builtin))
}

/// Returns the builtin with this name in compiled classes; Cairo 0 and Cairo 1 use the same names.
pub(super) fn from_casm_name(name: &str) -> Option<Builtin> {
    CASM_NAMES.iter().find(|(known, _)| *known == name).map(|(_, builtin)| *builtin)
}

/// Returns the name of the builtin in compiled classes, which is the name that is hashed.
pub(super) fn casm_name(builtin: Builtin) -> &'static str {
    // Entry points only have builtins that `from_casm_name` returned, so the default is never used.
    CASM_NAMES.iter().find(|(_, known)| *known == builtin).map_or("", |(name, _)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(selector: u64, offset: usize, builtins: &[&str]) -> RawEntryPoint {
        RawEntryPoint {
            selector: selector.into(),
            offset,
            builtins: builtins.iter().map(|name| (*name).to_owned()).collect(),
        }
    }

    #[test]
    fn builtin_lists_are_checked_but_kept() {
        let valid = |builtins: &[&str]| {
            prepare_list(EntryPointType::External, vec![raw(1, 0, builtins)], 1).unwrap()[0].builtins_valid
        };
        assert!(valid(&[]));
        assert!(valid(&[
            "pedersen",
            "range_check",
            "bitwise",
            "ec_op",
            "poseidon",
            "segment_arena",
            "range_check96",
            "add_mod",
            "mul_mod"
        ]));
        assert!(valid(&["range_check", "mul_mod"]));
        for wrong in [
            &["range_check", "pedersen"][..],
            &["pedersen", "pedersen"],
            &["output"],
            &["range_check", "ecdsa"],
            &["keccak"],
        ] {
            assert!(!valid(wrong), "{wrong:?}");
        }
        for (name, builtin) in CASM_NAMES {
            assert_eq!((from_casm_name(name), casm_name(builtin)), (Some(builtin), name));
        }
    }

    #[test]
    fn repeated_selectors_are_marked_and_the_first_is_found() {
        let external =
            prepare_list(EntryPointType::External, vec![raw(7, 0, &[]), raw(8, 1, &[]), raw(7, 2, &[])], 3)
                .unwrap();
        let points = ByType { external, constructor: Vec::new(), l1_handler: Vec::new() };
        let find = |typ, selector: u64| points.find(typ, EntryPointSelector(selector.into()));
        assert_eq!(
            find(EntryPointType::External, 7).map(|found| (found.offset, found.repeated)),
            Some((0, true))
        );
        assert_eq!(
            find(EntryPointType::External, 8).map(|found| (found.offset, found.repeated)),
            Some((1, false))
        );
        assert_eq!(find(EntryPointType::External, 9), None);
        assert_eq!(find(EntryPointType::L1Handler, 7), None);
    }

    #[test]
    fn errors_name_the_entry_point() {
        let typ = EntryPointType::L1Handler;
        let selector = EntryPointSelector(Felt::from(5));
        assert_eq!(
            prepare_list(typ, vec![raw(5, 3, &[])], 3),
            Err(ClassError::EntryPointOutsideBytecode {
                entry_point_type: typ,
                selector,
                offset: 3,
                bytecode_len: 3
            })
        );
        assert_eq!(
            prepare_list(typ, vec![raw(5, 0, &["pedersen_builtin"])], 3),
            Err(ClassError::UnknownBuiltin {
                entry_point_type: typ,
                selector,
                name: "pedersen_builtin".to_owned()
            })
        );
    }
}
