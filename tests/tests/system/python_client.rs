//! The Python clients under `docs/clients`, against the real system.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use system_tests::council::caseledger;
use system_tests::{Process, eventually};

/// First start of everything, set-up of databases included, on a busy machine.
const READY: Duration = Duration::from_secs(120);

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the package is in the workspace")
        .to_path_buf()
}

fn client_folder(client: &str) -> PathBuf {
    repository().join("docs/clients").join(client)
}

/// A Python that has what a client's requirements name, to the hash. Made once and kept with what cargo builds.
fn python(client: &str) -> PathBuf {
    let requirements = client_folder(client).join("requirements.txt");
    let environment = caseledger().with_file_name(format!("{client}-client"));
    let python = environment.join("bin/python");
    let done = environment.join("requirements.txt");
    if std::fs::read(&done).ok() != Some(std::fs::read(&requirements).expect("the client has requirements")) {
        succeed(
            Command::new("python3")
                .args(["-m", "venv", "--clear"])
                .arg(&environment),
        );
        succeed(
            Command::new(&python)
                .args(["-m", "pip", "install", "--quiet", "--require-hashes", "-r"])
                .arg(&requirements),
        );
        std::fs::copy(&requirements, &done).expect("the environment can be written to");
    }
    python
}

fn succeed(command: &mut Command) -> String {
    let Output { status, stdout, stderr } = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let (stdout, stderr) = (String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    assert!(status.success(), "{command:?}: {status}\n{stdout}\n{stderr}");
    stdout.into_owned()
}

/// Runs one of the client's programs, off the test's own threads.
async fn run(client: &'static str, program: &'static str, arguments: Vec<PathBuf>) -> String {
    tokio::task::spawn_blocking(move || {
        let mut command = Command::new(python(client));
        // Leaves no compiled files in the work tree.
        command
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .arg(client_folder(client).join(program))
            .args(arguments);
        succeed(&mut command)
    })
    .await
    .expect("the program was started")
}

/// What `follow.py` printed: each event's place in its service, its name and its stream.
fn events(printed: &str) -> Vec<(u64, String, String)> {
    let event = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [place, _, name, subject] = words[..] else {
            panic!("not an event: {line}")
        };
        (
            place.parse().expect("a place is a number"),
            name.to_owned(),
            subject.to_owned(),
        )
    };
    printed.lines().map(event).collect()
}

#[tokio::test]
async fn a_client_follows_its_service_and_a_contractor_its_feed_after_being_away() {
    let folder = tempfile::tempdir().expect("there is room for a folder");
    let (ready, seen) = (folder.path().join("ready.json"), folder.path().join("waste.json"));
    let mut dev = Command::new(caseledger());
    dev.arg("dev")
        .arg("--data")
        .arg(folder.path().join("data"))
        .arg("--ready-file")
        .arg(&ready);
    let mut dev = Process::start(&mut dev);
    eventually("caseledger dev is ready", READY, || async { ready.exists() }).await;

    let follow = || {
        run(
            "python",
            "follow.py",
            vec![
                ready.clone(),
                "website".into(),
                "waste".into(),
                seen.clone(),
                "--once".into(),
            ],
        )
    };
    let mut last = 0;
    for time in 1..=2 {
        let walked = run("python", "walk.py", vec![ready.clone()]).await;
        assert_eq!(walked.matches(" accepted ").count(), 5, "{walked}");
        // Nobody was connected while that happened.
        let mut names = Vec::new();
        for (place, name, _) in events(&follow().await) {
            assert_eq!(place, last + 1, "time {time}: every event once, in order");
            last = place;
            names.push(name);
        }
        names.retain(|name| name.starts_with("Request"));
        assert_eq!(
            names,
            ["RequestSubmitted", "RequestUpdated", "RequestClosed", "RequestReopened"],
            "time {time}"
        );
    }

    // The contractor was away all the while: it reads what it missed, and tells the job that was taken up again from a new one.
    let jobs = folder.path().join("jobs.sqlite");
    let work = |more: &[&str]| {
        let arguments = [ready.clone(), "street-partner".into(), jobs.clone()];
        run(
            "contractor",
            "work.py",
            arguments.into_iter().chain(more.iter().map(PathBuf::from)).collect(),
        )
    };
    let read = work(&["--read-only"]).await;
    let told: Vec<&str> = read.lines().filter_map(|line| line.split_whitespace().nth(1)).collect();
    assert_eq!(
        told,
        ["JobRaised", "JobReopened", "JobCancelled", "JobReopened"].repeat(2),
        "{read}"
    );
    // The place was made more precise, which is another attempt; then the case was reopened.
    for told in ["other_work", "case_reopened"] {
        assert_eq!(read.matches(told).count(), 2, "{read}");
    }
    assert!(
        read.contains("At the side gate of 14 Orchard Row"),
        "it opens what is sealed for it: {read}"
    );
    let reported = work(&[]).await;
    assert_eq!(reported.matches("attempt 3  done").count(), 2, "{reported}");
    assert_eq!(work(&[]).await, "", "nothing is left to do");

    let ended = dev.stop(Duration::from_secs(30)).await;
    assert!(ended.success(), "caseledger dev ended with {ended}:\n{}", dev.output());
}
