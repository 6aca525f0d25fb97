//! `caseledger projection`.

use std::sync::Arc;

use event_store::PgLedger;
use projections::{Projection, projections, rebuild, status, verify};
use serde_json::json;
use uuid::Uuid;

use super::operator;
use crate::cli::Projection as Call;
use crate::outcome::Failure;
use crate::print;

/// Says where projections stand, builds one anew, or compares one with the log.
pub async fn run(call: &Call, json: bool) -> Result<(), Failure> {
    let pool = operator::listening_pool().await?;
    let ledger = PgLedger::new(pool.clone());
    match call {
        Call::Status => {
            let mut rows = Vec::new();
            for projection in projections(Uuid::new_v4) {
                let status = status(projection.as_ref(), &ledger, &pool)
                    .await
                    .map_err(Failure::down)?;
                if json {
                    print::json(&json!({
                        "name": status.name,
                        "position": status.position,
                        "head": status.head,
                        "recorded_at": status.recorded_at,
                        "rebuilding": status.rebuilding,
                    }));
                }
                let at = |at: &schemas::moment::Instant| at.to_string();
                rows.push(vec![
                    status.name.to_owned(),
                    status.position.to_string(),
                    status.head.to_string(),
                    status.behind().to_string(),
                    status.recorded_at.as_ref().map_or_else(|| "–".to_owned(), at),
                    status
                        .rebuilding
                        .map_or_else(|| "–".to_owned(), |position| format!("at {position}")),
                ]);
            }
            if !json {
                print::table(
                    &[
                        "projection",
                        "position",
                        "log",
                        "behind",
                        "last event recorded",
                        "rebuild",
                    ],
                    rows,
                );
            }
        }
        Call::Rebuild { name } => {
            let rebuilt = rebuild(named(name)?.as_ref(), &ledger, &pool)
                .await
                .map_err(Failure::down)?;
            let position = rebuilt.position;
            if json {
                print::json(&json!({ "name": name, "position": position }));
            } else {
                print::line(format!("{name} was built anew and switched at position {position}"));
            }
        }
        Call::Verify { name } => {
            let verified = verify(named(name)?.as_ref(), &ledger, &pool)
                .await
                .map_err(Failure::down)?;
            let row = |comparison: &projections::Comparison| {
                let agrees = if comparison.agrees() { "the same" } else { "differs" };
                let rows = |digest: &projections::TableDigest| digest.rows.to_string();
                vec![
                    comparison.live.table.to_owned(),
                    rows(&comparison.live),
                    rows(&comparison.rebuilt),
                    agrees.to_owned(),
                ]
            };
            if json {
                let tables: Vec<_> = verified
                    .tables
                    .iter()
                    .map(|table| json!({ "table": table.live.table, "agrees": table.agrees() }))
                    .collect();
                print::json(
                    &json!({ "name": name, "position": verified.position, "agrees": verified.agrees(), "tables": tables }),
                );
            } else {
                print::table(
                    &["table", "rows", "rows from the log", "to the byte"],
                    verified.tables.iter().map(row),
                );
                print::line(format!("compared at position {}", verified.position));
            }
            if !verified.agrees() {
                return Err(Failure::No);
            }
        }
    }
    Ok(())
}

fn named(name: &str) -> Result<Arc<dyn Projection>, Failure> {
    let all = projections(Uuid::new_v4);
    let names: Vec<&str> = all.iter().map(|projection| projection.name()).collect();
    let unknown = || {
        Failure::Usage(format!(
            "there is no projection {name}: there are {}",
            names.join(" and ")
        ))
    };
    all.iter()
        .find(|projection| projection.name() == name)
        .cloned()
        .ok_or_else(unknown)
}
