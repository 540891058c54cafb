//! The decoded program: one operation for each word of the bytecode, decoded once per class and shared.
//!
//! Input: a class. Output: its operations and hints. Each instruction form that compilers emit has a kind of
//! its own, which tells the fast path everything but the operands. Every other form is `General`. A word that
//! is not an instruction fails only when it is executed.

use std::sync::Arc;

use cairo_vm::types::instruction::{
    ApUpdate, Instruction, Op1Addr, Opcode, OpcodeExtension, PcUpdate, Register, Res,
};
use cairo_vm::vm::decoding::decoder::decode_instruction;

use super::cell::VmCell;
use super::hint::{CompiledHint, compile_cairo0_hint, compile_hint};
use super::number::field::{Limbs, as_u128, neg, offset_add};
use crate::class::{Cairo0Class, Cairo1Class};
use crate::protocol::Builtin;
use crate::vm::frame_setup::RET;

/// The form of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OperationKind {
    /// Any other form, which `Machine::step` executes.
    General,
    /// An operation with hints; `Operation::kind_after_hints` is its form.
    WithHints,
    /// `[dst] = immediate`
    AssertImmediate,
    /// `[dst] = [op1]`
    AssertCell,
    /// `[dst] = [[op0] + off2]`
    AssertDeref,
    /// `[dst] = [op0] + immediate`
    AddImmediate,
    /// `[dst] = [op0] + immediate`, an immediate of 31 bits, in `target`.
    AddSmall,
    /// `[dst] = [op0] - number`, a number of 31 bits, in `target`: the immediate is its negative.
    SubtractSmall,
    /// `[dst] = [op0] + [op1]`
    AddCells,
    /// `[dst] = [op0] * immediate`
    MulImmediate,
    /// `[dst] = [op0] * [op1]`
    MulCells,
    /// `ap += immediate`
    AdvanceAp,
    /// `jmp rel immediate`
    Jump,
    /// `jmp rel immediate if [dst] != 0`
    JumpNotZero,
    /// `call rel immediate`
    Call,
    /// `ret`
    Return,
}

/// The operation of one word of the code, 16 bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Operation {
    pub kind: OperationKind,
    /// The form of an operation with hints, which run before it.
    pub kind_after_hints: OperationKind,
    flags: u8,
    /// The increment of `ap`: 0 or 1.
    pub ap_step: u8,
    pub dst: i16,
    pub op0: i16,
    pub op1: i16,
    /// The target of a jump or a call, the increment of `AdvanceAp`, or a number of 31 bits, depending on the
    /// kind.
    pub target: u32,
}

const DST_FP: u8 = 1;
const OP0_FP: u8 = 2;
const OP1_FP: u8 = 4;

impl Operation {
    const GENERAL: Self = Self {
        kind: OperationKind::General,
        kind_after_hints: OperationKind::General,
        flags: 0,
        ap_step: 0,
        dst: 0,
        op0: 0,
        op1: 0,
        target: 0,
    };

    /// Returns `true` if the destination is relative to `fp`.
    #[inline]
    pub(super) fn dst_is_fp(&self) -> bool {
        self.flags & DST_FP != 0
    }

    /// Returns `true` if the first operand is relative to `fp`.
    #[inline]
    pub(super) fn op0_is_fp(&self) -> bool {
        self.flags & OP0_FP != 0
    }

    /// Returns `true` if the second operand is relative to `fp`.
    #[inline]
    pub(super) fn op1_is_fp(&self) -> bool {
        self.flags & OP1_FP != 0
    }
}

/// The order that `cairo-vm` requires of the builtins of a Cairo 0 program.
const CAIRO0_ORDER: [Builtin; 6] = [
    Builtin::Pedersen,
    Builtin::RangeCheck,
    Builtin::Ecdsa,
    Builtin::Bitwise,
    Builtin::EcOp,
    Builtin::Poseidon,
];

/// The decoded program of a class.
#[derive(Debug)]
pub(super) struct Program {
    /// The bytecode and, in Cairo 1, the `ret` after it.
    pub code: Arc<[VmCell]>,
    /// The operation of each cell of the code.
    pub operations: Box<[Operation]>,
    /// The hints of all operations, in the order of the code. The last hint of each operation is marked.
    pub hints: Box<[CompiledHint]>,
    /// The index of the first hint of each operation.
    first_hints: Box<[u32]>,
}

impl Program {
    /// Decodes a Cairo 1 class. `None` if it exceeds 2^32 cells, which no declared class does.
    pub(super) fn of_cairo1(class: &Cairo1Class) -> Option<Self> {
        let code = class.bytecode().iter().chain([&RET]).map(VmCell::of_felt).collect();
        Self::new(code, class.hints.len(), |pc, hints| {
            let at_pc = class.hints_at(pc);
            let compiled = at_pc.iter().zip((0..at_pc.len()).rev());
            hints.extend(compiled.map(|(hint, n_after)| compile_hint(hint, n_after == 0)));
        })
    }

    /// Decodes a Cairo 0 class. `None` if it must run on `cairo-vm`: it exceeds 2^32 cells, or `cairo-vm`
    /// rejects its builtins or hints when a frame starts.
    pub(super) fn of_cairo0(class: &Cairo0Class) -> Option<Self> {
        let is_ordered = class
            .builtins()
            .is_sorted_by_key(|builtin| CAIRO0_ORDER.iter().position(|of_order| of_order == builtin));
        let has_unsupported = class.builtins().iter().any(|builtin| !CAIRO0_ORDER.contains(builtin));
        let has_duplicates = class.builtins().windows(2).any(|pair| pair.first() == pair.last());
        if class.unprepared_hint.is_some() || !is_ordered || has_unsupported || has_duplicates {
            return None;
        }
        let code = class.vm_program.iter_data().map(|word| word.get_int_ref().map(VmCell::of_felt));
        Self::new(code.collect::<Option<_>>()?, class.hints.len(), |pc, hints| {
            let at_pc = class.hints.at(pc);
            let compiled = at_pc.iter().zip((0..at_pc.len()).rev());
            hints.extend(compiled.map(|(hint, n_after)| compile_cairo0_hint(hint, class, n_after == 0)));
        })
    }

    fn new(
        code: Arc<[VmCell]>,
        hint_count: usize,
        add_hints: impl Fn(usize, &mut Vec<CompiledHint>),
    ) -> Option<Self> {
        u32::try_from(code.len().checked_add(1)?).ok()?;
        u32::try_from(hint_count).ok()?;
        let mut hints = Vec::with_capacity(hint_count);
        let mut first_hints = Vec::with_capacity(code.len());
        let operations = code
            .iter()
            .enumerate()
            .map(|(pc, word)| {
                let mut operation = operation(pc, *word, code.get(pc.saturating_add(1)));
                let first = hints.len();
                first_hints.push(u32::try_from(first).unwrap_or(u32::MAX)); // fits, see `hint_count`
                add_hints(pc, &mut hints);
                if hints.len() > first {
                    operation.kind_after_hints =
                        std::mem::replace(&mut operation.kind, OperationKind::WithHints);
                }
                operation
            })
            .collect();
        Some(Self { code, operations, hints: hints.into(), first_hints: first_hints.into() })
    }

    /// The index of the first hint of the operation at `pc`.
    pub(super) fn first_hint(&self, pc: u64) -> u32 {
        let index = usize::try_from(pc).ok();
        index.and_then(|index| self.first_hints.get(index)).copied().unwrap_or(u32::MAX)
    }
}

/// Decodes a word of the code.
pub(super) fn instruction(word: VmCell) -> Option<Instruction> {
    decode_instruction(as_u128(&word.as_number()?)?).ok()
}

/// The operation of the word at `pc`; `next` is the word after it.
fn operation(pc: usize, word: VmCell, next: Option<&VmCell>) -> Operation {
    let Some(instruction) = instruction(word) else { return Operation::GENERAL };
    let immediate = next.and_then(VmCell::as_number);
    specialize(pc, &instruction, immediate).unwrap_or(Operation::GENERAL)
}

/// The operation of an instruction of a form that the fast path supports.
fn specialize(pc: usize, instruction: &Instruction, immediate: Option<Limbs>) -> Option<Operation> {
    if instruction.opcode_extension != OpcodeExtension::Stone {
        return None;
    }
    let is_immediate = instruction.op1_addr == Op1Addr::Imm;
    if is_immediate && (instruction.off2 != 1 || immediate.is_none()) {
        return None;
    }
    // Compilers set unused operands to [fp - 1], which is always known: it holds the return address.
    let is_unused = |register, offset: isize| register == Register::FP && offset == -1;
    let unused_dst = is_unused(instruction.dst_register, instruction.off0);
    let unused_op0 = is_unused(instruction.op0_register, instruction.off1);
    let relative = || jump_target(pc, immediate?);
    let steps_ap = matches!(instruction.ap_update, ApUpdate::Regular | ApUpdate::Add1);

    let (kind, target) = match (instruction.opcode, instruction.res, instruction.pc_update) {
        (Opcode::AssertEq, res, PcUpdate::Regular) if steps_ap => {
            let kind = match (res, instruction.op1_addr) {
                (Res::Op1, Op1Addr::Imm) if unused_op0 => OperationKind::AssertImmediate,
                (Res::Op1, Op1Addr::AP | Op1Addr::FP) if unused_op0 => OperationKind::AssertCell,
                (Res::Op1, Op1Addr::Op0) => OperationKind::AssertDeref,
                (Res::Add, Op1Addr::Imm) => OperationKind::AddImmediate,
                (Res::Add, Op1Addr::AP | Op1Addr::FP) => OperationKind::AddCells,
                (Res::Mul, Op1Addr::Imm) => OperationKind::MulImmediate,
                (Res::Mul, Op1Addr::AP | Op1Addr::FP) => OperationKind::MulCells,
                _ => return None,
            };
            match (kind, immediate.and_then(small_number)) {
                (OperationKind::AddImmediate, Some(small)) => small,
                _ => (kind, 0),
            }
        }
        (Opcode::NOp, Res::Op1, PcUpdate::Regular)
            if is_immediate && unused_dst && unused_op0 && instruction.ap_update == ApUpdate::Add =>
        {
            let [low, 0, 0, 0] = immediate? else { return None };
            (OperationKind::AdvanceAp, u32::try_from(low).ok()?)
        }
        (Opcode::NOp, Res::Op1, PcUpdate::JumpRel)
            if is_immediate && unused_dst && unused_op0 && steps_ap =>
        {
            (OperationKind::Jump, relative()?)
        }
        (Opcode::NOp, Res::Unconstrained, PcUpdate::Jnz) if is_immediate && unused_op0 && steps_ap => {
            (OperationKind::JumpNotZero, relative()?)
        }
        (Opcode::Call, Res::Op1, PcUpdate::JumpRel) if is_immediate => (OperationKind::Call, relative()?),
        (Opcode::Ret, Res::Op1, PcUpdate::Jump)
            if unused_op0 && instruction.ap_update == ApUpdate::Regular =>
        {
            (OperationKind::Return, 0)
        }
        _ => return None,
    };
    let flag = |is_set: bool, flag: u8| if is_set { flag } else { 0 };
    Some(Operation {
        kind,
        kind_after_hints: OperationKind::General,
        flags: flag(instruction.dst_register == Register::FP, DST_FP)
            | flag(instruction.op0_register == Register::FP, OP0_FP)
            | flag(instruction.op1_addr == Op1Addr::FP, OP1_FP),
        ap_step: u8::from(instruction.ap_update == ApUpdate::Add1),
        dst: i16::try_from(instruction.off0).ok()?,
        op0: i16::try_from(instruction.off1).ok()?,
        op1: i16::try_from(instruction.off2).ok()?,
        target,
    })
}

/// The kind and the absolute value of an addition whose immediate has at most 31 bits.
fn small_number(immediate: Limbs) -> Option<(OperationKind, u32)> {
    let small = |number: Limbs| match number {
        [number, 0, 0, 0] => u32::try_from(number).ok().filter(|number| *number >> 31 == 0),
        _ => None,
    };
    small(immediate)
        .map(|number| (OperationKind::AddSmall, number))
        .or_else(|| Some((OperationKind::SubtractSmall, small(neg(&immediate))?)))
}

/// The target of a relative jump by `immediate`.
fn jump_target(pc: usize, immediate: Limbs) -> Option<u32> {
    let pc = u64::try_from(pc).ok()?;
    u32::try_from(offset_add(pc, &immediate)?).ok()
}
