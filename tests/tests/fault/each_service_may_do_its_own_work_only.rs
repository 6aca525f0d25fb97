//! Fault 25: the password of a service has leaked. Each service's own login tries what is another's.

use sqlx::PgPool;
use system_tests::Council;

/// What nobody who runs may do.
const NOBODY: [&str; 17] = [
    "UPDATE ledger.events SET payload = '{}'",
    "UPDATE ledger.events SET payload = '{}' WHERE false",
    "DELETE FROM ledger.events",
    "TRUNCATE ledger.events",
    "INSERT INTO ledger.events SELECT * FROM ledger.events",
    "UPDATE ledger.commands SET problem = NULL",
    "DELETE FROM ledger.commands",
    "TRUNCATE ledger.commands",
    "INSERT INTO ledger.commands SELECT * FROM ledger.commands",
    "UPDATE ledger.head SET position = 99",
    "DELETE FROM ledger.leases",
    "ALTER TABLE ledger.events DISABLE TRIGGER append_only",
    "DROP TABLE ledger.events",
    "DROP TRIGGER append_only ON ledger.events",
    "CREATE TABLE ledger.mine (a int)",
    "SET ROLE caseledger_owner",
    "SET session_replication_role = replica",
];

/// An append by hand.
const APPEND: &str = "SELECT ledger.append('{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}',
    '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}',
    '{}', '{}')";

/// What each service may not do, beside.
const OTHERS: [(&str, &[&str]); 4] = [
    (
        "command-service",
        &[
            "DELETE FROM history.case_rows",
            "UPDATE history.checkpoints SET position = 0",
            "SELECT 1 FROM history.case_rows",
            "SELECT 1 FROM reporting.requests",
            "SELECT 1 FROM reporting.case_keys",
            "SELECT 1 FROM notifier.deliveries",
            "SELECT vault.erase(gen_random_uuid(), 'objection')",
            "SELECT setval('ledger.reference_numbers', 1)",
            "SET ROLE caseledger_projector",
        ],
    ),
    (
        "relay",
        &[
            APPEND,
            "SELECT 1 FROM ledger.commands",
            "SELECT 1 FROM vault.keys",
            "SELECT 1 FROM history.cases",
            "SELECT 1 FROM notifier.deliveries",
            "SELECT nextval('ledger.reference_numbers')",
            "SET ROLE caseledger_writer",
        ],
    ),
    (
        "projections",
        &[
            APPEND,
            "SELECT 1 FROM ledger.commands",
            "SELECT 1 FROM vault.keys",
            "SELECT 1 FROM notifier.deliveries",
            "UPDATE ledger.leases SET token = 99",
            "DELETE FROM reporting.case_keys",
            "DELETE FROM history.checkpoints",
            "CREATE TABLE history.mine (a int)",
            "SET ROLE caseledger_writer",
        ],
    ),
    (
        "notifier",
        &[
            APPEND,
            "SELECT 1 FROM ledger.commands",
            "SELECT 1 FROM reporting.requests",
            "UPDATE ledger.leases SET token = 99",
            "SELECT vault.erase(gen_random_uuid(), 'objection')",
            "UPDATE notifier.settings SET cut_over = now()",
            "UPDATE notifier.deliveries SET message_id = 'another'",
            "UPDATE notifier.deliveries SET recipient = gen_random_uuid()",
            "DELETE FROM notifier.deliveries",
            "TRUNCATE notifier.deliveries",
            "DELETE FROM notifier.checkpoint",
            "CREATE TABLE notifier.mine (a int)",
            "SET ROLE caseledger_writer",
        ],
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn as_postgres_itself_sees_to() {
    let council = Council::new().await;
    for (service, others) in OTHERS {
        let pool = PgPool::connect(council.database_url(service)).await.unwrap();
        for statement in NOBODY.iter().chain(others) {
            let error = match sqlx::raw_sql(statement).execute(&pool).await {
                Ok(_) => panic!("{service} was let: {statement}"),
                Err(error) => error,
            };
            let denied = error
                .as_database_error()
                .is_some_and(|error| error.code().as_deref() == Some("42501"));
            assert!(denied, "{service}: {statement}: {error}");
        }
        // Each one may do its own work, or this would prove nothing.
        let own = match service {
            "command-service" => APPEND,
            "relay" => "SELECT 1 FROM ledger.events",
            "projections" => "UPDATE history.checkpoints SET position = position",
            _ => "UPDATE notifier.deliveries SET attempts = attempts",
        };
        sqlx::raw_sql(own).execute(&pool).await.unwrap();
    }
}
