//! `caseledger serve`.

use tokio_util::sync::CancellationToken;

use crate::cli::Serve;
use crate::outcome::Failure;
use crate::services::{asked_to_stop, run_all};
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
    let stop = CancellationToken::new();
    let running = run_all(services, &stop);
    let stopping = async {
        let asked = asked_to_stop().await;
        stop.cancel();
        asked
    };
    let mut running = std::pin::pin!(running);
    tokio::select! {
        ended = &mut running => ended,
        asked = stopping => {
            asked?;
            running.await
        }
    }
}
