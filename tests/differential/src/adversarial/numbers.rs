//! Numbers at the edges of ranges.
//!
//! Small ones, edges of ranges, points of curves, absurd ones. Nothing in between: with an offset of some
//! gigabytes code would make `cairo-vm` fill memory with as many empty cells, which tells nothing and takes
//! the machine down.

use starknet_types_core::felt::Felt;

use crate::generate::Random;

/// The largest small number.
const SMALL: u64 = 200;

/// Coordinates of points of the curve, and multiples of its generator.
const POINTS: [&str; 4] = [
    "0x1ef15c18599971b7beced415a40f0c7deacfd9b0d1819e03d723d8bc943cfca",
    "0x5668060aa49730b7be4801df46ec62de53ecd11abe43a32873000c36e8dc1f",
    "0x759ca09377679ecd535a81e83039658bf40959283187c654c5416f439403cf5",
    "0x6f524a3400e7708d5c01a28598ad272e7455aa88778b19f93b562d7a9646c41",
];

/// A number.
pub fn number(random: &mut Random) -> Felt {
    match random.below(16) {
        0..6 => Felt::from(random.below(12)),
        6 => Felt::from(random.below(SMALL)),
        7 => -Felt::from(1 + random.below(12)),
        8 => Felt::from(u128::MAX) + Felt::ONE - Felt::from(random.below(3)),
        9 => power_of_two(64) - Felt::from(random.below(3)),
        10 => power_of_two(random.between(60, 251)) - Felt::from(random.below(2)),
        11 => Felt::MAX - Felt::from(random.below(2)),
        12 => Felt::from_hex_unchecked(random.pick::<&str>(&POINTS)),
        13 => Felt::from(u64::MAX - random.below(1 << 40)),
        14 => Felt::from(u128::from(random.number()) << 64 | u128::from(random.number())),
        _ => random.felt() + power_of_two(random.between(200, 250)),
    }
}

/// A point of the curve.
pub fn point(random: &mut Random) -> [Felt; 2] {
    let first = 2 * random.below(POINTS.len() as u64 / 2) as usize;
    [POINTS[first], POINTS[first + 1]].map(Felt::from_hex_unchecked)
}

fn power_of_two(exponent: u64) -> Felt {
    Felt::TWO.pow(exponent)
}

/// The same offset, or one nearby, or a small one, or one at the edge of what fits.
pub fn offset(old: i64, random: &mut Random) -> i64 {
    match random.below(8) {
        0..4 => old + [-2, -1, 1, 2][random.below(4) as usize],
        4..7 => random.between(0, 24) as i64 - 12,
        _ => *random.pick(&[i64::from(i16::MIN), i64::from(i16::MAX), 0]),
    }
    .clamp(i64::from(i16::MIN), i64::from(i16::MAX))
}
