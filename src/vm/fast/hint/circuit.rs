//! Modular circuits: the hint that evaluates a circuit, and the verification of the `add_mod` and `mul_mod`
//! builtins.
//!
//! Values are 384 bits in four words of 96 bits. A gate names three values by their offsets in a table. The
//! hint computes the missing values; the verification at the end of the frame checks every gate. Values with
//! longer words, which no compiler emits, are left to `cairo-vm`.

use crate::protocol::Builtin;
use crate::vm::fast::Bailout;
use crate::vm::fast::cell::VmCell;
use crate::vm::fast::interrupt::InterruptCheck;
use crate::vm::fast::memory::VmMemory;
use crate::vm::fast::number::field::{as_u128, from_u128, offset_add};
use crate::vm::fast::number::modular::{Modulus, U384};

/// A segment index and an offset.
type Address = (u64, u64);

/// Words per value, and bits per word.
const WORDS: u64 = 4;
const WORD_BITS: u64 = 96;
/// Layout of a builtin instance: the modulus, a pointer to the values, a pointer to the offsets of the gate,
/// the number of remaining gates.
const INSTANCE_CELLS: u64 = 7;
const VALUES_OFFSET: u64 = 4;
const GATES_OFFSET: u64 = 5;
const COUNT_OFFSET: u64 = 6;
/// Offsets per gate: two inputs and one output.
const GATE_CELLS: u64 = 3;

/// Evaluates the circuit of the given gates and writes the builtin instances that prove it. Instances of
/// `mul_mod` end before the first inverse that does not exist.
pub(super) fn eval_circuit(
    memory: &mut VmMemory,
    interrupt_check: &mut InterruptCheck,
    (add, add_count): (Address, u64),
    (mul, mul_count): (Address, u64),
) -> Result<(), Bailout> {
    let values = pointer(memory, plus(mul, VALUES_OFFSET)?)?;
    let mul_gates = pointer(memory, plus(mul, GATES_OFFSET)?)?;
    let add_gates = if add_count == 0 { mul_gates } else { pointer(memory, plus(add, GATES_OFFSET)?)? };
    let modulus = read_value(memory, mul)?.ok_or(Bailout::Fault)?;
    // `cairo-vm` ignores a modulus of 0 until a gate needs it.
    let modulus = Modulus::new(modulus).ok_or(Bailout::Unsupported)?;
    let mut circuit = Circuit { memory, interrupt_check, values, modulus };

    let mut next_add = 0_u64;
    let mut n_proven = mul_count;
    for gate in 0..mul_count {
        circuit.interrupt_check.advance(1)?;
        next_add = circuit.add_while_possible(add_gates, next_add, add_count)?;
        if !circuit.multiply(gate_address(mul_gates, gate)?)? && n_proven == mul_count {
            n_proven = gate;
        }
    }
    circuit.add_while_possible(add_gates, next_add, add_count)?;

    let mut modulus = [VmCell::EMPTY; 4];
    for (word, offset) in modulus.iter_mut().zip(0..WORDS) {
        let (segment, offset) = plus(mul, offset)?;
        *word = memory
            .read(segment, offset)
            .value()
            .filter(|cell| cell.as_number().is_some())
            .ok_or(Bailout::Fault)?;
    }
    write_instances(memory, interrupt_check, add, (add_count, add_gates), modulus, values)?;
    write_instances(memory, interrupt_check, mul, (n_proven, mul_gates), modulus, values)
}

/// A circuit under evaluation.
struct Circuit<'a> {
    memory: &'a mut VmMemory,
    interrupt_check: &'a mut InterruptCheck,
    values: Address,
    modulus: Modulus,
}

impl Circuit<'_> {
    /// The address of the value that an offset of a gate names.
    fn value_address(&self, offset: Address) -> Result<Address, Bailout> {
        let offset = self.memory.read(offset.0, offset.1).as_number().ok_or(Bailout::Fault)?;
        Ok((self.values.0, offset_add(self.values.1, &offset).ok_or(Bailout::Fault)?))
    }

    fn read(&self, gate: Address, index: u64) -> Result<Option<U384>, Bailout> {
        read_value(self.memory, self.value_address(plus(gate, index)?)?)
    }

    fn write(&mut self, gate: Address, index: u64, value: &U384) -> Result<(), Bailout> {
        let (segment, start) = self.value_address(plus(gate, index)?)?;
        for (offset, word) in (0..WORDS).zip(to_words(value)) {
            let at = start.checked_add(offset).ok_or(Bailout::Fault)?;
            self.memory.write(segment, at, VmCell::number(from_u128(word)))?;
        }
        Ok(())
    }

    /// Evaluates addition gates from `next` on; returns the index of the first one with unknown inputs.
    fn add_while_possible(&mut self, gates: Address, mut next: u64, count: u64) -> Result<u64, Bailout> {
        while next < count && self.add(gate_address(gates, next)?)? {
            self.interrupt_check.advance(1)?;
            next = next.saturating_add(1);
        }
        Ok(next)
    }

    fn add(&mut self, gate: Address) -> Result<bool, Bailout> {
        match (self.read(gate, 0)?, self.read(gate, 1)?) {
            (Some(a), Some(b)) => {
                let sum = self.modulus.add(&a, &b);
                self.write(gate, 2, &sum)?;
                Ok(true)
            }
            // c = a + b with a unknown: a subtraction.
            (None, Some(b)) => match self.read(gate, 2)? {
                None => Ok(false),
                Some(c) => {
                    let difference = self.modulus.subtract(&c, &b).ok_or(Bailout::Fault)?;
                    self.write(gate, 0, &difference)?;
                    Ok(true)
                }
            },
            _ => Ok(false),
        }
    }

    /// Evaluates a multiplication gate; returns `false` if it is an inverse that does not exist.
    fn multiply(&mut self, gate: Address) -> Result<bool, Bailout> {
        match (self.read(gate, 0)?, self.read(gate, 1)?) {
            (Some(a), Some(b)) => {
                let product = self.modulus.multiply(&a, &b);
                self.write(gate, 2, &product)?;
                Ok(true)
            }
            (None, Some(b)) => {
                let (is_inverse, value) = self.modulus.invert_or_nullify(&b).ok_or(Bailout::Fault)?;
                self.write(gate, 0, &value)?;
                Ok(is_inverse)
            }
            _ => Err(Bailout::Fault),
        }
    }
}

fn write_instances(
    memory: &mut VmMemory,
    interrupt_check: &mut InterruptCheck,
    builtin: Address,
    (count, gates): (u64, Address),
    modulus: [VmCell; 4],
    values: Address,
) -> Result<(), Bailout> {
    for index in 0..count {
        interrupt_check.advance(1)?;
        let start = index.checked_mul(INSTANCE_CELLS).ok_or(Bailout::Fault)?;
        let (segment, start) = plus(builtin, start)?;
        let gates = gate_address(gates, index)?;
        let remaining = count.saturating_sub(index);
        let addresses_and_count = [
            VmCell::pointer(values.0, values.1),
            VmCell::pointer(gates.0, gates.1),
            VmCell::small(remaining),
        ];
        for (offset, cell) in (start..=u64::MAX).zip(modulus.into_iter().chain(addresses_and_count)) {
            memory.write(segment, offset, cell)?;
        }
    }
    Ok(())
}

/// Reads a value; `None` if a word is unknown or an address.
fn read_value(memory: &VmMemory, (segment, start): Address) -> Result<Option<U384>, Bailout> {
    // All four addresses must exist, even if their cells are unknown.
    start.checked_add(WORDS - 1).ok_or(Bailout::Fault)?;
    let mut words = [0; WORDS as usize];
    let mut is_canonical = true;
    for (word, offset) in words.iter_mut().zip(0..WORDS) {
        let at = start.checked_add(offset).ok_or(Bailout::Fault)?;
        let Some(number) = memory.read(segment, at).as_number() else { return Ok(None) };
        match as_u128(&number).filter(|number| number >> WORD_BITS == 0) {
            Some(number) => *word = number,
            None => is_canonical = false,
        }
    }
    if is_canonical { Ok(Some(from_words(words))) } else { Err(Bailout::Unsupported) }
}

/// The number with these four words of 96 bits, the lowest first.
fn from_words([a, b, c, d]: [u128; 4]) -> U384 {
    let [low, middle, high] = limbs_of_words(a, b);
    let [low2, middle2, high2] = limbs_of_words(c, d);
    [low, middle, high, low2, middle2, high2]
}

/// The three limbs of two words.
#[expect(clippy::cast_possible_truncation, reason = "the limbs of the number")]
fn limbs_of_words(low: u128, high: u128) -> [u64; 3] {
    [low as u64, (low >> 64 | high << 32) as u64, (high >> 32) as u64]
}

/// The four words of 96 bits of a number, the lowest first.
fn to_words([a, b, c, d, e, f]: &U384) -> [u128; 4] {
    let low = |low: &u64, middle: &u64| u128::from(*low) | (u128::from(*middle) & 0xffff_ffff) << 64;
    let high = |middle: &u64, high: &u64| u128::from(*middle) >> 32 | u128::from(*high) << 32;
    [low(a, b), high(b, c), low(d, e), high(e, f)]
}

/// Verifies every instance of a modular builtin (C77, C79): instances of one circuit are consecutive, and
/// gates hold.
pub(in crate::vm::fast) fn verify_instances(
    memory: &VmMemory,
    interrupt_check: &mut InterruptCheck,
    segment: u64,
    builtin: Builtin,
) -> Result<(), Bailout> {
    let used = u64::try_from(memory.cells(segment).len()).map_err(|_| Bailout::Fault)?;
    let mut previous: Option<Instance> = None;
    for index in 0..used.div_ceil(INSTANCE_CELLS) {
        interrupt_check.advance(1)?;
        let instance = Instance::read(memory, (segment, index.saturating_mul(INSTANCE_CELLS)))?;
        if let Some(previous) = previous.filter(|previous| previous.remaining > 1) {
            let continues = previous.modulus.value() == instance.modulus.value()
                && previous.values == instance.values
                && plus(previous.gate, GATE_CELLS)? == instance.gate
                && previous.remaining.saturating_sub(1) == instance.remaining;
            if !continues {
                return Err(Bailout::Fault);
            }
        }
        let [a, b, c] = [instance.input(memory, 0)?, instance.input(memory, 1)?, instance.input(memory, 2)?];
        let modulus = &instance.modulus;
        let result = if builtin == Builtin::AddMod { modulus.add(&a, &b) } else { modulus.multiply(&a, &b) };
        if result != modulus.reduce(&c) {
            return Err(Bailout::Fault);
        }
        previous = Some(instance);
    }
    if previous.is_some_and(|last| last.remaining != 1) { Err(Bailout::Fault) } else { Ok(()) }
}

/// An instance of a modular builtin, which is one gate.
struct Instance {
    modulus: Modulus,
    values: Address,
    gate: Address,
    remaining: u64,
}

impl Instance {
    fn read(memory: &VmMemory, at: Address) -> Result<Self, Bailout> {
        let (segment, remaining) = plus(at, COUNT_OFFSET)?;
        let remaining = memory
            .read(segment, remaining)
            .as_u64()
            .filter(|remaining| *remaining > 0)
            .ok_or(Bailout::Fault)?;
        Ok(Self {
            modulus: Modulus::new(checked_value(memory, at)?).ok_or(Bailout::Fault)?,
            values: pointer(memory, plus(at, VALUES_OFFSET)?)?,
            gate: pointer(memory, plus(at, GATES_OFFSET)?)?,
            remaining,
        })
    }

    fn input(&self, memory: &VmMemory, index: u64) -> Result<U384, Bailout> {
        let (segment, offset) = plus(self.gate, index)?;
        let offset = memory.read(segment, offset).as_u64().ok_or(Bailout::Fault)?;
        checked_value(memory, plus(self.values, offset)?)
    }
}

/// Reads a value; a fault unless all words are known and in range.
fn checked_value(memory: &VmMemory, at: Address) -> Result<U384, Bailout> {
    match read_value(memory, at) {
        Ok(Some(value)) => Ok(value),
        Ok(None) | Err(_) => Err(Bailout::Fault),
    }
}

fn gate_address(gates: Address, number: u64) -> Result<Address, Bailout> {
    plus(gates, number.checked_mul(GATE_CELLS).ok_or(Bailout::Fault)?)
}

fn plus((segment, offset): Address, cells: u64) -> Result<Address, Bailout> {
    Ok((segment, offset.checked_add(cells).ok_or(Bailout::Fault)?))
}

fn pointer(memory: &VmMemory, (segment, offset): Address) -> Result<Address, Bailout> {
    memory.read(segment, offset).as_pointer().ok_or(Bailout::Fault)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A value whose last words have no address is a fault, not an unknown value.
    #[test]
    fn all_words_of_a_value_have_addresses() {
        let mut memory = VmMemory::new([].into());
        let segment = memory.add_segment(None, []);
        assert_eq!(read_value(&memory, (segment, u64::MAX - 3)), Ok(None));
        for start in [u64::MAX - 2, u64::MAX - 1, u64::MAX] {
            assert_eq!(read_value(&memory, (segment, start)), Err(Bailout::Fault), "{start}");
        }
    }
}
