//! Queries: what a client may ask and is answered from the log itself, so that it sees what it has just been told.

use std::sync::Arc;

use bus::clients::{Allowed, Client};
use domain::{AggregateState, Case, Held};
use event_store::{Ledger, LedgerError};
use schemas::moment::Instant;
use schemas::problem::ProblemKind;
use schemas::query::{
    CaseAnswer, CaseQuery, CaseStatus, CaseSummary, EntitlementAnswer, EntitlementQuery, EntitlementSummary,
    REPLAY_PAGE_EVENTS, ReplayAnswer, ReplayRequest, ResultQuery, SlotsAnswer,
};
use schemas::result::CommandResult;
use schemas::subjects::Addressed;
use schemas::{AggregateId, CaseId, CommandId, EntitlementId, Position, Problem, Version};
use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use crate::intake::Registers;
use crate::published::published;
use crate::slots;
use crate::streams::load;
use crate::task::recorded_status;

/// The most bytes of events in one page: a page must fit into one message of the bus.
const PAGE_BYTES_MAX: usize = bus::limits::MAX_REPLY_BYTES - 64 * 1024;

/// Answers queries and replays.
pub struct Queries {
    ledger: Arc<dyn Ledger>,
}

fn unreadable(message: &str) -> Problem {
    Problem::one(ProblemKind::Malformed, "", "malformed_query", message)
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    serde_json::from_slice(body).map_err(|_| unreadable("the query is not of the form that its schema gives"))
}

fn write(answer: &impl Serialize) -> Vec<u8> {
    // Every answer is made of strings, numbers and stored JSON: it has a JSON form.
    serde_json::to_vec(answer).unwrap_or_default()
}

impl Queries {
    /// Answers from this ledger.
    pub fn new(ledger: Arc<dyn Ledger>) -> Self {
        Self { ledger }
    }

    /// Answers one query, which was asked at `now`: the reply's body.
    pub async fn answer(&self, registers: &Registers, subject: &str, body: &[u8], now: Instant) -> Vec<u8> {
        let known = Addressed::read(subject).and_then(|addressed| {
            registers
                .clients
                .get(&addressed.client)
                .map(|client| (client, addressed.name))
        });
        let Some((client, name)) = known else {
            let message = "the subject names no client of the register";
            tracing::warn!(subject, "refused: a query of nobody who is known");
            let problem = Problem::one(ProblemKind::Forbidden, "", "unknown_client", message);
            return write(&CaseAnswer::Rejected { problem });
        };
        match name.as_str() {
            "Case" => write(&self.case(&client, body).await),
            "Entitlement" => write(&self.entitlement(&client, body).await),
            "Slots" => match read(body) {
                Ok(query) => write(&slots::open_slots(self.ledger.as_ref(), registers, &client, &query, now).await),
                Err(problem) => write(&SlotsAnswer::Rejected { problem }),
            },
            "Result" => write(&self.result(&client, body).await),
            _ => {
                let problem = Problem::one(
                    ProblemKind::NotFound,
                    "",
                    "unknown_query",
                    "there is no query of this name",
                );
                write(&CaseAnswer::Rejected { problem })
            }
        }
    }

    async fn result(&self, client: &Client, body: &[u8]) -> CommandResult {
        let command_id = match read::<ResultQuery>(body) {
            Ok(query) => query.command_id,
            Err(problem) => return CommandResult::rejected(CommandId(Uuid::nil()), problem),
        };
        match self.ledger.receipt(&client.name, command_id).await {
            Ok(Some(receipt)) => CommandResult {
                command_id,
                status: recorded_status(receipt),
            },
            Ok(None) => CommandResult::unavailable(command_id),
            Err(error) => {
                tracing::warn!(%error, "a query could not be answered");
                CommandResult::unavailable(command_id)
            }
        }
    }

    async fn case(&self, client: &Client, body: &[u8]) -> CaseAnswer {
        let query = match read(body) {
            Ok(query) => query,
            Err(problem) => return CaseAnswer::Rejected { problem },
        };
        let found = match self.find(query).await {
            Ok(found) => found,
            Err(error) => {
                tracing::warn!(%error, "a query could not be answered");
                return CaseAnswer::Unavailable;
            }
        };
        match found {
            Some(case) if client.may_read(&case.service) => CaseAnswer::Found { case: Box::new(case) },
            _ => {
                let message = "there is no such case, or it is of a service that this client may not read";
                CaseAnswer::Rejected {
                    problem: Problem::one(ProblemKind::NotFound, "", "unknown_case", message),
                }
            }
        }
    }

    async fn entitlement(&self, client: &Client, body: &[u8]) -> EntitlementAnswer {
        let query: EntitlementQuery = match read(body) {
            Ok(query) => query,
            Err(problem) => return EntitlementAnswer::Rejected { problem },
        };
        let snapshot = match load(self.ledger.as_ref(), query.id.into()).await {
            Ok(snapshot) => snapshot,
            Err(error) => {
                tracing::warn!(%error, "a query could not be answered");
                return EntitlementAnswer::Unavailable;
            }
        };
        let held = snapshot
            .as_ref()
            .and_then(|snapshot| snapshot.state.as_entitlement()?.held());
        match (held, &snapshot) {
            (Some(held), Some(snapshot)) if client.may_read(&held.service) => EntitlementAnswer::Found {
                entitlement: Box::new(entitlement_summary(query.id, held, snapshot.version)),
            },
            _ => {
                let message = "there is no such entitlement, or it is of a service that this client may not read";
                EntitlementAnswer::Rejected {
                    problem: Problem::one(ProblemKind::NotFound, "", "unknown_entitlement", message),
                }
            }
        }
    }

    async fn find(&self, query: CaseQuery) -> Result<Option<CaseSummary>, crate::streams::StreamError> {
        let id = match query {
            CaseQuery::Id(id) => AggregateId::from(id),
            CaseQuery::Reference(reference) => match self.ledger.case_of(&reference).await? {
                Some(id) => id,
                None => return Ok(None),
            },
        };
        let snapshot = load(self.ledger.as_ref(), id).await?;
        Ok(snapshot.and_then(|snapshot| match snapshot.state.as_ref() {
            AggregateState::Case(case) => summary(id, case, snapshot.version),
            AggregateState::Customer(_) | AggregateState::Round(_) | AggregateState::Entitlement(_) => None,
        }))
    }

    /// Answers one request for a replay: a page of events.
    pub async fn replay(&self, registers: &Registers, subject: &str, body: &[u8]) -> Vec<u8> {
        let client = subject
            .rsplit('.')
            .next()
            .and_then(|name| name.parse().ok())
            .and_then(|name| registers.clients.get(&name));
        let forbidden = |message: &str| ReplayAnswer::Rejected {
            problem: Problem::one(ProblemKind::Forbidden, "/service", "service_not_allowed", message),
        };
        let answer = match (client, read::<ReplayRequest>(body)) {
            (None, _) => forbidden("the subject names no client of the register"),
            (_, Err(problem)) => ReplayAnswer::Rejected { problem },
            (Some(client), Ok(request)) => {
                let services = match (&request.service, &client.reads) {
                    (Some(service), reads) if reads.includes(service) => Some(vec![service.clone()]),
                    (Some(service), _) => {
                        tracing::warn!(client = %client.name, %service, "refused: no right to these events");
                        return write(&forbidden("this client may not read the events of this service"));
                    }
                    (None, Allowed::Only(services)) => Some(services.iter().cloned().collect()),
                    (None, Allowed::All) => None,
                };
                self.page(&request, services.as_deref()).await.unwrap_or_else(|error| {
                    tracing::warn!(%error, "a page of events could not be answered");
                    ReplayAnswer::Unavailable
                })
            }
        };
        write(&answer)
    }

    async fn page(
        &self,
        request: &ReplayRequest,
        services: Option<&[schemas::ServiceName]>,
    ) -> Result<ReplayAnswer, PageError> {
        let limit = request.limit.unwrap_or(REPLAY_PAGE_EVENTS).clamp(1, REPLAY_PAGE_EVENTS) as usize;
        // The head first: what is appended meanwhile is the next page's affair.
        let head = self.ledger.head().await?.position;
        if request.after > head {
            let message = "the log ends before this position: it was rolled back, or the position is of another log; begin again \
                           from a position that both have";
            let problem = Problem::one(ProblemKind::Conflict, "/after", "after_the_end", message);
            return Ok(ReplayAnswer::Rejected { problem });
        }
        let stored = self.ledger.feed(request.after, services, limit).await?;
        let complete = stored.len() < limit;
        let mut up_to = request.after;
        let (mut bytes, mut events) = (0, Vec::with_capacity(stored.len()));
        for event in &stored {
            let unreadable = |_| PageError::Event(event.position);
            let body = published(event).map_err(unreadable)?.body;
            if !events.is_empty() && bytes + body.len() > PAGE_BYTES_MAX {
                return Ok(ReplayAnswer::Page { events, up_to, head });
            }
            bytes += body.len();
            up_to = event.position;
            events.push(serde_json::from_slice(&body).map_err(unreadable)?);
        }
        let up_to = if complete { up_to.max(head) } else { up_to };
        Ok(ReplayAnswer::Page {
            events,
            up_to,
            head: Position(head.0.max(up_to.0)),
        })
    }
}

/// Why there is no page.
#[derive(Debug, thiserror::Error)]
enum PageError {
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    #[error("the stored text of position {0} is no JSON: run `caseledger audit verify`")]
    Event(Position),
}

fn entitlement_summary(id: EntitlementId, held: &Held, version: Version) -> EntitlementSummary {
    EntitlementSummary {
        id,
        entitlement: held.entitlement.clone(),
        service: held.service.clone(),
        case_id: held.case_id,
        reference: held.reference.clone(),
        stage: held.stage,
        starts_on: held.starts_on,
        ends_on: held.ends_on,
        renew_from: held.renew_from,
        quantity: held.quantity,
        renewed: held.renewed,
        ended_because: held.ended.map(|(why, _)| why),
        ended_on: held.ended.and_then(|(_, on)| on),
        others_at_property: held.others_at_property,
        version,
    }
}

/// A case as it may be shown to a client: nothing personal is in its state.
fn summary(id: AggregateId, case: &Case, version: Version) -> Option<CaseSummary> {
    let opened = case.opened()?;
    Some(CaseSummary {
        id: CaseId(id.uuid()),
        reference: opened.reference.clone(),
        service: opened.service.clone(),
        request_type: opened.request_type.clone(),
        class: opened.class,
        status: case.status().unwrap_or(CaseStatus::Open),
        outcome: case.outcome().cloned(),
        team: case.team()?.clone(),
        received_on: opened.received_on,
        waiting_for: case.waiting_for().collect(),
        clocks: case.running_clocks(),
        attachments: case.attachments().collect(),
        appointments: case.appointments().collect(),
        payments: case.payments().collect(),
        job: case.job(),
        enforcement: case.enforcement(),
        possible_duplicates: case.possible_duplicates().collect(),
        reopened: case.times_reopened(),
        version,
    })
}
