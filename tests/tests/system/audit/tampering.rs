//! What a superuser does to the log with the triggers off, and which evidence shows it where.

use super::{Auditor, EVENTS};

/// One thing that is done to the log.
struct Tampering {
    what: &'static str,
    statements: &'static str,
    /// What the log says against itself; nothing where it was done with care.
    alone: &'static [(&'static str, &'static str)],
    /// What a checkpoint of all thirty events shows.
    checkpoint: (&'static str, &'static str),
    /// Where tiles and export show it.
    copies: (&'static str, &'static str),
}

const ALL: (&str, &str) = ("checkpoint", "1 to 30");

/// What is done to the rows of events. Position 2n - 1 and 2n are of the nth case.
const TAMPERINGS: [Tampering; 12] = [
    Tampering {
        what: "one byte of a payload",
        statements: r#"UPDATE ledger.events SET payload = replace(payload::text, '"number":2', '"number":3')::json WHERE position = 14"#,
        alone: &[],
        checkpoint: ALL,
        copies: ("altered", "14"),
    },
    Tampering {
        what: "white space of a metadata text",
        statements: r#"UPDATE ledger.events SET metadata = '{"client": "website"}' WHERE position = 11"#,
        alone: &[],
        checkpoint: ALL,
        copies: ("altered", "11"),
    },
    Tampering {
        what: "the client in a metadata text",
        statements: r#"UPDATE ledger.events SET metadata = '{"client":"webcite"}' WHERE position = 11"#,
        alone: &[("client", "11")],
        checkpoint: ALL,
        copies: ("altered", "11"),
    },
    Tampering {
        what: "when a command was recorded, with its receipt",
        statements: "UPDATE ledger.events SET recorded_at = recorded_at + interval '1 microsecond' WHERE position IN (5, 6);
                     UPDATE ledger.commands SET recorded_at = recorded_at + interval '1 microsecond' WHERE position = 6",
        alone: &[],
        checkpoint: ALL,
        copies: ("altered", "5 to 6"),
    },
    Tampering {
        what: "when an event was recorded, without its receipt, and as what no calendar shows",
        statements: "UPDATE ledger.events SET recorded_at = 'infinity' WHERE position = 10",
        alone: &[("receipt", "10"), ("time_runs_back", "11")],
        checkpoint: ALL,
        copies: ("altered", "10"),
    },
    Tampering {
        what: "a stream's id in capitals, which is the same UUID",
        statements: "UPDATE ledger.events SET aggregate_id = upper(aggregate_id) WHERE position IN (3, 4);
                     UPDATE ledger.commands SET aggregate_id = upper(aggregate_id) WHERE position = 4",
        alone: &[],
        checkpoint: ALL,
        copies: ("altered", "3 to 4"),
    },
    Tampering {
        what: "a row deleted in the middle",
        statements: "DELETE FROM ledger.events WHERE position = 14",
        alone: &[("missing", "14"), ("service_order", "15"), ("receipt", "14")],
        checkpoint: ("cut_off", "30"),
        copies: ("missing", "14"),
    },
    Tampering {
        what: "a command deleted, and everything renumbered",
        statements: "DELETE FROM ledger.commands WHERE position = 14;
                     DELETE FROM ledger.events WHERE position IN (13, 14);
                     UPDATE ledger.events SET position = position + 998, service_position = service_position - 2 WHERE position > 14;
                     UPDATE ledger.events SET position = position - 1000 WHERE position > 1000;
                     UPDATE ledger.commands SET position = position - 2 WHERE position > 14;
                     UPDATE ledger.head SET position = position - 2",
        alone: &[],
        checkpoint: ("cut_off", "29 to 30"),
        copies: ("altered", "13 to 28"),
    },
    Tampering {
        what: "a row inserted at the end",
        statements: "INSERT INTO ledger.events SELECT aggregate_type, aggregate_id, 3, event_type, event_version, payload, metadata, 31,
                         service, 31, gen_random_uuid(), gen_random_uuid(), client, recorded_at, occurred_at
                     FROM ledger.events WHERE position = 30;
                     UPDATE ledger.head SET position = 31",
        alone: &[("receipt", "31")],
        // What came after the checkpoint, it can't speak of.
        checkpoint: ("receipt", "31"),
        copies: ("receipt", "31"),
    },
    Tampering {
        what: "a command inserted in the middle, and everything renumbered",
        statements: "UPDATE ledger.events SET position = position + 1001, service_position = service_position + 1 WHERE position > 16;
                     UPDATE ledger.events SET position = position - 1000 WHERE position > 1000;
                     UPDATE ledger.commands SET position = position + 1 WHERE position > 16;
                     UPDATE ledger.head SET position = position + 1;
                     INSERT INTO ledger.events SELECT aggregate_type, gen_random_uuid()::text, 1, event_type, event_version, payload,
                         metadata, 17, service, 17, gen_random_uuid(), gen_random_uuid(), client, recorded_at, occurred_at
                     FROM ledger.events WHERE position = 16;
                     UPDATE ledger.events SET recorded_at = (SELECT max(recorded_at) FROM ledger.commands WHERE position = 16)
                     WHERE position = 17;
                     INSERT INTO ledger.commands SELECT client, command_id, repeat('x', 32)::bytea, 'accepted', aggregate_id, NULL, 1, 17,
                         ARRAY[event_id], NULL, NULL, NULL, recorded_at
                     FROM ledger.events WHERE position = 17",
        alone: &[],
        checkpoint: ALL,
        copies: ("altered", "17 to 30"),
    },
    Tampering {
        what: "two rows that changed places",
        statements: "UPDATE ledger.events SET position = 1000 WHERE position = 8;
                     UPDATE ledger.events SET position = 8 WHERE position = 9;
                     UPDATE ledger.events SET position = 9 WHERE position = 1000",
        alone: &[("service_order", "8"), ("receipt", "8")],
        checkpoint: ALL,
        copies: ("altered", "8 to 9"),
    },
    Tampering {
        what: "two payloads that changed places",
        statements: "UPDATE ledger.events AS event SET payload = other.payload FROM ledger.events AS other
                     WHERE event.position + other.position = 55 AND event.position IN (27, 28)",
        alone: &[],
        checkpoint: ALL,
        copies: ("altered", "27 to 28"),
    },
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_done_to_events_is_found_and_the_position_named() {
    for tampering in TAMPERINGS {
        println!("{}", tampering.what);
        let auditor = Auditor::of_a_log().await;
        auditor.keep_evidence().await;
        let everything = [
            "verify",
            "--checkpoint",
            "outside",
            "--tiles",
            "tiles",
            "--export",
            "export",
        ];
        auditor.ask(&everything).await.assert_verified();

        auditor.tamper(tampering.statements).await;

        let alone = auditor.ask(&["verify"]).await;
        match tampering.alone {
            [] => alone.assert_verified(),
            found => found.iter().for_each(|(kind, place)| alone.assert_found(kind, place)),
        }
        for (evidence, (kind, place)) in [
            (["verify", "--checkpoint", "outside"], tampering.checkpoint),
            (["verify", "--tiles", "tiles"], tampering.copies),
            (["verify", "--export", "export"], tampering.copies),
        ] {
            auditor.ask(&evidence).await.assert_found(kind, place);
        }
        // Whoever has the export alone still has what was signed.
        auditor
            .ask_without_database(&["verify", "--export", "export", "--checkpoint", "outside"])
            .await
            .assert_verified();
        // And nothing is signed over it that would hide it.
        let again = auditor.ask(&["checkpoint", "--tiles", "tiles"]).await;
        if ["13 to 28", "17 to 30"].contains(&tampering.copies.1) {
            assert_eq!(again.status, 1, "{again:?}");
            assert!(again.aside.contains("nothing was signed"), "{again:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tail_that_was_cut_off_shows_in_what_was_kept_outside_and_nowhere_else() {
    let auditor = Auditor::of_a_log().await;
    auditor.keep_evidence().await;
    auditor
        .tamper(
            "DELETE FROM ledger.events WHERE position > 20;
             DELETE FROM ledger.commands WHERE position > 20;
             UPDATE ledger.head SET position = 20, recorded_at = (SELECT recorded_at FROM ledger.events WHERE position = 20)",
        )
        .await;
    let alone = auditor.ask(&["verify"]).await;
    alone.assert_verified();
    assert_eq!(alone.json["events"], 20);
    for evidence in [
        ["--checkpoint", "outside"],
        ["--tiles", "tiles"],
        ["--export", "export"],
    ] {
        let answer = auditor.ask(&["verify", evidence[0], evidence[1]]).await;
        answer.assert_found("cut_off", "21 to 30");
        assert_eq!(answer.json["checkpoints"][0]["agrees"], false, "{answer:?}");
    }

    // What is written over it later has the same positions, and is not the same.
    for number in 0..EVENTS {
        let case = crate::event_store::stream();
        auditor.log.append(vec![crate::event_store::accepted(case, 0, 1)]).await;
        assert!(number < EVENTS);
    }
    auditor.ask(&["verify"]).await.assert_verified();
    auditor
        .ask(&["verify", "--tiles", "tiles"])
        .await
        .assert_found("altered", "21 to 30");
    auditor
        .ask(&["verify", "--checkpoint", "outside"])
        .await
        .assert_found("checkpoint", "1 to 30");
    let again = auditor.ask(&["checkpoint", "--tiles", "tiles"]).await;
    assert_eq!(again.status, 1, "{again:?}");
    assert!(
        again.aside.contains("nothing was signed: position 30: altered"),
        "{again:?}"
    );
}

/// What is done to receipts and to the head, and what the log says against it.
const RECEIPTS: [(&str, (&str, &str)); 10] = [
    ("UPDATE ledger.commands SET version = 9 WHERE position = 14 AND event_ids <> '{}'", ("receipt", "14")),
    ("UPDATE ledger.commands SET event_ids = event_ids[1:1] WHERE position = 14 AND event_ids <> '{}'", ("receipt", "14")),
    (
        "UPDATE ledger.commands SET event_ids = ARRAY[event_ids[2], event_ids[1]] WHERE position = 14 AND event_ids <> '{}'",
        ("receipt", "14"),
    ),
    ("UPDATE ledger.commands SET position = 13 WHERE position = 14 AND event_ids <> '{}'", ("receipt", "13")),
    ("UPDATE ledger.commands SET recorded_at = recorded_at - interval '1 day' WHERE position = 14 AND event_ids <> '{}'", ("receipt", "14")),
    ("DELETE FROM ledger.commands WHERE position = 14 AND event_ids <> '{}'", ("receipt", "13 to 14")),
    ("UPDATE ledger.commands SET version = 1 WHERE position = 14 AND event_ids = '{}'", ("receipt", "14")),
    (
        "INSERT INTO ledger.commands SELECT client, gen_random_uuid(), fingerprint, status, aggregate_id, NULL, 3, 30,
             ARRAY[gen_random_uuid()], NULL, NULL, NULL, recorded_at FROM ledger.commands WHERE position = 30 AND event_ids <> '{}'",
        ("receipt", "30"),
    ),
    ("UPDATE ledger.head SET position = 29", ("head", "30")),
    ("UPDATE ledger.head SET recorded_at = recorded_at + interval '1 second'", ("head", "30")),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn receipts_and_the_head_have_to_agree_with_the_events() {
    for (statement, (kind, place)) in RECEIPTS {
        println!("{statement}");
        let auditor = Auditor::of_a_log().await;
        auditor.ask(&["verify"]).await.assert_verified();
        auditor.tamper(statement).await;
        auditor.ask(&["verify"]).await.assert_found(kind, place);
    }
}
