//! Field, curve and hash operations compared with `starknet-types-core` and `starknet-crypto`.
//!
//! `cargo bench --bench crypto`. Both sides of a row alternate, so that load on the machine slows both; the
//! values are medians of the samples and their interquartile range. Builtins and syscalls as contracts use
//! them, keccak, SHA-256 and the secp curves included, are rows of `cargo bench --bench engine`.
#![allow(
    missing_docs,
    clippy::arithmetic_side_effects,
    clippy::cast_precision_loss,
    clippy::indexing_slicing,
    clippy::unwrap_used
)]

use std::hint::black_box;
use std::time::{Duration, Instant};

use ark_ec::short_weierstrass::{Affine, SWCurveConfig};
use ark_ec::{AffineRepr, scalar_mul::wnaf::WnafContext};
use ark_ff::Field;
use starkiln::crypto::{
    Element, Limbs, PedersenCache, Point, Root, blinding_point, ec_op, pedersen, poseidon,
    sqrt_or_sqrt_of_triple, verify_signature,
};
use starknet_crypto::{get_public_key, sign, verify};
use starknet_types_core::curve::ProjectivePoint;
use starknet_types_core::felt::Felt;
use starknet_types_core::hash::{Pedersen, Poseidon, StarkHash};

const A: Felt = Felt::from_hex_unchecked("0x3d937c035c878245caf64531a5756109c53068da139362728feb561405371cb");
const B: Felt = Felt::from_hex_unchecked("0x208a0a10250e382e1e4bbe2880906c2791bf6275695e02fbbc6aeff9cd8b31a");

/// The samples of one operation: nanoseconds per call, each over about two milliseconds of calls.
struct Samples<'a> {
    work: Box<dyn FnMut() + 'a>,
    calls: u32,
    times: Vec<f64>,
}

impl<'a> Samples<'a> {
    fn new<T>(mut work: impl FnMut() -> T + 'a) -> Self {
        let mut work: Box<dyn FnMut() + 'a> = Box::new(move || {
            black_box(work());
        });
        // Warm-up: tables are built before the clock starts.
        work();
        let start = Instant::now();
        let mut calls = 0;
        while start.elapsed() < Duration::from_millis(2) {
            work();
            calls += 1;
        }
        Self { work, calls, times: Vec::new() }
    }

    fn take(&mut self) {
        let start = Instant::now();
        for _ in 0..self.calls {
            (self.work)();
        }
        self.times.push(start.elapsed().as_nanos() as f64 / f64::from(self.calls));
    }

    /// The median, and the interquartile range as a fraction of it.
    fn median(&mut self) -> (f64, f64) {
        self.times.sort_by(f64::total_cmp);
        let at = |share: usize| self.times[self.times.len() * share / 4];
        (at(2), (at(3) - at(1)) / at(2))
    }
}

fn compare<T, U>(name: &str, own: impl FnMut() -> T, other: impl FnMut() -> U) {
    let (mut own, mut other) = (Samples::new(own), Samples::new(other));
    for _ in 0..101 {
        own.take();
        other.take();
    }
    let ((own, own_spread), (other, other_spread)) = (own.median(), other.median());
    let percent = |share: f64| format!("±{:.0}%", share * 50.0);
    println!(
        "{name:<44} {own:>10.1} {:>5} {other:>10.1} {:>5} {:>7.2}x",
        percent(own_spread),
        percent(other_spread),
        other / own
    );
}

/// Applies an operation to its own result a hundred times: a call of a few nanoseconds is too short to time.
fn chain<T: Copy>(start: T, step: impl Fn(T) -> T) -> impl FnMut() -> T {
    let mut value = start;
    move || {
        for _ in 0..100 {
            value = step(value);
        }
        value
    }
}

fn field() {
    let (a, b) = (Element::from_felt(&A), Element::from_felt(&B));
    compare("100 products", chain(a, |x| x.times(&b)), chain(A, |x| x * B));
    compare("100 squares", chain(a, |x| x.squared()), chain(A, |x| x.square()));
    compare("100 sums", chain(a, |x| x.plus(&b)), chain(A, |x| x + B));
    compare("100 differences", chain(a, |x| x.minus(&b)), chain(A, |x| x - B));
    compare(
        "100 inverses",
        chain(a, |x| x.inverse().unwrap().plus(&b)),
        chain(A, |x| x.inverse().unwrap() + B),
    );
    let number = A.to_le_digits();
    compare(
        "100 conversions to Montgomery form and back",
        chain(number, |x| Element::from_limbs(&black_box(x)).to_limbs()),
        chain(A, |x| Felt::from_bytes_be(&black_box(x).to_bytes_be())),
    );
    compare(
        "square root of a value or its triple",
        {
            let mut x = a;
            move || {
                let (Root::OfValue(root) | Root::OfTriple(root)) = sqrt_or_sqrt_of_triple(&x);
                x = root.plus(&b);
                root
            }
        },
        {
            let mut x = A;
            move || {
                let root = x.sqrt().unwrap_or_else(|| (x * Felt::THREE).sqrt().unwrap());
                x = root + B;
                root.min(-root)
            }
        },
    );
}

fn hashes() {
    let (a, b) = (A.to_le_digits(), B.to_le_digits());
    compare(
        "pedersen",
        {
            let mut x = a;
            move || {
                x = pedersen(&x, &b);
                x
            }
        },
        {
            let mut x = A;
            move || {
                x = Pedersen::hash(&x, &B);
                x
            }
        },
    );
    let cache = PedersenCache::new(1 << 16);
    let pairs: Vec<Limbs> = (0..1000).map(|number| [number, 1, 2, 3]).collect();
    let mut requests = pairs.iter().cycle();
    compare("pedersen, cached", || cache.hash(requests.next().unwrap(), &b), || Pedersen::hash(&A, &B));
    compare(
        "poseidon",
        {
            let mut state = [a, b, a];
            move || {
                state = poseidon(&state);
                state
            }
        },
        {
            let mut state = [A, B, A];
            move || {
                Poseidon::hades_permutation(&mut state);
                state
            }
        },
    );
}

/// The builtin, computed as `cairo-vm` does.
fn bit_by_bit(p: &ProjectivePoint, q: &ProjectivePoint, m: &Felt) -> Option<(Felt, Felt)> {
    let (mut sum, mut doubled) = (p.clone(), q.clone());
    let slope = m.to_biguint();
    for bit in 0..slope.bits() {
        if sum.x() * doubled.z() == sum.z() * doubled.x() {
            return None;
        }
        if slope.bit(bit) {
            sum += &doubled;
        }
        doubled = doubled.double();
    }
    sum.to_affine().ok().map(|point| (point.x(), point.y()))
}

fn curve() {
    let generator = Point::generator();
    let reference =
        |point: &Point| ProjectivePoint::from_affine(point.x.to_felt(), point.y.to_felt()).unwrap();
    let multiple = |number: &Felt| {
        let point = (&reference(&generator) * *number).to_affine().unwrap();
        Point::from_felts(&point.x(), &point.y())
    };
    let (p, q, blinding) = (multiple(&A), multiple(&B), blinding_point());
    let m = A * B;
    let number = m.to_le_digits();
    for (name, p, q) in [
        ("ec_op, any points", p, q),
        ("ec_op, generator", p, generator),
        ("ec_op from the blinding point", blinding, q),
        ("ec_op from the blinding point, generator", blinding, generator),
    ] {
        let (reference_p, reference_q) = (reference(&p), reference(&q));
        compare(name, || ec_op(&p, &q, &number), || bit_by_bit(&reference_p, &reference_q, &m));
    }
}

fn signatures() {
    let key = get_public_key(&A);
    let signature = sign(&A, &B, &Felt::from(0x7331)).unwrap();
    let (r, s) = (signature.r, signature.s);
    let [own_key, message, own_r, own_s] = [key, B, r, s].map(|number| number.to_le_digits());
    compare(
        "signature verification",
        || verify_signature(&own_key, &message, &own_r, &own_s),
        || verify(&key, &B, &r, &s).unwrap(),
    );
}

/// Scalar multiplication as the syscall does it, compared with double-and-add.
fn secp<C: SWCurveConfig>(name: &str) {
    let point: Affine<C> = (Affine::<C>::generator() * C::ScalarField::from(u128::MAX)).into();
    let scalar = C::ScalarField::from(u128::MAX).pow([77_u64]);
    compare(
        name,
        || Affine::from(WnafContext::new(4).mul(point.into_group(), &scalar)),
        || Affine::from(point * scalar),
    );
}

fn main() {
    println!("{:<44} {:>10} {:>5} {:>10}", "nanoseconds", "starkiln", "", "other");
    field();
    hashes();
    curve();
    signatures();
    secp::<ark_secp256k1::Config>("secp256k1 scalar multiplication");
    secp::<ark_secp256r1::Config>("secp256r1 scalar multiplication");
}
