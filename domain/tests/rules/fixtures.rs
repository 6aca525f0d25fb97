//! Commands, facts and events that the tests share.

use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock};

use catalogue::{Catalogue, RequestType};
use cqrs_es::test::TestFramework;
use domain::{Authority, Case, CommandInContext, DecisionContext, Rejection, Submission, Timeline};
use schemas::command::{Command, Decider};
use schemas::event::{CaseEvent, OutcomeKind, RequestCancelled, RequestClosed, RequestReopened, RequestSubmitted};
use schemas::moment::Instant;
use schemas::personal::Answers;
use schemas::{OfficerId, OutcomeCode, Personal, Reference, RequestTypeCode, Sealed, TeamName};
use serde_json::{Value, json};

pub static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| Catalogue::built_in().unwrap());

pub fn request_type(code: &str) -> Arc<RequestType> {
    Arc::clone(CATALOGUE.request_type(&RequestTypeCode::new(code).unwrap()).unwrap())
}

pub fn at(text: &str) -> Instant {
    text.parse().unwrap()
}

pub fn now() -> Instant {
    at("2026-05-20T12:00:00Z")
}

pub fn officer() -> Authority {
    authority("j.okafor", &["waste-client"])
}

pub fn authority(id: &str, teams: &[&str]) -> Authority {
    let teams: BTreeSet<TeamName> = teams.iter().map(|team| TeamName::new(*team).unwrap()).collect();
    Authority::vouched(OfficerId::new(id).unwrap(), teams)
}

pub fn sealed<T>() -> Personal<T>
where
    T: Clone + serde::Serialize + Send + Sync + 'static,
{
    Personal::sealed(Sealed::from_token("AQ".into()))
}

/// A command from its JSON, with its personal fields sealed and its answers marked by the missed bin's catalogue entry.
pub fn command(name: &str, data: Value) -> Command {
    let mut whole = json!({ "actor": { "kind": "resident" }, "channel": "online" });
    for (key, value) in data.as_object().unwrap() {
        whole[key] = value.clone();
    }
    let mut command = Command::read(name, &whole.to_string()).unwrap();
    if let Some(answers) = command.body.answers_mut() {
        request_type("missed-bin").mark_answers(answers);
    }
    command
        .seal_fields(&mut |_| -> Result<Sealed, ()> { Ok(Sealed::from_token("AQ".into())) })
        .unwrap();
    command
}

pub fn by_officer(mut data: Value) -> Value {
    data["actor"] = json!({ "kind": "officer", "id": "j.okafor" });
    data
}

/// The facts of a missed bin, decided by an officer who may, now.
pub fn context() -> DecisionContext {
    DecisionContext {
        now: now(),
        request_type: Some(request_type("missed-bin")),
        submission: Some(Submission {
            reference: reference(),
            catalogue_version: "v1".into(),
        }),
        authority: Some(officer()),
        person_erased: false,
        may_leave_decider_unrecorded: false,
    }
}

pub fn reference() -> Reference {
    Reference::of_number("WAS", 7).unwrap()
}

pub fn submitted() -> CaseEvent {
    let request_type = request_type("missed-bin");
    let mut answers: Answers = serde_json::from_value(json!({ "bin_type": "refuse" })).unwrap();
    request_type.mark_answers(&mut answers);
    RequestSubmitted {
        reference: reference(),
        service: request_type.service.clone(),
        request_type: request_type.code.clone(),
        class: request_type.class,
        reporting_code: request_type.reporting_code.clone(),
        catalogue_version: "v1".into(),
        customer_id: None,
        description: None,
        place: None,
        answers,
        received_on: "2026-05-20".parse().unwrap(),
        team: request_type.delivery.team.clone(),
        reason: None,
    }
    .into()
}

pub fn closed() -> CaseEvent {
    RequestClosed {
        outcome: OutcomeCode::new("not-presented").unwrap(),
        outcome_kind: OutcomeKind::Decision,
        decided_by: Some(Decider::Officer {
            id: OfficerId::new("j.okafor").unwrap(),
        }),
        reasons: Some(sealed()),
        rule: None,
        evidence: None,
        reason: None,
    }
    .into()
}

pub fn cancelled() -> CaseEvent {
    RequestCancelled { reason: None }.into()
}

pub fn reopened() -> CaseEvent {
    RequestReopened {
        times: 1,
        team: request_type("missed-bin").delivery.team.clone(),
        previous_outcome: OutcomeCode::new("not-presented").unwrap(),
        reason: sealed(),
        received_on: catalogue::london::day_of(now().get()),
    }
    .into()
}

/// One given/when/then of a case. The stream began on 1 May and, where it was closed, was closed on 10 May.
pub struct When {
    given: Vec<CaseEvent>,
    command: CommandInContext,
}

pub fn when(given: Vec<CaseEvent>, name: &str, data: Value) -> When {
    let timeline = Timeline {
        began_at: (!given.is_empty()).then(|| at("2026-05-01T09:00:00Z")),
        closed_at: given
            .iter()
            .any(|event| matches!(event, CaseEvent::RequestClosed(_)))
            .then(|| at("2026-05-10T09:00:00Z")),
    };
    When {
        given,
        command: CommandInContext {
            command: command(name, data),
            context: context(),
            timeline,
        },
    }
}

impl When {
    pub fn facts(mut self, change: impl FnOnce(&mut DecisionContext)) -> Self {
        change(&mut self.command.context);
        self
    }

    pub fn events(self) -> Vec<CaseEvent> {
        TestFramework::<Case>::with(())
            .given(self.given)
            .when(self.command)
            .inspect_result()
            .unwrap()
    }

    pub fn then(self, expected: Vec<CaseEvent>) {
        TestFramework::<Case>::with(())
            .given(self.given)
            .when(self.command)
            .then_expect_events(expected);
    }

    pub fn rejected(self, expected: Rejection) {
        TestFramework::<Case>::with(())
            .given(self.given)
            .when(self.command)
            .then_expect_error(expected);
    }
}
