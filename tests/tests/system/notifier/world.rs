//! A real log with sealed events, a notifier on it that has no right more than the service has, and a clock that the test
//! moves.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use catalogue::Catalogue;
use event_store::{Append, Ledger as _, NewEvent, Outcome, PgLedger, StoredEvent, Verdict};
use notifier::{Dispatcher, Environment, Follower, Notifier, NotifierError, Registrar, Sender, Transport};
use schemas::command::{Attendance, Decider, Slot};
use schemas::event::{
    AttendanceRecorded, CaseEvent, CaseMoved, ConsentRecorded, ConsentWithdrawn, ContactDetailsUpdated, CustomerEvent,
    CustomerRegistered, EventRecord, OutcomeKind, RequestClass, RequestClosed, RequestSubmitted,
};
use schemas::metadata::EventMetadata;
use schemas::moment::Day;
use schemas::{
    AggregateId, CaseId, Category, ClientName, CommandId, CustomerId, EventId, Personal, Reference, Sealed, Version,
};
use sqlx::PgPool;
use system_tests::{TestDatabase, eventually};
use tempfile::TempDir;
use time::OffsetDateTime;
use time::macros::{date, datetime};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use uuid::Uuid;
use vault::{KeyEncryptionKey, Sealer, Settings, Vault, fresh_rng};

use super::case_book::CaseBook;

/// What the clock shows at first.
pub const BEGINNING: OffsetDateTime = datetime!(2026-07-01 09:00 UTC);

pub const FROM: &str = "Borough of Example <no-reply@example.gov.uk>";

pub const SOON: Duration = Duration::from_secs(30);

/// What moves only when the test says so.
#[derive(Clone)]
pub struct Clock(Arc<Mutex<OffsetDateTime>>);

impl Clock {
    pub fn now(&self) -> OffsetDateTime {
        *self.0.lock().unwrap()
    }

    pub fn pass(&self, time: Duration) {
        *self.0.lock().unwrap() += time;
    }
}

/// Seals a text as it stands at a place in the command's data.
type Seal<'s> = &'s mut dyn FnMut(&str, &str) -> Sealed;

pub struct World {
    pub database: TestDatabase,
    pub owner: PgPool,
    pub log: Arc<PgLedger>,
    pub vault: Vault,
    pub clock: Clock,
    pub cases: Arc<CaseBook>,
    key_file: Arc<KeyEncryptionKey>,
    catalogue: Arc<Catalogue>,
    mail: TempDir,
}

impl World {
    pub async fn new() -> Self {
        Self::on(system_tests::database().await).await
    }

    pub async fn on(database: TestDatabase) -> Self {
        let owner = database.owner().await;
        let log = Arc::new(PgLedger::new(owner.clone()));
        let key_file = Arc::new(KeyEncryptionKey::generate(&mut fresh_rng()).unwrap());
        let vault = Vault::new(owner.clone(), Arc::clone(&key_file), Settings::default(), Instant::now);
        let clock = Clock(Arc::new(Mutex::new(BEGINNING)));
        let catalogue = Arc::new(Catalogue::built_in().unwrap());
        let cases = Arc::new(CaseBook::new(Arc::clone(&log), Arc::clone(&catalogue), clock.clone()));
        let mail = tempfile::tempdir().unwrap();
        Self {
            database,
            owner,
            log,
            vault,
            clock,
            cases,
            key_file,
            catalogue,
            mail,
        }
    }

    /// A transport into this world's own folder.
    pub fn folder(&self) -> Transport {
        Transport::folder(self.mail_folder())
    }

    pub fn mail_folder(&self) -> PathBuf {
        self.mail.path().join("mail")
    }

    /// What lies in the folder, in the order of the names.
    pub fn emails(&self) -> Vec<(String, String)> {
        let Ok(entries) = std::fs::read_dir(self.mail_folder()) else {
            return Vec::new();
        };
        let paths = entries.map(|entry| entry.unwrap().path());
        let mut emails: Vec<_> = paths
            .filter(|path| path.extension().is_some_and(|ending| ending == "eml"))
            .map(|path| {
                let name = path.file_name().unwrap().to_str().unwrap().to_owned();
                (name, std::fs::read_to_string(path).unwrap())
            })
            .collect();
        emails.sort();
        emails
    }

    /// A notifier with pools of its own.
    pub async fn notifier(&self, transport: Transport) -> Notifier {
        let pool = self.database.as_role("caseledger_notifier").await;
        let clock = self.clock.clone();
        let client = ClientName::new("notifier").unwrap();
        let sender = Sender::new(FROM, None).unwrap();
        Notifier {
            pool: pool.clone(),
            follower: Follower {
                catalogue: Arc::clone(&self.catalogue),
                client: client.clone(),
                domain: sender.domain().to_owned(),
            },
            dispatcher: self.dispatcher(pool.clone(), sender, transport).await,
            registrar: Registrar {
                pool,
                recorder: self.cases.clone(),
                client,
            },
            environment: Environment {
                now: Box::new(move || clock.now()),
                jitter: Box::new(|| 1.0),
            },
        }
    }

    async fn dispatcher(&self, pool: PgPool, sender: Sender, transport: Transport) -> Dispatcher {
        let keys = self.database.as_role("caseledger_vault").await;
        let vault = Arc::new(Vault::new(
            keys,
            Arc::clone(&self.key_file),
            Settings::default(),
            Instant::now,
        ));
        Dispatcher {
            pool,
            vault,
            catalogue: Arc::clone(&self.catalogue),
            sender,
            transport,
        }
    }

    /// Starts a notifier. It hears nothing live and finds all by looking.
    pub async fn start(&self, transport: Transport) -> Running {
        let feed = PgLedger::new(self.database.as_role("caseledger_feed").await);
        self.start_on(feed, transport).await
    }

    /// Starts a notifier that reads the log this way.
    pub async fn start_on(&self, feed: PgLedger, transport: Transport) -> Running {
        let (stop, told) = watch::channel(false);
        let notifier = self.notifier(transport).await;
        let task = tokio::spawn(notifier.run(Arc::new(feed), futures::stream::pending(), told));
        Running { stop, task }
    }

    /// Takes the whole log in, as a running notifier does.
    pub async fn follow(&self, notifier: &Notifier) {
        self.follow_in_batches(notifier, 1_000).await;
    }

    /// Takes the whole log in, so many events at once.
    pub async fn follow_in_batches(&self, notifier: &Notifier, of: usize) {
        let events = self.log.feed(schemas::Position::START, None, 1_000).await.unwrap();
        for batch in events.chunks(of) {
            let mut transaction = notifier.pool.begin().await.unwrap();
            let applied = notifier.follower.apply(&mut transaction, batch, self.clock.now());
            applied.await.unwrap();
            transaction.commit().await.unwrap();
        }
    }

    pub async fn customer(&self, name: &str, email: Option<&str>) -> CustomerId {
        let id = CustomerId(Uuid::new_v4());
        self.append(Some(id), id.into(), |seal| {
            let registered = CustomerRegistered {
                title: None,
                name: Personal::sealed(seal("/name", name)),
                address: None,
                phone: None,
                email: email.map(|email| Personal::sealed(seal("/email", email))),
                reason: None,
            };
            EventRecord::Customer(registered.into())
        })
        .await;
        id
    }

    pub async fn consent(&self, customer: CustomerId, purpose: &str, given: bool) {
        let purpose = purpose.parse().unwrap();
        self.append(Some(customer), customer.into(), |seal| {
            let event: CustomerEvent = if given {
                ConsentRecorded {
                    purpose,
                    wording: Personal::sealed(seal("/wording", "May we email you?")),
                    reason: None,
                }
                .into()
            } else {
                ConsentWithdrawn { purpose, reason: None }.into()
            };
            EventRecord::Customer(event)
        })
        .await;
    }

    /// The customer has another email address from now on.
    pub async fn moved(&self, customer: CustomerId, email: &str) {
        self.append(Some(customer), customer.into(), |seal| {
            let updated = ContactDetailsUpdated {
                email: Some(Some(Personal::sealed(seal("/email", email)))),
                ..ContactDetailsUpdated::default()
            };
            EventRecord::Customer(updated.into())
        })
        .await;
    }

    /// A missed bin.
    pub async fn submitted(&self, number: i64, customer: Option<CustomerId>) -> CaseId {
        self.submitted_as("missed-bin", number, customer).await
    }

    /// A case of this request type.
    pub async fn submitted_as(&self, request_type: &str, number: i64, customer: Option<CustomerId>) -> CaseId {
        let id = CaseId(Uuid::new_v4());
        let event: CaseEvent = RequestSubmitted {
            follows: None,
            clocks: Vec::new(),
            reference: Reference::of_number("WAS", number).unwrap(),
            service: "waste".parse().unwrap(),
            request_type: request_type.parse().unwrap(),
            class: RequestClass::ServiceRequest,
            reporting_code: "WASTE_MISSED_BIN".into(),
            catalogue_version: "1".into(),
            customer_id: customer,
            description: None,
            place: None,
            located: None,
            answers: [].into(),
            received_on: schemas::moment::Day(date!(2026 - 07 - 01)),
            team: "refuse".parse().unwrap(),
            reason: None,
        }
        .into();
        self.append(customer, id.into(), |_| EventRecord::Case(event)).await;
        id
    }

    /// It was somebody else's all the time.
    pub async fn is_of(&self, case: CaseId, customer: CustomerId) {
        self.append(Some(customer), case.into(), |seal| {
            let moved = CaseMoved {
                previous_customer_id: None,
                customer_id: customer,
                reason: Personal::sealed(seal("/reason", "Taken down under the wrong name.")),
            };
            EventRecord::Case(moved.into())
        })
        .await;
    }

    /// An officer decides against it.
    pub async fn closed(&self, case: CaseId, customer: CustomerId, reasons: &str) {
        let officer = Decider::Officer {
            id: "m.hughes".parse().unwrap(),
        };
        let (outcome, kind) = ("not-presented", OutcomeKind::Decision);
        self.closed_as(case, customer, (outcome, kind), Some(officer), reasons)
            .await;
    }

    /// It ends with this outcome, of this kind, for which this one answers.
    pub async fn closed_as(
        &self,
        case: CaseId,
        customer: CustomerId,
        (outcome, outcome_kind): (&str, OutcomeKind),
        decided_by: Option<Decider>,
        reasons: &str,
    ) {
        self.append(Some(customer), case.into(), |seal| {
            let closed = RequestClosed {
                exemptions: Vec::new(),
                outcome: outcome.parse().unwrap(),
                outcome_kind,
                decided_by,
                reasons: Some(Personal::sealed(seal("/reasons", reasons))),
                rule: None,
                evidence: None,
                reason: None,
            };
            EventRecord::Case(closed.into())
        })
        .await;
    }

    /// Nobody opened the door.
    pub async fn no_access(&self, case: CaseId, customer: CustomerId) {
        self.append(Some(customer), case.into(), |_| {
            let recorded = AttendanceRecorded {
                appointment: serde_json::from_str("1").unwrap(),
                calendar: "pest-visits".parse().unwrap(),
                slot: Slot {
                    day: Day(date!(2026 - 06 - 30)),
                    time: "10:00".parse().unwrap(),
                },
                minutes: 120,
                attendance: Attendance::NoAccess,
                reason: None,
            };
            EventRecord::Case(recorded.into())
        })
        .await;
    }

    /// Appends one event, which happens now.
    async fn append(
        &self,
        person: Option<CustomerId>,
        stream: AggregateId,
        make: impl FnOnce(Seal<'_>) -> EventRecord,
    ) {
        let command_id = CommandId(Uuid::new_v4());
        let keys = self.vault.keys_for(person, stream).await.unwrap();
        let mut sealer = Sealer::new(keys, command_id, fresh_rng());
        let event = make(&mut |pointer, text| {
            let json = serde_json::to_string(text).unwrap();
            sealer.seal(pointer, Category::Personal, &json).unwrap()
        });
        let (aggregate_type, service) = match event {
            EventRecord::Customer(_) => (CustomerEvent::AGGREGATE, "customer-services"),
            EventRecord::Case(_) => (CaseEvent::AGGREGATE, "waste"),
            EventRecord::Round(_) | EventRecord::Entitlement(_) => panic!("these tests make none"),
        };
        let keys = sealer.keys();
        let append = Append {
            client: ClientName::new("website").unwrap(),
            command_id,
            fingerprint: [0; 32],
            aggregate_type,
            aggregate_id: stream,
            service: service.parse().unwrap(),
            expected: self.log.version(stream).await.unwrap(),
            outcome: Outcome::Accepted {
                reference: None,
                events: vec![new_event(&event, "resident", self.clock.now())],
            },
            external_ref: None,
            keys: sealer.into_admission(),
            places: Vec::new(),
        };
        let verdicts = self.log.append(&[append]).await.unwrap();
        assert!(matches!(verdicts[..], [Verdict::Appended(_)]), "{verdicts:?}");
        self.vault.admitted(keys);
    }

    /// The events of a case of this name.
    pub async fn on_case(&self, case: CaseId, name: &str) -> Vec<StoredEvent> {
        let events = self.log.stream(case.into(), Version(0)).await.unwrap();
        events.into_iter().filter(|event| event.event_type == name).collect()
    }

    /// One number.
    pub async fn number(&self, query: &str) -> i64 {
        sqlx::query_scalar(query).fetch_one(&self.owner).await.unwrap()
    }

    /// Waits until a query gives this number.
    pub async fn until(&self, number: i64, query: &str) {
        eventually(&format!("{query} gives {number}"), SOON, || async {
            self.number(query).await == number
        })
        .await;
    }

    /// Waits until nothing is left to follow, to send or to record.
    pub async fn until_all_is_done(&self) {
        let query = "SELECT (SELECT count(*) FROM notifier.deliveries WHERE recorded IS NULL)
            + (SELECT position FROM ledger.head) - (SELECT position FROM notifier.checkpoint)";
        self.until(0, query).await;
    }
}

/// A notifier at work.
pub struct Running {
    stop: watch::Sender<bool>,
    task: JoinHandle<Result<(), NotifierError>>,
}

impl Running {
    /// Ends it in good order.
    pub async fn stop(self) {
        self.stop.send(true).unwrap();
        self.task.await.unwrap().unwrap();
    }

    /// Waits until it has ended by itself, and says why.
    pub async fn ended(self) -> NotifierError {
        let ended = tokio::time::timeout(SOON, self.task).await;
        ended.expect("the notifier ends by itself").unwrap().unwrap_err()
    }

    /// Ends it wherever it is, as a crash does.
    pub async fn kill(self) {
        self.task.abort();
        assert!(self.task.await.unwrap_err().is_cancelled());
    }
}

pub fn new_event(event: &EventRecord, actor_kind: &str, occurred_at: OffsetDateTime) -> NewEvent {
    let client = if actor_kind == "system" { "notifier" } else { "website" };
    let metadata = EventMetadata {
        client: ClientName::new(client).unwrap(),
        command_type: "caseledger.Any.v1".into(),
        actor_kind: actor_kind.into(),
        actor_id: None,
        actor_assurance: "none".into(),
        on_behalf_of: None,
        channel: "online".into(),
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
        event_type: event.name(),
        event_version: "1",
        payload: event.payload().unwrap(),
        metadata: serde_json::to_string(&metadata).unwrap(),
        occurred_at,
    }
}
