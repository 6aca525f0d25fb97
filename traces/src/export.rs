//! Sending spans to a collector: OTLP over HTTP, as protobuf, in batches, from a thread of its own.

use std::sync::atomic::Ordering;
use std::time::Duration;

use opentelemetry::{KeyValue, global};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;

use crate::ON;

/// How long the last spans may take to reach the collector when the process ends.
const FLUSH_WITHIN: Duration = Duration::from_secs(3);

/// The path of traces below a collector's endpoint (OTLP specification, endpoint URLs).
const TRACES_PATH: &str = "v1/traces";

/// The collector can't be used as it was named.
#[derive(Debug, thiserror::Error)]
#[error("traces can't be sent to {endpoint}: {reason}; name a collector as http://host:4318")]
pub struct ExportError {
    /// The endpoint.
    pub endpoint: String,
    /// What is wrong with it.
    pub reason: String,
}

/// Spans are sent for as long as this lives; when it is dropped, the last of them are.
pub struct Exporting(SdkTracerProvider);

impl std::fmt::Debug for Exporting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Exporting").finish_non_exhaustive()
    }
}

/// Sends spans from now on to the collector at `endpoint`, the base URL as `OTEL_EXPORTER_OTLP_ENDPOINT` has it: below it they go to
/// `v1/traces`. A collector that does not answer costs spans, never a command. `OTEL_SERVICE_NAME`, where it is set, names the
/// process; otherwise `service` does.
///
/// # Errors
/// [`ExportError`] where the endpoint is none.
pub fn export(endpoint: &str, service: &str) -> Result<Exporting, ExportError> {
    let refused = |reason: String| ExportError {
        endpoint: endpoint.to_owned(),
        reason,
    };
    let exporter = SpanExporter::builder()
        .with_http()
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(format!("{}/{TRACES_PATH}", endpoint.trim_end_matches('/')))
        .build()
        .map_err(|error| refused(error.to_string()))?;
    let resource = match std::env::var("OTEL_SERVICE_NAME") {
        Ok(_) => Resource::builder().build(),
        Err(_) => Resource::builder()
            .with_attribute(KeyValue::new("service.name", service.to_owned()))
            .build(),
    };
    let provider = SdkTracerProvider::builder()
        .with_batch_exporter(exporter)
        .with_resource(resource)
        .build();
    global::set_tracer_provider(provider.clone());
    ON.store(true, Ordering::Relaxed);
    Ok(Exporting(provider))
}

impl Drop for Exporting {
    fn drop(&mut self) {
        ON.store(false, Ordering::Relaxed);
        // A collector that is not there takes nothing; nobody waits for it.
        let _ = self.0.shutdown_with_timeout(FLUSH_WITHIN);
    }
}
