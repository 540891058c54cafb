//! Entry points: where a call begins and which builtins it is given.
//!
//! In: the lists of a compiled class. Out: the same lists with builtins by type and the checks that a call would repeat already
//! made. Must not know: what a failed lookup means for a call.

use starknet_api::contract_class::EntryPointType;
use starknet_api::core::EntryPointSelector;
use starknet_types_core::felt::Felt;

use super::error::ClassError;
use super::felt_text::shown;
use crate::protocol::Builtin;

/// The builtins that a Cairo 1 entry point may use, in the order it must name them (C90).
pub const CAIRO1_BUILTIN_ORDER: [Builtin; 9] = [
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

/// The names of builtins in compiled classes. Those that no Cairo 1 entry point may use are known too: such a class loads, and
/// fails when it is called (C90).
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

/// One function of a class that can be called from outside.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct EntryPoint {
    /// The name it is called by, hashed.
    pub selector: EntryPointSelector,
    /// Index of its first instruction in the bytecode; always inside it.
    pub offset: usize,
    /// The builtins it is given, in this order.
    pub builtins: Vec<Builtin>,
    /// Whether `builtins` is an ordered subsequence of [`CAIRO1_BUILTIN_ORDER`]. A call to an entry point where it is not fails
    /// hard (C90).
    pub builtins_valid: bool,
    /// Whether another entry point of the same type has the same selector. The network's compiler refuses such a class; a call to
    /// either fails hard.
    pub repeated: bool,
}

/// An entry point as it stands in a compiled class.
pub(super) struct RawEntryPoint {
    pub(super) selector: Felt,
    pub(super) offset: usize,
    pub(super) builtins: Vec<String>,
}

/// The entry points of a class by type, each list in the order of the file, which is the order that is hashed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct EntryPoints {
    pub(super) constructor: Vec<EntryPoint>,
    pub(super) external: Vec<EntryPoint>,
    pub(super) l1_handler: Vec<EntryPoint>,
}

impl EntryPoints {
    /// The list of one type.
    pub(super) fn of_type(&self, entry_point_type: EntryPointType) -> &[EntryPoint] {
        match entry_point_type {
            EntryPointType::Constructor => &self.constructor,
            EntryPointType::External => &self.external,
            EntryPointType::L1Handler => &self.l1_handler,
        }
    }

    /// The first entry point of that type and selector.
    ///
    /// Lists have some tens of entries, and felts are compared for equality without leaving their internal form but for order
    /// only after a conversion: going through the list is faster than a binary search.
    pub(super) fn find(
        &self,
        entry_point_type: EntryPointType,
        selector: EntryPointSelector,
    ) -> Option<&EntryPoint> {
        self.of_type(entry_point_type).iter().find(|entry_point| entry_point.selector == selector)
    }
}

/// Checks one list of a compiled class.
pub(super) fn prepare_list(
    entry_point_type: EntryPointType,
    list: Vec<RawEntryPoint>,
    bytecode_len: usize,
) -> Result<Vec<EntryPoint>, ClassError> {
    let mut selectors = std::collections::BTreeMap::new();
    for raw in &list {
        let count: &mut usize = selectors.entry(raw.selector).or_default();
        *count = count.saturating_add(1); // counts entries that are in memory
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

/// Whether the list is an ordered subsequence of the canonical order (C90).
fn in_canonical_order(builtins: &[Builtin]) -> bool {
    let mut order = CAIRO1_BUILTIN_ORDER.iter();
    builtins.iter().all(|builtin| order.any(|allowed| allowed == builtin))
}

/// The builtin that a class calls by this name; the names are the same in both kinds of class.
pub(super) fn from_casm_name(name: &str) -> Option<Builtin> {
    CASM_NAMES.iter().find(|(known, _)| *known == name).map(|(_, builtin)| *builtin)
}

/// The name that a compiled class gives the builtin, which is what is hashed.
pub(super) fn casm_name(builtin: Builtin) -> &'static str {
    CASM_NAMES.iter().find(|(_, known)| *known == builtin).map_or("", |(name, _)| name) // a list holds only what `from_casm_name` gave
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
    fn builtin_lists_are_judged_but_kept() {
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
        let points = EntryPoints { external, ..EntryPoints::default() };
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
    fn faults_name_the_entry_point() {
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
