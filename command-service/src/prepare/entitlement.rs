//! What deciding on an entitlement needs beside its own stream.

use std::num::NonZeroU16;
use std::sync::Arc;

use catalogue::Renewal;
use domain::{Case, Entitlement, Held};
use schemas::command::{AggregateKind, Command, CommandBody};
use schemas::query::EntitlementStage;
use schemas::sealed::LookupHash;
use schemas::text::Uprn;
use schemas::{AggregateId, CustomerId, Personal};
use vault::{LookupKind, Vault, VaultError};

use super::other::Other;
use super::{Preparation, Refusable, person_erased};
use crate::cache::Snapshot;
use crate::fault::Fault;
use crate::streams::load;
use crate::task::Task;

/// What stands beside an entitlement.
#[derive(Default)]
pub(super) struct Beside {
    /// How many other entitlements of the same kind stand at its property.
    pub(super) others_at_property: Option<NonZeroU16>,
    /// Whose the case is by now that grants or renews it.
    pub(super) holder_of_case: Option<CustomerId>,
    /// The entitlement whose place it is to take.
    pub(super) replaced: Option<Arc<Held>>,
    /// By what it is found at its property from then on.
    pub(super) lookup: Option<LookupHash>,
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

/// The property that a command gives.
fn property(body: &CommandBody) -> Option<&Uprn> {
    let property = match body {
        CommandBody::GrantEntitlement(grant) => grant.property.as_ref(),
        CommandBody::RenewEntitlement(renew) => renew.property.as_ref(),
        CommandBody::ChangeEntitlement(change) => change.property.as_ref(),
        _ => None,
    };
    property.and_then(Personal::as_open)
}

impl Preparation<'_> {
    /// What stands beside the entitlement that a command speaks to; nothing where it speaks to something else.
    pub(super) async fn beside_entitlement(
        &self,
        task: &Task,
        command: &Command,
        stream: Option<&Snapshot>,
        other: &Other,
    ) -> Refusable<Beside> {
        if command.body.aggregate() != AggregateKind::Entitlement {
            return Ok(Ok(Beside::default()));
        }
        let grants = matches!(
            command.body,
            CommandBody::GrantEntitlement(_) | CommandBody::RenewEntitlement(_)
        );
        let holder = holder(command, stream, other.case.as_deref());
        if let Some(holder) = holder.filter(|_| grants) {
            // Nothing is granted to somebody of whom nothing may be known, whether anything would be sealed or not.
            match self.vault.keys_for(Some(holder), holder.into()).await {
                Err(VaultError::Erased) => return Ok(Err(person_erased())),
                keys => _ = keys?,
            }
        }
        let holder_of_case = match other.case.as_deref().and_then(Case::customer_id) {
            Some(customer) => Some(self.kept(customer).await?),
            None => None,
        };
        let replaced = match &command.body {
            CommandBody::GrantEntitlement(grant) => match grant.replaces {
                Some(replaced) => self.entitlement(replaced.into()).await?,
                None => None,
            },
            _ => None,
        };
        let (others_at_property, lookup) = self.at_property(task.lane, command, stream, other).await?;
        Ok(Ok(Beside {
            others_at_property,
            holder_of_case,
            replaced,
            lookup,
        }))
    }

    /// How many other entitlements stand at its property, and by what it is found there from then on. That two of the same instant see each other
    /// is not promised.
    async fn at_property(
        &self,
        lane: AggregateId,
        command: &Command,
        stream: Option<&Snapshot>,
        other: &Other,
    ) -> Result<(Option<NonZeroU16>, Option<LookupHash>), Fault> {
        let own = held(stream).and_then(Entitlement::held);
        let own_type = own.and_then(|own| self.registers.catalogue.request_type(&own.request_type));
        let request_type = own_type.or(other.request_type.as_ref());
        let renewal = request_type.and_then(|request_type| request_type.renewal.as_ref());
        let Some(renewal) = renewal.filter(|renewal| renewal.of_property) else {
            return Ok((None, None));
        };
        let value = property(&command.body).map(|uprn| value(renewal, uprn));
        let found = match (&command.body, &value) {
            (CommandBody::EndEntitlement(_), _) => {
                return Ok((None, Some(Vault::lookup_removed(LookupKind::Property, lane))));
            }
            (_, Some(value)) => self.vault.find_streams(LookupKind::Property, [value.as_str()]).await?,
            // Where it stood before: somebody else can have come there since.
            (CommandBody::RenewEntitlement(_), None) => self.vault.find_beside(LookupKind::Property, lane).await?,
            _ => Vec::new(),
        };
        let mut standing: u16 = 0;
        for stream in found.into_iter().filter(|stream| *stream != lane) {
            let held = self.entitlement(stream).await?;
            if held.is_some_and(|held| held.stage == EntitlementStage::Granted) {
                standing += 1;
            }
        }
        let lookup = value.and_then(|value| self.vault.lookup_hash(LookupKind::Property, &value, lane));
        Ok((NonZeroU16::new(standing), lookup))
    }

    async fn entitlement(&self, stream: AggregateId) -> Result<Option<Arc<Held>>, Fault> {
        let snapshot = load(self.ledger, stream).await?;
        let held = snapshot.as_ref().and_then(|snapshot| held(Some(snapshot))?.held());
        Ok(held.cloned().map(Arc::new))
    }
}

/// The value by which an entitlement is found at a property.
fn value(renewal: &Renewal, uprn: &Uprn) -> String {
    format!("entitlement {} {uprn}", renewal.entitlement)
}
