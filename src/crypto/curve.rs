//! Points of the Stark curve `y^2 = x^3 + x + B` in affine, Jacobian and XYZZ coordinates.
//!
//! The order of the group is prime, so only infinity is its own negative. Addition is complete: equal points,
//! opposite points and infinity give what the group law says. Formulas are those of the Explicit-Formulas
//! Database.

use starknet_types_core::felt::Felt;

use super::element::Element;
use super::lazy::Lazy;
use super::limbs::Limbs;
use super::sqrt::sqrt;

/// The coefficient `B` of the curve equation.
const B: Felt = Felt::from_hex_unchecked("0x6f21413efbe40de150e596d72f7a8c5609ad26c15c915c1f4cdfcb99cee9e89");

/// A point in affine coordinates; never infinity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Point {
    /// The x coordinate.
    pub x: Element,
    /// The y coordinate.
    pub y: Element,
}

impl Point {
    /// The generator of the group, which signatures use.
    pub fn generator() -> Self {
        Self::from_felts(
            &Felt::from_hex_unchecked("0x1ef15c18599971b7beced415a40f0c7deacfd9b0d1819e03d723d8bc943cfca"),
            &Felt::from_hex_unchecked("0x5668060aa49730b7be4801df46ec62de53ecd11abe43a32873000c36e8dc1f"),
        )
    }

    /// The point with these coordinates, on the curve or not.
    #[inline]
    pub fn from_limbs(x: &Limbs, y: &Limbs) -> Self {
        Self { x: Element::from_limbs(x), y: Element::from_limbs(y) }
    }

    /// The point with these coordinates, on the curve or not.
    #[inline]
    pub fn from_felts(x: &Felt, y: &Felt) -> Self {
        Self { x: Element::from_felt(x), y: Element::from_felt(y) }
    }

    /// The point with this x coordinate and the smaller of its two y coordinates; `None` if there is none.
    pub fn from_x(x: &Element) -> Option<Self> {
        sqrt(&curve_rhs(x)).map(|y| Self { x: *x, y })
    }

    /// Returns `true` if the point satisfies the curve equation.
    pub fn is_on_curve(&self) -> bool {
        self.y.squared() == curve_rhs(&self.x)
    }

    /// The point, or its negative, without a branch.
    #[inline]
    pub(super) fn negated_if(&self, negate: bool) -> Self {
        Self { x: self.x, y: self.y.negated_if(negate) }
    }
}

/// The right-hand side of the curve equation, `x^3 + x + B`.
fn curve_rhs(x: &Element) -> Element {
    x.squared().times(x).plus(x).plus(&Element::from_felt(&B))
}

/// A point in XYZZ (extended Jacobian) coordinates: affine `x / zz` and `y / zzz`, where `zz^3 = zzz^2`; both
/// are 0 at infinity.
///
/// The cheapest coordinates for adding an affine point.
#[derive(Clone, Copy, Debug)]
pub(super) struct XyzzPoint {
    x: Lazy<2>,
    y: Lazy<2>,
    zz: Lazy<2>,
    zzz: Lazy<2>,
}

const ZERO: Lazy<2> = Lazy::of(Element::ZERO).widen();
const ONE: Lazy<2> = Lazy::of(Element::ONE).widen();

impl XyzzPoint {
    /// The point at infinity. Its `x` is 0, so [`Self::x_diff`] to every point is 0.
    pub(super) const INFINITY: Self = Self { x: ZERO, y: ONE, zz: ZERO, zzz: ZERO };

    /// The XYZZ coordinates of an affine point.
    #[inline]
    pub(super) fn from_affine(point: &Point) -> Self {
        Self { x: Lazy::of(point.x).widen(), y: Lazy::of(point.y).widen(), zz: ONE, zzz: ONE }
    }

    /// The point's x coordinate minus the sum's, times `zz`: 0 if the two are equal.
    #[inline(always)]
    pub(super) fn x_diff(&self, point: &Point) -> Lazy<4> {
        Lazy::of(point.x).times::<2, 2>(self.zz).minus(self.x)
    }

    /// Adds an affine point.
    #[inline]
    pub(super) fn add(&mut self, point: &Point) {
        self.add_with(point, self.x_diff(point));
    }

    /// The sum with an affine point.
    pub(super) fn plus(&self, point: &Point) -> Self {
        let mut sum = *self;
        sum.add(point);
        sum
    }

    /// The double.
    pub(super) fn doubled(&self) -> Self {
        let mut sum = *self;
        sum.double();
        sum
    }

    /// Adds an affine point whose [`Self::x_diff`] has been computed (madd-2008-s).
    #[inline(always)]
    pub(super) fn add_with(&mut self, point: &Point, x_diff: Lazy<4>) {
        let y_diff: Lazy<4> = Lazy::of(point.y).times::<2, 2>(self.zzz).minus(self.y);
        if x_diff.is_zero() {
            return self.add_same_x(point, y_diff);
        }
        let square: Lazy<2> = x_diff.squared();
        let cube: Lazy<2> = x_diff.times(square);
        (self.x, self.y) = chord_sum(y_diff, cube, self.x.times(square), self.y);
        self.zz = self.zz.times(square);
        self.zzz = self.zzz.times(cube);
    }

    /// Adds an affine point with the same x coordinate, or adds to infinity.
    #[cold]
    fn add_same_x(&mut self, point: &Point, y_diff: Lazy<4>) {
        if self.zz.is_zero() {
            *self = Self::from_affine(point);
        } else if y_diff.is_zero() {
            self.double();
        } else {
            *self = Self::INFINITY;
        }
    }

    /// Doubles the point (dbl-2008-s-1).
    pub(super) fn double(&mut self) {
        let u: Lazy<4> = self.y.double();
        let v: Lazy<2> = u.squared();
        let w: Lazy<2> = u.times(v);
        let s: Lazy<2> = self.x.times(v);
        let slope = tangent_slope(self.x, self.zz);
        self.x = tangent_x(slope, s);
        self.y = slope.times_plus(s.minus::<2, 4>(self.x), w.negated::<3>(), self.y);
        self.zz = self.zz.times(v);
        self.zzz = self.zzz.times(w);
    }

    /// Adds a Jacobian point with a different x coordinate.
    #[inline(always)]
    pub(super) fn add_jacobian(&mut self, doubled: &JacobianPoint, setup: &AdditionSetup) {
        let AdditionSetup { zz, x, x_diff } = *setup;
        let zzz: Lazy<2> = doubled.z.times(zz);
        let y: Lazy<2> = self.y.times(zzz);
        let y_diff: Lazy<4> = doubled.y.times::<2, 2>(self.zzz).minus(y);
        let square: Lazy<2> = x_diff.squared();
        let cube: Lazy<2> = x_diff.times(square);
        (self.x, self.y) = chord_sum(y_diff, cube, x.times(square), y);
        self.zz = self.zz.times::<2, 2>(zz).times(square);
        self.zzz = self.zzz.times::<2, 2>(zzz).times(cube);
    }

    /// Returns `true` if the affine x coordinate equals `x`; `false` at infinity.
    pub(super) fn has_x(&self, x: &Element) -> bool {
        let x_diff: Lazy<4> = Lazy::of(*x).times::<2, 2>(self.zz).minus(self.x);
        x_diff.is_zero() && !self.zz.is_zero()
    }

    /// The affine coordinates; `None` at infinity.
    pub(super) fn to_affine(self) -> Option<Point> {
        self.zzz.reduced().inverse().map(|inverse| self.affine_with(Lazy::of(inverse)))
    }

    /// The affine coordinates, given the inverse of `zzz`.
    fn affine_with(&self, inverse: Lazy<1>) -> Point {
        // (zz / zzz)^2 = 1 / zz.
        let inverse_zz: Lazy<2> = self.zz.times::<1, 2>(inverse).squared();
        Point { x: self.x.times::<2, 2>(inverse_zz).reduced(), y: self.y.times::<1, 2>(inverse).reduced() }
    }
}

/// The sum of two different points, by the chord through them: `x = y_diff^2 - x_diff^3 - 2 q` with
/// `q = x1 * x_diff^2`, and `y = y_diff * (q - x) - x_diff^3 * y1`.
#[inline(always)]
fn chord_sum(y_diff: Lazy<4>, cube: Lazy<2>, q: Lazy<2>, y: Lazy<2>) -> (Lazy<2>, Lazy<2>) {
    let x = y_diff.squared::<2>().minus::<2, 4>(cube).minus::<4, 8>(q.double()).weak_reduce();
    (x, y_diff.times_plus(q.minus::<2, 4>(x), cube.negated::<3>(), y))
}

/// The numerator of the tangent's slope, `3 x^2 + zz^2`.
#[inline(always)]
fn tangent_slope(x: Lazy<2>, zz: Lazy<2>) -> Lazy<2> {
    let square: Lazy<2> = x.squared();
    square.double::<4>().plus::<2, 6>(square).plus::<2, 8>(zz.squared()).weak_reduce()
}

/// The x coordinate of the double, `slope^2 - 2 s`.
#[inline(always)]
fn tangent_x(slope: Lazy<2>, s: Lazy<2>) -> Lazy<2> {
    slope.squared::<2>().minus::<4, 6>(s.double()).weak_reduce()
}

/// The affine coordinates of many points by batch inversion (Montgomery's trick). Points at infinity are
/// skipped.
pub(super) fn batch_to_affine(sums: &[XyzzPoint]) -> Vec<Point> {
    let sums: Vec<&XyzzPoint> = sums.iter().filter(|sum| !sum.zzz.is_zero()).collect();
    // Prefix products forwards, then inverses backwards from the inverse of the whole product.
    let mut product = ONE;
    let mut prefixes = Vec::with_capacity(sums.len());
    for sum in &sums {
        prefixes.push(product);
        product = product.times(sum.zzz);
    }
    let mut inverse: Lazy<2> = Lazy::of(product.reduced().inverse().unwrap_or_default()).widen();
    let mut points: Vec<Point> = Vec::with_capacity(sums.len());
    for (sum, prefix) in sums.iter().zip(&prefixes).rev() {
        let own: Lazy<2> = inverse.times(*prefix);
        points.push(sum.affine_with(Lazy::of(own.reduced())));
        inverse = inverse.times(sum.zzz);
    }
    points.reverse();
    points
}

/// A point in Jacobian coordinates, the cheapest for doubling: affine `x / z^2` and `y / z^3`; `z` is 0 at
/// infinity.
#[derive(Clone, Copy, Debug)]
pub(super) struct JacobianPoint {
    x: Lazy<2>,
    y: Lazy<2>,
    z: Lazy<2>,
}

/// The intermediate values that comparing and adding an XYZZ point and a Jacobian point share.
#[derive(Clone, Copy, Debug)]
pub(super) struct AdditionSetup {
    /// `z^2` of the Jacobian point.
    zz: Lazy<2>,
    /// The x coordinate of the XYZZ point, over the common denominator.
    x: Lazy<2>,
    /// The x coordinate of the Jacobian point minus that of the XYZZ point, over the common denominator.
    x_diff: Lazy<4>,
}

impl AdditionSetup {
    /// Returns `true` if both points have the same x coordinate.
    #[inline(always)]
    pub(super) fn has_same_x(&self) -> bool {
        self.x_diff.is_zero()
    }
}

impl JacobianPoint {
    /// The point at infinity. Its `x` is 0, so the x difference to every point is 0.
    pub(super) const INFINITY: Self = Self { x: ZERO, y: ONE, z: ZERO };

    /// The Jacobian coordinates of an affine point.
    pub(super) fn from_affine(point: &Point) -> Self {
        Self { x: Lazy::of(point.x).widen(), y: Lazy::of(point.y).widen(), z: ONE }
    }

    /// Prepares comparing with `sum` and adding to it.
    #[inline(always)]
    pub(super) fn addition_setup(&self, sum: &XyzzPoint) -> AdditionSetup {
        let zz = self.z.squared();
        let x = sum.x.times(zz);
        AdditionSetup { zz, x, x_diff: self.x.times::<2, 2>(sum.zz).minus(x) }
    }

    /// Doubles the point, reusing `z^2` from the setup.
    #[inline(always)]
    pub(super) fn double_with(&mut self, setup: &AdditionSetup) {
        let square = Lazy::of(self.y.squared::<2>().reduced());
        let s: Lazy<2> = self.x.times::<4, 2>(square.double::<2>().double());
        let slope = tangent_slope(self.x, setup.zz);
        self.z = self.z.times::<4, 2>(self.y.double());
        self.x = tangent_x(slope, s);
        let twice = square.double::<2>();
        self.y = slope.times_plus(s.minus::<2, 4>(self.x), twice, twice.double::<4>().negated::<5>());
    }

    /// Doubles the point.
    #[inline(always)]
    pub(super) fn double(&mut self) {
        self.double_with(&AdditionSetup { zz: self.z.squared(), x: ZERO, x_diff: ZERO.widen() });
    }

    /// Adds an affine point.
    pub(super) fn add(&mut self, point: &Point) {
        let zz: Lazy<2> = self.z.squared();
        let zzz: Lazy<2> = zz.times(self.z);
        let x_diff: Lazy<4> = Lazy::of(point.x).times::<2, 2>(zz).minus(self.x);
        let y_diff: Lazy<4> = Lazy::of(point.y).times::<2, 2>(zzz).minus(self.y);
        if x_diff.is_zero() {
            if self.z.is_zero() {
                *self = Self::from_affine(point);
            } else if y_diff.is_zero() {
                self.double();
            } else {
                *self = Self::INFINITY;
            }
            return;
        }
        let square: Lazy<2> = x_diff.squared();
        let cube: Lazy<2> = x_diff.times(square);
        (self.x, self.y) = chord_sum(y_diff, cube, self.x.times(square), self.y);
        self.z = self.z.times(x_diff);
    }

    /// The negative.
    pub(super) fn negated(self) -> Self {
        Self { y: self.y.negated::<3>().weak_reduce(), ..self }
    }

    /// The XYZZ coordinates.
    pub(super) fn to_xyzz(self) -> XyzzPoint {
        let zz: Lazy<2> = self.z.squared();
        XyzzPoint { x: self.x, y: self.y, zz, zzz: zz.times(self.z) }
    }
}

#[cfg(test)]
mod tests {
    use starknet_types_core::curve::ProjectivePoint;

    use super::*;

    /// `number * G`, computed by `starknet-types-core`.
    fn reference(number: i64) -> ProjectivePoint {
        let generator = Point::generator();
        let point = ProjectivePoint::from_affine(generator.x.to_felt(), generator.y.to_felt()).unwrap();
        let multiple = &point * Felt::from(number.unsigned_abs());
        if number < 0 { -&multiple } else { multiple }
    }

    fn affine(point: &ProjectivePoint) -> Option<Point> {
        point.to_affine().ok().map(|point| Point::from_felts(&point.x(), &point.y()))
    }

    fn small(number: i64) -> Option<Point> {
        affine(&reference(number))
    }

    /// `number * G` with a denominator other than 1.
    fn xyzz_of(number: i64) -> XyzzPoint {
        let mut sum = XyzzPoint::from_affine(&small(1).unwrap());
        sum.double();
        if let Some(point) = small(number - 2) {
            sum.add(&point);
        }
        sum
    }

    fn jacobian_of(number: i64) -> JacobianPoint {
        let mut doubled = JacobianPoint::from_affine(&small(1).unwrap());
        doubled.double();
        if let Some(point) = small(number - 2) {
            doubled.add(&point);
        }
        doubled
    }

    #[test]
    fn addition_and_doubling_follow_the_group_law() {
        assert!(XyzzPoint::INFINITY.to_affine().is_none());
        for left in -6..=6 {
            assert_eq!(xyzz_of(left).to_affine(), small(left), "{left}");
            assert_eq!(jacobian_of(left).to_xyzz().to_affine(), small(left), "{left}");
            let (mut twice, mut doubled) = (xyzz_of(left), jacobian_of(left));
            twice.double();
            doubled.double();
            assert_eq!(twice.to_affine(), small(2 * left), "2 * {left}");
            assert_eq!(doubled.to_xyzz().to_affine(), small(2 * left), "2 * {left}");
            for right in (-6..=6).filter(|right| *right != 0) {
                let point = small(right).unwrap();
                let (mut sum, mut doubled) = (xyzz_of(left), jacobian_of(left));
                sum.add(&point);
                doubled.add(&point);
                assert_eq!(sum.to_affine(), small(left + right), "{left} + {right}");
                assert_eq!(doubled.to_xyzz().to_affine(), small(left + right), "{left} + {right}");
            }
        }
    }

    #[test]
    fn a_jacobian_point_is_added_to_an_xyzz_point() {
        for left in (-6..=6).filter(|left| *left != 0) {
            for right in (-6..=6_i64).filter(|right| *right != 0) {
                let (mut sum, mut doubled) = (xyzz_of(left), jacobian_of(right));
                let setup = doubled.addition_setup(&sum);
                assert_eq!(setup.has_same_x(), left.abs() == right.abs());
                if !setup.has_same_x() {
                    sum.add_jacobian(&doubled, &setup);
                    assert_eq!(sum.to_affine(), small(left + right), "{left} + {right}");
                }
                doubled.double_with(&setup);
                assert_eq!(doubled.to_xyzz().to_affine(), small(2 * right));
            }
        }
    }

    #[test]
    fn batch_inversion_converts_all_points() {
        let sums: Vec<XyzzPoint> = (-5..=5).map(xyzz_of).collect();
        let points: Vec<Point> = (-5..=5).filter_map(small).collect();
        assert_eq!(points.len(), 10);
        assert_eq!(batch_to_affine(&sums), points);
        assert_eq!(batch_to_affine(&[]), []);
    }

    #[test]
    fn points_off_the_curve_are_recognized() {
        let point = Point::generator();
        assert!(point.is_on_curve() && point.negated_if(true).is_on_curve());
        assert!(!Point { x: point.y, y: point.x }.is_on_curve());
        assert!(!Point::default().is_on_curve());
        let (x, y) = (point.x.to_limbs(), point.y.to_limbs());
        assert_eq!(Point::from_limbs(&x, &y), point);
    }
}
