//! Recently used streams, folded, with their version. A stale entry does no harm: the append checks the version, and what is
//! answered without an append is confirmed first.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};

use domain::AggregateState;
use lru::LruCache;
use schemas::{AggregateId, Version};

/// The most streams kept. A folded case takes about one kilobyte, so that this bounds the cache to some 50 MiB.
pub const CACHED_STREAMS_MAX: NonZeroUsize = NonZeroUsize::MIN.saturating_add(49_999);

/// A stream as it stood.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// Folded.
    pub state: Arc<AggregateState>,
    /// At this version.
    pub version: Version,
}

/// The cache.
#[derive(Debug)]
pub struct StateCache {
    streams: Mutex<LruCache<AggregateId, Snapshot>>,
}

impl Default for StateCache {
    fn default() -> Self {
        Self {
            streams: Mutex::new(LruCache::new(CACHED_STREAMS_MAX)),
        }
    }
}

impl StateCache {
    /// The stream as it last stood here.
    pub fn get(&self, id: AggregateId) -> Option<Snapshot> {
        self.streams
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&id)
            .cloned()
    }

    /// Keeps a stream.
    pub fn put(&self, id: AggregateId, snapshot: Snapshot) {
        self.streams
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .put(id, snapshot);
    }

    /// Keeps a stream, unless it is known here as it stood later.
    pub fn put_if_newer(&self, id: AggregateId, snapshot: Snapshot) {
        let mut streams = self.streams.lock().unwrap_or_else(PoisonError::into_inner);
        if streams.peek(&id).is_none_or(|known| known.version < snapshot.version) {
            streams.put(id, snapshot);
        }
    }

    /// Forgets a stream.
    pub fn forget(&self, id: AggregateId) {
        self.streams.lock().unwrap_or_else(PoisonError::into_inner).pop(&id);
    }

    /// Brings a stream that is kept up to its next event; forgets it where something before that was missed.
    pub fn advance(&self, id: AggregateId, sequence: Version, apply: impl FnOnce(&mut AggregateState)) {
        let mut streams = self.streams.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(kept) = streams.peek_mut(&id).filter(|kept| kept.version < sequence) else {
            return;
        };
        if kept.version.0 + 1 == sequence.0 {
            apply(Arc::make_mut(&mut kept.state));
            kept.version = sequence;
        } else {
            streams.pop(&id);
        }
    }

    /// Forgets everything: after an append whose end is not known.
    pub fn clear(&self) {
        self.streams.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

#[cfg(test)]
mod tests {
    use domain::Customer;
    use uuid::Uuid;

    use super::*;

    #[test]
    fn it_keeps_no_more_than_it_may_and_forgets_what_was_not_used_for_longest() {
        let cache = StateCache::default();
        let snapshot = Snapshot {
            state: Arc::new(AggregateState::Customer(Customer::default())),
            version: Version(1),
        };
        let id = |number: usize| AggregateId(Uuid::from_u128(number as u128));
        let most = CACHED_STREAMS_MAX.get();
        for number in 0..most {
            cache.put(id(number), snapshot.clone());
        }
        assert!(cache.get(id(0)).is_some());
        cache.put_if_newer(id(most), snapshot);
        assert!(cache.get(id(1)).is_none(), "the first but one was not used since");
        assert!(cache.get(id(0)).is_some() && cache.get(id(most)).is_some());
        assert_eq!(cache.streams.lock().unwrap().len(), most);
    }
}
