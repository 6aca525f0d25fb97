//! What an operator's call needs: the owner's database, the services' NATS users; and `caseledger migrate`.

use bus::{NatsAddress, NatsBus, ServicePasswords, ServiceUser, Steward};
use sqlx::PgPool;
use time::OffsetDateTime;

use crate::database;
use crate::outcome::Failure;
use crate::passwords;
use crate::print;
use crate::settings::{Reader, environment};

/// What a call is named in `pg_stat_activity`.
const CALLER: &str = "caseledger";

/// The database that the environment names, for who can wait for it to come up, or may not need it.
pub fn pool() -> Result<PgPool, Failure> {
    database::pool(&url()?, CALLER, database::CONNECTIONS)
}

/// The same for who asks it a question and ends: it is told at once where nobody listens there.
pub async fn listening_pool() -> Result<PgPool, Failure> {
    database::listening_pool(&url()?, CALLER, database::CONNECTIONS).await
}

fn url() -> Result<String, Failure> {
    let mut reader = Reader::new(&environment);
    let url = reader.required(
        "CASELEDGER_DATABASE_URL",
        "the Postgres login that this call reads with",
    );
    Ok(reader.finish(url)?)
}

/// Where NATS is, and the passwords of the services' users.
pub fn nats() -> Result<(NatsAddress, ServicePasswords), Failure> {
    let mut reader = Reader::new(&environment);
    let nats = reader.nats();
    let file = reader.file(
        "CASELEDGER_NATS_USERS_FILE",
        "the passwords of the services' NATS users",
    );
    let (nats, file) = reader.finish((nats, file))?;
    Ok((nats, passwords::of_services(&file)?))
}

/// The bus, as one of the services' users.
pub async fn bus_as(user: ServiceUser) -> Result<NatsBus, Failure> {
    let (nats, passwords) = nats()?;
    NatsBus::connect(nats, &passwords.only(&[user]))
        .await
        .map_err(Failure::down)
}

/// The steward of the streams.
pub async fn steward(nats: &NatsAddress, passwords: &ServicePasswords) -> Result<Steward, Failure> {
    let missing = || Failure::Usage("the file of NATS users has no password for steward".to_owned());
    let password = passwords.get(ServiceUser::Steward).ok_or_else(missing)?;
    Steward::connect(nats, password).await.map_err(Failure::down)
}

/// Brings the database to the current version; and the bus its streams and consumers, where the environment names it.
pub async fn migrate() -> Result<(), Failure> {
    let pool = pool()?;
    database::migrate(&pool, OffsetDateTime::now_utc()).await?;
    print::line("the database is at the current version");
    if environment("CASELEDGER_NATS_URL").is_none() {
        print::line("CASELEDGER_NATS_URL is not set: the streams were not looked at");
        return Ok(());
    }
    let mut reader = Reader::new(&environment);
    let clients = reader.file("CASELEDGER_CLIENTS_FILE", "the client register");
    let replicas = reader
        .optional("CASELEDGER_NATS_REPLICAS")
        .unwrap_or_else(|| "1".to_owned());
    let replicas = replicas.parse().unwrap_or_else(|_| {
        reader.fault("CASELEDGER_NATS_REPLICAS must be a number: on how many servers each stream is kept");
        1
    });
    let clients = reader.finish(clients)?;
    let (nats, passwords) = nats()?;
    let steward = steward(&nats, &passwords).await?;
    steward.ensure_streams(replicas).await.map_err(Failure::down)?;
    let register = bus::clients::ClientRegister::load(&clients).map_err(Failure::usage)?;
    steward.ensure_consumers(&register).await.map_err(Failure::down)?;
    print::line("the streams and the clients' consumers are as they should be");
    Ok(())
}
