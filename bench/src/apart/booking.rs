//! Bookings: 64 clients of two command-services, who want more places than there are. What is counted is every answer, a place or a
//! refusal; that no slot was sold twice is looked up in the log, and a measure of which that is not true is none.

use std::sync::Arc;
use std::time::Instant as Clock;

use caseledger::registers;
use catalogue::booking::BookingCalendar;
use catalogue::london;
use futures::StreamExt as _;
use schemas::CalendarName;
use schemas::command::Slot;
use schemas::moment::Instant;
use schemas::result::{CommandResult, CommandStatus};
use serde_json::{Value, json};
use system_tests::TestPostgres;
use time::OffsetDateTime;
use uuid::Uuid;

use super::Pace;
use crate::contenders::Ours;
use crate::contenders::ours::{accepted, case_of, request, update};
use crate::figures::Figure;
use crate::work::case_id;

/// The calendar, and the request type whose appointments are in it.
const CALENDAR: &str = "bulky-collections";
const REQUEST_TYPE: &str = "bulky-item";

/// How many clients book at once.
const CLIENTS: usize = 64;

/// Measures how many of so many bookings are answered a second, and the same number of ordinary commands to the same cases beside
/// it.
///
/// # Errors
/// A sentence on what failed; also where a slot has more bookings than places.
pub async fn measure(postgres: &Arc<TestPostgres>, bookings: usize, pace: Pace) -> Result<Vec<Figure>, String> {
    let calendar = calendar()?;
    let slots = open_slots(&calendar)?;
    let (mut booked, mut updated) = (Vec::new(), Vec::new());
    for _ in 0..pace.runs {
        let ours = Ours::set_up(postgres, 0).await?.and_another()?;
        bring_cases(&ours, bookings).await?;
        let command = ours.calls();
        let began = Clock::now();
        let results: Vec<CommandResult> = futures::stream::iter(0..bookings)
            .map(|case| command(book(case, slots[case % slots.len()])))
            .buffer_unordered(CLIENTS)
            .collect()
            .await;
        booked.push(bookings as f64 / began.elapsed().as_secs_f64());
        check(&ours, &results, calendar.places.into()).await?;
        let began = Clock::now();
        futures::stream::iter(0..bookings)
            .map(|case| command(update(case)))
            .buffer_unordered(CLIENTS)
            .for_each(|_| std::future::ready(()))
            .await;
        updated.push(bookings as f64 / began.elapsed().as_secs_f64());
        ours.let_go().await;
    }
    Ok(vec![
        Figure::new(
            "booking",
            format!("{CLIENTS} clients, bookings answered"),
            "1/s",
            booked,
        ),
        Figure::new("booking", "the same cases updated".to_owned(), "1/s", updated),
    ])
}

fn calendar() -> Result<Arc<BookingCalendar>, String> {
    let catalogue = registers::catalogue(None).map_err(|error| error.to_string())?;
    let name = CalendarName::new(CALENDAR).map_err(|error| error.to_string())?;
    let calendar = catalogue.booking_calendar(&name).cloned();
    calendar.ok_or_else(|| "the calendar is gone".to_owned())
}

/// What can be booked now.
fn open_slots(calendar: &BookingCalendar) -> Result<Vec<Slot>, String> {
    let files = registers::clock_files(None, None).map_err(|error| error.to_string())?;
    let (holidays, now) = (Some(&files.holidays), Instant::new(OffsetDateTime::now_utc()));
    let slots = calendar.slots_from(london::day_of(now.get()), calendar.days_ahead, holidays);
    let open: Vec<Slot> = slots
        .filter(|slot| calendar.offers(*slot, holidays, now).is_ok())
        .collect();
    match open.is_empty() {
        true => Err("no slot is open".to_owned()),
        false => Ok(open),
    }
}

async fn bring_cases(ours: &Ours, cases: usize) -> Result<(), String> {
    let submit = json!({
        "request_type": REQUEST_TYPE, "answers": { "count": 1 }, "channel": "online",
        "actor": { "kind": "resident", "assurance": "none" },
    });
    let command = ours.calls();
    let submissions = futures::stream::iter(0..cases).map(|case| {
        let submission = request("SubmitRequest", case_id(case), None, &submit);
        command(submission)
    });
    let mut submissions = submissions.buffer_unordered(CLIENTS);
    while let Some(result) = submissions.next().await {
        accepted(result)?;
    }
    Ok(())
}

fn book(case: usize, slot: Slot) -> bus::Request {
    let data: Value = json!({
        "slot": slot, "channel": "online", "actor": { "kind": "resident", "assurance": "none" },
    });
    request("BookAppointment", Uuid::new_v4(), case_of(case).ok(), &data)
}

/// Each answer is a place or `slot_full`; the log has as many bookings as places were told, and no slot more than it has places.
async fn check(ours: &Ours, results: &[CommandResult], capacity: i64) -> Result<(), String> {
    let mut places = 0_i64;
    for result in results {
        match &result.status {
            CommandStatus::Accepted(_) => places += 1,
            CommandStatus::Rejected { problem } if problem.code() == "slot_full" => {}
            other => return Err(format!("a booking was answered with {other:?}")),
        }
    }
    let (sold, most): (i64, i64) = sqlx::query_as(
        "SELECT coalesce(sum(sold), 0)::bigint, coalesce(max(sold), 0) FROM (
             SELECT count(*) AS sold FROM ledger.events WHERE event_type = 'AppointmentBooked' GROUP BY payload ->> 'slot'
         ) AS each",
    )
    .fetch_one(&ours.owner)
    .await
    .map_err(|error| error.to_string())?;
    if sold != places || most > capacity {
        return Err(format!(
            "{places} were told that they have a place, the log has {sold}, and a slot of {capacity} has {most}"
        ));
    }
    Ok(())
}
