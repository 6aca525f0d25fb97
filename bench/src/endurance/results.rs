//! Results of last week: the stream of results as an installation has it that has been running for long.

use async_nats::jetstream;
use bus::ServiceUser;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use schemas::subjects::{self, RESULTS_STREAM};
use schemas::{ClientName, CommandId};
use system_tests::Council;
use uuid::Uuid;

/// How many are on their way at once.
const IN_FLIGHT: usize = 256;

/// Publishes the latest result so many times more, each under an id of its own: nats-server remembers the subject of each, so that
/// what it holds grows until the stream has as many as it keeps.
///
/// # Errors
/// Where there is no result yet, or JetStream refuses one.
pub async fn fill(council: &Council, results: u64) -> Result<(), String> {
    let website = ClientName::new("website").map_err(|error| error.to_string())?;
    let steward = jetstream::new(council.steward().await);
    let stream = steward.get_stream(RESULTS_STREAM).await;
    let stream = stream.map_err(|error| error.to_string())?;
    let latest = stream.get_raw_message(stream.cached_info().state.last_sequence).await;
    let latest = latest.map_err(|error| format!("no result is there to be repeated: {error}"))?;
    let service = jetstream::new(council.bus_of(ServiceUser::Puller).await);
    stream::iter(0..results)
        .map(|_| {
            let subject = subjects::result(&website, CommandId(Uuid::new_v4()));
            let payload = latest.payload.clone();
            let service = &service;
            async move {
                let stored = service.publish(subject, payload).await;
                stored
                    .map_err(|error| error.to_string())?
                    .await
                    .map_err(|error| error.to_string())
            }
        })
        .buffer_unordered(IN_FLIGHT)
        .try_for_each(|_| async { Ok(()) })
        .await
}
