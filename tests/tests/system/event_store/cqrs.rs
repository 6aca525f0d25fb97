//! cqrs-es and postgres-es on the log.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use cqrs_es::event_sink::EventSink;
use cqrs_es::persist::PersistedEventRepository as _;
use cqrs_es::{
    Aggregate, AggregateContext as _, AggregateError, CqrsFramework, DomainEvent, EventEnvelope, EventStore as _, Query,
};
use event_store::{Appender, COMMAND_ID, LedgerEventStore, Provenance};
use postgres_es::PostgresEventRepository;
use schemas::Version;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use uuid::Uuid;

use event_store::Ledger as _;

use super::{Log, accepted, assert_whole, log, service, stream};

/// A counter: the least that is an aggregate.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Counter {
    total: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event")]
enum Counted {
    Added { amount: u64 },
}

impl DomainEvent for Counted {
    fn event_type(&self) -> String {
        "Added".into()
    }

    fn event_version(&self) -> String {
        "1".into()
    }
}

#[derive(Debug)]
struct TooMuch;

impl std::fmt::Display for TooMuch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("too much")
    }
}

impl std::error::Error for TooMuch {}

impl Aggregate for Counter {
    const TYPE: &'static str = "counter";
    type Command = u64;
    type Event = Counted;
    type Error = TooMuch;
    type Services = ();

    async fn handle(&mut self, amount: u64, (): &(), sink: &EventSink<Self>) -> Result<(), TooMuch> {
        if self.total + amount > 100 {
            return Err(TooMuch);
        }
        sink.write(Counted::Added { amount }, self).await;
        Ok(())
    }

    fn apply(&mut self, Counted::Added { amount }: Counted) {
        self.total += amount;
    }
}

async fn store(log: &Log) -> LedgerEventStore<Counter> {
    let provenance = Provenance {
        client: "website".parse().unwrap(),
        service: service("waste"),
        now: Box::new(OffsetDateTime::now_utc),
        new_id: Box::new(Uuid::now_v7),
    };
    let pool = log.database.as_role("caseledger_writer").await;
    LedgerEventStore::new(pool, Appender::start(log.ledger.clone()), provenance)
}

#[derive(Clone, Default)]
struct Dispatched(Arc<Mutex<Vec<usize>>>);

#[async_trait::async_trait]
impl Query<Counter> for Dispatched {
    async fn dispatch(&self, _: &str, events: &[EventEnvelope<Counter>]) {
        self.0.lock().unwrap().extend(events.iter().map(|event| event.sequence));
    }
}

#[tokio::test]
async fn the_framework_runs_on_the_log() {
    let log = log().await;
    let dispatched = Dispatched::default();
    let cqrs = CqrsFramework::new(store(&log).await, vec![Box::new(dispatched.clone())], ());
    let id = stream().to_string();
    cqrs.execute(&id, 40).await.unwrap();
    let metadata = HashMap::from([(COMMAND_ID.to_owned(), Uuid::new_v4().to_string())]);
    cqrs.execute_with_metadata(&id, 50, metadata.clone()).await.unwrap();
    assert!(matches!(
        cqrs.execute(&id, 20).await,
        Err(AggregateError::UserError(TooMuch))
    ));
    // The same command again changes nothing and tells nobody.
    cqrs.execute_with_metadata(&id, 10, metadata.clone()).await.unwrap();
    assert_eq!(*dispatched.0.lock().unwrap(), [1, 2]);

    let all = log.all().await;
    assert_whole(&all);
    assert_eq!(all[1].payload, "{\"event\":\"Added\",\"amount\":50}");
    assert_eq!(
        (all[1].event_type.as_str(), all[1].aggregate_type.as_str()),
        ("Added", "counter")
    );
    assert_eq!(all[1].command_id.to_string(), metadata[COMMAND_ID]);
    let mut loaded = store(&log).await.load_aggregate(&id).await.unwrap();
    assert_eq!((loaded.current_sequence, loaded.aggregate().total), (2, 90));
}

#[tokio::test]
async fn who_decided_on_an_overtaken_state_hears_of_a_conflict() {
    let log = log().await;
    let (one, two) = (store(&log).await, store(&log).await);
    let id = stream().to_string();
    let (stale, fresh) = (
        one.load_aggregate(&id).await.unwrap(),
        two.load_aggregate(&id).await.unwrap(),
    );
    let added = |amount| vec![Counted::Added { amount }];
    let committed = two.commit(added(1), fresh, HashMap::new()).await.unwrap();
    assert_eq!(committed[0].sequence, 1);
    let error = one.commit(added(2), stale, HashMap::new()).await.unwrap_err();
    assert!(matches!(error, AggregateError::AggregateConflict), "{error}");
    assert_eq!(log.all().await.len(), 1);
}

#[tokio::test]
async fn postgres_es_loads_a_stream_that_the_log_wrote() {
    let log = log().await;
    let id = stream();
    let case = |expected, count| accepted(id, expected, count);
    let counter = |append| event_store::Append {
        aggregate_type: "counter",
        ..append
    };
    log.append(vec![counter(case(0, 2)), accepted(stream(), 0, 1), counter(case(2, 1))])
        .await;
    let pool = log.database.as_role("caseledger_feed").await;
    let repository = PostgresEventRepository::new(pool).with_tables("ledger.events", "ledger.snapshots");
    let events = repository.get_events::<Counter>(&id.to_string()).await.unwrap();
    let stored = log.ledger.stream(id, Version(0)).await.unwrap();
    assert_eq!(events.len(), 3);
    for (event, stored) in events.iter().zip(&stored) {
        assert_eq!(i64::try_from(event.sequence).unwrap(), stored.sequence.0);
        assert_eq!(
            (&event.aggregate_type, &event.event_type),
            (&stored.aggregate_type, &stored.event_type)
        );
        assert_eq!(event.event_version, stored.event_version);
        assert_eq!(
            event.payload,
            serde_json::from_str::<serde_json::Value>(&stored.payload).unwrap()
        );
        assert_eq!(
            event.metadata,
            serde_json::from_str::<serde_json::Value>(&stored.metadata).unwrap()
        );
    }
    assert_eq!(
        repository
            .get_last_events::<Counter>(&id.to_string(), 2)
            .await
            .unwrap()
            .len(),
        1
    );
}
