//! What contractors tell of their rounds: what missed collections are counted against.

use schemas::event::RoundEvent;
use schemas::moment::Day;
use schemas::{ClientName, RoundName};
use sqlx::PgConnection;

use crate::error::ProjectionError;
use crate::projection::Generation;

/// Takes in one event of a round.
pub(super) async fn apply(
    transaction: &mut PgConnection,
    generation: Generation,
    record: &RoundEvent,
) -> Result<(), ProjectionError> {
    let (contractor, round, day, status) = match record {
        RoundEvent::ScheduledCollectionsRecorded(event) => (&event.contractor, &event.round, event.day, None),
        RoundEvent::RoundStatusRecorded(event) => (&event.contractor, &event.round, event.day, Some(event.status)),
        RoundEvent::CollectionExceptionRecorded(event) => (&event.contractor, &event.round, event.day, None),
    };
    on_round(
        include_str!("../../sql/reporting/put_round.sql"),
        generation,
        contractor,
        round,
        day,
    )
    .bind(status.map(|status| status.as_str()))
    .execute(&mut *transaction)
    .await?;
    match record {
        RoundEvent::ScheduledCollectionsRecorded(event) => {
            let kinds: Vec<&str> = event.collections.keys().map(|what| what.as_str()).collect();
            let counts: Vec<i64> = event.collections.values().copied().map(i64::from).collect();
            let statement = include_str!("../../sql/reporting/put_schedule.sql");
            on_round(statement, generation, contractor, round, day)
                .bind(kinds)
                .bind(counts)
                .execute(transaction)
                .await?;
        }
        RoundEvent::CollectionExceptionRecorded(event) => {
            let statement = include_str!("../../sql/reporting/put_exception.sql");
            on_round(statement, generation, contractor, round, day)
                .bind(event.what.as_str())
                .execute(transaction)
                .await?;
        }
        RoundEvent::RoundStatusRecorded(_) => {}
    }
    Ok(())
}

type Statement<'q> = sqlx::query::Query<'q, sqlx::Postgres, sqlx::postgres::PgArguments>;

/// A statement about a round on a day.
fn on_round<'q>(
    statement: &'static str,
    generation: Generation,
    contractor: &'q ClientName,
    round: &'q RoundName,
    day: Day,
) -> Statement<'q> {
    sqlx::query(statement)
        .bind(generation.0)
        .bind(contractor.as_str())
        .bind(round.as_str())
        .bind(day.0)
}
