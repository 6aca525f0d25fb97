//! Files that commands name: looked at before any event is made, and kept once one is.
//!
//! One process at a time keeps them, by lease: what an event names is claimed, and what none ever named is swept away. A file is only
//! named while it is young, and only swept when it is old, so that none is swept while its event is being made.

use std::time::Duration;

use attachments::{AttachmentStore, ContentKey, ReadError, StoreError};
use event_store::{LeaseGrant, Ledger, LedgerError};
use schemas::command::{AddAttachment, ExternalRef};
use schemas::problem::ProblemKind;
use schemas::text::ExternalId;
use schemas::{AttachmentId, Problem};
use time::OffsetDateTime;
use tokio_util::sync::CancellationToken;

use crate::fault::Fault;
use crate::prepare::OWN_SYSTEM;

/// The lease of whoever keeps the files.
pub const LEASE: &str = "attachments";

/// How often it looks.
pub const LOOK_EVERY: Duration = Duration::from_secs(60);

/// How old an upload is when it is looked up whether an event names it.
pub const CLAIMED_AFTER: Duration = Duration::from_secs(60);

/// How old an upload may be when a command names it.
pub const NAMED_WITHIN: Duration = Duration::from_secs(12 * 60 * 60);

/// How old an upload is when it is swept away, if no event names it.
pub const SWEPT_AFTER: Duration = Duration::from_secs(24 * 60 * 60);

/// What the log keeps apart, so that a file belongs to one case: the external reference of the command that names it.
pub fn reference_of(id: AttachmentId) -> Option<ExternalRef> {
    Some(ExternalRef {
        system: ExternalId::new(OWN_SYSTEM).ok()?,
        id: ExternalId::new(&format!("attachment/{id}")).ok()?,
    })
}

/// How many bytes the file has that a command names, where it is what the command says of it.
pub async fn check(
    store: &AttachmentStore,
    add: &AddAttachment,
    now: OffsetDateTime,
) -> Result<Result<u32, Problem>, Fault> {
    let (Some(hash), Some(key)) = (add.hash.as_open(), add.key.as_open()) else {
        let message = "this value is sealed already: send it open, the service seals it";
        return Ok(Err(Problem::one(ProblemKind::Invalid, "/key", "sealed_value", message)));
    };
    let refused = |refusal: attachments::Refusal| {
        Problem::one(
            ProblemKind::Invalid,
            refusal.pointer(),
            refusal.code(),
            refusal.to_string(),
        )
    };
    let Ok(key) = ContentKey::from_text(key.as_str()) else {
        return Ok(Err(refused(attachments::Refusal::OtherKey)));
    };
    let old = store
        .unclaimed(NAMED_WITHIN, now)
        .await
        .map_err(|error| of_store(&error))?;
    if old.contains(&add.id) {
        let message = "this file was uploaded more than twelve hours ago: upload it again";
        return Ok(Err(Problem::one(
            ProblemKind::Invalid,
            "/id",
            "attachment_too_old",
            message,
        )));
    }
    match store.check(add.id, &key, hash, add.media_type).await {
        Ok(content) => Ok(Ok(u32::try_from(content.bytes().len()).unwrap_or(u32::MAX))),
        Err(error) => match (error.refusal(), error) {
            (Some(refusal), _) => Ok(Err(refused(refusal))),
            (None, ReadError::Store(error)) => Err(of_store(&error)),
            (None, error) => Err(Fault::Broken(error.to_string())),
        },
    }
}

fn of_store(error: &StoreError) -> Fault {
    match error {
        StoreError::Denied(_) => Fault::Systemic(error.to_string()),
        _ => Fault::Unavailable(error.to_string()),
    }
}

/// Why the files can't be kept for the moment.
#[derive(Debug, thiserror::Error)]
pub enum KeepError {
    /// The log.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Keeps the files until `ended`.
pub async fn keep(
    store: &AttachmentStore,
    ledger: &dyn Ledger,
    now: impl Fn() -> OffsetDateTime,
    _: LeaseGrant,
    ended: CancellationToken,
) {
    while !ended.is_cancelled() {
        match keep_files(store, ledger, now()).await {
            Ok(0) => {}
            Ok(swept) => tracing::info!(swept, "uploads that no event ever named were swept away"),
            Err(error) => tracing::warn!(%error, "files of cases wait to be kept"),
        }
        tokio::select! {
            () = ended.cancelled() => {}
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
    }
}

/// Claims what events name, and sweeps away what none does. Returns how many were swept.
///
/// # Errors
/// [`KeepError`]: nothing that an event may name was swept; it goes on the next time.
pub async fn keep_files(store: &AttachmentStore, ledger: &dyn Ledger, now: OffsetDateTime) -> Result<usize, KeepError> {
    for id in store.unclaimed(CLAIMED_AFTER, now).await? {
        let Some(reference) = reference_of(id) else {
            continue;
        };
        if ledger.stream_of(&reference).await?.is_some() {
            store.claim(id).await?;
        }
    }
    // What an event names is claimed by now, or the claim has failed and nothing is swept.
    Ok(store.sweep(SWEPT_AFTER, now).await?)
}
