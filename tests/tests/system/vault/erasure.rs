//! What erasure destroys, and when it is complete.

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
