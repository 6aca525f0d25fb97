//! Commands flow while something is killed or stopped: nothing accepted is lost, nothing happens twice.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use bus::Outgoing;
use schemas::CommandId;
use schemas::result::{Accepted, CommandResult};
use system_tests::council::{PATIENCE, accepted, obstruction};
use system_tests::{Council, TestPostgres, eventually};

/// How many clients send at once.
const SENDERS: usize = 8;

/// Sends commands, called and durable by turns, until it is told to stop. Each is repeated until its result is known.
struct Traffic {
    council: Arc<Council>,
    sending: Vec<tokio::task::JoinHandle<Vec<(Outgoing, CommandResult)>>>,
    stop: Arc<AtomicBool>,
    settled: Arc<AtomicUsize>,
}

impl Traffic {
    async fn start(council: &Arc<Council>) -> Self {
        let (stop, settled) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let mut sending = Vec::new();
        for number in 0..SENDERS {
            let client = council.client("website").await;
            let (council, stop, settled) = (Arc::clone(council), Arc::clone(&stop), Arc::clone(&settled));
            sending.push(tokio::spawn(async move {
                let mut done = Vec::new();
                while !stop.load(Ordering::Relaxed) {
                    let command = council.command_of("SubmitRequest", None, obstruction("Deep"));
                    let durable = number % 2 == 0;
                    let sent = if durable {
                        client.send(&command).await
                    } else {
                        client.call_until_known(&command).await
                    };
                    done.push((command, sent.unwrap()));
                    settled.fetch_add(1, Ordering::Relaxed);
                }
                done
            }));
        }
        Self {
            council: Arc::clone(council),
            sending,
            stop,
            settled,
        }
    }

    /// Waits until so many more are settled.
    async fn flow(&self, more: usize) {
        let goal = self.settled.load(Ordering::Relaxed) + more;
        eventually("commands flow", PATIENCE, || async {
            self.settled.load(Ordering::Relaxed) >= goal
        })
        .await;
    }

    /// Stops sending, and compares what was told with what the log holds (I1, I2 and I3).
    async fn compare(self) {
        self.stop.store(true, Ordering::Relaxed);
        let mut told: BTreeMap<CommandId, Accepted> = BTreeMap::new();
        for sending in self.sending {
            let done = tokio::time::timeout(PATIENCE, sending)
                .await
                .expect("each command is settled")
                .unwrap();
            told.extend(done.into_iter().map(|(command, result)| (command.id, accepted(result))));
        }
        let owner = self.council.owner().await;
        let rows: Vec<(i64, String, uuid::Uuid, uuid::Uuid)> =
            sqlx::query_as("SELECT position, aggregate_id, command_id, event_id FROM ledger.events ORDER BY position")
                .fetch_all(&owner)
                .await
                .unwrap();
        assert_eq!(rows.len(), told.len(), "one event for each command");
        let mut seen = HashSet::new();
        for (place, (position, aggregate, command, event)) in (1..).zip(&rows) {
            assert_eq!(*position, place, "positions have no hole");
            let answer = &told[&CommandId(*command)];
            assert_eq!(answer.position.0, *position);
            assert_eq!(answer.aggregate_id.to_string(), *aggregate);
            assert_eq!(answer.events[0].0, *event);
            assert!(seen.insert(*command), "{command} acted twice");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_command_service_loses_nothing_and_repeats_nothing() {
    let council = Arc::new(Council::new().await);
    let mut service = council.serve("command-service");
    council.answering().await;
    let traffic = Traffic::start(&council).await;
    for kill in 0..4 {
        traffic.flow(40 + 17 * kill).await;
        service.kill();
        service = council.serve("command-service");
    }
    traffic.flow(40).await;
    traffic.compare().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_command_services_share_the_work_and_one_dies() {
    let council = Arc::new(Council::new().await);
    let mut first = council.serve("command-service");
    let _second = council.serve("command-service");
    council.answering().await;
    let traffic = Traffic::start(&council).await;
    traffic.flow(60).await;
    first.kill();
    traffic.flow(60).await;
    traffic.compare().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_postgres_that_is_away_for_thirty_seconds_loses_nothing() {
    let postgres = TestPostgres::start().await;
    let council = Arc::new(Council::on(postgres.database().await).await);
    let _services = [council.serve("command-service"), council.serve("relay")];
    council.answering().await;
    let traffic = Traffic::start(&council).await;
    traffic.flow(60).await;
    postgres.kill().await;
    tokio::time::sleep(std::time::Duration::from_secs(30)).await;
    postgres.start_again().await;
    traffic.flow(60).await;
    traffic.compare().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_nats_that_is_away_for_thirty_seconds_loses_nothing() {
    let council = Arc::new(Council::new().await);
    let _services = [council.serve("command-service"), council.serve("relay")];
    council.answering().await;
    let traffic = Traffic::start(&council).await;
    traffic.flow(60).await;
    council.nats.kill().await;
    tokio::time::sleep(std::time::Duration::from_secs(30)).await;
    council.nats.start_again().await;
    traffic.flow(60).await;
    traffic.compare().await;
}
