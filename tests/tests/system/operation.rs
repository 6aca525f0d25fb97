//! How the services are looked at from outside: `/healthz`, `/readyz` and `/metrics` of real processes.

use std::process::Command;
use std::time::Duration;

use schemas::AggregateId;
use serde_json::{Value, json};
use system_tests::council::{PATIENCE, example, obstruction};
use system_tests::{Council, Process, TestPostgres, eventually};

/// A process, and where it tells of itself.
pub struct Told {
    _process: Process,
    address: String,
}

impl Told {
    /// Starts these services in one process, with further settings.
    pub async fn serve(council: &Council, services: &[&str], settings: &[(&str, &str)]) -> Told {
        let mut command = serving(council, services);
        command.args(["--http", "127.0.0.1:0"]).envs(settings.iter().copied());
        let process = Process::start(&mut command);
        let line = process.line("health, readiness and metrics are told", PATIENCE).await;
        let address = line.rsplit("address=").next().unwrap().trim().to_owned();
        Told {
            _process: process,
            address,
        }
    }

    /// The status and body of a page; `None` where nobody answers.
    pub async fn page(&self, path: &str) -> Option<(u16, String)> {
        system_tests::page(&self.address, path).await
    }

    /// What is missing, as `/readyz` says; empty where it is ready.
    async fn missing(&self) -> Option<Vec<String>> {
        let (status, body) = self.page("/readyz").await?;
        let told: Value = serde_json::from_str(&body).unwrap();
        assert_eq!(status == 200, told["ready"] == json!(true), "{body}");
        let missing = told["missing"].as_array().unwrap();
        Some(
            missing
                .iter()
                .map(|missing| {
                    format!(
                        "{} {}",
                        missing["service"].as_str().unwrap(),
                        missing["what"].as_str().unwrap()
                    )
                })
                .collect(),
        )
    }

    /// Waits until these are missing, and perhaps others too; or, for none, until nothing is.
    pub async fn misses(&self, what: &[&str]) {
        eventually(&format!("{what:?} is missing"), PATIENCE, || async {
            let missing = self.missing().await?;
            let as_expected = match what {
                [] => missing.is_empty(),
                _ => what.iter().all(|what| missing.iter().any(|missing| missing == what)),
            };
            as_expected.then_some(())
        })
        .await;
    }

    /// A metric, by its name and labels as they are written.
    pub async fn metric(&self, name: &str) -> Option<f64> {
        let (_, body) = self.page("/metrics").await?;
        let line = body
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '))?;
        line.parse().ok()
    }

    /// Waits until a metric is as it should be.
    pub async fn counts(&self, name: &str, good: impl Fn(f64) -> bool) {
        eventually(&format!("{name} is as it should be"), PATIENCE, || async {
            self.metric(name).await.is_some_and(&good)
        })
        .await;
    }
}

/// The command that runs these services: one with its own login, several with the owner's.
fn serving(council: &Council, services: &[&str]) -> Command {
    let mut command = council.command();
    if let [service] = services {
        command.env("CASELEDGER_DATABASE_URL", council.database_url(service));
    }
    command.arg("serve").args(services);
    command
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readiness_says_what_is_missing_and_when_it_is_back() {
    // Given all services in one process, on servers of their own
    let postgres = TestPostgres::start().await;
    let council = Council::on(postgres.database().await).await;
    let told = Told::serve(&council, &system_tests::council::SERVICES, &[]).await;
    told.misses(&[]).await;
    // When NATS is gone, each of its users is named, and the process is alive all the same
    council.nats.kill().await;
    told.misses(&[
        "command-service nats:answerer",
        "command-service nats:puller",
        "relay nats:relay",
        "projections nats:follower",
        "notifier nats:notifier",
    ])
    .await;
    assert_eq!(told.page("/healthz").await.unwrap().0, 200);
    // Then it is ready again without anybody's help
    council.nats.start_again().await;
    told.misses(&[]).await;
    // When Postgres is gone
    postgres.kill().await;
    told.misses(&[
        "command-service postgres",
        "relay postgres",
        "projections postgres",
        "notifier postgres",
    ])
    .await;
    assert_eq!(
        told.metric("caseledger_postgres_up{service=\"relay\"}").await,
        Some(0.0)
    );
    assert!(
        told.metric("caseledger_relay_lag_events").await.unwrap().is_nan(),
        "nobody knows it"
    );
    postgres.start_again().await;
    told.misses(&[]).await;
    assert_eq!(told.page("/nonsense").await.unwrap().0, 404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readiness_notices_a_stream_that_is_gone_and_a_log_that_is_behind() {
    let council = Council::new().await;
    let told = Told::serve(&council, &["command-service"], &[]).await;
    told.misses(&[]).await;
    // When NATS has lost everything
    council.nats.wipe().await;
    told.misses(&[
        "command-service stream:CASELEDGER_COMMANDS",
        "command-service stream:CASELEDGER_EVENTS",
    ])
    .await;
    council.make_streams().await;
    told.misses(&[]).await;
    // When the stream of events holds more than the log
    let relay = council.serve("relay");
    let website = council.client("website").await;
    council
        .accept(&website, "SubmitRequest", None, obstruction("a sofa"))
        .await;
    relay_has(&council, 1).await;
    drop(relay);
    let superuser = council.database.superuser().await;
    let rolled_back = "
        ALTER TABLE ledger.events DISABLE TRIGGER append_only;
        ALTER TABLE ledger.head DISABLE TRIGGER forward_only;
        DELETE FROM ledger.events;
        UPDATE ledger.head SET position = 0";
    sqlx::raw_sql(rolled_back).execute(&superuser).await.unwrap();
    told.misses(&["command-service log"]).await;
    let (_, body) = told.page("/readyz").await.unwrap();
    assert!(body.contains("rolled back"), "{body}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readiness_notices_a_stream_that_takes_nothing() {
    let council = Council::new().await;
    let _service = council.serve("command-service");
    let told = Told::serve(&council, &["relay"], &[]).await;
    council.answering().await;
    told.misses(&[]).await;
    // Given an event stream that is full: it answers every question, and takes nothing
    let jetstream = async_nats::jetstream::new(council.steward().await);
    let mut config = jetstream
        .get_stream("CASELEDGER_EVENTS")
        .await
        .unwrap()
        .cached_info()
        .config
        .clone();
    config.discard = async_nats::jetstream::stream::DiscardPolicy::New;
    config.max_bytes = 1;
    jetstream.update_stream(config.clone()).await.unwrap();
    let website = council.client("website").await;
    council
        .accept(&website, "SubmitRequest", None, obstruction("a sofa"))
        .await;
    told.misses(&["relay stream:CASELEDGER_EVENTS"]).await;
    // When there is room again
    config.max_bytes = -1;
    jetstream.update_stream(config).await.unwrap();
    told.misses(&[]).await;
    relay_has(&council, 1).await;
}

/// Waits until the event stream holds so many events.
async fn relay_has(council: &Council, events: u64) {
    let jetstream = async_nats::jetstream::new(council.steward().await);
    eventually("the relay has published", PATIENCE, || async {
        let stream = jetstream.get_stream("CASELEDGER_EVENTS").await.ok()?;
        (stream.cached_info().state.messages >= events).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_happens_is_counted() {
    let council = Council::new().await;
    let service = Told::serve(&council, &["command-service"], &[]).await;
    council.answering().await;
    let website = council.client("website").await;
    // Given one that is accepted, one that is rejected, and one that is no command
    council
        .accept(&website, "SubmitRequest", None, obstruction("a sofa"))
        .await;
    let nobody = AggregateId(uuid::Uuid::new_v4());
    let cancel = json!({ "actor": { "kind": "resident", "assurance": "none" }, "channel": "online" });
    council.call(&website, "CancelRequest", Some(nobody), cancel).await;
    let raw = council.raw("website").await;
    raw.publish("caseledger.command.website.SubmitRequest", "no JSON".into())
        .await
        .unwrap();
    // Then each is counted, and what was parked can be found
    let of = |labels: &str| format!("caseledger_commands_total{{{labels}}}");
    let accepted = r#"service="highways",command="SubmitRequest",mode="call",outcome="accepted""#;
    service.counts(&of(accepted), |count| count == 1.0).await;
    let rejected = r#"service="none",command="CancelRequest",mode="call",outcome="rejected""#;
    service.counts(&of(rejected), |count| count == 1.0).await;
    let unread = r#"service="none",command="none",mode="durable",outcome="rejected""#;
    service.counts(&of(unread), |count| count == 1.0).await;
    service
        .counts(r#"caseledger_parked_total{consumer="command-service"}"#, |count| {
            count == 1.0
        })
        .await;
    service
        .counts(r#"caseledger_deadletters{consumer="command-service"}"#, |count| {
            count == 1.0
        })
        .await;
    service
        .counts(r#"caseledger_appends_total{outcome="recorded"}"#, |count| count >= 1.0)
        .await;
    service
        .counts("caseledger_append_calls_waiting", |count| count == 0.0)
        .await;
    service
        .counts("caseledger_commands_in_hand", |count| count == 0.0)
        .await;
    service
        .counts("caseledger_append_batch_commands_count", |count| count >= 1.0)
        .await;
    service
        .counts(r#"caseledger_command_seconds_count{mode="call"}"#, |count| count >= 2.0)
        .await;
    service
        .counts(r#"caseledger_lease_held{lease="durable-commands"}"#, |held| held == 1.0)
        .await;
    service
        .counts("caseledger_log_position", |position| position >= 1.0)
        .await;
    // And every metric says what it means
    let (_, body) = service.page("/metrics").await.unwrap();
    let families: Vec<&str> = body
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next())
        .collect();
    assert!(families.len() > 15, "{body}");
    for family in families {
        assert!(body.contains(&format!("# HELP {family} ")), "{family} has no help text");
        assert!(family.starts_with("caseledger_"), "{family}");
    }
    assert!(!body.contains(&nobody.to_string()), "no metric speaks of a case");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_told_to_people_is_counted() {
    let council = Council::new().await;
    let _service = council.serve("command-service");
    let notifier = Told::serve(&council, &["notifier"], &[]).await;
    council.answering().await;
    let website = council.client("website").await;
    let customer = council
        .accept(
            &website,
            "RegisterCustomer",
            None,
            example("RegisterCustomer", json!({})),
        )
        .await
        .aggregate_id;
    let data = example("SubmitRequest", json!({ "customer_id": customer }));
    council.accept(&website, "SubmitRequest", None, data).await;
    notifier
        .counts(r#"caseledger_notifications_total{result="sent"}"#, |sent| sent == 1.0)
        .await;
    for step in ["send", "record"] {
        notifier
            .counts(&format!("caseledger_deliveries_waiting{{to=\"{step}\"}}"), |waiting| {
                waiting == 0.0
            })
            .await;
    }
    notifier
        .counts(
            r#"caseledger_subscription_events_total{subscription="notifier"}"#,
            |events| events >= 2.0,
        )
        .await;
    notifier
        .counts(
            r#"caseledger_nats_connected{service="notifier",user="notifier"}"#,
            |connected| connected == 1.0,
        )
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_lag_of_a_projection_that_stands_still_rises_and_falls_again() {
    let council = Council::new().await;
    let _service = council.serve("command-service");
    let mut projections = council.serve("projections");
    let notifier = council.serve("notifier");
    let relay = Told::serve(&council, &["relay"], &[]).await;
    council.answering().await;
    let website = council.client("website").await;
    let lag = |subscription: &str| format!("caseledger_subscription_lag_events{{subscription=\"{subscription}\"}}");
    // Given projections that have caught up
    council
        .accept(&website, "SubmitRequest", None, obstruction("a sofa"))
        .await;
    relay
        .counts("caseledger_log_position", |position| position >= 1.0)
        .await;
    for subscription in ["history", "reporting", "notifier"] {
        relay.counts(&lag(subscription), |behind| behind == 0.0).await;
    }
    // When they stand still and cases come in
    projections.signal("STOP");
    for number in 0..3 {
        council
            .accept(&website, "SubmitRequest", None, obstruction(&format!("sofa {number}")))
            .await;
    }
    // Then it is seen from the relay, which has published everything; and the notifier is not behind
    relay.counts(&lag("history"), |behind| behind >= 3.0).await;
    relay.counts(&lag("reporting"), |behind| behind >= 3.0).await;
    relay.counts(&lag("notifier"), |behind| behind == 0.0).await;
    relay
        .counts("caseledger_relay_lag_events", |behind| behind == 0.0)
        .await;
    relay
        .counts("caseledger_relay_events_total", |events| events >= 4.0)
        .await;
    relay
        .counts(r#"caseledger_lease_held{lease="relay"}"#, |held| held == 1.0)
        .await;
    projections.signal("CONT");
    relay.counts(&lag("history"), |behind| behind == 0.0).await;
    drop(notifier);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_that_is_taken_is_told() {
    let taken = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let council = Council::new().await;
    let mut command = serving(&council, &["relay"]);
    command.args(["--http", &taken.local_addr().unwrap().to_string()]);
    let mut process = Process::start(&mut command);
    let ended = process.end(Duration::from_secs(30)).await;
    assert_eq!(ended.code(), Some(2), "{}", process.output());
    assert!(process.output().contains("CASELEDGER_HTTP"), "{}", process.output());
}
