//! Boundaries, grid references, coordinates and what is near.
//!
//! The first byte chooses what the rest is. Held, whatever the bytes:
//!
//! - Boundaries are read or refused with a sentence. Those that were read have areas, each code once and in order, and the area that a
//!   point is said to be in holds it; the same point gives the same answer.
//! - A grid reference that was read is written and read again as the same, and is the square that its corner and its middle are in.
//! - A point on the grid comes back from degrees to less than a millimetre, unless that is off the grid's end.
//! - What is near is in the cells that are looked at.

#![no_main]

use libfuzzer_sys::{Corpus, fuzz_target};
use places::{
    Boundaries, Cell, CouncilArea, GridReference, NationalGrid, PropertyNames, SEARCH_AT_MOST, Wgs84, distance_metres,
};

fuzz_target!(|bytes: &[u8]| -> Corpus {
    let Some((choice, rest)) = bytes.split_first() else {
        return Corpus::Reject;
    };
    match (choice % 4, std::str::from_utf8(rest)) {
        (0, Ok(text)) => boundaries(text),
        (1, Ok(text)) => reference(text),
        (2, _) => coordinates(rest),
        (3, _) => near(rest),
        _ => return Corpus::Reject,
    }
    Corpus::Keep
});

fn boundaries(text: &str) {
    let version = schemas::text::BoundaryEdition::new("2025-05").expect("a name");
    let names = PropertyNames::new("WD25CD", "WD25NM");
    let boundaries = match Boundaries::read(text, version.clone(), &names) {
        Ok(boundaries) => boundaries,
        Err(error) => {
            assert!(!error.to_string().is_empty() && error.feature() != Some(0));
            return;
        }
    };
    let areas = boundaries.areas();
    assert!(!areas.is_empty() && areas.windows(2).all(|pair| pair[0].code() < pair[1].code()));
    for area in areas {
        assert!(boundaries.area(area.code()) == Some(area) && !area.name().is_empty());
    }
    let again = Boundaries::read(text, version, &names).expect("what was read once");
    assert!(again == boundaries);
    let council = CouncilArea::new(boundaries.clone(), None);
    let points =
        (0..=12).flat_map(|north| (0..=16).map(move |east| (49.0 + f64::from(north), -13.0 + f64::from(east))));
    let within = (0..=8)
        .flat_map(|north| (0..=8).map(move |east| (52.58 + f64::from(north) / 100.0, -1.03 + f64::from(east) / 100.0)));
    for (latitude, longitude) in points.chain(within) {
        let point = Wgs84::new(latitude, longitude).expect("degrees");
        let area = boundaries.area_at(point);
        assert!(area.is_none_or(|area| area.contains(point)));
        let located = council.check(point).ok();
        assert_eq!(
            located.map(|located| located.ward.code),
            area.map(|area| area.code().clone())
        );
    }
}

fn reference(text: &str) {
    let Ok(reference) = GridReference::new(text) else {
        return;
    };
    assert!(
        GridReference::new(&reference.to_string()) == Ok(reference),
        "{reference}"
    );
    let size = reference.size_metres();
    for point in [reference.south_west(), reference.centre()] {
        assert!(GridReference::of(point, size) == Some(reference), "{reference}");
        comes_back(point);
    }
}

fn coordinates(bytes: &[u8]) {
    let Some((&first, rest)) = bytes.split_first_chunk() else {
        return;
    };
    let Some(&second) = rest.first_chunk() else { return };
    let (first, second) = (f64::from_le_bytes(first), f64::from_le_bytes(second));
    if let Ok(point) = NationalGrid::new(first, second) {
        comes_back(point);
        for size in [0, 1, 10, 100, 1_000, 10_000, 100_000] {
            let Some(reference) = GridReference::of(point, size) else {
                continue;
            };
            let corner = reference.south_west();
            let inside = |at: f64, from: f64| (from..from + f64::from(size)).contains(&at);
            assert!(
                inside(first, corner.easting()) && inside(second, corner.northing()),
                "{reference}"
            );
        }
    }
    if let Ok(point) = Wgs84::new(first, second)
        && let Ok(on_grid) = point.to_national_grid()
    {
        comes_back(on_grid);
    }
}

fn comes_back(point: NationalGrid) {
    let near_the_end = |at: f64, end: f64| at < 0.001 || end - at < 0.001;
    match point.to_wgs84().to_national_grid() {
        Ok(back) => {
            let (east, north) = (back.easting() - point.easting(), back.northing() - point.northing());
            assert!(east.hypot(north) < 0.001, "{} metres off", east.hypot(north));
        }
        Err(error) => assert!(
            near_the_end(point.easting(), 700_000.0) || near_the_end(point.northing(), 1_250_000.0),
            "{error}: {} {}",
            point.easting(),
            point.northing()
        ),
    }
}

/// How far, where from, and points: a byte, then eight bytes a number. Points are few metres apart, so that several are near.
fn near(bytes: &[u8]) {
    let Some((metres, bytes)) = bytes.split_first() else { return };
    let metres = metres % (SEARCH_AT_MOST + 1);
    let numbers = bytes.chunks_exact(8).filter_map(|bytes| bytes.first_chunk());
    let numbers: Vec<f64> = numbers.map(|bytes| f64::from_le_bytes(*bytes)).collect();
    let mut points = numbers
        .chunks_exact(2)
        .filter_map(|pair| Wgs84::new(pair[0], pair[1]).ok());
    let Some(from) = points.next() else { return };
    let around = Cell::around(from, metres);
    for point in points.filter(|point| distance_metres(from, *point) <= f64::from(metres)) {
        assert!(around.contains(&Cell::of(point)), "within {metres}");
    }
}
