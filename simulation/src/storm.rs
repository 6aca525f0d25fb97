//! What strikes whole processes and servers, while the commands flow.

use std::time::Duration;

use schemas::CustomerId;
use tokio::time::Instant;

use crate::council::{Council, Kind, Running};
use crate::fault::Fault;
use crate::sender::Board;

/// How long it is between two looks at what may strike.
const BETWEEN: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(4));

/// How long a process or a stream is away.
const AWAY: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(8));

/// How long a process stands still: longer, at times, than its leases last.
const STILL: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(20));

/// The processes of a run, and what is away for the moment.
pub(crate) struct Storm {
    council: Council,
    board: Board,
    running: Vec<Running>,
    starts: usize,
    /// What was killed, and when it is started again.
    down: Vec<(Instant, Kind, usize)>,
    stream_made_at: Option<Instant>,
}

impl Storm {
    /// Starts the processes of a run.
    pub(crate) fn new(council: Council, board: Board) -> Self {
        let services = [
            (Kind::CommandService, 1),
            (Kind::CommandService, 2),
            (Kind::Relay, 1),
            (Kind::Relay, 2),
            (Kind::Projection, 1),
        ];
        let running = services
            .into_iter()
            .map(|(kind, number)| council.start(kind, number, 0))
            .collect();
        Self {
            council,
            board,
            running,
            starts: 0,
            down: Vec::new(),
            stream_made_at: None,
        }
    }

    /// Rages for ever.
    pub(crate) async fn rage(&mut self) {
        loop {
            let pause = self.council.world.between(BETWEEN.0, BETWEEN.1);
            tokio::time::sleep(pause).await;
            self.bring_back(Instant::now());
            self.strike();
        }
    }

    /// Ends it: whoever is away comes back.
    pub(crate) fn end(&mut self) {
        self.council.world.calm_down();
        self.council.world.take_log_away(Duration::ZERO);
        self.bring_back(Instant::now() + AWAY.1);
    }

    fn bring_back(&mut self, by: Instant) {
        if self.stream_made_at.is_some_and(|at| at <= by) {
            self.council.nats.make_event_stream();
            self.stream_made_at = None;
        }
        let (back, down) = self.down.drain(..).partition(|(at, ..)| *at <= by);
        self.down = down;
        let back: Vec<(Instant, Kind, usize)> = back;
        for (_, kind, number) in back {
            self.starts += 1;
            self.running.push(self.council.start(kind, number, self.starts));
        }
    }

    fn away(&self) -> Duration {
        self.council.world.between(AWAY.0, AWAY.1)
    }

    fn strike(&mut self) {
        let council = self.council.clone();
        let (world, nats) = (&council.world, &council.nats);
        if world.strikes(Fault::Crash) && !self.running.is_empty() {
            let which = usize::try_from(world.below(u64::try_from(self.running.len()).unwrap_or(1))).unwrap_or(0);
            let killed = self.running.remove(which);
            world.step(killed.process.name(), format_args!("is killed"));
            killed.kill();
            self.down
                .push((Instant::now() + self.away(), killed.kind, killed.number));
        }
        if world.strikes(Fault::Pause)
            && let Some(one) = world.one_of(&self.running)
        {
            let still = world.between(STILL.0, STILL.1);
            world.step(one.process.name(), format_args!("stands still for {still:?}"));
            one.process.stand_still(still);
        }
        if world.strikes(Fault::Disconnect)
            && let Some(one) = world.one_of(&self.running)
        {
            one.bus.disconnect(self.away());
        }
        if world.strikes(Fault::LogAway) {
            world.take_log_away(self.away());
        }
        if world.strikes(Fault::EventsWiped) && self.stream_made_at.is_none() {
            nats.wipe_events();
            self.stream_made_at = Some(Instant::now() + self.away());
        }
        if world.strikes(Fault::EventsRolledBack) {
            nats.roll_events_back(1 + world.below(12));
        }
        if world.strikes(Fault::EventLostInside) {
            let held = u64::try_from(nats.event_stream().len()).unwrap_or(0);
            nats.lose_event(world.below(held));
        }
        if world.strikes(Fault::CommandsWiped) {
            nats.wipe_commands();
        }
        if world.strikes(Fault::Erasure)
            && let Some(customer) = world.one_of(&self.board.customers())
        {
            let destroyed = council.log.erase(CustomerId(customer.uuid()));
            world.step("keeper", format_args!("erases {customer}: {destroyed} keys"));
        }
    }
}
