//! The vault on a real database: what `vault.admit` refuses, what erasure destroys, and who may do what.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use schemas::sealed::{KeyAdmission, LookupHash, MintedKey};
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
    sqlx::query_scalar("SELECT vault.admit($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)")
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
                .map(|(_, lookup)| lookup.hash.to_vec())
                .collect::<Vec<_>>(),
        )
        .bind(
            lookups
                .iter()
                .map(|(_, lookup)| lookup.person.uuid())
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
    admission
}

mod admission {
    use super::*;

    #[tokio::test]
    async fn what_was_sealed_under_an_admitted_key_opens_in_another_process() {
        let world = World::new().await;
        let (person, stream) = (world.person(), world.stream());
        let vault = world.vault();
        let keys = vault.keys_for(Some(person), stream).await.unwrap();
        let mut sealer = Sealer::new(keys, CommandId(world.id()), fresh_rng());
        let name = sealer.seal("/name", Category::Personal, NAME).unwrap();
        let health = sealer
            .seal("/answers/health", Category::SpecialCategory, "\"asthma\"")
            .unwrap();
        let won = sealer.keys();
        assert_eq!(admit(&world.owner, &[sealer.into_admission()]).await, NOBODY);
        vault.admitted(won);

        let elsewhere = world.vault();
        assert_eq!(elsewhere.open(&name).await.unwrap().json(), NAME);
        let damaged = Sealed::from_token("AQ".into());
        let opened = elsewhere.open_many(&[&health, &damaged, &name]).await;
        assert_eq!(opened[0].as_ref().unwrap().read::<String>().unwrap(), "asthma");
        assert!(matches!(opened[1], Err(OpenError::Damaged)));
        assert_eq!(opened[2].as_ref().unwrap().json(), NAME);

        let field_key = elsewhere.field_key(&health).await.unwrap();
        assert_eq!(open_with_field_key(&health, &field_key).unwrap().json(), "\"asthma\"");
        assert!(open_with_field_key(&name, &field_key).is_err());
    }

    #[tokio::test]
    async fn the_next_command_uses_the_admitted_key() {
        let world = World::new().await;
        let (person, stream) = (Some(world.person()), world.stream());
        let (_, first) = world.attempt(&world.vault(), person, stream);
        assert_eq!(admit(&world.owner, std::slice::from_ref(&first)).await, NOBODY);
        let vault = world.vault();
        for _ in ["from the database", "from the cache"] {
            let keys = vault.keys_for(person, stream).await.unwrap();
            let mut sealer = Sealer::new(keys, CommandId(world.id()), fresh_rng());
            sealer.seal("/name", Category::Personal, NAME).unwrap();
            assert_eq!(sealer.into_admission(), using(first.minted[0].id));
        }
    }

    #[tokio::test]
    async fn a_place_that_is_taken_is_refused_and_nothing_of_the_loser_stays() {
        let world = World::new().await;
        let (vault, person, stream) = (world.vault(), Some(world.person()), world.stream());
        let (_, winner) = world.attempt(&vault, person, stream);
        let (sealed, late) = world.attempt(&vault, person, stream);
        let (_, also_wanted) = world.attempt(&vault, person, world.stream());
        let lookups = vec![
            vault
                .lookup_hash(LookupKind::Email, "ada@example.org", person.unwrap())
                .unwrap(),
        ];
        let late = KeyAdmission {
            lookups,
            ..joined(also_wanted, late)
        };
        assert_eq!(admit(&world.owner, &[winner]).await, NOBODY);
        assert_eq!(admit(&world.owner, &[late]).await, [1]);
        assert_eq!(
            (world.count("vault.keys").await, world.count("vault.lookups").await),
            (1, 0)
        );
        assert!(matches!(vault.open(&sealed).await, Err(OpenError::NoKey)));
    }

    #[tokio::test]
    async fn a_key_that_is_not_there_cannot_be_used() {
        let world = World::new().await;
        let (_, neighbour) = world.attempt(&world.vault(), Some(world.person()), world.stream());
        let (_, also_brings) = world.attempt(&world.vault(), Some(world.person()), world.stream());
        let absent = joined(also_brings, using(KeyId(world.id())));
        assert_eq!(admit(&world.owner, &[absent, neighbour.clone()]).await, [1]);
        assert_eq!(admit(&world.owner, &[using(neighbour.minted[0].id)]).await, NOBODY);
        assert_eq!(world.count("vault.keys").await, 1);
    }

    #[tokio::test]
    async fn an_erased_person_gets_no_key_and_no_look_up_hash_and_uses_none() {
        let world = World::new().await;
        let (vault, person) = (world.vault(), world.person());
        let (_, kept_by_another) = world.attempt(&vault, Some(person), world.stream());
        assert_eq!(
            admit(&world.owner, std::slice::from_ref(&kept_by_another)).await,
            NOBODY
        );
        // As a merge leaves it: the key was made for the person, and another owns it.
        sqlx::query("UPDATE vault.keys SET owner = $1")
            .bind(world.id())
            .execute(&world.owner)
            .await
            .unwrap();
        vault.erase(person, ErasureReason::Objection).await.unwrap();

        let (_, brings) = world.attempt(&vault, Some(person), world.stream());
        let uses = using(kept_by_another.minted[0].id);
        let lookups = vec![vault.lookup_hash(LookupKind::Phone, "020 7946 0018", person).unwrap()];
        let looks_up = KeyAdmission {
            lookups,
            ..KeyAdmission::default()
        };
        let (_, neighbour) = world.attempt(&vault, Some(world.person()), world.stream());
        assert_eq!(
            admit(&world.owner, &[brings, neighbour, uses, looks_up]).await,
            [1, 3, 4]
        );
        assert_eq!(
            (world.count("vault.keys").await, world.count("vault.lookups").await),
            (2, 0)
        );
        let refused = vault.keys_for(Some(person), world.stream()).await;
        assert!(matches!(refused, Err(VaultError::Erased)));
    }

    #[tokio::test]
    async fn of_two_commands_of_one_call_the_first_takes_the_place() {
        let world = World::new().await;
        let (vault, person, stream) = (world.vault(), Some(world.person()), world.stream());
        let (first_sealed, first) = world.attempt(&vault, person, stream);
        let (_, second) = world.attempt(&vault, person, stream);
        let (_, beside_it) = world.attempt(&vault, person, world.stream());
        let (third_sealed, third) = world.attempt(&vault, None, stream);
        let losers = admit(&world.owner, &[first, joined(beside_it, second), third]).await;
        assert_eq!(losers, [2]);
        assert_eq!(world.count("vault.keys").await, 2);
        for sealed in [first_sealed, third_sealed] {
            assert_eq!(vault.open(&sealed).await.unwrap().json(), NAME);
        }
    }

    #[tokio::test]
    async fn a_command_that_loses_for_another_reason_leaves_the_place_free() {
        let world = World::new().await;
        let (vault, person, stream) = (world.vault(), Some(world.person()), world.stream());
        let (_, loser) = world.attempt(&vault, person, stream);
        let (sealed, winner) = world.attempt(&vault, person, stream);
        let loser = joined(loser, using(KeyId(world.id())));
        assert_eq!(admit(&world.owner, &[loser, winner]).await, [1]);
        assert_eq!(vault.open(&sealed).await.unwrap().json(), NAME);
    }

    #[tokio::test]
    async fn a_case_without_a_customer_has_one_key_too() {
        let world = World::new().await;
        let (vault, stream) = (world.vault(), world.stream());
        let (sealed, first) = world.attempt(&vault, None, stream);
        let (_, second) = world.attempt(&vault, None, stream);
        assert_eq!(admit(&world.owner, &[first]).await, NOBODY);
        assert_eq!(admit(&world.owner, &[second]).await, [1]);
        assert_eq!(vault.open(&sealed).await.unwrap().json(), NAME);
    }

    #[tokio::test]
    async fn a_key_that_comes_again_is_no_rival_but_its_id_is_taken_elsewhere() {
        let world = World::new().await;
        let (vault, person) = (world.vault(), Some(world.person()));
        let (_, admission) = world.attempt(&vault, person, world.stream());
        assert_eq!(admit(&world.owner, std::slice::from_ref(&admission)).await, NOBODY);
        assert_eq!(admit(&world.owner, std::slice::from_ref(&admission)).await, NOBODY);
        let mut elsewhere = admission;
        elsewhere.minted[0].stream = world.stream();
        assert_eq!(admit(&world.owner, &[elsewhere]).await, [1]);
        assert_eq!(world.count("vault.keys").await, 1);
    }

    /// The race: each finds the place free and mints. Without the head lock, or with a snapshot from before it, two
    /// would think that they won, and one's values could never be opened.
    #[tokio::test]
    async fn of_many_who_mint_for_one_place_at_once_one_wins() {
        const RIVALS: usize = 8;
        let world = World::new().await;
        let (vault, person, stream) = (world.vault(), Some(world.person()), world.stream());
        let rivals: Vec<_> = (0..RIVALS).map(|_| world.attempt(&vault, person, stream)).collect();
        let admissions: Vec<[KeyAdmission; 1]> = rivals.iter().map(|(_, admission)| [admission.clone()]).collect();
        let outcomes = futures::future::join_all(admissions.iter().map(|batch| admit(&world.owner, batch))).await;
        let mut opened = 0;
        for ((sealed, _), losers) in rivals.iter().zip(outcomes) {
            let opens = vault.open(sealed).await.is_ok();
            assert_eq!(opens, losers.is_empty(), "who won opens, who lost does not");
            opened += usize::from(opens);
        }
        assert_eq!((opened, world.count("vault.keys").await), (1, 1));
    }

    #[tokio::test]
    async fn a_refused_command_begins_again_with_the_key_that_won() {
        let world = World::new().await;
        let (person, stream) = (Some(world.person()), world.stream());
        let (one, other) = (world.vault(), world.vault());
        // Both know the place to be empty.
        one.keys_for(person, stream).await.unwrap();
        let stale = other.keys_for(person, stream).await.unwrap();
        let (_, winner) = world.attempt(&one, person, stream);
        assert_eq!(admit(&world.owner, std::slice::from_ref(&winner)).await, NOBODY);
        let mut sealer = Sealer::new(stale, CommandId(world.id()), fresh_rng());
        sealer.seal("/name", Category::Personal, NAME).unwrap();
        assert_eq!(admit(&world.owner, &[sealer.into_admission()]).await, [1]);

        other.forget(person, stream);
        let keys = other.keys_for(person, stream).await.unwrap();
        let mut sealer = Sealer::new(keys, CommandId(world.id()), fresh_rng());
        sealer.seal("/name", Category::Personal, NAME).unwrap();
        let again = sealer.into_admission();
        assert_eq!(again, using(winner.minted[0].id));
        assert_eq!(admit(&world.owner, &[again]).await, NOBODY);
    }
}

mod look_up {
    use super::*;

    fn by(lookups: Vec<LookupHash>) -> KeyAdmission {
        KeyAdmission {
            lookups,
            ..KeyAdmission::default()
        }
    }

    #[tokio::test]
    async fn people_are_found_by_any_way_of_writing_until_the_value_changes_or_goes() {
        let world = World::new().await;
        let (vault, ada, bob) = (world.vault(), world.person(), world.person());
        let lookup = |kind, value, person| vault.lookup_hash(kind, value, person).unwrap();
        let batch = [
            by(vec![
                lookup(LookupKind::Email, "Ada@Example.org", ada),
                lookup(LookupKind::Postcode, "SW1A 1AA", ada),
            ]),
            by(vec![lookup(LookupKind::Postcode, "SW1A 1AA", bob)]),
        ];
        assert_eq!(admit(&world.owner, &batch).await, NOBODY);
        assert_eq!(vault.find(LookupKind::Postcode, "sw1a1aa").await.unwrap(), [ada, bob]);
        assert_eq!(vault.find(LookupKind::Email, "ada@example.org").await.unwrap(), [ada]);
        assert!(vault.find(LookupKind::Phone, "no digits").await.unwrap().is_empty());

        // Two changes in one batch: the last counts.
        let batch = ["old@example.org", "new@example.org"].map(|value| by(vec![lookup(LookupKind::Email, value, ada)]));
        assert_eq!(admit(&world.owner, &batch).await, NOBODY);
        assert_eq!(vault.find(LookupKind::Email, "new@example.org").await.unwrap(), [ada]);
        for gone in ["ada@example.org", "old@example.org"] {
            assert!(vault.find(LookupKind::Email, gone).await.unwrap().is_empty());
        }

        let without_hash = "SELECT vault.admit('{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{1}', '{email}', \
                            ARRAY[NULL::bytea], ARRAY[$1])";
        sqlx::query(without_hash)
            .bind(ada.uuid())
            .execute(&world.owner)
            .await
            .unwrap();
        assert!(
            vault
                .find(LookupKind::Email, "new@example.org")
                .await
                .unwrap()
                .is_empty()
        );
        assert_eq!(vault.find(LookupKind::Postcode, "SW1A 1AA").await.unwrap(), [ada, bob]);
    }

    #[tokio::test]
    async fn a_hash_is_of_use_with_its_key_file_only() {
        let world = World::new().await;
        let (vault, ada) = (world.vault(), world.person());
        let lookup = vault.lookup_hash(LookupKind::Email, "ada@example.org", ada).unwrap();
        assert_eq!(admit(&world.owner, &[by(vec![lookup])]).await, NOBODY);
        let other_file = Arc::new(KeyEncryptionKey::generate(&mut fresh_rng()).unwrap());
        let guesser = world.vault_with(&other_file, &world.owner);
        assert!(
            guesser
                .find(LookupKind::Email, "ada@example.org")
                .await
                .unwrap()
                .is_empty()
        );
    }
}

mod erasure {
    use super::*;

    #[tokio::test]
    async fn an_erased_persons_values_open_nowhere_once_the_cache_bound_has_passed() {
        let world = World::new().await;
        let (ada, bob) = (world.person(), world.person());
        let (first, second, others) = (
            world.sealed_for(ada).await,
            world.sealed_for(ada).await,
            world.sealed_for(bob).await,
        );
        let (eraser, elsewhere) = (world.vault(), world.vault());
        let lookup = eraser.lookup_hash(LookupKind::Email, "ada@example.org", ada).unwrap();
        admit(
            &world.owner,
            &[KeyAdmission {
                lookups: vec![lookup],
                ..KeyAdmission::default()
            }],
        )
        .await;
        assert!(elsewhere.open(&first).await.is_ok());
        assert!(eraser.open(&first).await.is_ok());

        let erasure = eraser.erase(ada, ErasureReason::ConsentWithdrawn).await.unwrap();
        assert_eq!(
            (erasure.keys_destroyed, erasure.complete_after),
            (2, Settings::default().cache_for)
        );
        assert!(
            matches!(eraser.open(&first).await, Err(OpenError::Erased)),
            "at once in its own process"
        );
        assert!(
            matches!(elsewhere.open(&second).await, Err(OpenError::Erased)),
            "at once where it is not cached"
        );
        assert!(
            elsewhere.open(&first).await.is_ok(),
            "cached: which is why it is not reported as done yet"
        );
        world.pass(erasure.complete_after);
        assert!(matches!(elsewhere.open(&first).await, Err(OpenError::Erased)));

        assert!(elsewhere.open(&others).await.is_ok());
        assert!(
            elsewhere
                .find(LookupKind::Email, "ada@example.org")
                .await
                .unwrap()
                .is_empty()
        );
    }

    #[tokio::test]
    async fn erasing_again_changes_nothing() {
        let world = World::new().await;
        let (vault, ada) = (world.vault(), world.person());
        world.sealed_for(ada).await;
        vault.erase(ada, ErasureReason::ConsentWithdrawn).await.unwrap();
        let tombstone = "SELECT erased_at::text || reason_code FROM vault.erased_people";
        let first: String = sqlx::query_scalar(tombstone).fetch_one(&world.owner).await.unwrap();
        let again = vault.erase(ada, ErasureReason::Objection).await.unwrap();
        let second: String = sqlx::query_scalar(tombstone).fetch_one(&world.owner).await.unwrap();
        assert_eq!((again.keys_destroyed, second), (0, first));
    }

    #[tokio::test]
    async fn whoever_owns_a_key_now_takes_it_along() {
        let world = World::new().await;
        let (vault, ada, bob) = (world.vault(), world.person(), world.person());
        let sealed = world.sealed_for(ada).await;
        sqlx::query("UPDATE vault.keys SET owner = $1")
            .bind(bob.uuid())
            .execute(&world.owner)
            .await
            .unwrap();
        assert_eq!(
            vault.erase(ada, ErasureReason::Objection).await.unwrap().keys_destroyed,
            0
        );
        assert!(world.vault().open(&sealed).await.is_ok(), "it is Bob's now");
        assert_eq!(
            vault.erase(bob, ErasureReason::Objection).await.unwrap().keys_destroyed,
            1
        );
        assert!(matches!(world.vault().open(&sealed).await, Err(OpenError::Erased)));
    }

    #[tokio::test]
    async fn a_destroyed_key_without_a_tombstone_is_a_gap_too() {
        let world = World::new().await;
        let sealed = world.sealed_for(world.person()).await;
        sqlx::query("DELETE FROM vault.keys")
            .execute(&world.owner)
            .await
            .unwrap();
        assert!(matches!(world.vault().open(&sealed).await, Err(OpenError::NoKey)));
    }

    /// The race: an append has been admitted and is not committed when the erasure comes. Without the head lock the
    /// erasure would not see the key, and the key would outlive it.
    #[tokio::test]
    async fn erasure_waits_for_the_append_before_it_and_destroys_its_key() {
        let world = World::new().await;
        let (vault, person) = (Arc::new(world.vault()), world.person());
        let (sealed, admission) = world.attempt(&vault, Some(person), world.stream());
        let mut append = world.owner.begin().await.unwrap();
        sqlx::query("SELECT FROM ledger.head FOR UPDATE")
            .execute(&mut *append)
            .await
            .unwrap();
        assert_eq!(call_admit(&mut *append, &[admission]).await.unwrap(), NOBODY);

        let eraser = Arc::clone(&vault);
        let erasing = tokio::spawn(async move { eraser.erase(person, ErasureReason::LegalObligation).await.unwrap() });
        let waiting = "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() \
                       AND wait_event_type = 'Lock' AND query LIKE '%vault.erase%')";
        let superuser = world.database.superuser().await;
        eventually("the erasure waits", SOON, || async {
            sqlx::query_scalar::<_, bool>(waiting)
                .fetch_one(&superuser)
                .await
                .unwrap()
        })
        .await;
        append.commit().await.unwrap();
        assert_eq!(erasing.await.unwrap().keys_destroyed, 1);
        assert!(matches!(vault.open(&sealed).await, Err(OpenError::Erased)));
    }
}

mod tampering_and_faults {
    use super::*;

    #[tokio::test]
    async fn a_key_moved_to_another_row_opens_nothing() {
        let world = World::new().await;
        let (ada, bob) = (
            world.sealed_for(world.person()).await,
            world.sealed_for(world.person()).await,
        );
        let swap =
            "UPDATE vault.keys AS one SET wrapped = other.wrapped FROM vault.keys AS other WHERE one.id <> other.id";
        sqlx::query(swap).execute(&world.owner).await.unwrap();
        for sealed in [ada, bob] {
            let Err(OpenError::Unavailable(cause)) = world.vault().open(&sealed).await else {
                panic!("opened under a key of another row")
            };
            assert!(matches!(*cause, VaultError::DamagedKey(_)));
        }
    }

    #[tokio::test]
    async fn another_key_file_is_named_as_the_cause() {
        let world = World::new().await;
        let (person, stream) = (Some(world.person()), world.stream());
        let (sealed, admission) = world.attempt(&world.vault(), person, stream);
        assert_eq!(admit(&world.owner, &[admission]).await, NOBODY);
        let other_file = Arc::new(KeyEncryptionKey::generate(&mut fresh_rng()).unwrap());
        let vault = world.vault_with(&other_file, &world.owner);
        let Err(VaultError::OtherKeyFile { wrapped_by, .. }) = vault.keys_for(person, stream).await else {
            panic!("unwrapped by another key file")
        };
        assert_eq!(wrapped_by, world.key_file.id());
        let Err(OpenError::Unavailable(cause)) = vault.open(&sealed).await else {
            panic!("opened")
        };
        assert!(matches!(*cause, VaultError::OtherKeyFile { .. }));
    }

    #[tokio::test]
    async fn without_a_database_what_is_cached_opens_and_the_rest_is_to_be_tried_again() {
        let world = World::new().await;
        let (cached, other) = (
            world.sealed_for(world.person()).await,
            world.sealed_for(world.person()).await,
        );
        let pool = world.database.owner().await;
        let vault = world.vault_with(&world.key_file, &pool);
        vault.open(&cached).await.unwrap();
        pool.close().await;
        let opened = vault.open_many(&[&cached, &other]).await;
        assert_eq!(opened[0].as_ref().unwrap().json(), NAME);
        let Err(OpenError::Unavailable(cause)) = &opened[1] else {
            panic!("opened without a database")
        };
        assert!(matches!(**cause, VaultError::Unavailable(_)));
    }

    #[tokio::test]
    async fn migrating_again_and_at_once_changes_nothing() {
        let world = World::new().await;
        let sealed = world.sealed_for(world.person()).await;
        let migrations = (0..3).map(|_| vault::migrate(&world.owner));
        for result in futures::future::join_all(migrations).await {
            result.unwrap();
        }
        assert!(world.vault().open(&sealed).await.is_ok());
    }
}

mod grants {
    use super::*;

    async fn refused(pool: &PgPool, statement: &str) {
        let error = sqlx::raw_sql(statement).execute(pool).await.unwrap_err();
        assert!(error.to_string().contains("permission denied"), "{statement}: {error}");
    }

    #[tokio::test]
    async fn whoever_unseals_reads_and_neither_writes_nor_erases() {
        let world = World::new().await;
        let sealed = world.sealed_for(world.person()).await;
        let pool = world.database.as_role("caseledger_vault").await;
        let vault = world.vault_with(&world.key_file, &pool);
        assert_eq!(vault.open(&sealed).await.unwrap().json(), NAME);
        vault.keys_for(Some(world.person()), world.stream()).await.unwrap();
        vault.find(LookupKind::Email, "ada@example.org").await.unwrap();
        for table in ["keys", "erased_people", "lookups"] {
            refused(&pool, &format!("DELETE FROM vault.{table}")).await;
            refused(&pool, &format!("TRUNCATE vault.{table}")).await;
            refused(&pool, &format!("INSERT INTO vault.{table} DEFAULT VALUES")).await;
        }
        refused(&pool, "UPDATE vault.keys SET owner = NULL").await;
        let error = vault.erase(world.person(), ErasureReason::Objection).await.unwrap_err();
        assert!(matches!(error, VaultError::Statement(_)));
        let error = call_admit(&pool, &[]).await.unwrap_err();
        assert!(error.to_string().contains("permission denied"), "{error}");
    }

    #[tokio::test]
    async fn the_keeper_erases_and_reads_nothing() {
        let world = World::new().await;
        let person = world.person();
        let sealed = world.sealed_for(person).await;
        let pool = world.database.as_role("caseledger_vault_keeper").await;
        for table in ["keys", "erased_people", "lookups"] {
            refused(&pool, &format!("SELECT FROM vault.{table}")).await;
        }
        assert!(
            call_admit(&pool, &[])
                .await
                .unwrap_err()
                .to_string()
                .contains("permission denied")
        );
        let keeper = world.vault_with(&world.key_file, &pool);
        assert_eq!(
            keeper
                .erase(person, ErasureReason::Objection)
                .await
                .unwrap()
                .keys_destroyed,
            1
        );
        assert!(matches!(world.vault().open(&sealed).await, Err(OpenError::Erased)));
    }
}
