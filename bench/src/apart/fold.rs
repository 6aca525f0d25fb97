//! Folding: the rules alone, from a long case's stored events to its state, and what one more command costs on it.

use std::hint::black_box;
use std::time::Instant as Clock;

use domain::AggregateState;
use schemas::event::EventRecord;
use schemas::moment::Instant;

use crate::figures::Figure;

/// How many events the case has.
const EVENTS: usize = 1_000;

/// How often it is folded in one run.
const TIMES: u32 = 200;

/// Golden payloads of the contract, as they are stored: the first opens the case, the others follow by turns.
const SUBMITTED: (&str, &str) = (
    "RequestSubmitted",
    include_str!("../../../schemas/golden/RequestSubmitted.v1.clocks.json"),
);
const FOLLOWING: [(&str, &str); 4] = [
    (
        "RequestUpdated",
        include_str!("../../../schemas/golden/RequestUpdated.v1.json"),
    ),
    ("NoteAdded", include_str!("../../../schemas/golden/NoteAdded.v1.json")),
    (
        "InformationAskedFor",
        include_str!("../../../schemas/golden/InformationAskedFor.v1.json"),
    ),
    (
        "InformationProvided",
        include_str!("../../../schemas/golden/InformationProvided.v1.json"),
    ),
];

/// Measures how long a case of a thousand events takes to fold.
///
/// # Errors
/// A sentence on what failed.
pub fn measure(runs: usize) -> Result<Vec<Figure>, String> {
    let rest = FOLLOWING.iter().cycle().take(EVENTS - 1);
    let read = |(name, payload): &(&str, &str)| EventRecord::read("case", name, "1", payload.trim_end());
    let events = std::iter::once(&SUBMITTED)
        .chain(rest)
        .map(read)
        .collect::<Result<Vec<_>, _>>();
    let events = events.map_err(|error| error.to_string())?;
    let at = Instant::new(time::OffsetDateTime::UNIX_EPOCH);
    let (mut folded, mut copied) = (Vec::new(), Vec::new());
    for _ in 0..runs {
        let (mut folding, mut copying) = (std::time::Duration::ZERO, std::time::Duration::ZERO);
        for _ in 0..TIMES {
            // What is taken in is given away: copies are made outside what is counted.
            let events = events.clone();
            let began = Clock::now();
            let mut state = AggregateState::before(events.first().ok_or("no event")?);
            for event in events {
                state.apply(event, at);
            }
            folding += began.elapsed();
            let began = Clock::now();
            black_box(state.clone());
            copying += began.elapsed();
        }
        folded.push(folding.as_secs_f64() * 1e6 / f64::from(TIMES));
        copied.push(copying.as_secs_f64() * 1e6 / f64::from(TIMES));
    }
    Ok(vec![
        Figure::new("fold", format!("a case of {EVENTS} events"), "µs", folded),
        Figure::new(
            "fold",
            "copying its state, as each command does".to_owned(),
            "µs",
            copied,
        ),
    ])
}
