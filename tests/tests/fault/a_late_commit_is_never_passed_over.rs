//! Fault 16: transactions that have their positions and take long to commit, while everybody reads.

use std::sync::Arc;
use std::time::Duration;

use system_tests::{Council, Running, Traffic, Way};

/// Makes each append stand still at its commit, when its positions are given, for up to 60 ms.
const SLOW_COMMITS: &str = "
    CREATE FUNCTION public.dawdle() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        PERFORM pg_sleep(random() * 0.06);
        RETURN NULL;
    END $$;
    CREATE CONSTRAINT TRIGGER dawdle AFTER INSERT ON ledger.commands
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.dawdle()";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn by_any_reader() {
    let council = Arc::new(Council::new().await);
    sqlx::raw_sql(SLOW_COMMITS)
        .execute(&council.database.superuser().await)
        .await
        .unwrap();
    let services = council.serve_all().await;
    let _second = council.serve("command-service");
    let reader = tokio::spawn({
        let pool = council.database.as_role("caseledger_feed").await;
        async move {
            let (mut seen, mut looks) = (0, 0_u64);
            loop {
                let statement = "SELECT coalesce(max(position), 0), count(*) FROM ledger.events";
                let (last, count): (i64, i64) = sqlx::query_as(statement).fetch_one(&pool).await.unwrap();
                assert_eq!(last, count, "something is missing below {last}: it would appear later");
                assert!(last >= seen, "the log went back from {seen} to {last}");
                (seen, looks) = (last, looks + 1);
                if looks % 50 == 0 {
                    println!("{looks} looks, {seen} events");
                }
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }
    });
    let traffic = Traffic::start(&council, Way::Both).await;
    traffic.flow(200).await;
    traffic.stop().await.assert_kept(&council, Running::All).await;
    assert!(!reader.is_finished(), "the reader has seen something wrong");
    reader.abort();
    drop(services);
}
