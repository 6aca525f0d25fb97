//! When and by which case an entitlement is renewed, and what a late renewal tells.

use std::sync::Arc;

use domain::Rejection;
use proptest::prelude::*;
use schemas::CustomerId;
use schemas::event::EntitlementEvent;
use schemas::moment::Day;
use schemas::query::EntitlementStage;
use serde_json::json;
use uuid::Uuid;

use super::*;

#[test]
fn nobody_renews_before_the_window_and_who_renews_within_it_is_never_without() {
    let mut granted = Granted::of("garden-waste");
    granted.comes_second("garden-waste");
    let too_early = Rejection::RenewalTooEarly {
        from: "2027-04-05".into(),
    };
    assert_eq!(granted.refuses("2027-04-04", "RenewEntitlement", renew()), too_early);
    let overlapping = by_officer(json!({ "case_id": SECOND, "starts_on": "2027-05-31" }));
    assert_eq!(
        granted.refuses("2027-04-05", "RenewEntitlement", overlapping),
        Rejection::TermsOverlap
    );
    let events = granted.does("2027-04-05", "RenewEntitlement", renew());
    assert!(matches!(&events[..], [EntitlementEvent::EntitlementRenewed(event)]
        if event.starts_on.to_string() == "2027-06-01" && event.lapsed_from.is_none()));
    let held = granted.held();
    assert_eq!(
        (held.starts_on.to_string().as_str(), held.ends_on.to_string().as_str()),
        ("2026-06-01", "2028-05-31"),
        "it holds without a gap since it was granted"
    );
    assert_eq!((held.case_id, held.renewed), (SECOND, 1));
}

#[test]
fn who_asked_in_time_is_never_without_it_and_who_asked_late_was() {
    let on = |day: &str| by_officer(json!({ "case_id": SECOND, "starts_on": day }));
    // Asked for on 20 May 2026, long before the end: decided a month after it.
    let mut in_time = Granted::of("garden-waste");
    in_time.comes_second("garden-waste");
    in_time.does("2027-07-01", "RenewEntitlement", on("2027-06-01"));
    assert_eq!(in_time.held().ends_on.to_string(), "2028-05-31");
    // Asked for after the end.
    let mut late = Granted::new("garden-waste");
    late.does(
        "2026-06-01",
        "GrantEntitlement",
        by_officer(json!({ "case_id": FIRST, "starts_on": "2026-05-20", "ends_on": "2026-05-21", "property": "1" })),
    );
    let mut case = life("garden-waste");
    let submit = json!({ "request_type": "garden-waste", "customer_id": CUSTOMER, "answers": { "bins": 1 } });
    case.does("2026-06-10T09:00:00Z", "SubmitRequest", submit);
    case.does(
        "2026-06-10T09:00:00Z",
        "CloseRequest",
        by_officer(json!({ "outcome": "active", "reason": "It began." })),
    );
    let payment = json!({ "payment": 1, "pence": 5500, "currency": "GBP", "provider": "gov-pay", "provider_ref": "ref2",
                          "actor": { "kind": "system", "id": "payments" }, "channel": "system" });
    case.does("2026-06-10T09:00:00Z", "RecordPayment", payment);
    late.comes_second("garden-waste");
    late.facts.other_case = Some(Arc::new(case.case().clone()));
    assert_eq!(
        late.refuses("2026-06-11", "RenewEntitlement", on("2026-05-22")),
        Rejection::TermBeforeTheReceipt
    );
    late.does("2026-06-11", "RenewEntitlement", on("2026-06-10"));
    // A term that would be over already renews nothing.
    let mut over = Granted::of("garden-waste");
    over.comes_second("garden-waste");
    assert_eq!(
        over.refuses("2029-01-01", "RenewEntitlement", on("2027-06-01")),
        Rejection::TermOver
    );
}

#[test]
fn a_badge_renewed_late_has_a_gap_that_is_told() {
    let mut badge = Granted::of("blue-badge");
    badge.does("2029-06-01", "RecordTerm", term("expired", "2029-05-31"));
    assert_eq!(badge.held().stage, EntitlementStage::Expired);
    badge.comes_second("blue-badge");
    let events = badge.does("2029-07-15", "RenewEntitlement", renew());
    let [EntitlementEvent::EntitlementRenewed(renewed)] = events.as_slice() else {
        panic!("{events:?}")
    };
    assert_eq!(renewed.starts_on.to_string(), "2029-07-15");
    assert_eq!(renewed.lapsed_from.unwrap().to_string(), "2029-06-01");
    assert_eq!(badge.held().stage, EntitlementStage::Granted);
    // What was said of the term before is of no term any more.
    assert_eq!(
        names(&badge.does("2029-07-15", "RecordTerm", term("expired", "2029-05-31"))),
        [""; 0]
    );
}

#[test]
fn another_s_case_and_one_that_grants_something_else_renew_nothing() {
    let mut granted = Granted::of("garden-waste");
    granted.comes_second("blue-badge");
    assert_eq!(
        granted.refuses("2027-04-05", "RenewEntitlement", renew()),
        Rejection::GrantsSomethingElse
    );
    granted.comes_second("garden-waste");
    let of_another = granted_case_of(&Uuid::from_u128(9).to_string(), "garden-waste", true);
    granted.facts.other_case = Some(Arc::new(of_another));
    granted.facts.holder_of_case = Some(Uuid::from_u128(9).into());
    assert_eq!(
        granted.refuses("2027-04-05", "RenewEntitlement", renew()),
        Rejection::RenewedForAnother
    );
}

#[test]
fn of_two_records_of_one_person_whichever_is_kept_renews() {
    let kept: CustomerId = Uuid::from_u128(9).into();
    let merged = || customer_merged_into(kept);
    // The holder's record was merged, and the case is the kept one's, or was of a third one.
    let mut granted = Granted::of("garden-waste");
    granted.comes_second("garden-waste");
    (granted.facts.other_customer, granted.facts.holder_of_case) = (Some(merged()), Some(kept));
    granted.does("2027-04-05", "RenewEntitlement", renew());
    // The holder's record is the kept one.
    let mut granted = Granted::of("garden-waste");
    granted.comes_second("garden-waste");
    granted.facts.holder_of_case = Some(CUSTOMER.parse().unwrap());
    granted.does("2027-04-05", "RenewEntitlement", renew());
    // The kept record says that they died.
    let mut granted = Granted::of("garden-waste");
    granted.facts.other_customer = Some(merged());
    granted.facts.kept_customer = Some(dead());
    assert!(
        granted
            .does("2027-04-05", "RecordTerm", term("renewal_due", "2027-05-31"))
            .is_empty()
    );
}

proptest! {
    /// However late or early each step is tried: terms follow one another, none is longer than the catalogue says, and it can be renewed
    /// within it.
    #[test]
    fn terms_never_overlap_and_never_last_longer(steps in proptest::collection::vec((0_i64..500, 0_u8..4), 1..12)) {
        let mut granted = Granted::of("garden-waste");
        granted.comes_second("garden-waste");
        let mut today: Day = "2026-06-01".parse().unwrap();
        let mut ended_before = granted.held().ends_on;
        for (days, step) in steps {
            today = Day(today.0 + time::Duration::days(days));
            let ends_on = granted.held().ends_on.to_string();
            let before = granted.held().clone();
            let done = match step {
                0 => granted.tries(&today.to_string(), "RecordTerm", term("renewal_due", &ends_on)),
                1 => granted.tries(&today.to_string(), "RecordTerm", term("expired", &ends_on)),
                _ => granted.tries(&today.to_string(), "RenewEntitlement", renew()),
            };
            let held = granted.held();
            if let Ok([EntitlementEvent::EntitlementRenewed(renewed)]) = done.as_deref() {
                prop_assert!(renewed.starts_on > ended_before);
                prop_assert!((renewed.ends_on.0 - renewed.starts_on.0).whole_days() <= 365);
                prop_assert!(today >= before.renew_from);
                ended_before = held.ends_on;
            }
            prop_assert!(held.starts_on <= held.renew_from && held.renew_from <= held.ends_on);
            if held.stage == EntitlementStage::Expired {
                prop_assert!(today > held.ends_on);
            }
        }
    }
}
