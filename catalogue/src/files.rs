//! Where a catalogue's files come from: this crate, or a directory.

use std::fs;
use std::io;
use std::path::Path;

/// One file of a catalogue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CatalogueFile {
    /// Its path inside the catalogue, such as `services/waste.toml`, with `/` on every system.
    pub path: String,
    /// What stands in it.
    pub text: String,
}

macro_rules! embedded {
    ($($path:literal),+ $(,)?) => {
        &[$(($path, include_str!(concat!("../", $path)))),+]
    };
}

const BUILT_IN: &[(&str, &str)] = embedded!(
    "council.toml",
    "contractors/street-partner.toml",
    "services/blue-badges.toml",
    "services/complaints.toml",
    "services/customer-services.toml",
    "services/environmental.toml",
    "services/highways.toml",
    "services/information-rights.toml",
    "services/pest-control.toml",
    "services/registrars.toml",
    "services/waste.toml",
    "notices/information_asked_for.subject.txt",
    "notices/information_asked_for.txt",
    "notices/information_asked_for.html",
    "notices/request_received.subject.txt",
    "notices/request_received.txt",
    "notices/request_received.html",
    "notices/request_updated.subject.txt",
    "notices/request_updated.txt",
    "notices/request_updated.html",
    "notices/request_closed.subject.txt",
    "notices/request_closed.txt",
    "notices/request_closed.html",
    "notices/request_cancelled.subject.txt",
    "notices/request_cancelled.txt",
    "notices/request_cancelled.html",
    "notices/request_reopened.subject.txt",
    "notices/request_reopened.txt",
    "notices/request_reopened.html",
    "notices/request_acknowledged.subject.txt",
    "notices/request_acknowledged.txt",
    "notices/request_acknowledged.html",
    "notices/time_extended.subject.txt",
    "notices/time_extended.txt",
    "notices/time_extended.html",
    "notices/remedy_agreed.subject.txt",
    "notices/remedy_agreed.txt",
    "notices/remedy_agreed.html",
    "notices/appointment_booked.subject.txt",
    "notices/appointment_booked.txt",
    "notices/appointment_booked.html",
    "notices/appointment_moved.subject.txt",
    "notices/appointment_moved.txt",
    "notices/appointment_moved.html",
    "notices/appointment_cancelled.subject.txt",
    "notices/appointment_cancelled.txt",
    "notices/appointment_cancelled.html",
    "notices/appointment_missed.subject.txt",
    "notices/appointment_missed.txt",
    "notices/appointment_missed.html",
    "notices/renewal_due.subject.txt",
    "notices/renewal_due.txt",
    "notices/renewal_due.html",
    "notices/entitlement_expired.subject.txt",
    "notices/entitlement_expired.txt",
    "notices/entitlement_expired.html",
    "notices/entry_corrected.subject.txt",
    "notices/entry_corrected.txt",
    "notices/entry_corrected.html",
);

/// The files of this crate.
#[must_use]
pub fn built_in() -> Vec<CatalogueFile> {
    BUILT_IN
        .iter()
        .map(|(path, text)| CatalogueFile {
            path: (*path).to_owned(),
            text: (*text).to_owned(),
        })
        .collect()
}

/// The files of a directory: `council.toml`, all of `contractors/` (where there is one), `services/` and `notices/`, each in the
/// order of their names. A file
/// elsewhere is not read; hidden files are not either.
///
/// # Errors
/// What the file system says; a file that is not UTF-8 is `InvalidData`.
pub fn read_directory(directory: &Path) -> io::Result<Vec<CatalogueFile>> {
    let mut files = vec![read(directory, "council.toml")?];
    for folder in ["contractors", "services", "notices"] {
        // A council that does everything itself has no contractors.
        if folder == "contractors" && !directory.join(folder).exists() {
            continue;
        }
        let mut names = Vec::new();
        for entry in fs::read_dir(directory.join(folder))? {
            let name = entry?
                .file_name()
                .into_string()
                .map_err(|_| io::Error::from(io::ErrorKind::InvalidData))?;
            if !name.starts_with('.') {
                names.push(name);
            }
        }
        names.sort_unstable();
        for name in names {
            files.push(read(directory, &format!("{folder}/{name}"))?);
        }
    }
    Ok(files)
}

fn read(directory: &Path, path: &str) -> io::Result<CatalogueFile> {
    Ok(CatalogueFile {
        path: path.to_owned(),
        text: fs::read_to_string(directory.join(path))?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_the_folder_is_carried() {
        let mut carried = built_in();
        let mut on_disk = read_directory(Path::new(env!("CARGO_MANIFEST_DIR"))).unwrap();
        carried.sort_by(|a, b| a.path.cmp(&b.path));
        on_disk.sort_by(|a, b| a.path.cmp(&b.path));
        assert_eq!(carried, on_disk);
    }
}
