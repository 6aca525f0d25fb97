//! Where spans go: to the collector that the environment names as OpenTelemetry does.

#[cfg(feature = "otlp")]
pub use traces::Exporting;

use crate::outcome::Failure;
use crate::settings::environment;

/// The base URL of a collector, `http://host:4318`. Without it no command is followed.
const ENDPOINT_SETTING: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";

/// How this process is called where `OTEL_SERVICE_NAME` does not say.
#[cfg(feature = "otlp")]
const SERVICE: &str = "caseledger";

/// Sends spans for as long as what it returns lives, where the environment names a collector.
///
/// # Errors
/// [`Failure::Usage`] where it names none that can be used.
#[cfg(feature = "otlp")]
pub fn follow() -> Result<Option<Exporting>, Failure> {
    let Some(endpoint) = environment(ENDPOINT_SETTING) else {
        return Ok(None);
    };
    let exporting = traces::export(&endpoint, SERVICE).map_err(Failure::usage)?;
    tracing::info!(endpoint, "commands with a traceparent are followed");
    Ok(Some(exporting))
}

/// Says that this build has nothing to send spans with.
///
/// # Errors
/// [`Failure::Usage`] where the environment names a collector.
#[cfg(not(feature = "otlp"))]
pub fn follow() -> Result<(), Failure> {
    match environment(ENDPOINT_SETTING) {
        None => Ok(()),
        Some(_) => Err(Failure::Usage(format!(
            "{ENDPOINT_SETTING} is set, and this build can't send traces: build with the feature otlp"
        ))),
    }
}
