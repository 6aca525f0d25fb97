//! Opening what is sealed, for an officer who says why; or showing that it is sealed.

use std::sync::Arc;
use std::time::Instant;

use catalogue::london;
use command_service::officers::OfficerRegister;
use schemas::{AggregateId, OfficerId, Sealed};
use serde_json::Value;
use sqlx::PgPool;
use time::OffsetDateTime;
use vault::{KeyEncryptionKey, OpenError, Vault, VaultError};

use crate::cli::Reader;
use crate::outcome::Failure;
use crate::settings::environment;

/// What stands in place of a value that stays sealed.
const SEALED: &str = "[sealed]";

/// What stands in place of a value whose key is destroyed.
const ERASED: &str = "[erased]";

/// What stands in place of a value that is not what was sealed.
const DAMAGED: &str = "[damaged]";

/// Replaces sealed values by what may be shown of them.
pub enum Opening {
    /// Nothing is opened.
    Closed,
    /// An officer reads, and it is recorded.
    By {
        /// The keys.
        vault: Box<Vault>,
        /// Who reads.
        officer: OfficerId,
        /// Why.
        reason: String,
    },
}

impl Opening {
    /// What this reader may see: without an officer, or without the key, everything stays sealed.
    ///
    /// # Errors
    /// [`Failure::Usage`]: an officer's id or a key file that can't be read, or an officer without a reason.
    pub fn of(reader: &Reader, pool: &PgPool) -> Result<Self, Failure> {
        let (Some(officer), Some(key_file)) = (&reader.officer, environment("CASELEDGER_KEY_FILE")) else {
            return Ok(Self::Closed);
        };
        let officer = OfficerId::new(officer.as_str()).map_err(Failure::usage)?;
        let reason = reader.reason.clone().filter(|reason| !reason.trim().is_empty());
        let reason =
            reason.ok_or_else(|| Failure::Usage("an officer who opens personal data says why: --reason".to_owned()))?;
        must_be_on_duty(&officer)?;
        let key = Arc::new(KeyEncryptionKey::load(key_file.as_ref()).map_err(Failure::usage)?);
        let vault = Box::new(Vault::new(pool.clone(), key, vault::Settings::default(), Instant::now));
        Ok(Self::By { vault, officer, reason })
    }

    /// Replaces every sealed value in these documents of one stream. Where anything is opened, that is recorded first.
    ///
    /// # Errors
    /// [`Failure::Down`]: the vault could not record or look.
    pub async fn apply(&self, stream: AggregateId, documents: &mut [Value]) -> Result<(), Failure> {
        let mut sealed = Vec::new();
        documents.iter().for_each(|document| collect(document, &mut sealed));
        let shown = match self {
            _ if sealed.is_empty() => return Ok(()),
            Self::Closed => vec![Value::from(SEALED); sealed.len()],
            Self::By { vault, officer, reason } => {
                let fields = sealed.len();
                let now = OffsetDateTime::now_utc();
                vault
                    .record_opening(officer, reason, stream, fields, now)
                    .await
                    .map_err(|error| match error {
                        error @ VaultError::Reason => Failure::usage(error),
                        error => Failure::down(error),
                    })?;
                let opened = vault.open_many(&sealed.iter().collect::<Vec<_>>()).await;
                opened.into_iter().map(show).collect::<Result<_, _>>()?
            }
        };
        let mut shown = shown.into_iter();
        documents.iter_mut().for_each(|document| replace(document, &mut shown));
        Ok(())
    }
}

/// Only an officer of the register opens anything: whoever looked has to answer for it.
fn must_be_on_duty(officer: &OfficerId) -> Result<(), Failure> {
    let register = environment("CASELEDGER_OFFICERS_FILE");
    let register = register.ok_or_else(|| {
        Failure::Usage(
            "CASELEDGER_OFFICERS_FILE is not set: the register of the officers who may read personal data".to_owned(),
        )
    })?;
    let register = OfficerRegister::load(register.as_ref()).map_err(Failure::usage)?;
    let today = london::day_of(OffsetDateTime::now_utc());
    match register.on_duty(officer, today) {
        Some(_) => Ok(()),
        None => Err(Failure::Usage(format!(
            "the officer register has no {officer} who may act today: nothing is opened"
        ))),
    }
}

fn show(opened: Result<vault::Opened, OpenError>) -> Result<Value, Failure> {
    match opened {
        Ok(opened) => opened.read().map_err(Failure::down),
        Err(OpenError::Erased | OpenError::NoKey) => Ok(ERASED.into()),
        Err(OpenError::Damaged) => Ok(DAMAGED.into()),
        Err(error @ OpenError::Unavailable(_)) => Err(Failure::down(error)),
    }
}

/// A sealed value, where this is one.
fn as_sealed(value: &Value) -> Option<Sealed> {
    let object = value.as_object().filter(|object| object.len() == 1)?;
    Some(Sealed::from_token(object.get("sealed")?.as_str()?.to_owned()))
}

/// Collects the sealed values of a document, in the order in which [`replace`] meets them.
fn collect(value: &Value, sealed: &mut Vec<Sealed>) {
    if let Some(found) = as_sealed(value) {
        sealed.push(found);
        return;
    }
    match value {
        Value::Object(members) => members.values().for_each(|member| collect(member, sealed)),
        Value::Array(items) => items.iter().for_each(|item| collect(item, sealed)),
        _ => {}
    }
}

fn replace(value: &mut Value, shown: &mut impl Iterator<Item = Value>) {
    if as_sealed(value).is_some() {
        *value = shown.next().unwrap_or_else(|| SEALED.into());
        return;
    }
    match value {
        Value::Object(members) => members.values_mut().for_each(|member| replace(member, shown)),
        Value::Array(items) => items.iter_mut().for_each(|item| replace(item, shown)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_sealed_value_is_found_and_replaced_in_order() {
        let mut document = json!({ "name": { "sealed": "a" }, "answers": { "bin": { "open": "black" }, "note": [{ "sealed": "b" }] } });
        let mut sealed = Vec::new();
        collect(&document, &mut sealed);
        // Whatever order the members come in, both meet them in the same.
        assert_eq!(sealed.len(), 2);
        let opened: Vec<Value> = sealed
            .iter()
            .map(|sealed| sealed.token().to_uppercase().into())
            .collect();
        replace(&mut document, &mut opened.into_iter());
        assert_eq!(
            document,
            json!({ "name": "A", "answers": { "bin": { "open": "black" }, "note": ["B"] } })
        );
    }
}
