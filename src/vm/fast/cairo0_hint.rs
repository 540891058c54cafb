//! Hints of Cairo 0: those that contracts run often, made ready once per class.
//!
//! In: a hint as the class holds it, which names variables; a variable is a reference to cells near `ap` or `fp`. Out: what to do
//! with which cells. A hint that is not here, or whose variables or constants are not all there, is unknown: a frame that comes to it
//! is handed over. Each writes what the judge's writes, in its order, and reports a fault where the judge's fails.

use cairo_vm::hint_processor::builtin_hint_processor::hint_code;
use cairo_vm::hint_processor::hint_processor_definition::HintReference;
use cairo_vm::serde::deserialize_program::OffsetValue;
use cairo_vm::types::instruction::Register;
use starknet_types_core::felt::Felt;

use super::Exit;
use super::cell::Cell;
use super::field::{Limbs, add, from_felt, is_less, neg, small, sub};
use super::hint::{Action, Hint, Place};
use super::hint_run::Hinted;
use super::hint_scope::Scope;
use super::integer::div_rem;
use super::machine::Machine;
use super::memory::EXECUTION;
use crate::class::{Cairo0Class, HintKind, PreparedHint};
use crate::protocol::Builtin;

/// A part of a reference: a number, an address near a register, or what lies there.
#[derive(Clone, Copy, Debug)]
enum Part {
    Number(Cell),
    /// `register - back + offset`: `ap` has moved since the reference was made.
    Near {
        is_fp: bool,
        back: u64,
        offset: i64,
        is_read: bool,
    },
}

/// A variable: the sum or difference of two parts, read as an address once or twice to come to its value.
#[derive(Clone, Copy, Debug)]
pub(super) struct Variable {
    first: Part,
    second: Part,
    is_difference: bool,
    reads: u8,
    /// Whether its place is behind a pointer.
    is_behind: bool,
}

/// What a hint does.
#[derive(Clone, Debug)]
pub(super) enum Cairo0Action {
    /// A syscall, which must stand at the variable.
    Syscall(Variable),
    EnterScope,
    /// Enters a scope with a count.
    EnterCount(Variable),
    ExitScope,
    /// Takes one off the scope's count; whether more are left.
    CountDown(Variable),
    AssertNotZero(Variable),
    AssertNotEqual(Variable, Variable),
    AssertLess(Variable, Variable),
    /// Below 2^128.
    AssertRange(Variable),
    IsOutOfRange(Variable),
    IsNegativeOutOfRange(Variable),
    IsPositive {
        value: Variable,
        result: Variable,
    },
    IsAbove(Variable, Variable),
    /// Whether below the bound.
    IsBelow {
        value: Variable,
        bound: Limbs,
        result: Variable,
    },
    /// Quotient and remainder by a constant, of a value up to a bound.
    Split {
        value: Variable,
        most: Limbs,
        by: Limbs,
        high: Variable,
        low: Variable,
    },
    DivRem {
        value: Variable,
        by: Variable,
        quotient: Variable,
        remainder: Variable,
    },
    /// Carries of a sum of two parts each.
    Carries {
        a: Variable,
        b: Variable,
        low: Variable,
        high: Variable,
    },
    /// The lowest bit of what lies four cells behind the first.
    Bit(Variable, Variable),
    Arcs {
        a: Variable,
        b: Variable,
        range_check: Variable,
        by: [Limbs; 2],
    },
    IsArcUsed(u8),
    AssertArc(u8),
    /// Announces a signature to its builtin.
    AnnounceSignature {
        r: Variable,
        s: Variable,
        builtin: Variable,
    },
}

/// Prepares a hint.
pub(super) fn compile_cairo0(hint: &PreparedHint, class: &Cairo0Class, is_last: bool) -> Hint {
    Hint { action: action(hint, class).unwrap_or(Action::Unknown), is_last }
}

fn action(hint: &PreparedHint, class: &Cairo0Class) -> Option<Action> {
    let variable = |name: &str| Variable::new(hint.data.ids_data.get(name)?, hint);
    let constant = |name: &str| hint.data.constants.get(name).map(from_felt);
    let bounded = || class.builtins().contains(&Builtin::RangeCheck).then_some(());
    Some(Action::Cairo0(Box::new(match hint.kind {
        HintKind::Syscall => Cairo0Action::Syscall(variable("syscall_ptr")?),
        HintKind::AddressIs250 => {
            let bound = from_felt(&Felt::TWO.pow(250_u32));
            Cairo0Action::IsBelow { value: variable("addr")?, bound, result: variable("is_250")? }
        }
        HintKind::AddressIsSmall => {
            let bound = constant("starkware.starknet.common.storage.ADDR_BOUND")?;
            // What the hint demands of its bound, which then is above half the prime.
            let [low, high] = [250_u32, 251].map(|bits| from_felt(&Felt::TWO.pow(bits)));
            let is_usable = is_less(&low, &bound) && !is_less(&high, &bound) && is_less(&neg(&bound), &bound);
            is_usable.then_some(())?;
            Cairo0Action::IsBelow { value: variable("addr")?, bound, result: variable("is_small")? }
        }
        HintKind::Engine => match hint.data.code.as_str() {
            hint_code::ADD_SEGMENT => return Some(Action::AllocSegment(Place { is_fp: false, offset: 0 })),
            hint_code::VM_ENTER_SCOPE => Cairo0Action::EnterScope,
            hint_code::VM_EXIT_SCOPE => Cairo0Action::ExitScope,
            hint_code::MEMCPY_ENTER_SCOPE => Cairo0Action::EnterCount(variable("len")?),
            hint_code::MEMSET_ENTER_SCOPE => Cairo0Action::EnterCount(variable("n")?),
            hint_code::MEMCPY_CONTINUE_COPYING => Cairo0Action::CountDown(variable("continue_copying")?),
            hint_code::MEMSET_CONTINUE_LOOP => Cairo0Action::CountDown(variable("continue_loop")?),
            hint_code::ASSERT_NOT_ZERO => Cairo0Action::AssertNotZero(variable("value")?),
            hint_code::ASSERT_NOT_EQUAL => Cairo0Action::AssertNotEqual(variable("a")?, variable("b")?),
            hint_code::ASSERT_LT_FELT => Cairo0Action::AssertLess(variable("a")?, variable("b")?),
            hint_code::ASSERT_NN => bounded().and(Some(Cairo0Action::AssertRange(variable("a")?)))?,
            hint_code::IS_NN => bounded().and(Some(Cairo0Action::IsOutOfRange(variable("a")?)))?,
            hint_code::IS_NN_OUT_OF_RANGE => {
                bounded().and(Some(Cairo0Action::IsNegativeOutOfRange(variable("a")?)))?
            }
            hint_code::IS_POSITIVE => {
                bounded()?;
                Cairo0Action::IsPositive { value: variable("value")?, result: variable("is_positive")? }
            }
            hint_code::IS_LE_FELT => Cairo0Action::IsAbove(variable("a")?, variable("b")?),
            hint_code::ASSERT_250_BITS => Cairo0Action::Split {
                value: variable("value")?,
                most: constant("starkware.cairo.common.math.assert_250_bit.UPPER_BOUND")?,
                by: constant("starkware.cairo.common.math.assert_250_bit.SHIFT")
                    .filter(|shift| *shift != [0; 4])?,
                high: variable("high")?,
                low: variable("low")?,
            },
            hint_code::SPLIT_FELT => {
                let parts = (only_constant(hint, "MAX_LOW")?, only_constant(hint, "MAX_HIGH")?);
                let ([a, b, 0, 0], [c, d, 0, 0]) = parts else { return None };
                let is_usable = [a, b, c, d] == from_felt(&Felt::MAX);
                is_usable.then_some(())?;
                Cairo0Action::Split {
                    value: variable("value")?,
                    most: from_felt(&Felt::MAX),
                    by: [0, 0, 1, 0],
                    high: variable("high")?,
                    low: variable("low")?,
                }
            }
            hint_code::SPLIT_64 => Cairo0Action::Split {
                value: variable("a")?,
                most: from_felt(&Felt::MAX),
                by: [0, 1, 0, 0],
                high: variable("high")?,
                low: variable("low")?,
            },
            hint_code::UNSIGNED_DIV_REM => {
                bounded()?;
                Cairo0Action::DivRem {
                    value: variable("value")?,
                    by: variable("div")?,
                    quotient: variable("q")?,
                    remainder: variable("r")?,
                }
            }
            hint_code::UINT256_ADD => Cairo0Action::Carries {
                a: variable("a")?,
                b: variable("b")?,
                low: variable("carry_low")?,
                high: variable("carry_high")?,
            },
            hint_code::POW => Cairo0Action::Bit(variable("prev_locs")?, variable("locs")?),
            hint_code::ASSERT_LE_FELT => Cairo0Action::Arcs {
                a: variable("a")?,
                b: variable("b")?,
                range_check: variable("range_check_ptr")?,
                by: [
                    constant("starkware.cairo.common.math.assert_le_felt.PRIME_OVER_3_HIGH")?,
                    constant("starkware.cairo.common.math.assert_le_felt.PRIME_OVER_2_HIGH")?,
                ],
            },
            hint_code::ASSERT_LE_FELT_EXCLUDED_0 => Cairo0Action::IsArcUsed(0),
            hint_code::ASSERT_LE_FELT_EXCLUDED_1 => Cairo0Action::IsArcUsed(1),
            hint_code::ASSERT_LE_FELT_EXCLUDED_2 => Cairo0Action::AssertArc(2),
            hint_code::VERIFY_ECDSA_SIGNATURE => Cairo0Action::AnnounceSignature {
                r: variable("signature_r")?,
                s: variable("signature_s")?,
                builtin: variable("ecdsa_ptr")?,
            },
            _ => return None,
        },
    })))
}

/// The one constant with this last name; of several the judge takes any.
fn only_constant(hint: &PreparedHint, name: &str) -> Option<Limbs> {
    let mut named = hint
        .data
        .constants
        .iter()
        .filter(|(path, _)| path.rsplit('.').next() == Some(name))
        .map(|(_, value)| value);
    match (named.next(), named.next()) {
        (Some(only), None) => Some(from_felt(only)),
        _ => None,
    }
}

impl Variable {
    fn new(reference: &HintReference, hint: &PreparedHint) -> Option<Self> {
        let part = |offset: &OffsetValue| {
            Some(match offset {
                OffsetValue::Immediate(number) => Part::Number(Cell::of_felt(number)),
                OffsetValue::Value(number) => Part::Number(Cell::of_felt(&Felt::from(*number))),
                OffsetValue::Reference(register, offset, is_read, _) => {
                    let is_fp = *register == Register::FP;
                    let back = if is_fp {
                        0
                    } else {
                        let (made, here) = (reference.ap_tracking_data.as_ref()?, &hint.data.ap_tracking);
                        (made.group == here.group).then_some(())?;
                        u64::try_from(here.offset.checked_sub(made.offset)?).ok()?
                    };
                    Part::Near { is_fp, back, offset: i64::from(*offset), is_read: *is_read }
                }
            })
        };
        Some(Self {
            first: part(&reference.offset1)?,
            second: part(&reference.offset2)?,
            is_difference: matches!(reference.offset2, OffsetValue::Reference(_, _, _, false)),
            reads: u8::from(reference.inner_dereference)
                .saturating_add(u8::from(reference.outer_dereference)),
            is_behind: reference.inner_dereference,
        })
    }
}

impl Machine {
    /// Runs a hint.
    pub(super) fn run_cairo0_hint(&mut self, action: &Cairo0Action) -> Result<Hinted, Exit> {
        match action {
            Cairo0Action::Syscall(at) => {
                return if self.variable(at)?.same(&self.syscall_pointer) {
                    Ok(Hinted::Syscall)
                } else {
                    Err(Exit::Fault)
                };
            }
            Cairo0Action::EnterScope => self.scopes.enter(None),
            Cairo0Action::EnterCount(count) => {
                let count = self.limbs(count)?;
                self.scopes.enter(Some(count));
            }
            Cairo0Action::ExitScope => self.scopes.exit().ok_or(Exit::Fault)?,
            Cairo0Action::CountDown(more) => {
                let count = &mut self.scope()?.count;
                let left = sub(&count.ok_or(Exit::Fault)?, &small(1));
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
                let (quotient, rest) = div_rem(&value, by).ok_or(Exit::Fault)?;
                self.put(high, quotient)?;
                self.put(low, rest)?;
            }
            Cairo0Action::DivRem { value, by, quotient, remainder } => {
                let (by, value) = (self.limbs(by)?, self.limbs(value)?);
                demand(!is_less(&PRIME_OVER_RANGE, &by))?;
                let (q, r) = div_rem(&value, &by).ok_or(Exit::Fault)?;
                self.put(remainder, r)?;
                self.put(quotient, q)?;
            }
            Cairo0Action::Carries { a, b, low, high } => {
                let (a, b) = (self.two_parts(a)?, self.two_parts(b)?);
                let carry_low = !is_in_range(&add(&a[0], &b[0]));
                let carried = add(&add(&a[1], &b[1]), &small(u64::from(carry_low)));
                self.put_flag(high, !is_in_range(&carried))?;
                self.put_flag(low, carry_low)?;
            }
            Cairo0Action::Bit(from, to) => {
                let (segment, start) = self.address_of(from)?;
                let [lowest, ..] = self.number_at(segment, start.checked_add(4).ok_or(Exit::Fault)?)?;
                self.put(to, small(lowest & 1))?;
            }
            Cairo0Action::Arcs { a, b, range_check, by } => {
                let (a, b) = (self.limbs(a)?, self.limbs(b)?);
                let at = self.variable(range_check)?.as_pointer().ok_or(Exit::Fault)?;
                demand(!is_less(&b, &a))?;
                let excluded = self.split_small_arcs(&a, &b, at, by)?;
                self.scope()?.excluded_arc = Some(excluded);
            }
            Cairo0Action::IsArcUsed(arc) => {
                let excluded = self.scope()?.excluded_arc.ok_or(Exit::Fault)?;
                self.put_at_ap(excluded != *arc)?;
            }
            Cairo0Action::AssertArc(arc) => demand(self.scope()?.excluded_arc == Some(*arc))?,
            Cairo0Action::AnnounceSignature { r, s, builtin } => {
                let signature = [self.limbs(r)?, self.limbs(s)?];
                let place = self.variable(builtin)?.as_pointer().ok_or(Exit::Fault)?;
                self.memory.announce_signature(place, signature)?;
            }
        }
        Ok(Hinted::Ran)
    }

    fn scope(&mut self) -> Result<&mut Scope, Exit> {
        Ok(self.scopes.current())
    }

    fn part(&self, part: &Part) -> Result<Cell, Exit> {
        match part {
            Part::Number(number) => Ok(*number),
            Part::Near { is_fp, back, offset, is_read } => {
                let base = if *is_fp { self.fp } else { self.ap };
                let place = base.checked_sub(*back).and_then(|base| base.checked_add_signed(*offset));
                let place = place.ok_or(Exit::Fault)?;
                if *is_read { self.read_known(EXECUTION, place) } else { Ok(Cell::pointer(EXECUTION, place)) }
            }
        }
    }

    fn read_known(&self, segment: u64, offset: u64) -> Result<Cell, Exit> {
        self.memory.read(segment, offset).value().ok_or(Exit::Fault)
    }

    fn read_behind(&self, pointer: Cell) -> Result<Cell, Exit> {
        let (segment, offset) = pointer.as_pointer().ok_or(Exit::Fault)?;
        self.read_known(segment, offset)
    }

    /// The value of a variable.
    fn variable(&self, variable: &Variable) -> Result<Cell, Exit> {
        let (first, second) = (self.part(&variable.first)?, self.part(&variable.second)?);
        let value = if variable.is_difference { first.minus(&second) } else { first.plus(&second) };
        (0..variable.reads).try_fold(value.ok_or(Exit::Fault)?, |value, _| self.read_behind(value))
    }

    /// The number that a variable is.
    fn limbs(&self, variable: &Variable) -> Result<Limbs, Exit> {
        self.variable(variable)?.as_number().ok_or(Exit::Fault)
    }

    /// Where a variable lies. Of a difference the judge takes the sum here.
    fn address_of(&self, variable: &Variable) -> Result<(u64, u64), Exit> {
        let sum = self.part(&variable.first)?.plus(&self.part(&variable.second)?).ok_or(Exit::Fault)?;
        let address = if variable.is_behind { self.read_behind(sum)? } else { sum };
        address.as_pointer().ok_or(Exit::Fault)
    }

    fn number_at(&self, segment: u64, offset: u64) -> Result<Limbs, Exit> {
        self.read_known(segment, offset)?.as_number().ok_or(Exit::Fault)
    }

    /// The two numbers of a structure.
    fn two_parts(&self, variable: &Variable) -> Result<[Limbs; 2], Exit> {
        let (segment, start) = self.address_of(variable)?;
        let next = start.checked_add(1).ok_or(Exit::Fault)?;
        Ok([self.number_at(segment, start)?, self.number_at(segment, next)?])
    }

    fn put(&mut self, variable: &Variable, number: Limbs) -> Result<(), Exit> {
        let (segment, offset) = self.address_of(variable)?;
        self.memory.write(segment, offset, Cell::number(number))
    }

    fn put_flag(&mut self, variable: &Variable, flag: bool) -> Result<(), Exit> {
        self.put(variable, small(u64::from(flag)))
    }

    fn put_at_ap(&mut self, flag: bool) -> Result<(), Exit> {
        self.memory.write(EXECUTION, self.ap, Cell::small(u64::from(flag)))
    }
}

/// PRIME / 2^128, rounded down.
const PRIME_OVER_RANGE: Limbs = [0x0000_0000_0000_0000, 0x0800_0000_0000_0011, 0, 0];

/// Whether a number has 128 bits.
fn is_in_range(number: &Limbs) -> bool {
    is_less(number, &[0, 0, 1, 0])
}

fn demand(holds: bool) -> Result<(), Exit> {
    if holds { Ok(()) } else { Err(Exit::Fault) }
}
