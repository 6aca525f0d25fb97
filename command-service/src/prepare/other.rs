//! What a command speaks of beside its own stream: another case, another type, a customer.

use std::sync::Arc;

use catalogue::RequestType;
use domain::{AggregateState, Case};
use schemas::command::{Command, CommandBody, ExternalRef};
use schemas::problem::ProblemKind;
use schemas::text::ExternalId;
use schemas::{CaseId, Problem};

use super::{Preparation, Refusable};
use crate::fault::Fault;
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
    pub(super) async fn other(&self, task: &Task, command: &Command) -> Refusable<Other> {
        let catalogue = &self.registers.catalogue;
        let case_id = match &command.body {
            CommandBody::SubmitRequest(submit) => submit.follows,
            CommandBody::LinkCase(link) => Some(link.case_id),
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
        if matches!(command.body, CommandBody::SubmitRequest(_)) && command.circumstances.external_ref.is_some() {
            let message = "a case that follows another has no external reference: leave it out";
            let problem = Problem::one(
                ProblemKind::Invalid,
                "/external_ref",
                "external_ref_with_follows",
                message,
            );
            return Ok(Err(problem));
        }
        let found = load(self.ledger, case_id.into()).await?;
        let case = found.and_then(|found| match found.state.as_ref() {
            AggregateState::Case(case) => Some(Arc::new(case.clone())),
            AggregateState::Customer(_) => None,
        });
        let case = case.filter(|case| case.service().is_some_and(|service| task.client.may_speak_to(service)));
        let code = case.as_ref().and_then(|case| case.request_type());
        Ok(Ok(Other {
            request_type: code.and_then(|code| catalogue.request_type(code)).cloned(),
            case,
            case_id: Some(case_id),
        }))
    }

    pub(super) async fn unknown_customer(&self, command: &Command) -> Result<Option<Problem>, Fault> {
        let customer = match &command.body {
            CommandBody::SubmitRequest(submit) => submit.customer_id,
            CommandBody::MoveToCustomer(to) => Some(to.customer_id),
            _ => None,
        };
        let Some(customer) = customer else {
            return Ok(None);
        };
        let known = load(self.ledger, customer.into()).await?;
        if known.is_some_and(|known| matches!(known.state.as_ref(), AggregateState::Customer(_))) {
            return Ok(None);
        }
        let message = "there is no such customer: register them first";
        Ok(Some(Problem::one(
            ProblemKind::NotFound,
            "/customer_id",
            "unknown_customer",
            message,
        )))
    }
}

/// What a case has one of: a next stage of each type. The log keeps external references apart, and so keeps these.
pub(super) fn next_stage(command: &Command) -> Option<ExternalRef> {
    let CommandBody::SubmitRequest(submit) = &command.body else {
        return None;
    };
    let id = format!("{}/{}", submit.follows?, submit.request_type);
    Some(ExternalRef {
        system: ExternalId::new(OWN_SYSTEM).ok()?,
        id: ExternalId::new(&id).ok()?,
    })
}
