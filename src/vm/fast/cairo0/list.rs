//! Cairo 0 hints of lists: searching and sorting (`usort`).

use std::collections::BTreeMap;

use cairo_vm::hint_processor::builtin_hint_processor::hint_code;

use super::state::SortState;
use super::variable::{HintSymbols, Variable, ensure};
use crate::vm::fast::Bailout;
use crate::vm::fast::cell::VmCell;
use crate::vm::fast::hint::{HintScope, TREE_CELLS, remaining_cells, reversed};
use crate::vm::fast::machine::Machine;
use crate::vm::fast::number::field::{Limbs, from_u64, is_less, sub};

/// The effect of a hint.
#[derive(Clone, Debug)]
pub(in crate::vm::fast) enum ListAction {
    /// Writes the index of an element with this key.
    Find(ElementSearch),
    /// Writes the index of the first element with a key not below this one, or the length of the list.
    FindLower(ElementSearch),
    /// Enters the scope of a sort.
    EnterSort,
    /// Writes the distinct elements in ascending order, and the multiplicity of each.
    Sort { input: Variable, length: Variable, output: Variable, output_length: Variable, counts: Variable },
    /// Starts the verification of an element.
    Verify(Variable),
    /// Writes the distance to the next position of the element.
    NextPosition(Variable),
    /// Asserts that no position of the element is left.
    AssertNoPosition,
}

/// A search in a list whose elements have `element` cells each, the first of which is the key.
#[derive(Clone, Debug)]
pub(in crate::vm::fast) struct ElementSearch {
    key: Variable,
    list: Variable,
    element: Variable,
    length: Variable,
    index: Variable,
}

/// Cells charged per position of an element.
const POSITION_CELLS: usize = 4;

impl ListAction {
    /// The action of a hint with this code; `None` if it is not in this family.
    pub(super) fn new(code: &str, symbols: &HintSymbols<'_>) -> Option<Self> {
        let variable = |name: &str| symbols.variable(name);
        let search = || {
            Some(ElementSearch {
                key: variable("key")?,
                list: variable("array_ptr")?,
                element: variable("elm_size")?,
                length: variable("n_elms")?,
                index: variable("index")?,
            })
        };
        Some(match code {
            hint_code::FIND_ELEMENT => Self::Find(search()?),
            hint_code::SEARCH_SORTED_LOWER => Self::FindLower(search()?),
            hint_code::USORT_ENTER_SCOPE => Self::EnterSort,
            hint_code::USORT_BODY => Self::Sort {
                input: variable("input")?,
                length: variable("input_len")?,
                output: variable("output")?,
                output_length: variable("output_len")?,
                counts: variable("multiplicities")?,
            },
            hint_code::USORT_VERIFY => Self::Verify(variable("value")?),
            hint_code::USORT_VERIFY_MULTIPLICITY_BODY => Self::NextPosition(variable("next_item_index")?),
            hint_code::USORT_VERIFY_MULTIPLICITY_ASSERT => Self::AssertNoPosition,
            _ => return None,
        })
    }
}

impl Machine {
    /// Runs a hint.
    pub(super) fn run_list_hint(&mut self, action: &ListAction) -> Result<(), Bailout> {
        match action {
            ListAction::Find(search) => {
                let key = self.limbs(&search.key)?;
                // `cairo-vm` rejects longer lists.
                ensure(self.variable_u64(&search.length)? <= u64::from(u32::MAX))?;
                let list = self.pointer(&search.list)?;
                let index =
                    self.find_index(search, list, |candidate| *candidate == key)?.ok_or(Bailout::Fault)?;
                self.put(&search.index, from_u64(index))
            }
            ListAction::FindLower(search) => {
                let key = self.limbs(&search.key)?;
                let (segment, offset) = self.address_of(&search.list)?;
                let list = self.memory.read(segment, offset).as_pointer().ok_or(Bailout::Fault)?;
                let index = match self.find_index(search, list, |candidate| !is_less(candidate, &key))? {
                    Some(index) => from_u64(index),
                    None => self.limbs(&search.length)?,
                };
                self.put(&search.index, index)
            }
            ListAction::EnterSort => self.enter_scope(HintScope::default()),
            ListAction::Sort { input, length, output, output_length, counts } => {
                self.sort(input, length, output, output_length, counts)
            }
            ListAction::Verify(value) => {
                let value = self.limbs(value)?;
                let sorted = self.sorted()?;
                let mut positions = sorted.positions.remove(&reversed(value)).ok_or(Bailout::Fault)?;
                positions.reverse();
                sorted.remaining = Some((positions, 0));
                Ok(())
            }
            ListAction::NextPosition(distance) => {
                let (remaining, last) = self.sorted()?.remaining.as_mut().ok_or(Bailout::Fault)?;
                let position = remaining.pop().ok_or(Bailout::Fault)?;
                let step = sub(&from_u64(position), &from_u64(*last));
                *last = position.checked_add(1).ok_or(Bailout::Fault)?;
                self.put(distance, step)
            }
            ListAction::AssertNoPosition => {
                let (remaining, _) = self.sorted()?.remaining.as_ref().ok_or(Bailout::Fault)?;
                ensure(remaining.is_empty())
            }
        }
    }

    /// The index of the first element whose key matches.
    fn find_index(
        &mut self,
        search: &ElementSearch,
        (segment, start): (u64, u64),
        matches_key: impl Fn(&Limbs) -> bool,
    ) -> Result<Option<u64>, Bailout> {
        let element = self.variable_u64(&search.element)?;
        ensure(element != 0)?;
        for index in 0..self.variable_u64(&search.length)? {
            self.interrupt_check.advance(1)?;
            let at = index.checked_mul(element).and_then(|cells| start.checked_add(cells));
            if matches_key(&self.read_number(segment, at.ok_or(Bailout::Unsupported)?)?) {
                return Ok(Some(index));
            }
        }
        Ok(None)
    }

    fn sort(
        &mut self,
        input: &Variable,
        length: &Variable,
        output: &Variable,
        output_length: &Variable,
        counts: &Variable,
    ) -> Result<(), Bailout> {
        let (segment, start) = self.pointer(input)?;
        // The remaining positions of the current element survive, as in `cairo-vm`; the earlier sort is
        // released.
        let SortState { remaining, reserved, .. } =
            *self.hint_state.current().sorted.take().unwrap_or_default();
        self.hint_state.release(reserved);
        let mut reserved = remaining_cells(remaining.as_ref()).saturating_add(TREE_CELLS);
        self.reserve(reserved)?;
        let mut positions: BTreeMap<Limbs, Vec<u64>> = BTreeMap::new();
        for index in 0..self.variable_u64(length)? {
            self.interrupt_check.advance(1)?;
            let number = self.read_number(segment, start.checked_add(index).ok_or(Bailout::Fault)?)?;
            self.reserve(POSITION_CELLS)?;
            reserved = reserved.saturating_add(POSITION_CELLS);
            positions.entry(reversed(number)).or_default().push(index);
        }
        let output_start = self.memory.add_segment(None, []);
        let counts_start = self.memory.add_segment(None, []);
        let mut count = 0_u64;
        for (number, positions) in &positions {
            let multiplicity = u64::try_from(positions.len()).map_err(|_| Bailout::Fault)?;
            self.memory.write(output_start, count, VmCell::number(reversed(*number)))?;
            self.memory.write(counts_start, count, VmCell::small(multiplicity))?;
            count = count.saturating_add(1);
        }
        self.hint_state.current().sorted = Some(Box::new(SortState { positions, remaining, reserved }));
        self.put(output_length, from_u64(count))?;
        self.put_cell(output, VmCell::pointer(output_start, 0))?;
        self.put_cell(counts, VmCell::pointer(counts_start, 0))
    }

    fn sorted(&mut self) -> Result<&mut SortState, Bailout> {
        self.hint_state.current().sorted.as_deref_mut().ok_or(Bailout::Fault)
    }
}
