//! Commands about a customer as a person: how they want to be reached, what they need, who speaks for them, that they died, what
//! to mind at their door, and that two records are of one person.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::seals;
use crate::command::words;
use crate::ids::{CustomerId, ServiceName};
use crate::moment::Day;
use crate::personal::{Personal, SpecialCategory};
use crate::text::Text;

words!(
    /// How somebody wants to be reached.
    PreferredMedium {
        /// By email.
        Email = "email",
        /// By post. No email is sent; that a letter is owed stands on the case.
        Letter = "letter",
        /// By phone. No email is sent.
        Phone = "phone",
    }
);

/// Says how a customer wants to be reached, whole: what is absent is no longer wished.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetContactPreferences {
    /// By what; by email where it is absent.
    #[serde(default)]
    pub medium: Option<PreferredMedium>,
    /// What else to mind, such as times or the language.
    #[serde(default)]
    pub wishes: Option<Personal<Text>>,
}

/// Records what a customer needs so that they can use the council's services as others do (Equality Act 2010 section 20), whole;
/// where it is absent they no longer need anything.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordAdjustments {
    /// What they need: large print, British Sign Language, somebody to read a letter to them.
    #[serde(default)]
    pub needs: Option<SpecialCategory<Text>>,
}

words!(
    /// As what somebody speaks for a customer.
    RepresentativeCapacity {
        /// A councillor.
        Councillor = "councillor",
        /// A member of Parliament.
        MemberOfParliament = "mp",
        /// A friend or neighbour.
        Friend = "friend",
        /// A relative.
        Family = "family",
        /// An advocate or adviser.
        Advocate = "advocate",
        /// Under a power of attorney, as a deputy, or with parental responsibility.
        LegalAuthority = "legal_authority",
    }
);

/// Lets somebody act for a customer. What they do beyond its extent, or after its end, is refused.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AuthoriseRepresentative {
    /// Who, as a customer of their own: the `actor` of what they do.
    pub representative: CustomerId,
    /// As what.
    pub capacity: RepresentativeCapacity,
    /// For which services; for all, and for the customer's own record, where it is empty.
    #[serde(default)]
    pub services: Vec<ServiceName>,
    /// The last day of it.
    pub until: Day,
    /// What was seen of it: the letter of authority, the register of councillors.
    #[serde(default)]
    pub evidence: Option<Personal<Text>>,
}

/// Ends somebody's authority before its last day.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EndRepresentation {
    /// Whose.
    pub representative: CustomerId,
}

words!(
    /// Who told of a death.
    DeathSource {
        /// The Tell Us Once service.
        TellUsOnce = "tell_us_once",
        /// The registrar.
        Registrar = "registrar",
        /// The family, or somebody for them.
        Family = "family",
        /// Somebody else, whom the council checked.
        Other = "other",
    }
);

/// Records that a customer died. From then on no notice goes to them, and nobody asks for anything in their name but an officer.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordDeath {
    /// When, where that is known.
    #[serde(default)]
    pub died_on: Option<Personal<Day>>,
    /// Who told of it.
    pub source: DeathSource,
}

/// Takes back that a customer died: it was somebody else, or a mistake. The reason is required.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("required" = ["reason"]))]
pub struct CorrectDeathRecord {}

words!(
    /// What whoever visits has to do. That, and no more, reaches a contractor.
    Precaution {
        /// Nobody goes alone.
        VisitInPairs = "visit_in_pairs",
        /// They are told before somebody comes.
        CallBeforehand = "call_beforehand",
        /// Nobody goes; they come to the council.
        NoVisits = "no_visits",
    }
);

/// Marks a hazard to whoever visits a customer, or to the customer. It has an owner, the officer who sets it, and ends by itself.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetHazardMarker {
    /// What to do.
    pub precaution: Precaution,
    /// Why. It is shown to nobody but officers who have to know.
    pub grounds: SpecialCategory<Text>,
    /// When its owner looks at it again.
    pub review_on: Day,
    /// Its last day.
    pub expires_on: Day,
}

/// Ends a hazard marker before its last day.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EndHazardMarker {
    /// Which of the customer's markers, counted from 1.
    pub marker: u32,
}

/// Says that this record is of the same person as another: the other is kept, and this one points to it. Its cases stay what
/// they are and are listed with the other's. The reason is required.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("required" = ["into", "reason"]))]
pub struct MergeCustomer {
    /// The record that is kept.
    pub into: CustomerId,
}

/// Says that a merged record is of another person after all. The reason is required.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("required" = ["reason"]))]
pub struct PartCustomer {}

seals!(SetContactPreferences: wishes);
seals!(RecordAdjustments: needs);
seals!(AuthoriseRepresentative: evidence);
seals!(EndRepresentation:);
seals!(RecordDeath: died_on);
seals!(CorrectDeathRecord:);
seals!(SetHazardMarker: grounds);
seals!(EndHazardMarker:);
seals!(MergeCustomer:);
seals!(PartCustomer:);
