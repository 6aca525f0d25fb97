//! The cells around a point hold whatever is near it.

#![allow(clippy::unwrap_used, reason = "what the tests share stands outside test functions")]

use places::{Cell, SEARCH_AT_MOST, Wgs84, distance_metres};
use proptest::prelude::*;

fn at(latitude: f64, longitude: f64) -> Wgs84 {
    Wgs84::new(latitude, longitude).unwrap()
}

#[test]
fn a_cell_s_name_stays() {
    // Kept as hashes for as long as a case is open: another name for the same place would lose those that are.
    assert_eq!(Cell::of(at(52.595, -0.99)).name(), "77389:-1338:101217");
    assert_eq!(format!("{:?}", Cell::of(at(52.595, -0.99))), "Cell(..)");
}

#[test]
fn a_search_has_an_end() {
    let most = Cell::around(at(52.595, -0.99), u8::MAX).len();
    assert_eq!(most, Cell::around(at(52.595, -0.99), SEARCH_AT_MOST).len());
    assert!((64..=216).contains(&most), "{most}");
}

proptest! {
    #[test]
    fn whatever_is_near_is_in_the_cells_around(
        latitude in -89.99..89.99_f64,
        longitude in -180.0..180.0_f64,
        north in -120.0..120.0_f64,
        east in -120.0..120.0_f64,
        metres in 1..=SEARCH_AT_MOST,
    ) {
        let point = at(latitude, longitude);
        let degree = 111_195.0;
        let further_east = longitude + east / (degree * latitude.to_radians().cos());
        let longitude = (further_east + 540.0).rem_euclid(360.0) - 180.0;
        let other = at((latitude + north / degree).clamp(-90.0, 90.0), longitude);
        let around = Cell::around(point, metres);
        let away = distance_metres(point, other);
        if away <= f64::from(metres) {
            prop_assert!(around.contains(&Cell::of(other)), "{away} metres away");
        }
        // Nothing is looked at that is several cells off.
        if around.contains(&Cell::of(other)) {
            prop_assert!(away <= (f64::from(metres) + 50.1) * 1.74, "{away} metres away, looked for within {metres}");
        }
        prop_assert!(around.contains(&Cell::of(point)));
    }
}
