//! The council's area, on the sample: a town that does not exist.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "what the tests share stands outside test functions"
)]

use places::{Boundaries, CouncilArea, NationalGrid, OutsideArea, PropertyNames, Wgs84};
use schemas::located::Located;
use schemas::text::{AreaCode, BoundaryEdition};
use serde_json::json;

fn boundaries(text: &str, kind: &str) -> Boundaries {
    let names = PropertyNames::new(&format!("{kind}CD"), &format!("{kind}NM"));
    Boundaries::read(text, BoundaryEdition::new("2025-05").unwrap(), &names).unwrap()
}

fn council() -> CouncilArea {
    CouncilArea::new(
        boundaries(include_str!("../sample/wards.geojson"), "WD25"),
        Some(boundaries(include_str!("../sample/areas.geojson"), "LSOA21")),
    )
}

fn at(latitude: f64, longitude: f64) -> Wgs84 {
    Wgs84::new(latitude, longitude).unwrap()
}

fn codes(located: &Located) -> (&str, Option<&str>) {
    let area = located.statistical_area.as_ref();
    (located.ward.code.as_str(), area.map(|area| area.code.as_str()))
}

/// The town's centre, in Market Place, which lies in a hole of Ringmoor.
const CENTRE: (f64, f64) = (52.5955, -0.985);

#[test]
fn a_point_has_its_ward_and_area() {
    let council = council();
    for (latitude, longitude, ward, area) in [
        (52.6165, -1.005, "E05999001", "E01999001"),
        (52.6165, -0.945, "E05999002", "E01999003"),
        (52.6025, -0.985, "E05999003", "E01999005"),
        (CENTRE.0, CENTRE.1, "E05999005", "E01999009"),
        (52.5815, -0.945, "E05999003", "E01999006"),
    ] {
        let located = council.check(at(latitude, longitude)).unwrap();
        assert_eq!(codes(&located), (ward, Some(area)), "{latitude} {longitude}");
    }
    let ward = council.wards().area(&AreaCode::new("E05999005").unwrap()).unwrap();
    assert_eq!(ward.name(), "Market Place");
}

#[test]
fn a_point_on_the_grid_is_found_too() {
    let grid = at(CENTRE.0, CENTRE.1).to_national_grid().unwrap();
    let rounded = NationalGrid::new(grid.easting().round(), grid.northing().round()).unwrap();
    assert_eq!(codes(&council().check(rounded.to_wgs84()).unwrap()).0, "E05999005");
}

#[test]
fn outside_is_said_without_the_point() {
    for (latitude, longitude) in [(52.63, -0.98), (51.5, -0.12), (-0.98, 52.6), (90.0, 0.0)] {
        assert_eq!(
            council().check(at(latitude, longitude)),
            Err(OutsideArea),
            "{latitude} {longitude}"
        );
    }
    assert_eq!(OutsideArea.to_string(), "expected a point inside the council's area");
}

#[test]
fn an_area_that_reaches_beyond_the_wards_makes_nothing_the_council_s() {
    // The statistical areas stand for wards, and one ward is left out.
    let text = include_str!("../sample/wards.geojson");
    let fewer: String = text
        .lines()
        .filter(|line| !line.contains("E05999005"))
        .map(str::to_owned)
        .collect();
    let reaching = boundaries(text, "WD25");
    let council = CouncilArea::new(boundaries(&fewer, "WD25"), Some(reaching));
    assert_eq!(council.check(at(CENTRE.0, CENTRE.1)), Err(OutsideArea));
}

/// Each point of the area is in one ward and one statistical area of that ward: there are no gaps, and the two files agree.
#[test]
fn wards_and_areas_of_the_sample_fit() {
    let council = council();
    assert_eq!(
        (
            council.wards().areas().len(),
            council.statistical_areas().unwrap().areas().len()
        ),
        (6, 12)
    );
    let mut inside = 0;
    for step in 0..40_000_u32 {
        let (east, north) = (f64::from(step % 200), f64::from(step / 200));
        let point = at(52.575 + north * 0.000_25, -1.025 + east * 0.000_45);
        let wards = council
            .wards()
            .areas()
            .iter()
            .filter(|ward| ward.contains(point))
            .count();
        assert!(wards <= 1, "no two wards overlap");
        let Ok(located) = council.check(point) else { continue };
        inside += 1;
        let (ward, area) = codes(&located);
        let area: u32 = area.unwrap()[6..].parse().unwrap();
        assert_eq!(ward[6..].parse::<u32>().unwrap(), area.div_ceil(2));
    }
    // 48 squares of 0.01 by 0.007 degrees, looked at each 0.00045 by 0.00025.
    assert!((26_000..34_000).contains(&inside), "{inside}");
}

#[test]
fn without_statistical_areas_there_is_the_ward() {
    let council = CouncilArea::new(boundaries(include_str!("../sample/wards.geojson"), "WD25"), None);
    let located = council.check(at(CENTRE.0, CENTRE.1)).unwrap();
    assert_eq!(codes(&located), ("E05999005", None));
    let written = serde_json::to_value(&located).unwrap();
    assert!(written.get("statistical_area").is_none(), "{written}");
    assert_eq!(serde_json::from_value::<Located>(written).unwrap(), located);
}

/// The form that stands in events. What is written once is read for ever: this test may grow, it may not change.
#[test]
fn the_recorded_form_stays() {
    let (wards, areas) = (include_str!("wards.sha256").trim(), include_str!("areas.sha256").trim());
    let recorded = json!({
        "ward": { "code": "E05999005", "boundaries": { "version": "2025-05", "sha256": wards } },
        "statistical_area": { "code": "E01999009", "boundaries": { "version": "2025-05", "sha256": areas } },
    });
    let located = council().check(at(CENTRE.0, CENTRE.1)).unwrap();
    assert_eq!(serde_json::to_value(&located).unwrap(), recorded);
    assert_eq!(serde_json::from_value::<Located>(recorded).unwrap(), located);
}

#[test]
fn the_recorded_form_has_a_schema() {
    let schema = schemars::schema_for!(Located).to_value();
    let definition = |name: &str, pointer: &str| schema.pointer(&format!("/$defs/{name}{pointer}")).cloned();
    assert_eq!(schema["required"], json!(["ward"]));
    assert_eq!(definition("AreaOf", "/required"), Some(json!(["code", "boundaries"])));
    assert_eq!(definition("AreaCode", "/pattern"), Some(json!("^[A-Z][0-9]{8}$")));
    assert_eq!(
        definition("BoundaryVersion", "/required"),
        Some(json!(["version", "sha256"]))
    );
    assert_eq!(definition("Digest", "/pattern"), Some(json!("^[0-9a-f]{64}$")));
    assert!(serde_json::from_value::<Located>(json!({ "ward": { "code": "E05" } })).is_err());
}
