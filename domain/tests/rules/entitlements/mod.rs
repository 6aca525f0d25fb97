//! What is granted with a term: by which case, for how long, renewed when, and what time brings.

mod renewing;

use std::sync::Arc;

use domain::{AggregateState, DecisionContext, Held, Rejection, decide};
use schemas::CaseId;
use schemas::command::EntitlementEnding;
use schemas::event::{EntitlementEvent, EventRecord};
use schemas::query::EntitlementStage;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::fixtures::*;

const FIRST: CaseId = CaseId(Uuid::from_u128(11));
const SECOND: CaseId = CaseId(Uuid::from_u128(12));

/// An entitlement that lives from command to command.
struct Granted {
    state: Option<AggregateState>,
    facts: DecisionContext,
}

/// A case of this type that was granted and closed; `paid`: what it costs, too.
fn granted_case(code: &str, paid: bool) -> domain::Case {
    granted_case_of(CUSTOMER, code, paid)
}

fn granted_case_of(customer: &str, code: &str, paid: bool) -> domain::Case {
    let mut life = life(code);
    let answers = match code {
        "garden-waste" => json!({ "bins": 1 }),
        "blue-badge" => json!({ "application": "new", "route": "walking", "birth_date": "1950-01-02" }),
        _ => json!({}),
    };
    let when = "2026-05-20T09:00:00Z";
    life.does(
        when,
        "SubmitRequest",
        json!({ "request_type": code, "customer_id": customer, "answers": answers }),
    );
    let outcome = match code {
        "garden-waste" => json!({ "outcome": "active", "reason": "It began." }),
        _ => json!({ "outcome": "approved", "reason": "As assessed.", "rule": "si-2000-682:4(2)(f)" }),
    };
    let close = by_officer(outcome);
    life.does(when, "CloseRequest", close);
    let due: Vec<_> = life.case().payments().filter(|_| paid).collect();
    for due in due {
        let payment = json!({ "payment": due.number, "pence": due.outstanding, "currency": "GBP", "provider": "gov-pay",
                              "provider_ref": "ref1",
                              "actor": { "kind": "system", "id": "payments" }, "channel": "system" });
        life.does(when, "RecordPayment", payment);
    }
    life.case().clone()
}

fn facts(code: &str, case: domain::Case, id: CaseId) -> DecisionContext {
    DecisionContext {
        request_type: Some(request_type(code)),
        authority: Some(authority("j.okafor", &[request_type(code).deciding_teams[0].as_str()])),
        other_case: Some(Arc::new(case)),
        other_case_id: Some(id),
        other_type: Some(request_type(code)),
        holder_of_case: Some(CUSTOMER.parse().unwrap()),
        ..context()
    }
}

impl Granted {
    fn new(code: &str) -> Self {
        Self {
            state: None,
            facts: facts(code, granted_case(code, true), FIRST),
        }
    }

    /// Granted from 1 June 2026 on, for as long as the catalogue says.
    fn of(code: &str) -> Self {
        let mut granted = Self::new(code);
        granted.does("2026-06-01", "GrantEntitlement", grant());
        granted
    }

    fn tries(&mut self, day: &str, name: &str, data: Value) -> Result<Vec<EntitlementEvent>, Rejection> {
        self.facts.now = at(&format!("{day}T10:00:00Z"));
        let events = decide(self.state.as_ref(), &command(name, data), &self.facts)?;
        let mut told = Vec::new();
        for event in events {
            let state = self.state.get_or_insert_with(|| AggregateState::before(&event));
            state.apply(event.clone(), self.facts.now);
            let EventRecord::Entitlement(event) = event else {
                panic!("an entitlement's stream holds something else")
            };
            told.push(event);
        }
        Ok(told)
    }

    #[track_caller]
    fn does(&mut self, day: &str, name: &str, data: Value) -> Vec<EntitlementEvent> {
        self.tries(day, name, data).unwrap()
    }

    fn refuses(&mut self, day: &str, name: &str, data: Value) -> Rejection {
        self.tries(day, name, data).unwrap_err()
    }

    fn held(&self) -> &Held {
        self.state.as_ref().unwrap().as_entitlement().unwrap().held().unwrap()
    }

    fn comes_second(&mut self, code: &str) {
        self.facts = facts(code, granted_case(code, true), SECOND);
    }
}

fn grant() -> Value {
    by_officer(json!({ "case_id": FIRST, "starts_on": "2026-06-01", "property": "100021421234" }))
}

fn renew() -> Value {
    by_officer(json!({ "case_id": SECOND }))
}

fn term(mark: &str, ends_on: &str) -> Value {
    json!({ "mark": mark, "ends_on": ends_on, "actor": { "kind": "system", "id": "timekeeper" }, "channel": "system" })
}

fn names(events: &[EntitlementEvent]) -> Vec<&'static str> {
    events.iter().map(EntitlementEvent::name).collect()
}

#[test]
fn a_term_begins_with_its_day_and_lasts_as_the_catalogue_says() {
    for (code, ends_on, renew_from) in [
        ("garden-waste", "2027-05-31", "2027-04-05"),
        ("blue-badge", "2029-05-31", "2029-03-08"),
    ] {
        let granted = Granted::of(code);
        let held = granted.held();
        assert_eq!(
            (held.ends_on.to_string().as_str(), held.renew_from.to_string().as_str()),
            (ends_on, renew_from)
        );
        assert_eq!(held.stage, EntitlementStage::Granted);
    }
    // Sooner where the award that it rests on ends sooner; no later, and not before it begins.
    let mut shorter = Granted::new("blue-badge");
    let ending = |day: &str| by_officer(json!({ "case_id": FIRST, "starts_on": "2026-06-01", "ends_on": day }));
    let longest = || Rejection::TermNotSoLong {
        longest: "2029-05-31".into(),
    };
    assert_eq!(
        shorter.refuses("2026-06-01", "GrantEntitlement", ending("2029-06-01")),
        longest()
    );
    assert_eq!(
        shorter.refuses("2026-06-01", "GrantEntitlement", ending("2026-05-31")),
        longest()
    );
    shorter.does("2026-06-01", "GrantEntitlement", ending("2026-06-30"));
    assert_eq!(
        shorter.held().renew_from.to_string(),
        "2026-06-01",
        "no sooner than it begins"
    );
}

#[test]
fn only_a_case_that_grants_it_and_is_paid_grants_it() {
    let refusal = |change: fn(&mut DecisionContext), data: Value| {
        let mut granted = Granted::new("garden-waste");
        change(&mut granted.facts);
        granted.refuses("2026-06-01", "GrantEntitlement", data)
    };
    assert_eq!(
        refusal(|facts| facts.other_case = None, grant()),
        Rejection::UnknownOtherCase
    );
    assert_eq!(
        refusal(|facts| facts.other_case_id = Some(SECOND), grant()),
        Rejection::UnknownOtherCase
    );
    assert_eq!(
        refusal(
            |facts| facts.other_case = Some(Arc::new(granted_case("garden-waste", false))),
            grant()
        ),
        Rejection::GrantNotPaid
    );
    let open = |facts: &mut DecisionContext| {
        let mut life = life("garden-waste");
        let submit = json!({ "request_type": "garden-waste", "customer_id": CUSTOMER, "answers": { "bins": 1 } });
        life.does("2026-05-20T09:00:00Z", "SubmitRequest", submit);
        facts.other_case = Some(Arc::new(life.case().clone()));
    };
    assert_eq!(refusal(open, grant()), Rejection::CaseGrantsNothing);
    assert_eq!(
        refusal(|facts| facts.other_type = Some(request_type("missed-bin")), grant()),
        Rejection::NothingWithATerm
    );
    let without_property = by_officer(json!({ "case_id": FIRST, "starts_on": "2026-06-01" }));
    assert_eq!(refusal(|_| {}, without_property), Rejection::PropertyRequired);
    let starting = |day: &str| by_officer(json!({ "case_id": FIRST, "starts_on": day, "property": "1" }));
    assert_eq!(refusal(|_| {}, starting("2026-05-19")), Rejection::TermBeforeTheReceipt);
    assert_eq!(refusal(|_| {}, starting("2062-06-01")), Rejection::TermTooFar);
    let mut by_resident = grant();
    by_resident["actor"] = json!({ "kind": "resident" });
    assert_eq!(refusal(|_| {}, by_resident), Rejection::ActorNotAllowed);
    assert_eq!(
        refusal(|facts| facts.authority = None, grant()),
        Rejection::ActorNotRegistered
    );
}

#[test]
fn what_the_case_was_found_not_to_grant_is_reminded_of_by_nobody_and_granted_anew_in_its_place() {
    let mut granted = Granted::of("garden-waste");
    let struck_out = |granted: &Granted| {
        let mut case = life("garden-waste");
        let submit = json!({ "request_type": "garden-waste", "customer_id": CUSTOMER, "answers": { "bins": 1 } });
        case.does("2026-05-20T09:00:00Z", "SubmitRequest", submit);
        case.does(
            "2026-05-21T09:00:00Z",
            "CancelRequest",
            by_officer(json!({ "reason": "They took it back." })),
        );
        let _ = granted;
        Arc::new(case.case().clone())
    };
    granted.facts.other_case = Some(struck_out(&granted));
    assert!(
        granted
            .does("2027-04-05", "RecordTerm", term("renewal_due", "2027-05-31"))
            .is_empty()
    );

    let mut mistaken = Granted::of("garden-waste");
    let end = json!({ "why": "granted_by_mistake", "actor": { "kind": "officer", "id": "j.okafor" }, "channel": "phone", "reason": "The wrong house." });
    mistaken.does("2026-06-02", "EndEntitlement", end);
    let wrong = mistaken.held().clone();
    let anew = by_officer(
        json!({ "case_id": FIRST, "starts_on": "2026-06-01", "property": "2", "replaces": Uuid::from_u128(7) }),
    );
    let mut again = Granted::new("garden-waste");
    assert_eq!(
        again.refuses("2026-06-02", "GrantEntitlement", anew.clone()),
        Rejection::ReplacesNothing
    );
    again.facts.replaced = Some(Arc::new(Granted::of("garden-waste").held().clone()));
    assert_eq!(
        again.refuses("2026-06-02", "GrantEntitlement", anew.clone()),
        Rejection::ReplacesNothing
    );
    again.facts.replaced = Some(Arc::new(wrong));
    again.does("2026-06-02", "GrantEntitlement", anew);
}

#[test]
fn a_case_that_is_no_longer_wanted_grants_nothing_whatever_was_decided() {
    let mut badge = life("blue-badge");
    let when = "2026-05-20T09:00:00Z";
    let answers = json!({ "application": "new", "route": "walking", "birth_date": "1950-01-02" });
    badge.does(
        when,
        "SubmitRequest",
        json!({ "request_type": "blue-badge", "customer_id": CUSTOMER, "answers": answers }),
    );
    let decision = json!({ "outcome": "approved", "reasons": "You qualify.", "rule": "si-2000-682:4(2)(f)" });
    badge.does(when, "RecordDecision", by_officer(decision));
    badge.does(
        when,
        "CancelRequest",
        json!({ "actor": { "kind": "resident" }, "channel": "online" }),
    );
    let mut granted = Granted::new("blue-badge");
    granted.facts.other_case = Some(Arc::new(badge.case().clone()));
    assert_eq!(
        granted.refuses("2026-06-01", "GrantEntitlement", grant()),
        Rejection::CaseGrantsNothing
    );
}

#[test]
fn time_says_each_thing_once_and_nothing_of_the_dead() {
    let mut granted = Granted::of("garden-waste");
    let (due, over) = (term("renewal_due", "2027-05-31"), term("expired", "2027-05-31"));
    assert_eq!(
        granted.refuses("2027-04-04", "RecordTerm", due.clone()),
        Rejection::NotYet
    );
    assert_eq!(
        names(&granted.does("2027-04-05", "RecordTerm", due.clone())),
        ["EntitlementRenewalDue"]
    );
    assert!(granted.does("2027-04-06", "RecordTerm", due).is_empty());
    assert_eq!(
        granted.refuses("2027-05-31", "RecordTerm", over.clone()),
        Rejection::NotYet
    );
    assert_eq!(
        names(&granted.does("2027-06-01", "RecordTerm", over.clone())),
        ["EntitlementExpired"]
    );
    assert!(granted.does("2027-06-02", "RecordTerm", over.clone()).is_empty());
    let mut by_officer_too = over;
    by_officer_too["actor"] = json!({ "kind": "officer", "id": "j.okafor" });
    assert_eq!(
        granted.refuses("2027-06-02", "RecordTerm", by_officer_too),
        Rejection::ActorNotAllowed
    );

    let mut of_the_dead = Granted::of("garden-waste");
    of_the_dead.facts.other_customer = Some(dead());
    let due = term("renewal_due", "2027-05-31");
    assert!(of_the_dead.does("2027-04-05", "RecordTerm", due).is_empty());
    assert_eq!(
        names(&of_the_dead.does("2027-06-01", "RecordTerm", term("expired", "2027-05-31"))),
        ["EntitlementExpired"]
    );
    of_the_dead.facts = facts("garden-waste", granted_case("garden-waste", true), SECOND);
    of_the_dead.facts.other_customer = Some(dead());
    assert_eq!(
        of_the_dead.refuses("2027-06-01", "RenewEntitlement", renew()),
        Rejection::GrantedToTheDead
    );
}

fn dead() -> Arc<domain::Customer> {
    customer_after(
        "RecordDeath",
        json!({ "died_on": "2026-06-02", "source": "tell_us_once" }),
    )
}

#[test]
fn its_holder_gives_it_up_and_an_officer_of_the_team_takes_it_away_with_reasons() {
    let end =
        |why: &str, actor: Value| json!({ "why": why, "actor": actor, "channel": "online", "reason": "So it is." });
    let resident = json!({ "kind": "resident" });
    let mut granted = Granted::of("garden-waste");
    assert_eq!(
        granted.refuses("2026-09-01", "EndEntitlement", end("withdrawn", resident.clone())),
        Rejection::OfficerRequired
    );
    assert_eq!(
        granted.refuses("2026-09-01", "EndEntitlement", end("died", resident.clone())),
        Rejection::ActorNotAllowed
    );
    let events = granted.does("2026-09-01", "EndEntitlement", end("given_up", resident));
    assert!(matches!(&events[..], [EntitlementEvent::EntitlementEnded(event)]
            if event.why == EntitlementEnding::GivenUp && event.decided_by.is_none() && event.ended_on.unwrap().to_string() == "2026-09-01"));
    assert_eq!(
        granted.refuses("2026-09-02", "ChangeEntitlement", by_officer(json!({ "quantity": 2 }))),
        Rejection::EntitlementOver
    );
    granted.comes_second("garden-waste");
    assert_eq!(
        granted.refuses("2027-05-01", "RenewEntitlement", renew()),
        Rejection::EntitlementOver
    );

    let mut backdated = end("given_up", json!({ "kind": "resident" }));
    backdated["ended_on"] = json!("1990-01-01");
    let mut fresh = Granted::of("garden-waste");
    assert_eq!(
        fresh.refuses("2026-09-01", "EndEntitlement", backdated),
        Rejection::EndedBeforeItBegan
    );
    // What had not begun ended on no day; what is over by itself is given up no more.
    let mut to_begin = Granted::new("garden-waste");
    to_begin.does(
        "2026-06-01",
        "GrantEntitlement",
        by_officer(json!({ "case_id": FIRST, "starts_on": "2026-08-01", "property": "1" })),
    );
    let events = to_begin.does(
        "2026-06-02",
        "EndEntitlement",
        end("given_up", json!({ "kind": "resident" })),
    );
    assert!(matches!(&events[..], [EntitlementEvent::EntitlementEnded(event)] if event.ended_on.is_none()));
    fresh.does("2027-06-01", "RecordTerm", term("expired", "2027-05-31"));
    assert_eq!(
        fresh.refuses(
            "2027-06-02",
            "EndEntitlement",
            end("given_up", json!({ "kind": "resident" }))
        ),
        Rejection::EntitlementOver
    );

    let officer = json!({ "kind": "officer", "id": "j.okafor" });
    let mut badge = Granted::of("blue-badge");
    badge.facts.authority = Some(authority("j.okafor", &["waste-client"]));
    assert_eq!(
        badge.refuses("2026-09-01", "EndEntitlement", end("withdrawn", officer.clone())),
        Rejection::OfficerNotAuthorised
    );
    badge.facts.authority = Some(authority("j.okafor", &["blue-badge"]));
    let mut without_reason = end("withdrawn", officer.clone());
    without_reason.as_object_mut().unwrap().remove("reason");
    let mut of_the_erased = Granted::of("blue-badge");
    of_the_erased.facts.person_erased = true;
    of_the_erased.does("2026-09-01", "EndEntitlement", without_reason.clone());
    assert_eq!(
        badge.refuses("2026-09-01", "EndEntitlement", without_reason),
        Rejection::ReasonRequired
    );
    let mut to_come = end("withdrawn", officer.clone());
    to_come["ended_on"] = json!("2026-09-02");
    assert_eq!(
        badge.refuses("2026-09-01", "EndEntitlement", to_come),
        Rejection::EndedInTheFuture
    );
    let events = badge.does("2026-09-01", "EndEntitlement", end("withdrawn", officer));
    assert!(matches!(&events[..], [EntitlementEvent::EntitlementEnded(event)] if event.decided_by.is_some()));
}

#[test]
fn a_change_says_something_and_others_at_the_new_property_are_told() {
    let mut granted = Granted::of("garden-waste");
    assert_eq!(
        granted.refuses("2026-09-01", "ChangeEntitlement", by_officer(json!({}))),
        Rejection::NothingGiven
    );
    granted.facts.others_at_property = std::num::NonZeroU16::new(1);
    granted.does(
        "2026-09-01",
        "ChangeEntitlement",
        by_officer(json!({ "property": "100021421235", "quantity": 2 })),
    );
    assert_eq!(granted.held().others_at_property.map(u16::from), Some(1));
    assert_eq!(granted.held().quantity.map(u16::from), Some(2));
    granted.does(
        "2026-09-02",
        "ChangeEntitlement",
        by_officer(json!({ "number": "GW-1" })),
    );
    assert_eq!(
        granted.held().others_at_property.map(u16::from),
        Some(1),
        "it is still there"
    );
}
