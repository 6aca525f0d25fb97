//! Appointments over the bus: which slots are open, that none is sold twice, and that whoever collects hears of another day.

use std::collections::BTreeMap;
use std::time::Duration;

use catalogue::london;
use futures::future::join_all;
use schemas::command::Slot;
use schemas::moment::Day;
use schemas::query::{AppointmentStage, CaseAnswer, CaseQuery, OpenSlot, SlotsAnswer, SlotsQuery};
use schemas::result::{CommandResult, CommandStatus};
use schemas::{AggregateId, CaseId, Position, RequestTypeCode};
use serde_json::{Value, json};
use system_tests::council::{accepted, example, rejected, repository};
use system_tests::eventually;
use time::OffsetDateTime;

use crate::office::Office;

/// How many want the same at once.
const RACERS: usize = 64;

async fn open_slots(office: &Office, request_type: &str) -> Vec<OpenSlot> {
    let query = SlotsQuery {
        request_type: RequestTypeCode::new(request_type).unwrap(),
        from: None,
        days: Some(21),
    };
    match office.website.slots(&query).await.unwrap() {
        SlotsAnswer::Found { slots, .. } => slots,
        other => panic!("{other:?}"),
    }
}

fn places(slots: &[OpenSlot], slot: Slot) -> u32 {
    let open = slots.iter().find(|open| open.slot == slot);
    open.map_or(0, |open| open.places)
}

fn at(slot: Slot) -> Value {
    json!({ "slot": slot, "actor": { "kind": "resident" }, "channel": "online" })
}

async fn submit(office: &Office, customer: AggregateId, request_type: &str, answers: Value) -> AggregateId {
    let data = json!({ "request_type": request_type, "customer_id": customer, "answers": answers });
    office.opens(data).await
}

async fn sends(office: &Office, case: AggregateId, name: &str, data: Value) -> CommandResult {
    office.council.call(&office.website, name, Some(case), data).await
}

/// How many were accepted; each of the others was refused with this code.
fn accepted_else(results: &[CommandResult], code: &str) -> usize {
    let accepted = |result: &&CommandResult| match &result.status {
        CommandStatus::Accepted(_) => true,
        CommandStatus::Rejected { problem } => {
            assert_eq!((problem.code(), problem.errors[0].pointer.as_str()), (code, "/slot"));
            false
        }
        other => panic!("{other:?}"),
    };
    results.iter().filter(accepted).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn no_place_is_sold_twice_to_64_clients_of_two_services() {
    let office = Office::open().await;
    let _services = [
        office.council.serve("command-service"),
        office.council.serve("command-service"),
    ];
    office.council.answering().await;
    let customer = office.registers(json!({})).await;
    let cases = (0..RACERS).map(|_| submit(&office, customer, "pest-treatment", json!({ "pest": "wasps" })));
    let cases = join_all(cases).await;
    let open = open_slots(&office, "pest-treatment").await;
    let (first, second) = (open[0].slot, open[1].slot);
    assert_eq!(open[0].places, 3, "{open:?}");

    let book = |slot: Slot| cases.iter().map(move |case| (*case, slot));
    let race = |wanted: Vec<(AggregateId, Slot)>, name: &'static str| {
        let office = &office;
        async move { join_all(wanted.iter().map(|(case, slot)| sends(office, *case, name, at(*slot)))).await }
    };
    let booked = race(book(first).collect(), "BookAppointment").await;
    assert_eq!(accepted_else(&booked, "slot_full"), 3);
    assert_eq!(places(&open_slots(&office, "pest-treatment").await, first), 0);

    // Everybody else books what is left: whoever has a place moves into the next slot at the same time, and gives the first one back.
    let has_place: Vec<bool> = booked
        .iter()
        .map(|result| matches!(result.status, CommandStatus::Accepted(_)))
        .collect();
    let each = cases.iter().zip(&has_place).map(|(case, has)| {
        let name = if *has { "MoveAppointment" } else { "BookAppointment" };
        sends(&office, *case, name, at(second))
    });
    let second_race = join_all(each).await;
    assert_eq!(accepted_else(&second_race, "slot_full"), 3);

    // What the log says is held is what the table says, and no slot has more than its places.
    let events: Vec<(String, String, String)> = sqlx::query_as(
        "SELECT aggregate_id, event_type, payload::text FROM ledger.events WHERE event_type LIKE 'Appointment%' ORDER BY position",
    )
    .fetch_all(&office.owner)
    .await
    .unwrap();
    let mut held: BTreeMap<(String, String), u32> = BTreeMap::new();
    for (case, event, payload) in events {
        let payload: Value = serde_json::from_str(&payload).unwrap();
        let named = |slot: &Value| {
            format!(
                "pest-visits/{}/{}",
                slot["day"].as_str().unwrap(),
                slot["time"].as_str().unwrap()
            )
        };
        *held.entry((named(&payload["slot"]), case.clone())).or_default() += 1;
        if event == "AppointmentMoved" {
            held.remove(&(named(&payload["from"]), case)).unwrap();
        }
    }
    let table: Vec<(String, String)> =
        sqlx::query_as("SELECT slot, holder::text FROM ledger.places ORDER BY slot, holder::text")
            .fetch_all(&office.owner)
            .await
            .unwrap();
    assert_eq!(held.into_keys().collect::<Vec<_>>(), table);
    let open = open_slots(&office, "pest-treatment").await;
    let moved = second_race
        .iter()
        .zip(&has_place)
        .filter(|(result, has)| **has && matches!(result.status, CommandStatus::Accepted(_)))
        .count();
    assert_eq!(places(&open, second), 0);
    assert_eq!(places(&open, first) as usize, moved, "given back by those who moved");

    // Who gives a place up, or whose case ends, leaves it to another.
    let holder: AggregateId = table.last().unwrap().1.parse().unwrap();
    let cancelled = sends(
        &office,
        holder,
        "CancelRequest",
        json!({ "actor": { "kind": "resident" }, "channel": "online" }),
    )
    .await;
    assert!(matches!(cancelled.status, CommandStatus::Accepted(_)), "{cancelled:?}");
    let waiting = cases.iter().zip(&second_race).zip(&has_place);
    let waiting =
        waiting.filter(|((_, result), has)| !**has && matches!(result.status, CommandStatus::Rejected { .. }));
    let again: Vec<_> = waiting.map(|((case, _), _)| (*case, second)).collect();
    assert_eq!(accepted_else(&race(again, "BookAppointment").await, "slot_full"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collection_is_told_to_the_crew_once_it_is_paid_and_booked_and_each_new_day_of_it() {
    let office = Office::open().await;
    let _services = office.council.serve_all().await;
    office.council.answering().await;
    let customer = office.registers(json!({})).await;
    let case = submit(
        &office,
        customer,
        "bulky-item",
        json!({ "items": ["sofa"], "count": 1 }),
    )
    .await;
    let open = open_slots(&office, "bulky-item").await;
    assert_eq!(open[0].places, 20);

    let past = json!({ "day": "2026-05-21", "time": "06:00" });
    let refused = sends(
        &office,
        case,
        "BookAppointment",
        json!({ "slot": past, "actor": { "kind": "resident" }, "channel": "online" }),
    )
    .await;
    let problem = rejected(refused);
    assert_eq!(
        (problem.code(), problem.errors[0].pointer.as_str()),
        ("slot_too_soon", "/slot")
    );
    for wrong in [
        json!({ "day": "2026-02-30", "time": "06:00" }),
        json!({ "day": "2026-05-21", "time": "6am" }),
    ] {
        let refused = sends(
            &office,
            case,
            "BookAppointment",
            json!({ "slot": wrong, "actor": { "kind": "resident" }, "channel": "online" }),
        )
        .await;
        assert!(rejected(refused).errors[0].pointer.starts_with("/slot"));
    }

    for (name, slot) in [("BookAppointment", open[0].slot), ("MoveAppointment", open[1].slot)] {
        let result = sends(&office, case, name, at(slot)).await;
        assert!(matches!(result.status, CommandStatus::Accepted(_)), "{result:?}");
    }
    let provider = office.council.client("payments").await;
    let paid = example("RecordPayment", json!({ "provider_ref": "hu20sqlact", "pence": 3500 }));
    office
        .council
        .accept(&provider, "RecordPayment", Some(case), paid)
        .await;
    let moved = sends(&office, case, "MoveAppointment", at(open[2].slot)).await;
    assert!(matches!(moved.status, CommandStatus::Accepted(_)), "{moved:?}");

    let answer = office.website.case(&CaseQuery::Id(CaseId(case.uuid()))).await.unwrap();
    let CaseAnswer::Found { case: found } = answer else {
        panic!("{answer:?}")
    };
    let appointment = &found.appointments[0];
    assert_eq!(
        (appointment.slot, appointment.moved, appointment.stage),
        (open[2].slot, 2, AppointmentStage::Booked)
    );
    let partner = crate::jobs::Partner::of(&office.council).await;
    let told = partner.reads(2).await;
    let slots: Vec<_> = told.iter().map(|told| (told.name.as_str(), told.data.slot)).collect();
    assert_eq!(
        slots,
        [("JobRaised", Some(open[1].slot)), ("JobChanged", Some(open[2].slot))]
    );
    assert_eq!(told[1].data.changed, ["appointment"]);
    assert_eq!(told[1].data.due, Some(schemas::clock::Due::On(open[2].slot.day)));

    let mail = office.council.mail_dir();
    let subjects = system_tests::eventually(
        "the notices of the appointment",
        system_tests::council::PATIENCE,
        async || {
            let files = std::fs::read_dir(&mail).ok()?;
            let names: Vec<String> = files
                .map(|file| file.unwrap().file_name().into_string().unwrap())
                .collect();
            let count = |notice: &str| names.iter().filter(|name| name.contains(notice)).count();
            (count("appointment_booked") == 1 && count("appointment_moved") == 2).then_some(names)
        },
    )
    .await;
    let booked = subjects
        .iter()
        .find(|name| name.contains("appointment_booked"))
        .unwrap();
    let text = std::fs::read_to_string(mail.join(booked)).unwrap();
    assert!(text.contains("between 6:00am and 6:00pm on"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_place_that_nobody_pays_for_goes_to_somebody_else() {
    let mut office = Office::open().await;
    let file = std::fs::read_to_string(repository().join("catalogue/services/pest-control.toml")).unwrap();
    office.council.add_service(
        "pest-control",
        &file.replace("pay_within_hours = 24", "pay_within_hours = 0"),
    );
    let _services = office.council.serve_all().await;
    let customer = office.registers(json!({})).await;
    let case = submit(&office, customer, "pest-treatment", json!({ "pest": "wasps" })).await;
    let slot = open_slots(&office, "pest-treatment").await[0].slot;
    accepted(sends(&office, case, "BookAppointment", at(slot)).await);
    let cancelled = office.waits_for(case, "AppointmentCancelled").await;
    assert_eq!(cancelled["why"], "not_paid");
    let position: i64 =
        sqlx::query_scalar("SELECT position FROM ledger.events WHERE event_type = 'AppointmentCancelled'")
            .fetch_one(&office.owner)
            .await
            .unwrap();
    let email = office.email(Position(position), "appointment_cancelled").await;
    assert!(
        email.contains("was not paid by") && email.contains("You can book another"),
        "{email}"
    );
    assert_eq!(places(&open_slots(&office, "pest-treatment").await, slot), 3);

    // Who has paid keeps the place.
    let provider = office.council.client("payments").await;
    let paid = example("RecordPayment", json!({ "pence": 7_500 }));
    office
        .council
        .accept(&provider, "RecordPayment", Some(case), paid)
        .await;
    accepted(sends(&office, case, "BookAppointment", at(slot)).await);
    let (_, booked) = office
        .log(case)
        .await
        .into_iter()
        .rfind(|(name, _)| name == "AppointmentBooked")
        .unwrap();
    assert!(booked.get("pay_by").is_none(), "{booked}");
}

/// The service of pest control, whose next visit begins with the next minute or the one after, and that visit.
fn pest_control_soon() -> (String, Slot) {
    let soon = OffsetDateTime::now_utc() + time::Duration::seconds(65);
    let minutes = |at: OffsetDateTime| (at - london::beginning_of(london::day_of(at))).whole_minutes();
    // A visit that would go over midnight is the first of the next day.
    let late = minutes(soon) > 23 * 60 + 50;
    let soon = if late { soon + time::Duration::minutes(12) } else { soon };
    let written = |minutes: i64| format!("{:02}:{:02}", minutes / 60, minutes % 60);
    let (from, until) = (written(minutes(soon)), written(minutes(soon) + 5));
    let file = std::fs::read_to_string(repository().join("catalogue/services/pest-control.toml")).unwrap();
    let begins = file.find("opening = [").unwrap();
    let ends = begins + file[begins..].find("\n]\n").unwrap() + 3;
    let days = [
        "monday",
        "tuesday",
        "wednesday",
        "thursday",
        "friday",
        "saturday",
        "sunday",
    ];
    let openings = days.map(|day| format!("{{ on = \"{day}\", from = \"{from}\", until = \"{until}\" }}"));
    let file = format!(
        "{}opening = [{}]\non_bank_holidays = true\n{}",
        &file[..begins],
        openings.join(", "),
        &file[ends..]
    );
    let file = file
        .replace("minutes = 120", "minutes = 5")
        .replace("lead_hours = 20", "lead_hours = 0");
    let slot = Slot {
        day: london::day_of(soon),
        time: from.parse().unwrap(),
    };
    (file, slot)
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_opens_the_door_to_the_wasp_nest() {
    let mut office = Office::open().await;
    let (service, slot) = pest_control_soon();
    office.council.add_service("pest-control", &service);
    let _services = office.council.serve_all().await;
    let customer = office.registers(json!({})).await;
    let case = submit(&office, customer, "pest-treatment", json!({ "pest": "wasps" })).await;
    accepted(sends(&office, case, "BookAppointment", at(slot)).await);
    let attendance = || {
        example(
            "RecordAttendance",
            json!({ "slot": slot, "actor": { "kind": "officer", "id": "w.prosser" } }),
        )
    };
    assert_eq!(
        office.refuses(Some(case), "RecordAttendance", attendance()).await,
        "appointment_to_come"
    );

    // The technician rings, and nobody answers: the resident is told, and keeps their case.
    let begun = eventually("the visit has begun", Duration::from_secs(900), || async {
        let result = office
            .council
            .call(&office.contact_centre, "RecordAttendance", Some(case), attendance())
            .await;
        match result.status {
            CommandStatus::Accepted(accepted) => Some(accepted),
            _ => None,
        }
    })
    .await;
    let email = office.email(begun.position, "appointment_missed").await;
    assert!(email.contains("could not get in"), "{email}");
    assert_eq!(
        office.waits_for(case, "AttendanceRecorded").await["attendance"],
        "no_access"
    );

    // Another visit, which is given up: an officer closes the case as it ended.
    let tomorrow = Slot {
        day: slot.day.0.next_day().map(Day).unwrap(),
        ..slot
    };
    accepted(sends(&office, case, "BookAppointment", at(tomorrow)).await);
    accepted(
        sends(
            &office,
            case,
            "CancelAppointment",
            json!({ "actor": { "kind": "resident" }, "channel": "online" }),
        )
        .await,
    );
    let close = json!({ "outcome": "no-access", "actor": { "kind": "officer", "id": "w.prosser" }, "channel": "phone", "reason": "Nobody was in." });
    office
        .council
        .accept(&office.contact_centre, "CloseRequest", Some(case), close)
        .await;
    let stages: Vec<AppointmentStage> = match office.website.case(&CaseQuery::Id(CaseId(case.uuid()))).await.unwrap() {
        CaseAnswer::Found { case } => case.appointments.iter().map(|appointment| appointment.stage).collect(),
        other => panic!("{other:?}"),
    };
    assert_eq!(stages, [AppointmentStage::NoAccess, AppointmentStage::Cancelled]);
    let held: i64 = sqlx::query_scalar("SELECT count(*) FROM ledger.places")
        .fetch_one(&office.owner)
        .await
        .unwrap();
    assert_eq!(held, 1, "a visit that was made, in vain, keeps its place");
}
