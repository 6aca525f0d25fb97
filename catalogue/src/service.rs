//! What a service's file says.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use schemars::JsonSchema;
use schemas::command::Channel;
use schemas::event::{OutcomeKind, RequestClass};
use schemas::moment::Day;
use schemas::money::Pence;
use schemas::text::RuleCode;
use schemas::{EntitlementName, OutcomeCode, QuestionId, RequestTypeCode, ServiceName, TeamName};
use serde::{Deserialize, Serialize};

use crate::booking::BookingCalendar;
use crate::clocks::{ClockName, TargetUnit, toml_day};
use crate::contractor::Contract;
use crate::question::Question;

/// The council, as its notices name it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Council {
    /// Its name.
    pub name: String,
    /// Where its forms are.
    pub website: String,
    /// The contact centre's number, as people read it.
    pub phone: String,
    /// How to complain, in one sentence.
    pub complaints: String,
    /// What the codes of rules stand for in letters, by what stands before the colon: `{}` is the part.
    #[serde(default)]
    pub laws: BTreeMap<String, String>,
}

impl Council {
    /// A rule's code in words; the code itself where nothing is said of it.
    #[must_use]
    pub fn rule_in_words(&self, code: &RuleCode) -> String {
        let in_words = code
            .as_str()
            .split_once(':')
            .and_then(|(law, part)| Some(self.laws.get(law)?.replace("{}", part)));
        in_words.unwrap_or_else(|| code.to_string())
    }
}

/// One service.
#[derive(Clone, Debug, PartialEq)]
pub struct Service {
    /// Its name in subjects and tables; the name of its file.
    pub name: ServiceName,
    /// What references of its cases begin with: three capital letters.
    pub prefix: String,
    /// Its name for people.
    pub title: String,
    /// The teams that work for it.
    pub teams: Vec<Team>,
    /// Its calendars of appointments.
    pub calendars: Vec<Arc<BookingCalendar>>,
    /// What can be asked of it.
    pub request_types: Vec<Arc<RequestType>>,
}

/// A team that cases can be given to.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Team {
    /// Its name in commands, events and the officer register.
    pub name: TeamName,
    /// Its name for people.
    pub title: String,
}

/// One thing that can be asked of a service.
#[derive(Clone, Debug, PartialEq)]
pub struct RequestType {
    /// Its code, one across all services.
    pub code: RequestTypeCode,
    /// The service that it belongs to.
    pub service: ServiceName,
    /// Its name for people.
    pub title: String,
    /// What kind of case it makes.
    pub class: RequestClass,
    /// Its name in reports, which outlives changes of the code.
    pub reporting_code: String,
    /// Whether a case may have no customer.
    pub anonymous: bool,
    /// The channels it is taken over.
    pub channels: Vec<Channel>,
    /// What the data is for, as the privacy notice says it.
    pub purpose: String,
    /// Why the council may process the data (UK GDPR article 6).
    pub legal_basis: LegalBasis,
    /// The condition for special category data (article 9); there exactly where a question asks for such.
    pub condition: Option<SpecialCategoryCondition>,
    /// Who does the work.
    pub delivery: Delivery,
    /// The contractor's side of it; there exactly where a contractor delivers.
    pub contract: Option<Arc<Contract>>,
    /// The teams whose officers may close a case. Not empty.
    pub deciding_teams: Vec<TeamName>,
    /// The teams that a case can be given to: every team of the catalogue.
    pub assignable_teams: Arc<BTreeSet<TeamName>>,
    /// With whom what may be shared, and for what.
    pub recipients: Vec<Recipient>,
    /// What happens next, for the resident.
    pub next_steps: String,
    /// Its own questions.
    pub questions: Vec<Question>,
    /// What can come of it. Not empty.
    pub outcomes: Vec<Outcome>,
    /// The statutory clocks that run on it.
    pub clocks: Vec<ClockName>,
    /// Whether it is somebody else's matter: they set the day by which they want the council's answer, and where they decide what comes
    /// of it, whoever had a part before may record that.
    pub others_set_the_day: bool,
    /// Whether it only comes after another case: a review, a second stage.
    pub only_as_next_stage: bool,
    /// How soon the council means to do what.
    pub targets: Vec<Target>,
    /// Which questions say which collection it is about, where it is about one that was missed.
    pub collection: Option<CollectionQuestions>,
    /// Whether it may be somebody's offence: actions against it are recorded, and who complained is told neither to whom it is about nor
    /// to a contractor.
    pub enforcement: bool,
    /// How cases are found that may be about the same thing.
    pub duplicates: Option<Duplicates>,
    /// What has to be paid; the last row in force counts.
    pub fees: Vec<Fee>,
    /// What kind of appointment it needs.
    pub appointment: Option<Appointment>,
    /// The calendar that its appointments are in.
    pub calendar: Option<Arc<BookingCalendar>>,
    /// What it grants with a term.
    pub renewal: Option<Renewal>,
    /// Whether a closed case can be taken up again.
    pub reopening: Reopening,
    /// How long it is kept, unless the outcome says otherwise.
    pub retention: Retention,
    /// Which notice is sent on which event.
    pub notices: BTreeMap<String, QuestionId>,
}

/// How cases are found that may be about the same thing: an officer is told of them, nothing is merged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Duplicates {
    /// Open cases of this type at most so many metres away. For what is on a street, not in a home: which cases are near stays in the log
    /// when the data of one of their people is erased.
    #[schemars(range(min = 1, max = 100))]
    pub near_metres: u8,
}

impl Duplicates {
    /// The furthest that may be looked, in metres.
    pub const FURTHEST: u8 = 100;
}

/// Which questions say which collection was missed: what the contractor told of it is looked up then.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CollectionQuestions {
    /// The round: an open code.
    pub round: QuestionId,
    /// The day: an open date.
    pub day: QuestionId,
    /// What was to be collected: an open choice.
    pub what: QuestionId,
}

/// How soon the council means to do something. As a rule no law sets it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// What is to be done by then, one for each thing, such as `inspection`.
    pub id: QuestionId,
    /// Since when it holds: for cases received on this day or later. The last such row of an id counts.
    #[serde(deserialize_with = "toml_day")]
    #[schemars(with = "Day")]
    pub from: Day,
    /// What it is counted in.
    pub unit: TargetUnit,
    /// How many.
    pub amount: u32,
    /// What it ends with.
    #[serde(default)]
    pub until: TargetEnd,
    /// Only where an open question is answered so; always where it is absent.
    #[serde(default)]
    #[schemars(with = "TargetCondition")]
    pub when: Option<TargetCondition>,
    /// The law that sets it, where one does: then it is a duty.
    #[serde(default)]
    #[schemars(with = "String")]
    pub law: Option<String>,
}

/// What a target depends on: the answer to an open question, as the request was made.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TargetCondition {
    /// The question.
    pub question: QuestionId,
    /// The answer: `true` or `false` of a flag, the value of a choice.
    pub is: String,
}

/// What a target ends with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TargetEnd {
    /// That the case is closed.
    #[default]
    Closing,
    /// That the request is acknowledged.
    Acknowledgement,
}

/// Something that has to be paid, in pence.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Fee {
    /// What it is for, one for each thing. The last row of an id that is in force counts.
    #[serde(default = "the_fee")]
    pub id: QuestionId,
    /// Since when: for cases received on this day or later.
    #[serde(deserialize_with = "toml_day")]
    #[schemars(with = "Day")]
    pub from: Day,
    /// How much.
    pub pence: Pence,
    /// When it is paid.
    pub due: FeeDue,
    /// Whether nothing goes on until it is paid: no job is raised, nothing is issued.
    #[serde(default = "yes")]
    pub waits: bool,
}

/// The id of a type's only fee.
fn the_fee() -> QuestionId {
    QuestionId::fee()
}

const fn yes() -> bool {
    true
}

/// When a fee is paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FeeDue {
    /// Before anything is done.
    OnRequest,
    /// When it is granted.
    OnApproval,
}

/// What kind of appointment a type needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Appointment {
    /// Somebody comes.
    Visit,
    /// The resident comes.
    AtTheOffice,
    /// A day on which something is put out and fetched.
    Collection,
    /// An assessor sees the applicant.
    Assessment,
    /// A ceremony at its venue.
    Ceremony,
}

/// What is granted with a term, and how that is renewed.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Renewal {
    /// What is granted: one name for all types that grant it or renew it.
    pub entitlement: EntitlementName,
    /// What people call it: "Your … has ended" is told with it.
    pub title: String,
    /// Whether it belongs to a property: then the property is given, and others like it there are told.
    #[serde(default)]
    pub of_property: bool,
    /// How long it lasts, in months, where nothing else ends it sooner.
    pub months: u16,
    /// How many weeks before its end it can be renewed, and a reminder is sent.
    pub weeks_before: u8,
}

/// Why the council may process the data (UK GDPR article 6(1)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LegalBasis {
    /// (a)
    Consent,
    /// (b)
    Contract,
    /// (c)
    LegalObligation,
    /// (e)
    PublicTask,
}

impl LegalBasis {
    /// The word that the catalogue and events use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Consent => "consent",
            Self::Contract => "contract",
            Self::LegalObligation => "legal_obligation",
            Self::PublicTask => "public_task",
        }
    }
}

/// Why the council may process special category data (UK GDPR article 9(2)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SpecialCategoryCondition {
    /// (a)
    ExplicitConsent,
    /// (g), with the Data Protection Act 2018 schedule 1 paragraph 6 and an appropriate policy document.
    SubstantialPublicInterest,
}

/// Who does the work.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Delivery {
    /// The team.
    pub team: TeamName,
    /// Whose team it is.
    pub by: Deliverer,
    /// How the contractor's "done" is accepted; there exactly where a contractor delivers.
    #[serde(default)]
    #[schemars(with = "Acceptance")]
    pub acceptance: Option<Acceptance>,
    /// How many of a hundred an officer inspects; there exactly where they are accepted by sample.
    #[serde(default)]
    #[schemars(with = "u8", range(min = 1, max = 100))]
    pub sample_percent: Option<u8>,
}

/// Whose team delivers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Deliverer {
    /// The council's own.
    InHouse,
    /// The contractor's.
    Contractor,
}

/// How a contractor's "done" becomes the council's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Acceptance {
    /// An officer accepts each.
    Each,
    /// Taken as reported; officers inspect a sample.
    Sample,
    /// Taken as reported.
    Automatic,
}

/// Somebody with whom data of a case may be shared.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Recipient {
    /// Who.
    pub name: String,
    /// What for.
    pub purpose: String,
    /// What: `place`; `location` (the place without what can say who reported it, where it is found without that); `description`,
    /// `contact`, `photos`, or a question's id.
    pub fields: Vec<String>,
}

/// What can come of a case.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Outcome {
    /// Its code, one within its type.
    pub code: OutcomeCode,
    /// Its name for people.
    pub title: String,
    /// Whether an officer decides it or work ends with it.
    pub kind: OutcomeKind,
    /// What the resident reads. It says no more than the outcome does.
    pub words: String,
    /// Whether it only stands for what another system left unsaid: nobody may choose it here.
    #[serde(default)]
    pub imported_only: bool,
    /// Whether it grants what was applied for, so that it can be issued.
    #[serde(default)]
    pub grants: bool,
    /// Whether it rests on exemptions or exceptions, which the decision has to name.
    #[serde(default)]
    pub needs_exemption: bool,
    /// How long a case with this outcome is kept, where that differs.
    #[serde(default)]
    #[schemars(with = "Retention")]
    pub retention: Option<Retention>,
}

/// Whether a closed case can be taken up again.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Reopening {
    /// For how many days after the London day of its closing, that day not counted. 0: on that day only.
    pub days: u16,
    /// The type to submit afterwards.
    pub successor: RequestTypeCode,
}

/// How long a case is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Retention {
    /// Years.
    pub years: u8,
    /// From when.
    pub from: RetentionStart,
}

/// When the time for which a case is kept begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RetentionStart {
    /// When it is closed or cancelled.
    Closing,
    /// When what it granted ends.
    Expiry,
}

impl RequestType {
    /// One of its outcomes.
    #[must_use]
    pub fn outcome(&self, code: &OutcomeCode) -> Option<&Outcome> {
        self.outcomes.iter().find(|outcome| outcome.code == *code)
    }

    /// One of its questions.
    #[must_use]
    pub fn question(&self, id: &QuestionId) -> Option<&Question> {
        self.questions.iter().find(|question| question.id == *id)
    }

    /// The target of this id for a case received on a day: the last row that began by then.
    #[must_use]
    pub fn target_on(&self, id: &QuestionId, received: Day) -> Option<&Target> {
        let rows = self
            .targets
            .iter()
            .filter(|target| target.id == *id && target.from <= received);
        rows.max_by_key(|target| target.from)
    }

    /// What of a case its contractor is told, and what for.
    #[must_use]
    pub fn told_to_contractor(&self) -> Option<&Recipient> {
        self.recipients.iter().find(|recipient| recipient.name == "contractor")
    }

    /// The fees that are due then, for a case received on a day: of each id the last row that began by then.
    #[must_use]
    pub fn fees_on(&self, due: FeeDue, received: Day) -> Vec<&Fee> {
        let mut rows: Vec<&Fee> = self.fees.iter().filter(|fee| fee.from <= received).collect();
        rows.sort_by_key(|fee| (&fee.id, std::cmp::Reverse(fee.from)));
        rows.dedup_by_key(|fee| &fee.id);
        rows.retain(|fee| fee.due == due && !fee.pence.is_zero());
        rows
    }

    /// The notice that is sent on an event of this name, such as `RequestSubmitted`.
    #[must_use]
    pub fn notice_on(&self, event: &str) -> Option<&QuestionId> {
        self.notices.get(event)
    }
}
