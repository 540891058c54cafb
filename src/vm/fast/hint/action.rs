//! Hints of Cairo 1, compiled once per class: operands decoded, immediates reduced, similar hints merged.
//!
//! Input: the hints of a compiled class. Output: [`CompiledHint`]s, which `run` runs. A hint without a native
//! implementation compiles to [`Action::Unsupported`]: a frame that reaches it falls back to `cairo-vm`.

use cairo_lang_casm::hints::{CoreHint, CoreHintBase, DeprecatedHint, Hint as CasmHint, StarknetHint};
use cairo_lang_casm::operand::{
    BinOpOperand, CellRef as CasmCellRef, DerefOrImmediate, Operation, Register, ResOperand,
};
use starknet_types_core::felt::Felt;

use super::scope::ACCESS_CELLS;
use crate::class::{Cairo0Class, PreparedHint};
use crate::vm::fast::cairo0::Cairo0Action;
use crate::vm::fast::cell::VmCell;
use crate::vm::fast::number::field::{Limbs, from_felt, from_u64, sub};

/// A hint, marked if it is the last one of its instruction.
#[derive(Clone, Debug)]
pub(in crate::vm::fast) struct CompiledHint {
    pub action: Action,
    pub is_last: bool,
}

/// A cell at an offset from `ap` or `fp`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::vm::fast) struct CellRef {
    pub is_fp: bool,
    pub offset: i16,
}

/// An input of a hint. Most are cells or immediates, which are read in place.
#[derive(Clone, Copy, Debug)]
pub(in crate::vm::fast) enum Operand {
    Deref(CellRef),
    Immediate(VmCell),
    Computed(ComputedOperand),
}

/// An operand whose value is not in one place.
#[derive(Clone, Copy, Debug)]
pub(in crate::vm::fast) enum ComputedOperand {
    /// The cell at the pointer in a cell plus an offset.
    DoubleDeref(CellRef, Limbs),
    AddDeref(CellRef, CellRef),
    AddImmediate(CellRef, VmCell),
    MulDeref(CellRef, CellRef),
    MulImmediate(CellRef, VmCell),
}

/// An address: the pointer in a cell plus an offset.
#[derive(Clone, Copy, Debug)]
pub(in crate::vm::fast) struct PointerOperand {
    pub base: CellRef,
    pub offset: Limbs,
}

/// The effect of a hint. Names and the order of operands follow `cairo_lang_casm::hints`.
#[derive(Clone, Debug)]
pub(in crate::vm::fast) enum Action {
    /// Leaves the run loop: the host executes the syscall.
    Syscall,
    /// Has no native implementation: bails out.
    Unsupported,
    /// An assertion of old compilers without an effect.
    NoOp,
    AllocSegment(CellRef),
    AllocConstantSize {
        size: Operand,
        dst: CellRef,
    },
    TestLessThan {
        lhs: Operand,
        rhs: Operand,
        dst: CellRef,
    },
    TestLessThanOrEqual {
        lhs: Operand,
        rhs: Operand,
        dst: CellRef,
    },
    WideMul128 {
        lhs: Operand,
        rhs: Operand,
        high: CellRef,
        low: CellRef,
    },
    DivMod {
        lhs: Operand,
        rhs: Operand,
        quotient: CellRef,
        remainder: CellRef,
    },
    LinearSplit {
        value: Operand,
        scalar: Operand,
        max_x: Operand,
        x: CellRef,
        y: CellRef,
    },
    Sqrt {
        value: Operand,
        dst: CellRef,
    },
    Uint256(Box<Uint256Action>),
    FieldSqrt {
        value: Operand,
        dst: CellRef,
    },
    RandomEcPoint {
        x: CellRef,
        y: CellRef,
    },
    FindSmallArcs {
        range_check: PointerOperand,
        a: Operand,
        b: Operand,
    },
    /// Writes 1 unless the arc with this index is the excluded one.
    IsArcIncluded {
        arc: u8,
        dst: CellRef,
    },
    AllocDict(PointerOperand),
    DictEntryInit {
        dict: PointerOperand,
        key: Operand,
    },
    DictEntryUpdate {
        dict: PointerOperand,
        key: Operand,
        value: Operand,
    },
    DictRead {
        dict: PointerOperand,
        key: Operand,
        dst: CellRef,
    },
    DictWrite {
        dict: PointerOperand,
        key: Operand,
        value: Operand,
    },
    SegmentArenaIndex {
        dict_end: PointerOperand,
        dst: CellRef,
    },
    SquashInit {
        accesses: PointerOperand,
        count: Operand,
        big_keys: CellRef,
        first_key: CellRef,
    },
    SquashAccessIndex(PointerOperand),
    /// Writes `last` if the current key has one access left, `more` if it has several.
    SquashIsLastAccess {
        dst: CellRef,
        last: u64,
        more: u64,
    },
    SquashAccessDelta(CellRef),
    SquashNextKey(CellRef),
    EvalCircuit(Box<CircuitOperands>),
    Cairo0(Box<Cairo0Action>),
}

/// The effect of a hint on integers of two or more cells.
#[derive(Clone, Debug)]
pub(in crate::vm::fast) enum Uint256Action {
    Uint256DivMod([Operand; 4], [CellRef; 4]),
    Uint512DivMod([Operand; 6], [CellRef; 6]),
    Uint256Sqrt([Operand; 2], [CellRef; 5]),
    U256InvModN([Operand; 4], [CellRef; 6]),
}

/// The operands of the hint that evaluates a circuit: gate counts, and the next free builtin instances.
#[derive(Clone, Copy, Debug)]
pub(in crate::vm::fast) struct CircuitOperands {
    pub add_count: Operand,
    pub add_builtin: PointerOperand,
    pub mul_count: Operand,
    pub mul_builtin: PointerOperand,
}

/// Compiles a hint.
pub(in crate::vm::fast) fn compile_hint(hint: &CasmHint, is_last: bool) -> CompiledHint {
    let action = match hint {
        CasmHint::Starknet(StarknetHint::SystemCall { .. }) => Some(Action::Syscall),
        CasmHint::Core(CoreHintBase::Core(hint)) => core(hint),
        CasmHint::Core(CoreHintBase::Deprecated(hint)) => deprecated(hint),
        CasmHint::Starknet(_) | CasmHint::External(_) => None,
    };
    CompiledHint { action: action.unwrap_or(Action::Unsupported), is_last }
}

/// Compiles a Cairo 0 hint.
pub(in crate::vm::fast) fn compile_cairo0_hint(
    hint: &PreparedHint,
    class: &Cairo0Class,
    is_last: bool,
) -> CompiledHint {
    let action = Cairo0Action::new(hint, class).map(|action| Action::Cairo0(Box::new(action)));
    CompiledHint { action: action.unwrap_or(Action::Unsupported), is_last }
}

fn core(hint: &CoreHint) -> Option<Action> {
    Some(match hint {
        CoreHint::AllocSegment { dst } => Action::AllocSegment(cell_ref(dst)),
        CoreHint::AllocConstantSize { size, dst } => {
            Action::AllocConstantSize { size: operand(size), dst: cell_ref(dst) }
        }
        CoreHint::TestLessThan { lhs, rhs, dst } => {
            Action::TestLessThan { lhs: operand(lhs), rhs: operand(rhs), dst: cell_ref(dst) }
        }
        CoreHint::TestLessThanOrEqual { lhs, rhs, dst }
        | CoreHint::TestLessThanOrEqualAddress { lhs, rhs, dst } => {
            Action::TestLessThanOrEqual { lhs: operand(lhs), rhs: operand(rhs), dst: cell_ref(dst) }
        }
        CoreHint::WideMul128 { lhs, rhs, high, low } => Action::WideMul128 {
            lhs: operand(lhs),
            rhs: operand(rhs),
            high: cell_ref(high),
            low: cell_ref(low),
        },
        CoreHint::DivMod { lhs, rhs, quotient, remainder } => Action::DivMod {
            lhs: operand(lhs),
            rhs: operand(rhs),
            quotient: cell_ref(quotient),
            remainder: cell_ref(remainder),
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
        } => uint256(Uint256Action::Uint256DivMod(
            [dividend0, dividend1, divisor0, divisor1].map(operand),
            [quotient0, quotient1, remainder0, remainder1].map(cell_ref),
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
        } => uint256(Uint256Action::Uint512DivMod(
            [dividend0, dividend1, dividend2, dividend3, divisor0, divisor1].map(operand),
            [quotient0, quotient1, quotient2, quotient3, remainder0, remainder1].map(cell_ref),
        )),
        CoreHint::SquareRoot { value, dst } => Action::Sqrt { value: operand(value), dst: cell_ref(dst) },
        CoreHint::Uint256SquareRoot {
            value_low,
            value_high,
            sqrt0,
            sqrt1,
            remainder_low,
            remainder_high,
            sqrt_mul_2_minus_remainder_ge_u128,
        } => uint256(Uint256Action::Uint256Sqrt(
            [value_low, value_high].map(operand),
            [sqrt0, sqrt1, remainder_low, remainder_high, sqrt_mul_2_minus_remainder_ge_u128].map(cell_ref),
        )),
        CoreHint::LinearSplit { value, scalar, max_x, x, y } => Action::LinearSplit {
            value: operand(value),
            scalar: operand(scalar),
            max_x: operand(max_x),
            x: cell_ref(x),
            y: cell_ref(y),
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
        } => uint256(Uint256Action::U256InvModN(
            [b0, b1, n0, n1].map(operand),
            [g0_or_no_inv, g1_option, s_or_r0, s_or_r1, t_or_k0, t_or_k1].map(cell_ref),
        )),
        CoreHint::FieldSqrt { val, sqrt } => Action::FieldSqrt { value: operand(val), dst: cell_ref(sqrt) },
        CoreHint::RandomEcPoint { x, y } => Action::RandomEcPoint { x: cell_ref(x), y: cell_ref(y) },
        CoreHint::AssertLeFindSmallArcs { range_check_ptr, a, b } => Action::FindSmallArcs {
            range_check: pointer_operand(range_check_ptr)?,
            a: operand(a),
            b: operand(b),
        },
        CoreHint::AssertLeIsFirstArcExcluded { skip_exclude_a_flag } => {
            Action::IsArcIncluded { arc: 0, dst: cell_ref(skip_exclude_a_flag) }
        }
        CoreHint::AssertLeIsSecondArcExcluded { skip_exclude_b_minus_a } => {
            Action::IsArcIncluded { arc: 1, dst: cell_ref(skip_exclude_b_minus_a) }
        }
        CoreHint::AllocFelt252Dict { segment_arena_ptr } => {
            Action::AllocDict(pointer_operand(segment_arena_ptr)?)
        }
        CoreHint::Felt252DictEntryInit { dict_ptr, key } => {
            Action::DictEntryInit { dict: pointer_operand(dict_ptr)?, key: operand(key) }
        }
        CoreHint::Felt252DictEntryUpdate { dict_ptr, value } => {
            let dict = pointer_operand(dict_ptr)?;
            // The pointer is past the entry, whose first cell is the key.
            let key = sub(&dict.offset, &from_u64(ACCESS_CELLS));
            let key = Operand::Computed(ComputedOperand::DoubleDeref(dict.base, key));
            Action::DictEntryUpdate { dict, key, value: operand(value) }
        }
        CoreHint::GetSegmentArenaIndex { dict_end_ptr, dict_index } => {
            Action::SegmentArenaIndex { dict_end: pointer_operand(dict_end_ptr)?, dst: cell_ref(dict_index) }
        }
        CoreHint::InitSquashData { dict_accesses, n_accesses, big_keys, first_key, .. } => {
            Action::SquashInit {
                accesses: pointer_operand(dict_accesses)?,
                count: operand(n_accesses),
                big_keys: cell_ref(big_keys),
                first_key: cell_ref(first_key),
            }
        }
        CoreHint::GetCurrentAccessIndex { range_check_ptr } => {
            Action::SquashAccessIndex(pointer_operand(range_check_ptr)?)
        }
        CoreHint::ShouldSkipSquashLoop { should_skip_loop } => {
            Action::SquashIsLastAccess { dst: cell_ref(should_skip_loop), last: 1, more: 0 }
        }
        CoreHint::ShouldContinueSquashLoop { should_continue } => {
            Action::SquashIsLastAccess { dst: cell_ref(should_continue), last: 0, more: 1 }
        }
        CoreHint::GetCurrentAccessDelta { index_delta_minus1 } => {
            Action::SquashAccessDelta(cell_ref(index_delta_minus1))
        }
        CoreHint::GetNextDictKey { next_key } => Action::SquashNextKey(cell_ref(next_key)),
        CoreHint::EvalCircuit { n_add_mods, add_mod_builtin, n_mul_mods, mul_mod_builtin } => {
            Action::EvalCircuit(Box::new(CircuitOperands {
                add_count: operand(n_add_mods),
                add_builtin: pointer_operand(add_mod_builtin)?,
                mul_count: operand(n_mul_mods),
                mul_builtin: pointer_operand(mul_mod_builtin)?,
            }))
        }
        // Printing is left to the hint processor of `cairo-vm`.
        CoreHint::DebugPrint { .. } => return None,
    })
}

fn uint256(action: Uint256Action) -> Action {
    Action::Uint256(Box::new(action))
}

fn deprecated(hint: &DeprecatedHint) -> Option<Action> {
    Some(match hint {
        DeprecatedHint::Felt252DictRead { dict_ptr, key, value_dst } => {
            Action::DictRead { dict: pointer_operand(dict_ptr)?, key: operand(key), dst: cell_ref(value_dst) }
        }
        DeprecatedHint::Felt252DictWrite { dict_ptr, key, value } => {
            Action::DictWrite { dict: pointer_operand(dict_ptr)?, key: operand(key), value: operand(value) }
        }
        DeprecatedHint::AssertCurrentAccessIndicesIsEmpty
        | DeprecatedHint::AssertAllAccessesUsed { .. }
        | DeprecatedHint::AssertAllKeysUsed
        | DeprecatedHint::AssertLeAssertThirdArcExcluded
        | DeprecatedHint::AssertLtAssertValidInput { .. } => Action::NoOp,
    })
}

fn cell_ref(cell: &CasmCellRef) -> CellRef {
    CellRef { is_fp: cell.register == Register::FP, offset: cell.offset }
}

fn immediate(value: &num_bigint::BigInt) -> VmCell {
    VmCell::of_felt(&Felt::from(value))
}

fn operand(operand: &ResOperand) -> Operand {
    Operand::Computed(match operand {
        ResOperand::Deref(cell) => return Operand::Deref(cell_ref(cell)),
        ResOperand::Immediate(value) => return Operand::Immediate(immediate(&value.value)),
        ResOperand::DoubleDeref(cell, offset) => {
            ComputedOperand::DoubleDeref(cell_ref(cell), from_felt(&Felt::from(*offset)))
        }
        ResOperand::BinOp(BinOpOperand { op, a, b }) => match (op, b) {
            (Operation::Add, DerefOrImmediate::Deref(b)) => {
                ComputedOperand::AddDeref(cell_ref(a), cell_ref(b))
            }
            (Operation::Add, DerefOrImmediate::Immediate(b)) => {
                ComputedOperand::AddImmediate(cell_ref(a), immediate(&b.value))
            }
            (Operation::Mul, DerefOrImmediate::Deref(b)) => {
                ComputedOperand::MulDeref(cell_ref(a), cell_ref(b))
            }
            (Operation::Mul, DerefOrImmediate::Immediate(b)) => {
                ComputedOperand::MulImmediate(cell_ref(a), immediate(&b.value))
            }
        },
    })
}

/// The address of an operand in one of its two legal forms; on any other, `cairo-vm` panics.
fn pointer_operand(operand: &ResOperand) -> Option<PointerOperand> {
    match operand {
        ResOperand::Deref(cell) => Some(PointerOperand { base: cell_ref(cell), offset: [0; 4] }),
        ResOperand::BinOp(BinOpOperand { op: Operation::Add, a, b: DerefOrImmediate::Immediate(b) }) => {
            Some(PointerOperand { base: cell_ref(a), offset: immediate(&b.value).as_number()? })
        }
        _ => None,
    }
}
