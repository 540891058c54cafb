//! Cairo 0 hints of dictionaries and of squashing them.
//!
//! In memory, a dictionary is a list of accesses. Hints keep its current values and the end of its list in a
//! tracker, and the hint of an access must be at that end. Trackers belong to the dictionary manager of a
//! scope.

use std::collections::{BTreeMap, HashMap};

use cairo_vm::hint_processor::builtin_hint_processor::hint_code;

use super::state::{Cairo0Squash, DictManager, DictTracker};
use super::variable::{HintSymbols, Variable, ensure, is_in_range};
use crate::vm::fast::Bailout;
use crate::vm::fast::cell::VmCell;
use crate::vm::fast::hint::{
    ACCESS_CELLS, ENTRY_CELLS, HintScope, SQUASH_CELLS, TREE_CELLS, remaining_cells, reversed, values_cells,
};
use crate::vm::fast::machine::Machine;
use crate::vm::fast::number::field::{Limbs, from_u64, sub};

/// The effect of a hint.
#[derive(Clone, Debug)]
pub(in crate::vm::fast) enum DictAction {
    /// Creates a dictionary with the initial values of the scope.
    New,
    /// Creates a dictionary with a default value for missing keys; initial values are optional.
    NewDefault(Variable),
    Read {
        dict: Variable,
        key: Variable,
        value: Variable,
    },
    Write {
        dict: Variable,
        key: Variable,
        value: Variable,
    },
    Update {
        dict: Variable,
        key: Variable,
        before: Variable,
        value: Variable,
    },
    /// Enters a scope whose initial values are a copy of a dictionary.
    EnterCopy(Variable),
    /// Sets the end of the list of a dictionary.
    Move {
        start: Variable,
        end: Variable,
    },
    Squash {
        accesses: Variable,
        cells: Variable,
        count: Variable,
        big_keys: Variable,
        first: Variable,
    },
    /// Writes the index of the first access of the current key.
    FirstAccess(Variable),
    /// Writes whether the current key has no access left.
    IsLast(Variable),
    /// Advances to the next access; writes the number of accesses in between.
    NextAccess(Variable),
    /// Writes whether the current key has more accesses.
    HasMore(Variable),
    AssertNoAccess,
    /// Asserts the number of accesses of the current key.
    AssertCount(Variable),
    AssertNoKey,
    NextKey(Variable),
}

/// Cells charged for a manager and for a tracker without its values: the first node of a B-tree has 11
/// entries, and later ones are at least half full.
const MANAGER_CELLS: usize = 11 * DICT_CELLS / 2;
const DICT_CELLS: usize = 2 * size_of::<(u64, DictTracker)>() / size_of::<VmCell>();

impl DictAction {
    /// The action of a hint with this code; `None` if it is not in this family.
    pub(super) fn new(code: &str, symbols: &HintSymbols<'_>) -> Option<Self> {
        let variable = |name: &str| symbols.variable(name);
        Some(match code {
            hint_code::DICT_NEW => Self::New,
            hint_code::DEFAULT_DICT_NEW => Self::NewDefault(variable("default_value")?),
            hint_code::DICT_READ => {
                Self::Read { dict: variable("dict_ptr")?, key: variable("key")?, value: variable("value")? }
            }
            hint_code::DICT_WRITE => Self::Write {
                dict: variable("dict_ptr")?,
                key: variable("key")?,
                value: variable("new_value")?,
            },
            hint_code::DICT_UPDATE => Self::Update {
                dict: variable("dict_ptr")?,
                key: variable("key")?,
                before: variable("prev_value")?,
                value: variable("new_value")?,
            },
            hint_code::DICT_SQUASH_COPY_DICT => Self::EnterCopy(variable("dict_accesses_end")?),
            hint_code::DICT_SQUASH_UPDATE_PTR => {
                Self::Move { start: variable("squashed_dict_start")?, end: variable("squashed_dict_end")? }
            }
            hint_code::SQUASH_DICT => {
                symbols.range_check_bound()?;
                Self::Squash {
                    accesses: variable("dict_accesses")?,
                    cells: variable("ptr_diff")?,
                    count: variable("n_accesses")?,
                    big_keys: variable("big_keys")?,
                    first: variable("first_key")?,
                }
            }
            hint_code::SQUASH_DICT_INNER_FIRST_ITERATION => Self::FirstAccess(variable("range_check_ptr")?),
            hint_code::SQUASH_DICT_INNER_SKIP_LOOP => Self::IsLast(variable("should_skip_loop")?),
            hint_code::SQUASH_DICT_INNER_CHECK_ACCESS_INDEX => Self::NextAccess(variable("loop_temps")?),
            hint_code::SQUASH_DICT_INNER_CONTINUE_LOOP => Self::HasMore(variable("loop_temps")?),
            hint_code::SQUASH_DICT_INNER_LEN_ASSERT => Self::AssertNoAccess,
            hint_code::SQUASH_DICT_INNER_USED_ACCESSES_ASSERT => {
                Self::AssertCount(variable("n_used_accesses")?)
            }
            hint_code::SQUASH_DICT_INNER_ASSERT_LEN_KEYS => Self::AssertNoKey,
            hint_code::SQUASH_DICT_INNER_NEXT_KEY => Self::NextKey(variable("next_key")?),
            _ => return None,
        })
    }
}

impl Machine {
    /// Runs a hint.
    pub(super) fn run_dict_hint(&mut self, action: &DictAction) -> Result<(), Bailout> {
        match action {
            DictAction::New => {
                ensure(self.hint_state.current().start_values.is_some())?;
                self.new_dict(None)
            }
            DictAction::NewDefault(default) => {
                let default = self.variable(default)?;
                self.new_dict(Some(default))
            }
            DictAction::Read { dict, key, value } => {
                let (key, at) = (self.variable(key)?, self.pointer(dict)?);
                let current = self.access(at, &key)?;
                self.put_cell(value, current)
            }
            DictAction::Write { dict, key, value } => {
                let (key, value) = (self.variable(key)?, self.variable(value)?);
                let at = self.pointer(dict)?;
                let before = self.access(at, &key)?;
                self.set_value(at.0, &key, value)?;
                self.memory.write(at.0, at.1.checked_add(1).ok_or(Bailout::Fault)?, before)
            }
            DictAction::Update { dict, key, before, value } => {
                let (key, before) = (self.variable(key)?, self.variable(before)?);
                let (value, at) = (self.variable(value)?, self.pointer(dict)?);
                ensure(self.access(at, &key)?.same(&before))?;
                self.set_value(at.0, &key, value)
            }
            DictAction::EnterCopy(dict) => {
                let at = self.pointer(dict)?;
                let count = self.dict_at(at)?.values.len();
                self.reserve(values_cells(count))?;
                self.interrupt_check.advance(count)?;
                let start_values = Some(self.dict_at(at)?.values.clone());
                let manager = self.hint_state.current().manager;
                self.enter_scope(HintScope { manager, start_values, ..HintScope::default() })
            }
            DictAction::Move { start, end } => {
                let (start, end) = (self.pointer(start)?, self.pointer(end)?);
                self.dict_at(start)?.end = end;
                Ok(())
            }
            DictAction::Squash { accesses, cells, count, big_keys, first } => {
                let (start, cells) = (self.pointer(accesses)?, self.variable_u64(cells)?);
                ensure(cells.checked_rem(ACCESS_CELLS) == Some(0))?;
                let count = self.variable_u64(count)?;
                self.squash_accesses(start, count, big_keys, first)
            }
            DictAction::FirstAccess(range_check) => {
                let (segment, offset) = self.pointer(range_check)?;
                let squash = self.squashing()?;
                let mut remaining = squash.accesses.get(&squash.key).ok_or(Bailout::Fault)?.clone();
                remaining.reverse();
                let count = remaining.len();
                let first = remaining.pop().ok_or(Bailout::Fault)?;
                squash.remaining = Some((remaining, first));
                self.interrupt_check.advance(count)?;
                self.memory.write(segment, offset, VmCell::small(first))
            }
            DictAction::IsLast(result) => {
                let is_last = self.remaining()?.0.is_empty();
                self.put_flag(result, is_last)
            }
            DictAction::NextAccess(delta) => {
                let (remaining, current) = self.remaining()?;
                let next = remaining.pop().ok_or(Bailout::Fault)?;
                let distance = sub(&sub(&from_u64(next), &from_u64(*current)), &from_u64(1));
                *current = next;
                self.put(delta, distance)
            }
            DictAction::HasMore(temporary) => {
                let (segment, start) = self.address_of(temporary)?;
                let has_more = !self.remaining()?.0.is_empty();
                let at = start.checked_add(3).ok_or(Bailout::Fault)?;
                self.memory.write(segment, at, VmCell::small(u64::from(has_more)))
            }
            DictAction::AssertNoAccess => ensure(self.remaining()?.0.is_empty()),
            DictAction::AssertCount(count) => {
                let count = self.limbs(count)?;
                let squash = self.squashing()?;
                let accesses = squash.accesses.get(&squash.key).ok_or(Bailout::Fault)?.len();
                ensure(count == from_u64(u64::try_from(accesses).map_err(|_| Bailout::Fault)?))
            }
            DictAction::AssertNoKey => ensure(self.squashing()?.keys.is_empty()),
            DictAction::NextKey(next) => {
                let squash = self.squashing()?;
                let key = squash.keys.pop().ok_or(Bailout::Fault)?;
                squash.key = key;
                self.put(next, reversed(key))
            }
        }
    }

    /// Creates a dictionary with a copy of the initial values of the scope, if any.
    fn new_dict(&mut self, default: Option<VmCell>) -> Result<(), Bailout> {
        let segment = self.memory.add_segment(None, []);
        if self.hint_state.current().manager.is_none() {
            self.reserve(MANAGER_CELLS)?;
            let manager = self.hint_state.managers.len();
            self.hint_state.managers.push(DictManager { dicts: BTreeMap::new(), reserved: MANAGER_CELLS });
            self.hint_state.current().manager = Some(manager);
        }
        let count = self.hint_state.current().start_values.as_ref().map_or(0, HashMap::len);
        self.reserve_in_manager(values_cells(count).saturating_add(DICT_CELLS))?;
        self.interrupt_check.advance(count)?;
        let values = self.hint_state.current().start_values.clone().unwrap_or_default();
        self.manager()?.dicts.insert(segment, DictTracker { values, default, end: (segment, 0) });
        self.put_cell_at_ap(VmCell::pointer(segment, 0))
    }

    /// The dictionary manager of the current scope.
    fn manager(&mut self) -> Result<&mut DictManager, Bailout> {
        let manager = self.hint_state.current().manager.ok_or(Bailout::Fault)?;
        self.hint_state.managers.get_mut(manager).ok_or(Bailout::Fault)
    }

    /// Reserves cells that are released with the manager.
    fn reserve_in_manager(&mut self, cells: usize) -> Result<(), Bailout> {
        self.reserve(cells)?;
        let manager = self.manager()?;
        manager.reserved = manager.reserved.saturating_add(cells);
        Ok(())
    }

    /// The tracker of the dictionary whose list ends at this address.
    fn dict_at(&mut self, at: (u64, u64)) -> Result<&mut DictTracker, Bailout> {
        let dict = self.manager()?.dicts.get_mut(&at.0).ok_or(Bailout::Fault)?;
        if dict.end == at { Ok(dict) } else { Err(Bailout::Fault) }
    }

    /// The current value of a key, for an access at the end of the list.
    fn access(&mut self, at: (u64, u64), key: &VmCell) -> Result<VmCell, Bailout> {
        let dict = self.dict_at(at)?;
        dict.end.1 = at.1.checked_add(ACCESS_CELLS).ok_or(Bailout::Unsupported)?;
        if let Some(current) = dict.values.get(&key.bits()) {
            return Ok(*current);
        }
        let default = dict.default.ok_or(Bailout::Fault)?;
        self.reserve_in_manager(ENTRY_CELLS)?;
        self.set_value(at.0, key, default)?;
        Ok(default)
    }

    /// Sets the value of a key whose entry has been reserved.
    fn set_value(&mut self, segment: u64, key: &VmCell, value: VmCell) -> Result<(), Bailout> {
        let dict = self.manager()?.dicts.get_mut(&segment).ok_or(Bailout::Fault)?;
        dict.values.insert(key.bits(), value);
        Ok(())
    }

    fn squash_accesses(
        &mut self,
        (segment, start): (u64, u64),
        count: u64,
        big_keys: &Variable,
        first: &Variable,
    ) -> Result<(), Bailout> {
        // The remaining accesses of the current key survive, as in `cairo-vm`; the earlier squash is
        // released.
        let Cairo0Squash { remaining, reserved, .. } =
            *self.hint_state.current().squashing.take().unwrap_or_default();
        self.hint_state.release(reserved);
        let mut reserved = remaining_cells(remaining.as_ref()).saturating_add(TREE_CELLS);
        self.reserve(reserved)?;
        let mut accesses: BTreeMap<Limbs, Vec<u64>> = BTreeMap::new();
        for number in 0..count {
            self.interrupt_check.advance(1)?;
            let at = number.checked_mul(ACCESS_CELLS).and_then(|cells| start.checked_add(cells));
            let key = self.read_number(segment, at.ok_or(Bailout::Fault)?)?;
            self.reserve(SQUASH_CELLS)?;
            reserved = reserved.saturating_add(SQUASH_CELLS);
            accesses.entry(reversed(key)).or_default().push(number);
        }
        let mut keys: Vec<Limbs> = accesses.keys().rev().copied().collect();
        // `cairo-vm` panics on an empty list.
        let largest = reversed(*keys.first().ok_or(Bailout::Unsupported)?);
        self.put_flag(big_keys, !is_in_range(&largest))?;
        let key = keys.pop().ok_or(Bailout::Fault)?;
        self.put(first, reversed(key))?;
        let squashing = Cairo0Squash { accesses, keys, key, remaining, reserved };
        self.hint_state.current().squashing = Some(Box::new(squashing));
        Ok(())
    }

    fn squashing(&mut self) -> Result<&mut Cairo0Squash, Bailout> {
        self.hint_state.current().squashing.as_deref_mut().ok_or(Bailout::Fault)
    }

    fn remaining(&mut self) -> Result<&mut (Vec<u64>, u64), Bailout> {
        self.squashing()?.remaining.as_mut().ok_or(Bailout::Fault)
    }
}
