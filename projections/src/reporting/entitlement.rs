//! One entitlement as reports count it, and its row.

use std::collections::BTreeMap;

use schemas::command::EntitlementEnding;
use schemas::event::{EntitlementEvent, EntitlementGranted};
use schemas::moment::Day;
use schemas::query::EntitlementStage;
use schemas::{EntitlementName, ServiceName};
use sqlx::postgres::PgRow;
use sqlx::{FromRow, PgConnection, Row as _};
use uuid::Uuid;

use crate::columns::{as_integer, column, count, optional_word, word};
use crate::error::{Fault, ProjectionError};
use crate::event::Event;
use crate::projection::Generation;
use crate::reporting::NAME;
use crate::reporting::keys::{ENTITLEMENT_KEYS, PERSON_KEYS};

/// An entitlement, by keys that only reporting knows.
#[derive(Clone, Debug, PartialEq)]
struct Entitlement {
    key: Uuid,
    person_key: Uuid,
    service: ServiceName,
    entitlement: EntitlementName,
    stage: EntitlementStage,
    granted_on: Day,
    starts_on: Day,
    ends_on: Day,
    ended_because: Option<EntitlementEnding>,
    ended_on: Option<Day>,
    renewed: u32,
    renewed_late: u32,
    /// How many events it had.
    events: i64,
}

impl Entitlement {
    fn granted(key: Uuid, person_key: Uuid, granted: &EntitlementGranted) -> Self {
        Self {
            key,
            person_key,
            service: granted.service.clone(),
            entitlement: granted.entitlement.clone(),
            stage: EntitlementStage::Granted,
            granted_on: granted.starts_on,
            starts_on: granted.starts_on,
            ends_on: granted.ends_on,
            ended_because: None,
            ended_on: None,
            renewed: 0,
            renewed_late: 0,
            events: 1,
        }
    }

    fn change(&mut self, record: &EntitlementEvent) {
        self.events += 1;
        match record {
            EntitlementEvent::EntitlementRenewed(renewed) => {
                self.ends_on = renewed.ends_on;
                if renewed.lapsed_from.is_some() {
                    self.starts_on = renewed.starts_on;
                }
                self.renewed += 1;
                self.renewed_late += u32::from(renewed.lapsed_from.is_some());
                self.stage = EntitlementStage::Granted;
            }
            EntitlementEvent::EntitlementEnded(ended) => {
                (self.ended_because, self.ended_on) = (Some(ended.why), ended.ended_on);
                self.stage = EntitlementStage::Ended;
            }
            EntitlementEvent::EntitlementExpired(_) => self.stage = EntitlementStage::Expired,
            EntitlementEvent::EntitlementGranted(_)
            | EntitlementEvent::EntitlementChanged(_)
            | EntitlementEvent::EntitlementRenewalDue(_) => {}
        }
    }
}

/// Applies events of entitlements to their rows.
pub(super) async fn apply(
    transaction: &mut PgConnection,
    generation: Generation,
    events: &[(&Event, &EntitlementEvent)],
    new_key: &(dyn Fn() -> Uuid + Send + Sync),
) -> Result<(), ProjectionError> {
    let ids = events.iter().map(|(event, _)| event.stored.aggregate_id.0).collect();
    let people = events.iter().filter_map(|(_, record)| match record {
        EntitlementEvent::EntitlementGranted(granted) => Some(granted.customer_id.0),
        _ => None,
    });
    let people = people.collect();
    let keys = ENTITLEMENT_KEYS.of(&mut *transaction, ids, new_key).await?;
    let person_keys = PERSON_KEYS.of(&mut *transaction, people, new_key).await?;
    let held: Vec<Entitlement> = sqlx::query_as(include_str!("../../sql/reporting/select_entitlements.sql"))
        .bind(generation.0)
        .bind(keys.values().copied().collect::<Vec<_>>())
        .fetch_all(&mut *transaction)
        .await?;
    let mut rows: BTreeMap<Uuid, Entitlement> = held.into_iter().map(|row| (row.key, row)).collect();
    for (event, record) in events {
        let missing = || ProjectionError::Statement(sqlx::Error::RowNotFound);
        let key = *keys.get(&event.stored.aggregate_id.0).ok_or_else(missing)?;
        match (record, rows.get_mut(&key)) {
            (EntitlementEvent::EntitlementGranted(granted), None) => {
                let person_key = *person_keys.get(&granted.customer_id.0).ok_or_else(missing)?;
                rows.insert(key, Entitlement::granted(key, person_key, granted));
            }
            (record, Some(row)) if !matches!(record, EntitlementEvent::EntitlementGranted(_)) => row.change(record),
            _ => {
                return Err(ProjectionError::Implausible {
                    projection: NAME,
                    position: event.stored.position,
                    fault: Fault::Beginning,
                });
            }
        }
    }
    upsert(transaction, generation, &rows.into_values().collect::<Vec<_>>()).await
}

async fn upsert(
    transaction: &mut PgConnection,
    generation: Generation,
    rows: &[Entitlement],
) -> Result<(), ProjectionError> {
    sqlx::query(include_str!("../../sql/reporting/upsert_entitlements.sql"))
        .bind(generation.0)
        .bind(column(rows, |row| row.key))
        .bind(column(rows, |row| row.person_key))
        .bind(column(rows, |row| row.service.as_str()))
        .bind(column(rows, |row| row.entitlement.as_str()))
        .bind(column(rows, |row| row.stage.as_str()))
        .bind(column(rows, |row| row.granted_on.0))
        .bind(column(rows, |row| row.starts_on.0))
        .bind(column(rows, |row| row.ends_on.0))
        .bind(column(rows, |row| row.ended_because.map(EntitlementEnding::as_str)))
        .bind(column(rows, |row| row.ended_on.map(|day| day.0)))
        .bind(column(rows, |row| as_integer(row.renewed)))
        .bind(column(rows, |row| as_integer(row.renewed_late)))
        .bind(column(rows, |row| row.events))
        .execute(transaction)
        .await?;
    Ok(())
}

impl FromRow<'_, PgRow> for Entitlement {
    fn from_row(row: &PgRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            key: row.try_get("entitlement_key")?,
            person_key: row.try_get("person_key")?,
            service: word(row, "service")?,
            entitlement: word(row, "entitlement")?,
            stage: word(row, "stage")?,
            granted_on: Day(row.try_get("granted_on")?),
            starts_on: Day(row.try_get("starts_on")?),
            ends_on: Day(row.try_get("ends_on")?),
            ended_because: optional_word(row, "ended_because")?,
            ended_on: row.try_get::<Option<_>, _>("ended_on")?.map(Day),
            renewed: count(row, "renewed")?,
            renewed_late: count(row, "renewed_late")?,
            events: row.try_get("events")?,
        })
    }
}
