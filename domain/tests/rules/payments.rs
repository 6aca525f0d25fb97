//! What a case costs: asked for, paid, failed, given back, given up; and that it always balances.

use domain::Rejection;
use proptest::prelude::*;
use schemas::event::CaseEvent;
use schemas::query::{CaseStatus, PaymentSummary};
use serde_json::{Value, json};

use crate::fixtures::*;

const DAY: &str = "2026-05-20T09:00:00Z";

/// A garden waste subscription for £55.00, which a contractor starts once it is paid.
fn garden() -> Life {
    let mut life = contracted_life("garden-waste");
    let opened = life.does(
        DAY,
        "SubmitRequest",
        json!({
            "request_type": "garden-waste", "customer_id": CUSTOMER, "answers": { "bins": 1 },
        }),
    );
    assert_eq!(names(&opened), ["RequestSubmitted", "PaymentDue"]);
    life
}

fn names(events: &[CaseEvent]) -> Vec<&'static str> {
    events.iter().map(CaseEvent::name).collect()
}

fn by_provider(mut data: Value) -> Value {
    data["actor"] = json!({ "kind": "system", "id": "payments" });
    data["channel"] = json!("system");
    data
}

fn paid(pence: u32) -> Value {
    by_provider(
        json!({ "payment": 1, "pence": pence, "currency": "GBP", "provider": "gov-pay", "provider_ref": "hu20sqlact" }),
    )
}

fn refunded(pence: u32) -> Value {
    by_provider(
        json!({ "payment": 1, "pence": pence, "currency": "GBP", "provider": "gov-pay", "provider_ref": "re30sqlact" }),
    )
}

fn refund(pence: u32) -> Value {
    by_officer(json!({ "payment": 1, "pence": pence, "reason": "It was never collected." }))
}

fn concession(pence: u32) -> Value {
    by_officer(json!({ "payment": 1, "pence": pence, "rule": "charges-2026:4", "reason": "Council tax support." }))
}

fn write_off() -> Value {
    by_officer(json!({ "payment": 1, "rule": "finance-2026:9", "reason": "They moved away." }))
}

fn first(life: &Life) -> PaymentSummary {
    life.case().payments().next().unwrap()
}

#[test]
fn a_case_that_waits_for_its_payment_is_nobody_s_job_until_it_is_paid() {
    let mut life = garden();
    assert_eq!((first(&life).outstanding.get(), life.case().job()), (5500, None));
    let raise = by_officer(json!({ "reason": "Now." }));
    assert_eq!(life.tries(DAY, "RaiseJob", raise), Err(Rejection::PaymentOutstanding));
    let failed = by_provider(json!({ "payment": 1, "provider": "gov-pay", "provider_ref": "a1", "code": "P0030" }));
    assert_eq!(
        names(&life.does(DAY, "RecordPaymentFailure", failed)),
        ["PaymentFailed"]
    );
    assert_eq!(
        names(&life.does(DAY, "RecordPayment", paid(5500))),
        ["PaymentReceived", "JobRaised"]
    );
    assert_eq!(first(&life).outstanding.get(), 0);
    assert_eq!(
        life.tries(DAY, "RecordPayment", paid(5500)),
        Err(Rejection::NothingOutstanding)
    );
}

#[test]
fn what_is_paid_is_what_is_outstanding_in_pounds_and_said_by_who_takes_money() {
    let mut life = garden();
    for (data, rejection) in [
        (paid(5499), Rejection::WrongAmount { outstanding: 5500 }),
        (paid(5501), Rejection::WrongAmount { outstanding: 5500 }),
        (paid(0), Rejection::WrongAmount { outstanding: 5500 }),
    ] {
        assert_eq!(life.tries(DAY, "RecordPayment", data), Err(rejection));
    }
    let mut euros = paid(5500);
    euros["currency"] = json!("EUR");
    assert_eq!(life.tries(DAY, "RecordPayment", euros), Err(Rejection::WrongCurrency));
    let mut second = paid(5500);
    second["payment"] = json!(2);
    assert_eq!(life.tries(DAY, "RecordPayment", second), Err(Rejection::UnknownPayment));
    for kind in ["resident", "contractor"] {
        let mut by_another = paid(5500);
        by_another["actor"] = json!({ "kind": kind });
        if kind == "contractor" {
            by_another["actor"]["id"] = json!("street-partner");
        }
        assert_eq!(
            life.tries(DAY, "RecordPayment", by_another),
            Err(Rejection::ActorNotAllowed),
            "{kind}"
        );
    }
    let mut at_the_desk = by_officer(paid(5500));
    at_the_desk["provider"] = json!("cash-desk");
    assert_eq!(
        names(&life.does(DAY, "RecordPayment", at_the_desk)),
        ["PaymentReceived", "JobRaised"]
    );
}

#[test]
fn an_officer_asks_for_less_or_for_nothing() {
    let mut life = garden();
    assert_eq!(
        life.tries(DAY, "GrantConcession", concession(5500)),
        Err(Rejection::NoConcession)
    );
    let events = life.does(DAY, "GrantConcession", concession(2000));
    assert!(
        matches!(&events[..], [CaseEvent::ConcessionGranted(given)] if given.pence_off.get() == 3500),
        "{events:?}"
    );
    assert_eq!(
        life.tries(DAY, "RecordPayment", paid(5500)),
        Err(Rejection::WrongAmount { outstanding: 2000 })
    );
    assert_eq!(
        names(&life.does(DAY, "GrantConcession", concession(0))),
        ["ConcessionGranted", "JobRaised"]
    );
    assert_eq!(
        life.tries(DAY, "GrantConcession", concession(0)),
        Err(Rejection::NothingOutstanding)
    );
    let mut of_another_team = garden();
    of_another_team.facts.authority = Some(authority("j.okafor", &["complaints"]));
    for (name, data) in [
        ("GrantConcession", concession(0)),
        ("WriteOffPayment", write_off()),
        ("DecideRefund", refund(1)),
    ] {
        assert_eq!(
            of_another_team.tries(DAY, name, data),
            Err(Rejection::OfficerNotAuthorised),
            "{name}"
        );
    }
}

#[test]
fn money_goes_back_as_it_was_decided_and_no_more_than_came() {
    let mut life = garden();
    assert_eq!(
        life.tries(DAY, "DecideRefund", refund(1)),
        Err(Rejection::MoreThanPaid { refundable: 0 })
    );
    life.does(DAY, "RecordPayment", paid(5500));
    assert_eq!(
        life.tries(DAY, "RecordRefund", refunded(100)),
        Err(Rejection::RefundNotDecided { owed: 0 })
    );
    assert_eq!(life.tries(DAY, "DecideRefund", refund(0)), Err(Rejection::NoAmount));
    life.does(DAY, "DecideRefund", refund(2000));
    assert_eq!(
        life.tries(DAY, "DecideRefund", refund(3501)),
        Err(Rejection::MoreThanPaid { refundable: 3500 })
    );
    assert_eq!(
        life.tries(DAY, "RecordRefund", refunded(2001)),
        Err(Rejection::RefundNotDecided { owed: 2000 })
    );
    life.does(DAY, "RecordRefund", refunded(1500));
    let payment = first(&life);
    assert_eq!(
        (payment.paid.get(), payment.refund_owed.get(), payment.refunded.get()),
        (5500, 500, 1500)
    );
    let mut bare = refund(1);
    bare.as_object_mut().unwrap().remove("reason");
    assert_eq!(life.tries(DAY, "DecideRefund", bare), Err(Rejection::ReasonRequired));
}

#[test]
fn what_is_outstanding_when_a_case_ends_for_nothing_is_no_longer_asked_for() {
    let mut cancelled = garden();
    let events = cancelled.does(DAY, "CancelRequest", json!({}));
    assert!(
        matches!(&events[1], CaseEvent::PaymentDropped(dropped) if dropped.pence.get() == 5500),
        "{events:?}"
    );
    assert_eq!(
        cancelled.tries(DAY, "RecordPayment", paid(5500)),
        Err(Rejection::NothingOutstanding)
    );
    // Struck out, it is asked for again.
    let strike = by_officer(json!({ "entry": 3, "reason": "Another case was meant." }));
    let events = cancelled.does(DAY, "CorrectEntry", strike);
    assert_eq!(names(&events), ["EntryCorrected", "PaymentDue"]);
    assert_eq!(
        cancelled
            .case()
            .payments()
            .map(|payment| payment.outstanding.get())
            .sum::<u32>(),
        5500
    );

    let mut paid_before = garden();
    paid_before.does(DAY, "RecordPayment", paid(5500));
    assert_eq!(
        names(&paid_before.does(DAY, "CancelRequest", json!({}))),
        ["RequestCancelled", "JobCancelled"]
    );
    assert_eq!(
        names(&paid_before.does(DAY, "DecideRefund", refund(5500))),
        ["RefundDecided"],
        "an officer decides what goes back"
    );
}

#[test]
fn what_is_written_off_is_not_waited_for() {
    let mut life = garden();
    assert_eq!(
        names(&life.does(DAY, "WriteOffPayment", write_off())),
        ["PaymentWrittenOff", "JobRaised"]
    );
    assert_eq!(
        life.tries(DAY, "WriteOffPayment", write_off()),
        Err(Rejection::NothingOutstanding)
    );
}

#[test]
fn a_fee_on_approval_is_asked_for_with_the_grant_and_paid_before_anything_is_issued() {
    let mut life = life("blue-badge");
    let data = json!({ "request_type": "blue-badge", "customer_id": CUSTOMER, "answers": { "application": "new", "route": "walking" } });
    assert_eq!(names(&life.does(DAY, "SubmitRequest", data)), ["RequestSubmitted"]);
    let decided = |outcome: &str| {
        by_officer(json!({ "outcome": outcome, "reasons": "You qualify.", "rule": "si-2000-682:4(2)(f)" }))
    };
    assert_eq!(
        names(&life.does(DAY, "RecordDecision", decided("approved"))),
        ["DecisionRecorded", "PaymentDue"]
    );
    assert_eq!(
        names(&life.does(DAY, "CloseRequest", by_officer(json!({ "outcome": "approved" })))),
        ["RequestClosed"],
        "asked for once"
    );
    let issue = by_officer(json!({ "badge_number": "1234", "issued_on": "2026-05-20", "valid_until": "2029-05-19" }));
    assert_eq!(
        life.tries(DAY, "RecordBadgeIssued", issue.clone()),
        Err(Rejection::PaymentOutstanding)
    );
    life.does(DAY, "RecordPayment", paid(1000));
    assert_eq!(names(&life.does(DAY, "RecordBadgeIssued", issue)), ["BadgeIssued"]);
}

#[test]
fn a_refusal_asks_for_nothing_and_a_grant_that_is_struck_out_no_longer() {
    let mut life = life("blue-badge");
    let data = json!({ "request_type": "blue-badge", "customer_id": CUSTOMER, "answers": { "application": "new", "route": "walking" } });
    life.does(DAY, "SubmitRequest", data);
    let decided = |outcome: &str| {
        by_officer(json!({ "outcome": outcome, "reasons": "As it is.", "rule": "si-2000-682:4(2)(f)" }))
    };
    life.does(DAY, "RecordDecision", decided("approved"));
    let events = life.does(
        DAY,
        "CorrectEntry",
        by_officer(json!({ "entry": 2, "reason": "The wrong applicant." })),
    );
    assert_eq!(names(&events), ["EntryCorrected", "PaymentDropped"]);
    assert_eq!(
        names(&life.does(DAY, "RecordDecision", decided("refused"))),
        ["DecisionRecorded"]
    );
}

#[test]
fn an_officer_asks_for_more_and_another_type_has_its_own_fee() {
    let mut life = garden();
    let second =
        by_officer(json!({ "what": "second_part", "pence": 2500, "waits": true, "reason": "The second part." }));
    assert_eq!(names(&life.does(DAY, "RequestPayment", second)), ["PaymentDue"]);
    assert_eq!(
        names(&life.does(DAY, "RecordPayment", paid(5500))),
        ["PaymentReceived"],
        "it waits for the other still"
    );
    assert_eq!(life.case().payments().count(), 2);
    let nothing = by_officer(json!({ "what": "second_part", "pence": 0 }));
    assert_eq!(life.tries(DAY, "RequestPayment", nothing), Err(Rejection::NoAmount));

    let mut life = garden();
    life.facts.other_type = Some(contracted("missed-bin"));
    let change = by_officer(
        json!({ "request_type": "missed-bin", "answers": { "bin_type": "garden" }, "reason": "A missed bin." }),
    );
    assert_eq!(
        names(&life.does(DAY, "ChangeType", change)),
        ["TypeChanged", "PaymentDropped", "JobRaised"]
    );
}

fn any_command() -> impl Strategy<Value = (&'static str, Value)> {
    let some = |weight: u32, name: &'static str, make: fn(u32) -> Value| {
        (weight, (0_u32..6000).prop_map(move |pence| (name, make(pence))).boxed())
    };
    let fixed = |weight: u32, name: &'static str, data: Value| (weight, Just((name, data)).boxed());
    let of = |payment: u32, mut data: Value| {
        data["payment"] = json!(payment);
        data
    };
    proptest::strategy::Union::new_weighted(vec![
        some(2, "RequestPayment", |pence| {
            by_officer(json!({ "what": "more", "pence": pence, "reason": "more" }))
        }),
        some(3, "GrantConcession", concession),
        fixed(4, "RecordPayment", paid(5500)),
        some(2, "RecordPayment", paid),
        some(4, "DecideRefund", refund),
        some(4, "RecordRefund", refunded),
        fixed(1, "WriteOffPayment", write_off()),
        fixed(1, "WriteOffPayment", of(2, write_off())),
        fixed(1, "DecideRefund", of(2, refund(7))),
        fixed(1, "CancelRequest", json!({})),
        (
            2,
            (1_i64..20)
                .prop_map(|entry| ("CorrectEntry", by_officer(json!({ "entry": entry, "reason": "wrong" }))))
                .boxed(),
        ),
    ])
}

proptest! {
    #[test]
    fn whatever_is_sent_the_money_balances(commands in proptest::collection::vec(any_command(), 1..60)) {
        let mut life = garden();
        let mut log = Vec::new();
        for (name, data) in commands {
            let Ok(events) = life.tries(DAY, name, data) else { continue };
            log.extend(events);
            for payment in life.case().payments() {
                let of = |wanted: fn(&CaseEvent) -> Option<(u32, u32)>| -> u32 {
                    let amounts = log.iter().filter_map(wanted);
                    amounts.filter(|(number, _)| *number == u32::from(payment.number)).map(|(_, pence)| pence).sum()
                };
                let received = of(|event| match event {
                    CaseEvent::PaymentReceived(event) => Some((event.payment.into(), event.pence.get())),
                    _ => None,
                });
                let given_back = of(|event| match event {
                    CaseEvent::PaymentRefunded(event) => Some((event.payment.into(), event.pence.get())),
                    _ => None,
                });
                let given_up = of(|event| match event {
                    CaseEvent::PaymentWrittenOff(event) => Some((event.payment.into(), event.pence.get())),
                    CaseEvent::PaymentDropped(event) => Some((event.payment.into(), event.pence.get())),
                    _ => None,
                });
                prop_assert_eq!(payment.pence.get(), payment.outstanding.get() + received + given_up, "{:?}", payment);
                prop_assert!(given_back + payment.refund_owed.get() <= received, "{payment:?}");
                prop_assert_eq!((payment.paid.get(), payment.given_up.get(), payment.refunded.get()), (received, given_up, given_back));
            }
            let waits = life.case().payments().any(|payment| payment.waits && !payment.outstanding.is_zero());
            let job = life.case().job();
            prop_assert!(!waits || job.is_none_or(|job| !job.stage.is_with_contractor()), "unpaid, and a job");
            let open = life.case().status() == Some(CaseStatus::Open);
            prop_assert!(open || life.case().payments().all(|payment| payment.outstanding.is_zero()), "cancelled, and outstanding");
        }
    }
}
