//! `caseledger attachment`.

use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

use attachments::{AdmitError, AttachmentStore, Clamd, ContentKey, NoScanner, ReadError, Scanner};
use schemas::AttachmentId;
use schemas::command::MediaType;
use schemas::event::CaseEvent;
use schemas::text::Digest;
use serde_json::{Value, json};

use super::opening::Opening;
use super::{case, operator};
use crate::cli::{Attachment as Call, Reader};
use crate::outcome::Failure;
use crate::print;
use crate::settings::{STORE_SETTING, environment};

/// Uploads a file, or fetches one.
pub async fn run(call: &Call, json: bool) -> Result<(), Failure> {
    match call {
        Call::Put { file, media_type } => put(file, media_type.as_deref(), json).await,
        Call::Get { case, id, out, reader } => get(case, *id, out, reader).await,
    }
}

fn store() -> Result<AttachmentStore, Failure> {
    let place = environment(STORE_SETTING).ok_or_else(|| {
        Failure::Usage(format!(
            "{STORE_SETTING} is not set: a folder or s3://bucket for the files of cases"
        ))
    })?;
    AttachmentStore::open(&place).map_err(Failure::usage)
}

/// Who looks at files before they are kept. Where a scanner is named, nothing goes past it.
fn scanner() -> Result<Arc<dyn Scanner>, Failure> {
    Ok(match environment("CASELEDGER_CLAMD") {
        Some(address) => Arc::new(address.parse::<Clamd>().map_err(Failure::usage)?),
        None => Arc::new(NoScanner),
    })
}

async fn put(file: &Path, media_type: Option<&str>, json: bool) -> Result<(), Failure> {
    let (store, scanner) = (store()?, scanner()?);
    let unreadable = |error: std::io::Error| Failure::Usage(format!("{}: {error}", file.display()));
    let bytes = tokio::fs::read(file).await.map_err(unreadable)?;
    let by_itself = attachments::kind_of_bytes(&bytes).map(MediaType::as_str);
    // Where nobody says, the bytes do; what is none is refused with the kinds that are taken.
    let media_type = media_type.or(by_itself).unwrap_or("text/plain");
    let admitted = attachments::admit(bytes, media_type, scanner.as_ref())
        .await
        .map_err(|error| match error {
            AdmitError::Refused(refusal) => {
                print::aside(format!("{}: {refusal}", refusal.code()));
                Failure::No
            }
            error => Failure::down(error),
        })?;
    let (kind, length) = (admitted.content().kind(), admitted.content().bytes().len());
    let (hash, received) = (admitted.content().hash().clone(), admitted.received().clone());
    let stored = store
        .put(admitted, &mut vault::fresh_rng())
        .await
        .map_err(Failure::down)?;
    let key = stored.key.to_text();
    if json {
        print::json(&json!({
            "id": stored.id, "media_type": kind, "bytes": length, "hash": hash, "received_hash": received, "key": key.as_str(),
        }));
        return Ok(());
    }
    print::pairs([
        ("id", stored.id.to_string()),
        ("media type", kind.as_str().to_owned()),
        ("bytes", length.to_string()),
        ("hash", hash.to_string()),
        ("key", key.to_string()),
    ]);
    if hash != received {
        print::aside("what a photo told of place and device was taken out: the hash is of what is kept");
    }
    print::aside(
        "send AddAttachment with id, media_type, hash, key and purpose within twelve hours: it is swept away otherwise",
    );
    Ok(())
}

async fn get(named: &str, id: uuid::Uuid, out: &Path, reader: &Reader) -> Result<(), Failure> {
    let (store, pool) = (store()?, operator::listening_pool().await?);
    let found = case::find_now(&pool, named).await?;
    let added = found.timeline.iter().find_map(|entry| match entry.event() {
        Ok(CaseEvent::AttachmentAdded(added)) if added.attachment.uuid() == id => Some(added),
        _ => None,
    });
    let Some(added) = added else {
        print::aside(format!("the case has no file {id}: case show lists them"));
        return Err(Failure::No);
    };
    let mut sealed = json!({ "hash": added.hash, "key": added.key });
    Opening::of(reader, &pool)?
        .apply(found.case.id.into(), std::slice::from_mut(&mut sealed))
        .await?;
    let text = |member: &str| sealed[member].as_str().map(str::to_owned);
    let (Some(hash), Some(key)) = (text("hash"), text("key")) else {
        return Err(not_opened(&sealed));
    };
    let (Ok(hash), Ok(key)) = (Digest::new(&hash), ContentKey::from_text(&key)) else {
        return Err(not_opened(&sealed));
    };
    let content = match store.get(AttachmentId(id), &key, Some(&hash)).await {
        Ok(content) => content,
        Err(error @ ReadError::Store(_)) => return Err(Failure::down(error)),
        Err(error) => {
            print::aside(format!("the file is not what the case's event says: {error}"));
            return Err(Failure::No);
        }
    };
    let unwritable = |error: std::io::Error| Failure::Usage(format!("{}: {error}", out.display()));
    let mut file = std::fs::File::create_new(out).map_err(unwritable)?;
    file.write_all(content.bytes()).map_err(unwritable)?;
    print::line(format!(
        "{} ({}, {} bytes), as the case's event says it",
        out.display(),
        content.kind().as_str(),
        content.bytes().len()
    ));
    Ok(())
}

/// Why the key can't be used: it stays sealed without an officer, and is gone with an erased person.
fn not_opened(shown: &Value) -> Failure {
    print::aside(match shown["key"].as_str() {
        Some("[erased]") => "the person's keys are destroyed: nobody can open the file any more",
        _ => "the file stays sealed: name the officer who reads it and why, --officer and --reason",
    });
    Failure::No
}
