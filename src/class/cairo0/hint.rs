//! The hints of a Cairo 0 class, prepared for execution.
//!
//! Input: a hint as the compiler wrote it. Output: its kind, and the data that cairo-vm needs to run it. Must
//! not know: the effect of a hint.

use std::any::Any;
use std::collections::HashMap;
use std::sync::Arc;

use cairo_vm::hint_processor::builtin_hint_processor::builtin_hint_processor_definition::HintProcessorData;
use cairo_vm::hint_processor::hint_processor_definition::HintReference;
use cairo_vm::serde::deserialize_program::HintParams;
use starknet_types_core::felt::Felt;

/// The text before the name of a syscall in the hint that requests it.
const SYSCALL_PREFIX: &str = "syscall_handler.";

/// The text after the name.
const SYSCALL_SUFFIX: &str = "(segments=segments, syscall_ptr=ids.syscall_ptr)";

/// The syscalls of Cairo 0.
const SYSCALLS: [&str; 18] = [
    "call_contract",
    "delegate_call",
    "delegate_l1_handler",
    "deploy",
    "emit_event",
    "get_block_number",
    "get_block_timestamp",
    "get_caller_address",
    "get_contract_address",
    "get_sequencer_address",
    "get_tx_info",
    "get_tx_signature",
    "library_call",
    "library_call_l1_handler",
    "replace_class",
    "send_message_to_l1",
    "storage_read",
    "storage_write",
];

/// Starknet's own hint that compares an address with its bound.
const ADDRESS_IS_SMALL: &str =
    "# Verify the assumptions on the relationship between 2**250, ADDR_BOUND and PRIME.
ADDR_BOUND = ids.ADDR_BOUND % PRIME
assert (2**250 < ADDR_BOUND <= 2**251) and (2 * 2**250 < PRIME) and (
        ADDR_BOUND * 2 > PRIME), \\
    'normalize_address() cannot be used with the current constants.'
ids.is_small = 1 if ids.addr < ADDR_BOUND else 0";

/// Starknet's own hint that compares an address with 2^250.
const ADDRESS_IS_250: &str = "ids.is_250 = 1 if ids.addr < 2**250 else 0";

/// The kind of a hint, which selects its implementation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HintKind {
    /// A syscall, which the call stack executes. The syscall segment holds its selector.
    Syscall,
    /// The hint that sets `is_small` if `addr` is below the constant `ADDR_BOUND`.
    AddressIsSmall,
    /// The hint that sets `is_250` if `addr` is below 2^250.
    AddressIs250,
    /// Any other hint: one of the Cairo 0 library, which cairo-vm implements, or an unknown one.
    Library,
}

/// A hint with its variables resolved to references.
pub(crate) struct PreparedHint {
    pub(crate) kind: HintKind,
    /// The arguments of cairo-vm's hint functions: `ids_data` and `ap_tracking` locate variables, `constants`
    /// are those of the program, shared by all its hints.
    pub(crate) data: HintProcessorData,
}

impl PreparedHint {
    /// Resolves the references of a hint. The error is the code of a hint with a reference that the program
    /// does not have.
    pub(super) fn new(
        hint: HintParams,
        references: &[HintReference],
        constants: &Arc<HashMap<String, Felt>>,
    ) -> Result<Self, String> {
        let HintParams { code, accessible_scopes, flow_tracking_data } = hint;
        // Hints use `ids.x`, the table has `module.function.x`. If two scopes have an `x`, the innermost
        // accessible one is used, as in the language. (cairo-vm uses either, depending on the order of a hash
        // map.)
        let mut paths: Vec<(usize, &str, &str, usize)> = flow_tracking_data
            .reference_ids
            .iter()
            .map(|(path, id)| {
                let (scope, name) = path.rsplit_once('.').unwrap_or(("", path));
                let depth = accessible_scopes.iter().rposition(|accessible| accessible == scope);
                (depth.map_or(0, |depth| depth.saturating_add(1)), scope, name, *id)
            })
            .collect();
        paths.sort_unstable();
        let mut ids_data = HashMap::with_capacity(paths.len());
        for (_, _, name, id) in paths {
            let Some(reference) = references.get(id) else {
                return Err(code);
            };
            ids_data.insert(name.to_owned(), reference.clone());
        }
        Ok(Self {
            kind: kind(&code),
            data: HintProcessorData {
                code,
                ap_tracking: flow_tracking_data.ap_tracking,
                ids_data,
                accessible_scopes: Vec::new(), // no hint of cairo-vm uses them
                constants: Arc::clone(constants),
            },
        })
    }

    /// Returns the data in the box that cairo-vm requires, which cannot be shared between threads. It copies
    /// names and references, so callers keep the box for the length of a frame.
    pub(crate) fn boxed(&self) -> Box<dyn Any> {
        let HintProcessorData { code, ap_tracking, ids_data, accessible_scopes, constants } = &self.data;
        Box::new(HintProcessorData {
            code: code.clone(),
            ap_tracking: ap_tracking.clone(),
            ids_data: ids_data.clone(),
            accessible_scopes: accessible_scopes.clone(),
            constants: Arc::clone(constants),
        })
    }
}

impl PartialEq for PreparedHint {
    fn eq(&self, other: &Self) -> bool {
        self.data.code == other.data.code
            && self.data.ap_tracking == other.data.ap_tracking
            && self.data.ids_data == other.data.ids_data
            && self.data.constants == other.data.constants
    }
}

impl std::fmt::Debug for PreparedHint {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("PreparedHint")
            .field("kind", &self.kind)
            .field("code", &self.data.code)
            .finish_non_exhaustive()
    }
}

/// Returns `true` if the code of a hint requests a syscall.
fn is_syscall(code: &str) -> bool {
    code.strip_prefix(SYSCALL_PREFIX)
        .and_then(|text| text.strip_suffix(SYSCALL_SUFFIX))
        .is_some_and(|name| SYSCALLS.contains(&name))
}

fn kind(code: &str) -> HintKind {
    match code {
        ADDRESS_IS_SMALL => HintKind::AddressIsSmall,
        ADDRESS_IS_250 => HintKind::AddressIs250,
        code if is_syscall(code) => HintKind::Syscall,
        _ => HintKind::Library,
    }
}

#[cfg(test)]
mod tests {
    use cairo_vm::hint_processor::builtin_hint_processor::builtin_hint_processor_definition::BuiltinHintProcessor;
    use cairo_vm::hint_processor::hint_processor_definition::HintProcessorLogic;
    use cairo_vm::serde::deserialize_program::{ApTracking, FlowTrackingData};

    use super::*;

    fn hint(code: &str, ids: &[(&str, usize)]) -> HintParams {
        HintParams {
            code: code.to_owned(),
            accessible_scopes: vec!["m".to_owned(), "m.f".to_owned()],
            flow_tracking_data: FlowTrackingData {
                ap_tracking: ApTracking { group: 3, offset: 4 },
                reference_ids: ids.iter().map(|(path, id)| ((*path).to_owned(), *id)).collect(),
            },
        }
    }

    fn references() -> Vec<HintReference> {
        [-3, -4, -5].map(HintReference::new_simple).to_vec()
    }

    #[test]
    fn code_determines_the_kind() {
        for name in SYSCALLS {
            let code = format!("syscall_handler.{name}(segments=segments, syscall_ptr=ids.syscall_ptr)");
            assert!(is_syscall(&code));
            assert_eq!(kind(&code), HintKind::Syscall);
        }
        for other in [
            "",
            "syscall_handler.",
            "syscall_handler.(segments=segments, syscall_ptr=ids.syscall_ptr)",
            "syscall_handler.keccak(segments=segments, syscall_ptr=ids.syscall_ptr)",
            "syscall_handler.storage_read(segments=segments, syscall_ptr=ids.syscall_ptr) ",
            "memory[ap] = segments.add()",
        ] {
            assert_eq!(kind(other), HintKind::Library, "{other}");
        }
        assert_eq!(kind(ADDRESS_IS_SMALL), HintKind::AddressIsSmall);
        assert_eq!(kind(ADDRESS_IS_250), HintKind::AddressIs250);
    }

    #[test]
    fn variables_equal_those_of_cairo_vm() {
        let constants = Arc::new(HashMap::from([("m.C".to_owned(), Felt::ONE)]));
        let ids = [("m.f.x", 0), ("m.f.y", 2), ("z", 1)];
        let ours = PreparedHint::new(hint("code", &ids), &references(), &constants).unwrap();
        let given = hint("code", &ids);
        let theirs = BuiltinHintProcessor::new_empty()
            .compile_hint(
                &given.code,
                &given.flow_tracking_data.ap_tracking,
                &given.flow_tracking_data.reference_ids,
                &references(),
                &given.accessible_scopes,
                Arc::clone(&constants),
            )
            .unwrap();
        let boxed = ours.boxed();
        for data in [&ours.data, boxed.downcast_ref().unwrap()] {
            let theirs: &HintProcessorData = theirs.downcast_ref().unwrap();
            assert_eq!(data.code, theirs.code);
            assert_eq!(data.ap_tracking, theirs.ap_tracking);
            assert_eq!(data.ids_data, theirs.ids_data);
            assert!(Arc::ptr_eq(&data.constants, &constants));
        }
        // A reference that does not exist.
        let missing =
            PreparedHint::new(hint("code", &[("m.f.x", 0), ("m.f.y", 3)]), &references(), &constants);
        assert_eq!(missing.err(), Some("code".to_owned()));
        // Two variables of one name: the innermost accessible one.
        let ids = [("m.x", 0), ("m.f.x", 1), ("n.x", 2)];
        let ours = PreparedHint::new(hint("code", &ids), &references(), &constants).unwrap();
        assert_eq!(ours.data.ids_data["x"], references()[1]);
        assert_eq!(ours.data.ids_data.len(), 1);
    }
}
