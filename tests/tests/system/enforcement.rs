//! An offence over the bus: what was found, whom it is about, what was done and what that cost; and whoever complained reaches neither them
//! nor the contractor.

use serde_json::{Value, json};
use system_tests::council::{PATIENCE, example};
use system_tests::eventually;

use crate::jobs::Partner;
use crate::office::Office;

/// Words that only whoever complained brings in.
const COMPLAINANT: [&str; 5] = ["Ada", "Lovelace", "ada@example.org", "Orchard Row", "kitchen window"];

fn by(officer: &str, mut data: Value) -> Value {
    (data["actor"], data["channel"]) = (json!({ "kind": "officer", "id": officer }), json!("phone"));
    data
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fly_tip_is_cleared_and_fined_and_nobody_learns_who_saw_it() {
    let office = Office::open().await;
    let _services = office.council.serve_all().await;
    let complainant = office
        .registers(
            json!({ "name": "Ada Lovelace", "email": "ada@example.org", "address": { "lines": ["14 Orchard Row"] } }),
        )
        .await;
    let subject = office
        .registers(json!({ "name": "Sid Fly", "email": "sid@example.org" }))
        .await;
    office.does(complainant, "SetHazardMarker", json!({})).await;
    let case = office
        .opens(json!({
            "request_type": "fly-tip", "customer_id": complainant, "description": "I saw it from my kitchen window.",
            "place": { "description": "Opposite my kitchen window in Orchard Row", "latitude": 52.595, "longitude": -0.99, "postcode": "NM4 7QP", "uprn": "100021421234" },
            "answers": { "waste_type": "household", "volume": "van", "seen_by": true },
        }))
        .await;

    // The crew learns where and what, and nothing of who saw it.
    let partner = Partner::of(&office.council).await;
    let told = partner.reads(1).await;
    let content = serde_json::to_string(told[0].content.as_ref().unwrap()).unwrap();
    for words in COMPLAINANT {
        assert!(!content.contains(words), "{words} in {content}");
    }
    assert!(
        !content.contains("NM4 7QP") && !content.contains("100021421234"),
        "{content}"
    );
    assert!(
        content.contains("52.595") && content.contains("household") && !content.contains("visit_in_pairs"),
        "{content}"
    );

    let incident = json!({ "land": "back_alleyway", "size": "small_van_load", "found_by": "public" });
    let officer = |data: Value| by("j.okafor", data);
    let send = async |name: &str, data: Value| {
        office
            .council
            .accept(&office.contact_centre, name, Some(case), data)
            .await
    };
    send("RecordIncident", officer(incident)).await;
    let unknown = officer(json!({ "subject": uuid::Uuid::new_v4(), "grounds": "A letter." }));
    assert_eq!(
        office.refuses(Some(case), "NameSubject", unknown).await,
        "unknown_customer"
    );
    send(
        "NameSubject",
        officer(json!({ "subject": subject, "grounds": "Seen by Ada Lovelace from her kitchen window.", "told": "A letter to Sid Fly lay among the bags." })),
    )
    .await;
    send(
        "TakeEnforcementAction",
        officer(json!({ "action": "investigation", "taken_on": today(), "cost_pence": 12_000 })),
    )
    .await;
    let fined = json!({
        "action": "fixed_penalty", "subject": subject, "taken_on": today(), "cost_pence": 4_800, "penalty_pence": 40_000,
        "notice_number": "FPN-20417", "note": "Handed over at the door.", "reason": "Admitted in interview.",
    });
    let penalty = send("TakeEnforcementAction", officer(fined)).await;
    let mistake = send(
        "TakeEnforcementAction",
        officer(json!({ "action": "stop_and_search", "taken_on": today(), "cost_pence": 1 })),
    )
    .await;
    send(
        "CorrectEntry",
        officer(json!({ "entry": mistake.version, "reason": "Of another case." })),
    )
    .await;
    send(
        "RecordActionResult",
        officer(json!({ "action": penalty.version, "result": "paid", "on": today(), "pence": 40_000 })),
    )
    .await;

    // What is said of the subject is sealed for them: who complained can be erased, and it stays; the subject can't act in the case.
    let sealed_for: Vec<String> =
        sqlx::query_scalar("SELECT DISTINCT person::text FROM vault.keys WHERE stream = $1::uuid ORDER BY 1")
            .bind(case.uuid())
            .fetch_all(&office.owner)
            .await
            .unwrap();
    let mut both = [complainant.to_string(), subject.to_string()];
    both.sort();
    assert_eq!(sealed_for, both);
    let mut meddling = json!({ "description": "It was not me.", "channel": "online" });
    meddling["actor"] = json!({ "kind": "resident", "id": subject });
    assert_eq!(
        office.refuses(Some(case), "UpdateRequest", meddling).await,
        "not_theirs"
    );
    let to_subject = officer(json!({ "customer_id": subject, "reason": "A slip." }));
    assert_eq!(
        office.refuses(Some(case), "MoveToCustomer", to_subject).await,
        "moved_to_whom_it_is_about"
    );

    // The statement for the subject, opened by an officer.
    let subject_id = subject.to_string();
    let case_id = case.to_string();
    let statement = [
        "case",
        "statement",
        &case_id,
        "--subject",
        &subject_id,
        "--officer",
        "j.okafor",
        "--reason",
        "They asked.",
    ];
    let shown = eventually("the statement is there", PATIENCE, || async {
        let shown = office.council.run(&statement, "").await;
        let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
        shown.contains("paid").then_some(shown)
    })
    .await;
    for words in COMPLAINANT.into_iter().chain([
        complainant.to_string().as_str(),
        "12000",
        "£120",
        "stop_and_search",
        "Admitted in interview",
        "ENV-",
    ]) {
        assert!(!shown.contains(words), "{words} in {shown}");
    }
    for words in ["FPN-20417", "Sid Fly lay among the bags", "Handed over", "£400.00"] {
        assert!(shown.contains(words), "{words} not in {shown}");
    }
    let other = ["case", "statement", &case_id, "--subject", &complainant.to_string()];
    assert_eq!(office.council.run(&other, "").await.status.code(), Some(1));

    // Only whoever complained has emails about it.
    let emails = std::fs::read_dir(office.council.mail_dir())
        .unwrap()
        .map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap());
    assert!(
        emails
            .filter(|email| email.contains("ENV-"))
            .all(|email| !email.contains("sid@example.org"))
    );

    // The yearly figures: the incident by land and size, and each action with its cost, but for the one that was struck out.
    let incident: (String, String, String) = eventually("reporting has the incident", PATIENCE, || async {
        sqlx::query_as("SELECT land, incident_size, found_by FROM reporting.requests WHERE land IS NOT NULL")
            .fetch_optional(&office.owner)
            .await
            .unwrap()
    })
    .await;
    assert_eq!(
        incident,
        ("back_alleyway".into(), "small_van_load".into(), "public".into())
    );
    let actions: Vec<(String, i64, Option<String>)> = eventually("reporting has the actions", PATIENCE, || async {
        let actions: Vec<(String, i64, Option<String>)> =
            sqlx::query_as("SELECT action, cost_pence, result FROM reporting.enforcement_actions ORDER BY cost_pence")
                .fetch_all(&office.owner)
                .await
                .unwrap();
        actions.iter().any(|(_, _, result)| result.is_some()).then_some(actions)
    })
    .await;
    assert_eq!(
        actions,
        [
            ("fixed_penalty".into(), 4_800, Some("paid".into())),
            ("investigation".into(), 12_000, None)
        ]
    );
    let verified = office.council.run(&["projection", "verify", "reporting"], "").await;
    assert!(
        verified.status.success(),
        "{}",
        String::from_utf8_lossy(&verified.stdout)
    );

    // Whoever complained is erased; what is said of the subject stays readable to who may read it.
    sqlx::query("SELECT vault.erase($1::uuid, 'objection')")
        .bind(complainant.uuid())
        .execute(&office.owner)
        .await
        .unwrap();
    let shown = office.council.run(&statement, "").await;
    assert!(String::from_utf8_lossy(&shown.stdout).contains("Handed over"));
    let history = office
        .council
        .run(
            &[
                "case",
                "history",
                &case_id,
                "--officer",
                "j.okafor",
                "--reason",
                "To look.",
            ],
            "",
        )
        .await;
    assert!(String::from_utf8_lossy(&history.stdout).contains("[erased]"));
}

fn today() -> String {
    catalogue::london::day_of(time::OffsetDateTime::now_utc()).to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_place_in_words_alone_still_reaches_the_crew() {
    let office = Office::open().await;
    let _services = office.council.serve_all().await;
    let mut data = example(
        "SubmitRequest",
        json!({ "request_type": "fly-tip", "answers": {}, "place": { "description": "Behind the mill" } }),
    );
    data.as_object_mut().unwrap().remove("customer_id");
    office.opens(data).await;
    let told = Partner::of(&office.council).await.reads(1).await;
    let content = serde_json::to_string(told[0].content.as_ref().unwrap()).unwrap();
    assert!(content.contains("Behind the mill"), "{content}");
}
