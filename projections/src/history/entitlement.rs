//! An entitlement as its events leave it, and its row.

use std::collections::BTreeMap;

use schemas::command::EntitlementEnding;
use schemas::event::{EntitlementEvent, EntitlementGranted};
use schemas::moment::Day;
use schemas::query::EntitlementStage;
use schemas::{
    CaseId, CustomerId, EntitlementId, EntitlementName, OfficerId, Position, Reference, Sealed, ServiceName, Version,
};
use sqlx::postgres::PgRow;
use sqlx::{FromRow, PgConnection, PgPool, Row as _};

use crate::columns::{as_integer, column, count, optional_json, optional_word, word};
use crate::error::{Fault, ProjectionError};
use crate::event::Event;
use crate::history::NAME;
use crate::history::case::{sealed, to_json};
use crate::projection::Generation;

/// An entitlement. What is personal in it is sealed.
#[derive(Clone, Debug, PartialEq)]
pub struct Entitlement {
    /// Its id: the id of its stream.
    pub id: EntitlementId,
    /// What it is.
    pub entitlement: EntitlementName,
    /// The service that it belongs to.
    pub service: ServiceName,
    /// Whose it is.
    pub customer_id: CustomerId,
    /// The case that granted its last term.
    pub case_id: CaseId,
    /// That case's reference.
    pub reference: Reference,
    /// Where it is.
    pub stage: EntitlementStage,
    /// Since when it holds without a gap, or held last.
    pub starts_on: Day,
    /// The last day of its last term.
    pub ends_on: Day,
    /// From which day on it can be renewed.
    pub renew_from: Day,
    /// Why it was ended before its term.
    pub ended_because: Option<EntitlementEnding>,
    /// The last day on which it held, where it was ended and had begun.
    pub ended_on: Option<Day>,
    /// The officer who decided that, where it was decided.
    pub ended_by: Option<OfficerId>,
    /// Why, in the actor's words.
    pub ended_reason: Option<Sealed>,
    /// What it is known by.
    pub number: Option<Sealed>,
    /// The property that it belongs to.
    pub property: Option<Sealed>,
    /// How many.
    pub quantity: Option<u16>,
    /// How often it was renewed.
    pub renewed: u32,
    /// How many others like it stood at its property when it came there, or was renewed there.
    pub others_at_property: Option<u16>,
    /// The sequence of its last event.
    pub version: Version,
    /// The position of its last event.
    pub position: Position,
}

/// Which entitlements.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wanted<'w> {
    /// This one.
    pub id: Option<EntitlementId>,
    /// Those of a customer, and of the records of the same person that were merged into theirs.
    pub customer: Option<CustomerId>,
    /// Those whose term runs and ends by this day.
    pub ending_by: Option<Day>,
    /// Of this kind only.
    pub entitlement: Option<&'w EntitlementName>,
}

/// The entitlements that are wanted, as they stand; the one that ends first, first.
///
/// # Errors
/// When the database does not answer.
pub async fn entitlements(
    pool: &PgPool,
    wanted: Wanted<'_>,
    at_most: u32,
) -> Result<Vec<Entitlement>, ProjectionError> {
    Ok(sqlx::query_as(include_str!("../../sql/history/entitlements.sql"))
        .bind(wanted.id.map(EntitlementId::uuid))
        .bind(wanted.customer.map(CustomerId::uuid))
        .bind(wanted.ending_by.map(|day| day.0))
        .bind(wanted.entitlement.map(EntitlementName::as_str))
        .bind(i64::from(at_most))
        .fetch_all(pool)
        .await?)
}

impl Entitlement {
    /// The entitlement after one more of its events; `None` where the first is not a grant, or a later one is.
    fn after(before: Option<Self>, event: &Event, record: &EntitlementEvent) -> Option<Self> {
        let mut entitlement = match (before, record) {
            (None, EntitlementEvent::EntitlementGranted(granted)) => return Some(Self::granted(event, granted)),
            (Some(entitlement), record) if !matches!(record, EntitlementEvent::EntitlementGranted(_)) => entitlement,
            _ => return None,
        };
        entitlement.version = event.stored.sequence;
        entitlement.position = event.stored.position;
        entitlement.change(record);
        Some(entitlement)
    }

    fn granted(event: &Event, granted: &EntitlementGranted) -> Self {
        Self {
            id: EntitlementId(event.stored.aggregate_id.0),
            entitlement: granted.entitlement.clone(),
            service: granted.service.clone(),
            customer_id: granted.customer_id,
            case_id: granted.case_id,
            reference: granted.reference.clone(),
            stage: EntitlementStage::Granted,
            starts_on: granted.starts_on,
            ends_on: granted.ends_on,
            renew_from: granted.renew_from,
            ended_because: None,
            ended_on: None,
            ended_by: None,
            ended_reason: None,
            number: sealed(granted.number.as_ref()),
            property: sealed(granted.property.as_ref()),
            quantity: granted.quantity.map(Into::into),
            renewed: 0,
            others_at_property: granted.others_at_property.map(Into::into),
            version: event.stored.sequence,
            position: event.stored.position,
        }
    }

    fn change(&mut self, record: &EntitlementEvent) {
        match record {
            EntitlementEvent::EntitlementRenewed(renewed) => {
                (self.case_id, self.reference) = (renewed.case_id, renewed.reference.clone());
                (self.ends_on, self.renew_from) = (renewed.ends_on, renewed.renew_from);
                if renewed.lapsed_from.is_some() {
                    self.starts_on = renewed.starts_on;
                }
                self.others_at_property = renewed.others_at_property.map(Into::into);
                self.property = sealed(renewed.property.as_ref()).or(self.property.take());
                self.number = sealed(renewed.number.as_ref()).or(self.number.take());
                self.quantity = renewed.quantity.map(Into::into).or(self.quantity);
                self.renewed += 1;
                self.stage = EntitlementStage::Granted;
            }
            EntitlementEvent::EntitlementChanged(changed) => {
                if changed.property.is_some() {
                    self.others_at_property = changed.others_at_property.map(Into::into);
                }
                self.number = sealed(changed.number.as_ref()).or(self.number.take());
                self.property = sealed(changed.property.as_ref()).or(self.property.take());
                self.quantity = changed.quantity.map(Into::into).or(self.quantity);
            }
            EntitlementEvent::EntitlementEnded(ended) => {
                self.stage = EntitlementStage::Ended;
                (self.ended_because, self.ended_on) = (Some(ended.why), ended.ended_on);
                self.ended_by = ended.decided_by.clone();
                self.ended_reason = sealed(ended.reason.as_ref());
            }
            EntitlementEvent::EntitlementExpired(_) => self.stage = EntitlementStage::Expired,
            EntitlementEvent::EntitlementGranted(_) | EntitlementEvent::EntitlementRenewalDue(_) => {}
        }
    }
}

/// Applies events of entitlements to their rows.
pub(super) async fn apply(
    transaction: &mut PgConnection,
    generation: Generation,
    events: &[(&Event, &EntitlementEvent)],
) -> Result<(), ProjectionError> {
    let ids: Vec<_> = events.iter().map(|(event, _)| event.stored.aggregate_id.0).collect();
    let held: Vec<Entitlement> = sqlx::query_as(include_str!("../../sql/history/select_entitlements.sql"))
        .bind(generation.0)
        .bind(ids)
        .fetch_all(&mut *transaction)
        .await?;
    let mut entitlements: BTreeMap<EntitlementId, Entitlement> = held.into_iter().map(|held| (held.id, held)).collect();
    for (event, record) in events {
        let before = entitlements.remove(&EntitlementId(event.stored.aggregate_id.0));
        let fault = |fault| ProjectionError::Implausible {
            projection: NAME,
            position: event.stored.position,
            fault,
        };
        if event.stored.sequence.0 != before.as_ref().map_or(0, |before| before.version.0) + 1 {
            return Err(fault(Fault::Sequence));
        }
        let after = Entitlement::after(before, event, record).ok_or_else(|| fault(Fault::Beginning))?;
        entitlements.insert(after.id, after);
    }
    upsert(transaction, generation, &entitlements.into_values().collect::<Vec<_>>()).await
}

async fn upsert(
    transaction: &mut PgConnection,
    generation: Generation,
    rows: &[Entitlement],
) -> Result<(), ProjectionError> {
    let texts = |field: fn(&Entitlement) -> Option<&Sealed>| {
        rows.iter()
            .map(|row| field(row).map(to_json).transpose())
            .collect::<Result<Vec<_>, _>>()
    };
    sqlx::query(include_str!("../../sql/history/upsert_entitlements.sql"))
        .bind(generation.0)
        .bind(column(rows, |row| row.id.0))
        .bind(column(rows, |row| row.entitlement.as_str()))
        .bind(column(rows, |row| row.service.as_str()))
        .bind(column(rows, |row| row.customer_id.0))
        .bind(column(rows, |row| row.case_id.0))
        .bind(column(rows, |row| row.reference.as_str()))
        .bind(column(rows, |row| row.stage.as_str()))
        .bind(column(rows, |row| row.starts_on.0))
        .bind(column(rows, |row| row.ends_on.0))
        .bind(column(rows, |row| row.renew_from.0))
        .bind(column(rows, |row| row.ended_because.map(EntitlementEnding::as_str)))
        .bind(column(rows, |row| row.ended_on.map(|day| day.0)))
        .bind(column(rows, |row| row.ended_by.as_ref().map(OfficerId::as_str)))
        .bind(texts(|row| row.ended_reason.as_ref())?)
        .bind(texts(|row| row.number.as_ref())?)
        .bind(texts(|row| row.property.as_ref())?)
        .bind(column(rows, |row| row.quantity.map(i32::from)))
        .bind(column(rows, |row| as_integer(row.renewed)))
        .bind(column(rows, |row| row.others_at_property.map(i32::from)))
        .bind(column(rows, |row| row.version.0))
        .bind(column(rows, |row| row.position.0))
        .execute(transaction)
        .await?;
    Ok(())
}

/// A number that was written from a small one.
fn small(row: &PgRow, column: &str) -> Result<Option<u16>, sqlx::Error> {
    let number: Option<i32> = row.try_get(column)?;
    Ok(number.and_then(|number| u16::try_from(number).ok()))
}

impl FromRow<'_, PgRow> for Entitlement {
    fn from_row(row: &PgRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            id: EntitlementId(row.try_get("entitlement_id")?),
            entitlement: word(row, "entitlement")?,
            service: word(row, "service")?,
            customer_id: CustomerId(row.try_get("customer_id")?),
            case_id: CaseId(row.try_get("case_id")?),
            reference: word(row, "reference")?,
            stage: word(row, "stage")?,
            starts_on: Day(row.try_get("starts_on")?),
            ends_on: Day(row.try_get("ends_on")?),
            renew_from: Day(row.try_get("renew_from")?),
            ended_because: optional_word(row, "ended_because")?,
            ended_on: row.try_get::<Option<_>, _>("ended_on")?.map(Day),
            ended_by: optional_word(row, "ended_by")?,
            ended_reason: optional_json(row, "ended_reason")?,
            number: optional_json(row, "number")?,
            property: optional_json(row, "property")?,
            quantity: small(row, "quantity")?,
            renewed: count(row, "renewed")?,
            others_at_property: small(row, "others_at_property")?,
            version: Version(row.try_get("version")?),
            position: Position(row.try_get("position")?),
        })
    }
}
