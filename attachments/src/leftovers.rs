//! What an upload or a claim that was cut off leaves in a folder.
//!
//! A file is written as `<id>#<number>`, or linked there from where it was staged, and gets its name when it is on disk. Where
//! the process died in between it stays, the store lists it nowhere, and removing the file does not reach it.

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::{fs, io};

use time::OffsetDateTime;

use crate::error::StoreError;
use schemas::AttachmentId;

/// Deletes those that were last written or linked at `until` or before.
pub(crate) fn delete(folder: &Path, until: OffsetDateTime) -> Result<(), StoreError> {
    try_delete(folder, until).map_err(|source| {
        StoreError::Unavailable(object_store::Error::Generic {
            store: "LocalFileSystem",
            source: Box::new(source),
        })
    })
}

fn try_delete(folder: &Path, until: OffsetDateTime) -> io::Result<()> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        if !entry.file_name().to_str().is_some_and(is_leftover) {
            continue;
        }
        let gone = entry.metadata().and_then(|found| {
            // A link keeps the time at which the file was written; the change of its status tells when it was made.
            if found.ctime() <= until.unix_timestamp() {
                fs::remove_file(entry.path())
            } else {
                Ok(())
            }
        });
        match gone {
            // It got its name in the meantime, or another sweep was faster.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            gone => gone?,
        }
    }
    Ok(())
}

fn is_leftover(name: &str) -> bool {
    name.split_once('#').is_some_and(|(id, number)| {
        id.parse::<AttachmentId>().is_ok() && !number.is_empty() && number.bytes().all(|digit| digit.is_ascii_digit())
    })
}
