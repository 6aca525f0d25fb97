//! Memory and lags over time, as a picture.

use std::collections::BTreeMap;
use std::path::Path;

use plotters::prelude::*;

use super::told::{Sample, Told};
use crate::plot::{COLOURS, SIZE};

/// Draws memory above, and lags below, into an SVG file.
pub fn over_time(told: &Told, path: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let root = SVGBackend::new(path, (SIZE.0, SIZE.1 * 2)).into_drawing_area();
    root.fill(&WHITE)?;
    let (above, below) = root.split_vertically(SIZE.1);
    panel(&above, told, "Memory", "MiB", |sample| &sample.memory)?;
    panel(&below, told, "Lag", "events, commands or notices behind", |sample| {
        &sample.lag
    })?;
    root.present()?;
    Ok(())
}

fn panel(
    area: &DrawingArea<SVGBackend<'_>, plotters::coord::Shift>,
    told: &Told,
    caption: &str,
    unit: &str,
    of: fn(&Sample) -> &BTreeMap<String, f64>,
) -> Result<(), Box<dyn std::error::Error>> {
    let mut lines = BTreeMap::<&str, Vec<(f64, f64)>>::new();
    for sample in &told.samples {
        for (name, value) in of(sample) {
            lines.entry(name).or_default().push((sample.at, *value));
        }
    }
    let points = || lines.values().flatten();
    let most = points().map(|(_, value)| *value).fold(1.0, f64::max);
    let end = points().map(|(at, _)| *at).fold(1.0, f64::max);
    let mut chart = ChartBuilder::on(area)
        .caption(caption, ("sans-serif", 22))
        .margin(16)
        .x_label_area_size(44)
        .y_label_area_size(80)
        .build_cartesian_2d(0.0..end, 0.0..most * 1.5)?;
    chart.configure_mesh().x_desc("seconds").y_desc(unit).draw()?;
    for (number, (name, points)) in lines.into_iter().enumerate() {
        let colour = COLOURS[number % COLOURS.len()];
        chart
            .draw_series(LineSeries::new(points, colour.stroke_width(2)))?
            .label(name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 16, y)], colour.stroke_width(2)));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperLeft)
        .background_style(WHITE.mix(0.8))
        .border_style(BLACK)
        .draw()?;
    Ok(())
}
