//! Code as this engine runs it: one operation for each place of the bytecode, made once per class and shared.
//!
//! The forms that compilers emit get a kind of their own, which says all that the run loop must know. Whatever else there is runs
//! as `Other`, and a word that is no instruction is only an error once it is reached.

use std::sync::Arc;

use cairo_vm::types::instruction::{
    ApUpdate, Instruction, Op1Addr, Opcode, OpcodeExtension, PcUpdate, Register, Res,
};
use cairo_vm::vm::decoding::decoder::decode_instruction;

use super::cairo0::compile_cairo0;
use super::cell::VmCell;
use super::hint::{Hint, compile};
use super::number::field::{Limbs, as_u128, neg, offset_plus};
use crate::class::{Cairo0Class, Cairo1Class};
use crate::protocol::Builtin;
use crate::vm::frame_setup::RET;

/// What the run loop knows of an operation before it looks at its operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Any other form: run by the rules, not by a shortcut.
    Other,
    /// Hints come first; `Operation::behind_hints` is what it is then.
    Hinted,
    /// `[dst] = immediate`
    AssertImmediate,
    /// `[dst] = [op1]`
    AssertCell,
    /// `[dst] = [[op0] + off2]`
    AssertDeref,
    /// `[dst] = [op0] + immediate`
    AddImmediate,
    /// The same with an immediate of 31 bits, in `target`.
    AddSmall,
    /// `[dst] = [op0] - number`, a number of 31 bits, in `target`.
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

/// The operation at one place of the code, 16 bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Operation {
    pub kind: Kind,
    /// The kind without its hints.
    pub behind_hints: Kind,
    flags: u8,
    /// By how much `ap` moves: 0 or 1.
    pub ap_step: u8,
    pub dst: i16,
    pub op0: i16,
    pub op1: i16,
    /// Where a jump or a call goes; by how much `ap` advances; a small number.
    pub target: u32,
}

const DST_FP: u8 = 1;
const OP0_FP: u8 = 2;
const OP1_FP: u8 = 4;

impl Operation {
    const OTHER: Self = Self {
        kind: Kind::Other,
        behind_hints: Kind::Other,
        flags: 0,
        ap_step: 0,
        dst: 0,
        op0: 0,
        op1: 0,
        target: 0,
    };

    /// Whether the destination is relative to `fp`.
    #[inline]
    pub(super) fn dst_is_fp(&self) -> bool {
        self.flags & DST_FP != 0
    }

    /// Whether the first operand is relative to `fp`.
    #[inline]
    pub(super) fn op0_is_fp(&self) -> bool {
        self.flags & OP0_FP != 0
    }

    /// Whether the second operand is relative to `fp`.
    #[inline]
    pub(super) fn op1_is_fp(&self) -> bool {
        self.flags & OP1_FP != 0
    }
}

/// The order in which the judge wants the builtins of a Cairo 0 program.
const CAIRO0_ORDER: [Builtin; 6] = [
    Builtin::Pedersen,
    Builtin::RangeCheck,
    Builtin::Ecdsa,
    Builtin::Bitwise,
    Builtin::EcOp,
    Builtin::Poseidon,
];

/// The code of a class.
#[derive(Debug)]
pub(super) struct Program {
    /// The bytecode and the `ret` behind it.
    pub code: Arc<[VmCell]>,
    /// An operation for each cell of the code.
    pub operations: Box<[Operation]>,
    /// The hints of all operations, in the order of the code. The last one of each operation is marked.
    pub hints: Box<[Hint]>,
    /// Where the hints of each operation begin.
    first_hints: Box<[u32]>,
}

impl Program {
    /// Prepares a class; `None` if it is too long for this engine, which no class of the network is.
    pub(super) fn of_cairo1(class: &Cairo1Class) -> Option<Self> {
        let code = class.bytecode().iter().chain([&RET]).map(VmCell::of_felt).collect();
        Self::new(code, class.hints.len(), |pc, hints| {
            let own = class.hints_at(pc);
            hints.extend(own.iter().zip((0..own.len()).rev()).map(|(hint, left)| compile(hint, left == 0)));
        })
    }

    /// Prepares a class; `None` if the judge must run it: it is too long, or its frames do not even start.
    pub(super) fn of_cairo0(class: &Cairo0Class) -> Option<Self> {
        let is_ordered = class
            .builtins()
            .is_sorted_by_key(|builtin| CAIRO0_ORDER.iter().position(|of_order| of_order == builtin));
        let has_other = class.builtins().iter().any(|builtin| !CAIRO0_ORDER.contains(builtin));
        let has_twins = class.builtins().windows(2).any(|pair| pair.first() == pair.last());
        if class.unprepared_hint.is_some() || !is_ordered || has_other || has_twins {
            return None;
        }
        let code = class.vm_program.iter_data().map(|word| word.get_int_ref().map(VmCell::of_felt));
        Self::new(code.collect::<Option<_>>()?, class.hints.len(), |pc, hints| {
            let own = class.hints.at(pc);
            let compiled = own.iter().zip((0..own.len()).rev());
            hints.extend(compiled.map(|(hint, left)| compile_cairo0(hint, class, left == 0)));
        })
    }

    fn new(
        code: Arc<[VmCell]>,
        hint_count: usize,
        add_hints: impl Fn(usize, &mut Vec<Hint>),
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
                first_hints.push(u32::try_from(first).unwrap_or(u32::MAX)); // counted above
                add_hints(pc, &mut hints);
                if hints.len() > first {
                    operation.behind_hints = std::mem::replace(&mut operation.kind, Kind::Hinted);
                }
                operation
            })
            .collect();
        Some(Self { code, operations, hints: hints.into(), first_hints: first_hints.into() })
    }

    /// Where the hints of the operation at `pc` begin.
    pub(super) fn first_hint(&self, pc: u64) -> u32 {
        let index = usize::try_from(pc).ok();
        index.and_then(|index| self.first_hints.get(index)).copied().unwrap_or(u32::MAX)
    }
}

/// The instruction in a word of the code.
pub(super) fn instruction(word: VmCell) -> Option<Instruction> {
    decode_instruction(as_u128(&word.as_number()?)?).ok()
}

/// The operation of the word at `pc`, before `next`.
fn operation(pc: usize, word: VmCell, next: Option<&VmCell>) -> Operation {
    let Some(instruction) = instruction(word) else { return Operation::OTHER };
    let immediate = next.and_then(VmCell::as_number);
    shortcut(pc, &instruction, immediate).unwrap_or(Operation::OTHER)
}

/// The operation of an instruction that has a kind of its own.
fn shortcut(pc: usize, instruction: &Instruction, immediate: Option<Limbs>) -> Option<Operation> {
    if instruction.opcode_extension != OpcodeExtension::Stone {
        return None;
    }
    let is_immediate = instruction.op1_addr == Op1Addr::Imm;
    if is_immediate && (instruction.off2 != 1 || immediate.is_none()) {
        return None;
    }
    // Compilers point operands that they do not use at [fp - 1], which is always known: it holds the return address.
    let is_idle = |register, offset: isize| register == Register::FP && offset == -1;
    let idle_dst = is_idle(instruction.dst_register, instruction.off0);
    let idle_op0 = is_idle(instruction.op0_register, instruction.off1);
    let relative = || jump_target(pc, immediate?);
    let steps_ap = matches!(instruction.ap_update, ApUpdate::Regular | ApUpdate::Add1);

    let (kind, target) = match (instruction.opcode, instruction.res, instruction.pc_update) {
        (Opcode::AssertEq, res, PcUpdate::Regular) if steps_ap => {
            let kind = match (res, instruction.op1_addr) {
                (Res::Op1, Op1Addr::Imm) if idle_op0 => Kind::AssertImmediate,
                (Res::Op1, Op1Addr::AP | Op1Addr::FP) if idle_op0 => Kind::AssertCell,
                (Res::Op1, Op1Addr::Op0) => Kind::AssertDeref,
                (Res::Add, Op1Addr::Imm) => Kind::AddImmediate,
                (Res::Add, Op1Addr::AP | Op1Addr::FP) => Kind::AddCells,
                (Res::Mul, Op1Addr::Imm) => Kind::MulImmediate,
                (Res::Mul, Op1Addr::AP | Op1Addr::FP) => Kind::MulCells,
                _ => return None,
            };
            match (kind, immediate.and_then(small_number)) {
                (Kind::AddImmediate, Some(small)) => small,
                _ => (kind, 0),
            }
        }
        (Opcode::NOp, Res::Op1, PcUpdate::Regular)
            if is_immediate && idle_dst && idle_op0 && instruction.ap_update == ApUpdate::Add =>
        {
            let [low, 0, 0, 0] = immediate? else { return None };
            (Kind::AdvanceAp, u32::try_from(low).ok()?)
        }
        (Opcode::NOp, Res::Op1, PcUpdate::JumpRel) if is_immediate && idle_dst && idle_op0 && steps_ap => {
            (Kind::Jump, relative()?)
        }
        (Opcode::NOp, Res::Unconstrained, PcUpdate::Jnz) if is_immediate && idle_op0 && steps_ap => {
            (Kind::JumpNotZero, relative()?)
        }
        (Opcode::Call, Res::Op1, PcUpdate::JumpRel) if is_immediate => (Kind::Call, relative()?),
        (Opcode::Ret, Res::Op1, PcUpdate::Jump) if idle_op0 && instruction.ap_update == ApUpdate::Regular => {
            (Kind::Return, 0)
        }
        _ => return None,
    };
    let flag = |is_set: bool, flag: u8| if is_set { flag } else { 0 };
    Some(Operation {
        kind,
        behind_hints: Kind::Other,
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

/// How a number of 31 bits is added, or its negative.
fn small_number(immediate: Limbs) -> Option<(Kind, u32)> {
    let small = |number: Limbs| match number {
        [number, 0, 0, 0] => u32::try_from(number).ok().filter(|number| *number >> 31 == 0),
        _ => None,
    };
    small(immediate)
        .map(|number| (Kind::AddSmall, number))
        .or_else(|| Some((Kind::SubtractSmall, small(neg(&immediate))?)))
}

/// Where a relative jump by `immediate` goes.
fn jump_target(pc: usize, immediate: Limbs) -> Option<u32> {
    let pc = u64::try_from(pc).ok()?;
    u32::try_from(offset_plus(pc, &immediate)?).ok()
}
