//! Sealing the personal fields of one command.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use rand::CryptoRng;
use schemas::sealed::{KeyAdmission, MintedKey};
use schemas::{AggregateId, Category, CommandId, CustomerId, KeyId, Sealed};

use crate::cache::Held;
use crate::error::{Broken, SealError};
use crate::field::FieldKey;
use crate::key_file::KeyEncryptionKey;
use crate::row_key::{Place, RowKey};
use crate::token::{NONCE_BYTES, SealedHeader};

/// The keys of one person in one stream, as far as there are any.
#[derive(Clone)]
pub struct Keys {
    pub(crate) place: Place,
    pub(crate) held: Held,
    pub(crate) read_at: Instant,
    pub(crate) key_file: Arc<KeyEncryptionKey>,
}

impl Keys {
    /// Whose they are; none where the case has no customer.
    #[must_use]
    pub const fn person(&self) -> Option<CustomerId> {
        self.place.person
    }

    /// The stream they are for.
    #[must_use]
    pub const fn stream(&self) -> AggregateId {
        self.place.stream
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys")
            .field("stream", &self.place.stream)
            .field("held", &self.held)
            .finish_non_exhaustive()
    }
}

/// Seals for one person, in one attempt at one command.
///
/// Where the contract says that a value is another person's, that person needs a sealer of their own; the two admissions
/// are put together for the append.
pub struct Sealer<R> {
    keys: Keys,
    command_id: CommandId,
    rng: R,
    minted: Vec<MintedKey>,
    used: BTreeSet<KeyId>,
}

impl<R: CryptoRng> Sealer<R> {
    /// Begins an attempt. `rng` gives nonces, new keys and their ids; the service passes [`fresh_rng`](crate::fresh_rng).
    #[must_use]
    pub const fn new(keys: Keys, command_id: CommandId, rng: R) -> Self {
        Self {
            keys,
            command_id,
            rng,
            minted: Vec::new(),
            used: BTreeSet::new(),
        }
    }

    /// Seals one value.
    ///
    /// - `field`: where it stands in the command's data, as a JSON pointer of at most 255 bytes
    /// - `json`: the value's JSON text
    ///
    /// # Errors
    /// [`SealError`]: refuse the command, or stop.
    pub fn seal(&mut self, field: &str, category: Category, json: &str) -> Result<Sealed, SealError> {
        let key = self.key(category)?;
        let header = SealedHeader {
            category,
            key_id: key.id,
            person: self.keys.place.person,
            stream: self.keys.place.stream,
            command_id: self.command_id,
            field: field.to_owned(),
        }
        .encode()?;
        let mut nonce = [0; NONCE_BYTES];
        self.rng.fill_bytes(&mut nonce);
        Ok(FieldKey::derive(&key.secret, &header)?.seal(&header, &nonce, json)?)
    }

    /// The keys, those minted here among them: for [`Vault::admitted`](crate::Vault::admitted) once the append has won, and
    /// for nothing before.
    #[must_use]
    pub fn keys(&self) -> Keys {
        self.keys.clone()
    }

    /// What the append must admit for the values sealed here to be readable. Look-up hashes are added by the caller.
    #[must_use]
    pub fn into_admission(self) -> KeyAdmission {
        KeyAdmission {
            minted: self.minted,
            used: self.used.into_iter().collect(),
            lookups: Vec::new(),
            moves: Vec::new(),
        }
    }

    /// The stored key of the category, or a new one.
    fn key(&mut self, category: Category) -> Result<RowKey, Broken> {
        if let Some(key) = self.keys.held.of(category) {
            let minted_here = self.minted.iter().any(|minted| minted.id == key.id);
            if !minted_here {
                self.used.insert(key.id);
            }
            return Ok(key.clone());
        }
        let key = RowKey::mint(&mut self.rng);
        let place = self.keys.place;
        self.minted.push(MintedKey {
            id: key.id,
            person: place.person,
            stream: place.stream,
            category,
            wrapped: key.wrap(self.keys.key_file.wrapping(), place, category, &mut self.rng)?,
            wrapped_by: self.keys.key_file.wrapping_id().to_owned(),
        });
        self.keys.held.put(category, key.clone());
        Ok(key)
    }
}

impl<R> fmt::Debug for Sealer<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sealer")
            .field("keys", &self.keys)
            .field("command_id", &self.command_id)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
