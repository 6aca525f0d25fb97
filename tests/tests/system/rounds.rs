//! Rounds over the bus: what a crew told of a collection is known when somebody reports it missed.

use serde_json::{Value, json};
use system_tests::council::{PATIENCE, example, rejected};
use system_tests::eventually;
use time::OffsetDateTime;

use crate::office::Office;

fn today() -> String {
    catalogue::london::day_of(OffsetDateTime::now_utc()).to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bin_that_was_not_out_reaches_an_officer_and_its_neighbour_s_the_crew() {
    let office = Office::open().await;
    let _services = office.council.serve_all().await;
    let partner = office.council.client("street-partner").await;
    let tell = async |name: &str, put_in: Value| {
        let mut data = example(name, json!({ "day": today() }));
        data.as_object_mut()
            .unwrap()
            .extend(put_in.as_object().unwrap().clone());
        office.council.call(&partner, name, None, data).await
    };
    let scheduled = system_tests::council::accepted(tell("RecordScheduledCollections", json!({})).await);
    system_tests::council::accepted(tell("RecordRoundStatus", json!({})).await);
    system_tests::council::accepted(tell("RecordCollectionException", json!({})).await);
    let unknown = rejected(tell("RecordCollectionException", json!({ "code": "DOG" })).await);
    assert_eq!(
        (unknown.code(), unknown.errors[0].pointer.as_str()),
        ("unknown_code", "/code")
    );
    // The stream follows from contractor, round and day.
    let round = office.log(scheduled.aggregate_id).await;
    let names: Vec<&str> = round.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        [
            "ScheduledCollectionsRecorded",
            "RoundStatusRecorded",
            "CollectionExceptionRecorded"
        ]
    );
    assert!(round[2].1["uprn"]["sealed"].is_string() && round[2].1["note"]["sealed"].is_string());

    let customer = office.registers(json!({})).await;
    let report = async |uprn: &str| {
        let answers = json!({ "bin_type": "refuse", "round": "TUE-3", "scheduled_day": today(), "presented": true });
        let place = json!({ "description": "At the gate", "uprn": uprn });
        let submit = example(
            "SubmitRequest",
            json!({ "customer_id": customer, "answers": answers, "place": place }),
        );
        office
            .council
            .accept(&office.website, "SubmitRequest", None, submit)
            .await
            .aggregate_id
    };
    let not_out = office.log(report("100021421234").await).await;
    let found = &not_out[1].1;
    assert_eq!(
        (not_out[1].0.as_str(), &found["exception"]["points_to"]),
        ("CollectionLookedUp", &json!("not-presented")),
        "{not_out:?}"
    );
    assert_eq!(
        (not_out[2].0.as_str(), &not_out[2].1["team"]),
        ("RequestAssigned", &json!("waste-client"))
    );
    let neighbour = office.log(report("100021421235").await).await;
    assert_eq!(
        (neighbour[1].1["status"].as_str(), neighbour[1].1["exception"].is_null()),
        (Some("finished"), true)
    );
    assert_eq!(neighbour[2].0, "JobRaised", "{neighbour:?}");

    // Analysts have what misses are counted against: how many were due, and what the crew said was not made.
    let counted: (i64, i64, Option<String>) = eventually("reporting has the round", PATIENCE, || async {
        sqlx::query_as("SELECT scheduled, not_collected, status FROM reporting.collections WHERE what = 'refuse' AND not_collected > 0")
            .fetch_optional(&office.owner)
            .await
            .unwrap()
    })
    .await;
    assert_eq!(counted, (812, 1, Some("finished".to_owned())));
    let verified = office.council.run(&["projection", "verify", "reporting"], "").await;
    assert!(
        verified.status.success(),
        "{}",
        String::from_utf8_lossy(&verified.stdout)
    );

    // Only a contractor tells of rounds, and each of its own: another's stream is another.
    let by_phone = json!({ "actor": { "kind": "contractor", "id": "tree-surgeons" }, "day": today() });
    let another = office
        .council
        .call(
            &office.contact_centre,
            "RecordRoundStatus",
            None,
            example("RecordRoundStatus", by_phone),
        )
        .await;
    assert_eq!(rejected(another).code(), "no_rounds");
    let by_officer = json!({ "actor": { "kind": "officer", "id": "j.okafor" }, "day": today() });
    let officer = office
        .council
        .call(
            &office.contact_centre,
            "RecordRoundStatus",
            None,
            example("RecordRoundStatus", by_officer),
        )
        .await;
    assert_eq!(rejected(officer).code(), "actor_not_allowed");
}
