//! Work that one process at a time may do: it runs while a lease is held, and again when the lease is won again.

use std::time::Duration;

use event_store::{LeaseGrant, Leases};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::measured::Held;

/// How long a lease lasts unless it is renewed. A holder that was paused for longer has lost it.
pub const LEASE_KEPT: Duration = Duration::from_secs(10);

/// How often it is renewed.
pub const LEASE_RENEWED_EVERY: Duration = Duration::from_secs(3);

/// How often a process that does not hold it asks for it: how long the work rests after its holder was killed is this and
/// [`LEASE_KEPT`] together.
pub const LEASE_ASKED_EVERY: Duration = Duration::from_millis(500);

/// Does `work` while this process holds the lease `name`, until `stop`. Work that ends by itself is begun again under a new
/// grant; work that returns an error ends everything: only somebody can mend what it found.
///
/// # Errors
/// The first error of the work.
pub async fn while_held<E>(
    leases: &dyn Leases,
    name: &str,
    stop: &CancellationToken,
    mut work: impl AsyncFnMut(LeaseGrant, CancellationToken) -> Result<(), E>,
) -> Result<(), E> {
    Held::expected(name);
    while !stop.is_cancelled() {
        match leases.acquire(name, LEASE_KEPT).await {
            Ok(Some(grant)) => {
                let ended = stop.child_token();
                let worked = {
                    let _held = Held::begin(name);
                    let working = work(grant, ended.clone());
                    let keeping = keep(leases, name, grant, ended.clone());
                    let stopping = async {
                        keeping.await;
                        ended.cancel();
                    };
                    let finishing = async {
                        let worked = working.await;
                        ended.cancel();
                        worked
                    };
                    tokio::join!(finishing, stopping).0
                };
                if let Err(error) = leases.release(name, grant).await {
                    tracing::debug!(name, %error, "a lease was not let go; it will expire");
                }
                worked?;
            }
            Ok(None) => {}
            Err(error) => tracing::warn!(name, %error, "a lease can't be asked for"),
        }
        tokio::select! {
            biased;
            () = stop.cancelled() => {}
            () = tokio::time::sleep(LEASE_ASKED_EVERY) => {}
        }
    }
    Ok(())
}

/// Renews the lease until it is lost or `ended`.
async fn keep(leases: &dyn Leases, name: &str, mut grant: LeaseGrant, ended: CancellationToken) {
    loop {
        tokio::select! {
            biased;
            () = ended.cancelled() => return,
            () = tokio::time::sleep(LEASE_RENEWED_EVERY) => {}
        }
        match leases.renew(name, grant, LEASE_KEPT).await {
            Ok(Some(renewed)) => grant = renewed,
            Ok(None) => {
                tracing::warn!(name, "the lease was lost to another process");
                return;
            }
            Err(error) if grant.is_good(Instant::now() + LEASE_RENEWED_EVERY) => {
                tracing::warn!(name, %error, "a lease could not be renewed yet");
            }
            Err(error) => {
                tracing::warn!(name, %error, "the lease may be lost: its work stops");
                return;
            }
        }
    }
}
