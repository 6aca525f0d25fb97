//! What the database refuses, whoever asks.

use event_store::{Ledger, PgLedger};
use sqlx::PgPool;
use system_tests::database_bare;

use super::{Log, accepted, log, receipt, rejected, stream};

async fn refused(pool: &PgPool, statement: &str) -> String {
    match sqlx::raw_sql(statement).execute(pool).await {
        Ok(_) => panic!("was not refused: {statement}"),
        Err(error) => error.to_string(),
    }
}

async fn a_log_with_something_in_it() -> Log {
    let log = log().await;
    let id = stream();
    log.append(vec![accepted(id, 0, 2), rejected(id, 2)]).await;
    log
}

const CHANGES: [&str; 9] = [
    "UPDATE ledger.events SET payload = '{}'",
    "UPDATE ledger.events SET payload = '{}' WHERE false",
    "DELETE FROM ledger.events",
    "TRUNCATE ledger.events",
    "UPDATE ledger.commands SET problem = NULL",
    "DELETE FROM ledger.commands WHERE version = 2",
    "TRUNCATE ledger.commands",
    "INSERT INTO ledger.commands SELECT * FROM ledger.commands ON CONFLICT (client, command_id) DO UPDATE SET version = 9",
    "WITH gone AS (DELETE FROM ledger.events RETURNING 1) SELECT count(*) FROM gone",
];

#[tokio::test]
async fn what_is_recorded_stays_also_for_the_owner_and_the_superuser() {
    let log = a_log_with_something_in_it().await;
    let before = log.all().await;
    let (owner, superuser) = (log.database.owner().await, log.database.superuser().await);
    for change in CHANGES {
        for pool in [&owner, &superuser] {
            let error = refused(pool, change).await;
            assert!(error.contains("what is recorded stays"), "{change}: {error}");
        }
        // Replication's setting switches ordinary triggers off, not these.
        let as_replica = format!("SET session_replication_role = replica; {change}");
        let error = refused(&superuser, &as_replica).await;
        assert!(error.contains("what is recorded stays"), "{as_replica}: {error}");
    }
    assert_eq!(log.all().await, before);
}

#[tokio::test]
async fn the_head_neither_goes_back_nor_away() {
    let log = a_log_with_something_in_it().await;
    let superuser = log.database.superuser().await;
    for change in [
        "UPDATE ledger.head SET position = 1",
        "UPDATE ledger.head SET recorded_at = recorded_at - interval '1 second'",
        "DELETE FROM ledger.head",
        "TRUNCATE ledger.head",
        "INSERT INTO ledger.head (position) VALUES (0)",
        "INSERT INTO ledger.head (position) VALUES (99)",
    ] {
        let error = refused(&superuser, change).await;
        assert!(error.contains("what is recorded stays"), "{change}: {error}");
    }
}

#[tokio::test]
async fn who_may_only_read_can_only_read() {
    let log = a_log_with_something_in_it().await;
    for (role, sees_commands) in [
        ("caseledger_feed", false),
        ("caseledger_relay", false),
        ("caseledger_auditor", true),
    ] {
        let pool = log.database.as_role(role).await;
        let ledger = PgLedger::new(pool.clone());
        assert_eq!(ledger.head().await.unwrap().position.0, 2, "{role}");
        assert_eq!(
            ledger.feed(schemas::Position(0), None, 9).await.unwrap().len(),
            2,
            "{role}"
        );
        assert!(ledger.append(&[accepted(stream(), 0, 1)]).await.is_err(), "{role}");
        assert!(ledger.reference_numbers(1).await.is_err(), "{role}");
        for change in CHANGES {
            let error = refused(&pool, change).await;
            assert!(error.contains("permission denied"), "{role}: {change}: {error}");
        }
        let commands = sqlx::query("SELECT FROM ledger.commands").fetch_all(&pool).await;
        assert_eq!(commands.is_ok(), sees_commands, "{role}");
    }
}

#[tokio::test]
async fn migrations_may_run_at_once_and_again() {
    let database = database_bare().await;
    let pool = database.owner().await;
    vault::migrate(&pool).await.unwrap();
    let (one, two) = tokio::join!(event_store::migrate(&pool), event_store::migrate(&pool));
    one.unwrap();
    two.unwrap();
    event_store::migrate(&pool).await.unwrap();
    let ledger = PgLedger::new(pool);
    receipt(&ledger.append(&[accepted(stream(), 0, 1)]).await.unwrap()[0]);
}
