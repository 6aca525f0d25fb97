//! What deciding on an entitlement needs beside its own stream.

use domain::{AggregateState, Case, Entitlement};
use schemas::command::{Command, CommandBody};
use schemas::query::EntitlementStage;
use schemas::sealed::LookupHash;
use schemas::text::Uprn;
use schemas::{AggregateId, CustomerId, EntitlementId, EntitlementName};
use vault::LookupKind;

use super::Preparation;
use super::other::Other;
use crate::cache::Snapshot;
use crate::fault::Fault;
use crate::streams::load;

/// The property that a command gives to an entitlement, and what that is.
pub(super) struct AtProperty {
    name: EntitlementName,
    uprn: Uprn,
}

impl AtProperty {
    /// Where the command gives one.
    pub(super) fn of(command: &Command, stream: Option<&Snapshot>, other: &Other) -> Option<Self> {
        let (property, name) = match &command.body {
            CommandBody::GrantEntitlement(grant) => {
                let renewal = other.request_type.as_ref()?.renewal.as_ref()?;
                (grant.property.as_ref()?, &renewal.entitlement)
            }
            CommandBody::ChangeEntitlement(change) => (change.property.as_ref()?, &held(stream)?.held()?.entitlement),
            _ => return None,
        };
        Some(Self {
            name: name.clone(),
            uprn: property.as_open()?.clone(),
        })
    }

    /// The value by which an entitlement is found at a property.
    fn value(&self) -> String {
        format!("entitlement {} {}", self.name, self.uprn)
    }
}

/// The entitlement that a stream is, where it is one.
pub(super) fn held(stream: Option<&Snapshot>) -> Option<&Entitlement> {
    stream.and_then(|stream| stream.state.as_entitlement())
}

/// Whose an entitlement is, or is to be.
pub(super) fn holder(command: &Command, stream: Option<&Snapshot>, case: Option<&Case>) -> Option<CustomerId> {
    match &command.body {
        CommandBody::GrantEntitlement(_) => case.and_then(Case::customer_id),
        _ => held(stream).and_then(Entitlement::customer_id),
    }
}

impl Preparation<'_> {
    /// The other entitlements of the same kind that stand at the property. That two of the same instant see each other is not promised.
    pub(super) async fn also_at(&self, at: &AtProperty, lane: AggregateId) -> Result<Vec<EntitlementId>, Fault> {
        let value = at.value();
        let streams = self.vault.find_streams(LookupKind::Property, [value.as_str()]).await?;
        let mut standing = Vec::new();
        for stream in streams.into_iter().filter(|stream| *stream != lane) {
            let Some(snapshot) = load(self.ledger, stream).await? else {
                continue;
            };
            let AggregateState::Entitlement(entitlement) = snapshot.state.as_ref() else {
                continue;
            };
            if entitlement
                .held()
                .is_some_and(|held| held.stage == EntitlementStage::Granted)
            {
                standing.push(EntitlementId(stream.uuid()));
            }
        }
        Ok(standing)
    }

    /// By what an entitlement is found at its property.
    pub(super) fn found_at(&self, at: &AtProperty, lane: AggregateId) -> Option<LookupHash> {
        self.vault.lookup_hash(LookupKind::Property, &at.value(), lane)
    }
}
