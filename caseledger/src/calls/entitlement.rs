//! `caseledger entitlement`.

use projections::history::{Entitlement, Wanted, entitlements};
use schemas::{CustomerId, EntitlementId, EntitlementName};
use serde_json::{Value, json};
use sqlx::PgPool;
use vault::LookupKind;

use super::opening::Opening;
use super::operator;
use crate::cli::{Entitlement as Call, Reader};
use crate::outcome::Failure;
use crate::print;

/// Looks entitlements up.
pub async fn run(call: &Call, json: bool) -> Result<(), Failure> {
    let pool = operator::listening_pool().await?;
    match call {
        Call::Show { id, reader } => show(&pool, EntitlementId(*id), reader, json).await,
        Call::List {
            customer,
            ending_by,
            kind,
            limit,
        } => {
            let kind = kind
                .as_deref()
                .map(EntitlementName::new)
                .transpose()
                .map_err(Failure::usage)?;
            let wanted = Wanted {
                id: None,
                customer: customer.map(CustomerId),
                ending_by: *ending_by,
                entitlement: kind.as_ref(),
            };
            let found = entitlements(&pool, wanted, *limit).await.map_err(Failure::down)?;
            list(&found, json);
            Ok(())
        }
    }
}

/// What can be told of an entitlement; what is personal in it is sealed.
fn document(held: &Entitlement) -> Value {
    json!({
        "id": held.id, "entitlement": held.entitlement, "service": held.service, "stage": held.stage, "customer_id": held.customer_id,
        "case_id": held.case_id, "reference": held.reference, "starts_on": held.starts_on, "ends_on": held.ends_on,
        "renew_from": held.renew_from, "ended_because": held.ended_because, "ended_on": held.ended_on, "ended_by": held.ended_by,
        "ended_reason": held.ended_reason, "quantity": held.quantity, "renewed": held.renewed, "number": held.number,
        "property": held.property, "others_at_property": held.others_at_property, "version": held.version, "position": held.position,
    })
}

async fn show(pool: &PgPool, id: EntitlementId, reader: &Reader, json: bool) -> Result<(), Failure> {
    let wanted = Wanted {
        id: Some(id),
        ..Wanted::default()
    };
    let found = entitlements(pool, wanted, 1).await.map_err(Failure::down)?;
    let Some(held) = found.first() else {
        print::aside(format!("there is no entitlement {id}"));
        return Err(Failure::No);
    };
    let mut document = document(held);
    let opening = Opening::of(reader, pool)?;
    opening.apply(id.into(), std::slice::from_mut(&mut document)).await?;
    if let Opening::By { vault, .. } = &opening {
        // Looked up each time: what the log says of it is how many.
        let others = vault.find_beside(LookupKind::Property, id.into()).await;
        document["others"] = json!(others.map_err(Failure::down)?);
    }
    if json {
        print::json(&document);
        return Ok(());
    }
    let is_there = |value: &Value| !value.is_null() && value.as_array().is_none_or(|items| !items.is_empty());
    let members = document.as_object().into_iter().flatten();
    for (name, value) in members.filter(|(_, value)| is_there(value)) {
        print::pairs([(name.replace('_', " ").as_str(), print::value(value))]);
    }
    Ok(())
}

/// The one that ends first, first.
fn list(found: &[Entitlement], json: bool) {
    if found.is_empty() {
        print::aside("there is no such entitlement");
        return;
    }
    if json {
        for held in found {
            print::json(&document(held));
        }
        return;
    }
    print::table(
        &[
            "ends",
            "entitlement",
            "stage",
            "since",
            "renewed",
            "others there",
            "case",
            "id",
        ],
        found.iter().map(|held| {
            vec![
                held.ends_on.to_string(),
                held.entitlement.to_string(),
                held.stage.as_str().to_owned(),
                held.starts_on.to_string(),
                held.renewed.to_string(),
                held.others_at_property
                    .map_or_else(String::new, |others| others.to_string()),
                held.reference.to_string(),
                held.id.to_string(),
            ]
        }),
    );
}
