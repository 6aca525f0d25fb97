//! Whether each is told, by one delivery (I6).
//!
//! What has to be told follows from the log alone: the notifier's own reading of it, run from the first event on in a database
//! of its own, says which deliveries there must be.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use catalogue::Catalogue;
use notifier::Follower;
use schemas::ClientName;
use sqlx::PgPool;
use time::OffsetDateTime;

use super::log::{breach, events};
use super::{Breach, CATCH_UP, Invariant};
use crate::{Council, eventually};

/// The domain in the notifier's Message-IDs, as `serve` has it where no sender is set.
const DOMAIN: &str = "localhost";

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, sqlx::FromRow)]
struct Asked {
    position: i64,
    recipient: uuid::Uuid,
    medium: String,
    notice: String,
    message: String,
}

#[derive(sqlx::FromRow)]
struct Told {
    message_id: String,
    position: i64,
    state: String,
    attempts: i32,
    recorded: Option<String>,
}

/// Waits until the notifier has read the whole log and nothing is left to send or to record.
pub async fn wait_until_done(council: &Council) {
    let owner = council.owner().await;
    eventually("the notifier has told everybody", CATCH_UP, || async {
        let statement = "SELECT (SELECT position FROM notifier.checkpoint) = (SELECT position FROM ledger.head)
            AND NOT EXISTS (SELECT FROM notifier.deliveries WHERE state = 'pending' OR recorded IS NULL)";
        sqlx::query_scalar::<_, bool>(statement)
            .fetch_one(&owner)
            .await
            .expect("the deliveries can be counted")
    })
    .await;
}

/// Which deliveries a notifier's database holds. Of a Message-ID the part before the domain counts.
async fn asked(pool: &PgPool) -> BTreeSet<Asked> {
    let statement = "SELECT position, recipient, medium, notice, split_part(message_id, '@', 1) AS message
        FROM notifier.deliveries";
    let rows: Vec<Asked> = sqlx::query_as(statement)
        .fetch_all(pool)
        .await
        .expect("the deliveries can be read");
    rows.into_iter().collect()
}

/// Which deliveries the log asks for.
async fn asked_by_the_log(council: &Council) -> BTreeSet<Asked> {
    let database = council.database.postgres().database().await;
    let pool = database.owner().await;
    let follower = Follower {
        catalogue: Arc::new(Catalogue::built_in().expect("the built-in catalogue is right")),
        client: ClientName::new(caseledger::services::NOTIFIER_CLIENT).expect("a client's name"),
        domain: DOMAIN.to_owned(),
    };
    let mut connection = pool.acquire().await.expect("a connection");
    for page in events(&council.owner().await).await.chunks(500) {
        follower
            .apply(&mut connection, page, OffsetDateTime::now_utc())
            .await
            .expect("the log can be followed");
    }
    asked(&pool).await
}

pub async fn breaches(council: &Council) -> Vec<Breach> {
    let owner = council.owner().await;
    let (expected, found) = (asked_by_the_log(council).await, asked(&owner).await);
    let mut breaches = Vec::new();
    for missing in expected.difference(&found) {
        let what = format!("nobody was told of {}", missing.notice);
        breaches.push(breach(Invariant::EachIsToldOnce, what, [], [missing.position]));
    }
    for extra in found.difference(&expected) {
        let what = format!("{} was told though the log does not ask for it", extra.notice);
        breaches.push(breach(Invariant::EachIsToldOnce, what, [], [extra.position]));
    }
    breaches.extend(not_sent(council, &owner).await);
    breaches
}

/// What was finished otherwise than its emails say.
async fn not_sent(council: &Council, owner: &PgPool) -> Vec<Breach> {
    let mut emails: BTreeMap<String, usize> = BTreeMap::new();
    for entry in std::fs::read_dir(council.mail_dir()).expect("there is a folder of emails") {
        let path = entry.expect("the folder can be read").path();
        if path.extension().is_some_and(|ending| ending == "eml") {
            let text = std::fs::read_to_string(path).expect("an email can be read");
            let id = text.lines().find_map(|line| line.strip_prefix("Message-ID: "));
            *emails
                .entry(id.expect("an email has a Message-ID").trim().to_owned())
                .or_default() += 1;
        }
    }
    let statement = "SELECT message_id, position, state, attempts, recorded FROM notifier.deliveries";
    let all: Vec<Told> = sqlx::query_as(statement)
        .fetch_all(owner)
        .await
        .expect("the deliveries can be read");
    let mut breaches = Vec::new();
    for told in all {
        let copies = emails.remove(&told.message_id).unwrap_or_default();
        let what = match (told.state.as_str(), copies) {
            ("sent", 0) => format!("called sent after {} attempts, but there is no email", told.attempts),
            ("sent", _) if told.recorded.is_none() => "sent, but not recorded on its case".to_owned(),
            ("sent", _) => continue,
            (_, 0) => continue,
            (state, _) => format!("there is an email of what is called {state}"),
        };
        breaches.push(breach(Invariant::EachIsToldOnce, what, [], [told.position]));
    }
    if !emails.is_empty() {
        let what = format!("emails of no delivery: {:?}", emails.keys());
        breaches.push(breach(Invariant::EachIsToldOnce, what, [], []));
    }
    breaches
}
