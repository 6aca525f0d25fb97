//! Actions against what may be an offence, each a row by its case and entry.

use schemas::Version;
use schemas::event::CaseEvent;
use schemas::money::Pence;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::error::ProjectionError;
use crate::projection::Generation;

/// Takes in an event of a case, whose number is `entry`. One that is about no action changes nothing.
pub(super) async fn apply(
    transaction: &mut PgConnection,
    generation: Generation,
    case_key: Uuid,
    entry: Version,
    record: &CaseEvent,
) -> Result<(), ProjectionError> {
    let query = match record {
        CaseEvent::EnforcementActionTaken(taken) => sqlx::query(include_str!("../../sql/reporting/put_action.sql"))
            .bind(generation.0)
            .bind(case_key)
            .bind(entry.0)
            .bind(taken.action.as_str())
            .bind(taken.taken_on.0)
            .bind(taken.cost_pence.map(Pence::get).map(i64::from))
            .bind(taken.penalty_pence.map(Pence::get).map(i64::from)),
        CaseEvent::ActionResultRecorded(recorded) => {
            sqlx::query(include_str!("../../sql/reporting/put_action_result.sql"))
                .bind(generation.0)
                .bind(case_key)
                .bind(recorded.action.0)
                .bind(recorded.result.as_str())
                .bind(recorded.on.0)
                .bind(recorded.pence.map(Pence::get).map(i64::from))
        }
        CaseEvent::EntryCorrected(corrected) => sqlx::query(include_str!("../../sql/reporting/strike_action.sql"))
            .bind(generation.0)
            .bind(case_key)
            .bind(corrected.entry.0),
        _ => return Ok(()),
    };
    query.execute(transaction).await?;
    Ok(())
}
