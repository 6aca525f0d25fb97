//! A customer as their events leave them, and their row.

use std::collections::BTreeMap;

use schemas::event::{CustomerEvent, CustomerRegistered};
use schemas::ids::QuestionId;
use schemas::moment::Instant;
use schemas::personal::Protection;
use schemas::{CustomerId, Position, Private, Sealed, Version};
use serde::{Deserialize, Serialize};
use sqlx::postgres::PgRow;
use sqlx::{FromRow, PgConnection, Row as _};

use crate::columns::{column, json, optional_json};
use crate::error::{Fault, ProjectionError};
use crate::event::Event;
use crate::history::NAME;
use crate::history::case::{sealed, to_json};
use crate::projection::Generation;

/// A customer. Their contact details are sealed.
#[derive(Clone, Debug, PartialEq)]
pub struct Customer {
    /// Their id: the id of their stream.
    pub id: CustomerId,
    /// How they are addressed.
    pub title: Option<Sealed>,
    /// Their name.
    pub name: Sealed,
    /// Where they live.
    pub address: Option<Sealed>,
    /// Phone number.
    pub phone: Option<Sealed>,
    /// Email address.
    pub email: Option<Sealed>,
    /// What they agreed to, by purpose; withdrawn consents too.
    pub consents: BTreeMap<QuestionId, Consent>,
    /// When they became known.
    pub registered_at: Instant,
    /// The sequence of their last event.
    pub version: Version,
    /// The position of their last event.
    pub position: Position,
}

/// What a customer last said about one purpose.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consent {
    /// The council's wording that they agreed to, sealed; absent where they never did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wording: Option<Sealed>,
    /// When they agreed; absent where they never did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub given_at: Option<Instant>,
    /// When they withdrew it, if they did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withdrawn_at: Option<Instant>,
}

impl Consent {
    /// Whether it stands.
    #[must_use]
    pub const fn stands(&self) -> bool {
        self.given_at.is_some() && self.withdrawn_at.is_none()
    }
}

/// What a change leaves: the new value, nothing where it was removed, the old one where it is absent.
fn changed<T, P: Protection>(change: Option<&Option<Private<T, P>>>, before: Option<Sealed>) -> Option<Sealed> {
    change.map_or(before, |given| sealed(given.as_ref()))
}

impl Customer {
    /// The customer after one more of their events; `None` where the first is not a registration, or a later one is.
    fn after(before: Option<Self>, event: &Event, record: &CustomerEvent) -> Option<Self> {
        let mut customer = match (before, record) {
            (None, CustomerEvent::CustomerRegistered(registered)) => return Self::registered(event, registered),
            (Some(customer), record) if !matches!(record, CustomerEvent::CustomerRegistered(_)) => customer,
            _ => return None,
        };
        customer.version = event.stored.sequence;
        customer.position = event.stored.position;
        customer.change(event.stored.occurred_at.into(), record);
        Some(customer)
    }

    fn registered(event: &Event, registered: &CustomerRegistered) -> Option<Self> {
        Some(Self {
            id: CustomerId(event.stored.aggregate_id.0),
            title: sealed(registered.title.as_ref()),
            name: sealed(Some(&registered.name))?,
            address: sealed(registered.address.as_ref()),
            phone: sealed(registered.phone.as_ref()),
            email: sealed(registered.email.as_ref()),
            consents: BTreeMap::new(),
            registered_at: event.stored.occurred_at.into(),
            version: event.stored.sequence,
            position: event.stored.position,
        })
    }

    fn change(&mut self, at: Instant, record: &CustomerEvent) {
        match record {
            CustomerEvent::ContactDetailsUpdated(updated) => {
                self.title = changed(updated.title.as_ref(), self.title.take());
                self.address = changed(updated.address.as_ref(), self.address.take());
                self.phone = changed(updated.phone.as_ref(), self.phone.take());
                self.email = changed(updated.email.as_ref(), self.email.take());
                if let Some(name) = sealed(updated.name.as_ref()) {
                    self.name = name;
                }
            }
            CustomerEvent::ConsentRecorded(recorded) => {
                let consent = Consent {
                    wording: sealed(Some(&recorded.wording)),
                    given_at: Some(at),
                    withdrawn_at: None,
                };
                self.consents.insert(recorded.purpose.clone(), consent);
            }
            CustomerEvent::ConsentWithdrawn(withdrawn) => {
                self.consents.entry(withdrawn.purpose.clone()).or_default().withdrawn_at = Some(at);
            }
            // Stands only at the beginning.
            CustomerEvent::CustomerRegistered(_) => {}
        }
    }
}

/// Applies events of customers to their rows.
pub(super) async fn apply(
    transaction: &mut PgConnection,
    generation: Generation,
    events: &[(&Event, &CustomerEvent)],
) -> Result<(), ProjectionError> {
    let ids: Vec<_> = events.iter().map(|(event, _)| event.stored.aggregate_id.0).collect();
    let held: Vec<Customer> = sqlx::query_as(include_str!("../../sql/history/select_customers.sql"))
        .bind(generation.0)
        .bind(ids)
        .fetch_all(&mut *transaction)
        .await?;
    let mut customers: BTreeMap<CustomerId, Customer> =
        held.into_iter().map(|customer| (customer.id, customer)).collect();
    for (event, record) in events {
        let before = customers.remove(&CustomerId(event.stored.aggregate_id.0));
        let position = event.stored.position;
        let fault = |fault| ProjectionError::Implausible {
            projection: NAME,
            position,
            fault,
        };
        if event.stored.sequence.0 != before.as_ref().map_or(0, |customer| customer.version.0) + 1 {
            return Err(fault(Fault::Sequence));
        }
        let customer = Customer::after(before, event, record).ok_or_else(|| fault(Fault::Beginning))?;
        customers.insert(customer.id, customer);
    }
    upsert(transaction, generation, &customers.into_values().collect::<Vec<_>>()).await
}

async fn upsert(
    transaction: &mut PgConnection,
    generation: Generation,
    customers: &[Customer],
) -> Result<(), ProjectionError> {
    let texts = |field: fn(&Customer) -> Option<&Sealed>| {
        customers
            .iter()
            .map(|customer| field(customer).map(to_json).transpose())
            .collect::<Result<Vec<_>, _>>()
    };
    let consents: Vec<_> = customers
        .iter()
        .map(|customer| to_json(&customer.consents))
        .collect::<Result<_, _>>()?;
    sqlx::query(include_str!("../../sql/history/upsert_customers.sql"))
        .bind(generation.0)
        .bind(column(customers, |customer| customer.id.0))
        .bind(texts(|customer| customer.title.as_ref())?)
        .bind(texts(|customer| Some(&customer.name))?)
        .bind(texts(|customer| customer.address.as_ref())?)
        .bind(texts(|customer| customer.phone.as_ref())?)
        .bind(texts(|customer| customer.email.as_ref())?)
        .bind(consents)
        .bind(column(customers, |customer| customer.registered_at.get()))
        .bind(column(customers, |customer| customer.version.0))
        .bind(column(customers, |customer| customer.position.0))
        .execute(transaction)
        .await?;
    Ok(())
}

impl FromRow<'_, PgRow> for Customer {
    fn from_row(row: &PgRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            id: CustomerId(row.try_get("customer_id")?),
            title: optional_json(row, "title")?,
            name: json(row, "name")?,
            address: optional_json(row, "address")?,
            phone: optional_json(row, "phone")?,
            email: optional_json(row, "email")?,
            consents: json(row, "consents")?,
            registered_at: Instant::new(row.try_get("registered_at")?),
            version: Version(row.try_get("version")?),
            position: Position(row.try_get("position")?),
        })
    }
}
