//! The contract of Caseledger: what travels on the bus and what is written for ever.
//!
//! Other services, auditors and analysts build on these names. The crate holds the wire types of commands, events, results
//! and the CloudEvents envelope, the names of subjects and streams, and the decoding that turns a foreign body into a typed
//! command or a [`Problem`] that names the field. It performs no I/O and reads no clock.
//!
//! Personal values are [`Personal`] or [`SpecialCategory`]: a command carries them open, an event carries them sealed, and an
//! open one can't be serialised.

pub mod clock;
pub mod command;
pub mod document;
pub mod envelope;
pub mod event;
pub mod feed;
pub mod ids;
pub mod json;
pub mod located;
pub mod metadata;
pub mod moment;
pub mod money;
pub mod personal;
pub mod problem;
pub mod query;
pub mod reference;
pub mod result;
pub mod sealed;
pub mod subjects;
pub mod text;

pub use ids::{
    AggregateId, AppointmentNumber, AttachmentId, CalendarName, CaseId, ClientName, CommandId, ContractorCode,
    CustomerId, EntitlementId, EntitlementName, EventId, JobNumber, KeyId, OfficerId, OutcomeCode, PaymentNumber,
    Position, ProviderName, QuestionId, RequestTypeCode, RoundName, ServiceName, TeamName, Version,
};
pub use personal::{Answer, Personal, Private, SpecialCategory};
pub use problem::{FieldError, Problem};
pub use reference::Reference;
pub use sealed::{Category, Sealed};
