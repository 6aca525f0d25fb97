//! Intake: from a message to a command that may be decided.
//!
//! What is checked here needs no stream: the envelope, the data's form, the sender's rights, the officer's standing, times.
//! Whatever does not fit is a [`Problem`] that names the field.

use std::sync::Arc;

use bus::clients::{Client, ClientRegister};
use catalogue::clocks::ClockFiles;
use catalogue::{Catalogue, london};
use places::CouncilArea;
use schemas::command::{ActorKind, Circumstances, Command, Decider};
use schemas::envelope::{CommandEnvelope, Unreadable};
use schemas::moment::{Day, Instant};
use schemas::problem::{FieldError, ProblemKind};
use schemas::subjects::Addressed;
use schemas::{AggregateId, ClientName, CommandId, OfficerId, Problem};

use crate::officers::{Officer, OfficerRegister};
use crate::prepare::OWN_SYSTEM;

/// What intake checks against. All of it can be read anew while the service runs.
#[derive(Clone)]
pub struct Registers {
    /// Who may send what.
    pub clients: Arc<ClientRegister>,
    /// Who may decide.
    pub officers: Arc<OfficerRegister>,
    /// What can be asked for.
    pub catalogue: Arc<Catalogue>,
    /// What clocks are worked out with.
    pub clocks: Arc<ClockFiles>,
    /// The council's area; none where no boundaries are given: then nothing is outside it, and no ward is told.
    pub area: Option<Arc<CouncilArea>>,
}

/// A command that has passed.
#[derive(Debug)]
pub struct Admitted {
    /// Who sent it.
    pub client: Arc<Client>,
    /// Its envelope.
    pub envelope: CommandEnvelope,
    /// Its content.
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
    /// Who asked for what, where both are known: enough for the refusal to be recorded, or for a repeat to be recognised.
    pub asked: Option<Box<(Arc<Client>, CommandEnvelope)>>,
}

impl Refused {
    /// What the sender follows it by, where its envelope could be read.
    #[must_use]
    pub fn traceparent(&self) -> Option<&str> {
        let (_, envelope) = self.asked.as_deref()?;
        envelope.traceparent.as_deref()
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
        let refused = |id, problem, unreadable| Refused {
            id,
            problem,
            unreadable,
            asked: None,
        };
        let envelope =
            CommandEnvelope::read(header, body).map_err(|Unreadable { id, problem }| refused(id, problem, true))?;
        let (addressed, client) = self
            .sender(subject)
            .map_err(|problem| refused(Some(envelope.id), problem, false))?;
        match self.check(&addressed, &client, &envelope, now) {
            Ok((command, lane)) => Ok(Admitted {
                client,
                envelope,
                command,
                lane,
            }),
            Err(problem) => Err(Refused {
                id: Some(envelope.id),
                problem,
                unreadable: false,
                asked: Some(Box::new((client, envelope))),
            }),
        }
    }

    /// The sender, by the subject: that is what the account boundary vouches for.
    fn sender(&self, subject: &str) -> Result<(Addressed, Arc<Client>), Problem> {
        let unknown = |message: String| Problem::one(ProblemKind::Forbidden, "", "unknown_client", message);
        let addressed =
            Addressed::read(subject).ok_or_else(|| unknown("the subject names no client and command".to_owned()))?;
        let client = self
            .clients
            .get(&addressed.client)
            .ok_or_else(|| unknown(format!("{} is not in the client register", addressed.client)))?;
        Ok((addressed, client))
    }

    /// Reads the command of a known client, and checks what needs no stream. Gives the stream that it speaks to too.
    fn check(
        &self,
        addressed: &Addressed,
        client: &Client,
        envelope: &CommandEnvelope,
        now: Instant,
    ) -> Result<(Command, AggregateId), Problem> {
        if addressed.name != envelope.name {
            let message = format!(
                "the subject speaks of {}, the type of {}",
                addressed.name, envelope.name
            );
            return Err(Problem::one(ProblemKind::Malformed, "", "subject_mismatch", message));
        }
        if envelope.source != format!("/clients/{}", addressed.client) {
            let message = format!("attribute source: expected /clients/{}", addressed.client);
            return Err(Problem::one(ProblemKind::Forbidden, "", "foreign_source", message));
        }
        let command = Command::read(&envelope.name, &envelope.data)?;
        self.check_rights(client, &command, now)?;
        check_circumstances(&command.circumstances, now)?;
        let lane = lane_of(client, envelope, &command)?;
        Ok((command, lane))
    }

    fn check_rights(&self, client: &Client, command: &Command, now: Instant) -> Result<(), Problem> {
        let forbidden = |pointer: &str, code: &str, message: String| {
            Err(Problem::one(ProblemKind::Forbidden, pointer, code, message))
        };
        let Command { circumstances, body } = command;
        let name = body.name();
        if !client.may_send(name) {
            return forbidden(
                "",
                "command_not_allowed",
                format!("{} may not send {name}", client.name),
            );
        }
        let kind = circumstances.actor.kind;
        if !client.may_speak_for(kind) {
            let message = format!("{} may not speak for an actor of kind {}", client.name, kind.as_str());
            return forbidden("/actor/kind", "actor_not_allowed", message);
        }
        if let Some(officer) = circumstances.actor.as_officer() {
            self.check_officer(client, officer, "/actor/id", now)?;
        }
        match domain::decider_of(body) {
            Some(Decider::Officer { id: officer }) => {
                self.check_officer(client, officer, "/decided_by/id", now)?;
            }
            Some(Decider::NotRecorded) if !client.may_leave_decider_unrecorded => {
                let message = format!("{} may not leave the decider unrecorded: name the officer", client.name);
                return forbidden("/decided_by", "decider_required", message);
            }
            _ => {}
        }
        if kind == ActorKind::Representative && circumstances.on_behalf_of.is_none() {
            let message = "a representative acts for somebody: say for which customer";
            return Err(Problem::one(
                ProblemKind::Invalid,
                "/on_behalf_of",
                "missing_field",
                message,
            ));
        }
        Ok(())
    }

    fn check_officer(&self, client: &Client, officer: &OfficerId, pointer: &str, now: Instant) -> Result<(), Problem> {
        let forbidden = |code: &str, message: String| Problem::one(ProblemKind::Forbidden, pointer, code, message);
        let entry = self.standing(officer, now).ok_or_else(|| {
            let message = "this officer is not in the register, or not at this date";
            forbidden("unknown_officer", message.to_owned())
        })?;
        if client.may_speak_for_a_team_of(&entry.teams) {
            return Ok(());
        }
        let message = format!("{} may not speak for officers of this officer's teams", client.name);
        Err(forbidden("officer_not_allowed", message))
    }

    /// The officer's entry, if they may act now.
    #[must_use]
    pub fn standing(&self, officer: &OfficerId, now: Instant) -> Option<&Officer> {
        self.officers.on_duty(officer, london::day_of(now.get()))
    }
}

/// Refuses the future, and our own name for another system.
fn check_circumstances(circumstances: &Circumstances, now: Instant) -> Result<(), Problem> {
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
    if circumstances
        .external_ref
        .as_ref()
        .is_some_and(|reference| reference.system.as_str() == OWN_SYSTEM)
    {
        let message = "this is our own name: give the name of the other system";
        faults.push(FieldError::new("/external_ref/system", "invalid_value", message));
    }
    if !faults.is_empty() {
        return Err(Problem::new(ProblemKind::Invalid, faults));
    }
    Ok(())
}

/// The contractor who acts: a client with a feed is one contractor's own; any other that speaks for contractors says which.
pub fn contractor(client: &Client, circumstances: &Circumstances) -> Option<ClientName> {
    let actor = &circumstances.actor;
    if actor.kind != ActorKind::Contractor {
        return None;
    }
    if client.has_feed() {
        return Some(client.name.clone());
    }
    ClientName::new(actor.id.as_ref()?.to_string()).ok()
}

/// The stream that the command speaks to: the one it names, or the one that it brings into being.
fn lane_of(client: &Client, envelope: &CommandEnvelope, command: &Command) -> Result<AggregateId, Problem> {
    let malformed = |code: &str, message: &str| Err(Problem::one(ProblemKind::Malformed, "", code, message));
    if let Some((round, day)) = command.body.round() {
        if envelope.subject.is_some() {
            let message = "attribute subject: contractor, round and day say which stream this is, so leave it out";
            return malformed("invalid_attribute", message);
        }
        let contractor = contractor(client, &command.circumstances).ok_or_else(|| {
            let message = "a contractor tells of its rounds";
            Problem::one(ProblemKind::NotAllowed, "/actor/kind", "actor_not_allowed", message)
        })?;
        return Ok(AggregateId::of_round(&contractor, round, day));
    }
    match (command.body.creates(), envelope.subject) {
        (true, None) => Ok(AggregateId::of_command(&client.name, envelope.id)),
        (false, Some(subject)) => Ok(subject),
        (true, Some(_)) => malformed(
            "invalid_attribute",
            "attribute subject: this command brings something new into being, so there is none yet",
        ),
        (false, None) => malformed(
            "missing_attribute",
            "attribute subject is required: the id of the customer or case that this speaks to",
        ),
    }
}
