//! Which key stands for which case or customer.

use std::collections::{BTreeSet, HashMap};

use sqlx::PgConnection;
use uuid::Uuid;

use crate::error::ProjectionError;

/// The keys of some ids.
pub(super) type Keys = HashMap<Uuid, Uuid>;

/// A table of keys.
pub(super) struct KeyTable {
    assign: &'static str,
    select: &'static str,
}

/// The keys of cases.
pub(super) const CASE_KEYS: KeyTable = KeyTable {
    assign: include_str!("../../sql/reporting/assign_case_keys.sql"),
    select: include_str!("../../sql/reporting/select_case_keys.sql"),
};

/// The keys of people.
pub(super) const PERSON_KEYS: KeyTable = KeyTable {
    assign: include_str!("../../sql/reporting/assign_person_keys.sql"),
    select: include_str!("../../sql/reporting/select_person_keys.sql"),
};

/// The keys of entitlements.
pub(super) const ENTITLEMENT_KEYS: KeyTable = KeyTable {
    assign: include_str!("../../sql/reporting/assign_entitlement_keys.sql"),
    select: include_str!("../../sql/reporting/select_entitlement_keys.sql"),
};

impl KeyTable {
    /// The keys of these ids; those that have none get one. The ids are taken in order, so that two at once can't wait for
    /// each other.
    pub(super) async fn of(
        &self,
        transaction: &mut PgConnection,
        ids: BTreeSet<Uuid>,
        new_key: &(dyn Fn() -> Uuid + Send + Sync),
    ) -> Result<Keys, ProjectionError> {
        let ids: Vec<Uuid> = ids.into_iter().collect();
        let mut keys = self.select(&mut *transaction, &ids).await?;
        let without: Vec<Uuid> = ids.iter().filter(|id| !keys.contains_key(id)).copied().collect();
        if !without.is_empty() {
            let fresh: Vec<Uuid> = without.iter().map(|_| new_key()).collect();
            sqlx::query(self.assign)
                .bind(&without)
                .bind(fresh)
                .execute(&mut *transaction)
                .await?;
            // A rebuild may have been first: what the table holds counts.
            keys.extend(self.select(&mut *transaction, &without).await?);
        }
        Ok(keys)
    }

    async fn select(&self, transaction: &mut PgConnection, ids: &[Uuid]) -> Result<Keys, ProjectionError> {
        let held: Vec<(Uuid, Uuid)> = sqlx::query_as(self.select).bind(ids).fetch_all(transaction).await?;
        Ok(held.into_iter().collect())
    }
}
