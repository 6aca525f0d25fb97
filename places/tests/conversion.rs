//! The way between WGS 84 and the National Grid, against what Ordnance Survey publishes.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "what the tests share stands outside test functions"
)]

use places::{GridReference, NationalGrid, Wgs84, distance_metres};
use proptest::prelude::*;

/// The points of the OSTN15 developer pack (`OSTN15_OSGM15_TestInput_ETRStoOSGB.txt` and its output): all 40, with the islands.
const POINTS: &str = include_str!("ostn15_points.csv");

struct Point {
    name: &'static str,
    degrees: Wgs84,
    grid: NationalGrid,
}

fn points() -> Vec<Point> {
    let number = |text: &str| text.parse::<f64>().unwrap();
    POINTS
        .lines()
        .skip(1)
        .map(|line| {
            let [name, latitude, longitude, easting, northing] = line.split(',').collect::<Vec<_>>()[..] else {
                panic!("{line}");
            };
            Point {
                name,
                degrees: Wgs84::new(number(latitude), number(longitude)).unwrap(),
                grid: NationalGrid::new(number(easting), number(northing)).unwrap(),
            }
        })
        .collect()
}

fn apart(a: NationalGrid, b: NationalGrid) -> f64 {
    (a.easting() - b.easting()).hypot(a.northing() - b.northing())
}

#[test]
fn the_published_points_come_out_within_centimetres() {
    let away: Vec<(f64, &str)> = points()
        .iter()
        .map(|point| (apart(point.degrees.to_national_grid().unwrap(), point.grid), point.name))
        .collect();
    assert_eq!(away.len(), 40);
    let mean = away.iter().map(|(metres, _)| metres).sum::<f64>() / 40.0;
    let worst = away.iter().max_by(|a, b| a.0.total_cmp(&b.0)).unwrap();
    println!("mean {mean:.4} m, worst {worst:?}");
    assert!(mean < 0.02, "mean {mean} m");
    assert!(worst.0 < 0.10, "{worst:?}");
}

#[test]
fn the_published_points_come_back_within_centimetres() {
    for point in points() {
        let away = distance_metres(point.grid.to_wgs84(), point.degrees);
        assert!(away < 0.10, "{}: {away} m", point.name);
    }
}

/// "Transformations and OSGM15 user guide" v1.3, annexe A: Caister Water Tower, from step 1 to the end.
#[test]
fn the_guide_s_worked_example() {
    let tower = Wgs84::new(52.658_007_833, 1.716_073_972).unwrap();
    let grid = tower.to_national_grid().unwrap();
    assert!(apart(grid, NationalGrid::new(651_409.804, 313_177.450).unwrap()) < 0.05);
    assert_eq!(GridReference::of(grid, 10).unwrap().to_string(), "TG 5140 1317");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2_000) })]

    /// All over the grid there and back is the same place, to less than a millimetre.
    #[test]
    fn there_and_back_from_the_grid(easting in 1_000.0..699_000.0_f64, northing in 1_000.0..1_249_000.0_f64) {
        let point = NationalGrid::new(easting, northing).unwrap();
        let back = point.to_wgs84().to_national_grid().unwrap();
        prop_assert!(apart(point, back) < 0.001);
    }

    #[test]
    fn there_and_back_from_degrees(latitude in 50.0..60.8_f64, longitude in -7.0..1.7_f64) {
        let point = Wgs84::new(latitude, longitude).unwrap();
        let back = point.to_national_grid().unwrap().to_wgs84();
        prop_assert!(distance_metres(point, back) < 0.001);
    }

    /// On the ground and on the grid, distances are the same to within 1%.
    #[test]
    fn distances_agree_with_the_grid_s(easting in 100_000.0..650_000.0_f64, northing in 10_000.0..1_200_000.0_f64,
                                       east in -300.0..300.0_f64, north in -300.0..300.0_f64) {
        let here = NationalGrid::new(easting, northing).unwrap();
        let there = NationalGrid::new(easting + east, northing + north).unwrap();
        let ground = distance_metres(here.to_wgs84(), there.to_wgs84());
        prop_assert!((ground - apart(here, there)).abs() <= 0.01 * ground + 0.001);
    }

    /// No point of the world panics, and what is taken is on the grid.
    #[test]
    fn any_point_converts_or_is_refused(latitude in -90.0..=90.0_f64, longitude in -180.0..=180.0_f64) {
        let point = Wgs84::new(latitude, longitude).unwrap();
        if let Ok(grid) = point.to_national_grid() {
            prop_assert!(NationalGrid::new(grid.easting(), grid.northing()).is_ok());
            prop_assert!(distance_metres(grid.to_wgs84(), point) < 0.001);
        }
    }

    #[test]
    fn a_reference_reads_as_it_is_written(easting in 0.0..700_000.0_f64, northing in 0.0..1_250_000.0_f64, digits in 0_u32..5) {
        let point = NationalGrid::new(easting, northing).unwrap();
        let square = GridReference::of(point, 10_u32.pow(digits)).unwrap();
        let written = square.to_string();
        prop_assert_eq!(GridReference::new(&written).unwrap(), square);
        prop_assert_eq!(written.replace(' ', "").parse::<GridReference>().unwrap(), square);
        let size = f64::from(square.size_metres());
        let (east, north) = (easting - square.south_west().easting(), northing - square.south_west().northing());
        prop_assert!((0.0..size).contains(&east) && (0.0..size).contains(&north));
    }

    #[test]
    fn no_text_panics_as_a_reference(text in "\\PC{0,16}|[A-Za-z]{2} ?[0-9 ]{0,12}") {
        if let Ok(square) = GridReference::new(&text) {
            prop_assert_eq!(GridReference::new(&square.to_string()), Ok(square));
        }
    }
}
