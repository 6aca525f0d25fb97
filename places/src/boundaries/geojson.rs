//! Reads areas from GeoJSON (RFC 7946), and says in a sentence what is wrong with it.

use std::collections::{BTreeMap, HashMap};

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::shape::{Polygon, Position, Rectangle};
use super::{Area, BoundaryError, PropertyNames};
use schemas::text::AreaCode;

/// How `crs` members of the time before RFC 7946 name WGS 84 with the longitude first.
const LONGITUDE_FIRST: [&str; 4] = [
    "urn:ogc:def:crs:OGC:1.3:CRS84",
    "urn:ogc:def:crs:OGC::CRS84",
    "urn:ogc:def:crs:EPSG::4326",
    "EPSG:4326",
];

/// Degrees east and degrees north that hold the United Kingdom. A file that gives the latitude first is elsewhere: every report
/// would be outside of it.
const UNITED_KINGDOM: [std::ops::RangeInclusive<f64>; 2] = [-14.0..=3.0, 49.0..=62.0];

type Problem = String;

#[derive(Deserialize)]
struct Feature<'a> {
    r#type: String,
    properties: Option<BTreeMap<String, Value>>,
    #[serde(borrow)]
    geometry: Option<Geometry<'a>>,
}

#[derive(Deserialize)]
struct Geometry<'a> {
    r#type: String,
    #[serde(borrow)]
    coordinates: Option<&'a RawValue>,
}

type Ring = Vec<Vec<f64>>;

/// The areas of a collection, in its order. There is one at least, and no code stands twice.
pub(super) fn areas(text: &str, properties: &PropertyNames) -> Result<Vec<Area>, BoundaryError> {
    let whole = |problem: Problem| BoundaryError { feature: None, problem };
    let mut areas = Vec::new();
    let mut seen: HashMap<AreaCode, usize> = HashMap::new();
    for (number, feature) in (1..).zip(features(text).map_err(whole)?) {
        let wrong = |problem: Problem| BoundaryError {
            feature: Some(number),
            problem,
        };
        let area = area(feature, properties).map_err(wrong)?;
        if let Some(before) = seen.insert(area.code.clone(), number) {
            let problem = format!("the code {} is that of feature {before} too", area.code);
            return Err(wrong(problem));
        }
        areas.push(area);
    }
    if areas.is_empty() {
        return Err(whole("expected at least one feature".to_owned()));
    }
    Ok(areas)
}

fn features(text: &str) -> Result<Vec<&RawValue>, Problem> {
    // Some tools begin a file with a byte order mark; RFC 8259 section 8.1 lets it be passed over.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let members: HashMap<String, &RawValue> =
        serde_json::from_str(text).map_err(|error| format!("expected a JSON object ({})", place(&error)))?;
    if members
        .get("type")
        .is_none_or(|kind| kind.get() != "\"FeatureCollection\"")
    {
        return Err("expected a GeoJSON object of the type FeatureCollection".to_owned());
    }
    if let Some(crs) = members.get("crs") {
        check_reference_system(crs)?;
    }
    let features = members.get("features").map(|features| read(features));
    features
        .and_then(Result::ok)
        .ok_or_else(|| "features: expected an array".to_owned())
}

/// RFC 7946 section 4 did away with the member; what it says must still be right where it stands.
fn check_reference_system(crs: &RawValue) -> Result<(), Problem> {
    let crs: Value = read(crs).unwrap_or_default();
    let name = crs.pointer("/properties/name").and_then(Value::as_str);
    if name.is_some_and(|name| LONGITUDE_FIRST.contains(&name)) {
        Ok(())
    } else {
        Err("crs: expected none, as GeoJSON is in WGS 84; convert the file (EPSG:4326)".to_owned())
    }
}

fn area(feature: &RawValue, names: &PropertyNames) -> Result<Area, Problem> {
    let feature: Feature<'_> = serde_json::from_str(feature.get())
        .map_err(|_| "expected a Feature with properties and a geometry".to_owned())?;
    if feature.r#type != "Feature" {
        return Err("expected an object of the type Feature".to_owned());
    }
    let properties = feature.properties.unwrap_or_default();
    let code = property(&properties, &names.code)?;
    let code = AreaCode::new(code).map_err(|error| format!("property {}: {error}", names.code))?;
    let name = property(&properties, &names.name)?.to_owned();
    let polygons = polygons(&feature.geometry.ok_or("expected a geometry")?)?;
    let bounds = polygons
        .iter()
        .fold(Rectangle::EMPTY, |bounds, polygon| bounds.and(polygon.bounds()));
    Ok(Area {
        code,
        name,
        bounds,
        polygons,
    })
}

fn property<'a>(properties: &'a BTreeMap<String, Value>, name: &str) -> Result<&'a str, Problem> {
    let text = properties.get(name).and_then(Value::as_str).unwrap_or_default().trim();
    if text.is_empty() {
        Err(format!("property {name}: expected text"))
    } else {
        Ok(text)
    }
}

fn polygons(geometry: &Geometry<'_>) -> Result<Vec<Polygon>, Problem> {
    let coordinates = geometry.coordinates.ok_or("coordinates: expected an array")?;
    let polygons: Vec<Vec<Ring>> = match geometry.r#type.as_str() {
        "Polygon" => read(coordinates).map(|polygon| vec![polygon]),
        "MultiPolygon" => read(coordinates),
        _ => return Err("geometry: expected a Polygon or a MultiPolygon".to_owned()),
    }
    .map_err(|_| format!("coordinates: expected those of a {}", geometry.r#type))?;
    if polygons.is_empty() {
        return Err("coordinates: expected at least one polygon".to_owned());
    }
    let several = polygons.len() > 1;
    (1..)
        .zip(polygons)
        .map(|(number, rings)| {
            let of_polygon = |problem: Problem| {
                if several {
                    format!("polygon {number}, {problem}")
                } else {
                    problem
                }
            };
            polygon(&rings).map_err(of_polygon)
        })
        .collect()
}

fn polygon(rings: &[Ring]) -> Result<Polygon, Problem> {
    let rings: Result<Vec<_>, _> = (1..)
        .zip(rings)
        .map(|(number, positions)| ring(positions).map_err(|problem| format!("ring {number}: {problem}")))
        .collect();
    let mut rings = rings?.into_iter();
    let outer = rings.next().ok_or("coordinates: expected at least one ring")?;
    Ok(Polygon::new(outer, rings.collect()))
}

/// A linear ring (section 3.1.6).
fn ring(positions: &[Vec<f64>]) -> Result<Vec<Position>, Problem> {
    let read: Result<Vec<Position>, Problem> = (1..)
        .zip(positions)
        .map(|(number, numbers)| position(numbers).map_err(|problem| format!("position {number}: {problem}")))
        .collect();
    let read = read?;
    if read.len() < 4 {
        return Err(format!("expected at least 4 positions, not {}", read.len()));
    }
    if read.first() != read.last() {
        return Err("expected the last position to be the first, so that the ring is closed".to_owned());
    }
    Ok(read)
}

/// A position: longitude, latitude, and perhaps a height (section 3.1.1).
fn position(numbers: &[f64]) -> Result<Position, Problem> {
    let &[longitude, latitude, ..] = numbers else {
        return Err("expected a longitude and a latitude".to_owned());
    };
    if !(-180.0..=180.0).contains(&longitude) || !(-90.0..=90.0).contains(&latitude) {
        return Err("expected degrees: a longitude from -180 to 180, then a latitude from -90 to 90".to_owned());
    }
    let [longitudes, latitudes] = UNITED_KINGDOM;
    if !longitudes.contains(&longitude) || !latitudes.contains(&latitude) {
        return Err("expected a position in the United Kingdom, longitude before latitude".to_owned());
    }
    Ok(Position { longitude, latitude })
}

fn read<'a, T: Deserialize<'a>>(value: &'a RawValue) -> Result<T, serde_json::Error> {
    serde_json::from_str(value.get())
}

fn place(error: &serde_json::Error) -> String {
    format!("line {}, column {}", error.line(), error.column())
}
