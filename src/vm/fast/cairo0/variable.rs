//! Variables of Cairo 0 hints (`ids.<name>`): references to cells relative to `ap` or `fp`.
//!
//! Input: a reference of a class. Output: the value or the address of the variable while the machine is at
//! the hint.

use cairo_vm::hint_processor::hint_processor_definition::HintReference;
use cairo_vm::serde::deserialize_program::OffsetValue;
use cairo_vm::types::instruction::Register;
use starknet_types_core::felt::Felt;

use crate::class::{Cairo0Class, PreparedHint};
use crate::protocol::Builtin;
use crate::vm::fast::Bailout;
use crate::vm::fast::cell::VmCell;
use crate::vm::fast::machine::Machine;
use crate::vm::fast::memory::EXECUTION;
use crate::vm::fast::number::field::{Limbs, as_u64, from_felt, from_u64, is_less};

/// A term of a reference: a number, an address relative to a register, or the cell at that address.
#[derive(Clone, Copy, Debug)]
enum ReferenceTerm {
    Number(VmCell),
    /// `register - back + offset`, where `back` is the advance of `ap` since the reference was created.
    Register {
        is_fp: bool,
        back: u64,
        offset: i64,
        is_read: bool,
    },
}

/// A variable: the sum or difference of two terms, dereferenced up to twice for its value.
#[derive(Clone, Copy, Debug)]
pub(in crate::vm::fast) struct Variable {
    first: ReferenceTerm,
    second: ReferenceTerm,
    is_difference: bool,
    n_dereferences: u8,
    /// `true` if the address of the variable is the value of a pointer.
    is_dereferenced: bool,
}

impl Variable {
    /// Resolves a reference; `None` if the `ap` tracking of the hint and of the reference are unrelated.
    pub(in crate::vm::fast) fn new(reference: &HintReference, hint: &PreparedHint) -> Option<Self> {
        let term = |offset: &OffsetValue| {
            Some(match offset {
                OffsetValue::Immediate(number) => ReferenceTerm::Number(VmCell::of_felt(number)),
                OffsetValue::Value(number) => ReferenceTerm::Number(VmCell::of_felt(&Felt::from(*number))),
                OffsetValue::Reference(register, offset, is_read, _) => {
                    let is_fp = *register == Register::FP;
                    let back = if is_fp {
                        0
                    } else {
                        let (made, here) = (reference.ap_tracking_data.as_ref()?, &hint.data.ap_tracking);
                        (made.group == here.group).then_some(())?;
                        u64::try_from(here.offset.checked_sub(made.offset)?).ok()?
                    };
                    ReferenceTerm::Register { is_fp, back, offset: i64::from(*offset), is_read: *is_read }
                }
            })
        };
        Some(Self {
            first: term(&reference.offset1)?,
            second: term(&reference.offset2)?,
            is_difference: matches!(reference.offset2, OffsetValue::Reference(_, _, _, false)),
            n_dereferences: u8::from(reference.inner_dereference)
                .saturating_add(u8::from(reference.outer_dereference)),
            is_dereferenced: reference.inner_dereference,
        })
    }
}

/// The symbols that the code of a hint can name.
#[derive(Clone, Copy)]
pub(super) struct HintSymbols<'a> {
    pub hint: &'a PreparedHint,
    pub class: &'a Cairo0Class,
}

impl HintSymbols<'_> {
    /// The variable `ids.<name>`.
    pub(super) fn variable(&self, name: &str) -> Option<Variable> {
        Variable::new(self.hint.data.ids_data.get(name)?, self.hint)
    }

    /// The constant with this full path.
    pub(super) fn constant(&self, name: &str) -> Option<Limbs> {
        self.hint.data.constants.get(name).map(from_felt)
    }

    /// `Some` if the program has a range-check bound, that is, uses the builtin.
    pub(super) fn range_check_bound(&self) -> Option<()> {
        self.class.builtins().contains(&Builtin::RangeCheck).then_some(())
    }
}

impl Machine {
    fn term(&self, term: &ReferenceTerm) -> Result<VmCell, Bailout> {
        match term {
            ReferenceTerm::Number(number) => Ok(*number),
            ReferenceTerm::Register { is_fp, back, offset, is_read } => {
                let base = if *is_fp { self.fp } else { self.ap };
                let cell = base.checked_sub(*back).and_then(|base| base.checked_add_signed(*offset));
                let cell = cell.ok_or(Bailout::Fault)?;
                if *is_read { self.read_known(EXECUTION, cell) } else { Ok(VmCell::pointer(EXECUTION, cell)) }
            }
        }
    }

    fn read_known(&self, segment: u64, offset: u64) -> Result<VmCell, Bailout> {
        self.memory.read(segment, offset).value().ok_or(Bailout::Fault)
    }

    /// The cell that a pointer points to.
    pub(super) fn dereference(&self, pointer: VmCell) -> Result<VmCell, Bailout> {
        let (segment, offset) = pointer.as_pointer().ok_or(Bailout::Fault)?;
        self.read_known(segment, offset)
    }

    /// The value of a variable.
    pub(super) fn variable(&self, variable: &Variable) -> Result<VmCell, Bailout> {
        let (first, second) = (self.term(&variable.first)?, self.term(&variable.second)?);
        let value = if variable.is_difference { first.minus(&second) } else { first.plus(&second) };
        (0..variable.n_dereferences)
            .try_fold(value.ok_or(Bailout::Fault)?, |value, _| self.dereference(value))
    }

    /// The value of a variable as a number.
    pub(super) fn limbs(&self, variable: &Variable) -> Result<Limbs, Bailout> {
        self.variable(variable)?.as_number().ok_or(Bailout::Fault)
    }

    /// The address of a variable. For a difference, `cairo-vm` takes the sum here.
    pub(super) fn address_of(&self, variable: &Variable) -> Result<(u64, u64), Bailout> {
        let sum = self.term(&variable.first)?.plus(&self.term(&variable.second)?).ok_or(Bailout::Fault)?;
        let address = if variable.is_dereferenced { self.dereference(sum)? } else { sum };
        address.as_pointer().ok_or(Bailout::Fault)
    }

    /// The number in a cell.
    pub(super) fn read_number(&self, segment: u64, offset: u64) -> Result<Limbs, Bailout> {
        self.read_known(segment, offset)?.as_number().ok_or(Bailout::Fault)
    }

    /// The members of a variable that is a structure of numbers.
    pub(super) fn members<const N: usize>(&self, variable: &Variable) -> Result<[Limbs; N], Bailout> {
        self.numbers_from(self.address_of(variable)?)
    }

    /// `N` consecutive numbers from an address.
    pub(super) fn numbers_from<const N: usize>(
        &self,
        (segment, start): (u64, u64),
    ) -> Result<[Limbs; N], Bailout> {
        let mut numbers = [[0; 4]; N];
        for (number, cells) in numbers.iter_mut().zip(0..) {
            *number = self.read_number(segment, start.checked_add(cells).ok_or(Bailout::Fault)?)?;
        }
        Ok(numbers)
    }

    /// The value of a variable as `u64`; `cairo-vm` rejects larger numbers in different ways.
    pub(super) fn variable_u64(&self, variable: &Variable) -> Result<u64, Bailout> {
        as_u64(&self.limbs(variable)?).ok_or(Bailout::Unsupported)
    }

    /// The value of a variable as an address.
    pub(super) fn pointer(&self, variable: &Variable) -> Result<(u64, u64), Bailout> {
        self.variable(variable)?.as_pointer().ok_or(Bailout::Fault)
    }

    /// Writes consecutive numbers from the address of the variable.
    pub(super) fn put_all(&mut self, variable: &Variable, numbers: &[Limbs]) -> Result<(), Bailout> {
        let (segment, start) = self.address_of(variable)?;
        for (number, cells) in numbers.iter().zip(0..) {
            let offset = start.checked_add(cells).ok_or(Bailout::Fault)?;
            self.memory.write(segment, offset, VmCell::number(*number))?;
        }
        Ok(())
    }

    /// Writes a number to the variable.
    pub(super) fn put(&mut self, variable: &Variable, number: Limbs) -> Result<(), Bailout> {
        self.put_cell(variable, VmCell::number(number))
    }

    /// Writes a number or an address to the variable.
    pub(super) fn put_cell(&mut self, variable: &Variable, value: VmCell) -> Result<(), Bailout> {
        let (segment, offset) = self.address_of(variable)?;
        self.memory.write(segment, offset, value)
    }

    /// Writes 1 or 0 to the variable.
    pub(super) fn put_flag(&mut self, variable: &Variable, flag: bool) -> Result<(), Bailout> {
        self.put(variable, from_u64(u64::from(flag)))
    }

    /// Writes 1 or 0 at `ap`.
    pub(super) fn put_at_ap(&mut self, flag: bool) -> Result<(), Bailout> {
        self.put_cell_at_ap(VmCell::small(u64::from(flag)))
    }

    /// Writes a number or an address at `ap`.
    pub(super) fn put_cell_at_ap(&mut self, value: VmCell) -> Result<(), Bailout> {
        self.memory.write(EXECUTION, self.ap, value)
    }
}

/// Returns `true` if the number is below the range-check bound, 2^128.
pub(super) fn is_in_range(number: &Limbs) -> bool {
    is_less(number, &[0, 0, 1, 0])
}

/// A fault unless the condition holds.
pub(super) fn ensure(holds: bool) -> Result<(), Bailout> {
    if holds { Ok(()) } else { Err(Bailout::Fault) }
}
