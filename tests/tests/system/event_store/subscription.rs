//! A consumer applies each event once, in order, whatever it hears.

use std::sync::Arc;
use std::time::Duration;

use event_store::{Consumer, ConsumerError, Ledger, StoredEvent, Subscription, SubscriptionError};
use futures::channel::mpsc;
use futures::{SinkExt, StreamExt};
use schemas::Position;
use sqlx::PgPool;
use system_tests::eventually;

use super::{Log, accepted, log, stream};

const SOON: Duration = Duration::from_secs(20);

/// Keeps what it applied and its position in one transaction; `transaction` fails now and then after its commit.
struct Keeping {
    pool: PgPool,
    forgets_the_answer_of: Option<usize>,
    batches: usize,
}

async fn keeping(log: &Log) -> Keeping {
    let pool = log.database.owner().await;
    let tables = "CREATE TABLE public.applied (nth bigserial, position bigint NOT NULL); \
                  CREATE TABLE public.checkpoint (position bigint NOT NULL); INSERT INTO public.checkpoint VALUES (0)";
    sqlx::raw_sql(tables).execute(&pool).await.unwrap();
    Keeping {
        pool,
        forgets_the_answer_of: None,
        batches: 0,
    }
}

impl Consumer for Keeping {
    async fn checkpoint(&mut self) -> Result<Position, ConsumerError> {
        let query = sqlx::query_scalar("SELECT position FROM public.checkpoint");
        query
            .fetch_one(&self.pool)
            .await
            .map(Position)
            .map_err(|error| ConsumerError::Retry(error.into()))
    }

    async fn apply(&mut self, events: Vec<StoredEvent>) -> Result<(), ConsumerError> {
        let positions: Vec<i64> = events.iter().map(|event| event.position.0).collect();
        let mut transaction = self.pool.begin().await.unwrap();
        let insert = "INSERT INTO public.applied (position) SELECT unnest($1::bigint[])";
        sqlx::query(insert)
            .bind(&positions)
            .execute(&mut *transaction)
            .await
            .unwrap();
        let update = sqlx::query("UPDATE public.checkpoint SET position = $1").bind(positions.last());
        update.execute(&mut *transaction).await.unwrap();
        transaction.commit().await.unwrap();
        self.batches += 1;
        if self.forgets_the_answer_of == Some(self.batches) {
            return Err(ConsumerError::Retry("the answer to the commit was lost".into()));
        }
        Ok(())
    }
}

async fn applied(pool: &PgPool) -> Vec<i64> {
    sqlx::query_scalar("SELECT position FROM public.applied ORDER BY nth")
        .fetch_all(pool)
        .await
        .unwrap()
}

async fn append(log: &Log, count: usize) {
    log.append(vec![accepted(stream(), 0, count)]).await;
}

/// Follows the log with what `heard` makes of its events as the live ones, until `upto` is applied, and returns what was.
async fn follow(log: &Log, mut consumer: Keeping, heard: Vec<StoredEvent>, upto: usize) -> Vec<i64> {
    let pool = consumer.pool.clone();
    let (mut live, hears) = mpsc::unbounded();
    for event in heard {
        live.send(event).await.unwrap();
    }
    let subscription = Subscription::new("test", log.ledger.clone(), hears);
    let done = eventually("everything is applied", SOON, || async {
        applied(&pool).await.len() >= upto
    });
    subscription.run(&mut consumer, done).await.unwrap();
    applied(&pool).await
}

#[tokio::test]
async fn it_catches_up_and_then_takes_live_events() {
    let log = log().await;
    append(&log, 1_234).await;
    let consumer = keeping(&log).await;
    let pool = consumer.pool.clone();
    let (live, hears) = mpsc::unbounded();
    let subscription = Subscription::new("test", log.ledger.clone(), hears);
    let writes = async {
        eventually("it has caught up", SOON, || async {
            applied(&pool).await.len() == 1_234
        })
        .await;
        append(&log, 3).await;
        for event in log.ledger.feed(Position(1_234), None, 9).await.unwrap() {
            live.unbounded_send(event).unwrap();
        }
        eventually("it has heard the rest", SOON, || async {
            applied(&pool).await.len() == 1_237
        })
        .await;
    };
    let mut consumer = consumer;
    subscription.run(&mut consumer, writes).await.unwrap();
    assert_eq!(applied(&pool).await, (1..=1_237).collect::<Vec<i64>>());
}

/// What becomes of the events on the way to whoever hears them.
type Distort = fn(Vec<StoredEvent>) -> Vec<StoredEvent>;

/// Hears the events only when it has caught up with nothing: they are appended after the subscription began.
async fn follow_live(log: &Log, consumer: Keeping, distort: Distort) -> Vec<i64> {
    append(log, 5).await;
    let pool = consumer.pool.clone();
    let (live, hears) = mpsc::unbounded();
    let subscription = Subscription::new("test", log.ledger.clone(), hears.chain(futures::stream::pending()));
    let rest = async {
        eventually("it has caught up", SOON, || async { applied(&pool).await.len() == 5 }).await;
        append(log, 20).await;
        let heard = distort(log.ledger.feed(Position::START, None, 99).await.unwrap());
        let last = heard.last().cloned();
        for event in heard {
            live.unbounded_send(event).unwrap();
        }
        eventually("everything is applied", SOON, || async {
            // While something is heard, the log is not looked at for its own sake: what was missed must be noticed.
            if let Some(last) = last.clone() {
                live.unbounded_send(last).unwrap();
            }
            applied(&pool).await.len() >= 25
        })
        .await;
    };
    let mut consumer = consumer;
    subscription.run(&mut consumer, rest).await.unwrap();
    applied(&pool).await
}

#[tokio::test]
async fn shuffled_doubled_and_withheld_live_events_are_applied_once_and_in_order() {
    let whole: Vec<i64> = (1..=25).collect();
    let shuffled = |mut events: Vec<StoredEvent>| {
        events.reverse();
        events.swap(0, 11);
        events
    };
    let doubled = |events: Vec<StoredEvent>| events.iter().flat_map(|event| [event.clone(), event.clone()]).collect();
    let withheld = |mut events: Vec<StoredEvent>| {
        events.remove(12);
        events
    };
    let silent = |_: Vec<StoredEvent>| Vec::new();
    let distortions: [Distort; 4] = [shuffled, doubled, withheld, silent];
    for distort in distortions {
        let log = log().await;
        let consumer = keeping(&log).await;
        assert_eq!(follow_live(&log, consumer, distort).await, whole);
    }
}

#[tokio::test]
async fn a_commit_whose_answer_was_lost_is_not_applied_again() {
    let log = log().await;
    append(&log, 700).await;
    let consumer = Keeping {
        forgets_the_answer_of: Some(1),
        ..keeping(&log).await
    };
    assert_eq!(
        follow(&log, consumer, Vec::new(), 700).await,
        (1..=700).collect::<Vec<i64>>()
    );
}

#[tokio::test]
async fn a_consumer_that_is_past_the_head_stops_and_says_so() {
    let log = log().await;
    append(&log, 3).await;
    let mut consumer = keeping(&log).await;
    sqlx::query("UPDATE public.checkpoint SET position = 9")
        .execute(&consumer.pool)
        .await
        .unwrap();
    let subscription = Subscription::new(
        "test",
        log.ledger.clone() as Arc<dyn Ledger>,
        futures::stream::pending(),
    );
    let running = subscription.run(&mut consumer, std::future::pending());
    let error = tokio::time::timeout(SOON, running)
        .await
        .expect("it stops")
        .unwrap_err();
    assert!(
        matches!(
            error,
            SubscriptionError::LogRolledBack {
                checkpoint: Position(9),
                head: Position(3)
            }
        ),
        "{error}"
    );
}

#[tokio::test]
async fn a_hole_in_the_log_stops_it_where_it_is() {
    let log = log().await;
    append(&log, 6).await;
    let superuser = log.database.superuser().await;
    let delete = "ALTER TABLE ledger.events DISABLE TRIGGER append_only; DELETE FROM ledger.events WHERE position = 4";
    sqlx::raw_sql(delete).execute(&superuser).await.unwrap();
    let mut consumer = keeping(&log).await;
    let subscription = Subscription::new(
        "test",
        log.ledger.clone() as Arc<dyn Ledger>,
        futures::stream::pending(),
    );
    let running = subscription.run(&mut consumer, std::future::pending());
    let error = tokio::time::timeout(SOON, running)
        .await
        .expect("it stops")
        .unwrap_err();
    assert!(
        matches!(error, SubscriptionError::Hole { missing: Position(4) }),
        "{error}"
    );
    assert!(applied(&consumer.pool).await.is_empty());
}
