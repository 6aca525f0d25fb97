//! The vault's rows in Postgres.

use async_trait::async_trait;
use schemas::{AggregateId, Category, CustomerId, KeyId};
use sqlx::postgres::PgRow;
use sqlx::{PgPool, Row as _};
use uuid::Uuid;

use crate::error::VaultError;
use crate::lookup::LookupKind;
use crate::store::{AskedKey, KeyStore, Opening, StoredKey};
use crate::vault::ErasureReason;

/// The tables of the schema `vault`.
pub(crate) struct PgKeyStore {
    pub(crate) pool: PgPool,
}

#[async_trait]
impl KeyStore for PgKeyStore {
    async fn keys_of_place(
        &self,
        person: Option<CustomerId>,
        stream: AggregateId,
    ) -> Result<Vec<StoredKey>, VaultError> {
        let rows = sqlx::query(include_str!("../sql/keys_of_place.sql"))
            .bind(person.map(CustomerId::uuid))
            .bind(stream.uuid())
            .fetch_all(&self.pool)
            .await?;
        let mut keys = Vec::with_capacity(rows.len());
        for row in &rows {
            if row.try_get("erased")? {
                return Err(VaultError::Erased);
            }
            if row.try_get::<Option<Uuid>, _>("id")?.is_some() {
                keys.push(stored(row, person, stream)?);
            }
        }
        Ok(keys)
    }

    async fn keys_by_id(&self, asked: &[(KeyId, Option<CustomerId>)]) -> Result<Vec<(KeyId, AskedKey)>, VaultError> {
        let (ids, people): (Vec<Uuid>, Vec<Option<Uuid>>) = asked
            .iter()
            .map(|(id, person)| (id.uuid(), person.map(CustomerId::uuid)))
            .unzip();
        let rows = sqlx::query(include_str!("../sql/keys_by_id.sql"))
            .bind(ids)
            .bind(people)
            .fetch_all(&self.pool)
            .await?;
        let found = |row: &PgRow| {
            let key = if row.try_get::<Option<Uuid>, _>("id")?.is_some() {
                let person = row.try_get::<Option<Uuid>, _>("person")?.map(CustomerId);
                AskedKey::Stored(stored(row, person, AggregateId(row.try_get("stream")?))?)
            } else if row.try_get("erased")? {
                AskedKey::Erased
            } else {
                AskedKey::Absent
            };
            Ok((KeyId(row.try_get("asked_id")?), key))
        };
        rows.iter().map(found).collect()
    }

    async fn streams_with(
        &self,
        kind: LookupKind,
        hashes: Vec<[u8; 32]>,
        at_most: u32,
    ) -> Result<Vec<AggregateId>, VaultError> {
        let streams: Vec<Uuid> = sqlx::query_scalar(include_str!("../sql/find_streams.sql"))
            .bind(kind.as_str())
            .bind(hashes.iter().map(|hash| hash.to_vec()).collect::<Vec<_>>())
            .bind(i64::from(at_most))
            .fetch_all(&self.pool)
            .await?;
        Ok(streams.into_iter().map(AggregateId).collect())
    }

    async fn streams_beside(
        &self,
        kind: LookupKind,
        stream: AggregateId,
        at_most: u32,
    ) -> Result<Vec<AggregateId>, VaultError> {
        let streams: Vec<Uuid> = sqlx::query_scalar(include_str!("../sql/find_beside.sql"))
            .bind(kind.as_str())
            .bind(stream.uuid())
            .bind(i64::from(at_most))
            .fetch_all(&self.pool)
            .await?;
        Ok(streams.into_iter().map(AggregateId).collect())
    }

    async fn people_sharing(
        &self,
        person: CustomerId,
        at_most: u32,
    ) -> Result<Vec<(CustomerId, Vec<String>)>, VaultError> {
        let found: Vec<(Uuid, Vec<String>)> = sqlx::query_as(include_str!("../sql/possible_duplicates.sql"))
            .bind(person.uuid())
            .bind(i64::from(at_most))
            .fetch_all(&self.pool)
            .await?;
        Ok(found
            .into_iter()
            .map(|(person, kinds)| (CustomerId(person), kinds))
            .collect())
    }

    async fn stands_for_others(&self, person: CustomerId) -> Result<bool, VaultError> {
        let stands = sqlx::query_scalar(include_str!("../sql/stands_for_others.sql"))
            .bind(person.uuid())
            .fetch_one(&self.pool)
            .await?;
        Ok(stands)
    }

    async fn erase(&self, person: CustomerId, reason: ErasureReason) -> Result<u64, VaultError> {
        let destroyed: i64 = sqlx::query_scalar(include_str!("../sql/erase.sql"))
            .bind(person.uuid())
            .bind(reason.as_str())
            .fetch_one(&self.pool)
            .await?;
        Ok(destroyed.unsigned_abs())
    }

    async fn record_opening(&self, opening: Opening<'_>) -> Result<(), VaultError> {
        sqlx::query(include_str!("../sql/record_opening.sql"))
            .bind(opening.officer.as_str())
            .bind(opening.reason)
            .bind(opening.stream.uuid())
            .bind(i32::try_from(opening.fields).unwrap_or(i32::MAX))
            .bind(opening.at)
            .execute(&self.pool)
            .await?;
        Ok(())
    }
}

/// The key in a row that has one.
pub(crate) fn stored(row: &PgRow, person: Option<CustomerId>, stream: AggregateId) -> Result<StoredKey, VaultError> {
    let category: String = row.try_get("category")?;
    Ok(StoredKey {
        id: KeyId(row.try_get("id")?),
        person,
        stream,
        category: [Category::Personal, Category::SpecialCategory]
            .into_iter()
            .find(|known| known.as_str() == category),
        wrapped: row.try_get("wrapped")?,
        wrapped_by: row.try_get("wrapped_by")?,
    })
}
