//! `caseledger key`: the wrapping key, rotated.

use std::path::Path;

use serde_json::json;
use vault::{KeyEncryptionKey, StoredKeys};

use super::operator;
use crate::cli::Key as Call;
use crate::outcome::Failure;
use crate::print;
use crate::settings::{Reader, environment};

/// Does what was called.
pub async fn run(call: &Call, json: bool) -> Result<(), Failure> {
    match call {
        Call::Status => status(json).await,
        Call::Rotate { new_file } => rotate(new_file),
        Call::Rewrap => rewrap().await,
    }
}

fn key() -> Result<KeyEncryptionKey, Failure> {
    let mut reader = Reader::new(&environment);
    let file = reader.file("CASELEDGER_KEY_FILE", "the key-encryption key");
    KeyEncryptionKey::load(&reader.finish(file)?).map_err(Failure::usage)
}

async fn stored(key: KeyEncryptionKey) -> Result<StoredKeys, Failure> {
    Ok(StoredKeys::new(operator::listening_pool().await?, key.into()))
}

/// Says which wrapping key is in force in the file, and what each has wrapped.
async fn status(json: bool) -> Result<(), Failure> {
    let key = key()?;
    let in_force = key.wrapping_id().to_owned();
    let wrapped = stored(key).await?.wrapped_by().await.map_err(Failure::down)?;
    if json {
        print::json(&json!({ "in_force": in_force, "keys": wrapped }));
        return Ok(());
    }
    let rows = wrapped.into_iter().map(|(id, keys)| {
        let standing = if id == in_force {
            "in force"
        } else {
            "to be wrapped anew"
        };
        vec![id, keys.to_string(), standing.to_owned()]
    });
    print::table(&["wrapping key", "keys", "in this file"], rows);
    Ok(())
}

/// Writes a file with one wrapping key more.
fn rotate(new_file: &Path) -> Result<(), Failure> {
    let rotated = key()?.rotated(&mut vault::fresh_rng()).map_err(Failure::down)?;
    rotated.write_new(new_file).map_err(Failure::usage)?;
    print::line(format!(
        "{} has the wrapping key {} in force, and those before. Let every service read it, then run `caseledger key rewrap` with it",
        new_file.display(),
        rotated.wrapping_id()
    ));
    Ok(())
}

/// Wraps anew what others than the wrapping key in force have wrapped.
async fn rewrap() -> Result<(), Failure> {
    let key = key()?;
    let in_force = key.wrapping_id().to_owned();
    let stored = stored(key).await?;
    let mut all = 0;
    loop {
        match stored.rewrap_some().await.map_err(Failure::down)? {
            0 => break,
            some => all += some,
        }
    }
    print::line(format!("{all} keys were wrapped anew; all are wrapped by {in_force}"));
    Ok(())
}
