//! Hints of Cairo 0 that contracts use, compiled once per class.
//!
//! Input: a hint of a class, with the references and constants that it names. Output: a [`Cairo0Action`],
//! which `run` runs; `None` without a native implementation or with a missing reference or constant: a frame
//! that reaches the hint falls back to `cairo-vm`. Among these are the secp curves, BLAKE2s, SHA-256 and
//! other big-integer libraries.

use cairo_vm::hint_processor::builtin_hint_processor::hint_code;
use starknet_types_core::felt::Felt;

use super::dict::DictAction;
use super::keccak::KeccakAction;
use super::list::ListAction;
use super::number::NumberAction;
use super::point::PointAction;
use super::variable::{HintSymbols, Variable};
use crate::class::{Cairo0Class, HintKind, PreparedHint};
use crate::vm::fast::number::field::{Limbs, from_felt, is_less, neg};

/// The effect of a hint. The families of larger libraries have actions of their own.
#[derive(Clone, Debug)]
pub(in crate::vm::fast) enum Cairo0Action {
    /// A syscall; the variable must equal the syscall pointer.
    Syscall(Variable),
    /// Writes the start of a new segment at `ap`.
    AllocSegment,
    EnterScope,
    /// Enters a scope with a loop counter `n`.
    EnterCount(Variable),
    ExitScope,
    /// Decrements the loop counter; writes whether it is not 0.
    CountDown(Variable),
    AssertNotZero(Variable),
    AssertNotEqual(Variable, Variable),
    AssertLess(Variable, Variable),
    /// Asserts that the value is below 2^128.
    AssertInRange(Variable),
    IsOutOfRange(Variable),
    IsNegativeOutOfRange(Variable),
    IsPositive {
        value: Variable,
        result: Variable,
    },
    IsAbove(Variable, Variable),
    /// Writes whether the value is below the bound.
    IsBelow {
        value: Variable,
        bound: Limbs,
        result: Variable,
    },
    /// Divides a value, asserted to be at most `max`, by a constant.
    Split {
        value: Variable,
        max: Limbs,
        divisor: Limbs,
        high: Variable,
        low: Variable,
    },
    DivRem {
        value: Variable,
        divisor: Variable,
        quotient: Variable,
        remainder: Variable,
    },
    /// Writes the carries of the sum of two `Uint256`.
    Carries {
        a: Variable,
        b: Variable,
        low: Variable,
        high: Variable,
    },
    /// Writes the lowest bit of the cell four cells after the first variable, the exponent of `pow`.
    Bit(Variable, Variable),
    FindSmallArcs {
        a: Variable,
        b: Variable,
        range_check: Variable,
        divisors: [Limbs; 2],
    },
    IsArcIncluded(u8),
    AssertArcExcluded(u8),
    /// Adds a signature to the ECDSA builtin.
    AddSignature {
        r: Variable,
        s: Variable,
        builtin: Variable,
    },
    Number(NumberAction),
    Point(PointAction),
    List(ListAction),
    Dict(DictAction),
    Keccak(KeccakAction),
}

impl Cairo0Action {
    /// The action of a hint; `None` without a native implementation.
    pub(in crate::vm::fast) fn new(hint: &PreparedHint, class: &Cairo0Class) -> Option<Self> {
        let symbols = HintSymbols { hint, class };
        let variable = |name: &str| symbols.variable(name);
        let constant = |name: &str| symbols.constant(name);
        let range_check_bound = || symbols.range_check_bound();
        Some(match hint.kind {
            HintKind::Syscall => Cairo0Action::Syscall(variable("syscall_ptr")?),
            HintKind::AddressIs250 => {
                let bound = from_felt(&Felt::TWO.pow(250_u32));
                Cairo0Action::IsBelow { value: variable("addr")?, bound, result: variable("is_250")? }
            }
            HintKind::AddressIsSmall => {
                let bound = constant("starkware.starknet.common.storage.ADDR_BOUND")?;
                // The assertions of the hint about its bound, and that the bound exceeds half the prime.
                let [low, high] = [250_u32, 251].map(|bits| from_felt(&Felt::TWO.pow(bits)));
                let is_usable =
                    is_less(&low, &bound) && !is_less(&high, &bound) && is_less(&neg(&bound), &bound);
                is_usable.then_some(())?;
                Cairo0Action::IsBelow { value: variable("addr")?, bound, result: variable("is_small")? }
            }
            HintKind::Library => match hint.data.code.as_str() {
                hint_code::ADD_SEGMENT => Cairo0Action::AllocSegment,
                hint_code::VM_ENTER_SCOPE => Cairo0Action::EnterScope,
                hint_code::VM_EXIT_SCOPE => Cairo0Action::ExitScope,
                hint_code::MEMCPY_ENTER_SCOPE => Cairo0Action::EnterCount(variable("len")?),
                hint_code::MEMSET_ENTER_SCOPE => Cairo0Action::EnterCount(variable("n")?),
                hint_code::MEMCPY_CONTINUE_COPYING => Cairo0Action::CountDown(variable("continue_copying")?),
                hint_code::MEMSET_CONTINUE_LOOP => Cairo0Action::CountDown(variable("continue_loop")?),
                hint_code::ASSERT_NOT_ZERO => Cairo0Action::AssertNotZero(variable("value")?),
                hint_code::ASSERT_NOT_EQUAL => Cairo0Action::AssertNotEqual(variable("a")?, variable("b")?),
                hint_code::ASSERT_LT_FELT => Cairo0Action::AssertLess(variable("a")?, variable("b")?),
                hint_code::ASSERT_NN => {
                    range_check_bound().and(Some(Cairo0Action::AssertInRange(variable("a")?)))?
                }
                hint_code::IS_NN => {
                    range_check_bound().and(Some(Cairo0Action::IsOutOfRange(variable("a")?)))?
                }
                hint_code::IS_NN_OUT_OF_RANGE => {
                    range_check_bound().and(Some(Cairo0Action::IsNegativeOutOfRange(variable("a")?)))?
                }
                hint_code::IS_POSITIVE => {
                    range_check_bound()?;
                    Cairo0Action::IsPositive { value: variable("value")?, result: variable("is_positive")? }
                }
                hint_code::IS_LE_FELT => Cairo0Action::IsAbove(variable("a")?, variable("b")?),
                hint_code::ASSERT_250_BITS => Cairo0Action::Split {
                    value: variable("value")?,
                    max: constant("starkware.cairo.common.math.assert_250_bit.UPPER_BOUND")?,
                    divisor: constant("starkware.cairo.common.math.assert_250_bit.SHIFT")
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
                        max: from_felt(&Felt::MAX),
                        divisor: [0, 0, 1, 0],
                        high: variable("high")?,
                        low: variable("low")?,
                    }
                }
                hint_code::SPLIT_64 => Cairo0Action::Split {
                    value: variable("a")?,
                    max: from_felt(&Felt::MAX),
                    divisor: [0, 1, 0, 0],
                    high: variable("high")?,
                    low: variable("low")?,
                },
                hint_code::UNSIGNED_DIV_REM => {
                    range_check_bound()?;
                    Cairo0Action::DivRem {
                        value: variable("value")?,
                        divisor: variable("div")?,
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
                hint_code::ASSERT_LE_FELT => Cairo0Action::FindSmallArcs {
                    a: variable("a")?,
                    b: variable("b")?,
                    range_check: variable("range_check_ptr")?,
                    divisors: [
                        constant("starkware.cairo.common.math.assert_le_felt.PRIME_OVER_3_HIGH")?,
                        constant("starkware.cairo.common.math.assert_le_felt.PRIME_OVER_2_HIGH")?,
                    ],
                },
                hint_code::ASSERT_LE_FELT_EXCLUDED_0 => Cairo0Action::IsArcIncluded(0),
                hint_code::ASSERT_LE_FELT_EXCLUDED_1 => Cairo0Action::IsArcIncluded(1),
                hint_code::ASSERT_LE_FELT_EXCLUDED_2 => Cairo0Action::AssertArcExcluded(2),
                hint_code::VERIFY_ECDSA_SIGNATURE => Cairo0Action::AddSignature {
                    r: variable("signature_r")?,
                    s: variable("signature_s")?,
                    builtin: variable("ecdsa_ptr")?,
                },
                code => NumberAction::new(code, &symbols)
                    .map(Cairo0Action::Number)
                    .or_else(|| PointAction::new(code, &symbols).map(Cairo0Action::Point))
                    .or_else(|| ListAction::new(code, &symbols).map(Cairo0Action::List))
                    .or_else(|| DictAction::new(code, &symbols).map(Cairo0Action::Dict))
                    .or_else(|| KeccakAction::new(code, &symbols).map(Cairo0Action::Keccak))?,
            },
        })
    }
}

/// The only constant whose path ends in this name; of several, `cairo-vm` takes any.
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

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    /// All hints of these contracts are native, and the keccak hints of `hashes`.
    #[test]
    fn hints_of_contracts_are_native() {
        let (mut known, mut keccak) = (0, 0);
        for name in
            ["account", "account_open", "caller", "constructors", "erc20", "library", "proxy", "syscalls"]
        {
            let path = format!("resources/contracts/cairo0/{name}.json");
            let json = std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap();
            let class = Cairo0Class::from_json(json).unwrap();
            for hint in class.hints.iter() {
                let is_known = Cairo0Action::new(hint, &class).is_some();
                assert!(is_known, "{name}: {}", hint.data.code);
                known += 1;
            }
        }
        assert!(known > 100, "{known}");
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("resources/contracts/cairo0/hashes.json");
        let class = Cairo0Class::from_json(std::fs::read(path).unwrap()).unwrap();
        for hint in class.hints.iter() {
            keccak += usize::from(
                Cairo0Action::new(hint, &class)
                    .is_some_and(|action| matches!(action, Cairo0Action::Keccak(_))),
            );
        }
        assert!(keccak >= 5, "{keccak}");
    }
}
