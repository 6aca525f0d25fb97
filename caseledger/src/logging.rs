//! Logging: as JSON where `CASELEDGER_LOG_FORMAT=json`, filtered by `CASELEDGER_LOG`.

use std::fs::File;
use std::path::Path;
use std::sync::Mutex;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::writer::BoxMakeWriter;

use crate::outcome::Failure;

/// What is logged where nobody says otherwise. The wire's library repeats what our own errors say.
pub const OF_SERVICES: &str = "info,sqlx=warn,async_nats=error";

/// The same for a call by hand, whose answer says what there is to say.
pub const OF_CALLS: &str = "error,async_nats=off";

/// Starts logging for this process, into `writer`, what `unless_set` lets through where `CASELEDGER_LOG` does not say. A second
/// start is ignored.
pub fn start(writer: BoxMakeWriter, unless_set: &str) {
    let filter = EnvFilter::try_from_env("CASELEDGER_LOG").unwrap_or_else(|_| EnvFilter::new(unless_set));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(writer)
        .with_ansi(false);
    let json = std::env::var("CASELEDGER_LOG_FORMAT").is_ok_and(|format| format == "json");
    let _ = if json {
        builder.json().try_init()
    } else {
        builder.try_init()
    };
}

/// To standard error.
#[must_use]
pub fn to_standard_error() -> BoxMakeWriter {
    BoxMakeWriter::new(std::io::stderr)
}

/// To the end of a file.
///
/// # Errors
/// [`Failure::Usage`] where it can't be written.
pub fn to_file(path: &Path) -> Result<BoxMakeWriter, Failure> {
    let file = File::options().create(true).append(true).open(path);
    let file = file.map_err(|error| Failure::Usage(format!("the log {} can't be written: {error}", path.display())))?;
    Ok(BoxMakeWriter::new(Mutex::new(file)))
}
