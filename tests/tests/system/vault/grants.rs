//! Who may do what.

use super::*;

pub(super) async fn refused(pool: &PgPool, statement: &str) {
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
    for table in ["keys", "erased_people", "lookups", "openings"] {
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
