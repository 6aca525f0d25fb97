//! Why a command was not accepted: every rule that can say no, with a code that callers may rely on.
//!
//! `docs/rejections.md` lists them; a test keeps it in step.

use schemas::problem::{FieldError, Problem, ProblemKind};

macro_rules! rejections {
    ($(
        $(#[doc = $doc:literal])+
        $name:ident $({ $($field:ident: $type:ty = $example:expr),+ })?, $kind:ident, $code:literal, $pointer:expr, $sentence:literal;
    )+) => {
        /// Why the rules don't allow a command. Displayed, it is a sentence for people that says what to do.
        #[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
        pub enum Rejection {
            $(
                $(#[doc = $doc])+
                #[error($sentence)]
                $name $({
                    $(#[doc = concat!("The ", stringify!($field), " concerned.")] $field: $type),+
                })?,
            )+
        }

        impl Rejection {
            /// The stable code.
            #[must_use]
            pub const fn code(&self) -> &'static str {
                match self { $(Self::$name { .. } => $code),+ }
            }

            /// What kind of refusal it is.
            #[must_use]
            pub const fn kind(&self) -> ProblemKind {
                match self { $(Self::$name { .. } => ProblemKind::$kind),+ }
            }

            /// The field that it is about, as a JSON pointer; empty for the whole.
            #[must_use]
            pub const fn pointer(&self) -> &'static str {
                match self { $(Self::$name { .. } => $pointer),+ }
            }

            /// One of each, for their list.
            #[must_use]
            pub fn examples() -> Vec<Self> {
                vec![$(Self::$name $({ $($field: $example),+ })?),+]
            }
        }
    };
}

rejections! {
    /// No stream of that id, or one of another kind.
    UnknownCase, NotFound, "unknown_case", "", "there is no such case: check its id or reference";
    /// No stream of that id, or one of another kind.
    UnknownCustomer, NotFound, "unknown_customer", "", "there is no such customer: register them first";
    /// A command that begins a stream, on one that is there.
    AlreadyExists, NotAllowed, "already_exists", "", "this exists already: send the next command under a new id";
    /// Later than now.
    OccurredInTheFuture, Invalid, "in_the_future", "/occurred_at", "what has happened can't lie in the future";
    /// Earlier than the stream's first event.
    OccurredBeforeTheFirst, Invalid, "before_the_first", "/occurred_at", "nothing can happen before the first event of its stream: give a later time";
    /// Earlier than the closing that it speaks of.
    OccurredBeforeTheClosing, Invalid, "before_the_closing", "/occurred_at", "a case can't be reopened before it was closed: give a later time";
    /// Asked to be reopened before it was closed.
    ReceivedBeforeTheClosing, Invalid, "before_the_closing", "/received_on", "nobody can have asked to reopen a case before it was closed";
    /// Later than today.
    ReceivedInTheFuture, Invalid, "in_the_future", "/received_on", "what was received can't lie in the future";
    /// A kind of actor that this command is not for.
    ActorNotAllowed, NotAllowed, "actor_not_allowed", "/actor/kind", "this kind of actor may not do this";

    /// What is said to have happened before the request came.
    BeforeTheReceipt, Invalid, "before_the_receipt", "/received_on", "this can't have happened before the request was received";

    /// Acts for somebody who did not let them, or beyond what they may.
    NotTheirRepresentative, NotAllowed, "not_their_representative", "/actor/id", "no authority to act for this customer in this service stands today: record it first";
    /// Acts for one customer in the matter of another.
    OnBehalfOfAnother, Invalid, "on_behalf_of_another", "/on_behalf_of", "a representative acts for the customer whose matter it is: name that customer";
    /// A resident in somebody else's matter.
    NotTheirs, NotAllowed, "not_theirs", "/actor/id", "a resident acts in their own matters: who acts for somebody else is their representative";
    /// Asked in the name of somebody who died.
    CustomerDied, NotAllowed, "customer_died", "/actor", "this customer is recorded as having died: an officer or a representative has to act";
    /// A record that was merged.
    CustomerMerged { into: String = "90f9aa8f-c795-5f76-a4d7-68c0ad433bc8".to_owned() }, NotAllowed, "customer_merged", "", "this record was merged: use the one that is kept, {into}";
    /// A case for a record that was merged.
    OpenedForMerged { into: String = "90f9aa8f-c795-5f76-a4d7-68c0ad433bc8".to_owned() }, NotAllowed, "customer_merged", "/customer_id", "this record was merged: use the one that is kept, {into}";
    /// Lets themselves act for themselves.
    RepresentsThemselves, Invalid, "represents_themselves", "/representative", "nobody represents themselves: give somebody else";
    /// Lets somebody act for another person.
    AuthorisesForAnother, NotAllowed, "authorises_for_another", "/actor/id", "only the customer, or an officer who saw the authority, can let somebody act for them";
    /// An authority that is over already.
    AuthorityOver, Invalid, "authority_over", "/until", "this authority is over already: give a day to come";
    /// A review that is not to come.
    ReviewPast, Invalid, "review_past", "/review_on", "give a day to come on which the marker is looked at again";
    /// A marker that ends before it is looked at again.
    ExpiresBeforeReview, Invalid, "expires_before_review", "/expires_on", "a marker lasts at least until it is looked at again";
    /// A marker that the customer has not.
    UnknownMarker, NotFound, "unknown_marker", "/marker", "the customer has no such marker: they are counted from 1";
    /// Merged into nobody.
    UnknownOtherCustomer, NotFound, "unknown_customer", "/into", "there is no such customer: check the id";
    /// Merged into itself.
    MergedIntoItself, Invalid, "merged_into_itself", "/into", "a record can't be merged into itself";
    /// Merged into a record that was merged.
    MergedIntoMerged, NotAllowed, "merged_into_merged", "/into", "that record was merged itself: give the one that is kept";
    /// Merged, though others were merged into it.
    OthersMergedIntoIt, NotAllowed, "others_merged_into_it", "", "other records were merged into this one: merge the other way round, or part them first";
    /// Parted without having been merged.
    NotMerged, NotAllowed, "not_merged", "", "this record was not merged";

    /// Not in the catalogue.
    UnknownRequestType, Invalid, "unknown_request_type", "/request_type", "the catalogue has no such request type";
    /// No longer in the catalogue.
    RequestTypeGone, NotAllowed, "request_type_gone", "", "the catalogue no longer has this case's request type: put it back";
    /// A new case that was given no reference.
    NoReference, NotAllowed, "no_reference", "", "no reference was taken for the new case: send the command again";
    /// The type is not for anonymous reports.
    CustomerRequired, Invalid, "customer_required", "/customer_id", "this request type needs a customer: register them and give their id";
    /// The type is not taken over this channel.
    ChannelNotOffered, Invalid, "channel_not_offered", "/channel", "this request type is not taken over this channel";
    /// Answers that are not what was asked for.
    InvalidAnswers { faults: Vec<FieldError> = Vec::new() }, Invalid, "invalid_answers", "/answers", "the answers are not what this request type asks for";

    /// The case is closed, and the command is for open ones.
    CaseClosed, NotAllowed, "case_closed", "", "the case is closed: reopen it first";
    /// The case is cancelled, and the command is for others.
    CaseCancelled, NotAllowed, "case_cancelled", "", "the case is cancelled: submit a new request";
    /// Closed twice.
    AlreadyClosed, NotAllowed, "already_closed", "", "the case is closed already";
    /// Cancelled twice.
    AlreadyCancelled, NotAllowed, "already_cancelled", "", "the case is cancelled already";
    /// An update that says nothing.
    NothingGiven, Invalid, "nothing_given", "", "give at least one field to change";

    /// An officer whom the register does not vouch for.
    ActorNotRegistered, NotAllowed, "actor_not_registered", "/actor/id", "the officer register has no such officer who may act today";
    /// Asked of nobody.
    NobodyToAsk, NotAllowed, "nobody_to_ask", "", "the report is anonymous: there is nobody to ask";
    /// To be answered by a day that is no longer to come.
    AnswerByPast, Invalid, "answer_by_past", "/answer_by", "give a day after the one on which it is asked";
    /// An answer that came before its question.
    ReceivedBeforeAsked, Invalid, "before_the_question", "/received_on", "an answer can't have come before it was asked for";
    /// An answer to what nobody asked, or what was answered.
    NotWaitingFor, NotAllowed, "not_waiting_for", "/wanted", "the case does not wait for this: update it instead";

    /// Reopened while open.
    NotClosed, NotAllowed, "not_closed", "", "the case is open: only a closed one can be reopened";
    /// Cancelled on nobody's behalf by an officer who may not decide.
    CancellingNotAuthorised, NotAllowed, "cancelling_not_authorised", "/actor", "this officer is of no team that may end such a case: say on whose behalf, or ask an officer who may decide";
    /// Reopened, or cancelled by an officer, without saying why.
    ReasonRequired, Invalid, "reason_required", "/reason", "say why: give a reason";
    /// Reopened too late.
    ReopeningPeriodOver { successor: String = "missed-bin".to_owned() }, NotAllowed, "reopening_period_over", "",
        "the time for reopening is over: submit a new request of type {successor}";

    /// Given to a team that is not in the catalogue.
    UnknownTeam, Invalid, "unknown_team", "/team", "the catalogue has no such team";
    /// Given to an officer whom the register does not vouch for.
    AssigneeNotRegistered, Invalid, "officer_not_registered", "/officer", "the officer register has no such officer who may act today";
    /// Given to an officer of another team.
    AssigneeNotOfTeam, Invalid, "officer_not_of_team", "/officer", "this officer is not of this team";

    /// Not an outcome of the type.
    UnknownOutcome { outcome: String = "collected".to_owned() }, Invalid, "unknown_outcome", "/outcome", "this request type has no outcome {outcome}";
    /// An outcome that stands for what another system left unsaid.
    OutcomeImportedOnly, NotAllowed, "outcome_imported_only", "/outcome", "this outcome is for imported cases only: choose what came of this one";
    /// Nobody who may answer for the outcome is named.
    OfficerRequired, NotAllowed, "officer_required", "/decided_by", "name the officer who decided";
    /// The decider left unrecorded by a client without that right.
    DeciderMustBeNamed, NotAllowed, "decider_must_be_named", "/decided_by", "this client may not leave the decider unrecorded: name the officer";
    /// An officer whom the register does not vouch for.
    OfficerNotRegistered, NotAllowed, "officer_not_registered", "/decided_by", "the officer register has no such officer who may act today";
    /// An officer of none of the teams that may close such a case.
    OfficerNotAuthorised, NotAllowed, "officer_not_authorised", "/decided_by", "this officer is of no team that may close such a case";
    /// A job of a type that no contractor delivers.
    NotDeliveredByContractor, NotAllowed, "not_delivered_by_contractor", "", "no contractor delivers this request type";
    /// A contractor that closes a case instead of reporting its job.
    ReportTheJob, NotAllowed, "report_the_job", "/actor/kind", "a contractor reports what became of its job: send ReportJobDone or ReportJobFailed";
    /// A job that the case has not.
    UnknownJob, NotFound, "unknown_job", "/job", "the case has no such job or attempt: take both from the feed";
    /// A job of somebody else.
    NotTheirJob, Forbidden, "not_their_job", "/job", "this job is another contractor's, or is no longer this one's: the feed says which jobs are";
    /// A report on an attempt that is over.
    JobReopenedSince { attempt: u32 = 2 }, Conflict, "job_reopened_since", "/job/attempt", "the job was taken up again since, it is at attempt {attempt}: read the feed, and report what was done after that";
    /// A report on a job that ended, or that the council looks at.
    JobNotWithContractor, NotAllowed, "job_not_with_contractor", "/job", "the job is not with the contractor: it was reported, rejected or cancelled";
    /// Done before it was raised or taken up again.
    OccurredBeforeTheJob, Invalid, "before_the_job", "/occurred_at", "this can't have happened before the job was raised, or taken up again";
    /// A code that the contractor's code map has not. The report is put aside for the council.
    UnknownContractorCode { code: String = "COL-2".to_owned() }, Invalid, "unknown_code", "/code", "the council's code map has no {code} for this: use one that was agreed, or ask the council to add it; the report was put aside for it";
    /// Accepted or sent back without a report.
    JobNotReportedDone, NotAllowed, "job_not_reported_done", "/job", "nobody reported this job as done, or it was accepted already";
    /// Raised again while a report waits.
    JobToBeAccepted, NotAllowed, "job_to_be_accepted", "", "the contractor has reported this job as done: accept it or send it back";
    /// An officer's outcome without reasons.
    ReasonsRequired, Invalid, "reasons_required", "/reasons", "give the reasons, as the person concerned may read them";
    /// Closed with another outcome than the one that was decided.
    NotTheDecidedOutcome, NotAllowed, "not_the_decided_outcome", "/outcome", "an officer has decided on another outcome: record a new decision first";
    /// Closed as it was decided, with other words than it was decided with.
    DecidedAlready, NotAllowed, "decided_already", "/reasons", "an officer has decided this, with reasons and the rule: leave them out, or record a new decision";
    /// A decision on what only work ends with.
    NotADecision, Invalid, "not_a_decision", "/outcome", "this outcome is the end of some work, nothing to be decided: close the case with it";
    /// An outcome that rests on exemptions, without any.
    ExemptionsRequired, Invalid, "exemptions_required", "/exemptions", "name the exemptions or exceptions that this rests on, each by its section";
    /// Exemptions with an outcome that rests on none.
    ExemptionsNotExpected, Invalid, "exemptions_not_expected", "/exemptions", "this outcome rests on no exemption: leave them out";
    /// Issued, though it was not granted.
    NotGranted, NotAllowed, "not_granted", "", "nothing was granted here that could be issued: record the decision first";
    /// Issued on a day to come.
    IssuedInTheFuture, Invalid, "in_the_future", "/issued_on", "what was issued can't lie in the future";
    /// Issued before it was applied for.
    IssuedBeforeTheReceipt, Invalid, "before_the_receipt", "/issued_on", "this can't have been issued before it was applied for";
    /// Valid for longer than the law allows, or not at all.
    NotValidSoLong, Invalid, "not_valid_so_long", "/valid_until", "a badge is valid for at most three years, beginning with the day of issue";
    /// The next stage decided by somebody who had a part in the stage before.
    SameReviewer, NotAllowed, "same_reviewer", "/decided_by", "this officer had a part in deciding the case that is looked at again: another has to";

    /// Rounds of a contractor that has none.
    NoRounds, NotAllowed, "no_rounds", "", "the catalogue knows of no rounds of this contractor: add them to its file";
    /// Told of a day that has not come.
    RoundToCome, Invalid, "in_the_future", "/day", "this day has not come yet";
    /// A payment that the case has not.
    UnknownPayment, NotFound, "unknown_payment", "/payment", "the case has no such payment: they are counted from 1";
    /// Paid, failed or given up where nothing is to be paid any more.
    NothingOutstanding, NotAllowed, "nothing_outstanding", "/payment", "nothing of this payment is outstanding: what was taken all the same has to go back";
    /// Another amount than is outstanding.
    WrongAmount { outstanding: u32 = 5500 }, Invalid, "wrong_amount", "/pence", "the whole of what is outstanding is paid: {outstanding} pence";
    /// Not in pounds.
    WrongCurrency, Invalid, "wrong_currency", "/currency", "the council takes pounds sterling: GBP";
    /// A payment or refund of nothing.
    NoAmount, Invalid, "no_amount", "/pence", "give at least one penny";
    /// A concession that takes nothing off.
    NoConcession, Invalid, "no_concession", "/pence", "a concession asks for less than is due";
    /// More given back than was paid.
    MoreThanPaid { refundable: u32 = 2500 }, Invalid, "more_than_paid", "/pence", "of what was paid, {refundable} pence can still go back";
    /// Given back what nobody decided.
    RefundNotDecided { owed: u32 = 0 }, NotAllowed, "refund_not_decided", "/pence", "what goes back is decided first: {owed} pence are owed";
    /// Issued, or given to a contractor, though it waits for its payment.
    PaymentOutstanding, NotAllowed, "payment_outstanding", "", "the case waits for its payment: record it, grant a concession, or write it off";

    /// Booked for a type whose appointments are in no calendar.
    NoAppointments, NotAllowed, "no_appointments", "", "appointments of this request type are in no calendar: the team agrees on them with the resident";
    /// A slot that the calendar has not.
    SlotNotOffered, Invalid, "slot_not_offered", "/slot", "the calendar has no such slot: the query Slots says which there are";
    /// A slot that is past, or begins too soon.
    SlotTooSoon { hours: u16 = 24 }, Invalid, "slot_too_soon", "/slot", "this slot is past, or begins too soon: choose one that begins {hours} hours from now or later";
    /// A slot further ahead than the calendar offers.
    SlotTooFarAhead { days: u16 = 90 }, Invalid, "slot_too_far_ahead", "/slot", "this slot is too far ahead: choose one of the next {days} days";
    /// A slot in which every place is taken.
    SlotFull, Conflict, "slot_full", "/slot", "every place in this slot is taken: choose another, the query Slots says which have one left";
    /// Booked or moved while the council looks at what its contractor did not take.
    CouncilLooksAtIt, NotAllowed, "council_looks_at_it", "", "the council looks at this request first: an officer books for it";
    /// Booked, though an appointment is to come.
    AlreadyBooked, NotAllowed, "already_booked", "", "the case has an appointment to come: move that one";
    /// Moved or given up, though none is to come.
    NotBooked, NotAllowed, "not_booked", "", "the case has no appointment to come: book one, or say what became of the last";
    /// What became of an appointment that is none, was moved, given up, or of which it was said already.
    UnknownAppointment, NotFound, "unknown_appointment", "/slot", "the case has no appointment in this slot of which that can be said: it was moved, given up, or it was said already";
    /// What became of an appointment that has not begun.
    AppointmentToCome, NotAllowed, "appointment_to_come", "/slot", "this appointment has not begun: say what became of it afterwards";

    /// A file for a council that has nowhere to keep it.
    NoAttachments, NotAllowed, "no_attachments", "", "this council keeps no files yet: its command-service has no store for them";
    /// A photo that is no picture.
    PhotoNotAPicture, Invalid, "photo_not_a_picture", "/media_type", "a photo is a picture: JPEG, PNG or WebP";
    /// One file more than a case has room for.
    TooManyAttachments, NotAllowed, "too_many_attachments", "", "the case has a hundred files: put what belongs together into one PDF";

    /// A next stage that follows nothing.
    FollowsRequired, Invalid, "follows_required", "/follows", "this is the next stage of another case: say of which; where that is in no system, an officer submits it and says why";
    /// The case that this is the next stage of is not there.
    UnknownEarlierCase, NotFound, "unknown_case", "/follows", "there is no such case: check its id";
    /// It is not closed.
    EarlierCaseNotClosed, NotAllowed, "earlier_case_not_closed", "/follows", "the case before is not closed: its next stage begins when it is";
    /// It is another person's.
    EarlierCaseOfAnother, NotAllowed, "earlier_case_of_another", "/follows", "the case before is not this customer's";
    /// Another type comes after it.
    NotItsNextStage, NotAllowed, "not_its_next_stage", "/follows", "the catalogue says that another request type follows that case";

    /// The case to link to is not there.
    UnknownOtherCase, NotFound, "unknown_case", "/case_id", "there is no such case: check its id";
    /// A case is linked to itself.
    LinkedToItself, Invalid, "linked_to_itself", "/case_id", "a case can't be linked to itself: give the other's id";
    /// Time taken on a ground that none of the type's clocks knows.
    ExtensionNotForThisType, NotAllowed, "extension_not_for_this_type", "/ground", "time can't be taken on this ground for this request type";
    /// A complaint's extension without its days, or days with another.
    ExtensionDays, Invalid, "extension_days", "/working_days", "say how many working days more, at least one, for a complaint; for nothing else";
    /// Time taken too late, or twice.
    ExtensionWithoutEffect, NotAllowed, "extension_without_effect", "/ground", "this gives no more time: it was told too late, or taken already";
    /// A day set in a type of which the council, or the law, sets it.
    NobodySetsTheDay, NotAllowed, "nobody_sets_the_day", "", "nobody else sets the day for this request type";
    /// A day before the request came.
    DeadlineBeforeTheReceipt, Invalid, "before_the_receipt", "/due_on", "the day can't be before the request was received";
    /// Findings asked of somebody whom the catalogue does not list.
    UnknownRecipient, NotAllowed, "unknown_recipient", "/recipient", "the catalogue allows nothing of this request type to be shared with them";
    /// Findings of somebody who was not asked, or has answered.
    NobodyAskedThem, NotAllowed, "nobody_asked_them", "/recipient", "they were not asked about this case, or have answered already";
    /// A remedy of what is no complaint.
    RemedyNotForThisType, NotAllowed, "remedy_not_for_this_type", "", "remedies are agreed on in complaints and the ombudsman's enquiries";
    /// A remedy that was due before it was agreed on.
    RemedyDuePast, Invalid, "remedy_due_past", "/due_on", "a remedy can't be due before it is agreed on";
    /// A remedy that the case has not.
    UnknownRemedy, NotFound, "unknown_remedy", "/remedy", "the case has no such remedy: they are counted from 1";

    /// Made of a type of another service.
    TypeOfAnotherService, NotAllowed, "type_of_another_service", "/request_type", "this type is another service's: submit a new request of it, received on the same day, link the two, and cancel this one";
    /// Made of a type that needs a customer, without one.
    TypeNeedsCustomer, NotAllowed, "customer_required", "/request_type", "this request type needs a customer, and the report was anonymous";
    /// An entry that the case has not.
    UnknownEntry, NotFound, "unknown_entry", "/entry", "the case has no entry of this number";
    /// Struck out twice.
    EntryStruckAlready, NotAllowed, "entry_struck_already", "/entry", "this entry is struck out already";
    /// An entry that stands.
    EntryNotCorrectable, NotAllowed, "entry_not_correctable", "/entry", "an entry of this kind can't be struck out: put it right by the next command";
    /// An ending or reopening that another came after.
    EntryNotTheLast, NotAllowed, "entry_not_the_last", "/entry", "the case was closed, cancelled or reopened since: strike that out first";
    /// A decision struck out by an officer who may not decide.
    CorrectingNotAuthorised, NotAllowed, "correcting_not_authorised", "/actor/id", "this officer is of no team that may decide such cases";
    /// Of a type that is nobody's offence.
    NotEnforced, NotAllowed, "not_enforced", "", "the catalogue says of this request type that nothing is enforced";
    /// Whoever complained, named as who it is about.
    ComplainantNamed, NotAllowed, "complainant_named", "/subject", "this is the customer whose case it is, or was: a case is about somebody else";
    /// Named under a record that was merged.
    SubjectMerged { into: String = "90f9aa8f-c795-5f76-a4d7-68c0ad433bc8".to_owned() }, NotAllowed, "customer_merged", "/subject", "this record was merged: use the one that is kept, {into}";
    /// An officer of another team.
    EnforcerNotAuthorised, NotAllowed, "enforcer_not_authorised", "/actor/id", "this officer is of no team that decides such cases";
    /// Found by the crew after somebody recorded it.
    IncidentKnown, NotAllowed, "incident_known", "", "what was found is recorded already: an officer puts it right";
    /// Made of a type that nobody enforces, where it may be somebody's offence.
    LeavesEnforcement, NotAllowed, "leaves_enforcement", "/request_type", "this may be somebody's offence, and who reported it is told to nobody: submit a new request of that type, link the two, and cancel this one";
    /// Somebody whom the case is not about.
    SubjectNotNamed, NotAllowed, "subject_not_named", "/subject", "the case is not about them: name them first, with the grounds";
    /// Something done against somebody, and not said whom.
    SubjectRequired, Invalid, "subject_required", "/subject", "this is done against somebody: say against whom";
    /// A fixed penalty without a penalty, or a penalty of something else.
    PenaltyOfAFixedPenalty, Invalid, "penalty_of_a_fixed_penalty", "/penalty_pence", "a fixed penalty has a penalty, and nothing else has";
    /// Done later than today.
    ActionInTheFuture, Invalid, "in_the_future", "/taken_on", "what was done can't lie in the future";
    /// Done before the report came.
    ActionBeforeTheReceipt, Invalid, "before_the_receipt", "/taken_on", "this can't have been done before the report was received";
    /// An action that the case has not.
    UnknownAction, NotFound, "unknown_action", "/action", "the case has no action with this number: its history shows them";
    /// A result that such an action can't have.
    NoSuchResult, Invalid, "no_such_result", "/result", "such an action does not end so";
    /// A result before the action, or later than today.
    ResultOutOfTime, Invalid, "result_out_of_time", "/on", "give a day from the action on, today at the latest";
    /// Acts in the case that is about them.
    ActsInACaseAboutThem, NotAllowed, "case_about_them", "/actor/id", "this person may not act in this case";
    /// The case of whoever complained, given to whom it is about.
    MovedToWhomItIsAbout, NotAllowed, "moved_to_whom_it_is_about", "/customer_id", "the case is about this customer: it can't become theirs";

    /// No stream of that id, or one of another kind.
    UnknownEntitlement, NotFound, "unknown_entitlement", "", "there is no such entitlement: check its id";
    /// Granted by a case of a type that grants nothing with a term.
    NothingWithATerm, NotAllowed, "nothing_with_a_term", "/case_id", "the catalogue says of this case's type that it grants nothing with a term";
    /// Granted by a case that was not decided so.
    CaseGrantsNothing, NotAllowed, "not_granted", "/case_id", "this case was not granted: record the decision on it first";
    /// Granted before it was paid.
    GrantNotPaid, NotAllowed, "payment_outstanding", "/case_id", "something has to be paid on this case first";
    /// Granted by a case that is nobody's.
    GrantedToNobody, NotAllowed, "customer_required", "/case_id", "this case has no customer: move it to whose it is first";
    /// Granted to somebody who died.
    GrantedToTheDead, NotAllowed, "customer_died", "/case_id", "this case's customer is recorded as having died";
    /// What belongs to a property, without one.
    PropertyRequired, Invalid, "property_required", "/property", "this belongs to a property: give its UPRN";
    /// A term that began before it was asked for.
    TermBeforeTheReceipt, Invalid, "before_the_receipt", "/starts_on", "a term can't begin before the request was received";
    /// A term that begins in years.
    TermTooFar, Invalid, "term_too_far", "/starts_on", "a term begins within a year: check the day";
    /// A term longer than the catalogue allows, or that ends before it begins.
    TermNotSoLong { longest: String = "2029-05-31".to_owned() }, Invalid, "term_not_so_long", "/ends_on", "a term ends no sooner than it begins, and no later than {longest}";
    /// A term that begins within the last.
    TermsOverlap, Invalid, "terms_overlap", "/starts_on", "the new term begins after the last one ends";
    /// Renewed, changed or ended after its end.
    EntitlementOver, NotAllowed, "entitlement_over", "", "this entitlement is over: what was ended is granted anew, what expired can be renewed";
    /// Renewed by somebody else's case.
    RenewedForAnother, NotAllowed, "renewed_for_another", "/case_id", "this case is another customer's";
    /// Renewed by a case that grants something else.
    GrantsSomethingElse, NotAllowed, "grants_something_else", "/case_id", "this case's type grants something else";
    /// Renewed before its window.
    RenewalTooEarly { from: String = "2029-03-09".to_owned() }, NotAllowed, "renewal_too_early", "", "this can be renewed from {from} on";
    /// In the place of what this case did not grant by mistake.
    ReplacesNothing, NotAllowed, "replaces_nothing", "/replaces", "only what this case granted, and what was ended as granted by mistake, is granted anew";
    /// Renewed for a term that is over.
    TermOver, Invalid, "term_over", "/ends_on", "this term would be over already";
    /// Ended before it began.
    EndedBeforeItBegan, Invalid, "ended_before_it_began", "/ended_on", "it can't have ended before it began: leave the day out where it had not begun";
    /// Ended on a day to come, or after its term.
    EndedInTheFuture, Invalid, "ended_in_the_future", "/ended_on", "give the last day on which it held: today or a day before, within its term";

    /// A clock that has not come so far.
    NotYet, NotAllowed, "not_yet", "/mark", "the clock has not come to this yet: say it when it has";
}

impl From<Rejection> for Problem {
    fn from(rejection: Rejection) -> Self {
        match rejection {
            Rejection::InvalidAnswers { faults } if !faults.is_empty() => Self::new(ProblemKind::Invalid, faults),
            other => Self::one(other.kind(), other.pointer(), other.code(), other.to_string()),
        }
    }
}
