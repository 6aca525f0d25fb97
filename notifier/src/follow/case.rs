//! What is remembered of a case for its notices: whose it is, what it is called, and whether it has ended.

use event_store::StoredEvent;
use schemas::event::{CaseEvent, RequestSubmitted};
use schemas::query::CaseStatus;
use schemas::{CaseId, CustomerId, Position, Reference, RequestTypeCode};
use sqlx::postgres::PgConnection;
use sqlx::{Row as _, query};
use uuid::Uuid;

use crate::error::NotifierError;

/// What notices have to know of a case, whenever it happened.
pub(super) async fn remember(
    connection: &mut PgConnection,
    event: &StoredEvent,
    case: &CaseEvent,
) -> Result<(), NotifierError> {
    let change = match case {
        CaseEvent::RequestSubmitted(submitted) => return remember_case(connection, event, submitted).await,
        CaseEvent::TypeChanged(changed) => CaseChange {
            request_type: Some(changed.request_type.as_str()),
            ..CaseChange::default()
        },
        CaseEvent::CaseMoved(moved) => CaseChange {
            customer_id: Some(moved.customer_id),
            ..CaseChange::default()
        },
        CaseEvent::RequestClosed(_) | CaseEvent::RequestCancelled(_) => CaseChange::ended(true),
        CaseEvent::RequestReopened(_) => CaseChange::ended(false),
        CaseEvent::EntryCorrected(corrected) => CaseChange::ended(corrected.standing.status != CaseStatus::Open),
        _ => return Ok(()),
    };
    change_case(connection, event, change).await
}

async fn remember_case(
    connection: &mut PgConnection,
    event: &StoredEvent,
    submitted: &RequestSubmitted,
) -> Result<(), NotifierError> {
    query(include_str!("../../sql/put_case.sql"))
        .bind(event.aggregate_id.uuid())
        .bind(submitted.customer_id.map(CustomerId::uuid))
        .bind(submitted.reference.as_str())
        .bind(submitted.request_type.as_str())
        .execute(connection)
        .await?;
    Ok(())
}

/// What is another of a case from now on.
#[derive(Default)]
struct CaseChange<'e> {
    request_type: Option<&'e str>,
    customer_id: Option<CustomerId>,
    ended: Option<bool>,
}

impl CaseChange<'_> {
    fn ended(ended: bool) -> Self {
        Self {
            ended: Some(ended),
            ..Self::default()
        }
    }
}

async fn change_case(
    connection: &mut PgConnection,
    event: &StoredEvent,
    change: CaseChange<'_>,
) -> Result<(), NotifierError> {
    query(include_str!("../../sql/change_case.sql"))
        .bind(event.aggregate_id.uuid())
        .bind(change.request_type)
        .bind(change.customer_id.map(CustomerId::uuid))
        .bind(change.ended)
        .execute(connection)
        .await?;
    Ok(())
}

/// A case that has a customer.
pub(super) struct KnownCase {
    pub(super) customer_id: CustomerId,
    pub(super) reference: Reference,
    pub(super) request_type: RequestTypeCode,
    pub(super) ended: bool,
    pub(super) reachable: bool,
}

/// What is known of a case; none where it has no customer to tell.
pub(super) async fn known_case(
    connection: &mut PgConnection,
    position: Position,
    case_id: CaseId,
) -> Result<Option<KnownCase>, NotifierError> {
    let row = query(include_str!("../../sql/case.sql"))
        .bind(case_id.uuid())
        .fetch_optional(connection)
        .await?;
    let Some(row) = row else {
        return Ok(None);
    };
    let damaged = || NotifierError::DamagedRow { position };
    Ok(Some(KnownCase {
        customer_id: CustomerId(row.try_get::<Uuid, _>("customer_id")?),
        reference: row.try_get::<&str, _>("reference")?.parse().map_err(|_| damaged())?,
        request_type: RequestTypeCode::new(row.try_get::<&str, _>("request_type")?).map_err(|_| damaged())?,
        ended: row.try_get("ended")?,
        reachable: row.try_get("reachable")?,
    }))
}
