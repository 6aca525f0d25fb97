//! One command against one state: checked by the catalogue, sealed, decided, and written as an append.

use std::sync::Arc;

use attachments::AttachmentStore;
use catalogue::RequestType;
use domain::{AggregateState, Authority, Case, Customer, DecisionContext, Submission};
use event_store::{Append, LONGEST_WAIT, Ledger};
use schemas::command::{Command, CommandBody};
use schemas::personal::SealFieldError;
use schemas::problem::{FieldError, ProblemKind};
use schemas::sealed::{KeyAdmission, Sealed};
use schemas::{CustomerId, Problem, Version};
use vault::{Keys, Sealer, Vault, VaultError};

mod append;
mod collection;
mod entitlement;
mod lookups;
mod other;
mod place;
mod written;

pub use self::append::rejection_append;
pub use self::other::OWN_SYSTEM;
use self::other::{Other, gives_to_another, one_of_a_kind, person_of, speaks_of_another, unknown_customer};
pub use self::written::service_of_stream;
use self::written::{after, key_moves, reference_of, service_of};
use crate::cache::{Snapshot, StateCache};
use crate::environment::Environment;
use crate::fault::Fault;
use crate::files;
use crate::intake::Registers;
use crate::references::References;
use crate::task::Task;

/// A command, decided.
pub enum Decision {
    /// Accepted: what to append, and the stream after it.
    Accepted {
        /// For the ledger.
        append: Box<Append>,
        /// The stream once this is appended.
        after: Option<Snapshot>,
        /// The keys that sealed it, for the cache once the append has won.
        keys: Option<Keys>,
    },
    /// Refused.
    Rejected(Problem),
}

/// What deciding needs beside the stream itself.
pub struct Preparation<'s> {
    /// Clients, officers, catalogue.
    pub registers: &'s Registers,
    /// The log.
    pub ledger: &'s dyn Ledger,
    /// Streams that were used before.
    pub cache: &'s StateCache,
    /// The keys.
    pub vault: &'s Vault,
    /// References for new cases.
    pub references: &'s References,
    /// Time and ids.
    pub environment: &'s dyn Environment,
    /// The files of cases, where this council keeps some.
    pub files: Option<&'s AttachmentStore>,
}

/// What sealing a command's personal values took.
struct Sealing {
    admission: KeyAdmission,
    keys: Option<Keys>,
    person_erased: bool,
}

type Refusable<T> = Result<Result<T, Problem>, Fault>;

impl Preparation<'_> {
    /// Decides a task on a stream. `chain_keys` are the keys of an earlier command of the same chain, not admitted yet.
    ///
    /// # Errors
    /// [`Fault`]: nothing was decided.
    pub async fn decide(
        &self,
        task: &Task,
        stream: Option<&Snapshot>,
        chain_keys: Option<&Keys>,
    ) -> Result<Decision, Fault> {
        match self.try_decide(task, stream, chain_keys).await? {
            Ok(decision) => Ok(decision),
            Err(problem) => Ok(Decision::Rejected(problem)),
        }
    }

    async fn try_decide(
        &self,
        task: &Task,
        stream: Option<&Snapshot>,
        chain_keys: Option<&Keys>,
    ) -> Refusable<Decision> {
        if let Some(problem) = &task.rejection {
            return Ok(Err(problem.clone()));
        }
        if let Some(problem) = two_references(&task.command) {
            return Ok(Err(problem));
        }
        let mut command = task.command.clone();
        let version = stream.map_or(Version(0), |stream| stream.version);
        let request_type = match self.request_type(&command, stream) {
            Ok(request_type) => request_type,
            Err(problem) => return Ok(Err(problem)),
        };
        if let Some(problem) = self.not_for_this_client(task, stream, request_type.as_deref()) {
            return Ok(Err(problem));
        }
        // Only now: of others' cases nobody is told how long their streams are.
        if let Some(problem) = version_moved_on(&command, version) {
            return Ok(Err(problem));
        }
        // What few commands need stands on its own, so that it makes the others' way no wider.
        let other = match speaks_of_another(&command.body) {
            true => Box::pin(self.other(task, &command, stream)).await?,
            false => Ok(Other::default()),
        };
        let other = match other {
            Ok(other) => other,
            Err(problem) => return Ok(Err(problem)),
        };
        let asks = other
            .request_type
            .as_ref()
            .filter(|_| matches!(command.body, CommandBody::ChangeType(_)));
        if let Some(problem) = check_answers(&mut command, asks.or(request_type.as_ref()).map(AsRef::as_ref)) {
            return Ok(Err(problem));
        }
        let collection = match Self::collection_asked(&command, request_type.as_deref()) {
            Some(asked) => Box::pin(self.collection(asked)).await?,
            None => None,
        };
        let placed = match self.placed(&command) {
            Ok(placed) => placed,
            Err(problem) => return Ok(Err(problem)),
        };
        let possible_duplicates = match &placed {
            Some(placed) => Box::pin(self.possible_duplicates(task, request_type.as_deref(), placed)).await,
            None => Vec::new(),
        };
        let attachment_bytes = match (&command.body, self.files) {
            (CommandBody::AddAttachment(add), Some(files)) => {
                match Box::pin(files::check(files, add, self.environment.now().get())).await? {
                    Ok(bytes) => Some(bytes),
                    Err(problem) => return Ok(Err(problem)),
                }
            }
            _ => None,
        };
        let beside = match Box::pin(self.beside_entitlement(task, &command, stream, &other)).await? {
            Ok(beside) => beside,
            Err(problem) => return Ok(Err(problem)),
        };
        let case = stream.and_then(|stream| stream.state.as_case());
        let subjects_kept = Box::pin(self.subjects_kept(&command, case)).await?;
        let complainant = case.and_then(Case::customer_id);
        let holder_of_case = match (&command.body, complainant) {
            (CommandBody::NameSubject(_), Some(complainant)) => Some(Box::pin(self.kept(complainant)).await?),
            _ => beside.holder_of_case,
        };
        // What somebody is to mind at the door must not be what this process remembers of it.
        let to_contractor =
            (asks.or(request_type.as_ref())).is_some_and(|request_type| request_type.contract.is_some());
        let other_customer = match Self::concerns_a_customer(&command, stream, &other) {
            Some(customer) => Box::pin(self.customer_for(&command, customer, to_contractor)).await?,
            None => None,
        };
        if let Some(problem) = unknown_customer(&command, other_customer.is_some()) {
            return Ok(Err(problem));
        }
        if gives_to_another(&command.body) && Box::pin(self.other_is_erased(&command)).await? {
            return Ok(Err(person_erased()));
        }
        let kept_customer = match other_customer.as_deref().and_then(Customer::merged_into) {
            Some(kept) => Box::pin(self.customer(kept, to_contractor)).await?,
            None => None,
        };
        // A clock that is behind the stream is slow: what happens now comes after what the rules compare it with.
        let latest = stream.and_then(|stream| stream.state.latest());
        let now = latest.map_or(self.environment.now(), |latest| latest.max(self.environment.now()));
        command.circumstances.occurred_at.get_or_insert(now);
        let person = person_of(task.lane, &command, stream, &other);
        let mut lookups = self.lookups(&command, person);
        lookups.extend(beside.lookup);
        let sealing = self.seal(task, &mut command, person, stream.is_none(), chain_keys);
        let Sealing {
            admission,
            keys,
            person_erased,
        } = match sealing.await? {
            Ok(sealing) => sealing,
            Err(problem) => return Ok(Err(problem)),
        };
        let submission = self.submission(&command, request_type.as_ref()).await?;
        let reference = submission.as_ref().map(|submission| submission.reference.clone());
        let merges = matches!(command.body, CommandBody::MergeCustomer(_));
        let others_merged_into_it = merges && Box::pin(self.others_merged_into_it(task.lane)).await?;
        let contractor = self.contractor(&task.client, &command.circumstances);
        let context = DecisionContext {
            now,
            person_erased,
            request_type: request_type.clone(),
            submission,
            clock_files: Some(Arc::clone(&self.registers.clocks)),
            other_case: other.case,
            other_case_id: other.case_id,
            other_type: other.request_type,
            subject: Some(task.lane),
            other_customer,
            kept_customer,
            others_merged_into_it,
            authority: self.authority(&command),
            rounds: contractor
                .as_ref()
                .and_then(|name| self.registers.catalogue.contractor(name)?.rounds.clone()),
            contractor,
            collection,
            located: placed.as_ref().and_then(|placed| placed.located.clone()),
            possible_duplicates,
            holder_of_case,
            subjects_kept,
            replaced: beside.replaced,
            others_at_property: beside.others_at_property,
            attachment_bytes,
            inspection_draw: matches!(command.body, CommandBody::ReportJobDone(_)).then(|| self.environment.draw()),
            may_leave_decider_unrecorded: task.client.may_leave_decider_unrecorded,
        };
        let state = stream.map(|stream| stream.state.as_ref());
        let events = match domain::decide(state, &command, &context) {
            Ok(events) => events,
            Err(rejection) => return Ok(Err(rejection.into())),
        };
        let has_events = !events.is_empty();
        let keys_needed = if has_events {
            let moves = key_moves(task.lane, &events);
            let mut admission = KeyAdmission {
                lookups,
                moves,
                ..admission
            };
            Box::pin(self.place_lookups(task, placed.as_ref(), stream, &events, &mut admission)).await?;
            admission
        } else {
            KeyAdmission::default()
        };
        let service = service_of(&events, stream, request_type.as_deref(), context.rounds.as_deref());
        let reference = reference.or_else(|| stream.and_then(|stream| reference_of(&stream.state)));
        let append = self.append(task, &command, version, &events, reference, service, keys_needed)?;
        Ok(Ok(Decision::Accepted {
            append: Box::new(append),
            after: after(stream, version, events, &command),
            // Without events nothing is admitted: a key that was minted for them exists nowhere.
            keys: has_events.then_some(keys).flatten(),
        }))
    }

    /// The type of the case that the command opens or speaks to.
    fn request_type(&self, command: &Command, stream: Option<&Snapshot>) -> Result<Option<Arc<RequestType>>, Problem> {
        let catalogue = &self.registers.catalogue;
        if let CommandBody::SubmitRequest(submit) = &command.body {
            let found = catalogue.request_type(&submit.request_type).cloned();
            let unknown = || {
                let message = "the catalogue has no such request type";
                Problem::one(ProblemKind::Invalid, "/request_type", "unknown_request_type", message)
            };
            return found.ok_or_else(unknown).map(Some);
        }
        Ok(match stream.map(|stream| stream.state.as_ref()) {
            Some(AggregateState::Case(case)) => case
                .opened()
                .and_then(|opened| catalogue.request_type(&opened.request_type))
                .cloned(),
            Some(AggregateState::Entitlement(entitlement)) => entitlement
                .held()
                .and_then(|held| catalogue.request_type(&held.request_type))
                .cloned(),
            _ => None,
        })
    }

    /// A client may speak to cases of its services only; of others it is not told whether they exist.
    fn not_for_this_client(
        &self,
        task: &Task,
        stream: Option<&Snapshot>,
        request_type: Option<&RequestType>,
    ) -> Option<Problem> {
        let service = match (stream.map(|stream| stream.state.as_ref()), request_type) {
            (Some(AggregateState::Case(case)), _) => case.opened().map(|opened| &opened.service),
            (Some(AggregateState::Entitlement(entitlement)), _) => entitlement.held().map(|held| &held.service),
            (None, Some(request_type)) => Some(&request_type.service),
            _ => None,
        };
        let foreign = service.is_some_and(|service| !task.client.may_speak_to(service));
        match (foreign, task.command.body.creates()) {
            (false, _) => None,
            (true, true) => {
                let message = format!("{} may not open cases of this type's service", task.client.name);
                Some(Problem::one(
                    ProblemKind::Forbidden,
                    "/request_type",
                    "service_not_allowed",
                    message,
                ))
            }
            (true, false) if entitlement::held(stream).is_some() => Some(domain::Rejection::UnknownEntitlement.into()),
            (true, false) => Some(domain::Rejection::UnknownCase.into()),
        }
    }

    async fn seal(
        &self,
        task: &Task,
        command: &mut Command,
        person: Option<CustomerId>,
        new_stream: bool,
        chain_keys: Option<&Keys>,
    ) -> Refusable<Sealing> {
        let keys = match chain_keys.filter(|keys| keys.person() == person) {
            Some(keys) => keys.clone(),
            // A stream that is about to begin has no keys yet: the append finds out if it has.
            None if new_stream && task.command.body.creates() && !task.keys_refused => {
                self.vault.keys_for_new_stream(person, task.lane)
            }
            None => match tokio::time::timeout(LONGEST_WAIT, self.vault.keys_for(person, task.lane))
                .await
                .map_err(|_| Fault::Unavailable("the vault did not answer in time".to_owned()))?
            {
                // What has nothing to seal goes on: the case of an erased person can still end.
                Err(VaultError::Erased) if !has_personal_values(command) => {
                    return Ok(Ok(Sealing {
                        admission: KeyAdmission::default(),
                        keys: None,
                        person_erased: true,
                    }));
                }
                Err(VaultError::Erased) => return Ok(Err(person_erased())),
                keys => keys?,
            },
        };
        let mut sealer = Sealer::new(keys, task.envelope.id, self.environment.key_rng());
        let sealed = command.seal_fields(&mut |field| sealer.seal(field.pointer, field.category, field.json));
        match sealed {
            Ok(()) => {
                let keys = sealer.keys();
                Ok(Ok(Sealing {
                    admission: sealer.into_admission(),
                    keys: Some(keys),
                    person_erased: false,
                }))
            }
            Err(SealFieldError::AlreadySealed { pointer }) => {
                let message = "this value is sealed already: send it open, the service seals it";
                Ok(Err(Problem::one(
                    ProblemKind::Invalid,
                    pointer,
                    "sealed_value",
                    message,
                )))
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn submission(
        &self,
        command: &Command,
        request_type: Option<&Arc<RequestType>>,
    ) -> Result<Option<Submission>, Fault> {
        let (CommandBody::SubmitRequest(_), Some(request_type)) = (&command.body, request_type) else {
            return Ok(None);
        };
        let catalogue = &self.registers.catalogue;
        let service = catalogue.service(&request_type.service);
        let service =
            service.ok_or_else(|| Fault::Broken(format!("the catalogue has no service {}", request_type.service)))?;
        let reference = self.references.next(&service.prefix).await?;
        Ok(Some(Submission {
            reference,
            catalogue_version: catalogue.version().to_owned(),
        }))
    }

    /// What the register vouches for: the deciding officer's teams.
    fn authority(&self, command: &Command) -> Option<Authority> {
        let officer = domain::named_officer(command)?;
        let entry = self.registers.standing(officer, self.environment.now())?;
        Some(Authority::vouched(entry.id.clone(), entry.teams.clone()))
    }
}

/// Whether anything in a command would have to be sealed.
fn has_personal_values(command: &Command) -> bool {
    command.clone().seal_fields(&mut |_| Err::<Sealed, ()>(())).is_err()
}

fn person_erased() -> Problem {
    let message = "this person's data was erased at their wish or by law: nothing personal can be recorded of them, not even \
                   reasons; what needs none of it still can";
    Problem::one(ProblemKind::NotAllowed, "", "person_erased", message)
}

/// What the log keeps apart by a key of ours has no room for another system's.
fn two_references(command: &Command) -> Option<Problem> {
    let both = command.circumstances.external_ref.is_some() && one_of_a_kind(command).is_some();
    let (code, message) = match &command.body {
        CommandBody::SubmitRequest(_) => (
            "external_ref_with_follows",
            "a case that follows another has no external reference: leave it out",
        ),
        CommandBody::AddAttachment(_) => (
            "external_ref_with_attachment",
            "a file has its own id and no other reference: leave it out",
        ),
        CommandBody::GrantEntitlement(_) | CommandBody::RenewEntitlement(_) => (
            "external_ref_with_entitlement",
            "each case grants one entitlement, and has no other reference: leave it out",
        ),
        _ => (
            "external_ref_with_payment",
            "a payment has the provider's reference and no other: leave it out",
        ),
    };
    both.then(|| Problem::one(ProblemKind::Invalid, "/external_ref", code, message))
}

fn version_moved_on(command: &Command, version: Version) -> Option<Problem> {
    let expected = command.circumstances.expected_version?;
    (expected != version).then(|| {
        let message = format!("the stream is at version {version}, not {expected}: read it again and decide anew");
        Problem::one(ProblemKind::Conflict, "/expected_version", "version_moved_on", message)
    })
}

fn check_answers(command: &mut Command, request_type: Option<&RequestType>) -> Option<Problem> {
    let complete = command.body.creates();
    let (Some(answers), Some(request_type)) = (command.body.answers_mut(), request_type) else {
        return None;
    };
    request_type.mark_answers(answers);
    let faults: Vec<FieldError> = request_type.check_answers(answers, complete);
    (!faults.is_empty()).then(|| Problem::new(ProblemKind::Invalid, faults))
}
