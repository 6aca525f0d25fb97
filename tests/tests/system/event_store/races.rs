//! Writers that race with one another, and readers that race with writers.

use std::sync::Arc;
use std::time::Duration;

use event_store::{Append, Appender, Ledger, LedgerError, Outcome, PgLedger, Verdict};
use futures::future::join_all;
use schemas::{AggregateId, Position, Version};
use sqlx::Executor as _;
use system_tests::eventually;

use super::{Log, accepted, assert_whole, log, receipt, rejected, stream};

const SOON: Duration = Duration::from_secs(20);

/// Decides on the stream's version and appends, again and again until it has won `wins` times. Returns its conflicts.
async fn write(ledger: Arc<PgLedger>, appender: Appender, id: AggregateId, wins: usize) -> usize {
    let (mut won, mut conflicts) = (0, 0);
    while won < wins {
        let version = ledger.version(id).await.unwrap();
        match appender
            .append(vec![accepted(id, version.0, 1)])
            .await
            .unwrap()
            .remove(0)
        {
            Verdict::Appended(receipt) => {
                assert_eq!(receipt.version, Version(version.0 + 1));
                won += 1;
            }
            Verdict::Conflict => conflicts += 1,
            other => panic!("{other:?}"),
        }
    }
    conflicts
}

async fn two_processes(log: &Log) -> [(Arc<PgLedger>, Appender); 2] {
    let processes = [Arc::clone(&log.ledger), log.another().await];
    processes.map(|ledger| (Arc::clone(&ledger), Appender::start(ledger)))
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_racing_on_one_stream_lose_no_update() {
    let log = log().await;
    let id = stream();
    let mut writers = Vec::new();
    for (ledger, appender) in two_processes(&log).await {
        for _ in 0..3 {
            writers.push(tokio::spawn(write(Arc::clone(&ledger), appender.clone(), id, 15)));
        }
    }
    let conflicts: usize = join_all(writers).await.into_iter().map(Result::unwrap).sum();
    assert!(conflicts > 0, "they never raced");
    let all = log.all().await;
    assert_eq!(all.len(), 90);
    assert_whole(&all);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_racing_on_many_streams_hurt_no_neighbour() {
    let log = log().await;
    let contested: Vec<AggregateId> = (0..10).map(|_| stream()).collect();
    let mut writers = Vec::new();
    for (ledger, appender) in two_processes(&log).await {
        for id in &contested {
            writers.push(tokio::spawn(write(Arc::clone(&ledger), appender.clone(), *id, 5)));
        }
        // Nobody contests these: whoever loses beside them, they must not.
        for _ in 0..10 {
            let (ledger, appender) = (Arc::clone(&ledger), appender.clone());
            writers.push(tokio::spawn(async move {
                let conflicts = write(ledger, appender, stream(), 5).await;
                assert_eq!(conflicts, 0);
                conflicts
            }));
        }
    }
    let conflicts: usize = join_all(writers).await.into_iter().map(Result::unwrap).sum();
    assert!(conflicts > 0, "they never raced");
    let all = log.all().await;
    assert_eq!(all.len(), 200);
    assert_whole(&all);
}

/// A process that remembers what version its last append left, and looks only after it has lost.
struct Remembering {
    appender: Appender,
    version: i64,
}

impl Remembering {
    async fn append(&mut self, decide: impl FnOnce(i64) -> Append) -> Verdict {
        let verdict = self
            .appender
            .append(vec![decide(self.version)])
            .await
            .unwrap()
            .remove(0);
        if let Verdict::Appended(receipt) = &verdict {
            self.version = receipt.version.0;
        }
        verdict
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whichever_side_has_a_stale_cache_writes_nothing_and_rejects_nothing_with_it() {
    let log = log().await;
    let id = stream();
    let [mut one, mut two] = two_processes(&log)
        .await
        .map(|(_, appender)| Remembering { appender, version: 0 });
    for round in 0..6 {
        let (fresh, stale) = if round % 2 == 0 {
            (&mut one, &mut two)
        } else {
            (&mut two, &mut one)
        };
        receipt(&fresh.append(|version| accepted(id, version, 2)).await);
        // Neither an event, nor that nothing changes, nor a rejection is recorded of what was decided on the old state.
        assert_eq!(
            stale.append(|version| accepted(id, version, 1)).await,
            Verdict::Conflict
        );
        assert_eq!(
            stale.append(|version| accepted(id, version, 0)).await,
            Verdict::Conflict
        );
        assert_eq!(stale.append(|version| rejected(id, version)).await, Verdict::Conflict);
        // Where the head is not where this process left it, somebody else wrote; so it loads, and may decide.
        stale.version = log.ledger.version(id).await.unwrap().0;
        receipt(&stale.append(|version| rejected(id, version)).await);
    }
    let all = log.all().await;
    assert_eq!(all.len(), 12);
    assert_whole(&all);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_never_sees_a_position_appear_below_one_it_has_passed() {
    const TOTAL: usize = 300;
    let log = log().await;
    let mut writers = Vec::new();
    for _ in 0..6 {
        // Each with a connection of its own: nothing but the database makes them take turns.
        let ledger = log.another().await;
        writers.push(tokio::spawn(async move {
            for _ in 0..TOTAL / 12 {
                receipt(&ledger.append(&[accepted(stream(), 0, 2)]).await.unwrap()[0]);
            }
        }));
    }
    let read = async {
        let mut passed = 0;
        while passed < TOTAL {
            let seen = log
                .ledger
                .feed(Position(i64::try_from(passed).unwrap()), None, TOTAL)
                .await
                .unwrap();
            for event in seen {
                passed += 1;
                assert_eq!(event.position.0, i64::try_from(passed).unwrap());
            }
        }
    };
    tokio::time::timeout(SOON, read)
        .await
        .expect("all of it comes to be read");
    for writer in writers {
        writer.await.unwrap();
    }
    assert_whole(&log.all().await);
}

/// One event on a new stream, as any caller of the function could append it.
pub const APPEND_BY_HAND: &str = "SELECT * FROM ledger.append(
    '{website}', ARRAY[gen_random_uuid()], ARRAY[decode(repeat('00', 32), 'hex')], '{case}', ARRAY[gen_random_uuid()],
    '{waste}', '{0}', '{NULL}', '{NULL}', '{NULL}', '{NULL}',
    '{1}', ARRAY[gen_random_uuid()], '{RequestUpdated}', '{1}', ARRAY['{}']::json[], ARRAY['{}']::json[], ARRAY[now()],
    '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}')";

/// Returns when an append of this log waits for another.
pub async fn an_append_waits(log: &Log) {
    let superuser = log.database.superuser().await;
    eventually("an append waits for another", SOON, || async {
        let waiting = "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() \
                       AND wait_event_type = 'Lock' AND query LIKE '%ledger.append%')";
        sqlx::query_scalar::<_, bool>(waiting)
            .fetch_one(&superuser)
            .await
            .unwrap()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_that_commits_late_is_waited_for() {
    let log = log().await;
    let pool = log.database.as_role("caseledger_writer").await;
    let mut slow = pool.begin().await.unwrap();
    slow.execute(APPEND_BY_HAND).await.unwrap();
    let ledger = log.another().await;
    let quick = tokio::spawn(async move { ledger.append(&[accepted(stream(), 0, 1)]).await });

    an_append_waits(&log).await;
    assert_eq!(log.all().await.len(), 0);
    slow.commit().await.unwrap();
    let verdicts = quick.await.unwrap().unwrap();
    assert_eq!(receipt(&verdicts[0]).position, Position(2));
    assert_whole(&log.all().await);
}

/// What a batch rests on is looked up before it has the log: an event that is on its way then counts, and one that never comes does not.
#[tokio::test(flavor = "multi_thread")]
async fn a_batch_rests_on_what_is_recorded_while_it_waits() {
    let log = log().await;
    let pool = log.database.as_role("caseledger_writer").await;
    let mut slow = pool.begin().await.unwrap();
    slow.execute(APPEND_BY_HAND).await.unwrap();
    let by_hand = "SELECT aggregate_id FROM ledger.events";
    let by_hand: String = sqlx::query_scalar(by_hand).fetch_one(&mut *slow).await.unwrap();
    let by_hand: AggregateId = by_hand.parse().unwrap();
    let send = |batch: Vec<Append>| {
        let ledger = Arc::clone(&log.ledger);
        tokio::spawn(async move { ledger.append(&batch).await.unwrap() })
    };
    let rests_on_it = send(vec![
        accepted(by_hand, 1, 1),
        accepted(by_hand, 2, 0),
        accepted(stream(), 0, 1),
    ]);
    an_append_waits(&log).await;
    slow.commit().await.unwrap();
    let verdicts = rests_on_it.await.unwrap();
    let positions = verdicts.iter().map(|verdict| receipt(verdict).position.0);
    assert_eq!(positions.collect::<Vec<_>>(), [2, 2, 3]);

    // Rolled back: what it rests on never was.
    let mut slow = pool.begin().await.unwrap();
    slow.execute(APPEND_BY_HAND).await.unwrap();
    let by_hand = "SELECT aggregate_id FROM ledger.events WHERE position = 4";
    let by_hand: String = sqlx::query_scalar(by_hand).fetch_one(&mut *slow).await.unwrap();
    let rests_on_nothing = send(vec![accepted(by_hand.parse().unwrap(), 1, 1), accepted(stream(), 0, 1)]);
    an_append_waits(&log).await;
    slow.rollback().await.unwrap();
    let verdicts = rests_on_nothing.await.unwrap();
    assert_eq!(verdicts[0], Verdict::Conflict);
    assert_eq!(receipt(&verdicts[1]).position, Position(4));
    assert_whole(&log.all().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_decided_without_events_is_looked_at_again_by_a_batch_that_waited() {
    let log = log().await;
    let id = stream();
    log.append_one(accepted(id, 0, 1)).await;
    let pool = log.database.as_role("caseledger_writer").await;
    let mut slow = pool.begin().await.unwrap();
    let on_it = APPEND_BY_HAND.replace("'{0}'", "'{1}'");
    let on_it = on_it.replace("'{case}', ARRAY[gen_random_uuid()]", &format!("'{{case}}', '{{{id}}}'"));
    slow.execute(on_it.as_str()).await.unwrap();
    let ledger = Arc::clone(&log.ledger);
    let stale = tokio::spawn(async move { ledger.append(&[rejected(id, 1), accepted(stream(), 0, 1)]).await });
    an_append_waits(&log).await;
    slow.commit().await.unwrap();
    let verdicts = stale.await.unwrap().unwrap();
    assert_eq!(verdicts[0], Verdict::Conflict);
    assert_eq!(receipt(&verdicts[1]).position, Position(3));
    assert_whole(&log.all().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_is_committed_together() {
    let log = log().await;
    let appender = Appender::start(log.ledger.clone());
    let calls = (0..200).map(|_| appender.append(vec![accepted(stream(), 0, 1)]));
    for verdicts in join_all(calls).await {
        receipt(&verdicts.unwrap()[0]);
    }
    let all = log.all().await;
    assert_whole(&all);
    // One append has one instant.
    let batches: std::collections::BTreeSet<_> = all.iter().map(|event| event.recorded_at).collect();
    assert!(batches.len() < 20, "{} commits for 200 commands", batches.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_batch_only_the_culprit_fails() {
    let log = log().await;
    let appender = Appender::start(log.ledger.clone());
    let calls = (0..20).map(|number| {
        let mut append = accepted(stream(), 0, 1);
        if let (7, Outcome::Accepted { events, .. }) = (number, &mut append.outcome) {
            events[0].payload = "not JSON".into();
        }
        appender.append(vec![append])
    });
    for (number, result) in join_all(calls).await.into_iter().enumerate() {
        match result {
            Ok(verdicts) => drop(receipt(&verdicts[0]).clone()),
            Err(LedgerError::Unrecordable(_)) => assert_eq!(number, 7),
            Err(error) => panic!("{number}: {error}"),
        }
    }
    assert_eq!(log.all().await.len(), 19);
}
