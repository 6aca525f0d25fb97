//! What is measured beside the contenders: single figures with their units.

use comfy_table::Table;
use serde::{Deserialize, Serialize};

/// One figure of a case.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Figure {
    /// The case.
    pub case: String,
    /// What was measured.
    pub what: String,
    /// In which unit.
    pub unit: String,
    /// Each run's, the least first.
    pub runs: Vec<f64>,
}

impl Figure {
    /// A figure of these runs.
    #[must_use]
    pub fn new(case: &str, what: impl Into<String>, unit: &str, mut runs: Vec<f64>) -> Self {
        runs.sort_by(f64::total_cmp);
        Self {
            case: case.to_owned(),
            what: what.into(),
            unit: unit.to_owned(),
            runs,
        }
    }

    /// The run in the middle.
    #[must_use]
    pub fn median(&self) -> f64 {
        self.runs.get(self.runs.len() / 2).copied().unwrap_or_default()
    }
}

/// Figures as a table for people.
#[must_use]
pub fn table(figures: &[Figure]) -> Table {
    let mut table = Table::new();
    table.set_header(["case", "what", "median", "least", "most", "unit"]);
    for figure in figures {
        let end = |run: Option<&f64>| readable(run.copied().unwrap_or_default());
        table.add_row([
            figure.case.clone(),
            figure.what.clone(),
            readable(figure.median()),
            end(figure.runs.first()),
            end(figure.runs.last()),
            figure.unit.clone(),
        ]);
    }
    table
}

/// Three figures that say something, as far as there are.
fn readable(value: f64) -> String {
    match value.abs() {
        large if large >= 100.0 => format!("{value:.0}"),
        middling if middling >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}
