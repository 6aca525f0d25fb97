//! Databases: one PostgreSQL for a test process, a fresh database for each test.

mod preloaded;
mod standby;

use std::path::Path;
use std::str::FromStr;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use caseledger::servers::{DataDir, Durability, PostgresServer, ServerError};
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPool, PgPoolOptions};
use sqlx::{ConnectOptions, Connection};
use time::OffsetDateTime;
use tokio::sync::OnceCell;
use uuid::Uuid;

pub use preloaded::PreloadedPostgres;
pub use standby::Standby;

/// The role that owns every test database and runs the migrations: no superuser, but it may create roles.
const OWNER: &str = "caseledger_owner";

/// More than a test needs at once; a pool that is empty for longer has lost connections.
const POOL_SIZE: u32 = 8;
const ACQUIRE: Duration = Duration::from_secs(20);

/// The PostgreSQL that the tests of this process share. It lives until the process ends, whichever test came first.
static SHARED: LazyLock<Arc<TestPostgres>> =
    LazyLock::new(|| Arc::new(TestPostgres::start_blocking(Durability::ForTests, None)));

/// A fresh database with all migrations, on the shared server.
pub async fn database() -> TestDatabase {
    shared().await.database().await
}

/// A fresh database without any migration, on the shared server.
pub async fn database_bare() -> TestDatabase {
    shared().await.database_bare().await
}

async fn shared() -> Arc<TestPostgres> {
    blocking(|| Arc::clone(&SHARED)).await
}

/// A PostgreSQL for tests. Only a test that stops, kills or restarts it needs one of its own.
#[derive(Debug)]
pub struct TestPostgres {
    server: Mutex<PostgresServer>,
    /// The password of the roles that the harness makes.
    password: String,
    /// The name of the database with all migrations, from which others are copied.
    template: OnceCell<String>,
    /// Whether the owner's role exists.
    owner: OnceCell<()>,
}

impl TestPostgres {
    /// Starts one.
    ///
    /// # Panics
    /// If it does not start.
    pub async fn start() -> Arc<TestPostgres> {
        blocking(|| Arc::new(TestPostgres::start_blocking(Durability::ForTests, None))).await
    }

    /// Starts one that flushes what it commits, as a council's does: for what is measured.
    ///
    /// # Panics
    /// If it does not start.
    pub async fn durable() -> Arc<TestPostgres> {
        blocking(|| Arc::new(TestPostgres::start_blocking(Durability::Full, None))).await
    }

    /// The same, with its data in this folder.
    ///
    /// # Panics
    /// If it does not start.
    pub async fn durable_in(folder: &Path) -> Arc<TestPostgres> {
        let folder = folder.join("postgres-server");
        blocking(move || Arc::new(TestPostgres::start_blocking(Durability::Full, Some(&folder)))).await
    }

    fn start_blocking(durability: Durability, folder: Option<&Path>) -> TestPostgres {
        let data = || folder.map_or_else(DataDir::temporary, DataDir::open);
        let start = || PostgresServer::start(Arc::new(data()?), durability);
        let server = start().unwrap_or_else(|error| panic!("no PostgreSQL for the tests: {error}"));
        let password = Uuid::new_v4().simple().to_string();
        TestPostgres {
            server: Mutex::new(server),
            password,
            template: OnceCell::new(),
            owner: OnceCell::new(),
        }
    }

    /// A fresh database with all migrations.
    ///
    /// # Panics
    /// If it cannot be made.
    pub async fn database(self: &Arc<Self>) -> TestDatabase {
        let template = self.template.get_or_init(|| self.make_template()).await;
        self.create(&format!("TEMPLATE {template}")).await
    }

    /// A fresh database without any migration.
    ///
    /// # Panics
    /// If it cannot be made.
    pub async fn database_bare(self: &Arc<Self>) -> TestDatabase {
        self.create("").await
    }

    /// The port on 127.0.0.1, the same after a restart.
    pub fn port(&self) -> u16 {
        self.lock().port()
    }

    /// What the server has logged.
    pub fn log(&self) -> String {
        self.lock().output()
    }

    /// Whether the server runs: it may have ended by itself.
    ///
    /// # Panics
    /// If the system does not say.
    pub fn is_running(&self) -> bool {
        self.lock().is_running().expect("the system says whether a server runs")
    }

    /// Stops the server in good order.
    ///
    /// # Panics
    /// If it does not stop.
    pub async fn stop(self: &Arc<Self>) {
        self.on_server(PostgresServer::stop).await;
    }

    /// Kills the server.
    ///
    /// # Panics
    /// If it cannot be killed.
    pub async fn kill(self: &Arc<Self>) {
        self.on_server(PostgresServer::kill).await;
    }

    /// Starts the server again after it was stopped or killed, on the same port.
    ///
    /// # Panics
    /// If it does not start.
    pub async fn start_again(self: &Arc<Self>) {
        self.on_server(PostgresServer::start_again).await;
    }

    async fn on_server(
        self: &Arc<Self>,
        action: impl FnOnce(&mut PostgresServer) -> Result<(), ServerError> + Send + 'static,
    ) {
        let postgres = Arc::clone(self);
        blocking(move || action(&mut postgres.lock()).unwrap_or_else(|error| panic!("PostgreSQL: {error}"))).await;
    }

    fn lock(&self) -> MutexGuard<'_, PostgresServer> {
        self.server.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn create(self: &Arc<Self>, template: &str) -> TestDatabase {
        self.owner.get_or_init(|| self.make_owner()).await;
        let name = format!("test_{}", Uuid::new_v4().simple());
        self.as_superuser(&format!("CREATE DATABASE {name} OWNER {OWNER} {template}"))
            .await;
        TestDatabase {
            name,
            postgres: Arc::clone(self),
            dropped_with_us: true,
        }
    }

    async fn make_owner(&self) {
        let password = &self.password;
        self.as_superuser(&format!("CREATE ROLE {OWNER} LOGIN CREATEROLE PASSWORD '{password}'"))
            .await;
    }

    async fn make_template(self: &Arc<Self>) -> String {
        let mut template = self.create("").await;
        // The server takes it with it.
        template.dropped_with_us = false;
        let pool = template.owner().await;
        migrate(&pool).await;
        // Nobody may be connected to a database that is copied.
        pool.close().await;
        template.name.clone()
    }

    async fn as_superuser(&self, statement: &str) {
        let url = self.lock().superuser_url("postgres");
        execute(&url, statement)
            .await
            .unwrap_or_else(|error| panic!("{statement}: {error}"));
    }
}

/// Runs the migrations in the order in which the crates rely on one another.
///
/// The cut-over lies far back: whatever happens in a test may send a notice.
async fn migrate(pool: &PgPool) {
    vault::migrate(pool).await.expect("the vault's migrations run");
    event_store::migrate(pool)
        .await
        .expect("the event store's migrations run");
    projections::migrate(pool)
        .await
        .expect("the projections' migrations run");
    notifier::migrate(pool, OffsetDateTime::UNIX_EPOCH)
        .await
        .expect("the notifier's migrations run");
}

/// A database of one test. It is dropped with the value, connections and all, as far as that works.
#[derive(Debug)]
pub struct TestDatabase {
    name: String,
    postgres: Arc<TestPostgres>,
    dropped_with_us: bool,
}

impl TestDatabase {
    /// The database's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The server it is on.
    pub fn postgres(&self) -> &Arc<TestPostgres> {
        &self.postgres
    }

    /// A URL for the role that owns the database.
    pub fn owner_url(&self) -> String {
        self.url(OWNER)
    }

    /// A URL for the superuser in this database.
    pub fn superuser_url(&self) -> String {
        self.postgres.lock().superuser_url(&self.name)
    }

    /// A URL for a login that has the rights of the group `role` and nothing else. The login is made here, once a
    /// server.
    ///
    /// # Panics
    /// If there is no such role.
    pub async fn role_url(&self, role: &str) -> String {
        let login = format!("test_{role}");
        let password = &self.postgres.password;
        let make = format!(
            "DO $$ BEGIN CREATE ROLE {login} LOGIN PASSWORD '{password}' IN ROLE {role}; \
             EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$"
        );
        self.postgres.as_superuser(&make).await;
        self.url(&login)
    }

    /// A pool for the role that owns the database.
    ///
    /// # Panics
    /// If it cannot connect.
    pub async fn owner(&self) -> PgPool {
        pool(&self.owner_url()).await
    }

    /// A pool for the superuser, for what no service may do.
    ///
    /// # Panics
    /// If it cannot connect.
    pub async fn superuser(&self) -> PgPool {
        pool(&self.superuser_url()).await
    }

    /// A pool for a login that has the rights of the group `role` and nothing else.
    ///
    /// # Panics
    /// If there is no such role, or it cannot connect.
    pub async fn as_role(&self, role: &str) -> PgPool {
        pool(&self.role_url(role).await).await
    }

    fn url(&self, login: &str) -> String {
        let (password, port, name) = (&self.postgres.password, self.postgres.port(), &self.name);
        format!("postgres://{login}:{password}@127.0.0.1:{port}/{name}")
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        if !self.dropped_with_us {
            return;
        }
        let url = self.postgres.lock().superuser_url("postgres");
        let statement = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        // The test's runtime is ending; nobody waits for this one. The server's end is the database's too.
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.map(|runtime| runtime.block_on(execute(&url, &statement)))
        });
    }
}

async fn execute(url: &str, statement: &str) -> Result<(), sqlx::Error> {
    let options = PgConnectOptions::from_str(url)?.disable_statement_logging();
    let mut connection = PgConnection::connect_with(&options).await?;
    sqlx::raw_sql(statement).execute(&mut connection).await?;
    connection.close().await
}

async fn pool(url: &str) -> PgPool {
    let options = PgPoolOptions::new().max_connections(POOL_SIZE).acquire_timeout(ACQUIRE);
    options
        .connect(url)
        .await
        .unwrap_or_else(|error| panic!("cannot connect to the test's database: {error}"))
}

async fn blocking<T: Send + 'static>(action: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(action).await.expect("the action panicked")
}
