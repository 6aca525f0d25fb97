//! `caseledger import`.

use std::sync::Arc;
use std::time::Instant;

use schemas::ClientName;

use super::send::connect;
use crate::cli;
use crate::import::{Import, Summary, import};
use crate::outcome::Failure;
use crate::print;

/// Imports a file and prints what became of its rows.
pub async fn run(call: &cli::Import, json: bool) -> Result<(), Failure> {
    let client = ClientName::new(call.client.as_str()).map_err(Failure::usage)?;
    let bus = Arc::new(connect(&client).await?);
    let beside = || {
        let mut name = call.file.file_name().unwrap_or_default().to_owned();
        name.push(".report.csv");
        std::path::PathBuf::from(name)
    };
    let report = call.report.clone().unwrap_or_else(beside);
    let import_of = Import {
        file: call.file.clone(),
        mapping: call.mapping.clone(),
        client,
        resume: call.resume,
        report: report.clone(),
    };
    let started = Instant::now();
    let summary = import(&import_of, bus).await?;
    if json {
        print::json(&summary);
    } else {
        show(&summary, started.elapsed().as_secs_f64());
        print::line(format!("\nRow by row: {}", report.display()));
    }
    if summary.refused == 0 { Ok(()) } else { Err(Failure::No) }
}

fn show(summary: &Summary, seconds: f64) {
    let settled = summary.taken + summary.adjusted + summary.refused;
    print::table(
        &["rows", "taken", "adjusted", "refused", "done before", "seconds"],
        [vec![
            summary.rows.to_string(),
            summary.taken.to_string(),
            summary.adjusted.to_string(),
            summary.refused.to_string(),
            summary.skipped.to_string(),
            format!("{seconds:.1}"),
        ]],
    );
    if !summary.reasons.is_empty() {
        print::table(
            &["rows", "adjusted or refused because"],
            summary
                .reasons
                .iter()
                .map(|(reason, rows)| vec![rows.to_string(), reason.clone()]),
        );
    }
    if settled == 0 && summary.rows > 0 {
        print::line("Every row was done before.");
    }
}
