//! How a case stands: what its entries come to, taken together. An entry that was struck out is left out, and the rest is taken
//! together anew.

use std::collections::{BTreeMap, BTreeSet};

use schemas::clock::Due;
use schemas::command::{CaseRelation, ClockMark, Decider, ExtensionGround, InformationWanted};
use schemas::event::{CaseEvent, CaseStanding, OutcomeKind};
use schemas::moment::{Day, Instant};
use schemas::personal::{Answer, AnswerValue, Answers};
use schemas::query::{AttachmentSummary, CaseStatus};
use schemas::text::{ExternalId, Text};
use schemas::{CaseId, OfficerId, OutcomeCode, Personal, QuestionId, RequestTypeCode, TeamName, Version};
use serde::{Deserialize, Serialize};

use super::appointment::{Appointment, AppointmentEntry};
use super::attachment;
use super::enforcement::{Enforcement, EnforcementEntry};
use super::job::{Job, JobEntry};

/// One thing that happened to a case after it was opened, without what is personal in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entry {
    /// Its number in the stream.
    pub(crate) number: Version,
    /// When it happened, where that is known: payloads don't say.
    pub(crate) at: Option<Instant>,
    /// What.
    pub(crate) what: Entered,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub(crate) enum Entered {
    /// A note: nothing follows from it.
    Noted,
    /// A contact: nothing follows from it either.
    Contacted,
    Assigned {
        team: TeamName,
        officer: Option<OfficerId>,
    },
    Asked {
        wanted: InformationWanted,
        on: Day,
    },
    Provided {
        wanted: InformationWanted,
        on: Day,
        /// Whether answers to the type's questions came with it, which took the place of others.
        with_answers: bool,
    },
    Acknowledged {
        on: Day,
    },
    DaySet {
        due_on: Day,
    },
    Extended {
        ground: ExtensionGround,
        working_days: Option<u32>,
        good_reason: bool,
        on: Day,
    },
    Assessed {
        by: OfficerId,
    },
    Decided(Decided),
    SentOut {
        to: ExternalId,
    },
    Found {
        by: ExternalId,
    },
    Linked {
        relation: CaseRelation,
        case_id: CaseId,
    },
    RemedyAgreed {
        due_on: Day,
    },
    RemedyDone {
        number: u32,
    },
    TypeChanged {
        request_type: RequestTypeCode,
        team: TeamName,
        open_answers: BTreeMap<QuestionId, String>,
    },
    Marked {
        clock: QuestionId,
        due: Due,
        mark: ClockMark,
    },
    Job(JobEntry),
    Appointment(AppointmentEntry),
    Attached(AttachmentSummary),
    Enforcement(EnforcementEntry),
    Closed {
        outcome: OutcomeCode,
        kind: OutcomeKind,
        by: Option<OfficerId>,
    },
    Cancelled,
    Reopened {
        team: TeamName,
        received_on: Day,
    },
}

/// A decision that stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Decided {
    pub(crate) outcome: OutcomeCode,
    pub(crate) by: OfficerId,
    pub(crate) rule: schemas::text::RuleCode,
    pub(crate) exemptions: Vec<schemas::text::RuleCode>,
    /// Sealed, to stand in the closing that carries it out.
    pub(crate) reasons: Personal<Text>,
    /// Sealed.
    pub(crate) evidence: Option<Personal<Text>>,
}

impl Entered {
    /// What an event enters; none of what can't be struck out and has no effect on how the case stands.
    pub(crate) fn of(event: &CaseEvent) -> Option<Self> {
        Some(match event {
            CaseEvent::NoteAdded(_) => Self::Noted,
            CaseEvent::ContactRecorded(_) => Self::Contacted,
            CaseEvent::RequestAssigned(event) => Self::Assigned {
                team: event.team.clone(),
                officer: event.officer.clone(),
            },
            CaseEvent::InformationAskedFor(event) => Self::Asked {
                wanted: event.wanted,
                on: event.asked_on,
            },
            CaseEvent::InformationProvided(event) => Self::Provided {
                wanted: event.wanted,
                on: event.received_on,
                with_answers: !event.answers.is_empty(),
            },
            CaseEvent::RequestAcknowledged(event) => Self::Acknowledged {
                on: event.acknowledged_on,
            },
            CaseEvent::DeadlineSet(event) => Self::DaySet { due_on: event.due_on },
            CaseEvent::TimeExtended(event) => Self::Extended {
                ground: event.ground,
                working_days: event.working_days,
                good_reason: event.good_reason,
                on: event.told_on,
            },
            CaseEvent::EligibilityAssessed(event) => Self::Assessed {
                by: event.decided_by.clone(),
            },
            CaseEvent::DecisionRecorded(event) => Self::Decided(Decided {
                outcome: event.outcome.clone(),
                by: event.decided_by.clone(),
                rule: event.rule.clone(),
                exemptions: event.exemptions.clone(),
                reasons: event.reasons.clone(),
                evidence: event.evidence.clone(),
            }),
            CaseEvent::SentForInvestigation(event) => Self::SentOut {
                to: event.recipient.clone(),
            },
            CaseEvent::FindingsReceived(event) => Self::Found {
                by: event.recipient.clone(),
            },
            CaseEvent::CaseLinked(event) => Self::Linked {
                relation: event.relation,
                case_id: event.case_id,
            },
            CaseEvent::RemedyAgreed(event) => Self::RemedyAgreed { due_on: event.due_on },
            CaseEvent::RemedyDone(event) => Self::RemedyDone { number: event.number },
            CaseEvent::TypeChanged(event) => Self::TypeChanged {
                request_type: event.request_type.clone(),
                team: event.team.clone(),
                open_answers: open_answers(&event.answers),
            },
            CaseEvent::ClockApproaching(event) => Self::Marked {
                clock: event.clock.clone(),
                due: event.due,
                mark: ClockMark::Approaching,
            },
            CaseEvent::ClockOverdue(event) => Self::Marked {
                clock: event.clock.clone(),
                due: event.due,
                mark: ClockMark::Overdue,
            },
            CaseEvent::RequestClosed(event) => Self::Closed {
                outcome: event.outcome.clone(),
                kind: event.outcome_kind,
                by: match &event.decided_by {
                    Some(Decider::Officer { id }) => Some(id.clone()),
                    Some(Decider::NotRecorded) | None => None,
                },
            },
            CaseEvent::RequestCancelled(_) => Self::Cancelled,
            CaseEvent::RequestReopened(event) => Self::Reopened {
                team: event.team.clone(),
                received_on: event.received_on,
            },
            CaseEvent::JobRaised(_)
            | CaseEvent::JobChanged(_)
            | CaseEvent::JobCancelled(_)
            | CaseEvent::JobReopened(_)
            | CaseEvent::JobAcknowledged(_)
            | CaseEvent::JobRejected(_)
            | CaseEvent::JobProgressed(_)
            | CaseEvent::JobReportedDone(_)
            | CaseEvent::JobReportedFailed(_)
            | CaseEvent::JobAccepted(_) => return JobEntry::of(event).map(Self::Job),
            CaseEvent::IncidentRecorded(_)
            | CaseEvent::SubjectNamed(_)
            | CaseEvent::SubjectCleared(_)
            | CaseEvent::EnforcementActionTaken(_)
            | CaseEvent::ActionResultRecorded(_) => return EnforcementEntry::of(event).map(Self::Enforcement),
            CaseEvent::AttachmentAdded(event) => Self::Attached(attachment::told(event)),
            CaseEvent::AppointmentBooked(_)
            | CaseEvent::AppointmentMoved(_)
            | CaseEvent::AppointmentCancelled(_)
            | CaseEvent::AttendanceRecorded(_) => return AppointmentEntry::of(event).map(Self::Appointment),
            CaseEvent::RequestSubmitted(_)
            | CaseEvent::PaymentDue(_)
            | CaseEvent::ConcessionGranted(_)
            | CaseEvent::PaymentReceived(_)
            | CaseEvent::PaymentFailed(_)
            | CaseEvent::RefundDecided(_)
            | CaseEvent::PaymentRefunded(_)
            | CaseEvent::PaymentWrittenOff(_)
            | CaseEvent::PaymentDropped(_)
            | CaseEvent::CollectionLookedUp(_)
            | CaseEvent::DuplicatesSuggested(_)
            | CaseEvent::BadgeIssued(_)
            | CaseEvent::RequestUpdated(_)
            | CaseEvent::CaseMoved(_)
            | CaseEvent::EntryCorrected(_)
            | CaseEvent::ClocksRecomputed(_)
            | CaseEvent::NotificationSent(_)
            | CaseEvent::NotificationFailed(_) => return None,
        })
    }

    /// The name of its event, where it can be struck out. What was told to somebody, and whose case it is made, can't.
    pub(crate) const fn correctable(&self) -> Option<&'static str> {
        Some(match self {
            Self::Noted => "NoteAdded",
            Self::Contacted => "ContactRecorded",
            Self::Asked { .. } => "InformationAskedFor",
            Self::Provided {
                with_answers: false, ..
            } => "InformationProvided",
            Self::Acknowledged { .. } => "RequestAcknowledged",
            Self::Extended { .. } => "TimeExtended",
            Self::DaySet { .. } => "DeadlineSet",
            Self::Assessed { .. } => "EligibilityAssessed",
            Self::Decided(_) => "DecisionRecorded",
            Self::Found { .. } => "FindingsReceived",
            Self::Linked { .. } => "CaseLinked",
            Self::RemedyDone { .. } => "RemedyDone",
            Self::Closed { .. } => "RequestClosed",
            Self::Cancelled => "RequestCancelled",
            Self::Reopened { .. } => "RequestReopened",
            Self::Appointment(entry) => return entry.correctable(),
            Self::Enforcement(entry) => return entry.correctable(),
            Self::Attached(_) => "AttachmentAdded",
            Self::Provided { with_answers: true, .. }
            | Self::Assigned { .. }
            | Self::SentOut { .. }
            | Self::RemedyAgreed { .. }
            | Self::TypeChanged { .. }
            | Self::Job(_)
            | Self::Marked { .. } => return None,
        })
    }

    /// Whether it ends the case or takes it up again.
    pub(crate) const fn turns(&self) -> bool {
        matches!(self, Self::Closed { .. } | Self::Cancelled | Self::Reopened { .. })
    }

    /// Whether only an officer who may decide such cases can have entered it.
    pub(crate) const fn is_a_decision(&self) -> bool {
        self.turns()
            || matches!(
                self,
                Self::Assessed { .. } | Self::Decided(_) | Self::Extended { .. } | Self::Enforcement(_)
            )
    }
}

/// Where a case is. An outcome exists exactly while it is closed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub(crate) enum Status {
    Open,
    Closed { outcome: OutcomeCode, kind: OutcomeKind },
    Cancelled,
}

/// What the entries come to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Standing {
    pub(crate) request_type: RequestTypeCode,
    pub(crate) status: Status,
    pub(crate) team: TeamName,
    pub(crate) officer: Option<OfficerId>,
    pub(crate) times_reopened: u32,
    /// When it was closed or cancelled, unless it is open.
    pub(crate) ended_at: Option<Instant>,
    /// What it waits for from the person, and since when; nothing unless it is open.
    pub(crate) waiting_for: BTreeMap<InformationWanted, Day>,
    /// The decision that it is to be closed with.
    pub(crate) decision: Option<Decided>,
    /// Who had a part in deciding it.
    pub(crate) deciders: BTreeSet<OfficerId>,
    /// Who was asked for findings and has given none yet.
    pub(crate) asked: Vec<ExternalId>,
    /// The job that it is to its contractor, the last there was.
    pub(crate) job: Option<Job>,
    /// Its appointments, in the order in which they were booked.
    pub(crate) appointments: Vec<Appointment>,
    /// Its files, in the order in which they were added.
    pub(crate) attachments: Vec<AttachmentSummary>,
    /// What was found of what may be an offence, and done against it.
    pub(crate) enforcement: Enforcement,
    /// The remedies: by when, and whether done.
    pub(crate) remedies: Vec<(Day, bool)>,
    /// The open answers that the request was made with, as words: what its targets depend on.
    pub(crate) open_answers: BTreeMap<QuestionId, String>,
    /// The day that somebody else set.
    pub(crate) set_day: Option<Day>,
    /// The day that its clocks run from, and the instant where it is of that day.
    pub(crate) started: (Day, Option<Instant>),
    /// What moved its clocks since.
    pub(crate) moved: Vec<Entered>,
}

impl Standing {
    /// As it was opened.
    pub(crate) fn opened(request_type: RequestTypeCode, team: TeamName, received_on: Day, at: Option<Instant>) -> Self {
        Self {
            request_type,
            status: Status::Open,
            team,
            officer: None,
            times_reopened: 0,
            ended_at: None,
            waiting_for: BTreeMap::new(),
            decision: None,
            deciders: BTreeSet::new(),
            asked: Vec::new(),
            job: None,
            appointments: Vec::new(),
            attachments: Vec::new(),
            enforcement: Enforcement::default(),
            remedies: Vec::new(),
            open_answers: BTreeMap::new(),
            set_day: None,
            started: (received_on, at),
            moved: Vec::new(),
        }
    }

    /// With one more entry.
    pub(crate) fn enter(&mut self, entry: &Entry) {
        let open = self.status == Status::Open;
        match &entry.what {
            Entered::Noted | Entered::Contacted | Entered::Linked { .. } | Entered::Marked { .. } => {}
            Entered::Assigned { team, officer } => (self.team, self.officer) = (team.clone(), officer.clone()),
            // What is asked while it is closed was asked before it was found to be closed still.
            Entered::Asked { wanted, on } if open => {
                self.waiting_for.entry(*wanted).or_insert(*on);
                self.moved.push(entry.what.clone());
            }
            Entered::Provided { wanted, .. } if open => {
                self.waiting_for.remove(wanted);
                self.moved.push(entry.what.clone());
            }
            Entered::Asked { .. } | Entered::Provided { .. } => {}
            Entered::Acknowledged { .. } | Entered::Extended { .. } => self.moved.push(entry.what.clone()),
            Entered::DaySet { due_on } => self.set_day = Some(*due_on),
            Entered::Assessed { by } => _ = self.deciders.insert(by.clone()),
            Entered::Decided(decided) => {
                self.deciders.insert(decided.by.clone());
                self.decision = Some(decided.clone());
            }
            Entered::SentOut { to } => self.asked.push(to.clone()),
            Entered::Found { by } => {
                if let Some(place) = self.asked.iter().position(|asked| asked == by) {
                    self.asked.remove(place);
                }
            }
            Entered::RemedyAgreed { due_on } => self.remedies.push((*due_on, false)),
            Entered::RemedyDone { number } => {
                if let Some((_, done)) = remedy(&mut self.remedies, *number) {
                    *done = true;
                }
            }
            Entered::TypeChanged {
                request_type,
                team,
                open_answers,
            } => {
                self.open_answers = open_answers.clone();
                (self.request_type, self.team, self.officer) = (request_type.clone(), team.clone(), None);
                (self.decision, self.set_day) = (None, None);
            }
            Entered::Job(job) => job.enter(&mut self.job, entry.at),
            Entered::Attached(attachment) => self.attachments.push(attachment.clone()),
            Entered::Appointment(appointment) => appointment.enter(&mut self.appointments),
            Entered::Enforcement(enforcement) => enforcement.enter(&mut self.enforcement, entry.number),
            Entered::Closed { outcome, kind, by } => {
                let (outcome, kind) = (outcome.clone(), *kind);
                self.end(Status::Closed { outcome, kind }, entry.at);
                self.deciders.extend(by.clone());
            }
            Entered::Cancelled => self.end(Status::Cancelled, entry.at),
            Entered::Reopened { team, received_on } => {
                (self.status, self.ended_at, self.officer) = (Status::Open, None, None);
                self.team = team.clone();
                self.times_reopened = self.times_reopened.saturating_add(1);
                (self.decision, self.set_day) = (None, None);
                self.started = (*received_on, entry.at);
                self.moved.clear();
            }
        }
    }

    fn end(&mut self, status: Status, at: Option<Instant>) {
        self.status = status;
        self.ended_at = at;
        self.waiting_for.clear();
    }

    /// What came of it, while it is closed.
    pub(crate) const fn outcome(&self) -> Option<(&OutcomeCode, OutcomeKind)> {
        match &self.status {
            Status::Closed { outcome, kind } => Some((outcome, *kind)),
            Status::Open | Status::Cancelled => None,
        }
    }

    pub(crate) const fn status(&self) -> CaseStatus {
        match self.status {
            Status::Open => CaseStatus::Open,
            Status::Closed { .. } => CaseStatus::Closed,
            Status::Cancelled => CaseStatus::Cancelled,
        }
    }

    /// As an event tells it.
    pub(crate) fn told(&self) -> CaseStanding {
        CaseStanding {
            status: self.status(),
            outcome: self.outcome().map(|(outcome, _)| outcome.clone()),
            outcome_kind: self.outcome().map(|(_, kind)| kind),
            ended_at: self.ended_at,
            team: self.team.clone(),
            officer: self.officer.clone(),
            waiting_for: self.waiting_for.keys().copied().collect(),
            times_reopened: self.times_reopened,
        }
    }
}

/// The open answers in words: a flag as `true` or `false`, a choice as its value.
pub(crate) fn open_answers(answers: &Answers) -> BTreeMap<QuestionId, String> {
    let open = answers.iter().filter_map(|(question, answer)| match answer {
        Answer::Open(AnswerValue::Text(text)) => Some((question.clone(), text.to_string())),
        Answer::Open(AnswerValue::Flag(flag)) => Some((question.clone(), flag.to_string())),
        _ => None,
    });
    open.collect()
}

/// A remedy, by its number.
pub(crate) fn remedy(remedies: &mut [(Day, bool)], number: u32) -> Option<&mut (Day, bool)> {
    let place = usize::try_from(number).ok()?.checked_sub(1)?;
    remedies.get_mut(place)
}
