//! The Pedersen hash, by windows of eight bits.
//!
//! The hash is the x of a point: a fixed one, plus multiples of two fixed points for each of the two numbers (the low 248 bits times
//! one, the high four bits times the other). Multiples of each window are read from a table. Digits are signed, because a point and
//! its negative share their x: that halves the table.

use std::sync::OnceLock;

use starknet_types_core::hash::{Pedersen, StarkHash};

use super::curve::{Affine, Point, all_affine};
use super::montgomery::Element;
use crate::vm::fast::field::{Limbs, from_felt, to_felt};

/// Bytes of the low part of a number.
const WINDOWS: usize = 31;
/// Multiples of a window: signed digits go from -127 to 128.
const MULTIPLES: usize = 128;
/// What the high part can come to: four bits, and what the low part carries over.
const TOPS: usize = 32;

/// The point that sums begin with.
const START: [Limbs; 2] = [
    [0x551f_de40_50ca_6804, 0x716b_0b10_2294_7733, 0x00ee_1b87_eb59_9f16, 0x049e_e3eb_a8c1_6007],
    [0xd040_5d26_6e10_268a, 0x4e62_1062_c0e0_56c1, 0xf346_d49d_06ea_0ed3, 0x03ca_0cfe_4b3b_c6dd],
];

/// The points of the two numbers: for the low bits and for the high ones.
const POINTS: [[[Limbs; 2]; 2]; 2] = [
    [
        [
            [0x1080_d179_57eb_e47b, 0x8fa8_120b_6d56_eb0c, 0x969c_7486_55fc_a9e5, 0x0234_287d_cbaf_fe7f],
            [0x6ed0_268e_e89e_5615, 0x9401_35dd_7a6c_94cc, 0x1e88_9527_d41f_4e39, 0x03b0_56f1_00f9_6fb2],
        ],
        [
            [0xb7a6_932d_ba8a_a378, 0x9909_9ec1_de5e_3018, 0x3f9d_ab26_5655_8f33, 0x04fa_56f3_76c8_3db3],
            [0x5168_f4e8_0ff5_b54d, 0x5627_61f9_2a7a_23b4, 0x8113_e0c0_e47e_4401, 0x03fa_0984_c931_c9e3],
        ],
    ],
    [
        [
            [0x3aa3_72f0_bd2d_6997, 0x40c6_90c7_4709_e90f, 0x7649_10f7_5b45_f74b, 0x04ba_4cc1_66be_8dec],
            [0x4815_1f27_b24b_219c, 0xcac5_c59a_5ce5_ae7c, 0x4b97_1e46_c4ed_e85f, 0x0040_301c_f5c1_751f],
        ],
        [
            [0xd36f_f12c_49a5_8202, 0x2ca6_5048_d53f_b325, 0x6e44_cca8_f61a_63bb, 0x0543_02dc_b0e6_cc1c],
            [0x879d_cc77_e99c_2426, 0xce98_ad78_3c25_561a, 0xb348_0462_68d8_ae25, 0x01b7_7b3e_37d1_3504],
        ],
    ],
];

/// Multiples of the points of one number.
struct Table {
    /// `1..=MULTIPLES` times the point of each window.
    windows: Vec<Affine>,
    /// What the top comes to, from 1 on: the carry (bit 0) and the high part.
    tops: Vec<Affine>,
}

/// The hash.
pub(in crate::vm::fast) fn pedersen(a: &Limbs, b: &Limbs) -> Limbs {
    match sum(a, b) {
        Some(point) => point.x(),
        // Two points with one x met: nobody knows numbers where they do.
        None => from_felt(&Pedersen::hash(&to_felt(a), &to_felt(b))),
    }
}

fn sum(a: &Limbs, b: &Limbs) -> Option<Point> {
    let mut sum = Point::from(point(START));
    for (number, table) in [a, b].into_iter().zip(tables()) {
        let bytes = number.iter().flat_map(|limb| limb.to_le_bytes());
        let mut carry = 0_u16;
        let mut windows = table.windows.chunks_exact(MULTIPLES);
        let mut high = 0;
        for (window, byte) in bytes.enumerate() {
            if window == WINDOWS {
                high = usize::from(byte);
                break;
            }
            let multiples = windows.next()?;
            let digit = u16::from(byte).wrapping_add(carry);
            carry = u16::from(digit > 128);
            let (size, is_negative) =
                if carry == 1 { (256_u16.wrapping_sub(digit), true) } else { (digit, false) };
            let Some(index) = usize::from(size).checked_sub(1) else { continue };
            let multiple = multiples.get(index)?;
            let multiple = if is_negative { Affine { y: -multiple.y, ..*multiple } } else { *multiple };
            sum = sum.add_affine(&multiple)?;
        }
        let top = high << 1 | usize::from(carry);
        if let Some(index) = top.checked_sub(1) {
            sum = sum.add_affine(table.tops.get(index)?)?;
        }
    }
    Some(sum)
}

fn point([x, y]: [Limbs; 2]) -> Affine {
    Affine { x: Element::new(&x), y: Element::new(&y) }
}

fn tables() -> &'static [Table; 2] {
    static TABLES: OnceLock<[Table; 2]> = OnceLock::new();
    TABLES.get_or_init(|| POINTS.map(|[low, high]| table(point(low), point(high)).unwrap_or(EMPTY)))
}

/// Without entries every hash is left to the library. Points and their multiples differ, so this is not used.
const EMPTY: Table = Table { windows: Vec::new(), tops: Vec::new() };

fn table(low: Affine, high: Affine) -> Option<Table> {
    let mut windows = Vec::with_capacity(WINDOWS.saturating_mul(MULTIPLES));
    let mut base = low;
    for _ in 0..WINDOWS {
        let multiples = all_affine(&multiples(base, MULTIPLES)?);
        base = multiples.last()?.double().affine();
        windows.extend(multiples);
    }
    // `base` is what the low part carries over. The top is the carry plus up to 15 times the high point.
    let highs = all_affine(&multiples(high, TOPS / 2 - 1)?);
    let mut tops = Vec::with_capacity(TOPS);
    for high in std::iter::once(None).chain(highs.into_iter().map(Some)) {
        if let Some(high) = high {
            tops.push(Point::from(high));
            tops.push(Point::from(high).add_affine(&base)?);
        } else {
            tops.push(Point::from(base));
        }
    }
    Some(Table { windows, tops: all_affine(&tops) })
}

/// `1..=count` times a point.
fn multiples(base: Affine, count: usize) -> Option<Vec<Point>> {
    let mut multiples = vec![Point::from(base), base.double()];
    while multiples.len() < count {
        let next = multiples.last()?.add_affine(&base)?;
        multiples.push(next);
    }
    Some(multiples)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use starknet_types_core::felt::Felt;

    use super::*;

    fn check(a: Felt, b: Felt) {
        let (x, y) = (from_felt(&a), from_felt(&b));
        assert!(sum(&x, &y).is_some());
        assert_eq!(to_felt(&pedersen(&x, &y)), Pedersen::hash(&a, &b), "{a:#x} {b:#x}");
    }

    #[test]
    fn edges_of_windows() {
        let powers = (0..252).map(|bit| Felt::TWO.pow(bit as u128));
        for power in powers {
            check(power, power - Felt::ONE);
            check(power - Felt::ONE, power * Felt::from(129) - Felt::TWO);
            check(power + power.double(), Felt::ZERO);
        }
        for felt in [Felt::ZERO, Felt::ONE, Felt::MAX, Felt::MAX - Felt::ONE] {
            check(felt, felt);
            check(felt, Felt::from(128));
        }
    }

    proptest! {
        #[test]
        fn it_is_the_hash(a in any::<[u8; 32]>(), b in any::<[u8; 32]>()) {
            check(Felt::from_bytes_be(&a), Felt::from_bytes_be(&b));
        }
    }
}
