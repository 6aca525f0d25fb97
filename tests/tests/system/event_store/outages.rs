//! What is known after a connection broke: nothing accepted is lost, nothing happens twice.

use std::sync::Arc;
use std::time::Duration;

use event_store::{Appender, Ledger, LedgerError, PgLedger, Verdict};
use futures::future::join_all;
use schemas::{Position, Version};
use sqlx::Executor as _;
use sqlx::postgres::PgPoolOptions;
use system_tests::{Proxy, eventually};

use super::races::{APPEND_BY_HAND, an_append_waits};
use super::{Log, accepted, assert_whole, log, receipt, stream};

const SOON: Duration = Duration::from_secs(20);

/// The same log, over a line that can be cut.
async fn over_a_line(log: &Log) -> (Proxy, Arc<PgLedger>) {
    let line = Proxy::start(log.database.postgres().port()).await;
    let url = line.url(&log.database.role_url("caseledger_writer").await);
    let options = PgPoolOptions::new().acquire_timeout(Duration::from_secs(2));
    (line, Arc::new(PgLedger::new(options.connect(&url).await.unwrap())))
}

async fn head(log: &Log) -> i64 {
    log.ledger.head().await.unwrap().position.0
}

#[tokio::test(flavor = "multi_thread")]
async fn an_append_whose_answer_was_lost_is_unknown_to_each_and_a_repeat_finds_it() {
    let log = log().await;
    let (line, remote) = over_a_line(&log).await;
    let appender = Appender::start(remote);
    receipt(&appender.append(vec![accepted(stream(), 0, 1)]).await.unwrap()[0]);

    line.lose_answers();
    let commands = [accepted(stream(), 0, 1), accepted(stream(), 0, 2)];
    let calls = join_all(commands.iter().map(|command| appender.append(vec![command.clone()])));
    let broken = async {
        eventually("the first batch is recorded", SOON, || async { head(&log).await > 1 }).await;
        line.cut();
    };
    let (results, ()) = tokio::join!(calls, broken);
    assert!(matches!(results[0], Err(LedgerError::Unknown(_))), "{results:?}");
    assert!(
        results
            .iter()
            .all(|result| result.as_ref().is_err_and(LedgerError::is_transient)),
        "{results:?}"
    );

    line.restore();
    let mut found = 0;
    for command in &commands {
        let kept = log.ledger.receipt(&command.client, command.command_id).await.unwrap();
        match (appender.append(vec![command.clone()]).await.unwrap().remove(0), kept) {
            (Verdict::Repeated(receipt), Some(kept)) => {
                assert_eq!(receipt, kept);
                found += 1;
            }
            (Verdict::Appended(_), None) => {}
            other => panic!("{other:?}"),
        }
    }
    assert!(found > 0, "the lost answer was one to something recorded");
    let all = log.all().await;
    assert_eq!(all.len(), 4);
    assert_whole(&all);
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_database_is_away_each_call_says_so_and_afterwards_all_goes_on() {
    let log = log().await;
    let (line, remote) = over_a_line(&log).await;
    let id = stream();
    receipt(&remote.append(&[accepted(id, 0, 3)]).await.unwrap()[0]);
    line.cut();
    let next = accepted(id, 3, 1);
    // The first may have been on its way when the line was cut; then nothing more is sent, and that is known.
    eventually("nothing is sent any more", SOON, || async {
        let error = remote.append(std::slice::from_ref(&next)).await.err();
        assert!(error.as_ref().is_none_or(LedgerError::is_transient), "{error:?}");
        matches!(error, Some(LedgerError::Unavailable(_)))
    })
    .await;
    // Never an end that is too early.
    let error = remote.stream(id, Version(0)).await.unwrap_err();
    assert!(matches!(error, LedgerError::Unavailable(_)), "{error}");
    let error = remote.feed(Position::START, None, 9).await.unwrap_err();
    assert!(matches!(error, LedgerError::Unavailable(_)), "{error}");
    line.restore();
    remote.append(&[next]).await.unwrap();
    assert_eq!(remote.stream(id, Version(0)).await.unwrap().len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_that_swallows_every_answer_holds_nobody_up_for_ever() {
    let log = log().await;
    let line = Proxy::start(log.database.postgres().port()).await;
    let url = line.url(&log.database.role_url("caseledger_writer").await);
    let pool = PgPoolOptions::new().connect(&url).await.unwrap();
    let remote = PgLedger::new(pool).waiting_at_most(Duration::from_millis(500));
    receipt(&remote.append(&[accepted(stream(), 0, 1)]).await.unwrap()[0]);
    line.lose_answers();
    let command = accepted(stream(), 0, 1);
    let answers = async {
        let appended = remote.append(std::slice::from_ref(&command)).await;
        (appended.unwrap_err(), remote.head().await.unwrap_err())
    };
    let (appended, read) = tokio::time::timeout(SOON, answers).await.expect("each call ends");
    assert!(matches!(appended, LedgerError::Unknown(_)), "{appended}");
    assert!(matches!(read, LedgerError::Unavailable(_)), "{read}");
    line.cut();
    line.restore();
    // Whether or not the server had heard the command before the line was cut, it comes to be in the log once.
    eventually("the command is recorded", SOON, || async {
        remote.append(std::slice::from_ref(&command)).await.is_ok()
    })
    .await;
    assert_eq!(log.all().await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_append_that_is_given_up_halfway_does_not_answer_the_next() {
    let log = log().await;
    let pool = log.database.as_role("caseledger_writer").await;
    let mut slow = pool.begin().await.unwrap();
    slow.execute(APPEND_BY_HAND).await.unwrap();
    let ledger = Arc::clone(&log.ledger);
    let given_up = tokio::spawn(async move { ledger.append(&[accepted(stream(), 0, 1)]).await });
    an_append_waits(&log).await;
    given_up.abort();
    assert!(given_up.await.unwrap_err().is_cancelled());
    slow.rollback().await.unwrap();
    let next = accepted(stream(), 0, 2);
    let verdict = log.append_one(next.clone()).await;
    assert_eq!(
        (receipt(&verdict).command_id, receipt(&verdict).version),
        (next.command_id, Version(2))
    );
    assert_whole(&log.all().await);
}
