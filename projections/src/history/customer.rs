//! A customer as their events leave them, and their row.

use std::collections::BTreeMap;

use schemas::command::{Precaution, PreferredMedium, RepresentativeCapacity};
use schemas::event::{CustomerEvent, CustomerRegistered};
use schemas::ids::QuestionId;
use schemas::moment::{Day, Instant};
use schemas::personal::Protection;
use schemas::{CustomerId, OfficerId, Position, Private, Sealed, ServiceName, Version};
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
    /// What else became known of them as a person.
    pub particulars: Particulars,
    /// The record of the same person that is kept, where this one was merged.
    pub merged_into: Option<CustomerId>,
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

/// What became known of a customer as a person; what is personal in it is sealed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Particulars {
    /// By what they want to be reached; by email where it is absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub medium: Option<PreferredMedium>,
    /// What else to mind in reaching them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wishes: Option<Sealed>,
    /// What they need so that they can use the council's services as others do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub needs: Option<Sealed>,
    /// Who may act for them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub representatives: Vec<Representative>,
    /// When their death became known; none of the living.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub death_known_at: Option<Instant>,
    /// What to mind at their door.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub hazards: Vec<Hazard>,
}

/// Somebody who may act for a customer, to the last day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Representative {
    /// Who.
    pub representative: CustomerId,
    /// As what.
    pub capacity: RepresentativeCapacity,
    /// For which services; for all where it is empty.
    pub services: Vec<ServiceName>,
    /// The last day.
    pub until: Day,
}

/// A hazard marker, to the last day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hazard {
    /// Its number.
    pub number: u32,
    /// What whoever visits has to do.
    pub precaution: Precaution,
    /// Why.
    pub grounds: Option<Sealed>,
    /// Who answers for it.
    pub owner: OfficerId,
    /// When they look at it again.
    pub review_on: Day,
    /// The last day.
    pub expires_on: Day,
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
            particulars: Particulars::default(),
            merged_into: None,
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
            CustomerEvent::CustomerMerged(merged) => self.merged_into = Some(merged.into),
            CustomerEvent::CustomerParted(_) => self.merged_into = None,
            other => self.particulars.change(at, other),
        }
    }
}

impl Particulars {
    fn change(&mut self, at: Instant, record: &CustomerEvent) {
        match record {
            CustomerEvent::ContactPreferencesSet(set) => {
                self.medium = set.medium;
                self.wishes = sealed(set.wishes.as_ref());
            }
            CustomerEvent::AdjustmentsRecorded(recorded) => self.needs = sealed(recorded.needs.as_ref()),
            CustomerEvent::RepresentativeAuthorised(authorised) => {
                self.end(authorised.representative);
                self.representatives.push(Representative {
                    representative: authorised.representative,
                    capacity: authorised.capacity,
                    services: authorised.services.clone(),
                    until: authorised.until,
                });
            }
            CustomerEvent::RepresentationEnded(ended) => self.end(ended.representative),
            CustomerEvent::DeathRecorded(_) => self.death_known_at = Some(at),
            CustomerEvent::DeathRecordCorrected(_) => self.death_known_at = None,
            CustomerEvent::HazardMarkerSet(set) => self.hazards.push(Hazard {
                number: set.number,
                precaution: set.precaution,
                grounds: sealed(Some(&set.grounds)),
                owner: set.owner.clone(),
                review_on: set.review_on,
                expires_on: set.expires_on,
            }),
            CustomerEvent::HazardMarkerEnded(ended) => self.hazards.retain(|hazard| hazard.number != ended.number),
            // Of the rest of the record; a registration stands only at the beginning.
            CustomerEvent::CustomerRegistered(_)
            | CustomerEvent::ContactDetailsUpdated(_)
            | CustomerEvent::ConsentRecorded(_)
            | CustomerEvent::ConsentWithdrawn(_)
            | CustomerEvent::CustomerMerged(_)
            | CustomerEvent::CustomerParted(_) => {}
        }
    }

    fn end(&mut self, representative: CustomerId) {
        self.representatives
            .retain(|known| known.representative != representative);
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
    let particulars: Vec<_> = customers
        .iter()
        .map(|customer| to_json(&customer.particulars))
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
        .bind(particulars)
        .bind(column(customers, |customer| customer.merged_into.map(|kept| kept.0)))
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
            particulars: json(row, "particulars")?,
            merged_into: row.try_get::<Option<_>, _>("merged_into")?.map(CustomerId),
            registered_at: Instant::new(row.try_get("registered_at")?),
            version: Version(row.try_get("version")?),
            position: Position(row.try_get("position")?),
        })
    }
}
