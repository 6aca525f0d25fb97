//! What a process needs and has not.

use std::time::{Duration, Instant};

use bus::{Bus, BusError, ServiceUser};
use event_store::Ledger;
use futures::future::join_all;
use schemas::Position;
use schemas::subjects::{COMMANDS_STREAM, DEADLETTERS_STREAM, EVENTS_STREAM, FEEDS_STREAM, RESULTS_STREAM};
use serde::Serialize;

use super::{ANSWER_WITHIN, Observed, RunsOn, Told};
use crate::cli::Service;

/// For how long a look counts: a probe that asks more often is told the same.
const LOOK_COUNTS: Duration = Duration::from_secs(1);

/// Whether the process is ready, and what is missing where it is not.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Readiness {
    /// Nothing is missing.
    pub(super) ready: bool,
    /// What is.
    pub(super) missing: Vec<Missing>,
}

/// One thing that a service needs and has not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Missing {
    /// Which service needs it.
    service: &'static str,
    /// What: `start`, `postgres`, `nats:<user>`, `stream:<name>` or `log`.
    what: String,
    /// What is known of it, and what to do.
    why: String,
}

/// Looks, unless somebody has a moment ago.
pub(super) async fn of(told: &Told) -> Readiness {
    let mut looked = told.looked.lock().await;
    if let Some((at, readiness)) = looked.as_ref()
        && at.elapsed() < LOOK_COUNTS
    {
        return readiness.clone();
    }
    let missing: Vec<Missing> = join_all(told.services.iter().map(missing))
        .await
        .into_iter()
        .flatten()
        .collect();
    let readiness = Readiness {
        ready: missing.is_empty(),
        missing,
    };
    *looked = Some((Instant::now(), readiness.clone()));
    readiness
}

async fn missing(observed: &Observed) -> Vec<Missing> {
    let service = observed.service.name();
    let missing = |what: String, why: String| Missing { service, what, why };
    let Some(parts) = observed.parts() else {
        return vec![missing(
            "start".to_owned(),
            "it has not been put together yet".to_owned(),
        )];
    };
    let (head, streams) = tokio::join!(head(&parts), streams(observed.service, &parts));
    let mut all = Vec::new();
    if let Err(why) = &head {
        all.push(missing("postgres".to_owned(), why.clone()));
    }
    let down = parts.bus.state().borrow().down.clone();
    let no_connection = "it has no connection: see the log for what NATS says";
    all.extend(
        down.iter()
            .map(|user| missing(format!("nats:{user}"), no_connection.to_owned())),
    );
    if let Some(client) = observed.client().filter(|client| !client.is_connected()) {
        all.push(missing(format!("nats:{}", client.name()), no_connection.to_owned()));
    }
    let mut streams = streams;
    if down.is_empty() {
        for (stream, why) in parts.bus.unstored() {
            streams.retain(|(looked_at, _)| *looked_at != stream);
            let why = format!(
                "JetStream did not take what was published last ({why}): see its disk, and the log of nats-server"
            );
            streams.push((stream, Err(why)));
        }
    }
    for (stream, looked) in streams {
        match looked {
            // Without a connection there is nothing to be said of the streams.
            Err(_) if !down.is_empty() => {}
            Err(why) => all.push(missing(format!("stream:{stream}"), why)),
            Ok(end) => {
                if let (Some(end), Ok(head)) = (end, &head)
                    && end > *head
                {
                    let why = format!(
                        "the event stream holds {end} events, the log ends at {head}: the database was rolled back; see the \
                         runbook, Restore from a backup"
                    );
                    all.push(missing("log".to_owned(), why));
                }
            }
        }
    }
    all
}

async fn head(parts: &RunsOn) -> Result<Position, String> {
    match tokio::time::timeout(ANSWER_WITHIN, parts.ledger.head()).await {
        Ok(Ok(head)) => Ok(head.position),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err(format!("it did not answer within {} seconds", ANSWER_WITHIN.as_secs())),
    }
}

/// How each stream that a service needs was found: of the events, up to which position they go as their number says.
async fn streams(service: Service, parts: &RunsOn) -> Vec<(&'static str, Result<Option<Position>, String>)> {
    let (user, needed): (_, &[&'static str]) = match service {
        Service::CommandService => (
            ServiceUser::Puller,
            &[
                COMMANDS_STREAM,
                RESULTS_STREAM,
                DEADLETTERS_STREAM,
                FEEDS_STREAM,
                EVENTS_STREAM,
            ],
        ),
        Service::Relay => (ServiceUser::Relay, &[EVENTS_STREAM]),
        // They only listen, and what they miss is in the log.
        Service::Projections | Service::Notifier => return Vec::new(),
    };
    join_all(needed.iter().map(|stream| async move {
        let looked = match tokio::time::timeout(ANSWER_WITHIN, parts.bus.holds(user, stream, None)).await {
            Ok(Ok(holds)) => {
                let end = i64::try_from(holds.messages).unwrap_or(i64::MAX);
                Ok((*stream == EVENTS_STREAM).then_some(Position(end)))
            }
            Ok(Err(error)) => Err(in_words(&error)),
            Err(_) => Err(format!(
                "JetStream did not answer within {} seconds: it may have switched itself off, as it does on a full disk",
                ANSWER_WITHIN.as_secs()
            )),
        };
        (*stream, looked)
    }))
    .await
}

fn in_words(error: &BusError) -> String {
    match error {
        BusError::StreamMissing { .. } => "it does not exist: run `caseledger migrate`".to_owned(),
        BusError::Unavailable { reason, .. } => {
            format!("JetStream does not serve it ({reason}): it switches itself off where its disk is full")
        }
        other => other.to_string(),
    }
}
