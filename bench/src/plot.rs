//! Throughput against clients, as a picture.

use std::path::Path;

use plotters::prelude::*;

use crate::measure::Runs;
use crate::report::Report;

/// The picture's size in pixels.
const SIZE: (u32, u32) = (960, 600);

/// Tells lines apart for most eyes (Okabe and Ito, 2008), again from the first where there are more lines.
const COLOURS: [RGBColor; 7] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(230, 159, 0),
    RGBColor(86, 180, 233),
    RGBColor(0, 0, 0),
];

/// Draws commands a second against clients, both on a logarithmic scale, into an SVG file.
///
/// # Errors
/// Where the file can't be written, or there is nothing to draw.
pub fn throughput(report: &Report, path: &Path) -> Result<(), String> {
    draw(report, path).map_err(|error| format!("{}: {error}", path.display()))
}

fn draw(report: &Report, path: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let mut names: Vec<&str> = report.measured.iter().map(|runs| runs.contender).collect();
    names.dedup();
    let rates = || report.measured.iter().map(|runs| runs.median().rate());
    let clients = || report.measured.iter().map(|runs| runs.clients as f64);
    let least = rates().fold(f64::INFINITY, f64::min).max(1.0);
    let most = rates().fold(least, f64::max);
    let widest = clients().fold(1.0, f64::max);

    let root = SVGBackend::new(path, SIZE).into_drawing_area();
    root.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&root)
        .caption("Commands a second against clients", ("sans-serif", 22))
        .margin(16)
        .x_label_area_size(44)
        .y_label_area_size(70)
        .right_y_label_area_size(10)
        .build_cartesian_2d((1.0..widest * 1.2).log_scale(), (least / 1.5..most * 1.5).log_scale())?;
    chart
        .configure_mesh()
        .x_desc("clients")
        .y_desc("commands a second")
        .x_label_formatter(&|clients| format!("{clients:.0}"))
        .y_label_formatter(&|rate| format!("{rate:.0}"))
        .draw()?;
    for (number, name) in names.into_iter().enumerate() {
        let colour = COLOURS[number % COLOURS.len()];
        let point = |runs: &Runs| (runs.clients as f64, runs.median().rate());
        let points: Vec<(f64, f64)> = report
            .measured
            .iter()
            .filter(|runs| runs.contender == name)
            .map(point)
            .collect();
        chart
            .draw_series(LineSeries::new(points.clone(), colour.stroke_width(2)))?
            .label(name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 20, y)], colour.stroke_width(2)));
        chart.draw_series(points.into_iter().map(|point| Circle::new(point, 3, colour.filled())))?;
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperLeft)
        .background_style(WHITE.mix(0.8))
        .border_style(BLACK)
        .draw()?;
    root.present()?;
    Ok(())
}
