//! A command on its way through the command-service.

use std::sync::Arc;

use bus::Headers;
use bus::clients::Client;
use event_store::{Receipt, ReceiptStatus};
use schemas::command::{Command, CommandBody};
use schemas::envelope::{CommandEnvelope, REPEATED, REPEATED_TRUE};
use schemas::problem::ProblemKind;
use schemas::result::{Accepted, CommandResult, CommandStatus};
use schemas::{AggregateId, Problem};
use tokio::sync::oneshot;

use crate::measured::InHand;
use crate::refusal::note_overreach;

/// How a command came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Request and reply: the caller waits. A rejection leaves no record: who mends what it was rejected for may send it again under
    /// the same id.
    Call,
    /// A call that its caller has sent before, unanswered. Another copy may still be on its way, and would be decided by what holds
    /// when it arrives: a rejection is recorded, so that all copies have one result.
    RepeatedCall,
    /// Held by the bus until its result is published. A rejection is recorded.
    Durable,
}

impl Mode {
    /// How this call came.
    pub(crate) fn of_call(headers: &Headers) -> Self {
        match headers.get(REPEATED) {
            Some(REPEATED_TRUE) => Self::RepeatedCall,
            _ => Self::Call,
        }
    }

    /// Whether a rejection is recorded.
    pub(crate) const fn records_rejections(self) -> bool {
        matches!(self, Self::RepeatedCall | Self::Durable)
    }

    /// Whether a caller waits, who can be told to ask again.
    pub(crate) const fn is_call(self) -> bool {
        matches!(self, Self::Call | Self::RepeatedCall)
    }
}

/// A command that intake has passed.
pub struct Task {
    /// Who sent it.
    pub client: Arc<Client>,
    /// Its envelope.
    pub envelope: CommandEnvelope,
    /// Its content, still open.
    pub command: Command,
    /// Keyed hash of type, subject and data.
    pub fingerprint: [u8; 32],
    /// The stream that it speaks to.
    pub lane: AggregateId,
    /// How it came.
    pub mode: Mode,
    /// A rejection that only the append could find; it is what the next attempt records.
    pub rejection: Option<Problem>,
    /// Whether an append refused its keys: the next attempt looks in the vault first.
    pub keys_refused: bool,
    /// Where the result goes.
    pub answer: oneshot::Sender<CommandResult>,
    /// Counts it until it is answered.
    pub in_hand: InHand,
}

impl Task {
    /// Answers; a caller who no longer waits is no fault.
    pub fn answer(self, status: CommandStatus) {
        if let CommandStatus::Rejected { problem } = &status {
            note_overreach(Some(&self.client.name), self.envelope.id, problem);
        }
        self.in_hand.answered(&status);
        let _ = self.answer.send(CommandResult {
            command_id: self.envelope.id,
            status,
        });
    }

    /// Answers with what was recorded, now or the first time.
    pub fn answer_recorded(self, receipt: Receipt) {
        let status = recorded_status(receipt);
        self.answer(status);
    }
}

/// What a receipt says to its sender.
pub fn recorded_status(receipt: Receipt) -> CommandStatus {
    match receipt.status {
        ReceiptStatus::Accepted => CommandStatus::Accepted(Accepted {
            aggregate_id: receipt.aggregate_id,
            reference: receipt.reference,
            version: receipt.version,
            position: receipt.position,
            events: receipt.event_ids,
        }),
        ReceiptStatus::Rejected { problem } => CommandStatus::Rejected {
            problem: serde_json::from_str(&problem).unwrap_or_else(|_| {
                Problem::one(
                    ProblemKind::NotAllowed,
                    "",
                    "rejected",
                    "the command was rejected; its reasons can't be read",
                )
            }),
        },
    }
}

/// A message as it is put aside: whole. What came with its attributes in headers becomes a structured message; what can't be read
/// stays as it is.
#[must_use]
pub fn whole<'h>(header: impl Fn(&str) -> Option<&'h str>, body: &[u8]) -> Vec<u8> {
    let binary = header("ce-specversion").is_some();
    let structured = binary
        .then(|| CommandEnvelope::read(header, body).ok()?.write().ok())
        .flatten();
    structured.map_or_else(|| body.to_vec(), String::into_bytes)
}

/// Why a command that was refused is put aside all the same: somebody of the council can mend what it was refused for.
#[must_use]
pub fn put_aside(result: &CommandResult) -> Option<&'static str> {
    match &result.status {
        CommandStatus::Rejected { problem } if problem.code() == "unknown_code" => {
            Some("the code map of its contractor has no such code")
        }
        _ => None,
    }
}

/// The refusal of an id that was used before with other content.
#[must_use]
pub fn id_reused() -> Problem {
    Problem::one(
        ProblemKind::Conflict,
        "",
        "id_reused",
        "this command id was used before with other content: its first result stands; send this command under a new id",
    )
}

/// The refusal of an external reference that another command has, or of a second next stage.
#[must_use]
pub fn external_ref_taken(command: &Command) -> Problem {
    if matches!(&command.body, CommandBody::SubmitRequest(submit) if submit.follows.is_some()) {
        let message = "this case has a next stage of this type already";
        return Problem::one(ProblemKind::NotAllowed, "/follows", "next_stage_exists", message);
    }
    if matches!(
        &command.body,
        CommandBody::RecordPayment(_) | CommandBody::RecordRefund(_)
    ) {
        let message = "this reference of the provider was recorded before: each payment and each refund is taken once";
        return Problem::one(ProblemKind::Conflict, "/provider_ref", "provider_ref_taken", message);
    }
    if matches!(&command.body, CommandBody::AddAttachment(_)) {
        let message = "this file was added to a case before: upload it again to add it to another";
        return Problem::one(ProblemKind::Conflict, "/id", "attachment_taken", message);
    }
    if matches!(
        &command.body,
        CommandBody::GrantEntitlement(_) | CommandBody::RenewEntitlement(_)
    ) {
        let message = "this case granted or renewed an entitlement before: each does so once";
        return Problem::one(ProblemKind::Conflict, "/case_id", "case_granted_before", message);
    }
    Problem::one(
        ProblemKind::Conflict,
        "/external_ref",
        "external_ref_taken",
        // To which stream is not said: this client may not be allowed to know of it.
        "this reference of the other system was brought before, by another command",
    )
}
