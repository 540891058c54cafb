//! The secp256k1 and secp256r1 syscalls.
//!
//! Input: coordinates, scalars, and pointers to points. Output: pointers to points, or coordinates.

use std::ops::Add;

use ark_ec::AffineRepr;
use ark_ec::scalar_mul::wnaf::WnafContext;
use ark_ec::short_weierstrass::Affine;
use ark_ff::{BigInteger, PrimeField, Zero};
use num_bigint::BigUint;

use super::context::SyscallContext;
use super::effect::{Effect, Outcome};
use super::memory::{Pointer, SyscallMemory};
use super::request::{Coordinates, SecpAdd, SecpGetXy, SecpMul, SecpPointFromX};
use super::secp_points::Curve;
use crate::protocol::well_known;

/// Returns `true` if all coordinates are below the modulus of the field (C131).
fn in_field<C: Curve>(coordinates: &[&BigUint]) -> bool {
    let modulus: BigUint = C::BaseField::MODULUS.into();
    coordinates.iter().all(|coordinate| **coordinate < modulus)
}

/// Responds with the point of the given coordinates: (0, 0) is the point at infinity; `None` if the point is
/// not on the curve or in the wrong subgroup (C131).
pub(super) fn new<C: Curve>(
    request: Coordinates,
    context: &mut SyscallContext<'_, '_>,
    memory: &mut dyn SyscallMemory,
) -> Outcome<Option<Pointer>> {
    if !in_field::<C>(&[&request.x, &request.y]) {
        return Ok(Effect::Fail(vec![well_known::INVALID_ARGUMENT]));
    }
    let (x, y) = (C::BaseField::from(request.x), C::BaseField::from(request.y));
    let point =
        if x.is_zero() && y.is_zero() { Affine::<C>::identity() } else { Affine::<C>::new_unchecked(x, y) };
    let valid = point.is_on_curve() && point.is_in_correct_subgroup_assuming_on_curve();
    respond(valid.then_some(point), context, memory)
}

/// Responds with the point with the given x and parity of y (C132).
pub(super) fn point_from_x<C: Curve>(
    request: SecpPointFromX,
    context: &mut SyscallContext<'_, '_>,
    memory: &mut dyn SyscallMemory,
) -> Outcome<Option<Pointer>> {
    if !in_field::<C>(&[&request.x]) {
        return Ok(Effect::Fail(vec![well_known::INVALID_ARGUMENT]));
    }
    let x = C::BaseField::from(request.x);
    let point = Affine::<C>::get_ys_from_x_unchecked(x)
        .map(
            |(smaller, greater)| {
                if smaller.into_bigint().is_odd() == request.y_is_odd { smaller } else { greater }
            },
        )
        .map(|y| Affine::<C>::new_unchecked(x, y))
        .filter(Affine::is_in_correct_subgroup_assuming_on_curve);
    respond(point, context, memory)
}

/// Stores the point, if there is one, and responds with its pointer.
fn respond<C: Curve>(
    point: Option<Affine<C>>,
    context: &mut SyscallContext<'_, '_>,
    memory: &mut dyn SyscallMemory,
) -> Outcome<Option<Pointer>> {
    let points = &mut context.record.handles.secp;
    Ok(Effect::Respond(point.map(|point| points.insert(memory, point)).transpose()?))
}

/// Responds with the sum of two points.
pub(super) fn add<C: Curve>(
    request: SecpAdd,
    context: &mut SyscallContext<'_, '_>,
    memory: &mut dyn SyscallMemory,
) -> Outcome<Pointer> {
    let points = &mut context.record.handles.secp;
    let sum = points.point::<C>(request.left)?.add(points.point::<C>(request.right)?);
    Ok(Effect::Respond(points.insert::<C>(memory, sum.into())?))
}

/// Responds with a multiple of a point.
pub(super) fn mul<C: Curve>(
    request: SecpMul,
    context: &mut SyscallContext<'_, '_>,
    memory: &mut dyn SyscallMemory,
) -> Outcome<Pointer> {
    let points = &mut context.record.handles.secp;
    let product = product(points.point::<C>(request.point)?, &C::ScalarField::from(request.scalar));
    Ok(Effect::Respond(points.insert::<C>(memory, product)?))
}

/// Returns `scalar * point`. Windowed multiplication takes five sixths of the time of double-and-add.
fn product<C: Curve>(point: Affine<C>, scalar: &C::ScalarField) -> Affine<C> {
    const WINDOW_BITS: usize = 4;
    WnafContext::new(WINDOW_BITS).mul(point.into_group(), scalar).into()
}

/// Responds with the coordinates of a point; those of the point at infinity are 0.
pub(super) fn get_xy<C: Curve>(
    request: SecpGetXy,
    context: &mut SyscallContext<'_, '_>,
    _: &mut dyn SyscallMemory,
) -> Outcome<Coordinates> {
    let point = context.record.handles.secp.point::<C>(request.0)?;
    Ok(Effect::Respond(Coordinates { x: point.x.into(), y: point.y.into() }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syscall::secp_points::{K1, R1};

    fn products_equal_those_of_the_group<C: Curve>() {
        let mut multiple = Affine::<C>::generator();
        let small = (0..40_u64).map(C::ScalarField::from);
        let last = (1..40_u64).map(|number| -C::ScalarField::from(number));
        let powers = (0..255_u32).map(|bit| C::ScalarField::from(BigUint::from(2_u8).pow(bit)));
        for scalar in small.chain(last).chain(powers) {
            assert_eq!(product(multiple, &scalar), Affine::from(multiple * scalar), "{scalar}");
            assert!(product(Affine::<C>::identity(), &scalar).is_zero());
            multiple = (multiple + Affine::<C>::generator()).into();
        }
    }

    #[test]
    fn products_of_both_curves() {
        products_equal_those_of_the_group::<K1>();
        products_equal_those_of_the_group::<R1>();
    }
}
