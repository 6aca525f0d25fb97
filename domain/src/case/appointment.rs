//! The appointment of a case: booked, moved, given up, and what became of it.
//!
//! Whether a slot has a place left is known to the log alone, which takes and gives back places as it appends these events. What the
//! calendar offers, and what a case may book, is decided here. A case has one appointment to come at a time, and as many one after
//! another as its matter takes.

use catalogue::booking::{self, BookingCalendar, NotOffered};
use schemas::command::{ActorKind, Attendance, Circumstances, RecordAttendance, ReleaseAppointment, Slot};
use schemas::event::{
    AppointmentBooked, AppointmentCancellation, AppointmentCancelled, AppointmentMoved, AttendanceRecorded, CaseEvent,
};
use schemas::moment::Instant;
use schemas::query::{AppointmentStage, AppointmentSummary, CaseStatus};
use schemas::{AppointmentNumber, CalendarName};
use serde::{Deserialize, Serialize};

use super::information::must_be_an_officer;
use super::{Submitted, folded, one};
use crate::context::DecisionContext;
use crate::rejection::Rejection;

/// An appointment, as the entries of its case leave it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Appointment {
    number: AppointmentNumber,
    calendar: CalendarName,
    slot: Slot,
    begins_at: Instant,
    minutes: u16,
    moved: u32,
    /// By when something has to be paid, or the place is given back.
    pay_by: Option<Instant>,
    stage: AppointmentStage,
}

/// What an event enters of an appointment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "appointment", rename_all = "snake_case")]
pub(crate) enum AppointmentEntry {
    Booked {
        number: AppointmentNumber,
        calendar: CalendarName,
        slot: Slot,
        begins_at: Instant,
        minutes: u16,
        pay_by: Option<Instant>,
    },
    Moved {
        number: AppointmentNumber,
        calendar: CalendarName,
        slot: Slot,
        begins_at: Instant,
        minutes: u16,
        times: u32,
        pay_by: Option<Instant>,
    },
    Ended {
        number: AppointmentNumber,
        stage: AppointmentStage,
    },
}

impl AppointmentEntry {
    /// What an event enters, where it is about an appointment.
    pub(crate) fn of(event: &CaseEvent) -> Option<Self> {
        Some(match event {
            CaseEvent::AppointmentBooked(event) => Self::Booked {
                number: event.appointment,
                calendar: event.calendar.clone(),
                slot: event.slot,
                begins_at: event.begins_at,
                minutes: event.minutes,
                pay_by: event.pay_by,
            },
            CaseEvent::AppointmentMoved(event) => Self::Moved {
                number: event.appointment,
                calendar: event.calendar.clone(),
                slot: event.slot,
                begins_at: event.begins_at,
                minutes: event.minutes,
                times: event.times,
                pay_by: event.pay_by,
            },
            CaseEvent::AppointmentCancelled(event) => Self::Ended {
                number: event.appointment,
                stage: AppointmentStage::Cancelled,
            },
            CaseEvent::AttendanceRecorded(event) => Self::Ended {
                number: event.appointment,
                stage: match event.attendance {
                    Attendance::Attended => AppointmentStage::Attended,
                    Attendance::DidNotAttend => AppointmentStage::DidNotAttend,
                    Attendance::NoAccess => AppointmentStage::NoAccess,
                    Attendance::NotKept => AppointmentStage::NotKept,
                },
            },
            _ => return None,
        })
    }

    /// The name of its event, where it can be struck out: what became of an appointment. Places that were taken and given back follow
    /// from the other events, which stand.
    pub(crate) const fn correctable(&self) -> Option<&'static str> {
        match self {
            Self::Ended { stage, .. } if !matches!(stage, AppointmentStage::Cancelled) => Some("AttendanceRecorded"),
            Self::Booked { .. } | Self::Moved { .. } | Self::Ended { .. } => None,
        }
    }

    /// Enters it on the appointments that there were.
    pub(crate) fn enter(&self, appointments: &mut Vec<Appointment>) {
        let mut change = |number: AppointmentNumber, change: &dyn Fn(&mut Appointment)| {
            if let Some(appointment) = appointments.iter_mut().find(|known| known.number == number) {
                change(appointment);
            }
        };
        match self {
            Self::Moved {
                number,
                calendar,
                slot,
                begins_at,
                minutes,
                times,
                pay_by,
            } => change(*number, &|appointment| {
                appointment.calendar = calendar.clone();
                (appointment.slot, appointment.begins_at) = (*slot, *begins_at);
                (appointment.minutes, appointment.moved) = (*minutes, *times);
                appointment.pay_by = *pay_by;
            }),
            Self::Ended { number, stage } => change(*number, &|appointment| appointment.stage = *stage),
            Self::Booked {
                number,
                calendar,
                slot,
                begins_at,
                minutes,
                pay_by,
            } => appointments.push(Appointment {
                number: *number,
                calendar: calendar.clone(),
                slot: *slot,
                begins_at: *begins_at,
                minutes: *minutes,
                moved: 0,
                pay_by: *pay_by,
                stage: AppointmentStage::Booked,
            }),
        }
    }
}

impl Appointment {
    /// As a query tells it.
    pub(crate) fn told(&self) -> AppointmentSummary {
        AppointmentSummary {
            number: self.number,
            calendar: self.calendar.clone(),
            slot: self.slot,
            minutes: self.minutes,
            moved: self.moved,
            pay_by: self.pay_by,
            stage: self.stage,
        }
    }

    /// Whether it stands, and can still be kept.
    pub(crate) fn can_be_kept(&self, now: Instant) -> bool {
        let ends_at = self.begins_at.get() + time::Duration::minutes(self.minutes.into());
        self.stage == AppointmentStage::Booked && ends_at > now.get()
    }

    /// Whether it stands and has not begun yet.
    fn is_to_come(&self, now: Instant) -> bool {
        self.stage == AppointmentStage::Booked && self.begins_at > now
    }

    pub(crate) const fn begins_at(&self) -> Instant {
        self.begins_at
    }

    /// The slot, where it stands.
    pub(crate) fn booked(&self) -> Option<Slot> {
        (self.stage == AppointmentStage::Booked).then_some(self.slot)
    }

    fn cancelled(
        &self,
        why: AppointmentCancellation,
        reason: Option<schemas::Personal<schemas::text::Text>>,
    ) -> CaseEvent {
        AppointmentCancelled {
            appointment: self.number,
            calendar: self.calendar.clone(),
            slot: self.slot,
            minutes: self.minutes,
            why,
            reason,
        }
        .into()
    }
}

/// The events of a command, and what they mean for an appointment to come: the end of its case, and another type with another calendar
/// or none, give its place back.
pub(super) fn follow(
    before: &Submitted,
    mut events: Vec<CaseEvent>,
    circumstances: &Circumstances,
    context: &DecisionContext,
) -> Vec<CaseEvent> {
    let turns = |event: &CaseEvent| {
        matches!(
            event,
            CaseEvent::RequestClosed(_)
                | CaseEvent::RequestCancelled(_)
                | CaseEvent::TypeChanged(_)
                | CaseEvent::EntryCorrected(_)
        )
    };
    if before.standing.appointments.is_empty() || !events.iter().any(turns) {
        return events;
    }
    let Some(after) = folded(Some(before), &events, context.occurred_at(circumstances)) else {
        return events;
    };
    let Some(appointment) = after.appointment_to_come(context.now) else {
        return events;
    };
    let change_of_type = events
        .iter()
        .position(|event| matches!(event, CaseEvent::TypeChanged(_)));
    let other = context
        .other_type
        .as_deref()
        .and_then(|other| other.calendar.as_deref());
    let other_calendar = change_of_type.is_some() && other.is_none_or(|calendar| calendar.name != appointment.calendar);
    let why = match after.standing.status() {
        CaseStatus::Closed | CaseStatus::Cancelled => Some(AppointmentCancellation::CaseEnded),
        CaseStatus::Open => other_calendar.then_some(AppointmentCancellation::TypeChanged),
    };
    if let Some(why) = why {
        let cancelled = appointment.cancelled(why, None);
        // Before the change: its notice is the one of the type that it was booked for.
        events.insert(change_of_type.unwrap_or(events.len()), cancelled);
    }
    events
}

impl Submitted {
    pub(super) fn appointment_to_come(&self, now: Instant) -> Option<&Appointment> {
        self.standing
            .appointments
            .iter()
            .find(|appointment| appointment.is_to_come(now))
    }

    pub(super) fn book_appointment(
        &self,
        slot: Slot,
        circumstances: &Circumstances,
        context: &DecisionContext,
    ) -> Result<CaseEvent, Rejection> {
        self.must_be_open()?;
        may_arrange(circumstances, context)?;
        self.council_must_not_have_it(circumstances)?;
        if self.appointment_to_come(context.now).is_some() {
            return Err(Rejection::AlreadyBooked);
        }
        let (calendar, begins_at) = offered(slot, circumstances, context)?;
        let last = self.standing.appointments.last();
        let mut event = AppointmentBooked {
            appointment: last.map_or(AppointmentNumber::FIRST, |last| last.number.next()),
            calendar: calendar.name.clone(),
            slot,
            begins_at,
            minutes: calendar.minutes,
            pay_by: self.held_until(calendar, begins_at, context),
            clocks: Vec::new(),
            reason: circumstances.reason.clone(),
        };
        event.clocks = self.clocks_after(&event.clone().into(), context, context.occurred_at(circumstances));
        Ok(event.into())
    }

    pub(super) fn move_appointment(
        &self,
        slot: Slot,
        circumstances: &Circumstances,
        context: &DecisionContext,
    ) -> Result<Vec<CaseEvent>, Rejection> {
        self.must_be_open()?;
        may_arrange(circumstances, context)?;
        self.council_must_not_have_it(circumstances)?;
        let appointment = self.appointment_to_come(context.now).ok_or(Rejection::NotBooked)?;
        let named = context.request_type.as_deref().and_then(|of| of.calendar.as_deref());
        if appointment.slot == slot && named.is_some_and(|calendar| calendar.name == appointment.calendar) {
            return Ok(Vec::new());
        }
        let (calendar, begins_at) = offered(slot, circumstances, context)?;
        let mut event = AppointmentMoved {
            appointment: appointment.number,
            from_calendar: appointment.calendar.clone(),
            from: appointment.slot,
            calendar: calendar.name.clone(),
            slot,
            begins_at,
            minutes: calendar.minutes,
            times: appointment.moved.saturating_add(1),
            // Another day is no more time to pay.
            pay_by: appointment.pay_by.filter(|_| self.waits_for_payment()),
            clocks: Vec::new(),
            reason: circumstances.reason.clone(),
        };
        event.clocks = self.clocks_after(&event.clone().into(), context, context.occurred_at(circumstances));
        Ok(one(event))
    }

    pub(super) fn cancel_appointment(
        &self,
        circumstances: &Circumstances,
        context: &DecisionContext,
    ) -> Result<CaseEvent, Rejection> {
        self.must_be_open()?;
        may_arrange(circumstances, context)?;
        let appointment = self.appointment_to_come(context.now).ok_or(Rejection::NotBooked)?;
        Ok(appointment.cancelled(AppointmentCancellation::GivenUp, circumstances.reason.clone()))
    }

    /// Until when a place is held for somebody who has to pay first; none where nothing has to be paid, or it is held for good.
    fn held_until(&self, calendar: &BookingCalendar, begins_at: Instant, context: &DecisionContext) -> Option<Instant> {
        let hours = calendar.pay_within_hours.filter(|_| self.waits_for_payment())?;
        let held_until = Instant::new(context.now.get() + time::Duration::hours(hours.into()));
        Some(held_until.min(begins_at))
    }

    /// The place goes to somebody else, where it is not paid by then.
    pub(super) fn release_appointment(
        &self,
        release: &ReleaseAppointment,
        circumstances: &Circumstances,
        context: &DecisionContext,
    ) -> Result<Vec<CaseEvent>, Rejection> {
        if circumstances.actor.kind != ActorKind::System {
            return Err(Rejection::ActorNotAllowed);
        }
        let held = self.appointment_to_come(context.now);
        let held = held.filter(|held| held.pay_by == Some(release.pay_by) && self.waits_for_payment());
        match held {
            Some(_) if context.now < release.pay_by => Err(Rejection::NotYet),
            Some(held) => Ok(vec![held.cancelled(AppointmentCancellation::NotPaid, None)]),
            None => Ok(Vec::new()),
        }
    }

    /// What the contractor did not take, or an officer took back, nobody but an officer books again.
    fn council_must_not_have_it(&self, circumstances: &Circumstances) -> Result<(), Rejection> {
        let job = self.standing.job.as_ref();
        match job.is_some_and(|job| job.with_council) && circumstances.actor.kind != ActorKind::Officer {
            true => Err(Rejection::CouncilLooksAtIt),
            false => Ok(()),
        }
    }

    /// What became of an appointment can be said when it has begun, also after its case has ended.
    pub(super) fn record_attendance(
        &self,
        record: &RecordAttendance,
        circumstances: &Circumstances,
        context: &DecisionContext,
    ) -> Result<AttendanceRecorded, Rejection> {
        match circumstances.actor.kind {
            ActorKind::System => {}
            ActorKind::Officer => _ = must_be_an_officer(circumstances, context)?,
            ActorKind::Contractor => self.must_be_their_job(context)?,
            ActorKind::Resident | ActorKind::Representative => return Err(Rejection::ActorNotAllowed),
        }
        let mut appointments = self.standing.appointments.iter().rev();
        let appointment = appointments.find(|known| known.booked() == Some(record.slot));
        let appointment = appointment.ok_or(Rejection::UnknownAppointment)?;
        if appointment.begins_at > context.occurred_at(circumstances) {
            return Err(Rejection::AppointmentToCome);
        }
        Ok(AttendanceRecorded {
            appointment: appointment.number,
            calendar: appointment.calendar.clone(),
            slot: appointment.slot,
            minutes: appointment.minutes,
            attendance: record.attendance,
            reason: circumstances.reason.clone(),
        })
    }
}

/// Who has appointments made and moved: the person, who acts for them, an officer, and a system of the council's.
fn may_arrange(circumstances: &Circumstances, context: &DecisionContext) -> Result<(), Rejection> {
    match circumstances.actor.kind {
        ActorKind::Resident | ActorKind::Representative | ActorKind::System => Ok(()),
        ActorKind::Officer => must_be_an_officer(circumstances, context).map(drop),
        ActorKind::Contractor => Err(Rejection::ActorNotAllowed),
    }
}

/// The calendar, and when the slot begins, where it is offered now. The time that has to lie before a slot is there so that the council
/// can prepare: an officer may do with less.
fn offered<'c>(
    slot: Slot,
    circumstances: &Circumstances,
    context: &'c DecisionContext,
) -> Result<(&'c BookingCalendar, Instant), Rejection> {
    let request_type = context.request_type.as_deref().ok_or(Rejection::RequestTypeGone)?;
    let calendar = request_type.calendar.as_deref().ok_or(Rejection::NoAppointments)?;
    let holidays = context.clock_files.as_deref().map(|files| &files.holidays);
    let begins_at = calendar.offers(slot, holidays, context.now);
    let begins_at = match (begins_at, circumstances.actor.kind) {
        (Err(NotOffered::TooSoon), ActorKind::Officer) => booking::begins_at(slot)
            .filter(|begins_at| *begins_at > context.now)
            .ok_or(NotOffered::TooSoon),
        (begins_at, _) => begins_at,
    };
    let begins_at = begins_at.map_err(|why| match why {
        NotOffered::NoSuchSlot => Rejection::SlotNotOffered,
        NotOffered::TooSoon => Rejection::SlotTooSoon {
            hours: calendar.lead_hours,
        },
        NotOffered::TooFarAhead => Rejection::SlotTooFarAhead {
            days: calendar.days_ahead,
        },
    })?;
    Ok((calendar, begins_at))
}
