//! What a contractor reads of a case: taken together from the case's events up to the one that is told.

use std::collections::BTreeMap;

use event_store::{Ledger, StoredEvent, ToldEvent};
use schemas::command::{AttachmentPurpose, JobAttempt, MediaType, Precaution};
use schemas::event::{CaseEvent, Clocks, CustomerEvent, EventRecord, JobReopening, Sharing};
use schemas::feed::{JobContact, JobContent, JobMessage, JobPhoto};
use schemas::personal::{Answers, Protection};
use schemas::text::Place;
use schemas::{
    AggregateId, Answer, AttachmentId, CaseId, ContractorCode, CustomerId, JobNumber, Private, QuestionId, Reference,
    RequestTypeCode, Sealed, ServiceName, Version,
};
use serde::de::DeserializeOwned;
use vault::OpenError;

use super::{FeedError, FeedKeeper};
use crate::streams::StreamError;

/// What an event tells: the message without its content, and the content, sealed as the log has it.
pub(super) struct Told {
    /// `None` where the event tells nothing.
    pub(super) message: Option<JobMessage>,
    pub(super) shared: Shared,
}

/// What is shared, sealed as the log has it.
#[derive(Default)]
pub(super) struct Shared {
    place: Option<Sealed>,
    /// Whether the place is told without the words of whoever reported it, where it is found without them.
    without_words: bool,
    description: Option<Sealed>,
    contact: Option<(Option<Sealed>, Option<Sealed>)>,
    answers: Answers,
    photos: Vec<Photo>,
    precautions: Vec<Precaution>,
    reason: Option<Sealed>,
}

/// A picture of the case.
#[derive(Clone)]
struct Photo {
    id: AttachmentId,
    media_type: MediaType,
    hash: Option<Sealed>,
    key: Option<Sealed>,
}

/// A case as its contractor may know it.
#[derive(Default)]
struct Known {
    opened: Option<(Reference, ServiceName, RequestTypeCode)>,
    customer_id: Option<CustomerId>,
    place: Option<Sealed>,
    description: Option<Sealed>,
    answers: Answers,
    /// Its pictures, by the number of the entry that added each.
    photos: BTreeMap<Version, Photo>,
    clocks: Clocks,
    /// The job's code and attempt.
    job: Option<(ContractorCode, u32)>,
}

fn sealed<T, P: Protection>(value: Option<&Private<T, P>>) -> Option<Sealed> {
    value.and_then(Private::as_sealed).cloned()
}

impl Known {
    fn take_in(&mut self, event: &CaseEvent, number: Version, at: schemas::moment::Instant) {
        match event {
            CaseEvent::RequestSubmitted(event) => {
                self.opened = Some((
                    event.reference.clone(),
                    event.service.clone(),
                    event.request_type.clone(),
                ));
                self.customer_id = event.customer_id;
                (self.place, self.description) = (sealed(event.place.as_ref()), sealed(event.description.as_ref()));
                self.answers = event.answers.clone();
            }
            CaseEvent::RequestUpdated(event) => {
                self.place = sealed(event.place.as_ref()).or(self.place.take());
                self.description = sealed(event.description.as_ref()).or(self.description.take());
                self.answers.extend(event.answers.clone());
            }
            CaseEvent::InformationProvided(event) => self.answers.extend(event.answers.clone()),
            CaseEvent::TypeChanged(event) => {
                self.answers = event.answers.clone();
                if let Some((_, _, request_type)) = &mut self.opened {
                    *request_type = event.request_type.clone();
                }
            }
            CaseEvent::CaseMoved(event) => self.customer_id = Some(event.customer_id),
            CaseEvent::AttachmentAdded(event) if event.purpose == AttachmentPurpose::Photo => {
                let photo = Photo {
                    id: event.attachment,
                    media_type: event.media_type,
                    hash: sealed(Some(&event.hash)),
                    key: sealed(Some(&event.key)),
                };
                self.photos.insert(number, photo);
            }
            CaseEvent::EntryCorrected(event) => _ = self.photos.remove(&event.entry),
            CaseEvent::JobRaised(event) => self.job = Some((event.code.clone(), 1)),
            CaseEvent::JobReopened(event) => self.job = Some((event.code.clone(), event.attempt)),
            CaseEvent::JobChanged(event) => {
                if let Some((code, _)) = &mut self.job {
                    *code = event.code.clone();
                }
            }
            _ => {}
        }
        self.clocks.apply(event, Some(at));
    }

    /// What is shared of it, with what to mind at the door.
    fn shared(&self, sharing: &Sharing, precautions: &[Precaution]) -> Shared {
        let is_shared = |name: &str| sharing.fields.iter().any(|field| field == name);
        let answers = self.answers.iter().filter(|(question, _)| is_shared(question.as_str()));
        Shared {
            place: self
                .place
                .clone()
                .filter(|_| is_shared("place") || is_shared("location")),
            without_words: !is_shared("place"),
            description: self.description.clone().filter(|_| is_shared("description")),
            contact: None,
            photos: match is_shared("photos") {
                true => self.photos.values().cloned().collect(),
                false => Vec::new(),
            },
            answers: answers
                .map(|(question, answer)| (question.clone(), answer.clone()))
                .collect(),
            precautions: precautions.to_vec(),
            reason: None,
        }
    }
}

/// A place without what can say who reported it: their words, the property and the postcode that a form may have filled in. Where nothing else
/// says where it is, the crew needs them.
fn without_words(place: Place) -> Place {
    if place.latitude.is_some() || place.easting.is_some() || place.usrn.is_some() {
        return Place {
            description: None,
            postcode: None,
            uprn: None,
            ..place
        };
    }
    place
}

/// What an event tells its contractor.
pub(super) async fn of(ledger: &dyn Ledger, told: &ToldEvent) -> Result<Told, FeedError> {
    let mut known = Known::default();
    let mut last = None;
    for event in ledger.stream(told.aggregate_id, Version(0)).await? {
        if event.sequence > told.sequence {
            break;
        }
        if let EventRecord::Case(record) = read(&event)? {
            known.take_in(&record, event.sequence, event.occurred_at.into());
            last = Some(record);
        }
    }
    let (message, mut shared) = match last {
        Some(event) => told_by(&event, &known, told),
        None => (None, Shared::default()),
    };
    let tells_contact = message
        .as_ref()
        .and_then(|message| message.sharing.as_ref())
        .is_some_and(|sharing| sharing.fields.iter().any(|field| field == "contact"));
    if let Some(customer) = known.customer_id.filter(|_| tells_contact) {
        shared.contact = Some(contact(ledger, customer).await?);
    }
    Ok(Told { message, shared })
}

fn told_by(event: &CaseEvent, known: &Known, told: &ToldEvent) -> (Option<JobMessage>, Shared) {
    let (Some((reference, service, request_type)), Some((code, attempt))) = (&known.opened, &known.job) else {
        return (None, Shared::default());
    };
    let message = |number: JobNumber| {
        let clock = QuestionId::new(format!("job_{number}")).ok();
        let due = clock
            .and_then(|clock| known.clocks.get(&clock))
            .filter(|clock| clock.runs);
        JobMessage {
            sequence: told.place,
            case_id: CaseId(told.aggregate_id.uuid()),
            reference: reference.clone(),
            service: service.clone(),
            request_type: request_type.clone(),
            job: JobAttempt {
                number,
                attempt: *attempt,
            },
            code: code.clone(),
            slot: None,
            due: due.map(|clock| clock.due),
            cancelled: None,
            reopened: None,
            changed: Vec::new(),
            sharing: None,
            content: None,
        }
    };
    match event {
        CaseEvent::JobRaised(event) => {
            let shared = known.shared(&event.sharing, &event.precautions);
            let message = JobMessage {
                slot: event.slot,
                sharing: Some(event.sharing.clone()),
                ..message(event.job)
            };
            (Some(message), shared)
        }
        CaseEvent::JobChanged(event) => {
            let message = JobMessage {
                slot: event.slot,
                changed: event.changed.clone(),
                sharing: Some(event.sharing.clone()),
                ..message(event.job)
            };
            let shared = known.shared(&event.sharing, &event.precautions);
            (Some(message), shared)
        }
        CaseEvent::JobReopened(event) => {
            // Who sends it back speaks to the contractor; who reopens the case, where it may read their words at all. Why an officer
            // raised it again is the council's own.
            let reads_words = event.sharing.fields.iter().any(|field| field == "description");
            let is_for_them = match event.why {
                JobReopening::SentBack => true,
                JobReopening::CaseReopened => reads_words,
                JobReopening::Corrected | JobReopening::OtherWork | JobReopening::RaisedAgain => false,
            };
            let reason = sealed(event.reason.as_ref()).filter(|_| is_for_them);
            let shared = Shared {
                reason,
                ..known.shared(&event.sharing, &event.precautions)
            };
            let message = JobMessage {
                slot: event.slot,
                reopened: Some(event.why),
                sharing: Some(event.sharing.clone()),
                ..message(event.job)
            };
            (Some(message), shared)
        }
        CaseEvent::JobCancelled(event) => {
            let message = JobMessage {
                cancelled: Some(event.why),
                ..message(event.job)
            };
            (Some(message), Shared::default())
        }
        _ => (None, Shared::default()),
    }
}

/// The name and the phone number of a customer, as they stand.
async fn contact(ledger: &dyn Ledger, customer: CustomerId) -> Result<(Option<Sealed>, Option<Sealed>), FeedError> {
    let (mut name, mut phone) = (None, None);
    for event in ledger.stream(AggregateId::from(customer), Version(0)).await? {
        match read(&event)? {
            EventRecord::Customer(CustomerEvent::CustomerRegistered(event)) => {
                (name, phone) = (sealed(Some(&event.name)), sealed(event.phone.as_ref()));
            }
            EventRecord::Customer(CustomerEvent::ContactDetailsUpdated(event)) => {
                name = sealed(event.name.as_ref()).or(name);
                if let Some(given) = &event.phone {
                    phone = sealed(given.as_ref());
                }
            }
            _ => {}
        }
    }
    Ok((name, phone))
}

fn read(event: &StoredEvent) -> Result<EventRecord, FeedError> {
    EventRecord::read(
        &event.aggregate_type,
        &event.event_type,
        &event.event_version,
        &event.payload,
    )
    .map_err(|source| {
        FeedError::Stream(StreamError::Event {
            position: event.position,
            source,
        })
    })
}

impl FeedKeeper {
    /// Opens what is shared. What can't be read any more leaves a gap, and the contractor is told that there is one.
    pub(super) async fn open(&self, shared: &Shared) -> Result<JobContent, FeedError> {
        let mut gap = false;
        let place: Option<Place> = self.open_one(shared.place.as_ref(), &mut gap).await?;
        let mut answers = BTreeMap::new();
        for (question, answer) in &shared.answers {
            let value = match answer {
                Answer::Given(value, _) | Answer::Open(value) => Some(value.clone()),
                Answer::Sealed(sealed) => self.open_one(Some(sealed), &mut gap).await?,
            };
            answers.extend(value.map(|value| (question.clone(), value)));
        }
        let mut photos = Vec::new();
        for photo in &shared.photos {
            let hash = self.open_one(photo.hash.as_ref(), &mut gap).await?;
            let key = self.open_one(photo.key.as_ref(), &mut gap).await?;
            photos.extend(hash.zip(key).map(|(hash, key)| JobPhoto {
                id: photo.id,
                media_type: photo.media_type,
                hash,
                key,
            }));
        }
        let contact = match &shared.contact {
            Some((name, phone)) => Some(JobContact {
                name: self.open_one(name.as_ref(), &mut gap).await?,
                phone: self.open_one(phone.as_ref(), &mut gap).await?,
            }),
            None => None,
        };
        Ok(JobContent {
            place: place.map(|place| match shared.without_words {
                true => without_words(place),
                false => place,
            }),
            description: self.open_one(shared.description.as_ref(), &mut gap).await?,
            reason: self.open_one(shared.reason.as_ref(), &mut gap).await?,
            contact,
            answers,
            photos,
            precautions: shared.precautions.clone(),
            erased: gap,
        })
    }

    async fn open_one<T: DeserializeOwned>(
        &self,
        sealed: Option<&Sealed>,
        gap: &mut bool,
    ) -> Result<Option<T>, FeedError> {
        let Some(sealed) = sealed else { return Ok(None) };
        match self.vault.open(sealed).await.and_then(|opened| opened.read()) {
            Ok(value) => Ok(Some(value)),
            Err(OpenError::Unavailable(fault)) => Err(FeedError::Vault(fault)),
            Err(OpenError::Erased | OpenError::NoKey) => {
                *gap = true;
                Ok(None)
            }
            Err(error @ OpenError::Damaged) => {
                tracing::error!(%error, "something of a case can't be told to its contractor");
                *gap = true;
                Ok(None)
            }
        }
    }
}
