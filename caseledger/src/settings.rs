//! Settings from the environment, read once; every fault is listed, not only the first.

use std::path::PathBuf;

use bus::NatsAddress;

use crate::cli::Service;

/// Where a setting comes from: the environment, or a test's map.
pub type Source<'s> = &'s dyn Fn(&str) -> Option<String>;

/// The process's environment. An empty variable counts as not set.
pub fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Where the files of cases are kept: a folder, or `s3://bucket/prefix`. Without it, none are.
pub const STORE_SETTING: &str = "CASELEDGER_ATTACHMENTS_STORE";

/// What says which boundaries the council's area has. Without it, no place is looked up.
pub const BOUNDARIES_SETTING: &str = "CASELEDGER_BOUNDARIES_FILE";

/// Authorities whose certificates are taken for NATS beside those that this machine trusts.
pub const NATS_CA_SETTING: &str = "CASELEDGER_NATS_CA_FILE";

/// NATS at this URL, with the authorities that the environment names.
#[must_use]
pub fn nats_at(url: &str) -> NatsAddress {
    NatsAddress::new(url).trusting(environment(NATS_CA_SETTING).map(PathBuf::from))
}

/// Settings that are missing or wrong.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("settings are missing or wrong:\n{}", .0.join("\n"))]
pub struct SettingsError(pub Vec<String>);

/// How notices leave.
#[derive(Clone, PartialEq, Eq)]
pub enum MailSetting {
    /// Each as an `.eml` file in this folder.
    Folder(PathBuf),
    /// Through an SMTP server.
    Smtp {
        /// `smtp://` or `smtps://`.
        url: String,
        /// `CASELEDGER_SMTP_CA_FILE`: authorities whose certificates are taken beside those that this machine trusts.
        ca_file: Option<PathBuf>,
    },
}

/// What each service needs beside the database and the bus.
#[derive(Clone, PartialEq, Eq)]
pub enum ServiceFiles {
    /// The command-service.
    CommandService {
        /// `CASELEDGER_KEY_FILE`: the key-encryption key.
        key_file: PathBuf,
        /// `CASELEDGER_CLIENTS_FILE`: the client register.
        clients_file: PathBuf,
        /// `CASELEDGER_OFFICERS_FILE`: the officer register.
        officers_file: PathBuf,
        /// `CASELEDGER_BANK_HOLIDAYS_FILE`: the bank holidays; the built-in ones where it is not set.
        holidays_file: Option<PathBuf>,
        /// `CASELEDGER_CLOCKS_FILE`: what the clocks are set to; the built-in ones where it is not set.
        clocks_file: Option<PathBuf>,
        /// `CASELEDGER_ATTACHMENTS_STORE`: where the files of cases are kept; none are where it is not set.
        attachments_store: Option<String>,
        /// `CASELEDGER_BOUNDARIES_FILE`: which boundaries the council's area has; no place is looked up where it is not set.
        boundaries_file: Option<PathBuf>,
    },
    /// The relay.
    Relay,
    /// The read models.
    Projections,
    /// The notifier.
    Notifier {
        /// `CASELEDGER_KEY_FILE`.
        key_file: PathBuf,
        /// `CASELEDGER_CLIENT_PASSWORDS_FILE`: it records deliveries as a client of the bus.
        client_passwords_file: PathBuf,
        /// `CASELEDGER_SMTP_URL` or `CASELEDGER_MAIL_DIR`.
        mail: MailSetting,
        /// `CASELEDGER_MAIL_FROM`: the sender of notices.
        mail_from: String,
    },
}

/// What a service needs to run.
#[derive(Clone, PartialEq, Eq)]
pub struct ServiceSettings {
    /// `CASELEDGER_DATABASE_URL`: the service's own login.
    pub database_url: String,
    /// `CASELEDGER_NATS_URL`, without user, and `CASELEDGER_NATS_CA_FILE`.
    pub nats: NatsAddress,
    /// `CASELEDGER_NATS_USERS_FILE`: TOML, `<user> = "<password>"` for the services' users that it speaks as.
    pub nats_users_file: PathBuf,
    /// `CASELEDGER_CATALOGUE_DIR`: the catalogue's files; the built-in ones where it is not set.
    pub catalogue_dir: Option<PathBuf>,
    /// What only this service needs.
    pub files: ServiceFiles,
}

/// Prints no password.
impl std::fmt::Debug for ServiceSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ServiceSettings")
            .field("nats_url", &self.nats.url())
            .finish_non_exhaustive()
    }
}

/// Collects faults while settings are read.
pub struct Reader<'s> {
    source: Source<'s>,
    faults: Vec<String>,
}

impl<'s> Reader<'s> {
    /// Reads from this source.
    pub fn new(source: Source<'s>) -> Self {
        Self {
            source,
            faults: Vec::new(),
        }
    }

    /// A setting that must be there.
    pub fn required(&mut self, name: &str, what: &str) -> String {
        (self.source)(name).unwrap_or_else(|| {
            self.fault(format!("{name} is not set: {what}"));
            String::new()
        })
    }

    /// A file that must be named.
    pub fn file(&mut self, name: &str, what: &str) -> PathBuf {
        self.required(name, what).into()
    }

    /// A setting that may be there.
    pub fn optional(&self, name: &str) -> Option<String> {
        (self.source)(name)
    }

    /// A fault found by the caller.
    pub fn fault(&mut self, sentence: impl Into<String>) {
        self.faults.push(sentence.into());
    }

    /// The settings, unless there were faults.
    ///
    /// # Errors
    /// All faults.
    pub fn finish<T>(self, settings: T) -> Result<T, SettingsError> {
        if self.faults.is_empty() {
            Ok(settings)
        } else {
            Err(SettingsError(self.faults))
        }
    }

    /// Where NATS is, and whom to take for it.
    pub fn nats(&mut self) -> NatsAddress {
        let url = self.required("CASELEDGER_NATS_URL", "where NATS is");
        NatsAddress::new(url).trusting(self.optional(NATS_CA_SETTING).map(PathBuf::from))
    }

    fn mail(&mut self) -> MailSetting {
        match (
            self.optional("CASELEDGER_SMTP_URL"),
            self.optional("CASELEDGER_MAIL_DIR"),
        ) {
            (Some(url), None) if url.starts_with("smtp://") || url.starts_with("smtps://") => {
                return MailSetting::Smtp {
                    url,
                    ca_file: self.optional("CASELEDGER_SMTP_CA_FILE").map(PathBuf::from),
                };
            }
            (None, Some(folder)) => return MailSetting::Folder(folder.into()),
            (Some(_), None) => self.fault("CASELEDGER_SMTP_URL must begin with smtp:// or smtps://"),
            _ => self.fault("exactly one of CASELEDGER_SMTP_URL and CASELEDGER_MAIL_DIR must be set"),
        }
        MailSetting::Folder(PathBuf::new())
    }

    fn service_files(&mut self, service: Service) -> ServiceFiles {
        const KEY: (&str, &str) = ("CASELEDGER_KEY_FILE", "the key-encryption key");
        match service {
            Service::CommandService => ServiceFiles::CommandService {
                key_file: self.file(KEY.0, KEY.1),
                clients_file: self.file("CASELEDGER_CLIENTS_FILE", "the client register"),
                officers_file: self.file("CASELEDGER_OFFICERS_FILE", "the officer register"),
                holidays_file: self.optional("CASELEDGER_BANK_HOLIDAYS_FILE").map(PathBuf::from),
                clocks_file: self.optional("CASELEDGER_CLOCKS_FILE").map(PathBuf::from),
                attachments_store: self.optional(STORE_SETTING),
                boundaries_file: self.optional(BOUNDARIES_SETTING).map(PathBuf::from),
            },
            Service::Relay => ServiceFiles::Relay,
            Service::Projections => ServiceFiles::Projections,
            Service::Notifier => ServiceFiles::Notifier {
                key_file: self.file(KEY.0, KEY.1),
                client_passwords_file: self.file(CLIENT_PASSWORDS.0, CLIENT_PASSWORDS.1),
                mail: self.mail(),
                mail_from: self
                    .optional("CASELEDGER_MAIL_FROM")
                    .unwrap_or_else(|| DEFAULT_MAIL_FROM.to_owned()),
            },
        }
    }
}

/// Whom notices come from where nobody says.
pub const DEFAULT_MAIL_FROM: &str = "Caseledger <no-reply@caseledger.localhost>";

/// Where clients' passwords are.
pub const CLIENT_PASSWORDS: (&str, &str) = (
    "CASELEDGER_CLIENT_PASSWORDS_FILE",
    "the file with the passwords of the clients that this machine may speak as",
);

impl ServiceSettings {
    /// Reads what a service needs.
    ///
    /// # Errors
    /// Every setting that is missing or wrong.
    pub fn read(source: Source<'_>, service: Service) -> Result<Self, SettingsError> {
        let mut reader = Reader::new(source);
        let settings = Self {
            database_url: reader.required("CASELEDGER_DATABASE_URL", "the Postgres login of this service"),
            nats: reader.nats(),
            nats_users_file: reader.file(
                "CASELEDGER_NATS_USERS_FILE",
                "the passwords of the services' NATS users",
            ),
            catalogue_dir: reader.optional("CASELEDGER_CATALOGUE_DIR").map(PathBuf::from),
            files: reader.service_files(service),
        };
        reader.finish(settings)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_is_listed() {
        let faults = |service| ServiceSettings::read(&|_| None, service).unwrap_err().0;
        assert_eq!(faults(Service::Relay).len(), 3);
        assert_eq!(faults(Service::CommandService).len(), 6);
        assert_eq!(faults(Service::Notifier).len(), 6);
        let smtp = |name: &str| {
            Some(if name == "CASELEDGER_SMTP_URL" { "ftp://x" } else { "x" }.to_owned())
                .filter(|_| name != "CASELEDGER_MAIL_DIR")
        };
        let SettingsError(faults) = ServiceSettings::read(&smtp, Service::Notifier).unwrap_err();
        assert_eq!(faults, ["CASELEDGER_SMTP_URL must begin with smtp:// or smtps://"]);
    }

    #[test]
    fn settings_print_no_password() {
        let source = |name: &str| {
            Some("smtp://secret".to_owned()).filter(|_| name != "CASELEDGER_NATS_URL" && name != "CASELEDGER_MAIL_DIR")
        };
        let nats =
            |name: &str| source(name).or_else(|| (name == "CASELEDGER_NATS_URL").then(|| "nats://here".to_owned()));
        assert!(!format!("{:?}", ServiceSettings::read(&nats, Service::Notifier).unwrap()).contains("secret"));
    }
}
