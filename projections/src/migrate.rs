//! The schemas `history` and `reporting`.

use sqlx::postgres::PgConnection;
use sqlx::{Connection as _, PgPool};

use crate::error::ProjectionError;

static MIGRATOR: sqlx::migrate::Migrator = sqlx::migrate!();

/// Brings the schemas `history` and `reporting` to this version. Safe to run from several processes at once: they take turns.
///
/// The connection works with `search_path = history`, so that the record of what was run lies there.
///
/// # Errors
/// [`ProjectionError::Unavailable`]: try again. [`ProjectionError::Migration`], [`ProjectionError::Statement`]: stop.
pub async fn migrate(pool: &PgPool) -> Result<(), ProjectionError> {
    let options = pool
        .connect_options()
        .as_ref()
        .clone()
        .options([("search_path", "history")]);
    let mut connection = PgConnection::connect_with(&options).await?;
    sqlx::raw_sql(include_str!("../sql/create_schemas.sql"))
        .execute(&mut connection)
        .await?;
    MIGRATOR.run(&mut connection).await?;
    connection.close().await?;
    Ok(())
}
