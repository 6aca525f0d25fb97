//! From commit to consumer: how long after its sender was answered an event reaches who listens on the bus. The relay is a
//! process of its own; commands come at a fixed rate, whether or not those before them have been answered.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bus::Bus as _;
use futures::StreamExt as _;
use hdrhistogram::Histogram;
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use serde::Deserialize;
use system_tests::TestPostgres;
use system_tests::council::PATIENCE;
use tokio::task::JoinSet;

use super::Pace;
use crate::contenders::ours::{accepted, update};
use crate::contenders::{Ours, Ready as _};
use crate::figures::Figure;
use crate::load::{self, Load};

/// The part of what is possible that the commands take up, where no rate is given.
const PART: f64 = 0.5;

/// Measures the latency of each run's events.
///
/// # Errors
/// A sentence on what failed.
pub async fn measure(postgres: &Arc<TestPostgres>, rate: Option<f64>, pace: Pace) -> Result<Vec<Figure>, String> {
    let ours = Ours::set_up(postgres, pace.cases).await?;
    let mut relay = ours.council.serve("relay");
    ours.until_published().await?;
    let rate = match rate {
        Some(rate) if rate > 0.0 => rate,
        Some(_) => return Err("the rate must be more than 0".to_owned()),
        None => PART * possible(&ours, pace).await?,
    };
    let mut quantiles: HashMap<&str, Vec<f64>> = HashMap::new();
    for _ in 0..pace.runs {
        let latencies = run(&ours, rate, pace).await?;
        for (name, quantile) in [("p50", 0.5), ("p99", 0.99), ("p99.9", 0.999)] {
            let milliseconds = latencies.value_at_quantile(quantile) as f64 / 1e6;
            quantiles.entry(name).or_default().push(milliseconds);
        }
    }
    relay.stop(PATIENCE).await;
    ours.let_go().await;
    let mut figures = vec![Figure::new("latency", "commands sent", "commands/s", vec![rate])];
    for name in ["p50", "p99", "p99.9"] {
        let runs = quantiles.remove(name).unwrap_or_default();
        figures.push(Figure::new(
            "latency",
            format!("answer to consumer, {name}"),
            "ms",
            runs,
        ));
    }
    Ok(figures)
}

/// How many events a second are recorded and published, when clients send as fast as they are answered.
async fn possible(ours: &Ours, pace: Pace) -> Result<f64, String> {
    let load = Load {
        clients: pace.clients,
        cases: pace.cases,
        warm_up: Duration::ZERO,
        time: pace.time,
    };
    let (began, before) = (Instant::now(), ours.head().await?);
    load::run(load, &ours.command()).await?;
    ours.until_published().await?;
    Ok((ours.head().await? - before) as f64 / began.elapsed().as_secs_f64())
}

async fn run(ours: &Ours, rate: f64, pace: Pace) -> Result<Histogram<u64>, String> {
    let events = ours.bus.follow_events(None).await;
    let mut events = events.map_err(|error| error.to_string())?;
    let sending = send(ours, rate, pace);
    let hearing = async {
        let mut heard = HashMap::new();
        // Nothing comes for a while when everything has come.
        while let Ok(Some(event)) = tokio::time::timeout(Duration::from_secs(1), events.next()).await {
            heard.insert(position_of(&event.body)?, Instant::now());
        }
        Ok::<_, String>(heard)
    };
    let (answered, heard) = tokio::try_join!(sending, hearing)?;
    let mut latencies = Histogram::new(3).map_err(|error| error.to_string())?;
    for (position, answered) in answered {
        let heard = heard
            .get(&position)
            .ok_or_else(|| format!("position {position} was not heard of"))?;
        // Some are heard of before their sender is answered: those did not wait at all.
        let waited = heard.saturating_duration_since(answered);
        latencies
            .record(waited.as_nanos() as u64)
            .map_err(|error| error.to_string())?;
    }
    Ok(latencies)
}

/// Sends at the rate; when each was answered, by the position of its event.
async fn send(ours: &Ours, rate: f64, pace: Pace) -> Result<Vec<(i64, Instant)>, String> {
    let began = Instant::now();
    let mut random = SmallRng::seed_from_u64(1);
    let mut calls = JoinSet::new();
    let commands = (rate * pace.time.as_secs_f64()).max(1.0) as u32;
    for number in 0..commands {
        let due = began + Duration::from_secs_f64(f64::from(number) / rate);
        if due > Instant::now() {
            tokio::time::sleep_until(due.into()).await;
        }
        let (service, command) = (ours.service().clone(), update(random.random_range(0..pace.cases)));
        calls.spawn(async move {
            let accepted = accepted(service.call(&command).await)?;
            Ok::<_, String>((accepted.position.0, Instant::now()))
        });
    }
    let mut answered = Vec::new();
    while let Some(call) = calls.join_next().await {
        answered.push(call.map_err(|error| error.to_string())??);
    }
    Ok(answered)
}

fn position_of(body: &[u8]) -> Result<i64, String> {
    #[derive(Deserialize)]
    struct Positioned<'a> {
        position: &'a str,
    }
    let positioned: Positioned<'_> = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    positioned
        .position
        .parse()
        .map_err(|error| format!("an event has no position: {error}"))
}
