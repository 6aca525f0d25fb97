//! What a case grants, and for which term.

use catalogue::{Renewal, london};
use schemas::command::{ActorKind, Circumstances, GrantEntitlement};
use schemas::event::EntitlementGranted;
use schemas::moment::Day;
use schemas::{CaseId, CustomerId};

use crate::case::Opened;
use crate::clock::{days_after, last_of_months_beginning_with};
use crate::context::DecisionContext;
use crate::rejection::Rejection;

/// How far ahead a term may begin, in days.
const BEGINS_WITHIN: i64 = 366;

const DAYS_A_WEEK: i64 = 7;

/// What a case grants, once that was checked.
pub(super) struct Grant<'c> {
    pub(super) opened: &'c Opened,
    /// The last day on which the badge that was issued on it is valid.
    pub(super) badge_until: Option<Day>,
    pub(super) customer_id: CustomerId,
    pub(super) renewal: &'c Renewal,
}

/// A term.
pub(super) struct Term {
    pub(super) starts_on: Day,
    pub(super) ends_on: Day,
    pub(super) renew_from: Day,
}

pub(super) fn grant_entitlement(
    grant: &GrantEntitlement,
    circumstances: &Circumstances,
    context: &DecisionContext,
) -> Result<EntitlementGranted, Rejection> {
    must_be_the_council(circumstances, context)?;
    let granted = granted_by(grant.case_id, context)?;
    if granted.renewal.of_property && grant.property.is_none() {
        return Err(Rejection::PropertyRequired);
    }
    if grant.starts_on < granted.opened.received_on {
        return Err(Rejection::TermBeforeTheReceipt);
    }
    if grant.replaces.is_some()
        && !context
            .replaced
            .as_deref()
            .is_some_and(|held| held.can_be_replaced(grant))
    {
        return Err(Rejection::ReplacesNothing);
    }
    let term = term(grant.starts_on, grant.ends_on, &granted, context)?;
    let GrantEntitlement {
        case_id,
        replaces,
        starts_on: _,
        ends_on: _,
        number,
        property,
        quantity,
    } = grant.clone();
    Ok(EntitlementGranted {
        entitlement: granted.renewal.entitlement.clone(),
        service: granted.opened.service.clone(),
        customer_id: granted.customer_id,
        case_id,
        reference: granted.opened.reference.clone(),
        request_type: granted.opened.request_type.clone(),
        replaces,
        starts_on: term.starts_on,
        ends_on: term.ends_on,
        renew_from: term.renew_from,
        number,
        property,
        quantity,
        others_at_property: context.others_at_property,
        reason: circumstances.reason.clone(),
    })
}

/// What a case grants: it was decided, nothing has to be paid first, and whose it is can have it.
pub(super) fn granted_by(case_id: CaseId, context: &DecisionContext) -> Result<Grant<'_>, Rejection> {
    let case = context
        .other_case
        .as_deref()
        .filter(|_| context.other_case_id == Some(case_id));
    let case = case.ok_or(Rejection::UnknownOtherCase)?;
    let opened = case.opened().ok_or(Rejection::UnknownOtherCase)?;
    let request_type = context.other_type.as_deref().ok_or(Rejection::RequestTypeGone)?;
    let renewal = request_type.renewal.as_ref().ok_or(Rejection::NothingWithATerm)?;
    if !case.grants(request_type) {
        return Err(Rejection::CaseGrantsNothing);
    }
    if case.waits_for_payment() {
        return Err(Rejection::GrantNotPaid);
    }
    let customer_id = opened.customer_id.ok_or(Rejection::GrantedToNobody)?;
    if context.customer_died() {
        return Err(Rejection::GrantedToTheDead);
    }
    Ok(Grant {
        opened,
        badge_until: case.badge_until(),
        customer_id,
        renewal,
    })
}

/// A term that the catalogue allows.
pub(super) fn term(
    starts_on: Day,
    ends_on: Option<Day>,
    granted: &Grant<'_>,
    context: &DecisionContext,
) -> Result<Term, Rejection> {
    let renewal = granted.renewal;
    let too_far = |_| Rejection::TermTooFar;
    let today = london::day_of(context.now.get());
    if starts_on > days_after(today, BEGINS_WITHIN).map_err(too_far)? {
        return Err(Rejection::TermTooFar);
    }
    let longest = last_of_months_beginning_with(starts_on, renewal.months).map_err(too_far)?;
    let longest = granted.badge_until.map_or(longest, |until| longest.min(until));
    let ends_on = ends_on.unwrap_or(longest);
    if ends_on < starts_on || ends_on > longest {
        return Err(Rejection::TermNotSoLong {
            longest: longest.to_string(),
        });
    }
    let window = DAYS_A_WEEK * i64::from(renewal.weeks_before);
    let renew_from = days_after(ends_on, -window).map_err(too_far)?;
    Ok(Term {
        starts_on,
        ends_on,
        renew_from: renew_from.max(starts_on),
    })
}

/// An officer of the register, or a system of the council's.
pub(super) fn must_be_the_council(circumstances: &Circumstances, context: &DecisionContext) -> Result<(), Rejection> {
    if circumstances.actor.kind == ActorKind::System {
        return Ok(());
    }
    context.acting_officer(circumstances).map(drop)
}
