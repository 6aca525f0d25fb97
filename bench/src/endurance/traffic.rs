//! A council's traffic: cases that are opened, noted, added to, closed and reopened, by several clients, at a rate that does not
//! wait for answers.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bus::{BusClient, Outgoing, limits};
use hdrhistogram::Histogram;
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use schemas::result::{Accepted, CommandResult, CommandStatus};
use schemas::{AggregateId, CommandId};
use serde_json::{Value, json};
use system_tests::Council;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::work::description;

/// The life of a case, command by command. In a steady state each is a seventh of the traffic.
const LIFE: [&str; 7] = [
    "SubmitRequest",
    "AddNote",
    "UpdateRequest",
    "CloseRequest",
    "ReopenRequest",
    "AddNote",
    "CloseRequest",
];

/// Every so many commands go durably, the others by request and reply.
const DURABLE_EVERY: u64 = 5;

/// Every so many cases are those of somebody who wants emails.
const OF_A_CUSTOMER_EVERY: u64 = 10;

/// How many people that is.
const CUSTOMERS: usize = 100;

/// Connections of each client.
const CONNECTIONS: usize = 2;

/// More than so many unanswered commands are not sent: nobody has as many people who wait. What is held back is counted.
const UNANSWERED_MAX: u64 = 20_000;

/// How often the timer hands out what is due.
const TICK: Duration = Duration::from_millis(1);

/// A case, as far as the traffic has brought it.
struct Case {
    id: Option<AggregateId>,
    number: u64,
    step: usize,
}

/// What came of what was sent, since the beginning.
#[derive(Default)]
pub struct Tally {
    /// Commands handed out.
    pub offered: AtomicU64,
    /// Commands answered as accepted.
    pub accepted: AtomicU64,
    /// Commands answered as rejected: there should be none.
    pub rejected: AtomicU64,
    /// Answers that the same may be sent again later: the service had no place. It was.
    pub put_off: AtomicU64,
    /// Attempts without an answer; they were repeated too.
    pub unanswered: AtomicU64,
    /// Commands that were due, and not sent because too many were unanswered.
    pub held_back: AtomicU64,
    /// Cases opened.
    pub opened: AtomicU64,
    /// Of those, the ones that stand closed.
    pub closed: AtomicU64,
    /// The ids of all accepted commands, each folded to 64 bits, by exclusive or.
    pub ids: AtomicU64,
    failed: Mutex<Option<String>>,
}

/// The traffic.
pub struct Traffic {
    website: Vec<BusClient>,
    centre: Vec<BusClient>,
    customers: Vec<AggregateId>,
    cases: Mutex<(Vec<Case>, SmallRng)>,
    turns: AtomicU64,
    next_case: AtomicU64,
    /// What came of it.
    pub tally: Tally,
    latencies: Mutex<Histogram<u64>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Latencies in nanoseconds, to three figures.
pub fn latencies() -> Result<Histogram<u64>, String> {
    Histogram::new(3).map_err(|error| error.to_string())
}

impl Traffic {
    /// Connects the clients, registers people, and brings so many cases to all steps of their lives.
    pub async fn set_up(council: &Council, cases: usize, in_flight: usize) -> Result<Arc<Self>, String> {
        let (mut website, mut centre) = (Vec::new(), Vec::new());
        for _ in 0..CONNECTIONS {
            website.push(council.client("website").await);
            centre.push(council.client("contact-centre").await);
        }
        let mut traffic = Self {
            website,
            centre,
            customers: Vec::new(),
            cases: Mutex::new((Vec::new(), SmallRng::seed_from_u64(1))),
            turns: AtomicU64::new(0),
            next_case: AtomicU64::new(0),
            tally: Tally::default(),
            latencies: Mutex::new(latencies()?),
        };
        for number in 0..CUSTOMERS.min(cases) {
            let customer = traffic.register(number).await?;
            traffic.customers.push(customer);
        }
        let traffic = Arc::new(traffic);
        let left = Arc::new(AtomicUsize::new(cases));
        let workers = (0..in_flight.min(cases)).map(|_| {
            let (traffic, left) = (Arc::clone(&traffic), Arc::clone(&left));
            tokio::spawn(async move {
                while let Ok(number) = left.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(1)) {
                    traffic.bring(number % LIFE.len()).await?;
                }
                Ok::<_, String>(())
            })
        });
        for worker in workers.collect::<Vec<_>>() {
            worker.await.map_err(|error| error.to_string())??;
        }
        Ok(traffic)
    }

    async fn register(&self, number: usize) -> Result<AggregateId, String> {
        let resident = json!({ "kind": "resident", "assurance": "none" });
        let person = json!({
            "name": format!("Resident {number}"), "email": format!("resident-{number}@example.org"), "channel": "online",
            "actor": resident, "notice_version": "2026-04",
        });
        let website = &self.website[0];
        let registering = command("RegisterCustomer", None, &person);
        let registered = self.settle(website, &registering, false).await;
        let id = registered.ok_or_else(|| self.failure())?.aggregate_id;
        let consent = json!({
            "purpose": "email_updates", "wording": "We will send you emails about your requests.", "channel": "online",
            "actor": resident, "notice_version": "2026-04",
        });
        let consenting = command("RecordConsent", Some(id), &consent);
        let consented = self.settle(website, &consenting, false).await;
        consented.map(|_| id).ok_or_else(|| self.failure())
    }

    /// A new case, brought so many steps beyond its opening.
    async fn bring(&self, steps: usize) -> Result<(), String> {
        let mut case = self.new_case();
        for turn in 0..=steps as u64 {
            case = match self.advance(case, turn).await {
                Ok(Some(case)) => case,
                Ok(None) => return Ok(()),
                Err(()) => return Err(self.failure()),
            };
        }
        lock(&self.cases).0.push(case);
        Ok(())
    }

    /// Why something was not accepted, the first time; nothing has to have failed.
    pub fn failure(&self) -> String {
        lock(&self.tally.failed).clone().unwrap_or_default()
    }

    fn new_case(&self) -> Case {
        let number = self.next_case.fetch_add(1, Relaxed);
        Case {
            id: None,
            number,
            step: 0,
        }
    }

    /// A case that something is due in: each seventh time a new one, else any of those that nobody is busy with.
    fn any_case(&self, turn: u64) -> Case {
        if !turn.is_multiple_of(LIFE.len() as u64) {
            let mut guard = lock(&self.cases);
            let (cases, random) = &mut *guard;
            if !cases.is_empty() {
                let chosen = random.random_range(0..cases.len());
                return cases.swap_remove(chosen);
            }
        }
        self.new_case()
    }

    /// Sends a case's next command: the case as it is then; none where its life is over.
    async fn advance(&self, case: Case, turn: u64) -> Result<Option<Case>, ()> {
        let name = LIFE[case.step];
        let of_officers = matches!(name, "AddNote" | "CloseRequest");
        let clients = if of_officers { &self.centre } else { &self.website };
        let client = &clients[turn as usize % clients.len()];
        let command = command(name, case.id, &self.data(name, &case));
        let durable = turn.is_multiple_of(DURABLE_EVERY);
        let accepted = self.settle(client, &command, durable).await.ok_or(())?;
        match name {
            "SubmitRequest" => drop(self.tally.opened.fetch_add(1, Relaxed)),
            "CloseRequest" => drop(self.tally.closed.fetch_add(1, Relaxed)),
            "ReopenRequest" => drop(self.tally.closed.fetch_sub(1, Relaxed)),
            _ => {}
        }
        let case = Case {
            id: Some(accepted.aggregate_id),
            step: case.step + 1,
            ..case
        };
        Ok((case.step < LIFE.len()).then_some(case))
    }

    fn data(&self, name: &str, case: &Case) -> Value {
        let resident = json!({ "kind": "resident", "assurance": "none" });
        let officer = json!({ "kind": "officer", "id": "m.hughes", "assurance": "signed_in" });
        let text = description(case.number as usize);
        match name {
            "SubmitRequest" => {
                let mut data = json!({
                    "request_type": "obstruction", "description": text, "channel": "online", "actor": resident,
                });
                if case.number.is_multiple_of(OF_A_CUSTOMER_EVERY) && !self.customers.is_empty() {
                    let number = (case.number / OF_A_CUSTOMER_EVERY) as usize % self.customers.len();
                    data["customer_id"] = json!(self.customers[number]);
                }
                data
            }
            "AddNote" => json!({ "note": text, "channel": "phone", "actor": officer }),
            "CloseRequest" => json!({
                "outcome": "none-needed", "decided_by": { "kind": "officer", "id": "m.hughes" }, "actor": officer,
                "reasons": "The inspector found the path free.", "channel": "phone",
            }),
            "ReopenRequest" => json!({ "reason": "It is there again.", "channel": "online", "actor": resident }),
            _ => json!({ "description": text, "channel": "online", "actor": resident }),
        }
    }

    /// Sends a command until its result is known, as a client would, and counts it; what was accepted.
    async fn settle(&self, client: &BusClient, command: &Outgoing, durable: bool) -> Option<Accepted> {
        let result = if durable {
            client.send(command).await.map_err(|error| error.to_string())
        } else {
            self.call(client, command).await
        };
        let failed = match result.map(|result| result.status) {
            Ok(CommandStatus::Accepted(accepted)) => {
                self.tally.accepted.fetch_add(1, Relaxed);
                self.tally.ids.fetch_xor(folded(command.id.0), Relaxed);
                return Some(accepted);
            }
            Ok(other) => format!("{} was not accepted: {other:?}", command.name),
            Err(error) => error,
        };
        self.tally.rejected.fetch_add(1, Relaxed);
        lock(&self.tally.failed).get_or_insert(failed);
        None
    }

    async fn call(&self, client: &BusClient, command: &Outgoing) -> Result<CommandResult, String> {
        loop {
            match client.call(command).await {
                Ok(result) if result.status != CommandStatus::Unavailable => return Ok(result),
                Ok(_) => drop(self.tally.put_off.fetch_add(1, Relaxed)),
                Err(error) if error.is_transient() => drop(self.tally.unanswered.fetch_add(1, Relaxed)),
                Err(error) => return Err(error.to_string()),
            }
            tokio::time::sleep(limits::RESEND_PAUSE).await;
        }
    }

    /// One command to any case; its latency counts from when it was due.
    async fn one(&self, due: Instant) {
        let turn = self.turns.fetch_add(1, Relaxed);
        let advanced = self.advance(self.any_case(turn), turn).await;
        // It grows as it must: there is no latency that it does not hold.
        let _ = lock(&self.latencies).record(due.elapsed().as_nanos() as u64);
        if let Ok(Some(case)) = advanced {
            lock(&self.cases).0.push(case);
        }
    }

    /// How many commands are on their way.
    pub fn in_flight(&self) -> u64 {
        let tally = &self.tally;
        let done = tally.accepted.load(Relaxed) + tally.rejected.load(Relaxed);
        tally.offered.load(Relaxed).saturating_sub(done)
    }

    /// Sends with so many always on their way, and waits for the last answer.
    pub async fn keep(self: &Arc<Self>, in_flight: usize, time: Duration) -> Result<(), String> {
        let end = Instant::now() + time;
        let workers = (0..in_flight).map(|_| {
            let traffic = Arc::clone(self);
            tokio::spawn(async move {
                while Instant::now() < end {
                    traffic.tally.offered.fetch_add(1, Relaxed);
                    traffic.one(Instant::now()).await;
                }
            })
        });
        for worker in workers.collect::<Vec<_>>() {
            worker.await.map_err(|error| error.to_string())?;
        }
        Ok(())
    }

    /// Sends so many commands a second, whether or not answers come.
    pub async fn offer(self: &Arc<Self>, rate: f64, time: Duration) {
        let (began, mut sent) = (Instant::now(), 0_u64);
        let mut ticks = tokio::time::interval(TICK);
        while began.elapsed() < time {
            ticks.tick().await;
            while (sent as f64) < began.elapsed().as_secs_f64() * rate {
                let due = began + Duration::from_secs_f64(sent as f64 / rate);
                sent += 1;
                if self.in_flight() >= UNANSWERED_MAX {
                    self.tally.held_back.fetch_add(1, Relaxed);
                    continue;
                }
                self.tally.offered.fetch_add(1, Relaxed);
                let traffic = Arc::clone(self);
                tokio::spawn(async move { traffic.one(due).await });
            }
        }
    }

    /// The latencies since the last look.
    pub fn take_latencies(&self) -> Result<Histogram<u64>, String> {
        Ok(std::mem::replace(&mut *lock(&self.latencies), latencies()?))
    }

    /// Forgets what was counted as offered and accepted while cases were brought: from now on both are of this traffic. What is
    /// looked for in the log at the end are all.
    pub fn begin(&self) {
        let tally = &self.tally;
        tally
            .offered
            .store(tally.accepted.load(Relaxed) + tally.rejected.load(Relaxed), Relaxed);
    }
}

fn command(name: &str, subject: Option<AggregateId>, data: &Value) -> Outgoing {
    Outgoing::new(
        CommandId(Uuid::new_v4()),
        name,
        subject,
        OffsetDateTime::now_utc().into(),
        data.to_string(),
    )
}

/// The last 64 bits of an id: all but two of them random.
fn folded(id: Uuid) -> u64 {
    id.as_u64_pair().1
}
