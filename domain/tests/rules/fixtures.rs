//! Commands, facts and events that the tests share.

use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock};

use catalogue::clocks::ClockFiles;
use catalogue::{Catalogue, RequestType};
use cqrs_es::test::TestFramework;
use domain::{
    AggregateState, Authority, Case, CommandInContext, DecisionContext, Rejection, Submission, Timeline, decide,
};
use schemas::command::{Command, Decider};
use schemas::event::{
    CaseEvent, EventRecord, OutcomeKind, RequestCancelled, RequestClosed, RequestReopened, RequestSubmitted,
};
use schemas::moment::Instant;
use schemas::personal::Answers;
use schemas::{ClientName, OfficerId, OutcomeCode, Personal, Reference, RequestTypeCode, Sealed, TeamName};
use serde_json::{Value, json};

pub static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| Catalogue::built_in().unwrap());

/// A request type as the catalogue has it, with its contractor.
pub fn contracted(code: &str) -> Arc<RequestType> {
    Arc::clone(CATALOGUE.request_type(&RequestTypeCode::new(code).unwrap()).unwrap())
}

/// A request type that is nobody's job: what contractors are told and report has tests of its own.
pub fn request_type(code: &str) -> Arc<RequestType> {
    let mut request_type = RequestType::clone(&contracted(code));
    request_type.contract = None;
    Arc::new(request_type)
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

fn unsealed_command(name: &str, data: Value) -> Command {
    let mut whole = json!({ "actor": { "kind": "resident" }, "channel": "online" });
    for (key, value) in data.as_object().unwrap() {
        whole[key] = value.clone();
    }
    Command::read(name, &whole.to_string()).unwrap()
}

fn seal(command: &mut Command) {
    command
        .seal_fields(&mut |_| -> Result<Sealed, ()> { Ok(Sealed::from_token("AQ".into())) })
        .unwrap();
}

/// A command from its JSON, with its personal fields sealed and its answers marked by the missed bin's catalogue entry.
pub fn command(name: &str, data: Value) -> Command {
    let mut command = unsealed_command(name, data);
    if let Some(answers) = command.body.answers_mut() {
        request_type("missed-bin").mark_answers(answers);
    }
    seal(&mut command);
    command
}

pub fn by_officer(mut data: Value) -> Value {
    data["actor"] = json!({ "kind": "officer", "id": "j.okafor" });
    data
}

/// The facts of a missed bin, decided by an officer who may, now.
pub fn context() -> DecisionContext {
    DecisionContext {
        request_type: Some(request_type("missed-bin")),
        submission: Some(Submission {
            reference: reference(),
            catalogue_version: "v1".into(),
        }),
        authority: Some(officer()),
        ..DecisionContext::at(now())
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
        follows: None,
        description: None,
        place: None,
        located: None,
        answers,
        received_on: "2026-05-20".parse().unwrap(),
        team: request_type.delivery.team.clone(),
        reason: None,
        clocks: Vec::new(),
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
        exemptions: Vec::new(),
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
        clocks: Vec::new(),
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

/// The files of the clocks that the catalogue carries.
pub static CLOCK_FILES: LazyLock<Arc<ClockFiles>> = LazyLock::new(|| Arc::new(ClockFiles::built_in().unwrap()));

/// A case that lives from command to command, with its clocks.
pub struct Life {
    state: Option<AggregateState>,
    request_type: Arc<RequestType>,
    /// Where types are looked up.
    types: fn(&str) -> Arc<RequestType>,
    /// The facts, which a test may change before a command.
    pub facts: DecisionContext,
}

/// A case with another reference than that of a life.
pub fn another_case() -> domain::Case {
    let CaseEvent::RequestSubmitted(mut first) = submitted() else {
        panic!("a submission")
    };
    first.reference = Reference::of_number("WAS", 8).unwrap();
    let first = record(first.into());
    let mut other = AggregateState::before(&first);
    other.apply(first, at("2026-10-06T09:00:00Z"));
    let AggregateState::Case(other) = other else {
        panic!("a case")
    };
    other
}

/// A case of this type, handled by an officer of one of its deciding teams; nobody's job.
pub fn life(code: &str) -> Life {
    life_of(code, request_type)
}

/// The same with its contractor.
pub fn contracted_life(code: &str) -> Life {
    let mut life = life_of(code, contracted);
    life.facts.contractor = Some(ClientName::new("street-partner").unwrap());
    life
}

fn life_of(code: &str, types: fn(&str) -> Arc<RequestType>) -> Life {
    let request_type = types(code);
    let team = request_type.deciding_teams[0].as_str().to_owned();
    Life {
        state: None,
        facts: DecisionContext {
            clock_files: Some(Arc::clone(&CLOCK_FILES)),
            authority: Some(authority("j.okafor", &[&team])),
            request_type: Some(Arc::clone(&request_type)),
            ..context()
        },
        request_type,
        types,
    }
}

impl Life {
    /// Sends a command at an instant; the case takes in what comes of it.
    pub fn tries(&mut self, when: &str, name: &str, data: Value) -> Result<Vec<CaseEvent>, Rejection> {
        self.facts.now = at(when);
        if let Some(code) = self.case_if_any().and_then(Case::request_type) {
            self.facts.request_type = Some((self.types)(code.as_str()));
        }
        let mut command = unsealed_command(name, data);
        if let Some(answers) = command.body.answers_mut() {
            let of = self.facts.other_type.as_ref().filter(|_| name == "ChangeType");
            of.unwrap_or(&self.request_type).mark_answers(answers);
        }
        seal(&mut command);
        let events = decide(self.state.as_ref(), &command, &self.facts)?;
        let happened_at = command.circumstances.occurred_at.unwrap_or(self.facts.now);
        for event in &events {
            let state = self.state.get_or_insert_with(|| AggregateState::before(event));
            state.apply(event.clone(), happened_at);
        }
        let of_case = |event| match event {
            EventRecord::Case(event) => event,
            EventRecord::Customer(_) | EventRecord::Round(_) | EventRecord::Entitlement(_) => {
                panic!("a case's stream holds something else")
            }
        };
        Ok(events.into_iter().map(of_case).collect())
    }

    /// Sends a command that is accepted.
    #[track_caller]
    pub fn does(&mut self, when: &str, name: &str, data: Value) -> Vec<CaseEvent> {
        self.tries(when, name, data).unwrap()
    }

    fn case_if_any(&self) -> Option<&Case> {
        match self.state.as_ref()? {
            AggregateState::Case(case) => Some(case),
            AggregateState::Customer(_) | AggregateState::Round(_) | AggregateState::Entitlement(_) => None,
        }
    }

    pub fn case(&self) -> &Case {
        self.case_if_any().unwrap()
    }

    /// Its running clocks: `foi 2026-11-02, target 2026-10-09`.
    pub fn clocks(&self) -> String {
        let running = self.case().clocks().filter(|(_, clock)| clock.runs);
        running
            .map(|(name, clock)| format!("{name} {}", clock.due))
            .collect::<Vec<_>>()
            .join(", ")
    }
}

/// The customer of tests, registered, after one more command, which an officer of the contact centre sends.
pub fn customer_after(name: &str, data: Value) -> Arc<domain::Customer> {
    let mut customer = domain::Customer::default();
    let mut facts = context();
    facts.subject = Some(CUSTOMER.parse().unwrap());
    facts.authority = Some(authority("j.okafor", &["contact-centre"]));
    facts.now = at("2026-06-03T09:00:00Z");
    for (name, data) in [
        ("RegisterCustomer", json!({ "name": "Ada Lovelace" })),
        (name, by_officer(data)),
    ] {
        for event in customer.decide(&command(name, data), &facts).unwrap() {
            customer.apply_at(&event, facts.now);
        }
    }
    Arc::new(customer)
}

/// The customer of tests, whose record was merged into another.
pub fn customer_merged_into(kept: schemas::CustomerId) -> Arc<domain::Customer> {
    let mut customer = domain::Customer::default();
    let sealed = json!({ "sealed": "AQ" });
    for event in [
        json!({ "event": "CustomerRegistered", "name": sealed }),
        json!({ "event": "CustomerMerged", "into": kept, "reason": sealed }),
    ] {
        customer.apply_at(&serde_json::from_value(event).unwrap(), at("2026-05-01T09:00:00Z"));
    }
    Arc::new(customer)
}

/// The customer of tests.
pub const CUSTOMER: &str = "90f9aa8f-c795-5f76-a4d7-68c0ad433bc8";

/// A case's event, as a reader of the log meets it.
pub fn record(event: CaseEvent) -> EventRecord {
    EventRecord::Case(event)
}
