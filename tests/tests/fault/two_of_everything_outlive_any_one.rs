//! Fault any: two of each service on one log with a synchronous standby and on a cluster of three nats-servers; under load, one after the
//! other is killed, and the next only when it is back. `CASELEDGER_FAULT_MINUTES` says for how long, 10 where it is not set.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_nats::jetstream;
use system_tests::council::{PATIENCE, SERVICES};
use system_tests::{Council, Process, Proxy, Running, Standby, TestPostgres, Traffic, Way, eventually, page};

/// For how many minutes it goes on, where the environment does not say. Whatever it says, each is killed once.
const MINUTES: u64 = 10;

/// How long each of the eight senders rests after a command: what two cores bear with all this.
const REST: Duration = Duration::from_millis(200);

/// How long it may take until nothing is missing anywhere: a process that NATS took nothing from says so for a minute.
const WHOLE_WITHIN: Duration = Duration::from_secs(120);

/// How many commands of each sender are settled before the next is killed.
const FLOWING: usize = 3;

/// Who is killed.
#[derive(Clone, Copy, Debug)]
enum Victim {
    /// The process of this service that holds this lease.
    Holder(&'static str, &'static str),
    /// A process of this service, of which both work; the one, and in the next round the other.
    Worker(&'static str),
    /// The nats-server that leads this stream.
    StreamLeader(&'static str),
    /// The nats-server that leads JetStream.
    MetaLeader,
    /// The Postgres that takes writes.
    Primary,
    /// The same, when its standby lacks what waits to be committed: were that answered, it would be lost.
    PrimaryAlone,
}

/// In this order, again and again.
const VICTIMS: [Victim; 10] = [
    Victim::Holder("command-service", "durable-commands"),
    Victim::Holder("relay", "relay"),
    Victim::StreamLeader("CASELEDGER_EVENTS"),
    Victim::Worker("projections"),
    Victim::Primary,
    Victim::Holder("command-service", "timekeeper"),
    Victim::StreamLeader("CASELEDGER_COMMANDS"),
    Victim::Worker("notifier"),
    Victim::PrimaryAlone,
    Victim::MetaLeader,
];

/// A process, and where it tells of itself.
struct Twin {
    service: &'static str,
    process: Process,
    address: String,
}

impl Twin {
    async fn start(council: &Council, service: &'static str) -> Twin {
        let process = Process::start(council.service(service).args(["--http", "127.0.0.1:0"]));
        let line = process.line("health, readiness and metrics are told", PATIENCE).await;
        let address = line.rsplit("address=").next().unwrap().trim().to_owned();
        Twin {
            service,
            process,
            address,
        }
    }

    async fn is_ready(&self) -> bool {
        page(&self.address, "/readyz")
            .await
            .is_some_and(|(status, _)| status == 200)
    }

    async fn holds(&self, lease: &str) -> bool {
        let held = format!("caseledger_lease_held{{lease=\"{lease}\"}} 1");
        page(&self.address, "/metrics")
            .await
            .is_some_and(|(_, metrics)| metrics.lines().any(|line| line == held))
    }
}

/// What was killed, and what clients saw of it.
struct Pause {
    killed: String,
    /// The longest times without an acceptance: of any command, of a call, of a durable command.
    longest: [Duration; 3],
    /// The longest that a sender waited for an acceptance.
    waited: Duration,
    /// The longest that one waited for that of a call which it made afterwards.
    called: Duration,
    /// Until everything was whole again.
    back: Duration,
}

impl Pause {
    fn since(traffic: &Traffic, what: String, killed: Instant) -> Pause {
        let witness = traffic.witness();
        Pause {
            killed: what,
            longest: [Way::Both, Way::Call, Way::Durable].map(|way| witness.longest_pause(way, killed)),
            waited: witness.longest_wait(Way::Both, killed),
            called: witness.longest_wait_of_new(Way::Call, killed),
            back: killed.elapsed(),
        }
    }

    fn row(&self) -> String {
        let [any, call, durable] = self.longest.map(|pause| pause.as_secs_f32());
        let [waited, called, back] = [self.waited, self.called, self.back].map(|time| time.as_secs_f32());
        let killed = &self.killed;
        format!("{killed:<50} {any:>7.1} {call:>7.1} {durable:>7.1} {waited:>7.1} {called:>7.1} {back:>7.1}")
    }
}

/// Everything, and how it fared.
struct Everything {
    council: Arc<Council>,
    postgres: Arc<TestPostgres>,
    /// What the services know the database's address as.
    address: Proxy,
    standby: Option<Standby>,
    copies: Vec<Twin>,
    traffic: Traffic,
    /// When the last was killed.
    killed: Instant,
    pauses: Vec<Pause>,
}

impl Everything {
    async fn start() -> Everything {
        let postgres = TestPostgres::durable().await;
        let mut council = Council::with_cluster(postgres.database().await).await;
        let address = Proxy::start(postgres.port()).await;
        council.reach_postgres_through(&address);
        let council = Arc::new(council);
        let standby = Some(postgres.standby().await);
        let mut copies = Vec::new();
        for service in SERVICES.into_iter().chain(SERVICES) {
            copies.push(Twin::start(&council, service).await);
        }
        council.answering().await;
        let traffic = Traffic::at_pace(&council, Way::Both, REST).await;
        let everything = Everything {
            council,
            postgres,
            address,
            standby,
            copies,
            traffic,
            killed: Instant::now(),
            pauses: Vec::new(),
        };
        everything.whole().await;
        everything
    }

    /// Waits until nothing is missing anywhere, and commands flow.
    async fn whole(&self) {
        let cluster = self.council.cluster.as_ref().unwrap();
        cluster.whole().await;
        for copy in &self.copies {
            let what = format!("each {} is ready", copy.service);
            eventually(&what, WHOLE_WITHIN, || copy.is_ready()).await;
        }
        self.traffic.flow_for_each(FLOWING).await;
    }

    async fn kill(&mut self, victim: Victim, round: usize) {
        if matches!(victim, Victim::Primary | Victim::PrimaryAlone) {
            self.traffic.witness().keep_checkpoint(&self.council).await;
        }
        self.killed = Instant::now();
        let what = match victim {
            Victim::Holder(service, lease) => {
                let number = self.holder(lease).await;
                self.killed = Instant::now();
                self.copies[number].process.kill();
                eventually(&format!("another holds {lease}"), PATIENCE, || async {
                    self.holds_but(number, lease).await
                })
                .await;
                self.start_again(number).await;
                format!("{service} that holds {lease}")
            }
            Victim::Worker(service) => {
                let both = (0..self.copies.len()).filter(|number| self.copies[*number].service == service);
                let number = both.collect::<Vec<_>>()[round % 2];
                self.killed = Instant::now();
                self.copies[number].process.kill();
                self.follows(service).await;
                self.start_again(number).await;
                format!("{service}, number {}", round % 2 + 1)
            }
            Victim::StreamLeader(stream) => {
                let name = self.leader_of(stream).await;
                self.killed = Instant::now();
                self.away(&name).await;
                format!("{name}, leader of {stream}")
            }
            Victim::MetaLeader => {
                let cluster = self.council.cluster.as_ref().unwrap();
                let name = eventually("JetStream has a leader", PATIENCE, || cluster.leader()).await;
                self.killed = Instant::now();
                self.away(&name).await;
                format!("{name}, leader of JetStream")
            }
            Victim::Primary => {
                self.fail_over().await;
                "Postgres that takes writes".to_owned()
            }
            Victim::PrimaryAlone => {
                self.standby.as_ref().unwrap().cut_off(&self.postgres).await;
                self.fail_over().await;
                "Postgres that takes writes, its standby cut off".to_owned()
            }
        };
        self.whole().await;
        self.nobody_gave_up();
        let pause = Pause::since(&self.traffic, what, self.killed);
        println!("{}", pause.row());
        self.pauses.push(pause);
    }

    async fn holder(&self, lease: &str) -> usize {
        eventually(&format!("one holds {lease}"), PATIENCE, || async {
            let mut holders = Vec::new();
            for (number, copy) in self.copies.iter().enumerate() {
                if copy.holds(lease).await {
                    holders.push(number);
                }
            }
            // One that has just lost it may not know yet.
            (holders.len() == 1).then(|| holders[0])
        })
        .await
    }

    async fn holds_but(&self, killed: usize, lease: &str) -> bool {
        for (number, copy) in self.copies.iter().enumerate() {
            if number != killed && copy.holds(lease).await {
                return true;
            }
        }
        false
    }

    /// Commands flow without who was killed; then it is started again.
    async fn start_again(&mut self, number: usize) {
        self.traffic.flow_for_each(FLOWING).await;
        let service = self.copies[number].service;
        self.copies[number] = Twin::start(&self.council, service).await;
    }

    /// Waits until the one that is left has come as far as the log is now.
    async fn follows(&self, service: &str) {
        let owner = self.council.owner().await;
        let head: i64 = sqlx::query_scalar("SELECT position FROM ledger.head")
            .fetch_one(&owner)
            .await
            .unwrap();
        let statement = match service {
            "notifier" => "SELECT position FROM notifier.checkpoint",
            _ => {
                "SELECT min(position) FROM
                (SELECT position FROM history.checkpoints UNION SELECT position FROM reporting.checkpoints) AS views"
            }
        };
        eventually(&format!("the other {service} follows"), PATIENCE, || async {
            let position: i64 = sqlx::query_scalar(statement).fetch_one(&owner).await.unwrap();
            position >= head
        })
        .await;
    }

    async fn leader_of(&self, stream: &str) -> String {
        eventually(&format!("{stream} has a leader"), PATIENCE, || async {
            let jetstream = jetstream::new(self.council.steward().await);
            let stream = jetstream.get_stream(stream).await.ok()?;
            let info = stream.cached_info();
            assert_eq!(info.config.num_replicas, 3, "the stream is on each server");
            info.cluster.as_ref()?.leader.clone()
        })
        .await
    }

    /// One nats-server is killed, and comes back, with what it had, once commands flow without it.
    async fn away(&self, name: &str) {
        let server = self.council.cluster.as_ref().unwrap().server(name);
        server.kill().await;
        self.traffic.flow_for_each(FLOWING).await;
        server.start_again().await;
    }

    /// The primary is killed, its standby takes its place and its address, and gets a standby of its own.
    async fn fail_over(&mut self) {
        let (postgres, address) = (Arc::clone(&self.postgres), &self.address);
        postgres.kill().await;
        // Nobody may reach what is left of it: its processes end only when they next look.
        address.cut();
        postgres.promote(self.standby.take().unwrap()).await;
        address.lead_to(postgres.port());
        address.restore();
        self.traffic.flow_for_each(FLOWING).await;
        self.standby = Some(postgres.standby().await);
    }

    /// Whoever ended was killed: nobody ended by itself, to be started again by a hand or a supervisor.
    fn nobody_gave_up(&mut self) {
        for copy in &mut self.copies {
            let ended = copy.process.ended();
            assert!(ended.is_none(), "{}: {}", copy.service, copy.process.output());
        }
    }
}

fn minutes() -> Duration {
    let set = std::env::var("CASELEDGER_FAULT_MINUTES").ok();
    let minutes = set.map_or(MINUTES, |set| {
        set.parse().expect("CASELEDGER_FAULT_MINUTES is a number")
    });
    Duration::from_secs(60 * minutes)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes minutes: make faults"]
async fn and_each_is_killed_in_turn() {
    let mut everything = Everything::start().await;
    let begun = Instant::now();
    for number in 0.. {
        if number >= VICTIMS.len() && begun.elapsed() >= minutes() {
            break;
        }
        everything
            .kill(VICTIMS[number % VICTIMS.len()], number / VICTIMS.len())
            .await;
    }
    let loaded = begun.elapsed();
    let Everything {
        council,
        traffic,
        pauses,
        copies: _running,
        standby: _followed,
        address: _reached,
        ..
    } = everything;
    let all = Pause::since(&traffic, "all that time".to_owned(), begun);
    traffic.stop().await.assert_kept(&council, Running::All).await;
    println!(
        "\n{} killed in turn within {loaded:.0?}; seconds without an acceptance",
        pauses.len()
    );
    println!(
        "{:<50} {:>7} {:>7} {:>7} {:>7} {:>7} {:>7}",
        "killed", "any", "call", "durable", "waited", "called", "back"
    );
    for pause in pauses.iter().chain([&all]) {
        println!("{}", pause.row());
    }
}
