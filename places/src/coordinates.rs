//! Points as phones and maps on the web give them, and how far they are from each other.

use std::fmt;

/// Why coordinates were not taken. It names the coordinate that is wrong, and never what was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CoordinateError {
    /// Not a number, or no latitude.
    #[error("latitude: expected at least -90 and at most 90 degrees")]
    Latitude,
    /// Not a number, or no longitude.
    #[error("longitude: expected at least -180 and at most 180 degrees")]
    Longitude,
    /// Not a number, or off the grid.
    #[error("easting: expected at least 0 and less than 700000 metres")]
    Easting,
    /// Not a number, or off the grid.
    #[error("northing: expected at least 0 and less than 1250000 metres")]
    Northing,
    /// A point of the world that the National Grid does not reach.
    #[error("expected a point on the National Grid, which covers Great Britain and the sea around it")]
    OffGrid,
    /// Not a grid reference.
    #[error("expected a grid reference such as TQ 30098 80123: two letters, then 2 to 10 digits in two halves")]
    GridReference,
}

impl CoordinateError {
    /// The name of the field that is wrong, where it is one: `latitude`, `longitude`, `easting`, `northing` or
    /// `grid_reference`.
    #[must_use]
    pub const fn field(self) -> Option<&'static str> {
        match self {
            Self::Latitude => Some("latitude"),
            Self::Longitude => Some("longitude"),
            Self::Easting => Some("easting"),
            Self::Northing => Some("northing"),
            Self::GridReference => Some("grid_reference"),
            Self::OffGrid => None,
        }
    }
}

/// A point in degrees of WGS 84 (EPSG:4326).
///
/// Guarantees: both are numbers, -90 to 90 north and -180 to 180 east; `Debug` prints neither; it can't be serialised.
#[derive(Clone, Copy, PartialEq)]
pub struct Wgs84 {
    pub(crate) latitude: f64,
    pub(crate) longitude: f64,
}

impl Wgs84 {
    /// Degrees north and degrees east.
    ///
    /// # Errors
    /// [`CoordinateError::Latitude`] or [`CoordinateError::Longitude`]: out of range, or not a number.
    pub fn new(latitude: f64, longitude: f64) -> Result<Self, CoordinateError> {
        // Not a number is in no range.
        if !(-90.0..=90.0).contains(&latitude) {
            return Err(CoordinateError::Latitude);
        }
        if !(-180.0..=180.0).contains(&longitude) {
            return Err(CoordinateError::Longitude);
        }
        Ok(Self { latitude, longitude })
    }

    /// Degrees north.
    #[must_use]
    pub const fn latitude(self) -> f64 {
        self.latitude
    }

    /// Degrees east.
    #[must_use]
    pub const fn longitude(self) -> f64 {
        self.longitude
    }
}

impl fmt::Debug for Wgs84 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Wgs84(..)")
    }
}

/// The mean radius of the Earth in metres (IUGG, R1 of GRS 80).
pub(crate) const EARTH_RADIUS: f64 = 6_371_008.8;

/// How far two points are from each other in metres, along a great circle of a sphere (the haversine formula).
///
/// The Earth is no sphere: the figure is within 0.6% of the distance on the ellipsoid, 30 cm in 50 m. It is the same both ways.
#[must_use]
pub fn distance_metres(a: Wgs84, b: Wgs84) -> f64 {
    let half = |from: f64, to: f64| ((to - from).to_radians() / 2.0).sin().powi(2);
    let cosines = a.latitude.to_radians().cos() * b.latitude.to_radians().cos();
    let h = half(a.latitude, b.latitude) + cosines * half(a.longitude, b.longitude);
    // Rounding can take opposite ends of the Earth past 1.
    2.0 * EARTH_RADIUS * h.clamp(0.0, 1.0).sqrt().asin()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(latitude: f64, longitude: f64) -> Wgs84 {
        Wgs84::new(latitude, longitude).unwrap()
    }

    #[test]
    fn degrees_have_their_ranges() {
        assert!(Wgs84::new(90.0, -180.0).is_ok());
        for (latitude, longitude, field) in [
            (90.000_001, 0.0, "latitude"),
            (f64::NAN, 0.0, "latitude"),
            (f64::NEG_INFINITY, 0.0, "latitude"),
            (0.0, 180.5, "longitude"),
            (0.0, f64::NAN, "longitude"),
            (51.0, f64::INFINITY, "longitude"),
        ] {
            let error = Wgs84::new(latitude, longitude).unwrap_err();
            assert_eq!(error.field(), Some(field), "{latitude} {longitude}");
            assert!(error.to_string().starts_with(field), "{error}");
        }
    }

    #[test]
    fn a_point_is_not_printed_by_debug() {
        assert_eq!(format!("{:?}", at(51.5, -0.12)), "Wgs84(..)");
    }

    #[test]
    fn distances_are_a_sphere_s() {
        let degree = EARTH_RADIUS * std::f64::consts::PI / 180.0;
        assert!((distance_metres(at(52.0, -1.0), at(53.0, -1.0)) - degree).abs() < 1e-6);
        assert!((distance_metres(at(0.0, 179.5), at(0.0, -179.5)) - degree).abs() < 1e-6);
        assert!((distance_metres(at(90.0, 0.0), at(-90.0, 0.0)) - 180.0 * degree).abs() < 1e-3);
        assert_eq!(distance_metres(at(52.0, -1.0), at(52.0, -1.0)), 0.0);
    }
}
