//! What a client may ask on the bus, and what it is answered.
//!
//! The query `Result` asks with [`ResultQuery`] and is answered with a [`CommandResult`](crate::result::CommandResult): the
//! recorded one, or `unavailable` where none is recorded (yet). The query `Case` asks with [`CaseQuery`] and is answered with
//! [`CaseAnswer`], `Entitlement` with [`EntitlementQuery`] and [`EntitlementAnswer`]; `Slots` asks with [`SlotsQuery`] and is answered with [`SlotsAnswer`]. A replay asks with [`ReplayRequest`] and is answered page by page with [`ReplayAnswer`]. None carries
//! personal values in clear.

use std::num::NonZeroU16;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::clock::ClockStanding;
use crate::command::words;
use crate::command::{
    ActionResult, AttachmentPurpose, EnforcementAction, EntitlementEnding, FoundBy, IncidentSize, InformationWanted,
    LandType, MediaType, Slot,
};
use crate::event::RequestClass;
use crate::ids::{
    AppointmentNumber, AttachmentId, CalendarName, CaseId, ClientName, CommandId, ContractorCode, EntitlementId,
    EntitlementName, JobNumber, OutcomeCode, PaymentNumber, Position, QuestionId, RequestTypeCode, ServiceName,
    TeamName, Version,
};
use crate::moment::{Day, Instant};
use crate::money::Pence;
use crate::problem::Problem;
use crate::reference::Reference;

/// Asks for the result of a command that the same client sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ResultQuery {
    /// The command's id.
    pub command_id: CommandId,
}

/// Asks for one case, by its reference or by its id: one of the two.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum CaseQuery {
    /// What people quote, such as `WAS-X2H8-EACZ`.
    Reference(Reference),
    /// The case's id.
    Id(CaseId),
}

words!(
    /// Where a case is.
    CaseStatus {
        /// Somebody has to do something.
        Open = "open",
        /// It ended with an outcome.
        Closed = "closed",
        /// It was no longer wanted.
        Cancelled = "cancelled",
    }
);

words!(
    /// Where a contractor's job is.
    JobStage {
        /// With the contractor, who has said nothing yet.
        Raised = "raised",
        /// With the contractor, who has it.
        Acknowledged = "acknowledged",
        /// With the contractor, who said how far they are.
        UnderWay = "under_way",
        /// Reported as done: the council has to accept it or send it back.
        ReportedDone = "reported_done",
        /// Taken as done.
        Accepted = "accepted",
        /// The contractor could not do it: the council decides.
        Failed = "failed",
        /// The contractor did not take it: the council decides.
        Rejected = "rejected",
        /// Taken from the contractor.
        Cancelled = "cancelled",
    }
);

impl JobStage {
    /// Whether the contractor has something to do.
    #[must_use]
    pub const fn is_with_contractor(self) -> bool {
        matches!(self, Self::Raised | Self::Acknowledged | Self::UnderWay)
    }
}

/// The job that a case is to its contractor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct JobSummary {
    /// Its number within the case.
    pub number: JobNumber,
    /// The client in whose name the contractor speaks.
    pub contractor: ClientName,
    /// What is to be done, by the contractor's code.
    pub code: ContractorCode,
    /// Which attempt it is.
    pub attempt: u32,
    /// Where it is.
    pub stage: JobStage,
}

words!(
    /// What became of an appointment so far.
    AppointmentStage {
        /// Booked; where it has begun, nobody has said yet what became of it.
        Booked = "booked",
        /// They came, or were there.
        Attended = "attended",
        /// They did not come.
        DidNotAttend = "did_not_attend",
        /// Whoever came could not get in.
        NoAccess = "no_access",
        /// Nobody came, though the council or its contractor had to.
        NotKept = "not_kept",
        /// Given up.
        Cancelled = "cancelled",
    }
);

/// An appointment of a case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AppointmentSummary {
    /// Its number within the case.
    pub number: AppointmentNumber,
    /// The calendar that it is in.
    pub calendar: CalendarName,
    /// The slot that it is in.
    pub slot: Slot,
    /// How long it lasts, in minutes.
    pub minutes: u16,
    /// How often it was moved.
    pub moved: u32,
    /// By when something has to be paid, or the place is given back; absent where nothing has, or had.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pay_by: Option<Instant>,
    /// What became of it.
    pub stage: AppointmentStage,
}

/// A file of a case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AttachmentSummary {
    /// Its id in the object store.
    pub id: AttachmentId,
    /// What it is for.
    pub purpose: AttachmentPurpose,
    /// What kind of file it is.
    pub media_type: MediaType,
    /// How many bytes it has.
    pub bytes: u32,
}

/// What was found on site.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct IncidentSummary {
    /// On what kind of land.
    pub land: LandType,
    /// How much it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<IncidentSize>,
    /// Who found it first.
    pub found_by: FoundBy,
}

/// Something done against what may be an offence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ActionSummary {
    /// The number of its entry: what `RecordActionResult` names.
    pub number: Version,
    /// What was done.
    pub action: EnforcementAction,
    /// When.
    pub taken_on: Day,
    /// What it cost the council.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_pence: Option<Pence>,
    /// What came of it, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<ActionResult>,
}

/// What was found of what may be an offence, and done against it. Whom it is about is not told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EnforcementSummary {
    /// What was found on site.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incident: Option<IncidentSummary>,
    /// What was done, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub actions: Vec<ActionSummary>,
}

/// Asks which slots of a calendar have places left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SlotsQuery {
    /// The request type that the appointment is for: the catalogue gives its calendar.
    pub request_type: RequestTypeCode,
    /// From which day on; from today where it is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Day>,
    /// How many days; 14 where it is absent, 62 at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 62))]
    pub days: Option<u16>,
}

/// A slot that can be taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OpenSlot {
    /// The slot.
    pub slot: Slot,
    /// How many places were left in it when this was answered.
    pub places: u32,
}

/// The answer to [`SlotsQuery`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum SlotsAnswer {
    /// What can be taken, in order; another can be faster.
    Found {
        /// The calendar.
        calendar: CalendarName,
        /// Its name for people.
        title: String,
        /// Where one goes; absent where somebody comes.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        location: Option<String>,
        /// How long a slot is, in minutes.
        minutes: u16,
        /// The slots with places left, in order.
        slots: Vec<OpenSlot>,
    },
    /// Not answered, and why.
    Rejected {
        /// Why.
        problem: Problem,
    },
    /// The service can't read the log at the moment: ask again.
    Unavailable,
}

/// What has to be paid for a case, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PaymentSummary {
    /// Its number within the case.
    pub number: PaymentNumber,
    /// What for.
    pub what: QuestionId,
    /// What was asked for, less concessions, in pence.
    pub pence: Pence,
    /// What is still to be paid, in pence.
    pub outstanding: Pence,
    /// What was paid, in pence.
    pub paid: Pence,
    /// What was written off, or is no longer asked for, in pence.
    pub given_up: Pence,
    /// What is to go back and has not yet, in pence.
    pub refund_owed: Pence,
    /// What went back, in pence.
    pub refunded: Pence,
    /// Whether nothing goes on until it is paid.
    pub waits: bool,
}

/// A case as any client that may read its service's events sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CaseSummary {
    /// Its id: the `subject` of commands to it.
    pub id: CaseId,
    /// What people quote.
    pub reference: Reference,
    /// The service that it belongs to.
    pub service: ServiceName,
    /// What was asked for.
    pub request_type: RequestTypeCode,
    /// What kind of case that makes.
    pub class: RequestClass,
    /// Where it is.
    pub status: CaseStatus,
    /// What came of it, while it is closed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<OutcomeCode>,
    /// The team that has it.
    pub team: TeamName,
    /// The day that its clocks started from.
    pub received_on: Day,
    /// What it waits for from the person whose case it is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waiting_for: Vec<InformationWanted>,
    /// The clocks that run: by when the council, or somebody else, has to do what.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub clocks: Vec<ClockStanding>,
    /// Its files, in the order in which they were added.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<AttachmentSummary>,
    /// Its appointments, in the order in which they were booked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub appointments: Vec<AppointmentSummary>,
    /// What it costs, and what became of that.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub payments: Vec<PaymentSummary>,
    /// The job that it is to a contractor, the last there was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job: Option<JobSummary>,
    /// What was found of what may be an offence, and done against it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enforcement: Option<EnforcementSummary>,
    /// Open cases that it may repeat, as was found when its place was told.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub possible_duplicates: Vec<CaseId>,
    /// How often it was reopened.
    pub reopened: u32,
    /// The version of its stream: what `expected_version` of the next command may say.
    pub version: Version,
}

/// The answer to the query `Case`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum CaseAnswer {
    /// Here it is.
    Found {
        /// The case.
        case: Box<CaseSummary>,
    },
    /// There is none that this client may know of, or the query could not be read.
    Rejected {
        /// Why.
        problem: Problem,
    },
    /// It can't be looked up at the moment: ask again.
    Unavailable,
}

words!(
    /// Where an entitlement is.
    EntitlementStage {
        /// It is granted, and its term is not over.
        Granted = "granted",
        /// Its term is over; it can be renewed.
        Expired = "expired",
        /// It was ended.
        Ended = "ended",
    }
);

/// Asks for one entitlement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EntitlementQuery {
    /// Its id, as the result of `GrantEntitlement` and its events have it.
    pub id: EntitlementId,
}

/// An entitlement as it may be shown to a client: nothing personal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EntitlementSummary {
    /// Its id: the `subject` of commands to it.
    pub id: EntitlementId,
    /// What it is, as the catalogue calls it.
    pub entitlement: EntitlementName,
    /// The service that it belongs to.
    pub service: ServiceName,
    /// The case that granted its last term.
    pub case_id: CaseId,
    /// That case's reference.
    pub reference: Reference,
    /// Where it is.
    pub stage: EntitlementStage,
    /// Since when it holds without a gap, or held last.
    pub starts_on: Day,
    /// The last day of its last term.
    pub ends_on: Day,
    /// From which day on it can be renewed.
    pub renew_from: Day,
    /// How many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quantity: Option<NonZeroU16>,
    /// How often it was renewed.
    pub renewed: u32,
    /// Why it was ended before its term, where it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_because: Option<EntitlementEnding>,
    /// The last day on which it held, where it was ended and had begun.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_on: Option<Day>,
    /// How many others like it stood at the same property when it was granted, renewed or moved there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub others_at_property: Option<NonZeroU16>,
    /// The version of its stream: what `expected_version` of the next command may say.
    pub version: Version,
}

/// The answer to the query `Entitlement`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum EntitlementAnswer {
    /// Here it is.
    Found {
        /// The entitlement.
        entitlement: Box<EntitlementSummary>,
    },
    /// There is none that this client may know of, or the query could not be read.
    Rejected {
        /// Why.
        problem: Problem,
    },
    /// It can't be looked up at the moment: ask again.
    Unavailable,
}

/// Asks for a page of events.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReplayRequest {
    /// The position after which to begin: 0 for the beginning, then each page's `up_to`.
    pub after: Position,
    /// Only this service's events; otherwise those of every service that the client may read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<ServiceName>,
    /// The most events to give. A page may hold fewer, and holds no more than 500.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 500))]
    pub limit: Option<u32>,
}

/// The most events of one page of a replay.
pub const REPLAY_PAGE_EVENTS: u32 = 500;

/// One page of a replay.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum ReplayAnswer {
    /// Events, in position order.
    Page {
        /// The events as they are published: structured CloudEvents.
        #[schemars(with = "Vec<serde_json::Map<String, serde_json::Value>>")]
        events: Vec<Box<RawValue>>,
        /// Nothing asked for is missing up to this position: ask for the next page after it.
        up_to: Position,
        /// The last position of the log. The replay is complete when `up_to` reaches it.
        head: Position,
    },
    /// The client may not read this, or the request could not be read.
    Rejected {
        /// Why.
        problem: Problem,
    },
    /// The log can't be read at the moment: ask again.
    Unavailable,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_case_is_asked_for_by_reference_or_id() {
        let query: CaseQuery = serde_json::from_str(r#"{"reference": "was x2h8 eacz"}"#).unwrap();
        assert_eq!(
            serde_json::to_string(&query).unwrap(),
            r#"{"reference":"WAS-X2H8-EACZ"}"#
        );
        for wrong in [
            "{}",
            r#"{"reference": "WAS-0000-0000"}"#,
            r#"{"id": "1"}"#,
            r#"{"name": "Ada"}"#,
        ] {
            assert!(serde_json::from_str::<CaseQuery>(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_page_keeps_its_events_to_the_byte() {
        let event = r#"{"specversion":"1.0",  "data":{"a":1.0}}"#;
        let page = ReplayAnswer::Page {
            events: vec![RawValue::from_string(event.into()).unwrap()],
            up_to: Position(7),
            head: Position(9),
        };
        assert_eq!(
            serde_json::to_string(&page).unwrap(),
            format!(r#"{{"status":"page","events":[{event}],"up_to":7,"head":9}}"#)
        );
    }
}
