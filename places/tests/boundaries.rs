//! Boundaries: what is read, what is refused and in which words, and which area a point is in.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "what the tests share stands outside test functions"
)]

use places::{Boundaries, PropertyNames, Wgs84};
use proptest::prelude::*;
use schemas::text::AreaCode;
use schemas::text::BoundaryEdition;

fn read(text: &str) -> Result<Boundaries, String> {
    let version = BoundaryEdition::new("2025-05").unwrap();
    Boundaries::read(text, version, &PropertyNames::new("WD25CD", "WD25NM")).map_err(|error| error.to_string())
}

fn feature(code: &str, kind: &str, coordinates: &str) -> String {
    format!(
        r#"{{"type":"Feature","properties":{{"WD25CD":"{code}","WD25NM":"Ward {code}"}},
            "geometry":{{"type":"{kind}","coordinates":{coordinates}}}}}"#
    )
}

fn collection(features: &[String]) -> String {
    format!(r#"{{"type":"FeatureCollection","features":[{}]}}"#, features.join(","))
}

fn square(west: f64, south: f64, size: f64) -> String {
    let (east, north) = (west + size, south + size);
    format!("[[{west},{south}],[{east},{south}],[{east},{north}],[{west},{north}],[{west},{south}]]")
}

fn at(longitude: f64, latitude: f64) -> Wgs84 {
    Wgs84::new(latitude, longitude).unwrap()
}

fn code_at(boundaries: &Boundaries, longitude: f64, latitude: f64) -> Option<&str> {
    boundaries
        .area_at(at(longitude, latitude))
        .map(|area| area.code().as_str())
}

#[test]
fn a_point_is_in_the_area_around_it() {
    let wards = read(&collection(&[
        feature("E05999002", "Polygon", &format!("[{}]", square(-1.0, 52.0, 0.5))),
        feature("E05999001", "Polygon", &format!("[{}]", square(-0.5, 52.0, 0.5))),
    ]))
    .unwrap();
    assert_eq!(code_at(&wards, -0.75, 52.25), Some("E05999002"));
    assert_eq!(code_at(&wards, -0.25, 52.25), Some("E05999001"));
    assert_eq!(code_at(&wards, -0.25, 52.75), None);
    assert_eq!(code_at(&wards, 52.25, -0.75), None, "swapped");
    let codes: Vec<&str> = wards.areas().iter().map(|area| area.code().as_str()).collect();
    assert_eq!(codes, ["E05999001", "E05999002"]);
    let ward = wards.area(&AreaCode::new("E05999002").unwrap()).unwrap();
    assert_eq!(ward.name(), "Ward E05999002");
    assert_eq!(
        format!("{wards:?} {ward:?}"),
        "Boundaries(2025-05, 2 areas) Area(E05999002, Ward E05999002)"
    );
}

#[test]
fn a_shared_edge_is_in_the_first_by_code() {
    // On the file's order it does not depend.
    let squares = [("E05999002", -1.0), ("E05999001", -0.5)]
        .map(|(code, west)| feature(code, "Polygon", &format!("[{}]", square(west, 52.0, 0.5))));
    let mut reversed = squares.to_vec();
    reversed.reverse();
    for order in [squares.to_vec(), reversed] {
        let wards = read(&collection(&order)).unwrap();
        for latitude in [52.0, 52.1, 52.25, 52.5] {
            assert_eq!(code_at(&wards, -0.5, latitude), Some("E05999001"), "{latitude}");
        }
        assert_eq!(code_at(&wards, -1.0, 52.0), Some("E05999002"), "an outer corner");
        assert_eq!(code_at(&wards, -0.75, 52.5), Some("E05999002"), "an outer edge");
    }
}

#[test]
fn a_hole_is_outside_and_its_edge_is_not() {
    let rings = format!("[{},{}]", square(-1.0, 52.0, 1.0), square(-0.75, 52.25, 0.5));
    let around = feature("E05999002", "Polygon", &rings);
    let alone = read(&collection(std::slice::from_ref(&around))).unwrap();
    assert_eq!(code_at(&alone, -0.5, 52.5), None);
    assert_eq!(code_at(&alone, -0.9, 52.5), Some("E05999002"));
    assert_eq!(code_at(&alone, -0.75, 52.5), Some("E05999002"));
    // What fills the hole has the edge where its code comes first.
    let filling = feature("E05999001", "Polygon", &format!("[{}]", square(-0.75, 52.25, 0.5)));
    let both = read(&collection(&[around, filling])).unwrap();
    assert_eq!(code_at(&both, -0.5, 52.5), Some("E05999001"));
    assert_eq!(code_at(&both, -0.75, 52.5), Some("E05999001"));
}

#[test]
fn an_area_may_have_several_parts() {
    let parts = format!(
        "[[{},{}],[{}]]",
        square(-1.0, 52.0, 0.4),
        square(-0.9, 52.1, 0.2),
        square(0.0, 53.0, 0.4)
    );
    let wards = read(&collection(&[feature("E05999001", "MultiPolygon", &parts)])).unwrap();
    for (longitude, latitude, inside) in [
        (-0.95, 52.05, true),
        (0.2, 53.2, true),
        (-0.8, 52.2, false),
        (-0.3, 52.7, false),
    ] {
        let area = wards.areas().first().unwrap();
        assert_eq!(area.contains(at(longitude, latitude)), inside, "{longitude} {latitude}");
    }
}

#[test]
fn the_version_proves_the_text() {
    let text = collection(&[feature(
        "E05999001",
        "Polygon",
        &format!("[{}]", square(-1.0, 52.0, 1.0)),
    )]);
    let version = read(&text).unwrap().version().clone();
    assert_eq!(version.version.as_str(), "2025-05");
    assert_eq!(&version, read(&text).unwrap().version());
    assert_ne!(version.sha256, read(&format!("{text}\n")).unwrap().version().sha256);
    // Of the sample it is what `sha256sum` says.
    let sample = read(include_str!("../sample/wards.geojson")).unwrap();
    assert_eq!(sample.version().sha256.as_str(), include_str!("wards.sha256").trim());
}

#[test]
fn what_other_tools_write_is_taken() {
    let ring = "[[-1,52,10],[0,52,10],[0,53,10.5],[-1,52,10]]";
    let triangle = feature("E05999001", "Polygon", &format!("[{ring}]"));
    let plain = collection(std::slice::from_ref(&triangle));
    let crs = r#""crs":{"type":"name","properties":{"name":"urn:ogc:def:crs:OGC:1.3:CRS84"}},"name":"WD_MAY_2025","#;
    for text in [
        plain.clone(),
        format!("\u{feff}{plain}"),
        plain.replacen(r#""features""#, &format!(r#"{crs}"features""#), 1),
        plain.replacen(r#""WD25CD""#, r#""OBJECTID":1,"LAT":52.1,"WD25NMW":null,"WD25CD""#, 1),
        plain.replacen(r#""geometry""#, r#""id":7,"bbox":[-1,52,0,53],"geometry""#, 1),
    ] {
        assert_eq!(code_at(&read(&text).unwrap(), -0.2, 52.3), Some("E05999001"), "{text}");
    }
}

/// What is wrong, and the sentence that says so.
#[test]
fn each_fault_has_its_sentence() {
    let fine = format!("[{}]", square(-1.0, 52.0, 1.0));
    let one = |kind: &str, coordinates: &str| collection(&[feature("E05999001", kind, coordinates)]);
    let good = one("Polygon", &fine);
    let in_feature = |from: &str, to: &str| good.replacen(from, to, 1);
    let second = |text: String| collection(&[feature("E05999001", "Polygon", &fine), text]);
    let collection_wanted = "expected a GeoJSON object of the type FeatureCollection";
    let crs_wanted = "crs: expected none, as GeoJSON is in WGS 84; convert the file (EPSG:4326)";
    let with_crs = |crs: &str| in_feature(r#""features""#, &format!(r#""crs":{crs},"features""#));
    for (text, sentence) in [
        (String::new(), "expected a JSON object (line 1, column 0)"),
        ("[1]".to_owned(), "expected a JSON object (line 1, column 0)"),
        (
            "{\"type\":\n\"Feature".to_owned(),
            "expected a JSON object (line 2, column 8)",
        ),
        ("{}".to_owned(), collection_wanted),
        (r#"{"type":"Feature"}"#.to_owned(), collection_wanted),
        (
            r#"{"type":"FeatureCollection"}"#.to_owned(),
            "features: expected an array",
        ),
        (
            r#"{"type":"FeatureCollection","features":{}}"#.to_owned(),
            "features: expected an array",
        ),
        (collection(&[]), "expected at least one feature"),
        (
            with_crs(r#"{"type":"name","properties":{"name":"urn:ogc:def:crs:EPSG::27700"}}"#),
            crs_wanted,
        ),
        (with_crs("null"), crs_wanted),
        (
            collection(&["7".to_owned()]),
            "feature 1: expected a Feature with properties and a geometry",
        ),
        (
            in_feature(r#""Feature""#, r#""Thing""#),
            "feature 1: expected an object of the type Feature",
        ),
        (
            in_feature("WD25CD", "WD24CD"),
            "feature 1: property WD25CD: expected text",
        ),
        (
            in_feature("\"E05999001\"", "5999001"),
            "feature 1: property WD25CD: expected text",
        ),
        (
            in_feature("Ward E05999001", " "),
            "feature 1: property WD25NM: expected text",
        ),
        (
            in_feature("E05999001", "00AB"),
            "feature 1: property WD25CD: expected the code of an area, such as E05009288: an upper-case letter and 8 digits",
        ),
        (
            second(feature("E05999001", "Polygon", &fine)),
            "feature 2: the code E05999001 is that of feature 1 too",
        ),
        (
            second(r#"{"type":"Feature","properties":{"WD25CD":"E05999002","WD25NM":"A"},"geometry":null}"#.to_owned()),
            "feature 2: expected a geometry",
        ),
        (
            second(r#"{"type":"Feature","properties":null,"geometry":null}"#.to_owned()),
            "feature 2: property WD25CD: expected text",
        ),
        (
            one("Point", "[-1,52]"),
            "feature 1: geometry: expected a Polygon or a MultiPolygon",
        ),
        (
            one("MultiPolygon", &fine),
            "feature 1: coordinates: expected those of a MultiPolygon",
        ),
        (
            one("Polygon", "[[[\"-1\",52]]]"),
            "feature 1: coordinates: expected those of a Polygon",
        ),
        (
            in_feature("\"coordinates\"", "\"points\""),
            "feature 1: coordinates: expected an array",
        ),
        (
            one("Polygon", "[]"),
            "feature 1: coordinates: expected at least one ring",
        ),
        (
            one("MultiPolygon", "[]"),
            "feature 1: coordinates: expected at least one polygon",
        ),
        (
            one("Polygon", "[[[-1,52],[0,52],[-1,52]]]"),
            "feature 1: ring 1: expected at least 4 positions, not 3",
        ),
        (
            one("Polygon", "[[]]"),
            "feature 1: ring 1: expected at least 4 positions, not 0",
        ),
        (
            one("Polygon", "[[[-1,52],[0,52],[0,53],[-1,53]]]"),
            "feature 1: ring 1: expected the last position to be the first, so that the ring is closed",
        ),
        (
            one("Polygon", "[[[-1,52],[181,52],[0,53],[-1,52]]]"),
            "feature 1: ring 1: position 2: expected degrees: a longitude from -180 to 180, then a latitude from -90 to 90",
        ),
        (
            one(
                "Polygon",
                "[[[430000,290000],[431000,290000],[431000,291000],[430000,290000]]]",
            ),
            "feature 1: ring 1: position 1: expected degrees: a longitude from -180 to 180, then a latitude from -90 to 90",
        ),
        (
            one("Polygon", "[[[52,-1],[52,0],[53,0],[52,-1]]]"),
            "feature 1: ring 1: position 1: expected a position in the United Kingdom, longitude before latitude",
        ),
        (
            one("Polygon", "[[[-1,52],[0]]]"),
            "feature 1: ring 1: position 2: expected a longitude and a latitude",
        ),
        (
            one(
                "MultiPolygon",
                &format!("[{fine},[{},[[0,52]]]]", square(-3.0, 52.0, 1.0)),
            ),
            "feature 1: polygon 2, ring 2: expected at least 4 positions, not 1",
        ),
    ] {
        assert_eq!(read(&text).map(|_| ()), Err(sentence.to_owned()), "{text}");
    }
}

#[test]
fn an_error_knows_its_feature() {
    let names = PropertyNames::new("LSOA21CD", "LSOA21NM");
    let text = include_str!("../sample/wards.geojson");
    let error = Boundaries::read(text, BoundaryEdition::new("2025-05").unwrap(), &names).unwrap_err();
    assert_eq!(error.feature(), Some(1));
    let error = Boundaries::read("", BoundaryEdition::new("2025-05").unwrap(), &names).unwrap_err();
    assert_eq!(error.feature(), None);
}

/// JSON of any shape, with the words of GeoJSON in it more often than chance would have.
fn json() -> impl Strategy<Value = String> {
    let word = prop::sample::select(vec![
        "\"FeatureCollection\"",
        "\"Feature\"",
        "\"Polygon\"",
        "\"MultiPolygon\"",
        "\"E05999001\"",
        "\"\"",
        "null",
        "true",
        "1e308",
        "-1",
        "52.5",
        "[]",
        "{}",
        "[[-1,52],[0,52],[0,53],[-1,52]]",
    ]);
    let leaf = word.prop_map(str::to_owned);
    leaf.prop_recursive(6, 64, 6, |inner| {
        let key = prop::sample::select(vec![
            "type",
            "features",
            "properties",
            "geometry",
            "coordinates",
            "crs",
            "WD25CD",
            "WD25NM",
            "",
        ]);
        let object = prop::collection::vec((key, inner.clone()), 0..6).prop_map(|members| {
            let members: Vec<String> = members
                .iter()
                .map(|(key, value)| format!("\"{key}\":{value}"))
                .collect();
            format!("{{{}}}", members.join(","))
        });
        let array = prop::collection::vec(inner, 0..6).prop_map(|items| format!("[{}]", items.join(",")));
        prop_oneof![object, array]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2_000) })]

    #[test]
    fn no_json_panics(whole in json(), coordinates in json(), kind in "Polygon|MultiPolygon") {
        let _ = read(&whole);
        let _ = read(&collection(&[whole]));
        let _ = read(&collection(&[feature("E05999001", &kind, &coordinates)]));
    }

    #[test]
    fn no_text_panics(text in "\\PC{0,60}", cut in 0_usize..3_000) {
        let _ = read(&text);
        let sample = include_str!("../sample/wards.geojson");
        let _ = read(sample.get(..cut).unwrap_or(sample));
    }

    /// The two sides of an edge that is no multiple of anything: each point around it is in exactly one of them, or on the
    /// edge.
    #[test]
    fn no_point_falls_between_neighbours(top in -0.6..-0.4_f64, bottom in -0.6..-0.4_f64, along in 0.0..1.0_f64) {
        let west = format!("[[[-1,52],[{bottom},52],[{top},53],[-1,53],[-1,52]]]");
        let east = format!("[[[{bottom},52],[0,52],[0,53],[{top},53],[{bottom},52]]]");
        let wards = read(&collection(&[feature("E05999001", "Polygon", &west), feature("E05999002", "Polygon", &east)])).unwrap();
        let on_edge = bottom + (top - bottom) * along;
        for nudge in [-1.0, 0.0, 1.0] {
            let longitude = on_edge + nudge * f64::EPSILON;
            prop_assert!(code_at(&wards, longitude, 52.0 + along).is_some());
        }
    }
}
