//! The database: its migrations, in the order in which the crates rely on one another, and the services' logins.

use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::{Connection, Executor, PgConnection};
use std::io::ErrorKind;
use std::str::FromStr;
use std::time::Duration;
use time::OffsetDateTime;
use tokio::net::TcpStream;
use url::Url;

use crate::outcome::Failure;

/// The connections that one process holds at most for a service, or for a call of the command; the notifier needs more.
pub const CONNECTIONS: u32 = 8;

/// A connection that was used a moment ago is used again without asking whether it still stands: that would be one more round
/// trip for every statement.
const TRUSTED_WHILE_IDLE: Duration = Duration::from_secs(1);

/// How long it is waited to learn whether somebody listens; whoever takes longer may.
const LONGEST_KNOCK: Duration = Duration::from_secs(2);

/// A service's login, and the group roles that say what it may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Login {
    /// The last part of the login's name.
    pub service: &'static str,
    roles: &'static [&'static str],
}

/// Appends, seals, answers queries.
pub const COMMAND_SERVICE: Login = Login {
    service: "command_service",
    roles: &["caseledger_writer", "caseledger_vault"],
};
/// Reads the log and publishes it.
pub const RELAY: Login = Login {
    service: "relay",
    roles: &["caseledger_feed", "caseledger_relay"],
};
/// Reads the log and keeps the read models.
pub const PROJECTIONS: Login = Login {
    service: "projections",
    roles: &["caseledger_projector", "caseledger_feed"],
};
/// Reads the log, opens what it needs, keeps its deliveries.
pub const NOTIFIER: Login = Login {
    service: "notifier",
    roles: &["caseledger_notifier", "caseledger_feed", "caseledger_vault"],
};

/// Reads the log and its receipts, and opens nothing: who makes checkpoints.
pub const AUDITOR: Login = Login {
    service: "auditor",
    roles: &["caseledger_auditor"],
};

/// Every service's login.
pub const LOGINS: [Login; 4] = [COMMAND_SERVICE, RELAY, PROJECTIONS, NOTIFIER];

/// Brings a database to the current version. `now` becomes the cut-over of a database that is new: nothing that happened
/// before it sends a notice.
///
/// # Errors
/// [`Failure::Down`] with what a migration said.
pub async fn migrate(pool: &PgPool, now: OffsetDateTime) -> Result<(), Failure> {
    vault::migrate(pool).await.map_err(Failure::down)?;
    event_store::migrate(pool).await.map_err(Failure::down)?;
    projections::migrate(pool).await.map_err(Failure::down)?;
    notifier::migrate(pool, now).await.map_err(Failure::down)
}

/// Makes the role that owns a database, and the database, on a server of our own. Returns the owner's URL.
///
/// # Errors
/// [`Failure::Down`].
pub async fn create_owned(superuser_url: &str, database: &str, password: &str) -> Result<String, Failure> {
    let mut connection = PgConnection::connect(superuser_url).await?;
    let owner = format!("{database}_owner");
    set_login(&mut connection, &owner, password, "CREATEROLE").await?;
    let exists: bool = sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)")
        .bind(database)
        .fetch_one(&mut connection)
        .await?;
    if !exists {
        connection
            .execute(format!("CREATE DATABASE {database} OWNER {owner}").as_str())
            .await?;
    }
    with_login(superuser_url, Some(database), &owner, password)
}

/// Makes or renews a service's login in the owner's database, and returns its URL.
///
/// # Errors
/// [`Failure::Down`]; the owner must be allowed to create roles.
pub async fn service_url(owner: &PgPool, owner_url: &str, login: Login, password: &str) -> Result<String, Failure> {
    let mut connection = owner.acquire().await?;
    let database: String = sqlx::query_scalar("SELECT current_database()")
        .fetch_one(&mut *connection)
        .await?;
    let name = format!("{database}_svc_{}", login.service);
    set_login(&mut connection, &name, password, "").await?;
    for role in login.roles {
        connection.execute(format!("GRANT {role} TO {name}").as_str()).await?;
    }
    with_login(owner_url, None, &name, password)
}

/// The names and passwords are our own: letters, digits and underscores.
async fn set_login(connection: &mut PgConnection, name: &str, password: &str, options: &str) -> Result<(), Failure> {
    let exists: bool = sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)")
        .bind(name)
        .fetch_one(&mut *connection)
        .await?;
    let verb = if exists { "ALTER" } else { "CREATE" };
    connection
        .execute(format!("{verb} ROLE {name} LOGIN {options} PASSWORD '{password}'").as_str())
        .await?;
    Ok(())
}

fn with_login(url: &str, database: Option<&str>, user: &str, password: &str) -> Result<String, Failure> {
    let mut url = Url::parse(url).map_err(|_| Failure::Usage("the Postgres URL is no URL".to_owned()))?;
    let set = url.set_username(user).and_then(|()| url.set_password(Some(password)));
    set.map_err(|()| Failure::Usage("the Postgres URL can't hold a user".to_owned()))?;
    if let Some(database) = database {
        url.set_path(database);
    }
    Ok(url.into())
}

/// A pool of so many connections at most, named in `pg_stat_activity`.
///
/// # Errors
/// [`Failure::Usage`] for something that is no URL. Nothing is connected yet: a database that is down shows later.
pub fn pool(url: &str, name: &str, most: u32) -> Result<PgPool, Failure> {
    Ok(of_at_most(most).connect_lazy_with(options(url, name)?))
}

/// As [`pool`], for who asks a question and ends: where nobody listens it is told at once. A pool by itself tries for half a minute, as a
/// service has to, whose database may come back.
///
/// # Errors
/// As [`pool`], and [`Failure::Down`] where nobody listens.
pub async fn listening_pool(url: &str, name: &str, most: u32) -> Result<PgPool, Failure> {
    let options = options(url, name)?;
    if options.get_socket().is_none() {
        let (host, port) = (options.get_host().trim_matches(['[', ']']), options.get_port());
        let connected = tokio::time::timeout(LONGEST_KNOCK, TcpStream::connect((host, port))).await;
        if connected.is_ok_and(|connected| connected.is_err_and(|error| error.kind() == ErrorKind::ConnectionRefused)) {
            return Err(Failure::Down(format!(
                "nobody listens at {host}:{port}, where the settings say that Postgres is: start it, or read the settings again \
                 (`caseledger dev` has other ports after each start)"
            )));
        }
    }
    Ok(of_at_most(most).connect_lazy_with(options))
}

/// As [`pool`], for who asks a few statements by key, over and over: they are planned once for each connection. Postgres would plan the page of
/// a log anew each time, since what it guesses of a page whose size it does not know looks dearer; that takes longer than to read one of a
/// few events. It is held to the indexes, since the plan may have been made while the log was nearly empty.
///
/// # Errors
/// As [`pool`].
pub fn pool_that_plans_once(url: &str, name: &str, most: u32) -> Result<PgPool, Failure> {
    // Not at the start of a connection: a pooler in between may refuse what it does not know there.
    let planning = of_at_most(most).after_connect(|connection, _| {
        Box::pin(async move {
            connection
                .execute("SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off")
                .await
                .map(drop)
        })
    });
    Ok(planning.connect_lazy_with(options(url, name)?))
}

fn options(url: &str, name: &str) -> Result<PgConnectOptions, Failure> {
    let options = PgConnectOptions::from_str(url);
    let options = options.map_err(|_| Failure::Usage("the Postgres URL is not valid".to_owned()))?;
    Ok(options.application_name(name))
}

fn of_at_most(connections: u32) -> PgPoolOptions {
    PgPoolOptions::new()
        .max_connections(connections)
        .test_before_acquire(false)
        .before_acquire(|connection, state| {
            Box::pin(async move {
                if state.idle_for > TRUSTED_WHILE_IDLE {
                    connection.ping().await?;
                }
                Ok(true)
            })
        })
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn a_question_is_told_at_once_that_nobody_listens() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        let url = format!("postgres://somebody:secret@{at}/caseledger");
        assert!(listening_pool(&url, "test", 1).await.is_ok(), "somebody listens");
        drop(listener);
        let told = listening_pool(&url, "test", 1).await.unwrap_err().to_string();
        assert!(told.starts_with(&format!("nobody listens at {at}")), "{told}");
        assert!(!told.contains("secret"), "{told}");
    }
}
