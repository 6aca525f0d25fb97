//! Files of passwords: TOML, `<name> = "<password>"`, one for the services' NATS users and one for clients.

use std::collections::BTreeMap;
use std::path::Path;

use bus::{Password, ServicePasswords, ServiceUser};
use schemas::ClientName;

use crate::outcome::Failure;

/// Reads the passwords of the services' NATS users.
///
/// # Errors
/// [`Failure::Usage`]: the file can't be read, or names a user that there is not.
pub fn of_services(path: &Path) -> Result<ServicePasswords, Failure> {
    let user = |(name, password): (String, Password)| {
        let user = ServiceUser::ALL.into_iter().find(|user| user.as_str() == name);
        let unknown = || {
            Failure::Usage(format!(
                "{}: there is no NATS user {name} of the services",
                path.display()
            ))
        };
        user.map(|user| (user, password)).ok_or_else(unknown)
    };
    read(path)?.into_iter().map(user).collect()
}

/// Reads the password of a client.
///
/// # Errors
/// [`Failure::Usage`]: the file can't be read, or has no password for it.
pub fn of_client(path: &Path, client: &ClientName) -> Result<Password, Failure> {
    let missing = || Failure::Usage(format!("{} has no password for the client {client}", path.display()));
    read(path)?.remove(client.as_str()).ok_or_else(missing)
}

/// The text of a file of passwords.
#[must_use]
pub fn text<'p>(passwords: impl IntoIterator<Item = (&'p str, &'p Password)>) -> String {
    passwords
        .into_iter()
        .map(|(name, password)| format!("{name} = \"{}\"\n", password.reveal()))
        .collect()
}

fn read(path: &Path) -> Result<BTreeMap<String, Password>, Failure> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| Failure::Usage(format!("{} can't be read: {error}", path.display())))?;
    // What a parser says of a line would quote the password in it.
    let passwords: BTreeMap<String, String> = toml::from_str(&text).map_err(|_| {
        Failure::Usage(format!(
            "{} is not of the form name = \"password\", a line each",
            path.display()
        ))
    })?;
    Ok(passwords
        .into_iter()
        .map(|(name, password)| (name, Password::new(password)))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_can_be_read_and_a_broken_file_is_not_quoted() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("passwords.toml");
        std::fs::write(&path, text([("website", &Password::new("hush"))])).unwrap();
        assert_eq!(
            of_client(&path, &ClientName::new("website").unwrap()).unwrap().reveal(),
            "hush"
        );
        assert!(of_services(&path).unwrap_err().to_string().contains("website"));
        std::fs::write(&path, "website = hush").unwrap();
        assert!(
            !of_client(&path, &ClientName::new("website").unwrap())
                .unwrap_err()
                .to_string()
                .contains("hush")
        );
    }
}
