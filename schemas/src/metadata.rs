//! An event's metadata: who, for whom, over which channel, by which command. A flat JSON object of strings, as postgres-es
//! needs it. Nothing in it is personal beyond ids.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use crate::command::{Actor, Circumstances};
use crate::ids::ClientName;
use crate::moment::Instant;

/// The members, in the order in which they are written. Optional ones are left out, never empty.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventMetadata {
    /// The sender, by the subject that its command came on.
    pub client: ClientName,
    /// The command's CloudEvents type, such as `caseledger.SubmitRequest.v1`.
    pub command_type: String,
    /// `resident`, `representative`, `officer`, `contractor` or `system`.
    pub actor_kind: String,
    /// Who of that kind; left out where nobody is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor_id: Option<String>,
    /// How sure the client was of it.
    pub actor_assurance: String,
    /// The customer acted for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_behalf_of: Option<String>,
    /// How it came.
    pub channel: String,
    /// What the source called the channel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel_detail: Option<String>,
    /// What it belongs to: the command's, or the command's id.
    pub correlation_id: String,
    /// What caused it: the command's, or the command's id.
    pub causation_id: String,
    /// W3C Trace Context, where the command had one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
    /// When the sender made the command, where it said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent_at: Option<Instant>,
    /// The day that it was received on, where the sender said so: by letter, say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub received_on: Option<String>,
    /// The privacy notice that was shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notice_version: Option<String>,
    /// The other system that knows this command, and …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_system: Option<String>,
    /// … its id there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// The catalogue that the command was decided under.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub catalogue_version: Option<String>,
}

/// What the envelope says of a command's origin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The sender.
    pub client: ClientName,
    /// The command's CloudEvents type.
    pub command_type: String,
    /// See [`EventMetadata::correlation_id`].
    pub correlation_id: String,
    /// See [`EventMetadata::causation_id`].
    pub causation_id: String,
    /// See [`EventMetadata::traceparent`].
    pub traceparent: Option<String>,
    /// See [`EventMetadata::sent_at`].
    pub sent_at: Option<Instant>,
}

impl EventMetadata {
    /// The metadata of every event of one command.
    #[must_use]
    pub fn new(origin: &Origin, circumstances: &Circumstances, catalogue_version: Option<&str>) -> Self {
        let Actor { kind, id, assurance } = &circumstances.actor;
        let external = circumstances.external_ref.as_ref();
        Self {
            client: origin.client.clone(),
            command_type: origin.command_type.clone(),
            actor_kind: kind.as_str().to_owned(),
            actor_id: id.as_ref().map(ToString::to_string),
            actor_assurance: assurance.as_str().to_owned(),
            on_behalf_of: circumstances.on_behalf_of.map(|id| id.to_string()),
            channel: circumstances.channel.as_str().to_owned(),
            channel_detail: circumstances.channel_detail.as_ref().map(ToString::to_string),
            correlation_id: origin.correlation_id.clone(),
            causation_id: origin.causation_id.clone(),
            traceparent: origin.traceparent.clone(),
            sent_at: origin.sent_at,
            received_on: circumstances.received_on.map(|day| day.to_string()),
            notice_version: circumstances.notice_version.as_ref().map(ToString::to_string),
            external_system: external.map(|external| external.system.to_string()),
            external_id: external.map(|external| external.id.to_string()),
            catalogue_version: catalogue_version.map(str::to_owned),
        }
    }

    /// The map that cqrs-es passes on.
    ///
    /// # Errors
    /// Never in practice: every member is a string.
    pub fn to_map(&self) -> Result<HashMap<String, String>, serde_json::Error> {
        serde_json::from_value(serde_json::to_value(self)?)
    }
}
