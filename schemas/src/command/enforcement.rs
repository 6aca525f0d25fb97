//! Commands about what may be somebody's offence: where and how large it was, who it is about, what was done against it and what came
//! of that. The words for land, size and action are those of the figures that councils give for Defra's yearly statistics of fly-tipping.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::seals;
use crate::command::words;
use crate::ids::{CustomerId, Version};
use crate::moment::Day;
use crate::money::Pence;
use crate::personal::Personal;
use crate::text::{ExternalId, Text};

words!(
    /// On what kind of land it was.
    LandType {
        /// A road or a pavement.
        Highway = "highway",
        /// A footpath or a bridleway.
        FootpathOrBridleway = "footpath_or_bridleway",
        /// An alley behind houses.
        BackAlleyway = "back_alleyway",
        /// Land of the railway.
        Railway = "railway",
        /// Other land of the council's.
        CouncilLand = "council_land",
        /// A field or a farm.
        Agricultural = "agricultural",
        /// At a home, or on other private land.
        PrivateOrResidential = "private_or_residential",
        /// At a shop, a works or an office.
        CommercialOrIndustrial = "commercial_or_industrial",
        /// In water, or on its bank.
        Watercourse = "watercourse",
        /// None of these.
        Other = "other",
    }
);

words!(
    /// How much it was.
    IncidentSize {
        /// One black bag.
        SingleBlackBag = "single_black_bag",
        /// One thing, such as a mattress.
        SingleItem = "single_item",
        /// What fits into a car's boot.
        CarBootOrLess = "car_boot_or_less",
        /// What fits into a small van.
        SmallVanLoad = "small_van_load",
        /// What fits into a large van.
        TransitVanLoad = "transit_van_load",
        /// What a tipper lorry holds.
        TipperLorryLoad = "tipper_lorry_load",
        /// More than that.
        SignificantOrMultipleLoads = "significant_or_multiple_loads",
    }
);

words!(
    /// Who found it first.
    FoundBy {
        /// Somebody of the public.
        Public = "public",
        /// An officer.
        Officer = "officer",
        /// A crew, of the contractor or of the council's own.
        Crew = "crew",
        /// Another body, such as the police or a parish council.
        OtherBody = "other_body",
    }
);

/// Records what was found on site. It takes the place of what was recorded before.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordIncident {
    /// On what kind of land.
    pub land: LandType,
    /// How much it was, where it can be told so.
    #[serde(default)]
    pub size: Option<IncidentSize>,
    /// Who found it first.
    pub found_by: FoundBy,
}

/// Says who the case is about: who may have done it, and, said again, what else speaks for it. An officer of a team that decides such cases
/// does. They are registered as a customer first. What is said of them is sealed for them, not for whoever complained: whoever that is
/// has no place in it.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NameSubject {
    /// Who.
    pub subject: CustomerId,
    /// What speaks for it, for the council alone.
    pub grounds: Personal<Text>,
    /// What they may read of it.
    #[serde(default)]
    pub told: Option<Personal<Text>>,
}

/// Says that it is not about them after all.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("required" = ["subject", "reason"]))]
pub struct ClearSubject {
    /// Who.
    pub subject: CustomerId,
}

words!(
    /// What is done against it.
    EnforcementAction {
        /// An investigation.
        Investigation = "investigation",
        /// A letter that warns somebody.
        WarningLetter = "warning_letter",
        /// A notice under statute, such as an abatement notice (Environmental Protection Act 1990 section 80).
        StatutoryNotice = "statutory_notice",
        /// A fixed penalty notice.
        FixedPenalty = "fixed_penalty",
        /// An inspection of a business's papers on its waste.
        DutyOfCareInspection = "duty_of_care_inspection",
        /// A vehicle stopped and searched.
        StopAndSearch = "stop_and_search",
        /// A vehicle seized or removed.
        VehicleSeized = "vehicle_seized",
        /// A formal caution.
        FormalCaution = "formal_caution",
        /// A prosecution.
        Prosecution = "prosecution",
        /// An injunction.
        Injunction = "injunction",
    }
);

impl EnforcementAction {
    /// Whether it is taken against somebody: then they are named, and why is said.
    #[must_use]
    pub const fn is_against_somebody(self) -> bool {
        matches!(
            self,
            Self::WarningLetter
                | Self::StatutoryNotice
                | Self::FixedPenalty
                | Self::FormalCaution
                | Self::Prosecution
                | Self::Injunction
        )
    }
}

/// Records an action that an officer of a team that decides such cases took. There can be many, also after the case was closed.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TakeEnforcementAction {
    /// What was done.
    pub action: EnforcementAction,
    /// Against whom, of those whom the case is about; required where it is [against somebody](EnforcementAction::is_against_somebody).
    #[serde(default)]
    pub subject: Option<CustomerId>,
    /// When.
    pub taken_on: Day,
    /// What it cost the council, where that is known.
    #[serde(default)]
    pub cost_pence: Option<Pence>,
    /// The number of the notice or of the proceedings.
    #[serde(default)]
    pub notice_number: Option<Personal<ExternalId>>,
    /// The penalty; exactly of a fixed penalty.
    #[serde(default)]
    pub penalty_pence: Option<Pence>,
    /// What was found or said, as its subject may read it.
    #[serde(default)]
    pub note: Option<Personal<Text>>,
}

words!(
    /// What came of an action.
    ActionResult {
        /// The penalty was paid.
        Paid = "paid",
        /// The penalty was not paid in time.
        NotPaid = "not_paid",
        /// They did what the notice or the court asked for.
        Complied = "complied",
        /// They did not.
        NotComplied = "not_complied",
        /// They were convicted.
        Convicted = "convicted",
        /// They were not.
        Acquitted = "acquitted",
        /// The council withdrew it, or a court quashed it.
        Withdrawn = "withdrawn",
        /// Nothing more came of it.
        NothingFurther = "nothing_further",
    }
);

impl ActionResult {
    /// Whether an action can end so.
    #[must_use]
    pub const fn can_come_of(self, action: EnforcementAction) -> bool {
        use EnforcementAction as Action;
        match self {
            Self::Paid | Self::NotPaid => matches!(action, Action::FixedPenalty),
            Self::Complied | Self::NotComplied => matches!(
                action,
                Action::StatutoryNotice | Action::Injunction | Action::WarningLetter | Action::DutyOfCareInspection
            ),
            Self::Convicted | Self::Acquitted => matches!(action, Action::Prosecution),
            Self::Withdrawn | Self::NothingFurther => true,
        }
    }
}

/// Records what came of an action. It takes the place of what was recorded of it before. An officer of a team that decides such cases does;
/// a system, that a penalty was paid or was not.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordActionResult {
    /// The action: the number of its entry in the case's history.
    pub action: Version,
    /// What came of it.
    pub result: ActionResult,
    /// When.
    pub on: Day,
    /// What was paid, or the fine.
    #[serde(default)]
    pub pence: Option<Pence>,
}

seals!(RecordIncident:);
seals!(NameSubject: grounds, told);
seals!(ClearSubject:);
seals!(TakeEnforcementAction: notice_number, note);
seals!(RecordActionResult:);
