//! `caseledger customer`.

use std::sync::Arc;
use std::time::Instant;

use projections::history::{Customer, cases_of_customer, customer_by_id};
use schemas::CustomerId;
use serde_json::{Value, json};
use sqlx::PgPool;
use vault::{KeyEncryptionKey, Vault};

use super::opening::Opening;
use super::operator;
use crate::cli::{Customer as Call, Reader};
use crate::outcome::Failure;
use crate::print;
use crate::settings::environment;

/// Looks a customer up.
pub async fn run(call: &Call, json: bool) -> Result<(), Failure> {
    let pool = operator::listening_pool().await?;
    match call {
        Call::History { id } => history(&pool, known(&pool, *id).await?.id, json).await,
        Call::Show { id, reader } => show(&pool, known(&pool, *id).await?, reader, json).await,
        Call::Duplicates { id } => duplicates(pool, CustomerId(*id), json).await,
    }
}

async fn known(pool: &PgPool, id: uuid::Uuid) -> Result<Customer, Failure> {
    let found = customer_by_id(pool, CustomerId(id)).await.map_err(Failure::down)?;
    found.ok_or_else(|| {
        print::aside(format!("there is no customer {id}"));
        Failure::No
    })
}

async fn show(pool: &PgPool, customer: Customer, reader: &Reader, json: bool) -> Result<(), Failure> {
    let mut document = json!({
        "id": customer.id, "merged_into": customer.merged_into, "title": customer.title, "name": customer.name,
        "address": customer.address, "phone": customer.phone, "email": customer.email, "consents": customer.consents,
        "particulars": customer.particulars, "registered_at": customer.registered_at, "version": customer.version,
        "position": customer.position,
    });
    Opening::of(reader, pool)?
        .apply(customer.id.into(), std::slice::from_mut(&mut document))
        .await?;
    if json {
        print::json(&document);
        return Ok(());
    }
    let members = document.as_object().into_iter().flatten();
    let shown = members.flat_map(|(name, value)| match (name.as_str(), value) {
        ("particulars", Value::Object(particulars)) => particulars.clone().into_iter().collect(),
        _ => vec![(name.clone(), value.clone())],
    });
    for (name, value) in shown.filter(|(_, value)| !value.is_null()) {
        print::pairs([(name.replace('_', " ").as_str(), print::value(&value))]);
    }
    Ok(())
}

/// The look-up hashes stand in the vault's tables; comparing them takes no key, and opens nothing.
async fn duplicates(pool: PgPool, id: CustomerId, json: bool) -> Result<(), Failure> {
    let key_file = environment("CASELEDGER_KEY_FILE");
    let key_file =
        key_file.ok_or_else(|| Failure::Usage("CASELEDGER_KEY_FILE is not set: the key-encryption key".to_owned()))?;
    let key = Arc::new(KeyEncryptionKey::load(key_file.as_ref()).map_err(Failure::usage)?);
    let vault = Vault::new(pool, key, vault::Settings::default(), Instant::now);
    let found = vault.possible_duplicates(id).await.map_err(Failure::down)?;
    if json {
        for (customer, shared) in &found {
            print::json(&json!({ "customer": customer, "shares": shared }));
        }
        return Ok(());
    }
    print::table(
        &["customer", "shares"],
        found
            .iter()
            .map(|(customer, shared)| vec![customer.to_string(), shared.join(", ")]),
    );
    Ok(())
}

async fn history(pool: &PgPool, id: CustomerId, json: bool) -> Result<(), Failure> {
    let cases = cases_of_customer(pool, id).await.map_err(Failure::down)?;
    if json {
        for case in &cases {
            print::json(&json!({
                "id": case.id, "reference": case.reference, "service": case.service, "request_type": case.request_type,
                "status": case.status, "outcome": case.outcome, "received_on": case.received_on, "reopened": case.reopened,
            }));
        }
        return Ok(());
    }
    print::table(
        &["reference", "request type", "received", "status", "outcome", "reopened"],
        cases.iter().map(|case| {
            vec![
                case.reference.to_string(),
                case.request_type.to_string(),
                case.received_on.to_string(),
                case.status.as_str().to_owned(),
                case.outcome
                    .as_ref()
                    .map_or_else(|| "–".to_owned(), ToString::to_string),
                case.reopened.to_string(),
            ]
        }),
    );
    Ok(())
}
