//! Commands that flow while something fails.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use bus::{BusClient, Outgoing};
use schemas::AggregateId;
use schemas::result::{CommandResult, CommandStatus};
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::council::{PATIENCE, accepted, example, obstruction};
use crate::{Council, Witness, eventually};

/// How many clients send at once.
const SENDERS: usize = 8;

/// How long what is under way may take to be settled when the traffic ends.
const SETTLED_WITHIN: Duration = Duration::from_secs(120);

/// How long one sender may wait where others do not.
const FLOWS_FOR_EACH_WITHIN: Duration = Duration::from_secs(120);

/// How commands are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// By request and reply. Each sender goes away from some of its calls before they are answered.
    Call,
    /// Durably.
    Durable,
    /// Half of the senders this way, half of them that way.
    Both,
}

/// Eight senders, each with a customer of its own whose cases it opens, changes, closes and reopens, one command after the
/// other, until the traffic is stopped. Each command is repeated until its result is known; a [`Witness`] remembers all.
pub struct Traffic {
    witness: Arc<Witness>,
    sending: Vec<JoinHandle<()>>,
    stop: Arc<AtomicBool>,
    /// How many commands of each sender are settled.
    settled: Vec<Arc<AtomicUsize>>,
}

impl Traffic {
    /// Begins, as fast as answers come.
    ///
    /// # Panics
    /// If a client can't connect.
    pub async fn start(council: &Arc<Council>, way: Way) -> Traffic {
        Traffic::at_pace(council, way, Duration::ZERO).await
    }

    /// Begins, with so long a pause of each sender after each command.
    ///
    /// # Panics
    /// If a client can't connect.
    pub async fn at_pace(council: &Arc<Council>, way: Way, pause: Duration) -> Traffic {
        let witness = Arc::new(Witness::default());
        let stop = Arc::new(AtomicBool::new(false));
        let (mut sending, mut settled) = (Vec::new(), Vec::new());
        for number in 0..SENDERS {
            let own = Arc::new(AtomicUsize::new(0));
            settled.push(Arc::clone(&own));
            let sender = Sender {
                council: Arc::clone(council),
                client: council.client("contact-centre").await,
                witness: Arc::clone(&witness),
                durable: way == Way::Durable || (way == Way::Both && number % 2 == 0),
                pause,
                stop: Arc::clone(&stop),
                settled: own,
            };
            sending.push(tokio::spawn(sender.run()));
        }
        Traffic {
            witness,
            sending,
            stop,
            settled,
        }
    }

    /// Who remembers.
    pub fn witness(&self) -> &Arc<Witness> {
        &self.witness
    }

    /// How many commands are settled.
    pub fn settled(&self) -> usize {
        self.settled_by_each().iter().sum()
    }

    fn settled_by_each(&self) -> Vec<usize> {
        let settled = self.settled.iter();
        settled.map(|settled| settled.load(Ordering::Relaxed)).collect()
    }

    /// Waits until so many more are settled.
    ///
    /// # Panics
    /// If nothing flows.
    pub async fn flow(&self, more: usize) {
        let goal = self.settled() + more;
        eventually("commands flow", PATIENCE, || async {
            self.assert_sending();
            self.settled() >= goal
        })
        .await;
    }

    /// Waits until so many more of each sender are settled: calls and durable commands alike.
    ///
    /// # Panics
    /// If nothing flows for one of them.
    pub async fn flow_for_each(&self, more: usize) {
        let before = self.settled_by_each();
        eventually("each sender's commands flow", FLOWS_FOR_EACH_WITHIN, || async {
            self.assert_sending();
            let now = self.settled_by_each();
            now.iter().zip(&before).all(|(now, before)| *now >= before + more)
        })
        .await;
    }

    fn assert_sending(&self) {
        assert!(
            self.sending.iter().all(|sending| !sending.is_finished()),
            "a sender has failed: see above"
        );
    }

    /// Lets each sender end what it has begun, and gives what all of them remember.
    ///
    /// # Panics
    /// If a sender failed, or does not come to an end.
    pub async fn stop(self) -> Arc<Witness> {
        self.stop.store(true, Ordering::Relaxed);
        for sending in self.sending {
            tokio::time::timeout(SETTLED_WITHIN, sending)
                .await
                .expect("each command is settled")
                .expect("a sender ends well");
        }
        self.witness
    }
}

struct Sender {
    council: Arc<Council>,
    client: BusClient,
    witness: Arc<Witness>,
    durable: bool,
    pause: Duration,
    stop: Arc<AtomicBool>,
    settled: Arc<AtomicUsize>,
}

impl Sender {
    async fn run(self) {
        let email = format!("{}@example.org", Uuid::new_v4().simple());
        let register = self.command(
            "RegisterCustomer",
            None,
            example("RegisterCustomer", json!({ "email": email })),
        );
        let customer = accepted(self.settle(&register).await).aggregate_id;
        for number in 0_u32.. {
            if self.is_over() {
                return;
            }
            self.one_case(customer, number).await;
        }
    }

    /// A case from its opening to its reopening.
    async fn one_case(&self, customer: AggregateId, number: u32) {
        let mut submit = obstruction(&format!("Branches over the path, seen {number} times"));
        submit["customer_id"] = json!(customer);
        let opened = self.settle(&self.command("SubmitRequest", None, submit)).await;
        let case = Some(accepted(opened).aggregate_id);
        let officer = json!({ "kind": "officer", "id": "m.hughes", "assurance": "signed_in" });
        let steps = [
            ("UpdateRequest", update(format!("It is worse, for the {number}th time"))),
            (
                "CloseRequest",
                json!({ "outcome": "none-needed", "decided_by": { "kind": "officer", "id": "m.hughes" }, "actor": officer,
                    "reasons": "The inspector found the path free.", "channel": "phone" }),
            ),
            ("ReopenRequest", example("ReopenRequest", json!({}))),
        ];
        for (name, data) in steps {
            if self.is_over() {
                return;
            }
            if !self.durable && number.is_multiple_of(3) {
                let left = self.command(
                    "UpdateRequest",
                    case,
                    update(format!("Nobody waits for answer {number}")),
                );
                self.witness.call_and_leave(&self.client, &left).await;
            }
            accepted(self.settle(&self.command(name, case, data)).await);
        }
    }

    fn command(&self, name: &str, subject: Option<AggregateId>, data: Value) -> Outgoing {
        self.council.command_of(name, subject, data)
    }

    async fn settle(&self, command: &Outgoing) -> CommandResult {
        let result = if self.durable {
            self.witness.send(&self.client, command).await
        } else {
            self.witness.call(&self.client, command).await
        };
        debug_assert_ne!(result.status, CommandStatus::Unavailable);
        self.settled.fetch_add(1, Ordering::Relaxed);
        if !self.pause.is_zero() {
            tokio::time::sleep(self.pause).await;
        }
        result
    }

    fn is_over(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

fn update(description: String) -> Value {
    json!({
        "description": description,
        "channel": "online",
        "actor": { "kind": "resident", "assurance": "none" },
    })
}
