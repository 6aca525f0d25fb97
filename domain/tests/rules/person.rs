//! What becomes known of a customer as a person, and what follows for who may act.

use std::sync::Arc;

use domain::{AggregateState, Customer, DecisionContext, Rejection, decide};
use schemas::AggregateId;
use schemas::event::EventRecord;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::fixtures::*;

const SON: Uuid = Uuid::from_u128(5);
const OTHER: Uuid = Uuid::from_u128(6);

/// A customer who lives from command to command.
struct Person {
    state: AggregateState,
    facts: DecisionContext,
}

fn person(id: &str) -> Person {
    let facts = DecisionContext {
        subject: Some(AggregateId(id.parse().unwrap())),
        request_type: None,
        ..context()
    };
    let register = command("RegisterCustomer", json!({ "name": "Ada Lovelace" }));
    let events = decide(None, &register, &facts).unwrap();
    let mut state = AggregateState::before(&events[0]);
    state.apply(events[0].clone(), facts.now);
    Person { state, facts }
}

impl Person {
    fn tries(&mut self, name: &str, data: Value) -> Result<Vec<EventRecord>, Rejection> {
        let events = decide(Some(&self.state), &command(name, data), &self.facts)?;
        for event in &events {
            self.state.apply(event.clone(), self.facts.now);
        }
        Ok(events)
    }

    #[track_caller]
    fn does(&mut self, name: &str, data: Value) -> usize {
        self.tries(name, data).unwrap().len()
    }

    fn record(&self) -> Arc<Customer> {
        match &self.state {
            AggregateState::Customer(customer) => Arc::new(customer.clone()),
            AggregateState::Case(_) | AggregateState::Round(_) | AggregateState::Entitlement(_) => panic!("a customer"),
        }
    }
}

fn by_son(mut data: Value) -> Value {
    data["actor"] = json!({ "kind": "representative", "id": SON });
    data["on_behalf_of"] = json!(CUSTOMER);
    data
}

fn authority_for(services: Value, until: &str) -> Value {
    by_officer(json!({ "representative": SON, "capacity": "family", "services": services, "until": until }))
}

#[test]
fn a_representative_acts_within_extent_and_time() {
    let mut mother = person(CUSTOMER);
    let details = || by_son(json!({ "phone": "01234 567890" }));
    assert_eq!(
        mother.tries("UpdateContactDetails", details()),
        Err(Rejection::NotTheirRepresentative)
    );
    // For one service only: her record is not his to change.
    mother.does("AuthoriseRepresentative", authority_for(json!(["waste"]), "2026-05-31"));
    assert_eq!(
        mother.tries("UpdateContactDetails", details()),
        Err(Rejection::NotTheirRepresentative)
    );
    mother.does("AuthoriseRepresentative", authority_for(json!([]), "2026-05-31"));
    assert_eq!(mother.does("UpdateContactDetails", details()), 1);
    let mut for_another = details();
    for_another["on_behalf_of"] = json!(OTHER);
    assert_eq!(
        mother.tries("UpdateContactDetails", for_another),
        Err(Rejection::OnBehalfOfAnother)
    );
    mother.facts.now = at("2026-05-31T22:59:59Z");
    assert_eq!(mother.does("UpdateContactDetails", details()), 1);
    mother.facts.now = at("2026-05-31T23:00:00Z");
    assert_eq!(
        mother.tries("UpdateContactDetails", details()),
        Err(Rejection::NotTheirRepresentative)
    );
    // He may still lay it down.
    assert_eq!(
        mother.does("EndRepresentation", by_son(json!({ "representative": SON }))),
        1
    );
    assert_eq!(
        mother.does("EndRepresentation", by_officer(json!({ "representative": SON }))),
        0
    );
}

#[test]
fn nobody_lets_themselves_act() {
    let mut mother = person(CUSTOMER);
    let by = |mut data: Value, actor: Value| {
        data["actor"] = actor;
        data
    };
    let wanted = || authority_for(json!([]), "2026-12-31");
    let son = json!({ "kind": "representative", "id": SON });
    let mut by_himself = by(wanted(), son);
    by_himself["on_behalf_of"] = json!(CUSTOMER);
    assert_eq!(
        mother.tries("AuthoriseRepresentative", by_himself),
        Err(Rejection::NotTheirRepresentative)
    );
    let contractor = json!({ "kind": "contractor", "id": "waste-crews" });
    assert_eq!(
        mother.tries("AuthoriseRepresentative", by(wanted(), contractor)),
        Err(Rejection::ActorNotAllowed)
    );
    let mut herself = wanted();
    herself["representative"] = json!(CUSTOMER);
    assert_eq!(
        mother.tries("AuthoriseRepresentative", herself),
        Err(Rejection::RepresentsThemselves)
    );
    let over = authority_for(json!([]), "2026-05-19");
    assert_eq!(
        mother.tries("AuthoriseRepresentative", over),
        Err(Rejection::AuthorityOver)
    );
    let stranger = json!({ "kind": "resident", "id": SON });
    assert_eq!(
        mother.tries("AuthoriseRepresentative", by(wanted(), stranger)),
        Err(Rejection::NotTheirs)
    );
    let nobody_known = json!({ "kind": "resident" });
    assert_eq!(
        mother.tries("AuthoriseRepresentative", by(wanted(), nobody_known)),
        Err(Rejection::AuthorisesForAnother)
    );
    let resident = json!({ "kind": "resident", "id": CUSTOMER });
    assert_eq!(mother.does("AuthoriseRepresentative", by(wanted(), resident)), 1);
}

fn case_of(person: &Person) -> Life {
    let mut life = life("missed-bin");
    life.facts.other_customer = Some(person.record());
    let submit = json!({ "request_type": "missed-bin", "customer_id": CUSTOMER, "answers": { "bin_type": "refuse" } });
    life.does("2026-05-20T09:00:00Z", "SubmitRequest", submit);
    life
}

#[test]
fn in_a_case_too_a_representative_does_what_they_may() {
    let mut mother = person(CUSTOMER);
    let mut case = case_of(&mother);
    let update = || by_son(json!({ "description": "by the gate" }));
    let when = "2026-05-20T10:00:00Z";
    assert_eq!(
        case.tries(when, "UpdateRequest", update()),
        Err(Rejection::NotTheirRepresentative)
    );
    mother.does(
        "AuthoriseRepresentative",
        authority_for(json!(["blue-badges"]), "2026-12-31"),
    );
    case.facts.other_customer = Some(mother.record());
    assert_eq!(
        case.tries(when, "UpdateRequest", update()),
        Err(Rejection::NotTheirRepresentative)
    );
    mother.does("AuthoriseRepresentative", authority_for(json!(["waste"]), "2026-12-31"));
    case.facts.other_customer = Some(mother.record());
    case.does(when, "UpdateRequest", update());
    let mut for_another = update();
    for_another["on_behalf_of"] = json!(OTHER);
    assert_eq!(
        case.tries(when, "UpdateRequest", for_another),
        Err(Rejection::OnBehalfOfAnother)
    );
    assert_eq!(
        case.tries("2027-01-01T10:00:00Z", "UpdateRequest", update()),
        Err(Rejection::NotTheirRepresentative)
    );
}

#[test]
fn the_dead_ask_for_nothing_until_it_is_found_to_be_a_mistake() {
    let mut mother = person(CUSTOMER);
    let mut case = case_of(&mother);
    let death = || by_officer(json!({ "source": "tell_us_once" }));
    let by_resident = json!({ "source": "family" });
    assert_eq!(
        mother.tries("RecordDeath", by_resident),
        Err(Rejection::ActorNotAllowed)
    );
    assert_eq!(mother.does("RecordDeath", death()), 1);
    assert_eq!(mother.does("RecordDeath", death()), 0);
    let details = || json!({ "phone": "01234 567890" });
    assert_eq!(
        mother.tries("UpdateContactDetails", details()),
        Err(Rejection::CustomerDied)
    );
    mother.does("UpdateContactDetails", by_officer(details()));
    case.facts.other_customer = Some(mother.record());
    let update = || json!({ "description": "by the gate" });
    let when = "2026-05-20T10:00:00Z";
    assert_eq!(
        case.tries(when, "UpdateRequest", update()),
        Err(Rejection::CustomerDied)
    );
    case.does(when, "UpdateRequest", by_officer(update()));
    assert_eq!(
        mother.tries("CorrectDeathRecord", by_officer(json!({}))),
        Err(Rejection::ReasonRequired)
    );
    let correct = || by_officer(json!({ "reason": "another of that name" }));
    assert_eq!(mother.does("CorrectDeathRecord", correct()), 1);
    assert_eq!(mother.does("CorrectDeathRecord", correct()), 0);
    assert_eq!(mother.does("UpdateContactDetails", details()), 1);
}

fn marker(review_on: &str, expires_on: &str) -> Value {
    by_officer(
        json!({ "precaution": "visit_in_pairs", "grounds": "the dog", "review_on": review_on, "expires_on": expires_on }),
    )
}

#[test]
fn a_hazard_marker_has_an_owner_who_looks_at_it_before_it_ends() {
    let mut mother = person(CUSTOMER);
    assert_eq!(
        mother.tries("SetHazardMarker", marker("2026-05-20", "2026-12-31")),
        Err(Rejection::ReviewPast)
    );
    assert_eq!(
        mother.tries("SetHazardMarker", marker("2026-12-31", "2026-12-30")),
        Err(Rejection::ExpiresBeforeReview)
    );
    let mut by_resident = marker("2026-11-20", "2027-05-20");
    by_resident["actor"] = json!({ "kind": "resident" });
    assert_eq!(
        mother.tries("SetHazardMarker", by_resident),
        Err(Rejection::ActorNotAllowed)
    );
    let events = mother
        .tries("SetHazardMarker", marker("2026-11-20", "2027-05-20"))
        .unwrap();
    let told: Value = serde_json::from_str(&events[0].payload().unwrap()).unwrap();
    assert_eq!((&told["number"], &told["owner"]), (&json!(1), &json!("j.okafor")));
    let end = |number: u32| by_officer(json!({ "marker": number }));
    for unknown in [0, 2] {
        assert_eq!(
            mother.tries("EndHazardMarker", end(unknown)),
            Err(Rejection::UnknownMarker)
        );
    }
    assert_eq!(mother.does("EndHazardMarker", end(1)), 1);
    assert_eq!(mother.does("EndHazardMarker", end(1)), 0);
    let events = mother
        .tries("SetHazardMarker", marker("2026-11-20", "2027-05-20"))
        .unwrap();
    assert!(events[0].payload().unwrap().contains(r#""number":2"#));
}

fn merge(into: Uuid) -> Value {
    by_officer(json!({ "into": into, "reason": "one person" }))
}

#[test]
fn a_record_is_merged_once_and_parted_again() {
    let mut record = person(CUSTOMER);
    record.facts.other_customer = None;
    assert_eq!(
        record.tries("MergeCustomer", merge(OTHER)),
        Err(Rejection::UnknownOtherCustomer)
    );
    assert_eq!(
        record.tries("PartCustomer", by_officer(json!({ "reason": "two" }))),
        Err(Rejection::NotMerged)
    );
    record.facts.other_customer = Some(person(&OTHER.to_string()).record());
    assert_eq!(
        record.tries("MergeCustomer", merge(CUSTOMER.parse().unwrap())),
        Err(Rejection::MergedIntoItself)
    );
    let unreasoned = by_officer(json!({ "into": OTHER }));
    assert_eq!(
        record.tries("MergeCustomer", unreasoned),
        Err(Rejection::ReasonRequired)
    );
    record.facts.others_merged_into_it = true;
    assert_eq!(
        record.tries("MergeCustomer", merge(OTHER)),
        Err(Rejection::OthersMergedIntoIt)
    );
    record.facts.others_merged_into_it = false;
    assert_eq!(record.does("MergeCustomer", merge(OTHER)), 1);
    assert_eq!(record.does("MergeCustomer", merge(OTHER)), 0);
    let merged = || Rejection::CustomerMerged {
        into: OTHER.to_string(),
    };
    assert_eq!(record.tries("MergeCustomer", merge(SON)), Err(merged()));
    assert_eq!(
        record.tries("UpdateContactDetails", by_officer(json!({ "phone": null }))),
        Err(merged())
    );
    // Nothing is merged into it, and no case is opened for it or moved to it; who acted for them can still lay that down.
    assert_eq!(
        record.does("EndRepresentation", by_officer(json!({ "representative": SON }))),
        0
    );
    let mut moved = case_of(&person(&OTHER.to_string()));
    moved.facts.other_customer = Some(record.record());
    let to_merged = by_officer(json!({ "customer_id": SON, "reason": "hers" }));
    assert_eq!(
        moved.tries("2026-05-20T10:00:00Z", "MoveToCustomer", to_merged),
        Err(Rejection::OpenedForMerged {
            into: OTHER.to_string()
        })
    );
    let mut third = person(&SON.to_string());
    third.facts.other_customer = Some(record.record());
    assert_eq!(
        third.tries("MergeCustomer", merge(CUSTOMER.parse().unwrap())),
        Err(Rejection::MergedIntoMerged)
    );
    let mut life = life("missed-bin");
    life.facts.other_customer = Some(record.record());
    let submit = json!({ "request_type": "missed-bin", "customer_id": CUSTOMER, "answers": { "bin_type": "refuse" } });
    assert_eq!(
        life.tries("2026-05-20T09:00:00Z", "SubmitRequest", submit),
        Err(Rejection::OpenedForMerged {
            into: OTHER.to_string()
        })
    );
    assert_eq!(
        record.does("PartCustomer", by_officer(json!({ "reason": "mother and daughter" }))),
        1
    );
    assert_eq!(record.record().merged_into(), None);
}

#[test]
fn wishes_and_needs_are_said_whole() {
    let mut record = person(CUSTOMER);
    assert_eq!(record.does("SetContactPreferences", json!({ "medium": "letter" })), 1);
    assert_eq!(record.does("SetContactPreferences", json!({})), 1);
    assert_eq!(record.does("RecordAdjustments", json!({})), 0, "nothing was needed");
    assert_eq!(record.does("RecordAdjustments", json!({ "needs": "large print" })), 1);
    assert_eq!(record.does("RecordAdjustments", json!({})), 1);
    for (name, data) in [
        ("SetContactPreferences", json!({})),
        ("RecordAdjustments", json!({ "needs": "x" })),
    ] {
        let mut by_contractor = data;
        by_contractor["actor"] = json!({ "kind": "contractor", "id": "waste-crews" });
        assert_eq!(record.tries(name, by_contractor), Err(Rejection::ActorNotAllowed));
    }
}

#[test]
fn a_resident_who_is_known_acts_in_their_own_matters() {
    let mut mother = person(CUSTOMER);
    let mut case = case_of(&mother);
    let by = |mut data: Value, who: &str| {
        data["actor"] = json!({ "kind": "resident", "id": who });
        data
    };
    let details = || json!({ "phone": "01234 567890" });
    assert_eq!(
        mother.tries("UpdateContactDetails", by(details(), &OTHER.to_string())),
        Err(Rejection::NotTheirs)
    );
    mother.does("UpdateContactDetails", by(details(), CUSTOMER));
    let when = "2026-05-20T10:00:00Z";
    let update = || json!({ "description": "by the gate" });
    let by_another = by(update(), &OTHER.to_string());
    assert_eq!(
        case.tries(when, "UpdateRequest", by_another.clone()),
        Err(Rejection::NotTheirs)
    );
    case.does(when, "UpdateRequest", by(update(), CUSTOMER));
    // Two records that were found to be of one person are one.
    mother.facts.other_customer = Some(person(&OTHER.to_string()).record());
    mother.does("MergeCustomer", merge(OTHER));
    case.facts.other_customer = Some(mother.record());
    case.does(when, "UpdateRequest", by_another);
}
