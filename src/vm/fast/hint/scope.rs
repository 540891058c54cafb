//! What hints remember from one to the next: dictionaries, a squash under way, an arc, the segment of constant sizes.

use std::collections::{BTreeMap, HashMap};

use crate::vm::fast::Bailout;
use crate::vm::fast::cairo0::SortState;
use crate::vm::fast::cairo0::{Cairo0Squash, DictManager};
use crate::vm::fast::cell::VmCell;
use crate::vm::fast::machine::Machine;
use crate::vm::fast::number::field::Limbs;

/// Everything that the hints of a frame keep.
#[derive(Debug, Default)]
pub(in crate::vm::fast) struct HintState {
    /// Dictionaries by their segment; `None` until the first one.
    pub dicts: Option<BTreeMap<u64, Felt252Dict>>,
    /// The squash under way.
    pub squash: Option<DictSquash>,
    /// The accesses of the longest squash so far.
    pub longest_squash: usize,
    /// The dictionaries of Cairo 0 code, those of inner scopes last.
    pub managers: Vec<DictManager>,
    /// The scope that every frame has.
    main: HintScope,
    /// Those that Cairo 0 code entered since, the innermost last.
    inner: Vec<HintScope>,
    /// How many there were at most.
    max_depth: usize,
    /// Cells that hints of Cairo 0 keep beside these.
    reserved: usize,
    /// How many there were at most: those are taken.
    peak: usize,
    /// The next free cell for allocations of constant size.
    pub next_free: Option<(u64, u64)>,
}

/// What hints keep by name, in a scope of their own.
#[derive(Debug, Default)]
pub(in crate::vm::fast) struct HintScope {
    /// How many rounds a loop has left.
    pub count: Option<Limbs>,
    /// The arc that a comparison left out.
    pub excluded_arc: Option<u8>,
    /// The number of the manager of dictionaries.
    pub manager: Option<usize>,
    /// What new dictionaries start from.
    pub start_values: Option<HashMap<Limbs, VmCell>>,
    /// The squash under way, of Cairo 0 code.
    pub squashing: Option<Box<Cairo0Squash>>,
    /// The sort under way.
    pub sorted: Option<Box<SortState>>,
}

/// Cells of a dictionary access: key, previous value, new value.
pub(in crate::vm::fast) const ACCESS_CELLS: u64 = 3;

/// What things that hints keep count as in the budget, in cells, with what tables leave free: a dictionary or a value of one, a
/// scope, an access under squash.
pub(in crate::vm::fast) const ENTRY_CELLS: usize = 5;
const SCOPE_CELLS: usize = 2 * size_of::<HintScope>() / size_of::<VmCell>();
pub(in crate::vm::fast) const SQUASH_CELLS: usize = 8;

/// What a tree of numbered things takes with the first one, whose node has room for eleven; what a table of values does.
pub(in crate::vm::fast) const TREE_CELLS: usize = 11 * size_of::<(Limbs, Vec<u64>)>() / size_of::<VmCell>();
const TABLE_CELLS: usize = 4;

/// What the values of a dictionary count as.
pub(in crate::vm::fast) fn values_cells(count: usize) -> usize {
    count.saturating_mul(ENTRY_CELLS).saturating_add(TABLE_CELLS)
}

/// What numbers count as that were taken up, four of them a cell, once those that they are from are dropped: until then they count
/// there.
pub(in crate::vm::fast) fn remaining_cells(remaining: Option<&(Vec<u64>, u64)>) -> usize {
    remaining.map_or(0, |(numbers, _)| numbers.capacity() / 4)
}

impl HintState {
    /// The innermost scope.
    pub(in crate::vm::fast) fn current(&mut self) -> &mut HintScope {
        self.inner.last_mut().unwrap_or(&mut self.main)
    }

    /// Leaves a scope; the main one cannot be left.
    pub(in crate::vm::fast) fn exit_scope(&mut self) -> Option<()> {
        let exited = self.inner.pop()?;
        self.release(exited.reserved());
        // Only the scope around may have the same manager; those of scopes within are gone.
        if exited.manager.is_some() && exited.manager != self.current().manager {
            let manager = self.managers.pop()?;
            self.release(manager.reserved);
        }
        Some(())
    }

    /// Makes cells that were held free for what comes next.
    pub(in crate::vm::fast) fn release(&mut self, cells: usize) {
        self.reserved = self.reserved.saturating_sub(cells);
    }

    /// Whether every scope that was entered was left, as is due at the end of a frame.
    pub(in crate::vm::fast) fn all_scopes_exited(&self) -> bool {
        self.inner.is_empty()
    }
}

impl HintScope {
    /// Cells held by what is dropped with it.
    fn reserved(&self) -> usize {
        let start_values = self.start_values.as_ref().map_or(0, |values| values_cells(values.len()));
        let squashing = self.squashing.as_ref().map_or(0, |squashing| squashing.reserved);
        let sorted = self.sorted.as_ref().map_or(0, |sorted| sorted.reserved);
        start_values.saturating_add(squashing).saturating_add(sorted)
    }
}

impl Machine {
    /// Counts what a hint is about to keep: only what exceeds all that was held before is taken.
    pub(in crate::vm::fast) fn reserve(&mut self, cells: usize) -> Result<(), Bailout> {
        let HintState { reserved, peak, .. } = &mut self.hint_state;
        *reserved = reserved.saturating_add(cells);
        let more = reserved.saturating_sub(*peak);
        self.memory.segments.charge(more)?;
        *peak = peak.saturating_add(more);
        Ok(())
    }

    /// Enters a scope.
    pub(in crate::vm::fast) fn enter_scope(&mut self, scope: HintScope) -> Result<(), Bailout> {
        let HintState { inner, max_depth, .. } = &mut self.hint_state;
        if inner.len() == *max_depth {
            self.memory.segments.charge(SCOPE_CELLS)?;
            *max_depth = max_depth.saturating_add(1);
        }
        inner.push(scope);
        Ok(())
    }
}

/// A dictionary.
#[derive(Debug)]
pub(in crate::vm::fast) struct Felt252Dict {
    /// Its number among the frame's dictionaries.
    pub index: u64,
    /// Its present values. Looked up only: the order of a hash map shows nowhere.
    pub values: HashMap<Limbs, VmCell>,
}

/// The accesses to a dictionary, on their way to one access a key.
#[derive(Debug, Default)]
pub(in crate::vm::fast) struct DictSquash {
    /// Keys with the numbers of their accesses; the present key and its present access are the last.
    keys: Vec<(Limbs, Vec<u64>)>,
}

impl DictSquash {
    /// Sorts accesses by key.
    pub(in crate::vm::fast) fn new(accesses: Vec<Limbs>) -> Self {
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

    /// The key in turn.
    pub(in crate::vm::fast) fn key(&self) -> Option<Limbs> {
        self.keys.last().map(|(key, _)| *key)
    }

    /// How many accesses the key in turn has left.
    pub(in crate::vm::fast) fn remaining_accesses(&self) -> Option<usize> {
        self.keys.last().map(|(_, numbers)| numbers.len())
    }

    /// The access in turn.
    pub(in crate::vm::fast) fn access(&self) -> Option<u64> {
        self.keys.last()?.1.last().copied()
    }

    /// Takes the access in turn out.
    pub(super) fn pop_access(&mut self) -> Option<u64> {
        self.keys.last_mut()?.1.pop()
    }

    /// Takes the key in turn out, which must have one access left.
    pub(in crate::vm::fast) fn pop_key(&mut self) -> Option<()> {
        let (_, numbers) = self.keys.pop()?;
        (numbers.len() == 1).then_some(())
    }
}

/// Most significant limb first: the order of numbers.
pub(in crate::vm::fast) fn reversed([a, b, c, d]: Limbs) -> Limbs {
    [d, c, b, a]
}

#[cfg(test)]
mod tests {
    use cairo_vm::hint_processor::builtin_hint_processor::builtin_hint_processor_definition::HintProcessorData;
    use cairo_vm::hint_processor::hint_processor_definition::HintReference;

    use super::*;
    use crate::class::{HintKind, PreparedHint};
    use crate::vm::fast::cairo0::Cairo0Action;
    use crate::vm::fast::cairo0::DictAction;
    use crate::vm::fast::cairo0::ListAction;
    use crate::vm::fast::cairo0::Variable;
    use crate::vm::fast::memory::{EXECUTION, VmMemory};

    /// A machine that may take so many cells.
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

    /// Runs a hint on cells of its own, the first of which hold this.
    fn run(machine: &mut Machine, action: &Cairo0Action, inputs: &[VmCell]) -> Result<(), Bailout> {
        machine.fp += 6;
        machine.ap = machine.fp + 5;
        for (offset, input) in (machine.fp..).zip(inputs) {
            machine.memory.write(EXECUTION, offset, *input)?;
        }
        machine.run_cairo0_hint(action).map(|_| ())
    }

    /// Hints that keep so many cells for each of the numbers that lie in a segment.
    fn hints() -> [(Cairo0Action, usize); 2] {
        let [a, b, c, d, e] = [0, 1, 2, 3, 4].map(variable);
        let sort = ListAction::Sort { input: a, length: b, output: c, output_length: d, counts: e };
        let squash = DictAction::Squash { accesses: a, cells: b, count: c, big_keys: d, first: e };
        [(Cairo0Action::List(sort), 4), (Cairo0Action::Dict(squash), SQUASH_CELLS)]
    }

    /// A segment where 1000 numbers are what both hints find, and what they start from.
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
    fn what_was_given_back_is_not_taken_again() {
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
                // What both scopes keep is there at once.
                machine.memory.segments.set_remaining(900 * each);
                run(&mut machine, &action, &inputs).unwrap();
                run(&mut machine, &Cairo0Action::EnterScope, &[]).unwrap();
                assert_eq!(run(&mut machine, &action, &inputs), Err(Bailout::OutOfMemory));
            }
        }
    }

    #[test]
    fn too_much_is_refused() {
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
    fn dictionaries_go_with_the_outermost_scope_that_has_them() {
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
        assert!(machine.hint_state.reserved > reserved, "the copy stays where its manager is");
        assert_eq!(access(&mut machine, VmCell::pointer(copied, 0), 1), Ok(5));
        assert_eq!(access(&mut machine, VmCell::pointer(copied, 3), 2), Ok(9));
        assert_eq!(access(&mut machine, VmCell::pointer(outer, 3), 1), Ok(5));
        assert_eq!(exit(&mut machine), Err(Bailout::Fault));

        let mut nested = (0..100).map(|_| enter(&mut machine).and_then(|()| make(&mut machine, 5)));
        assert!(nested.any(|made| made == Err(Bailout::OutOfMemory)));
    }

    #[test]
    fn keys_come_in_their_order_and_accesses_in_theirs() {
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
        assert_eq!(squash.pop_key(), None, "an access is left over");
    }
}
