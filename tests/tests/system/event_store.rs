//! The event store on a real PostgreSQL.

mod append;
mod cqrs;
mod guards;
mod keys;
mod leases;
mod outages;
mod races;
mod subscription;

use std::sync::Arc;

use event_store::{Append, ExternalRef, Ledger, NewEvent, Outcome, PgLedger, Receipt, StoredEvent, Verdict};
use schemas::sealed::KeyAdmission;
use schemas::text::ExternalId;
use schemas::{AggregateId, ClientName, CommandId, EventId, Position, ServiceName, Version};
use system_tests::{TestDatabase, database};
use time::OffsetDateTime;
use uuid::Uuid;

/// A fresh log, reached as the command-service reaches it.
pub(super) struct Log {
    pub(super) database: TestDatabase,
    pub(super) ledger: Arc<PgLedger>,
}

pub(super) async fn log() -> Log {
    let database = database().await;
    let ledger = Arc::new(PgLedger::new(database.as_role("caseledger_writer").await));
    Log { database, ledger }
}

impl Log {
    /// The same log, as another process reaches it.
    async fn another(&self) -> Arc<PgLedger> {
        Arc::new(PgLedger::new(self.database.as_role("caseledger_writer").await))
    }

    pub(super) async fn append(&self, batch: Vec<Append>) -> Vec<Verdict> {
        self.ledger.append(&batch).await.unwrap()
    }

    async fn append_one(&self, append: Append) -> Verdict {
        self.append(vec![append]).await.remove(0)
    }

    async fn all(&self) -> Vec<StoredEvent> {
        self.ledger.feed(Position::START, None, 100_000).await.unwrap()
    }
}

pub(super) fn stream() -> AggregateId {
    AggregateId(Uuid::new_v4())
}

pub(super) fn service(name: &str) -> ServiceName {
    ServiceName::new(name).unwrap()
}

fn an_instant() -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(1_790_000_000).unwrap()
}

fn events(count: usize) -> Vec<NewEvent> {
    let event = |number: usize| NewEvent {
        event_id: EventId(Uuid::now_v7()),
        event_type: "RequestUpdated",
        event_version: "1",
        payload: format!("{{\"event\":\"RequestUpdated\",\"number\":{number}}}"),
        metadata: "{\"client\":\"website\"}".into(),
        occurred_at: an_instant(),
    };
    (1..=count).map(event).collect()
}

/// A command of the website to a case, accepted with this many events.
pub(super) fn accepted(aggregate_id: AggregateId, expected: i64, event_count: usize) -> Append {
    Append {
        client: ClientName::new("website").unwrap(),
        command_id: CommandId(Uuid::new_v4()),
        fingerprint: [7; 32],
        aggregate_type: "case",
        aggregate_id,
        service: service("waste"),
        expected: Version(expected),
        outcome: Outcome::Accepted {
            reference: None,
            events: events(event_count),
        },
        external_ref: None,
        keys: KeyAdmission::default(),
        places: Vec::new(),
    }
}

pub(super) fn rejected(aggregate_id: AggregateId, expected: i64) -> Append {
    let outcome = Outcome::Rejected {
        problem: "{ \"type\":\"not_closed\" }".into(),
    };
    Append {
        outcome,
        ..accepted(aggregate_id, expected, 0)
    }
}

fn external(system: &str, id: &str) -> Option<ExternalRef> {
    Some(ExternalRef {
        system: ExternalId::new(system).unwrap(),
        id: ExternalId::new(id).unwrap(),
    })
}

#[track_caller]
fn receipt(verdict: &Verdict) -> &Receipt {
    match verdict {
        Verdict::Appended(receipt) => receipt,
        other => panic!("not appended: {other:?}"),
    }
}

/// That positions, the positions of each service and the sequences of each stream have no hole, and that time does not run
/// back along the log.
#[track_caller]
fn assert_whole(log: &[StoredEvent]) {
    let mut streams = std::collections::HashMap::new();
    let mut services = std::collections::HashMap::new();
    for (event, position) in log.iter().zip(1..) {
        assert_eq!(event.position, Position(position));
        let sequence = streams.entry(event.aggregate_id).or_insert(0);
        *sequence += 1;
        assert_eq!(event.sequence, Version(*sequence), "{event:?}");
        let service_position = services.entry(event.service.clone()).or_insert(0);
        *service_position += 1;
        assert_eq!(event.service_position, Position(*service_position), "{event:?}");
    }
    assert!(log.is_sorted_by_key(|event| event.recorded_at));
}
