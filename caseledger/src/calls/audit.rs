//! `caseledger audit`.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use ::audit::{Checkpoint, SigningKey, VerifierKey};
use bus::ServiceUser;
use event_store::Snapshot;
use serde_json::json;
use sqlx::PgPool;

use super::operator;
use crate::audit::exporting::{self, ProvenCase, Under};
use crate::audit::keeping::{self, KeepError, Kept};
use crate::audit::verifying::{self, Evidence, Verified};
use crate::audit::{KEY_SETTING, PUBLIC_KEY_SETTING, key_file};
use crate::cli::{Audit as Call, AuditVerify};
use crate::outcome::Failure;
use crate::print;
use crate::services::until_asked_to_stop;
use crate::settings::environment;

/// Does an auditor's work.
pub async fn run(call: &Call, json: bool) -> Result<(), Failure> {
    match call {
        Call::Key { file, name } => key(file.as_deref(), name.as_deref(), json),
        Call::Checkpoint { output, tiles, every } => {
            checkpoint(output.as_deref(), tiles.as_deref(), *every, json).await
        }
        Call::Verify(call) => verify(call, json).await,
        Call::Export {
            case,
            output,
            checkpoint,
            public_keys,
        } => {
            let under = under(checkpoint.as_deref(), public_keys)?;
            export(case.as_deref(), output, under, json).await
        }
        Call::Prove {
            reference,
            checkpoint,
            public_keys,
        } => {
            let under = under(checkpoint.as_deref(), public_keys)?;
            prove(reference, under, json).await
        }
    }
}

/// Makes a key, or shows the public half of one that is there.
fn key(file: Option<&Path>, name: Option<&str>, json: bool) -> Result<(), Failure> {
    let path = file
        .map(Path::to_owned)
        .or_else(|| environment(KEY_SETTING).map(PathBuf::from));
    let path = path.ok_or_else(|| Failure::Usage(format!("name the file, or set {KEY_SETTING}")))?;
    let key = match name {
        Some(name) => key_file::make(&path, name.parse().map_err(Failure::usage)?),
        None => key_file::load(&path),
    };
    let public = key.map_err(Failure::usage)?.verifier().to_string();
    if json {
        print::json(&json!({ "file": path, "public_key": public }));
    } else {
        print::line(public);
    }
    Ok(())
}

fn signing_key() -> Result<SigningKey, Failure> {
    let file = environment(KEY_SETTING);
    let file =
        file.ok_or_else(|| Failure::Usage(format!("{KEY_SETTING} is not set: the key that signs checkpoints")))?;
    key_file::load(file.as_ref()).map_err(Failure::usage)
}

/// The keys to believe: those that were given, else those that the environment names, else the public half of the signing key.
fn trusted(given: &[VerifierKey]) -> Result<Vec<VerifierKey>, Failure> {
    if !given.is_empty() {
        return Ok(given.to_vec());
    }
    if let Some(keys) = environment(PUBLIC_KEY_SETTING) {
        let read = |key: &str| {
            key.parse()
                .map_err(|error| Failure::Usage(format!("{PUBLIC_KEY_SETTING}: {error}")))
        };
        return keys.split_whitespace().map(read).collect();
    }
    match environment(KEY_SETTING) {
        Some(file) => Ok(vec![
            key_file::load(file.as_ref())
                .map_err(Failure::usage)?
                .verifier()
                .clone(),
        ]),
        None => Ok(Vec::new()),
    }
}

async fn checkpoint(
    output: Option<&Path>,
    tiles: Option<&Path>,
    every: Option<u32>,
    json: bool,
) -> Result<(), Failure> {
    let (pool, key, believed) = (operator::pool()?, signing_key()?, trusted(&[])?);
    let once = async || match keeping::keep(&pool, &key, &believed, tiles).await {
        Ok(kept) => show_kept(&kept, output, json),
        Err(KeepError::Differs(finding)) => {
            print::aside(KeepError::Differs(finding).to_string());
            Err(Failure::No)
        }
        Err(error @ (KeepError::Ledger(_) | KeepError::Store(_))) => Err(Failure::down(error)),
        Err(error) => Err(Failure::usage(error)),
    };
    let Some(every) = every else { return once().await };
    let Some(tiles) = tiles else {
        return Err(Failure::Usage(
            "a checkpoint every few minutes needs a folder for --tiles: only what is new is read".to_owned(),
        ));
    };
    let stop = tokio_util::sync::CancellationToken::new();
    let interval = Duration::from_secs(60 * u64::from(every));
    until_asked_to_stop(keeping::keep_on(&pool, &key, &believed, tiles, interval, &stop), &stop).await
}

fn show_kept(kept: &Kept, output: Option<&Path>, json: bool) -> Result<(), Failure> {
    if let Some(output) = output {
        std::fs::write(output, &kept.note).map_err(|error| Failure::Usage(format!("{}: {error}", output.display())))?;
    }
    let Checkpoint { origin, size, root } = &kept.checkpoint;
    if json {
        print::json(&json!({ "origin": origin.as_str(), "size": size, "root": root, "checkpoint": kept.note }));
    } else if output.is_some() {
        print::line(format!("{size} events, root {root}"));
    } else {
        print::text(&kept.note);
    }
    Ok(())
}

async fn verify(call: &AuditVerify, json: bool) -> Result<(), Failure> {
    let evidence = Evidence {
        trusted: trusted(&call.public_keys)?,
        checkpoints: call.checkpoints.clone(),
        tiles: call.tiles.clone().filter(|_| !call.offline),
        export: call.export.clone(),
    };
    let alone = call.export.is_some() && (call.offline || environment("CASELEDGER_DATABASE_URL").is_none());
    let pool: Option<PgPool> = if alone {
        None
    } else {
        Some(operator::listening_pool().await?)
    };
    let bus = if call.stream {
        Some(Arc::new(operator::bus_as(ServiceUser::Relay).await?))
    } else {
        None
    };
    let verified = verifying::verify(&evidence, pool.as_ref(), bus).await?;
    if json {
        show_verified_as_json(&verified);
    } else {
        show_verified(&verified);
    }
    if verified.findings.is_empty() {
        Ok(())
    } else {
        Err(Failure::No)
    }
}

fn show_verified_as_json(verified: &Verified) {
    let export = verified.export.as_ref().map(|export| {
        let checkpoint = export.checkpoint.as_ref();
        json!({
            "events": export.events, "subject": export.subject, "size": checkpoint.map(|checkpoint| checkpoint.size),
            "root": checkpoint.map(|checkpoint| checkpoint.root),
        })
    });
    let copies = verified
        .copies
        .iter()
        .map(|(name, compared)| json!({ "with": name, "positions": compared }));
    print::json(&json!({
        "verified": verified.findings.is_empty(), "events": verified.events, "receipts": verified.receipts,
        "root": verified.root, "export": export, "checkpoints": verified.checkpoints,
        "compared": copies.collect::<Vec<_>>(), "findings": verified.findings.iter().collect::<Vec<_>>(),
        "more_findings": verified.findings.more(),
    }));
}

fn show_verified(verified: &Verified) {
    if let Some(events) = verified.events {
        let root = verified.root.map(|root| root.to_string()).unwrap_or_default();
        print::line(format!(
            "log            {events} events, {} receipts, root {root}",
            verified.receipts
        ));
    }
    if let Some(export) = &verified.export {
        let under = export.checkpoint.as_ref().map_or_else(
            || "under no checkpoint to be believed".to_owned(),
            |checkpoint| format!("under a checkpoint of {}", checkpoint.size),
        );
        print::line(format!("export         {} events, {under}", export.events));
    }
    for compared in &verified.checkpoints {
        let agrees = match compared.agrees {
            Some(true) => "agrees",
            Some(false) => "DOES NOT AGREE",
            None => "can't be compared with this export alone",
        };
        print::line(format!(
            "checkpoint     {} events, of {}: {agrees}",
            compared.size, compared.from
        ));
    }
    for (name, positions) in &verified.copies {
        print::line(format!("compared       {positions} positions with {name}"));
    }
    verified
        .findings
        .iter()
        .for_each(|finding| print::line(format!("FOUND          {finding}")));
    if verified.findings.more() > 0 {
        print::line(format!("FOUND          {} more", verified.findings.more()));
    }
    let evidence = !verified.checkpoints.is_empty() || verified.export.is_some() || !verified.copies.is_empty();
    print::line(match (verified.findings.is_empty(), evidence) {
        (true, true) => "verified",
        (true, false) => "the log does not contradict itself; without a checkpoint from outside more can't be said",
        (false, _) => "NOT VERIFIED",
    });
}

/// What to prove rows under: the checkpoint that was given, or a new one.
fn under(checkpoint: Option<&Path>, keys: &[VerifierKey]) -> Result<Under, Failure> {
    let Some(file) = checkpoint else {
        return signing_key().map(|key| Under::New(Box::new(key)));
    };
    let failed = |error: String| Failure::Usage(format!("{}: {error}", file.display()));
    let note = std::fs::read_to_string(file).map_err(|error| failed(error.to_string()))?;
    let checkpoint = Checkpoint::open(&note, &trusted(keys)?).map_err(|error| failed(error.to_string()))?;
    Ok(Under::Given(checkpoint, note))
}

async fn export(case: Option<&str>, output: &Path, under: Under, json: bool) -> Result<(), Failure> {
    let mut snapshot = Snapshot::take(&operator::listening_pool().await?)
        .await
        .map_err(Failure::down)?;
    let (events, checkpoint) = match case {
        None => {
            let checkpoint = exporting::log(&mut snapshot, under, output).await?;
            (checkpoint.size, checkpoint)
        }
        Some(case) => {
            let proven = found(exporting::case(&mut snapshot, case, under).await?, case)?;
            let (events, checkpoint) = (proven.events.len() as u64, proven.checkpoint.clone());
            proven.write(output)?;
            (events, checkpoint)
        }
    };
    if json {
        let Checkpoint { origin, size, root } = checkpoint;
        print::json(
            &json!({ "events": events, "origin": origin.as_str(), "size": size, "root": root, "file": output }),
        );
    } else {
        print::line(format!(
            "{events} events in {}, under a checkpoint of {}",
            output.display(),
            checkpoint.size
        ));
    }
    Ok(())
}

fn found(case: Option<ProvenCase>, asked: &str) -> Result<ProvenCase, Failure> {
    let case = case.ok_or_else(|| {
        print::aside(format!("there is no case {asked}"));
        Failure::No
    })?;
    if case.later > 0 {
        print::aside(format!(
            "{} events came after the checkpoint and are left out",
            case.later
        ));
    }
    Ok(case)
}

async fn prove(asked: &str, under: Under, json: bool) -> Result<(), Failure> {
    let mut snapshot = Snapshot::take(&operator::listening_pool().await?)
        .await
        .map_err(Failure::down)?;
    let case = found(exporting::case(&mut snapshot, asked, under).await?, asked)?;
    if json {
        let events = case.events.iter().map(|event| {
            json!({
                "position": event.row.position, "event_id": event.row.event_id, "event": event.row.event_type,
                "leaf_hash": event.leaf_hash, "proof": event.proof,
            })
        });
        print::json(&json!({
            "reference": case.reference, "aggregate_id": case.aggregate_id, "checkpoint": case.note,
            "events": events.collect::<Vec<_>>(),
        }));
        return Ok(());
    }
    for event in &case.events {
        print::line(format!("position {}  {}", event.row.position, event.row.event_type));
        print::line(format!("  leaf   {}", event.leaf_hash));
        for (number, hash) in event.proof.iter().enumerate() {
            print::line(format!("  {}  {hash}", if number == 0 { "proof" } else { "     " }));
        }
    }
    print::line("");
    print::text(&case.note);
    Ok(())
}
