//! Holds the written contract to the types: the generated files, the examples and the golden files.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use jsonschema::Validator;
use schemas::command::{Command, CommandBody};
use schemas::document::documents;
use schemas::event::{CaseEvent, CustomerEvent, EntitlementEvent, EventRecord, RoundEvent};
use schemas::ids::{ClientName, CommandId, ServiceName};
use schemas::subjects;
use serde_json::Value;

/// Set to 1, the generated files are written instead of compared.
const UPDATE: &str = "UPDATE_CONTRACT";

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    fs::read_to_string(folder().join(path)).unwrap_or_else(|error| panic!("schemas/{path}: {error}"))
}

fn read_json(path: &str) -> Value {
    serde_json::from_str(&read(path)).unwrap_or_else(|error| panic!("schemas/{path}: {error}"))
}

fn validator(path: &str) -> Validator {
    let options = jsonschema::options().should_validate_formats(true);
    options
        .build(&read_json(path))
        .unwrap_or_else(|error| panic!("schemas/{path} is not a schema: {error}"))
}

/// The files in one folder, as paths from `schemas/`.
fn files_in(within: &str) -> BTreeSet<String> {
    let entries = fs::read_dir(folder().join(within)).unwrap_or_else(|error| panic!("schemas/{within}: {error}"));
    entries
        .map(|entry| format!("{within}/{}", entry.unwrap().file_name().to_string_lossy()))
        .collect()
}

/// Every event, with its aggregate.
fn events() -> Vec<(&'static str, &'static str)> {
    let customer = CustomerEvent::NAMES
        .iter()
        .map(|name| (CustomerEvent::AGGREGATE, *name));
    customer
        .chain(CaseEvent::NAMES.iter().map(|name| (CaseEvent::AGGREGATE, *name)))
        .chain(RoundEvent::NAMES.iter().map(|name| (RoundEvent::AGGREGATE, *name)))
        .chain(
            EntitlementEvent::NAMES
                .iter()
                .map(|name| (EntitlementEvent::AGGREGATE, *name)),
        )
        .collect()
}

fn aggregate_of(event: &str) -> &'static str {
    events()
        .into_iter()
        .find(|(_, name)| *name == event)
        .unwrap_or_else(|| panic!("there is no event {event}"))
        .0
}

#[test]
fn the_written_contract_is_what_the_types_say() {
    let update = std::env::var(UPDATE).is_ok_and(|value| value == "1");
    for document in documents() {
        let path = folder().join(&document.path);
        if update {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, &document.text).unwrap();
        }
        let written = fs::read_to_string(&path).unwrap_or_default();
        assert!(
            written == document.text,
            "schemas/{} is not what the types say. Where the change is meant, and breaks nobody, write the files anew:\n\
             \n    {UPDATE}=1 cargo test -p schemas --test contract\n\n\
             and read the difference before you commit it.",
            document.path
        );
    }
}

#[test]
fn every_message_has_its_files_and_there_are_no_others() {
    let generated: BTreeSet<String> = documents().into_iter().map(|document| document.path).collect();
    let commands = CommandBody::NAMES
        .iter()
        .map(|name| format!("examples/commands/{name}.v1.json"));
    let examples: BTreeSet<String> = commands
        .chain(
            events()
                .iter()
                .map(|(_, name)| format!("examples/events/{name}.v1.json")),
        )
        .collect();
    for within in ["commands", "events", "queries", "examples/commands", "examples/events"] {
        let expected: BTreeSet<String> = generated
            .iter()
            .chain(&examples)
            .filter(|path| Path::new(path).parent() == Some(Path::new(within)))
            .cloned()
            .collect();
        assert_eq!(files_in(within), expected, "the files in schemas/{within}");
    }
    let golden = files_in("golden");
    for (_, name) in events() {
        assert!(
            golden.contains(&format!("golden/{name}.v1.json")),
            "{name} has no golden file"
        );
    }
}

#[test]
fn every_command_example_fits_its_schema_and_is_read() {
    for name in CommandBody::NAMES {
        let schema = validator(&format!("commands/{name}.v1.json"));
        let path = format!("examples/commands/{name}.v1.json");
        let example = read_json(&path);
        if let Err(error) = schema.validate(&example) {
            panic!("schemas/{path}: {error} at {}", error.instance_path());
        }
        let command = Command::read(name, &read(&path)).unwrap_or_else(|problem| panic!("schemas/{path}: {problem:?}"));
        assert_eq!(command.body.name(), *name);
    }
}

#[test]
fn every_event_example_fits_its_schema_and_is_read() {
    for (aggregate, name) in events() {
        let schema = validator(&format!("events/{name}.v1.json"));
        let path = format!("examples/events/{name}.v1.json");
        if let Err(error) = schema.validate(&read_json(&path)) {
            panic!("schemas/{path}: {error} at {}", error.instance_path());
        }
        let event = EventRecord::read(aggregate, name, "1", &read(&path))
            .unwrap_or_else(|error| panic!("schemas/{path}: {error}"));
        assert_eq!(event.name(), name);
    }
}

/// What an example says at one place is changed; then neither the schema nor the reader takes it.
/// The timekeeper asks the log for [`CaseEvent::MOVING_CLOCKS`] alone: an event left out there would time nothing.
#[test]
fn every_event_that_lists_clocks_or_ends_a_case_is_among_those_that_move_clocks() {
    for name in CaseEvent::NAMES {
        let listing = read_json(&format!("events/{name}.v1.json"))["properties"]["clocks"].is_object();
        let event = CaseEvent::read(name, "1", &read(&format!("examples/events/{name}.v1.json"))).unwrap();
        assert_eq!(event.clocks().is_some(), listing, "the clocks of {name}");
        let ending = matches!(event, CaseEvent::RequestClosed(_) | CaseEvent::RequestCancelled(_));
        assert_eq!(
            CaseEvent::MOVING_CLOCKS.contains(name),
            listing || ending,
            "{name} among those that move clocks"
        );
    }
}

#[test]
fn a_broken_command_is_refused_by_schema_and_reader_alike() {
    for (name, pointer, broken) in [
        ("RegisterCustomer", "/email", "\"nobody\""),
        ("RegisterCustomer", "/phone", "\"ring me\""),
        ("RegisterCustomer", "/address/uprn", "\"14 Orchard Row\""),
        ("RegisterCustomer", "/address/lines", "[]"),
        ("RegisterCustomer", "/actor/kind", "\"king\""),
        ("SubmitRequest", "/customer_id", "\"1\""),
        ("SubmitRequest", "/request_type", "\"Missed Bin\""),
        ("SubmitRequest", "/channel", "\"fax\""),
        ("SubmitRequest", "/description", "7"),
        ("SubmitRequest", "/place/latitude", "\"north\""),
        ("SubmitRequest", "/place/latitude", "91"),
        ("SubmitRequest", "/place/easting", "700000"),
        ("SubmitRequest", "/place/northing", "-1"),
        ("SubmitRequest", "/place/usrn", "\"High Street\""),
        ("SubmitRequest", "/place/longitude", "-180.5"),
        ("SubmitRequest", "/answers", "{\"bin-type\": \"refuse\"}"),
        ("SubmitRequest", "/answers", "{\"bin_type\": {\"sealed\": 1}}"),
        ("UpdateContactDetails", "/received_on", "\"2026-02-30\""),
        ("UpdateContactDetails", "/occurred_at", "\"yesterday\""),
        ("UpdateContactDetails", "/actor/id", "\"Amara\""),
        ("CloseRequest", "/decided_by", "{\"kind\": \"officer\"}"),
        ("CloseRequest", "/actor", "{\"kind\": \"officer\"}"),
        ("CloseRequest", "/actor/nickname", "\"Joe\""),
        ("RecordNotification", "/delivery/result", "\"lost\""),
        ("RecordNotification", "/colour", "\"red\""),
    ] {
        let mut command = read_json(&format!("examples/commands/{name}.v1.json"));
        put(&mut command, pointer, serde_json::from_str(broken).unwrap());
        assert!(
            !validator(&format!("commands/{name}.v1.json")).is_valid(&command),
            "the schema takes {name} with {broken} at {pointer}"
        );
        let problem =
            Command::read(name, &command.to_string()).expect_err(&format!("{name} is read with {broken} at {pointer}"));
        let named = problem.errors[0].pointer.as_str();
        assert!(
            pointer.starts_with(named) || named.starts_with(pointer),
            "{pointer}: {problem:?}"
        );
    }
}

fn put(document: &mut Value, pointer: &str, value: Value) {
    let (parent, member) = pointer.rsplit_once('/').unwrap();
    document.pointer_mut(parent).unwrap()[member] = value;
}

#[test]
fn a_field_that_is_required_is_missed_by_schema_and_reader_alike() {
    for name in CommandBody::NAMES {
        let schema = validator(&format!("commands/{name}.v1.json"));
        let example = read_json(&format!("examples/commands/{name}.v1.json"));
        for field in example.as_object().unwrap().keys() {
            let mut command = example.clone();
            command.as_object_mut().unwrap().shift_remove(field);
            let read = Command::read(name, &command.to_string());
            // Whether a reason is needed is a rule of the domain, which the schema tells as well.
            let by_rule = field == "reason"
                && [
                    "ReopenRequest",
                    "ChangeType",
                    "ClearSubject",
                    "MoveToCustomer",
                    "CorrectEntry",
                    "CorrectDeathRecord",
                    "MergeCustomer",
                    "PartCustomer",
                    "RaiseJob",
                    "WithdrawJob",
                    "SendJobBack",
                    "GrantConcession",
                    "DecideRefund",
                    "WriteOffPayment",
                ]
                .contains(name);
            assert_eq!(
                schema.is_valid(&command),
                read.is_ok() && !by_rule,
                "{name} without {field}: {read:?}"
            );
        }
    }
}

#[test]
fn every_personal_field_of_a_command_is_marked() {
    for (name, pointer) in [
        ("RegisterCustomer", "/properties/name"),
        ("RegisterCustomer", "/properties/address"),
        ("RegisterCustomer", "/properties/reason"),
        ("SubmitRequest", "/properties/description"),
        ("SubmitRequest", "/properties/place"),
        (
            "SubmitRequest",
            "/properties/answers/patternProperties/^[a-z][a-z0-9_]{0,47}$",
        ),
        ("CloseRequest", "/properties/reasons"),
    ] {
        let schema = read_json(&format!("commands/{name}.v1.json"));
        let field = schema
            .pointer(pointer)
            .unwrap_or_else(|| panic!("{name} has no {pointer}"));
        assert_eq!(field["x-personal"], Value::Bool(true), "{name}{pointer}");
    }
}

/// A golden file is the payload of one event exactly as some release stored it. It is never changed, and there is never a
/// reason to: an event that was written must load for ever. `<Event>.v<version>.json` has every field, `<Event>.v<version>.<what
/// is special>.json` shows another form.
#[test]
fn every_event_that_was_ever_written_loads() {
    for path in files_in("golden") {
        let file = path
            .strip_prefix("golden/")
            .and_then(|file| file.strip_suffix(".json"))
            .expect("a golden file ends in .json");
        let mut parts = file.split('.');
        let name = parts.next().unwrap();
        let version = parts
            .next()
            .and_then(|part| part.strip_prefix('v'))
            .expect("a golden file says its version");
        let text = read(&path);
        let payload = text.strip_suffix('\n').expect("a golden file ends with a line break");
        let aggregate = aggregate_of(name);

        let record = EventRecord::read(aggregate, name, version, payload)
            .unwrap_or_else(|error| panic!("schemas/{path}: {error}"));
        let value: Value = serde_json::from_str(payload).unwrap();
        let by_tag = match aggregate {
            CustomerEvent::AGGREGATE => serde_json::from_value(value).map(EventRecord::Customer),
            RoundEvent::AGGREGATE => serde_json::from_value(value).map(EventRecord::Round),
            EntitlementEvent::AGGREGATE => serde_json::from_value(value).map(EventRecord::Entitlement),
            _ => serde_json::from_value(value).map(EventRecord::Case),
        };
        let by_tag = by_tag.unwrap_or_else(|error| panic!("schemas/{path}: {error}"));
        assert_eq!(
            record, by_tag,
            "schemas/{path} reads otherwise by its tag than by its name"
        );
        // Holds while version 1 is the one that is written; an older one is brought up to date as it is read.
        assert_eq!(
            record.payload().unwrap(),
            payload,
            "schemas/{path} is written back otherwise"
        );
        assert_eq!(
            record.version(),
            version,
            "schemas/{path} is written at another version"
        );
        if let Err(error) =
            validator(&format!("events/{name}.v{version}.json")).validate(&serde_json::from_str(payload).unwrap())
        {
            panic!("schemas/{path}: {error} at {}", error.instance_path());
        }
    }
}

#[test]
fn subjects_are_what_others_rely_on() {
    let client = ClientName::new("website").unwrap();
    let command: CommandId = "6f7d3a52-8c1e-4b0a-9d53-2f0c8e6b1a47".parse().unwrap();
    let waste = ServiceName::new("waste").unwrap();
    assert_eq!(
        subjects::call(&client, "SubmitRequest"),
        "caseledger.call.website.SubmitRequest"
    );
    assert_eq!(
        subjects::command(&client, "SubmitRequest"),
        "caseledger.command.website.SubmitRequest"
    );
    assert_eq!(
        subjects::result(&client, command),
        "caseledger.result.website.6f7d3a52-8c1e-4b0a-9d53-2f0c8e6b1a47"
    );
    assert_eq!(subjects::query(&client, "Case"), "caseledger.query.website.Case");
    assert_eq!(
        subjects::event(&waste, "case", "RequestSubmitted"),
        "caseledger.event.waste.case.RequestSubmitted"
    );
    assert_eq!(subjects::events_of(&waste), "caseledger.event.waste.>");
    assert_eq!(subjects::replay(&client), "caseledger.replay.website");
    assert_eq!(
        subjects::deadletter("command-service"),
        "caseledger.deadletter.command-service"
    );
    let streams = [
        subjects::COMMANDS_STREAM,
        subjects::RESULTS_STREAM,
        subjects::EVENTS_STREAM,
        subjects::FEEDS_STREAM,
        subjects::DEADLETTERS_STREAM,
    ];
    assert_eq!(
        streams,
        [
            "CASELEDGER_COMMANDS",
            "CASELEDGER_RESULTS",
            "CASELEDGER_EVENTS",
            "CASELEDGER_FEEDS",
            "CASELEDGER_DEADLETTERS"
        ]
    );
}
