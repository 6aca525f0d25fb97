//! How long a place is held for somebody who has to pay first.

use domain::Rejection;
use schemas::event::{AppointmentCancellation, CaseEvent};
use serde_json::json;

use crate::appointments::{slot, wasps};

#[test]
fn an_unpaid_place_is_held_for_a_while_and_another_day_is_no_more_time() {
    let release = |pay_by: &str| json!({ "pay_by": pay_by, "actor": { "kind": "system", "id": "timekeeper" }, "channel": "system" });
    let mut visit = wasps();
    let booked = visit.does("2026-05-20T09:00:00Z", "BookAppointment", slot("2026-05-22", "10:00"));
    let [CaseEvent::AppointmentBooked(event)] = &booked[..] else {
        panic!("{booked:?}")
    };
    assert_eq!(event.pay_by.unwrap().to_string(), "2026-05-21T09:00:00Z");
    let moved = visit.does("2026-05-20T12:00:00Z", "MoveAppointment", slot("2026-05-27", "08:00"));
    assert!(matches!(&moved[..], [CaseEvent::AppointmentMoved(moved)] if moved.pay_by == event.pay_by));
    assert_eq!(
        visit.tries(
            "2026-05-21T08:59:59Z",
            "ReleaseAppointment",
            release("2026-05-21T09:00:00Z")
        ),
        Err(Rejection::NotYet)
    );
    let mut paid = wasps();
    paid.does("2026-05-20T09:00:00Z", "BookAppointment", slot("2026-05-22", "10:00"));
    let payment = json!({ "payment": 1, "pence": 7500, "currency": "GBP", "provider": "gov-pay", "provider_ref": "ref1",
                          "actor": { "kind": "system", "id": "payments" }, "channel": "system" });
    paid.does("2026-05-20T10:00:00Z", "RecordPayment", payment);
    assert!(
        paid.does(
            "2026-05-21T09:00:00Z",
            "ReleaseAppointment",
            release("2026-05-21T09:00:00Z")
        )
        .is_empty()
    );
    let moved = paid.does("2026-05-21T10:00:00Z", "MoveAppointment", slot("2026-05-27", "08:00"));
    assert!(matches!(&moved[..], [CaseEvent::AppointmentMoved(moved)] if moved.pay_by.is_none()));

    let mut by_resident = release("2026-05-21T09:00:00Z");
    by_resident["actor"] = json!({ "kind": "resident" });
    assert_eq!(
        visit.tries("2026-05-21T09:00:00Z", "ReleaseAppointment", by_resident),
        Err(Rejection::ActorNotAllowed)
    );
    let released = visit.does(
        "2026-05-21T09:00:00Z",
        "ReleaseAppointment",
        release("2026-05-21T09:00:00Z"),
    );
    assert!(
        matches!(&released[..], [CaseEvent::AppointmentCancelled(event)] if event.why == AppointmentCancellation::NotPaid)
    );
    assert!(
        visit
            .does(
                "2026-05-21T09:00:00Z",
                "ReleaseAppointment",
                release("2026-05-21T09:00:00Z")
            )
            .is_empty()
    );
}
