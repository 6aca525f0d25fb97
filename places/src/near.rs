//! What lies near a point: for suggesting that a report may be of something reported before.
//!
//! The Earth is cut into cells. Whoever keeps, for each report, the cell that it is in can ask for what is in the cells around a
//! point, and then compare the few points found. A cell can be kept as a keyed hash, so that nobody reads from it where something is.

use std::fmt;

use crate::coordinates::{EARTH_RADIUS, Wgs84};

/// How wide a cell is, in metres. A search for duplicates goes some tens of metres.
const CELL: f64 = 50.0;

/// The furthest that a search goes, in metres: 125 cells, a few more where rounding asks for them.
pub const SEARCH_AT_MOST: u8 = 100;

/// A cube of space with sides of 50 metres, by its corner. Space has no poles and no date line to go around, and the straight way
/// between two points is never longer than the way on the ground.
///
/// It is personal as the point in it is: `Debug` prints nothing of it. [`Cell::name`] is for whoever hashes it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Cell([i64; 3]);

impl Cell {
    /// The one that a point is in.
    #[must_use]
    pub fn of(point: Wgs84) -> Self {
        Self(space(point).map(|at| whole(at / CELL)))
    }

    /// All that hold a point at most so many metres away, and others; [`SEARCH_AT_MOST`] at most.
    #[must_use]
    pub fn around(point: Wgs84, metres: u8) -> Vec<Self> {
        let centre = space(point);
        // A millimetre more than asked for: rounding must not lose what is right at the limit.
        let reach = f64::from(metres.min(SEARCH_AT_MOST)) + 0.001;
        let low = centre.map(|at| whole((at - reach) / CELL));
        let high = centre.map(|at| whole((at + reach) / CELL));
        let cells = (low[0]..=high[0])
            .flat_map(|x| (low[1]..=high[1]).flat_map(move |y| (low[2]..=high[2]).map(move |z| [x, y, z])));
        cells.map(Self).collect()
    }

    /// Its name, the same for ever: three whole numbers.
    #[must_use]
    pub fn name(self) -> String {
        let Self([x, y, z]) = self;
        format!("{x}:{y}:{z}")
    }
}

impl fmt::Debug for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Cell(..)")
    }
}

/// Where a point is in space, in metres from the middle of a round Earth.
fn space(point: Wgs84) -> [f64; 3] {
    let (latitude, longitude) = (point.latitude().to_radians(), point.longitude().to_radians());
    let from_axis = EARTH_RADIUS * latitude.cos();
    [
        from_axis * longitude.cos(),
        from_axis * longitude.sin(),
        EARTH_RADIUS * latitude.sin(),
    ]
}

/// The whole number below.
fn whole(number: f64) -> i64 {
    number.floor() as i64
}
