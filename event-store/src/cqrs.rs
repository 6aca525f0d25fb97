//! cqrs-es on the log: a `cqrs_es::CqrsFramework` runs on [`LedgerEventStore`].
//!
//! A stream is read by postgres-es, whose table the log's is a superset of; committing goes through the [`Appender`]. No
//! snapshots, and no replay of whole tables: those of postgres-es end early and silently when a connection breaks.
//!
//! The framework knows neither command ids nor personal data: it serves aggregates that need neither, tools, and tests. The
//! command-service appends with the whole [`Append`].

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::{LazyLock, Mutex, PoisonError};

use cqrs_es::persist::{EventStoreAggregateContext, PersistedEventStore};
use cqrs_es::{Aggregate, AggregateError, DomainEvent as _, EventEnvelope, EventStore};
use postgres_es::PostgresEventRepository;
use schemas::sealed::KeyAdmission;
use schemas::{AggregateId, ClientName, CommandId, EventId, ServiceName, Version};
use sqlx::PgPool;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::appender::Appender;
use crate::ledger::{Append, NewEvent, Outcome, Verdict};

/// The member of the metadata that makes an execution repeatable: the command's id. A second execution with the same id
/// changes nothing and dispatches nothing. Without it each execution is a command of its own.
pub const COMMAND_ID: &str = "command_id";

/// The postgres-es tables. There is no table of snapshots, and nothing asks for it.
const TABLES: (&str, &str) = ("ledger.events", "ledger.snapshots");

/// Where commands come from that reach the log through cqrs-es.
pub struct Provenance {
    /// In whose name.
    pub client: ClientName,
    /// The service whose events they make.
    pub service: ServiceName,
    /// The clock: when an event happened.
    pub now: Box<dyn Fn() -> OffsetDateTime + Send + Sync>,
    /// New ids of events (UUIDv7), and of commands that bring none.
    pub new_id: Box<dyn Fn() -> Uuid + Send + Sync>,
}

impl fmt::Debug for Provenance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Provenance")
            .field("client", &self.client)
            .field("service", &self.service)
            .finish_non_exhaustive()
    }
}

/// The log as cqrs-es sees it. Aggregate ids are UUIDs.
pub struct LedgerEventStore<A: Aggregate> {
    streams: PersistedEventStore<PostgresEventRepository, A>,
    appender: Appender,
    provenance: Provenance,
}

impl<A: Aggregate> fmt::Debug for LedgerEventStore<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LedgerEventStore")
            .field("provenance", &self.provenance)
            .finish_non_exhaustive()
    }
}

/// What cqrs-es is told when the log could not do it.
#[derive(Debug, thiserror::Error)]
enum CommitError {
    #[error("an aggregate id must be a UUID")]
    AggregateId,
    #[error("the metadata's command_id must be a UUID")]
    CommandId,
    #[error("the command id was used before for other content")]
    Reused,
    #[error("the log gave a verdict that no such command can have")]
    Verdict,
    #[error("a stream has more events than can be counted")]
    Sequence,
}

impl CommitError {
    fn into_aggregate_error<E: std::error::Error>(self) -> AggregateError<E> {
        AggregateError::UnexpectedError(Box::new(self))
    }
}

impl<A: Aggregate> LedgerEventStore<A> {
    /// The log that `pool` reads and `appender` writes.
    pub fn new(pool: PgPool, appender: Appender, provenance: Provenance) -> Self {
        let repository = PostgresEventRepository::new(pool).with_tables(TABLES.0, TABLES.1);
        Self {
            streams: PersistedEventStore::new_event_store(repository),
            appender,
            provenance,
        }
    }

    fn new_event(&self, event: &A::Event, metadata: &str) -> Result<NewEvent, serde_json::Error> {
        Ok(NewEvent {
            event_id: EventId((self.provenance.new_id)()),
            event_type: kept(event.event_type()),
            event_version: kept(event.event_version()),
            payload: serde_json::to_string(event)?,
            metadata: metadata.to_owned(),
            occurred_at: (self.provenance.now)(),
        })
    }

    fn to_append(
        &self,
        events: &[A::Event],
        context: &EventStoreAggregateContext<A>,
        metadata: &HashMap<String, String>,
    ) -> Result<Append, AggregateError<A::Error>> {
        let aggregate_id: AggregateId = context
            .aggregate_id
            .parse()
            .map_err(|_| CommitError::AggregateId.into_aggregate_error())?;
        let command_id = match metadata.get(COMMAND_ID) {
            Some(id) => id.parse().map_err(|_| CommitError::CommandId.into_aggregate_error())?,
            None => CommandId((self.provenance.new_id)()),
        };
        let expected =
            i64::try_from(context.current_sequence).map_err(|_| CommitError::Sequence.into_aggregate_error())?;
        let metadata = serde_json::to_string(metadata)?;
        let events = events
            .iter()
            .map(|event| self.new_event(event, &metadata))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Append {
            client: self.provenance.client.clone(),
            command_id,
            // The command itself is not seen here; so its content can't be compared.
            fingerprint: [0; 32],
            aggregate_type: A::TYPE,
            aggregate_id,
            service: self.provenance.service.clone(),
            expected: Version(expected),
            outcome: Outcome::Accepted {
                reference: None,
                events,
            },
            external_ref: None,
            keys: KeyAdmission::default(),
            places: Vec::new(),
        })
    }
}

impl<A: Aggregate> EventStore<A> for LedgerEventStore<A> {
    type AC = EventStoreAggregateContext<A>;

    async fn load_events(&self, aggregate_id: &str) -> Result<Vec<EventEnvelope<A>>, AggregateError<A::Error>> {
        self.streams.load_events(aggregate_id).await
    }

    async fn load_aggregate(&self, aggregate_id: &str) -> Result<Self::AC, AggregateError<A::Error>> {
        self.streams.load_aggregate(aggregate_id).await
    }

    async fn commit(
        &self,
        events: Vec<A::Event>,
        context: Self::AC,
        metadata: HashMap<String, String>,
    ) -> Result<Vec<EventEnvelope<A>>, AggregateError<A::Error>> {
        let append = self.to_append(&events, &context, &metadata)?;
        let verdicts = self
            .appender
            .append(vec![append])
            .await
            .map_err(|error| AggregateError::DatabaseConnectionError(Box::new(error)))?;
        match verdicts.into_iter().next() {
            Some(Verdict::Appended(_)) => Ok(envelopes(events, context, &metadata)),
            Some(Verdict::Repeated(_)) => Ok(Vec::new()),
            Some(Verdict::Conflict) => Err(AggregateError::AggregateConflict),
            Some(Verdict::Reused) => Err(CommitError::Reused.into_aggregate_error()),
            _ => Err(CommitError::Verdict.into_aggregate_error()),
        }
    }
}

fn envelopes<A: Aggregate>(
    events: Vec<A::Event>,
    context: EventStoreAggregateContext<A>,
    metadata: &HashMap<String, String>,
) -> Vec<EventEnvelope<A>> {
    let sequences = context.current_sequence + 1..;
    events
        .into_iter()
        .zip(sequences)
        .map(|(payload, sequence)| EventEnvelope {
            aggregate_id: context.aggregate_id.clone(),
            sequence,
            payload,
            metadata: metadata.clone(),
        })
        .collect()
}

/// The name of an event type or version for the rest of the process: cqrs-es makes a new text of it each time. There are
/// only as many as the code has types, so what is kept is bounded.
fn kept(name: String) -> &'static str {
    static NAMES: LazyLock<Mutex<HashSet<&'static str>>> = LazyLock::new(Mutex::default);
    let mut names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = names.get(name.as_str()) {
        return known;
    }
    let name: &'static str = name.leak();
    names.insert(name);
    name
}
