//! The read models as their migrations make them. What each role may do with them, the fault suite tries as that role.

use sqlx::PgPool;
use system_tests::{TestDatabase, database_bare};

/// A database that was migrated, not copied: what its migrations take from everybody, a copy would have again.
async fn migrated() -> (TestDatabase, PgPool) {
    let database = database_bare().await;
    let owner = database.owner().await;
    vault::migrate(&owner).await.unwrap();
    event_store::migrate(&owner).await.unwrap();
    projections::migrate(&owner).await.unwrap();
    (database, owner)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_column_for_analysts_says_what_it_is() {
    let (_database, owner) = migrated().await;
    let query = "SELECT relation.oid::regclass::text || '.' || attribute.attname
        FROM pg_class AS relation JOIN pg_attribute AS attribute ON attribute.attrelid = relation.oid
        WHERE relation.relnamespace = 'reporting'::regnamespace AND relation.relkind IN ('r', 'v')
          AND has_table_privilege('caseledger_analyst', relation.oid, 'SELECT') AND attribute.attnum > 0
          AND col_description(relation.oid, attribute.attnum) IS NULL";
    let silent: Vec<String> = sqlx::query_scalar(query).fetch_all(&owner).await.unwrap();
    assert!(silent.is_empty(), "{silent:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_migrations_may_run_twice_and_at_once() {
    let (_database, owner) = migrated().await;
    let (one, two) = tokio::join!(projections::migrate(&owner), projections::migrate(&owner));
    one.unwrap();
    two.unwrap();
}
