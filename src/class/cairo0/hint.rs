//! The hints of a Cairo 0 class, made ready to run.
//!
//! In: a hint as the compiler wrote it. Out: what kind it is, and what the engine needs to run it. Must not know: what a hint does.

use std::any::Any;
use std::collections::HashMap;
use std::sync::Arc;

use cairo_vm::hint_processor::builtin_hint_processor::builtin_hint_processor_definition::HintProcessorData;
use cairo_vm::hint_processor::hint_processor_definition::HintReference;
use cairo_vm::serde::deserialize_program::HintParams;
use starknet_types_core::felt::Felt;

/// What stands before the name of a syscall in a hint that makes it.
const SYSCALL_PREFIX: &str = "syscall_handler.";

/// What stands behind it.
const SYSCALL_SUFFIX: &str = "(segments=segments, syscall_ptr=ids.syscall_ptr)";

/// The syscalls of Cairo 0 (1.3).
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

/// Starknet's own hint that tells whether an address is below its bound, letter for letter.
const ADDRESS_IS_SMALL: &str =
    "# Verify the assumptions on the relationship between 2**250, ADDR_BOUND and PRIME.
ADDR_BOUND = ids.ADDR_BOUND % PRIME
assert (2**250 < ADDR_BOUND <= 2**251) and (2 * 2**250 < PRIME) and (
        ADDR_BOUND * 2 > PRIME), \\
    'normalize_address() cannot be used with the current constants.'
ids.is_small = 1 if ids.addr < ADDR_BOUND else 0";

/// Starknet's own hint that tells whether an address is below 2^250.
const ADDRESS_IS_250: &str = "ids.is_250 = 1 if ids.addr < 2**250 else 0";

/// Who runs a hint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HintKind {
    /// The call stack: it is a syscall. Which one, the syscall segment says.
    Syscall,
    /// We: it sets `is_small` when `addr` is below the constant `ADDR_BOUND`.
    AddressIsSmall,
    /// We: it sets `is_250` when `addr` is below 2^250.
    AddressIs250,
    /// The engine, if it knows the hint.
    Engine,
}

/// A hint with its variables resolved to references.
pub(crate) struct PreparedHint {
    pub(crate) kind: HintKind,
    /// What the engine's hints and helpers take: `ids_data` and `ap_tracking` find a variable, `constants` are the program's, shared by all its hints.
    pub(crate) data: HintProcessorData,
}

impl PreparedHint {
    /// Finds the references of a hint; gives its code back if the program has no such reference.
    pub(super) fn new(
        hint: HintParams,
        references: &[HintReference],
        constants: &Arc<HashMap<String, Felt>>,
    ) -> Result<Self, String> {
        let HintParams { code, accessible_scopes, flow_tracking_data } = hint;
        // Hints say `ids.x`, the table `module.function.x`. Should two scopes have an `x`, the innermost one that the hint can see counts, as in the language. (The engine
        // takes either, by chance.)
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
                accessible_scopes: Vec::new(), // no hint of the engine looks at them
                constants: Arc::clone(constants),
            },
        })
    }

    /// The data in the box that the engine insists on, which cannot be shared between threads. Copies names and references: worth keeping as long as the frame.
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

/// Whether the code of a hint makes a syscall.
pub(crate) fn is_syscall(code: &str) -> bool {
    code.strip_prefix(SYSCALL_PREFIX)
        .and_then(|rest| rest.strip_suffix(SYSCALL_SUFFIX))
        .is_some_and(|name| SYSCALLS.contains(&name))
}

fn kind(code: &str) -> HintKind {
    match code {
        ADDRESS_IS_SMALL => HintKind::AddressIsSmall,
        ADDRESS_IS_250 => HintKind::AddressIs250,
        code if is_syscall(code) => HintKind::Syscall,
        _ => HintKind::Engine,
    }
}
