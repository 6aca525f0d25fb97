//! What a call prints: tables for people, JSON for programs.

use std::io::Write;

use comfy_table::{ContentArrangement, Table, presets};
use serde::Serialize;
use serde_json::Value;

/// Prints a line. A reader who has gone away (`| head`) is no fault.
pub fn line(text: impl AsRef<str>) {
    let _ = writeln!(std::io::stdout().lock(), "{}", text.as_ref());
}

/// Prints a text that has its own line feeds.
pub fn text(text: impl AsRef<str>) {
    let _ = write!(std::io::stdout().lock(), "{}", text.as_ref());
}

/// Prints a line on standard error: what is not the answer itself.
pub fn aside(text: impl AsRef<str>) {
    let _ = writeln!(std::io::stderr().lock(), "{}", text.as_ref());
}

/// Prints one JSON document on one line.
pub fn json(value: &impl Serialize) {
    match serde_json::to_string(value) {
        Ok(text) => line(text),
        Err(error) => aside(format!("this can't be written as JSON: {error}")),
    }
}

/// Prints rows under headings.
pub fn table(headings: &[&str], rows: impl IntoIterator<Item = Vec<String>>) {
    let mut table = Table::new();
    table
        .load_preset(presets::UTF8_HORIZONTAL_ONLY)
        .set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(headings);
    for row in rows {
        table.add_row(row);
    }
    line(table.to_string());
}

/// Prints names and values, one pair a line.
pub fn pairs<'a>(pairs: impl IntoIterator<Item = (&'a str, String)>) {
    for (name, value) in pairs {
        line(format!("{name:<14} {value}"));
    }
}

/// A JSON value as people read it.
#[must_use]
pub fn value(json: &Value) -> String {
    match json {
        Value::Null => "–".to_owned(),
        Value::String(text) => text.clone(),
        Value::Object(members) => members
            .iter()
            .map(|(name, member)| format!("{name} {}", value(member)))
            .collect::<Vec<_>>()
            .join(", "),
        Value::Array(items) => items.iter().map(value).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}
