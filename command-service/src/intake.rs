//! Intake: from a message to a command that may be decided.
//!
//! What is checked here needs no stream: the envelope, the data's form, the sender's rights, the officer's standing, times.
//! Whatever does not fit is a [`Problem`] that names the field.

use std::sync::Arc;

use bus::clients::{Client, ClientRegister};
use catalogue::{Catalogue, london};
use schemas::command::{ActorKind, Circumstances, Command, CommandBody, Decider};
use schemas::envelope::{CommandEnvelope, Unreadable};
use schemas::moment::{Day, Instant};
use schemas::problem::{FieldError, ProblemKind};
use schemas::subjects::Addressed;
use schemas::{AggregateId, CommandId, OfficerId, Problem};

use crate::officers::{Officer, OfficerRegister};

/// What intake checks against. All of it can be read anew while the service runs.
#[derive(Clone)]
pub struct Registers {
    /// Who may send what.
    pub clients: Arc<ClientRegister>,
    /// Who may decide.
    pub officers: Arc<OfficerRegister>,
    /// What can be asked for.
    pub catalogue: Arc<Catalogue>,
}

/// A command that has passed.
#[derive(Debug)]
pub struct Admitted {
    /// Who sent it.
    pub client: Arc<Client>,
    /// Its envelope.
    pub envelope: CommandEnvelope,
    /// Its content, answers marked by the catalogue, times filled in.
    pub command: Command,
    /// The stream it speaks to.
    pub lane: AggregateId,
}

/// A refusal before any stream was looked at.
#[derive(Debug)]
pub struct Refused {
    /// The command's id, where it could be read.
    pub id: Option<CommandId>,
    /// Why.
    pub problem: Problem,
    /// Whether the message could not be read as a command at all.
    pub unreadable: bool,
}

fn refuse(id: CommandId, kind: ProblemKind, pointer: &str, code: &str, message: impl Into<String>) -> Refused {
    Refused {
        id: Some(id),
        problem: Problem::one(kind, pointer, code, message),
        unreadable: false,
    }
}

impl Registers {
    /// Takes a message in. `header` looks a header up by its lower-case name.
    ///
    /// # Errors
    /// [`Refused`].
    pub fn admit<'h>(
        &self,
        subject: &str,
        header: impl Fn(&str) -> Option<&'h str>,
        body: &[u8],
        now: Instant,
    ) -> Result<Admitted, Refused> {
        let envelope = CommandEnvelope::read(header, body).map_err(|Unreadable { id, problem }| Refused {
            id,
            problem,
            unreadable: true,
        })?;
        let id = envelope.id;
        let client = self.sender(subject, &envelope)?;
        let mut command = Command::read(&envelope.name, &envelope.data).map_err(|problem| Refused {
            id: Some(id),
            problem,
            unreadable: false,
        })?;
        self.check_rights(id, &client, &command, now)?;
        self.fill_in_times(id, &mut command.circumstances, now)?;
        let lane = lane_of(&client, &envelope, &command.body)?;
        Ok(Admitted {
            client,
            envelope,
            command,
            lane,
        })
    }

    /// The sender, by the subject: that is what the account boundary vouches for.
    fn sender(&self, subject: &str, envelope: &CommandEnvelope) -> Result<Arc<Client>, Refused> {
        let forbidden = |code: &str, message: String| refuse(envelope.id, ProblemKind::Forbidden, "", code, message);
        let addressed = Addressed::read(subject)
            .ok_or_else(|| forbidden("unknown_client", "the subject names no client and command".to_owned()))?;
        let client = self.clients.get(&addressed.client).ok_or_else(|| {
            forbidden(
                "unknown_client",
                format!("{} is not in the client register", addressed.client),
            )
        })?;
        if addressed.name != envelope.name {
            let message = format!(
                "the subject speaks of {}, the type of {}",
                addressed.name, envelope.name
            );
            return Err(refuse(
                envelope.id,
                ProblemKind::Malformed,
                "",
                "subject_mismatch",
                message,
            ));
        }
        if envelope.source != format!("/clients/{}", addressed.client) {
            let message = format!("attribute source: expected /clients/{}", addressed.client);
            return Err(refuse(
                envelope.id,
                ProblemKind::Forbidden,
                "",
                "foreign_source",
                message,
            ));
        }
        Ok(client)
    }

    fn check_rights(&self, id: CommandId, client: &Client, command: &Command, now: Instant) -> Result<(), Refused> {
        let Command { circumstances, body } = command;
        let name = body.name();
        if !client.may_send(name) {
            let message = format!("{} may not send {name}", client.name);
            return Err(refuse(id, ProblemKind::Forbidden, "", "command_not_allowed", message));
        }
        let kind = circumstances.actor.kind;
        if !client.may_speak_for(kind) {
            let message = format!("{} may not speak for an actor of kind {}", client.name, kind.as_str());
            return Err(refuse(
                id,
                ProblemKind::Forbidden,
                "/actor/kind",
                "actor_not_allowed",
                message,
            ));
        }
        if let Some(officer) = circumstances.actor.as_officer() {
            self.check_officer(id, client, officer, "/actor/id", now)?;
        }
        if let CommandBody::CloseRequest(close) = body {
            match &close.decided_by {
                Some(Decider::Officer { id: officer }) => {
                    self.check_officer(id, client, officer, "/decided_by/id", now)?;
                }
                Some(Decider::NotRecorded) if !client.may_leave_decider_unrecorded => {
                    let message = format!("{} may not leave the decider unrecorded: name the officer", client.name);
                    return Err(refuse(
                        id,
                        ProblemKind::Forbidden,
                        "/decided_by",
                        "decider_required",
                        message,
                    ));
                }
                _ => {}
            }
        }
        if kind == ActorKind::Representative && circumstances.on_behalf_of.is_none() {
            let message = "a representative acts for somebody: say for which customer";
            return Err(refuse(
                id,
                ProblemKind::Invalid,
                "/on_behalf_of",
                "missing_field",
                message,
            ));
        }
        Ok(())
    }

    fn check_officer(
        &self,
        id: CommandId,
        client: &Client,
        officer: &OfficerId,
        pointer: &str,
        now: Instant,
    ) -> Result<(), Refused> {
        let entry = self.standing(officer, now).ok_or_else(|| {
            let message = "this officer is not in the register, or not at this date";
            refuse(id, ProblemKind::Forbidden, pointer, "unknown_officer", message)
        })?;
        if client.may_speak_for_a_team_of(&entry.teams) {
            return Ok(());
        }
        let message = format!("{} may not speak for officers of this officer's teams", client.name);
        Err(refuse(
            id,
            ProblemKind::Forbidden,
            pointer,
            "officer_not_allowed",
            message,
        ))
    }

    /// The officer's entry, if they may act now.
    #[must_use]
    pub fn standing(&self, officer: &OfficerId, now: Instant) -> Option<&Officer> {
        self.officers.on_duty(officer, london::day_of(now.get()))
    }

    /// Fills in when it happened and the day it was received, and refuses the future.
    fn fill_in_times(&self, id: CommandId, circumstances: &mut Circumstances, now: Instant) -> Result<(), Refused> {
        let today: Day = london::day_of(now.get());
        let mut faults = Vec::new();
        if circumstances.occurred_at.is_some_and(|at| at > now) {
            faults.push(FieldError::new(
                "/occurred_at",
                "in_the_future",
                "what has happened can't lie in the future",
            ));
        }
        if circumstances.received_on.is_some_and(|day| day > today) {
            faults.push(FieldError::new(
                "/received_on",
                "in_the_future",
                "what was received can't lie in the future",
            ));
        }
        if !faults.is_empty() {
            return Err(Refused {
                id: Some(id),
                problem: Problem::new(ProblemKind::Invalid, faults),
                unreadable: false,
            });
        }
        let occurred_at = *circumstances.occurred_at.get_or_insert(now);
        circumstances
            .received_on
            .get_or_insert_with(|| london::day_of(occurred_at.get()));
        Ok(())
    }
}

fn lane_of(client: &Client, envelope: &CommandEnvelope, body: &CommandBody) -> Result<AggregateId, Refused> {
    match (body.creates(), envelope.subject) {
        (true, None) => Ok(AggregateId::of_command(&client.name, envelope.id)),
        (false, Some(subject)) => Ok(subject),
        (true, Some(_)) => {
            let message = "attribute subject: this command brings something new into being, so there is none yet";
            Err(refuse(
                envelope.id,
                ProblemKind::Malformed,
                "",
                "invalid_attribute",
                message,
            ))
        }
        (false, None) => {
            let message = "attribute subject is required: the id of the customer or case that this speaks to";
            Err(refuse(
                envelope.id,
                ProblemKind::Malformed,
                "",
                "missing_attribute",
                message,
            ))
        }
    }
}
