//! The clocks, case by case: those that the law's own readers worked out, and the traps between them.

use catalogue::calendar::BankHolidays;
use catalogue::clocks::ClockPolicies;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

mod information;

fn answer(clock: &str, started: &str, events: &Value) -> Result<Answer, String> {
    let (policies, holidays) = (ClockPolicies::built_in().unwrap(), BankHolidays::built_in().unwrap());
    let rules = ClockRules {
        policies: &policies,
        holidays: &holidays,
    };
    let text = |error: &dyn std::fmt::Display| error.to_string();
    let clock = clock.parse().map_err(|error| text(&error))?;
    let started = serde_json::from_value(json!(started)).map_err(|error| text(&error))?;
    let events: Vec<ClockEvent> = serde_json::from_value(events.clone()).map_err(|error| text(&error))?;
    due(rules, clock, started, &events).map_err(|error| text(&error))
}

/// Events from lines such as `fee_notice 2026-10-14`, one after another; further members as JSON behind them.
fn events(lines: &[&str]) -> Value {
    lines
        .iter()
        .map(|line| {
            let mut words = line.splitn(3, ' ');
            let (kind, on) = (words.next().unwrap(), words.next().unwrap());
            let mut event = json!({ "type": kind, "on": on });
            if let Some(more) = words.next() {
                let more: Value = serde_json::from_str(more).unwrap();
                event.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            }
            event
        })
        .collect()
}

#[track_caller]
fn leads_to(clock: &str, started: &str, lines: &[&str], expected: &str) {
    let answer = answer(clock, started, &events(lines));
    let due = answer.as_ref().map(|answer| answer.due.to_string());
    assert_eq!(due.as_deref(), Ok(expected), "{clock} {started} {lines:?}: {answer:#?}");
}

#[track_caller]
fn fails(clock: &str, started: &str, lines: &[&str], expected: &str) {
    let error = answer(clock, started, &events(lines)).unwrap_err();
    assert!(error.contains(expected), "{clock} {started} {lines:?}: {error}");
}

#[test]
fn subject_access_takes_a_month_to_the_same_date_and_rolls_on() {
    for (started, expected) in [
        ("2026-07-15", "2026-08-17"),
        ("2026-12-31", "2027-02-01"),
        ("2027-02-26", "2027-03-30"),
        ("2027-04-01", "2027-05-04"),
        ("2026-10-05", "2026-11-05"),
        // Scotland's holidays do not roll it (H5).
        ("2026-10-30", "2026-11-30"),
        // Before article 12A the month was the same.
        ("2026-01-05", "2026-02-05"),
    ] {
        leads_to("sar", started, &[], expected);
    }
}

#[test]
fn identity_and_fee_move_the_beginning_of_subject_access() {
    let july = "2026-07-15";
    leads_to("sar", july, &["id_requested 2026-07-16"], "SUSPENDED");
    leads_to(
        "sar",
        july,
        &["id_requested 2026-07-16", "id_received 2026-07-28"],
        "2026-08-28",
    );
    let both = [
        "id_requested 2026-07-16",
        "fee_requested 2026-07-16",
        "id_received 2026-07-28",
        "fee_paid 2026-07-20",
    ];
    leads_to("sar", july, &both, "2026-08-28");
    leads_to("sar", july, &both[..3], "SUSPENDED");
    // Whenever it was asked for: the relevant time is the latest of the three.
    let late = ["id_requested 2026-08-16", "id_received 2026-08-20"];
    leads_to("sar", july, &late, "2026-09-21");
    // What nobody asked for moves nothing.
    leads_to("sar", july, &["id_received 2026-07-28"], "2026-08-17");
}

#[test]
fn a_question_about_the_scope_pauses_subject_access() {
    let october = "2026-10-05";
    let asked = [
        "clarification_requested 2026-10-08",
        "clarification_received 2026-10-12",
    ];
    leads_to("sar", october, &asked, "2026-11-10");
    leads_to("sar", october, &asked[..1], "SUSPENDED");
    // Questions that overlap count once.
    let overlapping = [
        "clarification_requested 2026-10-08",
        "clarification_requested 2026-10-10",
        "clarification_received 2026-10-12",
        "clarification_received 2026-10-14",
    ];
    leads_to("sar", october, &overlapping, "2026-11-12");
    // One answer to two questions ends the pause; the other makes it longer. A third is none.
    leads_to("sar", october, &overlapping[..3], "2026-11-10");
    let unasked = [overlapping[0], overlapping[2], "clarification_received 2026-10-20"];
    leads_to("sar", october, &unasked, "2026-11-10");
    // One that opens on day 0 gains nothing for day 0.
    leads_to(
        "sar",
        october,
        &[
            "clarification_requested 2026-10-05",
            "clarification_received 2026-10-06",
        ],
        "2026-11-06",
    );
    leads_to(
        "sar",
        october,
        &[
            "clarification_requested 2026-10-05",
            "clarification_received 2026-10-05",
        ],
        "2026-11-05",
    );
    // One that opens after the last day changes nothing, though the due day has rolled on.
    let late = [
        "clarification_requested 2026-08-17",
        "clarification_received 2026-08-20",
    ];
    leads_to("sar", "2026-07-15", &late, "2026-08-17");
    leads_to("sar", "2026-07-15", &late[..1], "2026-08-17");
}

#[test]
fn subject_access_is_extended_to_three_months_by_a_notice_within_the_first() {
    leads_to("sar", "2026-07-15", &["extension_notice 2026-08-03"], "2026-10-15");
    leads_to("sar", "2026-07-15", &["extension_notice 2026-08-15"], "2026-10-15");
    // The due day has rolled on to 17 August, the month has not (H7).
    leads_to("sar", "2026-07-15", &["extension_notice 2026-08-17"], "2026-08-17");
    let paused = [
        "clarification_requested 2026-10-08",
        "clarification_received 2026-10-12",
        "extension_notice 2026-11-10",
    ];
    leads_to("sar", "2026-10-05", &paused, "2027-01-11");
}

#[test]
fn a_data_protection_complaint_is_acknowledged_within_thirty_days() {
    leads_to("dp_complaint_ack", "2026-10-01", &[], "2026-11-02");
    leads_to("dp_complaint_ack", "2026-06-19", &[], "2026-07-20");
    leads_to("dp_complaint_ack", "2026-06-18", &[], "NOT_APPLICABLE");
}

#[test]
fn a_complaint_is_answered_from_its_acknowledgement_on() {
    leads_to("complaint_s1_ack", "2026-10-05", &[], "2026-10-12");
    leads_to("complaint_s1", "2026-10-05", &["acknowledged 2026-10-08"], "2026-10-22");
    let extended = ["acknowledged 2026-10-08", "extension 2026-10-20 {\"working_days\": 10}"];
    leads_to("complaint_s1", "2026-10-05", &extended, "2026-11-05");
    leads_to("complaint_s2_ack", "2026-11-09", &[], "2026-11-16");
    leads_to("complaint_s2", "2026-11-09", &["acknowledged 2026-11-12"], "2026-12-10");
    let longer = ["acknowledged 2026-11-12", "extension 2026-12-01 {\"working_days\": 20}"];
    leads_to("complaint_s2", "2026-11-09", &longer, "2027-01-12");
    // Nobody has acknowledged it: counted from when that was due (H8).
    leads_to("complaint_s1", "2026-10-05", &[], "2026-10-26");
    // Late is late, and the answer runs from it all the same.
    leads_to("complaint_s1", "2026-10-05", &["acknowledged 2026-10-14"], "2026-10-28");
}

#[test]
fn a_complaint_is_extended_in_time_and_beyond_the_usual_with_a_good_reason_only() {
    let extension = |more: &str| {
        let line = format!("extension 2026-10-20 {{\"working_days\": 15{more}}}");
        answer(
            "complaint_s1",
            "2026-10-05",
            &events(&["acknowledged 2026-10-08", &line]),
        )
        .unwrap()
        .due
        .to_string()
    };
    assert_eq!(extension(""), "2026-11-05");
    assert_eq!(extension(", \"good_reason\": false"), "2026-11-05");
    assert_eq!(extension(", \"good_reason\": true"), "2026-11-12");
    assert_eq!(extension(", \"good_reason\": \"a witness is abroad\""), "2026-11-12");
    let late = ["acknowledged 2026-10-08", "extension 2026-10-23 {\"working_days\": 5}"];
    leads_to("complaint_s1", "2026-10-05", &late, "2026-10-22");
    // "Before the due date" (the Code) leaves the day itself out.
    let on_the_day = ["acknowledged 2026-10-08", "extension 2026-10-22 {\"working_days\": 5}"];
    leads_to("complaint_s1", "2026-10-05", &on_the_day, "2026-10-22");
    let twice = [
        "acknowledged 2026-10-08",
        "extension 2026-10-20 {\"working_days\": 6}",
        "extension 2026-10-29 {\"working_days\": 6}",
    ];
    leads_to("complaint_s1", "2026-10-05", &twice, "2026-11-05");
}

#[test]
fn blue_badges_are_decided_in_twelve_weeks_and_last_three_years() {
    leads_to("blue_badge", "2026-06-03", &[], "2026-08-26");
    let evidence = ["evidence_requested 2026-06-10", "evidence_received 2026-07-10"];
    leads_to("blue_badge", "2026-06-03", &evidence, "2026-08-26");
    leads_to("blue_badge_expiry", "2026-06-03", &[], "2029-06-02");
    leads_to(
        "blue_badge_expiry",
        "2026-06-03",
        &["award_ends 2028-01-31"],
        "2028-01-31",
    );
    leads_to(
        "blue_badge_expiry",
        "2026-06-03",
        &["award_ends 2031-01-31"],
        "2029-06-02",
    );
    leads_to(
        "blue_badge_expiry",
        "2026-06-03",
        &["child_under_3_born 2024-05-10"],
        "2027-05-11",
    );
    leads_to(
        "blue_badge_expiry",
        "2026-06-03",
        &["child_under_3_born 2024-02-29"],
        "2027-03-01",
    );
    leads_to(
        "blue_badge_expiry",
        "2026-06-03",
        &["replacement_of 2025-01-20"],
        "2028-01-19",
    );
    leads_to(
        "blue_badge_expiry",
        "2026-06-03",
        &["replacement_of 2025-01-20", "award_ends 2027-06-30"],
        "2027-06-30",
    );
}

#[test]
fn registrars_days_never_roll_on() {
    leads_to("birth", "2026-06-03", &[], "2026-07-15");
    leads_to("birth", "2026-11-13", &[], "2026-12-25");
    leads_to("death", "2026-06-01", &["mccd_received 2026-06-03"], "2026-06-08");
    leads_to("death", "2026-06-01", &[], "SUSPENDED");
    leads_to("death", "2024-09-08", &[], "2024-09-13");
    leads_to("death", "2024-09-05", &["mccd_received 2024-09-10"], "2024-09-15");
    leads_to("marriage_notice", "2026-06-03", &[], "2026-07-02");
    leads_to(
        "marriage_notice",
        "2026-06-03",
        &["extended_to_70 2026-06-20"],
        "2026-08-13",
    );
}

#[test]
fn a_service_has_the_target_that_the_council_set() {
    let policy =
        |unit: &str, amount: u32| json!([{ "type": "policy", "on": "2026-04-01", "unit": unit, "amount": amount }]);
    let target = |started: &str, unit: &str, amount| {
        answer("service_target", started, &policy(unit, amount))
            .unwrap()
            .due
            .to_string()
    };
    assert_eq!(target("2026-11-27", "working_days", 2), "2026-12-01");
    assert_eq!(target("2026-04-02", "working_days", 1), "2026-04-07");
    assert_eq!(target("2026-11-27", "calendar_days", 28), "2026-12-25");
    // Over the night on which the clocks change.
    assert_eq!(target("2026-10-24T22:30:00Z", "hours", 24), "2026-10-25T22:30:00Z");
    assert_eq!(target("2026-06-03", "hours", 24), "2026-06-03T23:00:00Z");
    fails(
        "service_target",
        "2026-06-03",
        &[],
        "a service_target needs an event of type policy",
    );
}

#[test]
fn what_is_wrong_with_a_question_is_named() {
    fails(
        "foe",
        "2026-04-01",
        &[],
        "there is no clock foe; the clocks are foi, foi_review",
    );
    fails("foi", "2026-02-29", &[], "expected a day that exists");
    fails(
        "foi",
        "2026-04-01",
        &["acknowledged 2026-04-02"],
        "events[0].type: acknowledged says nothing to the clock foi",
    );
    fails(
        "foi",
        "2026-04-01",
        &["fee_notice 2026-03-31"],
        "events[0].on: 2026-03-31 is before",
    );
    fails(
        "complaint_s1_ack",
        "2018-06-04",
        &[],
        "Tuesday 5 June 2018 is outside the years",
    );
    fails("foi", "2028-12-20", &[], "Monday 1 January 2029 is outside the years");
    fails(
        "foi",
        "2026-04-01",
        &["vanished 2026-04-02"],
        "unknown variant `vanished`",
    );
    let error = answer("foi", "2026-04-01", &json!([{ "type": "fee_notice" }])).unwrap_err();
    assert!(
        error.contains("events[0].on: the day on which it happened is missing"),
        "{error}"
    );
}

#[test]
fn the_explanation_says_which_days_do_not_count() {
    let answer = answer("foi", "2026-04-01", &json!([])).unwrap();
    assert_eq!(
        answer.explanation,
        [
            "The request was received on Wednesday 1 April 2026. That is day 0, which is not counted.",
            "Day 1 is Thursday 2 April 2026; weekends do not count, nor do Friday 3 April 2026 (Good Friday) and Monday 6 April \
             2026 (Easter Monday), which are bank holidays.",
            "Day 20 is Friday 1 May 2026: the answer is due by the end of it (Freedom of Information Act 2000 section 10).",
        ]
    );
}

proptest! {
    /// The order in which events of different days are told says nothing.
    #[test]
    fn events_may_come_in_any_order(
        clock in prop::sample::select(vec!["foi", "eir"]),
        told in prop::collection::btree_map(0_i64..90, prop::sample::select(vec![
            "clarification_requested", "clarification_received", "fee_notice", "fee_paid", "pit_extension", "extension_notice",
        ]), 0..6),
        rotation in 0_usize..6,
    ) {
        let start: Day = "2026-10-05".parse().unwrap();
        let mut all: Vec<Value> = told
            .iter()
            .map(|(days, kind)| json!({ "type": kind, "on": months::days_after(start, *days).unwrap() }))
            .collect();
        let in_order = answer(clock, "2026-10-05", &Value::from(all.clone()));
        let by = rotation % all.len().max(1);
        all.rotate_left(by);
        prop_assert_eq!(in_order, answer(clock, "2026-10-05", &Value::from(all)));
    }

    /// A due day by working days is one, and so many of them lie after day 0.
    #[test]
    fn a_due_day_is_a_working_day(days in 0_i64..2_000) {
        let holidays = BankHolidays::built_in().unwrap();
        let start = months::days_after("2019-01-01".parse().unwrap(), days).unwrap();
        let Due::On(last) = answer("foi", &start.to_string(), &json!([])).unwrap().due else { panic!("a day") };
        let calendar = catalogue::calendar::Calendar::UkAny;
        let mut counted = 0;
        let mut day = start;
        while day < last {
            day = months::days_after(day, 1).unwrap();
            counted += u32::from(holidays.is_working_day(calendar, day).unwrap());
        }
        prop_assert_eq!(counted, 20);
        prop_assert!(holidays.is_working_day(calendar, last).unwrap());
    }
}
