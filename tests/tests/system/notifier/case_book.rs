//! Takes the records of deliveries as the command-service does: the rules decide, and the log keeps what they say.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use catalogue::Catalogue;
use domain::{AggregateState, DecisionContext};
use event_store::{Append, Ledger as _, Outcome, PgLedger, Receipt, Verdict};
use notifier::{DeliveryRecord, DeliveryRecorder, NoAnswer};
use schemas::command::Command;
use schemas::event::EventRecord;
use schemas::moment::Instant;
use schemas::problem::{Problem, ProblemKind};
use schemas::result::{Accepted, CommandResult, CommandStatus};
use schemas::sealed::KeyAdmission;
use schemas::{ClientName, RequestTypeCode, Version};

use super::world::{Clock, new_event};

pub struct CaseBook {
    log: Arc<PgLedger>,
    catalogue: Arc<Catalogue>,
    clock: Clock,
    /// One record at a time, as the lanes of the command-service have it for each case.
    turn: tokio::sync::Mutex<()>,
    /// How many of the next answers get lost.
    pub losing: AtomicU32,
    /// How many of the next records are forbidden.
    pub forbidding: AtomicU32,
    /// How many of the next records speak of a case that is hidden from the notifier's client.
    pub hiding: AtomicU32,
    /// Each record that came, repeats among them.
    pub came: Mutex<Vec<DeliveryRecord>>,
}

impl CaseBook {
    pub fn new(log: Arc<PgLedger>, catalogue: Arc<Catalogue>, clock: Clock) -> Self {
        let (losing, forbidding, hiding) = (AtomicU32::new(0), AtomicU32::new(0), AtomicU32::new(0));
        Self {
            log,
            catalogue,
            clock,
            turn: tokio::sync::Mutex::default(),
            losing,
            forbidding,
            hiding,
            came: Mutex::default(),
        }
    }

    async fn handle(&self, record: &DeliveryRecord) -> Receipt {
        let _turn = self.turn.lock().await;
        let stored = self.log.stream(record.case_id.into(), Version(0)).await.unwrap();
        let mut state: Option<AggregateState> = None;
        for event in &stored {
            let read = EventRecord::read(
                &event.aggregate_type,
                &event.event_type,
                &event.event_version,
                &event.payload,
            );
            let read = read.unwrap();
            let state = state.get_or_insert_with(|| AggregateState::before(&read));
            state.apply(read, Instant::new(event.occurred_at));
        }
        let request_type = self
            .catalogue
            .request_type(&RequestTypeCode::new("missed-bin").unwrap());
        let context = DecisionContext {
            request_type: request_type.cloned(),
            ..DecisionContext::at(Instant::new(self.clock.now()))
        };
        let command = Command::read("RecordNotification", &record.data).unwrap();
        let events = domain::decide(state.as_ref(), &command, &context).unwrap();
        let append = Append {
            client: ClientName::new("notifier").unwrap(),
            command_id: record.command_id,
            fingerprint: [7; 32],
            aggregate_type: "case",
            aggregate_id: record.case_id.into(),
            service: "waste".parse().unwrap(),
            expected: Version(i64::try_from(stored.len()).unwrap()),
            outcome: Outcome::Accepted {
                reference: None,
                events: events
                    .iter()
                    .map(|event| new_event(event, "system", self.clock.now()))
                    .collect(),
            },
            external_ref: None,
            keys: KeyAdmission::default(),
            places: Vec::new(),
        };
        match self.log.append(&[append]).await.unwrap().remove(0) {
            Verdict::Appended(receipt) | Verdict::Repeated(receipt) => receipt,
            other => panic!("{other:?}"),
        }
    }
}

#[async_trait]
impl DeliveryRecorder for CaseBook {
    async fn record(&self, record: &DeliveryRecord) -> Result<CommandResult, NoAnswer> {
        self.came.lock().unwrap().push(record.clone());
        if one_less(&self.forbidding) {
            let problem = Problem::one(
                ProblemKind::Forbidden,
                "",
                "command_not_allowed",
                "the register does not allow it",
            );
            return Ok(CommandResult::rejected(record.command_id, problem));
        }
        if one_less(&self.hiding) {
            return Ok(CommandResult::rejected(
                record.command_id,
                domain::Rejection::UnknownCase.into(),
            ));
        }
        let receipt = self.handle(record).await;
        if one_less(&self.losing) {
            return Err(NoAnswer {
                reason: "the answer was lost".to_owned(),
            });
        }
        let accepted = Accepted {
            aggregate_id: receipt.aggregate_id,
            reference: receipt.reference,
            version: receipt.version,
            position: receipt.position,
            events: receipt.event_ids,
        };
        Ok(CommandResult {
            command_id: record.command_id,
            status: CommandStatus::Accepted(accepted),
        })
    }
}

fn one_less(left: &AtomicU32) -> bool {
    left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1))
        .is_ok()
}
