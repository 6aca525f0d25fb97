//! What intake refused: answered as it was the first time, and recorded where every copy must have one result.
//!
//! Intake's rules change with the day and the registers: an officer leaves, a client loses a right. A command that was accepted
//! before must still be answered so when its sender, who has not heard, repeats it; and a durable command that was refused stays
//! refused, whatever is allowed by the time it comes again.

use event_store::{Append, Outcome, Verdict};
use schemas::envelope::CommandEnvelope;
use schemas::problem::ProblemKind;
use schemas::result::{CommandResult, CommandStatus};
use schemas::sealed::KeyAdmission;
use schemas::{AggregateId, ClientName, CommandId, Problem, ServiceName};
use uuid::Uuid;

use crate::fault::Fault;
use crate::handler::{FAILURES_MAX, Handler, LOSSES_MAX, OUTAGES_MAX, backoff};
use crate::intake::Refused;
use crate::task::{Mode, id_reused, recorded_status};

/// Logs that somebody tried what they have no right to: whoever operates the service wants to see that, each time.
pub fn note_overreach(client: Option<&ClientName>, command_id: CommandId, problem: &Problem) {
    if problem.is(ProblemKind::Forbidden) {
        let client = client.map_or("unknown", ClientName::as_str);
        let error = problem.errors.first();
        let at = error.map_or("", |error| error.pointer.as_str());
        tracing::warn!(client, %command_id, code = problem.code(), at, "refused: no right to that");
    }
}

impl Handler {
    /// The result of a command that intake refused; none where the service failed on it for a reason of its own. Where the mode has
    /// rejections recorded, and the sender is known, it is recorded when this returns.
    pub async fn refuse(&self, refused: Refused, mode: Mode) -> Option<CommandResult> {
        let Refused { id, problem, asked, .. } = refused;
        let command_id = id.unwrap_or(CommandId(Uuid::nil()));
        note_overreach(asked.as_ref().map(|asked| &asked.0.name), command_id, &problem);
        let Some(asked) = asked else {
            return Some(CommandResult::rejected(command_id, problem));
        };
        let (client, envelope) = *asked;
        let (mut losses, mut outages, mut failures) = (0, 0, 0);
        loop {
            let attempted = if mode.records_rejections() {
                self.record_refused(&client.name, &envelope, &problem).await
            } else {
                self.look_up_refused(&client.name, &envelope, &problem).await
            };
            match attempted {
                Ok(Some(status)) => return Some(CommandResult { command_id, status }),
                // The stream grew meanwhile.
                Ok(None) => {
                    losses += 1;
                    if mode.is_call() && losses >= LOSSES_MAX {
                        return Some(CommandResult::unavailable(command_id));
                    }
                }
                Err(Fault::Unavailable(reason) | Fault::Systemic(reason)) => {
                    outages += 1;
                    tracing::warn!(%command_id, reason, outages, "a refusal waits: something that it needs is down");
                    if mode.is_call() && outages >= OUTAGES_MAX {
                        return Some(CommandResult::unavailable(command_id));
                    }
                    tokio::time::sleep(backoff(outages)).await;
                }
                Err(Fault::Broken(reason)) => {
                    failures += 1;
                    tracing::error!(%command_id, reason, failures, "a refusal can't be recorded");
                    if failures >= FAILURES_MAX {
                        return None;
                    }
                }
            }
        }
    }

    /// A first call's refusal leaves no record; but the command may have been recorded before.
    async fn look_up_refused(
        &self,
        client: &ClientName,
        envelope: &CommandEnvelope,
        problem: &Problem,
    ) -> Result<Option<CommandStatus>, Fault> {
        let rejected = |problem| Some(CommandStatus::Rejected { problem });
        Ok(match self.ledger().receipt(client, envelope.id).await? {
            None => rejected(problem.clone()),
            Some(receipt) if receipt.fingerprint == self.fingerprint(envelope) => Some(recorded_status(receipt)),
            Some(_) => rejected(id_reused()),
        })
    }

    async fn record_refused(
        &self,
        client: &ClientName,
        envelope: &CommandEnvelope,
        problem: &Problem,
    ) -> Result<Option<CommandStatus>, Fault> {
        let aggregate_id = envelope
            .subject
            .unwrap_or_else(|| AggregateId::of_command(client, envelope.id));
        let append = Append {
            client: client.clone(),
            command_id: envelope.id,
            fingerprint: self.fingerprint(envelope),
            // Of a rejection neither type nor service is kept.
            aggregate_type: "",
            service: ServiceName::customer_services(),
            aggregate_id,
            expected: self.ledger().version(aggregate_id).await?,
            outcome: Outcome::Rejected {
                problem: serde_json::to_string(problem).map_err(|error| Fault::Broken(error.to_string()))?,
            },
            external_ref: None,
            keys: KeyAdmission::default(),
            places: Vec::new(),
        };
        Ok(match self.appender().append(vec![append]).await?.pop() {
            Some(Verdict::Appended(receipt) | Verdict::Repeated(receipt)) => Some(recorded_status(receipt)),
            Some(Verdict::Reused) => Some(CommandStatus::Rejected { problem: id_reused() }),
            Some(Verdict::Conflict | Verdict::KeyRefused | Verdict::SlotFull | Verdict::ExternalRefTaken { .. })
            | None => None,
        })
    }
}
