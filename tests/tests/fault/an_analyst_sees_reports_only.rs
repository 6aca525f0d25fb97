//! Fault 24: the password of an analyst has leaked: every table, function, role, trigger and file is tried with it, and the bus.

use std::sync::Arc;

use async_nats::ConnectOptions;
use sqlx::PgPool;
use system_tests::{Council, TestPostgres, database_bare};

/// What an analyst may read.
const FOR_ANALYSTS: [&str; 6] = [
    "reporting.as_of",
    "reporting.collections",
    "reporting.enforcement_actions",
    "reporting.entitlements",
    "reporting.requests",
    "reporting.requests_by_month",
];

/// Whether Postgres refuses it for want of a right.
async fn is_denied(pool: &PgPool, statement: &str) -> bool {
    match sqlx::raw_sql(statement).execute(pool).await {
        Ok(_) => false,
        Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some("42501") => true,
        Err(error) => panic!("{statement}: {error}"),
    }
}

/// A database that was migrated, not copied: what its migrations take from everybody, a copy would have again.
async fn migrated_on(postgres: &Arc<TestPostgres>) -> (system_tests::TestDatabase, PgPool) {
    let database = postgres.database_bare().await;
    let owner = database.owner().await;
    caseledger::database::migrate(&owner, time::OffsetDateTime::UNIX_EPOCH)
        .await
        .unwrap();
    let analyst = database.as_role("caseledger_analyst").await;
    (database, analyst)
}

#[tokio::test(flavor = "multi_thread")]
async fn of_all_tables_and_functions() {
    let shared = Arc::clone(database_bare().await.postgres());
    let (database, analyst) = migrated_on(&shared).await;
    let owner = database.owner().await;
    let relations = "SELECT format('%I.%I', schema.nspname, relation.relname)
        FROM pg_class AS relation JOIN pg_namespace AS schema ON schema.oid = relation.relnamespace
        WHERE relation.relkind IN ('r', 'v', 'm', 'S', 'p') AND schema.nspname !~ '^(pg_|information_schema)'
        ORDER BY 1";
    let relations: Vec<String> = sqlx::query_scalar(relations).fetch_all(&owner).await.unwrap();
    assert!(relations.len() > 30, "{relations:?}");
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

    let executable = "SELECT function.oid::regprocedure::text FROM pg_proc AS function
        JOIN pg_namespace AS schema ON schema.oid = function.pronamespace
        WHERE schema.nspname IN ('ledger', 'vault', 'history', 'reporting', 'notifier')
          AND has_function_privilege('caseledger_analyst', function.oid, 'EXECUTE')
          AND has_schema_privilege('caseledger_analyst', schema.oid, 'USAGE')
          AND function.prorettype <> 'trigger'::regtype";
    let executable: Vec<String> = sqlx::query_scalar(executable).fetch_all(&owner).await.unwrap();
    assert!(executable.is_empty(), "{executable:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn and_each_refusal_is_logged() {
    // A server of its own, so that its log is known to be about this.
    let postgres = TestPostgres::start().await;
    let (_database, analyst) = migrated_on(&postgres).await;
    let tried = [
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
        "SET session_replication_role = replica",
        "ALTER TABLE reporting.request_rows DISABLE TRIGGER ALL",
        "ALTER TABLE ledger.events DISABLE TRIGGER ALL",
        "SELECT * FROM ledger.events",
        "SELECT * FROM vault.keys",
        "SELECT vault.erase(gen_random_uuid(), 'objection')",
        "COPY reporting.requests TO '/tmp/requests'",
        "COPY reporting.requests TO PROGRAM 'cat'",
        "SELECT pg_read_file('PG_VERSION')",
        "SELECT rolpassword FROM pg_authid",
    ];
    for statement in tried {
        assert!(is_denied(&analyst, statement).await, "{statement}");
    }
    let logged = postgres.log();
    let denials = logged
        .lines()
        .filter(|line| line.contains("test_caseledger_analyst@") && line.contains("ERROR"))
        .count();
    assert_eq!(
        denials,
        tried.len(),
        "each is in the log of Postgres, with who it was:\n{logged}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn and_the_bus_knows_no_analyst() {
    let council = Council::new().await;
    for user in ["analyst", "caseledger_analyst", "test_caseledger_analyst"] {
        let options = ConnectOptions::with_user_and_password(user.to_owned(), "leaked".to_owned());
        let refused = options.connect(council.nats.url()).await.unwrap_err();
        assert!(refused.to_string().contains("authorization violation"), "{refused}");
    }
}
