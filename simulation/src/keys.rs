//! Where a simulated vault keeps its rows: in the model of the log. The vault's own sealing runs over them.

use std::collections::BTreeMap;

use async_trait::async_trait;
use event_store::LedgerError;
use schemas::{AggregateId, CustomerId, KeyId};
use vault::{AskedKey, ErasureReason, KeyStore, LookupKind, Opening, StoredKey, VaultError};

use crate::fault::Fault;
use crate::ledger::{KeyRow, KeyRows, ModelLedger};

/// The tables of the vault, as one process reaches them.
#[derive(Clone, Debug)]
pub struct ModelKeyStore {
    line: ModelLedger,
}

impl ModelKeyStore {
    /// Over the same line as that process's log.
    #[must_use]
    pub const fn new(line: ModelLedger) -> Self {
        Self { line }
    }

    async fn ask<T>(&self, what: &str, answer: impl FnOnce(&mut KeyRows) -> T) -> Result<T, VaultError> {
        let answer = |tables: &mut crate::ledger::Tables| answer(&mut tables.keys);
        let answered = self.line.ask(what, Fault::VaultUnanswered, answer).await;
        answered.map_err(|error: LedgerError| VaultError::unavailable(error))
    }
}

fn stored(row: &KeyRow) -> StoredKey {
    let key = &row.key;
    StoredKey {
        id: key.id,
        person: key.person,
        stream: key.stream,
        category: Some(key.category),
        wrapped: key.wrapped.clone(),
        wrapped_by: key.wrapped_by.clone(),
    }
}

fn at_most<T>(found: impl Iterator<Item = T>, most: u32) -> Vec<T> {
    found.take(usize::try_from(most).unwrap_or(usize::MAX)).collect()
}

#[async_trait]
impl KeyStore for ModelKeyStore {
    async fn keys_of_place(
        &self,
        person: Option<CustomerId>,
        stream: AggregateId,
    ) -> Result<Vec<StoredKey>, VaultError> {
        let keys = |rows: &mut KeyRows| {
            if person.is_some_and(|person| rows.erased.contains(&person)) {
                return Err(VaultError::Erased);
            }
            let of_place = |row: &&KeyRow| row.key.person == person && row.key.stream == stream;
            Ok(rows.keys.values().filter(of_place).map(stored).collect())
        };
        self.ask("for keys", keys).await?
    }

    async fn keys_by_id(&self, asked: &[(KeyId, Option<CustomerId>)]) -> Result<Vec<(KeyId, AskedKey)>, VaultError> {
        let keys = |rows: &mut KeyRows| {
            let found = |(id, person): &(KeyId, Option<CustomerId>)| {
                let erased = person.is_some_and(|person| rows.erased.contains(&person));
                let key = match rows.keys.get(id) {
                    Some(row) => AskedKey::Stored(stored(row)),
                    None if erased => AskedKey::Erased,
                    None => AskedKey::Absent,
                };
                (*id, key)
            };
            asked.iter().map(found).collect()
        };
        self.ask("for keys by id", keys).await
    }

    async fn streams_with(
        &self,
        kind: LookupKind,
        hashes: Vec<[u8; 32]>,
        most: u32,
    ) -> Result<Vec<AggregateId>, VaultError> {
        let streams = |rows: &mut KeyRows| {
            let found = (rows.lookups.iter())
                .filter(|((_, of), hash)| *of == kind.as_str() && hashes.contains(hash))
                .map(|((stream, _), _)| *stream);
            at_most(found, most)
        };
        self.ask("who is found by a value", streams).await
    }

    async fn streams_beside(
        &self,
        kind: LookupKind,
        stream: AggregateId,
        most: u32,
    ) -> Result<Vec<AggregateId>, VaultError> {
        let streams = |rows: &mut KeyRows| {
            let own = rows.lookups.get(&(stream, kind.as_str())).copied();
            let found = (rows.lookups.iter())
                .filter(|((other, of), hash)| *other != stream && *of == kind.as_str() && Some(**hash) == own)
                .map(|((other, _), _)| *other);
            at_most(found, most)
        };
        self.ask("who has the same value", streams).await
    }

    async fn people_sharing(
        &self,
        person: CustomerId,
        most: u32,
    ) -> Result<Vec<(CustomerId, Vec<String>)>, VaultError> {
        let people = |rows: &mut KeyRows| {
            let mut shared: BTreeMap<CustomerId, Vec<String>> = BTreeMap::new();
            for ((other, kind), hash) in &rows.lookups {
                if *other != person.into() && rows.lookups.get(&(person.into(), *kind)) == Some(hash) {
                    shared
                        .entry(CustomerId(other.uuid()))
                        .or_default()
                        .push((*kind).to_owned());
                }
            }
            let mut shared: Vec<_> = shared.into_iter().collect();
            shared.sort_by_key(|(_, kinds)| std::cmp::Reverse(kinds.len()));
            at_most(shared.into_iter(), most)
        };
        self.ask("who shares a value", people).await
    }

    async fn stands_for_others(&self, person: CustomerId) -> Result<bool, VaultError> {
        let stands = |rows: &mut KeyRows| {
            rows.keys.values().any(|row| {
                let of = row.key.person;
                row.owner == Some(person) && of.is_some_and(|of| of != person && row.key.stream == of.into())
            })
        };
        self.ask("whose records were merged", stands).await
    }

    async fn erase(&self, person: CustomerId, _: ErasureReason) -> Result<u64, VaultError> {
        self.ask("to erase somebody", |rows| rows.erase(person)).await
    }

    async fn record_opening(&self, _: Opening<'_>) -> Result<(), VaultError> {
        // No officer opens anything in a simulation; where one did, nothing is kept of it.
        Err(VaultError::unavailable("openings are not simulated"))
    }
}
