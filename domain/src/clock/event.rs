//! What can happen to a clock.

use schemas::moment::Day;
use serde::{Deserialize, Deserializer};

use super::{ClockError, ClockName, TargetUnit, When};

/// Something that happened, and on which day. `on` may be left out only of a policy.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct ClockEvent {
    /// The day in London.
    #[serde(default)]
    pub on: Option<When>,
    /// What.
    #[serde(flatten)]
    pub what: Happening,
}

macro_rules! happenings {
    ($($(#[$doc:meta])* $variant:ident $({ $($field:ident : $type:ty $(= $default:literal)?),+ })? = $name:literal for [$($clock:ident),+];)+) => {
        /// What happened.
        #[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
        #[serde(tag = "type")]
        #[allow(missing_docs)] // The fields are the event's own, and named for what they are.
        pub enum Happening {
            $($(#[$doc])* #[serde(rename = $name)] $variant $({ $($(#[serde(default = $default)])? $field: $type),+ })?,)+
        }

        impl Happening {
            /// Its type, as it is written.
            #[must_use]
            pub const fn as_str(&self) -> &'static str {
                match self {
                    $(Self::$variant { .. } => $name,)+
                }
            }

            /// Whether it says something to this clock. What concerns freedom of information may stand in a request that turns out
            /// to be about environmental information, and the other way round.
            fn concerns(&self, clock: ClockName) -> bool {
                match self {
                    $(Self::$variant { .. } => matches!(clock, $(ClockName::$clock)|+),)+
                }
            }
        }
    };
}

happenings! {
    /// The requester was asked what they mean.
    ClarificationRequested = "clarification_requested" for [Foi, Eir, Sar];
    /// They said.
    ClarificationReceived = "clarification_received" for [Foi, Eir, Sar];
    /// They were told that a fee is to be paid first.
    FeeNotice = "fee_notice" for [Foi, Eir];
    /// They were asked for a fee.
    FeeRequested = "fee_requested" for [Sar];
    /// They paid.
    FeePaid = "fee_paid" for [Foi, Eir, Sar];
    /// They were told that the public interest is still being weighed, and until about when.
    PublicInterestExtension = "pit_extension" for [Foi, Eir];
    /// They were told that it takes longer, and why.
    ExtensionNotice = "extension_notice" for [Foi, Eir, Sar];
    /// They were asked to show who they are.
    IdRequested = "id_requested" for [Sar];
    /// They did.
    IdReceived = "id_received" for [Sar];
    /// The review is exceptionally complex.
    Exceptional = "exceptional" for [FoiReview, EirReview];
    /// The complaint was acknowledged.
    Acknowledged = "acknowledged" for [ComplaintS1Ack, ComplaintS1, ComplaintS2Ack, ComplaintS2, DpComplaintAck];
    /// The complainant was told that the answer takes longer, and why.
    Extension { working_days: u32, good_reason: GoodReason = "GoodReason::none" } = "extension"
        for [ComplaintS1Ack, ComplaintS1, ComplaintS2Ack, ComplaintS2];
    /// The applicant was asked for evidence.
    EvidenceRequested = "evidence_requested" for [BlueBadge];
    /// It came.
    EvidenceReceived = "evidence_received" for [BlueBadge];
    /// The last day of the award that the badge rests on.
    AwardEnds = "award_ends" for [BlueBadgeExpiry];
    /// The day on which the child was born whose badge depends on its age.
    ChildUnder3Born = "child_under_3_born" for [BlueBadgeExpiry];
    /// The day on which the badge was issued that this one replaces.
    ReplacementOf = "replacement_of" for [BlueBadgeExpiry];
    /// The registrar has the medical certificate of the cause of death, or the coroner's papers.
    CertificateReceived = "mccd_received" for [Death];
    /// The Home Office extended the notice to seventy days.
    ExtendedTo70 = "extended_to_70" for [MarriageNotice];
    /// The council's target.
    Policy { unit: TargetUnit, amount: u32 } = "policy" for [ServiceTarget];
}

/// Whether an extension beyond the usual has a good reason: `true`, or the reason itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GoodReason(pub bool);

impl GoodReason {
    const fn none() -> Self {
        Self(false)
    }
}

impl<'de> Deserialize<'de> for GoodReason {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Whether(bool),
            Which(String),
            Nothing(()),
        }
        let written = Written::deserialize(deserializer)
            .map_err(|_| serde::de::Error::custom("good_reason: expected true, false or the reason"))?;
        Ok(Self(match written {
            Written::Whether(whether) => whether,
            Written::Which(reason) => !reason.trim().is_empty(),
            Written::Nothing(()) => false,
        }))
    }
}

/// The events in the order of their days; those of one day in the order given.
pub(super) fn in_order(
    clock: ClockName,
    start: Day,
    events: &[ClockEvent],
) -> Result<Vec<(Day, &Happening)>, ClockError> {
    let mut placed = Vec::with_capacity(events.len());
    for (index, event) in events.iter().enumerate() {
        if !event.what.concerns(clock) {
            let event = event.what.as_str();
            return Err(ClockError::Foreign { index, event, clock });
        }
        let is_policy = matches!(event.what, Happening::Policy { .. });
        let day = match event.on {
            Some(on) => on.day,
            None if is_policy => start,
            None => return Err(ClockError::NoDay(index)),
        };
        // A badge rests on what was before it, and a target on what the council decided long ago.
        if day < start && !is_policy && clock != ClockName::BlueBadgeExpiry {
            return Err(ClockError::BeforeStart { index, day, start });
        }
        placed.push((day, &event.what));
    }
    placed.sort_by_key(|(day, _)| *day);
    Ok(placed)
}
