//! Where something is as far as may be told in clear: areas of several hundred people and more.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::text::{AreaCode, BoundaryEdition, Digest};

/// Which edition of which boundaries something was derived from. Stands in events for ever.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct BoundaryVersion {
    /// What the council calls the edition, such as `2025-05`.
    pub version: BoundaryEdition,
    /// Of the GeoJSON text: whoever has the file can prove that it was this one.
    pub sha256: Digest,
}

/// An area, and the boundaries by which something is in it. Stands in events for ever.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct AreaOf {
    /// Its code. The first three characters say what kind of area it is.
    pub code: AreaCode,
    /// The edition of the boundaries that it was derived from: boundaries change, what was recorded does not.
    pub boundaries: BoundaryVersion,
}

/// In which areas a place is. Stands in events for ever, beside the sealed place that it was derived from.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Located {
    /// The electoral ward.
    pub ward: AreaOf,
    /// The statistical area (in England and Wales a lower layer super output area), where the council has boundaries of them
    /// and one holds the place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub statistical_area: Option<AreaOf>,
}
