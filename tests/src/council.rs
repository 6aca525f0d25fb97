//! A council in one test: a database, a bus with its clients, and the services as real processes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_nats::ConnectOptions;
use bus::clients::{self, ClientRegister};
use bus::{BusClient, Outgoing, Password, ServicePasswords, ServiceUser, Steward, accounts};
use caseledger::servers::NatsConfig;
use schemas::result::{Accepted, CommandResult};
use schemas::{AggregateId, ClientName, CommandId};
use serde_json::Value;
use sqlx::PgPool;
use tempfile::TempDir;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::{NatsCluster, Process, TestDatabase, TestNats, eventually};

mod data;
mod look;
mod members;

use members::{first_clients, logins};

pub use data::{accepted, example, obstruction, rejected};

/// How long anything in a whole system may take on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// The bank holidays of a test's council, as the file has them that it can bring up to date.
pub const BANK_HOLIDAYS: &str = include_str!("../../catalogue/calendar/bank-holidays.json");
const OFFICERS: &str = include_str!("../../caseledger/demo/officers.toml");

/// The services of a council, in the order in which `serve` names them.
pub const SERVICES: [&str; 4] = ["command-service", "relay", "projections", "notifier"];

/// What the bus of a council runs on.
enum Servers<'a> {
    One,
    /// With its data in this folder.
    OneIn(&'a Path),
    Three,
}

/// A council: everything but its services, which [`serve`](Self::serve) starts.
pub struct Council {
    /// Its database.
    pub database: TestDatabase,
    /// Its bus; of a cluster the first server.
    pub nats: TestNats,
    /// The cluster that its bus is, where it is one.
    pub cluster: Option<NatsCluster>,
    /// Its clients.
    pub register: ClientRegister,
    /// The passwords of the services' NATS users.
    pub service_passwords: ServicePasswords,
    passwords: BTreeMap<String, Password>,
    contractor_key: String,
    logins: BTreeMap<&'static str, String>,
    folder: TempDir,
    nats_url: Option<String>,
    catalogue: Option<PathBuf>,
    boundaries: Option<PathBuf>,
    serial: AtomicU64,
}

impl Council {
    /// Sets a council up on the shared PostgreSQL.
    ///
    /// # Panics
    /// If one of its parts does not start.
    pub async fn new() -> Council {
        Council::on(crate::database().await).await
    }

    /// Sets a council up in this database, which has all migrations.
    ///
    /// # Panics
    /// If one of its parts does not start.
    pub async fn on(database: TestDatabase) -> Council {
        Council::set_up(database, Servers::One).await
    }

    /// Sets a council up whose bus has its data in this folder.
    ///
    /// # Panics
    /// If one of its parts does not start.
    pub async fn with_bus_in(database: TestDatabase, folder: &Path) -> Council {
        Council::set_up(database, Servers::OneIn(folder)).await
    }

    /// Sets a council up whose bus is a cluster of three, each stream on all of them.
    ///
    /// # Panics
    /// If one of its parts does not start.
    pub async fn with_cluster(database: TestDatabase) -> Council {
        Council::set_up(database, Servers::Three).await
    }

    async fn set_up(database: TestDatabase, servers: Servers<'_>) -> Council {
        let mut register = String::new();
        let mut passwords = BTreeMap::new();
        let (feed_key, contractor_key) = vault::feed_key_pair(&mut vault::fresh_rng());
        for (name, rights) in first_clients(feed_key) {
            let password = Password::new(format!("{name}-{}", Uuid::new_v4()));
            register = clients::add(&register, &ClientName::new(name).unwrap(), &password, &rights)
                .unwrap()
                .text;
            passwords.insert(name.to_owned(), password);
        }
        let service_passwords: ServicePasswords = ServiceUser::ALL
            .into_iter()
            .map(|user| (user, Password::new(Uuid::new_v4().to_string())))
            .collect();
        let parsed = ClientRegister::parse(&register).unwrap();
        let conf = accounts::render(&parsed, &service_passwords).unwrap();
        let conf = NatsConfig::new(conf);
        let (nats, cluster) = match servers {
            Servers::One => (crate::nats(conf).await, None),
            Servers::OneIn(folder) => (crate::nats_in(folder, conf).await, None),
            Servers::Three => {
                let cluster = NatsCluster::start(&conf).await;
                (cluster.first().clone(), Some(cluster))
            }
        };
        let folder = tempfile::tempdir().unwrap();
        let council = Council {
            logins: logins(&database).await,
            database,
            nats,
            cluster,
            register: parsed,
            service_passwords,
            passwords,
            contractor_key: contractor_key.to_string(),
            folder,
            nats_url: None,
            catalogue: None,
            boundaries: None,
            serial: AtomicU64::new(0),
        };
        council.write_files(&register);
        council.make_streams().await;
        council
    }

    /// Lets processes that are started from now on, and clients that connect, reach NATS there: through a proxy.
    pub fn reach_nats_at(&mut self, url: String) {
        self.nats_url = Some(url);
    }

    /// Gives processes that are started from now on a catalogue of the council's own: the built-in one and this service more.
    ///
    /// # Panics
    /// If it can't be written.
    pub fn add_service(&mut self, name: &str, file: &str) {
        let folder = self.path("catalogue");
        for built_in in catalogue::files::built_in() {
            let path = folder.join(built_in.path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, built_in.text).unwrap();
        }
        std::fs::write(folder.join(format!("services/{name}.toml")), file).unwrap();
        self.catalogue = Some(folder);
    }

    /// Gives processes that are started from now on the boundaries of Ansterbrook, a town that does not exist.
    pub fn has_boundaries(&mut self) {
        self.boundaries = Some(repository().join("places/sample/boundaries.toml"));
    }

    /// Lets processes that are started from now on reach PostgreSQL through a proxy.
    pub fn reach_postgres_through(&mut self, proxy: &crate::Proxy) {
        for url in self.logins.values_mut() {
            *url = proxy.url(url);
        }
    }

    fn write_files(&self, register: &str) {
        std::fs::write(self.path("clients.toml"), register).unwrap();
        std::fs::write(self.path("officers.toml"), OFFICERS).unwrap();
        std::fs::write(self.path("bank-holidays.json"), BANK_HOLIDAYS).unwrap();
        let users: String = self
            .service_passwords
            .iter()
            .map(|(user, password)| format!("{user} = \"{}\"\n", password.reveal()))
            .collect();
        std::fs::write(self.path("nats-users.toml"), users).unwrap();
        let known: String = self
            .passwords
            .iter()
            .map(|(name, password)| format!("{name} = \"{}\"\n", password.reveal()))
            .collect();
        std::fs::write(self.path("client-passwords.toml"), known).unwrap();
        let key = vault::KeyEncryptionKey::generate(&mut vault::fresh_rng()).unwrap();
        key.write_new(&self.path("key")).unwrap();
        std::fs::create_dir(self.mail_dir()).unwrap();
    }

    /// Makes the streams and the clients' consumers: what `caseledger migrate` does.
    ///
    /// # Panics
    /// If that does not work.
    pub async fn make_streams(&self) {
        if self.cluster.is_some() {
            // The setting is an operator's: one stream on one server would hold up everybody while that is away.
            let migrated = self.run(&["migrate"], "").await;
            assert!(migrated.status.success(), "{migrated:?}");
            return;
        }
        let password = self.service_passwords.get(ServiceUser::Steward).unwrap();
        let steward = Steward::connect(&self.nats.url(), password).await.unwrap();
        steward.ensure_streams(1).await.unwrap();
        steward.ensure_consumers(&self.register).await.unwrap();
    }

    /// Starts one service as a process of its own.
    ///
    /// # Panics
    /// If it does not start.
    pub fn serve(&self, service: &str) -> Process {
        Process::start(&mut self.service(service))
    }

    /// Starts one service that ends by itself at a point, as if it had been killed there: `after-append:3` is at its third
    /// passing. Each point is named in `caseledger/src/services/fault.rs`.
    ///
    /// # Panics
    /// If it does not start.
    pub fn serve_until(&self, service: &str, point: &str) -> Process {
        Process::start(self.service(service).env("CASELEDGER_FAULT_KILL_AT", point))
    }

    /// The command that starts one service, for a test that adds to its surroundings.
    pub fn service(&self, service: &str) -> Command {
        let mut command = Command::new(caseledger());
        command
            .arg("serve")
            .arg(service)
            .envs(self.environment())
            .env("CASELEDGER_DATABASE_URL", &self.logins[service]);
        command
    }

    /// Starts all services, and waits until calls are answered.
    ///
    /// # Panics
    /// If they are not.
    pub async fn serve_all(&self) -> Vec<Process> {
        let services = SERVICES.map(|service| self.serve(service)).into();
        self.answering().await;
        services
    }

    /// Waits until a command-service answers.
    ///
    /// # Panics
    /// If none does.
    pub async fn answering(&self) {
        let website = self.client("website").await;
        eventually("the command-service answers", PATIENCE, || async {
            website.result(CommandId(Uuid::new_v4())).await.is_ok()
        })
        .await;
    }

    /// Runs the command with what an operator has, and this on its standard input.
    ///
    /// # Panics
    /// If it can't be run.
    pub async fn run(&self, arguments: &[&str], input: &str) -> Output {
        use std::io::Write;
        let mut command = Command::new(caseledger());
        command
            .args(arguments)
            .envs(self.environment())
            .env("CASELEDGER_DATABASE_URL", self.database.owner_url());
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .current_dir(self.folder.path());
        let input = input.to_owned();
        let run = move || {
            let mut child = command.spawn().unwrap();
            // A call that reads nothing may have closed it.
            let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
            child.wait_with_output().unwrap()
        };
        tokio::task::spawn_blocking(run).await.unwrap()
    }

    /// The command with an operator's settings, for a test that starts it itself.
    pub fn command(&self) -> Command {
        let mut command = Command::new(caseledger());
        command
            .envs(self.environment())
            .env("CASELEDGER_DATABASE_URL", self.database.owner_url())
            .current_dir(self.folder.path());
        command
    }

    fn environment(&self) -> BTreeMap<&'static str, String> {
        let path = |name: &str| self.path(name).display().to_string();
        let mut environment = BTreeMap::from([
            (
                "CASELEDGER_NATS_URL",
                self.nats_url.clone().unwrap_or_else(|| self.bus_url()),
            ),
            ("CASELEDGER_NATS_USERS_FILE", path("nats-users.toml")),
            ("CASELEDGER_KEY_FILE", path("key")),
            ("CASELEDGER_CLIENTS_FILE", path("clients.toml")),
            ("CASELEDGER_CLIENT_PASSWORDS_FILE", path("client-passwords.toml")),
            ("CASELEDGER_ACCOUNTS_FILE", path("accounts.conf")),
            ("CASELEDGER_OFFICERS_FILE", path("officers.toml")),
            ("CASELEDGER_BANK_HOLIDAYS_FILE", path("bank-holidays.json")),
            ("CASELEDGER_MAIL_DIR", self.mail_dir().display().to_string()),
            ("CASELEDGER_ATTACHMENTS_STORE", path("attachments")),
        ]);
        if self.cluster.is_some() {
            environment.insert("CASELEDGER_NATS_REPLICAS", "3".to_owned());
        }
        if let Some(boundaries) = &self.boundaries {
            environment.insert("CASELEDGER_BOUNDARIES_FILE", boundaries.display().to_string());
        }
        if let Some(catalogue) = &self.catalogue {
            environment.insert("CASELEDGER_CATALOGUE_DIR", catalogue.display().to_string());
        }
        environment
    }

    /// Where a service reaches the database, with a login of its own.
    pub fn database_url(&self, service: &str) -> &str {
        &self.logins[service]
    }

    /// A path in the council's own folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Where notices land.
    pub fn mail_dir(&self) -> PathBuf {
        self.path("mail")
    }

    /// The password of a client.
    ///
    /// # Panics
    /// If there is no such client.
    pub fn password(&self, client: &str) -> &Password {
        &self.passwords[client]
    }

    /// The private key that opens what the contractor's feed brings.
    pub fn contractor_key(&self) -> &str {
        &self.contractor_key
    }

    /// A connection as one of the clients.
    ///
    /// # Panics
    /// If it can't connect.
    pub async fn client(&self, name: &str) -> BusClient {
        let url = self.nats_url.clone().unwrap_or_else(|| self.bus_url());
        BusClient::connect(&url, &ClientName::new(name).unwrap(), self.password(name))
            .await
            .unwrap()
    }

    /// A bare connection as one of the clients, for what [`BusClient`] would not do.
    ///
    /// # Panics
    /// If it can't connect.
    pub async fn raw(&self, client: &str) -> async_nats::Client {
        let password = self.password(client).reveal().to_owned();
        let options = ConnectOptions::with_user_and_password(client.to_owned(), password);
        options.connect(self.nats.url()).await.unwrap()
    }

    /// A bare connection as who may look at every stream.
    ///
    /// # Panics
    /// If it can't connect.
    pub async fn steward(&self) -> async_nats::Client {
        self.bus_of(ServiceUser::Steward).await
    }

    /// A bare connection as a service.
    ///
    /// # Panics
    /// If it can't connect.
    pub async fn bus_of(&self, service: ServiceUser) -> async_nats::Client {
        let password = self.service_passwords.get(service).unwrap().reveal().to_owned();
        let options = ConnectOptions::with_user_and_password(service.to_string(), password);
        options
            .custom_inbox_prefix(service.inbox())
            .connect(self.bus_url().split(',').collect::<Vec<_>>())
            .await
            .unwrap()
    }

    /// Where NATS is, whatever proxy stands before it.
    fn bus_url(&self) -> String {
        let all = self.cluster.as_ref().map(NatsCluster::url);
        all.unwrap_or_else(|| self.nats.url())
    }

    /// The database, as its owner.
    ///
    /// # Panics
    /// If it can't connect.
    pub async fn owner(&self) -> PgPool {
        self.database.owner().await
    }

    /// A command with a new id, ready to be sent.
    pub fn command_of(&self, name: &str, subject: Option<AggregateId>, data: Value) -> Outgoing {
        // The number tells the commands of a test apart, in the order in which they were made.
        let number = self.serial.fetch_add(1, Ordering::Relaxed);
        Outgoing::new(
            CommandId(Uuid::from_u128(
                Uuid::new_v4().as_u128() & !0xffff | u128::from(number & 0xffff),
            )),
            name,
            subject,
            OffsetDateTime::now_utc().into(),
            data.to_string(),
        )
    }

    /// Calls a command, and returns its result once it is known.
    ///
    /// # Panics
    /// If the bus refuses it.
    pub async fn call(
        &self,
        client: &BusClient,
        name: &str,
        subject: Option<AggregateId>,
        data: Value,
    ) -> CommandResult {
        let command = self.command_of(name, subject, data);
        let result = tokio::time::timeout(PATIENCE, client.call_until_known(&command)).await;
        result.unwrap_or_else(|_| panic!("{name} was not answered")).unwrap()
    }

    /// Calls a command that must be accepted.
    ///
    /// # Panics
    /// If it is not.
    pub async fn accept(&self, client: &BusClient, name: &str, subject: Option<AggregateId>, data: Value) -> Accepted {
        accepted(self.call(client, name, subject, data).await)
    }
}

/// The repository's folder.
///
/// # Panics
/// Never: the package is in it.
pub fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// The command, built beside a test (`<target>/<profile>/deps/system-…`) or another program: `<target>/<profile>/caseledger`.
///
/// # Panics
/// If it is not built.
pub fn caseledger() -> PathBuf {
    let ours = std::env::current_exe().unwrap();
    let built = ours.ancestors().skip(1).take(2).map(|folder| folder.join("caseledger"));
    built.into_iter().find(|built| built.exists()).unwrap_or_else(|| {
        panic!(
            "there is no caseledger beside {}: run cargo build -p caseledger",
            ours.display()
        )
    })
}
