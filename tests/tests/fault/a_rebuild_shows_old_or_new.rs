//! Fault 23: a view is built anew while commands flow, and the one who builds it is killed halfway.

use std::sync::Arc;
use std::time::Duration;

use system_tests::council::PATIENCE;
use system_tests::{Council, Process, Running, Traffic, Way, eventually};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes a minute: make faults"]
async fn and_never_half() {
    let council = Arc::new(Council::new().await);
    let _services = council.serve_all().await;
    let traffic = Traffic::at_pace(&council, Way::Call, Duration::from_millis(20)).await;
    traffic.flow(800).await;
    let reader = tokio::spawn({
        let pool = council.database.as_role("caseledger_writer").await;
        async move {
            let mut seen = (0_i64, 0_i64);
            loop {
                let statement = "SELECT (SELECT count(*) FROM history.timeline), (SELECT count(*) FROM history.cases)";
                let now: (i64, i64) = sqlx::query_as(statement).fetch_one(&pool).await.unwrap();
                assert!(now.0 >= seen.0 && now.1 >= seen.1, "{now:?} after {seen:?}");
                seen = now;
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        }
    });
    let rebuild = |name: &str| Process::start(council.command().args(["projection", "rebuild", name]));
    let superuser = council.database.superuser().await;
    for name in ["history", "reporting"] {
        // Killed when it has begun to write: its generation is one more than the live one's.
        let begun = format!("SELECT coalesce(max(generation), 0) FROM {name}.rebuilds WHERE position > 0");
        let begun = || async {
            sqlx::query_scalar::<_, i64>(&begun)
                .fetch_one(&superuser)
                .await
                .unwrap()
        };
        let mut killed = rebuild(name);
        eventually("the rebuild has begun", PATIENCE, || async { begun().await > 0 }).await;
        killed.kill();
        // Its connections are cut off halfway, and it says so.
        let earlier = begun().await;
        let mut cut = rebuild(name);
        eventually("another has begun", PATIENCE, || async { begun().await > earlier }).await;
        let cut_off =
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'caseledger'";
        let cut_off: i64 = sqlx::query_scalar(cut_off).fetch_one(&superuser).await.unwrap();
        assert!(cut_off > 0);
        assert!(!cut.end(PATIENCE).await.success(), "{}", cut.output());
        let mut whole = rebuild(name);
        let ended = whole.end(PATIENCE).await;
        assert!(ended.success(), "{}", whole.output());
    }
    traffic.flow(40).await;
    assert!(!reader.is_finished(), "the reader has seen half a view");
    reader.abort();
    traffic.stop().await.assert_kept(&council, Running::All).await;
}
