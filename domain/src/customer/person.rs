//! What becomes known of a customer as a person: how they want to be reached, what they need, who speaks for them, that they
//! died, what to mind at their door, and that two records are of one person.

use catalogue::london;
use schemas::command::{
    ActorKind, AuthoriseRepresentative, Circumstances, EndHazardMarker, EndRepresentation, MergeCustomer,
    RecordAdjustments, RecordDeath, SetContactPreferences, SetHazardMarker,
};
use schemas::event::{
    AdjustmentsRecorded, ContactPreferencesSet, CustomerEvent, CustomerMerged, CustomerParted, DeathRecordCorrected,
    DeathRecorded, HazardMarkerEnded, HazardMarkerSet, RepresentationEnded, RepresentativeAuthorised,
};
use schemas::moment::Day;
use schemas::{CustomerId, ServiceName};
use serde::{Deserialize, Serialize};

use super::Known;
use crate::context::DecisionContext;
use crate::rejection::Rejection;

/// What somebody may do for a customer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Representation {
    /// For all where it is empty.
    pub(super) services: Vec<ServiceName>,
    /// The last day.
    pub(super) until: Day,
}

impl Representation {
    /// Whether it reaches to a service on a day; to the customer's own record where none is given.
    pub(super) fn covers(&self, service: Option<&ServiceName>, on: Day) -> bool {
        let reaches = self.services.is_empty() || service.is_some_and(|service| self.services.contains(service));
        reaches && on <= self.until
    }
}

impl Known {
    pub(super) fn prefer(
        set: &SetContactPreferences,
        circumstances: &Circumstances,
    ) -> Result<Vec<CustomerEvent>, Rejection> {
        must_not_be_a_contractor(circumstances)?;
        let SetContactPreferences { medium, wishes } = set.clone();
        Ok(one(ContactPreferencesSet {
            medium,
            wishes,
            reason: circumstances.reason.clone(),
        }))
    }

    /// Sealed needs can't be compared; only the end of what is not there is none.
    pub(super) fn adjust(
        &self,
        record: &RecordAdjustments,
        circumstances: &Circumstances,
    ) -> Result<Vec<CustomerEvent>, Rejection> {
        must_not_be_a_contractor(circumstances)?;
        if record.needs.is_none() && !self.has_needs {
            return Ok(Vec::new());
        }
        Ok(one(AdjustmentsRecorded {
            needs: record.needs.clone(),
            reason: circumstances.reason.clone(),
        }))
    }

    /// The customer, or an officer who saw the authority, lets somebody act; nobody lets themselves.
    pub(super) fn authorise(
        authorise: &AuthoriseRepresentative,
        customer: CustomerId,
        circumstances: &Circumstances,
        context: &DecisionContext,
    ) -> Result<Vec<CustomerEvent>, Rejection> {
        match circumstances.actor.kind {
            ActorKind::Resident if circumstances.actor.as_person() == Some(customer) => {}
            ActorKind::Resident => return Err(Rejection::AuthorisesForAnother),
            _ => _ = context.acting_officer(circumstances)?,
        }
        if authorise.representative == customer {
            return Err(Rejection::RepresentsThemselves);
        }
        if authorise.until < london::day_of(context.now.get()) {
            return Err(Rejection::AuthorityOver);
        }
        let AuthoriseRepresentative {
            representative,
            capacity,
            services,
            until,
            evidence,
        } = authorise.clone();
        Ok(one(RepresentativeAuthorised {
            representative,
            capacity,
            services,
            until,
            evidence,
            reason: circumstances.reason.clone(),
        }))
    }

    /// The customer, the representative or an officer ends it.
    pub(super) fn end_representation(
        &self,
        end: &EndRepresentation,
        circumstances: &Circumstances,
    ) -> Result<Vec<CustomerEvent>, Rejection> {
        must_not_be_a_contractor(circumstances)?;
        if !self.representatives.contains_key(&end.representative) {
            return Ok(Vec::new());
        }
        Ok(one(RepresentationEnded {
            representative: end.representative,
            reason: circumstances.reason.clone(),
        }))
    }

    pub(super) fn record_death(
        &self,
        death: &RecordDeath,
        circumstances: &Circumstances,
        context: &DecisionContext,
    ) -> Result<Vec<CustomerEvent>, Rejection> {
        if circumstances.actor.kind != ActorKind::System {
            context.acting_officer(circumstances)?;
        }
        if self.died {
            return Ok(Vec::new());
        }
        let RecordDeath { died_on, source } = death.clone();
        Ok(one(DeathRecorded {
            died_on,
            source,
            reason: circumstances.reason.clone(),
        }))
    }

    pub(super) fn correct_death(
        &self,
        circumstances: &Circumstances,
        context: &DecisionContext,
    ) -> Result<Vec<CustomerEvent>, Rejection> {
        context.acting_officer(circumstances)?;
        if !self.died {
            return Ok(Vec::new());
        }
        let reason = circumstances.reason.clone().ok_or(Rejection::ReasonRequired)?;
        Ok(one(DeathRecordCorrected { reason }))
    }

    /// A marker is somebody's, who looks at it again before it ends.
    pub(super) fn set_marker(
        &self,
        set: &SetHazardMarker,
        circumstances: &Circumstances,
        context: &DecisionContext,
    ) -> Result<Vec<CustomerEvent>, Rejection> {
        let owner = context.acting_officer(circumstances)?;
        let today = london::day_of(context.now.get());
        if set.review_on <= today {
            return Err(Rejection::ReviewPast);
        }
        if set.expires_on < set.review_on {
            return Err(Rejection::ExpiresBeforeReview);
        }
        let SetHazardMarker {
            precaution,
            grounds,
            review_on,
            expires_on,
        } = set.clone();
        let number = u32::try_from(self.markers.len()).unwrap_or(u32::MAX);
        Ok(one(HazardMarkerSet {
            number: number.saturating_add(1),
            precaution,
            grounds,
            owner: owner.officer().clone(),
            review_on,
            expires_on,
            reason: circumstances.reason.clone(),
        }))
    }

    pub(super) fn end_marker(
        &self,
        end: &EndHazardMarker,
        circumstances: &Circumstances,
        context: &DecisionContext,
    ) -> Result<Vec<CustomerEvent>, Rejection> {
        context.acting_officer(circumstances)?;
        let place = usize::try_from(end.marker)
            .ok()
            .and_then(|number| number.checked_sub(1));
        let marker = place.and_then(|place| self.markers.get(place));
        if marker.ok_or(Rejection::UnknownMarker)?.ended {
            return Ok(Vec::new());
        }
        Ok(one(HazardMarkerEnded {
            number: end.marker,
            reason: circumstances.reason.clone(),
        }))
    }

    /// One record is merged once, into one that is kept itself.
    pub(super) fn merge(
        &self,
        merge: &MergeCustomer,
        customer: CustomerId,
        circumstances: &Circumstances,
        context: &DecisionContext,
    ) -> Result<Vec<CustomerEvent>, Rejection> {
        context.acting_officer(circumstances)?;
        if self.merged_into == Some(merge.into) {
            return Ok(Vec::new());
        }
        if let Some(into) = self.merged_into {
            return Err(Rejection::CustomerMerged { into: into.to_string() });
        }
        if merge.into == customer {
            return Err(Rejection::MergedIntoItself);
        }
        let kept = context
            .other_customer
            .as_deref()
            .ok_or(Rejection::UnknownOtherCustomer)?;
        if !kept.is_registered() {
            return Err(Rejection::UnknownOtherCustomer);
        }
        if kept.merged_into().is_some() {
            return Err(Rejection::MergedIntoMerged);
        }
        if context.others_merged_into_it {
            return Err(Rejection::OthersMergedIntoIt);
        }
        let reason = circumstances.reason.clone().ok_or(Rejection::ReasonRequired)?;
        let into = merge.into;
        Ok(one(CustomerMerged { into, reason }))
    }

    pub(super) fn part(
        &self,
        circumstances: &Circumstances,
        context: &DecisionContext,
    ) -> Result<Vec<CustomerEvent>, Rejection> {
        context.acting_officer(circumstances)?;
        let from = self.merged_into.ok_or(Rejection::NotMerged)?;
        let reason = circumstances.reason.clone().ok_or(Rejection::ReasonRequired)?;
        Ok(one(CustomerParted { from, reason }))
    }
}

fn one(event: impl Into<CustomerEvent>) -> Vec<CustomerEvent> {
    vec![event.into()]
}

fn must_not_be_a_contractor(circumstances: &Circumstances) -> Result<(), Rejection> {
    match circumstances.actor.kind {
        ActorKind::Contractor => Err(Rejection::ActorNotAllowed),
        _ => Ok(()),
    }
}
