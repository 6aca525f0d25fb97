//! Areas with boundaries, such as wards, read from GeoJSON (RFC 7946) and looked up by point.
//!
//! A boundary belongs to its area: a point on it is inside. A point on an edge that two areas share is in both, and
//! [`Boundaries::area_at`] gives the one whose code comes first. Where neighbours give an edge the same two ends, no point
//! falls between them, however numbers are rounded.
//!
//! Use boundaries that reach to the extent of the realm (the ONS's `BFE`) or the full clipped ones (`BFC`). Generalised ones
//! cut corners: a report at the edge of the area, or on a pier, would be said to be outside.

use std::fmt;

use schemas::located::BoundaryVersion;
use schemas::text::{AreaCode, BoundaryEdition, Digest};
use sha2::{Digest as _, Sha256};

use crate::coordinates::Wgs84;

mod geojson;
mod shape;

use shape::{Polygon, Position, Rectangle};

/// The names of the properties that hold an area's code and name, such as `WD25CD` and `WD25NM`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PropertyNames {
    /// Holds an [`AreaCode`].
    pub code: String,
    /// Holds the name that people know the area by.
    pub name: String,
}

impl PropertyNames {
    /// The properties `code` and `name`.
    #[must_use]
    pub fn new(code: &str, name: &str) -> Self {
        Self {
            code: code.to_owned(),
            name: name.to_owned(),
        }
    }
}

/// Why boundaries were not taken: one sentence that says what is wrong, and in which feature, counted from 1.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{problem}", feature.map(|number| format!("feature {number}: ")).unwrap_or_default())]
pub struct BoundaryError {
    feature: Option<usize>,
    problem: String,
}

impl BoundaryError {
    /// The feature that is wrong, counted from 1; none where it is the whole.
    #[must_use]
    pub const fn feature(&self) -> Option<usize> {
        self.feature
    }
}

/// An area: one or several polygons under one code.
#[derive(Clone, PartialEq)]
pub struct Area {
    code: AreaCode,
    name: String,
    bounds: Rectangle,
    polygons: Vec<Polygon>,
}

impl Area {
    /// Its code.
    #[must_use]
    pub const fn code(&self) -> &AreaCode {
        &self.code
    }

    /// What people call it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether a point is in it or on its boundary.
    #[must_use]
    pub fn contains(&self, point: Wgs84) -> bool {
        let position = Position::of(point);
        self.bounds.contains(position) && self.polygons.iter().any(|polygon| polygon.contains(position))
    }
}

impl fmt::Debug for Area {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Area({}, {})", self.code, self.name)
    }
}

/// The areas of one edition of boundaries.
///
/// Guarantees: at least one area, each code once, in the order of their codes; the same text gives the same boundaries.
#[derive(Clone, PartialEq)]
pub struct Boundaries {
    version: BoundaryVersion,
    areas: Vec<Area>,
}

impl Boundaries {
    /// Reads a `FeatureCollection` of `Polygon` and `MultiPolygon` features (RFC 7946).
    ///
    /// Members and properties that it does not know are passed over. Rings may turn either way (section 3.1.6), heights are
    /// dropped.
    ///
    /// # Errors
    /// [`BoundaryError`]: not such a collection, none in it, coordinates that are not WGS 84 or not in the United Kingdom, a
    /// ring that is not closed or has fewer than four positions, a code or a name that is missing, a code that is wrong or
    /// stands twice.
    pub fn read(text: &str, version: BoundaryEdition, properties: &PropertyNames) -> Result<Self, BoundaryError> {
        let mut areas = geojson::areas(text, properties)?;
        // The first by code is the one that a point on a shared edge is in.
        areas.sort_by(|a, b| a.code.cmp(&b.code));
        let sha256 = Digest::of_sha256(&Sha256::digest(text.as_bytes()).into());
        Ok(Self {
            version: BoundaryVersion { version, sha256 },
            areas,
        })
    }

    /// Which edition they are.
    #[must_use]
    pub const fn version(&self) -> &BoundaryVersion {
        &self.version
    }

    /// All areas, in the order of their codes.
    #[must_use]
    pub fn areas(&self) -> &[Area] {
        &self.areas
    }

    /// The area with a code.
    #[must_use]
    pub fn area(&self, code: &AreaCode) -> Option<&Area> {
        let at = self.areas.binary_search_by(|area| area.code.cmp(code)).ok()?;
        self.areas.get(at)
    }

    /// The area that a point is in: the first by code where there are several.
    ///
    /// Compares the point with each area's bounding box, and follows the edges of those that hold it: some 20 µs with 30 wards of
    /// 5,000 positions each, so no tree is kept.
    #[must_use]
    pub fn area_at(&self, point: Wgs84) -> Option<&Area> {
        self.areas.iter().find(|area| area.contains(point))
    }
}

impl fmt::Debug for Boundaries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Boundaries({}, {} areas)", self.version.version, self.areas.len())
    }
}
