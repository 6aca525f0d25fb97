//! Changing the register's file without touching what else stands in it.

use std::path::Path;

use schemas::ClientName;
use schemas::feed::FeedKey;
use toml_edit::{Array, DocumentMut, Item, Table, value};

use super::{ClientFileError, ClientRegister};
use crate::users::Password;

/// A register that was changed.
#[derive(Clone, Debug)]
pub struct Edited {
    /// Its text, for the file.
    pub text: String,
    /// What it says now.
    pub register: ClientRegister,
}

/// The rights of a new client, as the register writes them.
#[derive(Clone, Debug, Default)]
pub struct Rights {
    /// `commands`.
    pub commands: Vec<String>,
    /// `services`.
    pub services: Vec<String>,
    /// `reads`; absent where it is empty, but for a contractor.
    pub reads: Vec<String>,
    /// `actors`.
    pub actors: Vec<String>,
    /// `teams`.
    pub teams: Vec<String>,
    /// `may_leave_decider_unrecorded`.
    pub may_leave_decider_unrecorded: bool,
    /// `feed_key`.
    pub feed_key: Option<FeedKey>,
}

/// Puts a client into the text of a register.
///
/// # Errors
/// [`ClientFileError::Exists`] and [`ClientFileError::Invalid`], which also names a right that does not exist.
pub fn add(text: &str, name: &ClientName, password: &Password, rights: &Rights) -> Result<Edited, ClientFileError> {
    let mut document = document(text)?;
    if document.contains_key(name.as_str()) {
        return Err(ClientFileError::Exists(name.clone()));
    }
    let mut table = Table::new();
    table.insert(
        "password",
        value(
            password
                .bcrypt()
                .map_err(|error| ClientFileError::Invalid(error.to_string()))?,
        ),
    );
    table.insert("commands", list(&rights.commands));
    table.insert("services", list(&rights.services));
    // A contractor reads its feed, and events only where that is said.
    if !rights.reads.is_empty() || rights.feed_key.is_some() {
        table.insert("reads", list(&rights.reads));
    }
    table.insert("actors", list(&rights.actors));
    table.insert("teams", list(&rights.teams));
    if rights.may_leave_decider_unrecorded {
        table.insert("may_leave_decider_unrecorded", value(true));
    }
    if let Some(key) = &rights.feed_key {
        table.insert("feed_key", value(key.to_string()));
    }
    if document.is_empty() {
        // Comments in a file without a client are what comes after its last: they stay at the top.
        table
            .decor_mut()
            .set_prefix(document.trailing().as_str().unwrap_or_default().to_owned());
        document.set_trailing("");
    }
    document.insert(name.as_str(), Item::Table(table));
    let text = document.to_string();
    Ok(Edited {
        register: ClientRegister::parse(&text)?,
        text,
    })
}

/// Takes a client out of the text of a register.
///
/// # Errors
/// [`ClientFileError::Unknown`] and [`ClientFileError::Invalid`].
pub fn revoke(text: &str, name: &ClientName) -> Result<Edited, ClientFileError> {
    let mut document = document(text)?;
    document
        .remove(name.as_str())
        .ok_or_else(|| ClientFileError::Unknown(name.clone()))?;
    let text = document.to_string();
    Ok(Edited {
        register: ClientRegister::parse(&text)?,
        text,
    })
}

impl ClientRegister {
    /// Writes the text of a register to a file that only its owner reads, whole or not at all.
    ///
    /// # Errors
    /// [`ClientFileError::File`].
    pub fn write(path: &Path, text: &str) -> Result<(), ClientFileError> {
        write_whole(path, text).map_err(|reason| ClientFileError::File {
            path: path.to_owned(),
            reason,
        })
    }
}

fn write_whole(path: &Path, text: &str) -> std::io::Result<()> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let new = path.with_extension("new");
    let mut file = std::fs::File::options()
        .create(true)
        .write(true)
        .truncate(true)
        .mode(0o600)
        .open(&new)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    std::fs::rename(new, path)
}

fn document(text: &str) -> Result<DocumentMut, ClientFileError> {
    text.parse()
        .map_err(|error: toml_edit::TomlError| ClientFileError::Invalid(error.to_string()))
}

fn list(names: &[String]) -> Item {
    value(names.iter().map(String::as_str).collect::<Array>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_comes_and_goes_and_comments_stay() {
        let name = ClientName::new("website").unwrap();
        let rights = Rights {
            commands: vec!["*".into()],
            services: vec!["waste".into()],
            actors: vec!["resident".into()],
            ..Rights::default()
        };
        let added = add("# ours\n", &name, &Password::new("hush"), &rights).unwrap();
        assert!(
            added.text.starts_with("# ours") && !added.text.contains("hush"),
            "{}",
            added.text
        );
        assert!(added.register.get(&name).unwrap().may_send("CancelRequest"));
        assert!(matches!(
            add(&added.text, &name, &Password::new("x"), &rights),
            Err(ClientFileError::Exists(_))
        ));

        let gone = revoke(&added.text, &name).unwrap();
        assert!(gone.register.get(&name).is_none());
        assert!(matches!(revoke(&gone.text, &name), Err(ClientFileError::Unknown(_))));

        let wrong = Rights {
            commands: vec!["MakeTea".into()],
            ..rights
        };
        assert!(
            add("", &name, &Password::new("x"), &wrong)
                .unwrap_err()
                .to_string()
                .contains("MakeTea")
        );
    }

    #[test]
    fn a_register_is_written_for_its_owner_only() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("clients.toml");
        ClientRegister::write(&path, "# none\n").unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(ClientRegister::load(&path).unwrap(), ClientRegister::default());
    }
}
