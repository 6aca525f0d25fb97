//! The point of a place, as it was reported.

use schemas::FieldError;
use schemas::text::Place;

use crate::coordinates::{CoordinateError, Wgs84, distance_metres};
use crate::grid::NationalGrid;

/// How far the two forms of one point may be from each other, in metres: other software converts them less exactly.
pub const FORMS_AGREE_WITHIN: f64 = 10.0;

impl Wgs84 {
    /// The point that a place gives, in degrees or in metres on the National Grid; none where it has no coordinates.
    ///
    /// # Errors
    /// [`FieldError`], by its pointer within the place: one of two coordinates is missing, one is out of range, or both forms are
    /// given and say different points.
    pub fn of_place(place: &Place) -> Result<Option<Self>, FieldError> {
        let degrees = pair([("latitude", place.latitude), ("longitude", place.longitude)])?;
        let metres = pair([("easting", place.easting), ("northing", place.northing)])?;
        let degrees = degrees.map(|[north, east]| Self::new(north, east)).transpose();
        let metres = metres.map(|[east, north]| NationalGrid::new(east, north)).transpose();
        let (degrees, metres) = (
            degrees.map_err(fault)?,
            metres.map_err(fault)?.map(NationalGrid::to_wgs84),
        );
        if let (Some(degrees), Some(metres)) = (degrees, metres)
            && distance_metres(degrees, metres) > FORMS_AGREE_WITHIN
        {
            let message =
                "easting and northing say another point than latitude and longitude: give one of the two forms";
            return Err(FieldError::new("/easting", "points_differ", message));
        }
        Ok(degrees.or(metres))
    }
}

/// Both or neither.
fn pair([(first, a), (second, b)]: [(&str, Option<f64>); 2]) -> Result<Option<[f64; 2]>, FieldError> {
    let missing = |name: &str, other: &str| {
        let message = format!("{other} is given without it: give both");
        FieldError::new(format!("/{name}"), "missing_field", message)
    };
    match (a, b) {
        (Some(a), Some(b)) => Ok(Some([a, b])),
        (None, None) => Ok(None),
        (Some(_), None) => Err(missing(second, first)),
        (None, Some(_)) => Err(missing(first, second)),
    }
}

fn fault(error: CoordinateError) -> FieldError {
    let pointer = error.field().map_or_else(String::new, |field| format!("/{field}"));
    FieldError::new(pointer, "invalid_value", error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(json: &str) -> Result<Option<Wgs84>, FieldError> {
        Wgs84::of_place(&serde_json::from_str(json).unwrap())
    }

    #[test]
    fn both_forms_give_a_point_and_agree() {
        let degrees = of(r#"{"latitude":52.595,"longitude":-0.99}"#).unwrap().unwrap();
        let grid = degrees.to_national_grid().unwrap();
        let (east, north) = (grid.easting(), grid.northing());
        let metres = of(&format!(r#"{{"easting":{east},"northing":{north}}}"#))
            .unwrap()
            .unwrap();
        assert!(distance_metres(degrees, metres) < 0.01);
        let both = |east: f64| {
            of(&format!(
                r#"{{"latitude":52.595,"longitude":-0.99,"easting":{east},"northing":{north}}}"#
            ))
        };
        assert_eq!(both(east + 9.0), Ok(Some(degrees)));
        let fault = both(east + 11.0).unwrap_err();
        assert_eq!(
            (fault.pointer.as_str(), fault.code.as_str()),
            ("/easting", "points_differ")
        );
        assert_eq!(of(r#"{"usrn":"20401234"}"#), Ok(None));
    }

    #[test]
    fn half_a_point_is_none() {
        for (json, pointer) in [
            (r#"{"latitude":52.595}"#, "/longitude"),
            (r#"{"longitude":-0.99}"#, "/latitude"),
            (r#"{"easting":468000}"#, "/northing"),
            (r#"{"northing":298000,"latitude":52.595,"longitude":-0.99}"#, "/easting"),
        ] {
            let fault = of(json).unwrap_err();
            assert_eq!(
                (fault.pointer.as_str(), fault.code.as_str()),
                (pointer, "missing_field")
            );
        }
    }
}
