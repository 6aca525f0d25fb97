//! `caseledger customer`.

use projections::history::{cases_of_customer, customer_by_id};
use schemas::CustomerId;
use serde_json::json;

use super::operator;
use crate::cli::Customer as Call;
use crate::outcome::Failure;
use crate::print;

/// Lists all of a customer's cases.
pub async fn run(call: &Call, json: bool) -> Result<(), Failure> {
    let Call::History { id } = call;
    let pool = operator::pool()?;
    let id = CustomerId(*id);
    if customer_by_id(&pool, id).await.map_err(Failure::down)?.is_none() {
        print::aside(format!("there is no customer {id}"));
        return Err(Failure::No);
    }
    let cases = cases_of_customer(&pool, id).await.map_err(Failure::down)?;
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
