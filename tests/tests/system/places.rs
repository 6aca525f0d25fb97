//! Places over the bus: in which ward a report is, that it is none of the council's, and that somebody reported the same before.

use schemas::AggregateId;
use serde_json::{Value, json};
use system_tests::council::{example, rejected};

use crate::office::Office;

/// In the ward Market Place of the sample's town.
const HERE: (f64, f64) = (52.595, -0.99);

/// A place so many metres north of it.
fn north(metres: f64) -> Value {
    json!({ "description": "By the lamp post", "latitude": HERE.0 + metres / 111_195.0, "longitude": HERE.1 })
}

async fn office() -> Office {
    let mut office = Office::open().await;
    office.council.has_boundaries();
    office
}

impl Office {
    async fn reports(&self, request_type: &str, place: Value) -> AggregateId {
        let mut data = example(
            "SubmitRequest",
            json!({ "request_type": request_type, "place": place, "answers": {} }),
        );
        data.as_object_mut().unwrap().remove("customer_id");
        self.opens(data).await
    }

    /// The cases that a case was said to repeat perhaps.
    async fn suggested(&self, case: AggregateId) -> Vec<String> {
        let log = self.log(case).await;
        let suggestions = log.iter().filter(|(name, _)| name == "DuplicatesSuggested");
        let cases = suggestions.flat_map(|(_, payload)| payload["cases"].as_array().unwrap());
        cases
            .map(|found| found["case_id"].as_str().unwrap().to_owned())
            .collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ward_stands_in_clear_beside_the_sealed_place_and_nothing_is_taken_from_outside() {
    let office = office().await;
    let _services = office.council.serve_all().await;
    let case = office.reports("pothole", north(0.0)).await;
    let (_, submitted) = &office.log(case).await[0];
    assert_eq!(submitted["located"]["ward"]["code"], "E05999005");
    assert_eq!(submitted["located"]["statistical_area"]["code"], "E01999009");
    assert_eq!(submitted["located"]["ward"]["boundaries"]["version"], "2025-05");
    assert!(submitted["place"]["sealed"].is_string());

    // On the National Grid; and a place without coordinates takes the ward away again.
    let moved = json!({ "place": { "easting": 466_500.0, "northing": 300_500.0, "usrn": "20401234" }, "answers": {} });
    office.does(case, "UpdateRequest", moved).await;
    let nowhere = json!({ "place": { "description": "Somewhere in the High Street" }, "answers": {} });
    office.does(case, "UpdateRequest", nowhere).await;
    let log = office.log(case).await;
    let updates: Vec<&Value> = log
        .iter()
        .filter(|(name, _)| name == "RequestUpdated")
        .map(|(_, payload)| payload)
        .collect();
    assert_eq!(updates[0]["located"]["ward"]["code"], "E05999004", "{}", updates[0]);
    assert!(updates[1].get("located").is_none(), "{}", updates[1]);

    for (place, pointer, code) in [
        (
            json!({ "latitude": 51.5, "longitude": -0.12 }),
            "/place/latitude",
            "outside_area",
        ),
        (
            json!({ "easting": 530_000.0, "northing": 180_000.0 }),
            "/place/easting",
            "outside_area",
        ),
        (json!({ "latitude": 52.595 }), "/place/longitude", "missing_field"),
        (
            json!({ "latitude": 52.595, "longitude": -0.99, "easting": 466_500.0, "northing": 300_500.0 }),
            "/place/easting",
            "points_differ",
        ),
    ] {
        let submit = example(
            "SubmitRequest",
            json!({ "request_type": "pothole", "place": place, "answers": {} }),
        );
        let problem = rejected(
            office
                .council
                .call(&office.website, "SubmitRequest", None, submit)
                .await,
        );
        assert_eq!(
            (problem.errors[0].pointer.as_str(), problem.code()),
            (pointer, code),
            "{problem:?}"
        );
        assert!(
            !problem.detail.contains("51.5") && !problem.detail.contains("52.5"),
            "{problem:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_hole_reported_again_is_suggested_and_each_reporter_has_an_answer() {
    let office = office().await;
    let _services = office.council.serve_all().await;
    let first = office.reports("pothole", north(0.0)).await;
    assert!(office.suggested(first).await.is_empty());
    let near = office.reports("pothole", north(19.0)).await;
    assert_eq!(office.suggested(near).await, [first.to_string()]);
    // Too far, or something else.
    assert!(
        office
            .suggested(office.reports("pothole", north(-21.0)).await)
            .await
            .is_empty()
    );
    assert!(
        office
            .suggested(office.reports("graffiti", north(1.0)).await)
            .await
            .is_empty()
    );
    // The nearest comes first. What was said once is not said again.
    let between = office.reports("pothole", north(18.0)).await;
    let both = [near.to_string(), first.to_string()];
    assert_eq!(office.suggested(between).await, both);
    office
        .does(between, "UpdateRequest", json!({ "place": north(17.0), "answers": {} }))
        .await;
    assert_eq!(office.suggested(between).await, both);

    // Nothing was merged: each is open, with clocks of its own, and is a job. An officer decides, and each reporter is answered.
    for case in [first, near] {
        let names: Vec<String> = office.log(case).await.into_iter().map(|(name, _)| name).collect();
        assert!(names.contains(&"JobRaised".to_owned()), "{names:?}");
    }
    office
        .does(
            near,
            "LinkCase",
            json!({ "relation": "duplicate_of", "case_id": first }),
        )
        .await;
    let close = |outcome: &str| {
        json!({ "outcome": outcome, "actor": { "kind": "officer", "id": "m.hughes" }, "reason": "Seen on site.",
                "decided_by": { "kind": "officer", "id": "m.hughes" } })
    };
    office.does(near, "CloseRequest", close("duplicate")).await;
    let log = office.log(first).await;
    assert!(
        log.iter().all(|(name, _)| name != "RequestClosed"),
        "the first goes on: {log:?}"
    );

    // A case that has ended is not repeated; reopened, it is again.
    let later = office.reports("pothole", north(19.5)).await;
    let found = office.suggested(later).await;
    assert!(!found.contains(&near.to_string()) && found.len() == 2, "{found:?}");
    office
        .does(near, "ReopenRequest", json!({ "reason": "It is another hole." }))
        .await;
    let again = office.reports("pothole", north(19.2)).await;
    assert!(office.suggested(again).await.contains(&near.to_string()));
    // A case that becomes another type's is found as one.
    let light =
        json!({ "request_type": "streetlight", "answers": { "fault": "out" }, "reason": "The lamp, not the road." });
    office.does(near, "ChangeType", light).await;
    let lamp = office.reports("streetlight", north(19.2)).await;
    assert_eq!(office.suggested(lamp).await, [near.to_string()]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_case_is_found_where_it_is_while_it_is_open_and_by_nobody_once_its_person_is_erased() {
    let office = office().await;
    let _services = office.council.serve_all().await;
    let _second = office.council.serve("command-service");
    let found_at = async |metres: f64| office.suggested(office.reports("drain", north(metres)).await).await;
    let report = async |customer: AggregateId, metres: f64| {
        let data = json!({ "request_type": "drain", "customer_id": customer, "place": north(metres), "answers": {} });
        office.opens(data).await
    };
    let ada = office.registers(json!({})).await;
    let case = report(ada, 0.0).await;
    assert_eq!(found_at(1.0).await, [case.to_string()]);

    // Moved, it is found where it is now; cancelled, nowhere; with the cancelling struck out, again.
    office
        .does(case, "UpdateRequest", json!({ "place": north(1_000.0), "answers": {} }))
        .await;
    assert!(!found_at(2.0).await.contains(&case.to_string()));
    assert_eq!(found_at(1_001.0).await, [case.to_string()]);
    let by_officer = |mut data: Value| {
        (data["actor"], data["channel"]) = (json!({ "kind": "officer", "id": "m.hughes" }), json!("phone"));
        data
    };
    let send = async |name: &str, data: Value| {
        office
            .council
            .accept(&office.contact_centre, name, Some(case), by_officer(data))
            .await
    };
    let cancelled = send("CancelRequest", json!({ "reason": "A slip." })).await;
    assert!(!found_at(1_002.0).await.contains(&case.to_string()));
    // The job that fell with it is an event of the same command: the cancelling is the one before.
    let log = office.log(case).await;
    let entry = log.iter().position(|(name, _)| name == "RequestCancelled").unwrap() + 1;
    assert!(cancelled.version.0 >= i64::try_from(entry).unwrap());
    send("CorrectEntry", json!({ "entry": entry, "reason": "It was not." })).await;
    assert!(found_at(1_003.0).await.contains(&case.to_string()));

    // Given to Bob; Ada is erased: her place is not to be found any more, and what is done in Bob's case goes on.
    let bob = office.registers(json!({ "email": "bob@example.org" })).await;
    send("MoveToCustomer", json!({ "customer_id": bob, "reason": "It is his." })).await;
    let erase = async |person: AggregateId| {
        sqlx::query("SELECT vault.erase($1::uuid, 'objection')")
            .bind(person.uuid())
            .execute(&office.owner)
            .await
            .unwrap();
    };
    erase(ada).await;
    send(
        "ChangeType",
        json!({ "request_type": "obstruction", "answers": {}, "reason": "A tree." }),
    )
    .await;
    let near = office.reports("obstruction", north(1_004.0)).await;
    assert!(office.suggested(near).await.is_empty());

    let carol = office.registers(json!({ "email": "carol@example.org" })).await;
    let hers = report(carol, 1_800.0).await;
    assert_eq!(found_at(1_801.0).await, [hers.to_string()]);
    erase(carol).await;
    assert!(!found_at(1_802.0).await.contains(&hers.to_string()));
    let kept: i64 = sqlx::query_scalar("SELECT count(*) FROM vault.lookups WHERE person = $1::uuid")
        .bind(hers.uuid())
        .fetch_one(&office.owner)
        .await
        .unwrap();
    assert_eq!(kept, 0, "where an erased person's case is leads nowhere");
}
