//! Where people live and where things are.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use super::{Line, Postcode, Uprn, Usrn, Whereabouts};

/// A postal address.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PostalAddress {
    /// Its lines, without town and postcode.
    #[serde(deserialize_with = "address_lines")]
    #[schemars(length(min = 1, max = 6))]
    pub lines: Vec<Line>,
    /// Post town.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub town: Option<Line>,
    /// Postcode.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub postcode: Option<Postcode>,
    /// Unique Property Reference Number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uprn: Option<Uprn>,
}

fn address_lines<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Line>, D::Error> {
    let lines = Vec::deserialize(deserializer)?;
    if (1..=6).contains(&lines.len()) {
        Ok(lines)
    } else {
        Err(serde::de::Error::custom("expected 1 to 6 lines"))
    }
}

fn degrees<'de, const FURTHEST: i16, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    let degrees = Option::<f64>::deserialize(deserializer)?;
    let furthest = f64::from(FURTHEST);
    if degrees.is_none_or(|degrees| (-furthest..=furthest).contains(&degrees)) {
        Ok(degrees)
    } else {
        Err(serde::de::Error::custom(format!(
            "expected at least -{FURTHEST} and at most {FURTHEST} degrees"
        )))
    }
}

/// The National Grid's 700 km to the east and 1,250 km to the north.
fn metres<'de, const BELOW: u32, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    let metres = Option::<f64>::deserialize(deserializer)?;
    if metres.is_none_or(|metres| metres >= 0.0 && metres < f64::from(BELOW)) {
        Ok(metres)
    } else {
        Err(serde::de::Error::custom(format!(
            "expected at least 0 and less than {BELOW} metres"
        )))
    }
}

impl fmt::Debug for PostalAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PostalAddress([personal])")
    }
}

/// Where something is: in words, by the numbers of its property or street, as a point, or several of them.
#[derive(Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// In the words of whoever reported it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Whereabouts>,
    /// Postcode.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub postcode: Option<Postcode>,
    /// Unique Property Reference Number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uprn: Option<Uprn>,
    /// Unique Street Reference Number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usrn: Option<Usrn>,
    /// WGS 84 degrees north. Only with `longitude`.
    #[serde(
        default,
        deserialize_with = "degrees::<90, _>",
        skip_serializing_if = "Option::is_none"
    )]
    #[schemars(range(min = -90.0, max = 90.0))]
    pub latitude: Option<f64>,
    /// WGS 84 degrees east. Only with `latitude`.
    #[serde(
        default,
        deserialize_with = "degrees::<180, _>",
        skip_serializing_if = "Option::is_none"
    )]
    #[schemars(range(min = -180.0, max = 180.0))]
    pub longitude: Option<f64>,
    /// Metres east on the British National Grid (EPSG:27700). Only with `northing`; where `latitude` is given too, both say the same
    /// point.
    #[serde(
        default,
        deserialize_with = "metres::<700_000, _>",
        skip_serializing_if = "Option::is_none"
    )]
    #[schemars(range(min = 0.0), extend("exclusiveMaximum" = 700_000.0))]
    pub easting: Option<f64>,
    /// Metres north on the British National Grid. Only with `easting`.
    #[serde(
        default,
        deserialize_with = "metres::<1_250_000, _>",
        skip_serializing_if = "Option::is_none"
    )]
    #[schemars(range(min = 0.0), extend("exclusiveMaximum" = 1_250_000.0))]
    pub northing: Option<f64>,
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Place([personal])")
    }
}
