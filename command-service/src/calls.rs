//! Calls, queries and replays: request and reply.

use std::sync::Arc;
use std::time::Duration;

use bus::{Bus, BusError, DeadLetter, Request};
use futures::StreamExt;
use schemas::CommandId;
use schemas::envelope::CommandEnvelope;
use schemas::result::CommandResult;
use schemas::subjects::Addressed;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use vault::Vault;

use crate::durable::CONSUMER;
use crate::handler::Handler;
use crate::measured::{self, InHand, QueryInHand};
use crate::queries::Queries;
use crate::share::Shares;
use crate::task::{Mode, put_aside, whole};

/// The most calls that one process works on at once; more wait on the bus. With a body of 256 KiB each it bounds memory to
/// half a gigabyte in the worst case.
pub const CALLS_IN_FLIGHT_MAX: usize = 2048;

/// How long a call may take before its caller is told to ask again. Longer than a client waits, so that it only frees the place.
pub const CALL_PATIENCE: Duration = Duration::from_secs(30);

/// The most queries that one process works on at once, and the most replays beside them.
pub const QUERIES_IN_FLIGHT_MAX: usize = 64;

/// Answers calls until it is told to stop; then lets those under way end.
///
/// # Errors
/// When the bus does not let it take calls.
pub async fn answer_calls(
    bus: Arc<dyn Bus>,
    handler: Arc<Handler>,
    vault: Arc<Vault>,
    stop: CancellationToken,
) -> Result<(), BusError> {
    let requests = bus.calls().await?;
    let letters = Arc::clone(&bus);
    let shares = Shares::new();
    let answer = move |request: Request| {
        let (handler, vault, letters) = (Arc::clone(&handler), Arc::clone(&vault), Arc::clone(&letters));
        let shares = Arc::clone(&shares);
        async move {
            let sender = Addressed::read(&request.subject).map(|addressed| addressed.client);
            let share = sender.as_ref().map(|client| shares.take(client));
            if let Some(None) = share {
                return serde_json::to_vec(&later(&request)).unwrap_or_default();
            }
            let result = call(&handler, &request).await;
            if let Some(reason) = put_aside(&result) {
                let message = whole(|name| request.headers.get(name), &request.body);
                let sealed = vault.seal_letter(&message).ok();
                let letter = DeadLetter::of_call(&request, reason, sealed);
                match letters.dead_letter(CONSUMER, letter).await {
                    Ok(()) => {
                        measured::parked(CONSUMER);
                        tracing::warn!(
                            reason,
                            subject = request.subject,
                            "a call was put among the dead letters"
                        );
                    }
                    // Its caller is told all the same, and has it still.
                    Err(error) => tracing::warn!(%error, reason, "a call could not be put aside"),
                }
            }
            serde_json::to_vec(&result).unwrap_or_default()
        }
    };
    serve(bus, requests, CALLS_IN_FLIGHT_MAX, stop, answer).await;
    Ok(())
}

/// Answers queries until it is told to stop.
///
/// # Errors
/// When the bus does not let it take queries.
pub async fn answer_queries(
    bus: Arc<dyn Bus>,
    handler: Arc<Handler>,
    queries: Arc<Queries>,
    stop: CancellationToken,
) -> Result<(), BusError> {
    let requests = bus.queries().await?;
    let answer = move |request: Request| {
        let (handler, queries) = (Arc::clone(&handler), Arc::clone(&queries));
        async move {
            let _in_hand = QueryInHand::begin();
            let now = handler.environment().now();
            queries
                .answer(&handler.registers(), &request.subject, &request.body, now)
                .await
        }
    };
    serve(bus, requests, QUERIES_IN_FLIGHT_MAX, stop, answer).await;
    Ok(())
}

/// Answers requests for a replay until it is told to stop.
///
/// # Errors
/// When the bus does not let it take them.
pub async fn answer_replays(
    bus: Arc<dyn Bus>,
    handler: Arc<Handler>,
    queries: Arc<Queries>,
    stop: CancellationToken,
) -> Result<(), BusError> {
    let requests = bus.replays().await?;
    let answer = move |request: Request| {
        let (handler, queries) = (Arc::clone(&handler), Arc::clone(&queries));
        async move {
            let _in_hand = QueryInHand::begin();
            queries
                .replay(&handler.registers(), &request.subject, &request.body)
                .await
        }
    };
    serve(bus, requests, QUERIES_IN_FLIGHT_MAX, stop, answer).await;
    Ok(())
}

/// The answer to a client that has its share of this process already: nothing was recorded, and the same may be asked again.
fn later(request: &Request) -> CommandResult {
    let read = CommandEnvelope::read(|name| request.headers.get(name), &request.body);
    let id = read.map_or_else(|unreadable| unreadable.id, |envelope| Some(envelope.id));
    CommandResult::unavailable(id.unwrap_or(CommandId(Uuid::nil())))
}

/// The result of one call.
pub async fn call(handler: &Arc<Handler>, request: &Request) -> CommandResult {
    let now = handler.environment().now();
    let mode = Mode::of_call(&request.headers);
    match handler
        .registers()
        .admit(&request.subject, |name| request.headers.get(name), &request.body, now)
    {
        Ok(admitted) => {
            let id = admitted.envelope.id;
            // The command goes on where its caller is no longer waited for: a repeat finds what came of it.
            match tokio::time::timeout(CALL_PATIENCE, handler.submit(admitted, mode)).await {
                Ok(Ok(result)) => result,
                Ok(Err(_)) | Err(_) => CommandResult::unavailable(id),
            }
        }
        Err(refused) => {
            let id = refused.id.unwrap_or(CommandId(Uuid::nil()));
            let in_hand = InHand::begin(None, mode, refused.traceparent());
            let result = handler.refuse(refused, mode).await;
            let result = result.unwrap_or(CommandResult::unavailable(id));
            in_hand.answered(&result.status);
            result
        }
    }
}

async fn serve<A, F>(bus: Arc<dyn Bus>, mut requests: bus::Requests, most: usize, stop: CancellationToken, answer: A)
where
    A: Fn(Request) -> F,
    F: Future<Output = Vec<u8>> + Send + 'static,
{
    let places = Arc::new(Semaphore::new(most));
    loop {
        let request = tokio::select! {
            biased;
            () = stop.cancelled() => break,
            request = requests.next() => request,
        };
        let Some(request) = request else { break };
        let Some(reply) = request.reply.clone() else { continue };
        let Ok(place) = Arc::clone(&places).acquire_owned().await else {
            break;
        };
        let (bus, answer) = (Arc::clone(&bus), answer(request));
        tokio::spawn(async move {
            if let Err(error) = bus.reply(&reply, answer.await.into()).await {
                tracing::warn!(%error, "an answer could not be sent; the caller will repeat");
            }
            drop(place);
        });
    }
    // Every place free again: nobody is left without an answer.
    let _ = places.acquire_many(u32::try_from(most).unwrap_or(u32::MAX)).await;
}
