//! Throughput against clients, and against what grows, as pictures.

use std::path::Path;

use plotters::prelude::*;

use crate::growth::Growing;
use crate::report::Report;

/// The picture's size in pixels.
pub const SIZE: (u32, u32) = (960, 600);

/// How much larger the next rate must be for its name not to touch the one below.
const NAME_HEIGHT: f64 = 1.2;

/// Tells lines apart for most eyes (Okabe and Ito, 2008), again from the first where there are more lines.
pub const COLOURS: [RGBColor; 7] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(230, 159, 0),
    RGBColor(86, 180, 233),
    RGBColor(0, 0, 0),
];

/// One line of a picture: a name, and what lies where.
type Line = (String, Vec<(f64, f64)>);

/// Draws commands a second against clients, both on a logarithmic scale, into an SVG file.
///
/// # Errors
/// Where the file can't be written, or there is nothing to draw.
pub fn throughput(report: &Report, path: &Path) -> Result<(), String> {
    let mut names: Vec<&str> = report.measured.iter().map(|runs| runs.contender.as_str()).collect();
    names.dedup();
    let line = |name: &str| {
        let own = report.measured.iter().filter(|runs| runs.contender == name);
        let points = own.map(|runs| (runs.clients as f64, runs.median().rate()));
        (name.to_owned(), points.collect())
    };
    let lines: Vec<Line> = names.into_iter().map(line).collect();
    draw("Commands a second against clients", "clients", &lines, path)
        .map_err(|error| format!("{}: {error}", path.display()))
}

/// Draws commands a second against the events in the log, likewise.
///
/// # Errors
/// Where the file can't be written, or there is nothing to draw.
pub fn growth(report: &Report, path: &Path) -> Result<(), String> {
    let line = |name: &str, what| {
        let grown = report.growth.iter().filter(|grown| grown.what == what);
        let points = grown.map(|grown| (grown.size as f64, grown.rate()));
        (name.to_owned(), points.collect())
    };
    let lines: [Line; 2] = [
        line("random ids", Growing::Log),
        line("ids in order", Growing::LogIdsInOrder),
    ];
    draw(
        "Commands a second against events in the log",
        "events in the log",
        &lines,
        path,
    )
    .map_err(|error| format!("{}: {error}", path.display()))
}

fn draw(caption: &str, along: &str, lines: &[Line], path: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let points = || lines.iter().flat_map(|(_, points)| points);
    let rates = || points().map(|(_, rate)| *rate);
    let least = rates().fold(f64::INFINITY, f64::min).max(1.0);
    let most = rates().fold(least, f64::max);
    let nearest = points().map(|(x, _)| *x).fold(f64::INFINITY, f64::min).max(1.0);
    let widest = points().map(|(x, _)| *x).fold(1.0, f64::max);
    if !least.is_finite() {
        return Err("there is nothing to draw".into());
    }

    let root = SVGBackend::new(path, SIZE).into_drawing_area();
    root.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&root)
        .caption(caption, ("sans-serif", 22))
        .margin(16)
        .x_label_area_size(44)
        .y_label_area_size(70)
        // Beyond the last point stand the names.
        .build_cartesian_2d(
            (nearest..widest * 5.0).log_scale(),
            (least / 1.5..most * 1.5).log_scale(),
        )?;
    chart
        .configure_mesh()
        .x_desc(along)
        .y_desc("commands a second")
        .x_label_formatter(&|x| format!("{x:.0}"))
        .y_label_formatter(&|rate| format!("{rate:.0}"))
        .draw()?;
    let mut ends = Vec::new();
    for (number, (name, points)) in lines.iter().enumerate() {
        let colour = COLOURS[number % COLOURS.len()];
        chart.draw_series(LineSeries::new(points.clone(), colour.stroke_width(2)))?;
        ends.extend(points.last().map(|(x, rate)| (*x, *rate, name, colour)));
        chart.draw_series(points.iter().map(|point| Circle::new(*point, 3, colour.filled())))?;
    }
    // Names that would stand on one another move up.
    ends.sort_by(|one, other| one.1.total_cmp(&other.1));
    let mut lowest = 0.0_f64;
    for (x, rate, name, colour) in ends {
        let height = rate.max(lowest);
        lowest = height * NAME_HEIGHT;
        let style = ("sans-serif", 14).into_font().color(&colour);
        chart.draw_series([Text::new(name.clone(), (x * 1.08, height), style)])?;
    }
    root.present()?;
    Ok(())
}
