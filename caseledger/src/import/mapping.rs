//! A mapping file: how another system's columns become commands. `docs/import.md` explains it with an example.

use std::collections::BTreeMap;
use std::path::Path;

use schemas::command::Channel;
use schemas::text::ExternalId;
use schemas::{OutcomeCode, RequestTypeCode};
use serde::Deserialize;

/// A mapping, checked.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    /// Where the rows come from.
    pub source: Source,
    /// How a row becomes a submission.
    pub submission: Submission,
    /// How it becomes an ending.
    pub ending: Ending,
}

/// The other system.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// Its name in `external_ref`.
    pub system: ExternalId,
    /// The column that holds its own id of a case.
    pub id: String,
    /// The IANA name of the zone that its times are written in.
    pub time_zone: String,
    /// Its forms of a time, tried in order, as `strptime` writes them.
    pub time_formats: Vec<String>,
}

/// The columns of a submission.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Submission {
    /// When it was made.
    pub created: String,
    /// What was asked for.
    pub request_type: Coded<RequestTypeCode>,
    /// How it came.
    pub channel: Coded<Channel>,
    /// The resident's words, where there is such a column.
    #[serde(default)]
    pub description: Option<String>,
    /// Where.
    #[serde(default)]
    pub place: Place,
}

/// A column whose values are translated. A value that is not listed is not guessed: the row is reported.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Coded<T> {
    /// The column.
    pub column: String,
    /// What each of its values means here.
    pub values: BTreeMap<String, T>,
}

/// The columns of a place.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// In words.
    #[serde(default)]
    pub description: Option<String>,
    /// Postcode.
    #[serde(default)]
    pub postcode: Option<String>,
    /// WGS 84 degrees north.
    #[serde(default)]
    pub latitude: Option<String>,
    /// WGS 84 degrees east.
    #[serde(default)]
    pub longitude: Option<String>,
}

/// The columns of an ending.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ending {
    /// When it came.
    pub at: String,
    /// The status column, and what its values mean.
    pub status: Coded<Ended>,
}

/// What a status means.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Ended {
    /// Not ended.
    Open,
    /// No longer wanted.
    Cancelled,
    /// Closed with this outcome.
    Closed(OutcomeCode),
}

/// Why a mapping can't be used.
#[derive(Debug, thiserror::Error)]
pub enum MappingError {
    /// The file could not be opened.
    #[error("the mapping {path} can't be read: {source}")]
    Unreadable {
        /// Which.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// Not a mapping.
    #[error("the mapping {path} is not valid: {source}")]
    Invalid {
        /// Which.
        path: String,
        /// Why, with line and column.
        source: toml::de::Error,
    },
    /// No such zone.
    #[error("source.time_zone: there is no time zone {0}; use an IANA name such as Europe/London")]
    TimeZone(String),
    /// The file lacks a column that the mapping names.
    #[error("the file has no column {0}, which the mapping names")]
    Column(String),
}

impl Mapping {
    /// Reads a mapping file.
    ///
    /// # Errors
    /// [`MappingError`].
    pub fn load(path: &Path) -> Result<Self, MappingError> {
        let shown = || path.display().to_string();
        let text =
            std::fs::read_to_string(path).map_err(|source| MappingError::Unreadable { path: shown(), source })?;
        toml::from_str(&text).map_err(|source| MappingError::Invalid { path: shown(), source })
    }

    /// Every column that it names.
    pub fn columns(&self) -> Vec<&str> {
        let place = &self.submission.place;
        let optional = [
            &self.submission.description,
            &place.description,
            &place.postcode,
            &place.latitude,
            &place.longitude,
        ];
        [
            &self.source.id,
            &self.submission.created,
            &self.submission.request_type.column,
            &self.submission.channel.column,
            &self.ending.at,
            &self.ending.status.column,
        ]
        .into_iter()
        .chain(optional.into_iter().flatten())
        .map(String::as_str)
        .collect()
    }
}
