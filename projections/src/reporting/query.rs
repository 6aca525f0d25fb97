//! The figures, with the position of the log that they hold.

use schemas::moment::Day;
use schemas::query::CaseStatus;
use schemas::{OutcomeCode, Position, ServiceName};
use sqlx::postgres::PgRow;
use sqlx::{FromRow, PgPool, Row as _};

use crate::columns::{optional_word, word};
use crate::error::ProjectionError;

/// Counted requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counts {
    /// The log up to here is counted: the figures are reproduced at this position.
    pub position: Position,
    /// The counts, in the order of their columns.
    pub requests: Vec<RequestCount>,
}

/// How many requests there are of one kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestCount {
    /// The service.
    pub service: ServiceName,
    /// The request type's reporting code.
    pub request_type: String,
    /// How they reached the council.
    pub channel: String,
    /// The first day of the London month in which they were received.
    pub received_month: Day,
    /// Where they are.
    pub status: CaseStatus,
    /// What came of them, where they are closed.
    pub outcome: Option<OutcomeCode>,
    /// Whether they were ever reopened.
    pub reopened: bool,
    /// How many.
    pub requests: i64,
}

/// Counts the requests received from one London day to another, both included; without an end, all. One statement, so the
/// position and the counts belong together.
///
/// # Errors
/// When the database does not answer.
pub async fn counts(pool: &PgPool, from: Option<Day>, to: Option<Day>) -> Result<Counts, ProjectionError> {
    let rows = sqlx::query(include_str!("../../sql/reporting/counts.sql"))
        .bind(from.map(|day| day.0))
        .bind(to.map(|day| day.0))
        .fetch_all(pool)
        .await?;
    let mut counts = Counts {
        position: Position::START,
        requests: Vec::new(),
    };
    for row in &rows {
        counts.position = Position(row.try_get("position")?);
        // Where there is nothing to count, the position stands alone.
        if row.try_get::<Option<String>, _>("service")?.is_some() {
            counts.requests.push(RequestCount::from_row(row)?);
        }
    }
    Ok(counts)
}

impl FromRow<'_, PgRow> for RequestCount {
    fn from_row(row: &PgRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            service: word(row, "service")?,
            request_type: row.try_get("request_type")?,
            channel: row.try_get("channel")?,
            received_month: Day(row.try_get("received_month")?),
            status: word(row, "status")?,
            outcome: optional_word(row, "outcome")?,
            reopened: row.try_get("reopened")?,
            requests: row.try_get("requests")?,
        })
    }
}
