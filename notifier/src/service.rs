//! The notifier as it runs: it follows, sends and records, side by side.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use event_store::{Ledger, StoredEvent, Subscription};
use futures::Stream;
use schemas::Position;
use sqlx::postgres::PgPool;
use time::OffsetDateTime;
use tokio::sync::watch;

use crate::error::NotifierError;
use crate::feed::{Due, Feed};
use crate::follow::Follower;
use crate::recording::Registrar;
use crate::send::Dispatcher;

/// How many deliveries one notifier sends at once.
const SENDERS: usize = 4;

/// How many it records at once: each waits for the command-service's answer.
const RECORDERS: usize = 3;

/// How long to wait before looking again for what is due, where nothing was and nobody said that something is.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// How long to wait after a fault that passes: the first time, and the longest that doubling leads to.
const AFTER_A_FAULT: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));

/// How long what has begun may take once the notifier is told to stop. A mail server may take longer, but nobody waits for it
/// when a machine goes down.
const TO_FINISH: Duration = Duration::from_secs(60);

/// What the outermost layer passes in: the time and chance.
pub struct Environment {
    /// The instant now.
    pub now: Box<dyn Fn() -> OffsetDateTime + Send + Sync>,
    /// A number in 0.0 to 1.0, another each time: it spreads what failed together.
    pub jitter: Box<dyn Fn() -> f64 + Send + Sync>,
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Environment").finish_non_exhaustive()
    }
}

/// Everything that a running notifier is made of.
pub struct Notifier {
    /// The notifier's tables.
    pub pool: PgPool,
    /// Takes events in.
    pub follower: Follower,
    /// Sends what is due.
    pub dispatcher: Dispatcher,
    /// Records what is finished.
    pub registrar: Registrar,
    /// Time and chance.
    pub environment: Environment,
}

/// What a worker does, one delivery at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Send,
    Record,
}

impl Notifier {
    /// The connections that a running notifier needs at once: one for each sender and each recorder and for the follower, and two
    /// for the vault and the log where they share the pool.
    pub const CONNECTIONS: u32 = 10;

    /// Follows the log, sends and records, until `shutdown` holds true (or its sender is gone), or a fault that needs a person.
    ///
    /// `live` yields events as they are heard of, to be quick; nothing rests on it. No notice goes before what the log held at
    /// the start, and after each pause in following it, is read. Told to end, it finishes what has begun, for a minute at most.
    /// What takes longer, or what was under way when the future is dropped, is done again by the next run: the email with the
    /// same Message-ID and the record with the same command id.
    ///
    /// # Errors
    /// [`NotifierError`]: what does not pass by itself.
    pub async fn run(
        self,
        ledger: Arc<dyn Ledger>,
        live: impl Stream<Item = StoredEvent> + Send + Unpin,
        shutdown: watch::Receiver<bool>,
    ) -> Result<(), NotifierError> {
        let due = Due::default();
        // Whoever fails first stops the others.
        let (failed, stop) = watch::channel(false);
        let (caught_up, may_send) = watch::channel(false);
        let work = |step| {
            let worked = self.work(step, &due, may_send.clone(), shutdown.clone(), stop.clone());
            async { worked.await.inspect_err(|_| _ = failed.send(true)) }
        };
        let follow = async {
            let mut feed = Feed {
                notifier: &self,
                ledger: Arc::clone(&ledger),
                due: &due,
                caught_up: &caught_up,
                goal: Position::START,
            };
            let subscription = Subscription::new("notifier", ledger, live);
            let followed = subscription
                .run(&mut feed, stopped(shutdown.clone(), stop.clone()))
                .await;
            followed
                .inspect_err(|_| _ = failed.send(true))
                .map_err(|fault| NotifierError::Subscription(Box::new(fault)))
        };
        let send = futures::future::join_all((0..SENDERS).map(|_| work(Step::Send)));
        let record = futures::future::join_all((0..RECORDERS).map(|_| work(Step::Record)));
        let (followed, sent, recorded) = tokio::join!(follow, send, record);
        sent.into_iter().chain(recorded).chain([followed]).collect()
    }

    /// Sends or records until it is told to stop, or a fault that does not pass.
    async fn work(
        &self,
        step: Step,
        due: &Due,
        mut may_send: watch::Receiver<bool>,
        shutdown: watch::Receiver<bool>,
        stop: watch::Receiver<bool>,
    ) -> Result<(), NotifierError> {
        let told = || stopped(shutdown.clone(), stop.clone());
        let mut stopped = std::pin::pin!(told());
        let mut after_a_fault = AFTER_A_FAULT.0;
        loop {
            if step == Step::Send {
                tokio::select! {
                    biased;
                    () = &mut stopped => return Ok(()),
                    () = holds(&mut may_send) => {}
                }
            }
            // Made before the look: what becomes due during it is not slept through.
            let woken = match step {
                Step::Send => due.to_send.notified(),
                Step::Record => due.to_record.notified(),
            };
            let (now, jitter) = ((self.environment.now)(), (self.environment.jitter)());
            let attempt = async {
                match step {
                    Step::Send => self.dispatcher.send_next(now, jitter).await,
                    Step::Record => self.registrar.record_next(now, jitter).await,
                }
            };
            let too_late = async {
                told().await;
                tokio::time::sleep(TO_FINISH).await;
            };
            let done = tokio::select! {
                done = attempt => done,
                () = too_late => return Ok(()),
            };
            let (pause, may_wake) = match done {
                Ok(true) => {
                    due.to_record.notify_waiters();
                    (Duration::ZERO, false)
                }
                Ok(false) => (LOOK_AGAIN, true),
                Err(fault) if fault.is_transient() => {
                    let pause = after_a_fault;
                    tracing::warn!(?step, %fault, pause_ms = pause.as_millis(), "the notifier waits");
                    after_a_fault = (pause * 2).min(AFTER_A_FAULT.1);
                    (pause, false)
                }
                Err(fault) => return Err(fault),
            };
            if may_wake || pause.is_zero() {
                after_a_fault = AFTER_A_FAULT.0;
            }
            tokio::select! {
                biased;
                () = &mut stopped => return Ok(()),
                () = woken, if may_wake => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
    }
}

/// Ready once one of the two holds true, or nobody is left who could say so.
async fn stopped(mut shutdown: watch::Receiver<bool>, mut stop: watch::Receiver<bool>) {
    tokio::select! {
        () = holds(&mut shutdown) => {}
        () = holds(&mut stop) => {}
    }
}

/// Ready once this holds true, or nobody is left who could say so.
async fn holds(told: &mut watch::Receiver<bool>) {
    _ = told.wait_for(|told| *told).await;
}
