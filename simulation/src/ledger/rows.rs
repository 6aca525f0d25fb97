//! The rows beside the log: keys and what they belong to, as `vault.admit` and `vault.erase` leave them, and leases.

use std::collections::{BTreeMap, BTreeSet};

use schemas::sealed::{KeyAdmission, KeyMove, MintedKey};
use schemas::{AggregateId, Category, CustomerId, KeyId};
use tokio::time::Instant;
use uuid::Uuid;

/// Who has a lease.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LeaseRow {
    pub(crate) holder: Uuid,
    pub(crate) expires_at: Instant,
    pub(crate) token: i64,
}

/// The tables of the vault.
#[derive(Clone, Debug, Default)]
pub(crate) struct KeyRows {
    pub(crate) keys: BTreeMap<KeyId, KeyRow>,
    pub(crate) erased: BTreeSet<CustomerId>,
    pub(crate) lookups: BTreeMap<(AggregateId, &'static str), [u8; 32]>,
}

#[derive(Clone, Debug)]
pub(crate) struct KeyRow {
    pub(crate) key: MintedKey,
    pub(crate) owner: Option<CustomerId>,
    owner_before: Option<CustomerId>,
}

impl KeyRows {
    /// Who owns what is sealed for a person: the person, or whom they were found to be the same as.
    fn owner_of(&self, person: CustomerId) -> CustomerId {
        let own = |row: &&KeyRow| {
            row.key.stream == person.into() && row.key.person == Some(person) && row.key.category == Category::Personal
        };
        let owner = self.keys.values().find(own).and_then(|row| row.owner);
        owner.unwrap_or(person)
    }

    fn is_erased(&self, person: Option<CustomerId>) -> bool {
        person.is_some_and(|person| self.erased.contains(&person))
    }

    /// Admits what one command asks of the vault; where it says no, what was written before it did so must be undone.
    pub(crate) fn admit(&mut self, asked: &KeyAdmission) -> bool {
        let used_is_there = |id: &KeyId| {
            (self.keys.get(id)).is_some_and(|row| !self.is_erased(row.key.person) && !self.is_erased(row.owner))
        };
        let leads_to_nobody_erased = |leads_to: AggregateId| !self.erased.contains(&CustomerId(leads_to.uuid()));
        asked.used.iter().all(used_is_there)
            && asked
                .lookups
                .iter()
                .all(|lookup| leads_to_nobody_erased(lookup.leads_to))
            && asked.moves.iter().all(|change| !self.erased.contains(&change.to))
            && asked.minted.iter().all(|key| self.bring(key))
            && {
                for lookup in &asked.lookups {
                    let place = (lookup.leads_to, lookup.kind);
                    match lookup.hash {
                        Some(hash) => self.lookups.insert(place, hash),
                        None => self.lookups.remove(&place),
                    };
                }
                asked.moves.iter().for_each(|change| self.change_owner(change));
                true
            }
    }

    fn bring(&mut self, key: &MintedKey) -> bool {
        let place = |key: &MintedKey| (key.stream, key.category, key.person);
        let taken = self
            .keys
            .values()
            .any(|row| (place(&row.key) == place(key)) != (row.key.id == key.id));
        if taken || self.is_erased(key.person) {
            return false;
        }
        let owner = key.person.map(|person| self.owner_of(person));
        self.keys.entry(key.id).or_insert_with(|| KeyRow {
            key: key.clone(),
            owner,
            owner_before: None,
        });
        true
    }

    fn change_owner(&mut self, change: &KeyMove) {
        let to = change.stream.map_or(change.to, |_| self.owner_of(change.to));
        let from = match change.stream {
            Some(_) => change.from.map(|from| self.owner_of(from)),
            None => change.from,
        };
        for row in self.keys.values_mut().filter(|row| row.owner == from) {
            match (change.stream, change.person) {
                (Some(stream), _) if row.key.stream == stream => (row.owner, row.owner_before) = (Some(to), None),
                (Some(_), _) => {}
                (None, Some(person)) if row.owner_before == Some(person) || row.key.person == Some(person) => {
                    (row.owner, row.owner_before) = (Some(to), None);
                }
                (None, Some(_)) => {}
                (None, None) => (row.owner, row.owner_before) = (Some(to), from),
            }
        }
    }

    /// Erases a person, with everybody whom they were found to be the same as. Gives how many keys were destroyed.
    pub(crate) fn erase(&mut self, person: CustomerId) -> u64 {
        let owner = self.owner_of(person);
        let same = self.keys.values().filter_map(|row| {
            let of = row.key.person?;
            (row.owner == Some(owner) && row.key.stream == of.into()).then_some(of)
        });
        let same: BTreeSet<CustomerId> = same.chain([person, owner]).collect();
        self.lookups
            .retain(|(leads_to, _), _| !same.contains(&CustomerId(leads_to.uuid())));
        self.erased.extend(same);
        let before = self.keys.len();
        self.keys.retain(|_, row| row.owner != Some(owner));
        u64::try_from(before - self.keys.len()).unwrap_or(u64::MAX)
    }
}
