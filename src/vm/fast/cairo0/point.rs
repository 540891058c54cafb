//! Cairo 0 hints that choose curve points: by an x coordinate, or pseudorandomly by a hash of the inputs of a
//! computation.

use cairo_vm::hint_processor::builtin_hint_processor::hint_code;
use sha2::{Digest, Sha256};

use super::variable::{HintSymbols, Variable};
use crate::crypto::{Element, Point};
use crate::vm::fast::Bailout;
use crate::vm::fast::machine::Machine;
use crate::vm::fast::number::field::{Limbs, to_felt};

/// The effect of a hint.
#[derive(Clone, Debug)]
pub(in crate::vm::fast) enum PointAction {
    /// Writes the point with an x coordinate.
    RecoverY { x: Variable, point: Variable },
    /// Writes a pseudorandom point at which the computation of `p + m * q` starts.
    Random { p: Variable, m: Variable, q: Variable, start: Variable },
    /// Writes a pseudorandom point at which the computation of `p` plus a sum of products starts.
    RandomChained { length: Variable, p: Variable, m: Variable, q: Variable, start: Variable },
}

/// The number of x coordinates that are tried.
const ATTEMPTS: u8 = 100;

impl PointAction {
    /// The action of a hint with this code; `None` if it is not in this family.
    pub(super) fn new(code: &str, symbols: &HintSymbols<'_>) -> Option<Self> {
        let variable = |name: &str| symbols.variable(name);
        Some(match code {
            hint_code::RECOVER_Y => Self::RecoverY { x: variable("x")?, point: variable("p")? },
            hint_code::RANDOM_EC_POINT => Self::Random {
                p: variable("p")?,
                m: variable("m")?,
                q: variable("q")?,
                start: variable("s")?,
            },
            hint_code::CHAINED_EC_OP_RANDOM_EC_POINT => Self::RandomChained {
                length: variable("len")?,
                p: variable("p")?,
                m: variable("m")?,
                q: variable("q")?,
                start: variable("s")?,
            },
            _ => return None,
        })
    }
}

impl Machine {
    /// Runs a hint.
    pub(super) fn run_point_hint(&mut self, action: &PointAction) -> Result<(), Bailout> {
        match action {
            PointAction::RecoverY { x, point: at } => {
                let x = self.limbs(x)?;
                let point = Point::from_x(&Element::from_limbs(&x)).ok_or(Bailout::Fault)?;
                self.put_all(at, &[x, point.y.to_limbs()])
            }
            PointAction::Random { p, m, q, start } => {
                let (p, q): ([_; 2], [_; 2]) = (self.members(p)?, self.members(q)?);
                let [[p_x, p_y], [q_x, q_y]] = [p, q];
                let mut seed = PointSeed::default();
                [p_x, p_y, self.limbs(m)?, q_x, q_y].iter().for_each(|number| seed.update(number));
                self.put_random_point(start, seed)
            }
            PointAction::RandomChained { length, p, m, q, start } => {
                let length = self.variable_u64(length)?;
                if length == 0 {
                    return Err(Bailout::Fault);
                }
                let mut seed = PointSeed::default();
                self.members::<2>(p)?.iter().for_each(|number| seed.update(number));
                let n_coordinates = length.checked_mul(2).ok_or(Bailout::Unsupported)?;
                for ((segment, start), count) in
                    [(self.pointer(m)?, length), (self.pointer(q)?, n_coordinates)]
                {
                    for cells in 0..count {
                        self.interrupt_check.advance(1)?;
                        seed.update(
                            &self.read_number(segment, start.checked_add(cells).ok_or(Bailout::Fault)?)?,
                        );
                    }
                }
                self.put_random_point(start, seed)
            }
        }
    }

    fn put_random_point(&mut self, at: &Variable, seed: PointSeed) -> Result<(), Bailout> {
        let point = seed.point().ok_or(Bailout::Fault)?;
        self.put_all(at, &[point.x.to_limbs(), point.y.to_limbs()])
    }
}

/// The SHA-256 seed of a pseudorandom point: all inputs of the computation, so that code cannot choose the
/// point.
#[derive(Default)]
struct PointSeed(Sha256);

impl PointSeed {
    fn update(&mut self, number: &Limbs) {
        self.0.update(to_felt(number).to_bytes_be());
    }

    /// The first point whose x coordinate is a hash of the seed and a counter.
    fn point(self) -> Option<Point> {
        let seed = self.0.finalize();
        let (sign, base) = seed.split_first()?;
        let mut attempts = (0..ATTEMPTS).filter_map(|attempt| {
            let number = [attempt, 0, 0, 0, 0, 0, 0, 0, 0, 0];
            let hash = Sha256::new().chain_update(base).chain_update(number).finalize();
            let mut limbs: Limbs = [0; 4];
            for (limb, bytes) in limbs.iter_mut().rev().zip(hash.chunks(8)) {
                *limb = bytes.iter().fold(0, |limb, byte| limb << 8 | u64::from(*byte));
            }
            Point::from_x(&Element::from_limbs(&limbs))
        });
        attempts
            .next()
            .map(|point| if sign & 1 == 1 { Point { x: point.x, y: point.y.negated() } } else { point })
    }
}
