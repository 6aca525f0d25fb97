use std::collections::BTreeMap;
use std::sync::Mutex;

use async_trait::async_trait;
use schemas::sealed::KeyAdmission;
use schemas::{AggregateId, ClientName, CommandId, EventId, Position, Reference, ServiceName, Version};
use time::OffsetDateTime;
use tokio::sync::Semaphore;
use uuid::Uuid;

use super::*;
use crate::ledger::{ExternalRef, Head, HeadNews, NewEvent, Receipt, StoredEvent};

/// A command with one event, whose payload has this many bytes.
fn command(payload_bytes: usize) -> Append {
    let event = NewEvent {
        event_id: EventId(Uuid::nil()),
        event_type: "RequestUpdated",
        event_version: "1",
        payload: "x".repeat(payload_bytes),
        metadata: String::new(),
        occurred_at: OffsetDateTime::UNIX_EPOCH,
    };
    Append {
        client: ClientName::new("website").unwrap(),
        command_id: CommandId(Uuid::nil()),
        fingerprint: [0; 32],
        aggregate_type: "case",
        aggregate_id: AggregateId(Uuid::nil()),
        service: ServiceName::new("waste").unwrap(),
        expected: Version(0),
        outcome: Outcome::Accepted {
            reference: None,
            events: vec![event],
        },
        external_ref: None,
        keys: KeyAdmission::default(),
        places: Vec::new(),
    }
}

type Answer = oneshot::Receiver<Result<Vec<Verdict>, LedgerError>>;

fn caller() -> (Caller, Answer) {
    let (answer, verdicts) = oneshot::channel();
    let caller = Caller {
        answer,
        _waiting: Waiting::begin(),
    };
    (caller, verdicts)
}

fn call_of(commands: usize, payload_bytes: usize) -> Call {
    Call {
        commands: vec![command(payload_bytes); commands],
        caller: caller().0,
    }
}

#[test]
fn a_batch_is_full_at_its_number_of_commands_and_a_call_is_never_split() {
    let mut batch = Batch::default();
    assert!(batch.take_in(call_of(MOST_COMMANDS_PER_BATCH - 1, 0)).is_none());
    let back = batch.take_in(call_of(2, 0));
    assert_eq!(back.map(|call| call.commands.len()), Some(2), "it comes back whole");
    assert!(batch.take_in(call_of(1, 0)).is_none());
    assert!(batch.take_in(call_of(1, 0)).is_some());
    assert_eq!(batch.calls.len(), 2);
}

#[test]
fn a_batch_is_full_at_its_bytes() {
    let mut batch = Batch::default();
    assert!(batch.take_in(call_of(1, MOST_BYTES_PER_BATCH - 10)).is_none());
    assert!(batch.take_in(call_of(1, 11)).is_some());
    assert!(batch.take_in(call_of(1, 10)).is_none());
}

#[test]
fn bytes_are_those_of_payloads_metadata_and_problems() {
    let mut with_metadata = command(5);
    if let Outcome::Accepted { events, .. } = &mut with_metadata.outcome {
        events[0].metadata = "12".into();
    }
    let outcome = Outcome::Rejected { problem: "123".into() };
    let rejected = Append { outcome, ..command(0) };
    assert_eq!(bytes_of(&[with_metadata, rejected]), 10);
}

#[test]
fn each_caller_gets_the_verdicts_on_its_own_commands() {
    let ((one, mut of_one), (two, mut of_two)) = (caller(), caller());
    answer_each(
        vec![(1, one), (2, two)],
        vec![Verdict::Conflict, Verdict::Reused, Verdict::KeyRefused],
    );
    assert_eq!(of_one.try_recv().unwrap(), Ok(vec![Verdict::Conflict]));
    assert_eq!(
        of_two.try_recv().unwrap(),
        Ok(vec![Verdict::Reused, Verdict::KeyRefused])
    );
}

#[test]
fn who_has_gone_away_takes_nobody_s_verdict() {
    let ((gone, receiver), (waiting, mut answer)) = (caller(), caller());
    drop(receiver);
    answer_each(vec![(1, gone), (1, waiting)], vec![Verdict::Conflict, Verdict::Reused]);
    assert_eq!(answer.try_recv().unwrap(), Ok(vec![Verdict::Reused]));
}

#[test]
fn whose_verdicts_are_missing_does_not_know_what_became_of_its_commands() {
    let ((one, mut of_one), (two, mut of_two)) = (caller(), caller());
    answer_each(vec![(1, one), (2, two)], vec![Verdict::Conflict, Verdict::Conflict]);
    assert_eq!(of_one.try_recv().unwrap(), Ok(vec![Verdict::Conflict]));
    assert!(matches!(of_two.try_recv().unwrap(), Err(LedgerError::Unknown(_))));
}

/// A log that takes batches when it is let, and notes how large they were.
struct Gate {
    let_in: Semaphore,
    batches: Mutex<Vec<usize>>,
}

#[async_trait]
impl Ledger for Gate {
    async fn append(&self, batch: &[Append]) -> Result<Vec<Verdict>, LedgerError> {
        self.batches.lock().unwrap().push(batch.len());
        self.let_in.acquire().await.unwrap().forget();
        Ok(vec![Verdict::Conflict; batch.len()])
    }

    async fn stream(&self, _: AggregateId, _: Version) -> Result<Vec<StoredEvent>, LedgerError> {
        unreachable!()
    }

    async fn streams(&self, _: &[AggregateId]) -> Result<Vec<StoredEvent>, LedgerError> {
        unreachable!()
    }

    async fn version(&self, _: AggregateId) -> Result<Version, LedgerError> {
        unreachable!()
    }

    async fn feed(&self, _: Position, _: Option<&[ServiceName]>, _: usize) -> Result<Vec<StoredEvent>, LedgerError> {
        unreachable!()
    }

    async fn head(&self) -> Result<Head, LedgerError> {
        unreachable!()
    }

    async fn receipt(&self, _: &ClientName, _: CommandId) -> Result<Option<Receipt>, LedgerError> {
        unreachable!()
    }

    async fn case_of(&self, _: &Reference) -> Result<Option<AggregateId>, LedgerError> {
        unreachable!()
    }

    async fn stream_of(&self, _: &ExternalRef) -> Result<Option<AggregateId>, LedgerError> {
        unreachable!()
    }

    async fn slots_taken(&self, _: &str, _: &str) -> Result<BTreeMap<String, u32>, LedgerError> {
        unreachable!()
    }

    async fn news(&self) -> Result<Box<dyn HeadNews>, LedgerError> {
        unreachable!()
    }

    async fn reference_numbers(&self, _: usize) -> Result<Vec<i64>, LedgerError> {
        unreachable!()
    }
}

#[tokio::test]
async fn two_batches_are_on_their_way_and_what_comes_then_goes_together() {
    let gate = Arc::new(Gate {
        let_in: Semaphore::new(0),
        batches: Mutex::default(),
    });
    let appender = Appender::start(gate.clone());
    let call = |appender: &Appender| {
        let appender = appender.clone();
        tokio::spawn(async move { appender.append(vec![command(0)]).await })
    };
    let sent = async |batches: &[usize]| {
        while *gate.batches.lock().unwrap() != batches {
            tokio::task::yield_now().await;
        }
    };
    let mut calls = vec![call(&appender)];
    sent(&[1]).await;
    calls.push(call(&appender));
    sent(&[1, 1]).await;
    calls.extend([call(&appender), call(&appender)]);
    // Both have been taken in once the appender has nothing to do but wait.
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert_eq!(*gate.batches.lock().unwrap(), [1, 1], "no third beside two");
    gate.let_in.add_permits(1);
    sent(&[1, 1, 2]).await;
    gate.let_in.add_permits(2);
    for call in calls {
        assert_eq!(call.await.unwrap(), Ok(vec![Verdict::Conflict]));
    }
}

#[test]
fn what_lies_between_two_batches_is_somebody_else_s() {
    let (others, mut told) = mpsc::unbounded_channel();
    let gate = Gate {
        let_in: Semaphore::new(0),
        batches: Mutex::default(),
    };
    let mut committer = Committer {
        ledger: Arc::new(gate),
        queue: mpsc::channel(1).1,
        pace: Pace::default(),
        held_over: None,
        flying: VecDeque::new(),
        landed: None,
        known: None,
        others,
    };
    let mut lands = |after: i64, up_to: i64| {
        let (after, up_to) = (Position(after), Position(up_to));
        committer.note_landing(Some(Stretch { after, up_to }));
        told.try_recv().ok().map(|stretch| (stretch.after.0, stretch.up_to.0))
    };
    assert_eq!(lands(40, 43), None, "what was before the first batch is not told");
    assert_eq!(lands(43, 45), None);
    assert_eq!(lands(49, 50), Some((45, 49)));
    // The log took the later of two batches first.
    assert_eq!(lands(47, 48), None);
    assert_eq!(lands(50, 51), None);
}
