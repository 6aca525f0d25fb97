//! The vault on a real database: what `vault.admit` refuses, what erasure destroys, and who may do what.

mod admission;
mod erasure;
mod grants;
mod letters;
mod look_up;
mod moves;
mod openings;
mod tampering_and_faults;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use schemas::sealed::{KeyAdmission, KeyMove, LookupHash, MintedKey};
use schemas::{AggregateId, Category, CommandId, CustomerId, KeyId, Sealed};
use sqlx::{PgExecutor, PgPool};
use system_tests::{TestDatabase, database, eventually};
use uuid::Uuid;
use vault::{
    ErasureReason, KeyEncryptionKey, LookupKind, OpenError, Sealer, Settings, Vault, VaultError, fresh_rng,
    open_with_field_key,
};

const SOON: Duration = Duration::from_secs(20);
const NAME: &str = "\"Ada Lovelace\"";
const NOBODY: [i32; 0] = [];

/// One database, one key file, and a clock that the test moves.
struct World {
    database: TestDatabase,
    owner: PgPool,
    key_file: Arc<KeyEncryptionKey>,
    elapsed: Arc<Mutex<Duration>>,
    started: Instant,
    ids: AtomicU64,
}

impl World {
    async fn new() -> Self {
        let database = database().await;
        Self {
            owner: database.owner().await,
            database,
            key_file: Arc::new(KeyEncryptionKey::generate(&mut fresh_rng()).unwrap()),
            elapsed: Arc::default(),
            started: Instant::now(),
            ids: AtomicU64::new(1),
        }
    }

    /// A vault of a process of its own: nothing is in its cache.
    fn vault(&self) -> Vault {
        self.vault_with(&self.key_file, &self.owner)
    }

    fn vault_with(&self, key_file: &Arc<KeyEncryptionKey>, pool: &PgPool) -> Vault {
        let (started, elapsed) = (self.started, Arc::clone(&self.elapsed));
        let now = move || started + *elapsed.lock().unwrap();
        Vault::new(pool.clone(), Arc::clone(key_file), Settings::default(), now)
    }

    fn pass(&self, time: Duration) {
        *self.elapsed.lock().unwrap() += time;
    }

    fn id(&self) -> Uuid {
        Uuid::from_u128(u128::from(self.ids.fetch_add(1, Ordering::Relaxed)))
    }

    fn person(&self) -> CustomerId {
        CustomerId(self.id())
    }

    fn stream(&self) -> AggregateId {
        AggregateId(self.id())
    }

    /// A first attempt in a stream that has no keys.
    fn attempt(&self, vault: &Vault, person: Option<CustomerId>, stream: AggregateId) -> (Sealed, KeyAdmission) {
        let keys = vault.keys_for_new_stream(person, stream);
        let mut sealer = Sealer::new(keys, CommandId(self.id()), fresh_rng());
        let sealed = sealer.seal("/name", Category::Personal, NAME).unwrap();
        (sealed, sealer.into_admission())
    }

    /// Seals a name for the person in a stream of its own, admitted.
    async fn sealed_for(&self, person: CustomerId) -> Sealed {
        let (sealed, admission) = self.attempt(&self.vault(), Some(person), self.stream());
        assert_eq!(admit(&self.owner, &[admission]).await, NOBODY);
        sealed
    }

    async fn count(&self, table: &str) -> i64 {
        sqlx::query_scalar(&format!("SELECT count(*) FROM {table}"))
            .fetch_one(&self.owner)
            .await
            .unwrap()
    }
}

/// Does what `ledger.append` does with the keys of a batch, and gives the numbers, from 1, of the commands that lose.
async fn admit(owner: &PgPool, batch: &[KeyAdmission]) -> Vec<i32> {
    let mut transaction = owner.begin().await.unwrap();
    sqlx::query("SELECT FROM ledger.head FOR UPDATE")
        .execute(&mut *transaction)
        .await
        .unwrap();
    let losers = call_admit(&mut *transaction, batch).await.unwrap();
    transaction.commit().await.unwrap();
    losers
}

async fn call_admit(executor: impl PgExecutor<'_>, batch: &[KeyAdmission]) -> Result<Vec<i32>, sqlx::Error> {
    /// One part of every admission, each item with the number of its command.
    fn numbered<'b, T>(batch: &'b [KeyAdmission], part: fn(&'b KeyAdmission) -> &'b [T]) -> Vec<(i32, &'b T)> {
        let commands = (1..).zip(batch);
        commands
            .flat_map(|(number, admission)| part(admission).iter().map(move |item| (number, item)))
            .collect()
    }
    let minted: Vec<(i32, &MintedKey)> = numbered(batch, |admission| &admission.minted);
    let used: Vec<(i32, &KeyId)> = numbered(batch, |admission| &admission.used);
    let lookups: Vec<(i32, &LookupHash)> = numbered(batch, |admission| &admission.lookups);
    let moves: Vec<(i32, &KeyMove)> = numbered(batch, |admission| &admission.moves);
    sqlx::query_scalar(
        "SELECT vault.admit($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)",
    )
    .bind(minted.iter().map(|(number, _)| *number).collect::<Vec<_>>())
    .bind(minted.iter().map(|(_, key)| key.id.uuid()).collect::<Vec<_>>())
    .bind(
        minted
            .iter()
            .map(|(_, key)| key.person.map(CustomerId::uuid))
            .collect::<Vec<_>>(),
    )
    .bind(minted.iter().map(|(_, key)| key.stream.uuid()).collect::<Vec<_>>())
    .bind(minted.iter().map(|(_, key)| key.category.as_str()).collect::<Vec<_>>())
    .bind(minted.iter().map(|(_, key)| key.wrapped.clone()).collect::<Vec<_>>())
    .bind(minted.iter().map(|(_, key)| key.wrapped_by.clone()).collect::<Vec<_>>())
    .bind(used.iter().map(|(number, _)| *number).collect::<Vec<_>>())
    .bind(used.iter().map(|(_, id)| id.uuid()).collect::<Vec<_>>())
    .bind(lookups.iter().map(|(number, _)| *number).collect::<Vec<_>>())
    .bind(lookups.iter().map(|(_, lookup)| lookup.kind).collect::<Vec<_>>())
    .bind(
        lookups
            .iter()
            .map(|(_, lookup)| lookup.hash.map(Vec::from))
            .collect::<Vec<_>>(),
    )
    .bind(
        lookups
            .iter()
            .map(|(_, lookup)| lookup.leads_to.uuid())
            .collect::<Vec<_>>(),
    )
    .bind(moves.iter().map(|(number, _)| *number).collect::<Vec<_>>())
    .bind(
        moves
            .iter()
            .map(|(_, change)| change.from.map(|from| from.0))
            .collect::<Vec<_>>(),
    )
    .bind(moves.iter().map(|(_, change)| change.to.0).collect::<Vec<_>>())
    .bind(
        moves
            .iter()
            .map(|(_, change)| change.stream.map(|stream| stream.0))
            .collect::<Vec<_>>(),
    )
    .bind(
        moves
            .iter()
            .map(|(_, change)| change.person.map(|person| person.0))
            .collect::<Vec<_>>(),
    )
    .fetch_one(executor)
    .await
}

fn using(id: KeyId) -> KeyAdmission {
    KeyAdmission {
        used: vec![id],
        ..KeyAdmission::default()
    }
}

/// What one command asks for that needs both.
fn joined(mut admission: KeyAdmission, other: KeyAdmission) -> KeyAdmission {
    admission.minted.extend(other.minted);
    admission.used.extend(other.used);
    admission.lookups.extend(other.lookups);
    admission.moves.extend(other.moves);
    admission
}
