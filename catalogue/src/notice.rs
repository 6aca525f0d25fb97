//! Notices: what a resident is sent when something happens to their case. The words are templates of the catalogue, in three
//! parts each: `<notice>.subject.txt` (one line), `<notice>.txt` and `<notice>.html`.

use std::collections::BTreeMap;
use std::fmt;

use minijinja::{AutoEscape, Environment, UndefinedBehavior};
use schemas::command::{Attendance, Slot};
use schemas::moment::{Day, Instant};
use schemas::text::RuleCode;
use schemas::{CalendarName, OutcomeCode, QuestionId, Reference};
use serde::Serialize;

use crate::files::CatalogueFile;
use crate::service::{Appointment, Council, RequestType};
use crate::{Catalogue, CatalogueFault, booking, london};

/// The parts of a notice. The longest ending comes first: `.subject.txt` ends in `.txt` too.
const PARTS: [&str; 3] = ["subject.txt", "txt", "html"];

/// A notice, ready to be sent.
#[derive(Clone, PartialEq, Eq)]
pub struct Notice {
    /// One line.
    pub subject: String,
    /// For readers of plain text.
    pub text: String,
    /// For the others; what came from people is escaped.
    pub html: String,
}

impl fmt::Debug for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Notice([personal])")
    }
}

/// What a template may speak of.
#[derive(Clone, Serialize)]
pub struct NoticeContext {
    /// The council.
    pub council: Council,
    /// The case's reference.
    pub reference: String,
    /// The request type's name.
    pub request: String,
    /// What people call that which its type grants with a term; none where it grants nothing.
    pub granted: Option<String>,
    /// Whom it greets, such as `Mrs Ada Lovelace`; may be unknown.
    pub name: Option<String>,
    /// When it happened, in words.
    pub happened_at: String,
    /// The day on which the request came, in words, where that is not the day on which it was taken down.
    pub received_on: Option<String>,
    /// What happens next.
    pub next_steps: String,
    /// What came of the case, where it was closed.
    pub outcome: Option<OutcomeInWords>,
    /// Whether a named officer decided what came of it. Otherwise it was reported to the council, and is told as such.
    pub decided: bool,
    /// The reasons as they were given, where it was closed; they may have several lines.
    pub reasons: Option<String>,
    /// The exemptions or exceptions that a decision rests on, in words.
    pub exemptions: Vec<String>,
    /// What the person is asked or told, in the officer's words; it may have several lines.
    pub words: Option<String>,
    /// Where the case stands, in words.
    pub standing: String,
    /// By when there is to be an answer: theirs where they are asked, otherwise the council's.
    pub answer_by: Option<String>,
    /// Until when and how it can be taken up again, where it was closed.
    pub reopening: Option<ReopeningInWords>,
    /// The appointment, where it is about one.
    pub appointment: Option<AppointmentInWords>,
}

/// An appointment for people.
#[derive(Clone, Debug, Serialize)]
pub struct AppointmentInWords {
    /// When it is: `at 9:30am on Friday 1 May 2026`, or where somebody comes within that time, `between 8:00am and 10:00am on …`.
    pub when: String,
    /// Whether nobody comes before something is paid.
    pub pay_first: bool,
    /// Where one goes; none where somebody comes, or where the catalogue has the calendar no longer.
    pub location: Option<String>,
    /// What became of it: `did_not_attend`, `no_access` or `not_kept`.
    pub attendance: Option<Attendance>,
}

/// An outcome for people.
#[derive(Clone, Debug, Serialize)]
pub struct OutcomeInWords {
    /// Its name.
    pub title: String,
    /// What it means for the resident.
    pub words: String,
}

/// A reopening period for people.
#[derive(Clone, Debug, Serialize)]
pub struct ReopeningInWords {
    /// Its last day; none where the case can't be taken up again, only looked at anew.
    pub until: Option<String>,
    /// The name of the type to submit afterwards.
    pub successor: String,
}

impl fmt::Debug for NoticeContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NoticeContext")
            .field("reference", &self.reference)
            .finish_non_exhaustive()
    }
}

impl NoticeContext {
    /// What can be said of every event of a case.
    #[must_use]
    pub fn new(catalogue: &Catalogue, request_type: &RequestType, reference: &Reference, happened_at: Instant) -> Self {
        Self {
            council: catalogue.council().clone(),
            reference: reference.to_string(),
            request: request_type.title.clone(),
            granted: request_type.renewal.as_ref().map(|renewal| renewal.title.clone()),
            name: None,
            happened_at: london::instant_in_words(happened_at.get()),
            received_on: None,
            next_steps: request_type.next_steps.clone(),
            outcome: None,
            decided: false,
            reasons: None,
            exemptions: Vec::new(),
            words: None,
            standing: "we are working on it".to_owned(),
            answer_by: None,
            reopening: None,
            appointment: None,
        }
    }

    /// The appointment that it is about.
    #[must_use]
    pub fn appointment(
        mut self,
        catalogue: &Catalogue,
        request_type: &RequestType,
        calendar: &CalendarName,
        (slot, minutes): (Slot, u16),
        attendance: Option<Attendance>,
    ) -> Self {
        let calendar = catalogue.booking_calendar(calendar);
        let somebody_comes = matches!(
            request_type.appointment,
            Some(Appointment::Visit | Appointment::Collection)
        );
        let in_words = |at: Instant| {
            let begins = london::instant_in_words(at.get());
            let ends = london::instant_in_words(at.get() + time::Duration::minutes(minutes.into()));
            match ends.split_once(" on ") {
                Some((ends, _)) if somebody_comes => format!(
                    "between {} and {ends} on {}",
                    begins.split(" on ").next().unwrap_or(&begins),
                    london::day_in_words(slot.day)
                ),
                _ => format!("at {begins}"),
            }
        };
        // A contractor has no job before what waits is paid; the council's own people come all the same.
        let pay_first = request_type.contract.is_some() && request_type.fees.iter().any(|fee| fee.waits);
        // A time that London's clocks skip was never a slot.
        self.appointment = booking::begins_at(slot).map(|at| AppointmentInWords {
            when: in_words(at),
            pay_first,
            location: calendar.and_then(|calendar| calendar.location.clone()),
            attendance,
        });
        self
    }

    /// Whom it greets.
    #[must_use]
    pub fn to(mut self, name: Option<String>) -> Self {
        self.name = name;
        self
    }

    /// What is said of a closing beside that: the outcome in words (where the type still has it), whether an officer decided
    /// it, the reasons, and how to reopen.
    #[must_use]
    pub fn closed(
        mut self,
        catalogue: &Catalogue,
        request_type: &RequestType,
        outcome: &OutcomeCode,
        decided_by_officer: bool,
        reasons: Option<String>,
        closed_at: Instant,
    ) -> Self {
        self.outcome = request_type.outcome(outcome).map(|outcome| OutcomeInWords {
            title: outcome.title.clone(),
            words: outcome.words.clone(),
        });
        self.decided = decided_by_officer;
        self.reasons = reasons;
        let successor = catalogue.request_type(&request_type.reopening.successor);
        // What somebody else takes up, nobody asks the council for.
        let is_ours = successor.is_none_or(|successor| !successor.others_set_the_day);
        self.reopening = (is_ours || request_type.reopening.days > 0).then(|| ReopeningInWords {
            until: (request_type.reopening.days > 0)
                .then(|| london::day_in_words(request_type.reopening.last_day(london::day_of(closed_at.get())))),
            successor: successor.map_or_else(|| self.request.clone(), |successor| successor.title.clone()),
        });
        self
    }

    /// On which day the request came.
    #[must_use]
    pub fn received(mut self, on: Option<Day>) -> Self {
        self.received_on = on.map(london::day_in_words);
        self
    }

    /// What a decision rests on, where it holds something back.
    #[must_use]
    pub fn resting_on(mut self, exemptions: &[RuleCode]) -> Self {
        let in_words = exemptions.iter().map(|code| self.council.rule_in_words(code));
        self.exemptions = in_words.collect();
        self
    }

    /// Where the case stands after a mistake was put right: it is open, or it ended with an outcome, or by being cancelled.
    #[must_use]
    pub fn standing(mut self, request_type: &RequestType, outcome: Option<&OutcomeCode>, is_open: bool) -> Self {
        let outcome = outcome.and_then(|outcome| request_type.outcome(outcome));
        self.standing = match outcome {
            _ if is_open => "we are working on it".to_owned(),
            Some(outcome) => format!("it is closed: {}", outcome.title),
            None => "it is cancelled".to_owned(),
        };
        self
    }

    /// What the person is asked or told, and by when there is to be an answer.
    #[must_use]
    pub fn saying(mut self, words: Option<String>, answer_by: Option<Day>) -> Self {
        self.words = words;
        self.answer_by = answer_by.map(london::day_in_words);
        self
    }

    /// Something for every part that a template may speak of, or for those only that are always there.
    fn sample(council: &Council, whole: bool) -> Self {
        let given = |text: &str| whole.then(|| text.to_owned());
        Self {
            council: council.clone(),
            reference: "WAS-7Q4K-2M9X".to_owned(),
            request: "Missed bin".to_owned(),
            granted: given("Garden waste subscription"),
            name: given("Mrs Ada Lovelace"),
            happened_at: "9:30am on Friday 1 May 2026".to_owned(),
            next_steps: "We will come.".to_owned(),
            outcome: whole.then(|| OutcomeInWords {
                title: "Collected".into(),
                words: "We came.".into(),
            }),
            decided: whole,
            reasons: given("It was ours."),
            received_on: given("Friday 1 May 2026"),
            exemptions: given("section 40(2) of the Freedom of Information Act 2000")
                .into_iter()
                .collect(),
            words: given("Which street?"),
            standing: "we are working on it".to_owned(),
            answer_by: given("Friday 15 May 2026"),
            reopening: whole.then(|| ReopeningInWords {
                until: Some("Friday 15 May 2026".into()),
                successor: "Missed bin".into(),
            }),
            appointment: whole.then(|| AppointmentInWords {
                when: "at 9:30am on Friday 15 May 2026".into(),
                pay_first: true,
                location: Some("The register office".into()),
                attendance: Some(Attendance::NoAccess),
            }),
        }
    }
}

impl crate::Reopening {
    /// The last day on which a case closed on this day can be taken up again.
    #[must_use]
    pub fn last_day(&self, closed_on: Day) -> Day {
        let Day(date) = closed_on;
        Day(date.saturating_add(time::Duration::days(self.days.into())))
    }
}

/// Why a notice could not be made.
#[derive(Debug, thiserror::Error)]
pub enum NoticeFault {
    /// The catalogue has none of this name.
    #[error("the catalogue has no notice {0}: add its templates, or take it out of the request type")]
    Unknown(QuestionId),
    /// A template failed. What it was given is not told: it may be personal.
    #[error("the template {template} failed at line {line}: mend it")]
    Template {
        /// Which.
        template: String,
        /// Where.
        line: usize,
    },
}

/// The templates of all notices.
#[derive(Debug)]
pub struct Notices {
    templates: Environment<'static>,
    names: Vec<QuestionId>,
}

impl Notices {
    /// Whether there is a notice of this name.
    #[must_use]
    pub fn contains(&self, notice: &QuestionId) -> bool {
        self.names.contains(notice)
    }

    /// The names of all notices.
    pub fn names(&self) -> impl Iterator<Item = &QuestionId> {
        self.names.iter()
    }

    /// Makes a notice.
    ///
    /// # Errors
    /// [`NoticeFault::Unknown`]. A template that does not fit the context is refused when the catalogue is loaded.
    pub fn render(&self, notice: &QuestionId, context: &NoticeContext) -> Result<Notice, NoticeFault> {
        if !self.contains(notice) {
            return Err(NoticeFault::Unknown(notice.clone()));
        }
        let [subject, text, html] = PARTS.map(|part| self.render_part(&format!("{notice}.{part}"), context));
        // A line break in a subject would end the header.
        let subject = subject?.split_whitespace().collect::<Vec<_>>().join(" ");
        Ok(Notice {
            subject,
            text: text?,
            html: html?,
        })
    }

    fn render_part(&self, template: &str, context: &NoticeContext) -> Result<String, NoticeFault> {
        let rendered = self
            .templates
            .get_template(template)
            .and_then(|found| found.render(context));
        rendered.map_err(|error| NoticeFault::Template {
            template: template.to_owned(),
            line: error.line().unwrap_or(1),
        })
    }
}

/// Makes a notice of the catalogue: [`Notices::render`].
///
/// # Errors
/// See there.
pub fn render(catalogue: &Catalogue, notice: &QuestionId, context: &NoticeContext) -> Result<Notice, NoticeFault> {
    catalogue.notices().render(notice, context)
}

/// Gathers templates and checks that each notice has all its parts.
pub(crate) struct NoticesBuilder {
    parts: BTreeMap<QuestionId, Vec<&'static str>>,
    templates: Environment<'static>,
}

impl Default for NoticesBuilder {
    fn default() -> Self {
        // `Environment::default()` would be an empty one, which escapes nothing.
        let mut templates = Environment::new();
        templates.set_undefined_behavior(UndefinedBehavior::Strict);
        templates.set_auto_escape_callback(|name| {
            if name.ends_with(".html") {
                AutoEscape::Html
            } else {
                AutoEscape::None
            }
        });
        Self {
            parts: BTreeMap::new(),
            templates,
        }
    }
}

impl NoticesBuilder {
    /// Takes one template. `name` is the file's, without the folder.
    pub(crate) fn add(&mut self, file: &CatalogueFile, name: &str) -> Result<(), CatalogueFault> {
        let fault = |line, message: String| CatalogueFault {
            file: file.path.clone(),
            line,
            message,
        };
        let part = PARTS
            .into_iter()
            .find(|part| name.strip_suffix(part).is_some_and(|rest| rest.ends_with('.')));
        let part = part.ok_or_else(|| fault(1, "a notice has the parts .subject.txt, .txt and .html".to_owned()))?;
        let stem = name
            .strip_suffix(part)
            .and_then(|rest| rest.strip_suffix('.'))
            .unwrap_or_default();
        let notice = QuestionId::new(stem).map_err(|error| fault(1, format!("the name of a notice: {error}")))?;
        let added = self.templates.add_template_owned(name.to_owned(), file.text.clone());
        added.map_err(|error| fault(error.line().unwrap_or(1), error.to_string()))?;
        self.parts.entry(notice).or_default().push(part);
        Ok(())
    }

    /// Checks them by making each notice twice: with all that a context may have, and with the least.
    pub(crate) fn finish(self, council: &Council, faults: &mut Vec<CatalogueFault>) -> Notices {
        for (notice, parts) in &self.parts {
            for part in PARTS.iter().filter(|part| !parts.contains(part)) {
                let message = "this part of the notice is missing: write it".to_owned();
                faults.push(CatalogueFault {
                    file: format!("notices/{notice}.{part}"),
                    line: 1,
                    message,
                });
            }
        }
        for (name, template) in self.templates.templates() {
            let tried = [true, false].map(|whole| template.render(NoticeContext::sample(council, whole)).err());
            faults.extend(tried.into_iter().flatten().take(1).map(|error| CatalogueFault {
                file: format!("notices/{name}"),
                line: error.line().unwrap_or(1),
                message: error.to_string(),
            }));
        }
        Notices {
            names: self.parts.into_keys().collect(),
            templates: self.templates,
        }
    }
}
