//! Fault 6: the database commits, and its answer is lost on the line.

use std::sync::{Arc, Mutex};

use system_tests::council::PATIENCE;
use system_tests::{Council, Proxy, Running, Traffic, Way, eventually};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_time() {
    let mut council = Council::new().await;
    let line = Proxy::start(council.database.postgres().port()).await;
    council.reach_postgres_through(&line);
    let council = Arc::new(council);
    let _service = council.serve("command-service");
    council.answering().await;
    let owner = council.owner().await;
    let recorded = || async {
        let statement = "SELECT count(*) FROM ledger.commands WHERE client = 'contact-centre'";
        sqlx::query_scalar::<_, i64>(statement).fetch_one(&owner).await.unwrap()
    };
    let traffic = Traffic::start(&council, Way::Call).await;
    for _ in 0..3 {
        traffic.flow(30).await;
        line.lose_answers();
        // Nobody hears of what is committed from here on: when nothing moves any more, there is more recorded than answered.
        let before = Mutex::new((0, 0));
        eventually("something is committed unheard", PATIENCE, || async {
            let now = (recorded().await, traffic.witness().answered());
            let earlier = std::mem::replace(&mut *before.lock().unwrap(), now);
            earlier == now && now.0 > i64::try_from(now.1).unwrap()
        })
        .await;
        line.break_off().await;
    }
    traffic.flow(30).await;
    traffic
        .stop()
        .await
        .assert_kept(&council, Running::CommandService)
        .await;
}
