//! Native execution of Cairo 0 hints: the same writes in the same order as `cairo-vm`'s hint processor, and a
//! fault where that fails.

use super::action::Cairo0Action;
use super::variable::{ensure, is_in_range};
use crate::vm::fast::Bailout;
use crate::vm::fast::cell::VmCell;
use crate::vm::fast::hint::{HintOutcome, HintScope};
use crate::vm::fast::machine::Machine;
use crate::vm::fast::number::field::{PRIME_DIV_2_128, add, from_u64, is_less, neg, sub};
use crate::vm::fast::number::integer::div_rem;

impl Machine {
    /// Runs a hint.
    pub(in crate::vm::fast) fn run_cairo0_hint(
        &mut self,
        action: &Cairo0Action,
    ) -> Result<HintOutcome, Bailout> {
        match action {
            Cairo0Action::Syscall(at) => {
                return if self.variable(at)?.same(&self.syscall_pointer) {
                    Ok(HintOutcome::Syscall)
                } else {
                    Err(Bailout::Fault)
                };
            }
            Cairo0Action::AllocSegment => {
                let segment = self.memory.add_segment(None, []);
                self.put_cell_at_ap(VmCell::pointer(segment, 0))?;
            }
            Cairo0Action::EnterScope => self.enter_scope(HintScope::default())?,
            Cairo0Action::EnterCount(count) => {
                let count = self.limbs(count)?;
                self.enter_scope(HintScope { count: Some(count), ..HintScope::default() })?;
            }
            Cairo0Action::ExitScope => self.hint_state.exit_scope().ok_or(Bailout::Fault)?,
            Cairo0Action::CountDown(more) => {
                let count = &mut self.hint_state.current().count;
                let remaining = sub(&count.ok_or(Bailout::Fault)?, &from_u64(1));
                *count = Some(remaining);
                self.put_flag(more, remaining != [0; 4])?;
            }
            Cairo0Action::AssertNotZero(value) => ensure(self.limbs(value)? != [0; 4])?,
            Cairo0Action::AssertNotEqual(a, b) => {
                let (a, b) = (self.variable(a)?, self.variable(b)?);
                let are_comparable = match (a.as_pointer(), b.as_pointer()) {
                    (None, None) => true,
                    (Some((a, _)), Some((b, _))) => a == b,
                    _ => false,
                };
                ensure(are_comparable && !a.same(&b))?;
            }
            Cairo0Action::AssertLess(a, b) => ensure(is_less(&self.limbs(a)?, &self.limbs(b)?))?,
            Cairo0Action::AssertInRange(value) => ensure(is_in_range(&self.limbs(value)?))?,
            Cairo0Action::IsOutOfRange(value) => {
                let is_in_range = is_in_range(&self.limbs(value)?);
                self.put_at_ap(!is_in_range)?;
            }
            Cairo0Action::IsNegativeOutOfRange(value) => {
                let next = add(&self.limbs(value)?, &from_u64(1));
                self.put_at_ap(!is_in_range(&neg(&next)))?;
            }
            Cairo0Action::IsPositive { value, result } => {
                let value = self.limbs(value)?;
                ensure(is_in_range(&value) || is_in_range(&neg(&value)))?;
                self.put_flag(result, is_in_range(&value) && value != [0; 4])?;
            }
            Cairo0Action::IsAbove(a, b) => {
                let is_above = is_less(&self.limbs(b)?, &self.limbs(a)?);
                self.put_at_ap(is_above)?;
            }
            Cairo0Action::IsBelow { value, bound, result } => {
                let is_below = is_less(&self.limbs(value)?, bound);
                self.put_flag(result, is_below)?;
            }
            Cairo0Action::Split { value, max, divisor, high, low } => {
                let value = self.limbs(value)?;
                ensure(!is_less(max, &value))?;
                let (quotient, remainder) = div_rem(&value, divisor).ok_or(Bailout::Fault)?;
                self.put(high, quotient)?;
                self.put(low, remainder)?;
            }
            Cairo0Action::DivRem { value, divisor, quotient, remainder } => {
                let (divisor, value) = (self.limbs(divisor)?, self.limbs(value)?);
                ensure(!is_less(&PRIME_DIV_2_128, &divisor))?;
                let (q, r) = div_rem(&value, &divisor).ok_or(Bailout::Fault)?;
                self.put(remainder, r)?;
                self.put(quotient, q)?;
            }
            Cairo0Action::Carries { a, b, low, high } => {
                let (a, b) = (self.members::<2>(a)?, self.members::<2>(b)?);
                let carry_low = !is_in_range(&add(&a[0], &b[0]));
                let carried = add(&add(&a[1], &b[1]), &from_u64(u64::from(carry_low)));
                self.put_flag(high, !is_in_range(&carried))?;
                self.put_flag(low, carry_low)?;
            }
            Cairo0Action::Bit(from, to) => {
                let (segment, start) = self.address_of(from)?;
                let [lowest, ..] = self.read_number(segment, start.checked_add(4).ok_or(Bailout::Fault)?)?;
                self.put(to, from_u64(lowest & 1))?;
            }
            Cairo0Action::FindSmallArcs { a, b, range_check, divisors } => {
                let (a, b) = (self.limbs(a)?, self.limbs(b)?);
                let at = self.variable(range_check)?.as_pointer().ok_or(Bailout::Fault)?;
                ensure(!is_less(&b, &a))?;
                let excluded = self.write_small_arcs(&a, &b, at, divisors)?;
                self.hint_state.current().excluded_arc = Some(excluded);
            }
            Cairo0Action::IsArcIncluded(arc) => {
                let excluded = self.hint_state.current().excluded_arc.ok_or(Bailout::Fault)?;
                self.put_at_ap(excluded != *arc)?;
            }
            Cairo0Action::AssertArcExcluded(arc) => {
                ensure(self.hint_state.current().excluded_arc == Some(*arc))?
            }
            Cairo0Action::AddSignature { r, s, builtin } => {
                let signature = [self.limbs(r)?, self.limbs(s)?];
                let address = self.pointer(builtin)?;
                self.memory.add_signature(address, signature)?;
            }
            Cairo0Action::Number(action) => self.run_number_hint(action)?,
            Cairo0Action::Point(action) => self.run_point_hint(action)?,
            Cairo0Action::List(action) => self.run_list_hint(action)?,
            Cairo0Action::Dict(action) => self.run_dict_hint(action)?,
            Cairo0Action::Keccak(action) => self.run_keccak_hint(action)?,
        }
        Ok(HintOutcome::Done)
    }
}
