//! Keys in memory: bounded in number and in time.

use std::num::NonZeroUsize;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use lru::LruCache;
use schemas::{Category, CustomerId, KeyId};

use crate::row_key::{Place, RowKey};

/// The keys of one place, at most one per category.
#[derive(Clone, Debug, Default)]
pub(crate) struct Held {
    pub(crate) personal: Option<RowKey>,
    pub(crate) special: Option<RowKey>,
}

impl Held {
    pub(crate) const fn of(&self, category: Category) -> Option<&RowKey> {
        match category {
            Category::Personal => self.personal.as_ref(),
            Category::SpecialCategory => self.special.as_ref(),
        }
    }

    pub(crate) fn put(&mut self, category: Category, key: RowKey) {
        match category {
            Category::Personal => self.personal = Some(key),
            Category::SpecialCategory => self.special = Some(key),
        }
    }
}

struct Entry {
    held: Held,
    /// Before the first of them was read: from here the bound counts.
    read_at: Instant,
    /// Whether a category without a key had none when it was read.
    complete: bool,
}

/// The least recently used places go when it is full; every key goes when its time is up.
pub(crate) struct KeyCache {
    entries: Mutex<LruCache<Place, Entry>>,
    keep_for: Duration,
}

impl KeyCache {
    pub(crate) fn new(places: NonZeroUsize, keep_for: Duration) -> Self {
        Self {
            entries: Mutex::new(LruCache::new(places)),
            keep_for,
        }
    }

    pub(crate) const fn keep_for(&self) -> Duration {
        self.keep_for
    }

    /// All keys of a place, and when they were read. None unless both categories were looked for.
    pub(crate) fn keys_of(&self, place: Place, now: Instant) -> Option<(Held, Instant)> {
        let mut entries = self.lock();
        let entry = self.fresh(&mut entries, place, now)?;
        entry.complete.then(|| (entry.held.clone(), entry.read_at))
    }

    /// The key with this id.
    pub(crate) fn key(&self, place: Place, category: Category, id: KeyId, now: Instant) -> Option<RowKey> {
        let mut entries = self.lock();
        let entry = self.fresh(&mut entries, place, now)?;
        entry.held.of(category).filter(|key| key.id == id).cloned()
    }

    /// Takes all keys of a place in.
    pub(crate) fn put(&self, place: Place, held: Held, read_at: Instant) {
        self.lock().put(
            place,
            Entry {
                held,
                read_at,
                complete: true,
            },
        );
    }

    /// Takes one key in, beside what is there. Together they stay as long as the older one.
    pub(crate) fn put_key(&self, place: Place, category: Category, key: RowKey, read_at: Instant) {
        let mut entries = self.lock();
        if let Some(entry) = self.fresh(&mut entries, place, read_at) {
            entry.held.put(category, key);
            entry.read_at = entry.read_at.min(read_at);
        } else {
            let mut held = Held::default();
            held.put(category, key);
            entries.put(
                place,
                Entry {
                    held,
                    read_at,
                    complete: false,
                },
            );
        }
    }

    pub(crate) fn forget(&self, place: Place) {
        self.lock().pop(&place);
    }

    /// Drops every key made for the person.
    pub(crate) fn forget_person(&self, person: CustomerId) {
        let mut entries = self.lock();
        let places: Vec<Place> = entries
            .iter()
            .map(|(place, _)| *place)
            .filter(|place| place.person == Some(person))
            .collect();
        for place in places {
            entries.pop(&place);
        }
    }

    /// The entry, unless its time is up; then it is dropped, and the keys are wiped.
    fn fresh<'e>(&self, entries: &'e mut LruCache<Place, Entry>, place: Place, now: Instant) -> Option<&'e mut Entry> {
        let age = now.saturating_duration_since(entries.peek(&place)?.read_at);
        if age >= self.keep_for {
            entries.pop(&place);
            return None;
        }
        entries.get_mut(&place)
    }

    fn lock(&self) -> MutexGuard<'_, LruCache<Place, Entry>> {
        // A panic elsewhere leaves the map whole: each change is one call.
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand::rngs::StdRng;
    use schemas::AggregateId;
    use uuid::Uuid;

    use super::*;

    const BOUND: Duration = Duration::from_secs(60);

    fn cache(places: usize) -> KeyCache {
        KeyCache::new(NonZeroUsize::new(places).unwrap(), BOUND)
    }

    fn place(person: u128) -> Place {
        Place {
            person: Some(CustomerId(Uuid::from_u128(person))),
            stream: AggregateId(Uuid::from_u128(9)),
        }
    }

    fn key(seed: u64) -> RowKey {
        RowKey::mint(&mut StdRng::seed_from_u64(seed))
    }

    #[test]
    fn a_key_goes_when_its_time_is_up() {
        let (cache, start, key) = (cache(4), Instant::now(), key(1));
        cache.put(
            place(1),
            Held {
                personal: Some(key.clone()),
                special: None,
            },
            start,
        );
        let last = start + BOUND - Duration::from_nanos(1);
        assert!(cache.keys_of(place(1), last).is_some());
        assert!(cache.key(place(1), Category::Personal, key.id, last).is_some());
        assert!(cache.key(place(1), Category::Personal, key.id, start + BOUND).is_none());
        assert!(cache.keys_of(place(1), start).is_none(), "dropped, not only hidden");
    }

    #[test]
    fn a_key_that_joins_another_makes_it_stay_no_longer() {
        let (cache, start) = (cache(4), Instant::now());
        let (early, late) = (key(1), key(2));
        cache.put_key(place(1), Category::Personal, early.clone(), start);
        cache.put_key(place(1), Category::SpecialCategory, late.clone(), start + BOUND / 2);
        assert!(
            cache
                .key(place(1), Category::SpecialCategory, late.id, start + BOUND / 2)
                .is_some()
        );
        assert!(
            cache
                .key(place(1), Category::Personal, early.id, start + BOUND)
                .is_none()
        );
    }

    #[test]
    fn a_key_read_alone_says_nothing_of_the_other_category() {
        let (cache, start) = (cache(4), Instant::now());
        cache.put_key(place(1), Category::Personal, key(1), start);
        assert!(cache.keys_of(place(1), start).is_none());
        cache.put(place(2), Held::default(), start);
        assert!(cache.keys_of(place(2), start).is_some(), "known to be without keys");
    }

    #[test]
    fn places_and_people_are_forgotten_and_the_oldest_make_room() {
        let (cache, start) = (cache(2), Instant::now());
        for person in 1..=3 {
            cache.put(place(person), Held::default(), start);
        }
        assert!(cache.keys_of(place(1), start).is_none());
        cache.forget(place(2));
        assert!(cache.keys_of(place(2), start).is_none());
        cache.forget_person(CustomerId(Uuid::from_u128(3)));
        assert!(cache.keys_of(place(3), start).is_none());
    }
}
