//! A real log with hand-made events, and what a projection needs to follow it: no right more than the service has.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use event_store::{Append, Ledger, NewEvent, Outcome, PgLedger, StoredEvent, Verdict};
use projections::Projection;
use schemas::command::{Channel, Decider};
use schemas::event::{
    CaseEvent, ConsentRecorded, ConsentWithdrawn, ContactDetailsUpdated, CustomerEvent, CustomerRegistered,
    OutcomeKind, RequestAssigned, RequestCancelled, RequestClass, RequestClosed, RequestReopened, RequestSubmitted,
    RequestUpdated,
};
use schemas::metadata::EventMetadata;
use schemas::sealed::KeyAdmission;
use schemas::text::Text;
use schemas::{
    AggregateId, Answer, CaseId, ClientName, CommandId, CustomerId, EventId, Personal, Position, Reference, Sealed,
    Version,
};
use sqlx::PgPool;
use system_tests::TestDatabase;
use time::macros::{date, datetime};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

/// When the first hand-made event happened; each later one a minute after the one before.
pub const BEGINNING: OffsetDateTime = datetime!(2026-06-30 22:58 UTC);

/// A log and its reader.
pub struct Log {
    pub database: TestDatabase,
    /// With the rights of the owner: for what the test itself does.
    pub owner: PgPool,
    /// With the rights of the projections and no others.
    pub projector: PgPool,
    /// The log as the projections may read it.
    pub feed: Arc<dyn Ledger>,
    writer: PgLedger,
    made: AtomicU64,
}

impl Log {
    pub async fn new() -> Self {
        let database = system_tests::database().await;
        let owner = database.owner().await;
        let writer = PgLedger::new(owner.clone());
        let feed = Arc::new(PgLedger::new(database.as_role("caseledger_feed").await));
        let projector = database.as_role("caseledger_projector").await;
        Self {
            database,
            owner,
            projector,
            feed,
            writer,
            made: AtomicU64::new(0),
        }
    }

    /// The projections, with random keys.
    pub fn projections() -> Vec<Arc<dyn Projection>> {
        projections::projections(Uuid::new_v4)
    }

    /// Brings both read models up to the end of the log.
    pub async fn catch_up(&self) -> Position {
        let mut position = Position::START;
        for projection in Self::projections() {
            position = projections::catch_up(&*projection, &*self.feed, &self.projector)
                .await
                .unwrap();
        }
        position
    }

    /// Lets what comes next have happened this many minutes after the beginning.
    pub fn next_happened_after(&self, minutes: u64) {
        self.made.store(minutes, Ordering::Relaxed);
    }

    /// Appends events to a case that has `version` events.
    pub async fn case(&self, id: CaseId, version: i64, channel: Channel, events: &[CaseEvent]) {
        let texts = events
            .iter()
            .map(|event| (event.name(), serde_json::to_string(event).unwrap()))
            .collect();
        self.append("case", "waste", id.into(), version, channel, texts).await;
    }

    /// Appends events to a customer that has `version` events.
    pub async fn customer(&self, id: CustomerId, version: i64, events: &[CustomerEvent]) {
        let texts = events
            .iter()
            .map(|event| (event.name(), serde_json::to_string(event).unwrap()))
            .collect();
        self.append(
            "customer",
            "customer-services",
            id.into(),
            version,
            Channel::Phone,
            texts,
        )
        .await;
    }

    /// Appends whatever it is given: name and payload of each event.
    pub async fn append(
        &self,
        aggregate_type: &'static str,
        service: &str,
        aggregate_id: AggregateId,
        version: i64,
        channel: Channel,
        events: Vec<(&'static str, String)>,
    ) {
        let number = self.made.fetch_add(1, Ordering::Relaxed);
        let append = Append {
            client: ClientName::new("website").unwrap(),
            command_id: CommandId(Uuid::new_v4()),
            fingerprint: [0; 32],
            aggregate_type,
            aggregate_id,
            service: service.parse().unwrap(),
            expected: Version(version),
            outcome: Outcome::Accepted {
                reference: None,
                events: events
                    .into_iter()
                    .map(|(name, payload)| new_event(name, payload, channel, number))
                    .collect(),
            },
            external_ref: None,
            keys: KeyAdmission::default(),
            places: Vec::new(),
        };
        let verdicts = self.writer.append(&[append]).await.unwrap();
        assert!(matches!(verdicts[..], [Verdict::Appended(_)]), "{verdicts:?}");
    }

    /// The events of the log.
    pub async fn events(&self) -> Vec<StoredEvent> {
        self.feed.feed(Position::START, None, 10_000).await.unwrap()
    }

    /// Every row that readers see of these views, as text.
    pub async fn rows(&self, views: &[&str]) -> Vec<String> {
        let mut rows = Vec::new();
        for view in views {
            let query = format!("SELECT '{view} ' || shown::text FROM {view} AS shown ORDER BY 1");
            rows.extend(
                sqlx::query_scalar::<_, String>(&query)
                    .fetch_all(&self.owner)
                    .await
                    .unwrap(),
            );
        }
        rows
    }

    /// One number.
    pub async fn number(&self, query: &str) -> i64 {
        sqlx::query_scalar(query).fetch_one(&self.owner).await.unwrap()
    }
}

fn new_event(name: &'static str, payload: String, channel: Channel, number: u64) -> NewEvent {
    let metadata = EventMetadata {
        client: ClientName::new("website").unwrap(),
        command_type: "caseledger.Any.v1".into(),
        actor_kind: "resident".into(),
        actor_id: None,
        actor_assurance: "none".into(),
        on_behalf_of: None,
        channel: channel.as_str().into(),
        channel_detail: None,
        correlation_id: "c".into(),
        causation_id: "c".into(),
        traceparent: None,
        sent_at: None,
        received_on: None,
        notice_version: None,
        external_system: None,
        external_id: None,
        catalogue_version: None,
    };
    NewEvent {
        event_id: EventId(Uuid::new_v4()),
        event_type: name,
        event_version: "1",
        payload,
        metadata: serde_json::to_string(&metadata).unwrap(),
        occurred_at: BEGINNING + Duration::minutes(i64::try_from(number).unwrap()),
    }
}

/// A sealed text; `what` is found again in the rows.
pub fn sealed<T>(what: &str) -> Personal<T> {
    Personal::sealed(Sealed::from_token(what.to_owned()))
}

pub fn case_id(number: u128) -> CaseId {
    CaseId(Uuid::from_u128(0xca5e_0000 + number))
}

pub fn customer_id(number: u128) -> CustomerId {
    CustomerId(Uuid::from_u128(0xc057_0000 + number))
}

pub fn reference(number: i64) -> Reference {
    Reference::of_number("WAS", number).unwrap()
}

pub fn submitted(number: i64, customer_id: Option<CustomerId>) -> CaseEvent {
    let open = Answer::Open(schemas::personal::AnswerValue::Text(Text::new("refuse").unwrap()));
    RequestSubmitted {
        follows: None,
        clocks: Vec::new(),
        reference: reference(number),
        service: "waste".parse().unwrap(),
        request_type: "missed-bin".parse().unwrap(),
        class: RequestClass::ServiceRequest,
        reporting_code: "WASTE_MISSED_BIN".into(),
        catalogue_version: "1".into(),
        customer_id,
        description: Some(sealed("description")),
        place: Some(sealed("place")),
        located: None,
        answers: [("bin_type".parse().unwrap(), open)].into(),
        received_on: schemas::moment::Day(date!(2026 - 07 - 14)),
        team: "refuse".parse().unwrap(),
        reason: None,
    }
    .into()
}

pub fn updated(description: &str) -> CaseEvent {
    let answer = Answer::Sealed(Sealed::from_token("answer".into()));
    RequestUpdated {
        description: Some(sealed(description)),
        place: None,
        located: None,
        answers: [("gate_code".parse().unwrap(), answer)].into(),
        reason: None,
    }
    .into()
}

pub fn assigned(officer: &str) -> CaseEvent {
    RequestAssigned {
        team: "inspectors".parse().unwrap(),
        officer: Some(officer.parse().unwrap()),
        reason: None,
    }
    .into()
}

pub fn closed(outcome: &str) -> CaseEvent {
    RequestClosed {
        exemptions: Vec::new(),
        outcome: outcome.parse().unwrap(),
        outcome_kind: OutcomeKind::Completion,
        decided_by: Some(Decider::NotRecorded),
        reasons: None,
        rule: None,
        evidence: None,
        reason: None,
    }
    .into()
}

pub fn reopened() -> CaseEvent {
    RequestReopened {
        clocks: Vec::new(),
        times: 1,
        team: "refuse".parse().unwrap(),
        previous_outcome: "collected".parse().unwrap(),
        reason: sealed("reason"),
        received_on: schemas::moment::Day(date!(2026 - 07 - 14)),
    }
    .into()
}

pub fn cancelled() -> CaseEvent {
    RequestCancelled { reason: None }.into()
}

/// A customer with one consent that stands and one that was withdrawn, who moved and gave up their phone.
pub fn a_customer() -> Vec<CustomerEvent> {
    let recorded = |purpose: &str| ConsentRecorded {
        purpose: purpose.parse().unwrap(),
        wording: sealed("wording"),
        reason: None,
    };
    vec![
        CustomerRegistered {
            title: None,
            name: sealed("name"),
            address: Some(sealed("old address")),
            phone: Some(sealed("phone")),
            email: Some(sealed("email")),
            reason: None,
        }
        .into(),
        recorded("email_updates").into(),
        recorded("surveys").into(),
        ContactDetailsUpdated {
            address: Some(Some(sealed("new address"))),
            phone: Some(None),
            ..Default::default()
        }
        .into(),
        ConsentWithdrawn {
            purpose: "surveys".parse().unwrap(),
            reason: None,
        }
        .into(),
    ]
}
