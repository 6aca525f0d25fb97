//! Decoding a command's data.
//!
//! The first byte chooses a command's name, the rest is its data. Held, whatever the bytes:
//!
//! - What is read has the name that it was read as.
//! - Each fault of a refusal has a code and names, by a JSON pointer, a member that the data has; of a member that is missing, what
//!   it is missing from. No message quotes the data.
//! - Once every personal value is sealed, none is left open. Each was handed over as JSON, with a pointer to where it stands.

#![no_main]

use libfuzzer_sys::{Corpus, fuzz_target};
use schemas::Sealed;
use schemas::command::{Command, CommandBody};
use schemas::personal::{OpenField, SealFieldError};
use schemas::problem::{FAULTS_MAX, Problem};
use serde_json::Value;

/// What no message of ours holds: one that does has it from the data. The dictionary and the seeds have it too.
const CANARY: &str = "Zq7Zq";

/// How `Debug` prints a personal value that is open.
const OPEN: &str = "[personal]";

fuzz_target!(|bytes: &[u8]| -> Corpus {
    let Some((choice, data)) = bytes.split_first() else {
        return Corpus::Reject;
    };
    let Ok(data) = std::str::from_utf8(data) else {
        return Corpus::Reject;
    };
    let name = CommandBody::NAMES[usize::from(*choice) % CommandBody::NAMES.len()];
    match Command::read(name, data) {
        Ok(command) => {
            assert_eq!(command.body.name(), name);
            seal(command, data);
        }
        Err(problem) => check_problem(&problem, data),
    }
    Corpus::Keep
});

fn seal(mut command: Command, data: &str) {
    let document: Value = serde_json::from_str(data).expect("a command that was read is JSON");
    let mut seal = |field: OpenField<'_>| -> Result<Sealed, ()> {
        assert!(
            document.pointer(field.pointer).is_some_and(|value| !value.is_null()),
            "{} is sealed and does not stand in the data",
            field.pointer
        );
        serde_json::from_str::<Value>(field.json).expect("what is sealed is JSON");
        Ok(Sealed::from_token("AQ".to_owned()))
    };
    match command.seal_fields(&mut seal) {
        Ok(()) => {
            // Text in clear could hold the very words.
            if !data.contains("personal]") && !data.contains("\\u") {
                let printed = format!("{command:?}");
                assert!(!printed.contains(OPEN), "left open: {printed}");
            }
        }
        Err(SealFieldError::AlreadySealed { pointer }) => {
            assert!(document.pointer(&pointer).is_some(), "{pointer}");
        }
        Err(error) => panic!("{error:?}"),
    }
}

fn check_problem(problem: &Problem, data: &str) {
    assert!((1..=FAULTS_MAX).contains(&problem.errors.len()), "{problem:?}");
    let document: Option<Value> = schemas::json::parse(data).ok();
    for fault in &problem.errors {
        assert!(!fault.code.is_empty() && !fault.message.is_empty(), "{fault:?}");
        assert!(fault.pointer.is_empty() || fault.pointer.starts_with('/'), "{fault:?}");
        assert!(!fault.message.contains(CANARY), "{fault:?}");
        assert!(!fault.message.contains(char::is_control), "{fault:?}");
        let Some(document) = &document else { continue };
        let stands = match fault.code.as_str() {
            "missing_field" => fault.pointer.rsplit_once('/').map_or("", |(parent, _)| parent),
            _ => &fault.pointer,
        };
        assert!(document.pointer(stands).is_some(), "{fault:?} names nothing");
    }
}
