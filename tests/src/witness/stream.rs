//! Whether the event stream holds the log, and what lies among the dead letters (I5, I7).

use std::collections::BTreeMap;

use async_nats::jetstream::{self, stream::Stream};
use bytes::Bytes;
use serde::Deserialize;

use super::log::{breach, events};
use super::{Breach, CATCH_UP, Invariant, Witness, lock};
use crate::{Council, eventually};

#[derive(Deserialize)]
struct Published {
    /// A CloudEvents attribute that is no 32-bit integer is a text.
    position: String,
}

#[derive(Deserialize)]
struct Letter {
    digest: String,
}

async fn stream(council: &Council, name: &str) -> Option<Stream> {
    jetstream::new(council.steward().await).get_stream(name).await.ok()
}

/// Every message that a stream holds.
pub(crate) async fn held(council: &Council, name: &str) -> Vec<Bytes> {
    let Some(mut stream) = stream(council, name).await else {
        return Vec::new();
    };
    let state = stream.info().await.expect("a stream has a state").state.clone();
    let mut held = Vec::new();
    if state.messages > 0 {
        for sequence in state.first_sequence..=state.last_sequence {
            // One that is gone is missed by its position.
            if let Ok(message) = stream.get_raw_message(sequence).await {
                held.push(message.payload);
            }
        }
    }
    held
}

/// Waits until the stream's last event is the log's.
pub async fn wait_until_caught_up(council: &Council) {
    let owner = council.owner().await;
    eventually("the event stream reaches the log's end", CATCH_UP, || async {
        let head: i64 = sqlx::query_scalar("SELECT position FROM ledger.head")
            .fetch_one(&owner)
            .await
            .expect("the head can be read");
        let Some(mut stream) = stream(council, "CASELEDGER_EVENTS").await else {
            return false;
        };
        let Ok(info) = stream.info().await else { return false };
        let state = info.state.clone();
        if state.messages == 0 {
            return head == 0;
        }
        let last = stream.get_raw_message(state.last_sequence).await.ok();
        last.is_some_and(|last| position(&last.payload) == Some(head))
    })
    .await;
}

/// The position that a published event gives.
pub(crate) fn position(body: &[u8]) -> Option<i64> {
    serde_json::from_slice::<Published>(body).ok()?.position.parse().ok()
}

pub async fn breaches(council: &Council) -> Vec<Breach> {
    let events = events(&council.owner().await).await;
    let mut copies: BTreeMap<i64, Vec<Bytes>> = BTreeMap::new();
    let mut breaches = Vec::new();
    for body in held(council, "CASELEDGER_EVENTS").await {
        match position(&body) {
            Some(position) => copies.entry(position).or_default().push(body),
            None => {
                let what = "the event stream holds what is no event".to_owned();
                breaches.push(breach(Invariant::StreamHoldsTheLog, what, [], []));
            }
        }
    }
    for event in &events {
        let place = event.position.0;
        let published = command_service::published(event).expect("an event can be published");
        let what = match copies.remove(&place) {
            None => "the event stream does not hold it",
            Some(copies) if copies.iter().any(|copy| *copy != published.body) => {
                "the event stream holds other bytes than the log"
            }
            Some(_) => continue,
        };
        breaches.push(breach(
            Invariant::StreamHoldsTheLog,
            what.to_owned(),
            [event.command_id],
            [place],
        ));
    }
    if !copies.is_empty() {
        let what = "the event stream holds what the log does not".to_owned();
        breaches.push(breach(Invariant::StreamHoldsTheLog, what, [], copies.into_keys()));
    }
    breaches
}

impl Witness {
    /// What has to be among the dead letters and is not, and what is there for no reason.
    pub(super) async fn letters_missing(&self, council: &Council) -> Vec<Breach> {
        let mut expected = lock(&self.put_aside).clone();
        let mut breaches = Vec::new();
        for body in held(council, "CASELEDGER_DEADLETTERS").await {
            let letter: Letter = serde_json::from_slice(&body).expect("a dead letter can be read");
            match expected.get_mut(&letter.digest) {
                Some(left) => *left = left.saturating_sub(1),
                None => {
                    let what = format!(
                        "a dead letter about what nobody sent to be put aside: {}",
                        letter.digest
                    );
                    breaches.push(breach(Invariant::NothingIsDropped, what, [], []));
                }
            }
        }
        for (digest, missing) in expected.into_iter().filter(|(_, missing)| *missing > 0) {
            let what = format!("{missing} dead letters about {digest} are missing");
            breaches.push(breach(Invariant::NothingIsDropped, what, [], []));
        }
        breaches
    }
}
