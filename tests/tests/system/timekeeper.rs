//! Time is kept whichever copy runs, however often one is killed, and however long none ran.

use bus::BusClient;
use serde_json::json;
use system_tests::council::{PATIENCE, example};
use system_tests::{Council, eventually};
use time::{Duration, OffsetDateTime};

/// How many requests are late.
const LATE: i64 = 40;

async fn late_requests(council: &Council, website: &BusClient) {
    let register = example("RegisterCustomer", json!({}));
    let customer = council
        .accept(website, "RegisterCustomer", None, register)
        .await
        .aggregate_id;
    let long_ago = catalogue::london::day_of(OffsetDateTime::now_utc()).0 - Duration::days(60);
    for _ in 0..LATE {
        let submit = json!({
            "request_type": "foi", "customer_id": customer, "answers": { "wanted": "The contract." },
            "received_on": long_ago.to_string(), "actor": { "kind": "resident" }, "channel": "online",
        });
        council.accept(website, "SubmitRequest", None, submit).await;
    }
}

async fn said(owner: &sqlx::PgPool) -> (i64, i64) {
    sqlx::query_as("SELECT count(*), count(DISTINCT aggregate_id) FROM ledger.events WHERE event_type = 'ClockOverdue'")
        .fetch_one(owner)
        .await
        .unwrap()
}

async fn left(owner: &sqlx::PgPool) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM ledger.timetable WHERE at <= now()")
        .fetch_one(owner)
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_copies_of_which_one_is_killed_say_everything_once() {
    let council = Council::new().await;
    let mut copies = [council.serve("command-service"), council.serve("command-service")];
    council.answering().await;
    let website = council.client("website").await;
    let owner = council.owner().await;
    late_requests(&council, &website).await;
    // Whoever keeps the time is killed in the middle of it, as far as one can tell from outside; the other goes on.
    eventually("it is said of some", PATIENCE, || async {
        (said(&owner).await.0 > 0).then_some(())
    })
    .await;
    copies[0].kill();
    copies[0] = council.serve("command-service");
    copies[1].kill();
    eventually("it is said of all", PATIENCE, || async {
        let all = (LATE, LATE);
        (said(&owner).await == all && left(&owner).await == 0).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_timetable_that_was_emptied_is_worked_out_again_and_says_nothing_twice() {
    let council = Council::new().await;
    let mut service = council.serve("command-service");
    council.answering().await;
    let website = council.client("website").await;
    let owner = council.owner().await;
    late_requests(&council, &website).await;
    let all_is_said = || async {
        eventually("it is said of all", PATIENCE, || async {
            let head: bool = sqlx::query_scalar(
                "SELECT held.position = head.position FROM ledger.timetable_head AS held, ledger.head AS head",
            )
            .fetch_one(&owner)
            .await
            .unwrap();
            (head && said(&owner).await == (LATE, LATE) && left(&owner).await == 0).then_some(())
        })
        .await;
    };
    all_is_said().await;
    service.kill();
    sqlx::raw_sql("TRUNCATE ledger.timetable; UPDATE ledger.timetable_head SET position = 0")
        .execute(&owner)
        .await
        .unwrap();
    let _again = council.serve("command-service");
    all_is_said().await;
}
