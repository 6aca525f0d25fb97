//! The vault's schema.

use sqlx::postgres::PgConnection;
use sqlx::{Connection as _, PgPool};

use crate::error::VaultError;

static MIGRATOR: sqlx::migrate::Migrator = sqlx::migrate!();

/// Brings the schema `vault` to this version. Safe to run from several processes at once: they take turns.
///
/// The connection works with `search_path = vault`, so that the record of what was run is the vault's own.
///
/// # Errors
/// [`VaultError::Unavailable`]: try again. [`VaultError::Migration`], [`VaultError::Statement`]: stop.
pub async fn migrate(pool: &PgPool) -> Result<(), VaultError> {
    let options = pool
        .connect_options()
        .as_ref()
        .clone()
        .options([("search_path", "vault")]);
    let mut connection = PgConnection::connect_with(&options).await?;
    sqlx::raw_sql(include_str!("../sql/create_schema.sql"))
        .execute(&mut connection)
        .await?;
    MIGRATOR.run(&mut connection).await?;
    connection.close().await?;
    Ok(())
}
