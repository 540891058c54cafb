//! Builtins: the deduction of output cells, and the verification of cells that the program wrote itself.
//!
//! Range checks are made when a cell is written (`segments`). The other builtins deduce an output cell when
//! an instruction reads it. Output cells that the program wrote itself are verified at the end of the frame.

use super::Bailout;
use super::builtin_layout::instance_cells;
use super::cell::VmCell;
use super::interrupt::InterruptCheck;
use super::segments::Segments;
use crate::crypto::{Point, ec_op, pedersen_cached, poseidon};
use crate::protocol::Builtin;

/// The work of deducing an output, in items of the interrupt check: a hash or a curve operation takes as long
/// as some hundred steps.
const DEDUCTION_ITEMS: usize = 100;

/// Deduces the value of an unknown cell and writes it. `None` if the builtin does not determine the cell, or
/// inputs are missing.
pub(super) fn deduce_cell(
    segments: &mut Segments,
    segment: u64,
    offset: u64,
) -> Result<Option<VmCell>, Bailout> {
    let deduced = deduce(segments, segment, offset)?;
    if let Some(value) = deduced {
        segments.write_deduced(segment, offset, value)?;
    }
    Ok(deduced)
}

/// The value of an unknown cell according to its builtin. `None` if the builtin does not determine the cell,
/// or inputs are missing.
fn deduce(segments: &mut Segments, segment: u64, offset: u64) -> Result<Option<VmCell>, Bailout> {
    let Some(builtin) = segments.builtin(segment) else { return Ok(None) };
    let (cells, inputs) = instance_cells(builtin);
    let index = offset.checked_rem(cells).unwrap_or(0);
    let Some(output) = index.checked_sub(inputs) else { return Ok(None) };
    let start = offset.saturating_sub(index);
    let input = |index: u64| segments.read(segment, start.saturating_add(index));
    match builtin {
        Builtin::Pedersen => {
            let (Some(a), Some(b)) = (input(0).as_number(), input(1).as_number()) else { return Ok(None) };
            Ok(Some(VmCell::number(pedersen_cached(&a, &b))))
        }
        Builtin::Bitwise => bitwise(input(0), input(1), output),
        Builtin::Poseidon | Builtin::EcOp => {
            let outputs = match segments.computed(segment, start) {
                Some(outputs) => outputs,
                None => {
                    let mut values = [[0; 4]; 5];
                    for (value, index) in values.iter_mut().zip(0..inputs) {
                        let cell = input(index);
                        if !cell.is_known() {
                            return Ok(None);
                        }
                        *value = cell.as_number().ok_or(Bailout::Fault)?;
                    }
                    let [a, b, c, d, e] = values;
                    let outputs = match builtin {
                        Builtin::Poseidon => poseidon(&[a, b, c]).map(VmCell::number),
                        _ => {
                            let (p, q) = (Point::from_limbs(&a, &b), Point::from_limbs(&c, &d));
                            let sum = ec_op(&p, &q, &e).map_err(|_| Bailout::Fault)?;
                            [
                                VmCell::number(sum.x.to_limbs()),
                                VmCell::number(sum.y.to_limbs()),
                                VmCell::EMPTY,
                            ]
                        }
                    };
                    segments.cache_computed(segment, start, outputs);
                    outputs
                }
            };
            Ok(usize::try_from(output).ok().and_then(|output| outputs.get(output).copied()))
        }
        _ => Ok(None),
    }
}

/// The bitwise and, xor, or (output 0, 1, 2) of two numbers below 2^251.
fn bitwise(x: VmCell, y: VmCell, output: u64) -> Result<Option<VmCell>, Bailout> {
    let (Some(x), Some(y)) = (x.as_number(), y.as_number()) else { return Ok(None) };
    if (x[3] | y[3]) >> 59 != 0 {
        return Err(Bailout::Fault);
    }
    let ([x0, x1, x2, x3], [y0, y1, y2, y3]) = (x, y);
    Ok(match output {
        0 => Some(VmCell::number([x0 & y0, x1 & y1, x2 & y2, x3 & y3])),
        1 => Some(VmCell::number([x0 ^ y0, x1 ^ y1, x2 ^ y2, x3 ^ y3])),
        2 => Some(VmCell::number([x0 | y0, x1 | y1, x2 | y2, x3 | y3])),
        _ => None,
    })
}

/// Verifies the segment of a builtin at the end of a frame: inputs are known, outputs are right (C77).
pub(super) fn verify(
    segments: &mut Segments,
    interrupt_check: &mut InterruptCheck,
    segment: u64,
    builtin: Builtin,
) -> Result<(), Bailout> {
    if builtin == Builtin::SegmentArena {
        return Ok(());
    }
    let (cells, inputs) = instance_cells(builtin);
    if cells == 1 {
        let is_whole = segments.cells(segment).iter().all(VmCell::is_known);
        return if is_whole { Ok(()) } else { Err(Bailout::Fault) };
    }
    let used = u64::try_from(segments.cells(segment).len()).map_err(|_| Bailout::Fault)?;
    for start in (0..used).step_by(usize::try_from(cells).map_err(|_| Bailout::Fault)?) {
        if (0..inputs).any(|index| !segments.read(segment, start.saturating_add(index)).is_known()) {
            return Err(Bailout::Fault);
        }
        let outputs = (inputs..cells).map(|index| start.saturating_add(index));
        // Deductions that can fail are made even if the program did not read any output.
        let is_deduced = outputs.clone().any(|output| segments.read(segment, output).is_deduced());
        let may_fail = matches!(builtin, Builtin::EcOp | Builtin::Bitwise | Builtin::Poseidon);
        for output in outputs {
            let cell = segments.read(segment, output);
            if cell.is_deduced() || (!cell.is_known() && (is_deduced || !may_fail)) {
                continue;
            }
            interrupt_check.advance(DEDUCTION_ITEMS)?;
            let deduced = deduce(segments, segment, output)?;
            if cell.is_known() && deduced.is_some_and(|value| !value.same(&cell)) {
                return Err(Bailout::Fault);
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use starknet_types_core::felt::Felt;
    use starknet_types_core::hash::{Pedersen, Poseidon, StarkHash};

    use super::*;

    fn memory(builtin: Builtin, inputs: &[u64]) -> (Segments, u64) {
        let mut segments = Segments::new(Vec::new());
        segments.add(Some(builtin), inputs.iter().map(|input| VmCell::small(*input)));
        (segments, 2)
    }

    #[test]
    fn outputs_are_deduced() {
        let (mut hashes, segment) = memory(Builtin::Pedersen, &[1, 2]);
        let hash = Pedersen::hash(&Felt::ONE, &Felt::TWO);
        assert_eq!(deduce(&mut hashes, segment, 2).unwrap().unwrap().as_felt(), Some(hash));
        assert!(deduce(&mut hashes, segment, 1).unwrap().is_none());
        assert!(deduce(&mut hashes, segment, 5).unwrap().is_none());

        let (mut bits, segment) = memory(Builtin::Bitwise, &[12, 10]);
        let outputs = [2, 3, 4].map(|at| deduce(&mut bits, segment, at).unwrap().unwrap().as_u64().unwrap());
        assert_eq!(outputs, [8, 6, 14]);

        let (mut sponge, segment) = memory(Builtin::Poseidon, &[1, 2, 3]);
        let mut state = [1, 2, 3].map(Felt::from);
        Poseidon::hades_permutation(&mut state);
        let outputs =
            [3, 4, 5].map(|at| deduce(&mut sponge, segment, at).unwrap().unwrap().as_felt().unwrap());
        assert_eq!(outputs, state);
    }

    #[test]
    fn cells_that_the_program_wrote_are_verified_at_the_end() {
        let check = |builtin, cells: &[u64]| {
            let (mut memory, segment) = memory(builtin, cells);
            verify(&mut memory, &mut InterruptCheck::default(), segment, builtin)
        };
        assert_eq!(check(Builtin::Bitwise, &[12, 10, 8, 6, 14]), Ok(()));
        assert_eq!(check(Builtin::Bitwise, &[12, 10, 8, 7, 14]), Err(Bailout::Fault));
        assert_eq!(check(Builtin::Bitwise, &[12]), Err(Bailout::Fault));
        assert_eq!(check(Builtin::Pedersen, &[1, 2]), Ok(()));
        assert_eq!(check(Builtin::Pedersen, &[1, 2, 3]), Err(Bailout::Fault));
        // Two points that are not on the curve.
        assert_eq!(check(Builtin::EcOp, &[1, 2, 3, 4, 5]), Err(Bailout::Fault));
        assert_eq!(check(Builtin::AddMod, &[1, 2, 3]), Err(Bailout::Fault));
    }
}
