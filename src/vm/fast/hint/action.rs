//! Hints, made ready once per class: operands decoded, numbers reduced, what belongs together in one form.
//!
//! In: the hints of a compiled class. Out: [`Hint`]s, which `hint_run` runs. A hint that this engine does not know is kept as such: a
//! frame that comes to it is handed over.

use cairo_lang_casm::hints::{CoreHint, CoreHintBase, DeprecatedHint, Hint as CasmHint, StarknetHint};
use cairo_lang_casm::operand::{BinOpOperand, CellRef, DerefOrImmediate, Operation, Register, ResOperand};
use starknet_types_core::felt::Felt;

use crate::vm::fast::cairo0::Cairo0Action;
use crate::vm::fast::cell::VmCell;
use crate::vm::fast::number::field::Limbs;

/// A hint, and whether it is the last one before its instruction.
#[derive(Clone, Debug)]
pub(in crate::vm::fast) struct Hint {
    pub action: Action,
    pub is_last: bool,
}

/// A cell relative to a register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::vm::fast) struct Place {
    pub is_fp: bool,
    pub offset: i16,
}

/// Where a hint takes a value from.
#[derive(Clone, Copy, Debug)]
pub(in crate::vm::fast) enum Operand {
    VmCell(Place),
    /// The cell that a pointer with an offset points to.
    Behind(Place, Limbs),
    Immediate(VmCell),
    AddCell(Place, Place),
    AddImmediate(Place, VmCell),
    MulCell(Place, Place),
    MulImmediate(Place, VmCell),
}

/// A pointer in a cell, and an offset from it.
#[derive(Clone, Copy, Debug)]
pub(in crate::vm::fast) struct Buffer {
    pub base: Place,
    pub offset: Limbs,
}

/// What a hint does. Operands and places stand in the order of the compiler's own list.
#[derive(Clone, Debug)]
pub(in crate::vm::fast) enum Action {
    /// Leaves the loop.
    Syscall,
    /// Not for this engine.
    Unknown,
    /// Checks of old compilers that check nothing.
    Nothing,
    AllocSegment(Place),
    AllocConstantSize {
        size: Operand,
        dst: Place,
    },
    LessThan {
        lhs: Operand,
        rhs: Operand,
        dst: Place,
    },
    LessThanOrEqual {
        lhs: Operand,
        rhs: Operand,
        dst: Place,
    },
    WideMul {
        lhs: Operand,
        rhs: Operand,
        high: Place,
        low: Place,
    },
    DivMod {
        lhs: Operand,
        rhs: Operand,
        quotient: Place,
        remainder: Place,
    },
    LinearSplit {
        value: Operand,
        scalar: Operand,
        max_x: Operand,
        x: Place,
        y: Place,
    },
    SquareRoot {
        value: Operand,
        dst: Place,
    },
    Wide(Box<WideAction>),
    FieldSquareRoot {
        value: Operand,
        dst: Place,
    },
    RandomPoint {
        x: Place,
        y: Place,
    },
    SmallArcs {
        range_check: Buffer,
        a: Operand,
        b: Operand,
    },
    /// Whether an arc other than this one was left out.
    IsArcUsed {
        arc: u8,
        dst: Place,
    },
    AllocDict(Buffer),
    DictEntryInit {
        dict: Buffer,
        key: Operand,
    },
    DictEntryUpdate {
        dict: Buffer,
        key: Operand,
        value: Operand,
    },
    DictRead {
        dict: Buffer,
        key: Operand,
        dst: Place,
    },
    DictWrite {
        dict: Buffer,
        key: Operand,
        value: Operand,
    },
    DictIndex {
        dict_end: Buffer,
        dst: Place,
    },
    SquashInit {
        accesses: Buffer,
        count: Operand,
        big_keys: Place,
        first_key: Place,
    },
    SquashIndex(Buffer),
    /// Writes the first value when the present key has one access left, the second when it has more.
    SquashIsLast {
        dst: Place,
        last: u64,
        more: u64,
    },
    SquashDelta(Place),
    SquashNextKey(Place),
    EvalCircuit(Box<CircuitHint>),
    Cairo0(Box<Cairo0Action>),
}

/// What a hint does with numbers in several cells.
#[derive(Clone, Debug)]
pub(in crate::vm::fast) enum WideAction {
    Uint256DivMod([Operand; 4], [Place; 4]),
    Uint512DivMod([Operand; 6], [Place; 6]),
    Uint256SquareRoot([Operand; 2], [Place; 5]),
    InvertModulo([Operand; 4], [Place; 6]),
}

/// Where a circuit lies.
#[derive(Clone, Copy, Debug)]
pub(in crate::vm::fast) struct CircuitHint {
    pub add_count: Operand,
    pub add_builtin: Buffer,
    pub mul_count: Operand,
    pub mul_builtin: Buffer,
}

/// Prepares a hint.
pub(in crate::vm::fast) fn compile(hint: &CasmHint, is_last: bool) -> Hint {
    let action = match hint {
        CasmHint::Starknet(StarknetHint::SystemCall { .. }) => Some(Action::Syscall),
        CasmHint::Core(CoreHintBase::Core(hint)) => core(hint),
        CasmHint::Core(CoreHintBase::Deprecated(hint)) => deprecated(hint),
        CasmHint::Starknet(_) | CasmHint::External(_) => None,
    };
    Hint { action: action.unwrap_or(Action::Unknown), is_last }
}

fn core(hint: &CoreHint) -> Option<Action> {
    Some(match hint {
        CoreHint::AllocSegment { dst } => Action::AllocSegment(place(dst)),
        CoreHint::AllocConstantSize { size, dst } => {
            Action::AllocConstantSize { size: operand(size), dst: place(dst) }
        }
        CoreHint::TestLessThan { lhs, rhs, dst } => {
            Action::LessThan { lhs: operand(lhs), rhs: operand(rhs), dst: place(dst) }
        }
        CoreHint::TestLessThanOrEqual { lhs, rhs, dst }
        | CoreHint::TestLessThanOrEqualAddress { lhs, rhs, dst } => {
            Action::LessThanOrEqual { lhs: operand(lhs), rhs: operand(rhs), dst: place(dst) }
        }
        CoreHint::WideMul128 { lhs, rhs, high, low } => {
            Action::WideMul { lhs: operand(lhs), rhs: operand(rhs), high: place(high), low: place(low) }
        }
        CoreHint::DivMod { lhs, rhs, quotient, remainder } => Action::DivMod {
            lhs: operand(lhs),
            rhs: operand(rhs),
            quotient: place(quotient),
            remainder: place(remainder),
        },
        CoreHint::Uint256DivMod {
            dividend0,
            dividend1,
            divisor0,
            divisor1,
            quotient0,
            quotient1,
            remainder0,
            remainder1,
        } => wide(WideAction::Uint256DivMod(
            [dividend0, dividend1, divisor0, divisor1].map(operand),
            [quotient0, quotient1, remainder0, remainder1].map(place),
        )),
        CoreHint::Uint512DivModByUint256 {
            dividend0,
            dividend1,
            dividend2,
            dividend3,
            divisor0,
            divisor1,
            quotient0,
            quotient1,
            quotient2,
            quotient3,
            remainder0,
            remainder1,
        } => wide(WideAction::Uint512DivMod(
            [dividend0, dividend1, dividend2, dividend3, divisor0, divisor1].map(operand),
            [quotient0, quotient1, quotient2, quotient3, remainder0, remainder1].map(place),
        )),
        CoreHint::SquareRoot { value, dst } => Action::SquareRoot { value: operand(value), dst: place(dst) },
        CoreHint::Uint256SquareRoot {
            value_low,
            value_high,
            sqrt0,
            sqrt1,
            remainder_low,
            remainder_high,
            sqrt_mul_2_minus_remainder_ge_u128,
        } => wide(WideAction::Uint256SquareRoot(
            [value_low, value_high].map(operand),
            [sqrt0, sqrt1, remainder_low, remainder_high, sqrt_mul_2_minus_remainder_ge_u128].map(place),
        )),
        CoreHint::LinearSplit { value, scalar, max_x, x, y } => Action::LinearSplit {
            value: operand(value),
            scalar: operand(scalar),
            max_x: operand(max_x),
            x: place(x),
            y: place(y),
        },
        CoreHint::U256InvModN {
            b0,
            b1,
            n0,
            n1,
            g0_or_no_inv,
            g1_option,
            s_or_r0,
            s_or_r1,
            t_or_k0,
            t_or_k1,
        } => wide(WideAction::InvertModulo(
            [b0, b1, n0, n1].map(operand),
            [g0_or_no_inv, g1_option, s_or_r0, s_or_r1, t_or_k0, t_or_k1].map(place),
        )),
        CoreHint::FieldSqrt { val, sqrt } => {
            Action::FieldSquareRoot { value: operand(val), dst: place(sqrt) }
        }
        CoreHint::RandomEcPoint { x, y } => Action::RandomPoint { x: place(x), y: place(y) },
        CoreHint::AssertLeFindSmallArcs { range_check_ptr, a, b } => {
            Action::SmallArcs { range_check: buffer(range_check_ptr)?, a: operand(a), b: operand(b) }
        }
        CoreHint::AssertLeIsFirstArcExcluded { skip_exclude_a_flag } => {
            Action::IsArcUsed { arc: 0, dst: place(skip_exclude_a_flag) }
        }
        CoreHint::AssertLeIsSecondArcExcluded { skip_exclude_b_minus_a } => {
            Action::IsArcUsed { arc: 1, dst: place(skip_exclude_b_minus_a) }
        }
        CoreHint::AllocFelt252Dict { segment_arena_ptr } => Action::AllocDict(buffer(segment_arena_ptr)?),
        CoreHint::Felt252DictEntryInit { dict_ptr, key } => {
            Action::DictEntryInit { dict: buffer(dict_ptr)?, key: operand(key) }
        }
        CoreHint::Felt252DictEntryUpdate { dict_ptr, value } => {
            let dict = buffer(dict_ptr)?;
            // The key lies three cells before the entry's end.
            let key = crate::vm::fast::number::field::add(
                &dict.offset,
                &crate::vm::fast::number::field::neg(&crate::vm::fast::number::field::small(3)),
            );
            Action::DictEntryUpdate { dict, key: Operand::Behind(dict.base, key), value: operand(value) }
        }
        CoreHint::GetSegmentArenaIndex { dict_end_ptr, dict_index } => {
            Action::DictIndex { dict_end: buffer(dict_end_ptr)?, dst: place(dict_index) }
        }
        CoreHint::InitSquashData { dict_accesses, n_accesses, big_keys, first_key, .. } => {
            Action::SquashInit {
                accesses: buffer(dict_accesses)?,
                count: operand(n_accesses),
                big_keys: place(big_keys),
                first_key: place(first_key),
            }
        }
        CoreHint::GetCurrentAccessIndex { range_check_ptr } => Action::SquashIndex(buffer(range_check_ptr)?),
        CoreHint::ShouldSkipSquashLoop { should_skip_loop } => {
            Action::SquashIsLast { dst: place(should_skip_loop), last: 1, more: 0 }
        }
        CoreHint::ShouldContinueSquashLoop { should_continue } => {
            Action::SquashIsLast { dst: place(should_continue), last: 0, more: 1 }
        }
        CoreHint::GetCurrentAccessDelta { index_delta_minus1 } => {
            Action::SquashDelta(place(index_delta_minus1))
        }
        CoreHint::GetNextDictKey { next_key } => Action::SquashNextKey(place(next_key)),
        CoreHint::EvalCircuit { n_add_mods, add_mod_builtin, n_mul_mods, mul_mod_builtin } => {
            Action::EvalCircuit(Box::new(CircuitHint {
                add_count: operand(n_add_mods),
                add_builtin: buffer(add_mod_builtin)?,
                mul_count: operand(n_mul_mods),
                mul_builtin: buffer(mul_mod_builtin)?,
            }))
        }
        // It prints, which is the judge's way of doing it.
        CoreHint::DebugPrint { .. } => return None,
    })
}

fn wide(action: WideAction) -> Action {
    Action::Wide(Box::new(action))
}

fn deprecated(hint: &DeprecatedHint) -> Option<Action> {
    Some(match hint {
        DeprecatedHint::Felt252DictRead { dict_ptr, key, value_dst } => {
            Action::DictRead { dict: buffer(dict_ptr)?, key: operand(key), dst: place(value_dst) }
        }
        DeprecatedHint::Felt252DictWrite { dict_ptr, key, value } => {
            Action::DictWrite { dict: buffer(dict_ptr)?, key: operand(key), value: operand(value) }
        }
        DeprecatedHint::AssertCurrentAccessIndicesIsEmpty
        | DeprecatedHint::AssertAllAccessesUsed { .. }
        | DeprecatedHint::AssertAllKeysUsed
        | DeprecatedHint::AssertLeAssertThirdArcExcluded
        | DeprecatedHint::AssertLtAssertValidInput { .. } => Action::Nothing,
    })
}

fn place(cell: &CellRef) -> Place {
    Place { is_fp: cell.register == Register::FP, offset: cell.offset }
}

fn immediate(value: &num_bigint::BigInt) -> VmCell {
    VmCell::of_felt(&Felt::from(value))
}

fn operand(operand: &ResOperand) -> Operand {
    match operand {
        ResOperand::Deref(cell) => Operand::VmCell(place(cell)),
        ResOperand::DoubleDeref(cell, offset) => {
            Operand::Behind(place(cell), crate::vm::fast::number::field::from_felt(&Felt::from(*offset)))
        }
        ResOperand::Immediate(value) => Operand::Immediate(immediate(&value.value)),
        ResOperand::BinOp(BinOpOperand { op, a, b }) => match (op, b) {
            (Operation::Add, DerefOrImmediate::Deref(b)) => Operand::AddCell(place(a), place(b)),
            (Operation::Add, DerefOrImmediate::Immediate(b)) => {
                Operand::AddImmediate(place(a), immediate(&b.value))
            }
            (Operation::Mul, DerefOrImmediate::Deref(b)) => Operand::MulCell(place(a), place(b)),
            (Operation::Mul, DerefOrImmediate::Immediate(b)) => {
                Operand::MulImmediate(place(a), immediate(&b.value))
            }
        },
    }
}

/// Only two forms of operand are addresses; at the others the judge panics.
fn buffer(operand: &ResOperand) -> Option<Buffer> {
    match operand {
        ResOperand::Deref(cell) => Some(Buffer { base: place(cell), offset: [0; 4] }),
        ResOperand::BinOp(BinOpOperand { op: Operation::Add, a, b: DerefOrImmediate::Immediate(b) }) => {
            Some(Buffer { base: place(a), offset: immediate(&b.value).as_number()? })
        }
        _ => None,
    }
}
