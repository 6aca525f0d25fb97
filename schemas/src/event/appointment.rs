//! The appointment of a case. The place that it takes in its slot, and gives back, was taken and given back with the event.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::clock::ClockStanding;
use crate::command::words;
use crate::command::{Attendance, Slot};
use crate::ids::{AppointmentNumber, CalendarName};
use crate::moment::Instant;
use crate::personal::Personal;
use crate::text::Text;

/// A place in a slot was taken.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AppointmentBooked {
    /// The appointment's number within the case, from 1.
    pub appointment: AppointmentNumber,
    /// The calendar of the catalogue.
    pub calendar: CalendarName,
    /// The slot.
    pub slot: Slot,
    /// The instant at which it begins.
    pub begins_at: Instant,
    /// How long it lasts, in minutes.
    pub minutes: u16,
    /// By when something has to be paid, or the place is given back; absent where nothing has, or where it is held for good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pay_by: Option<Instant>,
    /// The clocks that run from then on; none where it is absent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub clocks: Vec<ClockStanding>,
    /// Why, in the actor's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Personal<Text>>,
}

/// It was moved: the place in the one slot was given back, and one in the other taken.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AppointmentMoved {
    /// The appointment's number within the case, from 1.
    pub appointment: AppointmentNumber,
    /// The calendar of the slot that it was in.
    pub from_calendar: CalendarName,
    /// The slot that it was in.
    pub from: Slot,
    /// The calendar of the slot that it is in now.
    pub calendar: CalendarName,
    /// The slot that it is in now.
    pub slot: Slot,
    /// The instant at which it begins.
    pub begins_at: Instant,
    /// How long it lasts, in minutes.
    pub minutes: u16,
    /// How often it was moved, this time included.
    pub times: u32,
    /// By when something has to be paid, or the place is given back; absent where nothing has, or where it is held for good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pay_by: Option<Instant>,
    /// The clocks that run from then on; none where it is absent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub clocks: Vec<ClockStanding>,
    /// Why, in the actor's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Personal<Text>>,
}

words!(
    /// Why an appointment was given up.
    AppointmentCancellation {
        /// Somebody gave it up.
        GivenUp = "given_up",
        /// The case ended before it.
        CaseEnded = "case_ended",
        /// What is asked for is something else, which has another calendar or none.
        TypeChanged = "type_changed",
        /// What had to be paid first was not paid in time.
        NotPaid = "not_paid",
    }
);

/// It was given up, and its place given back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AppointmentCancelled {
    /// The appointment's number within the case, from 1.
    pub appointment: AppointmentNumber,
    /// The calendar.
    pub calendar: CalendarName,
    /// The slot that it was in.
    pub slot: Slot,
    /// How long it would have lasted, in minutes.
    pub minutes: u16,
    /// Why.
    pub why: AppointmentCancellation,
    /// Why, in the actor's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Personal<Text>>,
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AttendanceRecorded {
    /// The appointment's number within the case, from 1.
    pub appointment: AppointmentNumber,
    /// The calendar.
    pub calendar: CalendarName,
    /// The slot that it was in.
    pub slot: Slot,
    /// How long it was to last, in minutes.
    pub minutes: u16,
    /// What became of it.
    pub attendance: Attendance,
    /// Why, in the actor's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Personal<Text>>,
}
