//! The relay by itself: how fast it publishes a log that is there.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bus::Bus as _;
use system_tests::TestPostgres;
use system_tests::council::PATIENCE;

use crate::contenders::Ours;
use crate::figures::Figure;

/// How often it is looked how far it is: often enough to be wrong by less than a hundredth, seldom enough to cost nothing.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// How long the whole log may take.
const LONGEST: Duration = Duration::from_secs(300);

/// Measures how many events a second are published. Counted from the first that is on the bus, so that the start of a
/// process is left out.
///
/// # Errors
/// A sentence on what failed.
pub async fn measure(postgres: &Arc<TestPostgres>, events: usize, runs: usize) -> Result<Vec<Figure>, String> {
    let ours = Ours::set_up(postgres, 1).await?;
    ours.with_events(events).await?.close().await;
    let mut rates = Vec::new();
    for _ in 0..runs {
        // What the run before has published goes.
        ours.bus.purge_events().await.map_err(|error| error.to_string())?;
        let mut relay = ours.council.serve("relay");
        rates.push(publish(&ours).await?);
        relay.stop(PATIENCE).await;
    }
    ours.let_go().await;
    Ok(vec![Figure::new("relay", "published", "events/s", rates)])
}

async fn publish(ours: &Ours) -> Result<f64, String> {
    let end = ours.head().await?;
    let mut first = None;
    let deadline = Instant::now() + LONGEST;
    while Instant::now() < deadline {
        let (now, published) = (Instant::now(), ours.published().await?);
        let (began, from) = match first {
            None if published == 0 => {
                tokio::time::sleep(LOOK_EVERY).await;
                continue;
            }
            None => *first.insert((now, published)),
            Some(first) => first,
        };
        if published == end {
            return Ok((end - from) as f64 / now.duration_since(began).as_secs_f64().max(LOOK_EVERY.as_secs_f64()));
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    Err("the log was not published in time".to_owned())
}
