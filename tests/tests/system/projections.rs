//! The read models on a real log: what they hold, that each event counts once, and that a rebuild is the same.

mod log;
mod meanwhile;
mod rebuild;
mod rights;

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use log::{
    BEGINNING, Log, a_customer, assigned, cancelled, case_id, closed, customer_id, reference, reopened, submitted,
    updated,
};
use projections::history::{self, AsOf, History};
use projections::{ProjectionError, reporting};
use schemas::Position;
use schemas::command::Channel;
use schemas::query::{CaseQuery, CaseStatus};
use sqlx::PgPool;
use system_tests::eventually;
use time::macros::date;
use tokio::sync::{mpsc, oneshot};

const SOON: Duration = Duration::from_secs(20);

const HISTORY: [&str; 3] = ["history.cases", "history.timeline", "history.customers"];
const REPORTING: [&str; 2] = ["reporting.requests", "reporting.requests_by_month"];

/// A log that has something of everything; returns its last position.
async fn some_of_everything(log: &Log) -> Position {
    log.customer(customer_id(1), 0, &a_customer()).await;
    log.case(case_id(1), 0, Channel::Online, &[submitted(1, Some(customer_id(1)))])
        .await;
    log.case(case_id(2), 0, Channel::Phone, &[submitted(2, None)]).await;
    log.case(
        case_id(1),
        1,
        Channel::Phone,
        &[updated("new description"), assigned("a.khan")],
    )
    .await;
    log.case(case_id(1), 3, Channel::System, &[closed("collected")]).await;
    log.case(case_id(2), 1, Channel::Phone, &[cancelled()]).await;
    log.case(
        case_id(3),
        0,
        Channel::Online,
        &[submitted(3, Some(customer_id(1))), closed("not-found")],
    )
    .await;
    log.case(case_id(1), 4, Channel::Online, &[reopened()]).await;
    log.feed.head().await.unwrap().position
}

#[tokio::test(flavor = "multi_thread")]
async fn a_case_stands_in_the_history_with_its_timeline() {
    let log = Log::new().await;
    let head = some_of_everything(&log).await;
    assert_eq!(log.catch_up().await, head);

    let services = log.database.as_role("caseledger_writer").await;
    let case = history::case_by_reference(&services, &reference(1))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        history::case_by_id(&services, case_id(1)).await.unwrap().as_ref(),
        Some(&case)
    );
    assert_eq!(
        (case.status, case.outcome.as_ref(), case.reopened),
        (CaseStatus::Open, None, 1)
    );
    assert_eq!(
        (case.team.as_str(), case.officer.as_ref(), case.closed_at),
        ("refuse", None, None)
    );
    assert_eq!(case.description.as_ref().unwrap().token(), "new description");
    assert_eq!(case.place.as_ref().unwrap().token(), "place");
    assert_eq!(
        serde_json::to_string(&case.answers).unwrap(),
        r#"{"bin_type":"refuse","gate_code":{"sealed":"answer"}}"#
    );

    let whole = history::case_history(&services, &CaseQuery::Reference(reference(1)), AsOf::Now)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(whole.case, case, "the row is what the timeline leaves");
    let stored: Vec<_> = log
        .events()
        .await
        .into_iter()
        .filter(|event| event.aggregate_id == case_id(1).into())
        .collect();
    assert_eq!(whole.timeline.len(), stored.len());
    for (entry, event) in whole.timeline.iter().zip(&stored) {
        assert_eq!((&entry.payload, &entry.metadata), (&event.payload, &event.metadata));
        assert_eq!(
            (entry.position, entry.event_id, entry.command_id),
            (event.position, event.event_id, event.command_id)
        );
        assert_eq!(
            (entry.occurred_at.get(), entry.recorded_at.get()),
            (event.occurred_at, event.recorded_at)
        );
    }
    assert_eq!(whole.timeline[1].channel, "phone");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_stands_with_all_their_cases() {
    let log = Log::new().await;
    some_of_everything(&log).await;
    log.catch_up().await;

    let cases = history::cases_of_customer(&log.projector, customer_id(1))
        .await
        .unwrap();
    assert_eq!(
        cases.iter().map(|case| case.id).collect::<Vec<_>>(),
        [case_id(3), case_id(1)]
    );
    let customer = history::customer_by_id(&log.projector, customer_id(1))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(customer.name.token(), "name");
    assert_eq!(customer.address.unwrap().token(), "new address");
    assert_eq!((customer.phone, customer.email.unwrap().token()), (None, "email"));
    let consents: Vec<_> = customer
        .consents
        .iter()
        .map(|(purpose, consent)| (purpose.as_str(), consent.stands()))
        .collect();
    assert_eq!(consents, [("email_updates", true), ("surveys", false)]);
    assert_eq!(
        history::customer_by_id(&log.projector, customer_id(2)).await.unwrap(),
        None
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_case_is_shown_as_it_was() {
    let log = Log::new().await;
    some_of_everything(&log).await;
    log.catch_up().await;
    let case = CaseQuery::Id(case_id(1));
    let all = history::timeline(&log.projector, &case, AsOf::Now).await.unwrap();
    let then = async |as_of| history::case_history(&log.projector, &case, as_of).await.unwrap();

    let closed = &all[3];
    for as_of in [
        AsOf::Position(closed.position),
        AsOf::Recorded(closed.recorded_at),
        AsOf::Occurred(closed.occurred_at),
    ] {
        let was = then(as_of).await.unwrap();
        assert_eq!(
            (was.case.status, was.timeline.len()),
            (CaseStatus::Closed, 4),
            "{as_of:?}"
        );
        assert_eq!(was.case.officer.unwrap().as_str(), "a.khan");
        assert_eq!(was.case.position, closed.position);
    }
    assert_eq!(then(AsOf::Position(Position(all[0].position.0 - 1))).await, None);
    assert_eq!(
        then(AsOf::Occurred((BEGINNING - Duration::from_secs(1)).into())).await,
        None
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_a_case_had_happened_before_its_first_event() {
    let log = Log::new().await;
    log.next_happened_after(10);
    log.case(case_id(1), 0, Channel::Online, &[submitted(1, None)]).await;
    // Brought from another system, whose clock was wrong.
    log.next_happened_after(5);
    log.case(case_id(1), 1, Channel::Online, &[updated("earlier")]).await;
    log.catch_up().await;
    let case = CaseQuery::Id(case_id(1));
    let after = async |minutes: u64| {
        let then = BEGINNING + Duration::from_secs(60 * minutes);
        history::case_history(&log.projector, &case, AsOf::Occurred(then.into()))
            .await
            .unwrap()
    };
    assert_eq!(after(7).await, None);
    assert_eq!(after(10).await.unwrap().timeline.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_are_counted_with_the_position_they_are_counted_at() {
    let log = Log::new().await;
    let nothing = reporting::counts(&log.projector, None, None).await.unwrap();
    assert_eq!((nothing.position, nothing.requests.len()), (Position::START, 0));

    let head = some_of_everything(&log).await;
    log.catch_up().await;
    let counts = reporting::counts(&log.projector, None, None).await.unwrap();
    assert_eq!(counts.position, head);
    let kinds: Vec<_> = counts
        .requests
        .iter()
        .map(|kind| {
            (
                kind.channel.as_str(),
                kind.status,
                kind.outcome.as_ref().map(|o| o.as_str()),
                kind.reopened,
                kind.requests,
            )
        })
        .collect();
    assert_eq!(
        kinds,
        [
            ("online", CaseStatus::Closed, Some("not-found"), false, 1),
            ("online", CaseStatus::Open, None, true, 1),
            ("phone", CaseStatus::Cancelled, None, false, 1),
        ]
    );
    let first = &counts.requests[0];
    assert_eq!(
        (first.request_type.as_str(), first.received_month.0),
        ("WASTE_MISSED_BIN", date!(2026 - 07 - 01))
    );
    let day = |date| Some(schemas::moment::Day(date));
    let later = reporting::counts(&log.projector, day(date!(2026 - 07 - 15)), None)
        .await
        .unwrap();
    assert_eq!((later.position, later.requests.len()), (head, 0));
    let earlier = reporting::counts(&log.projector, None, day(date!(2026 - 07 - 13)))
        .await
        .unwrap();
    assert_eq!((earlier.position, earlier.requests.len()), (head, 0));
    let that_day = day(date!(2026 - 07 - 14));
    assert_eq!(
        reporting::counts(&log.projector, that_day, that_day).await.unwrap(),
        counts
    );

    // The cancellation came on 30 June, 23:03 in Greenwich: in London it was July already.
    let query = "SELECT count(*) FROM reporting.requests WHERE status = 'cancelled' AND closed_on = '2026-07-01'";
    assert_eq!(log.number(query).await, 1);
    let people = "SELECT count(DISTINCT person_key) FROM reporting.requests";
    assert_eq!(log.number(people).await, 1, "one person, two cases, one key");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_that_fails_leaves_neither_rows_nor_position() {
    let log = Log::new().await;
    log.case(case_id(1), 0, Channel::Online, &[submitted(1, None)]).await;
    log.catch_up().await;
    let before = log.rows(&HISTORY).await;
    // The reference stands in the way of the second case; the first of the same batch goes with it.
    log.case(case_id(2), 0, Channel::Online, &[submitted(2, None)]).await;
    log.case(case_id(3), 0, Channel::Online, &[submitted(1, None)]).await;
    let error = projections::catch_up(&History::default(), &*log.feed, &log.projector)
        .await
        .unwrap_err();
    assert!(matches!(error, ProjectionError::Statement(_)), "{error}");
    assert_eq!(log.rows(&HISTORY).await, before);
    assert_eq!(log.number("SELECT position FROM history.checkpoints").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_event_stops_a_projection_just_before_it() {
    let log = Log::new().await;
    log.case(case_id(1), 0, Channel::Online, &[submitted(1, None), cancelled()])
        .await;
    let strange = ("RequestTeleported", r#"{"event":"RequestTeleported"}"#.to_owned());
    log.append("case", "waste", case_id(2).into(), 0, Channel::Online, vec![strange])
        .await;
    log.case(case_id(3), 0, Channel::Online, &[submitted(3, None)]).await;
    for projection in Log::projections() {
        let never = std::future::pending();
        let running = projections::run(
            projection,
            log.feed.clone(),
            log.projector.clone(),
            futures::stream::pending(),
            never,
        );
        let error = tokio::time::timeout(SOON, running)
            .await
            .expect("it stops")
            .unwrap_err();
        let ProjectionError::Unreadable { position, .. } = &error else {
            panic!("{error}")
        };
        assert_eq!(*position, Position(3));
        assert!(error.to_string().contains("RequestTeleported"), "{error}");
    }
    assert_eq!(log.number("SELECT position FROM history.checkpoints").await, 2);
    assert_eq!(log.number("SELECT position FROM reporting.checkpoints").await, 2);
    assert_eq!(log.number("SELECT count(*) FROM history.cases").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_open_personal_value_stops_a_projection() {
    let log = Log::new().await;
    log.case(case_id(1), 0, Channel::Online, &[submitted(1, None)]).await;
    let open = (
        "RequestCancelled",
        r#"{"event":"RequestCancelled","reason":"Ada has moved"}"#.to_owned(),
    );
    log.append("case", "waste", case_id(1).into(), 1, Channel::Online, vec![open])
        .await;
    let error = projections::catch_up(&History::default(), &*log.feed, &log.projector)
        .await
        .unwrap_err();
    assert!(
        matches!(
            error,
            ProjectionError::Implausible {
                position: Position(2),
                ..
            }
        ),
        "{error}"
    );
    assert!(!error.to_string().contains("Ada"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_with_a_hole_stops_the_history() {
    let log = Log::new().await;
    log.case(case_id(1), 0, Channel::Online, &[submitted(1, None), updated("x")])
        .await;
    let statements =
        "ALTER TABLE ledger.events DISABLE TRIGGER USER; UPDATE ledger.events SET sequence = 3 WHERE position = 2";
    sqlx::raw_sql(statements)
        .execute(&log.database.superuser().await)
        .await
        .unwrap();
    // Reporting keeps no sequences: it takes the log's positions for granted, which the subscription checks.
    let error = projections::catch_up(&History::default(), &*log.feed, &log.projector)
        .await
        .unwrap_err();
    assert!(error.to_string().contains("does not follow the one before"), "{error}");
}

/// A runner, and the way to end it.
fn start(log: &Log, pool: PgPool, live: mpsc::Receiver<event_store::StoredEvent>) -> (oneshot::Sender<()>, Running) {
    let (stop, stopped) = oneshot::channel();
    let live = futures::stream::unfold(live, async |mut live| live.recv().await.map(|event| (event, live))).boxed();
    let running = projections::run(Arc::new(History::default()), log.feed.clone(), pool, live, async {
        let _ = stopped.await;
    });
    (stop, tokio::spawn(running))
}

type Running = tokio::task::JoinHandle<Result<(), ProjectionError>>;

/// Waits until the history is at the end of the log, and compares it with what the log says.
async fn assert_complete(log: &Log) {
    let head = log.feed.head().await.unwrap().position;
    eventually("the history is at the end of the log", SOON, || async {
        log.number("SELECT position FROM history.checkpoints").await == head.0
    })
    .await;
    let verification = projections::verify(&History::default(), &*log.feed, &log.projector)
        .await
        .unwrap();
    assert!(verification.agrees(), "{verification:?}");
    assert_eq!(verification.position, head);
}

#[tokio::test(flavor = "multi_thread")]
async fn live_events_may_come_shuffled_doubled_or_not_at_all() {
    let log = Log::new().await;
    let (sender, receiver) = mpsc::channel(100);
    let (stop, running) = start(&log, log.projector.clone(), receiver);
    for number in 1..=20 {
        log.case(
            case_id(number),
            0,
            Channel::Online,
            &[submitted(i64::try_from(number).unwrap(), None), updated("x")],
        )
        .await;
        // In steps of 7 the order is scrambled but every event comes; each comes twice, but for every fifth, which is withheld.
        let events = log.events().await;
        for step in 0..events.len() {
            let event = &events[step * 7 % events.len()];
            if event.position.0 % 5 != 0 {
                for _ in 0..2 {
                    let _ = sender.try_send(event.clone());
                }
            }
        }
    }
    assert_complete(&log).await;
    assert_eq!(log.number("SELECT count(*) FROM history.timeline").await, 40);
    stop.send(()).unwrap();
    running.await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn two_runners_at_once_apply_each_event_once() {
    let log = Log::new().await;
    let other = log.database.as_role("caseledger_projector").await;
    let (one, two) = (mpsc::channel(1_000), mpsc::channel(1_000));
    let runners = [start(&log, log.projector.clone(), one.1), start(&log, other, two.1)];
    for number in 0..60 {
        // Ten events of each of six cases: what one runner remembers of a case, the other has changed meanwhile.
        let (case, version) = (number % 6, number / 6);
        let event = match version {
            0 => submitted(case, None),
            _ => updated(&format!("Said for the {version}. time.")),
        };
        let case = case_id(u128::try_from(case).unwrap());
        log.case(case, version, Channel::Online, &[event]).await;
        let event = log.events().await.pop().unwrap();
        for live in [&one.0, &two.0] {
            live.send(event.clone()).await.unwrap();
        }
    }
    assert_complete(&log).await;
    assert_eq!(log.number("SELECT count(*) FROM history.timeline").await, 60);
    for (stop, running) in runners {
        stop.send(()).unwrap();
        running.await.unwrap().unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn four_that_catch_up_at_once_apply_each_event_once() {
    let log = Log::new().await;
    // More than two batches.
    let updates = (0..2 * projections::BATCH_EVENTS).map(|_| updated("x"));
    let events: Vec<_> = std::iter::once(submitted(1, None)).chain(updates).collect();
    log.case(case_id(1), 0, Channel::Online, &events).await;
    let history = History::default();
    let catching_up = (0..4).map(|_| projections::catch_up(&history, &*log.feed, &log.projector));
    for caught_up in futures::future::join_all(catching_up).await {
        assert_eq!(usize::try_from(caught_up.unwrap().0).unwrap(), events.len());
    }
    assert_complete(&log).await;
}
