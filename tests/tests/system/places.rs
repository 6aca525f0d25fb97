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

    /// Of which cases a case was said to repeat them, and by what they were found.
    async fn suggested(&self, case: AggregateId) -> Vec<(String, String)> {
        let log = self.log(case).await;
        let suggestions = log.iter().filter(|(name, _)| name == "DuplicatesSuggested");
        let cases = suggestions.flat_map(|(_, payload)| payload["cases"].as_array().unwrap());
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        cases
            .map(|found| (text(&found["case_id"]), text(&found["found_by"])))
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
            "/place",
            "outside_area",
        ),
        (
            json!({ "easting": 530_000.0, "northing": 180_000.0 }),
            "/place",
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
    assert_eq!(office.suggested(first).await, []);
    let near = office.reports("pothole", north(19.0)).await;
    assert_eq!(office.suggested(near).await, [(first.to_string(), "near".to_owned())]);
    // Too far, or something else.
    assert_eq!(
        office.suggested(office.reports("pothole", north(-21.0)).await).await,
        []
    );
    assert_eq!(office.suggested(office.reports("graffiti", north(1.0)).await).await, []);
    // The nearest comes first. What was said once is not said again.
    let between = office.reports("pothole", north(18.0)).await;
    let both = [
        (near.to_string(), "near".to_owned()),
        (first.to_string(), "near".to_owned()),
    ];
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
    assert!(
        !found.contains(&(near.to_string(), "near".to_owned())) && found.len() == 2,
        "{found:?}"
    );
    office
        .does(near, "ReopenRequest", json!({ "reason": "It is another hole." }))
        .await;
    let again = office.reports("pothole", north(19.2)).await;
    assert!(
        office
            .suggested(again)
            .await
            .contains(&(near.to_string(), "near".to_owned()))
    );
    // A case that becomes another type's is found as one.
    let light =
        json!({ "request_type": "streetlight", "answers": { "fault": "out" }, "reason": "The lamp, not the road." });
    office.does(near, "ChangeType", light).await;
    let lamp = office.reports("streetlight", north(19.2)).await;
    assert_eq!(office.suggested(lamp).await, [(near.to_string(), "near".to_owned())]);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_property_s_cases_are_found_and_the_erased_one_is_not() {
    let office = office().await;
    let _services = office.council.serve_all().await;
    let miss = async |customer: AggregateId| {
        let place = json!({ "uprn": "100021421234" });
        let put_in = json!({ "customer_id": customer, "place": place });
        office.opens(example("SubmitRequest", put_in)).await
    };
    let ada = office.registers(json!({})).await;
    let first = miss(ada).await;
    let bob = office.registers(json!({ "email": "bob@example.org" })).await;
    let second = miss(bob).await;
    let by_property = |case: AggregateId| (case.to_string(), "same_property".to_owned());
    assert_eq!(office.suggested(second).await, [by_property(first)]);
    sqlx::query("SELECT vault.erase($1::uuid, 'objection')")
        .bind(ada.uuid())
        .execute(&office.owner)
        .await
        .unwrap();
    let carol = office.registers(json!({ "email": "carol@example.org" })).await;
    assert_eq!(office.suggested(miss(carol).await).await, [by_property(second)]);
    let kept: i64 = sqlx::query_scalar("SELECT count(*) FROM vault.lookups WHERE person = $1::uuid")
        .bind(first.uuid())
        .fetch_one(&office.owner)
        .await
        .unwrap();
    assert_eq!(kept, 0, "where an erased person's case is leads nowhere");
}
