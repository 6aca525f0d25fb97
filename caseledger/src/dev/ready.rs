//! What others need to use the running system: the ready file, and a file of settings for a shell.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use bus::clients::ClientRegister;
use serde::Serialize;

use super::absolute;
use super::home::Home;
use super::platform::Platform;
use crate::audit::{KEY_SETTING, TILES_SETTING};
use crate::outcome::Failure;
use crate::passwords;
use crate::servers::{DataDir, write_private};
use crate::settings::{NATS_CA_SETTING, STORE_SETTING, environment};

/// The ready file, as the contract has it.
#[derive(Serialize)]
pub struct Ready {
    database_url: String,
    superuser_url: String,
    nats_url: String,
    /// Where health, readiness and metrics are told, where `--http` asked for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    http_url: Option<String>,
    clients: BTreeMap<String, Login>,
    mail_dir: PathBuf,
    log_dir: PathBuf,
    env: BTreeMap<&'static str, String>,
}

#[derive(Serialize)]
struct Login {
    user: String,
    password: String,
    /// Of the contractor: the private key that opens what its feed brings, base64.
    #[serde(skip_serializing_if = "Option::is_none")]
    feed_key: Option<String>,
}

impl Ready {
    /// What there is to tell.
    pub fn of(data: &DataDir, home: &Home, platform: &Platform, http: Option<SocketAddr>) -> Result<Self, Failure> {
        let register = ClientRegister::load(&home.clients_file).map_err(Failure::usage)?;
        let mut clients = BTreeMap::new();
        for client in register.iter() {
            // Of one that was let in elsewhere this machine has no password.
            if let Ok(password) = passwords::of_client(&home.client_passwords_file, &client.name) {
                let user = client.name.to_string();
                // Of a contractor that was let in elsewhere this machine has no key.
                let own = home.contractor_key().ok();
                let feed_key =
                    own.filter(|own| client.feed_key.is_some() && vault::feed_key_of(own) == client.feed_key);
                clients.insert(
                    user.clone(),
                    Login {
                        user,
                        password: password.reveal().to_owned(),
                        feed_key,
                    },
                );
            }
        }
        let path = |path: &Path| path.display().to_string();
        let mut env = BTreeMap::from([
            ("CASELEDGER_DATABASE_URL", platform.owner_url.clone()),
            ("CASELEDGER_NATS_URL", platform.nats_url.clone()),
            ("CASELEDGER_NATS_USERS_FILE", path(&home.nats_users_file)),
            ("CASELEDGER_ACCOUNTS_FILE", path(&platform.accounts_file)),
            ("CASELEDGER_CLIENTS_FILE", path(&home.clients_file)),
            ("CASELEDGER_CLIENT_PASSWORDS_FILE", path(&home.client_passwords_file)),
            ("CASELEDGER_OFFICERS_FILE", path(&home.officers_file)),
            ("CASELEDGER_KEY_FILE", path(&home.key_file)),
            ("CASELEDGER_MAIL_DIR", path(&home.mail_dir)),
            (KEY_SETTING, path(&home.audit_key_file)),
            (TILES_SETTING, path(&home.audit_tiles)),
            (STORE_SETTING, home.attachments_store.clone()),
        ]);
        // Of a NATS that the environment names: without it, nobody who reads this file would be let in there.
        env.extend(environment(NATS_CA_SETTING).map(|file| (NATS_CA_SETTING, file)));
        Ok(Self {
            database_url: platform.owner_url.clone(),
            superuser_url: platform.superuser_url.clone(),
            nats_url: platform.nats_url.clone(),
            http_url: http.map(|address| format!("http://{address}")),
            clients,
            mail_dir: home.mail_dir.clone(),
            log_dir: data.log_dir(),
            env,
        })
    }

    /// Writes the ready file, whole or not at all, for its owner only: it holds passwords.
    pub fn write(&self, file: &Path) -> Result<(), Failure> {
        let text = serde_json::to_string_pretty(self).map_err(Failure::down)?;
        write_private(&absolute(file.to_owned()), &(text + "\n")).map_err(Failure::down)
    }

    /// Writes the settings as a file for a shell to read, with the command itself on the path.
    pub fn write_env_file(&self, data: &DataDir) -> Result<PathBuf, Failure> {
        let file = data.path().join("env");
        let mut text = String::from("# The settings of this data directory, for a shell: . this-file\n");
        for (name, value) in &self.env {
            text.push_str(&format!("export {name}={}\n", quoted(value)));
        }
        if let Some(folder) = std::env::current_exe().ok().as_deref().and_then(Path::parent) {
            text.push_str(&format!(
                "export PATH={}:\"$PATH\"\n",
                quoted(&folder.display().to_string())
            ));
        }
        write_private(&file, &text).map_err(Failure::down)?;
        Ok(file)
    }
}

/// A word of a shell, whatever is in it.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_reads_back_what_was_quoted() {
        for text in ["/a b/c", "it's", "$HOME `x` \"y\""] {
            let echoed = std::process::Command::new("sh")
                .arg("-c")
                .arg(format!("printf %s {}", quoted(text)))
                .output()
                .unwrap();
            assert_eq!(String::from_utf8(echoed.stdout).unwrap(), text);
        }
    }
}
