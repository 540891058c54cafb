//! Builtins: values that memory computes by itself, and the checks that nothing else was written there.
//!
//! Range checks are made when a cell is written (`memory`). The others compute a cell when an instruction reads it. What the program
//! wrote into such a cell by itself is compared at the end.

use super::Bailout;
use super::cell::VmCell;
use super::machine::InterruptCheck;
use super::segments::Segments;
use crate::crypto::{Point, ec_op, pedersen_cached, poseidon};
use crate::protocol::Builtin;

/// What computing an output counts as, in items.
const COMPUTED_ITEMS: usize = 100;

/// Cells of an instance, and how many of them are inputs.
pub(super) fn instance_cells(builtin: Builtin) -> (u64, u64) {
    match builtin {
        Builtin::Pedersen => (3, 2),
        Builtin::Bitwise => (5, 2),
        Builtin::EcOp => (7, 5),
        Builtin::Poseidon => (6, 3),
        Builtin::SegmentArena => (3, 3),
        Builtin::AddMod | Builtin::MulMod => (7, 7),
        Builtin::Ecdsa => (2, 2),
        // One cell, which is what is checked; the rest no frame has.
        _ => (1, 1),
    }
}

/// Reads an unknown cell that its builtin may have a value for, which is in it from then on; `None` when it has none (yet).
pub(super) fn read_computed(
    segments: &mut Segments,
    segment: u64,
    offset: u64,
) -> Result<Option<VmCell>, Bailout> {
    let computed = deduce(segments, segment, offset)?;
    if let Some(value) = computed {
        segments.write_deduced(segment, offset, value)?;
    }
    Ok(computed)
}

/// The value that a builtin gives an unknown cell; `None` when it has none (yet).
fn deduce(segments: &mut Segments, segment: u64, offset: u64) -> Result<Option<VmCell>, Bailout> {
    let Some(builtin) = segments.builtin(segment) else { return Ok(None) };
    let (cells, inputs) = instance_cells(builtin);
    let index = offset.checked_rem(cells).unwrap_or(0);
    let Some(output) = index.checked_sub(inputs) else { return Ok(None) };
    let start = offset.saturating_sub(index);
    let input = |place: u64| segments.read(segment, start.saturating_add(place));
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
                    for (value, place) in values.iter_mut().zip(0..inputs) {
                        let cell = input(place);
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
                    segments.keep_computed(segment, start, outputs);
                    outputs
                }
            };
            Ok(usize::try_from(output).ok().and_then(|output| outputs.get(output).copied()))
        }
        _ => Ok(None),
    }
}

/// And, xor, or of two numbers below 2^251.
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

/// The checks at the end of a frame on the segment of a builtin: inputs are there, outputs are right (C77).
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
        if (0..inputs).any(|place| !segments.read(segment, start.saturating_add(place)).is_known()) {
            return Err(Bailout::Fault);
        }
        let outputs = (inputs..cells).map(|place| start.saturating_add(place));
        // The curve operation can fail, so it is made even where nobody looks at its result.
        let is_made = outputs.clone().any(|output| segments.read(segment, output).is_deduced());
        let may_fail = matches!(builtin, Builtin::EcOp | Builtin::Bitwise | Builtin::Poseidon);
        for output in outputs {
            let cell = segments.read(segment, output);
            if cell.is_deduced() || (!cell.is_known() && (is_made || !may_fail)) {
                continue;
            }
            // A hash or a curve operation: as long as some hundred steps.
            interrupt_check.advance(COMPUTED_ITEMS)?;
            let deduced = deduce(segments, segment, output)?;
            if cell.is_known() && deduced.is_some_and(|value| !value.same(&cell)) {
                return Err(Bailout::Fault);
            }
        }
    }
    Ok(())
}

/// Instances of a builtin in a segment of `used` cells.
pub(super) fn used_instances(builtin: Builtin, used: u64) -> u64 {
    let used = if builtin == Builtin::SegmentArena { used.saturating_sub(3) } else { used };
    used.div_ceil(instance_cells(builtin).0)
}

/// Cells of these instances, the last one whole.
pub(super) fn used_instance_cells(builtin: Builtin, used: u64) -> u64 {
    used_instances(builtin, used).saturating_mul(instance_cells(builtin).0)
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
    fn cells_are_computed() {
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
    fn what_the_program_wrote_is_compared_at_the_end() {
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
