//! A projection built anew beside the live one, compared with it, and on a log that was rolled back.

use std::sync::Arc;

use futures::future::BoxFuture;
use projections::ProjectionError;
use projections::history::{self, History};
use schemas::Position;
use schemas::command::Channel;
use schemas::query::CaseStatus;
use tokio::sync::{mpsc, oneshot};

use super::log::{Log, cancelled, case_id, submitted, updated};
use super::meanwhile::Meanwhile;
use super::{HISTORY, REPORTING, SOON, assert_complete, some_of_everything, start};

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_is_the_same_to_the_byte_and_keeps_reporting_s_keys() {
    let log = Log::new().await;
    some_of_everything(&log).await;
    log.catch_up().await;
    let before = (log.rows(&HISTORY).await, log.rows(&REPORTING).await);
    for projection in Log::projections() {
        let rebuilt = projections::rebuild(&*projection, &*log.feed, &log.projector)
            .await
            .unwrap();
        assert_eq!(rebuilt.position, log.feed.head().await.unwrap().position);
        let status = projections::status(&*projection, &*log.feed, &log.projector)
            .await
            .unwrap();
        assert_eq!(
            (status.generation, status.behind(), status.rebuilding),
            (rebuilt.generation, 0, None)
        );
    }
    assert_eq!((log.rows(&HISTORY).await, log.rows(&REPORTING).await), before);
    assert_eq!(
        log.number("SELECT count(DISTINCT generation) FROM history.case_rows")
            .await,
        1,
        "the old rows are gone"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_while_writes_go_on_shows_old_or_new_and_never_less() {
    let log = Arc::new(Log::new().await);
    let (_unheard, receiver) = mpsc::channel(1);
    let (stop, running) = start(&log, log.projector.clone(), receiver);
    for number in 1..=1_000_u32 {
        log.case(
            case_id(number.into()),
            0,
            Channel::Online,
            &[submitted(number.into(), None)],
        )
        .await;
    }
    projections::catch_up(&History::default(), &*log.feed, &log.projector)
        .await
        .unwrap();

    let (written, mut writing) = oneshot::channel();
    let writer = tokio::spawn({
        let log = Arc::clone(&log);
        async move {
            let mut number = 1_000_u32;
            while writing.try_recv().is_err() {
                number += 1;
                log.case(
                    case_id(number.into()),
                    0,
                    Channel::Online,
                    &[submitted(number.into(), None), updated("x")],
                )
                .await;
                projections::catch_up(&History::default(), &*log.feed, &log.projector)
                    .await
                    .unwrap();
            }
        }
    });
    let (read, mut reading) = oneshot::channel();
    let reader = tokio::spawn({
        let log = Arc::clone(&log);
        async move {
            let mut seen = 1_000;
            while reading.try_recv().is_err() {
                let now = log.number("SELECT count(*) FROM history.timeline").await;
                assert!(now >= seen, "{now} events after {seen}");
                seen = now;
            }
        }
    });
    let rebuilt = projections::rebuild(&History::default(), &*log.feed, &log.projector)
        .await
        .unwrap();
    assert!(rebuilt.position > Position(1_000), "there were writes meanwhile");
    written.send(()).unwrap();
    writer.await.unwrap();
    read.send(()).unwrap();
    reader.await.unwrap();
    assert_complete(&log).await;
    stop.send(()).unwrap();
    running.await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_live_rows_took_in_while_a_rebuild_came_to_its_end_is_in_it() {
    let log = Arc::new(Log::new().await);
    let head = some_of_everything(&log).await;
    log.catch_up().await;
    let one_more = {
        let log = Arc::clone(&log);
        move || -> BoxFuture<'static, ()> {
            let log = Arc::clone(&log);
            Box::pin(async move {
                log.case(case_id(4), 0, Channel::Online, &[submitted(4, None), cancelled()])
                    .await;
                log.catch_up().await;
            })
        }
    };
    let meanwhile = Meanwhile::new(Arc::clone(&log.feed), one_more);
    let rebuilt = projections::rebuild(&History::default(), &meanwhile, &log.projector)
        .await
        .unwrap();
    assert_eq!(rebuilt.position, Position(head.0 + 2));
    assert!(history::case_by_id(&log.projector, case_id(4)).await.unwrap().is_some());
    assert_complete(&log).await;
}

/// Makes the rows of cases with two events, written from now on, get lost.
const LOSE_A_ROW: &str = "
    CREATE FUNCTION lose() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        RETURN CASE WHEN NEW.version = 2 THEN NULL ELSE NEW END;
    END $$;
    CREATE TRIGGER lose BEFORE INSERT ON history.case_rows FOR EACH ROW EXECUTE FUNCTION lose()";

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_that_lost_a_row_does_not_become_live() {
    let log = Log::new().await;
    let head = some_of_everything(&log).await;
    log.catch_up().await;
    let before = log.rows(&HISTORY).await;
    sqlx::raw_sql(LOSE_A_ROW).execute(&log.owner).await.unwrap();
    let error = projections::rebuild(&History::default(), &*log.feed, &log.projector)
        .await
        .unwrap_err();
    assert!(
        matches!(error, ProjectionError::Miscounted { position, .. } if position == head),
        "{error}"
    );
    assert_eq!(log.rows(&HISTORY).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn verification_names_the_table_that_was_changed() {
    let log = Log::new().await;
    some_of_everything(&log).await;
    log.catch_up().await;
    let change = "UPDATE history.case_rows SET team = 'others' WHERE version = 2";
    sqlx::query(change).execute(&log.owner).await.unwrap();
    let verification = projections::verify(&History::default(), &*log.feed, &log.projector)
        .await
        .unwrap();
    let differing = verification
        .tables
        .iter()
        .filter(|table| !table.agrees())
        .map(|table| table.live.table);
    assert_eq!(differing.collect::<Vec<_>>(), ["cases"]);
}

/// Takes the last event away, as a restored backup would.
async fn roll_back(log: &Log) {
    let statements = "ALTER TABLE ledger.events DISABLE TRIGGER USER;
        ALTER TABLE ledger.head DISABLE TRIGGER USER;
        DELETE FROM ledger.events WHERE position = (SELECT position FROM ledger.head);
        UPDATE ledger.head SET position = position - 1";
    sqlx::raw_sql(statements)
        .execute(&log.database.superuser().await)
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_was_rolled_back_stops_a_projection() {
    let log = Log::new().await;
    let head = some_of_everything(&log).await;
    log.catch_up().await;
    roll_back(&log).await;
    let error = projections::catch_up(&History::default(), &*log.feed, &log.projector)
        .await
        .unwrap_err();
    assert!(
        matches!(error, ProjectionError::LogBehind { position, .. } if position == head),
        "{error}"
    );

    // It goes on, and uses the position again: for another event.
    log.case(case_id(4), 0, Channel::Online, &[submitted(4, None), cancelled()])
        .await;
    let error = projections::catch_up(&History::default(), &*log.feed, &log.projector)
        .await
        .unwrap_err();
    assert!(
        matches!(error, ProjectionError::LogReplaced { position, .. } if position == head),
        "{error}"
    );
    let never = std::future::pending();
    let running = projections::run(
        Arc::new(History::default()),
        log.feed.clone(),
        log.projector.clone(),
        futures::stream::pending(),
        never,
    );
    let error = tokio::time::timeout(SOON, running)
        .await
        .expect("it stops")
        .unwrap_err();
    assert!(matches!(error, ProjectionError::LogReplaced { .. }), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_follows_a_log_that_was_rolled_back_and_a_runner_goes_on_from_there() {
    let log = Log::new().await;
    let head = some_of_everything(&log).await;
    log.catch_up().await;
    roll_back(&log).await;
    let rebuilt = projections::rebuild(&History::default(), &*log.feed, &log.projector)
        .await
        .unwrap();
    assert_eq!(rebuilt.position, Position(head.0 - 1));
    let case = history::case_by_id(&log.projector, case_id(1)).await.unwrap().unwrap();
    assert_eq!(
        (case.status, case.reopened),
        (CaseStatus::Closed, 0),
        "the reopening is gone"
    );

    let (_unheard, receiver) = mpsc::channel(1);
    let (stop, running) = start(&log, log.projector.clone(), receiver);
    log.case(case_id(4), 0, Channel::Online, &[submitted(4, None), cancelled()])
        .await;
    assert_complete(&log).await;
    stop.send(()).unwrap();
    running.await.unwrap().unwrap();
}
