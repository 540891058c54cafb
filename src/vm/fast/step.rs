//! The general execution of one instruction: read or deduce the operands, compute the result, check or write
//! the destination, update the registers.
//!
//! Input: the machine; the run loop calls this for forms that the fast path does not support, and for steps
//! that it could not complete. Output: the machine after the step, or a bailout. Every violation of the rules
//! is a `Bailout::Fault`; its text comes from `cairo-vm` after the fallback.

use cairo_vm::hint_processor::builtin_hint_processor::blake2s_hash::blake2s_compress;
use cairo_vm::typed_operations::{typed_add, typed_div, typed_mul, typed_sub};
use cairo_vm::types::instruction::{
    ApUpdate, FpUpdate, Instruction, Op1Addr, Opcode, OpcodeExtension, PcUpdate, Register, Res,
};
use cairo_vm::types::relocatable::MaybeRelocatable;
use starknet_types_core::felt::Felt;

use super::Bailout;
use super::builtin::deduce_cell;
use super::cell::VmCell;
use super::decode::instruction;
use super::fast_path::AP_LIMIT;
use super::machine::Machine;
use super::memory::EXECUTION;
use super::number::field::{as_u128, div, from_u128, offset_add};

/// The segment and the offset of a cell.
type Address = (u64, u64);

impl Machine {
    /// Runs the instruction at `pc`.
    pub(super) fn step(&mut self) -> Result<(), Bailout> {
        let instruction = instruction(self.memory.read(0, self.pc)).ok_or(Bailout::Fault)?;
        let relative = |register, offset: isize| {
            let base = match register {
                Register::AP => self.ap,
                Register::FP => self.fp,
            };
            Ok((EXECUTION, add_offset(base, offset)?))
        };
        let dst_at = relative(instruction.dst_register, instruction.off0)?;
        let op0_at = relative(instruction.op0_register, instruction.off1)?;
        let mut dst = self.value_at(dst_at);
        let mut op0 = self.value_at(op0_at);
        let op1_at = match instruction.op1_addr {
            Op1Addr::FP => relative(Register::FP, instruction.off2)?,
            Op1Addr::AP => relative(Register::AP, instruction.off2)?,
            Op1Addr::Imm if instruction.off2 == 1 => (0, add_offset(self.pc, 1)?),
            Op1Addr::Imm => return Err(Bailout::Fault),
            Op1Addr::Op0 => {
                let (segment, offset) = op0.and_then(|op0| op0.as_pointer()).ok_or(Bailout::Fault)?;
                (segment, add_offset(offset, instruction.off2)?)
            }
        };
        let mut op1 = self.value_at(op1_at);

        let mut result = None;
        if op0.is_none() {
            (op0, result) = self.deduce_op0(&instruction, dst, op1)?;
            self.memory.write(op0_at.0, op0_at.1, op0.ok_or(Bailout::Fault)?)?;
        }
        let op0 = op0.ok_or(Bailout::Fault)?;
        if op1.is_none() {
            op1 = deduce_cell(&mut self.memory.segments, op1_at.0, op1_at.1)?;
            if op1.is_none() {
                let (value, from_dst) = deduce_op1(&instruction, dst, op0)?;
                self.memory.write(op1_at.0, op1_at.1, value)?;
                op1 = Some(value);
                result = result.or(from_dst);
            }
        }
        let op1 = op1.ok_or(Bailout::Fault)?;
        if result.is_none() {
            result = compute_result(&instruction, op0, op1)?;
        }
        if dst.is_none() {
            let value = match instruction.opcode {
                Opcode::AssertEq => result.ok_or(Bailout::Fault)?,
                Opcode::Call => VmCell::pointer(EXECUTION, self.fp),
                Opcode::NOp | Opcode::Ret => return Err(Bailout::Fault),
            };
            self.memory.write(dst_at.0, dst_at.1, value)?;
            dst = Some(value);
        }
        let dst = dst.ok_or(Bailout::Fault)?;
        self.check_opcode(&instruction, dst, op0, result)?;

        if self.marks_accesses {
            for (segment, offset) in [dst_at, op0_at, op1_at] {
                self.memory.mark_accessed(segment, offset);
            }
        }
        if matches!(instruction.opcode_extension, OpcodeExtension::Blake | OpcodeExtension::BlakeFinalize) {
            let is_last = instruction.opcode_extension == OpcodeExtension::BlakeFinalize;
            self.blake(dst, op0, op1, is_last)?;
        }
        let fp = self.fp;
        self.move_registers(&instruction, dst, op1, result)?;
        self.steps = self.steps.saturating_add(1);
        // `FrameBuilder` marks the cell before the initial `fp` as accessed from the start, because the fast
        // path relies on that. This is right only if the frame ends by `ret` at the initial `fp`, which
        // accesses that cell.
        if self.is_at_end && (instruction.opcode != Opcode::Ret || fp != self.first_fp) {
            return Err(Bailout::Unsupported);
        }
        Ok(())
    }

    fn value_at(&self, (segment, offset): Address) -> Option<VmCell> {
        self.memory.read(segment, offset).value()
    }

    fn next_pc(&self, instruction: &Instruction) -> Result<u64, Bailout> {
        add_offset(self.pc, isize::try_from(instruction.size()).map_err(|_| Bailout::Fault)?)
    }

    /// Deduces the first operand, and the result if the destination determines it.
    fn deduce_op0(
        &self,
        instruction: &Instruction,
        dst: Option<VmCell>,
        op1: Option<VmCell>,
    ) -> Result<(Option<VmCell>, Option<VmCell>), Bailout> {
        match (instruction.opcode, instruction.res, dst, op1) {
            (Opcode::Call, ..) => Ok((Some(VmCell::pointer(0, self.next_pc(instruction)?)), None)),
            (Opcode::AssertEq, Res::Add, Some(dst), Some(op1)) => {
                Ok((Some(difference(dst, op1, instruction.opcode_extension)?), Some(dst)))
            }
            (Opcode::AssertEq, Res::Mul, Some(dst), Some(op1)) => {
                Ok((Some(quotient(dst, op1, instruction.opcode_extension)?), Some(dst)))
            }
            _ => Err(Bailout::Fault),
        }
    }

    fn check_opcode(
        &self,
        instruction: &Instruction,
        dst: VmCell,
        op0: VmCell,
        result: Option<VmCell>,
    ) -> Result<(), Bailout> {
        let holds = match instruction.opcode {
            Opcode::AssertEq => result.is_some_and(|result| result.same(&dst)),
            Opcode::Call => {
                op0.same(&VmCell::pointer(0, self.next_pc(instruction)?))
                    && dst.same(&VmCell::pointer(EXECUTION, self.fp))
            }
            Opcode::NOp | Opcode::Ret => true,
        };
        if holds { Ok(()) } else { Err(Bailout::Fault) }
    }

    fn move_registers(
        &mut self,
        instruction: &Instruction,
        dst: VmCell,
        op1: VmCell,
        result: Option<VmCell>,
    ) -> Result<(), Bailout> {
        let ap = self.ap;
        let fp = match instruction.fp_update {
            FpUpdate::APPlus2 => add_offset(ap, 2)?,
            FpUpdate::Dst => {
                dst.as_pointer().map(|(_, offset)| offset).or(dst.as_u64()).ok_or(Bailout::Fault)?
            }
            FpUpdate::Regular => self.fp,
        };
        self.ap = match instruction.ap_update {
            ApUpdate::Add => {
                let by = result.and_then(|result| result.as_number()).ok_or(Bailout::Fault)?;
                let ap = offset_add(ap, &by).ok_or(Bailout::Fault)?;
                if ap < AP_LIMIT { ap } else { return Err(Bailout::Unsupported) }
            }
            ApUpdate::Add1 => add_offset(ap, 1)?,
            ApUpdate::Add2 => add_offset(ap, 2)?,
            ApUpdate::Regular => ap,
        };
        let next_pc = self.next_pc(instruction)?;
        let number = |cell: VmCell| cell.as_number().ok_or(Bailout::Fault);
        match instruction.pc_update {
            PcUpdate::Regular => self.pc = next_pc,
            PcUpdate::Jump => self.jump_to(result.ok_or(Bailout::Fault)?)?,
            PcUpdate::JumpRel => {
                let by = number(result.ok_or(Bailout::Fault)?)?;
                self.pc = offset_add(self.pc, &by).ok_or(Bailout::Fault)?;
            }
            PcUpdate::Jnz if dst.is_zero() => self.pc = next_pc,
            PcUpdate::Jnz => self.pc = offset_add(self.pc, &number(op1)?).ok_or(Bailout::Fault)?,
        }
        self.enter_frame(fp)
    }

    /// Jumps to an address in the code, or to the return address of the entry point.
    pub(super) fn jump_to(&mut self, target: VmCell) -> Result<(), Bailout> {
        match target.as_pointer().ok_or(Bailout::Fault)? {
            (0, offset) => self.pc = offset,
            (segment, 0) if segment == self.end => self.is_at_end = true,
            // Code in other segments, which no compiler emits.
            _ => return Err(Bailout::Unsupported),
        }
        Ok(())
    }

    /// Sets `fp`. The fast path relies on `[fp - 1]` being known, and accessed if accesses are marked; a
    /// frame in which it is not falls back, unless it has ended.
    pub(super) fn enter_frame(&mut self, fp: u64) -> Result<(), Bailout> {
        self.fp = fp;
        if self.is_at_end {
            return Ok(());
        }
        let before_fp = self.memory.read(EXECUTION, fp.wrapping_sub(1));
        let is_supported = if self.marks_accesses { before_fp.is_accessed() } else { before_fp.is_known() };
        if is_supported { Ok(()) } else { Err(Bailout::Unsupported) }
    }

    /// The Blake instructions. The operands point to state and message, the destination is the counter,
    /// `[ap]` points to the new state.
    fn blake(&mut self, dst: VmCell, op0: VmCell, op1: VmCell, is_last: bool) -> Result<(), Bailout> {
        let counter = word(dst)?;
        let state: [u32; 8] = self.words(op0)?;
        let message: [u32; 16] = self.words(op1)?;
        let output = self.value_at((EXECUTION, self.ap)).and_then(|cell| cell.as_pointer());
        let (segment, start) = output.ok_or(Bailout::Fault)?;
        let last = if is_last { u32::MAX } else { 0 };
        let new_state = blake2s_compress(&state, &message, counter, 0, last, 0);
        for (offset, value) in (start..=u64::MAX).zip(new_state) {
            self.memory.write(segment, offset, VmCell::small(u64::from(value)))?;
            if self.marks_accesses {
                self.memory.mark_accessed(segment, offset);
            }
        }
        self.blakes = self.blakes.saturating_add(1);
        Ok(())
    }

    fn words<const N: usize>(&self, start: VmCell) -> Result<[u32; N], Bailout> {
        let (segment, start) = start.as_pointer().ok_or(Bailout::Fault)?;
        let mut words = [0; N];
        for (value, offset) in words.iter_mut().zip(start..=u64::MAX) {
            *value = word(self.memory.read(segment, offset))?;
        }
        Ok(words)
    }
}

fn word(cell: VmCell) -> Result<u32, Bailout> {
    cell.as_u64().and_then(|value| u32::try_from(value).ok()).ok_or(Bailout::Fault)
}

/// `base + offset`, a fault if it overflows.
fn add_offset(base: u64, offset: isize) -> Result<u64, Bailout> {
    let offset = i64::try_from(offset).map_err(|_| Bailout::Fault)?;
    base.checked_add_signed(offset).ok_or(Bailout::Fault)
}

/// Deduces the second operand, and the result if the destination determines it.
fn deduce_op1(
    instruction: &Instruction,
    dst: Option<VmCell>,
    op0: VmCell,
) -> Result<(VmCell, Option<VmCell>), Bailout> {
    let (Opcode::AssertEq, Some(dst)) = (instruction.opcode, dst) else { return Err(Bailout::Fault) };
    let value = match instruction.res {
        Res::Op1 => dst,
        Res::Add => difference(dst, op0, instruction.opcode_extension)?,
        Res::Mul => quotient(dst, op0, instruction.opcode_extension)?,
        Res::Unconstrained => return Err(Bailout::Fault),
    };
    Ok((value, Some(dst)))
}

fn compute_result(instruction: &Instruction, op0: VmCell, op1: VmCell) -> Result<Option<VmCell>, Bailout> {
    Ok(match instruction.res {
        Res::Op1 => Some(op1),
        Res::Add if instruction.opcode_extension == OpcodeExtension::QM31Operation => {
            Some(from_maybe_relocatable(typed_add(
                &to_maybe_relocatable(op0)?,
                &to_maybe_relocatable(op1)?,
                instruction.opcode_extension,
            ))?)
        }
        Res::Mul if instruction.opcode_extension == OpcodeExtension::QM31Operation => {
            Some(from_maybe_relocatable(typed_mul(
                &to_maybe_relocatable(op0)?,
                &to_maybe_relocatable(op1)?,
                instruction.opcode_extension,
            ))?)
        }
        Res::Add => Some(op0.plus(&op1).ok_or(Bailout::Fault)?),
        Res::Mul => Some(op0.times(&op1).ok_or(Bailout::Fault)?),
        Res::Unconstrained => None,
    })
}

fn difference(a: VmCell, b: VmCell, extension: OpcodeExtension) -> Result<VmCell, Bailout> {
    if extension == OpcodeExtension::Stone {
        return a.minus(&b).ok_or(Bailout::Fault);
    }
    from_maybe_relocatable(typed_sub(&to_maybe_relocatable(a)?, &to_maybe_relocatable(b)?, extension))
}

fn quotient(a: VmCell, b: VmCell, extension: OpcodeExtension) -> Result<VmCell, Bailout> {
    let (a, b) = (a.as_number().ok_or(Bailout::Fault)?, b.as_number().ok_or(Bailout::Fault)?);
    if b == [0; 4] {
        return Err(Bailout::Fault);
    }
    if extension == OpcodeExtension::Stone {
        // Exact divisions of small numbers are common in compiled code; they need no field inversion.
        if let (Some(a), Some(b)) = (as_u128(&a), as_u128(&b))
            && a.checked_rem(b) == Some(0)
        {
            return a
                .checked_div(b)
                .map(|quotient| VmCell::number(from_u128(quotient)))
                .ok_or(Bailout::Fault);
        }
        return div(&a, &b).map(VmCell::number).ok_or(Bailout::Fault);
    }
    let felt = |limbs| VmCell::number(limbs).as_felt().ok_or(Bailout::Fault);
    from_maybe_relocatable(typed_div(&felt(a)?, &felt(b)?, extension).map(MaybeRelocatable::Int))
}

/// Converts a number to the type of `cairo-vm`, whose arithmetic of the QM31 field is used.
fn to_maybe_relocatable(cell: VmCell) -> Result<MaybeRelocatable, Bailout> {
    cell.as_felt().map(MaybeRelocatable::Int).ok_or(Bailout::Fault)
}

/// Converts the result of `cairo-vm` arithmetic to a cell.
fn from_maybe_relocatable<E>(value: Result<MaybeRelocatable, E>) -> Result<VmCell, Bailout> {
    let felt: Felt = value.ok().and_then(|value| value.get_int()).ok_or(Bailout::Fault)?;
    Ok(VmCell::of_felt(&felt))
}
