//! Work that would keep other tasks waiting.

use crate::error::Interrupted;

/// Runs what may take a tenth of a second, such as sealing 20 MiB, on a thread where nobody waits for it.
pub(crate) async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Interrupted> {
    tokio::task::spawn_blocking(work).await.map_err(|_| Interrupted)
}
