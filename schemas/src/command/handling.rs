//! Commands that bring a case on its way: acknowledging it, keeping in touch, asking others, putting right what went wrong.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::seals;
use crate::command::words;
use crate::ids::CaseId;
use crate::moment::Day;
use crate::personal::Personal;
use crate::text::{ExternalId, Text};

/// Says that the person was told that their request is in hand. What went by letter says with `received_on` on which day.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AcknowledgeRequest {}

words!(
    /// Why an answer takes longer than it usually may.
    ExtensionGround {
        /// It is complex, or there is a lot of it (EIR regulation 7, UK GDPR article 12(3)).
        Complexity = "complexity",
        /// Where the public interest lies is still being weighed (Freedom of Information Act 2000 section 10(3)).
        PublicInterest = "public_interest",
        /// The review is exceptional.
        Exceptional = "exceptional",
        /// A complaint needs more working days (Complaint Handling Code).
        MoreWorkingDays = "more_working_days",
    }
);

/// Takes more time for an answer, and tells the person why. An officer who decides such cases does. The day that clocks go by is
/// that on which the person was told.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExtendTime {
    /// On which ground.
    pub ground: ExtensionGround,
    /// How many more working days; of a complaint only, and there always.
    #[serde(default)]
    pub working_days: Option<u32>,
    /// Whether there is a good reason to go beyond the usual extension of a complaint.
    #[serde(default)]
    pub good_reason: bool,
    /// The reasons, as the person reads them.
    pub explanation: Personal<Text>,
}

/// Says by which day somebody else wants the council's answer: the ombudsman, the Information Commissioner, a tribunal, or the
/// person with whom the day was agreed. It takes the place of the day that was set before. An officer does.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetDeadline {
    /// The day.
    pub due_on: Day,
}

words!(
    /// Who spoke to whom.
    ContactDirection {
        /// The person, or somebody for them, to the council.
        Incoming = "incoming",
        /// The council to the person.
        Outgoing = "outgoing",
    }
);

/// Records a contact about a case over whichever channel: a call, a letter, somebody at the desk. It moves no clock.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordContact {
    /// Who spoke to whom.
    pub direction: ContactDirection,
    /// What was said.
    pub summary: Personal<Text>,
}

words!(
    /// What a case is to another.
    CaseRelation {
        /// The same matter, reported by somebody else or twice. Each still gets its own answer.
        DuplicateOf = "duplicate_of",
        /// Asked in one letter.
        SameLetterAs = "same_letter_as",
        /// It came up while the other was handled.
        ArisesFrom = "arises_from",
        /// The next stage of it: a review, an escalation, the ombudsman's enquiry.
        StageOf = "stage_of",
    }
);

/// Links a case to another.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LinkCase {
    /// What this case is to the other.
    pub relation: CaseRelation,
    /// The other.
    pub case_id: CaseId,
}

/// Asks somebody else for their findings: the contractor, a care provider, an assessor, another service. They find; the council's
/// officer decides. Only whom the catalogue lists for the request type can be asked, and they get what it allows for that purpose.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SendForInvestigation {
    /// Whom: the name of one of the type's recipients in the catalogue.
    pub recipient: ExternalId,
    /// What they are to find out.
    pub question: Personal<Text>,
    /// By when the council would like an answer.
    #[serde(default)]
    pub answer_by: Option<Day>,
}

/// Records the findings of somebody who was asked. They are a source that is not the person whose case it is.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordFindings {
    /// Who found it.
    pub recipient: ExternalId,
    /// What they found.
    pub findings: Personal<Text>,
}

/// Agrees on something that puts a fault right, of a complaint or an ombudsman's enquiry, while it is open or after it was
/// closed. It is due on its day.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AgreeRemedy {
    /// What is to be done, as the person reads it.
    pub remedy: Personal<Text>,
    /// By when.
    pub due_on: Day,
}

/// Says that a remedy was carried out.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordRemedyDone {
    /// Which of the case's remedies, counted from 1.
    pub remedy: u32,
}

seals!(AcknowledgeRequest:);
seals!(ExtendTime: explanation);
seals!(SetDeadline:);
seals!(RecordContact: summary);
seals!(LinkCase:);
seals!(SendForInvestigation: question);
seals!(RecordFindings: findings);
seals!(AgreeRemedy: remedy);
seals!(RecordRemedyDone:);
