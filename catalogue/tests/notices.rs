//! What a resident reads.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "what the tests share stands outside test functions"
)]

use catalogue::{Catalogue, Notice, NoticeContext, notice};
use schemas::{OutcomeCode, QuestionId, Reference, RequestTypeCode};

fn make(name: &str, code: &str, change: impl FnOnce(&Catalogue, NoticeContext) -> NoticeContext) -> Notice {
    let catalogue = Catalogue::built_in().unwrap();
    let request_type = catalogue.request_type(&RequestTypeCode::new(code).unwrap()).unwrap();
    let reference = Reference::of_number("WAS", 7).unwrap();
    let context = NoticeContext::new(
        &catalogue,
        request_type,
        &reference,
        "2026-05-01T08:30:00Z".parse().unwrap(),
    );
    notice::render(
        &catalogue,
        &QuestionId::new(name).unwrap(),
        &change(&catalogue, context),
    )
    .unwrap()
}

/// `outcome` by an officer, or as a contractor reported it.
fn closed(outcome: &str, by_officer: bool, reasons: Option<&str>) -> Notice {
    make("request_closed", "missed-bin", |catalogue, context| {
        let request_type = catalogue
            .request_type(&RequestTypeCode::new("missed-bin").unwrap())
            .unwrap();
        let reasons = reasons.map(str::to_owned);
        context.closed(
            catalogue,
            request_type,
            &OutcomeCode::new(outcome).unwrap(),
            by_officer,
            reasons,
            "2026-05-01T08:30:00Z".parse().unwrap(),
        )
    })
}

#[test]
fn a_confirmation_says_what_was_received_and_what_happens_next() {
    let notice = make("request_received", "missed-bin", |_, context| {
        context.to(Some("Mrs Ada Lovelace".into()))
    });
    let reference = Reference::of_number("WAS", 7).unwrap();
    assert_eq!(notice.subject, format!("We have your request {reference}: Missed bin"));
    for part in [&notice.text, &notice.html] {
        for words in [
            "Dear Mrs Ada Lovelace",
            "9:30am on Friday 1 May 2026",
            "What happens next",
            reference.as_str(),
        ] {
            assert!(part.contains(words), "{words} is not in:\n{part}");
        }
    }
}

#[test]
fn a_closing_says_what_was_decided_why_and_how_to_go_on() {
    let notice = closed("not-presented", true, Some("The pictures show no bin."));
    for words in [
        "What was decided: Not put out in time",
        "The reasons: The pictures show no bin.",
        "reopen it until Friday 15 May 2026",
        "unhappy",
    ] {
        assert!(notice.text.contains(words), "{words} is not in:\n{}", notice.text);
    }
}

#[test]
fn a_reported_completion_is_told_as_reported() {
    let notice = closed("collected", false, None);
    assert!(notice.text.contains("What was reported: Collected"), "{}", notice.text);
    assert!(
        !notice.text.contains("The reasons") && !notice.text.contains("fixed"),
        "{}",
        notice.text
    );
    let reasoned = closed("collected", false, Some("Lid broken."));
    assert!(
        reasoned.text.contains("What we were told: Lid broken."),
        "{}",
        reasoned.text
    );
    assert!(reasoned.html.contains("What was reported") && reasoned.html.contains("What we were told"));
}

#[test]
fn a_completion_that_an_officer_answers_for_is_no_hearsay() {
    let notice = closed("collected", true, Some("I saw it empty."));
    for words in ["What was decided: Collected", "The reasons: I saw it empty."] {
        assert!(notice.text.contains(words), "{words} is not in:\n{}", notice.text);
    }
    // The type may have lost the outcome; whose word it was stays.
    let gone = closed("no-longer-known", true, Some("I saw it empty."));
    for part in [&notice.text, &notice.html, &gone.text, &gone.html] {
        assert!(part.contains("The reasons: "), "{part}");
        assert!(!part.contains("reported") && !part.contains("told"), "{part}");
    }
}

#[test]
fn reasons_keep_their_lines() {
    let notice = closed("not-presented", true, Some("The bin was out.\n\nBut too late."));
    assert!(
        notice.text.contains("The reasons: The bin was out.\n\nBut too late.\n"),
        "{}",
        notice.text
    );
    let kept = "<span style=\"white-space: pre-line\">The bin was out.\n\nBut too late.</span>";
    assert!(notice.html.contains(kept), "{}", notice.html);
}

#[test]
fn what_people_wrote_can_t_become_markup_or_a_header() {
    let notice = closed("not-presented", true, Some("<script>alert(1)</script>"));
    assert!(notice.text.contains("<script>"), "plain text stays as it is");
    assert!(!notice.html.contains("<script>"), "{}", notice.html);
    assert!(!notice.subject.contains('\n'));
}

#[test]
fn no_notice_promises_a_repair() {
    for name in Catalogue::built_in().unwrap().notices().names() {
        let notice = make(name.as_str(), "pothole", |_, context| context);
        assert!(!notice.text.to_lowercase().contains("fixed"), "{name}");
        assert!(!format!("{notice:?}").contains("Dear"), "a notice is personal");
    }
}

#[test]
fn an_appointment_is_told_by_london_s_clocks_and_with_where_to_come() {
    use schemas::CalendarName;
    use schemas::command::{Attendance, Slot};
    let told = |notice: &str, code: &str, calendar: &str, attendance| {
        make(notice, code, |catalogue, context| {
            let slot = Slot {
                day: "2026-05-22".parse().unwrap(),
                time: "10:00".parse().unwrap(),
            };
            let request_type = catalogue.request_type(&RequestTypeCode::new(code).unwrap()).unwrap();
            let calendar = CalendarName::new(calendar).unwrap();
            context.appointment(catalogue, request_type, &calendar, (slot, 120), attendance)
        })
    };
    let birth = told("appointment_booked", "birth", "births", None);
    for part in [&birth.text, &birth.html] {
        for words in [
            "at 10:00am on Friday 22 May 2026",
            "Please come to: The Register Office",
        ] {
            assert!(part.contains(words), "{words} is not in:\n{part}");
        }
    }
    let wasps = told("appointment_moved", "pest-treatment", "pest-visits", None);
    assert!(!wasps.text.contains("Please come"), "{}", wasps.text);
    for part in [&wasps.text, &wasps.html] {
        // Somebody comes within that time.
        let words = "between 10:00am and 12:00pm on Friday 22 May 2026";
        assert!(part.contains(words) && !part.contains("payment"), "{part}");
    }
    let sofa = told("appointment_booked", "bulky-item", "bulky-collections", None);
    for part in [&sofa.text, &sofa.html] {
        assert!(part.contains("nobody comes before your payment"), "{part}");
    }
    for (attendance, words) in [
        (Attendance::NoAccess, "could not get in"),
        (Attendance::NotKept, "We are sorry"),
        (Attendance::DidNotAttend, "you did not come"),
    ] {
        let missed = told("appointment_missed", "pest-treatment", "pest-visits", Some(attendance));
        assert!(
            missed.text.contains(words) && missed.html.contains(words),
            "{}",
            missed.text
        );
        assert!(missed.text.contains("book another time"), "{}", missed.text);
    }
}
