//! The harness itself: what other tests rely on.

use std::process::Command;
use std::time::Duration;

use caseledger::servers::NatsConfig;
use sqlx::{Connection, PgConnection, PgPool};
use system_tests::{Process, Proxy, TestPostgres, database, database_bare, eventually, nats};

const SOON: Duration = Duration::from_secs(20);

async fn scalar(pool: &PgPool, query: &str) -> String {
    sqlx::query_scalar(query).fetch_one(pool).await.unwrap()
}

#[tokio::test]
async fn each_test_has_a_database_of_its_own() {
    let (one, another) = tokio::join!(database(), database_bare());
    assert_ne!(one.name(), another.name());
    let pool = one.owner().await;
    sqlx::query("CREATE TABLE public.only_here (value int)")
        .execute(&pool)
        .await
        .unwrap();
    let elsewhere = another.superuser().await;
    assert_eq!(
        scalar(
            &elsewhere,
            "SELECT coalesce(to_regclass('public.only_here')::text, 'absent')"
        )
        .await,
        "absent"
    );
    assert_eq!(scalar(&elsewhere, "SHOW server_encoding").await, "UTF8");
}

#[tokio::test]
async fn a_role_is_tried_with_a_login_that_has_nothing_else() {
    let database = database_bare().await;
    let owner = database.owner().await;
    let role = format!("harness_{}", database.name());
    sqlx::raw_sql(&format!(
        "CREATE ROLE {role}; CREATE TABLE seen (); CREATE TABLE unseen (); GRANT SELECT ON seen TO {role}"
    ))
    .execute(&owner)
    .await
    .unwrap();
    let (pool, again) = tokio::join!(database.as_role(&role), database.as_role(&role));
    sqlx::query("SELECT FROM seen").execute(&pool).await.unwrap();
    sqlx::query("SELECT FROM seen").execute(&again).await.unwrap();
    let error = sqlx::query("SELECT FROM unseen").execute(&pool).await.unwrap_err();
    assert!(error.to_string().contains("permission denied"), "{error}");
}

#[tokio::test]
async fn a_database_is_dropped_with_its_value() {
    let kept = database_bare().await;
    let dropped = database_bare().await;
    let (pool, name) = (kept.superuser().await, dropped.name().to_owned());
    let _connected = dropped.owner().await;
    drop(dropped);
    let query = format!("SELECT count(*)::text FROM pg_database WHERE datname = '{name}'");
    eventually("the database is gone", SOON, || async {
        scalar(&pool, &query).await == "0"
    })
    .await;
}

#[tokio::test]
async fn a_server_of_ones_own_can_be_killed() {
    let postgres = TestPostgres::start().await;
    let database = postgres.database_bare().await;
    let pool = database.owner().await;
    sqlx::query("CREATE TABLE kept AS SELECT 'here'::text AS value")
        .execute(&pool)
        .await
        .unwrap();
    postgres.kill().await;
    PgConnection::connect(&database.owner_url()).await.unwrap_err();
    postgres.start_again().await;
    let value = eventually("the pool has connected again", SOON, || async {
        sqlx::query_scalar::<_, String>("SELECT value FROM kept")
            .fetch_one(&pool)
            .await
            .ok()
    });
    assert_eq!(value.await, "here");
}

#[tokio::test]
async fn a_bus_can_lose_everything() {
    let accounts = "accounts { A { jetstream: enabled, users: [{ user: a, password: a }] } }";
    let nats = nats(NatsConfig::new(accounts)).await;
    let jetstream = || async {
        let options = async_nats::ConnectOptions::with_user_and_password("a".into(), "a".into());
        async_nats::jetstream::new(options.connect(nats.url()).await.unwrap())
    };
    jetstream().await.create_stream("LOST").await.unwrap();
    nats.kill().await;
    nats.start_again().await;
    jetstream()
        .await
        .get_stream("LOST")
        .await
        .expect("a kill of the process loses nothing");
    nats.wipe().await;
    jetstream()
        .await
        .get_stream("LOST")
        .await
        .expect_err("the store was deleted");
}

#[tokio::test]
async fn a_proxy_cuts_loses_and_restores() {
    let database = database_bare().await;
    let proxy = Proxy::start(database.postgres().port()).await;
    let url = proxy.url(&database.owner_url());
    let mut connection = PgConnection::connect(&url).await.unwrap();
    sqlx::query("CREATE TABLE written (value int)")
        .execute(&mut connection)
        .await
        .unwrap();

    proxy.lose_answers();
    let unanswered = sqlx::raw_sql("INSERT INTO written VALUES (1)").execute(&mut connection);
    tokio::time::timeout(Duration::from_millis(300), unanswered)
        .await
        .expect_err("the answer is lost");
    let direct = database.owner().await;
    eventually("the row is there all the same", SOON, || async {
        scalar(&direct, "SELECT count(*)::text FROM written").await == "1"
    })
    .await;

    proxy.cut();
    PgConnection::connect(&url).await.expect_err("the proxy is cut");
    proxy.restore();
    let mut connection = PgConnection::connect(&url).await.unwrap();
    proxy.delay(Duration::from_millis(50));
    let started = std::time::Instant::now();
    sqlx::query("SELECT").execute(&mut connection).await.unwrap();
    assert!(
        started.elapsed() >= Duration::from_millis(100),
        "held up on the way there and back"
    );
}

#[tokio::test]
async fn a_process_is_heard_and_stopped() {
    let script = "trap 'echo stopping >&2; exit 7' TERM; echo ready; while :; do sleep 0.05; done";
    let mut process = Process::start(Command::new("sh").args(["-c", script]));
    process.line("ready", SOON).await;
    let status = process.stop(SOON).await;
    assert_eq!(status.code(), Some(7));
    process.line("stopping", SOON).await;
    assert_eq!(process.ended(), Some(status));
}
