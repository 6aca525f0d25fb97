//! What an append records, and which command of a batch loses.

use event_store::{Append, Ledger, Outcome, ReceiptStatus, Verdict};
use schemas::{AggregateId, CommandId, EventId, Position, Reference, Version};
use uuid::Uuid;

use super::{accepted, an_instant, assert_whole, events, external, log, receipt, rejected, service, stream};

#[tokio::test]
async fn positions_are_contiguous_over_batches_streams_and_services() {
    let log = log().await;
    let (one, two) = (stream(), stream());
    let highways = Append {
        service: service("highways"),
        ..accepted(two, 0, 2)
    };
    let first = log.append(vec![accepted(one, 0, 2), highways]).await;
    let second = log.append(vec![accepted(one, 2, 1)]).await;
    assert_eq!(receipt(&first[0]).position, Position(2));
    assert_eq!(receipt(&first[1]).position, Position(4));
    assert_eq!(
        (receipt(&second[0]).position, receipt(&second[0]).version),
        (Position(5), Version(3))
    );
    let all = log.all().await;
    assert_eq!(all.len(), 5);
    assert_whole(&all);
    assert_eq!(log.ledger.head().await.unwrap().position, Position(5));
    assert_eq!(
        log.ledger.head().await.unwrap().recorded_at,
        all.last().map(|event| event.recorded_at)
    );
}

#[tokio::test]
async fn an_event_is_read_as_it_was_handed_in_to_the_byte() {
    let log = log().await;
    let id = stream();
    let mut append = accepted(id, 0, 1);
    let payload = "{ \"b\":1,  \"a\":\"\\u0000 \u{1F5D1}\", \"b\":2.50 }";
    let metadata = "{\"z\":\"1\", \"a\":\"2\"}";
    if let Outcome::Accepted { events, reference } = &mut append.outcome {
        events[0].payload = payload.into();
        events[0].metadata = metadata.into();
        *reference = Some(Reference::of_number("WAS", 1).unwrap());
    }
    let verdict = log.append_one(append.clone()).await;
    let stored = log.ledger.stream(id, Version(0)).await.unwrap().remove(0);
    assert_eq!((stored.payload.as_str(), stored.metadata.as_str()), (payload, metadata));
    assert_eq!(
        (&stored.client, stored.command_id, stored.event_id),
        (&append.client, append.command_id, append.events()[0].event_id)
    );
    assert_eq!((stored.aggregate_type.as_str(), stored.aggregate_id), ("case", id));
    assert_eq!(
        (stored.event_type.as_str(), stored.event_version.as_str()),
        ("RequestUpdated", "1")
    );
    assert_eq!(
        (stored.occurred_at, stored.recorded_at),
        (an_instant(), receipt(&verdict).recorded_at)
    );
    let kept = log.ledger.receipt(&append.client, append.command_id).await.unwrap();
    assert_eq!(
        kept.as_ref(),
        Some(receipt(&verdict)),
        "the receipt given is the one kept"
    );
    assert_eq!(
        log.ledger
            .receipt(&append.client, CommandId(Uuid::new_v4()))
            .await
            .unwrap(),
        None
    );
}

#[tokio::test]
async fn reads_begin_where_they_are_told() {
    let log = log().await;
    let (one, two) = (stream(), stream());
    let highways = Append {
        service: service("highways"),
        ..accepted(two, 0, 1)
    };
    log.append(vec![accepted(one, 0, 3), highways, accepted(one, 3, 1)])
        .await;
    let positions =
        |events: Vec<event_store::StoredEvent>| events.iter().map(|event| event.position.0).collect::<Vec<_>>();
    assert_eq!(positions(log.ledger.stream(one, Version(2)).await.unwrap()), [3, 5]);
    assert_eq!(positions(log.ledger.feed(Position(1), None, 2).await.unwrap()), [2, 3]);
    assert_eq!(
        positions(
            log.ledger
                .feed(Position(1), Some(&[service("highways")]), 9)
                .await
                .unwrap()
        ),
        [4]
    );
    let both = log.ledger.streams(&[one, two]).await.unwrap();
    assert_eq!(both.len(), 5);
    assert!(both.is_sorted_by_key(|event| (event.aggregate_id, event.sequence)));
    assert_eq!(log.ledger.version(one).await.unwrap(), Version(4));
    assert_eq!(log.ledger.version(stream()).await.unwrap(), Version(0));
    let numbers = log.ledger.reference_numbers(3).await.unwrap();
    assert_eq!(
        (numbers.len(), numbers[0] < numbers[1] && numbers[1] < numbers[2]),
        (3, true)
    );
}

#[tokio::test]
async fn time_never_runs_back_along_the_log() {
    let log = log().await;
    log.append_one(accepted(stream(), 0, 1)).await;
    // As if another server, whose clock was ahead by an hour, had been the database until now.
    let ahead = "UPDATE ledger.head SET recorded_at = recorded_at + interval '1 hour' RETURNING recorded_at";
    let ahead: time::OffsetDateTime = sqlx::query_scalar(ahead)
        .fetch_one(&log.database.superuser().await)
        .await
        .unwrap();
    let verdict = log.append_one(accepted(stream(), 0, 2)).await;
    assert_eq!(receipt(&verdict).recorded_at, ahead);
    assert_eq!(log.ledger.head().await.unwrap().recorded_at, Some(ahead));
    assert_whole(&log.all().await);
}

#[tokio::test]
async fn a_repeat_is_answered_as_the_first_was_and_changes_nothing() {
    let log = log().await;
    let id = stream();
    let first = accepted(id, 0, 2);
    let recorded = log.append_one(first.clone()).await;
    log.append_one(accepted(id, 2, 1)).await;
    // Decided anew on a stale state: other event ids, the old version.
    let again = Append {
        outcome: Outcome::Accepted {
            reference: None,
            events: events(2),
        },
        ..first.clone()
    };
    let neighbour = accepted(stream(), 0, 1);
    let verdicts = log.append(vec![again, neighbour]).await;
    assert_eq!(verdicts[0], Verdict::Repeated(receipt(&recorded).clone()));
    assert_eq!(receipt(&verdicts[1]).position, Position(4));
    assert_whole(&log.all().await);
}

#[tokio::test]
async fn the_same_command_twice_in_one_batch_acts_once() {
    let log = log().await;
    let append = accepted(stream(), 0, 1);
    let verdicts = log.append(vec![append.clone(), append]).await;
    assert_eq!(verdicts[1], Verdict::Repeated(receipt(&verdicts[0]).clone()));
    assert_eq!(log.all().await.len(), 1);
}

#[tokio::test]
async fn the_same_id_with_other_content_is_reused() {
    let log = log().await;
    let first = accepted(stream(), 0, 1);
    let recorded = log.append_one(first.clone()).await;
    let other = Append {
        fingerprint: [8; 32],
        ..first.clone()
    };
    assert_eq!(log.append_one(other).await, Verdict::Reused);
    let kept = log
        .ledger
        .receipt(&first.client, first.command_id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(&kept, receipt(&recorded));
    // The id is the client's own: another client's is another command.
    let elsewhere = Append {
        client: "app".parse().unwrap(),
        ..accepted(stream(), 0, 1)
    };
    receipt(
        &log.append_one(Append {
            command_id: first.command_id,
            ..elsewhere
        })
        .await,
    );
}

#[tokio::test]
async fn a_rejection_is_recorded_and_repeated_to_the_byte() {
    let log = log().await;
    let id = stream();
    log.append_one(accepted(id, 0, 3)).await;
    let append = Append {
        external_ref: external("mya", "1"),
        ..rejected(id, 3)
    };
    let verdict = log.append_one(append.clone()).await;
    let first = receipt(&verdict);
    assert_eq!(
        first.status,
        ReceiptStatus::Rejected {
            problem: "{ \"type\":\"not_closed\" }".into()
        }
    );
    assert_eq!(
        (first.version, first.position, first.event_ids.len()),
        (Version(3), Position(3), 0)
    );
    assert_eq!(log.append_one(append).await, Verdict::Repeated(first.clone()));
    // It took nothing: the external reference is free.
    receipt(
        &log.append_one(Append {
            external_ref: external("mya", "1"),
            ..accepted(stream(), 0, 1)
        })
        .await,
    );
}

#[tokio::test]
async fn what_has_no_events_is_recorded_at_the_head_and_must_expect_the_version() {
    let log = log().await;
    let (id, other) = (stream(), stream());
    log.append(vec![accepted(id, 0, 2), accepted(other, 0, 1)]).await;
    let no_change = log.append_one(accepted(id, 2, 0)).await;
    assert_eq!(
        (receipt(&no_change).version, receipt(&no_change).position),
        (Version(2), Position(3))
    );
    assert!(receipt(&no_change).event_ids.is_empty());
    // Decided on a state that was overtaken, or on one that never was.
    for stale in [
        accepted(id, 1, 0),
        rejected(id, 1),
        accepted(id, 3, 0),
        rejected(id, 3),
        rejected(stream(), 1),
    ] {
        let verdicts = log.append(vec![stale, accepted(stream(), 0, 1)]).await;
        assert_eq!(verdicts[0], Verdict::Conflict);
        receipt(&verdicts[1]);
    }
    // Right behind the events that it rests on, in one batch.
    let chain = log
        .append(vec![accepted(id, 2, 1), rejected(id, 3), accepted(id, 3, 1)])
        .await;
    assert_eq!(receipt(&chain[1]).position, receipt(&chain[0]).position);
    assert_eq!(receipt(&chain[2]).version, Version(4));
}

fn of_reference(aggregate_id: AggregateId, expected: i64, count: usize, number: i64) -> Append {
    let reference = Some(Reference::of_number("WAS", number).unwrap());
    let outcome = Outcome::Accepted {
        reference,
        events: events(count),
    };
    Append {
        outcome,
        ..accepted(aggregate_id, expected, 0)
    }
}

#[tokio::test]
async fn a_reference_finds_its_case_from_the_commit_on() {
    let log = log().await;
    let (one, two) = (stream(), stream());
    let [first, second, nobodys] = [1, 2, 3].map(|number| Reference::of_number("WAS", number).unwrap());
    assert_eq!(log.ledger.case_of(&first).await.unwrap(), None);
    // Each command of a case is answered with the reference; what has no events too.
    let batch = vec![
        of_reference(one, 0, 2, 1),
        of_reference(two, 0, 1, 2),
        of_reference(one, 2, 1, 1),
        of_reference(one, 3, 0, 1),
        of_reference(two, 1, 2, 2),
    ];
    for verdict in log.append(batch).await {
        receipt(&verdict);
    }
    assert_eq!(log.ledger.case_of(&first).await.unwrap(), Some(one));
    assert_eq!(log.ledger.case_of(&second).await.unwrap(), Some(two));
    assert_eq!(log.ledger.case_of(&nobodys).await.unwrap(), None);
}

#[tokio::test]
async fn a_reference_names_one_case() {
    let log = log().await;
    let first = stream();
    receipt(&log.append_one(of_reference(first, 0, 1, 1)).await);
    let error = log.ledger.append(&[of_reference(stream(), 0, 1, 1)]).await.unwrap_err();
    assert!(error.to_string().contains("commands_case_reference_key"), "{error}");
    let reference = Reference::of_number("WAS", 1).unwrap();
    assert_eq!(log.ledger.case_of(&reference).await.unwrap(), Some(first));
    assert_eq!(log.all().await.len(), 1);
}

#[tokio::test]
async fn an_external_reference_belongs_to_one_command_of_a_system() {
    let log = log().await;
    let (first, other) = (stream(), stream());
    receipt(
        &log.append_one(Append {
            external_ref: external("mya", "101"),
            ..accepted(first, 0, 1)
        })
        .await,
    );
    let verdicts = log
        .append(vec![
            accepted(stream(), 0, 1),
            Append {
                external_ref: external("mya", "101"),
                ..accepted(other, 0, 1)
            },
            Append {
                external_ref: external("civica", "101"),
                ..accepted(stream(), 0, 1)
            },
            Append {
                external_ref: external("mya", "102"),
                ..accepted(stream(), 0, 1)
            },
            Append {
                external_ref: external("mya", "102"),
                ..accepted(stream(), 0, 1)
            },
        ])
        .await;
    assert_eq!(verdicts[1], Verdict::ExternalRefTaken { aggregate_id: first });
    assert_eq!(
        verdicts[4],
        Verdict::ExternalRefTaken {
            aggregate_id: receipt(&verdicts[3]).aggregate_id
        }
    );
    for won in [0, 2, 3] {
        receipt(&verdicts[won]);
    }
    assert_whole(&log.all().await);
}

#[tokio::test]
async fn a_chain_on_one_stream_is_recorded_by_one_batch() {
    let log = log().await;
    let (id, other) = (stream(), stream());
    let verdicts = log
        .append(vec![
            accepted(id, 0, 1),
            accepted(other, 0, 2),
            accepted(id, 1, 2),
            accepted(id, 3, 1),
        ])
        .await;
    let versions: Vec<i64> = verdicts.iter().map(|verdict| receipt(verdict).version.0).collect();
    assert_eq!(versions, [1, 2, 3, 4]);
    let stored = log.ledger.stream(id, Version(0)).await.unwrap();
    let ids: Vec<EventId> = [0, 2, 3]
        .iter()
        .flat_map(|n| receipt(&verdicts[*n]).event_ids.clone())
        .collect();
    assert_eq!(stored.iter().map(|event| event.event_id).collect::<Vec<_>>(), ids);
    assert_whole(&log.all().await);
}

#[tokio::test]
async fn a_conflict_inside_a_batch_touches_no_neighbour() {
    let log = log().await;
    let (id, other) = (stream(), stream());
    log.append_one(accepted(id, 0, 2)).await;
    let verdicts = log
        .append(vec![
            accepted(other, 0, 1),
            accepted(id, 2, 1),
            accepted(id, 1, 1), // stale
            accepted(id, 2, 1), // beaten by the first of its stream; or built on the one before it: nobody can tell
            accepted(other, 1, 1),
            accepted(id, 9, 1), // built on what never was
            accepted(stream(), 0, 1),
        ])
        .await;
    let lost: Vec<bool> = verdicts.iter().map(|verdict| *verdict == Verdict::Conflict).collect();
    assert_eq!(lost, [false, false, true, true, false, true, false]);
    assert_whole(&log.all().await);
}

#[tokio::test]
async fn what_was_decided_on_a_losers_events_loses_too() {
    let log = log().await;
    let id = stream();
    log.append_one(accepted(id, 0, 3)).await;
    let recorded = accepted(id, 3, 1);
    log.append_one(recorded.clone()).await;
    // The lane does not know of version 4. Its first command is refused for another reason than the version; its second was
    // decided on version 4 as the first would have made it, and the version 4 that is there is another.
    let first = Append {
        fingerprint: [9; 32],
        ..recorded
    };
    let verdicts = log.append(vec![first, accepted(id, 4, 1)]).await;
    assert_eq!(verdicts, [Verdict::Reused, Verdict::Conflict]);
    assert_eq!(log.ledger.version(id).await.unwrap(), Version(4));
}

#[tokio::test]
async fn an_id_names_one_stream_whatever_its_type() {
    let log = log().await;
    let id = stream();
    log.append_one(accepted(id, 0, 1)).await;
    let customer = Append {
        aggregate_type: "customer",
        ..accepted(id, 0, 1)
    };
    assert_eq!(log.append_one(customer).await, Verdict::Conflict);
}

#[tokio::test]
async fn what_can_not_be_recorded_is_an_error_and_records_nothing() {
    let log = log().await;
    let mut broken = accepted(stream(), 0, 1);
    if let Outcome::Accepted { events, .. } = &mut broken.outcome {
        events[0].payload = "{\"name\": \"Ada Lovelace".into();
    }
    let error = log
        .ledger
        .append(&[accepted(stream(), 0, 1), broken])
        .await
        .unwrap_err();
    assert!(matches!(error, event_store::LedgerError::Unrecordable(_)));
    assert!(!format!("{error} {error:?}").contains("Lovelace"), "{error:?}");
    assert_eq!(log.all().await.len(), 0);
    receipt(&log.append_one(accepted(stream(), 0, 1)).await);
}
