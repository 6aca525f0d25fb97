//! Some seconds of the simulation in every run of the tests: the first seeds, always the same.

// Outside of a test function, too, a test may fail.
#![allow(clippy::unwrap_used)]

use std::sync::atomic::{AtomicU64, Ordering};

use simulation::{Fault, Outcome, Registry, Weather, run};

/// How many seeds: about twenty seconds on two cores, without optimisation.
const SEEDS: u64 = 80;

fn registry() -> Registry {
    Registry::new().unwrap()
}

fn drawn(registry: &Registry, seed: u64) -> Outcome {
    run(registry, seed, Weather::Drawn, false).unwrap()
}

/// What a failed run shows, with what it takes to see it again.
#[track_caller]
fn assert_holds(outcome: &Outcome) {
    let broken: Vec<String> = outcome.broken.iter().map(ToString::to_string).collect();
    assert!(
        broken.is_empty(),
        "seed {0} (cargo run -p simulation -- --seed {0} --trace):\n{1}",
        outcome.seed,
        broken.join("\n")
    );
}

#[test]
fn the_first_seeds_hold() {
    let registry = registry();
    let next = AtomicU64::new(0);
    let work = || {
        let mut outcomes = Vec::new();
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= SEEDS {
                return outcomes;
            }
            outcomes.push(drawn(&registry, seed));
        }
    };
    let outcomes: Vec<Outcome> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..2).map(|_| scope.spawn(work)).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    outcomes.iter().for_each(assert_holds);
    // A run that does nothing, or a fault that never strikes, would hold as well.
    for fault in Fault::ALL {
        let struck = outcomes
            .iter()
            .any(|outcome| outcome.figures.faults.contains_key(&fault));
        assert!(struck, "{fault:?} never struck");
    }
    assert!(outcomes.iter().map(|outcome| outcome.events).sum::<usize>() > 20 * outcomes.len());
}

#[test]
fn a_seed_repeats_exactly() {
    // Each with registers of its own, so that nothing is carried over.
    for seed in 1_000..1_006 {
        let (first, second) = (drawn(&registry(), seed), drawn(&registry(), seed));
        assert_eq!(first.figures, second.figures, "seed {seed}");
        assert_eq!((first.commands, first.events), (second.commands, second.events));
    }
    assert_ne!(drawn(&registry(), 1).figures.trace, drawn(&registry(), 2).figures.trace);
}

#[test]
fn in_fair_weather_nothing_is_repeated() {
    let outcome = run(&registry(), 5, Weather::Fair, true).unwrap();
    assert_holds(&outcome);
    assert!(outcome.figures.faults.is_empty());
    let refused_by_the_fence = |line: &&String| line.contains("refused by the fence");
    assert_eq!(outcome.lines.iter().filter(refused_by_the_fence).count(), 0);
}
