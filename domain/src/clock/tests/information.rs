//! Requests for information, and their reviews.

use super::{answer, events, leads_to};
use crate::clock::Due;

#[test]
fn freedom_of_information_takes_twenty_working_days_of_the_whole_kingdom() {
    for (started, expected) in [
        ("2026-04-01", "2026-05-01"),
        ("2026-02-12", "2026-03-12"),
        ("2026-11-17", "2026-12-16"),
        ("2026-05-02", "2026-06-02"),
        ("2027-06-25", "2027-07-26"),
        ("2026-10-05", "2026-11-02"),
        // Received late in the evening: London's day counts.
        ("2026-07-01T23:30:00Z", "2026-07-31"),
        ("2026-07-02", "2026-07-31"),
        ("2026-07-01T23:30Z", "2026-07-31"),
        ("2026-07-01T23:30+01:00", "2026-07-30"),
    ] {
        leads_to("foi", started, &[], expected);
    }
}

#[test]
fn an_answered_question_begins_freedom_of_information_anew() {
    let october = "2026-10-05";
    let asked = [
        "clarification_requested 2026-10-12",
        "clarification_received 2026-10-20",
    ];
    leads_to("foi", october, &asked[..1], "SUSPENDED");
    leads_to("foi", october, &asked, "2026-11-17");
    // Whatever order they are told in.
    leads_to("foi", october, &[asked[1], asked[0]], "2026-11-17");
    // The last answer wins.
    let again = [
        asked[0],
        asked[1],
        "clarification_requested 2026-11-02",
        "clarification_received 2026-11-04",
    ];
    leads_to("foi", october, &again, "2026-12-03");
    // Nobody had asked for it.
    leads_to("foi", october, &["clarification_received 2026-10-20"], "2026-11-02");
    // On the last day it may be asked; after it, it does not revive the clock (H3).
    leads_to("foi", october, &["clarification_requested 2026-11-02"], "SUSPENDED");
    let late = [
        "clarification_requested 2026-11-03",
        "clarification_received 2026-11-10",
    ];
    leads_to("foi", october, &late, "2026-11-02");
    leads_to("foi", october, &late[..1], "2026-11-02");
}

#[test]
fn the_days_in_which_a_fee_is_owed_do_not_count() {
    let october = "2026-10-05";
    leads_to("foi", october, &["fee_notice 2026-10-14"], "SUSPENDED");
    leads_to(
        "foi",
        october,
        &["fee_notice 2026-10-14", "fee_paid 2026-10-16"],
        "2026-11-05",
    );
    // Over a weekend only its working days are skipped.
    leads_to(
        "foi",
        october,
        &["fee_notice 2026-10-16", "fee_paid 2026-10-19"],
        "2026-11-04",
    );
    // The last good day is 13 January.
    leads_to(
        "foi",
        october,
        &["fee_notice 2026-10-14", "fee_paid 2027-01-14"],
        "LAPSED",
    );
    let last_day = answer(
        "foi",
        october,
        &events(&["fee_notice 2026-10-14", "fee_paid 2027-01-13"]),
    )
    .unwrap();
    assert!(matches!(last_day.due, Due::On(_)), "{last_day:?}");
    // Nobody asked; asked too late.
    leads_to("foi", october, &["fee_paid 2026-10-16"], "2026-11-02");
    leads_to("foi", october, &["fee_notice 2026-11-03"], "2026-11-02");
}

#[test]
fn weighing_the_public_interest_gives_forty_working_days_from_day_0() {
    let october = "2026-10-05";
    leads_to("foi", october, &["pit_extension 2026-10-30"], "2026-12-01");
    leads_to("foi", october, &["pit_extension 2026-11-02"], "2026-12-01");
    leads_to("foi", october, &["pit_extension 2026-11-03"], "2026-11-02");
    // A question within the longer time is in time, and begins a new period of twenty.
    let reset = [
        "pit_extension 2026-10-30",
        "clarification_requested 2026-11-20",
        "clarification_received 2026-11-24",
    ];
    leads_to("foi", october, &reset, "2026-12-23");
    // What the Regulations know, the Act does not.
    leads_to("foi", october, &["extension_notice 2026-10-30"], "2026-11-02");
}

#[test]
fn reviews_take_twenty_days_or_forty() {
    leads_to("foi_review", "2026-10-05", &[], "2026-11-02");
    leads_to("foi_review", "2026-10-05", &["exceptional 2026-10-20"], "2026-12-01");
    leads_to("eir_review", "2026-10-05", &[], "2026-12-01");
}

#[test]
fn environmental_information_is_extended_by_a_notice_in_time_only() {
    let april = "2026-04-13";
    leads_to("eir", april, &[], "2026-05-12");
    leads_to("eir", april, &["extension_notice 2026-05-01"], "2026-06-10");
    leads_to("eir", april, &["extension_notice 2026-05-12"], "2026-06-10");
    leads_to("eir", april, &["extension_notice 2026-05-13"], "2026-05-12");
    leads_to("eir", april, &["pit_extension 2026-05-01"], "2026-05-12");
    // The notice is measured from the receipt, though the time runs from the particulars.
    let asked = [
        "clarification_requested 2026-04-20",
        "clarification_received 2026-05-11",
    ];
    leads_to("eir", april, &asked, "2026-06-09");
    leads_to(
        "eir",
        april,
        &[asked[0], asked[1], "extension_notice 2026-05-13"],
        "2026-06-09",
    );
    leads_to(
        "eir",
        april,
        &[asked[0], asked[1], "extension_notice 2026-05-12"],
        "2026-07-08",
    );
    // Asked after twenty working days.
    let late = [
        "clarification_requested 2026-05-13",
        "clarification_received 2026-05-14",
    ];
    leads_to("eir", april, &late, "2026-05-12");
}

#[test]
fn a_charge_for_environmental_information_is_to_be_paid_within_sixty_working_days() {
    let april = "2026-04-13";
    leads_to("eir", april, &["fee_notice 2026-04-20"], "SUSPENDED");
    leads_to(
        "eir",
        april,
        &["fee_notice 2026-04-20", "fee_paid 2026-04-22"],
        "2026-05-15",
    );
    let extended = [
        "fee_notice 2026-04-20",
        "fee_paid 2026-04-22",
        "extension_notice 2026-05-01",
    ];
    leads_to("eir", april, &extended, "2026-06-16");
    leads_to(
        "eir",
        april,
        &["fee_notice 2026-04-20", "fee_paid 2026-07-20"],
        "LAPSED",
    );
    let last_day = answer("eir", april, &events(&["fee_notice 2026-04-20", "fee_paid 2026-07-17"])).unwrap();
    assert!(matches!(last_day.due, Due::On(_)), "{last_day:?}");
    leads_to("eir", april, &["fee_notice 2026-05-13"], "2026-05-12");
}

#[test]
fn a_second_notice_of_a_fee_that_is_owed_changes_nothing() {
    for (clock, expected) in [("foi", "2026-11-10"), ("eir", "2026-11-10")] {
        leads_to(
            clock,
            "2026-10-05",
            &["fee_notice 2026-10-14", "fee_paid 2026-10-21"],
            expected,
        );
        let twice = ["fee_notice 2026-10-14", "fee_notice 2026-10-20", "fee_paid 2026-10-21"];
        leads_to(clock, "2026-10-05", &twice, expected);
        leads_to(clock, "2026-10-05", &twice[..2], "SUSPENDED");
    }
}

#[test]
fn three_months_that_begin_with_a_notice_end_before_the_same_date() {
    leads_to(
        "foi",
        "2026-11-20",
        &["fee_notice 2026-11-28", "fee_paid 2027-02-28"],
        "LAPSED",
    );
    let last_day = answer(
        "foi",
        "2026-11-20",
        &events(&["fee_notice 2026-11-28", "fee_paid 2027-02-27"]),
    )
    .unwrap();
    assert!(matches!(last_day.due, Due::On(_)), "{last_day:?}");
}

#[test]
fn weighing_the_public_interest_gives_no_more_time_for_environmental_information() {
    leads_to("eir", "2026-10-05", &["pit_extension 2026-10-14"], "2026-11-02");
    let told = answer("eir", "2026-10-05", &events(&["pit_extension 2026-10-14"]))
        .unwrap()
        .explanation
        .join(" ");
    assert!(told.contains("give no more time"), "{told}");
}
