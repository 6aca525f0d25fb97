//! Fault 9: a valid command that makes its handler fail each time: the database can't take what follows from it.

use std::sync::Arc;

use schemas::AggregateId;
use schemas::result::CommandStatus;
use serde_json::json;
use system_tests::council::{PATIENCE, accepted, obstruction, rejected};
use system_tests::{Council, Running, Traffic, Way, Witness, eventually};

/// Has the database refuse whatever is added to one case, as a constraint would that we do not know of.
fn refuse_events_of(case: AggregateId) -> String {
    format!(
        "CREATE FUNCTION public.refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
             RAISE EXCEPTION 'not this case' USING ERRCODE = 'check_violation';
         END $$;
         CREATE TRIGGER refuse BEFORE INSERT ON ledger.events
             FOR EACH ROW WHEN (NEW.aggregate_id = '{case}') EXECUTE FUNCTION public.refuse()"
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_its_reason_and_acts_once_its_case_is_mended() {
    let council = Arc::new(Council::new().await);
    let _service = council.serve("command-service");
    council.answering().await;
    let (witness, website) = (Witness::default(), council.client("website").await);
    let submit = council.command_of("SubmitRequest", None, obstruction("Deep"));
    let case = accepted(witness.call(&website, &submit).await).aggregate_id;
    let superuser = council.database.superuser().await;
    sqlx::raw_sql(&refuse_events_of(case))
        .execute(&superuser)
        .await
        .unwrap();

    let traffic = Traffic::start(&council, Way::Durable).await;
    traffic.flow(8).await;
    let update =
        json!({ "description": "Deeper", "channel": "online", "actor": { "kind": "resident", "assurance": "none" } });
    let poison = council.command_of("UpdateRequest", Some(case), update.clone());
    let told = website.send(&poison).await.unwrap();
    assert_eq!(rejected(told).code(), "not_handled");
    traffic.flow(8).await;
    let letters = || async { council.letters().await };
    let letters = eventually("it is put aside", PATIENCE, || async {
        Some(letters().await).filter(|letters| letters.len() == 1)
    })
    .await;
    assert_eq!(letters[0]["reason"], "the service failed on it");
    assert_eq!(letters[0]["subject"], "caseledger.command.website.UpdateRequest");
    // A call is not told that it was refused for good: who called has it still.
    let called = council.command_of("UpdateRequest", Some(case), update.clone());
    assert_eq!(website.call(&called).await.unwrap().status, CommandStatus::Unavailable);

    // Mended, the same is asked again: under a new id, since the first was told that it was refused.
    sqlx::raw_sql("DROP TRIGGER refuse ON ledger.events")
        .execute(&superuser)
        .await
        .unwrap();
    let again = council.command_of("UpdateRequest", Some(case), update);
    accepted(witness.send(&website, &again).await);
    accepted(witness.call(&website, &called).await);
    let of_traffic = traffic.stop().await;
    let breaches = of_traffic.breaches(&council, Running::CommandService).await;
    assert_eq!(breaches.len(), 1, "the one letter: {breaches:?}");
}
