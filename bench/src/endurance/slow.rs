//! Clients of the bus that do not keep up with the events.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use futures::StreamExt as _;
use system_tests::Council;
use tokio::task::JoinHandle;

/// How many events are asked for at once by who acknowledges none.
const AT_ONCE: usize = 500;

/// A slow client, until it is stopped.
pub struct Client {
    reading: JoinHandle<()>,
    taken: Arc<AtomicU64>,
}

impl Client {
    /// Stops it; how many events it took.
    pub fn stop(self) -> u64 {
        self.reading.abort();
        self.taken.load(Relaxed)
    }
}

/// Takes whatever it gets, and acknowledges nothing.
pub async fn never_acknowledges(council: &Council) -> Result<Client, String> {
    read(council, "contact-centre", AT_ONCE, false).await
}

/// Takes one event a second, and acknowledges it.
pub async fn one_a_second(council: &Council) -> Result<Client, String> {
    read(council, "website", 1, true).await
}

async fn read(council: &Council, name: &'static str, batch: usize, acknowledges: bool) -> Result<Client, String> {
    let client = council.raw(name).await;
    let inbox = client.new_inbox();
    let coming = client.subscribe(inbox.clone()).await;
    let mut coming = coming.map_err(|error| error.to_string())?;
    let taken = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&taken);
    let asked = serde_json::json!({ "batch": batch, "expires": 1_000_000_000 }).to_string();
    let reading = tokio::spawn(async move {
        let next = format!("$JS.API.CONSUMER.MSG.NEXT.CASELEDGER_EVENTS.{name}");
        loop {
            if client
                .publish_with_reply(next.clone(), inbox.clone(), asked.clone().into())
                .await
                .is_err()
            {
                return;
            }
            let second = tokio::time::sleep(Duration::from_secs(1));
            let take = async {
                while let Some(message) = coming.next().await {
                    // A status is no event.
                    if message.status.is_some() {
                        continue;
                    }
                    counted.fetch_add(1, Relaxed);
                    if let (true, Some(reply)) = (acknowledges, message.reply) {
                        let _ = client.publish(reply, "+ACK".into()).await;
                    }
                }
            };
            tokio::select! {
                () = second => {}
                () = take => return,
            }
        }
    });
    Ok(Client { reading, taken })
}
