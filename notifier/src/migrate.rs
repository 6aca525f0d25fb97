//! The notifier's schema.

use sqlx::postgres::PgConnection;
use sqlx::{Connection as _, PgPool};
use time::OffsetDateTime;

use crate::error::NotifierError;

static MIGRATOR: sqlx::migrate::Migrator = sqlx::migrate!();

/// Brings the schema `notifier` to this version. Safe to run from several processes at once: they take turns.
///
/// The first run sets the cut-over to `now`: what happened before it sends no notice. Later runs leave it.
///
/// The connection works with `search_path = notifier`, so that the record of what was run is the notifier's own.
///
/// # Errors
/// [`NotifierError::Unavailable`]: try again. [`NotifierError::Migration`], [`NotifierError::Statement`]: stop.
pub async fn migrate(pool: &PgPool, now: OffsetDateTime) -> Result<(), NotifierError> {
    let options = pool
        .connect_options()
        .as_ref()
        .clone()
        .options([("search_path", "notifier")]);
    let mut connection = PgConnection::connect_with(&options).await?;
    sqlx::raw_sql(include_str!("../sql/create_schema.sql"))
        .execute(&mut connection)
        .await?;
    MIGRATOR.run(&mut connection).await?;
    sqlx::query(include_str!("../sql/set_cut_over.sql"))
        .bind(now)
        .execute(&mut connection)
        .await?;
    connection.close().await?;
    Ok(())
}
