//! Sending the rows, and reporting on each.

use std::collections::{BTreeMap, HashSet};
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bus::{BusClient, Outgoing};
use flate2::read::MultiGzDecoder;
use futures::{Stream, StreamExt};
use indicatif::{ProgressBar, ProgressStyle};
use schemas::result::CommandStatus;
use schemas::{ClientName, Problem};
use serde::Serialize;
use time::OffsetDateTime;

use super::mapping::Mapping;
use super::row::{PlannedRow, RowReader};
use crate::outcome::Failure;

/// The most rows on their way at once.
pub const ROWS_IN_FLIGHT: usize = 128;

/// After how long without an answer the user is told what it waits for.
const SILENCE: Duration = Duration::from_secs(10);

/// What to import.
pub struct Import {
    /// The export, CSV, plain or gzip.
    pub file: PathBuf,
    /// How its columns become commands.
    pub mapping: PathBuf,
    /// The client that sends.
    pub client: ClientName,
    /// Whether rows that the report calls done are skipped.
    pub resume: bool,
    /// The row-by-row report.
    pub report: PathBuf,
}

/// What became of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RowFate {
    /// Every command of it is accepted.
    Taken,
    /// The same, after something was changed.
    Adjusted,
    /// It is not in, or not wholly.
    Refused,
}

#[derive(Debug, Serialize)]
struct ReportLine<'a> {
    row: u64,
    id: &'a str,
    fate: RowFate,
    detail: &'a str,
}

/// How many rows had which fate.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Rows in the file.
    pub rows: u64,
    /// Rows that an earlier run had done.
    pub skipped: u64,
    /// Taken as they were.
    pub taken: u64,
    /// Taken after something was changed.
    pub adjusted: u64,
    /// Not taken.
    pub refused: u64,
    /// Why rows were adjusted or refused, and how often. Values of single rows are left out.
    pub reasons: BTreeMap<String, u64>,
}

/// A row's fate, with what to say of it.
struct Settled {
    row: u64,
    id: String,
    fate: RowFate,
    details: Vec<String>,
    kinds: Vec<String>,
}

/// Imports a file. Every row is sent under command ids of its own, the same each time: nothing is taken twice, however often
/// the import is broken off and started again.
///
/// # Errors
/// [`Failure::Usage`] for a file or mapping that can't be read, [`Failure::Down`] where the bus is.
pub async fn import(import: &Import, bus: Arc<BusClient>) -> Result<Summary, Failure> {
    let mapping = Mapping::load(&import.mapping).map_err(Failure::usage)?;
    let done = if import.resume {
        done_before(&import.report)?
    } else {
        HashSet::new()
    };
    let mut csv = csv::ReaderBuilder::new()
        .flexible(false)
        .from_reader(open(&import.file)?);
    let headings = csv.headers().map_err(|error| unreadable(&import.file, &error))?.clone();
    let reader = RowReader::new(mapping, &headings, import.client.clone()).map_err(Failure::usage)?;
    let mut report = Report::open(&import.report, import.resume)?;
    let progress = progress_bar(count_rows(&import.file)?);

    let mut summary = Summary::default();
    let mut records = Vec::new();
    for record in csv.records() {
        summary.rows += 1;
        match record {
            Ok(record) if done.contains(reader.id(&record)) => {
                summary.skipped += 1;
                progress.inc(1);
            }
            other => records.push((summary.rows, other.map_err(|error| error.to_string()))),
        }
    }
    let settled = futures::stream::iter(records).map(|(row, record)| {
        let (reader, bus) = (&reader, &bus);
        async move {
            let id = record
                .as_ref()
                .map(|record| reader.id(record).to_owned())
                .unwrap_or_default();
            match record.and_then(|record| reader.plan(&record)) {
                Ok(planned) => send(bus, row, planned).await,
                Err(reason) => Ok(Settled {
                    row,
                    id,
                    fate: RowFate::Refused,
                    // What follows the colon quotes the row's own value.
                    kinds: vec![reason.split(':').next().unwrap_or_default().to_owned()],
                    details: vec![reason],
                }),
            }
        }
    });
    let mut settled = settled.buffer_unordered(ROWS_IN_FLIGHT);
    while let Some(settled) = next(&mut settled, &progress).await {
        let settled = settled?;
        summary.count(&settled);
        report.write(&settled)?;
        progress.inc(1);
    }
    progress.finish_and_clear();
    report.finish()?;
    Ok(summary)
}

/// The next settled row. It waits for as long as it takes, and says so once when that is long.
async fn next<S: Stream + Unpin>(settled: &mut S, progress: &ProgressBar) -> Option<S::Item> {
    match tokio::time::timeout(SILENCE, settled.next()).await {
        Ok(next) => next,
        Err(_) => {
            let seconds = SILENCE.as_secs();
            progress.suspend(|| {
                crate::print::aside(format!(
                    "nothing was answered for {seconds} seconds; waiting until the services are back. Broken off and started \
                     again, the import goes on from here"
                ));
            });
            settled.next().await
        }
    }
}

/// Sends a row's commands, one after another: each waits for the one before it.
async fn send(bus: &BusClient, row: u64, planned: PlannedRow) -> Result<Settled, Failure> {
    let mut settled = Settled {
        row,
        id: planned.id,
        fate: RowFate::Taken,
        details: Vec::new(),
        kinds: Vec::new(),
    };
    for command in planned.commands {
        let outgoing = Outgoing::new(
            command.id,
            command.name,
            command.subject,
            OffsetDateTime::now_utc().into(),
            command.data.to_string(),
        );
        let result = bus.call_unmarked_until_known(&outgoing).await.map_err(Failure::down)?;
        if let CommandStatus::Rejected { problem } = result.status {
            settled.fate = RowFate::Refused;
            settled.kinds.push(format!("{}: {}", command.name, problem.code()));
            settled.details.push(format!("{}: {}", command.name, refusal(&problem)));
            return Ok(settled);
        }
    }
    if !planned.adjustments.is_empty() {
        settled.fate = RowFate::Adjusted;
        let kind = |sentence: &String| sentence.split(" (").next().unwrap_or_default().to_owned();
        settled.kinds = planned.adjustments.iter().map(kind).collect();
        settled.details = planned.adjustments;
    }
    Ok(settled)
}

fn refusal(problem: &Problem) -> String {
    problem
        .errors
        .iter()
        .map(|error| format!("{} {} ({})", error.pointer, error.message, error.code))
        .collect::<Vec<_>>()
        .join("; ")
}

impl Summary {
    fn count(&mut self, settled: &Settled) {
        match settled.fate {
            RowFate::Taken => self.taken += 1,
            RowFate::Adjusted => self.adjusted += 1,
            RowFate::Refused => self.refused += 1,
        }
        for kind in &settled.kinds {
            *self.reasons.entry(kind.clone()).or_default() += 1;
        }
    }
}

/// The report: a line for each row, written as soon as the row is settled, so that a broken-off import leaves it true.
struct Report {
    csv: csv::Writer<File>,
}

impl Report {
    fn open(path: &Path, append: bool) -> Result<Self, Failure> {
        let append = append && path.exists();
        let file = File::options()
            .create(true)
            .write(true)
            .append(append)
            .truncate(!append)
            .open(path);
        let file =
            file.map_err(|error| Failure::usage(format!("the report {} can't be written: {error}", path.display())))?;
        Ok(Self {
            csv: csv::WriterBuilder::new().has_headers(!append).from_writer(file),
        })
    }

    fn write(&mut self, settled: &Settled) -> Result<(), Failure> {
        let detail = settled.details.join("; ");
        let line = ReportLine {
            row: settled.row,
            id: &settled.id,
            fate: settled.fate,
            detail: &detail,
        };
        self.csv.serialize(line).map_err(Failure::down)?;
        self.csv.flush().map_err(Failure::down)
    }

    fn finish(mut self) -> Result<(), Failure> {
        self.csv.flush().map_err(Failure::down)
    }
}

/// The rows that an earlier run took, by their ids.
fn done_before(report: &Path) -> Result<HashSet<String>, Failure> {
    if !report.exists() {
        return Ok(HashSet::new());
    }
    let mut csv = csv::ReaderBuilder::new()
        .flexible(true)
        .from_path(report)
        .map_err(Failure::usage)?;
    // A last line that was cut off by a kill is not done.
    let lines = csv
        .records()
        .map_while(Result::ok)
        .filter(|line| matches!(line.get(2), Some("taken" | "adjusted")) && line.len() == 4);
    Ok(lines.filter_map(|line| line.get(1).map(str::to_owned)).collect())
}

fn unreadable(path: &Path, error: &impl std::fmt::Display) -> Failure {
    Failure::usage(format!("{} can't be read: {error}", path.display()))
}

/// The file's text, unpacked where it is gzip, whatever its name.
fn open(path: &Path) -> Result<Box<dyn Read>, Failure> {
    let open = || File::open(path).map_err(|error| unreadable(path, &error));
    let mut magic = [0; 2];
    let gzip = open()?.read_exact(&mut magic).is_ok() && magic == [0x1f, 0x8b];
    let file = BufReader::new(open()?);
    Ok(if gzip {
        Box::new(MultiGzDecoder::new(file))
    } else {
        Box::new(file)
    })
}

fn count_rows(path: &Path) -> Result<u64, Failure> {
    let mut csv = csv::Reader::from_reader(open(path)?);
    Ok(csv.byte_records().filter(Result::is_ok).count() as u64)
}

fn progress_bar(rows: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} rows  {per_sec}  {eta} left");
    let bar = ProgressBar::new(rows);
    if let Ok(style) = style {
        bar.with_style(style)
    } else {
        bar
    }
}
