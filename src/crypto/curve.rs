//! Points of the Stark curve `y^2 = x^3 + x + B`, and sums of them without divisions.
//!
//! The group has a prime order, so no point but infinity is its own negative. Sums are whole: equal points, opposite points and
//! infinity come out as the group says.

use starknet_types_core::felt::Felt;

use super::element::Element;
use super::lazy::Lazy;
use super::limbs::Limbs;
use super::sqrt::sqrt;

/// The constant of the curve.
const B: Felt = Felt::from_hex_unchecked("0x6f21413efbe40de150e596d72f7a8c5609ad26c15c915c1f4cdfcb99cee9e89");

/// A point with its two coordinates; never infinity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Point {
    /// The first coordinate.
    pub x: Element,
    /// The second coordinate.
    pub y: Element,
}

impl Point {
    /// The generator that signatures use.
    pub fn generator() -> Self {
        Self::from_felts(
            &Felt::from_hex_unchecked("0x1ef15c18599971b7beced415a40f0c7deacfd9b0d1819e03d723d8bc943cfca"),
            &Felt::from_hex_unchecked("0x5668060aa49730b7be4801df46ec62de53ecd11abe43a32873000c36e8dc1f"),
        )
    }

    /// The point of two numbers, on the curve or not.
    #[inline]
    pub fn from_limbs(x: &Limbs, y: &Limbs) -> Self {
        Self { x: Element::from_limbs(x), y: Element::from_limbs(y) }
    }

    /// The point of two felts, on the curve or not.
    #[inline]
    pub fn from_felts(x: &Felt, y: &Felt) -> Self {
        Self { x: Element::from_felt(x), y: Element::from_felt(y) }
    }

    /// The point with this first coordinate whose second is the smaller number of the two; `None` if there is none.
    pub fn from_x(x: &Element) -> Option<Self> {
        sqrt(&right_side(x)).map(|y| Self { x: *x, y })
    }

    /// Whether it is on the curve.
    pub fn is_on_curve(&self) -> bool {
        self.y.squared() == right_side(&self.x)
    }

    /// The point, or its negative.
    #[inline]
    pub(super) fn negated_if(&self, negate: bool) -> Self {
        Self { x: self.x, y: self.y.negated_if(negate) }
    }
}

/// What `y^2` must be: `x^3 + x + B`.
fn right_side(x: &Element) -> Element {
    x.squared().times(x).plus(x).plus(&Element::from_felt(&B))
}

/// A sum of points: `x / zz` and `y / zzz` are its coordinates, where `zz^3 = zzz^2`; at infinity both are 0.
///
/// The cheapest form to add points with known coordinates to.
#[derive(Clone, Copy, Debug)]
pub(super) struct XyzzPoint {
    x: Lazy<2>,
    y: Lazy<2>,
    zz: Lazy<2>,
    zzz: Lazy<2>,
}

const ZERO: Lazy<2> = Lazy::of(Element::ZERO).below();
const ONE: Lazy<2> = Lazy::of(Element::ONE).below();

impl XyzzPoint {
    /// The sum of nothing. With this `x`, every point shares its first coordinate.
    pub(super) const INFINITY: Self = Self { x: ZERO, y: ONE, zz: ZERO, zzz: ZERO };

    /// The sum of one point.
    #[inline]
    pub(super) fn of(point: &Point) -> Self {
        Self { x: Lazy::of(point.x).below(), y: Lazy::of(point.y).below(), zz: ONE, zzz: ONE }
    }

    /// How far a point's first coordinate is from the sum's, in the sum's scale: 0 if they share it.
    #[inline(always)]
    pub(super) fn width(&self, point: &Point) -> Lazy<4> {
        Lazy::of(point.x).times::<2, 2>(self.zz).minus(self.x)
    }

    /// Adds a point.
    #[inline]
    pub(super) fn add(&mut self, point: &Point) {
        self.add_at(point, self.width(point));
    }

    /// The sum with one more point.
    pub(super) fn plus(&self, point: &Point) -> Self {
        let mut sum = *self;
        sum.add(point);
        sum
    }

    /// Twice the sum.
    pub(super) fn doubled(&self) -> Self {
        let mut sum = *self;
        sum.double();
        sum
    }

    /// Adds a point whose [`Self::width`] is known.
    #[inline(always)]
    pub(super) fn add_at(&mut self, point: &Point, width: Lazy<4>) {
        let height: Lazy<4> = Lazy::of(point.y).times::<2, 2>(self.zzz).minus(self.y);
        if width.is_zero() {
            return self.add_same_x(point, height);
        }
        let square: Lazy<2> = width.squared();
        let cube: Lazy<2> = width.times(square);
        (self.x, self.y) = third_point(height, cube, self.x.times(square), self.y);
        self.zz = self.zz.times(square);
        self.zzz = self.zzz.times(cube);
    }

    /// Adds a point that lies above or below, or adds to infinity.
    #[cold]
    fn add_same_x(&mut self, point: &Point, height: Lazy<4>) {
        if self.zz.is_zero() {
            *self = Self::of(point);
        } else if height.is_zero() {
            self.double();
        } else {
            *self = Self::INFINITY;
        }
    }

    /// Adds the sum to itself.
    pub(super) fn double(&mut self) {
        let height: Lazy<4> = self.y.double();
        let square: Lazy<2> = height.squared();
        let cube: Lazy<2> = height.times(square);
        let start: Lazy<2> = self.x.times(square);
        let slope = slope(self.x, self.zz);
        self.x = turn(slope, start);
        self.y = slope.times_plus(start.minus::<2, 4>(self.x), cube.negated::<3>(), self.y);
        self.zz = self.zz.times(square);
        self.zzz = self.zzz.times(cube);
    }

    /// Adds a doubled point with a different first coordinate.
    #[inline(always)]
    pub(super) fn add_jacobian(&mut self, doubled: &JacobianPoint, meeting: &AdditionSetup) {
        let AdditionSetup { zz, mine, width } = *meeting;
        let zzz: Lazy<2> = doubled.z.times(zz);
        let y: Lazy<2> = self.y.times(zzz);
        let height: Lazy<4> = doubled.y.times::<2, 2>(self.zzz).minus(y);
        let square: Lazy<2> = width.squared();
        let cube: Lazy<2> = width.times(square);
        (self.x, self.y) = third_point(height, cube, mine.times(square), y);
        self.zz = self.zz.times::<2, 2>(zz).times(square);
        self.zzz = self.zzz.times::<2, 2>(zzz).times(cube);
    }

    /// Whether this is its first coordinate. Of infinity, none is.
    pub(super) fn has_x(&self, x: &Element) -> bool {
        let width: Lazy<4> = Lazy::of(*x).times::<2, 2>(self.zz).minus(self.x);
        width.is_zero() && !self.zz.is_zero()
    }

    /// The coordinates; `None` at infinity.
    pub(super) fn to_point(self) -> Option<Point> {
        self.zzz.reduced().inverse().map(|inverse| self.divided(Lazy::of(inverse)))
    }

    /// The coordinates, given the inverse of `zzz`.
    fn divided(&self, inverse: Lazy<1>) -> Point {
        // zz / zzz is the root of 1 / zz.
        let inverse_zz: Lazy<2> = self.zz.times::<1, 2>(inverse).squared();
        Point { x: self.x.times::<2, 2>(inverse_zz).reduced(), y: self.y.times::<1, 2>(inverse).reduced() }
    }
}

/// The third point on a line, upside down: its x is `height^2 - width^3 - 2 * start`, its y follows from the slope.
#[inline(always)]
fn third_point(height: Lazy<4>, cube: Lazy<2>, start: Lazy<2>, y: Lazy<2>) -> (Lazy<2>, Lazy<2>) {
    let x = height.squared::<2>().minus::<2, 4>(cube).minus::<4, 8>(start.double()).lower();
    (x, height.times_plus(start.minus::<2, 4>(x), cube.negated::<3>(), y))
}

/// Three times `x^2` and once `zz^2`: the slope of the tangent.
#[inline(always)]
fn slope(x: Lazy<2>, zz: Lazy<2>) -> Lazy<2> {
    let square: Lazy<2> = x.squared();
    square.double::<4>().plus::<2, 6>(square).plus::<2, 8>(zz.squared()).lower()
}

/// Where a tangent meets the curve again.
#[inline(always)]
fn turn(slope: Lazy<2>, start: Lazy<2>) -> Lazy<2> {
    slope.squared::<2>().minus::<4, 6>(start.double()).lower()
}

/// The coordinates of many sums with one inversion, those at infinity left out.
pub(super) fn to_points(sums: &[XyzzPoint]) -> Vec<Point> {
    let sums: Vec<&XyzzPoint> = sums.iter().filter(|sum| !sum.zzz.is_zero()).collect();
    // Products of all before, then back down from the inverse of all.
    let mut product = ONE;
    let mut before = Vec::with_capacity(sums.len());
    for sum in &sums {
        before.push(product);
        product = product.times(sum.zzz);
    }
    let mut inverse: Lazy<2> = Lazy::of(product.reduced().inverse().unwrap_or_default()).below();
    let mut points: Vec<Point> = Vec::with_capacity(sums.len());
    for (sum, before) in sums.iter().zip(&before).rev() {
        let own: Lazy<2> = inverse.times(*before);
        points.push(sum.divided(Lazy::of(own.reduced())));
        inverse = inverse.times(sum.zzz);
    }
    points.reverse();
    points
}

/// A point that is doubled again and again: `x / z^2` and `y / z^3` are its coordinates; at infinity `z` is 0.
#[derive(Clone, Copy, Debug)]
pub(super) struct JacobianPoint {
    x: Lazy<2>,
    y: Lazy<2>,
    z: Lazy<2>,
}

/// A sum and a doubled point, in their common scale.
#[derive(Clone, Copy, Debug)]
pub(super) struct AdditionSetup {
    /// The square of the doubled point's `z`.
    zz: Lazy<2>,
    /// The sum's first coordinate.
    mine: Lazy<2>,
    /// How far the point's is from it.
    width: Lazy<4>,
}

impl AdditionSetup {
    /// Whether they share their first coordinate.
    #[inline(always)]
    pub(super) fn has_same_x(&self) -> bool {
        self.width.is_zero()
    }
}

impl JacobianPoint {
    /// Infinity. With this `x`, every point shares its first coordinate.
    pub(super) const INFINITY: Self = Self { x: ZERO, y: ONE, z: ZERO };

    /// A point, not doubled yet.
    pub(super) fn of(point: &Point) -> Self {
        Self { x: Lazy::of(point.x).below(), y: Lazy::of(point.y).below(), z: ONE }
    }

    /// Both first coordinates, to compare and to add.
    #[inline(always)]
    pub(super) fn addition_setup(&self, sum: &XyzzPoint) -> AdditionSetup {
        let zz = self.z.squared();
        let mine = sum.x.times(zz);
        AdditionSetup { zz, mine, width: self.x.times::<2, 2>(sum.zz).minus(mine) }
    }

    /// Doubles the point after a meeting.
    #[inline(always)]
    pub(super) fn double_with(&mut self, meeting: &AdditionSetup) {
        let square = Lazy::of(self.y.squared::<2>().reduced());
        let start: Lazy<2> = self.x.times::<4, 2>(square.double::<2>().double());
        let slope = slope(self.x, meeting.zz);
        self.z = self.z.times::<4, 2>(self.y.double());
        self.x = turn(slope, start);
        let twice = square.double::<2>();
        self.y = slope.times_plus(start.minus::<2, 4>(self.x), twice, twice.double::<4>().negated::<5>());
    }

    /// Doubles the point.
    #[inline(always)]
    pub(super) fn double(&mut self) {
        self.double_with(&AdditionSetup { zz: self.z.squared(), mine: ZERO, width: ZERO.below() });
    }

    /// Adds a point.
    pub(super) fn add(&mut self, point: &Point) {
        let zz: Lazy<2> = self.z.squared();
        let zzz: Lazy<2> = zz.times(self.z);
        let width: Lazy<4> = Lazy::of(point.x).times::<2, 2>(zz).minus(self.x);
        let height: Lazy<4> = Lazy::of(point.y).times::<2, 2>(zzz).minus(self.y);
        if width.is_zero() {
            if self.z.is_zero() {
                *self = Self::of(point);
            } else if height.is_zero() {
                self.double();
            } else {
                *self = Self::INFINITY;
            }
            return;
        }
        let square: Lazy<2> = width.squared();
        let cube: Lazy<2> = width.times(square);
        (self.x, self.y) = third_point(height, cube, self.x.times(square), self.y);
        self.z = self.z.times(width);
    }

    /// The negative.
    pub(super) fn negated(self) -> Self {
        Self { y: self.y.negated::<3>().lower(), ..self }
    }

    /// The same as a sum.
    pub(super) fn to_xyzz(self) -> XyzzPoint {
        let zz: Lazy<2> = self.z.squared();
        XyzzPoint { x: self.x, y: self.y, zz, zzz: zz.times(self.z) }
    }
}

#[cfg(test)]
mod tests {
    use starknet_types_core::curve::ProjectivePoint;

    use super::*;

    /// `number * G` as the library has it.
    fn library(number: i64) -> ProjectivePoint {
        let generator = Point::generator();
        let point = ProjectivePoint::from_affine(generator.x.to_felt(), generator.y.to_felt()).unwrap();
        let multiple = &point * Felt::from(number.unsigned_abs());
        if number < 0 { -&multiple } else { multiple }
    }

    fn affine(point: &ProjectivePoint) -> Option<Point> {
        point.to_affine().ok().map(|point| Point::from_felts(&point.x(), &point.y()))
    }

    fn small(number: i64) -> Option<Point> {
        affine(&library(number))
    }

    /// `number * G` in a form that is not trivial: with another scale than 1.
    fn xyzz_of(number: i64) -> XyzzPoint {
        let mut sum = XyzzPoint::of(&small(1).unwrap());
        sum.double();
        if let Some(point) = small(number - 2) {
            sum.add(&point);
        }
        sum
    }

    fn jacobian_of(number: i64) -> JacobianPoint {
        let mut doubled = JacobianPoint::of(&small(1).unwrap());
        doubled.double();
        if let Some(point) = small(number - 2) {
            doubled.add(&point);
        }
        doubled
    }

    #[test]
    fn sums_are_the_groups() {
        assert!(XyzzPoint::INFINITY.to_point().is_none());
        for left in -6..=6 {
            assert_eq!(xyzz_of(left).to_point(), small(left), "{left}");
            assert_eq!(jacobian_of(left).to_xyzz().to_point(), small(left), "{left}");
            let (mut twice, mut doubled) = (xyzz_of(left), jacobian_of(left));
            twice.double();
            doubled.double();
            assert_eq!(twice.to_point(), small(2 * left), "2 * {left}");
            assert_eq!(doubled.to_xyzz().to_point(), small(2 * left), "2 * {left}");
            for right in (-6..=6).filter(|right| *right != 0) {
                let point = small(right).unwrap();
                let (mut sum, mut doubled) = (xyzz_of(left), jacobian_of(left));
                sum.add(&point);
                doubled.add(&point);
                assert_eq!(sum.to_point(), small(left + right), "{left} + {right}");
                assert_eq!(doubled.to_xyzz().to_point(), small(left + right), "{left} + {right}");
            }
        }
    }

    #[test]
    fn a_sum_meets_a_doubled_point() {
        for left in (-6..=6).filter(|left| *left != 0) {
            for right in (-6..=6_i64).filter(|right| *right != 0) {
                let (mut sum, mut doubled) = (xyzz_of(left), jacobian_of(right));
                let meeting = doubled.addition_setup(&sum);
                assert_eq!(meeting.has_same_x(), left.abs() == right.abs());
                if !meeting.has_same_x() {
                    sum.add_jacobian(&doubled, &meeting);
                    assert_eq!(sum.to_point(), small(left + right), "{left} + {right}");
                }
                doubled.double_with(&meeting);
                assert_eq!(doubled.to_xyzz().to_point(), small(2 * right));
            }
        }
    }

    #[test]
    fn many_points_at_once() {
        let sums: Vec<XyzzPoint> = (-5..=5).map(xyzz_of).collect();
        let points: Vec<Point> = (-5..=5).filter_map(small).collect();
        assert_eq!(points.len(), 10);
        assert_eq!(to_points(&sums), points);
        assert_eq!(to_points(&[]), []);
    }

    #[test]
    fn points_know_their_curve() {
        let point = Point::generator();
        assert!(point.is_on_curve() && point.negated_if(true).is_on_curve());
        assert!(!Point { x: point.y, y: point.x }.is_on_curve());
        assert!(!Point::default().is_on_curve());
        let (x, y) = (point.x.to_limbs(), point.y.to_limbs());
        assert_eq!(Point::from_limbs(&x, &y), point);
    }
}
