//! `caseledger bus`.

use std::time::{Duration, Instant};

use bus::{Bus, ServiceUser};
use event_store::{Ledger, PgLedger};
use schemas::ClientName;
use serde_json::json;

use super::{operator, parked};
use crate::cli::Bus as Call;
use crate::outcome::Failure;
use crate::print;

/// How long the relay may show no progress before the call gives up waiting for it.
const PATIENCE: Duration = Duration::from_secs(30);

/// How often the stream's end is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Does what was called.
pub async fn run(call: &Call, json: bool) -> Result<(), Failure> {
    match call {
        Call::Refill { feed: None } => refill(json).await,
        Call::Refill { feed: Some(contractor) } => empty_feed(contractor).await,
        Call::Parked => parked::list(json).await,
        Call::Replay { numbers, all } => parked::replay(numbers, *all, json).await,
        Call::Drop { numbers } => parked::drop_settled(numbers).await,
    }
}

/// Empties a contractor's feed. Its keeper sees that within a second and fills it again, in the same places.
async fn empty_feed(contractor: &str) -> Result<(), Failure> {
    let contractor = ClientName::new(contractor).map_err(Failure::usage)?;
    let (nats, passwords) = operator::nats()?;
    let steward = operator::steward(&nats, &passwords).await?;
    let emptied = steward.empty_feed(&contractor).await.map_err(Failure::down)?;
    print::line(format!(
        "emptied of {emptied} messages; the command-service fills the feed of {contractor} again from the log"
    ));
    Ok(())
}

/// Empties the event stream and waits until the relay has filled it again.
async fn refill(json: bool) -> Result<(), Failure> {
    let bus = operator::bus_as(ServiceUser::Relay).await?;
    let ledger = PgLedger::new(operator::listening_pool().await?);
    let head = ledger.head().await.map_err(Failure::down)?.position;
    let emptied = command_service::refill(&bus).await.map_err(Failure::down)?;
    if !json {
        print::line(format!(
            "emptied of {emptied} events; the relay publishes {head} from the log"
        ));
    }
    let (mut reached, mut since) = (schemas::Position::START, Instant::now());
    while reached < head {
        let end = bus.last_event().await.map_err(Failure::down)?;
        let now_at = end.last.map_or(schemas::Position::START, |last| last.position);
        if now_at > reached {
            (reached, since) = (now_at, Instant::now());
        } else if since.elapsed() > PATIENCE {
            return Err(Failure::Down(format!(
                "the stream stands at {reached} of {head}: is the relay running?"
            )));
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    if json {
        print::json(&json!({ "emptied": emptied, "position": reached }));
    } else {
        print::line(format!("the stream holds every event up to position {reached}"));
    }
    Ok(())
}
