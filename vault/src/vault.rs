//! The vault itself: stored keys, look-up and erasure.

use std::collections::HashMap;
use std::fmt;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::{Duration, Instant};

use schemas::sealed::LookupHash;
use schemas::{AggregateId, Category, CustomerId, KeyId, Sealed};
use sqlx::PgPool;

use crate::cache::{Held, KeyCache};
use crate::error::{OpenError, VaultError};
use crate::field::{FieldKey, Opened};
use crate::key_file::KeyEncryptionKey;
use crate::lookup::{FIND_AT_MOST, LookupKind};
use crate::postgres::PgKeyStore;
use crate::row_key::{Place, RowKey};
use crate::sealer::Keys;
use crate::store::{AskedKey, KeyStore, StoredKey};
use crate::token::Token;

/// How a vault keeps keys in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// How long a key stays after it was read. Erasure is complete only this long after it was done.
    pub cache_for: Duration,
    /// How many places (a person in a stream) are kept at most.
    pub cache_places: NonZeroUsize,
}

impl Default for Settings {
    /// A minute, and 10,000 places (a few megabytes).
    fn default() -> Self {
        const PLACES: NonZeroUsize = NonZeroUsize::MIN.saturating_add(9_999);
        Self {
            cache_for: Duration::from_secs(60),
            cache_places: PLACES,
        }
    }
}

/// Why a person is erased: the grounds of UK GDPR article 17(1), as codes. Free text could name the person again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErasureReason {
    /// (a) The purpose is fulfilled.
    NoLongerNecessary,
    /// (b) Consent was withdrawn, and nothing else allows the processing.
    ConsentWithdrawn,
    /// (c) The person objected, and nothing overrides that.
    Objection,
    /// (d) The data was processed unlawfully.
    UnlawfulProcessing,
    /// (e) The law demands it.
    LegalObligation,
    /// (f) It was collected for an online service offered to a child.
    ChildOnlineService,
}

impl ErasureReason {
    /// The code, as the tombstone keeps it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoLongerNecessary => "no_longer_necessary",
            Self::ConsentWithdrawn => "consent_withdrawn",
            Self::Objection => "objection",
            Self::UnlawfulProcessing => "unlawful_processing",
            Self::LegalObligation => "legal_obligation",
            Self::ChildOnlineService => "child_online_service",
        }
    }
}

/// What an erasure did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Erasure {
    /// How many keys were destroyed.
    pub keys_destroyed: u64,
    /// How long other processes may still hold one. Report the erasure as done when this has passed, and not before.
    pub complete_after: Duration,
}

/// Loads, caches and destroys keys; opens what they sealed.
///
/// Cheap to share behind an [`Arc`].
pub struct Vault {
    pub(crate) store: Arc<dyn KeyStore>,
    pub(crate) key_file: Arc<KeyEncryptionKey>,
    cache: KeyCache,
    now: Box<dyn Fn() -> Instant + Send + Sync>,
}

impl Vault {
    /// A vault on a migrated database. Needs a login of the role `caseledger_vault`; erasing, of `caseledger_vault_keeper`.
    /// `now` is the clock that bounds the cache; a service passes [`Instant::now`].
    #[must_use]
    pub fn new(
        pool: PgPool,
        key_file: Arc<KeyEncryptionKey>,
        settings: Settings,
        now: impl Fn() -> Instant + Send + Sync + 'static,
    ) -> Self {
        Self::over(Arc::new(PgKeyStore { pool }), key_file, settings, now)
    }

    /// A vault that keeps its rows elsewhere than in Postgres.
    #[must_use]
    pub fn over(
        store: Arc<dyn KeyStore>,
        key_file: Arc<KeyEncryptionKey>,
        settings: Settings,
        now: impl Fn() -> Instant + Send + Sync + 'static,
    ) -> Self {
        let cache = KeyCache::new(settings.cache_places, settings.cache_for);
        Self {
            store,
            key_file,
            cache,
            now: Box::new(now),
        }
    }

    /// The keys of a person in a stream, from the cache or the database (one query). A category that has none gets one from
    /// the [`Sealer`](crate::Sealer).
    ///
    /// # Errors
    /// [`VaultError::Erased`]: refuse the command. Otherwise as the variant says.
    pub async fn keys_for(&self, person: Option<CustomerId>, stream: AggregateId) -> Result<Keys, VaultError> {
        let place = Place { person, stream };
        // The clock is read before the database: the bound counts from no later than what the query saw.
        let now = (self.now)();
        if let Some((held, read_at)) = self.cache.keys_of(place, now) {
            return Ok(self.keys(place, held, read_at));
        }
        let held = self.load(place).await?;
        self.cache.put(place, held.clone(), now);
        Ok(self.keys(place, held, now))
    }

    /// As [`Vault::keys_for`], for a stream that does not exist yet and so has no keys: without a query. Where that proves
    /// wrong, or the person is erased, the append refuses the keys.
    #[must_use]
    pub fn keys_for_new_stream(&self, person: Option<CustomerId>, stream: AggregateId) -> Keys {
        self.keys(Place { person, stream }, Held::default(), (self.now)())
    }

    /// Puts the keys of an attempt whose append has won in the cache. Never call it before.
    pub fn admitted(&self, keys: Keys) {
        self.cache.put(keys.place, keys.held, keys.read_at);
    }

    /// Drops what is cached for a place, because an append was refused for its keys.
    pub fn forget(&self, person: Option<CustomerId>, stream: AggregateId) {
        self.cache.forget(Place { person, stream });
    }

    /// Opens one sealed value.
    ///
    /// # Errors
    /// [`OpenError`] says whether to show a gap, to report it or to try again.
    pub async fn open(&self, sealed: &Sealed) -> Result<Opened, OpenError> {
        let (token, key) = self.token_and_key(sealed).await?;
        field_key(&token, &key)?.open(&token)
    }

    /// Opens many, with one query for all keys that are not cached; the results are in the order of `sealed`.
    pub async fn open_many(&self, sealed: &[&Sealed]) -> Vec<Result<Opened, OpenError>> {
        let tokens: Vec<_> = sealed.iter().map(|sealed| Token::parse(sealed)).collect();
        let parsed: Vec<&Token> = tokens.iter().filter_map(|token| token.as_ref().ok()).collect();
        let keys = self.keys_of(&parsed).await;
        tokens
            .into_iter()
            .map(|token| {
                let token = token?;
                let key = keys
                    .get(&token.header.key_id)
                    .cloned()
                    .unwrap_or(Err(OpenError::NoKey))?;
                field_key(&token, &key.checked(&token)?)?.open(&token)
            })
            .collect()
    }

    /// The key that opens this value and no other, to be given to an auditor.
    ///
    /// # Errors
    /// As [`Vault::open`]; a value that does not open gives no key.
    pub async fn field_key(&self, sealed: &Sealed) -> Result<FieldKey, OpenError> {
        let (token, key) = self.token_and_key(sealed).await?;
        let key = field_key(&token, &key)?;
        key.open(&token)?;
        Ok(key)
    }

    /// What an append admits so that a customer or a case is found by `value` from then on, and no more by what they had before; none
    /// where nothing is left of the value once it is normalised. A value that replaces another and leaves nothing needs
    /// [`Vault::lookup_removed`] instead, or they would still be found by the old one.
    #[must_use]
    pub fn lookup_hash(&self, kind: LookupKind, value: &str, leads_to: impl Into<AggregateId>) -> Option<LookupHash> {
        self.key_file.lookups().lookup(kind, value, leads_to.into())
    }

    /// What an append admits so that a customer or a case is found by no value of this kind from then on.
    #[must_use]
    pub fn lookup_removed(kind: LookupKind, leads_to: impl Into<AggregateId>) -> LookupHash {
        LookupHash {
            kind: kind.as_str(),
            hash: None,
            leads_to: leads_to.into(),
        }
    }

    /// The people who have this value, in the order of their ids, [`FIND_AT_MOST`] at most. The caller records the search.
    ///
    /// # Errors
    /// [`VaultError::Unavailable`]: try again. [`VaultError::Statement`]: stop.
    pub async fn find(&self, kind: LookupKind, value: &str) -> Result<Vec<CustomerId>, VaultError> {
        let found = self.find_streams(kind, [value]).await?;
        Ok(found.into_iter().map(|stream| CustomerId(stream.uuid())).collect())
    }

    /// The streams that have one of these values, in the order of their ids, [`FIND_AT_MOST`] at most.
    ///
    /// # Errors
    /// As [`Vault::find`].
    pub async fn find_streams<'v>(
        &self,
        kind: LookupKind,
        values: impl IntoIterator<Item = &'v str>,
    ) -> Result<Vec<AggregateId>, VaultError> {
        let keys = self.key_file.lookups();
        let hashes = values.into_iter().filter_map(|value| keys.hash(kind, value));
        let hashes: Vec<[u8; 32]> = hashes.collect();
        if hashes.is_empty() {
            return Ok(Vec::new());
        }
        self.store.streams_with(kind, hashes, FIND_AT_MOST).await
    }

    /// The other streams that have the same value as this one, in the order of their ids, [`FIND_AT_MOST`] at most.
    ///
    /// # Errors
    /// As [`Vault::find`].
    pub async fn find_beside(&self, kind: LookupKind, stream: AggregateId) -> Result<Vec<AggregateId>, VaultError> {
        self.store.streams_beside(kind, stream, FIND_AT_MOST).await
    }

    /// The customers who may be the same person as this one: they share an email address, a phone number or a postcode. Those
    /// who share most come first, at most [`FIND_AT_MOST`], each with what they share.
    ///
    /// # Errors
    /// [`VaultError::Unavailable`], [`VaultError::Statement`].
    pub async fn possible_duplicates(&self, person: CustomerId) -> Result<Vec<(CustomerId, Vec<String>)>, VaultError> {
        self.store.people_sharing(person, FIND_AT_MOST).await
    }

    /// Whether records of other people were found to be of this person.
    ///
    /// # Errors
    /// [`VaultError::Unavailable`], [`VaultError::Statement`].
    pub async fn stands_for_others(&self, person: CustomerId) -> Result<bool, VaultError> {
        self.store.stands_for_others(person).await
    }

    /// Erases a person: destroys the keys they own and their look-up hashes, and leaves a tombstone. Doing it again is safe.
    ///
    /// # Errors
    /// [`VaultError::Unavailable`]: it may have been done or not; do it again. [`VaultError::Statement`]: stop.
    pub async fn erase(&self, person: CustomerId, reason: ErasureReason) -> Result<Erasure, VaultError> {
        let keys_destroyed = self.store.erase(person, reason).await?;
        self.cache.forget_person(person);
        Ok(Erasure {
            keys_destroyed,
            complete_after: self.cache.keep_for(),
        })
    }

    fn keys(&self, place: Place, held: Held, read_at: Instant) -> Keys {
        Keys {
            place,
            held,
            read_at,
            key_file: Arc::clone(&self.key_file),
        }
    }

    async fn load(&self, place: Place) -> Result<Held, VaultError> {
        let mut held = Held::default();
        for key in self.store.keys_of_place(place.person, place.stream).await? {
            let category = key.category.ok_or(VaultError::DamagedKey(key.id))?;
            held.put(category, self.unwrap_key(&key, place, category)?);
        }
        Ok(held)
    }

    async fn token_and_key(&self, sealed: &Sealed) -> Result<(Token, RowKey), OpenError> {
        let token = Token::parse(sealed)?;
        let mut keys = self.keys_of(&[&token]).await;
        let key = keys
            .remove(&token.header.key_id)
            .unwrap_or(Err(OpenError::NoKey))?
            .checked(&token)?;
        Ok((token, key))
    }

    /// The keys that the tokens name: cached ones, and one query for the rest.
    async fn keys_of(&self, tokens: &[&Token]) -> HashMap<KeyId, Result<FoundKey, OpenError>> {
        let now = (self.now)();
        let mut found = HashMap::new();
        let mut wanted = HashMap::new();
        for token in tokens {
            let (id, place, category) = (token.header.key_id, place_of(token), token.header.category);
            match self.cache.key(place, category, id, now) {
                Some(key) => drop(found.insert(id, Ok(FoundKey { place, category, key }))),
                None => drop(wanted.insert(id, place.person)),
            }
        }
        wanted.retain(|id, _| !found.contains_key(id));
        if wanted.is_empty() {
            return found;
        }
        match self.load_by_id(&wanted, now).await {
            Ok(loaded) => found.extend(loaded),
            Err(error) => {
                let error = Arc::new(error);
                found.extend(
                    wanted
                        .keys()
                        .map(|id| (*id, Err(OpenError::Unavailable(Arc::clone(&error))))),
                );
            }
        }
        found
    }

    async fn load_by_id(
        &self,
        wanted: &HashMap<KeyId, Option<CustomerId>>,
        read_at: Instant,
    ) -> Result<HashMap<KeyId, Result<FoundKey, OpenError>>, VaultError> {
        let asked: Vec<_> = wanted.iter().map(|(id, person)| (*id, *person)).collect();
        let found = self.store.keys_by_id(&asked).await?;
        let loaded: HashMap<_, _> = found.into_iter().map(|(id, asked)| (id, self.found(asked))).collect();
        for key in loaded.values().flatten() {
            self.cache.put_key(key.place, key.category, key.key.clone(), read_at);
        }
        Ok(loaded)
    }

    /// What is made of a row. One bad row must not take the others with it.
    fn found(&self, asked: AskedKey) -> Result<FoundKey, OpenError> {
        let stored = match asked {
            AskedKey::Stored(stored) => stored,
            AskedKey::Erased => return Err(OpenError::Erased),
            AskedKey::Absent => return Err(OpenError::NoKey),
        };
        let place = Place {
            person: stored.person,
            stream: stored.stream,
        };
        let category = stored.category.ok_or(OpenError::Damaged)?;
        self.unwrap_key(&stored, place, category)
            .map(|key| FoundKey { place, category, key })
            .map_err(|error| OpenError::Unavailable(Arc::new(error)))
    }

    fn unwrap_key(&self, stored: &StoredKey, place: Place, category: Category) -> Result<RowKey, VaultError> {
        unwrap(&self.key_file, stored, place, category)
    }
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vault")
            .field("key_file", &self.key_file)
            .finish_non_exhaustive()
    }
}

/// A key and where its row says it belongs.
#[derive(Clone)]
struct FoundKey {
    place: Place,
    category: Category,
    key: RowKey,
}

impl FoundKey {
    /// The key, if the token was sealed for the row's place. (Otherwise its commitment would fail too; this says so first.)
    fn checked(self, token: &Token) -> Result<RowKey, OpenError> {
        let own = self.place == place_of(token) && self.category == token.header.category;
        own.then_some(self.key).ok_or(OpenError::Damaged)
    }
}

fn place_of(token: &Token) -> Place {
    Place {
        person: token.header.person,
        stream: token.header.stream,
    }
}

fn field_key(token: &Token, key: &RowKey) -> Result<FieldKey, OpenError> {
    FieldKey::derive(&key.secret, token.header_bytes()).map_err(|_| OpenError::Damaged)
}

/// The key that a row holds, unwrapped.
pub(crate) fn unwrap(
    key_file: &KeyEncryptionKey,
    stored: &StoredKey,
    place: Place,
    category: Category,
) -> Result<RowKey, VaultError> {
    let key_id = stored.id;
    let Some(wrapping) = key_file.wrapping_of(&stored.wrapped_by) else {
        let wrapped_by = stored.wrapped_by.clone();
        return Err(VaultError::OtherKeyFile { key_id, wrapped_by });
    };
    RowKey::unwrap_row(key_id, &stored.wrapped, wrapping, place, category).ok_or(VaultError::DamagedKey(key_id))
}
