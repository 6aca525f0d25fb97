//! The seam: where a vault keeps its rows. Wrapped keys and keyed hashes go in and out, nothing that can be read.

use std::error::Error;

use async_trait::async_trait;
use schemas::{AggregateId, Category, CustomerId, KeyId, OfficerId};
use time::OffsetDateTime;

use crate::error::VaultError;
use crate::lookup::LookupKind;
use crate::vault::ErasureReason;

/// A key as its row has it: wrapped, of no use without the key file.
#[derive(Clone, Debug)]
pub struct StoredKey {
    /// The row's id.
    pub id: KeyId,
    /// For whom it was made; none where the case has no customer.
    pub person: Option<CustomerId>,
    /// The stream it is for.
    pub stream: AggregateId,
    /// What it may seal; none where this release does not know what the row says.
    pub category: Option<Category>,
    /// The key, wrapped.
    pub wrapped: Vec<u8>,
    /// Which key-encryption key wrapped it.
    pub wrapped_by: String,
}

/// What is stored under the id of a key.
#[derive(Clone, Debug)]
pub enum AskedKey {
    /// This.
    Stored(StoredKey),
    /// Nothing, and the person whom the sealed value names is erased.
    Erased,
    /// Nothing.
    Absent,
}

/// That an officer is about to open something.
#[derive(Clone, Copy, Debug)]
pub struct Opening<'o> {
    /// Who.
    pub officer: &'o OfficerId,
    /// Why, in one line.
    pub reason: &'o str,
    /// Of which stream.
    pub stream: AggregateId,
    /// How many sealed values.
    pub fields: usize,
    /// When, by the caller's clock.
    pub at: OffsetDateTime,
}

/// Where keys, tombstones, look-up hashes and the record of openings are kept. A service's are in Postgres; a simulation may stand in for
/// that. Keys and look-up hashes come in with an append (`vault.admit`), and not through here.
///
/// Every call may fail with [`VaultError::Unavailable`] or [`VaultError::Statement`].
#[async_trait]
pub trait KeyStore: Send + Sync {
    /// The keys of a person in a stream, at most one a category.
    ///
    /// # Errors
    /// [`VaultError::Erased`] too.
    async fn keys_of_place(
        &self,
        person: Option<CustomerId>,
        stream: AggregateId,
    ) -> Result<Vec<StoredKey>, VaultError>;

    /// What is stored under each of these ids, in any order; with each the person whom the sealed value names.
    async fn keys_by_id(&self, asked: &[(KeyId, Option<CustomerId>)]) -> Result<Vec<(KeyId, AskedKey)>, VaultError>;

    /// The streams with one of these look-up hashes, in the order of their ids.
    async fn streams_with(
        &self,
        kind: LookupKind,
        hashes: Vec<[u8; 32]>,
        at_most: u32,
    ) -> Result<Vec<AggregateId>, VaultError>;

    /// The other streams with the look-up hash of this one, in the order of their ids.
    async fn streams_beside(
        &self,
        kind: LookupKind,
        stream: AggregateId,
        at_most: u32,
    ) -> Result<Vec<AggregateId>, VaultError>;

    /// The people who share a look-up hash with this one, those who share most first, each with the kinds of what they share.
    async fn people_sharing(
        &self,
        person: CustomerId,
        at_most: u32,
    ) -> Result<Vec<(CustomerId, Vec<String>)>, VaultError>;

    /// Whether this person owns what was made for other people, in those people's own streams.
    async fn stands_for_others(&self, person: CustomerId) -> Result<bool, VaultError>;

    /// Destroys the keys that a person owns and their look-up hashes, and leaves a tombstone. Gives how many keys that were.
    async fn erase(&self, person: CustomerId, reason: ErasureReason) -> Result<u64, VaultError>;

    /// Records an opening, for good.
    async fn record_opening(&self, opening: Opening<'_>) -> Result<(), VaultError>;
}

impl VaultError {
    /// Of a store that does not answer, and may later.
    pub fn unavailable(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Unavailable(error.into())
    }
}
