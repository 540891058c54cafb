//! Native execution of Cairo 1 hints.
//!
//! Hints write nondeterministic values that code then verifies. Different values can pass the same
//! verification, so every value written must be the one that `cairo-vm`'s hint processor writes. Where that
//! panics or fails, a hint here is a fault.

use super::action::{Action, CellRef, CompiledHint, ComputedOperand, Operand, PointerOperand, Uint256Action};
use super::circuit::eval_circuit;
use super::scope::{
    ACCESS_CELLS, DictSquash, ENTRY_CELLS, Felt252Dict, HintScope, HintState, SCOPE_CELLS, SQUASH_CELLS,
};
use crate::crypto::{Element, Root, blinding_point, sqrt_or_sqrt_of_triple};
use crate::vm::fast::Bailout;
use crate::vm::fast::cell::VmCell;
use crate::vm::fast::machine::Machine;
use crate::vm::fast::memory::EXECUTION;
use crate::vm::fast::number::field::{
    Limbs, as_u128, from_u64, from_u128, is_less, mul, neg, offset_add, sub,
};
use crate::vm::fast::number::integer::{
    div_rem, div_rem_256, div_rem_512, inv_mod, isqrt, sqrt_rem_256, wide_mul,
};

/// The outcome of a hint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::vm::fast) enum HintOutcome {
    /// The hint ran.
    Done,
    /// The hint is a syscall, which the host executes.
    Syscall,
}

/// `ceil((PRIME / 3) / 2^128)` and `ceil((PRIME / 2) / 2^128)`, the divisors of the two shorter arcs.
const PRIME_OVER_3_HIGH: u128 = 3_544_607_988_759_775_765_608_368_578_435_044_694;
const PRIME_OVER_2_HIGH: u128 = 5_316_911_983_139_663_648_412_552_867_652_567_041;

impl Machine {
    /// Runs a hint.
    pub(in crate::vm::fast) fn run_hint(&mut self, hint: &CompiledHint) -> Result<HintOutcome, Bailout> {
        match &hint.action {
            Action::Syscall => return Ok(HintOutcome::Syscall),
            Action::Unsupported => return Err(Bailout::Unsupported),
            Action::Cairo0(action) => return self.run_cairo0_hint(action),
            Action::NoOp => {}
            Action::AllocSegment(dst) => {
                let segment = self.memory.add_segment(None, []);
                self.set(dst, VmCell::pointer(segment, 0))?;
            }
            Action::AllocConstantSize { size, dst } => {
                let size = self.u64(size)?;
                let (segment, offset) = match self.hint_state.next_free {
                    Some(next) => next,
                    None => (self.memory.add_segment(None, []), 0),
                };
                self.hint_state.next_free = Some((segment, offset.checked_add(size).ok_or(Bailout::Fault)?));
                self.set(dst, VmCell::pointer(segment, offset))?;
            }
            Action::TestLessThan { lhs, rhs, dst } => {
                let is_less = is_less(&self.number(lhs)?, &self.number(rhs)?);
                self.set_flag(dst, is_less)?;
            }
            Action::TestLessThanOrEqual { lhs, rhs, dst } => {
                let (mut left, mut right) = (VmCell::EMPTY, VmCell::EMPTY);
                let is_above = is_cell_less(self.operand(rhs, &mut right)?, self.operand(lhs, &mut left)?);
                self.set_flag(dst, !is_above)?;
            }
            Action::WideMul128 { lhs, rhs, high, low } => {
                let (product_high, product_low) = wide_mul(&self.number(lhs)?, &self.number(rhs)?);
                self.set_number(high, product_high)?;
                self.set_number(low, product_low)?;
            }
            Action::DivMod { lhs, rhs, quotient, remainder } => {
                let (q, r) = div_rem(&self.number(lhs)?, &self.number(rhs)?).ok_or(Bailout::Fault)?;
                self.set_number(quotient, q)?;
                self.set_number(remainder, r)?;
            }
            Action::LinearSplit { value, scalar, max_x, x, y } => {
                let (value, scalar) = (self.number(value)?, self.number(scalar)?);
                let max_x = self.number(max_x)?;
                // Division by zero is left to `cairo-vm`.
                let (quotient, _) = div_rem(&value, &scalar).ok_or(Bailout::Unsupported)?;
                let x_value = if is_less(&max_x, &quotient) { max_x } else { quotient };
                self.set_number(x, x_value)?;
                self.set_number(y, sub(&value, &mul(&x_value, &scalar)))?;
            }
            Action::Sqrt { value, dst } => {
                let root = isqrt(&self.number(value)?);
                self.set_number(dst, root)?;
            }
            Action::Uint256(action) => self.run_uint256_hint(action)?,
            Action::FieldSqrt { value, dst } => {
                let value = Element::from_limbs(&self.number(value)?);
                let (Root::OfValue(root) | Root::OfTriple(root)) = sqrt_or_sqrt_of_triple(&value);
                self.set_number(dst, root.to_limbs())?;
            }
            Action::RandomEcPoint { x, y } => {
                let point = blinding_point();
                self.set_number(x, point.x.to_limbs())?;
                self.set_number(y, point.y.to_limbs())?;
            }
            Action::FindSmallArcs { range_check, a, b } => self.find_small_arcs(range_check, a, b)?,
            Action::IsArcIncluded { arc, dst } => {
                let excluded = self.hint_state.current().excluded_arc.ok_or(Bailout::Fault)?;
                self.set_flag(dst, excluded != *arc)?;
            }
            Action::AllocDict(arena) => self.alloc_dict(arena)?,
            Action::DictEntryInit { dict, key } => {
                let (segment, offset) = self.address(dict)?;
                let before = self.dict_value(segment, self.number(key)?)?;
                self.memory.write(segment, offset.checked_add(1).ok_or(Bailout::Fault)?, before)?;
            }
            Action::DictEntryUpdate { dict, key, value } => {
                let (segment, _) = self.address(dict)?;
                let (key, value) = (self.number(key)?, self.value(value)?);
                self.set_dict_value(segment, key, value)?;
            }
            Action::DictRead { dict, key, dst } => {
                let (segment, _) = self.address(dict)?;
                let value = self.dict_value(segment, self.number(key)?)?;
                self.set(dst, value)?;
            }
            Action::DictWrite { dict, key, value } => {
                let (segment, offset) = self.address(dict)?;
                let (key, value) = (self.number(key)?, self.value(value)?);
                let before = self.dict_value(segment, key)?;
                self.memory.write(segment, offset.checked_add(1).ok_or(Bailout::Fault)?, before)?;
                self.set_dict_value(segment, key, value)?;
            }
            Action::SegmentArenaIndex { dict_end, dst } => {
                let (segment, _) = self.address(dict_end)?;
                let index = self.dict(segment)?.index;
                self.set(dst, VmCell::small(index))?;
            }
            Action::SquashInit { accesses, count, big_keys, first_key } => {
                self.squash_init(accesses, count, big_keys, first_key)?;
            }
            Action::SquashAccessIndex(range_check) => {
                let index = self.squash()?.access().ok_or(Bailout::Fault)?;
                let (segment, offset) = self.address(range_check)?;
                self.memory.write(segment, offset, VmCell::small(index))?;
            }
            Action::SquashIsLastAccess { dst, last, more } => {
                let remaining = self.squash()?.remaining_accesses().ok_or(Bailout::Fault)?;
                self.set(dst, VmCell::small(if remaining > 1 { *more } else { *last }))?;
            }
            Action::SquashAccessDelta(dst) => {
                let squash = self.squash()?;
                let before = squash.pop_access().ok_or(Bailout::Fault)?;
                let now = squash.access().ok_or(Bailout::Fault)?;
                let delta = now.checked_sub(before).and_then(|delta| delta.checked_sub(1));
                self.set(dst, VmCell::small(delta.ok_or(Bailout::Fault)?))?;
            }
            Action::SquashNextKey(dst) => {
                let squash = self.squash()?;
                squash.pop_key().ok_or(Bailout::Fault)?;
                let key = squash.key().ok_or(Bailout::Fault)?;
                self.set_number(dst, key)?;
            }
            Action::EvalCircuit(hint) => {
                let add = (self.address(&hint.add_builtin)?, self.u64(&hint.add_count)?);
                let mul = (self.address(&hint.mul_builtin)?, self.u64(&hint.mul_count)?);
                eval_circuit(&mut self.memory, &mut self.interrupt_check, add, mul)?;
            }
        }
        Ok(HintOutcome::Done)
    }

    /// Out of line: its integers would enlarge the stack frame of every hint.
    #[inline(never)]
    fn run_uint256_hint(&mut self, action: &Uint256Action) -> Result<(), Bailout> {
        match action {
            Uint256Action::Uint256DivMod(operands, dsts) => {
                let results = div_rem_256(&self.numbers(operands)?).ok_or(Bailout::Fault)?;
                self.set_numbers(dsts, results)
            }
            Uint256Action::Uint512DivMod(operands, dsts) => {
                let results = div_rem_512(&self.numbers(operands)?).ok_or(Bailout::Fault)?;
                self.set_numbers(dsts, results)
            }
            Uint256Action::Uint256Sqrt(operands, dsts) => {
                let results = sqrt_rem_256(&self.numbers(operands)?);
                self.set_numbers(dsts, results)
            }
            Uint256Action::U256InvModN(operands, dsts) => {
                let results = inv_mod(&self.numbers(operands)?).ok_or(Bailout::Fault)?;
                // One of the six cells stays unwritten if the inverse exists.
                let mut written =
                    dsts.iter().zip(results).filter_map(|(cell_ref, result)| Some((cell_ref, result?)));
                written.try_for_each(|(cell_ref, result)| self.set_number(cell_ref, result))
            }
        }
    }

    /// Of the arcs (0, a), (a, b), (b, -1), the lengths of the two shorter ones prove that `a <= b`.
    fn find_small_arcs(
        &mut self,
        range_check: &PointerOperand,
        a: &Operand,
        b: &Operand,
    ) -> Result<(), Bailout> {
        let (a, b) = (self.number(a)?, self.number(b)?);
        let at = self.address(range_check)?;
        let excluded =
            self.write_small_arcs(&a, &b, at, &[from_u128(PRIME_OVER_3_HIGH), from_u128(PRIME_OVER_2_HIGH)])?;
        self.hint_state.current().excluded_arc = Some(excluded);
        Ok(())
    }

    /// Writes quotient and remainder of the two shorter arcs; returns the index of the excluded arc.
    pub(in crate::vm::fast) fn write_small_arcs(
        &mut self,
        a: &Limbs,
        b: &Limbs,
        (segment, start): (u64, u64),
        [by_first, by_second]: &[Limbs; 2],
    ) -> Result<u8, Bailout> {
        let minus_one = neg(&from_u64(1));
        let mut arcs = [(*a, 0_u8), (sub(b, a), 1), (sub(&minus_one, b), 2)];
        arcs.sort_by_key(|([w, x, y, z], arc)| ([*z, *y, *x, *w], *arc));
        let [(shortest, _), (middle, _), (_, longest)] = arcs;
        let first = div_rem(&shortest, by_first).ok_or(Bailout::Fault)?;
        let second = div_rem(&middle, by_second).ok_or(Bailout::Fault)?;
        for (offset, number) in (start..=u64::MAX).zip([first.1, first.0, second.1, second.0]) {
            self.memory.write(segment, offset, VmCell::number(number))?;
        }
        Ok(longest)
    }

    fn alloc_dict(&mut self, arena: &PointerOperand) -> Result<(), Bailout> {
        let (segment, offset) = self.address(arena)?;
        let before = |cells| offset.checked_sub(cells).ok_or(Bailout::Fault);
        let count = self.memory.read(segment, before(2)?).as_u64().ok_or(Bailout::Fault)?;
        let infos = self.memory.read(segment, before(3)?).as_pointer().ok_or(Bailout::Fault)?;
        let new = self.memory.add_segment(None, []);
        self.memory.segments.charge(ENTRY_CELLS)?;
        let dicts = self.hint_state.dicts.get_or_insert_default();
        let index = u64::try_from(dicts.len()).map_err(|_| Bailout::Fault)?;
        dicts.insert(new, Felt252Dict { index, values: Default::default() });
        // `cairo-vm` wraps around here.
        let cells = count.checked_mul(ACCESS_CELLS).ok_or(Bailout::Unsupported)?;
        let at = infos.1.checked_add(cells).ok_or(Bailout::Fault)?;
        self.memory.write(infos.0, at, VmCell::pointer(new, 0))
    }

    fn squash_init(
        &mut self,
        accesses: &PointerOperand,
        count: &Operand,
        big_keys: &CellRef,
        first_key: &CellRef,
    ) -> Result<(), Bailout> {
        let (segment, start) = self.address(accesses)?;
        let count = self.u64(count)?;
        let mut keys = Vec::new();
        for number in 0..count {
            self.interrupt_check.advance(1)?;
            let at = number.checked_mul(ACCESS_CELLS).and_then(|cells| start.checked_add(cells));
            keys.push(
                self.memory.read(segment, at.ok_or(Bailout::Fault)?).as_number().ok_or(Bailout::Fault)?,
            );
        }
        // Squashes reuse memory: only accesses beyond those of the longest squash so far are charged.
        let longest = &mut self.hint_state.longest_squash;
        let longer = keys.len().saturating_sub(*longest);
        *longest = longest.saturating_add(longer);
        self.memory.segments.charge(longer.saturating_mul(SQUASH_CELLS))?;
        self.hint_state.squash = None;
        let squash = self.hint_state.squash.insert(DictSquash::new(keys));
        let largest = squash.largest_key().ok_or(Bailout::Fault)?;
        let first = squash.key().ok_or(Bailout::Fault)?;
        self.set_flag(big_keys, as_u128(&largest).is_none())?;
        self.set_number(first_key, first)
    }

    fn squash(&mut self) -> Result<&mut DictSquash, Bailout> {
        self.hint_state.squash.as_mut().ok_or(Bailout::Fault)
    }

    fn dict(&mut self, segment: u64) -> Result<&mut Felt252Dict, Bailout> {
        self.hint_state.dicts.as_mut().and_then(|dicts| dicts.get_mut(&segment)).ok_or(Bailout::Fault)
    }

    /// The current value of a key, by default 0.
    fn dict_value(&mut self, segment: u64, key: Limbs) -> Result<VmCell, Bailout> {
        Ok(self.dict(segment)?.values.get(&key).copied().unwrap_or(VmCell::small(0)))
    }

    fn set_dict_value(&mut self, segment: u64, key: Limbs, value: VmCell) -> Result<(), Bailout> {
        if self.dict(segment)?.values.insert(key, value).is_none() {
            self.memory.segments.charge(ENTRY_CELLS)?;
        }
        Ok(())
    }

    fn offset_of(&self, cell_ref: &CellRef) -> Result<u64, Bailout> {
        let base = if cell_ref.is_fp { self.fp } else { self.ap };
        base.checked_add_signed(i64::from(cell_ref.offset)).ok_or(Bailout::Fault)
    }

    /// A known cell, which may be marked as accessed.
    #[inline]
    fn cell(&self, cell_ref: &CellRef) -> Result<&VmCell, Bailout> {
        let index = usize::try_from(self.offset_of(cell_ref)?).map_err(|_| Bailout::Fault)?;
        self.memory.execution.get(index).filter(|cell| cell.is_known()).ok_or(Bailout::Fault)
    }

    fn set(&mut self, cell_ref: &CellRef, value: VmCell) -> Result<(), Bailout> {
        self.memory.write(EXECUTION, self.offset_of(cell_ref)?, value)
    }

    fn set_number(&mut self, cell_ref: &CellRef, number: Limbs) -> Result<(), Bailout> {
        self.set(cell_ref, VmCell::number(number))
    }

    fn set_numbers<const N: usize>(
        &mut self,
        dsts: &[CellRef; N],
        numbers: [Limbs; N],
    ) -> Result<(), Bailout> {
        dsts.iter().zip(numbers).try_for_each(|(cell_ref, number)| self.set_number(cell_ref, number))
    }

    fn set_flag(&mut self, cell_ref: &CellRef, flag: bool) -> Result<(), Bailout> {
        self.set(cell_ref, VmCell::small(u64::from(flag)))
    }

    fn address(&self, buffer: &PointerOperand) -> Result<(u64, u64), Bailout> {
        let (segment, offset) = self.cell(&buffer.base)?.as_pointer().ok_or(Bailout::Fault)?;
        Ok((segment, offset_add(offset, &buffer.offset).ok_or(Bailout::Fault)?))
    }

    /// The value of an operand.
    fn value(&self, operand: &Operand) -> Result<VmCell, Bailout> {
        self.operand(operand, &mut VmCell::default())?.value().ok_or(Bailout::Fault)
    }

    /// The cell of an operand, which may be marked as accessed. A computed value is stored in `computed`.
    #[inline(always)]
    fn operand<'a>(&'a self, operand: &'a Operand, computed: &'a mut VmCell) -> Result<&'a VmCell, Bailout> {
        match operand {
            Operand::Deref(cell) => self.cell(cell),
            Operand::Immediate(value) => Ok(value),
            Operand::Computed(operand) => {
                *computed = self.compute(operand)?;
                Ok(computed)
            }
        }
    }

    #[inline(never)]
    fn compute(&self, operand: &ComputedOperand) -> Result<VmCell, Bailout> {
        let cell = |cell| self.cell(cell)?.value().ok_or(Bailout::Fault);
        let product = |a: VmCell, b: VmCell| a.times(&b).ok_or(Bailout::Fault);
        let sum = |a: VmCell, b: VmCell| match b.as_number() {
            Some(_) => a.plus(&b).ok_or(Bailout::Fault),
            None => Err(Bailout::Fault),
        };
        match operand {
            ComputedOperand::DoubleDeref(base, offset) => {
                let (segment, offset) = self.address(&PointerOperand { base: *base, offset: *offset })?;
                self.memory.read(segment, offset).value().ok_or(Bailout::Fault)
            }
            ComputedOperand::AddDeref(a, b) => sum(cell(a)?, cell(b)?),
            ComputedOperand::AddImmediate(a, b) => sum(cell(a)?, *b),
            ComputedOperand::MulDeref(a, b) => product(cell(a)?, cell(b)?),
            ComputedOperand::MulImmediate(a, b) => product(cell(a)?, *b),
        }
    }

    /// The number of an operand; a fault if it is an address.
    fn number(&self, operand: &Operand) -> Result<Limbs, Bailout> {
        self.operand(operand, &mut VmCell::default())?.as_number().ok_or(Bailout::Fault)
    }

    fn numbers<const N: usize>(&self, operands: &[Operand; N]) -> Result<[Limbs; N], Bailout> {
        let mut numbers = [[0; 4]; N];
        for (number, operand) in numbers.iter_mut().zip(operands) {
            *number = self.number(operand)?;
        }
        Ok(numbers)
    }

    fn u64(&self, operand: &Operand) -> Result<u64, Bailout> {
        VmCell::number(self.number(operand)?).as_u64().ok_or(Bailout::Fault)
    }
}

impl Machine {
    /// Reserves cells for hint state; charges only what exceeds the peak so far.
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

/// The order of values in `cairo-vm`: addresses before numbers.
fn is_cell_less(a: &VmCell, b: &VmCell) -> bool {
    match (a.as_number(), b.as_number()) {
        (Some(a), Some(b)) => is_less(&a, &b),
        (a_number, b_number) => match (a.as_pointer(), b.as_pointer()) {
            (Some(a), Some(b)) => a < b,
            _ => a_number.is_none() && b_number.is_some(),
        },
    }
}
