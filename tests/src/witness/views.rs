//! Whether the views follow the log (I4).

use std::sync::Arc;

use event_store::PgLedger;
use projections::Projection;
use uuid::Uuid;

use super::log::breach;
use super::{Breach, CATCH_UP, Invariant};
use crate::{Council, eventually};

fn all() -> Vec<Arc<dyn Projection>> {
    projections::projections(Uuid::new_v4)
}

/// Waits until each projection has applied the last event.
pub async fn wait_until_caught_up(council: &Council) {
    let pool = council.database.as_role("caseledger_projector").await;
    let feed = PgLedger::new(council.database.as_role("caseledger_feed").await);
    for projection in all() {
        let what = format!("{} has caught up", projection.name());
        eventually(&what, CATCH_UP, || async {
            let status = projections::status(&*projection, &feed, &pool).await;
            status.is_ok_and(|status| status.behind() == 0)
        })
        .await;
    }
}

pub async fn breaches(council: &Council) -> Vec<Breach> {
    let pool = council.database.as_role("caseledger_projector").await;
    let feed = PgLedger::new(council.database.as_role("caseledger_feed").await);
    let mut breaches = Vec::new();
    for projection in all() {
        let found = projections::verify(&*projection, &feed, &pool)
            .await
            .expect("a projection can be compared");
        for table in found.tables.iter().filter(|table| !table.agrees()) {
            let what = format!(
                "{}: a rebuild gives {:?}, readers see {:?}",
                projection.name(),
                table.rebuilt,
                table.live
            );
            breaches.push(breach(Invariant::ViewsFollowTheLog, what, [], [found.position.0]));
        }
    }
    breaches
}
