//! Appointments: booked, moved, given up, kept or not; and what they are to a contractor.

use std::collections::BTreeSet;

use domain::Rejection;
use proptest::prelude::*;
use schemas::command::{Attendance, Slot};
use schemas::event::{AppointmentCancellation, CaseEvent, JobCancellation, JobReopening};
use schemas::query::AppointmentStage;
use serde_json::{Value, json};

use crate::fixtures::*;

/// A Wednesday, at ten in London.
const NOW: &str = "2026-05-20T09:00:00Z";

pub fn wasps() -> Life {
    let mut life = life("pest-treatment");
    let answers = json!({ "pest": "wasps" });
    life.does(
        NOW,
        "SubmitRequest",
        json!({ "request_type": "pest-treatment", "customer_id": CUSTOMER, "answers": answers }),
    );
    life
}

fn bulky() -> Life {
    let mut life = contracted_life("bulky-item");
    let answers = json!({ "items": ["sofa"], "count": 1 });
    let submitted = life.does(
        NOW,
        "SubmitRequest",
        json!({ "request_type": "bulky-item", "customer_id": CUSTOMER, "answers": answers }),
    );
    assert_eq!(names(&submitted), ["RequestSubmitted", "PaymentDue"]);
    life
}

pub fn slot(day: &str, time: &str) -> Value {
    json!({ "slot": { "day": day, "time": time } })
}

fn attendance(day: &str, time: &str, attendance: &str) -> Value {
    let mut data = by_officer(slot(day, time));
    data["attendance"] = json!(attendance);
    data
}

fn paid() -> Value {
    json!({ "payment": 1, "pence": 3500, "currency": "GBP", "provider": "gov-pay", "provider_ref": "hu20sqlact",
            "actor": { "kind": "system", "id": "payments" }, "channel": "system" })
}

fn names(events: &[CaseEvent]) -> Vec<&'static str> {
    events.iter().map(CaseEvent::name).collect()
}

fn stages(life: &Life) -> Vec<AppointmentStage> {
    life.case()
        .appointments()
        .map(|appointment| appointment.stage)
        .collect()
}

#[test]
fn an_appointment_is_booked_moved_as_often_as_needed_and_given_up() {
    let mut life = wasps();
    let booked = life.does(NOW, "BookAppointment", slot("2026-05-22", "10:00"));
    let [CaseEvent::AppointmentBooked(booked)] = &booked[..] else {
        panic!("{booked:?}")
    };
    assert_eq!((booked.calendar.as_str(), booked.minutes), ("pest-visits", 120));
    assert_eq!(booked.begins_at, at("2026-05-22T09:00:00Z"), "in London's summer");
    for (times, day) in [(1, "2026-05-26"), (2, "2026-05-28")] {
        let moved = life.does(NOW, "MoveAppointment", slot(day, "13:00"));
        let [CaseEvent::AppointmentMoved(moved)] = &moved[..] else {
            panic!("{moved:?}")
        };
        assert_eq!((moved.times, moved.slot.day.to_string()), (times, day.to_owned()));
        assert_eq!(u32::from(moved.appointment), 1);
    }
    assert_eq!(
        life.does(NOW, "MoveAppointment", slot("2026-05-28", "13:00")),
        [],
        "it is there already"
    );
    let given_up = life.does(NOW, "CancelAppointment", json!({}));
    assert!(
        matches!(&given_up[..], [CaseEvent::AppointmentCancelled(event)]
            if event.why == AppointmentCancellation::GivenUp && event.slot.day.to_string() == "2026-05-28"),
        "{given_up:?}"
    );
    for name in ["CancelAppointment", "MoveAppointment"] {
        let data = if name == "MoveAppointment" {
            slot("2026-05-28", "13:00")
        } else {
            json!({})
        };
        assert_eq!(life.tries(NOW, name, data), Err(Rejection::NotBooked));
    }
    life.does(NOW, "BookAppointment", slot("2026-05-28", "13:00"));
    assert_eq!(stages(&life), [AppointmentStage::Cancelled, AppointmentStage::Booked]);
}

#[test]
fn only_what_the_calendar_offers_can_be_taken() {
    let mut life = wasps();
    for (day, time, expected) in [
        ("2026-05-22", "09:00", Rejection::SlotNotOffered),
        ("2026-05-22", "12:00", Rejection::SlotNotOffered),
        ("2026-05-22", "17:00", Rejection::SlotNotOffered),
        // A Saturday, and the spring bank holiday.
        ("2026-05-23", "10:00", Rejection::SlotNotOffered),
        ("2026-05-25", "10:00", Rejection::SlotNotOffered),
        ("2026-05-19", "10:00", Rejection::SlotTooSoon { hours: 20 }),
        ("2026-05-20", "15:00", Rejection::SlotTooSoon { hours: 20 }),
        ("2026-07-02", "10:00", Rejection::SlotTooFarAhead { days: 42 }),
    ] {
        for name in ["BookAppointment", "MoveAppointment"] {
            let mut of_two = wasps();
            let life = if name == "MoveAppointment" {
                of_two.does(NOW, "BookAppointment", slot("2026-05-29", "08:00"));
                &mut of_two
            } else {
                &mut life
            };
            assert_eq!(
                life.tries(NOW, name, slot(day, time)),
                Err(expected.clone()),
                "{name} {day} {time}"
            );
        }
    }
    // Twenty hours before 8:00 in London are 11:00 UTC of the day before.
    let eight = || slot("2026-05-21", "08:00");
    assert_eq!(
        life.tries("2026-05-20T11:00:01Z", "BookAppointment", eight()),
        Err(Rejection::SlotTooSoon { hours: 20 })
    );
    life.does("2026-05-20T11:00:00Z", "BookAppointment", eight());
    let mut last = wasps();
    last.does(NOW, "BookAppointment", slot("2026-07-01", "15:00"));

    let mut bin = self::life("missed-bin");
    bin.does(
        NOW,
        "SubmitRequest",
        json!({ "request_type": "missed-bin", "answers": { "bin_type": "refuse" } }),
    );
    assert_eq!(
        bin.tries(NOW, "BookAppointment", slot("2026-05-22", "10:00")),
        Err(Rejection::NoAppointments)
    );
}

#[test]
fn an_officer_does_with_less_time_before_it_but_not_with_none() {
    let mut life = wasps();
    let today = || by_officer(slot("2026-05-20", "15:00"));
    assert_eq!(
        life.tries("2026-05-20T14:00:00Z", "BookAppointment", today()),
        Err(Rejection::SlotTooSoon { hours: 20 }),
        "it has begun"
    );
    life.does(NOW, "BookAppointment", today());
    let mut by_contractor = slot("2026-05-22", "10:00");
    by_contractor["actor"] = json!({ "kind": "contractor", "id": "street-partner" });
    assert_eq!(
        life.tries(NOW, "MoveAppointment", by_contractor),
        Err(Rejection::ActorNotAllowed)
    );
    life.facts.authority = None;
    assert_eq!(
        life.tries(NOW, "BookAppointment", today()),
        Err(Rejection::ActorNotRegistered)
    );
}

#[test]
fn one_is_to_come_at_a_time_and_after_no_access_there_is_another() {
    let mut life = wasps();
    life.does(NOW, "BookAppointment", slot("2026-05-22", "10:00"));
    assert_eq!(
        life.tries(NOW, "BookAppointment", slot("2026-05-26", "10:00")),
        Err(Rejection::AlreadyBooked)
    );
    let no_access = || attendance("2026-05-22", "10:00", "no_access");
    assert_eq!(
        life.tries("2026-05-22T08:59:59Z", "RecordAttendance", no_access()),
        Err(Rejection::AppointmentToCome)
    );
    let later = "2026-05-22T09:30:00Z";
    assert_eq!(
        life.tries(
            later,
            "RecordAttendance",
            attendance("2026-05-22", "08:00", "no_access")
        ),
        Err(Rejection::UnknownAppointment),
        "another slot"
    );
    assert_eq!(
        life.tries(later, "MoveAppointment", slot("2026-05-26", "10:00")),
        Err(Rejection::NotBooked),
        "what has begun is not moved out of the way"
    );
    let events = life.does(later, "RecordAttendance", no_access());
    assert!(
        matches!(&events[..], [CaseEvent::AttendanceRecorded(event)] if event.attendance == Attendance::NoAccess),
        "{events:?}"
    );
    assert_eq!(
        life.tries(later, "RecordAttendance", no_access()),
        Err(Rejection::UnknownAppointment)
    );
    let second = life.does(later, "BookAppointment", slot("2026-05-26", "10:00"));
    assert!(matches!(&second[..], [CaseEvent::AppointmentBooked(event)] if u32::from(event.appointment) == 2));
    assert_eq!(stages(&life), [AppointmentStage::NoAccess, AppointmentStage::Booked]);
}

#[test]
fn what_became_of_it_is_said_by_who_kept_it_and_can_be_struck_out() {
    let mut life = wasps();
    life.does(NOW, "BookAppointment", slot("2026-05-22", "10:00"));
    let later = "2026-05-22T12:00:00Z";
    for actor in [
        json!({ "kind": "resident" }),
        json!({ "kind": "contractor", "id": "street-partner" }),
    ] {
        let mut data = attendance("2026-05-22", "10:00", "attended");
        data["actor"] = actor;
        assert_eq!(
            life.tries(later, "RecordAttendance", data),
            Err(Rejection::ActorNotAllowed)
        );
    }
    life.does(
        later,
        "RecordAttendance",
        attendance("2026-05-22", "10:00", "did_not_attend"),
    );
    let wrong = by_officer(json!({ "entry": 4, "reason": "It was the neighbour." }));
    let struck = life.does(later, "CorrectEntry", wrong);
    assert!(matches!(&struck[..], [CaseEvent::EntryCorrected(event)] if event.entry_event == "AttendanceRecorded"));
    assert_eq!(stages(&life), [AppointmentStage::Booked]);
    life.does(later, "RecordAttendance", attendance("2026-05-22", "10:00", "attended"));
    assert_eq!(stages(&life), [AppointmentStage::Attended]);
    let booking = by_officer(json!({ "entry": 3, "reason": "It was the neighbour." }));
    assert_eq!(
        life.tries(later, "CorrectEntry", booking),
        Err(Rejection::EntryNotCorrectable)
    );
}

#[test]
fn the_end_of_its_case_gives_the_place_back_unless_it_has_begun() {
    let close = || by_officer(json!({ "outcome": "treated", "reasons": "The nest is gone." }));
    let mut life = wasps();
    life.does(NOW, "BookAppointment", slot("2026-05-22", "10:00"));
    let events = life.does(NOW, "CloseRequest", close());
    assert!(
        matches!(&events[..], [CaseEvent::RequestClosed(_), CaseEvent::AppointmentCancelled(event)]
            if event.why == AppointmentCancellation::CaseEnded),
        "{events:?}"
    );
    assert_eq!(
        life.tries(NOW, "BookAppointment", slot("2026-05-22", "10:00")),
        Err(Rejection::CaseClosed)
    );

    let mut begun = wasps();
    begun.does(NOW, "BookAppointment", slot("2026-05-22", "10:00"));
    let closed = begun.does("2026-05-22T10:00:00Z", "CloseRequest", close());
    assert_eq!(names(&closed), ["RequestClosed"]);
    let afterwards = attendance("2026-05-22", "10:00", "attended");
    assert_eq!(
        names(&begun.does("2026-05-22T11:00:00Z", "RecordAttendance", afterwards)),
        ["AttendanceRecorded"]
    );
}

#[test]
fn another_type_with_another_calendar_gives_the_place_back() {
    let mut life = wasps();
    life.does(NOW, "BookAppointment", slot("2026-05-22", "10:00"));
    life.facts.other_type = Some(request_type("public-rats"));
    let change = by_officer(json!({ "request_type": "public-rats", "reason": "It is a park.", "answers": {} }));
    let events = life.does(NOW, "ChangeType", change);
    assert!(
        matches!(&events[..], [CaseEvent::AppointmentCancelled(event), CaseEvent::TypeChanged(_), CaseEvent::PaymentDropped(_)]
            if event.why == AppointmentCancellation::TypeChanged),
        "{events:?}"
    );
}

#[test]
fn what_is_collected_at_an_appointment_is_a_job_when_it_is_booked_and_paid() {
    for paid_first in [true, false] {
        let mut life = bulky();
        let book = |life: &mut Life| life.does(NOW, "BookAppointment", slot("2026-05-28", "06:00"));
        let events = if paid_first {
            assert_eq!(names(&life.does(NOW, "RecordPayment", paid())), ["PaymentReceived"]);
            book(&mut life)
        } else {
            assert_eq!(names(&book(&mut life)), ["AppointmentBooked"]);
            life.does(NOW, "RecordPayment", paid())
        };
        assert_eq!(names(&events)[1..], ["JobRaised"], "{events:?}");
        assert!(
            life.clocks().contains("job_1 2026-05-28"),
            "due on its day: {}",
            life.clocks()
        );
    }
}

#[test]
fn the_contractor_hears_of_another_day_and_of_none() {
    let mut life = bulky();
    life.does(NOW, "RecordPayment", paid());
    life.does(NOW, "BookAppointment", slot("2026-05-28", "06:00"));
    let moved = life.does(NOW, "MoveAppointment", slot("2026-06-02", "06:00"));
    assert!(
        matches!(&moved[..], [CaseEvent::AppointmentMoved(_), CaseEvent::JobChanged(event)]
            if event.changed == ["appointment"]),
        "{moved:?}"
    );
    assert!(life.clocks().contains("job_1 2026-06-02"), "{}", life.clocks());
    let given_up = life.does(NOW, "CancelAppointment", json!({}));
    assert!(
        matches!(&given_up[..], [CaseEvent::AppointmentCancelled(_), CaseEvent::JobCancelled(event)]
            if event.why == JobCancellation::AppointmentGivenUp),
        "{given_up:?}"
    );
    assert!(!life.clocks().contains("job_1"), "{}", life.clocks());
    let again = life.does(NOW, "BookAppointment", slot("2026-06-03", "06:00"));
    assert!(
        matches!(&again[..], [CaseEvent::AppointmentBooked(_), CaseEvent::JobReopened(event)]
            if event.attempt == 2 && event.why == JobReopening::RaisedAgain),
        "{again:?}"
    );
    assert!(life.clocks().contains("job_1 2026-06-03"), "{}", life.clocks());
}

#[test]
fn a_missed_collection_that_is_reopened_reaches_the_contractor_before_there_is_another_day() {
    let mut life = bulky();
    life.does(NOW, "RecordPayment", paid());
    life.does(NOW, "BookAppointment", slot("2026-05-28", "06:00"));
    let later = "2026-05-28T15:00:00Z";
    let done = json!({ "job": { "number": 1, "attempt": 1 }, "code": "NOT-OUT", "channel": "system",
                       "actor": { "kind": "contractor", "id": "street-partner" } });
    life.does(later, "ReportJobDone", done);
    let reopened = life.does(later, "ReopenRequest", json!({ "reason": "It stood there from five." }));
    assert_eq!(names(&reopened), ["RequestReopened", "JobReopened"]);
    assert!(
        life.clocks().contains("job_1 2026-06-11"),
        "as long as the contract gives, not the day that is past: {}",
        life.clocks()
    );
    let booked = life.does(later, "BookAppointment", slot("2026-06-02", "06:00"));
    assert_eq!(names(&booked), ["AppointmentBooked", "JobChanged"]);
    assert!(life.clocks().contains("job_1 2026-06-02"), "{}", life.clocks());
}

#[test]
fn what_is_paid_while_somebody_may_still_come_is_a_job() {
    let mut life = bulky();
    life.does(NOW, "BookAppointment", slot("2026-05-28", "06:00"));
    let events = life.does("2026-05-28T07:00:00Z", "RecordPayment", paid());
    assert!(
        matches!(&events[..], [CaseEvent::PaymentReceived(_), CaseEvent::JobRaised(event)] if event.slot.is_some()),
        "{events:?}"
    );
    let mut late = bulky();
    late.does(NOW, "BookAppointment", slot("2026-05-28", "06:00"));
    let events = late.does("2026-05-28T17:00:00Z", "RecordPayment", paid());
    assert_eq!(names(&events), ["PaymentReceived"], "the day is over in London");
}

#[test]
fn a_closing_by_mistake_makes_no_job_of_what_was_never_booked() {
    let mut life = bulky();
    life.does(NOW, "RecordPayment", paid());
    let close = by_officer(json!({ "outcome": "duplicate", "reasons": "Asked for twice." }));
    life.does(NOW, "CloseRequest", close);
    let struck = by_officer(json!({ "entry": 4, "reason": "The other is next door's." }));
    assert_eq!(names(&life.does(NOW, "CorrectEntry", struck)), ["EntryCorrected"]);
    assert_eq!(life.case().job(), None);
}

#[test]
fn what_the_contractor_did_not_take_is_booked_again_by_an_officer_alone_and_is_theirs_again() {
    let mut life = bulky();
    life.does(NOW, "RecordPayment", paid());
    life.does(NOW, "BookAppointment", slot("2026-05-28", "06:00"));
    let withdraw = by_officer(json!({ "reason": "The yard is locked until June." }));
    life.does(NOW, "WithdrawJob", withdraw);
    assert_eq!(
        life.tries(NOW, "MoveAppointment", slot("2026-06-02", "06:00")),
        Err(Rejection::CouncilLooksAtIt)
    );
    let moved = life.does(NOW, "MoveAppointment", by_officer(slot("2026-06-02", "06:00")));
    assert_eq!(names(&moved), ["AppointmentMoved", "JobReopened", "RequestAssigned"]);
    assert_eq!(life.case().team().unwrap().as_str(), "waste-crews");
}

#[test]
fn a_booked_collection_that_becomes_other_work_is_told_as_that() {
    let mut life = bulky();
    life.does(NOW, "RecordPayment", paid());
    life.does(NOW, "BookAppointment", slot("2026-05-28", "06:00"));
    life.facts.other_type = Some(contracted("household-appliance"));
    let change = by_officer(
        json!({ "request_type": "household-appliance", "reason": "It is a fridge.",
        "answers": { "appliance": "fridge" } }),
    );
    let events = life.does(NOW, "ChangeType", change);
    assert!(
        matches!(&events[..], [CaseEvent::AppointmentCancelled(_), CaseEvent::TypeChanged(_), CaseEvent::JobReopened(event)]
            if event.why == JobReopening::OtherWork && event.slot.is_none()),
        "{events:?}"
    );
}

/// What a stranger does with an appointment, one after another.
fn any_step() -> impl Strategy<Value = (u8, u8, u8)> {
    (0..6_u8, 0..4_u8, 0..3_u8)
}

proptest! {
    /// Whoever sees the events alone knows which places are held: what is taken is free, what is given back is held, and no case has
    /// two to come.
    #[test]
    fn places_taken_and_given_back_balance(steps in prop::collection::vec(any_step(), 1..24)) {
        let mut life = wasps();
        let mut held: BTreeSet<Slot> = BTreeSet::new();
        let mut hour = 0;
        for (what, which, jump) in steps {
            hour += u32::from(jump) * 9;
            let now = format!("2026-05-{:02}T{:02}:00:00Z", 20 + hour / 24, hour % 24);
            let day = ["2026-05-21", "2026-05-22", "2026-05-26", "2026-05-28"][usize::from(which)];
            let (name, data) = match what {
                0 => ("BookAppointment", slot(day, "10:00")),
                1 => ("MoveAppointment", slot(day, "10:00")),
                2 => ("CancelAppointment", json!({})),
                3 => ("RecordAttendance", attendance(day, "10:00", "no_access")),
                4 => ("CancelRequest", json!({ "reason": "It flew away." })),
                _ => ("CloseRequest", by_officer(json!({ "outcome": "treated", "reasons": "Gone." }))),
            };
            prop_assume!(hour < 24 * 11);
            for event in life.tries(&now, name, data).unwrap_or_default() {
                match event {
                    CaseEvent::AppointmentBooked(event) => prop_assert!(held.insert(event.slot)),
                    CaseEvent::AppointmentMoved(event) => {
                        prop_assert!(held.insert(event.slot));
                        prop_assert!(held.remove(&event.from));
                    }
                    CaseEvent::AppointmentCancelled(event) => prop_assert!(held.remove(&event.slot)),
                    _ => {}
                }
            }
            let to_come = held.iter().filter(|slot| catalogue::booking::begins_at(**slot) > Some(at(&now)));
            prop_assert!(to_come.count() <= 1, "{held:?}");
        }
    }
}
