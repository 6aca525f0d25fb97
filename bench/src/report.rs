//! What was measured, as a table for people, and the ratios.

use std::fmt;

use comfy_table::Table;
use serde::{Deserialize, Serialize};

use crate::contenders::{Contender, Pool};
use crate::measure::Runs;
use crate::replay::Replay;

/// Everything that was measured in one run.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Report {
    /// Each contender with each number of clients.
    pub measured: Vec<Runs>,
    /// Each way of reading the whole log.
    pub replays: Vec<Replay>,
}

/// A ratio that is worth printing: who, against whom, at how many clients.
const RATIOS: [(Contender, Contender, usize); 9] = [
    (Contender::Running, Contender::Stock(Pool::Usual), 64),
    (Contender::Service, Contender::Stock(Pool::Usual), 64),
    (Contender::Service, Contender::Stock(Pool::Large), 64),
    (Contender::Service, Contender::BareArrays, 256),
    (Contender::Service, Contender::Disintegrate, 64),
    (Contender::Service, Contender::Python, 16),
    (Contender::ServiceHot, Contender::StockHot, 64),
    (Contender::Called, Contender::Stock(Pool::Usual), 256),
    (Contender::Durable, Contender::Stock(Pool::Usual), 256),
];

impl Report {
    /// Takes in what was measured of one contender.
    pub fn add(&mut self, measured: Vec<Runs>) {
        self.measured.extend(measured);
    }

    fn of(&self, contender: Contender, clients: usize) -> Option<&Runs> {
        self.measured
            .iter()
            .find(|runs| runs.contender == contender.name() && runs.clients == clients)
    }

    /// How many times as many commands a second as stock's usual pool, with this many clients.
    #[must_use]
    pub fn ratio(&self, contender: Contender, clients: usize) -> Option<f64> {
        self.ratio_of(contender, Contender::Stock(Pool::Usual), clients)
    }

    fn ratio_of(&self, one: Contender, other: Contender, clients: usize) -> Option<f64> {
        let rate = |contender| self.of(contender, clients).map(|runs| runs.median().rate());
        Some(rate(one)? / rate(other)?)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.commands())?;
        writeln!(f, "{}", self.cpu())?;
        if !self.replays.is_empty() {
            writeln!(f, "{}", self.reading())?;
        }
        for (one, other, clients) in RATIOS {
            if let Some(ratio) = self.ratio_of(one, other, clients) {
                writeln!(f, "{} / {} at {clients} clients: {ratio:.2}", one.name(), other.name())?;
            }
        }
        for reader in ["postgres-es", "bare-stream"] {
            let rate = |name| {
                self.replays
                    .iter()
                    .find(|replay| replay.reader == name)
                    .map(Replay::median)
            };
            if let (Some(ours), Some(theirs)) = (rate("caseledger"), rate(reader)) {
                writeln!(f, "replay / {reader}: {:.2}", ours / theirs)?;
            }
        }
        Ok(())
    }
}

impl Report {
    fn commands(&self) -> Table {
        let mut table = Table::new();
        table.set_header([
            "case",
            "clients",
            "commands/s",
            "least",
            "most",
            "p50 ms",
            "p99 ms",
            "p99.9 ms",
            "sent again",
        ]);
        for runs in &self.measured {
            let (median, (least, most)) = (runs.median(), runs.extremes());
            table.add_row([
                runs.contender.clone(),
                runs.clients.to_string(),
                format!("{:.0}", median.rate()),
                format!("{least:.0}"),
                format!("{most:.0}"),
                format!("{:.2}", median.p50),
                format!("{:.2}", median.p99),
                format!("{:.2}", median.p999),
                median.conflicts.to_string(),
            ]);
        }
        table
    }

    /// Microseconds of CPU for each command, by part.
    fn cpu(&self) -> Table {
        let mut table = Table::new();
        table.set_header(["case", "clients", "CPU µs a command, by part"]);
        for runs in &self.measured {
            let median = runs.median();
            let of_part = |(part, seconds): (&String, &f64)| {
                let each = seconds * 1e6 / median.commands.max(1) as f64;
                format!("{part} {each:.0}")
            };
            let parts: Vec<String> = median.cpu.0.iter().map(of_part).collect();
            table.add_row([runs.contender.clone(), runs.clients.to_string(), parts.join(", ")]);
        }
        table
    }

    fn reading(&self) -> Table {
        let mut table = Table::new();
        table.set_header(["replay by", "events/s", "least", "most"]);
        for replay in &self.replays {
            let end = |rate: Option<&f64>| format!("{:.0}", rate.copied().unwrap_or_default());
            table.add_row([
                replay.reader.clone(),
                format!("{:.0}", replay.median()),
                end(replay.rates.first()),
                end(replay.rates.last()),
            ]);
        }
        table
    }
}
