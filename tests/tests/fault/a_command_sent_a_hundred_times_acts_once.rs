//! Fault 7: the same command a hundred times, eight at once, through two services, and again when nothing but the log
//! remembers it.

use std::collections::BTreeSet;

use futures::StreamExt;
use futures::stream;
use schemas::result::CommandResult;
use system_tests::council::{PATIENCE, accepted, obstruction, rejected};
use system_tests::{Council, Running, Witness, eventually};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn and_is_answered_alike_each_time() {
    let council = Council::new().await;
    let services = [council.serve("command-service"), council.serve("command-service")];
    for service in &services {
        service.line("answerer", PATIENCE).await;
    }
    let (witness, website) = (Witness::default(), council.client("website").await);
    let asks = council.command_of("SubmitRequest", None, obstruction("Deep"));
    // One that is refused when it is first decided, and is refused in the same words when it is sent durably again.
    let refused = council.command_of("SubmitRequest", None, serde_json::json!({ "request_type": "dragon" }));
    let hundred = async |command| -> Vec<CommandResult> {
        stream::iter(0..100)
            .map(|number| {
                let (witness, website) = (&witness, &website);
                async move {
                    if number % 10 == 0 {
                        witness.send(website, command).await
                    } else {
                        witness.call(website, command).await
                    }
                }
            })
            .buffer_unordered(8)
            .collect()
            .await
    };
    let told: BTreeSet<String> = hundred(&asks)
        .await
        .iter()
        .map(|result| format!("{result:?}"))
        .collect();
    assert_eq!(told.len(), 1, "{told:?}");
    let told: BTreeSet<String> = hundred(&refused)
        .await
        .into_iter()
        .map(|result| rejected(result).detail)
        .collect();
    assert_eq!(told.len(), 1, "{told:?}");

    // The next day: other services, and a bus that has lost what it held.
    let first = accepted(witness.call(&website, &asks).await);
    drop(services);
    council.nats.wipe().await;
    council.make_streams().await;
    let _another = council.serve("command-service");
    let again = eventually("it is answered again", PATIENCE, || async {
        Some(witness.call(&website, &asks).await)
    })
    .await;
    assert_eq!(accepted(again), first);
    assert_eq!(accepted(witness.send(&website, &asks).await), first);
    witness.assert_kept(&council, Running::CommandService).await;
    let events: i64 = sqlx::query_scalar("SELECT count(*) FROM ledger.events")
        .fetch_one(&council.owner().await)
        .await
        .unwrap();
    assert_eq!(events, 1);
}
