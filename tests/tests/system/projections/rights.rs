//! What each role may do with the read models, tried as that role.

use sqlx::PgPool;
use system_tests::{TestDatabase, database_bare};

/// What an analyst may read.
const FOR_ANALYSTS: [&str; 6] = [
    "reporting.as_of",
    "reporting.collections",
    "reporting.enforcement_actions",
    "reporting.entitlements",
    "reporting.requests",
    "reporting.requests_by_month",
];

/// A database that was migrated, not copied: what its migrations take from everybody, a copy would have again.
async fn migrated() -> (TestDatabase, PgPool) {
    let database = database_bare().await;
    let owner = database.owner().await;
    vault::migrate(&owner).await.unwrap();
    event_store::migrate(&owner).await.unwrap();
    projections::migrate(&owner).await.unwrap();
    (database, owner)
}

/// Every table, view and sequence of ours.
async fn relations(owner: &PgPool) -> Vec<String> {
    let query = "SELECT format('%I.%I', schema.nspname, relation.relname)
        FROM pg_class AS relation JOIN pg_namespace AS schema ON schema.oid = relation.relnamespace
        WHERE relation.relkind IN ('r', 'v', 'm', 'S', 'p') AND schema.nspname !~ '^(pg_|information_schema)'
        ORDER BY 1";
    sqlx::query_scalar(query).fetch_all(owner).await.unwrap()
}

/// Whether Postgres refuses it for want of a right.
async fn is_denied(pool: &PgPool, statement: &str) -> bool {
    match sqlx::raw_sql(statement).execute(pool).await {
        Ok(_) => false,
        Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some("42501") => true,
        Err(error) => panic!("{statement}: {error}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_analyst_reads_the_reports_and_nothing_else() {
    let (database, owner) = migrated().await;
    let analyst = database.as_role("caseledger_analyst").await;
    let relations = relations(&owner).await;
    assert!(relations.len() > 12, "{relations:?}");
    let mut readable = Vec::new();
    for relation in &relations {
        if !is_denied(&analyst, &format!("SELECT 1 FROM {relation} LIMIT 1")).await {
            readable.push(relation.as_str());
        }
        assert!(
            is_denied(&analyst, &format!("COPY {relation} FROM STDIN")).await,
            "{relation}"
        );
    }
    assert_eq!(readable, FOR_ANALYSTS);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_analyst_changes_and_makes_nothing() {
    let (database, _) = migrated().await;
    let analyst = database.as_role("caseledger_analyst").await;
    for statement in [
        "DELETE FROM reporting.requests",
        "UPDATE reporting.requests SET status = 'open'",
        "DELETE FROM reporting.request_rows",
        "TRUNCATE reporting.request_rows",
        "CREATE TABLE reporting.mine (a int)",
        "CREATE TABLE public.mine (a int)",
        "CREATE TEMPORARY TABLE mine (a int)",
        "CREATE SCHEMA mine",
        "CREATE VIEW reporting.mine AS SELECT 1",
        "SET ROLE caseledger_projector",
        "SET ROLE caseledger_writer",
        "ALTER TABLE reporting.request_rows DISABLE TRIGGER ALL",
        "SELECT * FROM ledger.events",
        "SELECT pg_read_file('PG_VERSION')",
    ] {
        let denied = is_denied(&analyst, statement).await;
        assert!(denied, "{statement}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_column_for_analysts_says_what_it_is() {
    let (_database, owner) = migrated().await;
    let query = "SELECT relation.oid::regclass::text || '.' || attribute.attname
        FROM pg_class AS relation JOIN pg_attribute AS attribute ON attribute.attrelid = relation.oid
        WHERE relation.oid::regclass::text = ANY ($1) AND attribute.attnum > 0
          AND col_description(relation.oid, attribute.attnum) IS NULL";
    let silent: Vec<String> = sqlx::query_scalar(query)
        .bind(FOR_ANALYSTS.as_slice())
        .fetch_all(&owner)
        .await
        .unwrap();
    assert!(silent.is_empty(), "{silent:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn services_read_the_history_and_the_projector_writes_only_its_own() {
    let (database, _) = migrated().await;
    let service = database.as_role("caseledger_writer").await;
    assert!(
        !is_denied(
            &service,
            "SELECT 1 FROM history.cases, history.timeline, history.customers"
        )
        .await
    );
    for statement in [
        "DELETE FROM history.case_rows",
        "UPDATE history.checkpoints SET position = 0",
        "SELECT 1 FROM history.case_rows",
        "SELECT 1 FROM reporting.case_keys",
    ] {
        assert!(is_denied(&service, statement).await, "{statement}");
    }
    let projector = database.as_role("caseledger_projector").await;
    for statement in [
        "DELETE FROM reporting.case_keys",
        "DELETE FROM history.checkpoints",
        "SELECT 1 FROM vault.keys",
        "INSERT INTO ledger.head DEFAULT VALUES",
        "CREATE TABLE history.mine (a int)",
    ] {
        assert!(is_denied(&projector, statement).await, "{statement}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_migrations_may_run_twice_and_at_once() {
    let (_database, owner) = migrated().await;
    let (one, two) = tokio::join!(projections::migrate(&owner), projections::migrate(&owner));
    one.unwrap();
    two.unwrap();
}
