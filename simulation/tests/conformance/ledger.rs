//! The log: what an append records, which command of a batch loses, and what is read.

use std::sync::Arc;

use event_store::{
    Append, ExternalRef, LedgerError, NewEvent, Outcome, Pages, PlaceChange, Receipt, ReceiptStatus, StoredEvent,
    Verdict,
};
use schemas::sealed::KeyAdmission;
use schemas::text::ExternalId;
use schemas::{AggregateId, ClientName, CommandId, EventId, Position, Reference, ServiceName, Version};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::{Kept, of_both};

of_both!(
    an_event_is_read_as_it_was_handed_in,
    the_log_is_read_page_by_page_to_where_it_ends_by_then,
    a_repeat_is_answered_as_it_was_and_other_content_is_refused,
    what_has_no_events_is_recorded_at_the_head,
    a_reference_names_one_case,
    an_external_reference_belongs_to_one_command,
    a_loser_takes_with_it_what_was_decided_on_its_events_and_nothing_else,
    a_slot_has_so_many_places,
    what_is_no_json_is_never_recorded,
    who_listens_is_woken,
);

pub fn stream() -> AggregateId {
    AggregateId(Uuid::new_v4())
}

/// A command that is accepted with so many events.
pub fn accepted(aggregate_id: AggregateId, expected: i64, events: usize) -> Append {
    let event = |number: usize| NewEvent {
        event_id: EventId(Uuid::now_v7()),
        event_type: "RequestUpdated",
        event_version: "1",
        payload: format!("{{ \"number\":{number},  \"text\":\"\\u0000 ü\" }}"),
        metadata: "{\"client\":\"website\"}".into(),
        occurred_at: OffsetDateTime::from_unix_timestamp(1_790_000_000).unwrap() + time::Duration::nanoseconds(1_999),
    };
    Append {
        client: ClientName::new("website").unwrap(),
        command_id: CommandId(Uuid::new_v4()),
        fingerprint: [7; 32],
        aggregate_type: "case",
        aggregate_id,
        service: ServiceName::new("waste").unwrap(),
        expected: Version(expected),
        outcome: Outcome::Accepted {
            reference: None,
            events: (0..events).map(event).collect(),
        },
        external_ref: None,
        keys: KeyAdmission::default(),
        places: Vec::new(),
    }
}

fn rejected(aggregate_id: AggregateId, expected: i64) -> Append {
    let outcome = Outcome::Rejected {
        problem: "{ \"type\":\"not_closed\" }".into(),
    };
    Append {
        outcome,
        ..accepted(aggregate_id, expected, 0)
    }
}

fn opening(aggregate_id: AggregateId, number: i64) -> Append {
    let mut append = accepted(aggregate_id, 0, 1);
    if let Outcome::Accepted { reference, .. } = &mut append.outcome {
        *reference = Some(Reference::of_number("WAS", number).unwrap());
    }
    append
}

pub async fn append(kept: &Kept, batch: &[Append]) -> Vec<Verdict> {
    kept.ledger.append(batch).await.unwrap()
}

async fn one(kept: &Kept, one: Append) -> Verdict {
    append(kept, &[one]).await.remove(0)
}

fn positions(events: Vec<StoredEvent>) -> Vec<i64> {
    events.iter().map(|event| event.position.0).collect()
}

async fn all(kept: &Kept) -> Vec<StoredEvent> {
    kept.ledger.feed(Position::START, None, 1_000).await.unwrap()
}

#[track_caller]
pub fn receipt(verdict: &Verdict) -> &Receipt {
    match verdict {
        Verdict::Appended(receipt) => receipt,
        other => panic!("not appended: {other:?}"),
    }
}

async fn an_event_is_read_as_it_was_handed_in(kept: &Kept) {
    let (id, other) = (stream(), stream());
    let first = accepted(id, 0, 2);
    let highways = Append {
        service: ServiceName::new("highways").unwrap(),
        ..accepted(other, 0, 1)
    };
    let verdicts = append(kept, &[first.clone(), highways.clone()]).await;
    assert_eq!(
        (receipt(&verdicts[0]).position, receipt(&verdicts[1]).position),
        (Position(2), Position(3))
    );
    let second = one(kept, accepted(id, 2, 1)).await;
    assert_eq!(
        (receipt(&second).position, receipt(&second).version),
        (Position(4), Version(3))
    );

    let stored = kept.ledger.stream(id, Version(0)).await.unwrap();
    assert_eq!(stored.len(), 3);
    let (event, handed_in) = (&stored[1], &first.events()[1]);
    assert_eq!(
        (&event.payload, &event.metadata),
        (&handed_in.payload, &handed_in.metadata)
    );
    assert_eq!(
        (event.position, event.sequence, event.service_position),
        (Position(2), Version(2), Position(2))
    );
    assert_eq!(
        (event.event_id, event.command_id),
        (handed_in.event_id, first.command_id)
    );
    assert_eq!(event.occurred_at.nanosecond(), 1_000, "whole microseconds");
    assert_eq!(event.recorded_at, receipt(&verdicts[0]).recorded_at);

    assert_eq!(positions(kept.ledger.stream(id, Version(1)).await.unwrap()), [2, 4]);
    assert_eq!(positions(kept.ledger.feed(Position(1), None, 2).await.unwrap()), [2, 3]);
    let of = [highways.service];
    assert_eq!(
        positions(kept.ledger.feed(Position(1), Some(&of), 9).await.unwrap()),
        [3]
    );
    assert!(kept.ledger.feed(Position(4), None, 9).await.unwrap().is_empty());
    let both = kept.ledger.streams(&[id, other]).await.unwrap();
    assert!(both.len() == 4 && both.is_sorted_by_key(|event| (event.aggregate_id, event.sequence)));
    let head = kept.ledger.head().await.unwrap();
    assert_eq!(
        (head.position, head.recorded_at),
        (Position(4), Some(receipt(&second).recorded_at))
    );
    assert_eq!(kept.ledger.version(stream()).await.unwrap(), Version(0));
    let numbers = kept.ledger.reference_numbers(3).await.unwrap();
    assert!(numbers.len() == 3 && numbers.is_sorted_by(|one, next| one < next));
}

async fn the_log_is_read_page_by_page_to_where_it_ends_by_then(kept: &Kept) {
    let id = stream();
    one(kept, accepted(id, 0, 6)).await;
    let mut pages = Pages::new(Arc::clone(&kept.ledger), 3);
    assert_eq!(positions(pages.after(Position::START).await.unwrap()), [1, 2, 3]);
    assert_eq!(positions(pages.after(Position(3)).await.unwrap()), [4, 5, 6]);
    // The model's page ahead is read in these turns, and found empty; that of PostgreSQL may be, which is as good.
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    one(kept, accepted(id, 6, 1)).await;
    assert_eq!(positions(pages.after(Position(6)).await.unwrap()), [7]);
    assert!(pages.after(Position(7)).await.unwrap().is_empty());
    // Whoever goes on from elsewhere than the page before ended gets what is there.
    assert_eq!(positions(pages.after(Position::START).await.unwrap()), [1, 2, 3]);
    assert_eq!(positions(pages.after(Position(1)).await.unwrap()), [2, 3, 4]);
}

async fn a_repeat_is_answered_as_it_was_and_other_content_is_refused(kept: &Kept) {
    let id = stream();
    let first = accepted(id, 0, 2);
    let recorded = one(kept, first.clone()).await;
    append(kept, &[accepted(id, 2, 1)]).await;
    // Whatever version it expects by then.
    for expected in [0, 3, 9] {
        let again = Append {
            expected: Version(expected),
            ..first.clone()
        };
        assert_eq!(one(kept, again).await, Verdict::Repeated(receipt(&recorded).clone()));
    }
    let other = Append {
        fingerprint: [8; 32],
        ..first.clone()
    };
    assert_eq!(one(kept, other).await, Verdict::Reused);
    // Another client's id is another command.
    let foreign = Append {
        client: ClientName::new("contact-centre").unwrap(),
        ..accepted(stream(), 0, 1)
    };
    let foreign = Append {
        command_id: first.command_id,
        ..foreign
    };
    receipt(&one(kept, foreign).await);
    // The same twice in one batch acts once.
    let twice = accepted(stream(), 0, 1);
    let verdicts = append(kept, &[twice.clone(), twice]).await;
    assert_eq!(verdicts[1], Verdict::Repeated(receipt(&verdicts[0]).clone()));
    let kept_receipt = kept.ledger.receipt(&first.client, first.command_id).await.unwrap();
    assert_eq!(kept_receipt.as_ref(), Some(receipt(&recorded)));
    assert_eq!(
        kept.ledger
            .receipt(&first.client, CommandId(Uuid::new_v4()))
            .await
            .unwrap(),
        None
    );
}

async fn what_has_no_events_is_recorded_at_the_head(kept: &Kept) {
    let id = stream();
    append(kept, &[accepted(id, 0, 2)]).await;
    let refused = rejected(id, 2);
    let verdicts = append(kept, &[accepted(stream(), 0, 1), refused.clone(), accepted(id, 2, 0)]).await;
    for (verdict, version) in verdicts.iter().zip([1, 2, 2]) {
        assert_eq!(
            (receipt(verdict).position, receipt(verdict).version),
            (Position(3), Version(version))
        );
    }
    let ReceiptStatus::Rejected { problem } = &receipt(&verdicts[1]).status else {
        panic!("not rejected: {verdicts:?}");
    };
    assert_eq!(problem, "{ \"type\":\"not_closed\" }", "to the byte");
    assert_eq!(
        one(kept, refused).await,
        Verdict::Repeated(receipt(&verdicts[1]).clone())
    );
    for stale in [rejected(id, 1), accepted(id, 1, 0), rejected(id, 3), accepted(id, 3, 0)] {
        assert_eq!(one(kept, stale).await, Verdict::Conflict);
    }
}

async fn a_reference_names_one_case(kept: &Kept) {
    let (id, number) = (stream(), 41);
    let reference = Reference::of_number("WAS", number).unwrap();
    assert_eq!(kept.ledger.case_of(&reference).await.unwrap(), None);
    append(kept, &[opening(id, number)]).await;
    assert_eq!(kept.ledger.case_of(&reference).await.unwrap(), Some(id));
    let error = kept
        .ledger
        .append(&[accepted(stream(), 0, 1), opening(stream(), number)])
        .await;
    assert!(matches!(error, Err(LedgerError::Unrecordable(_))), "{error:?}");
    assert_eq!(all(kept).await.len(), 1);
}

async fn an_external_reference_belongs_to_one_command(kept: &Kept) {
    let external = |id: &str| {
        Some(ExternalRef {
            system: ExternalId::new("crm").unwrap(),
            id: ExternalId::new(id).unwrap(),
        })
    };
    let id = stream();
    let bringing = |external_ref, append| Append { external_ref, ..append };
    append(kept, &[bringing(external("1"), accepted(id, 0, 1))]).await;
    let taken = Verdict::ExternalRefTaken { aggregate_id: id };
    let batch = [
        accepted(stream(), 0, 1),
        bringing(external("1"), accepted(stream(), 0, 1)),
        bringing(external("2"), rejected(stream(), 0)),
        bringing(external("2"), accepted(stream(), 0, 1)),
    ];
    let verdicts = append(kept, &batch).await;
    assert_eq!(verdicts[1], taken);
    receipt(&verdicts[0]);
    receipt(&verdicts[2]);
    receipt(&verdicts[3]);
    assert_eq!(kept.ledger.stream_of(&external("1").unwrap()).await.unwrap(), Some(id));
    assert_eq!(kept.ledger.stream_of(&external("3").unwrap()).await.unwrap(), None);
}

async fn a_loser_takes_with_it_what_was_decided_on_its_events_and_nothing_else(kept: &Kept) {
    let (one, two) = (stream(), stream());
    append(kept, &[accepted(one, 0, 1)]).await;
    let batch = [
        accepted(one, 0, 1),
        accepted(two, 0, 1),
        accepted(one, 1, 2),
        accepted(two, 1, 1),
        accepted(two, 5, 1),
    ];
    let verdicts = append(kept, &batch).await;
    assert_eq!(verdicts[0], Verdict::Conflict);
    // It expects the version that is there; but it was decided on the events of the one that lost.
    assert_eq!(verdicts[2], Verdict::Conflict);
    receipt(&verdicts[1]);
    receipt(&verdicts[3]);
    assert_eq!(verdicts[4], Verdict::Conflict);
    let chain = [
        accepted(one, 1, 2),
        accepted(one, 3, 1),
        rejected(one, 4),
        accepted(one, 4, 1),
    ];
    append(kept, &chain)
        .await
        .iter()
        .for_each(|verdict| _ = receipt(verdict));
    let positions: Vec<_> = all(kept).await.iter().map(|event| event.position.0).collect();
    assert_eq!(positions, (1..=7).collect::<Vec<_>>());
}

async fn a_slot_has_so_many_places(kept: &Kept) {
    let slot = |name: &str| format!("visits/2026-11-03/{name}");
    let take = |name: &str| PlaceChange::Take {
        slot: slot(name),
        most: 2,
    };
    let give_back = |name: &str| PlaceChange::GiveBack { slot: slot(name) };
    let with = |places: Vec<PlaceChange>, append| Append { places, ..append };
    let cases = [stream(), stream(), stream()];
    let taking: Vec<_> = cases
        .iter()
        .map(|case| with(vec![take("09:00")], accepted(*case, 0, 1)))
        .collect();
    let verdicts = append(kept, &taking).await;
    assert_eq!(verdicts[2], Verdict::SlotFull);
    // Who has a place takes no second one, and a move that fails gives nothing back.
    let refused = [
        with(vec![take("09:00")], accepted(cases[0], 1, 1)),
        with(vec![take("10:00"), take("10:00")], accepted(cases[1], 1, 1)),
    ];
    assert_eq!(append(kept, &refused).await, [Verdict::SlotFull, Verdict::SlotFull]);
    let moves = [
        with(vec![take("10:00"), give_back("09:00")], accepted(cases[0], 1, 1)),
        with(vec![take("09:00")], accepted(cases[2], 0, 1)),
        with(vec![give_back("08:00")], accepted(cases[1], 1, 1)),
    ];
    append(kept, &moves)
        .await
        .iter()
        .for_each(|verdict| _ = receipt(verdict));
    let taken = kept.ledger.slots_taken(&slot("09:00"), &slot("11:00")).await.unwrap();
    let expected = [(slot("09:00"), 2), (slot("10:00"), 1)];
    assert_eq!(taken.into_iter().collect::<Vec<_>>(), expected);
    assert!(
        kept.ledger
            .slots_taken(&slot("11:00"), &slot("12:00"))
            .await
            .unwrap()
            .is_empty()
    );
}

async fn what_is_no_json_is_never_recorded(kept: &Kept) {
    let mut broken = accepted(stream(), 0, 1);
    if let Outcome::Accepted { events, .. } = &mut broken.outcome {
        events[0].payload = "{\"half\": ".into();
    }
    let result = kept.ledger.append(&[accepted(stream(), 0, 1), broken]).await;
    assert!(matches!(result, Err(LedgerError::Unrecordable(_))), "{result:?}");
    assert!(all(kept).await.is_empty());
    assert_eq!(kept.ledger.append(&[]).await, Ok(Vec::new()));
}

async fn who_listens_is_woken(kept: &Kept) {
    let long = std::time::Duration::from_secs(20);
    let mut news = kept.ledger.news().await.unwrap();
    append(kept, &[accepted(stream(), 0, 1)]).await;
    let began = tokio::time::Instant::now();
    news.changed(long).await.unwrap();
    assert!(began.elapsed() < long);
    // Nothing more: only the time ends the wait.
    let short = std::time::Duration::from_millis(20);
    let began = tokio::time::Instant::now();
    news.changed(short).await.unwrap();
    assert!(began.elapsed() >= short);
}
