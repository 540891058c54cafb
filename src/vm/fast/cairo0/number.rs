//! Cairo 0 hints of numbers: square roots, divisions, limbs.

use cairo_vm::hint_processor::builtin_hint_processor::hint_code;

use super::variable::{HintSymbols, Variable, ensure, is_in_range};
use crate::crypto::{Element, sqrt as field_sqrt};
use crate::vm::fast::Bailout;
use crate::vm::fast::cell::VmCell;
use crate::vm::fast::machine::Machine;
use crate::vm::fast::number::field::{Limbs, PRIME_DIV_2_128, add, from_u64, is_less, neg, sub};
use crate::vm::fast::number::integer::{div_rem, div_rem_256, isqrt, isqrt_256, mul_div_rem_256};

/// The effect of a hint.
#[derive(Clone, Debug)]
pub(in crate::vm::fast) enum NumberAction {
    /// Writes whether `a` and `b - a` are below 2^128; asserts `a <= b`.
    AreInRange {
        a: Variable,
        b: Variable,
        result: Variable,
    },
    Sqrt {
        value: Variable,
        root: Variable,
    },
    /// Divides a signed number, which is negative in the upper half of the field; the quotient is biased by
    /// `bound`.
    SignedDivRem {
        value: Variable,
        divisor: Variable,
        bound: Variable,
        quotient: Variable,
        remainder: Variable,
    },
    AssertZero(Variable),
    /// Writes the lowest limb of a number in a base.
    Limb {
        value: Variable,
        base: Variable,
        bound: Variable,
        output: Variable,
    },
    /// Writes the square root in the field of the value, or of a third of it.
    FieldSqrt {
        value: Variable,
        root: Variable,
    },
    /// Writes the square root of a `Uint256`.
    Sqrt256 {
        value: Variable,
        root: Variable,
    },
    /// Writes whether a `Uint256` has at most 255 bits.
    IsNonNegative256(Variable),
    /// Divides `Uint256` numbers.
    DivRem256 {
        value: Variable,
        divisor: Variable,
        quotient: Variable,
        remainder: Variable,
    },
    /// Divides the product of two `Uint256` numbers by a third.
    MulDivRem256 {
        a: Variable,
        b: Variable,
        divisor: Variable,
        quotient: [Variable; 2],
        remainder: Variable,
    },
}

/// 2^250.
const BITS_250: Limbs = [0, 0, 0, 1 << 58];
/// 2^127.
const HALF_RANGE: Limbs = [0, 1 << 63, 0, 0];
/// Half the prime, rounded down.
const HALF_PRIME: Limbs = [0, 0, 1 << 63, 0x0400_0000_0000_0008];

impl NumberAction {
    /// The action of a hint with this code; `None` if it is not in this family.
    pub(super) fn new(code: &str, symbols: &HintSymbols<'_>) -> Option<Self> {
        let variable = |name: &str| symbols.variable(name);
        Some(match code {
            hint_code::ASSERT_LE_FELT_V_0_8 => {
                symbols.range_check_bound()?;
                Self::AreInRange { a: variable("a")?, b: variable("b")?, result: variable("small_inputs")? }
            }
            hint_code::SQRT => Self::Sqrt { value: variable("value")?, root: variable("root")? },
            hint_code::SIGNED_DIV_REM => {
                symbols.range_check_bound()?;
                Self::SignedDivRem {
                    value: variable("value")?,
                    divisor: variable("div")?,
                    bound: variable("bound")?,
                    quotient: variable("biased_q")?,
                    remainder: variable("r")?,
                }
            }
            hint_code::SPLIT_INT_ASSERT_RANGE => Self::AssertZero(variable("value")?),
            hint_code::SPLIT_INT => Self::Limb {
                value: variable("value")?,
                base: variable("base")?,
                bound: variable("bound")?,
                output: variable("output")?,
            },
            hint_code::IS_QUAD_RESIDUE => Self::FieldSqrt { value: variable("x")?, root: variable("y")? },
            hint_code::UINT256_SQRT => Self::Sqrt256 { value: variable("n")?, root: variable("root")? },
            hint_code::UINT256_SIGNED_NN => Self::IsNonNegative256(variable("a")?),
            hint_code::UINT256_UNSIGNED_DIV_REM => Self::DivRem256 {
                value: variable("a")?,
                divisor: variable("div")?,
                quotient: variable("quotient")?,
                remainder: variable("remainder")?,
            },
            hint_code::UINT256_MUL_DIV_MOD => Self::MulDivRem256 {
                a: variable("a")?,
                b: variable("b")?,
                divisor: variable("div")?,
                quotient: [variable("quotient_low")?, variable("quotient_high")?],
                remainder: variable("remainder")?,
            },
            _ => return None,
        })
    }
}

impl Machine {
    /// Runs a hint.
    pub(super) fn run_number_hint(&mut self, action: &NumberAction) -> Result<(), Bailout> {
        match action {
            NumberAction::AreInRange { a, b, result } => {
                let (a, b) = (self.limbs(a)?, self.limbs(b)?);
                ensure(!is_less(&b, &a))?;
                self.put_flag(result, is_in_range(&a) && is_in_range(&sub(&b, &a)))
            }
            NumberAction::Sqrt { value, root } => {
                let value = self.limbs(value)?;
                ensure(!is_less(&BITS_250, &value))?;
                self.put(root, isqrt(&value))
            }
            NumberAction::SignedDivRem { value, divisor, bound, quotient, remainder } => {
                let (divisor, value, bound) = (self.limbs(divisor)?, self.limbs(value)?, self.limbs(bound)?);
                ensure(
                    divisor != [0; 4]
                        && !is_less(&PRIME_DIV_2_128, &divisor)
                        && !is_less(&HALF_RANGE, &bound),
                )?;
                let is_negative = is_less(&HALF_PRIME, &value);
                let size = if is_negative { neg(&value) } else { value };
                let (q, r) = div_rem(&size, &divisor).ok_or(Bailout::Fault)?;
                // Floor division: away from zero for negative numbers.
                let (size, q, r) = match (is_negative, r == [0; 4]) {
                    (false, _) => (q, q, r),
                    (true, true) => (q, neg(&q), r),
                    (true, false) => {
                        let up = add(&q, &from_u64(1));
                        (up, neg(&up), sub(&divisor, &r))
                    }
                };
                ensure(!is_less(&bound, &size))?;
                self.put(remainder, r)?;
                self.put(quotient, add(&q, &bound))
            }
            NumberAction::AssertZero(value) => ensure(self.limbs(value)? == [0; 4]),
            NumberAction::Limb { value, base, bound, output } => {
                let (value, base, bound) = (self.limbs(value)?, self.limbs(base)?, self.limbs(bound)?);
                let (segment, offset) = self.pointer(output)?;
                let (_, limb) = div_rem(&value, &base).ok_or(Bailout::Fault)?;
                ensure(!is_less(&bound, &limb))?;
                self.memory.write(segment, offset, VmCell::number(limb))
            }
            NumberAction::FieldSqrt { value, root } => {
                let value = Element::from_limbs(&self.limbs(value)?);
                let third = || Element::from_limbs(&[3, 0, 0, 0]).inverse().map(|third| value.times(&third));
                let sqrt =
                    field_sqrt(&value).or_else(|| field_sqrt(&third()?)).ok_or(Bailout::Unsupported)?;
                self.put(root, sqrt.to_limbs())
            }
            NumberAction::Sqrt256 { value, root } => {
                let sqrt = isqrt_256(&self.members(value)?);
                ensure(is_in_range(&sqrt))?;
                self.put_all(root, &[sqrt, [0; 4]])
            }
            NumberAction::IsNonNegative256(value) => {
                let (segment, start) = self.address_of(value)?;
                let high = self.read_number(segment, start.checked_add(1).ok_or(Bailout::Fault)?)?;
                self.put_at_ap(is_less(&high, &HALF_RANGE))
            }
            NumberAction::DivRem256 { value, divisor, quotient, remainder } => {
                let ([a0, a1], [b0, b1]) = (self.members(value)?, self.members(divisor)?);
                // `cairo-vm` panics on division by zero.
                let [q0, q1, r0, r1] = div_rem_256(&[a0, a1, b0, b1]).ok_or(Bailout::Unsupported)?;
                self.put_all(quotient, &[q0, q1])?;
                self.put_all(remainder, &[r0, r1])
            }
            NumberAction::MulDivRem256 { a, b, divisor, quotient: [low, high], remainder } => {
                let (a, b, divisor) = (self.members(a)?, self.members(b)?, self.members(divisor)?);
                let [q0, q1, q2, q3, r0, r1] = mul_div_rem_256(&a, &b, &divisor).ok_or(Bailout::Fault)?;
                self.put_all(low, &[q0, q1])?;
                self.put_all(high, &[q2, q3])?;
                self.put_all(remainder, &[r0, r1])
            }
        }
    }
}
