//! Customers as people: how they are reached, who speaks for them, that they died, and that two records are of one person.

use schemas::AggregateId;
use serde_json::{Value, json};
use system_tests::council::{PATIENCE, example, rejected};
use system_tests::eventually;

use crate::office::Office;

impl Office {
    /// How the notices about a case ended, in order.
    async fn notified(&self, case: AggregateId, many: usize) -> Vec<String> {
        eventually("the case knows how its notices ended", PATIENCE, || async {
            let ends: Vec<String> = sqlx::query_scalar(
                "SELECT coalesce(payload ->> 'failure', 'sent') FROM ledger.events \
                 WHERE aggregate_id = $1::text AND event_type LIKE 'Notification%' ORDER BY sequence",
            )
            .bind(case.to_string())
            .fetch_all(&self.owner)
            .await
            .unwrap();
            (ends.len() == many).then_some(ends)
        })
        .await
    }

    async fn run(&self, arguments: &[&str]) -> String {
        String::from_utf8_lossy(&self.council.run(arguments, "").await.stdout).into_owned()
    }
}

fn submit(customer: AggregateId) -> Value {
    example("SubmitRequest", json!({ "customer_id": customer }))
}

fn by_representative(id: AggregateId, of: AggregateId, mut data: Value) -> Value {
    data["actor"] = json!({ "kind": "representative", "id": id, "assurance": "signed_in" });
    data["on_behalf_of"] = json!(of);
    data
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_reaches_the_dead_and_nothing_is_asked_in_their_name() {
    let office = Office::open().await;
    let _services = office.council.serve_all().await;
    let customer = office.registers(json!({})).await;
    let case = office
        .council
        .accept(&office.website, "SubmitRequest", None, submit(customer))
        .await
        .aggregate_id;
    assert_eq!(office.notified(case, 1).await, ["sent"]);
    office.does(customer, "SetContactPreferences", json!({})).await;
    let update = || json!({ "description": "By the gate.", "actor": { "kind": "resident" }, "channel": "online" });
    office
        .council
        .accept(&office.website, "UpdateRequest", Some(case), update())
        .await;
    assert_eq!(
        office.notified(case, 2).await,
        ["sent", "prefers_another_medium"],
        "somebody has to write a letter"
    );

    office.does(customer, "RecordDeath", json!({})).await;
    assert_eq!(
        office.refuses(Some(case), "UpdateRequest", update()).await,
        "customer_died"
    );
    assert_eq!(
        office.refuses(None, "SubmitRequest", submit(customer)).await,
        "customer_died"
    );
    let officer = json!({ "kind": "officer", "id": "j.okafor" });
    let mut by_officer = update();
    (by_officer["actor"], by_officer["channel"]) = (officer, json!("phone"));
    office
        .council
        .accept(&office.contact_centre, "UpdateRequest", Some(case), by_officer)
        .await;
    assert_eq!(office.notified(case, 3).await[2], "deceased");

    office.does(customer, "CorrectDeathRecord", json!({})).await;
    office
        .council
        .accept(&office.website, "UpdateRequest", Some(case), update())
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_representative_acts_within_what_they_may() {
    let office = Office::open().await;
    let _services = office.council.serve_all().await;
    let (mother, son) = (office.registers(json!({})).await, office.registers(json!({})).await);
    let by_son = |data| by_representative(son, mother, data);
    let report = || by_son(submit(mother));
    assert_eq!(
        office.refuses(None, "SubmitRequest", report()).await,
        "not_their_representative"
    );
    office
        .does(mother, "AuthoriseRepresentative", json!({ "representative": son }))
        .await;
    let case = office
        .council
        .accept(&office.website, "SubmitRequest", None, report())
        .await
        .aggregate_id;
    let update = by_son(json!({ "description": "By the gate.", "channel": "online" }));
    office
        .council
        .accept(&office.website, "UpdateRequest", Some(case), update.clone())
        .await;
    // He may not speak for her about her blue badge, nor change where she lives.
    let mut badge = report();
    badge["request_type"] = json!("blue-badge");
    badge["answers"] = json!({ "application": "new" });
    assert_eq!(
        office.refuses(None, "SubmitRequest", badge).await,
        "not_their_representative"
    );
    let details = by_son(json!({ "phone": "01234 567890", "channel": "online" }));
    assert_eq!(
        office.refuses(Some(mother), "UpdateContactDetails", details).await,
        "not_their_representative"
    );
    let mut for_another = report();
    for_another["on_behalf_of"] = json!(son);
    assert_eq!(
        office.refuses(None, "SubmitRequest", for_another).await,
        "on_behalf_of_another"
    );
    office
        .does(mother, "EndRepresentation", json!({ "representative": son }))
        .await;
    assert_eq!(
        office.refuses(Some(case), "UpdateRequest", update).await,
        "not_their_representative"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn two_records_of_one_person_are_one_and_can_be_parted() {
    let office = Office::open().await;
    let _services = office.council.serve_all().await;
    let (one, other) = (office.registers(json!({})).await, office.registers(json!({})).await);
    let case = office
        .council
        .accept(&office.website, "SubmitRequest", None, submit(other))
        .await;
    let suggested = office.run(&["customer", "duplicates", &one.to_string()]).await;
    assert!(suggested.contains(&other.to_string()), "{suggested}");
    office.does(other, "MergeCustomer", json!({ "into": one })).await;
    assert_eq!(
        office.refuses(None, "SubmitRequest", submit(other)).await,
        "customer_merged"
    );
    let reference = case.reference.unwrap().to_string();
    eventually(
        "its cases are listed with those of the record that is kept",
        PATIENCE,
        || async {
            office
                .run(&["customer", "history", &one.to_string()])
                .await
                .contains(&reference)
                .then_some(())
        },
    )
    .await;
    let third = office.registers(json!({})).await;
    let into_merged = json!({ "into": other });
    for (stream, into, code) in [
        (third, into_merged, "merged_into_merged"),
        (one, json!({ "into": third }), "others_merged_into_it"),
        (third, json!({ "into": third }), "merged_into_itself"),
        (
            third,
            json!({ "into": "6f0a6b1e-7c1d-5c57-9f3a-2f6f0c6d9a11" }),
            "unknown_customer",
        ),
    ] {
        let merge = example("MergeCustomer", into);
        let refused = rejected(
            office
                .council
                .call(&office.contact_centre, "MergeCustomer", Some(stream), merge)
                .await,
        );
        assert_eq!(refused.code(), code);
    }
    let owned = async || -> Vec<uuid::Uuid> {
        sqlx::query_scalar("SELECT DISTINCT owner FROM vault.keys WHERE person = $1")
            .bind(other.uuid())
            .fetch_all(&office.owner)
            .await
            .unwrap()
    };
    assert_eq!(owned().await, [one.uuid()], "who erases the one erases the other");
    office.does(other, "PartCustomer", json!({})).await;
    assert_eq!(owned().await, [other.uuid()]);
    office
        .council
        .accept(&office.website, "SubmitRequest", None, submit(other))
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_known_of_a_person_is_shown_to_an_officer_who_says_why() {
    let office = Office::open().await;
    let _services = office.council.serve_all().await;
    let customer = office.registers(json!({})).await;
    office.does(customer, "RecordAdjustments", json!({})).await;
    office.does(customer, "SetHazardMarker", json!({})).await;
    let shown = eventually("the history knows", PATIENCE, || async {
        let shown = office.run(&["customer", "show", &customer.to_string()]).await;
        shown.contains("visit_in_pairs").then_some(shown)
    })
    .await;
    assert!(shown.contains("[sealed]") && !shown.contains("Large print"), "{shown}");
    let opened = office
        .run(&[
            "customer",
            "show",
            &customer.to_string(),
            "--officer",
            "a.rahman",
            "--reason",
            "She is at the desk.",
        ])
        .await;
    assert!(
        opened.contains("Large print") && opened.contains("The dog bit"),
        "{opened}"
    );
    let nobody = ["--officer", "nobody.here", "--reason", "curious"];
    let id = customer.to_string();
    let refused = office
        .council
        .run(&[&["customer", "show", id.as_str()], &nobody[..]].concat(), "")
        .await;
    assert_eq!(
        refused.status.code(),
        Some(2),
        "only an officer of the register opens anything"
    );
    assert!(refused.stdout.is_empty());
    office.does(customer, "EndHazardMarker", json!({})).await;
    let open: i64 = sqlx::query_scalar("SELECT count(*) FROM ledger.events WHERE payload::text ~ 'Large print|dog'")
        .fetch_one(&office.owner)
        .await
        .unwrap();
    assert_eq!(open, 0);
}
