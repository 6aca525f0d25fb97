//! A client's share of one process: what one client may take of it, so that there is always something left for the others.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};

use governor::clock::{Clock, MonotonicClock};
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};
use schemas::ClientName;

use crate::calls::CALLS_IN_FLIGHT_MAX;

/// How many calls of one client a process works on at once: half of its places.
pub const CALLS_IN_FLIGHT_PER_CLIENT_MAX: usize = CALLS_IN_FLIGHT_MAX / 2;

/// How many calls a second one client may make of a process, and how many at once after a pause. Far more than a council's
/// website needs, and less than would keep a process from everybody else.
pub const CALLS_PER_SECOND_PER_CLIENT: NonZeroU32 = NonZeroU32::MIN.saturating_add(9_999);

/// Counts what each client takes. NATS vouches for the name, so that there are as many as the client register has.
pub struct Shares<C: Clock = MonotonicClock> {
    rate: RateLimiter<ClientName, HashMapStateStore<ClientName>, C, NoOpMiddleware<C::Instant>>,
    in_flight: Mutex<HashMap<ClientName, usize>>,
}

impl Shares {
    /// Shares by the machine's clock, that never runs back.
    pub fn new() -> Arc<Self> {
        Self::by(MonotonicClock)
    }
}

impl<C: Clock> Shares<C> {
    fn by(clock: C) -> Arc<Self> {
        Arc::new(Self {
            rate: RateLimiter::new(
                Quota::per_second(CALLS_PER_SECOND_PER_CLIENT),
                HashMapStateStore::default(),
                clock,
            ),
            in_flight: Mutex::default(),
        })
    }

    /// Takes a place for a call of this client; none where it has its share already.
    pub fn take(self: &Arc<Self>, client: &ClientName) -> Option<Taken<C>> {
        let mut in_flight = self.in_flight.lock().unwrap_or_else(PoisonError::into_inner);
        let own = in_flight.entry(client.clone()).or_default();
        if *own >= CALLS_IN_FLIGHT_PER_CLIENT_MAX || self.rate.check_key(client).is_err() {
            return None;
        }
        *own += 1;
        Some(Taken {
            shares: Arc::clone(self),
            client: client.clone(),
        })
    }
}

/// A place of a client's, until it is dropped.
pub struct Taken<C: Clock = MonotonicClock> {
    shares: Arc<Shares<C>>,
    client: ClientName,
}

impl<C: Clock> Drop for Taken<C> {
    fn drop(&mut self) {
        let mut in_flight = self.shares.in_flight.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = in_flight.get_mut(&self.client) {
            *own -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use governor::clock::FakeRelativeClock;

    use super::*;

    fn clients() -> [ClientName; 2] {
        ["website", "app"].map(|name| name.parse().unwrap())
    }

    #[test]
    fn one_client_takes_no_more_than_half_of_the_places() {
        let ([website, app], shares) = (clients(), Shares::by(FakeRelativeClock::default()));
        let mut taken: Vec<_> = (0..CALLS_IN_FLIGHT_PER_CLIENT_MAX)
            .map(|_| shares.take(&website).unwrap())
            .collect();
        assert!(shares.take(&website).is_none());
        assert!(shares.take(&app).is_some());
        taken.pop();
        assert!(shares.take(&website).is_some());
    }

    #[test]
    fn one_client_calls_no_more_often_than_it_may() {
        let ([website, app], clock) = (clients(), FakeRelativeClock::default());
        let shares = Shares::by(clock.clone());
        let most = CALLS_PER_SECOND_PER_CLIENT.get();
        assert!((0..most).all(|_| shares.take(&website).is_some()));
        assert!(shares.take(&website).is_none());
        assert!(shares.take(&app).is_some());
        clock.advance(Duration::from_millis(500));
        let again = (0..most).filter(|_| shares.take(&website).is_some()).count();
        assert_eq!(again, usize::try_from(most / 2).unwrap());
    }
}
