//! What a decision is written as: one append to the ledger.

use event_store::{Append, NewEvent, Outcome};
use schemas::command::Command;
use schemas::event::EventRecord;
use schemas::metadata::EventMetadata;
use schemas::sealed::KeyAdmission;
use schemas::{Problem, Reference, ServiceName, Version};

use super::Preparation;
use super::other::one_of_a_kind;
use super::written::service_of;
use crate::cache::Snapshot;
use crate::fault::Fault;
use crate::slots;
use crate::task::Task;

impl Preparation<'_> {
    #[allow(clippy::too_many_arguments)]
    pub(super) fn append(
        &self,
        task: &Task,
        command: &Command,
        expected: Version,
        records: &[EventRecord],
        reference: Option<Reference>,
        service: ServiceName,
        keys: KeyAdmission,
    ) -> Result<Append, Fault> {
        let origin = task.envelope.origin(task.client.name.clone());
        let metadata = EventMetadata::new(
            &origin,
            &command.circumstances,
            Some(self.registers.catalogue.version()),
        );
        let metadata = serde_json::to_string(&metadata).map_err(|error| Fault::Broken(error.to_string()))?;
        let occurred_at = command
            .circumstances
            .occurred_at
            .unwrap_or_else(|| self.environment.now());
        let write = |event: &EventRecord| -> Result<NewEvent, Fault> {
            Ok(NewEvent {
                event_id: self.environment.event_id(),
                event_type: event.name(),
                event_version: event.version(),
                payload: event.payload().map_err(|error| Fault::Broken(error.to_string()))?,
                metadata: metadata.clone(),
                occurred_at: occurred_at.get(),
            })
        };
        let events = records.iter().map(write).collect::<Result<Vec<_>, _>>()?;
        Ok(Append {
            places: slots::places(records, &self.registers.catalogue)?,
            external_ref: one_of_a_kind(command).or_else(|| command.circumstances.external_ref.clone()),
            keys,
            ..base(task, expected, service, Outcome::Accepted { reference, events })
        })
    }
}

fn base(task: &Task, expected: Version, service: ServiceName, outcome: Outcome) -> Append {
    Append {
        client: task.client.name.clone(),
        command_id: task.envelope.id,
        fingerprint: task.fingerprint,
        aggregate_type: task.command.body.aggregate().as_str(),
        aggregate_id: task.lane,
        service,
        expected,
        outcome,
        external_ref: None,
        keys: KeyAdmission::default(),
        places: Vec::new(),
    }
}

/// A rejection, as it is recorded for a durable command.
pub fn rejection_append(task: &Task, stream: Option<&Snapshot>, problem: &Problem) -> Result<Append, Fault> {
    let problem = serde_json::to_string(problem).map_err(|error| Fault::Broken(error.to_string()))?;
    let expected = stream.map_or(Version(0), |stream| stream.version);
    Ok(base(
        task,
        expected,
        service_of(&[], stream, None, None),
        Outcome::Rejected { problem },
    ))
}
