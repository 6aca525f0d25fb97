//! What the services ask the history. One statement each, and nothing is opened.

use schemas::moment::{Day, Instant};
use schemas::query::CaseQuery;
use schemas::{CaseId, CustomerId, Position, Reference};
use sqlx::{PgExecutor, PgPool};

use crate::error::{Fault, ProjectionError};
use crate::history::NAME;
use crate::history::case::Case;
use crate::history::customer::Customer;
use crate::history::timeline::TimelineEntry;

/// As of when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AsOf {
    /// Everything that the history holds.
    Now,
    /// What was recorded up to this position.
    Position(Position),
    /// What was recorded by this instant: what the council knew.
    Recorded(Instant),
    /// What had happened by this instant, as is known now.
    Occurred(Instant),
}

/// A case and its timeline, as of the same moment.
#[derive(Clone, Debug, PartialEq)]
pub struct CaseHistory {
    /// The case as these events leave it.
    pub case: Case,
    /// The events, in order; never empty.
    pub timeline: Vec<TimelineEntry>,
}

/// The case of this id as it stands.
///
/// # Errors
/// When the database does not answer.
pub async fn case_by_id(pool: &PgPool, id: CaseId) -> Result<Option<Case>, ProjectionError> {
    let statement = include_str!("../../sql/history/case_by_id.sql");
    Ok(sqlx::query_as(statement).bind(id.0).fetch_optional(pool).await?)
}

/// The case of this reference as it stands.
///
/// # Errors
/// When the database does not answer.
pub async fn case_by_reference(pool: &PgPool, reference: &Reference) -> Result<Option<Case>, ProjectionError> {
    let statement = include_str!("../../sql/history/case_by_reference.sql");
    Ok(sqlx::query_as(statement)
        .bind(reference.as_str())
        .fetch_optional(pool)
        .await?)
}

/// All cases of a customer as they stand, the latest first.
///
/// # Errors
/// When the database does not answer.
pub async fn cases_of_customer(pool: &PgPool, customer: CustomerId) -> Result<Vec<Case>, ProjectionError> {
    let statement = include_str!("../../sql/history/cases_of_customer.sql");
    Ok(sqlx::query_as(statement).bind(customer.0).fetch_all(pool).await?)
}

/// The cases that have something to be done by a day, of one service or team where it is given; the earliest first.
///
/// # Errors
/// When the database does not answer.
pub async fn cases_due(
    pool: &PgPool,
    by: Day,
    service: Option<&str>,
    team: Option<&str>,
    at_most: u32,
) -> Result<Vec<Case>, ProjectionError> {
    Ok(sqlx::query_as(include_str!("../../sql/history/cases_due.sql"))
        .bind(by.0)
        .bind(service)
        .bind(team)
        .bind(i64::from(at_most))
        .fetch_all(pool)
        .await?)
}

/// A customer as they stand.
///
/// # Errors
/// When the database does not answer.
pub async fn customer_by_id(pool: &PgPool, id: CustomerId) -> Result<Option<Customer>, ProjectionError> {
    let statement = include_str!("../../sql/history/customer_by_id.sql");
    Ok(sqlx::query_as(statement).bind(id.0).fetch_optional(pool).await?)
}

/// The timeline of a case, in the order of its events; empty where there was no such case then.
///
/// # Errors
/// When the database does not answer.
pub async fn timeline(pool: &PgPool, case: &CaseQuery, as_of: AsOf) -> Result<Vec<TimelineEntry>, ProjectionError> {
    entries(pool, case, as_of).await
}

/// A case with its timeline; none where there was no such case then. The case is what these very events leave, so the two
/// never disagree.
///
/// # Errors
/// When the database does not answer.
pub async fn case_history(
    pool: &PgPool,
    case: &CaseQuery,
    as_of: AsOf,
) -> Result<Option<CaseHistory>, ProjectionError> {
    let timeline = entries(pool, case, as_of).await?;
    let mut case = None;
    for entry in &timeline {
        let (projection, position) = (NAME, entry.position);
        let event = entry.event().map_err(|source| ProjectionError::Unreadable {
            projection,
            position,
            source,
        })?;
        let fault = || ProjectionError::Implausible {
            projection,
            position,
            fault: Fault::Beginning,
        };
        case = Some(Case::after(case, &entry.occurrence(), &event).ok_or_else(fault)?);
    }
    Ok(case.map(|case| CaseHistory { case, timeline }))
}

async fn entries(
    executor: impl PgExecutor<'_>,
    case: &CaseQuery,
    as_of: AsOf,
) -> Result<Vec<TimelineEntry>, ProjectionError> {
    let (id, reference) = match case {
        CaseQuery::Id(id) => (Some(id.0), None),
        CaseQuery::Reference(reference) => (None, Some(reference.as_str())),
    };
    let (position, recorded, occurred) = match as_of {
        AsOf::Now => (None, None, None),
        AsOf::Position(position) => (Some(position.0), None, None),
        AsOf::Recorded(at) => (None, Some(at.get()), None),
        AsOf::Occurred(at) => (None, None, Some(at.get())),
    };
    let entries: Vec<TimelineEntry> = sqlx::query_as(include_str!("../../sql/history/timeline_of_case.sql"))
        .bind(id)
        .bind(reference)
        .bind(position)
        .bind(recorded)
        .bind(occurred)
        .fetch_all(executor)
        .await?;
    // Within a stream nothing happened before its first event, whatever times were given.
    let begun = entries.first().is_some_and(|first| first.sequence.0 == 1);
    Ok(if begun { entries } else { Vec::new() })
}
