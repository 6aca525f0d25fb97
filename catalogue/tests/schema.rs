//! Holds the written schemas of services' and contractors' files to the types, and to the files.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "what the tests share stands outside test functions"
)]

use std::fs;
use std::path::Path;

use catalogue::{contractor_file_schema, files, service_file_schema};
use jsonschema::Validator;
use schemas::document::Document;
use serde_json::Value;

/// Set to 1, the generated file is written instead of compared.
const UPDATE: &str = "UPDATE_CONTRACT";

fn validator(document: &Document) -> Validator {
    let schema: Value = serde_json::from_str(&document.text).unwrap();
    jsonschema::validator_for(&schema).unwrap()
}

/// Every file of a folder of the built-in catalogue, with its path.
fn files_of(folder: &str) -> Vec<(String, String)> {
    let files = files::built_in()
        .into_iter()
        .filter(|file| file.path.starts_with(folder));
    files.map(|file| (file.path, file.text)).collect()
}

/// A file as an editor's JSON Schema sees it: a day is a string.
fn as_json(text: &str) -> Value {
    fn days_as_text(value: Value) -> Value {
        match value {
            Value::Object(members) => match members.get("$__toml_private_datetime") {
                Some(day) => day.clone(),
                None => members
                    .into_iter()
                    .map(|(name, value)| (name, days_as_text(value)))
                    .collect(),
            },
            Value::Array(items) => items.into_iter().map(days_as_text).collect(),
            other => other,
        }
    }
    days_as_text(toml::from_str::<Value>(text).unwrap())
}

#[test]
fn the_written_schemas_are_what_the_types_say() {
    for document in [service_file_schema(), contractor_file_schema()] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../schemas")
            .join(&document.path);
        if std::env::var(UPDATE).is_ok_and(|value| value == "1") {
            fs::write(&path, &document.text).unwrap();
        }
        assert!(
            fs::read_to_string(&path).unwrap_or_default() == document.text,
            "schemas/{} is not what the types say. Where the change is meant, write it anew:\n\
             \n    {UPDATE}=1 cargo test -p catalogue --test schema\n\n\
             and read the difference before you commit it.",
            document.path
        );
    }
}

#[test]
fn every_file_fits_its_schema_and_names_it() {
    for (folder, document) in [
        ("services/", service_file_schema()),
        ("contractors/", contractor_file_schema()),
    ] {
        let validator = validator(&document);
        let files = files_of(folder);
        assert!(!files.is_empty());
        for (path, text) in files {
            assert!(
                text.starts_with(&format!("#:schema ../../schemas/{}\n", document.path)),
                "{path} does not name its schema"
            );
            if let Err(error) = validator.validate(&as_json(&text)) {
                panic!("{path}: {error} at {}", error.instance_path());
            }
        }
    }
}

#[test]
fn what_the_loader_can_t_read_does_not_fit_the_schema() {
    let validator = validator(&service_file_schema());
    let (_, waste) = files_of("services/")
        .into_iter()
        .find(|(path, _)| path == "services/waste.toml")
        .unwrap();
    for (from, to) in [
        ("name = \"waste\"", "name = \"Waste\""),
        ("prefix = \"WAS\"", "prefix = \"was\""),
        ("title = \"Waste and recycling\"", ""),
        (
            "title = \"Waste and recycling\"",
            "title = \"Waste and recycling\"\ncolour = \"green\"",
        ),
        ("class = \"service_request\"", "class = \"wish\""),
        ("anonymous = true", "anonymous = \"yes\""),
        ("channels = [\"online\",", "channels = [\"fax\","),
        ("by = \"contractor\"", "by = \"magic\""),
        ("deciding_teams = [\"waste-client\"]", "deciding_teams = []"),
        ("years = 2", "years = -2"),
        ("kind = \"choice\"", "kind = \"guess\""),
        ("sensitivity = \"open\"", ""),
        ("code = \"collected\"", "code = \"Collected!\""),
    ] {
        assert!(waste.contains(from), "the file has no {from:?}");
        let broken = as_json(&waste.replacen(from, to, 1));
        assert!(!validator.is_valid(&broken), "{to:?} for {from:?} fits");
    }
}
