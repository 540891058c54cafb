//! Running hints of Cairo 0. Each writes what the judge's writes, in its order, and reports a fault where the judge's fails.

use super::action::Cairo0Action;
use super::variable::{demand, is_in_range};
use crate::vm::fast::Bailout;
use crate::vm::fast::hint::Hinted;
use crate::vm::fast::hint::Scope;
use crate::vm::fast::machine::Machine;
use crate::vm::fast::number::field::{PRIME_OVER_RANGE, add, is_less, neg, small, sub};
use crate::vm::fast::number::integer::div_rem;

impl Machine {
    /// Runs a hint.
    pub(in crate::vm::fast) fn run_cairo0_hint(&mut self, action: &Cairo0Action) -> Result<Hinted, Bailout> {
        match action {
            Cairo0Action::Syscall(at) => {
                return if self.variable(at)?.same(&self.syscall_pointer) {
                    Ok(Hinted::Syscall)
                } else {
                    Err(Bailout::Fault)
                };
            }
            Cairo0Action::EnterScope => self.enter_scope(Scope::default())?,
            Cairo0Action::EnterCount(count) => {
                let count = self.limbs(count)?;
                self.enter_scope(Scope { count: Some(count), ..Scope::default() })?;
            }
            Cairo0Action::ExitScope => self.scopes.exit().ok_or(Bailout::Fault)?,
            Cairo0Action::CountDown(more) => {
                let count = &mut self.scopes.current().count;
                let left = sub(&count.ok_or(Bailout::Fault)?, &small(1));
                *count = Some(left);
                self.put_flag(more, left != [0; 4])?;
            }
            Cairo0Action::AssertNotZero(value) => demand(self.limbs(value)? != [0; 4])?,
            Cairo0Action::AssertNotEqual(a, b) => {
                let (a, b) = (self.variable(a)?, self.variable(b)?);
                let are_comparable = match (a.as_pointer(), b.as_pointer()) {
                    (None, None) => true,
                    (Some((a, _)), Some((b, _))) => a == b,
                    _ => false,
                };
                demand(are_comparable && !a.same(&b))?;
            }
            Cairo0Action::AssertLess(a, b) => demand(is_less(&self.limbs(a)?, &self.limbs(b)?))?,
            Cairo0Action::AssertRange(value) => demand(is_in_range(&self.limbs(value)?))?,
            Cairo0Action::IsOutOfRange(value) => {
                let is_in_range = is_in_range(&self.limbs(value)?);
                self.put_at_ap(!is_in_range)?;
            }
            Cairo0Action::IsNegativeOutOfRange(value) => {
                let next = add(&self.limbs(value)?, &small(1));
                self.put_at_ap(!is_in_range(&neg(&next)))?;
            }
            Cairo0Action::IsPositive { value, result } => {
                let value = self.limbs(value)?;
                demand(is_in_range(&value) || is_in_range(&neg(&value)))?;
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
            Cairo0Action::Split { value, most, by, high, low } => {
                let value = self.limbs(value)?;
                demand(!is_less(most, &value))?;
                let (quotient, rest) = div_rem(&value, by).ok_or(Bailout::Fault)?;
                self.put(high, quotient)?;
                self.put(low, rest)?;
            }
            Cairo0Action::DivRem { value, by, quotient, remainder } => {
                let (by, value) = (self.limbs(by)?, self.limbs(value)?);
                demand(!is_less(&PRIME_OVER_RANGE, &by))?;
                let (q, r) = div_rem(&value, &by).ok_or(Bailout::Fault)?;
                self.put(remainder, r)?;
                self.put(quotient, q)?;
            }
            Cairo0Action::Carries { a, b, low, high } => {
                let (a, b) = (self.parts::<2>(a)?, self.parts::<2>(b)?);
                let carry_low = !is_in_range(&add(&a[0], &b[0]));
                let carried = add(&add(&a[1], &b[1]), &small(u64::from(carry_low)));
                self.put_flag(high, !is_in_range(&carried))?;
                self.put_flag(low, carry_low)?;
            }
            Cairo0Action::Bit(from, to) => {
                let (segment, start) = self.address_of(from)?;
                let [lowest, ..] = self.number_at(segment, start.checked_add(4).ok_or(Bailout::Fault)?)?;
                self.put(to, small(lowest & 1))?;
            }
            Cairo0Action::Arcs { a, b, range_check, by } => {
                let (a, b) = (self.limbs(a)?, self.limbs(b)?);
                let at = self.variable(range_check)?.as_pointer().ok_or(Bailout::Fault)?;
                demand(!is_less(&b, &a))?;
                let excluded = self.split_small_arcs(&a, &b, at, by)?;
                self.scopes.current().excluded_arc = Some(excluded);
            }
            Cairo0Action::IsArcUsed(arc) => {
                let excluded = self.scopes.current().excluded_arc.ok_or(Bailout::Fault)?;
                self.put_at_ap(excluded != *arc)?;
            }
            Cairo0Action::AssertArc(arc) => demand(self.scopes.current().excluded_arc == Some(*arc))?,
            Cairo0Action::AnnounceSignature { r, s, builtin } => {
                let signature = [self.limbs(r)?, self.limbs(s)?];
                let place = self.pointer(builtin)?;
                self.memory.add_signature(place, signature)?;
            }
            Cairo0Action::Number(action) => self.run_number_hint(action)?,
            Cairo0Action::Point(action) => self.run_point_hint(action)?,
            Cairo0Action::List(action) => self.run_list_hint(action)?,
            Cairo0Action::Dict(action) => self.run_dict_hint(action)?,
            Cairo0Action::Keccak(action) => self.run_keccak_hint(action)?,
        }
        Ok(Hinted::Ran)
    }
}
