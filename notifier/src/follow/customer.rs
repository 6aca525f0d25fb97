//! What events say of how a customer is reached.

use event_store::StoredEvent;
use schemas::command::PreferredMedium;
use schemas::event::CustomerEvent;
use schemas::{CustomerId, QuestionId, Sealed};
use sqlx::postgres::PgConnection;
use sqlx::query;
use uuid::Uuid;

use super::{EMAIL_CONSENT, sealed};
use crate::error::NotifierError;

/// Remembers what an event says.
pub(super) async fn follow(
    connection: &mut PgConnection,
    event: &StoredEvent,
    customer: CustomerEvent,
) -> Result<(), NotifierError> {
    let id = event.aggregate_id.uuid();
    match customer {
        CustomerEvent::CustomerRegistered(registered) => {
            let title = registered
                .title
                .as_ref()
                .map(|title| sealed(event, title))
                .transpose()?;
            let email = registered
                .email
                .as_ref()
                .map(|email| sealed(event, email))
                .transpose()?;
            query(include_str!("../../sql/put_contact.sql"))
                .bind(id)
                .bind(title.as_ref().map(Sealed::token))
                .bind(sealed(event, &registered.name)?.token())
                .bind(email.as_ref().map(Sealed::token))
                .execute(connection)
                .await?;
        }
        CustomerEvent::ContactDetailsUpdated(updated) => {
            let title = updated
                .title
                .as_ref()
                .and_then(Option::as_ref)
                .map(|title| sealed(event, title))
                .transpose()?;
            let name = updated.name.as_ref().map(|name| sealed(event, name)).transpose()?;
            let email = updated
                .email
                .as_ref()
                .and_then(Option::as_ref)
                .map(|email| sealed(event, email))
                .transpose()?;
            query(include_str!("../../sql/change_contact.sql"))
                .bind(id)
                .bind(updated.title.is_some())
                .bind(title.as_ref().map(Sealed::token))
                .bind(name.as_ref().map(Sealed::token))
                .bind(updated.email.is_some())
                .bind(email.as_ref().map(Sealed::token))
                .execute(connection)
                .await?;
        }
        CustomerEvent::ConsentRecorded(recorded) => consent(connection, id, &recorded.purpose, false).await?,
        CustomerEvent::ConsentWithdrawn(withdrawn) => consent(connection, id, &withdrawn.purpose, true).await?,
        CustomerEvent::DeathRecorded(_) => mark(connection, include_str!("../../sql/deceased.sql"), id, true).await?,
        CustomerEvent::DeathRecordCorrected(_) => {
            mark(connection, include_str!("../../sql/deceased.sql"), id, false).await?
        }
        CustomerEvent::ContactPreferencesSet(set) => {
            let other = set.medium.is_some_and(|medium| medium != PreferredMedium::Email);
            mark(connection, include_str!("../../sql/medium.sql"), id, other).await?;
        }
        CustomerEvent::CustomerMerged(merged) => merge(connection, id, Some(merged.into)).await?,
        CustomerEvent::CustomerParted(_) => merge(connection, id, None).await?,
        CustomerEvent::AdjustmentsRecorded(_)
        | CustomerEvent::RepresentativeAuthorised(_)
        | CustomerEvent::RepresentationEnded(_)
        | CustomerEvent::HazardMarkerSet(_)
        | CustomerEvent::HazardMarkerEnded(_) => {}
    }
    Ok(())
}

async fn mark(
    connection: &mut PgConnection,
    statement: &'static str,
    customer: Uuid,
    holds: bool,
) -> Result<(), NotifierError> {
    query(statement).bind(customer).bind(holds).execute(connection).await?;
    Ok(())
}

async fn merge(connection: &mut PgConnection, customer: Uuid, kept: Option<CustomerId>) -> Result<(), NotifierError> {
    query(include_str!("../../sql/merged.sql"))
        .bind(customer)
        .bind(kept.map(CustomerId::uuid))
        .execute(connection)
        .await?;
    Ok(())
}

async fn consent(
    connection: &mut PgConnection,
    customer: Uuid,
    purpose: &QuestionId,
    withdrawn: bool,
) -> Result<(), NotifierError> {
    if purpose.as_str() == EMAIL_CONSENT {
        query(include_str!("../../sql/consent.sql"))
            .bind(customer)
            .bind(withdrawn)
            .execute(connection)
            .await?;
    }
    Ok(())
}
