//! Between columns and the contract's types.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde::de::IntoDeserializer;
use serde::de::value::Error as WordError;
use sqlx::Row as _;
use sqlx::postgres::PgRow;

fn undecodable(column: &str, source: impl std::error::Error + Send + Sync + 'static) -> sqlx::Error {
    sqlx::Error::ColumnDecode {
        index: column.to_owned(),
        source: Box::new(source),
    }
}

/// Reads a text column as one of the contract's names or words.
pub(crate) fn word<T: DeserializeOwned>(row: &PgRow, column: &str) -> Result<T, sqlx::Error> {
    let text: String = row.try_get(column)?;
    T::deserialize(IntoDeserializer::<WordError>::into_deserializer(text)).map_err(|error| undecodable(column, error))
}

/// Reads an array of texts as a set of the contract's words.
pub(crate) fn words<T: DeserializeOwned + Ord>(row: &PgRow, column: &str) -> Result<BTreeSet<T>, sqlx::Error> {
    let texts: Vec<String> = row.try_get(column)?;
    let read = |text: String| T::deserialize(IntoDeserializer::<WordError>::into_deserializer(text));
    let words: Result<_, _> = texts.into_iter().map(read).collect();
    words.map_err(|error| undecodable(column, error))
}

/// As [`word`], where the column may be null.
pub(crate) fn optional_word<T: DeserializeOwned>(row: &PgRow, column: &str) -> Result<Option<T>, sqlx::Error> {
    let text: Option<String> = row.try_get(column)?;
    let read = |text: String| T::deserialize(IntoDeserializer::<WordError>::into_deserializer(text));
    text.map(read).transpose().map_err(|error| undecodable(column, error))
}

/// Reads a column that holds JSON text.
pub(crate) fn json<T: for<'de> Deserialize<'de>>(row: &PgRow, column: &str) -> Result<T, sqlx::Error> {
    let text: &str = row.try_get(column)?;
    serde_json::from_str(text).map_err(|error| undecodable(column, error))
}

/// As [`json`], where the column may be null.
pub(crate) fn optional_json<T: for<'de> Deserialize<'de>>(row: &PgRow, column: &str) -> Result<Option<T>, sqlx::Error> {
    let text: Option<&str> = row.try_get(column)?;
    text.map(serde_json::from_str)
        .transpose()
        .map_err(|error| undecodable(column, error))
}

/// Reads a column that counts.
pub(crate) fn count(row: &PgRow, column: &str) -> Result<u32, sqlx::Error> {
    let count: i32 = row.try_get(column)?;
    u32::try_from(count).map_err(|error| undecodable(column, error))
}

/// One column of many rows, as an array parameter.
pub(crate) fn column<'r, R, T>(rows: &'r [R], value: impl FnMut(&'r R) -> T) -> Vec<T> {
    rows.iter().map(value).collect()
}

/// A count as its column holds it. No case is reopened two thousand million times.
pub(crate) fn as_integer(count: u32) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}
