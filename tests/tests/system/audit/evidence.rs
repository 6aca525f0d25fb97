//! Checkpoints, tiles, exports and proofs as they grow old, and what becomes of them in other hands.

use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};

use super::{Auditor, EVENTS, REFERENCE};
use crate::event_store::{accepted, stream};

async fn append(auditor: &Auditor, events: usize) {
    auditor.log.append(vec![accepted(stream(), 0, events)]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn checkpoints_follow_the_log_and_all_of_them_hold() {
    let auditor = Auditor::of_a_log().await;
    // Over the edge of a tile.
    for (number, events) in [1, 220, 5, 300].into_iter().enumerate() {
        append(&auditor, events).await;
        let file = format!("outside-{number}");
        let kept = auditor.ask(&["checkpoint", "--tiles", "tiles", "-o", &file]).await;
        assert_eq!(kept.status, 0, "{kept:?}");
        // The whole tree, read anew, has the same root.
        let anew = auditor.ask(&["checkpoint"]).await;
        assert_eq!(anew.json["root"], kept.json["root"]);
        assert_eq!(
            std::fs::read_to_string(auditor.path(&file)).unwrap(),
            anew.json["checkpoint"]
        );
    }
    // Nothing new: the same note.
    let again = auditor.ask(&["checkpoint", "--tiles", "tiles"]).await;
    assert_eq!(
        again.json["checkpoint"],
        std::fs::read_to_string(auditor.path("tiles/checkpoint")).unwrap()
    );
    assert!(auditor.path("tiles/tile/0/001").exists() && auditor.path("tiles/tile/1/000.p/2").exists());
    assert!(!auditor.path("tiles/tile/0/000.p").exists());

    let all: Vec<String> = (0..4).map(|number| format!("outside-{number}")).collect();
    let mut arguments = vec!["verify", "--tiles", "tiles"];
    all.iter()
        .for_each(|file| arguments.extend(["--checkpoint", file.as_str()]));
    let verified = auditor.ask(&arguments).await;
    verified.assert_verified();
    let agreeing = verified.json["checkpoints"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|checkpoint| checkpoint["agrees"] == true);
    assert_eq!(agreeing.count(), 5);

    // Between two checkpoints.
    auditor
        .tamper("UPDATE ledger.events SET occurred_at = occurred_at + interval '1 microsecond' WHERE position = 255")
        .await;
    let found = auditor.ask(&arguments).await;
    found.assert_found("altered", "255");
    found.assert_found("checkpoint", "252 to 256");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn evidence_that_was_altered_is_not_believed() {
    let auditor = Auditor::of_a_log().await;
    auditor.keep_evidence().await;
    let evidence = |answer: super::Answer, text: &str| {
        answer.assert_found("evidence", "");
        assert!(answer.json.to_string().contains(text), "{answer:?}");
    };
    let change = |name: &str, from: &str, to: &str| {
        let path = auditor.path(name);
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{text}");
        std::fs::write(&path, text.replacen(from, to, 1)).unwrap();
    };

    // A checkpoint of fewer events, to hide a tail that was cut off.
    change("outside", "\n30\n", "\n20\n");
    evidence(auditor.ask(&["verify", "--checkpoint", "outside"]).await, "signature");
    // One that somebody else signed.
    let other = Auditor::of_a_log().await;
    other.keep_evidence().await;
    std::fs::copy(other.path("outside"), auditor.path("theirs")).unwrap();
    evidence(
        auditor.ask(&["verify", "--checkpoint", "theirs"]).await,
        "no signature of council.example/caseledger",
    );
    // The log of somebody else, whose key is believed.
    let theirs = ["verify", "--checkpoint", "theirs", "--public-key", &other.public_key];
    auditor.ask(&theirs).await.assert_found("checkpoint", "1 to 30");

    // Tiles that agree with an altered log do not agree with their checkpoint.
    let tile = auditor.path("tiles/tile/0/000.p/30");
    let mut bytes = std::fs::read(&tile).unwrap();
    bytes[13 * 32] ^= 1;
    std::fs::write(&tile, bytes).unwrap();
    evidence(
        auditor.ask(&["verify", "--tiles", "tiles"]).await,
        "the tiles are not those",
    );
    let keeping = auditor.ask(&["checkpoint", "--tiles", "tiles"]).await;
    assert_eq!(keeping.status, 2, "{keeping:?}");
    // They are made anew from a log that leads to the checkpoint.
    std::fs::remove_dir_all(auditor.path("tiles/tile")).unwrap();
    assert_eq!(auditor.ask(&["checkpoint", "--tiles", "tiles"]).await.status, 0);
    auditor.ask(&["verify", "--tiles", "tiles"]).await.assert_verified();

    // An export, at an event and at its end.
    change("export", r#"\"number\":1"#, r#"\"number\":4"#);
    evidence(
        auditor.ask_without_database(&["verify", "--export", "export"]).await,
        "at least one of them was altered",
    );
    auditor
        .ask(&["verify", "--export", "export"])
        .await
        .assert_found("altered", "1");
    change("export", r#"\"number\":4"#, r#"\"number\":1"#);
    auditor
        .ask_without_database(&["verify", "--export", "export"])
        .await
        .assert_verified();
    let text = std::fs::read_to_string(auditor.path("export")).unwrap();
    let short: Vec<&str> = text.lines().take(20).collect();
    std::fs::write(auditor.path("short"), short.join("\n")).unwrap();
    evidence(
        auditor.ask_without_database(&["verify", "--export", "short"]).await,
        "without a checkpoint",
    );

    // Evidence that was asked for and is not there is no evidence.
    std::fs::remove_file(auditor.path("tiles/checkpoint")).unwrap();
    for arguments in [
        ["verify", "--tiles", "tiles"],
        ["verify", "--tiles", "nowhere"],
        ["verify", "--checkpoint", "nothing"],
    ] {
        assert_eq!(auditor.ask(&arguments).await.status, 2, "{arguments:?}");
    }

    // Nobody is believed by default.
    let mut nobody = Command::new(system_tests::council::caseledger());
    nobody
        .args(["audit", "verify", "--export", "export"])
        .current_dir(auditor.folder.path());
    nobody.env_remove("CASELEDGER_DATABASE_URL");
    let nobody = super::run(nobody).await;
    assert_eq!(nobody.status, 2, "{nobody:?}");
    assert!(nobody.aside.contains("there is no key to believe"), "{nobody:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_case_is_proven_by_itself_and_against_a_checkpoint_of_before() {
    let auditor = Auditor::of_a_log().await;
    auditor.keep_evidence().await;
    append(&auditor, 7).await;

    let exported = auditor.ask(&["export", "--case", REFERENCE, "-o", "case"]).await;
    assert_eq!(
        (exported.status, &exported.json["events"], &exported.json["size"]),
        (0, &2.into(), &37.into())
    );
    auditor
        .ask_without_database(&["verify", "--export", "case"])
        .await
        .assert_verified();
    auditor.ask(&["verify", "--export", "case"]).await.assert_verified();
    let older = ["export", "--case", REFERENCE, "-o", "older", "--checkpoint", "outside"];
    assert_eq!(auditor.ask(&older).await.json["size"], EVENTS);
    let verified = auditor
        .ask_without_database(&["verify", "--export", "older", "--checkpoint", "outside"])
        .await;
    verified.assert_verified();
    assert_eq!(verified.json["checkpoints"][0]["agrees"], true);

    let proven = auditor.ask(&["prove", REFERENCE, "--checkpoint", "outside"]).await;
    assert_eq!(proven.status, 0, "{proven:?}");
    let positions: Vec<i64> = proven.json["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| event["position"].as_i64().unwrap())
        .collect();
    assert_eq!(positions, [9, 10]);
    assert_eq!(proven.json["events"][0]["proof"].as_array().unwrap().len(), 5);

    // A word of it, and another case's name on it.
    let text = std::fs::read_to_string(auditor.path("case")).unwrap();
    for (from, to, kind, place) in [
        ("JobRaised", "JobRaisd", "evidence", "10"),
        ("\"position\":9", "\"position\":8", "evidence", "8"),
        ("Caffè", "Kaffee", "evidence", "10"),
    ] {
        assert!(text.contains(from), "{text}");
        std::fs::write(auditor.path("changed"), text.replace(from, to)).unwrap();
        auditor
            .ask_without_database(&["verify", "--export", "changed"])
            .await
            .assert_found(kind, place);
    }
    let renamed = text.replacen(REFERENCE, "WAS-2222-2222", 1);
    std::fs::write(auditor.path("changed"), renamed).unwrap();
    auditor
        .ask_without_database(&["verify", "--export", "changed"])
        .await
        .assert_found("evidence", "");

    // Of an altered case the export names the position in the log.
    auditor
        .tamper("UPDATE ledger.events SET event_version = '2' WHERE position = 10")
        .await;
    auditor
        .ask(&["verify", "--export", "case"])
        .await
        .assert_found("altered", "10");
    // And no new proof is made under the old checkpoint.
    let refused = auditor.ask(&["prove", REFERENCE, "--checkpoint", "outside"]).await;
    assert_eq!(refused.status, 2, "{refused:?}");
    assert_eq!(auditor.ask(&["prove", "WAS-7Q4K-2M9X"]).await.status, 2, "no reference");
    assert_eq!(
        auditor
            .ask(&["prove", "6b3a1a0e-9d5c-4b1e-8f0a-1f2e3d4c5b6a"])
            .await
            .status,
        1,
        "not there"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_empty_log_has_a_checkpoint_too() {
    let auditor = Auditor::of(crate::event_store::log().await).await;
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
    append(&auditor, 1).await;
    auditor.ask(&everything).await.assert_verified();
    assert_eq!(auditor.ask(&["checkpoint", "--tiles", "tiles"]).await.json["size"], 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_that_grows_meanwhile_is_verified_as_it_was_at_one_moment() {
    let auditor = Auditor::of_a_log().await;
    auditor.keep_evidence().await;
    let verified = AtomicBool::new(false);
    let growing = async {
        while !verified.load(Ordering::Relaxed) {
            append(&auditor, 3).await;
        }
    };
    let verifying = async {
        let mut seen = Vec::new();
        for _ in 0..5 {
            let answer = auditor.ask(&["verify", "--tiles", "tiles", "--export", "export"]).await;
            answer.assert_verified();
            seen.push(answer.json["events"].as_i64().unwrap());
            assert_eq!(auditor.ask(&["checkpoint", "--tiles", "tiles"]).await.status, 0);
        }
        verified.store(true, Ordering::Relaxed);
        seen
    };
    let ((), seen) = tokio::join!(growing, verifying);
    assert!(seen[0] < seen[4], "it grew: {seen:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_auditor_reads_the_log_and_opens_nothing() {
    let auditor = Auditor::of_a_log().await;
    // All of the other tests run as this role.
    let pool = auditor.log.database.as_role("caseledger_auditor").await;
    for forbidden in [
        "SELECT FROM vault.keys",
        "SELECT FROM notifier.deliveries",
        "SELECT FROM reporting.requests",
        "SELECT FROM history.cases",
        "INSERT INTO ledger.events SELECT * FROM ledger.events",
        "UPDATE ledger.head SET position = 0",
        "ALTER TABLE ledger.events DISABLE TRIGGER append_only",
    ] {
        let error = sqlx::query(forbidden).execute(&pool).await.unwrap_err().to_string();
        assert!(
            error.contains("permission denied") || error.contains("must be owner"),
            "{forbidden}: {error}"
        );
    }
    // The key is its owner's alone, and is not made twice.
    let again = auditor.ask(&["key", "--name", "council.example/caseledger"]).await;
    assert_eq!(again.status, 2, "{again:?}");
    assert_eq!(
        auditor.ask(&["key"]).await.json["public_key"],
        auditor.public_key.as_str()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_python_script_verifies_with_nothing_of_ours() {
    let auditor = Auditor::of_a_log().await;
    auditor.keep_evidence().await;
    append(&auditor, 3).await;
    for arguments in [
        ["export", "-o", "later"].as_slice(),
        &["export", "--case", REFERENCE, "-o", "case"],
    ] {
        assert_eq!(auditor.ask(arguments).await.status, 0);
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .join("docs/audit/verify_export.py");
    let verify = async |arguments: &[&str]| {
        let mut command = Command::new("python3");
        command
            .arg("-I")
            .arg(&script)
            .arg(arguments[0])
            .arg(&auditor.public_key)
            .args(&arguments[1..]);
        command.current_dir(auditor.folder.path());
        let output = tokio::task::spawn_blocking(move || command.output().unwrap())
            .await
            .unwrap();
        let printed = [output.stdout, output.stderr]
            .map(|text| String::from_utf8(text).unwrap())
            .concat();
        (output.status.code().unwrap(), printed)
    };
    assert_eq!(
        verify(&["export", "outside"]).await,
        (0, "30 events are those that were signed\n".to_owned())
    );
    assert_eq!(
        verify(&["later", "outside"]).await,
        (0, "33 events are those that were signed\n".to_owned())
    );
    assert_eq!(
        verify(&["case"]).await,
        (
            0,
            "2 events of the case are in the log of 33 that was signed\n".to_owned()
        )
    );

    for (file, from, to) in [
        ("later", "JobRaised", "JobRaisd"),
        ("later", "\"recorded_at\":1", "\"recorded_at\":2"),
        ("case", "JobRaised", "JobRaisd"),
        ("case", "\\n33\\n", "\\n32\\n"),
    ] {
        let text = std::fs::read_to_string(auditor.path(file)).unwrap();
        assert!(text.contains(from), "{file} has no {from}");
        std::fs::write(auditor.path("changed"), text.replacen(from, to, 1)).unwrap();
        let (status, printed) = verify(&["changed", "outside"]).await;
        assert_eq!(status, 1, "{file} {from}: {printed}");
        assert!(printed.starts_with("NOT VERIFIED"), "{printed}");
    }
}
