//! What a command speaks of beside its own stream: another case, another type, a customer.

use std::collections::BTreeSet;
use std::sync::Arc;

use bus::clients::Client;
use catalogue::RequestType;
use domain::{AggregateState, Case, Customer};
use schemas::command::{ActorKind, AggregateKind, Circumstances, Command, CommandBody, ExternalRef};
use schemas::problem::ProblemKind;
use schemas::text::ExternalId;
use schemas::{AggregateId, CaseId, ClientName, CustomerId, Problem};
use vault::VaultError;

use super::entitlement::{held, holder};
use super::{Preparation, Refusable};
use crate::cache::Snapshot;
use crate::fault::Fault;
use crate::files;
use crate::intake::contractor;
use crate::streams::load;
use crate::task::Task;

/// The name that this system has in external references: no sender brings one of it.
pub const OWN_SYSTEM: &str = "caseledger";

/// The other case or type that a command speaks of.
#[derive(Default)]
pub(super) struct Other {
    pub(super) case: Option<Arc<Case>>,
    pub(super) case_id: Option<CaseId>,
    pub(super) request_type: Option<Arc<RequestType>>,
}

impl Preparation<'_> {
    /// The other case or type that the command speaks of. A case that the client may not speak to is not told from one that is
    /// not there.
    pub(super) async fn other(&self, task: &Task, command: &Command, stream: Option<&Snapshot>) -> Refusable<Other> {
        let catalogue = &self.registers.catalogue;
        let case_id = match &command.body {
            CommandBody::SubmitRequest(submit) => submit.follows,
            CommandBody::LinkCase(link) => Some(link.case_id),
            CommandBody::GrantEntitlement(grant) => Some(grant.case_id),
            CommandBody::RenewEntitlement(renew) => Some(renew.case_id),
            CommandBody::RecordTerm(_) => held(stream).and_then(|held| held.held()).map(|held| held.case_id),
            CommandBody::ChangeType(change) => {
                return Ok(Ok(Other {
                    request_type: catalogue.request_type(&change.request_type).cloned(),
                    ..Other::default()
                }));
            }
            _ => None,
        };
        let Some(case_id) = case_id else {
            return Ok(Ok(Other::default()));
        };
        let found = load(self.ledger, case_id.into()).await?;
        let case = found.and_then(|found| match found.state.as_ref() {
            AggregateState::Case(case) => Some(Arc::new(case.clone())),
            AggregateState::Customer(_) | AggregateState::Round(_) | AggregateState::Entitlement(_) => None,
        });
        let case = case.filter(|case| case.service().is_some_and(|service| task.client.may_speak_to(service)));
        let code = case.as_ref().and_then(|case| case.request_type());
        Ok(Ok(Other {
            request_type: code.and_then(|code| catalogue.request_type(code)).cloned(),
            case,
            case_id: Some(case_id),
        }))
    }

    /// The customer whom the command concerns beside its stream: for whom a case is opened or to whom it is moved, whose case it
    /// is where they or somebody for them act, or the record that is kept of two.
    pub(super) fn concerns_a_customer(
        command: &Command,
        stream: Option<&Snapshot>,
        other: &Other,
    ) -> Option<CustomerId> {
        if command.body.aggregate() == AggregateKind::Entitlement {
            return holder(command, stream, other.case.as_deref());
        }
        let case = match stream.map(|stream| stream.state.as_ref()) {
            Some(AggregateState::Case(case)) => Some(case),
            _ => None,
        };
        match command.circumstances.actor.kind {
            _ if concerned(&command.body).is_some() => concerned(&command.body),
            ActorKind::Resident | ActorKind::Representative => case.and_then(Case::customer_id),
            // What to mind at their door goes with a job.
            _ if can_raise_a_job(&command.body) => case.and_then(Case::customer_id),
            _ => None,
        }
    }

    /// The contractor who acts. A client that is one of the catalogue's speaks for no other; who takes their calls says for whom.
    pub(super) fn contractor(&self, client: &Client, circumstances: &Circumstances) -> Option<ClientName> {
        let named = contractor(client, circumstances)?;
        let is_contractor = self.registers.catalogue.contractor(&client.name).is_some();
        (named == client.name || !is_contractor).then_some(named)
    }

    /// That customer; read anew where `anew` says so, and where somebody acts for them: whether they still may is asked each time.
    pub(super) async fn customer_for(
        &self,
        command: &Command,
        customer: CustomerId,
        anew: bool,
    ) -> Result<Option<Arc<Customer>>, Fault> {
        let of_a_term = command.body.aggregate() == AggregateKind::Entitlement;
        let anew = anew || of_a_term || command.circumstances.actor.kind == ActorKind::Representative;
        self.customer(customer, anew).await
    }

    pub(super) async fn customer(&self, customer: CustomerId, anew: bool) -> Result<Option<Arc<Customer>>, Fault> {
        let cached = self.cache.get(customer.into()).filter(|_| !anew);
        let snapshot = match cached {
            Some(cached) => Some(cached),
            None => load(self.ledger, customer.into())
                .await?
                .inspect(|loaded| self.cache.put_if_newer(customer.into(), loaded.clone())),
        };
        Ok(snapshot.and_then(|snapshot| match snapshot.state.as_ref() {
            AggregateState::Customer(customer) => Some(Arc::new(customer.clone())),
            AggregateState::Case(_) | AggregateState::Round(_) | AggregateState::Entitlement(_) => None,
        }))
    }

    /// The record that is kept of a customer: another one's, where theirs was merged.
    pub(super) async fn kept(&self, customer: CustomerId) -> Result<CustomerId, Fault> {
        let record = self.customer(customer, true).await?;
        Ok(record.as_deref().and_then(Customer::merged_into).unwrap_or(customer))
    }

    /// The kept records of whom the case is about, where it matters: where somebody acts in it for themselves, or is to have it.
    pub(super) async fn subjects_kept(
        &self,
        command: &Command,
        case: Option<&Case>,
    ) -> Result<BTreeSet<CustomerId>, Fault> {
        let mut kept = BTreeSet::new();
        let acts = matches!(
            command.circumstances.actor.kind,
            ActorKind::Resident | ActorKind::Representative
        );
        if acts || matches!(command.body, CommandBody::MoveToCustomer(_)) {
            for subject in case.into_iter().flat_map(Case::ever_named) {
                kept.insert(self.kept(subject).await?);
            }
        }
        Ok(kept)
    }

    /// Whether the customer to whom something is to be given was erased: nothing can become theirs any more.
    pub(super) async fn other_is_erased(&self, command: &Command) -> Result<bool, Fault> {
        let other = match &command.body {
            CommandBody::MoveToCustomer(to) => to.customer_id,
            CommandBody::MergeCustomer(merge) => merge.into,
            _ => return Ok(false),
        };
        match self.vault.keys_for(Some(other), other.into()).await {
            Err(VaultError::Erased) => Ok(true),
            keys => Ok(keys.map(|_| false)?),
        }
    }

    /// Whether other records were merged into the one that is to be merged itself.
    pub(super) async fn others_merged_into_it(&self, lane: AggregateId) -> Result<bool, Fault> {
        Ok(self.vault.stands_for_others(CustomerId(lane.uuid())).await?)
    }
}

/// Whether a command speaks of another case, or another type.
pub(super) const fn speaks_of_another(body: &CommandBody) -> bool {
    match body {
        CommandBody::SubmitRequest(submit) => submit.follows.is_some(),
        CommandBody::LinkCase(_)
        | CommandBody::ChangeType(_)
        | CommandBody::GrantEntitlement(_)
        | CommandBody::RenewEntitlement(_)
        | CommandBody::RecordTerm(_) => true,
        _ => false,
    }
}

/// Whether a command makes something another customer's.
pub(super) const fn gives_to_another(body: &CommandBody) -> bool {
    matches!(body, CommandBody::MoveToCustomer(_) | CommandBody::MergeCustomer(_))
}

/// Whether a command can give a case's work to its contractor.
const fn can_raise_a_job(body: &CommandBody) -> bool {
    matches!(
        body,
        CommandBody::RaiseJob(_)
            | CommandBody::SendJobBack(_)
            | CommandBody::ReopenRequest(_)
            | CommandBody::ChangeType(_)
            | CommandBody::CorrectEntry(_)
    )
}

/// The customer whom a command names.
const fn concerned(body: &CommandBody) -> Option<CustomerId> {
    match body {
        CommandBody::SubmitRequest(submit) => submit.customer_id,
        CommandBody::MoveToCustomer(to) => Some(to.customer_id),
        CommandBody::MergeCustomer(merge) => Some(merge.into),
        CommandBody::NameSubject(name) => Some(name.subject),
        _ => None,
    }
}

/// The refusal of a case for somebody who is not there. Whether a record can be merged is for the rules to say.
pub(super) fn unknown_customer(command: &Command, is_known: bool) -> Option<Problem> {
    let for_a_case = !matches!(command.body, CommandBody::MergeCustomer(_));
    if is_known || !for_a_case || concerned(&command.body).is_none() {
        return None;
    }
    let message = "there is no such customer: register them first";
    let pointer = match command.body {
        CommandBody::NameSubject(_) => "/subject",
        _ => "/customer_id",
    };
    Some(Problem::one(
        ProblemKind::NotFound,
        pointer,
        "unknown_customer",
        message,
    ))
}

/// What there is one of: a next stage of each type of a case, a payment and a refund of each reference of a provider, a case of each
/// file, an entitlement of each case. The log keeps
/// external references apart, and so keeps these.
pub(super) fn one_of_a_kind(command: &Command) -> Option<ExternalRef> {
    let id = match &command.body {
        CommandBody::SubmitRequest(submit) => format!("{}/{}", submit.follows?, submit.request_type),
        CommandBody::RecordPayment(paid) => format!("payment/{}/{}", paid.provider, paid.provider_ref),
        CommandBody::RecordRefund(refund) => format!("refund/{}/{}", refund.provider, refund.provider_ref),
        CommandBody::GrantEntitlement(grant) => match grant.replaces {
            Some(replaced) => format!("entitlement/{}/{replaced}", grant.case_id),
            None => format!("entitlement/{}", grant.case_id),
        },
        CommandBody::RenewEntitlement(renew) => format!("entitlement/{}", renew.case_id),
        CommandBody::AddAttachment(add) => return files::reference_of(add.id),
        _ => return None,
    };
    Some(ExternalRef {
        system: ExternalId::new(OWN_SYSTEM).ok()?,
        id: ExternalId::new(&id).ok()?,
    })
}

/// Against whom the action was that a command puts right, or says more of.
fn of_an_action(body: &CommandBody, case: &Case) -> Option<CustomerId> {
    match body {
        CommandBody::RecordActionResult(record) => case.subject_of(record.action),
        CommandBody::CorrectEntry(correct) => case.subject_of(correct.entry),
        _ => None,
    }
}

/// Whose personal data it is: the customer's own, those of whom the command is about, or those of the case's customer.
pub(super) fn person_of(
    lane: AggregateId,
    command: &Command,
    stream: Option<&Snapshot>,
    other: &Other,
) -> Option<CustomerId> {
    match (
        command.body.aggregate(),
        &command.body,
        stream.map(|stream| stream.state.as_ref()),
    ) {
        (AggregateKind::Customer, ..) => Some(CustomerId(lane.uuid())),
        (AggregateKind::Entitlement, ..) => holder(command, stream, other.case.as_deref()),
        (_, CommandBody::SubmitRequest(submit), _) => submit.customer_id,
        (_, CommandBody::NameSubject(name), _) => Some(name.subject),
        (_, CommandBody::ClearSubject(clear), _) => Some(clear.subject),
        (_, CommandBody::TakeEnforcementAction(take), _) if take.subject.is_some() => take.subject,
        (_, body, Some(AggregateState::Case(case))) if of_an_action(body, case).is_some() => of_an_action(body, case),
        (_, _, Some(AggregateState::Case(case))) => case.customer_id(),
        _ => None,
    }
}
