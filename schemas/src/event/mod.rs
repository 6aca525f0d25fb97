//! Events: what happened. An event is for ever: every version that was ever written must load.
//!
//! A payload is one JSON object, tagged by its member `event`, so that it loads by itself; the version stands beside it in
//! the log. All are at version 1 so far: an older version would be brought up to date in [`EventRecord::read`].

mod appointment;
mod attachment;
pub mod case;
mod clocks;
pub mod correction;
pub mod customer;
pub mod decision;
mod duplicate;
mod enforcement;
mod entitlement;
pub mod handling;
pub mod job;
pub mod payment;
pub mod person;
pub mod round;
pub mod timekeeping;

use cqrs_es::DomainEvent;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};

pub use appointment::{
    AppointmentBooked, AppointmentCancellation, AppointmentCancelled, AppointmentMoved, AttendanceRecorded,
};
pub use attachment::AttachmentAdded;
pub use case::{
    Follows, InformationAskedFor, InformationProvided, NoteAdded, NotificationFailed, NotificationFailure,
    NotificationSent, OutcomeKind, RequestAssigned, RequestCancelled, RequestClass, RequestClosed, RequestReopened,
    RequestSubmitted, RequestUpdated,
};
pub use clocks::{Clock, Clocks};
pub use correction::{CaseMoved, CaseStanding, EntryCorrected, TypeChanged};
pub use customer::{ConsentRecorded, ConsentWithdrawn, ContactDetailsUpdated, CustomerRegistered};
pub use decision::{BadgeIssued, DecisionRecorded, EligibilityAssessed};
pub use duplicate::{DuplicatesSuggested, PossibleDuplicate};
pub use enforcement::{ActionResultRecorded, EnforcementActionTaken, IncidentRecorded, SubjectCleared, SubjectNamed};
pub use entitlement::{
    EntitlementChanged, EntitlementEnded, EntitlementExpired, EntitlementGranted, EntitlementRenewalDue,
    EntitlementRenewed,
};
pub use handling::{
    CaseLinked, ContactRecorded, DeadlineSet, FindingsReceived, RemedyAgreed, RemedyDone, RequestAcknowledged,
    SentForInvestigation, TimeExtended,
};
pub use job::{
    JobAcceptance, JobAccepted, JobAcknowledged, JobCancellation, JobCancelled, JobChanged, JobProgressed, JobRaised,
    JobRejected, JobReopened, JobReopening, JobReportedDone, JobReportedFailed, Sharing,
};
pub use payment::{
    ConcessionGranted, PaymentDropped, PaymentDue, PaymentFailed, PaymentReceived, PaymentRefunded, PaymentWrittenOff,
    RefundDecided,
};
pub use person::{
    AdjustmentsRecorded, ContactPreferencesSet, CustomerMerged, CustomerParted, DeathRecordCorrected, DeathRecorded,
    HazardMarkerEnded, HazardMarkerSet, RepresentationEnded, RepresentativeAuthorised,
};
pub use round::{
    CollectionExceptionRecorded, CollectionLookedUp, ExceptionFound, RoundStatusRecorded, ScheduledCollectionsRecorded,
};
pub use timekeeping::{ClockApproaching, ClockOverdue, ClocksRecomputed};

/// Why a stored event could not be read. The reader stops there: an event is never skipped.
#[derive(Debug, thiserror::Error)]
pub enum EventError {
    /// Written by a newer release.
    #[error("event type {event_type} version {event_version} is not known here: run a release that knows it")]
    Unknown {
        /// Its type.
        event_type: String,
        /// Its version.
        event_version: String,
    },
    /// Not what its type and version promise.
    #[error("the payload of a {event_type} version {event_version} can't be read: verify the log at this position")]
    Damaged {
        /// Its type.
        event_type: String,
        /// Its version.
        event_version: String,
    },
}

macro_rules! events {
    ($(#[$doc:meta])* $enum:ident, $aggregate:literal { $($name:ident),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(tag = "event")]
        #[allow(clippy::large_enum_variant, reason = "events are read and written one by one, not kept by the thousand")]
        pub enum $enum {
            $(#[doc = concat!("See [`", stringify!($name), "`].")] $name($name)),+
        }

        impl $enum {
            /// The names of all its events.
            pub const NAMES: &'static [&'static str] = &[$(stringify!($name)),+];

            /// The aggregate's name in tables, subjects and CloudEvents types.
            pub const AGGREGATE: &'static str = $aggregate;

            /// The event's name.
            #[must_use]
            pub const fn name(&self) -> &'static str {
                match self { $(Self::$name(_) => stringify!($name)),+ }
            }

            /// The version that it is written at.
            #[must_use]
            pub const fn version(&self) -> &'static str {
                "1"
            }

            /// Reads a stored payload without looking at its tag: the log's own columns say what it is.
            ///
            /// # Errors
            /// [`EventError`].
            pub fn read(event_type: &str, event_version: &str, payload: &str) -> Result<Self, EventError> {
                let unknown = || EventError::Unknown { event_type: event_type.into(), event_version: event_version.into() };
                if event_version != "1" {
                    return Err(unknown());
                }
                let read = match event_type {
                    $(stringify!($name) => serde_json::from_str(payload).map(Self::$name),)+
                    _ => return Err(unknown()),
                };
                read.map_err(|_| EventError::Damaged { event_type: event_type.into(), event_version: event_version.into() })
            }

            pub(crate) fn schema_of(name: &str, generator: &mut SchemaGenerator) -> Option<Schema> {
                match name {
                    $(stringify!($name) => Some(<$name as JsonSchema>::json_schema(generator)),)+
                    _ => None,
                }
            }
        }

        impl DomainEvent for $enum {
            fn event_type(&self) -> String {
                self.name().to_owned()
            }

            fn event_version(&self) -> String {
                self.version().to_owned()
            }
        }

        $(impl From<$name> for $enum {
            fn from(event: $name) -> Self {
                Self::$name(event)
            }
        })+
    };
}

events!(
    /// What can happen to a customer.
    CustomerEvent, "customer" {
        CustomerRegistered, ContactDetailsUpdated, ConsentRecorded, ConsentWithdrawn, ContactPreferencesSet, AdjustmentsRecorded,
        RepresentativeAuthorised, RepresentationEnded, DeathRecorded, DeathRecordCorrected, HazardMarkerSet, HazardMarkerEnded,
        CustomerMerged, CustomerParted,
    }
);
events!(
    /// What can happen to a case.
    CaseEvent, "case" {
        RequestSubmitted, RequestUpdated, RequestAssigned, RequestCancelled, RequestClosed, RequestReopened, NotificationSent,
        NotificationFailed, InformationAskedFor, InformationProvided, NoteAdded, RequestAcknowledged, TimeExtended, DeadlineSet,
        ContactRecorded, CaseLinked, SentForInvestigation, FindingsReceived, RemedyAgreed, RemedyDone, EligibilityAssessed,
        DecisionRecorded, BadgeIssued, TypeChanged, CaseMoved, EntryCorrected, JobRaised, JobChanged, JobCancelled, JobReopened,
        JobAcknowledged, JobRejected, JobProgressed, JobReportedDone, JobReportedFailed, JobAccepted, PaymentDue, ConcessionGranted,
        PaymentReceived, PaymentFailed, RefundDecided, PaymentRefunded, PaymentWrittenOff, PaymentDropped, CollectionLookedUp,
        DuplicatesSuggested, AppointmentBooked, AppointmentMoved, AppointmentCancelled, AttendanceRecorded, AttachmentAdded, IncidentRecorded, SubjectNamed,
        SubjectCleared, EnforcementActionTaken, ActionResultRecorded, ClockApproaching, ClockOverdue,
        ClocksRecomputed,
    }
);

events!(
    /// What can be known of a collection round on a day.
    RoundEvent, "round" {
        ScheduledCollectionsRecorded, RoundStatusRecorded, CollectionExceptionRecorded,
    }
);

events!(
    /// What can happen to an entitlement.
    EntitlementEvent, "entitlement" {
        EntitlementGranted, EntitlementRenewed, EntitlementChanged, EntitlementEnded, EntitlementRenewalDue, EntitlementExpired,
    }
);

impl EntitlementEvent {
    /// The names of the events after which another term runs, or none.
    pub const MOVING_TERMS: &'static [&'static str] = &[
        "EntitlementGranted",
        "EntitlementRenewed",
        "EntitlementEnded",
        "EntitlementExpired",
    ];
}

/// An event of whatever aggregate, as a reader of the log meets it.
#[derive(Clone, Debug, PartialEq)]
#[allow(clippy::large_enum_variant, reason = "as for the events of one aggregate")]
pub enum EventRecord {
    /// A customer's.
    Customer(CustomerEvent),
    /// A case's.
    Case(CaseEvent),
    /// A round's.
    Round(RoundEvent),
    /// An entitlement's.
    Entitlement(EntitlementEvent),
}

impl EventRecord {
    /// Reads a stored event.
    ///
    /// # Errors
    /// [`EventError`]: the reader must stop at it.
    pub fn read(aggregate: &str, event_type: &str, event_version: &str, payload: &str) -> Result<Self, EventError> {
        match aggregate {
            CustomerEvent::AGGREGATE => CustomerEvent::read(event_type, event_version, payload).map(Self::Customer),
            CaseEvent::AGGREGATE => CaseEvent::read(event_type, event_version, payload).map(Self::Case),
            RoundEvent::AGGREGATE => RoundEvent::read(event_type, event_version, payload).map(Self::Round),
            EntitlementEvent::AGGREGATE => {
                EntitlementEvent::read(event_type, event_version, payload).map(Self::Entitlement)
            }
            _ => Err(EventError::Unknown {
                event_type: event_type.into(),
                event_version: event_version.into(),
            }),
        }
    }

    /// The event's name.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Customer(event) => event.name(),
            Self::Case(event) => event.name(),
            Self::Round(event) => event.name(),
            Self::Entitlement(event) => event.name(),
        }
    }

    /// The version that it is written at.
    #[must_use]
    pub const fn version(&self) -> &'static str {
        match self {
            Self::Customer(event) => event.version(),
            Self::Case(event) => event.version(),
            Self::Round(event) => event.version(),
            Self::Entitlement(event) => event.version(),
        }
    }

    /// Its payload, as it is stored.
    ///
    /// # Errors
    /// Where a personal value in it is not sealed: an open one never gets into an event.
    pub fn payload(&self) -> Result<String, serde_json::Error> {
        match self {
            Self::Customer(event) => serde_json::to_string(event),
            Self::Case(event) => serde_json::to_string(event),
            Self::Round(event) => serde_json::to_string(event),
            Self::Entitlement(event) => serde_json::to_string(event),
        }
    }
}
