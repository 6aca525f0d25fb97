//! What a catalogue's files must hold beyond their form.

use std::collections::{BTreeSet, HashMap};

use schemas::event::{CaseEvent, EntitlementEvent};
use schemas::{CalendarName, QuestionId, TeamName};
use toml::Spanned;

use super::{CatalogueFault, Checked, RequestTypeEntry, fault};
use crate::booking::Opening;
use crate::clocks::ClockName;
use crate::notice::Notices;
use crate::question::{Question, QuestionKind, Sensitivity};
use crate::service::{Acceptance, CollectionQuestions, Deliverer, Duplicates, Renewal, TargetCondition};

/// The parts of a case that may be shared and are not questions.
const SHAREABLE: &[&str] = &["place", "location", "description", "contact", "photos"];

/// What must be unique, or exist, across all services.
pub(super) fn check_together(services: &[Checked<'_>], notices: &Notices, faults: &mut Vec<CatalogueFault>) {
    let mut unique = Unique::default();
    for Checked { file, entry, .. } in services {
        unique.check(
            file,
            "the service name",
            entry.name.get_ref().as_str(),
            entry.name.span(),
            faults,
        );
        unique.check(file, "the prefix", entry.prefix.get_ref(), entry.prefix.span(), faults);
        for team in &entry.teams {
            unique.check(file, "the team", team.get_ref().name.as_str(), team.span(), faults);
        }
        for calendar in &entry.calendars {
            unique.check(
                file,
                "the calendar",
                calendar.get_ref().name.as_str(),
                calendar.span(),
                faults,
            );
        }
        for request_type in entry.request_types.iter().map(Spanned::get_ref) {
            unique.check(
                file,
                "the request type",
                request_type.code.get_ref().as_str(),
                request_type.code.span(),
                faults,
            );
            unique.check(
                file,
                "the reporting code",
                request_type.reporting_code.get_ref(),
                request_type.reporting_code.span(),
                faults,
            );
        }
    }
    let entries = || {
        services
            .iter()
            .flat_map(|service| &service.entry.request_types)
            .map(Spanned::get_ref)
    };
    let codes: BTreeSet<_> = entries().map(|entry| entry.code.get_ref()).collect();
    let teams: BTreeSet<_> = services
        .iter()
        .flat_map(|service| &service.entry.teams)
        .map(|team| &team.get_ref().name)
        .collect();
    let mut terms = HashMap::new();
    for Checked { file, entry, .. } in services {
        for request_type in entry.request_types.iter().map(Spanned::get_ref) {
            if let Some(renewal) = &request_type.renewal {
                let says = renewal.get_ref();
                let term = (entry.name.get_ref(), &says.title, says.months, says.of_property);
                if *terms.entry(&says.entitlement).or_insert(term) != term {
                    let message = format!(
                        "{} is of another service, or called or lasts otherwise, by another type: types that grant the same agree on it",
                        says.entitlement
                    );
                    faults.push(fault(file, renewal.span(), message));
                }
            }
            let successor = &request_type.reopening.get_ref().successor;
            if !codes.contains(successor) {
                faults.push(fault(
                    file,
                    request_type.reopening.span(),
                    format!("there is no request type {successor}: name one of the catalogue"),
                ));
            }
            for notice in request_type
                .notices
                .get_ref()
                .values()
                .filter(|notice| !notices.contains(notice))
            {
                faults.push(fault(
                    file,
                    request_type.notices.span(),
                    format!("there is no notice {notice}: write its templates in notices/"),
                ));
            }
            let calendars = || services.iter().flat_map(|service| &service.entry.calendars);
            let known = |name: &CalendarName| calendars().any(|calendar| calendar.get_ref().name == *name);
            if let Some(calendar) = request_type
                .calendar
                .as_ref()
                .filter(|calendar| !known(calendar.get_ref()))
            {
                let message = format!(
                    "there is no calendar {}: write it as a [[calendar]] of a service",
                    calendar.get_ref()
                );
                faults.push(fault(file, calendar.span(), message));
            }
            check_teams(request_type, &teams, |span, message| {
                faults.push(fault(file, span, message))
            });
        }
    }
}

fn check_teams(
    request_type: &RequestTypeEntry,
    teams: &BTreeSet<&TeamName>,
    mut report: impl FnMut(std::ops::Range<usize>, String),
) {
    let unknown = |team: &&TeamName| !teams.contains(team);
    let say = |team: &TeamName| format!("there is no team {team}: add it to its service's [[team]] list");
    let delivery = &request_type.delivery;
    if let Some(team) = Some(&delivery.get_ref().team).filter(unknown) {
        report(delivery.span(), say(team));
    }
    for team in request_type.deciding_teams.get_ref().iter().filter(unknown) {
        report(request_type.deciding_teams.span(), say(team));
    }
}

/// What each service must hold by itself.
pub(super) fn check_service(service: &Checked<'_>, faults: &mut Vec<CatalogueFault>) {
    let Checked { file, stem, entry } = service;
    let mut report = |span, message: String| faults.push(fault(file, span, message));
    if entry.name.get_ref().as_str() != *stem {
        report(
            entry.name.span(),
            format!("the file of this service must be named {}.toml", entry.name.get_ref()),
        );
    }
    let prefix = entry.prefix.get_ref();
    if prefix.len() != 3 || !prefix.bytes().all(|byte| byte.is_ascii_uppercase()) {
        report(
            entry.prefix.span(),
            "a prefix is three capital letters, such as WAS".to_owned(),
        );
    }
    for calendar in &entry.calendars {
        let of = calendar.get_ref();
        let has_slots = |opening: &Opening| {
            u32::from(opening.from.minute_of_day()) + u32::from(of.minutes) <= u32::from(opening.until.minute_of_day())
        };
        if !(5..=1440).contains(&of.minutes)
            || of.places == 0
            || !(1..=730).contains(&of.days_ahead)
            || !of.openings.iter().all(has_slots)
            || of.openings.is_empty()
        {
            let message = "a calendar needs slots of 5 to 1440 minutes with a place each, 1 to 730 days ahead, and openings that hold a slot";
            report(calendar.span(), message.to_owned());
        }
    }
    for request_type in entry.request_types.iter().map(Spanned::get_ref) {
        check_request_type(request_type, &mut report);
    }
}

type Report<'r> = &'r mut dyn FnMut(std::ops::Range<usize>, String);

fn check_request_type(entry: &RequestTypeEntry, report: Report<'_>) {
    if let Some(calendar) = entry.calendar.as_ref().filter(|_| entry.appointment.is_none()) {
        report(
            calendar.span(),
            "say what kind of appointment is in this calendar: appointment".to_owned(),
        );
    }
    let mut ids = BTreeSet::new();
    for question in &entry.questions {
        if !ids.insert(question.get_ref().id.as_str()) {
            report(
                question.span(),
                format!(
                    "the question {} stands twice in this request type",
                    question.get_ref().id
                ),
            );
        }
        check_question(question, report);
    }
    let mut codes = BTreeSet::new();
    for outcome in entry
        .outcomes
        .iter()
        .filter(|outcome| !codes.insert(&outcome.get_ref().code))
    {
        report(
            outcome.span(),
            format!(
                "the outcome {} stands twice in this request type",
                outcome.get_ref().code
            ),
        );
    }
    if !entry.outcomes.iter().any(|outcome| !outcome.get_ref().imported_only) {
        report(
            entry.code.span(),
            "a request type needs an outcome that an officer can choose".to_owned(),
        );
    }
    if entry.channels.get_ref().is_empty() {
        report(
            entry.channels.span(),
            "a request type needs a channel that it is taken over".to_owned(),
        );
    }
    if entry.deciding_teams.get_ref().is_empty() {
        report(
            entry.deciding_teams.span(),
            "a request type needs a team whose officers may close it".to_owned(),
        );
    }
    let delivery = entry.delivery.get_ref();
    match (delivery.by, delivery.acceptance) {
        (Deliverer::Contractor, None) => report(
            entry.delivery.span(),
            "say how the contractor's done is accepted: acceptance".to_owned(),
        ),
        (Deliverer::InHouse, Some(_)) => report(
            entry.delivery.span(),
            "acceptance is for contractors only: remove it".to_owned(),
        ),
        _ => {}
    }
    let drawn = delivery.acceptance == Some(Acceptance::Sample);
    match delivery.sample_percent {
        None if drawn => report(
            entry.delivery.span(),
            "say how many of a hundred are inspected: sample_percent".to_owned(),
        ),
        Some(_) if !drawn => report(
            entry.delivery.span(),
            "sample_percent is for acceptance by sample only: remove it".to_owned(),
        ),
        Some(percent) if !(1..=100).contains(&percent) => {
            report(entry.delivery.span(), "sample_percent is from 1 to 100".to_owned());
        }
        _ => {}
    }
    for recipient in &entry.recipients {
        let known = |field: &&String| SHAREABLE.contains(&field.as_str()) || ids.contains(field.as_str());
        for field in recipient.get_ref().fields.iter().filter(|field| !known(field)) {
            report(
                recipient.span(),
                format!(
                    "there is no {field} to share: name place, location, description, contact, photos or a question"
                ),
            );
        }
    }
    check_complainant(entry, report);
    check_renewal(entry, report);
    for event in entry.notices.get_ref().keys().filter(|event| {
        !CaseEvent::NAMES.contains(&event.as_str()) && !EntitlementEvent::NAMES.contains(&event.as_str())
    }) {
        report(
            entry.notices.span(),
            format!("there is no event {event} of a case or an entitlement"),
        );
    }
    let is_target = |clock: &&Spanned<ClockName>| *clock.get_ref() == ClockName::ServiceTarget;
    if let Some(clock) = entry.clocks.iter().find(is_target) {
        report(
            clock.span(),
            "a service target has its number here: write a [[request_type.target]]".to_owned(),
        );
    }
    let mut rows = BTreeSet::new();
    for target in &entry.targets {
        let row = target.get_ref();
        // What else runs as a clock of a case has these names.
        let id = row.id.as_str();
        let taken = id == "set_day"
            || id.starts_with("remedy_")
            || id.starts_with("job_")
            || ClockName::ALL.iter().any(|clock| clock.as_str() == id);
        if taken {
            report(
                target.span(),
                format!("{id} is the name of another clock: choose another for the target"),
            );
        }
        if let Some(when) = &row.when {
            let fits = fits_condition(entry, when);
            if !fits {
                let message = format!(
                    "the target {id} depends on an open flag or choice of this type, and {} = {} is none",
                    when.question, when.is
                );
                report(target.span(), message);
            }
        }
        if !rows.insert((id, row.from)) {
            report(
                target.span(),
                format!("the target {} has two rows from {}", row.id, row.from),
            );
        }
    }
    if let Some(collection) = &entry.collection {
        let CollectionQuestions { round, day, what } = collection.get_ref();
        let is = |id: &QuestionId, kind: QuestionKind| {
            let asked = entry
                .questions
                .iter()
                .map(Spanned::get_ref)
                .find(|question| question.id == *id);
            asked.is_some_and(|asked| asked.kind == kind && asked.sensitivity == Sensitivity::Open)
        };
        if !(is(round, QuestionKind::Code) && is(day, QuestionKind::Date) && is(what, QuestionKind::Choice)) {
            let message = "a collection is named by an open code (round), an open date (day) and an open choice (what) of this type";
            report(collection.span(), message.to_owned());
        }
    }
    if let Some(duplicates) = &entry.duplicates
        && !(1..=Duplicates::FURTHEST).contains(&duplicates.get_ref().near_metres)
    {
        let message = format!("near_metres: expected 1 to {}", Duplicates::FURTHEST);
        report(duplicates.span(), message);
    }
    let mut fees = BTreeSet::new();
    for fee in entry.fees.iter().filter(|fee| !fees.insert((&fee.id, fee.from))) {
        report(
            entry.code.span(),
            format!(
                "the fee {} has two rows from {}: give each fee an id of its own",
                fee.id, fee.from
            ),
        );
    }
    check_condition(entry, report);
}

/// Whether a condition asks for an answer that an open question of the type can have.
pub(super) fn fits_condition(entry: &RequestTypeEntry, when: &TargetCondition) -> bool {
    let mut questions = entry.questions.iter().map(Spanned::get_ref);
    let asked = questions.find(|question| question.id == when.question);
    asked.is_some_and(|question| question.sensitivity == Sensitivity::Open && question.can_be(&when.is))
}

/// What a type grants with a term: for some time, by some outcome, and told of in time. Types that grant the same agree on it.
fn check_renewal(entry: &RequestTypeEntry, report: Report<'_>) {
    let told = |event: &&String| EntitlementEvent::NAMES.contains(&event.as_str());
    let Some(renewal) = &entry.renewal else {
        if let Some(event) = entry.notices.get_ref().keys().find(told) {
            report(
                entry.notices.span(),
                format!("there is no {event} of a type without renewal"),
            );
        }
        return;
    };
    let Renewal {
        title,
        months,
        weeks_before,
        ..
    } = renewal.get_ref();
    if title.trim().is_empty() {
        report(renewal.span(), "title: expected what people call it".to_owned());
    }
    if *months == 0 {
        report(renewal.span(), "months: expected 1 or more".to_owned());
    }
    // A reminder that goes out with the grant reminds of nothing.
    if u32::from(*weeks_before) * 7 >= u32::from(*months) * 28 {
        let message = "weeks_before: expected a window that is shorter than the term".to_owned();
        report(renewal.span(), message);
    }
    if !entry.outcomes.iter().any(|outcome| outcome.get_ref().grants) {
        report(
            renewal.span(),
            "no outcome of this type grants it: mark one with grants = true".to_owned(),
        );
    }
}

/// Who complained of an offence is told to nobody: neither by their contact details nor by their own words; to the contractor, not by any
/// personal answer either, nor by their words of the place.
fn check_complainant(entry: &RequestTypeEntry, report: Report<'_>) {
    let questions = || entry.questions.iter().map(Spanned::get_ref);
    let is_personal = |field: &str| {
        questions().any(|question| question.id.as_str() == field && question.sensitivity != Sensitivity::Open)
    };
    for recipient in entry.recipients.iter().filter(|_| entry.enforcement) {
        let told = recipient.get_ref();
        let tells = |field: &&String| {
            let to_contractor = field.as_str() == "place" || is_personal(field);
            matches!(field.as_str(), "contact" | "description") || (told.name == "contractor" && to_contractor)
        };
        if let Some(field) = told.fields.iter().find(tells) {
            let message = format!(
                "{field} would tell {} who complained of an offence: leave it out",
                told.name
            );
            report(recipient.span(), message);
        }
    }
}

fn check_condition(entry: &RequestTypeEntry, report: Report<'_>) {
    let special = entry
        .questions
        .iter()
        .find(|question| question.get_ref().sensitivity == Sensitivity::SpecialCategory);
    match (special, &entry.condition) {
        (Some(question), None) => report(
            question.span(),
            "special category data needs a condition (UK GDPR article 9(2)): add condition to the request type"
                .to_owned(),
        ),
        (None, Some(condition)) => {
            report(
                condition.span(),
                "no question asks for special category data: remove the condition".to_owned(),
            );
        }
        _ => {}
    }
}

fn check_question(question: &Spanned<Question>, report: Report<'_>) {
    let Question {
        kind,
        choices,
        required,
        sensitivity,
        when_absent,
        ..
    } = question.get_ref();
    let mut fault = |message: &str| report(question.span(), message.to_owned());
    match (
        matches!(kind, QuestionKind::Choice | QuestionKind::Choices),
        choices.is_empty(),
    ) {
        (true, true) => fault("a choice needs choices"),
        (false, false) => fault("only a choice has choices: remove them or change the kind"),
        _ => {}
    }
    let mut values = BTreeSet::new();
    if !choices.iter().all(|choice| values.insert(&choice.value)) {
        fault("a choice stands twice");
    }
    match (required, when_absent) {
        (true, Some(_)) => fault("a required question is never absent: remove when_absent"),
        (false, None) => fault("say what follows where it is not answered: when_absent"),
        _ => {}
    }
    if *kind == QuestionKind::Text && *sensitivity == Sensitivity::Open {
        fault("text can hold anything, so it can't be open: make it personal or a choice");
    }
}

/// Names that may stand once in the catalogue, each with the file where it stands first.
#[derive(Default)]
struct Unique<'f> {
    first: HashMap<(&'static str, &'f str), &'f str>,
}

impl<'f> Unique<'f> {
    fn check(
        &mut self,
        file: &'f crate::CatalogueFile,
        kind: &'static str,
        name: &'f str,
        span: std::ops::Range<usize>,
        faults: &mut Vec<CatalogueFault>,
    ) {
        if let Some(first) = self.first.insert((kind, name), &file.path) {
            faults.push(fault(
                file,
                span,
                format!("{kind} {name} stands in {first} already: choose another"),
            ));
        }
    }
}
