//! Recipes for calls right at the edges: of curves, of hashes, of the limits on events, of the depth of
//! calls.
//!
//! Input: random numbers. Output: calls. Many fail; that is meant.

use starknet_types_core::felt::Felt;

use super::at;
use super::calls::CallRecipe;
use super::draft::{Call, call, selector, span};
use super::random::Random;

fn felt(value: impl Into<Felt>) -> Felt {
    value.into()
}

/// A 256-bit number in two halves: high, low.
type Wide = (u128, u128);

/// A curve: its name, field modulus, order, generator.
struct Curve {
    name: &'static str,
    modulus: Wide,
    order: Wide,
    x: Wide,
    y: Wide,
}

const CURVES: [Curve; 2] = [
    Curve {
        name: "secp256k1",
        modulus: (u128::MAX, 0xffff_ffff_ffff_ffff_ffff_fffe_ffff_fc2f),
        order: (0xffff_ffff_ffff_ffff_ffff_ffff_ffff_fffe, 0xbaae_dce6_af48_a03b_bfd2_5e8c_d036_4141),
        x: (0x79be_667e_f9dc_bbac_55a0_6295_ce87_0b07, 0x029b_fcdb_2dce_28d9_59f2_815b_16f8_1798),
        y: (0x483a_da77_26a3_c465_5da4_fbfc_0e11_08a8, 0xfd17_b448_a685_5419_9c47_d08f_fb10_d4b8),
    },
    Curve {
        name: "secp256r1",
        modulus: (0xffff_ffff_0000_0001_0000_0000_0000_0000, 0x0000_0000_ffff_ffff_ffff_ffff_ffff_ffff),
        order: (0xffff_ffff_0000_0000_ffff_ffff_ffff_ffff, 0xbce6_faad_a717_9e84_f3b9_cac2_fc63_2551),
        x: (0x6b17_d1f2_e12c_4247_f8bc_e6e5_63a4_40f2, 0x7703_7d81_2deb_33a0_f4a1_3945_d898_c296),
        y: (0x4fe3_42e2_fe1a_7f9b_8ee7_eb4a_7c0f_9e16, 0x2bce_3357_6b31_5ece_cbb6_4068_37bf_51f5),
    },
];

fn halves((high, low): Wide) -> Vec<Felt> {
    vec![felt(low), felt(high)]
}

/// A little more or less; may wrap around in the lower half.
fn near((high, low): Wide, random: &mut Random) -> Wide {
    match random.below(3) {
        0 => (high, low.wrapping_sub(1)),
        1 => (high, low),
        _ => (high, low.wrapping_add(1)),
    }
}

fn edge(curve: &Curve, random: &mut Random) -> Wide {
    match random.below(8) {
        0 => (0, 0),
        1 => (0, 1),
        2 => near(curve.modulus, random),
        3 => near(curve.order, random),
        4 => (u128::MAX, u128::MAX),
        5 => near(curve.x, random),
        6 => (1 << 127, 0),
        _ => (random.number().into(), random.number().into()),
    }
}

fn curve(random: &mut Random) -> &'static Curve {
    &CURVES[random.below(2) as usize]
}

/// The negative of a coordinate, for halves that do not borrow wrongly.
fn negative(modulus: Wide, value: Wide) -> Wide {
    let (low, borrow) = modulus.1.overflowing_sub(value.1);
    (modulus.0 - value.0 - u128::from(borrow), low)
}

fn on(curve: &Curve, name: &str, calldata: &[Vec<Felt>]) -> Vec<Call> {
    vec![call(at::SYSCALLS, &format!("{}_{name}", curve.name), calldata.concat())]
}

/// Calls at edges.
pub const EDGES: &[CallRecipe] = &[
    ("new point", |_, random| {
        let curve = curve(random);
        let (x, y) = match random.below(4) {
            0 => (curve.x, negative(curve.modulus, curve.y)),
            1 => (curve.x, near(curve.y, random)),
            _ => (edge(curve, random), edge(curve, random)),
        };
        on(curve, "new", &[halves(x), halves(y)])
    }),
    ("point from x", |_, random| {
        let curve = curve(random);
        on(curve, "point_from_x", &[halves(edge(curve, random)), vec![felt(random.below(2))]])
    }),
    ("multiple of a point", |_, random| {
        let curve = curve(random);
        on(curve, "mul", &[halves(curve.x), halves(curve.y), halves(edge(curve, random))])
    }),
    ("sum of points", |_, random| {
        let curve = curve(random);
        let y = match random.below(3) {
            0 => curve.y,
            1 => negative(curve.modulus, curve.y),
            _ => edge(curve, random),
        };
        on(curve, "add", &[halves(curve.x), halves(curve.y), halves(curve.x), halves(y)])
    }),
    ("coordinates", |_, random| {
        let curve = curve(random);
        let (x, y) =
            if random.once_in(3) { ((0, 0), (0, 0)) } else { (curve.x, negative(curve.modulus, curve.y)) };
        on(curve, "get_xy", &[halves(x), halves(y)])
    }),
    ("recovered key", |_, random| {
        let curve = curve(random);
        let parts = [edge(curve, random), edge(curve, random), edge(curve, random)].map(halves).concat();
        on(curve, "recover", &[parts, vec![felt(random.below(2))]])
    }),
    ("verified signature", |_, random| {
        let curve = curve(random);
        let parts = [edge(curve, random), edge(curve, random), edge(curve, random)].map(halves).concat();
        on(curve, "verify", &[parts, halves(curve.x), halves(curve.y)])
    }),
    ("keccak", |_, random| {
        let count = *random.pick(&[0, 16, 17, 18, 33, 34, 35, 170]);
        let words: Vec<Felt> =
            (0..count).map(|_| felt(if random.once_in(4) { u64::MAX } else { random.number() })).collect();
        vec![call(at::SYSCALLS, random.pick::<&str>(&["keccak", "try_keccak"]), span(&words))]
    }),
    ("sha256", |_, random| {
        let count = *random.pick(&[0, 12, 13, 14, 15, 16, 29, 30]);
        let words = vec![felt(u32::MAX); count];
        let last = [felt(random.number() >> 40), felt(random.below(5))];
        vec![call(at::SYSCALLS, "sha256", [span(&words), last.to_vec()].concat())]
    }),
    ("sha256 of one block", |_, random| {
        let words = |length: usize, random: &mut Random| {
            let word = if random.once_in(2) { u32::MAX } else { random.below(2) as u32 };
            span(&vec![felt(word); length])
        };
        // A list that is too short or too long never reaches the syscall.
        let length = if random.once_in(5) { 15 } else { 16 };
        let calldata = [words(8, random), words(length, random)].concat();
        vec![call(at::SYSCALLS, "sha256_block", calldata)]
    }),
    ("as many events as there may be", |_, random| {
        let count = felt(random.between(998, 1002));
        vec![call(at::SYSCALLS, "emit_events", [vec![count], span(&[Felt::ONE]), span(&[])].concat())]
    }),
    ("as many events as there may be, in two calls", |_, random| {
        let some = random.between(1, 999);
        let events = |count: u64| [vec![felt(count)], span(&[]), span(&[])].concat();
        let rest = random.between(999, 1001) - some;
        vec![call(at::SYSCALLS, "emit_events", events(some)), call(at::SYSCALLS, "emit_events", events(rest))]
    }),
    ("events, some of them dropped", |_, random| {
        let events = |count: u64| [vec![felt(count)], span(&[]), span(&[])].concat();
        let dropped = [felt(at::CALLER), selector("call_then_panic")];
        let target = [felt(at::SYSCALLS), selector("emit_events")];
        let inner = [target.to_vec(), span(&events(random.between(1, 900))), vec![felt(7_u64)]].concat();
        vec![
            call(at::CALLER, "call_and_catch", [dropped.to_vec(), span(&inner)].concat()),
            call(at::SYSCALLS, "emit_events", events(random.between(990, 1001))),
        ]
    }),
    ("an event as large as may be", |_, random| {
        let keys = *random.pick(&[0, 49, 50, 51]);
        let data = *random.pick(&[0, 299, 300, 301]);
        vec![call(at::SYSCALLS, "emit_sized", vec![felt(keys), felt(data)])]
    }),
    ("a long message", |_, random| {
        let payload = vec![Felt::ONE; random.below(400) as usize];
        let to = match random.below(4) {
            0 => felt(1_u64) * felt(1_u128 << 80) * felt(1_u128 << 80) - Felt::ONE,
            1 => felt(1_u64) * felt(1_u128 << 80) * felt(1_u128 << 80),
            _ => felt(random.number()),
        };
        vec![call(at::SYSCALLS, "send_message", [vec![to], span(&payload)].concat())]
    }),
    ("as deep as may be", |_, random| {
        let caller = *random.pick(&[at::CALLER, at::CALLER, at::CALLER_STEPS]);
        vec![call(caller, "recurse", vec![felt(random.between(46, 52)), Felt::ZERO])]
    }),
    ("as deep as may be, caught", |_, random| {
        let parts = [felt(at::CALLER), selector("recurse")];
        let inner = span(&[felt(random.between(44, 51)), Felt::ZERO]);
        vec![call(at::CALLER, "call_and_catch", [parts.to_vec(), inner].concat())]
    }),
    ("storage at the border", |_, random| {
        let top = felt(1_u128 << 125) * felt(1_u128 << 126);
        let cell = match random.below(4) {
            0 => top - Felt::ONE,
            1 => top,
            2 => top - felt(256_u64),
            _ => Felt::MAX,
        };
        let name = *random.pick(&["storage_read", "storage_write"]);
        let calldata = if name == "storage_read" { vec![cell] } else { vec![cell, felt(random.below(3))] };
        vec![call(at::SYSCALLS, name, calldata)]
    }),
    ("address at the border", |_, random| {
        let top = felt(1_u128 << 125) * felt(1_u128 << 126);
        let to = top - felt(random.below(3)) - felt(256_u64) * felt(random.below(2)) + Felt::ONE;
        let calldata = [vec![to, selector("nothing")], span(&[])].concat();
        vec![call(at::CALLER, "call_and_catch", calldata)]
    }),
    ("block number at the border", |world, random| {
        let number = match random.below(4) {
            0 => felt(u64::MAX),
            1 => felt(u128::from(u64::MAX) + 1),
            2 => world.block_before(10),
            _ => world.block_before(9),
        };
        vec![call(at::SYSCALLS, "try_block_hash", vec![number])]
    }),
];
