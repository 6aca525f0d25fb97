//! What may be somebody's offence: what was found, whom it is about, and what was done; and that whoever complained stays apart from them.

use domain::Rejection;
use schemas::command::{ActionResult, EnforcementAction};
use schemas::event::CaseEvent;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::fixtures::*;

const SUBJECT: Uuid = Uuid::from_u128(5);
const NOW: &str = "2026-06-10T09:00:00Z";

fn noise() -> Life {
    let mut life = life("noise");
    let submit = json!({ "request_type": "noise", "customer_id": CUSTOMER, "answers": { "kind": "music", "times": "Fridays, all night" } });
    life.does("2026-06-01T09:00:00Z", "SubmitRequest", submit);
    life
}

fn named() -> Life {
    let mut life = noise();
    life.does(NOW, "NameSubject", name());
    life
}

fn name() -> Value {
    by_officer(json!({ "subject": SUBJECT, "grounds": "Heard from the street." }))
}

fn action(kind: &str, put_in: Value) -> Value {
    let mut data = by_officer(json!({ "action": kind, "taken_on": "2026-06-10", "reason": "Heard on three nights." }));
    data.as_object_mut()
        .unwrap()
        .extend(put_in.as_object().unwrap().clone());
    data
}

#[test]
fn only_an_officer_of_the_team_names_somebody_and_never_whoever_complained() {
    let mut life = noise();
    let mut by_resident = name();
    by_resident["actor"] = json!({ "kind": "resident" });
    assert_eq!(
        life.tries(NOW, "NameSubject", by_resident),
        Err(Rejection::ActorNotAllowed)
    );
    let own = by_officer(json!({ "subject": CUSTOMER, "grounds": "None." }));
    assert_eq!(life.tries(NOW, "NameSubject", own), Err(Rejection::ComplainantNamed));
    assert_eq!(life.does(NOW, "NameSubject", name()).len(), 1);
    assert_eq!(life.does(NOW, "NameSubject", name()).len(), 1, "more grounds are kept");
    life.facts.authority = Some(authority("j.okafor", &["waste-client"]));
    assert_eq!(
        life.tries(NOW, "NameSubject", name()),
        Err(Rejection::EnforcerNotAuthorised)
    );

    let mut bin = life_of_missed_bin();
    assert_eq!(bin.tries(NOW, "NameSubject", name()), Err(Rejection::NotEnforced));
}

fn life_of_missed_bin() -> Life {
    let mut life = life("missed-bin");
    life.does(
        "2026-06-01T09:00:00Z",
        "SubmitRequest",
        json!({ "request_type": "missed-bin", "customer_id": CUSTOMER, "answers": { "bin_type": "refuse" } }),
    );
    life
}

#[test]
fn whom_it_is_about_acts_in_it_for_nobody_and_it_never_becomes_theirs() {
    let mut life = named();
    let update = |kind: &str| json!({ "description": "I was away.", "actor": { "kind": kind, "id": SUBJECT }, "on_behalf_of": CUSTOMER, "channel": "online" });
    assert!(life.tries(NOW, "UpdateRequest", update("resident")).is_err());
    let authorise =
        json!({ "representative": SUBJECT, "capacity": "family", "until": "2027-01-01", "evidence": "a letter" });
    let complainant = customer_after("AuthoriseRepresentative", authorise);
    life.facts.other_customer = Some(complainant);
    assert_eq!(
        life.tries(NOW, "UpdateRequest", update("representative")),
        Err(Rejection::ActsInACaseAboutThem)
    );
    life.facts.other_customer = None;
    let to_them = by_officer(json!({ "customer_id": SUBJECT, "reason": "A slip." }));
    assert_eq!(
        life.tries(NOW, "MoveToCustomer", to_them.clone()),
        Err(Rejection::MovedToWhomItIsAbout)
    );
    // Cleared, they still neither act in it nor have it.
    let clear = by_officer(json!({ "subject": SUBJECT, "reason": "It was next door." }));
    life.does(NOW, "ClearSubject", clear);
    assert_eq!(
        life.tries(NOW, "MoveToCustomer", to_them),
        Err(Rejection::MovedToWhomItIsAbout)
    );
}

#[test]
fn a_merged_record_is_no_way_round() {
    let kept = Uuid::from_u128(6);
    // Whom it is about, under the record that is kept of them.
    let mut life = named();
    life.facts.subjects_kept = [kept.into()].into();
    let to_kept = by_officer(json!({ "customer_id": kept, "reason": "A slip." }));
    assert_eq!(
        life.tries(NOW, "MoveToCustomer", to_kept),
        Err(Rejection::MovedToWhomItIsAbout)
    );
    let mut anonymous = contracted_life("fly-tip");
    anonymous.does(
        "2026-06-01T09:00:00Z",
        "SubmitRequest",
        json!({ "request_type": "fly-tip" }),
    );
    anonymous.does(NOW, "NameSubject", name());
    anonymous.facts.subjects_kept = [kept.into()].into();
    let cancel = json!({ "actor": { "kind": "resident", "id": kept }, "channel": "online" });
    assert_eq!(
        anonymous.tries(NOW, "CancelRequest", cancel),
        Err(Rejection::ActsInACaseAboutThem)
    );
    // Whoever complained, under the record that is kept of them; and a record that is not kept is nobody to name.
    let mut life = noise();
    life.facts.holder_of_case = Some(SUBJECT.into());
    assert_eq!(life.tries(NOW, "NameSubject", name()), Err(Rejection::ComplainantNamed));
    life.facts.holder_of_case = None;
    life.facts.other_customer = Some(customer_merged_into(kept.into()));
    assert!(matches!(
        life.tries(NOW, "NameSubject", name()),
        Err(Rejection::SubjectMerged { .. })
    ));
    // Whose it once was by a slip is not who it is about, in the same case.
    let mut life = noise();
    life.does(
        NOW,
        "MoveToCustomer",
        by_officer(json!({ "customer_id": Uuid::from_u128(7), "reason": "A slip." })),
    );
    let first = by_officer(json!({ "subject": CUSTOMER, "grounds": "Heard." }));
    assert_eq!(life.tries(NOW, "NameSubject", first), Err(Rejection::ComplainantNamed));
}

#[test]
fn what_may_be_an_offence_becomes_nothing_that_tells_who_reported_it() {
    let mut tip = contracted_life("fly-tip");
    tip.does(
        "2026-06-01T09:00:00Z",
        "SubmitRequest",
        json!({ "request_type": "fly-tip", "description": "I saw it." }),
    );
    tip.facts.other_type = Some(contracted("litter"));
    let change =
        by_officer(json!({ "request_type": "litter", "answers": { "what": "litter" }, "reason": "It is litter." }));
    assert_eq!(tip.tries(NOW, "ChangeType", change), Err(Rejection::LeavesEnforcement));
}

#[test]
fn nothing_is_enforced_on_a_report_that_was_called_off_and_only_the_team_says_what_came_of_it() {
    let mut life = named();
    life.does(
        NOW,
        "TakeEnforcementAction",
        action("fixed_penalty", json!({ "subject": SUBJECT, "penalty_pence": 100 })),
    );
    let result = |result: &str, actor: Value| json!({ "action": 3, "result": result, "on": "2026-06-10", "actor": actor, "channel": "system" });
    let system = json!({ "kind": "system", "id": "payments" });
    assert_eq!(
        life.tries(NOW, "RecordActionResult", result("withdrawn", system.clone())),
        Err(Rejection::ActorNotAllowed)
    );
    life.does(NOW, "RecordActionResult", result("paid", system));
    let officer = json!({ "kind": "officer", "id": "j.okafor" });
    assert_eq!(
        life.tries(NOW, "RecordActionResult", result("withdrawn", officer.clone())),
        Err(Rejection::ReasonRequired)
    );
    life.facts.authority = Some(authority("j.okafor", &["contact-centre"]));
    assert_eq!(
        life.tries(NOW, "RecordActionResult", result("not_paid", officer)),
        Err(Rejection::EnforcerNotAuthorised)
    );
    life.facts.authority = Some(authority("j.okafor", &["environmental-health"]));
    life.does(
        NOW,
        "CancelRequest",
        by_officer(json!({ "reason": "They made peace." })),
    );
    assert_eq!(life.tries(NOW, "NameSubject", name()), Err(Rejection::CaseCancelled));
}

#[test]
fn what_is_done_against_somebody_names_them_and_says_why() {
    let mut life = noise();
    let of = |put_in: Value| action("warning_letter", put_in);
    assert_eq!(
        life.tries(NOW, "TakeEnforcementAction", of(json!({}))),
        Err(Rejection::SubjectRequired)
    );
    assert_eq!(
        life.tries(NOW, "TakeEnforcementAction", of(json!({ "subject": SUBJECT }))),
        Err(Rejection::SubjectNotNamed)
    );
    life.does(NOW, "NameSubject", name());
    let mut without_reason = of(json!({ "subject": SUBJECT }));
    without_reason.as_object_mut().unwrap().remove("reason");
    assert_eq!(
        life.tries(NOW, "TakeEnforcementAction", without_reason),
        Err(Rejection::ReasonRequired)
    );
    for (day, refusal) in [
        ("2026-06-11", Rejection::ActionInTheFuture),
        ("2026-05-31", Rejection::ActionBeforeTheReceipt),
    ] {
        let taken = of(json!({ "subject": SUBJECT, "taken_on": day }));
        assert_eq!(life.tries(NOW, "TakeEnforcementAction", taken), Err(refusal));
    }
    assert_eq!(
        life.tries(
            NOW,
            "TakeEnforcementAction",
            of(json!({ "subject": SUBJECT, "penalty_pence": 100 }))
        ),
        Err(Rejection::PenaltyOfAFixedPenalty)
    );
    let penalty = action("fixed_penalty", json!({ "subject": SUBJECT }));
    assert_eq!(
        life.tries(NOW, "TakeEnforcementAction", penalty),
        Err(Rejection::PenaltyOfAFixedPenalty)
    );
    life.does(NOW, "TakeEnforcementAction", of(json!({ "subject": SUBJECT })));
    // An investigation is against nobody yet.
    life.does(
        NOW,
        "TakeEnforcementAction",
        action("investigation", json!({ "cost_pence": 12_000 })),
    );
}

#[test]
fn there_are_many_actions_each_with_its_cost_and_what_came_of_it() {
    let mut life = named();
    life.does(
        NOW,
        "TakeEnforcementAction",
        action("statutory_notice", json!({ "subject": SUBJECT, "cost_pence": 2_500 })),
    );
    let close = by_officer(json!({ "outcome": "notice", "reasons": "It is a nuisance.", "rule": "epa-1990:80" }));
    life.does(NOW, "CloseRequest", close);
    // It goes on after the case is closed.
    life.does(
        NOW,
        "TakeEnforcementAction",
        action("prosecution", json!({ "subject": SUBJECT, "cost_pence": 90_000 })),
    );
    let result =
        |number: u64, result: &str| by_officer(json!({ "action": number, "result": result, "on": "2026-06-10" }));
    assert_eq!(
        life.tries(NOW, "RecordActionResult", result(2, "paid")),
        Err(Rejection::UnknownAction)
    );
    assert_eq!(
        life.tries(NOW, "RecordActionResult", result(3, "paid")),
        Err(Rejection::NoSuchResult)
    );
    life.does(NOW, "RecordActionResult", result(3, "not_complied"));
    life.does(NOW, "RecordActionResult", result(5, "convicted"));
    let mut early = result(5, "convicted");
    early["on"] = json!("2026-06-09");
    assert_eq!(
        life.tries(NOW, "RecordActionResult", early),
        Err(Rejection::ResultOutOfTime)
    );
    let told = life.case().enforcement().unwrap();
    let actions: Vec<_> = told
        .actions
        .iter()
        .map(|taken| (taken.action, taken.cost_pence.unwrap().get(), taken.result))
        .collect();
    assert_eq!(
        actions,
        [
            (
                EnforcementAction::StatutoryNotice,
                2_500,
                Some(ActionResult::NotComplied)
            ),
            (EnforcementAction::Prosecution, 90_000, Some(ActionResult::Convicted)),
        ]
    );
    // One that was a mistake is struck out, by who may decide.
    life.facts.authority = Some(authority("j.okafor", &["contact-centre"]));
    let strike = || by_officer(json!({ "entry": 3, "reason": "Of another case." }));
    assert_eq!(
        life.tries(NOW, "CorrectEntry", strike()),
        Err(Rejection::CorrectingNotAuthorised)
    );
    life.facts.authority = Some(authority("j.okafor", &["environmental-health"]));
    life.does(NOW, "CorrectEntry", strike());
    assert_eq!(life.case().enforcement().unwrap().actions.len(), 1);
}

#[test]
fn what_was_found_takes_the_place_of_what_was_found_before() {
    let mut tip = contracted_life("fly-tip");
    tip.does("2026-06-01T09:00:00Z", "SubmitRequest", json!({ "request_type": "fly-tip", "customer_id": CUSTOMER, "description": "I saw it from No 4.", "place": { "description": "Behind No 4" } }));
    let incident = |size: &str| json!({ "land": "back_alleyway", "size": size, "found_by": "public", "actor": { "kind": "contractor", "id": "street-partner" }, "channel": "crew" });
    assert_eq!(tip.does(NOW, "RecordIncident", incident("small_van_load")).len(), 1);
    assert_eq!(
        tip.tries(NOW, "RecordIncident", incident("tipper_lorry_load")),
        Err(Rejection::IncidentKnown)
    );
    let by_officer_too =
        |size: &str| by_officer(json!({ "land": "back_alleyway", "size": size, "found_by": "public" }));
    tip.does(NOW, "RecordIncident", by_officer_too("tipper_lorry_load"));
    assert!(
        tip.does(NOW, "RecordIncident", by_officer_too("tipper_lorry_load"))
            .is_empty()
    );
    let found = tip.case().enforcement().unwrap().incident.unwrap();
    assert_eq!(found.size.unwrap().as_str(), "tipper_lorry_load");
}

#[test]
fn the_contractor_is_told_where_and_nothing_of_whoever_complained() {
    let mut tip = contracted_life("fly-tip");
    let marker = json!({ "precaution": "visit_in_pairs", "grounds": "A dog.", "review_on": "2026-12-01", "expires_on": "2027-01-01" });
    let complainant = customer_after("SetHazardMarker", marker);
    tip.facts.other_customer = Some(complainant);
    let opened = tip.does("2026-06-01T09:00:00Z", "SubmitRequest", json!({ "request_type": "fly-tip", "customer_id": CUSTOMER, "description": "I saw it from No 4.", "place": { "description": "Behind No 4" } }));
    let job = opened.iter().find_map(|event| match event {
        CaseEvent::JobRaised(job) => Some(job),
        _ => None,
    });
    let job = job.unwrap();
    assert_eq!(job.sharing.fields, ["location"]);
    assert!(
        job.precautions.is_empty(),
        "nobody goes to the door of whoever complained"
    );
}
