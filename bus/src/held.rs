//! What a stream holds, as a service asks for it to say whether it is ready and what waits.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::json;

use crate::connection::{Connection, api_fault};
use crate::error::BusError;

const DOING: &str = "look at a stream";

/// What a stream holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StreamHolds {
    /// How many messages.
    pub messages: u64,
    /// How many of them on each subject that was asked for; at most the 100,000 that NATS names at once.
    pub by_subject: BTreeMap<String, u64>,
}

/// Asks JetStream for one stream; `subjects`: also how many messages it has on each subject that this pattern fits.
pub(crate) async fn look(
    connection: &Connection,
    stream: &str,
    subjects: Option<&str>,
) -> Result<StreamHolds, BusError> {
    #[derive(Deserialize)]
    struct Looked {
        state: State,
    }
    #[derive(Deserialize)]
    struct State {
        messages: u64,
        subjects: Option<BTreeMap<String, u64>>,
    }
    let asked = match subjects {
        Some(pattern) => json!({ "subjects_filter": pattern }),
        None => json!({}),
    };
    let found = connection
        .api::<Looked>(DOING, format!("STREAM.INFO.{stream}"), &asked)
        .await?;
    let state = found.map_err(|error| api_fault(DOING, stream, &error))?.state;
    Ok(StreamHolds {
        messages: state.messages,
        by_subject: state.subjects.unwrap_or_default(),
    })
}
