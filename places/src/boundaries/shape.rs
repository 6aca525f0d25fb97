//! Polygons, and whether a position is in one.
//!
//! Degrees are taken as a plane, as RFC 7946 has it (section 3.1.1: an edge is a straight line between its coordinates).

use crate::coordinates::Wgs84;

/// A position of a boundary, or one to be looked up, in degrees.
#[derive(Clone, Copy, PartialEq)]
pub(super) struct Position {
    pub(super) longitude: f64,
    pub(super) latitude: f64,
}

impl Position {
    pub(super) const fn of(point: Wgs84) -> Self {
        Self {
            longitude: point.longitude(),
            latitude: point.latitude(),
        }
    }
}

/// A box along the degrees.
#[derive(Clone, Copy, PartialEq)]
pub(super) struct Rectangle {
    south_west: Position,
    north_east: Position,
}

impl Rectangle {
    /// Holds nothing.
    pub(super) const EMPTY: Self = Self {
        south_west: Position {
            longitude: f64::INFINITY,
            latitude: f64::INFINITY,
        },
        north_east: Position {
            longitude: f64::NEG_INFINITY,
            latitude: f64::NEG_INFINITY,
        },
    };

    /// The smallest that holds this one and a position.
    pub(super) const fn with(self, position: Position) -> Self {
        Self {
            south_west: Position {
                longitude: self.south_west.longitude.min(position.longitude),
                latitude: self.south_west.latitude.min(position.latitude),
            },
            north_east: Position {
                longitude: self.north_east.longitude.max(position.longitude),
                latitude: self.north_east.latitude.max(position.latitude),
            },
        }
    }

    /// The smallest that holds both.
    pub(super) const fn and(self, other: Self) -> Self {
        self.with(other.south_west).with(other.north_east)
    }

    /// Whether a position is in it or on its edge.
    pub(super) fn contains(self, position: Position) -> bool {
        (self.south_west.longitude..=self.north_east.longitude).contains(&position.longitude)
            && (self.south_west.latitude..=self.north_east.latitude).contains(&position.latitude)
    }
}

/// An outer ring and its holes.
#[derive(Clone, PartialEq)]
pub(super) struct Polygon {
    bounds: Rectangle,
    outer: Vec<Position>,
    holes: Vec<Vec<Position>>,
}

impl Polygon {
    /// Of closed rings: the first position of each is its last.
    pub(super) fn new(outer: Vec<Position>, holes: Vec<Vec<Position>>) -> Self {
        let bounds = outer.iter().fold(Rectangle::EMPTY, |bounds, at| bounds.with(*at));
        Self { bounds, outer, holes }
    }

    pub(super) const fn bounds(&self) -> Rectangle {
        self.bounds
    }

    /// Whether a position is in it or on its boundary. The edge of a hole is boundary too.
    pub(super) fn contains(&self, position: Position) -> bool {
        self.bounds.contains(position)
            && side(&self.outer, position) != Side::Outside
            && self.holes.iter().all(|hole| side(hole, position) != Side::Inside)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Inside,
    Edge,
    Outside,
}

/// On which side of a closed ring a position is: a ray to the east crosses the ring an odd number of times from inside.
fn side(ring: &[Position], at: Position) -> Side {
    let mut side = Side::Outside;
    for (from, to) in ring.iter().zip(ring.iter().skip(1)) {
        // From south to north whichever way the ring turns, so that both neighbours of an edge round it alike.
        let (low, high) = if from.latitude <= to.latitude {
            (from, to)
        } else {
            (to, from)
        };
        if low.latitude == high.latitude {
            let ends = [low.longitude, high.longitude];
            let (west, east) = (ends[0].min(ends[1]), ends[0].max(ends[1]));
            if at.latitude == low.latitude && (west..=east).contains(&at.longitude) {
                return Side::Edge;
            }
            continue;
        }
        if *low == at || *high == at {
            return Side::Edge;
        }
        // The upper end belongs to the next edge, so that a ray through a corner counts once.
        if !(low.latitude..high.latitude).contains(&at.latitude) {
            continue;
        }
        let turn = (high.longitude - low.longitude) * (at.latitude - low.latitude)
            - (at.longitude - low.longitude) * (high.latitude - low.latitude);
        if turn == 0.0 {
            return Side::Edge;
        }
        if turn > 0.0 {
            side = if side == Side::Inside {
                Side::Outside
            } else {
                Side::Inside
            };
        }
    }
    side
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(longitude: f64, latitude: f64) -> Position {
        Position { longitude, latitude }
    }

    fn ring(corners: &[(f64, f64)]) -> Vec<Position> {
        corners.iter().chain(corners.first()).map(|(x, y)| at(*x, *y)).collect()
    }

    /// A spike that has corners at the height of the positions looked up: a ray through a corner must count once or twice, as
    /// the ring goes on.
    #[test]
    fn a_ray_through_corners_counts_them_rightly() {
        let ring = ring(&[
            (0.0, 0.0),
            (2.0, 2.0),
            (4.0, 0.0),
            (6.0, 2.0),
            (8.0, 0.0),
            (8.0, -2.0),
            (0.0, -2.0),
        ]);
        for (x, y, inside) in [
            (1.0, 0.5, true),
            (-1.0, 0.0, false),
            (-1.0, 2.0, false),
            (3.0, 2.0, false),
            (2.0, 0.0, true),
            (5.0, 0.0, true),
            (4.0, 1.0, false),
            (9.0, 0.0, false),
            (-1.0, -2.0, false),
        ] {
            assert_eq!(side(&ring, at(x, y)) == Side::Inside, inside, "{x} {y}");
        }
    }

    #[test]
    fn corners_and_edges_are_edge() {
        let square = ring(&[(0.0, 0.0), (4.0, 0.0), (4.0, 4.0), (0.0, 4.0)]);
        for (x, y) in [(0.0, 0.0), (4.0, 4.0), (2.0, 0.0), (0.0, 3.0), (4.0, 1.0), (1.0, 4.0)] {
            assert!(side(&square, at(x, y)) == Side::Edge, "{x} {y}");
        }
        let triangle = ring(&[(0.0, 0.0), (4.0, 4.0), (0.0, 4.0)]);
        assert!(side(&triangle, at(1.0, 1.0)) == Side::Edge);
    }

    #[test]
    fn either_way_round_is_the_same() {
        let there = ring(&[(0.1, 0.2), (4.3, 0.7), (3.9, 4.1), (0.3, 3.7)]);
        let back: Vec<_> = there.iter().rev().copied().collect();
        for step in 0..2_000 {
            let position = at(f64::from(step % 50) * 0.1, f64::from(step / 50) * 0.12);
            assert!(side(&there, position) == side(&back, position));
        }
    }

    #[test]
    fn a_ring_without_an_inside_holds_nothing() {
        assert!(side(&ring(&[(1.0, 1.0), (1.0, 1.0), (1.0, 1.0)]), at(0.0, 1.0)) == Side::Outside);
    }
}
