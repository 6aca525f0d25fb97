//! One run: the services start, commands flow, everything that the weather has strikes, and once it is calm everything is checked.

use std::cell::Cell;
use std::io;
use std::sync::{Arc, Once};
use std::time::Duration;

use schemas::ClientName;
use tokio::time::timeout;

use crate::bus::ModelClient;
use crate::checker::{check, is_caught_up};
use crate::council::{CLIENTS, Council, Registry};
use crate::sender::{Board, Sender};
use crate::storm::Storm;
use crate::witness::{Asked, Broken, Invariant, Sent};
use crate::world::{Figures, Weather, World};

/// How many senders there are.
const SENDERS: usize = 4;

/// How many things each of them does: at least, and at most so many more.
const EACH: (u64, u64) = (4, 10);

/// How long faults strike, at most.
const STORM: Duration = Duration::from_secs(60);

/// How long, by the run's clock, everybody may wait for an answer once nothing fails any more. A durable command that was given to a
/// process and not acknowledged comes again after a minute, and its sender asks every ten seconds.
const PATIENCE: Duration = Duration::from_secs(600);

/// How often it is looked whether everything is caught up.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// What a run came to.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Its seed.
    pub seed: u64,
    /// Steps, faults, and the hash of its trace.
    pub figures: Figures,
    /// How many commands were sent.
    pub commands: usize,
    /// How many events the log has.
    pub events: usize,
    /// What does not hold.
    pub broken: Vec<Broken>,
    /// Each step, where that was asked for.
    pub lines: Vec<String>,
}

/// Runs a seed in this weather.
///
/// # Errors
/// Where no runtime can be made.
pub fn run(registry: &Registry, seed: u64, weather: Weather, keep_lines: bool) -> io::Result<Outcome> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()?;
    let services = tokio::task::LocalSet::new();
    Ok(services.block_on(&runtime, async {
        let world = Arc::new(World::new(seed, weather, keep_lines));
        let council = Council::new(world, registry.clone());
        let before = panics();
        live(&council).await;
        if panics() > before {
            let what = "a task of a service panicked".to_owned();
            council.nats.witness.broken(&council.world, Invariant::Recovers, what);
        }
        check(&council);
        Outcome {
            seed,
            figures: council.world.figures(),
            commands: council.nats.witness.asked().len(),
            events: council.log.events().len(),
            broken: council.nats.witness.findings(),
            lines: council.world.lines(),
        }
    }))
}

/// How often code on this thread has panicked, since that was first asked. A runtime swallows the panic of a task; it is a bug all the
/// same.
fn panics() -> u64 {
    thread_local! {
        static PANICS: Cell<u64> = const { Cell::new(0) };
    }
    static COUNTED: Once = Once::new();
    COUNTED.call_once(|| {
        let told = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            PANICS.with(|panics| panics.set(panics.get() + 1));
            told(panic);
        }));
    });
    PANICS.with(Cell::get)
}

/// Lets a council live through its storm and come to rest.
pub(crate) async fn live(council: &Council) {
    let board = Board::default();
    let mut storm = Storm::new(council.clone(), board.clone());
    let mut sending = tokio::spawn(send(council.clone(), board));
    tokio::select! {
        biased;
        _ = &mut sending => {}
        () = tokio::time::sleep(STORM) => {}
        () = storm.rage() => {}
    }
    storm.end();
    let broken = |invariant, what: &str| {
        (council.nats.witness).broken(&council.world, invariant, what.to_owned());
    };
    if !sending.is_finished() && timeout(PATIENCE, &mut sending).await.is_err() {
        // Whoever has no answer is named by the check.
        sending.abort();
    }
    if timeout(PATIENCE, ask_again(council)).await.is_err() {
        let what = "a command that is recorded was not answered when it was sent again";
        broken(Invariant::UnansweredAtMostOnce, what);
    }
    let catching_up = async {
        while !is_caught_up(council) {
            tokio::time::sleep(LOOK_EVERY).await;
        }
    };
    if timeout(PATIENCE, catching_up).await.is_err() {
        let what = "the event stream or the view did not catch up with the log";
        broken(Invariant::Recovers, what);
    }
}

async fn send(council: Council, board: Board) {
    let mut senders = Vec::new();
    for client in CLIENTS.into_iter().cycle().take(SENDERS) {
        let Ok(name) = ClientName::new(client) else { continue };
        let sender = Sender::new(&council, name, board.clone());
        let times = EACH.0 + council.world.below(EACH.1);
        senders.push(tokio::spawn(sender.run(times)));
    }
    futures::future::join_all(senders).await;
}

/// Every command that is recorded, asked once more: its answer is what it was.
async fn ask_again(council: &Council) {
    let witness = &council.nats.witness;
    for (number, asked) in witness.asked().into_iter().enumerate() {
        let Asked {
            client,
            id,
            name,
            body,
            sent,
            ..
        } = asked;
        let recorded = {
            let tables = council.log.tables();
            tables.receipts.contains_key(&(client.clone(), id))
        };
        if recorded && matches!(sent, Sent::Call | Sent::Durable | Sent::InOrder(..)) {
            let client = ModelClient::new(council.nats.clone(), client);
            let result = client.call_until_known(&name, body).await;
            witness.answered(&council.world, number, &result);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_that_panics_is_counted() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let before = panics();
        let task = async { panic!("on purpose") };
        assert!(runtime.block_on(async { tokio::spawn(task).await }).is_err());
        assert_eq!(panics(), before + 1);
    }
}
