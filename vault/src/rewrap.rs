//! Wrapping keys anew, after the wrapping key was rotated.

use std::collections::BTreeMap;
use std::sync::Arc;

use schemas::{AggregateId, CustomerId, KeyId};
use sqlx::postgres::PgRow;
use sqlx::{PgPool, Row as _};
use uuid::Uuid;

use crate::error::VaultError;
use crate::key_file::KeyEncryptionKey;
use crate::postgres::stored;
use crate::row_key::Place;
use crate::vault::unwrap;

/// How many keys are wrapped anew in one transaction.
const KEYS_AT_ONCE: i64 = 500;

/// The keys as they are stored in Postgres, to be wrapped anew. Needs a login that owns the vault's tables.
pub struct StoredKeys {
    pool: PgPool,
    key_file: Arc<KeyEncryptionKey>,
}

impl StoredKeys {
    /// Those of a migrated database, for the wrapping keys of this file.
    #[must_use]
    pub fn new(pool: PgPool, key_file: Arc<KeyEncryptionKey>) -> Self {
        Self { pool, key_file }
    }

    /// Wraps anew what another wrapping key than the one in force has wrapped, a few hundred keys at once, and says how many that
    /// were; 0 where none are left. The keys themselves stay, so nothing that is sealed changes, and services that have the file of
    /// both go on beside it.
    ///
    /// # Errors
    /// [`VaultError::OtherKeyFile`]: a wrapping key is missing in the file. [`VaultError::DamagedKey`]. Nothing of these few hundred
    /// was changed then.
    pub async fn rewrap_some(&self) -> Result<usize, VaultError> {
        let mut transaction = self.pool.begin().await?;
        let rows = sqlx::query(include_str!("../sql/keys_to_rewrap.sql"))
            .bind(self.key_file.wrapping_id())
            .bind(KEYS_AT_ONCE)
            .fetch_all(&mut *transaction)
            .await?;
        for row in &rows {
            let (id, wrapped) = self.wrapped_anew(row)?;
            sqlx::query(include_str!("../sql/rewrap_key.sql"))
                .bind(id.uuid())
                .bind(wrapped)
                .bind(self.key_file.wrapping_id())
                .execute(&mut *transaction)
                .await?;
        }
        transaction.commit().await?;
        Ok(rows.len())
    }

    /// How many keys each wrapping key has wrapped, by its id.
    ///
    /// # Errors
    /// [`VaultError::Unavailable`], [`VaultError::Statement`].
    pub async fn wrapped_by(&self) -> Result<BTreeMap<String, i64>, VaultError> {
        let rows: Vec<(String, i64)> = sqlx::query_as(include_str!("../sql/wrapped_by.sql"))
            .fetch_all(&self.pool)
            .await?;
        Ok(rows.into_iter().collect())
    }

    fn wrapped_anew(&self, row: &PgRow) -> Result<(KeyId, Vec<u8>), VaultError> {
        let place = Place {
            person: row.try_get::<Option<Uuid>, _>("person")?.map(CustomerId),
            stream: AggregateId(row.try_get("stream")?),
        };
        let stored = stored(row, place.person, place.stream)?;
        let category = stored.category.ok_or(VaultError::DamagedKey(stored.id))?;
        let key = unwrap(&self.key_file, &stored, place, category)?;
        let wrapped = key.wrap(self.key_file.wrapping(), place, category, &mut crate::fresh_rng())?;
        Ok((stored.id, wrapped))
    }
}
