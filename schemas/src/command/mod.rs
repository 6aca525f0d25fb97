//! Commands: what senders ask for.

mod appointment;
mod attachment;
pub mod case;
mod circumstances;
pub mod correction;
pub mod customer;
pub mod decision;
mod enforcement;
mod entitlement;
pub mod handling;
pub mod job;
pub mod payment;
pub mod person;
pub mod round;
mod seal;
pub mod timekeeping;

use serde_json::{Map, Value};

pub use appointment::{
    Attendance, BookAppointment, CancelAppointment, MoveAppointment, RecordAttendance, ReleaseAppointment, Slot,
};
pub use attachment::{AddAttachment, AttachmentPurpose, MediaType};
pub use case::{
    AddNote, AskForInformation, AssignRequest, CancelRequest, CloseRequest, Decider, Delivery, InformationWanted,
    NoticeMedium, ProvideInformation, RecordNotification, ReopenRequest, SubmitRequest, UpdateRequest,
};
pub use circumstances::{Actor, ActorId, ActorKind, Assurance, Channel, Circumstances, ExternalRef};
pub(crate) use circumstances::{CIRCUMSTANCES, words};
pub use correction::{ChangeType, CorrectEntry, MoveToCustomer};
pub use customer::{RecordConsent, RegisterCustomer, UpdateContactDetails, WithdrawConsent};
pub use decision::{AssessEligibility, Eligibility, RecordBadgeIssued, RecordDecision};
pub use enforcement::{
    ActionResult, ClearSubject, EnforcementAction, FoundBy, IncidentSize, LandType, NameSubject, RecordActionResult,
    RecordIncident, TakeEnforcementAction,
};
pub use entitlement::{
    ChangeEntitlement, EndEntitlement, EntitlementEnding, GrantEntitlement, RecordTerm, RenewEntitlement, TermMark,
};
pub use handling::{
    AcknowledgeRequest, AgreeRemedy, CaseRelation, ContactDirection, ExtendTime, ExtensionGround, LinkCase,
    RecordContact, RecordFindings, RecordRemedyDone, SendForInvestigation, SetDeadline,
};
pub use job::{
    AcceptJob, AcknowledgeJob, JobAttempt, JobProgress, RaiseJob, RecordJobProgress, RejectJob, ReportJobDone,
    ReportJobFailed, SendJobBack, WithdrawJob,
};
pub use payment::{
    DecideRefund, GrantConcession, RecordPayment, RecordPaymentFailure, RecordRefund, RequestPayment, WriteOffPayment,
};
pub use person::{
    AuthoriseRepresentative, CorrectDeathRecord, DeathSource, EndHazardMarker, EndRepresentation, MergeCustomer,
    PartCustomer, Precaution, PreferredMedium, RecordAdjustments, RecordDeath, RepresentativeCapacity,
    SetContactPreferences, SetHazardMarker,
};
pub use round::{RecordCollectionException, RecordRoundStatus, RecordScheduledCollections, RoundStatus};
use seal::{SealMember, seals};
pub use timekeeping::{ClockMark, RecomputeClocks, RecordClock};

use crate::ids::RoundName;
use crate::json;
use crate::moment::Day;
use crate::personal::{Answers, OpenField, SealFieldError, SealFields};
use crate::problem::{FieldError, Problem, ProblemKind};
use crate::sealed::Sealed;

/// The kind of stream that a command speaks to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum AggregateKind {
    /// A customer's.
    Customer,
    /// A case's.
    Case,
    /// A collection round's, on one day.
    Round,
    /// An entitlement's.
    Entitlement,
}

impl AggregateKind {
    /// The name in tables and subjects.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Case => "case",
            Self::Round => "round",
            Self::Entitlement => "entitlement",
        }
    }
}

macro_rules! commands {
    ($($name:ident: $aggregate:ident, creates $creates:literal;)+) => {
        /// The fields of a command that are its own.
        #[derive(Clone, Debug, PartialEq)]
        pub enum CommandBody {
            $(#[doc = concat!("See [`", stringify!($name), "`].")] $name($name)),+
        }

        impl CommandBody {
            /// The names of all commands.
            pub const NAMES: &'static [&'static str] = &[$(stringify!($name)),+];

            /// The command's name.
            #[must_use]
            pub const fn name(&self) -> &'static str {
                match self { $(Self::$name(_) => stringify!($name)),+ }
            }

            /// The kind of stream it speaks to.
            #[must_use]
            pub const fn aggregate(&self) -> AggregateKind {
                match self { $(Self::$name(_) => AggregateKind::$aggregate),+ }
            }

            /// Whether it brings a new stream into being.
            #[must_use]
            pub const fn creates(&self) -> bool {
                match self { $(Self::$name(_) => $creates),+ }
            }

            /// The kind of stream that commands of this name speak to.
            pub(crate) fn aggregate_of(name: &str) -> Option<AggregateKind> {
                match name {
                    $(stringify!($name) => Some(AggregateKind::$aggregate),)+
                    _ => None,
                }
            }

            /// Whether commands of this name bring a new stream into being.
            pub(crate) fn creates_of(name: &str) -> Option<bool> {
                match name {
                    $(stringify!($name) => Some($creates),)+
                    _ => None,
                }
            }

            fn decode(name: &str, object: Map<String, Value>) -> Option<Result<Self, FieldError>> {
                match name {
                    $(stringify!($name) => Some(json::decode(object).map(Self::$name)),)+
                    _ => None,
                }
            }

            pub(crate) fn schema_of(name: &str, generator: &mut schemars::SchemaGenerator) -> Option<schemars::Schema> {
                match name {
                    $(stringify!($name) => Some(<$name as schemars::JsonSchema>::json_schema(generator)),)+
                    _ => None,
                }
            }
        }

        impl SealFields for CommandBody {
            fn seal_fields<E>(
                &mut self,
                seal: &mut dyn FnMut(OpenField<'_>) -> Result<Sealed, E>,
            ) -> Result<(), SealFieldError<E>> {
                match self { $(Self::$name(command) => command.seal_fields(seal)),+ }
            }
        }
    };
}

commands! {
    RegisterCustomer: Customer, creates true;
    UpdateContactDetails: Customer, creates false;
    RecordConsent: Customer, creates false;
    WithdrawConsent: Customer, creates false;
    SetContactPreferences: Customer, creates false;
    RecordAdjustments: Customer, creates false;
    AuthoriseRepresentative: Customer, creates false;
    EndRepresentation: Customer, creates false;
    RecordDeath: Customer, creates false;
    CorrectDeathRecord: Customer, creates false;
    SetHazardMarker: Customer, creates false;
    EndHazardMarker: Customer, creates false;
    MergeCustomer: Customer, creates false;
    PartCustomer: Customer, creates false;
    SubmitRequest: Case, creates true;
    UpdateRequest: Case, creates false;
    CancelRequest: Case, creates false;
    ReopenRequest: Case, creates false;
    AssignRequest: Case, creates false;
    CloseRequest: Case, creates false;
    RecordNotification: Case, creates false;
    AskForInformation: Case, creates false;
    ProvideInformation: Case, creates false;
    AddNote: Case, creates false;
    AcknowledgeRequest: Case, creates false;
    ExtendTime: Case, creates false;
    SetDeadline: Case, creates false;
    RecordContact: Case, creates false;
    LinkCase: Case, creates false;
    SendForInvestigation: Case, creates false;
    RecordFindings: Case, creates false;
    AgreeRemedy: Case, creates false;
    RecordRemedyDone: Case, creates false;
    AssessEligibility: Case, creates false;
    RecordDecision: Case, creates false;
    RecordBadgeIssued: Case, creates false;
    ChangeType: Case, creates false;
    MoveToCustomer: Case, creates false;
    CorrectEntry: Case, creates false;
    RaiseJob: Case, creates false;
    WithdrawJob: Case, creates false;
    AcknowledgeJob: Case, creates false;
    RejectJob: Case, creates false;
    RecordJobProgress: Case, creates false;
    ReportJobDone: Case, creates false;
    ReportJobFailed: Case, creates false;
    AcceptJob: Case, creates false;
    SendJobBack: Case, creates false;
    RequestPayment: Case, creates false;
    GrantConcession: Case, creates false;
    RecordPayment: Case, creates false;
    RecordPaymentFailure: Case, creates false;
    DecideRefund: Case, creates false;
    RecordRefund: Case, creates false;
    WriteOffPayment: Case, creates false;
    BookAppointment: Case, creates false;
    MoveAppointment: Case, creates false;
    CancelAppointment: Case, creates false;
    RecordAttendance: Case, creates false;
    ReleaseAppointment: Case, creates false;
    AddAttachment: Case, creates false;
    RecordIncident: Case, creates false;
    NameSubject: Case, creates false;
    ClearSubject: Case, creates false;
    TakeEnforcementAction: Case, creates false;
    RecordActionResult: Case, creates false;
    RecordScheduledCollections: Round, creates false;
    RecordRoundStatus: Round, creates false;
    RecordCollectionException: Round, creates false;
    GrantEntitlement: Entitlement, creates true;
    RenewEntitlement: Entitlement, creates false;
    ChangeEntitlement: Entitlement, creates false;
    EndEntitlement: Entitlement, creates false;
    RecordTerm: Entitlement, creates false;
    RecordClock: Case, creates false;
    RecomputeClocks: Case, creates false;
}

impl CommandBody {
    /// The round and the day that it speaks of, where its stream follows from those.
    #[must_use]
    pub const fn round(&self) -> Option<(&RoundName, Day)> {
        match self {
            Self::RecordScheduledCollections(command) => Some((&command.round, command.day)),
            Self::RecordRoundStatus(command) => Some((&command.round, command.day)),
            Self::RecordCollectionException(command) => Some((&command.round, command.day)),
            _ => None,
        }
    }

    /// The answers in it, where the command has any: the command-service marks them by the catalogue.
    pub const fn answers_mut(&mut self) -> Option<&mut Answers> {
        match self {
            Self::SubmitRequest(command) => Some(&mut command.answers),
            Self::UpdateRequest(command) => Some(&mut command.answers),
            Self::ProvideInformation(command) => Some(&mut command.answers),
            Self::ChangeType(command) => Some(&mut command.answers),
            _ => None,
        }
    }
}

/// A command, read.
#[derive(Clone, Debug, PartialEq)]
pub struct Command {
    /// What every command says.
    pub circumstances: Circumstances,
    /// What this one says.
    pub body: CommandBody,
}

impl Command {
    /// Reads a command's data.
    ///
    /// # Errors
    /// A [`Problem`] that names the fields: `unknown_command`, or what [`json::parse`] and [`json::decode`] find. A fault in the
    /// circumstances and one in the command's own fields are both told.
    pub fn read(name: &str, data: &str) -> Result<Self, Problem> {
        let object = match json::parse(data) {
            Ok(Value::Object(object)) => object,
            Ok(_) => {
                return Err(Problem::one(
                    ProblemKind::Malformed,
                    "",
                    "wrong_type",
                    "expected an object",
                ));
            }
            Err(fault) => return Err(Problem::new(ProblemKind::Malformed, vec![fault])),
        };
        let (common, own) = object
            .into_iter()
            .partition(|(key, _)| CIRCUMSTANCES.contains(&key.as_str()));
        let Some(body) = CommandBody::decode(name, own) else {
            return Err(Problem::one(
                ProblemKind::Invalid,
                "",
                "unknown_command",
                "there is no command of this name",
            ));
        };
        match (json::decode(common), body) {
            (Ok(circumstances), Ok(body)) => Ok(Self { circumstances, body }),
            (circumstances, body) => {
                let faults = circumstances.err().into_iter().chain(body.err()).collect();
                Err(Problem::new(ProblemKind::Invalid, faults))
            }
        }
    }

    /// Seals every personal field.
    ///
    /// # Errors
    /// See [`SealFields::seal_fields`].
    pub fn seal_fields<E>(
        &mut self,
        seal: &mut dyn FnMut(OpenField<'_>) -> Result<Sealed, E>,
    ) -> Result<(), SealFieldError<E>> {
        self.circumstances.seal_fields(seal)?;
        self.body.seal_fields(seal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACTOR: &str = r#""actor": {"kind": "resident"}, "channel": "online""#;

    fn refusal(name: &str, data: &str) -> (String, String) {
        let problem = Command::read(name, data).unwrap_err();
        (problem.errors[0].pointer.clone(), problem.code().to_owned())
    }

    #[test]
    fn a_command_is_read_with_its_circumstances() {
        let data = format!(r#"{{{ACTOR}, "request_type": "missed-bin", "answers": {{"bin_type": "refuse"}}}}"#);
        let command = Command::read("SubmitRequest", &data).unwrap();
        assert_eq!(command.circumstances.channel, Channel::Online);
        assert_eq!(command.body.name(), "SubmitRequest");
    }

    #[test]
    fn every_fault_names_its_field() {
        for (name, data, pointer, code) in [
            ("Nonsense", format!("{{{ACTOR}}}"), "", "unknown_command"),
            ("SubmitRequest", "[]".to_owned(), "", "wrong_type"),
            (
                "SubmitRequest",
                r#"{"request_type": "pothole"}"#.to_owned(),
                "/actor",
                "missing_field",
            ),
            (
                "SubmitRequest",
                format!("{{{ACTOR}}}"),
                "/request_type",
                "missing_field",
            ),
            (
                "SubmitRequest",
                format!(r#"{{{ACTOR}, "request_type": "Pot Hole"}}"#),
                "/request_type",
                "invalid_value",
            ),
            (
                "SubmitRequest",
                format!(r#"{{{ACTOR}, "request_type": "pothole", "colour": 1}}"#),
                "/colour",
                "unknown_field",
            ),
            (
                "CancelRequest",
                format!(r#"{{{ACTOR}, "received_on": "2026-02-30"}}"#),
                "/received_on",
                "invalid_value",
            ),
            (
                "CancelRequest",
                format!(r#"{{{ACTOR}, "occurred_at": "yesterday"}}"#),
                "/occurred_at",
                "invalid_value",
            ),
            (
                "CancelRequest",
                r#"{"actor": {"kind": "officer"}, "channel": "phone"}"#.to_owned(),
                "/actor",
                "invalid_value",
            ),
            (
                "CancelRequest",
                r#"{"actor": {"kind": "king"}, "channel": "phone"}"#.to_owned(),
                "/actor/kind",
                "invalid_value",
            ),
            (
                "CancelRequest",
                r#"{"actor": {"kind": "resident", "id": "Ada"}, "channel": "phone"}"#.to_owned(),
                "/actor",
                "invalid_value",
            ),
            (
                "CancelRequest",
                r#"{"actor": {"kind": "resident"}, "channel": "fax"}"#.to_owned(),
                "/channel",
                "invalid_value",
            ),
            (
                "CloseRequest",
                format!(r#"{{{ACTOR}, "outcome": "collected", "decided_by": {{"kind": "officer"}}}}"#),
                "/decided_by",
                "invalid_value",
            ),
            (
                "UpdateContactDetails",
                format!(r#"{{{ACTOR}, "email": "x"}}"#),
                "/email",
                "invalid_value",
            ),
        ] {
            assert_eq!(
                refusal(name, &data),
                (pointer.to_owned(), code.to_owned()),
                "{name} {data}"
            );
        }
    }

    #[test]
    fn null_removes_and_absence_leaves() {
        let data = format!(r#"{{{ACTOR}, "email": null}}"#);
        let Ok(Command {
            body: CommandBody::UpdateContactDetails(update),
            ..
        }) = Command::read("UpdateContactDetails", &data)
        else {
            panic!("not read");
        };
        assert_eq!((update.email, update.phone), (Some(None), None));
    }
}
