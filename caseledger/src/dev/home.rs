//! What `dev` keeps in its data directory beside the servers' data: keys, passwords and registers, each made once.

use std::path::PathBuf;

use bus::clients::{self, ClientRegister, Rights};
use bus::{Password, ServicePasswords, ServiceUser};
use schemas::ClientName;
use schemas::feed::FeedKey;
use vault::KeyEncryptionKey;

use super::platform::Platform;
use crate::audit::{TILES_SETTING, key_file};
use crate::cli::Service;
use crate::database;
use crate::outcome::Failure;
use crate::passwords;
use crate::servers::{DataDir, make_directory, write_private};
use crate::settings::{
    BOUNDARIES_SETTING, DEFAULT_MAIL_FROM, MailSetting, STORE_SETTING, ServiceFiles, ServiceSettings, environment,
    nats_at,
};

/// The officers of the demo council.
const OFFICERS: &str = include_str!("../../demo/officers.toml");

/// The origin of the log in its checkpoints.
const AUDIT_ORIGIN: &str = "caseledger.localhost/dev";

/// The files, and what is in them.
pub struct Home {
    /// The key-encryption key.
    pub key_file: PathBuf,
    /// The key that signs checkpoints of the log.
    pub audit_key_file: PathBuf,
    /// The last of them, and the tree's tiles.
    pub audit_tiles: PathBuf,
    /// The passwords of the services' NATS users.
    pub nats_users_file: PathBuf,
    /// The client register.
    pub clients_file: PathBuf,
    /// The clients' passwords.
    pub client_passwords_file: PathBuf,
    /// The private key of the contractor, which it would keep itself.
    pub contractor_key_file: PathBuf,
    /// The officer register.
    pub officers_file: PathBuf,
    /// Where the files of cases are kept.
    pub attachments_store: String,
    /// Where notices land.
    pub mail_dir: PathBuf,
    /// The passwords of the services' NATS users.
    pub service_passwords: ServicePasswords,
}

impl Home {
    /// Finds the files, and makes those that are missing.
    pub fn prepare(data: &DataDir) -> Result<Self, Failure> {
        let config = data.path().join("config");
        make_directory(&config, 0o700).map_err(Failure::down)?;
        let home = Self {
            key_file: config.join("key-encryption-key"),
            audit_key_file: config.join("audit-key"),
            audit_tiles: environment(TILES_SETTING).map_or_else(|| data.path().join("audit"), PathBuf::from),
            nats_users_file: config.join("nats-users.toml"),
            clients_file: config.join("clients.toml"),
            client_passwords_file: config.join("client-passwords.toml"),
            contractor_key_file: config.join(format!("{CONTRACTOR}.feed-key")),
            officers_file: config.join("officers.toml"),
            attachments_store: environment(STORE_SETTING)
                .unwrap_or_else(|| data.path().join("attachments").display().to_string()),
            mail_dir: data.path().join("mail"),
            service_passwords: service_passwords(data)?,
        };
        make_directory(&home.mail_dir, 0o700).map_err(Failure::down)?;
        if !home.key_file.exists() {
            let key = KeyEncryptionKey::generate(&mut vault::fresh_rng()).map_err(Failure::down)?;
            key.write_new(&home.key_file).map_err(Failure::down)?;
        }
        if !home.audit_key_file.exists() {
            let origin = AUDIT_ORIGIN.parse().map_err(Failure::down)?;
            key_file::make(&home.audit_key_file, origin).map_err(Failure::down)?;
        }
        if !home.contractor_key_file.exists() {
            let (_, private) = vault::feed_key_pair(&mut vault::fresh_rng());
            write_private(&home.contractor_key_file, &private).map_err(Failure::down)?;
        }
        let users = passwords::text(
            home.service_passwords
                .iter()
                .map(|(user, password)| (user.as_str(), password)),
        );
        write_private(&home.nats_users_file, &users).map_err(Failure::down)?;
        if !home.clients_file.exists() {
            home.make_clients(data)?;
        }
        if !home.officers_file.exists() {
            write_private(&home.officers_file, OFFICERS).map_err(Failure::down)?;
        }
        Ok(home)
    }

    /// The clients that a council would begin with. The passwords are written first: the register says that all is done.
    fn make_clients(&self, data: &DataDir) -> Result<(), Failure> {
        let mut register = String::from(
            "# Who may use the bus, and for what. `caseledger client add | revoke` change it; by hand is fine too: a running\n\
             # `caseledger dev` follows.\n\n",
        );
        let mut known = Vec::new();
        let feed_key = vault::feed_key_of(&self.contractor_key()?);
        let feed_key = feed_key.ok_or_else(|| {
            Failure::Usage(format!(
                "{} is no private key: remove it",
                self.contractor_key_file.display()
            ))
        })?;
        for (name, rights) in first_clients(feed_key) {
            let client = ClientName::new(name).map_err(Failure::down)?;
            let password = Password::new(data.secret(&format!("client-{name}")).map_err(Failure::down)?);
            register = clients::add(&register, &client, &password, &rights)
                .map_err(Failure::down)?
                .text;
            known.push((name, password));
        }
        let known = passwords::text(known.iter().map(|(name, password)| (*name, password)));
        write_private(&self.client_passwords_file, &known).map_err(Failure::down)?;
        ClientRegister::write(&self.clients_file, &register).map_err(Failure::down)
    }

    /// The contractor's private key, as base64.
    pub fn contractor_key(&self) -> Result<String, Failure> {
        let key = std::fs::read_to_string(&self.contractor_key_file).map_err(Failure::down)?;
        Ok(key.trim().to_owned())
    }

    /// Each service with its own login and its own settings.
    pub async fn services(
        &self,
        data: &DataDir,
        platform: &Platform,
    ) -> Result<Vec<(Service, ServiceSettings)>, Failure> {
        let owner = database::pool(&platform.owner_url, "caseledger dev", database::CONNECTIONS)?;
        let mut services = Vec::new();
        for (service, login) in [
            (Service::CommandService, database::COMMAND_SERVICE),
            (Service::Relay, database::RELAY),
            (Service::Projections, database::PROJECTIONS),
            (Service::Notifier, database::NOTIFIER),
        ] {
            let password = data
                .secret(&format!("postgres-{}", login.service))
                .map_err(Failure::down)?;
            let settings = ServiceSettings {
                database_url: database::service_url(&owner, &platform.owner_url, login, &password).await?,
                nats: nats_at(&platform.nats_url),
                nats_users_file: self.nats_users_file.clone(),
                catalogue_dir: None,
                files: self.files_of(service),
            };
            services.push((service, settings));
        }
        owner.close().await;
        Ok(services)
    }

    fn files_of(&self, service: Service) -> ServiceFiles {
        let key_file = self.key_file.clone();
        match service {
            Service::CommandService => ServiceFiles::CommandService {
                key_file,
                clients_file: self.clients_file.clone(),
                officers_file: self.officers_file.clone(),
                holidays_file: environment("CASELEDGER_BANK_HOLIDAYS_FILE").map(PathBuf::from),
                clocks_file: environment("CASELEDGER_CLOCKS_FILE").map(PathBuf::from),
                attachments_store: Some(self.attachments_store.clone()),
                boundaries_file: environment(BOUNDARIES_SETTING).map(PathBuf::from),
            },
            Service::Relay => ServiceFiles::Relay,
            Service::Projections => ServiceFiles::Projections,
            Service::Notifier => ServiceFiles::Notifier {
                key_file,
                client_passwords_file: self.client_passwords_file.clone(),
                mail: MailSetting::Folder(self.mail_dir.clone()),
                mail_from: DEFAULT_MAIL_FROM.to_owned(),
            },
        }
    }
}

fn service_passwords(data: &DataDir) -> Result<ServicePasswords, Failure> {
    let made = |user: ServiceUser| {
        let password = data.secret(&format!("nats-{user}")).map_err(Failure::down)?;
        Ok((user, Password::new(password)))
    };
    ServiceUser::ALL.into_iter().map(made).collect()
}

/// The contractor of the built-in catalogue, as a client.
pub const CONTRACTOR: &str = "street-partner";

/// The client in whose name the payment provider's notifications come.
pub const PAYMENTS: &str = "payments";

/// The clients of a first start. `import` alone may leave a decider unrecorded; what the contractor reads is sealed for this key.
#[must_use]
pub fn first_clients(feed_key: FeedKey) -> [(&'static str, Rights); 6] {
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let every = owned(&["*"]);
    let of_residents = owned(&[
        "RegisterCustomer",
        "UpdateContactDetails",
        "RecordConsent",
        "WithdrawConsent",
        "SubmitRequest",
        "UpdateRequest",
        "CancelRequest",
        "ReopenRequest",
        "ProvideInformation",
        "BookAppointment",
        "MoveAppointment",
        "CancelAppointment",
        "AddAttachment",
    ]);
    [
        (
            "website",
            Rights {
                commands: of_residents,
                services: every.clone(),
                actors: owned(&["resident", "representative"]),
                ..Rights::default()
            },
        ),
        (
            "contact-centre",
            Rights {
                commands: every.clone(),
                services: every.clone(),
                actors: owned(&["resident", "representative", "officer", "contractor"]),
                teams: every.clone(),
                ..Rights::default()
            },
        ),
        (
            "import",
            Rights {
                commands: owned(&["SubmitRequest", "CloseRequest", "CancelRequest"]),
                services: every.clone(),
                actors: owned(&["resident", "contractor", "system"]),
                may_leave_decider_unrecorded: true,
                ..Rights::default()
            },
        ),
        (
            CONTRACTOR,
            Rights {
                commands: owned(&[
                    "AcknowledgeJob",
                    "RejectJob",
                    "RecordJobProgress",
                    "ReportJobDone",
                    "ReportJobFailed",
                    "RecordAttendance",
                    "AddAttachment",
                    "RecordScheduledCollections",
                    "RecordRoundStatus",
                    "RecordCollectionException",
                ]),
                services: owned(&["waste", "highways", "environmental"]),
                actors: owned(&["contractor"]),
                feed_key: Some(feed_key),
                ..Rights::default()
            },
        ),
        (
            PAYMENTS,
            Rights {
                commands: owned(&["RecordPayment", "RecordPaymentFailure", "RecordRefund"]),
                services: every.clone(),
                actors: owned(&["system"]),
                ..Rights::default()
            },
        ),
        (
            crate::services::NOTIFIER_CLIENT,
            Rights {
                commands: owned(&["RecordNotification"]),
                services: every,
                actors: owned(&["system"]),
                ..Rights::default()
            },
        ),
    ]
}
