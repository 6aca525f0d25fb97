//! The transverse Mercator projection of the National Grid.
//!
//! By Krüger's series to the fourth order in the third flattening (C. F. F. Karney, "Transverse Mercator with an accuracy of
//! a few nanometers", 2011, equations 7 to 12 and 35 and 36): good to a micrometre on the grid, both ways, where the series
//! of Ordnance Survey's guide is off by millimetres in the far west.

/// True origin and scale of the National Grid (Ordnance Survey, "A guide to coordinate systems in Great Britain", annexe A).
const LATITUDE: f64 = 49.0;
const LONGITUDE: f64 = -2.0;
const EASTING: f64 = 400_000.0;
const NORTHING: f64 = -100_000.0;
const SCALE: f64 = 0.999_601_271_7;

/// The National Grid's projection of one ellipsoid.
pub(super) struct Projection {
    /// Of the ellipsoid.
    eccentricity_squared: f64,
    /// Metres along the meridian for each radian of the sphere that the ellipsoid is laid on.
    radius: f64,
    /// From that sphere to the plane, and back.
    forward: [f64; 4],
    back: [f64; 4],
}

impl Projection {
    /// Of an ellipsoid with semi-major axis `a` and semi-minor axis `b`, in metres.
    pub(super) const fn national_grid(a: f64, b: f64) -> Self {
        let n = (a - b) / (a + b);
        let (n2, n3, n4) = (n * n, n * n * n, n * n * n * n);
        Self {
            eccentricity_squared: (a * a - b * b) / (a * a),
            radius: SCALE * a / (1.0 + n) * (1.0 + n2 / 4.0 + n4 / 64.0),
            forward: [
                n / 2.0 - n2 * 2.0 / 3.0 + n3 * 5.0 / 16.0 + n4 * 41.0 / 180.0,
                n2 * 13.0 / 48.0 - n3 * 3.0 / 5.0 + n4 * 557.0 / 1440.0,
                n3 * 61.0 / 240.0 - n4 * 103.0 / 140.0,
                n4 * 49_561.0 / 161_280.0,
            ],
            back: [
                n / 2.0 - n2 * 2.0 / 3.0 + n3 * 37.0 / 96.0 - n4 / 360.0,
                n2 / 48.0 + n3 / 15.0 - n4 * 437.0 / 1440.0,
                n3 * 17.0 / 480.0 - n4 * 37.0 / 840.0,
                n4 * 4397.0 / 161_280.0,
            ],
        }
    }

    /// Easting and northing in metres of a latitude and a longitude in degrees.
    pub(super) fn metres(&self, (latitude, longitude): (f64, f64)) -> (f64, f64) {
        let east_of_origin = (longitude - LONGITUDE).to_radians();
        let tangent = self.conformal(latitude.to_radians().tan());
        let along = tangent.atan2(east_of_origin.cos());
        let across = (east_of_origin.sin() / tangent.hypot(east_of_origin.cos())).asinh();
        let (along, across) = add_series(&self.forward, 1.0, along, across);
        (
            EASTING + self.radius * across,
            NORTHING + self.radius * (along - self.along_to_origin()),
        )
    }

    /// Latitude and longitude in degrees of an easting and a northing in metres.
    pub(super) fn degrees(&self, (easting, northing): (f64, f64)) -> (f64, f64) {
        let along = (northing - NORTHING) / self.radius + self.along_to_origin();
        let across = (easting - EASTING) / self.radius;
        let (along, across) = add_series(&self.back, -1.0, along, across);
        let tangent = along.sin() / across.sinh().hypot(along.cos());
        let longitude = across.sinh().atan2(along.cos()).to_degrees() + LONGITUDE;
        (self.geodetic(tangent).atan().to_degrees(), longitude)
    }

    /// How far the origin's latitude is from the equator along the meridian, as an angle.
    fn along_to_origin(&self) -> f64 {
        let along = self.conformal(LATITUDE.to_radians().tan()).atan();
        add_series(&self.forward, 1.0, along, 0.0).0
    }

    /// The tangent of the conformal latitude, from that of the geodetic one.
    fn conformal(&self, tangent: f64) -> f64 {
        let e = self.eccentricity_squared.sqrt();
        let sine = tangent / 1_f64.hypot(tangent);
        let stretch = (e * (e * sine).atanh()).sinh();
        tangent * 1_f64.hypot(stretch) - stretch * 1_f64.hypot(tangent)
    }

    /// The tangent of the geodetic latitude, from that of the conformal one, by Newton's method: three steps are as exact as
    /// the numbers are.
    fn geodetic(&self, conformal: f64) -> f64 {
        let flatness = 1.0 - self.eccentricity_squared;
        let mut tangent = conformal / flatness;
        for _ in 0..4 {
            let reached = self.conformal(tangent);
            let slope = flatness * 1_f64.hypot(reached) * 1_f64.hypot(tangent) / (1.0 + flatness * tangent * tangent);
            tangent += (conformal - reached) / slope;
        }
        tangent
    }
}

/// Adds (or, with -1, takes away) the series' terms.
fn add_series(terms: &[f64; 4], sign: f64, along: f64, across: f64) -> (f64, f64) {
    let mut sum = (along, across);
    let mut order = 0.0;
    for term in terms {
        order += 2.0;
        sum.0 += sign * term * (order * along).sin() * (order * across).cosh();
        sum.1 += sign * term * (order * along).cos() * (order * across).sinh();
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    fn degrees(degrees: f64, minutes: f64, seconds: f64) -> f64 {
        degrees + minutes / 60.0 + seconds / 3600.0
    }

    fn assert_metres(found: (f64, f64), expected: (f64, f64)) {
        let away = (found.0 - expected.0).hypot(found.1 - expected.1);
        assert!(away < 0.001, "{found:?} is {away} m from {expected:?}");
    }

    /// "Transformations and OSGM15 user guide" v1.3, annexe B, the worked example for the Airy 1830 ellipsoid; it is that of "A
    /// guide to coordinate systems in Great Britain" too.
    #[test]
    fn the_guide_s_example_on_airy_1830() {
        let airy = Projection::national_grid(6_377_563.396, 6_356_256.909);
        let point = (degrees(52.0, 39.0, 27.2531), degrees(1.0, 43.0, 4.5177));
        let metres = (651_409.903, 313_177.270);
        assert_metres(airy.metres(point), metres);
        assert_metres(airy.metres(airy.degrees(metres)), metres);
        let back = airy.degrees(metres);
        assert!(
            (back.0 - point.0).abs() < 2e-8 && (back.1 - point.1).abs() < 2e-8,
            "{back:?}"
        );
    }

    /// The same guide, annexe A, step 1: Caister Water Tower on GRS 80.
    #[test]
    fn the_guide_s_example_on_grs_80() {
        assert_metres(
            super::super::ETRS89.metres((52.658_007_833, 1.716_073_972)),
            (651_307.003, 313_255.686),
        );
    }

    #[test]
    fn there_and_back_is_the_same_place_all_over_the_grid() {
        for east in 0_u32..=14 {
            for north in 0_u32..=25 {
                let metres = (f64::from(east) * 50_000.0, f64::from(north) * 50_000.0);
                let back = super::super::ETRS89.metres(super::super::ETRS89.degrees(metres));
                let away = (back.0 - metres.0).hypot(back.1 - metres.1);
                assert!(away < 1e-5, "{metres:?}: {away} m");
            }
        }
    }
}
