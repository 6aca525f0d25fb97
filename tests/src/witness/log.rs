//! What the log says of the commands, and whether it is whole (I1, I2, I3).

use std::collections::{BTreeMap, BTreeSet};

use event_store::{Ledger, PgLedger, StoredEvent};
use schemas::result::{Accepted, CommandStatus};
use schemas::{CommandId, Position};
use sqlx::PgPool;
use uuid::Uuid;

use super::{Breach, Checkpoint, Invariant, Sent, Witness, lock};
use crate::Council;

/// How many events are read at once.
const PAGE: usize = 5_000;

/// What the log keeps of a command.
#[derive(sqlx::FromRow)]
struct Receipt {
    client: String,
    command_id: Uuid,
    status: String,
    aggregate_id: String,
    version: i64,
    position: i64,
    event_ids: Vec<Uuid>,
}

/// The whole log, in order.
pub async fn events(owner: &PgPool) -> Vec<StoredEvent> {
    let ledger = PgLedger::new(owner.clone());
    let mut all: Vec<StoredEvent> = Vec::new();
    loop {
        let after = all.last().map_or(Position::START, |event| event.position);
        let page = ledger.feed(after, None, PAGE).await.expect("the log can be read");
        if page.is_empty() {
            return all;
        }
        all.extend(page);
    }
}

/// What the log holds up to a position, or now.
pub async fn checkpoint(council: &Council, up_to: Option<i64>) -> Checkpoint {
    let events = events(&council.owner().await).await;
    let mut digests = String::new();
    let mut position = 0;
    for event in events
        .iter()
        .take_while(|event| up_to.is_none_or(|up_to| event.position.0 <= up_to))
    {
        let published = command_service::published(event).expect("an event can be published");
        digests.push_str(&bus::digest(&published.body));
        position = event.position.0;
    }
    Checkpoint {
        position,
        digest: bus::digest(digests.as_bytes()),
    }
}

impl Witness {
    pub(super) async fn breaches_of_log(&self, council: &Council) -> Vec<Breach> {
        let owner = council.owner().await;
        let events = events(&owner).await;
        let statement =
            "SELECT client, command_id, status, aggregate_id, version, position, event_ids FROM ledger.commands";
        let receipts: Vec<Receipt> = sqlx::query_as(statement)
            .fetch_all(&owner)
            .await
            .expect("the receipts can be read");
        let head: i64 = sqlx::query_scalar("SELECT position FROM ledger.head")
            .fetch_one(&owner)
            .await
            .expect("the head can be read");
        let sent = lock(&self.sent).clone();
        let mut breaches = self.answers_that_are_not_recorded(&sent, &receipts);
        breaches.extend(receipts_without_their_events(&receipts, &events));
        breaches.extend(nobody_sent(&sent, &receipts, &events));
        breaches.extend(holes(&events, head));
        let kept = lock(&self.checkpoints).clone();
        for kept in kept {
            if checkpoint(council, Some(kept.position)).await != kept {
                let what = format!(
                    "what the log held up to {} when a checkpoint was kept, it does not hold any more",
                    kept.position
                );
                breaches.push(breach(Invariant::LogIsWhole, what, [], [kept.position]));
            }
        }
        breaches
    }

    fn answers_that_are_not_recorded(&self, sent: &BTreeMap<CommandId, Sent>, receipts: &[Receipt]) -> Vec<Breach> {
        let recorded: BTreeMap<(&str, Uuid), &Receipt> = receipts
            .iter()
            .map(|receipt| ((receipt.client.as_str(), receipt.command_id), receipt))
            .collect();
        let mut breaches = Vec::new();
        for (id, sent) in sent {
            let mut answers = sent.answers.clone();
            answers.dedup();
            if answers.len() > 1 {
                let what = format!("one command, {} different answers: {answers:?}", answers.len());
                breaches.push(breach(Invariant::AcceptedIsRecorded, what, [*id], []));
            }
            let Some(CommandStatus::Accepted(accepted)) = sent.answers.first() else {
                continue;
            };
            let receipt = recorded.get(&(sent.client.as_str(), id.0));
            if !receipt.is_some_and(|receipt| receipt.says(accepted)) {
                let found = receipt.map_or("there is none", |_| "it says otherwise");
                let what = format!("answered as accepted, but of its receipt: {found}");
                breaches.push(breach(
                    Invariant::AcceptedIsRecorded,
                    what,
                    [*id],
                    [accepted.position.0],
                ));
            }
        }
        breaches
    }
}

impl Receipt {
    fn says(&self, answer: &Accepted) -> bool {
        self.status == "accepted"
            && self.aggregate_id == answer.aggregate_id.to_string()
            && self.version == answer.version.0
            && self.position == answer.position.0
            && self.event_ids == answer.events.iter().map(|event| event.0).collect::<Vec<_>>()
    }
}

/// Each receipt has exactly its own events, the last at its position, and each event has a receipt.
fn receipts_without_their_events(receipts: &[Receipt], events: &[StoredEvent]) -> Vec<Breach> {
    let mut of_command: BTreeMap<(&str, Uuid), Vec<&StoredEvent>> = BTreeMap::new();
    for event in events {
        let key = (event.client.as_str(), event.command_id.0);
        of_command.entry(key).or_default().push(event);
    }
    let mut breaches = Vec::new();
    for receipt in receipts {
        let own = of_command
            .remove(&(receipt.client.as_str(), receipt.command_id))
            .unwrap_or_default();
        let ids: Vec<Uuid> = own.iter().map(|event| event.event_id.0).collect();
        let last = own.last().map(|event| (event.position.0, event.sequence.0));
        if ids != receipt.event_ids || last.is_some_and(|last| last != (receipt.position, receipt.version)) {
            let what = "the receipt names other events than the log holds".to_owned();
            let positions: Vec<i64> = own.iter().map(|event| event.position.0).collect();
            breaches.push(breach(
                Invariant::AcceptedIsRecorded,
                what,
                [CommandId(receipt.command_id)],
                positions,
            ));
        }
    }
    for ((_, command), own) in of_command {
        let positions: Vec<i64> = own.iter().map(|event| event.position.0).collect();
        let what = "events without a receipt".to_owned();
        breaches.push(breach(
            Invariant::AcceptedIsRecorded,
            what,
            [CommandId(command)],
            positions,
        ));
    }
    breaches
}

/// What stands in the log in the name of a client that the witness speaks for, was sent by it.
fn nobody_sent(sent: &BTreeMap<CommandId, Sent>, receipts: &[Receipt], events: &[StoredEvent]) -> Vec<Breach> {
    let clients: BTreeSet<&str> = sent.values().map(|sent| sent.client.as_str()).collect();
    let strange = |client: &str, id: Uuid| clients.contains(client) && !sent.contains_key(&CommandId(id));
    let from_receipts = receipts
        .iter()
        .filter(|receipt| strange(&receipt.client, receipt.command_id))
        .map(|receipt| (receipt.command_id, receipt.position));
    let from_events = events
        .iter()
        .filter(|event| strange(event.client.as_str(), event.command_id.0))
        .map(|event| (event.command_id.0, event.position.0));
    from_receipts
        .chain(from_events)
        .map(|(id, position)| {
            let what = "recorded, and never sent".to_owned();
            breach(Invariant::UnansweredActsOnce, what, [CommandId(id)], [position])
        })
        .collect()
}

/// Positions, each service's positions and each stream's versions count from 1 without a hole, and the head is the last.
fn holes(events: &[StoredEvent], head: i64) -> Vec<Breach> {
    let mut breaches = Vec::new();
    let (mut services, mut streams) = (BTreeMap::new(), BTreeMap::new());
    for (expected, event) in (1..).zip(events) {
        let position = event.position.0;
        let service: &mut i64 = services.entry(event.service.to_string()).or_default();
        let version: &mut i64 = streams.entry(event.aggregate_id).or_default();
        *service += 1;
        *version += 1;
        for (what, found, expected) in [
            ("position", position, expected),
            ("service position", event.service_position.0, *service),
            ("version", event.sequence.0, *version),
        ] {
            if found != expected {
                let what = format!("{what} {found} where {expected} was to be expected");
                breaches.push(breach(Invariant::LogIsWhole, what, [event.command_id], [position]));
            }
        }
        if breaches.len() > 10 {
            return breaches;
        }
    }
    let last = events.last().map_or(0, |event| event.position.0);
    if last != head {
        let what = format!("the head says {head}, the last event is {last}");
        breaches.push(breach(Invariant::LogIsWhole, what, [], [last]));
    }
    breaches
}

pub(super) fn breach(
    invariant: Invariant,
    what: String,
    commands: impl IntoIterator<Item = CommandId>,
    positions: impl IntoIterator<Item = i64>,
) -> Breach {
    Breach {
        invariant,
        what,
        commands: commands.into_iter().collect(),
        positions: positions.into_iter().collect(),
    }
}
