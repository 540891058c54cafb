//! Cairo 0 hints of the `cairo_keccak` library, whose rounds the program proves at its end.

use cairo_vm::hint_processor::builtin_hint_processor::hint_code;

use super::variable::{HintSymbols, Variable};
use crate::vm::fast::Bailout;
use crate::vm::fast::cell::VmCell;
use crate::vm::fast::machine::Machine;
use crate::vm::fast::number::field::{Limbs, as_u64, from_u64, is_less};
use crate::vm::fast::number::integer::div_rem;

/// The effect of a hint.
#[derive(Clone, Debug)]
pub(in crate::vm::fast) enum KeccakAction {
    /// Writes the four 64-bit words of a number given in two halves.
    WriteArgs { low: Variable, high: Variable, inputs: Variable },
    /// Writes whether the number of bytes is below a constant.
    IsLess(Variable, Limbs),
    /// Writes whether the number of bytes is at least a constant.
    IsAtLeast(Variable, Limbs),
    /// Writes the permutation of the state that ends at the pointer.
    PermuteBefore(Variable),
    /// Writes the permutation of a state.
    Permute { state: Variable, output: Variable },
    /// Pads with a number of permutations of the zero state.
    Finalize(Variable, u8),
}

/// Words of a keccak state.
const STATE_WORDS: usize = 25;

const BYTES_IN_WORD: &str = "starkware.cairo.common.cairo_keccak.keccak.BYTES_IN_WORD";
/// The rate constants; the first one that a program has applies.
const RATES: [&str; 2] = [
    "starkware.cairo.common.cairo_keccak.keccak.KECCAK_FULL_RATE_IN_BYTES",
    "starkware.cairo.common.builtin_keccak.keccak.KECCAK_FULL_RATE_IN_BYTES",
];
const STATE_SIZE: &str = "starkware.cairo.common.cairo_keccak.keccak.KECCAK_STATE_SIZE_FELTS";
const BLOCK_SIZE: &str = "starkware.cairo.common.cairo_keccak.packed_keccak.BLOCK_SIZE";

impl KeccakAction {
    /// The action of a hint with this code; `None` if it is not in this family or its constants are unusual.
    pub(super) fn new(code: &str, symbols: &HintSymbols<'_>) -> Option<Self> {
        let variable = |name: &str| symbols.variable(name);
        let has_keccak_state =
            || (symbols.constant(STATE_SIZE)? == from_u64(STATE_WORDS as u64)).then_some(());
        Some(match code {
            hint_code::KECCAK_WRITE_ARGS => Self::WriteArgs {
                low: variable("low")?,
                high: variable("high")?,
                inputs: variable("inputs")?,
            },
            hint_code::COMPARE_BYTES_IN_WORD_NONDET => {
                Self::IsLess(variable("n_bytes")?, symbols.constant(BYTES_IN_WORD)?)
            }
            hint_code::COMPARE_KECCAK_FULL_RATE_IN_BYTES_NONDET => {
                let rate = RATES.into_iter().find_map(|name| symbols.constant(name))?;
                Self::IsAtLeast(variable("n_bytes")?, rate)
            }
            hint_code::BLOCK_PERMUTATION | hint_code::BLOCK_PERMUTATION_WHITELIST_V1 => {
                has_keccak_state()?;
                Self::PermuteBefore(variable("keccak_ptr")?)
            }
            hint_code::BLOCK_PERMUTATION_WHITELIST_V2 => {
                has_keccak_state()?;
                Self::Permute { state: variable("keccak_ptr_start")?, output: variable("output")? }
            }
            hint_code::CAIRO_KECCAK_FINALIZE_V1 | hint_code::CAIRO_KECCAK_FINALIZE_V2 => {
                has_keccak_state()?;
                // Larger blocks are left to `cairo-vm`.
                let blocks = u8::try_from(as_u64(&symbols.constant(BLOCK_SIZE)?)?).ok()?;
                (1..10).contains(&blocks).then_some(())?;
                Self::Finalize(variable("keccak_ptr_end")?, blocks)
            }
            _ => return None,
        })
    }
}

impl Machine {
    /// Runs a hint.
    pub(super) fn run_keccak_hint(&mut self, action: &KeccakAction) -> Result<(), Bailout> {
        match action {
            KeccakAction::WriteArgs { low, high, inputs } => {
                let at = self.pointer(inputs)?;
                let halves = |number: &Limbs| div_rem(number, &[0, 1, 0, 0]).ok_or(Bailout::Fault);
                let (second, first) = halves(&self.limbs(low)?)?;
                let (fourth, third) = halves(&self.limbs(high)?)?;
                self.write_from(at, [first, second, third, fourth])
            }
            KeccakAction::IsLess(bytes, bound) => {
                let is_less = is_less(&self.limbs(bytes)?, bound);
                self.put_at_ap(is_less)
            }
            KeccakAction::IsAtLeast(bytes, bound) => {
                let is_less = is_less(&self.limbs(bytes)?, bound);
                self.put_at_ap(!is_less)
            }
            KeccakAction::PermuteBefore(end) => {
                let (segment, end) = self.pointer(end)?;
                let start = end.checked_sub(STATE_WORDS as u64).ok_or(Bailout::Fault)?;
                self.permute((segment, start), (segment, end))
            }
            KeccakAction::Permute { state, output } => {
                let (state, output) = (self.pointer(state)?, self.pointer(output)?);
                self.permute(state, output)
            }
            KeccakAction::Finalize(end, blocks) => {
                let at = self.pointer(end)?;
                let mut state = [0; STATE_WORDS];
                keccak::f1600(&mut state);
                let block = || [0; STATE_WORDS].into_iter().chain(state).map(from_u64);
                self.write_from(at, (0..*blocks).flat_map(|_| block()))
            }
        }
    }

    fn permute(&mut self, (segment, start): (u64, u64), output: (u64, u64)) -> Result<(), Bailout> {
        let mut state = [0; STATE_WORDS];
        for (word, offset) in state.iter_mut().zip(start..=u64::MAX) {
            *word = as_u64(&self.read_number(segment, offset)?).ok_or(Bailout::Fault)?;
        }
        keccak::f1600(&mut state);
        self.write_from(output, state.map(from_u64))
    }

    fn write_from(
        &mut self,
        (segment, start): (u64, u64),
        numbers: impl IntoIterator<Item = Limbs>,
    ) -> Result<(), Bailout> {
        for (number, cells) in numbers.into_iter().zip(0..) {
            let offset = start.checked_add(cells).ok_or(Bailout::Fault)?;
            self.memory.write(segment, offset, VmCell::number(number))?;
        }
        Ok(())
    }
}
