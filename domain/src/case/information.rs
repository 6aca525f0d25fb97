//! What the council asks the person for, what they answer, and what officers note.

use schemas::command::{ActorKind, AddNote, AskForInformation, Circumstances, InformationWanted, ProvideInformation};
use schemas::event::{InformationAskedFor, InformationProvided, NoteAdded};

use super::Submitted;
use crate::context::{Authority, DecisionContext};
use crate::rejection::Rejection;

impl Submitted {
    /// There is somebody to ask, and they can still answer.
    pub(super) fn ask(
        &self,
        ask: &AskForInformation,
        circumstances: &Circumstances,
        context: &DecisionContext,
    ) -> Result<InformationAskedFor, Rejection> {
        self.must_be_open()?;
        must_be_an_officer(circumstances, context)?;
        if self.opened.customer_id.is_none() {
            return Err(Rejection::NobodyToAsk);
        }
        let asked_on = context.received_on(circumstances);
        if ask.answer_by.is_some_and(|day| day <= asked_on) {
            return Err(Rejection::AnswerByPast);
        }
        self.must_not_precede_receipt(asked_on)?;
        let AskForInformation {
            wanted,
            question,
            answer_by,
        } = ask.clone();
        let mut event = InformationAskedFor {
            wanted,
            question,
            asked_on,
            answer_by,
            reason: circumstances.reason.clone(),
            clocks: Vec::new(),
        };
        event.clocks = self.clocks_after(&event.clone().into(), context, context.occurred_at(circumstances));
        Ok(event)
    }

    /// Whoever may update the case may answer. What nobody asked for is an update: it moves no clock.
    pub(super) fn provide(
        &self,
        provide: &ProvideInformation,
        circumstances: &Circumstances,
        context: &DecisionContext,
    ) -> Result<InformationProvided, Rejection> {
        self.must_be_open()?;
        // Who owes a fee does not say that it was paid.
        let is_fee = provide.wanted == InformationWanted::Fee;
        match circumstances.actor.kind {
            ActorKind::Contractor => return Err(Rejection::ActorNotAllowed),
            ActorKind::Resident | ActorKind::Representative if is_fee => return Err(Rejection::ActorNotAllowed),
            _ => {}
        }
        let ProvideInformation {
            wanted,
            answer,
            answers,
        } = provide.clone();
        let asked_on = self.standing.waiting_for.get(&wanted).ok_or(Rejection::NotWaitingFor)?;
        let received_on = context.received_on(circumstances);
        if received_on < *asked_on {
            return Err(Rejection::ReceivedBeforeAsked);
        }
        if answer.is_none() && answers.is_empty() && !is_fee {
            return Err(Rejection::NothingGiven);
        }
        let request_type = context.request_type.as_ref().ok_or(Rejection::RequestTypeGone)?;
        let faults = request_type.check_answers(&answers, false);
        if !faults.is_empty() {
            return Err(Rejection::InvalidAnswers { faults });
        }
        let mut event = InformationProvided {
            wanted,
            answer,
            answers,
            received_on,
            reason: circumstances.reason.clone(),
            clocks: Vec::new(),
        };
        event.clocks = self.clocks_after(&event.clone().into(), context, context.occurred_at(circumstances));
        Ok(event)
    }
}

/// A note may be added at any time.
pub(super) fn note(
    add: &AddNote,
    circumstances: &Circumstances,
    context: &DecisionContext,
) -> Result<NoteAdded, Rejection> {
    must_be_an_officer(circumstances, context)?;
    Ok(NoteAdded {
        note: add.note.clone(),
        reason: circumstances.reason.clone(),
    })
}

/// The actor is an officer whom the register vouches for.
pub(super) fn must_be_an_officer<'c>(
    circumstances: &Circumstances,
    context: &'c DecisionContext,
) -> Result<&'c Authority, Rejection> {
    context.acting_officer(circumstances)
}
