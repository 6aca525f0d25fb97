//! An import: a mapping, a line of dashes, and another system's export.
//!
//! Held, whatever the bytes:
//!
//! - The mapping is read or refused. A row becomes one or two commands, or a sentence that names a column.
//! - The commands have the names, ids and case that a second run gives them too, and what ends a case comes no sooner than what
//!   opens it.
//! - What was planned is a command to whoever reads it, or is refused with a pointer to a field of it.

#![no_main]

use caseledger::import::mapping::Mapping;
use caseledger::import::row::{PlannedRow, RowReader};
use libfuzzer_sys::{Corpus, fuzz_target};
use schemas::command::Command;
use schemas::{AggregateId, ClientName};

const DASHES: &str = "\n----\n";

/// The most rows that are read: one is as another.
const ROWS_MAX: usize = 20;

fuzz_target!(|bytes: &[u8]| -> Corpus {
    let Some((mapping, export)) = std::str::from_utf8(bytes).ok().and_then(|text| text.split_once(DASHES)) else {
        return Corpus::Reject;
    };
    let Ok(mapping) = toml::from_str::<Mapping>(mapping) else {
        return Corpus::Keep;
    };
    let client = ClientName::new("import").expect("a name");
    let mut csv = csv::ReaderBuilder::new().flexible(false).from_reader(export.as_bytes());
    let Ok(headings) = csv.headers().cloned() else {
        return Corpus::Keep;
    };
    let Ok(reader) = RowReader::new(mapping, &headings, client.clone()) else {
        return Corpus::Keep;
    };
    for record in csv.records().take(ROWS_MAX) {
        let record = match record {
            Ok(record) => record,
            Err(error) => {
                assert!(!error.to_string().is_empty());
                continue;
            }
        };
        let planned = reader.plan(&record);
        assert!(reader.plan(&record) == planned, "a row is planned in two ways");
        match planned {
            Ok(row) => check(&row, &client),
            Err(sentence) => assert!(sentence.starts_with("column "), "{sentence}"),
        }
    }
    Corpus::Keep
});

fn check(row: &PlannedRow, client: &ClientName) {
    assert!(!row.id.is_empty());
    let names: Vec<&str> = row.commands.iter().map(|command| command.name).collect();
    assert!(
        matches!(
            names[..],
            ["SubmitRequest"] | ["SubmitRequest", "CloseRequest" | "CancelRequest"]
        ),
        "{names:?}"
    );
    let submit = &row.commands[0];
    assert_eq!(submit.subject, None);
    if let Some(end) = row.commands.get(1) {
        assert_eq!(end.subject, Some(AggregateId::of_command(client, submit.id)));
        assert_ne!(end.id, submit.id);
    }
    let mut last = None;
    for planned in &row.commands {
        let data = planned.data.to_string();
        match Command::read(planned.name, &data) {
            Ok(command) => {
                let at = command.circumstances.occurred_at;
                assert!(at.is_some() && at >= last, "it ended before it began: {data}");
                last = at;
            }
            Err(problem) => {
                let pointers = problem.errors.iter().map(|fault| fault.pointer.as_str());
                for pointer in pointers {
                    assert!(planned.data.pointer(pointer).is_some(), "{pointer} is not of {data}");
                }
            }
        }
    }
}
