//! What officers do with a case, from the bus to the log, the history, the timetable and the resident's inbox.

use schemas::result::Accepted;
use schemas::{AggregateId, CustomerId};
use serde_json::{Value, json};
use system_tests::council::{BANK_HOLIDAYS, PATIENCE, example};
use system_tests::eventually;
use time::{Duration, OffsetDateTime};

use crate::office::Office;

impl Office {
    async fn customer(&self) -> CustomerId {
        CustomerId(self.registers(json!({})).await.0)
    }

    /// Somebody submits a request of this type, received so many days ago.
    async fn submits(&self, customer: CustomerId, code: &str, answers: Value, days_ago: i64) -> Accepted {
        let mut submit = json!({
            "request_type": code, "answers": answers, "customer_id": customer, "actor": { "kind": "resident" }, "channel": "online",
        });
        submit["received_on"] = json!(day(-days_ago));
        self.council.accept(&self.website, "SubmitRequest", None, submit).await
    }

    /// Waits until `caseledger case show` or `history` prints this.
    async fn shows(&self, case: &Accepted, how: &str, words: &str) {
        let reference = case.reference.as_ref().unwrap().to_string();
        eventually(&format!("case {how} prints {words}"), PATIENCE, || async {
            let shown = self.council.run(&["case", how, &reference], "").await;
            String::from_utf8_lossy(&shown.stdout).contains(words).then_some(())
        })
        .await;
    }
}

fn day(from_today: i64) -> String {
    let today = catalogue::london::day_of(OffsetDateTime::now_utc());
    (today.0 + Duration::days(from_today)).to_string()
}

fn by(officer: &str, mut data: Value) -> Value {
    data["actor"] = json!({ "kind": "officer", "id": officer });
    data["channel"] = json!("phone");
    data
}

#[tokio::test(flavor = "multi_thread")]
async fn a_complaint_goes_to_whoever_knows_and_its_remedy_is_due_after_it_is_closed() {
    let office = Office::open().await;
    let _services = office.council.serve_all().await;
    let customer = office.customer().await;
    let answers = json!({ "about": "waste", "what_went_wrong": "They closed it and never came." });
    let case = office.submits(customer, "complaint-stage-1", answers, 0).await;
    let acknowledged = office.does(case.aggregate_id, "AcknowledgeRequest", json!({})).await;
    office.does(case.aggregate_id, "RecordContact", json!({})).await;
    office.does(case.aggregate_id, "SendForInvestigation", json!({})).await;
    office
        .does(case.aggregate_id, "RecordFindings", json!({ "received_on": day(0) }))
        .await;
    let extended = office.does(case.aggregate_id, "ExtendTime", json!({})).await;
    office
        .does(
            case.aggregate_id,
            "LinkCase",
            json!({ "case_id": case_like(&office, customer).await }),
        )
        .await;
    let note = office
        .does(
            case.aggregate_id,
            "AddNote",
            by("a.rahman", json!({ "note": "For the neighbour." })),
        )
        .await;
    office
        .does(case.aggregate_id, "CorrectEntry", json!({ "entry": note.version }))
        .await;
    let close = by(
        "a.rahman",
        json!({ "outcome": "upheld", "reasons": "The crew did not come." }),
    );
    office
        .council
        .accept(&office.contact_centre, "CloseRequest", Some(case.aggregate_id), close)
        .await;
    office
        .does(case.aggregate_id, "AgreeRemedy", json!({ "due_on": day(30) }))
        .await;
    office.shows(&case, "show", &format!("{} (remedy_1)", day(30))).await;
    office.does(case.aggregate_id, "RecordRemedyDone", json!({})).await;

    for (accepted, notice, words) in [
        (&acknowledged, "request_acknowledged", "is looking into it"),
        (&extended, "time_extended", "a system that is down"),
    ] {
        let email = office.email(accepted.position, notice).await;
        assert!(email.contains(words) && email.contains("We will answer by"), "{email}");
    }
    office.shows(&case, "history", "RemedyDone").await;
    office.shows(&case, "history", "NoteAdded (struck out)").await;
    let sealed = "SELECT count(*) FROM ledger.events WHERE payload::text ~ 'lorry|back gate|depot|neighbour|£50|records for that week'";
    let open: i64 = sqlx::query_scalar(sealed).fetch_one(&office.owner).await.unwrap();
    assert_eq!(open, 0, "what was said and found is sealed");
}

async fn case_like(office: &Office, customer: CustomerId) -> AggregateId {
    let answers = json!({ "wanted": "The crew's log of that day." });
    office.submits(customer, "foi", answers, 0).await.aggregate_id
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_stage_follows_once_and_is_decided_by_somebody_else() {
    let office = Office::open().await;
    let _services = office.council.serve_all().await;
    let customer = office.customer().await;
    let answers = json!({ "about": "waste", "what_went_wrong": "They closed it and never came." });
    let first = office.submits(customer, "complaint-stage-1", answers, 0).await;
    let stage_2 = || {
        json!({
            "request_type": "complaint-stage-2", "customer_id": customer, "follows": first.aggregate_id,
            "answers": { "why_dissatisfied": "Nothing changed." }, "actor": { "kind": "resident" }, "channel": "online",
        })
    };
    assert_eq!(
        office.refuses(None, "SubmitRequest", stage_2()).await,
        "earlier_case_not_closed"
    );
    let close = by(
        "a.rahman",
        json!({ "outcome": "not-upheld", "reasons": "The crew came." }),
    );
    office
        .council
        .accept(&office.contact_centre, "CloseRequest", Some(first.aggregate_id), close)
        .await;
    let mut with_reference = stage_2();
    with_reference["external_ref"] = json!({ "system": "forms", "id": "77" });
    assert_eq!(
        office.refuses(None, "SubmitRequest", with_reference).await,
        "external_ref_with_follows"
    );
    let second = office
        .council
        .accept(&office.website, "SubmitRequest", None, stage_2())
        .await;
    assert_eq!(
        office.refuses(None, "SubmitRequest", stage_2()).await,
        "next_stage_exists"
    );
    let log = office.log(second.aggregate_id).await;
    assert_eq!(
        log[0].1["follows"],
        json!({ "case_id": first.aggregate_id, "decided_by": ["a.rahman"] })
    );
    let mut alone = stage_2();
    alone.as_object_mut().unwrap().remove("follows");
    assert_eq!(office.refuses(None, "SubmitRequest", alone).await, "follows_required");
    let mut foreign = stage_2();
    foreign["external_ref"] = json!({ "system": "caseledger", "id": "mine" });
    assert_eq!(office.refuses(None, "SubmitRequest", foreign).await, "invalid_value");
}

#[tokio::test(flavor = "multi_thread")]
async fn time_is_kept_while_nobody_sends_anything() {
    let office = Office::open().await;
    let services = office.council.serve_all().await;
    let customer = office.customer().await;
    let late = office
        .submits(customer, "foi", json!({ "wanted": "The contract." }), 60)
        .await;
    let badge = json!({ "application": "new", "route": "walking" });
    let near = office.submits(customer, "blue-badge", badge, 82).await;
    let overdue = office.waits_for(late.aggregate_id, "ClockOverdue").await;
    assert_eq!(
        overdue["due"],
        office.log(late.aggregate_id).await[0].1["clocks"][0]["due"]
    );
    office.waits_for(near.aggregate_id, "ClockApproaching").await;
    office.shows(&late, "show", "(foi, overdue)").await;
    let listed = office
        .council
        .run(&["case", "due", "--team", "information-governance"], "")
        .await;
    let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
    assert!(
        listed.contains("(foi, overdue)") && !listed.contains("blue_badge"),
        "{listed}"
    );

    // A bank holiday is proclaimed while a clock runs.
    let fresh = office
        .submits(customer, "foi", json!({ "wanted": "The plan." }), 0)
        .await;
    let due = office.log(fresh.aggregate_id).await[0].1["clocks"][0]["due"].clone();
    let mut holidays: Value = serde_json::from_str(BANK_HOLIDAYS).unwrap();
    let proclaimed = (1..).map(day).find(|day| is_working_day(day)).unwrap();
    let events = holidays["england-and-wales"]["events"].as_array_mut().unwrap();
    events.push(json!({ "title": "Proclaimed", "date": proclaimed, "notes": "", "bunting": true }));
    // Whole or not at all, as an operator would.
    std::fs::write(office.council.path("bank-holidays.new"), holidays.to_string()).unwrap();
    std::fs::rename(
        office.council.path("bank-holidays.new"),
        office.council.path("bank-holidays.json"),
    )
    .unwrap();
    let recomputed = office.waits_for(fresh.aggregate_id, "ClocksRecomputed").await;
    assert!(
        recomputed["clocks"][0]["due"].as_str() > due.as_str(),
        "{recomputed} {due}"
    );

    // Another process that keeps the time says nothing twice.
    drop(services);
    let _again = office.council.serve_all().await;
    let last = office
        .submits(customer, "foi", json!({ "wanted": "The map." }), 60)
        .await;
    office.waits_for(last.aggregate_id, "ClockOverdue").await;
    let said = office.log(late.aggregate_id).await;
    assert_eq!(said.iter().filter(|(name, _)| name == "ClockOverdue").count(), 1);
}

fn is_working_day(day: &str) -> bool {
    let holidays = catalogue::calendar::BankHolidays::built_in().unwrap();
    holidays
        .is_working_day(catalogue::calendar::Calendar::UkAny, day.parse().unwrap())
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_taken_down_wrong_is_put_right() {
    let office = Office::open().await;
    let _services = office.council.serve_all().await;
    let (mother, daughter) = (office.customer().await, office.customer().await);
    let case = office
        .submits(mother, "foi", json!({ "wanted": "The river at Mill Lane." }), 3)
        .await;
    office.shows(&case, "show", "foi (information-rights)").await;
    office.does(case.aggregate_id, "ChangeType", json!({})).await;
    office.shows(&case, "show", "eir (information-rights)").await;
    let changed = office.waits_for(case.aggregate_id, "TypeChanged").await;
    assert_eq!(changed["clocks"][0]["clock"], "eir");
    let nobody = json!({ "customer_id": "6f0a6b1e-7c1d-5c57-9f3a-2f6f0c6d9a11" });
    let unknown = example("MoveToCustomer", nobody);
    let id = Some(case.aggregate_id);
    assert_eq!(office.refuses(id, "MoveToCustomer", unknown).await, "unknown_customer");
    office
        .does(case.aggregate_id, "MoveToCustomer", json!({ "customer_id": daughter }))
        .await;
    office.does(case.aggregate_id, "RecordDecision", json!({})).await;
    let close = by("t.banerjee", json!({ "outcome": "part-given" }));
    let closed = office
        .council
        .accept(&office.contact_centre, "CloseRequest", id, close)
        .await;
    let email = office.email(closed.position, "request_closed").await;
    assert!(
        email.contains("without the bank details"),
        "the reasons are those of the decision: {email}"
    );
    let owners: Vec<uuid::Uuid> = sqlx::query_scalar("SELECT DISTINCT owner FROM vault.keys WHERE stream = $1")
        .bind(case.aggregate_id.uuid())
        .fetch_all(&office.owner)
        .await
        .unwrap();
    assert_eq!(owners, [daughter.0], "erasing the daughter erases all of it");
    let listed = eventually("it is among her cases", PATIENCE, || async {
        let listed = office
            .council
            .run(&["customer", "history", &daughter.to_string()], "")
            .await;
        let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
        Some(listed).filter(|listed| listed.contains("eir") && listed.contains("closed"))
    })
    .await;
    assert!(listed.contains("part-given"), "{listed}");
    let of_mother = office
        .council
        .run(&["customer", "history", &mother.to_string()], "")
        .await;
    assert!(
        !String::from_utf8_lossy(&of_mother.stdout).contains("eir"),
        "it is no longer among her mother's"
    );
    let reported =
        "SELECT count(*) FROM reporting.requests WHERE request_type = 'RIGHTS-EIR' AND outcome = 'part-given'";
    eventually("reports count it as what it is", PATIENCE, || async {
        let many: i64 = sqlx::query_scalar(reported).fetch_one(&office.owner).await.unwrap();
        (many == 1).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn eligibility_is_an_officer_s_and_the_reasons_are_sealed() {
    let office = Office::open().await;
    let _services = office.council.serve_all().await;
    let customer = office.customer().await;
    let answers = json!({ "application": "new", "route": "walking" });
    let case = office.submits(customer, "blue-badge", answers, 3).await;
    office.does(case.aggregate_id, "AssessEligibility", json!({})).await;
    let id = Some(case.aggregate_id);
    let of_another_team = by(
        "j.okafor",
        json!({ "eligibility": "eligible", "reasons": "She walks 30 metres.", "rule": "si-2000-682:4(2)(f)" }),
    );
    assert_eq!(
        office.refuses(id, "AssessEligibility", of_another_team).await,
        "officer_not_authorised"
    );
    let mut log = office.log(case.aggregate_id).await;
    log.retain(|(name, _)| name == "EligibilityAssessed");
    assert_eq!(log.len(), 1, "{log:?}");
    assert_eq!(log[0].1["decided_by"], "s.lindqvist");
    assert!(log[0].1["reasons"]["sealed"].is_string() && log[0].1["evidence"]["sealed"].is_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ombudsman_s_day_runs_as_a_clock_of_the_case() {
    let office = Office::open().await;
    let _services = office.council.serve_all().await;
    let customer = office.customer().await;
    let answers = json!({ "ombudsman_reference": "24 001 234", "answer_by": "2030-06-14" });
    let mut submit = by(
        "r.achterberg",
        json!({ "request_type": "ombudsman-enquiry", "answers": answers, "customer_id": customer }),
    );
    submit["channel"] = json!("letter");
    let case = office
        .council
        .accept(&office.contact_centre, "SubmitRequest", None, submit)
        .await;
    let id = Some(case.aggregate_id);
    let past = example("SetDeadline", json!({ "due_on": day(-1) }));
    assert_eq!(office.refuses(id, "SetDeadline", past).await, "before_the_receipt");
    office.does(case.aggregate_id, "SetDeadline", json!({})).await;
    office.shows(&case, "show", "2030-06-14 (set_day)").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_badge_that_was_granted_is_issued_by_the_provider() {
    let office = Office::open().await;
    let _services = office.council.serve_all().await;
    let customer = office.customer().await;
    let answers = json!({ "application": "new", "route": "walking" });
    let case = office.submits(customer, "blue-badge", answers, 3).await;
    let decided = by(
        "s.lindqvist",
        json!({ "outcome": "approved", "reasons": "You qualify.", "rule": "si-2000-682:4(2)(f)" }),
    );
    let id = Some(case.aggregate_id);
    office
        .council
        .accept(&office.contact_centre, "RecordDecision", id, decided)
        .await;
    let close = by("s.lindqvist", json!({ "outcome": "approved" }));
    office
        .council
        .accept(&office.contact_centre, "CloseRequest", id, close)
        .await;
    let paid = by(
        "s.lindqvist",
        json!({ "payment": 1, "pence": 1000, "currency": "GBP", "provider": "cash-desk", "provider_ref": "R-1" }),
    );
    office
        .council
        .accept(&office.contact_centre, "RecordPayment", id, paid)
        .await;
    let dates = json!({ "issued_on": day(0), "valid_until": day(365) });
    office.does(case.aggregate_id, "RecordBadgeIssued", dates).await;
    let issued = office.waits_for(case.aggregate_id, "BadgeIssued").await;
    assert!(issued["badge_number"]["sealed"].is_string(), "{issued}");
}
