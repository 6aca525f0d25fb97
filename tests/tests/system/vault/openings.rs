//! The record of who opened what, and why.

use schemas::OfficerId;
use time::OffsetDateTime;

use super::grants::refused;
use super::*;

const WHY: &str = "The resident rang about the missed bin";

fn officer() -> OfficerId {
    OfficerId::new("j.doe@council").unwrap()
}

fn at() -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(1_790_000_000).unwrap()
}

type Row = (String, String, Uuid, i32, OffsetDateTime, bool);

async fn recorded(pool: &PgPool) -> Vec<Row> {
    let rows = "SELECT officer, reason, stream, fields, opened_at, recorded_at > now() - interval '1 hour' \
                FROM vault.openings ORDER BY id";
    sqlx::query_as(rows).fetch_all(pool).await.unwrap()
}

#[tokio::test]
async fn an_opening_says_who_why_what_and_when_by_both_clocks() {
    let world = World::new().await;
    let stream = world.stream();
    let pool = world.database.as_role("caseledger_vault").await;
    let vault = world.vault_with(&world.key_file, &pool);
    vault.record_opening(&officer(), WHY, stream, 3, at()).await.unwrap();
    vault
        .record_opening(&officer(), "\tagain ", stream, 0, at())
        .await
        .unwrap();
    let row = |why: &str, fields| (officer().to_string(), why.to_owned(), stream.uuid(), fields, at(), true);
    assert_eq!(recorded(&pool).await, [row(WHY, 3), row("again", 0)]);
}

#[tokio::test]
async fn without_a_reason_of_the_right_length_nothing_is_recorded() {
    let world = World::new().await;
    let (vault, stream) = (world.vault(), world.stream());
    for wrong in [" ", "two\nlines", &"x".repeat(vault::LONGEST_REASON_CHARS + 1)] {
        let outcome = vault.record_opening(&officer(), wrong, stream, 1, at()).await;
        assert!(matches!(outcome, Err(VaultError::Reason)), "{outcome:?}");
    }
    assert!(recorded(&world.owner).await.is_empty());
    let longest = "ü".repeat(vault::LONGEST_REASON_CHARS);
    vault
        .record_opening(&officer(), &longest, stream, 1, at())
        .await
        .unwrap();
    assert_eq!(recorded(&world.owner).await.len(), 1);
}

#[tokio::test]
async fn nobody_changes_what_is_recorded() {
    let world = World::new().await;
    world
        .vault()
        .record_opening(&officer(), WHY, world.stream(), 1, at())
        .await
        .unwrap();
    for statement in [
        "UPDATE vault.openings SET officer = 'another'",
        "DELETE FROM vault.openings",
        "TRUNCATE vault.openings",
        "DELETE FROM vault.openings WHERE false",
    ] {
        let replica = format!("SET session_replication_role = replica; {statement}");
        for (pool, statement) in [
            (&world.owner, statement),
            (&world.database.superuser().await, replica.as_str()),
        ] {
            let error = sqlx::raw_sql(statement).execute(pool).await.unwrap_err();
            assert!(
                error.to_string().contains("what is recorded stays"),
                "{statement}: {error}"
            );
        }
    }
    assert_eq!(recorded(&world.owner).await.len(), 1);
}

#[tokio::test]
async fn an_erasure_leaves_the_record_of_who_read() {
    let world = World::new().await;
    let (vault, person) = (world.vault(), world.person());
    world.sealed_for(person).await;
    vault
        .record_opening(&officer(), WHY, person.into(), 1, at())
        .await
        .unwrap();
    vault.erase(person, ErasureReason::Objection).await.unwrap();
    assert_eq!(recorded(&world.owner).await.len(), 1);
}

#[tokio::test]
async fn whoever_unseals_chooses_neither_the_number_nor_the_time_of_a_record() {
    let world = World::new().await;
    let pool = world.database.as_role("caseledger_vault").await;
    let columns = "officer, reason, stream, fields, opened_at";
    let values = "'a', 'b', '00000000-0000-0000-0000-000000000001', 1, now()";
    let insert = |column: &str, value: &str| {
        format!("INSERT INTO vault.openings ({columns}, {column}) OVERRIDING SYSTEM VALUE VALUES ({values}, {value})")
    };
    refused(&pool, &insert("recorded_at", "'2001-01-01'")).await;
    refused(&pool, &insert("id", "1")).await;
    refused(&pool, "UPDATE vault.openings SET reason = 'b'").await;
    refused(&pool, "DELETE FROM vault.openings").await;
    refused(&pool, "TRUNCATE vault.openings").await;
}

#[tokio::test]
async fn whoever_checks_the_readers_sees_them_and_no_key() {
    let world = World::new().await;
    world
        .vault()
        .record_opening(&officer(), WHY, world.stream(), 1, at())
        .await
        .unwrap();
    let pool = world.database.as_role("caseledger_vault_auditor").await;
    assert_eq!(recorded(&pool).await.len(), 1);
    for table in ["keys", "erased_people", "lookups"] {
        refused(&pool, &format!("SELECT FROM vault.{table}")).await;
    }
    refused(&pool, "INSERT INTO vault.openings DEFAULT VALUES").await;
    refused(&pool, "DELETE FROM vault.openings").await;
}
