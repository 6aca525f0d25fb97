//! What was measured, as a table for people, and the ratios.

use std::fmt;

use comfy_table::Table;
use serde::{Deserialize, Serialize};

use crate::apart::replay::Replay;
use crate::contenders::{Contender, Pool};
use crate::figures::{self, Figure};
use crate::growth::{Growing, Grown};
use crate::load::Measured;
use crate::measure::{self, Runs};

/// Everything that was measured in one run.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Report {
    /// Each contender with each number of clients.
    pub measured: Vec<Runs>,
    /// Each way of reading the whole log.
    pub replays: Vec<Replay>,
    /// Single figures of what was measured apart.
    pub figures: Vec<Figure>,
    /// The contenders on a slower disk.
    pub slow: Vec<Runs>,
    /// What grew.
    pub growth: Vec<Grown>,
}

/// A ratio that is worth printing: who, against whom, at how many clients.
const RATIOS: [(Contender, Contender, usize); 13] = [
    (Contender::Running, Contender::Stock(Pool::Usual), 64),
    (Contender::Running, Contender::StockView, 64),
    (Contender::Store, Contender::Stock(Pool::Usual), 64),
    (Contender::Store, Contender::BareArrays, 64),
    (Contender::Store, Contender::BareArrays, 256),
    (Contender::Service, Contender::Stock(Pool::Usual), 64),
    (Contender::Service, Contender::Stock(Pool::Large), 64),
    (Contender::Service, Contender::BareArrays, 256),
    (Contender::Service, Contender::Disintegrate, 64),
    (Contender::Service, Contender::Python, 16),
    (Contender::ServiceHot, Contender::StockHot, 64),
    (Contender::Called, Contender::Stock(Pool::Usual), 256),
    (Contender::Durable, Contender::Stock(Pool::Usual), 256),
];

/// A latency of everything running that is worth comparing with stock's: at how many clients, and which.
const LATENCIES: [(usize, &str, Latency); 2] = [(1, "p50", |run| run.p50), (64, "p99", |run| run.p99)];

/// Takes one of a run's latencies.
type Latency = fn(&Measured) -> f64;

impl Report {
    /// Takes in what was measured of one contender.
    pub fn add(&mut self, measured: Vec<Runs>) {
        for runs in measured {
            measure::add(&mut self.measured, runs);
        }
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
        self.of(one, clients)?
            .ratio_to(self.of(other, clients)?, Measured::rate)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.measured.is_empty() {
            writeln!(f, "{}", commands(&self.measured))?;
            writeln!(f, "{}", self.cpu())?;
        }
        if !self.replays.is_empty() {
            writeln!(f, "{}", self.reading())?;
        }
        if !self.figures.is_empty() {
            writeln!(f, "{}", figures::table(&self.figures))?;
        }
        if !self.slow.is_empty() {
            writeln!(f, "On a slower disk:\n{}", commands(&self.slow))?;
        }
        if !self.growth.is_empty() {
            writeln!(f, "{}", self.growing())?;
        }
        for ratio in self.ratios() {
            writeln!(f, "{ratio}")?;
        }
        Ok(())
    }
}

fn commands(measured: &[Runs]) -> Table {
    let mut table = Table::new();
    let mut headings = vec!["case", "clients"];
    headings.extend(OF_RUNS);
    table.set_header(headings);
    for runs in measured {
        let mut row = vec![runs.contender.clone(), runs.clients.to_string()];
        row.extend(of_runs(runs));
        table.add_row(row);
    }
    table
}

/// What a table says of runs.
const OF_RUNS: [&str; 7] = [
    "commands/s",
    "least",
    "most",
    "p50 ms",
    "p99 ms",
    "p99.9 ms",
    "sent again",
];

fn of_runs(runs: &Runs) -> [String; 7] {
    let (median, (least, most)) = (runs.median(), runs.extremes());
    [
        format!("{:.0}", median.rate()),
        format!("{least:.0}"),
        format!("{most:.0}"),
        format!("{:.2}", median.p50),
        format!("{:.2}", median.p99),
        format!("{:.2}", median.p999),
        median.conflicts.to_string(),
    ]
}

impl Report {
    /// A line for each ratio whose two sides were measured.
    fn ratios(&self) -> Vec<String> {
        let mut lines = self.ratios_of_commands();
        lines.extend(self.ratios_of_replays());
        lines.extend(self.ratio_on_slow_disk());
        lines.extend(self.growth_ratios());
        lines
    }

    fn ratios_of_commands(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for (one, other, clients) in RATIOS {
            if let Some(ratio) = self.ratio_of(one, other, clients) {
                let (one, other) = (one.name(), other.name());
                lines.push(format!("{one} / {other} at {clients} clients: {ratio:.2}"));
            }
        }
        let (one, other) = (Contender::Running, Contender::Stock(Pool::Usual));
        for (clients, name, latency) in LATENCIES {
            let (ours, theirs) = (self.of(one, clients), self.of(other, clients));
            if let Some(ratio) = ours
                .zip(theirs)
                .and_then(|(ours, theirs)| ours.ratio_to(theirs, latency))
            {
                let (one, other) = (one.name(), other.name());
                lines.push(format!("{name} of {one} / {other} at {clients} clients: {ratio:.2}"));
            }
        }
        lines
    }

    fn ratios_of_replays(&self) -> Vec<String> {
        let rate = |name| {
            let mut replays = self.replays.iter();
            replays.find(|replay| replay.reader == name).map(Replay::median)
        };
        let ratio = |reader| {
            let ratio = rate("caseledger")? / rate(reader)?;
            Some(format!("replay / {reader}: {ratio:.2}"))
        };
        ["postgres-es", "bare-stream"].into_iter().filter_map(ratio).collect()
    }

    fn ratio_on_slow_disk(&self) -> Option<String> {
        let of = |contender: Contender| self.slow.iter().find(|runs| runs.contender == contender.name());
        let service = of(Contender::Service)?;
        let against = |pool| service.ratio_to(of(Contender::Stock(pool))?, Measured::rate);
        let ratio = against(Pool::Usual)?.min(against(Pool::Large)?);
        Some(format!("slow-disk: service / stock with its better pool: {ratio:.2}"))
    }

    fn growth_ratios(&self) -> Vec<String> {
        let mut lines = Vec::new();
        let service = Contender::Service.name();
        for (what, ids) in [(Growing::Log, "random"), (Growing::LogIdsInOrder, "in order")] {
            if let Some((least, most)) = self.ends(what, service) {
                let fall = 100.0 * (1.0 - most.rate() / least.rate());
                let (from, to) = (least.size, most.size);
                lines.push(format!(
                    "growth: commands a second fall by {fall:.0} % from {from} to {to} events, command ids {ids}"
                ));
            }
        }
        for name in [service, Contender::Stock(Pool::Usual).name()] {
            if let Some((least, most)) = self.ends(Growing::Cases, name) {
                let cost = least.rate() / most.rate();
                let (from, to) = (least.size, most.size);
                lines.push(format!(
                    "growth: a command of {name} costs {cost:.2} times as much with {to} events as with {from}"
                ));
            }
        }
        let services = |size| {
            let mut services = self.growth.iter().filter(|grown| grown.what == Growing::Services);
            services.find(|grown| grown.size == size).map(Grown::rate)
        };
        if let (Some(one), Some(two)) = (services(1), services(2)) {
            lines.push(format!("growth: two command-services / one: {:.2}", two / one));
        }
        lines
    }

    /// The least and the largest of what grew; none where there is one only.
    fn ends(&self, what: Growing, contender: &str) -> Option<(&Grown, &Grown)> {
        let grown = || {
            let grown = self.growth.iter();
            grown.filter(move |grown| grown.what == what && grown.runs.contender == contender)
        };
        let (least, most) = (
            grown().min_by_key(|grown| grown.size)?,
            grown().max_by_key(|grown| grown.size)?,
        );
        (least.size < most.size).then_some((least, most))
    }

    fn growing(&self) -> Table {
        let mut table = Table::new();
        let mut headings = vec!["growth of", "to", "case", "clients"];
        headings.extend(OF_RUNS);
        table.set_header(headings);
        for grown in &self.growth {
            let what = match grown.what {
                Growing::Log => "events in the log",
                Growing::LogIdsInOrder => "events in the log, ids in order",
                Growing::Cases => "events of each case",
                Growing::Services => "command-services",
            };
            let runs = &grown.runs;
            let mut row = vec![what.to_owned(), grown.size.to_string()];
            row.extend([runs.contender.clone(), runs.clients.to_string()]);
            row.extend(of_runs(runs));
            table.add_row(row);
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
                let each = (seconds * 1e6 / median.commands.max(1) as f64).round();
                (each > 0.0).then(|| format!("{part} {each}"))
            };
            let parts: Vec<String> = median.cpu.0.iter().filter_map(of_part).collect();
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
