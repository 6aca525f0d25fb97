//! The log's schema.

use sqlx::postgres::PgConnection;
use sqlx::{Connection as _, PgPool};

use crate::error::{LedgerError, Reason};

static MIGRATOR: sqlx::migrate::Migrator = sqlx::migrate!();

/// Brings the schema `ledger` to this version. Run the vault's migrations first: `ledger.append` calls `vault.admit`. Safe to
/// run from several processes at once: they take turns.
///
/// The pool's role becomes the owner of the log; it must be allowed to create schemas and roles. The connection works with
/// `search_path = ledger`, so that the record of what was run is the log's own.
///
/// # Errors
/// [`LedgerError::Unavailable`]: try again. [`LedgerError::Broken`]: stop; the reason names the migration or the SQLSTATE.
pub async fn migrate(pool: &PgPool) -> Result<(), LedgerError> {
    let options = pool
        .connect_options()
        .as_ref()
        .clone()
        .options([("search_path", "ledger")]);
    let mut connection = PgConnection::connect_with(&options)
        .await
        .map_err(|error| LedgerError::of_read(&error))?;
    sqlx::raw_sql(include_str!("../sql/create_schema.sql"))
        .execute(&mut connection)
        .await
        .map_err(|error| LedgerError::of_read(&error))?;
    MIGRATOR
        .run(&mut connection)
        .await
        .map_err(|error| of_migration(&error))?;
    connection.close().await.map_err(|error| LedgerError::of_read(&error))
}

fn of_migration(error: &sqlx::migrate::MigrateError) -> LedgerError {
    use sqlx::migrate::MigrateError::{Execute, ExecuteMigration, VersionMismatch, VersionMissing};
    match error {
        Execute(error) | ExecuteMigration(error, _) => LedgerError::of_read(error),
        VersionMismatch(version) => {
            LedgerError::Broken(Reason::new(format!("migration {version} was changed after it ran")))
        }
        VersionMissing(version) => LedgerError::Broken(Reason::new(format!(
            "migration {version} ran here, but this release does not know it"
        ))),
        _ => LedgerError::Broken(Reason::new("the record of migrations")),
    }
}
