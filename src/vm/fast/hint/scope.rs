//! The state that hints keep between them: dictionaries, squashes, scopes of Cairo 0, the excluded arc, the
//! segment of constant-size allocations.
//!
//! Memory of this state counts towards the frame's memory limit, in cells. Released memory is reused, so only
//! a new peak is charged.

use std::collections::{BTreeMap, HashMap};

use crate::vm::fast::cairo0::{Cairo0Squash, DictManager, SortState};
use crate::vm::fast::cell::VmCell;
use crate::vm::fast::number::field::Limbs;

/// The hint state of a frame.
#[derive(Debug, Default)]
pub(in crate::vm::fast) struct HintState {
    /// Cairo 1 dictionaries by segment; `None` until the first one.
    pub dicts: Option<BTreeMap<u64, Felt252Dict>>,
    /// The current squash of Cairo 1 code.
    pub squash: Option<DictSquash>,
    /// The number of accesses of the longest squash so far.
    pub longest_squash: usize,
    /// The dictionary managers of Cairo 0 code, those of inner scopes last.
    pub managers: Vec<DictManager>,
    /// The main scope.
    main: HintScope,
    /// The scopes that Cairo 0 code has entered, the innermost last.
    pub(super) inner: Vec<HintScope>,
    /// The maximum of `inner.len()` so far, for which cells are charged.
    pub(super) max_depth: usize,
    /// Cells that other state of Cairo 0 hints takes now.
    pub(super) reserved: usize,
    /// The maximum of `reserved` so far, for which cells are charged.
    pub(super) peak: usize,
    /// The next free cell for allocations of constant size.
    pub next_free: Option<(u64, u64)>,
}

/// A scope: the variables that Cairo 0 hints keep between them.
#[derive(Debug, Default)]
pub(in crate::vm::fast) struct HintScope {
    /// The iterations that a loop has left (`n`).
    pub count: Option<Limbs>,
    /// The index of the arc that a comparison excluded.
    pub excluded_arc: Option<u8>,
    /// The index of the dictionary manager (`__dict_manager`).
    pub manager: Option<usize>,
    /// The initial values of new dictionaries (`initial_dict`).
    pub start_values: Option<HashMap<Limbs, VmCell>>,
    /// The current squash of Cairo 0 code.
    pub squashing: Option<Box<Cairo0Squash>>,
    /// The current sort.
    pub sorted: Option<Box<SortState>>,
}

/// Cells of a dictionary access: key, previous value, new value.
pub(in crate::vm::fast) const ACCESS_CELLS: u64 = 3;

/// Cells charged, unused capacity included: per dictionary or dictionary entry, per scope, per access of a
/// squash.
pub(in crate::vm::fast) const ENTRY_CELLS: usize = 5;
pub(super) const SCOPE_CELLS: usize = 2 * size_of::<HintScope>() / size_of::<VmCell>();
pub(in crate::vm::fast) const SQUASH_CELLS: usize = 8;

/// Cells charged for the first node of a B-tree, which has 11 entries, and for an empty hash table.
pub(in crate::vm::fast) const TREE_CELLS: usize = 11 * size_of::<(Limbs, Vec<u64>)>() / size_of::<VmCell>();
const TABLE_CELLS: usize = 4;

/// Cells charged for the values of a dictionary.
pub(in crate::vm::fast) fn values_cells(count: usize) -> usize {
    count.saturating_mul(ENTRY_CELLS).saturating_add(TABLE_CELLS)
}

/// Cells charged for the remaining positions of one key after its tree is dropped, four per cell; before, the
/// tree's charge includes them.
pub(in crate::vm::fast) fn remaining_cells(remaining: Option<&(Vec<u64>, u64)>) -> usize {
    remaining.map_or(0, |(numbers, _)| numbers.capacity() / 4)
}

impl HintState {
    /// The innermost scope.
    pub(in crate::vm::fast) fn current(&mut self) -> &mut HintScope {
        self.inner.last_mut().unwrap_or(&mut self.main)
    }

    /// Exits the innermost scope; `None` in the main scope.
    pub(in crate::vm::fast) fn exit_scope(&mut self) -> Option<()> {
        let exited = self.inner.pop()?;
        self.release(exited.reserved());
        // Only the enclosing scope can still use the same manager.
        if exited.manager.is_some() && exited.manager != self.current().manager {
            let manager = self.managers.pop()?;
            self.release(manager.reserved);
        }
        Some(())
    }

    /// Releases reserved cells for reuse.
    pub(in crate::vm::fast) fn release(&mut self, cells: usize) {
        self.reserved = self.reserved.saturating_sub(cells);
    }

    /// Returns `true` if every scope that was entered has been exited, which the end of a frame requires.
    pub(in crate::vm::fast) fn all_scopes_exited(&self) -> bool {
        self.inner.is_empty()
    }
}

impl HintScope {
    /// Cells that are released when the scope is dropped.
    fn reserved(&self) -> usize {
        let start_values = self.start_values.as_ref().map_or(0, |values| values_cells(values.len()));
        let squashing = self.squashing.as_ref().map_or(0, |squashing| squashing.reserved);
        let sorted = self.sorted.as_ref().map_or(0, |sorted| sorted.reserved);
        start_values.saturating_add(squashing).saturating_add(sorted)
    }
}

/// A Cairo 1 dictionary.
#[derive(Debug)]
pub(in crate::vm::fast) struct Felt252Dict {
    /// The index of the dictionary in the segment arena.
    pub index: u64,
    /// The current values. Never iterated, so the order of the hash map has no effect.
    pub values: HashMap<Limbs, VmCell>,
}

/// The accesses of a dictionary that Cairo 1 code is squashing to one per key.
#[derive(Debug, Default)]
pub(in crate::vm::fast) struct DictSquash {
    /// Keys with the indices of their accesses, both in reverse order: the current key and its current access
    /// are last.
    keys: Vec<(Limbs, Vec<u64>)>,
}

impl DictSquash {
    /// Groups accesses by key.
    pub(super) fn new(accesses: Vec<Limbs>) -> Self {
        let mut by_key: BTreeMap<Limbs, Vec<u64>> = BTreeMap::new();
        for (number, key) in (0_u64..).zip(accesses) {
            by_key.entry(reversed(key)).or_default().push(number);
        }
        let keys = by_key.into_iter().rev().map(|(key, mut numbers)| {
            numbers.reverse();
            (reversed(key), numbers)
        });
        Self { keys: keys.collect() }
    }

    /// The largest key.
    pub(super) fn largest_key(&self) -> Option<Limbs> {
        self.keys.first().map(|(key, _)| *key)
    }

    /// The current key.
    pub(super) fn key(&self) -> Option<Limbs> {
        self.keys.last().map(|(key, _)| *key)
    }

    /// The number of accesses that the current key has left.
    pub(super) fn remaining_accesses(&self) -> Option<usize> {
        self.keys.last().map(|(_, numbers)| numbers.len())
    }

    /// The index of the current access.
    pub(super) fn access(&self) -> Option<u64> {
        self.keys.last()?.1.last().copied()
    }

    /// Removes the current access.
    pub(super) fn pop_access(&mut self) -> Option<u64> {
        self.keys.last_mut()?.1.pop()
    }

    /// Removes the current key; `None` unless it had exactly one access left.
    pub(super) fn pop_key(&mut self) -> Option<()> {
        let (_, numbers) = self.keys.pop()?;
        (numbers.len() == 1).then_some(())
    }
}

/// The limbs in reverse order, which sort like numbers.
pub(in crate::vm::fast) fn reversed([a, b, c, d]: Limbs) -> Limbs {
    [d, c, b, a]
}

#[cfg(test)]
mod tests {
    use cairo_vm::hint_processor::builtin_hint_processor::builtin_hint_processor_definition::HintProcessorData;
    use cairo_vm::hint_processor::hint_processor_definition::HintReference;

    use super::*;
    use crate::class::{HintKind, PreparedHint};
    use crate::vm::fast::Bailout;
    use crate::vm::fast::cairo0::Cairo0Action;
    use crate::vm::fast::cairo0::DictAction;
    use crate::vm::fast::cairo0::ListAction;
    use crate::vm::fast::cairo0::Variable;
    use crate::vm::fast::machine::Machine;
    use crate::vm::fast::memory::{EXECUTION, VmMemory};

    /// A machine with a memory limit in cells.
    fn machine(cells: usize) -> Machine {
        let mut memory = VmMemory::new(Vec::new().into());
        memory.segments.set_remaining(cells);
        Machine {
            program: None,
            memory,
            pc: 0,
            ap: 0,
            fp: 0,
            first_fp: 0,
            is_at_end: false,
            end: 0,
            marks_accesses: false,
            steps: 0,
            blakes: 0,
            resume: None,
            hint_state: HintState::default(),
            interrupt_check: Default::default(),
            syscall_pointer: VmCell::EMPTY,
        }
    }

    fn variable(offset: i32) -> Variable {
        let data = HintProcessorData::new_default(String::new(), HashMap::new());
        let hint = PreparedHint { kind: HintKind::Library, data };
        Variable::new(&HintReference::new_simple(offset), &hint).unwrap()
    }

    /// Runs a hint on a new frame whose first cells are the inputs.
    fn run(machine: &mut Machine, action: &Cairo0Action, inputs: &[VmCell]) -> Result<(), Bailout> {
        machine.fp += 6;
        machine.ap = machine.fp + 5;
        for (offset, input) in (machine.fp..).zip(inputs) {
            machine.memory.write(EXECUTION, offset, *input)?;
        }
        machine.run_cairo0_hint(action).map(|_| ())
    }

    /// Hints, and the cells that each reserves per element of its input.
    fn hints() -> [(Cairo0Action, usize); 2] {
        let [a, b, c, d, e] = [0, 1, 2, 3, 4].map(variable);
        let sort = ListAction::Sort { input: a, length: b, output: c, output_length: d, counts: e };
        let squash = DictAction::Squash { accesses: a, cells: b, count: c, big_keys: d, first: e };
        [(Cairo0Action::List(sort), 4), (Cairo0Action::Dict(squash), SQUASH_CELLS)]
    }

    /// The inputs of a hint over a segment of 1000 elements.
    fn inputs(machine: &mut Machine, action: &Cairo0Action) -> Vec<VmCell> {
        machine.memory.segments.set_remaining(usize::MAX);
        let segment = machine.memory.add_segment(None, vec![VmCell::small(7); 3_000]);
        let (pointer, count) = (VmCell::pointer(segment, 0), VmCell::small(1_000));
        match action {
            Cairo0Action::List(_) => vec![pointer, count],
            _ => vec![pointer, VmCell::small(3_000), count],
        }
    }

    #[test]
    fn released_cells_are_reused() {
        for (action, each) in hints() {
            for in_scopes in [false, true] {
                let mut machine = machine(0);
                let inputs = inputs(&mut machine, &action);
                machine.memory.segments.set_remaining(1_900 * each);
                for round in 0..100 {
                    if in_scopes {
                        run(&mut machine, &Cairo0Action::EnterScope, &[]).unwrap();
                    }
                    assert_eq!(run(&mut machine, &action, &inputs), Ok(()), "{action:?}: {round}");
                    assert_eq!(machine.hint_state.reserved, 1_000 * each + TREE_CELLS);
                    if in_scopes {
                        run(&mut machine, &Cairo0Action::ExitScope, &[]).unwrap();
                        assert_eq!(machine.hint_state.reserved, 0);
                    }
                }
                // Two scopes at once exceed the limit.
                machine.memory.segments.set_remaining(900 * each);
                run(&mut machine, &action, &inputs).unwrap();
                run(&mut machine, &Cairo0Action::EnterScope, &[]).unwrap();
                assert_eq!(run(&mut machine, &action, &inputs), Err(Bailout::OutOfMemory));
            }
        }
    }

    #[test]
    fn the_memory_limit_applies() {
        for (action, each) in hints() {
            for (cells, expected) in [(1_500, Ok(())), (900, Err(Bailout::OutOfMemory))] {
                let mut machine = machine(0);
                let inputs = inputs(&mut machine, &action);
                machine.memory.segments.set_remaining(cells * each);
                assert_eq!(run(&mut machine, &action, &inputs), expected, "{action:?}");
            }
        }
    }

    #[test]
    fn dictionaries_are_dropped_with_the_outermost_scope_of_their_manager() {
        let new = Cairo0Action::Dict(DictAction::NewDefault(variable(0)));
        let enter = |machine: &mut Machine| run(machine, &Cairo0Action::EnterScope, &[]);
        let exit = |machine: &mut Machine| run(machine, &Cairo0Action::ExitScope, &[]);
        let mut machine = machine(3_000);
        let access = |machine: &mut Machine, dict: VmCell, key: u64| {
            let [dict_at, key_at, value] = [0, 1, 2].map(variable);
            let read = DictAction::Read { dict: dict_at, key: key_at, value };
            run(machine, &Cairo0Action::Dict(read), &[dict, VmCell::small(key)])?;
            Ok::<_, Bailout>(machine.memory.read(EXECUTION, machine.fp + 2).as_u64().unwrap())
        };
        let make = |machine: &mut Machine, default: u64| {
            run(machine, &new, &[VmCell::small(default)])?;
            Ok::<_, Bailout>(machine.memory.read(EXECUTION, machine.ap).as_pointer().unwrap().0)
        };
        for _ in 0..100 {
            enter(&mut machine).unwrap();
            make(&mut machine, 5).unwrap();
            exit(&mut machine).unwrap();
            assert_eq!((machine.hint_state.managers.len(), machine.hint_state.reserved), (0, 0));
        }

        let outer = make(&mut machine, 5).unwrap();
        assert_eq!(access(&mut machine, VmCell::pointer(outer, 0), 1), Ok(5));
        let reserved = machine.hint_state.reserved;
        enter(&mut machine).unwrap();
        let inner = make(&mut machine, 6).unwrap();
        assert_eq!(machine.hint_state.managers.len(), 2);
        assert_eq!(access(&mut machine, VmCell::pointer(outer, 3), 1), Err(Bailout::Fault));
        assert_eq!(access(&mut machine, VmCell::pointer(inner, 0), 1), Ok(6));
        exit(&mut machine).unwrap();
        assert_eq!((machine.hint_state.managers.len(), machine.hint_state.reserved), (1, reserved));

        let copy = Cairo0Action::Dict(DictAction::EnterCopy(variable(0)));
        run(&mut machine, &copy, &[VmCell::pointer(outer, 3)]).unwrap();
        let copied = make(&mut machine, 9).unwrap();
        exit(&mut machine).unwrap();
        assert_eq!(machine.hint_state.managers.len(), 1);
        assert!(machine.hint_state.reserved > reserved, "the copy is dropped with its manager");
        assert_eq!(access(&mut machine, VmCell::pointer(copied, 0), 1), Ok(5));
        assert_eq!(access(&mut machine, VmCell::pointer(copied, 3), 2), Ok(9));
        assert_eq!(access(&mut machine, VmCell::pointer(outer, 3), 1), Ok(5));
        assert_eq!(exit(&mut machine), Err(Bailout::Fault));

        let mut nested = (0..100).map(|_| enter(&mut machine).and_then(|()| make(&mut machine, 5)));
        assert!(nested.any(|made| made == Err(Bailout::OutOfMemory)));
    }

    #[test]
    fn keys_and_accesses_are_squashed_in_order() {
        let (low, high) = ([5, 0, 0, 0], [1, 0, 0, 1]);
        let mut squash = DictSquash::new(vec![high, low, high, low, low]);
        assert_eq!(squash.largest_key(), Some(high));
        assert_eq!(
            (squash.key(), squash.remaining_accesses(), squash.access()),
            (Some(low), Some(3), Some(1))
        );
        assert_eq!([squash.pop_access(), squash.pop_access()], [Some(1), Some(3)]);
        assert_eq!(squash.access(), Some(4));
        assert_eq!(squash.pop_key(), Some(()));
        assert_eq!((squash.key(), squash.remaining_accesses()), (Some(high), Some(2)));
        assert_eq!(squash.pop_key(), None, "an access remains");
    }
}
