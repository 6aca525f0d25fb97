//! Slots of calendars: how the log names their places, what events take and give back, and which have one left.

use bus::clients::Client;
use catalogue::Catalogue;
use event_store::{Ledger, LedgerError, PlaceChange};
use schemas::command::Slot;
use schemas::event::{CaseEvent, EventRecord};
use schemas::moment::{Day, Instant};
use schemas::problem::ProblemKind;
use schemas::query::{OpenSlot, SlotsAnswer, SlotsQuery};
use schemas::{CalendarName, Problem};

use crate::fault::Fault;
use crate::intake::Registers;

/// How many days are looked at where a query does not say.
const DAYS: u16 = 14;

/// The most days that a query is answered for.
const DAYS_MAX: u16 = 62;

/// The slot as the log names it. Texts of one calendar are in the order of their slots.
fn named(calendar: &CalendarName, Slot { day, time }: Slot) -> String {
    format!("{calendar}/{day}/{time}")
}

/// The places that these events take and give back. One is taken before another is given back.
pub fn places(events: &[EventRecord], catalogue: &Catalogue) -> Result<Vec<PlaceChange>, Fault> {
    let take = |calendar: &CalendarName, slot| {
        let known = catalogue.booking_calendar(calendar);
        let known = known.ok_or_else(|| Fault::Broken(format!("the catalogue has no calendar {calendar}")))?;
        Ok::<_, Fault>(PlaceChange::Take {
            slot: named(calendar, slot),
            most: known.places,
        })
    };
    let give_back = |calendar, slot| PlaceChange::GiveBack {
        slot: named(calendar, slot),
    };
    let mut places = Vec::new();
    for event in events {
        match event {
            EventRecord::Case(CaseEvent::AppointmentBooked(booked)) => {
                places.push(take(&booked.calendar, booked.slot)?);
            }
            EventRecord::Case(CaseEvent::AppointmentMoved(moved)) => {
                places.push(take(&moved.calendar, moved.slot)?);
                places.push(give_back(&moved.from_calendar, moved.from));
            }
            EventRecord::Case(CaseEvent::AppointmentCancelled(cancelled)) => {
                places.push(give_back(&cancelled.calendar, cancelled.slot));
            }
            _ => {}
        }
    }
    Ok(places)
}

/// Answers a query for slots that have places left and can be taken by now.
pub async fn open_slots(
    ledger: &dyn Ledger,
    registers: &Registers,
    client: &Client,
    query: &SlotsQuery,
    now: Instant,
) -> SlotsAnswer {
    match try_open_slots(ledger, registers, client, query, now).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(problem)) => SlotsAnswer::Rejected { problem },
        Err(error) => {
            tracing::warn!(%error, "a query could not be answered");
            SlotsAnswer::Unavailable
        }
    }
}

async fn try_open_slots(
    ledger: &dyn Ledger,
    registers: &Registers,
    client: &Client,
    query: &SlotsQuery,
    now: Instant,
) -> Result<Result<SlotsAnswer, Problem>, LedgerError> {
    let request_type = registers.catalogue.request_type(&query.request_type);
    let request_type =
        request_type.filter(|known| client.may_speak_to(&known.service) || client.may_read(&known.service));
    let Some(request_type) = request_type else {
        let message = "the catalogue has no such request type, or it is of a service that this client has no part in";
        let problem = Problem::one(ProblemKind::NotFound, "/request_type", "unknown_request_type", message);
        return Ok(Err(problem));
    };
    let Some(calendar) = &request_type.calendar else {
        return Ok(Err(domain::Rejection::NoAppointments.into()));
    };
    let days = query.days.unwrap_or(DAYS);
    if !(1..=DAYS_MAX).contains(&days) {
        let message = format!("ask for 1 to {DAYS_MAX} days");
        return Ok(Err(Problem::one(ProblemKind::Invalid, "/days", "days", message)));
    }
    let from = query.from.unwrap_or_else(|| catalogue::london::day_of(now.get()));
    let holidays = Some(&registers.clocks.holidays);
    let offered = calendar
        .slots_from(from, days, holidays)
        .filter(|slot| calendar.offers(*slot, holidays, now).is_ok());
    let end = from.0.saturating_add(time::Duration::days(days.into()));
    let range = (
        format!("{}/{from}", calendar.name),
        format!("{}/{}", calendar.name, Day(end)),
    );
    let taken = ledger.slots_taken(&range.0, &range.1).await?;
    let open = offered.filter_map(|slot| {
        let taken = taken.get(&named(&calendar.name, slot)).copied().unwrap_or(0);
        let places = calendar.places.saturating_sub(taken);
        (places > 0).then_some(OpenSlot { slot, places })
    });
    Ok(Ok(SlotsAnswer::Found {
        calendar: calendar.name.clone(),
        title: calendar.title.clone(),
        location: calendar.location.clone(),
        minutes: calendar.minutes,
        slots: open.collect(),
    }))
}
