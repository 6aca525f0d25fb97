//! `caseledger serve`.

use tokio_util::sync::CancellationToken;

use crate::cli::Serve;
use crate::operation::{Operation, follow};
use crate::outcome::Failure;
use crate::services::{run_all, until_asked_to_stop};
use crate::settings::{ServiceSettings, SettingsError, environment};

/// Runs the services that were named until the process is asked to stop.
pub async fn run(call: &Serve) -> Result<(), Failure> {
    let mut services = Vec::new();
    let mut faults = Vec::new();
    for service in &call.services {
        match ServiceSettings::read(&environment, *service) {
            Ok(settings) => services.push((*service, settings)),
            Err(SettingsError(more)) => faults.extend(more),
        }
    }
    faults.sort_unstable();
    faults.dedup();
    if !faults.is_empty() {
        return Err(SettingsError(faults).into());
    }
    let _following = follow()?;
    let stop = CancellationToken::new();
    let (operation, _) = Operation::begin(&call.services, call.http, &stop).await?;
    let running = run_all(services, &operation, &stop);
    until_asked_to_stop(running, &stop).await
}
