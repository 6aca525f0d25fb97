//! The British National Grid (OSGB36, EPSG:27700), and the way from and to WGS 84.
//!
//! The way is Ordnance Survey's own: project on the GRS 80 ellipsoid, then add the shifts of OSTN15, which *defines* OSGB36
//! ("Transformations and OSGM15 user guide", v1.3, 2020). Of its shifts, one each kilometre, the crate holds one each five:
//! 140 kB instead of 3.5 MB. What is lost was measured at all nodes of OSTN15 on land and 2 km around: 1 cm on average, 95%
//! within 4 cm, 99% within 6 cm, more than 10 cm at one in 740, and 38 cm at the worst, in South Wales.
//!
//! WGS 84 is taken as ETRS89, as maps do. The two drift apart 2.5 cm a year, to about 90 cm by 2026; what a phone measures is
//! off by more.

use std::fmt;

use crate::coordinates::{CoordinateError, Wgs84};

mod ostn15;
mod projection;
mod reference;

pub use reference::GridReference;

use projection::Projection;

/// GRS 80, the ellipsoid of ETRS89: semi-major and semi-minor axis in metres.
const ETRS89: Projection = Projection::national_grid(6_378_137.0, 6_356_752.314_1);

/// Degrees of latitude, then of longitude, that hold the whole grid with room to spare. Much further off the projection's series
/// means nothing.
const REACH: [std::ops::RangeInclusive<f64>; 2] = [49.0..=62.0, -11.0..=5.0];

/// A point in metres east and north on the British National Grid (OSGB36, EPSG:27700).
///
/// Guarantees: the easting is at least 0 and less than 700 000, the northing at least 0 and less than 1 250 000, which covers
/// Great Britain and the Isle of Man; `Debug` prints neither; it can't be serialised.
#[derive(Clone, Copy, PartialEq)]
pub struct NationalGrid {
    easting: f64,
    northing: f64,
}

impl NationalGrid {
    /// Metres east and metres north of the grid's origin.
    ///
    /// # Errors
    /// [`CoordinateError::Easting`] or [`CoordinateError::Northing`]: off the grid, or not a number.
    pub fn new(easting: f64, northing: f64) -> Result<Self, CoordinateError> {
        if !(0.0..700_000.0).contains(&easting) {
            return Err(CoordinateError::Easting);
        }
        if !(0.0..1_250_000.0).contains(&northing) {
            return Err(CoordinateError::Northing);
        }
        Ok(Self { easting, northing })
    }

    /// Metres east.
    #[must_use]
    pub const fn easting(self) -> f64 {
        self.easting
    }

    /// Metres north.
    #[must_use]
    pub const fn northing(self) -> f64 {
        self.northing
    }

    /// The same point in degrees. [`Wgs84::to_national_grid`] takes it back to less than a millimetre, unless it is as near as
    /// that to the grid's end. [The module](self) says how far it is from what Ordnance Survey would say.
    #[must_use]
    pub fn to_wgs84(self) -> Wgs84 {
        let target = (self.easting, self.northing);
        let mut unshifted = target;
        // The shifts change by less than a millimetre in a metre: each round gains three digits.
        for _ in 0..5 {
            let (east, north) = ostn15::shift(unshifted);
            unshifted = (target.0 - east, target.1 - north);
        }
        let (latitude, longitude) = ETRS89.degrees(unshifted);
        // No point of the grid is near the ends of the degrees.
        Wgs84 { latitude, longitude }
    }
}

impl Wgs84 {
    /// The same point on the National Grid; see [the module](crate::grid) for how exact it is.
    ///
    /// # Errors
    /// [`CoordinateError::OffGrid`]: the grid does not reach there.
    pub fn to_national_grid(self) -> Result<NationalGrid, CoordinateError> {
        let [latitudes, longitudes] = REACH;
        if !latitudes.contains(&self.latitude()) || !longitudes.contains(&self.longitude()) {
            return Err(CoordinateError::OffGrid);
        }
        let unshifted = ETRS89.metres((self.latitude(), self.longitude()));
        let (east, north) = ostn15::shift(unshifted);
        NationalGrid::new(unshifted.0 + east, unshifted.1 + north).map_err(|_| CoordinateError::OffGrid)
    }
}

impl fmt::Debug for NationalGrid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NationalGrid(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metres_have_their_ranges() {
        assert!(NationalGrid::new(0.0, 0.0).is_ok());
        assert!(NationalGrid::new(699_999.999, 1_249_999.999).is_ok());
        for (easting, northing, field) in [
            (-0.001, 0.0, "easting"),
            (700_000.0, 0.0, "easting"),
            (f64::NAN, 0.0, "easting"),
            (0.0, 1_250_000.0, "northing"),
            (0.0, f64::NAN, "northing"),
        ] {
            let error = NationalGrid::new(easting, northing).unwrap_err();
            assert_eq!(error.field(), Some(field), "{easting} {northing}");
        }
        assert_eq!(
            format!("{:?}", NationalGrid::new(1.0, 2.0).unwrap()),
            "NationalGrid(..)"
        );
    }

    #[test]
    fn what_the_grid_does_not_reach_is_refused() {
        for (latitude, longitude) in [
            (48.9, -2.0),
            (48.86, 2.35),
            (90.0, 0.0),
            (-52.0, 178.0),
            (55.0, 88.0),
            (61.9, 4.9),
        ] {
            let point = Wgs84::new(latitude, longitude).unwrap();
            assert_eq!(
                point.to_national_grid(),
                Err(CoordinateError::OffGrid),
                "{latitude} {longitude}"
            );
        }
    }
}
