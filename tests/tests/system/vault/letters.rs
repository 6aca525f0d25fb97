//! The sealed bodies of dead letters.

use super::*;

#[tokio::test]
async fn a_letter_opens_in_another_process_with_the_same_key_file_and_no_other() {
    let world = World::new().await;
    let body = b"{\"name\": \"Ada\xff Lovelace\"";
    let letter = world.vault().seal_letter(body).unwrap();
    assert_ne!(letter, world.vault().seal_letter(body).unwrap());
    assert!(
        letter
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
    );
    assert_eq!(world.vault().open_letter(&letter).unwrap(), body);
    let other_file = Arc::new(KeyEncryptionKey::generate(&mut fresh_rng()).unwrap());
    let elsewhere = world.vault_with(&other_file, &world.owner);
    assert!(matches!(elsewhere.open_letter(&letter), Err(VaultError::DamagedLetter)));
}

#[tokio::test]
async fn letters_need_no_database() {
    let world = World::new().await;
    let pool = world.database.owner().await;
    let vault = world.vault_with(&world.key_file, &pool);
    pool.close().await;
    let letter = vault.seal_letter(b"").unwrap();
    assert!(vault.open_letter(&letter).unwrap().is_empty());
}
