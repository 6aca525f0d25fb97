//! What is said of altered rows, other key files and a database that does not answer.

use super::*;

#[tokio::test]
async fn a_key_moved_to_another_row_opens_nothing() {
    let world = World::new().await;
    let (ada, bob) = (
        world.sealed_for(world.person()).await,
        world.sealed_for(world.person()).await,
    );
    let swap = "UPDATE vault.keys AS one SET wrapped = other.wrapped FROM vault.keys AS other WHERE one.id <> other.id";
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
