//! What a contractor told of the collection that a request is about.

use catalogue::RequestType;
use domain::AggregateState;
use schemas::command::{Command, CommandBody};
use schemas::event::{CollectionLookedUp, ExceptionFound};
use schemas::moment::Day;
use schemas::personal::{Answer, AnswerValue};
use schemas::text::Uprn;
use schemas::{AggregateId, ClientName, ContractorCode, Personal, QuestionId, RoundName};
use vault::OpenError;

use super::Preparation;
use crate::fault::Fault;
use crate::streams::load;

/// Which collection, at which property.
pub(super) struct Asked {
    contractor: ClientName,
    round: RoundName,
    day: Day,
    what: ContractorCode,
    uprn: Option<Uprn>,
}

impl Preparation<'_> {
    /// The collection that a new request is about, where its answers say which.
    pub(super) fn collection_asked(command: &Command, request_type: Option<&RequestType>) -> Option<Asked> {
        let CommandBody::SubmitRequest(submit) = &command.body else {
            return None;
        };
        let (questions, contract) = (request_type?.collection.as_ref()?, request_type?.contract.as_ref()?);
        let answer = |question: &QuestionId| match submit.answers.get(question)? {
            Answer::Given(AnswerValue::Text(text), _) | Answer::Open(AnswerValue::Text(text)) => Some(text.to_string()),
            _ => None,
        };
        let place = submit.place.as_ref().and_then(Personal::as_open);
        Some(Asked {
            contractor: contract.contractor.clone(),
            round: RoundName::new(answer(&questions.round)?).ok()?,
            day: answer(&questions.day)?.parse().ok()?,
            what: ContractorCode::new(answer(&questions.what)?).ok()?,
            uprn: place.and_then(|place| place.uprn.clone()),
        })
    }

    /// What its contractor told of it by now; none where that is nothing.
    pub(super) async fn collection(&self, asked: Asked) -> Result<Option<CollectionLookedUp>, Fault> {
        let stream = AggregateId::of_round(&asked.contractor, &asked.round, asked.day);
        let Some(found) = load(self.ledger, stream).await? else {
            return Ok(None);
        };
        let AggregateState::Round(round) = found.state.as_ref() else {
            return Ok(None);
        };
        let mut exception = None;
        for told in round.exceptions_of(&asked.what) {
            let (Some(uprn), Some(sealed)) = (&asked.uprn, told.uprn.as_sealed()) else {
                break;
            };
            match self.vault.open(sealed).await.and_then(|opened| opened.read::<Uprn>()) {
                Ok(property) if property == *uprn => {
                    exception = Some(ExceptionFound {
                        code: told.code.clone(),
                        meaning: told.meaning.clone(),
                        points_to: told.points_to.clone(),
                    });
                    break;
                }
                Err(OpenError::Unavailable(fault)) => return Err(Fault::Unavailable(fault.to_string())),
                // What can't be read any more is no longer known.
                Ok(_) | Err(OpenError::Erased | OpenError::NoKey | OpenError::Damaged) => {}
            }
        }
        Ok(Some(CollectionLookedUp {
            contractor: asked.contractor,
            round: asked.round,
            day: asked.day,
            what: asked.what,
            status: round.status(),
            exception,
        }))
    }
}
