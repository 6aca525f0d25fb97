//! Commands about the appointment of a case: a place in a slot of a calendar that has only so many.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::seals;
use crate::command::words;
use crate::moment::{Day, Instant, TimeOfDay};

/// A slot of a calendar: a day and the time, in London, at which it begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Slot {
    /// The day.
    pub day: Day,
    /// When it begins.
    pub time: TimeOfDay,
}

/// Takes a place in a slot of the calendar that the catalogue gives for the request type. The query `Slots` says which have one left.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BookAppointment {
    /// Which slot.
    pub slot: Slot,
}

/// Moves the appointment to another slot: the place in the one is given back as the place in the other is taken, or neither.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MoveAppointment {
    /// To which slot.
    pub slot: Slot,
}

/// Gives the appointment up; the case goes on.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CancelAppointment {}

/// Gives the place back of somebody who has not paid in time. Only a system of the council's sends it: its timekeeper. Where it no longer
/// matters (it was paid, moved after that, given up) nothing happens.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReleaseAppointment {
    /// By when it had to be paid.
    pub pay_by: Instant,
}

words!(
    /// What became of an appointment.
    Attendance {
        /// They came, or were there.
        Attended = "attended",
        /// They did not come.
        DidNotAttend = "did_not_attend",
        /// Whoever came could not get in.
        NoAccess = "no_access",
        /// Nobody came, though the council or its contractor had to.
        NotKept = "not_kept",
    }
);

/// Says what became of an appointment, once it has begun. Whoever kept it says so: an officer, the contractor, a system.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordAttendance {
    /// The slot that it was in: what is said of one that was moved meanwhile is refused.
    pub slot: Slot,
    /// What became of it.
    pub attendance: Attendance,
}

seals!(BookAppointment:);
seals!(MoveAppointment:);
seals!(CancelAppointment:);
seals!(ReleaseAppointment:);
seals!(RecordAttendance:);
