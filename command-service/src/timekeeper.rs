//! The timekeeper: time enters as commands.
//!
//! It follows the log for what events say of clocks and of the terms of entitlements, keeps a timetable of it, and when a day has come near or is over sends a
//! command to the case. The command's id is made from the case, the clock, the day and what is said, so that it acts once however
//! often it is sent, by whichever copy, however long none ran; the aggregate decides whether it still matters. When the bank
//! holidays or the rules were brought up to date, it has every case with running clocks work them out anew.

mod plan;

use std::sync::Arc;
use std::time::Duration;

use bus::clients::Client;
use event_store::{DueItem, LeaseGrant, LedgerError, Timetable, TimetableHead};
use schemas::command::{ActorKind, Channel, Command};
use schemas::envelope::CommandEnvelope;
use schemas::result::CommandStatus;
use schemas::{AggregateId, ClientName, CommandId, Position};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::handler::Handler;
use crate::intake::Admitted;
use crate::task::Mode;

/// The lease of whoever keeps the time.
pub const LEASE: &str = "timekeeper";

/// How often it looks.
pub const TICK: Duration = Duration::from_millis(500);

/// The most positions of the log that it takes in at once.
const MOST_POSITIONS: i64 = 10_000;

/// The most that it says before it looks at the log again.
const MOST_DUE: i64 = 256;

/// After how long it says again what a case would not take.
const AGAIN_AFTER: Duration = Duration::from_secs(60);

/// Why the time can't be kept for the moment.
#[derive(Debug, thiserror::Error)]
pub enum TimekeeperError {
    /// The log, or the timetable.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// An event that this release can't read.
    #[error("position {position}: {source}")]
    Event {
        /// Where it stands.
        position: Position,
        /// Why.
        source: schemas::event::EventError,
    },
    /// A command of its own that its service would not take.
    #[error("the timekeeper's {0} was refused: {1}")]
    Refused(&'static str, String),
    /// The service could not record a command.
    #[error("a command of the timekeeper's was not recorded")]
    NotRecorded,
}

/// Keeps the time, through the handler of the process that it runs in.
pub struct Timekeeper {
    handler: Arc<Handler>,
    timetable: Timetable,
    client: Arc<Client>,
}

impl Timekeeper {
    pub(crate) fn new(handler: Arc<Handler>, timetable: Timetable) -> Self {
        Self {
            handler,
            timetable,
            client: Arc::new(Client::of_the_council(ClientName::timekeeper())),
        }
    }

    /// Keeps the time while the lease is held. What fails is tried again, and told once.
    pub(crate) async fn keep(&self, _: LeaseGrant, ended: CancellationToken) {
        let mut failing = false;
        while !ended.is_cancelled() {
            let looked = self.look(&ended).await;
            match &looked {
                Err(error) if !failing => tracing::warn!(%error, "the time is not kept for the moment"),
                Ok(_) if failing => tracing::info!("the time is kept again"),
                _ => {}
            }
            failing = looked.is_err();
            if looked.unwrap_or(false) {
                continue;
            }
            tokio::select! {
                () = ended.cancelled() => {}
                () = tokio::time::sleep(TICK) => {}
            }
        }
    }

    /// Takes in what the log says, has clocks worked out anew where that is due, and says what has come. Whether there is more.
    async fn look(&self, ended: &CancellationToken) -> Result<bool, TimekeeperError> {
        let head = self.timetable.head().await?;
        let up_to = Position(head.log_position.0.min(head.position.0 + MOST_POSITIONS));
        if up_to > head.position {
            let events = self
                .timetable
                .events(head.position, up_to, &plan::moving_events())
                .await?;
            let change = plan::change(&events)?;
            self.timetable.take_in(head.position, up_to, &change).await?;
        }
        if up_to < head.log_position {
            return Ok(true);
        }
        if let Err(error) = self.recompute(&head, ended).await {
            tracing::warn!(%error, "running clocks are not worked out anew yet");
        }
        let now = self.handler.environment().now().get();
        let due = self.timetable.due(now, MOST_DUE).await?;
        let more = i64::try_from(due.len()).is_ok_and(|count| count == MOST_DUE);
        for item in due {
            if ended.is_cancelled() {
                return Ok(false);
            }
            match self.say(&item).await {
                // Said at a later look: the others are not kept waiting for it.
                Err(error @ (TimekeeperError::Refused(..) | TimekeeperError::NotRecorded)) => {
                    tracing::error!(case = %item.stream, clock = item.clock, %error, "a clock is looked at again later");
                    self.timetable.said(&item, Some(now + AGAIN_AFTER)).await?;
                }
                said => said?,
            }
        }
        Ok(more)
    }

    async fn say(&self, item: &DueItem) -> Result<(), TimekeeperError> {
        // With the event that says so: a clock that comes to the same day again is said again.
        let name = format!(
            "{}/{}/{}/{}/{}",
            item.stream, item.clock, item.mark, item.due, item.listed_at
        );
        let (command, data) = match item.clock.as_str() {
            plan::TERM => ("RecordTerm", json!({ "ends_on": item.due, "mark": item.mark })),
            plan::HOLD => ("ReleaseAppointment", json!({ "pay_by": item.due })),
            clock => (
                "RecordClock",
                json!({ "clock": clock, "due": item.due, "mark": item.mark }),
            ),
        };
        self.send(command, item.stream, &name, data).await?;
        Ok(self.timetable.said(item, None).await?)
    }

    /// The first time, nothing was worked out with anything else.
    async fn recompute(&self, head: &TimetableHead, ended: &CancellationToken) -> Result<(), TimekeeperError> {
        let version = self.handler.registers().clocks.version();
        if head.calendar_version == version {
            return Ok(());
        }
        if !head.calendar_version.is_empty() {
            tracing::info!(
                version,
                "bank holidays or rules were brought up to date: running clocks are worked out anew"
            );
            let mut after = AggregateId(Uuid::nil());
            loop {
                let streams = self.timetable.streams(after, MOST_DUE).await?;
                let Some(last) = streams.last() else { break };
                after = *last;
                for stream in streams {
                    if ended.is_cancelled() {
                        return Ok(());
                    }
                    let name = format!("{stream}/recompute/{}/{version}", head.recomputed);
                    match self.send("RecomputeClocks", stream, &name, json!({})).await {
                        Err(error @ TimekeeperError::Refused(..)) => {
                            tracing::error!(case = %stream, %error, "its clocks are not worked out anew");
                        }
                        sent => sent?,
                    }
                }
            }
        }
        Ok(self.timetable.recomputed(&version).await?)
    }

    /// Sends a command of its own and waits until it is recorded.
    async fn send(
        &self,
        name: &'static str,
        stream: AggregateId,
        id: &str,
        mut data: Value,
    ) -> Result<(), TimekeeperError> {
        data["actor"] = json!({ "kind": ActorKind::System, "id": self.client.name });
        data["channel"] = json!(Channel::System);
        let data = data.to_string();
        let refused = |why: String| TimekeeperError::Refused(name, why);
        let command = Command::read(name, &data).map_err(|problem| refused(problem.detail))?;
        let envelope = CommandEnvelope {
            id: CommandId(Uuid::new_v5(
                &Uuid::new_v5(&Uuid::NAMESPACE_URL, b"caseledger.timekeeper"),
                id.as_bytes(),
            )),
            command_type: format!("caseledger.{name}.v1"),
            name: name.to_owned(),
            source: format!("/clients/{}", self.client.name),
            subject: Some(stream),
            time: None,
            correlation_id: None,
            causation_id: None,
            traceparent: None,
            data,
        };
        let admitted = Admitted {
            client: Arc::clone(&self.client),
            envelope,
            command,
            lane: stream,
        };
        let result = self.handler.submit(admitted, Mode::Call).await;
        match result.map(|result| result.status) {
            Ok(CommandStatus::Accepted(_)) => Ok(()),
            // The aggregate's clock is behind this one's by an instant: it is said at the next look.
            Ok(CommandStatus::Rejected { problem }) => Err(refused(problem.detail)),
            Ok(CommandStatus::Unavailable) | Err(_) => Err(TimekeeperError::NotRecorded),
        }
    }
}
