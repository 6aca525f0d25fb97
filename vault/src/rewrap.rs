//! Wrapping keys anew, after the wrapping key was rotated.

use std::collections::BTreeMap;

use schemas::{AggregateId, CustomerId, KeyId};
use sqlx::Row as _;
use sqlx::postgres::PgRow;
use uuid::Uuid;

use crate::error::VaultError;
use crate::row_key::Place;
use crate::vault::{Vault, category_of};

/// How many keys are wrapped anew in one transaction.
const KEYS_AT_ONCE: i64 = 500;

impl Vault {
    /// Wraps anew what another wrapping key than the one in force has wrapped, a few hundred keys at once, and says how many that
    /// were; 0 where none are left. The keys themselves stay, so nothing that is sealed changes, and services that have the file of
    /// both go on beside it. The pool's login must own the vault's tables: no service's may change a key.
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
        let id = KeyId(row.try_get("id")?);
        let place = Place {
            person: row.try_get::<Option<Uuid>, _>("person")?.map(CustomerId),
            stream: AggregateId(row.try_get("stream")?),
        };
        let category = category_of(row)?.ok_or(VaultError::DamagedKey(id))?;
        let key = self.unwrap_key(row, id, place, category)?;
        let wrapped = key.wrap(self.key_file.wrapping(), place, category, &mut crate::fresh_rng())?;
        Ok((id, wrapped))
    }
}
