//! Checkpoints of the log while `dev` runs.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::home::Home;
use super::platform::Platform;
use crate::audit::{keeping, key_file};
use crate::database;
use crate::outcome::Failure;
use crate::servers::DataDir;

/// What is altered before the next one, nothing shows.
const EVERY: Duration = Duration::from_secs(10);

/// Makes a checkpoint every ten seconds until `stop`. A log that is not what it was is said in the log file; the system runs on, so that it can
/// be looked at.
pub async fn keep(data: &DataDir, home: &Home, platform: &Platform, stop: &CancellationToken) {
    let keeping = async {
        let key = key_file::load(&home.audit_key_file).map_err(Failure::usage)?;
        let owner = database::pool(&platform.owner_url, "caseledger dev", database::CONNECTIONS)?;
        let secret = format!("postgres-{}", database::AUDITOR.service);
        let password = data.secret(&secret).map_err(Failure::down)?;
        let url = database::service_url(&owner, &platform.owner_url, database::AUDITOR, &password).await?;
        owner.close().await;
        let pool = database::pool(&url, "caseledger audit", database::CONNECTIONS)?;
        keeping::keep_on(&pool, &key, &[], &home.audit_tiles, EVERY, stop).await
    };
    if let Err(failure) = keeping.await {
        tracing::error!(%failure, "no more checkpoints are made");
    }
}
