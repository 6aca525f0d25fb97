//! What is remembered of cases for their notices: whose each is, what it is called, and whether it has ended.

use std::collections::{BTreeMap, BTreeSet};

use event_store::StoredEvent;
use schemas::event::CaseEvent;
use schemas::query::CaseStatus;
use schemas::{CaseId, CustomerId, Position, Reference, RequestTypeCode};
use sqlx::postgres::PgConnection;
use sqlx::{FromRow, query, query_as};
use uuid::Uuid;

use crate::error::NotifierError;

/// A row of `notifier.cases`.
#[derive(Clone, Debug, FromRow)]
struct Row {
    case_id: Uuid,
    customer_id: Option<Uuid>,
    reference: String,
    request_type: String,
    ended: bool,
}

/// The cases that a batch of events is about: read once, and written once with what the events change of them. A statement for each
/// event would cost a round trip for each.
#[derive(Debug, Default)]
pub(super) struct KnownCases {
    rows: BTreeMap<Uuid, Row>,
    changed: BTreeSet<Uuid>,
}

/// A case that has a customer.
pub(super) struct KnownCase {
    pub(super) customer_id: CustomerId,
    pub(super) reference: Reference,
    pub(super) request_type: RequestTypeCode,
    pub(super) ended: bool,
}

impl KnownCases {
    /// Reads those that these events are about, as far as they were known before.
    pub(super) async fn of(connection: &mut PgConnection, events: &[StoredEvent]) -> Result<Self, NotifierError> {
        let streams: BTreeSet<Uuid> = events.iter().map(|event| event.aggregate_id.uuid()).collect();
        let rows: Vec<Row> = query_as(include_str!("../../sql/cases.sql"))
            .bind(streams.into_iter().collect::<Vec<_>>())
            .fetch_all(connection)
            .await?;
        Ok(Self {
            rows: rows.into_iter().map(|row| (row.case_id, row)).collect(),
            changed: BTreeSet::new(),
        })
    }

    /// Takes in what notices have to know of a case, whenever it happened.
    pub(super) fn remember(&mut self, event: &StoredEvent, case: &CaseEvent) {
        let id = event.aggregate_id.uuid();
        if let CaseEvent::RequestSubmitted(submitted) = case {
            self.changed.insert(id);
            self.rows.entry(id).or_insert_with(|| Row {
                case_id: id,
                customer_id: submitted.customer_id.map(CustomerId::uuid),
                reference: submitted.reference.as_str().to_owned(),
                request_type: submitted.request_type.as_str().to_owned(),
                ended: false,
            });
            return;
        }
        let Some(row) = self.rows.get_mut(&id) else { return };
        match case {
            CaseEvent::TypeChanged(changed) => changed.request_type.as_str().clone_into(&mut row.request_type),
            CaseEvent::CaseMoved(moved) => row.customer_id = Some(moved.customer_id.uuid()),
            CaseEvent::RequestClosed(_) | CaseEvent::RequestCancelled(_) => row.ended = true,
            CaseEvent::RequestReopened(_) => row.ended = false,
            CaseEvent::EntryCorrected(corrected) => row.ended = corrected.standing.status != CaseStatus::Open,
            _ => return,
        }
        self.changed.insert(id);
    }

    /// What is known of a case at this position; none where it has no customer to tell.
    pub(super) fn get(&self, position: Position, case: CaseId) -> Result<Option<KnownCase>, NotifierError> {
        let known = self.rows.get(&case.uuid());
        let Some((row, customer)) = known.and_then(|row| Some((row, row.customer_id?))) else {
            return Ok(None);
        };
        let damaged = || NotifierError::DamagedRow { position };
        Ok(Some(KnownCase {
            customer_id: CustomerId(customer),
            reference: row.reference.parse().map_err(|_| damaged())?,
            request_type: RequestTypeCode::new(row.request_type.as_str()).map_err(|_| damaged())?,
            ended: row.ended,
        }))
    }

    /// Writes those that have changed.
    pub(super) async fn write(mut self, connection: &mut PgConnection) -> Result<(), NotifierError> {
        self.rows.retain(|id, _| self.changed.contains(id));
        if self.rows.is_empty() {
            return Ok(());
        }
        let rows = || self.rows.values();
        query(include_str!("../../sql/put_cases.sql"))
            .bind(rows().map(|row| row.case_id).collect::<Vec<_>>())
            .bind(rows().map(|row| row.customer_id).collect::<Vec<_>>())
            .bind(rows().map(|row| row.reference.as_str()).collect::<Vec<_>>())
            .bind(rows().map(|row| row.request_type.as_str()).collect::<Vec<_>>())
            .bind(rows().map(|row| row.ended).collect::<Vec<_>>())
            .execute(connection)
            .await?;
        Ok(())
    }
}
