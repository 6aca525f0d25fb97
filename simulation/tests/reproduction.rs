//! Each failure that the simulation found, kept as a case of its own: the faults alone, told and not drawn, so that it shows the same
//! whatever a seed comes to draw one day.

// Outside of a test function, too, a test may fail.
#![allow(clippy::unwrap_used)]

use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use bus::{Bus as _, BusError};
use command_service::Relay;
use event_store::{Append, NewEvent, Outcome};
use schemas::sealed::KeyAdmission;
use schemas::{AggregateId, ClientName, CommandId, EventId, ServiceName, Version};
use simulation::{ModelBus, ModelLeases, ModelLedger, ModelLog, ModelNats, Process, Weather, World};
use tokio_util::sync::CancellationToken;

/// How long, by the run's clock, a relay may take to mend what it finds.
const SOON: Duration = Duration::from_secs(30);

/// A log and a NATS in fair weather, with a relay between them.
struct Relayed {
    world: Arc<World>,
    log: ModelLog,
    nats: ModelNats,
}

impl Relayed {
    fn start() -> Self {
        let world = Arc::new(World::new(1, Weather::Fair, false));
        let log = ModelLog::default();
        let nats = ModelNats::new(Arc::clone(&world), log.clone());
        let process = Arc::new(Process::new("relay"));
        let line = ModelLedger::new(log.clone(), Arc::clone(&world), Arc::clone(&process));
        let leases = ModelLeases::new(line.clone(), world.uuid());
        let bus = Arc::new(ModelBus::new(nats.clone(), process));
        tokio::task::spawn_local(async move {
            let ended = Relay::new(Arc::new(line), bus)
                .run(&leases, &CancellationToken::new())
                .await;
            unreachable!("the relay ended: {ended:?}");
        });
        Self { world, log, nats }
    }

    /// A case with so many events.
    fn append(&self, events: usize) {
        let event = |number| NewEvent {
            event_id: EventId(self.world.event_uuid()),
            event_type: "RequestUpdated",
            event_version: "1",
            payload: format!("{{\"number\":{number}}}"),
            metadata: "{\"client\":\"website\"}".to_owned(),
            occurred_at: self.world.now(),
        };
        let append = Append {
            client: ClientName::new("website").unwrap(),
            command_id: CommandId(self.world.uuid()),
            fingerprint: [0; 32],
            aggregate_type: "case",
            aggregate_id: AggregateId(self.world.uuid()),
            service: ServiceName::new("waste").unwrap(),
            expected: Version(0),
            outcome: Outcome::Accepted {
                reference: None,
                events: (0..events).map(event).collect(),
            },
            external_ref: None,
            keys: KeyAdmission::default(),
            places: Vec::new(),
        };
        self.log.commit(&[append], self.world.now()).unwrap();
    }

    /// Waits until the event stream holds the log, and nothing that must not be was seen on the way.
    async fn holds_the_log(&self) {
        self.comes_to_hold_the_log().await;
        assert_eq!(self.nats.findings(), []);
    }

    /// Lets a relay that slept publish the third event at each of these places.
    async fn has_no_place_for(&self, late: &ModelBus, places: RangeInclusive<u64>) {
        for expected in places {
            let again = command_service::published(&self.log.events()[2]).unwrap();
            let acknowledged = late.publish_event(again.subject, again.body, expected).await.unwrap();
            assert_eq!(acknowledged.await, Err(BusError::WrongLastSequence { expected }));
        }
        self.holds_the_log().await;
    }

    async fn comes_to_hold_the_log(&self) {
        let holds = || {
            let published = |event| command_service::published(event).unwrap().body;
            let log: Vec<_> = self.log.events().iter().map(published).collect();
            let held: Vec<_> = self
                .nats
                .event_stream()
                .into_iter()
                .map(|(_, event)| event.body)
                .collect();
            held == log
        };
        let until = self.world.elapsed() + SOON;
        while !holds() {
            assert!(self.world.elapsed() < until, "{:?}", self.nats.event_stream().len());
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

/// Runs in simulated time.
fn simulated(run: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    tokio::task::LocalSet::new().block_on(&runtime, run);
}

/// Found by seeds 6, 17, 23 and 42: where just the last event was gone, its end could not be read, and the relay waited for ever for a
/// NATS that was there.
#[test]
fn a_stream_that_lost_its_last_event_is_filled_again() {
    simulated(async {
        let relayed = Relayed::start();
        relayed.append(3);
        relayed.holds_the_log().await;
        relayed.nats.lose_event(2);
        assert_eq!(relayed.nats.event_stream().len(), 2);
        relayed.holds_the_log().await;
        relayed.append(2);
        relayed.holds_the_log().await;
    });
}

/// Found by seed 2405: a relay stood still between its look at the stream and the purge that it thought was due, and lost its lease. What it
/// empties then is a good stream, whose sequence goes on: the other relay publishes the next event behind the purge, and sees at its next look
/// that all before it is missing.
#[test]
fn a_stream_that_a_relay_without_its_lease_has_emptied_is_filled_again() {
    simulated(async {
        let relayed = Relayed::start();
        relayed.append(3);
        relayed.holds_the_log().await;
        let late = ModelBus::new(relayed.nats.clone(), Arc::new(Process::new("late relay")));
        assert_eq!(late.purge_events().await, Ok(3));
        relayed.append(1);
        relayed.holds_the_log().await;
    });
}

/// Found by seeds 26676 and 100483: a relay stood still in the middle of what it published; meanwhile the stream was emptied and filled
/// again at the sequences that followed, and one that the late relay still named was its last by chance.
#[test]
fn what_a_late_relay_still_publishes_has_no_place() {
    simulated(async {
        let relayed = Relayed::start();
        relayed.append(6);
        relayed.holds_the_log().await;
        let late = ModelBus::new(relayed.nats.clone(), Arc::new(Process::new("late relay")));
        assert_eq!(late.purge_events().await, Ok(6));
        relayed.holds_the_log().await;
        // Its own place, and each that a filling could have had if the stream had gone on counting.
        relayed.has_no_place_for(&late, 2..=12).await;
    });
}

/// Found by seed 5218 of the draws at that time: the stream lost the only event that it held, and was filled again at the sequences that
/// followed; a relay that had slept since counted on from what it knew, until a number fitted.
#[test]
fn a_stream_that_lost_its_only_event_is_filled_where_a_late_relay_has_no_place() {
    simulated(async {
        let relayed = Relayed::start();
        relayed.append(1);
        relayed.holds_the_log().await;
        let late = ModelBus::new(relayed.nats.clone(), Arc::new(Process::new("late relay")));
        relayed.nats.lose_event(0);
        relayed.holds_the_log().await;
        relayed.append(11);
        relayed.holds_the_log().await;
        relayed.has_no_place_for(&late, 1..=24).await;
    });
}
