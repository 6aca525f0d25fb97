//! The index of what is near, against looking at everything.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "what the tests share stands outside test functions"
)]

use std::collections::BTreeMap;

use places::{NearIndex, Wgs84, distance_metres};
use proptest::prelude::*;

fn at(latitude: f64, longitude: f64) -> Wgs84 {
    Wgs84::new(latitude, longitude).unwrap()
}

fn by_looking_at_all(points: &BTreeMap<u32, Wgs84>, point: Wgs84, metres: f64) -> Vec<(u32, f64)> {
    let mut found: Vec<_> = points
        .iter()
        .map(|(key, other)| (*key, distance_metres(point, *other)))
        .filter(|(_, away)| *away <= metres)
        .collect();
    found.sort_by(|a, b| a.1.total_cmp(&b.1).then(a.0.cmp(&b.0)));
    found
}

#[test]
fn the_nearest_comes_first_and_equals_by_key() {
    let mut index = NearIndex::new();
    for (key, latitude) in [("c", 52.000_2), ("b", 52.000_1), ("a", 52.000_1), ("far", 52.01)] {
        assert!(index.insert(key, at(latitude, -1.0)).is_none());
    }
    let found = index.near(at(52.0, -1.0), 50.0);
    let keys: Vec<&str> = found.iter().map(|(key, _)| *key).collect();
    assert_eq!(keys, ["a", "b", "c"]);
    assert!(
        (found[0].1 - 11.12).abs() < 0.01 && (found[2].1 - 22.24).abs() < 0.01,
        "{found:?}"
    );
}

#[test]
fn a_key_is_in_one_place_and_can_be_taken_out() {
    let mut index = NearIndex::new();
    let (here, there) = (at(52.0, -1.0), at(52.1, -1.0));
    index.insert(1, here);
    assert_eq!(index.insert(1, there), Some(here));
    assert_eq!((index.len(), index.near(here, 50.0)), (1, Vec::new()));
    assert_eq!(index.near(there, 0.0), [(1, 0.0)]);
    assert_eq!(index.remove(&1), Some(there));
    assert_eq!(index.remove(&1), None);
    assert!(index.is_empty() && index.near(there, f64::INFINITY).is_empty());
}

#[test]
fn a_radius_that_is_none_finds_nothing() {
    let mut index = NearIndex::new();
    index.insert(1, at(52.0, -1.0));
    assert!(index.near(at(52.0, -1.0), -0.5).is_empty());
    assert!(index.near(at(52.0, -1.0), f64::NAN).is_empty());
    assert_eq!(index.near(at(-52.0, 179.0), f64::INFINITY).len(), 1);
}

#[test]
fn the_points_are_not_printed_by_debug() {
    let mut index = NearIndex::new();
    index.insert("CASE-1", at(52.0, -1.0));
    assert_eq!(format!("{index:?}"), "NearIndex(1 points)");
}

/// Points close to each other around a few places, of which some are where degrees end.
fn point() -> impl Strategy<Value = Wgs84> {
    let places = prop::sample::select(vec![
        (52.6, -1.0),
        (0.0, 180.0),
        (0.0, -180.0),
        (89.999, 10.0),
        (-90.0, 0.0),
        (60.0, 0.0),
    ]);
    (places, -0.004..0.004_f64, -0.004..0.004_f64).prop_map(|((latitude, longitude), north, east)| {
        at(
            (latitude + north).clamp(-90.0, 90.0),
            (longitude + east).clamp(-180.0, 180.0),
        )
    })
}

/// Points far from all others, in a cell each: a search looks at everything while there are fewer cells than it would go
/// through.
fn far_away() -> impl Iterator<Item = (u32, Wgs84)> {
    (0..600).map(|step| (1_000 + step, at(-40.0, f64::from(step) * 0.01)))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(500) })]

    #[test]
    fn it_finds_what_looking_at_all_finds(
        many in any::<bool>(),
        steps in prop::collection::vec((0_u32..60, prop::option::weighted(0.8, point())), 1..120),
        searches in prop::collection::vec((point(), prop_oneof![0.0..300.0_f64, 0.0..30_000_000.0_f64]), 1..8),
    ) {
        let (mut index, mut points) = (NearIndex::new(), BTreeMap::new());
        for (key, point) in far_away().filter(|_| many) {
            index.insert(key, point);
            points.insert(key, point);
        }
        for (key, step) in steps {
            match step {
                Some(point) => prop_assert_eq!(index.insert(key, point), points.insert(key, point)),
                None => prop_assert_eq!(index.remove(&key), points.remove(&key)),
            }
        }
        prop_assert_eq!(index.len(), points.len());
        for (point, metres) in searches {
            prop_assert_eq!(index.near(point, metres), by_looking_at_all(&points, point, metres));
        }
    }

    /// At the limit exactly, the point is in.
    #[test]
    fn the_limit_is_within(here in point(), north in -0.002..0.002_f64, east in -0.002..0.002_f64) {
        let there = at((here.latitude() + north).clamp(-90.0, 90.0), (here.longitude() + east).clamp(-180.0, 180.0));
        let mut index = NearIndex::new();
        for (key, point) in far_away() {
            index.insert(key, point);
        }
        index.insert(1, there);
        let away = distance_metres(here, there);
        prop_assert_eq!(index.near(here, away), [(1, away)]);
    }
}
